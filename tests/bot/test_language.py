from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.language import DETECTABLE, LanguageDecider
from bot.phrases import PHRASE_LANGUAGES
from ingest.errors import ConfigurationError

QUESTIONS = {
    "en": [
        "who signs off a purchase order above 5k?",
        "VPN keeps dropping on Windows",
        "is Good Friday a day off in Leeds?",
        "Okta MFA reset, lost my phone",
        "guest wifi password",
        "HOW DO I RESET MY PASSWORD",
        "what's the wifi called",
        "dental plan for the family",
    ],
    "fr": [
        "qui valide mes notes de frais ?",
        "quel channel Slack pour un incident P1 ?",
        "j'ai perdu mon badge, je fais quoi ?",
        "ou poser mes conges dans Personio",
        "PC portable cassé",
        "l’onboarding, qu’est-ce que c’est",
        "remboursement Navigo",
    ],
    "de": [
        "wo beantrage ich Urlaub in Personio?",
        "Wer hat Bereitschaft am Wochenende?",
        "Bildungsurlaub in NRW möglich?",
        "Spesen fuer Taxi nachts",
        "neuer Laptop, wer genehmigt das",
        "Jobticket kündigen",
    ],
    "es": [
        "¿quién aprueba los gastos de viaje?",
        "donde pido vacaciones en Personio",
        "cambiar la contraseña de la VPN",
        "cuantos dias de permiso por mudanza tengo",
    ],
    "it": [
        "come faccio a chiedere le ferie su Personio?",
        "chi approva la nota spese?",
        "ho perso il badge, cosa faccio",
        "qual è la password del wifi ospiti?",
        "dov'è il modulo per il rimborso",
    ],
    "pt": [
        "como peço férias no Personio?",
        "quem aprova o reembolso da viagem?",
        "perdi o meu crachá, o que faço?",
        "senha do wifi para visitantes",
        "posso trabalhar de casa às sextas?",
    ],
    "nl": [
        "hoe vraag ik verlof aan in Personio?",
        "wie keurt mijn declaratie goed?",
        "ik ben mijn badge kwijt, wat nu?",
        "wachtwoord van de gasten-wifi",
        "mag ik vrijdag thuis werken",
    ],
    "pl": [
        "jak złożyć wniosek o urlop w Personio?",
        "kto zatwierdza wydatki na podróż?",
        "zgubiłem telefon, reset MFA w Okta",
        "haslo do wifi dla gosci",
        "czy moge pracowac zdalnie w piatek",
    ],
    "tr": [
        "Personio'da izin nasıl alınır?",
        "masraf raporunu kim onaylıyor?",
        "yeni dizüstü bilgisayar lazım",
        "sifremi nasil degistiririm",
        "bu hafta sonu nöbetçi kim?",
    ],
    "ru": ["какой Slack-канал для P1 incident?", "MacBook Pro: кто согласует?", "отпуск в Personio"],
    "ar": ["كيف أطلب إجازة في Personio؟", "كلمة مرور wifi", "من يوافق على شراء MacBook Pro؟"],
    "zh": [
        "如何在macOS上配置VPN？",
        "remote work申请",
        "年假怎么申请",
        "報銷差旅費的流程是什麼？",
        "P1事故用哪个Slack频道？",
    ],
    "ja": [
        "PersonioでどうやってPTOを申請しますか",
        "経費精算",
        "VPNの設定方法",
        "ゲストWi-Fiのパスワード",
        "ﾊﾟｽﾜｰﾄﾞ変更",
    ],
    "hi": ["Personio में छुट्टी कैसे लें?", "VPN कैसे सेट करें", "यात्रा खर्च कौन मंज़ूर करता है?"],
}

WISHES = {
    "en": [
        "auf Englisch bitte",
        "Réponds en anglais",
        "英語でお願いします",
        "请用英文回复，谢谢",
        "in het Engels graag",
        "English please!",
    ],
    "fr": [
        "réponds en français",
        "Reponds en francais stp",
        "Wie geht das? Bitte auf Französisch.",
        "用法语回答我",
        "फ़्रेंच में बताओ",
    ],
    "de": [
        "How do I reset my VPN? Please answer in German.",
        "Can you answer in German?",
        "In German: how do I get a badge?",
        "bitte auf Deutsch antworten",
        "Kannst du mir bitte auf Deutsch antworten?",
        "VPN nasıl kurulur, Almanca yanıtla lütfen",
        "ответьте на немецком языке, пожалуйста",
        "أجب باللغة الألمانية من فضلك",
        "VPNの設定方法をドイツ語で教えてください。",
        "proszę odpowiedzieć w języku niemieckim",
    ],
    "es": [
        "how do I get a badge? in Spanish please",
        "¿Puedes responder en español?",
        "Explain the travel policy in Spanish",
    ],
    "it": ["answer in Italian", "Rispondi in italiano", "Conteste en italiano, por favor"],
    "pt": ["answer in Portuguese", "Responda em português", "odpowiedz po portugalsku"],
    "nl": ["answer in Dutch", "antwoord in het Nederlands", "ответь по-голландски"],
    "pl": ["answer in Polish", "odpowiedz po polsku", "на польском, пожалуйста", "Antworte auf Polnisch"],
    "tr": ["answer in Turkish", "Türkçe cevap ver", "réponds-moi en turc s'il te plaît"],
    "ru": ["answer in Russian", "Ответь по-русски", "на русском, пожалуйста", "Antworten Sie auf Russisch"],
    "ar": ["answer in Arabic", "أجب بالعربية", "الرجاء الرد باللغة العربية", "responde en árabe"],
    "zh": ["answer in Chinese", "请用中文回答", "VPN怎么设置？请用中文回答", "中国語で答えてください"],
    "ja": ["answer in Japanese", "日本語で答えて", "回答は日本語でお願いします", "用日语回答"],
    "hi": ["answer in Hindi", "कृपया हिंदी में उत्तर दें", "VPN कैसे सेट करें हिंदी में बताओ", "réponds en hindi"],
}

