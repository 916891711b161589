"""Requests for work on the conversation itself, told by their words: where no chat model is set up to tell them.

What is meant are commands such as "Summarise this thread", "übersetze das", "rédige une réponse". They begin a message,
after a word or two of politeness, and name something at hand; a question about translations is none.
"""

from __future__ import annotations

import re

LONGEST = 200
"""Characters. Whoever writes more asks for something else as well."""

POLITE = (
    r"(?:(?:hey|hi|hello|please|can you|could you|would you|bitte|kannst du|können sie|könnten sie|könntest du|"
    r"s['’]il (?:te|vous) pla[iî]t|(?:peux|pourrais)[- ]tu|(?:pouvez|pourriez)[- ]vous|por favor|puedes?|podr[ií]as?|"
    r"per favore|puoi|potresti|você pode|podes?|poderias?|alsjeblieft|kun je|kunt u|kan je|proszę|czy możesz|lütfen|"
    r"пожалуйста|можешь|можете|من فضلك|هل يمكنك|कृपया|क्या आप|请|請|帮我|幫我|麻烦你)[\s,]*){0,3}"
)

COMMANDS = (
    # English
    r"(?:summari[sz]e|sum up|recap|translate) (?:this|that|these|those|it|all|everything|what|the \w+)\b",
    r"(?:draft|write|prepare|suggest) (?:me )?(?:an? |the )?(?:short |polite )?(?:reply|response|answer|summary)\b",
    r"tl;?dr\b",
    # German
    r"fass(?:e|en sie|t)? .{0,60}\bzusammen\b",
    r"zusammenfass(?:en|ung)\b",
    r"(?:über|ueber)setz(?:e|en sie|t)? (?:mir )?(?:das|dies\w*|es|den|die|alles)\b",
    r"(?:entwirf|entwerfen sie|formulier(?:e|en sie)|schreib(?:e|en sie)?) (?:bitte )?(?:mir |uns )?eine?n? (?:\w+ )?"
    r"(?:antwort|antwortentwurf|entwurf|zusammenfassung)\b",
    # French
    r"(?:résume[rz]?|tradui(?:s|sez|re))(?:[- ]moi)? (?:ce|cet|cette|ces|cela|ça|tout|le|la|les)\b",
    r"(?:rédige[rz]?|prépare[rz]?|propose[rz]?|écri(?:s|vez|re))(?:[- ]moi)? (?:une?|la) "
    r"(?:réponse|brouillon|résumé)\b",
    # Spanish
    r"(?:resum[ea]|resumir|resúme(?:me|lo)?|traduc[ei]|traduzca|traducir) (?:este|esta|esto|estos|el|la|lo|todo)\b",
    r"(?:redact[ae]|escrib[ea]|prepar[ae]) (?:una?|la) (?:respuesta|borrador|resumen)\b",
    # Italian
    r"(?:riassum(?:i|a|ere)|traduc(?:i|a)|tradurre) (?:questo|questa|questi|ciò|il|la|lo|tutto)\b",
    r"(?:scriv[ia]|prepar[ai]|redig[ia]) (?:una?|la) (?:risposta|bozza|sintesi)\b",
    # Portuguese
    r"(?:resum[ae]|resumir|traduz(?:a|ir)?) (?:este|esta|isto|isso|esse|essa|o|a|tudo)\b",
    r"(?:redija|redig[ei]|escrev[ae]|prepar[ae]) (?:uma?|a|o) (?:resposta|rascunho|resumo)\b",
    # Dutch
    r"vat .{0,60}\bsamen\b",
    r"vertaal (?:dit|deze|dat|het|de|alles)\b",
    r"(?:schrijf|maak|geef) (?:een |het )?(?:kort )?(?:antwoord|conceptantwoord|samenvatting)\b",
    # Polish
    r"(?:streść|podsumuj|przetłumacz) (?:ten|tę|tą|to|te|tej|cał\w+|wątek|rozmowę|dyskusję|wiadomość)\b",
    r"(?:napisz|przygotuj|zaproponuj) (?:szkic|projekt|odpowiedź|streszczenie|podsumowanie)\b",
    # Turkish
    r"(?:bunu|bu \w+|şunu|yukarıdaki\w*).{0,60}\b(?:özetle|çevir)\w*",
    r"(?:bana )?(?:bir )?(?:yanıt|cevap)\w* (?:taslağı )?(?:hazırla|yaz)\w*",
    # Russian
    r"(?:обобщи|подытожь|резюмируй|суммируй|перескажи|переведи)(?:те)? (?:это|эту|этот|всё|все|обсуждение|переписку|"
    r"ветку|тред|беседу|сообщение)\b",
    r"(?:напиши|составь|подготовь|набросай)(?:те)? (?:черновик|проект|ответ|резюме|краткое)\b",
    # Arabic
    r"(?:لخ[ِّ]*ص|ترجم)\w* (?:لي )?(?:هذا|هذه|ذلك|المحادثة|النقاش|الرسالة)",
    r"(?:اكتب|صغ|جه[ِّ]*ز|أعد)\w* (?:لي )?(?:مسودة|ردا|ردًا|رداً|ملخصا|ملخصًا)",
    # Chinese
    r"(?:把)?.{0,6}(?:总结|總結|概括|归纳|歸納|翻译|翻譯)(?:一下)?(?:这|這|以上|上面|此|本)",
    r"(?:把|将|將)(?:这|這|以上|上面).{0,12}(?:总结|總結|概括|归纳|歸納|翻译|翻譯)",
    r"(?:起草|草拟|草擬|拟|写|寫)一?.{0,2}(?:回复|回覆|答复|答覆|总结|總結)",
    # Japanese
    r"(?:この|これ|上の|以上).{0,20}(?:要約|まとめ|翻訳|訳し)",
    r"(?:返信|返事|回答)(?:案|文|の下書き|の文案)?を.{0,10}(?:作|書|考え|下書き)",
    # Hindi
    r"(?:इस|इसे|इसका|इन).{0,40}(?:सारांश|संक्षेप|अनुवाद)",
    r".{0,12}(?:उत्तर|जवाब).{0,12}(?:मसौदा|ड्राफ़्ट|ड्राफ्ट)",
)

REQUEST = re.compile(rf"\W*{POLITE}(?:{'|'.join(COMMANDS)})", re.IGNORECASE)


def asks_for_work(text: str) -> bool:
    """Whether `text` orders something to be done with what was said, rather than asking for what documents say."""
    told = " ".join(text.split())
    return len(told) <= LONGEST and REQUEST.match(told) is not None
