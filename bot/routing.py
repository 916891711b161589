"""Whether a message can carry the route that a model gave it; where it cannot, it is a question to the documents.

A model reads whatever stands in a thread, also what was written there to mislead it. So a route away from the documents
needs a message whose own words support it: a question of fact stays one. Words are told by their beginnings, in
the fourteen languages of the phrases; a message in another language is supported by the text that it carries.
"""

from __future__ import annotations

import re
from typing import Final

from bot.conversation_work import asks_for_work
from bot.language_evidence import fold
from bot.model import Route
from ingest.index.lexical import UNSPACED

CARRIED_WORDS: Final = 4
"""Words behind a colon, within quotation marks or on a further line, from which on they are a text to work on."""

CARRIED_CHARACTERS: Final = 12
"""The same in scripts that put no spaces between words."""

LONG_WORDS: Final = 40
"""Words of a message that is a text, whatever its marks; a question is shorter."""

CODE: Final = re.compile(r"```|~~~|`[^`\n]{8,}`")
BEGINS: Final = re.compile(r"\n|:\s|：")
"""Behind which a text may stand that is to be worked on."""
QUOTED: Final = re.compile(
    r"[\"“„«]([^\"“”„«»\n]{1,600})[\"“”»]|[「『]([^「『」』\n]{1,600})[」』]|(?<!\w)'([^'\n]{1,600})'(?!\w)"
)
SIGN: Final = re.compile(f"[{UNSPACED}]")
QUESTION_MARK: Final = re.compile(r"[？؟]|\?(?=\W|\Z)")


def _starts(*words: str) -> str:
    return rf"(?<!\w)(?:{'|'.join(words)})"


WORK: Final = re.compile(
    "|".join(
        (
            _starts(
                # English
                r"writ(?:e|ing)|draft|compose|rewrit|rephras|reword|translat|correct|proofread|shorten|summari[sz]|improv"
                r"|polish|brainstorm|suggest|make (?:it|this|me)|poem|e-?mails?|letter|reply|slogan|invitation|regex"
                r"|phras|ideas?\b|agenda|outline|bullet points?|thank-you|come up with|invent\b",
                # German
                r"schreib|entw[iu]rf|entwerf|formulier|umschreib|ubersetz|korrigier|verbesser|kurz(?:e|er)\b|zusammenfass"
                r"|fass|mach|gedicht|brief|antwort|einladung"
                r"|idee|erfind|denk dir|ausdenk|erstell|agenda|stichpunkt|gliederung|danke?s",
                # French
                r"ecri[stv]|redig|(?:re)?formul|tradui|corrig|amelior|raccourci|resum|propose|poeme|courriel|mail|lettre"
                r"|idees?\b|invente|imagine|trouve\w* (?:un|des) |prepar|ordre du jour|remerciement",
                # Spanish, Portuguese, Italian
                r"escrib|escrev|redact|redij|redig|reformul|traduc|traduz|corrig|corrij|mejor[ae]|melhor[ae]|acort|encurt"
                r"|resum|scriv|riscriv|riformul|tradurr|miglior|accorci|riassum|carta|lettera|poema|poesia|correo"
                r"|ideias?\b|invent[ae]|prepara|agradec|ringraz",
                # Dutch, Polish, Turkish
                r"schrijf|herschrijf|vertaal|verbeter|verkort|vat|opstel|gedicht|napisz|przepisz|przetlumacz|popraw|skroc"
                r"|stresc|podsumuj|przygotuj|wiersz|yaz|cevir|duzelt|kisalt|ozetle|hazirla|mektup|siir"
                r"|ideeen|bedenk|verzin|pomysl|wymysl|fikir|oner(?:i|ir|sene)\b",
                # Russian
                r"напиш|состав|переведи|перевод|исправ|улучш|сократи|перефраз|перепиш|обобщ|подготов|письмо|стих"
                r"|иде[яийю]|придум|предлож",
            ),
            r"اكتب|صغ|ترجم|صحح|لخص|حسن|اختصر|مسود|رسال|قصيد|افكار|اقترح",
            r"写|寫|起草|草拟|草擬|翻译|翻譯|改写|改寫|润色|潤色|修改|总结|總結|概括|缩短|邮件|郵件|作文|詩|诗|点子|點子|主意|起个?名|取个?名",
            r"書|作成|作って|翻訳|訳し|要約|まとめ|直し|添削|言い換え|短く|メール|下書き|返信|アイデア|考えて",
            r"लिख|अनुवाद|सुधार|संक्षेप|सारांश|मसौद|कवित|ईमेल|पत्र|सुझाव|सुझा",
        )
    )
)
"""Words of what is asked to be made: accents folded, in lower case."""