LANGUAGES_ONLY_NAMED = {
    "en": [
        "who teaches the German course?",
        "is the handbook in French?",
        "Which colleagues answer in German?",
        "How do I answer a customer in German?",
        "Should I reply in English or in French?",
        "Where can I find the contract in Spanish?",
        'what does "answer in German" mean?',
        "Can I write my report in Italian?",
    ],
    "fr": ["Le manuel existe-t-il en anglais ?", "Dois-je répondre en anglais aux clients ?", "qui parle allemand ?"],
    "de": [
        "Gibt es das Handbuch auf Französisch?",
        "Muss ich Kunden auf Englisch antworten?",
        "wer gibt den Englischkurs?",
    ],
    "es": ["¿El manual está en inglés?", "¿Quién responde en alemán a los clientes?"],
    "it": ["C'è il manuale in inglese?"],
    "pt": ["O manual está em inglês?"],
    "nl": ["Is het handboek er in het Engels?"],
    "pl": ["Czy podręcznik jest po angielsku?"],
    "tr": ["El kitabının Almancası var mı?", "Müşteriye Almanca nasıl cevap verilir?"],
    "ru": ["Есть ли справочник на английском языке?", "Кто отвечает по-немецки?"],
    "ar": ["هل الدليل متوفر باللغة الفرنسية؟"],
    "zh": ["手册有英文版吗？", "客户可以用英文回答吗？"],
    "ja": ["誰がドイツ語で教えていますか？", "英語で答えてもいいですか？"],
    "hi": ["क्या हैंडबुक अंग्रेज़ी में है?", "कौन जर्मन में जवाब देता है?"],
}


@cache
def deciding(*candidates: str) -> LanguageDecider:
    return LanguageDecider(candidates or PHRASE_LANGUAGES)


def cases(table: dict[str, list[str]]) -> Sequence[tuple[str, str]]:
    return [(language, text) for language, texts in table.items() for text in texts]


@pytest.mark.parametrize(("language", "question"), cases(QUESTIONS))
def test_a_short_question_is_in_the_language_it_is_written_in(language: str, question: str) -> None:
    assert deciding().decide(question).language == language


@pytest.mark.parametrize(("language", "question"), cases(WISHES))
def test_an_explicit_wish_wins(language: str, question: str) -> None:
    decision = deciding().decide(question, thread="en", locale="en")
    assert (decision.language, decision.how) == (language, "wish")


@pytest.mark.parametrize(("language", "question"), cases(LANGUAGES_ONLY_NAMED))
def test_naming_a_language_is_no_wish(language: str, question: str) -> None:
    decision = deciding().decide(question)
    assert (decision.language, decision.how != "wish") == (language, True)


def test_a_wish_for_a_language_that_is_no_candidate_is_not_heard() -> None:
    assert deciding("en", "fr").decide("Please answer in German: where is the badge office?").language == "en"


def test_a_wish_at_the_end_of_a_long_text_is_heard() -> None:
    text = "Here is what the printer tells me when I print. " * 2000 + "\nPlease answer in German."
    assert deciding().decide(text).language == "de"


def test_a_wish_in_code_is_not_heard() -> None:
    assert deciding().decide("why does this print so slowly?\n```\n# answer in German\n```").language == "en"


@pytest.mark.parametrize(
    "question",
    [
        "warum geht das nicht?\n```\nthis is the output of the build and it has failed\n```",
        "was bedeutet `the file is not there` und wer hilft?",
        "was steht in https://example.org/how-to-get-the-keys-to-the-office ?",
        "<@U024BE7LH> was steht heute an in #the-weekly-meeting-of-all ?",
        "was macht @the.new.person.in.the.office heute?",
    ],
)
def test_code_addresses_and_mentions_do_not_count(question: str) -> None:
    assert deciding().decide(question).language == "de"


