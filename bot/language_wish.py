"""The explicit wish for an answer in another language: "answer in German", "réponds en français", "auf Deutsch bitte".

A wish is an imperative or a request at the start of a clause, or the language's name set apart with a "please"; a
question that merely names a language ("who teaches the German course?", "is the handbook in French?") is none. It may
be written in any of the languages below and may name any of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from bot.language_evidence import fold

LANGUAGES: Final = ("en", "fr", "de", "es", "it", "pt", "nl", "pl", "tr", "ru", "ar", "zh", "ja", "hi")
"""The order of the names in every `Wording`."""

CLAUSE: Final = r"(?:^|[.!?…:;,(\n¿¡。！？，、：；؟،؛।]|\s[-–—](?=\s))\s*"
"""Where a clause begins."""

BETWEEN_CLAUSES: Final = re.compile(r"(?<=[.!?…:;,])\s+|(?<=[\n。！？，、：；؟،؛।])")
"""Where a text can be parted into clauses; "3.5" is none."""

CLAUSE_END: Final = r"\s*(?:$|[.!?…:;,)\n。！？，、：；؟،؛।]|[-–—]\s)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """How one language says it. Regular expressions, except for the names; accents are folded on both sides."""

    names: str
    """One word for each of `LANGUAGES`, alternatives separated by `|`, in the form that `phrase` needs."""
    phrase: str
    """How "in German" is said, with `{}` for the name."""
    please: str
    openers: str
    """Requests that a verb may follow ("can you")."""
    verbs: str = ""
    """Imperatives that stand before the phrase."""
    final_verbs: str = ""
    """Verb forms that stand after the phrase."""
    anywhere: bool = False
    """Whether a phrase with a final verb is a wish in mid-sentence too: these languages end on their imperative."""
    gap: str = r"\s+"
    """What stands between words."""


WORDINGS: Final[Mapping[str, Wording]] = {
    "en": Wording(
        names="english french german spanish|castilian italian portuguese dutch polish turkish russian arabic "
        "chinese|mandarin japanese hindi",
        phrase="in {}",
        please="please|pls|thanks|thank you",
        openers="can you|could you|will you|would you|i(?:'d| would) like you to|always|just|kindly",
        verbs="answer|reply|respond|write|explain|speak|talk|say it|tell me|give me (?:the|an|your) answer",
    ),
    "fr": Wording(
        names="anglais français allemand espagnol italien portugais néerlandais|hollandais polonais turc russe arabe "
        "chinois|mandarin japonais hindi",
        phrase="en {}",
        please="s'il (?:te|vous) plaît|svp|stp|merci",
        openers="peux-tu|pouvez-vous|pourrais-tu|pourriez-vous|tu peux|vous pouvez|veuillez|merci de(?: bien vouloir)?",
        verbs="(?:réponds|répondez|répondre|écris|écrivez|explique|expliquez|expliquer|dis|parle|parlez)(?:-moi)?",
    ),
    "de": Wording(
        names="englisch französisch deutsch spanisch italienisch portugiesisch niederländisch|holländisch polnisch "
        "türkisch russisch arabisch chinesisch|mandarin japanisch hindi",
        phrase="auf {}",
        please="bitte|danke",
        openers="kannst du|könntest du|können sie|könnten sie|mir",
        verbs="(?:antworte?|beantworte|schreib|schreibe|erkläre|erklär|sag|sprich)(?: du)?"
        "|(?:antworten|beantworten|schreiben|erklären|sprechen) sie",
        final_verbs="antworten|beantworten|schreiben|erklären",
    ),
    "es": Wording(
        names="inglés francés alemán español|castellano italiano portugués neerlandés|holandés polaco turco ruso árabe "
        "chino|mandarín japonés hindi",
        phrase="en {}",
        please="por favor|porfa|gracias",
        openers="puedes|podrías|puede|podría",
        verbs="(?:responde|responda|responder|contesta|conteste|contestar|escribe|escriba|explica|explique|explicar)(?:me)?",
    ),
    "it": Wording(
        names="inglese francese tedesco spagnolo italiano portoghese olandese|neerlandese polacco turco russo arabo "
        "cinese|mandarino giapponese hindi",
        phrase="in {}",
        please="per favore|per piacere|per cortesia|grazie",
        openers="puoi|potresti|può|potrebbe",
        verbs="rispond(?:i|imi|a|ere|ermi|ete)|scriv(?:i|imi|a|ere)|spieg(?:a|ami|hi|are|armi)",
    ),
    "pt": Wording(
        names="inglês francês alemão espanhol italiano português neerlandês|holandês polonês|polaco turco russo árabe "
        "chinês|mandarim japonês hindi",
        phrase="em {}",
        please="por favor|se faz favor|obrigad[oa]",
        openers="(?:você )?pode|podes|poderia|podias",
        verbs="(?:responda|responde|responder|escreva|escreve|escrever|explique|explica|explicar)(?:-me)?",
    ),
    "nl": Wording(
        names="engels frans duits spaans italiaans portugees nederlands|hollands pools turks russisch arabisch "
        "chinees|mandarijn japans hindi",
        phrase="in het {}",
        please="alsjeblieft|alstublieft|aub|svp|graag|bedankt",
        openers="kun je|kan je|kunt u|kan u|wil je|wilt u",
        verbs="antwoord|antwoordt|beantwoord|reageer|schrijf|zeg het",
        final_verbs="antwoorden|beantwoorden|schrijven|uitleggen|reageren",
    ),
    "pl": Wording(
        names="angielsku|angielskim francusku|francuskim niemiecku|niemieckim hiszpańsku|hiszpańskim włosku|włoskim "
        "portugalsku|portugalskim holendersku|niderlandzku|holenderskim|niderlandzkim polsku|polskim turecku|tureckim "
        "rosyjsku|rosyjskim arabsku|arabskim chińsku|chińskim japońsku|japońskim hindi",
        phrase="(?:po|w języku|w) {}",
        please="proszę|poproszę|dziękuję|dzięki",
        openers="(?:czy )?(?:możesz|mógłbyś|mogłabyś|może pan|może pani)",
        verbs="odpowiedz|odpowiedzieć|odpowiadaj|odpisz|odpisać|napisz|napisać|wyjaśnij|wyjaśnić",
        final_verbs="odpowiedz|odpowiedzieć|odpisz",
    ),
    "tr": Wording(
        names="ingilizce fransızca almanca ispanyolca italyanca portekizce felemenkçe|hollandaca lehçe|polonyaca "
        "türkçe rusça arapça çince japonca hintçe",
        phrase="{}",
        please="lütfen",
        openers="bana",
        final_verbs="(?:olarak |dilinde )?(?:cevap|yanıt) (?:ver|verin|veriniz|verir misin|verir misiniz)"
        "|(?:olarak |dilinde )?(?:cevapla|yanıtla|yaz|açıkla|anlat)(?:yın|ın|yınız|r mısın|r mısınız)?",
        anywhere=True,
    ),
    "ru": Wording(
        names="английски|английском французски|французском немецки|немецком испански|испанском итальянски|итальянском "
        "португальски|португальском нидерландски|нидерландском|голландски|голландском польски|польском "
        "турецки|турецком русски|русском арабски|арабском китайски|китайском японски|японском хинди",
        phrase="(?:по[- ]|на ){}(?: языке)?",
        please="пожалуйста|плиз|спасибо",
        openers="можешь|можете|мог бы ты|могли бы вы|не мог(?:ли)? бы (?:ты|вы)",
        verbs="ответь|ответьте|отвечай|отвечайте|ответить|напиши|напишите|объясни|объясните|объяснить|скажи|скажите",
        final_verbs="ответь|ответьте|отвечай|отвечайте|ответить|объясни|объясните",
    ),
    "ar": Wording(
        names="انجليزية|انكليزية فرنسية المانية اسبانية ايطالية برتغالية هولندية بولندية تركية روسية عربية صينية "
        "يابانية هندية",
        phrase="(?:باللغة ال|بال){}",
        please="من فضلك|رجاء|لو سمحت|شكرا",
        openers="هل يمكنك|يمكنك|الرجاء|يرجى|ارجو|اريد|ممكن",
        verbs="اجب|اجبني|اجيبي|جاوب|جاوبني|رد|اكتب|اشرح|الاجابة|الرد|الجواب",
    ),
    "zh": Wording(
        names="英语|英文|英語 法语|法文|法語 德语|德文|德語 西班牙语|西班牙文|西班牙語 "
        "意大利语|意大利文|義大利文|意大利語 葡萄牙语|葡萄牙文|葡萄牙語 荷兰语|荷兰文|荷蘭文|荷蘭語 "
        "波兰语|波兰文|波蘭文|波蘭語 土耳其语|土耳其文|土耳其語 俄语|俄文|俄語 阿拉伯语|阿拉伯文|阿拉伯語 "
        "中文|汉语|漢語|普通话|普通話 日语|日文|日語 印地语|印地文|印地語",
        phrase="[用以]{}",
        please="请|請|麻烦|麻煩|谢谢|謝謝",
        openers="你?(?:能不能|能否|能|可以|可否)",
        final_verbs="来?(?:回答|答复|答覆|回复|回覆|作答|解释|解釋|说明|說明|告诉|告訴)[我一下吗嗎吧问题問題]*",
        gap="",
    ),
    "ja": Wording(
        names="英語 フランス語 ドイツ語 スペイン語 イタリア語 ポルトガル語 オランダ語 ポーランド語 トルコ語 ロシア語 "
        "アラビア語 中国語 日本語 ヒンディー語|ヒンディ語",
        phrase="{}で",
        please="お願いします|おねがいします|お願い|よろしく",
        openers="回答は|答えは",
        final_verbs="(?:お?答え|(?:ご?回答|返信|返事|ご?説明)(?:を?し)?|教え|書い)(?:て|を)?"
        "(?:ください|下さい|ほしい|欲しい|くれますか|くれませんか|もらえますか|もらえませんか|いただけますか|お願いします|ね)?",
        anywhere=True,
        gap="",
    ),
    "hi": Wording(
        names="अंग्रेज़ी|अंग्रेजी|इंग्लिश फ़्रेंच|फ्रेंच|फ़्रांसीसी|फ्रांसीसी जर्मन स्पेनिश|स्पैनिश इतालवी|इटालियन पुर्तगाली डच पोलिश|पोलैंडी "
        "तुर्की रूसी अरबी चीनी जापानी हिंदी|हिन्दी",
        phrase="{} में",
        please="कृपया|प्लीज़|प्लीज|धन्यवाद",
        openers="मुझे|क्या आप",
        final_verbs="(?:ही )?(?:(?:जवाब|उत्तर) (?:दो|दें|दे|दीजिए|दीजिये|देना|दे सकते हैं)|बताओ|बताएं|बताएँ|बताइए|बताइये|समझाओ"
        "|समझाएं|समझाइए|लिखो|लिखें|लिखिए)",
        anywhere=True,
    ),
}


def wished_language(text: str) -> str | None:
    """The language that `text` asks for the answer to be in, None when it asks for none."""
    folded = fold(text).strip()
    for language in WORDINGS:
        names = _names(language)
        if any(name in folded for name in names):
            for pattern in _patterns(language):
                if found := pattern.search(folded):
                    return names[found["name"]]
    return None


def without_wish(text: str) -> str:
    """`text` without the clauses that wish for a language: they are no part of what is asked. All of it, if no more."""
    if wished_language(text) is None:
        return text
    return " ".join(clause for clause in BETWEEN_CLAUSES.split(text) if wished_language(clause) is None).strip() or text


@cache
def _names(language: str) -> dict[str, str]:
    """The folded names of languages, as `language` needs them in its phrase, and the languages they name."""
    words = fold(WORDINGS[language].names).split()
    return {name: named for named, word in zip(LANGUAGES, words, strict=True) for name in word.split("|")}


@cache
def _patterns(language: str) -> tuple[re.Pattern[str], ...]:
    """What a wish written in `language` looks like once folded; each finds the `name` of the language wished for."""
    w = WORDINGS[language]
    name = f"(?P<name>{'|'.join(map(re.escape, _names(language)))})"
    phrase = f"(?:{fold(w.phrase).format(name)})"
    please, openers, verbs, final_verbs = (
        f"(?:{fold(part)})" for part in (w.please, w.openers, w.verbs, w.final_verbs)
    )
    request = f"(?:(?:{please}|{openers}),?{w.gap})*"
    thanks = f"(?:,?{w.gap}{please})?"
    start = CLAUSE if not w.anywhere else r"\b" if w.gap else ""
    patterns = [
        rf"{CLAUSE}{please},?{w.gap}{phrase}{CLAUSE_END}",
        rf"{start}{request}{phrase},?{w.gap}{please}{CLAUSE_END}",
        rf"^{name},?{w.gap}{please}[.!。！]*$",
        rf"(?:^|[.!?\n。！？؟।])\s*{phrase}\s*(?:[.!:\n。！：।]|$)",
    ]
    if w.verbs:
        patterns.append(rf"{CLAUSE}{request}{verbs}(?:{w.gap}\w+){{0,3}}?{w.gap}{phrase}{thanks}{CLAUSE_END}")
    if w.final_verbs:
        patterns.append(rf"{start}{request}{phrase}{w.gap}{final_verbs}{thanks}{CLAUSE_END}")
    return tuple(re.compile(pattern) for pattern in patterns)
