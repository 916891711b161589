"""What gives a language away: the script it is written in, letters that only some languages write, its function words.

All of it is data for `bot.language`. A language may be detected without function words listed here; where it is a
candidate, the classifier decides alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

LANGUAGES_OF_SCRIPT: Final[Mapping[str, frozenset[str]]] = {
    script: frozenset(languages.split())
    for script, languages in {
        "LATIN": (
            "af az br bs ca cs cy da de en eo es et eu fi fr fy ga gl ha hr ht hu id ig is it jv ku la lb lt lv mg ms "
            "mt nl no oc om pl pt qu ro sk sl so sq sr sv sw tl tr uz vi xh yo zu"
        ),
        "CYRILLIC": "ba be bg kk ky mk mn ru sr tg tt uk",
        "ARABIC": "ar fa ps ug ur",
        "DEVANAGARI": "hi mr ne sa",
        "CJK": "ja zh",
        "HANGUL": "ko",
        "GREEK": "el",
        "HEBREW": "he",
        "THAI": "th",
        "LAO": "lo",
        "BENGALI": "as bn",
        "TAMIL": "ta",
        "TELUGU": "te",
        "KANNADA": "kn",
        "MALAYALAM": "ml",
        "GUJARATI": "gu",
        "GURMUKHI": "pa",
        "ORIYA": "or",
        "SINHALA": "si",
        "MYANMAR": "my",
        "KHMER": "km",
        "GEORGIAN": "ka",
        "ARMENIAN": "hy",
        "ETHIOPIC": "am",
    }.items()
}
"""Scripts, by the first word of their characters' Unicode names, and the languages that the classifier knows in each.

Hiragana and Katakana count as CJK.
"""

ONLY_WRITTEN_IN: Final[Mapping[str, frozenset[str]]] = {
    letter: frozenset(languages.split())
    for letters, languages in {
        "їєґ": "uk",
        "і": "uk be kk",
        "ў": "be",
        "ыэё": "ru be kk ky mn tg tt ba",
        "ѓѕќ": "mk",
        "ђћ": "sr",
        "јљњџ": "sr mk",
        "پچژگ": "fa ur ps ug",
        "ٹڈڑںے": "ur",
        "ة": "ar",
        "ळ": "mr sa",
        "们这说请问时费报销产业务为么吗呢哪怎你您她它还让从员给门议计划设备网络连进远线电": "zh",
        "脑话讯软组织总结经项历发货单张订购买卖质检测试验证书认识语读记录职岗转间级": "zh",
        "們這說嗎麼還從裡來會發單證實驗經圖觀檢總將點號處寫讀數學氣對應關變讓": "zh",
        "円図経駅読売気対応変実検験権県関発覧覚広拡帰単価歳毎戻込働労営険厳総続絵訳転辺鉄": "ja",
        "録隠雑霊顔黒沢渋択払拝収従徴恵悪撃暦様楽歩涙満焼犠獣畑": "ja",
    }.items()
    for letter in letters
}
"""Letters that exclude every other language of their script; the Chinese and Japanese ones are simplified forms."""

FUNCTION_WORDS: Final[Mapping[str, frozenset[str]]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": """
            the a an of to in on at for from with by about as is are am was were be do does did can could should would
            will has have how what where when which who why whom whose i me my we us our you your they their it this
            that these there and or not no if any many much get need please come ten war
            """,
        "fr": """
            le la les l' un une des du de d' au aux à en dans sur pour par avec sans est sont être ai a as ont j' je me
            moi tu il nous vous ils on c' n' s' m' qu' que qui quoi quel quelle quels quelles où quand comment combien
            pourquoi mon ma mes notre nos votre vos son ses ce cet cette ces puis peut peux dois doit faut et ou ne pas
            si y
            """,
        "de": """
            der die das den dem des ein eine einen einem einer und oder nicht ist sind war wird werden wurde kann können
            muss darf soll hat haben habe wie was wo wann wer wen wem warum welche welcher welches welchen woher wohin
            ich mich wir uns ihr sie mein meine meinen unser unsere es in im am an auf aus bei für mit nach von vom zu
            zum zur über gibt viele wenn als man nie nun
            """,
        "es": """
            el la los las un una unos unas de del al a en con por para sin sobre es son está están fue ser hay ha he
            puedo puede debo tengo tiene qué cuál cuáles cómo dónde cuándo quién quiénes cuánto cuánta cuántos cuántas
            que y o no si mi mis nuestro nuestra su sus me te se lo le yo este esta era
            """,
        "it": """
            il lo la i gli le l' un uno una un' di del dello della dei degli delle dell' a al allo alla ai all' da dal
            dalla in nel nella nei nell' con su sul sulla per è c' sono ho ha hanno era posso può devo che chi cosa cos'
            come dove dov' quando quale quali quanto quanti quanta quante perché e o non no se si mi mio mia miei nostro
            nostra
            """,
        "pt": """
            o a os as um uma uns umas de do da dos das no na nos nas em ao à aos às com por para sobre pelo pela sem é
            são está foi era ser há tem tenho posso pode devo que qual quais como onde quando quem quanto quantos quanta
            quantas porque e ou não se meu minha meus minhas nosso nossa eu me isso este esta
            """,
        "nl": """
            de het een en of niet is zijn was wordt worden kan kunnen moet mag heeft hebben heb hoe wat waar wanneer wie
            welke welk waarom hoeveel ik je jij u hij zij we wij ons onze me mijn jouw uw dit dat deze die er in op aan
            bij met naar van voor uit over om te tot als dan
            """,
        "pl": """
            w we z ze na do od po dla o u za przez przy nie no i a jest są był była było być mam ma mamy można mogę może
            muszę trzeba jak jaki jaka jakie jakiej jakim co kto kogo komu kiedy gdzie skąd dlaczego czy ile który która
            które którym ja mój moja moje nasz nasza się to ten ta te tego tej by lub oraz
            """,
        "tr": """
            ve veya ya da de ta te dan den nın nin nun nün için ile bir bu şu o ne nasıl nerede nereye nereden neden
            niçin kim kimi kime kimin hangi hangisi kaç mi mı mu mü miyim mıyım muyum müyüm misin var yok ben biz benim
            bizim gibi kadar daha çok en olan olarak olur oldu değil lazım gerek edilir yapılır alınır
            """,
    }.items()
}
"""Lower case, with accents; also counted as typed without them. A final apostrophe marks an elided word (`qu'`).

A word that is common in another listed language stands there too, so that neither gets it whole: English `come`, `ten`
and `war` are no function words, but Italian, Polish and German ones.
"""

UNMARKED: Final = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "’": "'", "أ": "ا", "إ": "ا", "آ": "ا"})
"""What people type for letters that carry their mark in one piece."""

LATIN_MARKS: Final = range(0x0300, 0x0370)
"""Combining marks that Latin and Cyrillic letters can be typed without; Arabic and Indic ones are not among them."""


def fold(text: str) -> str:
    """`text` in lower case and without accents, the way hurried people type it."""
    letters = unicodedata.normalize("NFC", text).lower().translate(UNMARKED)
    bare = "".join(c for c in unicodedata.normalize("NFD", letters) if ord(c) not in LATIN_MARKS)
    return unicodedata.normalize("NFC", bare)
