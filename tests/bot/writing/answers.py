"""Answers in fourteen languages, from the same three passages."""

from __future__ import annotations

from typing import Final

PASSAGES: Final = (
    "Employees may work from home up to three days a week. The team lead must agree in writing.",
    "The request is made in the staff portal, at least five working days ahead.",
    "Whoever works abroad for more than two weeks needs a permit from the tax office.",
)

QUESTIONS: Final = {
    "en": "How often may I work from home?",
    "fr": "Combien de jours puis-je télétravailler ?",
    "de": "Wie oft darf ich von zu Hause arbeiten?",
    "es": "¿Cuántos días puedo trabajar desde casa?",
    "it": "Quanti giorni posso lavorare da casa?",
    "pt": "Quantos dias posso trabalhar de casa?",
    "nl": "Hoe vaak mag ik thuis werken?",
    "pl": "Ile dni mogę pracować z domu?",
    "tr": "Haftada kaç gün evden çalışabilirim?",
    "ru": "Сколько дней можно работать из дома?",
    "ar": "كم يومًا يمكنني العمل من المنزل؟",
    "zh": "我每周可以在家工作几天？",
    "ja": "在宅勤務は週に何日できますか。",
    "hi": "मैं घर से कितने दिन काम कर सकता हूँ?",
}

ANSWERS: Final = {
    "en": (
        "You may work from home up to three days a week [1].",
        "Please make the request in the staff portal at least five working days ahead [2].",
        "If you want to work abroad for more than two weeks, you also need a permit from the tax office [3].",
    ),
    "fr": (
        "Vous pouvez travailler à domicile jusqu'à trois jours par semaine [1].",
        "Veuillez faire la demande dans le portail du personnel au moins cinq jours ouvrés à l'avance [2].",
        "Pour travailler à l'étranger plus de deux semaines, il vous faut aussi une autorisation du fisc [3].",
    ),
    "de": (
        "Sie dürfen bis zu drei Tage in der Woche von zu Hause arbeiten [1].",
        "Bitte stellen Sie den Antrag mindestens fünf Arbeitstage vorher im Mitarbeiterportal [2].",
        "Wenn Sie länger als zwei Wochen im Ausland arbeiten, brauchen Sie auch eine Genehmigung des Finanzamts [3].",
    ),
    "es": (
        "Puede trabajar desde casa hasta tres días por semana [1].",
        "Haga la solicitud en el portal del personal con al menos cinco días laborables de antelación [2].",
        "Si quiere trabajar en el extranjero más de dos semanas, necesita también un permiso de la oficina fiscal [3].",
    ),
    "it": (
        "Può lavorare da casa fino a tre giorni alla settimana [1].",
        "Faccia la richiesta nel portale del personale almeno cinque giorni lavorativi prima [2].",
        "Se vuole lavorare all'estero per più di due settimane, le serve anche un permesso dell'ufficio fiscale [3].",
    ),
    "pt": (
        "Pode trabalhar em casa até três dias por semana [1].",
        "Faça o pedido no portal dos funcionários com pelo menos cinco dias úteis de antecedência [2].",
        "Se quiser trabalhar no estrangeiro mais de duas semanas, precisa também de uma autorização das finanças [3].",
    ),
    "nl": (
        "U mag tot drie dagen per week thuis werken [1].",
        "Doe de aanvraag minstens vijf werkdagen van tevoren in het personeelsportaal [2].",
        "Als u langer dan twee weken in het buitenland werkt, is ook een vergunning van de fiscus nodig [3].",
    ),
    "pl": (
        "Może Pan pracować z domu do trzech dni w tygodniu [1].",
        "Proszę złożyć wniosek w portalu pracowniczym co najmniej pięć dni roboczych wcześniej [2].",
        "Jeśli praca za granicą trwa dłużej niż dwa tygodnie, potrzebne jest też pozwolenie z urzędu skarbowego [3].",
    ),
    "tr": (
        "Haftada en fazla üç gün evden çalışabilirsiniz [1].",
        "Lütfen talebinizi en az beş iş günü önceden personel portalında yapın [2].",
        "Yurt dışında iki haftadan uzun çalışmak isterseniz vergi dairesinden de izin almanız gerekir [3].",
    ),
    "ru": (
        "Вы можете работать из дома до трёх дней в неделю [1].",
        "Подайте заявку на портале для сотрудников не позднее чем за пять рабочих дней [2].",
        "Если вы хотите работать за границей дольше двух недель, нужно также разрешение налоговой службы [3].",
    ),
    "ar": (
        "يمكنك العمل من المنزل حتى ثلاثة أيام في الأسبوع [1].",
        "يرجى تقديم الطلب في بوابة الموظفين قبل خمسة أيام عمل على الأقل [2].",
        "إذا أردت العمل في الخارج أكثر من أسبوعين، فأنت تحتاج أيضًا إلى تصريح من مصلحة الضرائب [3].",
    ),
    "zh": (
        "您每周最多可以在家工作三天[1]。",
        "请至少提前五个工作日在员工门户提出申请[2]。",
        "如果您想在国外工作超过两周，还需要税务局的许可[3]。",
    ),
    "ja": (
        "在宅勤務は週に三日まで可能です[1]。",
        "申請は、少なくとも五営業日前までに社員ポータルで行ってください[2]。",
        "海外で二週間を超えて働く場合は、税務署の許可も必要です[3]。",
    ),
    "hi": (
        "आप सप्ताह में अधिकतम तीन दिन घर से काम कर सकते हैं [1]।",
        "कृपया कम से कम पाँच कार्य दिवस पहले कर्मचारी पोर्टल में अनुरोध करें [2]।",
        "यदि आप दो सप्ताह से अधिक विदेश में काम करना चाहते हैं, तो कर कार्यालय की अनुमति भी चाहिए [3]।",
    ),
}


def answer(language: str) -> str:
    """The three sentences as one paragraph."""
    return ("" if language in ("zh", "ja") else " ").join(ANSWERS[language])