@pytest.mark.parametrize("question", ["", "   ", "?", "👍", "P1", "12345", "VPN MFA SSO", "```ls -la```", "สวัสดี"])
def test_where_nothing_tells_the_thread_decides_then_the_profile_then_english(question: str) -> None:
    decider = deciding()
    assert decider.decide(question, thread="de", locale="fr").language == "de"
    assert decider.decide(question, locale="fr-CA").language == "fr"
    assert decider.decide(question).language == "en"
    assert deciding("pl", "fr").decide(question).language == "pl"


def test_a_doubtful_word_is_read_in_the_language_of_the_thread_or_profile() -> None:
    assert deciding().decide("Personal", thread="de").language == "de"
    assert deciding().decide("Personal", locale="es_ES").language == "es"


def test_a_doubtful_question_keeps_the_language_of_the_thread_even_if_another_is_likelier() -> None:
    decision = deciding().decide("viaje a Madrid", thread="de", locale="es")
    assert (decision.language, decision.how) == ("de", "thread")


def test_the_profile_turns_a_guess_into_a_decision() -> None:
    assert deciding().decide("viaje a Madrid").how == "guess"
    assert deciding().decide("viaje a Madrid", locale="es").how == "classifier"


def test_a_whole_question_is_not_bent_to_the_thread_or_profile() -> None:
    decision = deciding().decide("Where do I find the travel policy?", thread="de", locale="de")
    assert decision.language == "en"


def test_a_thread_or_profile_in_no_candidate_language_does_not_count() -> None:
    assert deciding("en", "fr").decide("?", thread="sv", locale="fr").language == "fr"


def test_ukrainian_is_told_from_russian_only_where_it_is_a_candidate() -> None:
    question = "де знайти пароль від гостьового wifi? її немає"
    assert deciding("en", "ru", "uk").decide(question).language == "uk"
    assert deciding("en", "ru").decide(question).language == "ru"
    assert deciding("en", "ru", "uk").decide("кто сегодня дежурный?").language == "ru"


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("fa", "چگونه رمز عبور را تغییر دهم؟"),
        ("ar", "كيف أغير كلمة المرور؟"),
        ("mr", "सुट्टीसाठी अर्ज कसा करायचा?"),
        ("hi", "छुट्टी के लिए आवेदन कैसे करें?"),
        ("bg", "къде да подам молба за отпуск?"),
        ("ru", "где оформить отпуск?"),
        ("ko", "휴가는 어떻게 신청하나요?"),
        ("zh", "年假怎么申请"),
        ("zh", "卢克·坎克利贡献"),
        ("sv", "hur ansöker jag om semester i Personio?"),
        ("sv", "var hittar jag resepolicyn"),
        ("sv", "hur kan man ta med den"),
        ("de", "wo steht die Reiserichtlinie"),
        ("vi", "làm thế nào để xin nghỉ phép?"),
        ("el", "πώς ζητάω άδεια στο Personio;"),
    ],
)
def test_candidates_may_share_a_script_and_have_no_phrases(language: str, question: str) -> None:
    candidates = ("en", "de", "sv", "vi", "ru", "bg", "hi", "mr", "ar", "fa", "zh", "ja", "ko", "el")
    assert deciding(*candidates).decide(question).language == language


def test_a_script_that_no_candidate_writes_tells_nothing() -> None:
    decision = deciding("en", "fr").decide("где пароль?", locale="fr")
    assert (decision.language, decision.confidence, decision.how) == ("fr", 0.0, "locale")


def test_an_undetectable_candidate_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="'klingon'"):
        LanguageDecider(["en", "klingon"])


def test_no_candidates_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="languages"):
        LanguageDecider([])


def test_the_classifier_knows_every_detectable_language() -> None:
    decider = LanguageDecider(sorted(DETECTABLE))
    decider.warm()
    assert decider.decide("Wo beantrage ich hier meinen Jahresurlaub?").language == "de"


def test_a_plain_question_needs_no_classifier() -> None:
    program = (
        "import sys\n"
        "from bot.language import LanguageDecider\n"
        "print(LanguageDecider(['en', 'fr', 'de']).decide('where do I find the travel policy?').how)\n"
        "print('numpy' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["words", "False"]


def test_threads_get_the_answers_that_one_gets() -> None:
    questions = [question for _, question in cases(QUESTIONS)]
    fresh = LanguageDecider(PHRASE_LANGUAGES)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(fresh.decide, questions)) == [deciding().decide(question) for question in questions]


@given(st.text(max_size=300), st.sampled_from([None, "de", "zh", "xx", ""]), st.sampled_from([None, "fr-CA", "ja"]))
def test_any_text_is_decided_for_a_candidate(text: str, thread: str | None, locale: str | None) -> None:
    decision = deciding().decide(text, thread=thread, locale=locale)
    assert decision.language in PHRASE_LANGUAGES
    assert 0 <= decision.confidence <= 1