POINTING: Final = re.compile(
    "|".join(
        (
            _starts(
                # English
                r"thread|conversation|discussion|chat\b|above|attach|file\b|this (?:message|text|document|draft|one)"
                r"|we (?:decid|agree)|decided|agreed|said|open (?:points|questions)|action items|to-?dos?\b|tl;?dr",
                # German
                r"unterhaltung|diskussion|gesprach|verlauf|oben|anhang|datei|diese[rmns]? |beschlossen|vereinbart"
                r"|gesagt|einig",
                # French
                r"fil\b|conversation|discussion|ci-dessus|plus haut|piece jointe|fichier|ce(?:t|tte)? |decid|convenu"
                r"|\w* ?dit\b",
                # Spanish, Portuguese, Italian
                r"hilo|conversa|discusi|arriba|adjunt|archivo|fichero|este |esta |decidi|acord|dij[oe]|acima|anexo"
                r"|arquivo|ficheiro|disse|discuss|sopra|allegat|file\b|quest[oaie]|deciso|detto",
                # Dutch, Polish, Turkish
                r"gesprek|discussie|hierboven|bijlage|bestand|dit |deze |besloten|afgesproken|gezegd|watek|watku|rozmow"
                r"|dyskus|powyz|zalaczni|plik|t[ea]n? |ustal|konusma|tartisma|yukarida|ek(?:te|li)|dosya|bu |karar"
                r"|soyle",
                # Russian
                r"обсужд|перепис|ветк|тред|бесед|выше|вложен|файл|эт[оуаиом]|решил|договор|сказал",
            ),
            r"محادث|نقاش|اعلاه|مرفق|ملف|هذا|هذه|قررن|اتفقن|قال",
            r"对话|對話|讨论|討論|聊天|以上|上面|附件|文件|这|這|此|我们决定|說了|说了",
            r"この|会話|スレッド|議論|上記|添付|ファイル|決ま|言って|話し",
            r"बातचीत|चर्चा|ऊपर|संलग्न|फ़ाइल|फाइल|इस|यह|तय|कहा",
        )
    )
)
"""Words that point at the conversation or its files."""

ASKING: Final = re.compile(
    r"(?:(?:and|but|so|und|aber|et|mais|y|pero|e|ma|mas|en|a|i|и|а|ve)\W{1,3})?"
    r"(?:how|what|who|whom|whose|where|when|why|which|is|are|am|do|does|did|may|must|should"
    r"|wie|was|wer|wem|wen|wo|woher|wohin|wann|warum|weshalb|welche\w*|ist|sind|gibt|darf|muss"
    r"|comment|combien|qui|que|quoi|ou|quand|pourquoi|quel\w*|est-ce"
    r"|como|cuant\w*|quien\w*|donde|cuando|por que|cual\w*|hay|quant\w*|quem|onde|quando|qual\w*"
    r"|come(?! up)|chi|che|cosa|dove|perche"
    r"|hoe|wat|waar|wanneer|waarom|welk\w*|zijn|mag"
    r"|jak\w*|ile|kto|co|gdzie|kiedy|dlaczego|ktor\w*|czy(?! moz)"
    r"|как\w*|сколько|кто|что|где|когда|почему|зачем"
    r"|كم|متى|اين|من|كيف|لماذا|ما|ماذا|هل(?! يمكنك)"
    r")(?!\w)"
)
"""Beginnings of questions, accents folded; requests ("can you …") are none."""

ASKING_ANYWHERE: Final = re.compile(
    r"(?<!\w)(?:nasil|kac|kim|nerede|neden|nicin|hangi)(?!\w)"
    r"|什么|什麼|多少|几[个天时]|幾|哪|谁|誰|为什么|為什麼|怎么|怎麼|如何|吗|嗎|何|いつ|どこ|なぜ|いくら"
    r"|कितन|कब|कहाँ|कहां|कौन|क्यों|कैसे"
)
"""Words that make a question wherever they stand in its first line."""


def supports(route: Route, message: str, *, at_hand: bool) -> bool:
    """Whether `message` can be worked on as `route` says.

    `at_hand`: there is a conversation or a file to work on.
    """
    if route is Route.DOCUMENTS:
        return True
    told = fold(message)
    works = WORK.search(told) is not None or asks_for_work(message)
    if route is Route.GENERAL:
        return carries_text(message) or (works and not _asks(told))
    return at_hand and (not is_question(message) or works or points_at_hand(message))


def points_at_hand(message: str) -> bool:
    """Whether `message` names the conversation or a file in it, or what is to be done with them."""
    told = fold(message)
    return POINTING.search(told) is not None or (WORK.search(told) is not None and not _asks(told))


def is_question(message: str) -> bool:
    """Whether `message` is put as a question, with its mark or without."""
    return QUESTION_MARK.search(message) is not None or _asks(fold(message))


def carries_text(message: str) -> bool:
    """Whether there is a text or code in `message`, beside what is asked to be done with it."""
    if CODE.search(message) or _is_text(message, LONG_WORDS):
        return True
    begins = BEGINS.search(message.strip())
    behind = message.strip()[begins.end() :] if begins else ""
    if _is_text(behind, CARRIED_WORDS) and not is_question(behind):
        return True
    return any(_is_text(part, CARRIED_WORDS) for found in QUOTED.finditer(message) for part in found.groups() if part)


def _asks(told: str) -> bool:
    """Whether folded text begins as a question does."""
    word = re.search(r"\w", told)
    line = told[word.start() :].partition("\n")[0] if word else ""
    return ASKING.match(line) is not None or ASKING_ANYWHERE.search(line) is not None


def _is_text(part: str, words: int) -> bool:
    return len(part.split()) >= words or len(SIGN.findall(part)) >= words * CARRIED_CHARACTERS // CARRIED_WORDS
