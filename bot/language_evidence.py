"""What gives a language away: the script it is written in, letters that only some languages write, its function words.

All of it is data for `bot.language`. A language may be detected without function words listed here; where it is a
candidate, the classifier decides alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

from ingest.function_words import FUNCTION_WORDS

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

LOOKALIKES: Final[Mapping[str, frozenset[str]]] = {"en": frozenset({"come", "ten", "war"})}
"""No function words of this language, but common in it, and function words of another one (Italian, Polish, German)."""

VOTING_WORDS: Final[Mapping[str, frozenset[str]]] = {
    language: words | LOOKALIKES.get(language, frozenset()) for language, words in FUNCTION_WORDS.items()
}
"""Function words, also counted as typed without accents. A look-alike votes for both, so that neither gets it whole."""

UNMARKED: Final = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "’": "'", "أ": "ا", "إ": "ا", "آ": "ا"})
"""What people type for letters that carry their mark in one piece."""

LATIN_MARKS: Final = range(0x0300, 0x0370)
"""Combining marks that Latin and Cyrillic letters can be typed without; Arabic and Indic ones are not among them."""


def fold(text: str) -> str:
    """`text` in lower case and without accents, the way hurried people type it."""
    letters = unicodedata.normalize("NFC", text).lower().translate(UNMARKED)
    bare = "".join(c for c in unicodedata.normalize("NFD", letters) if ord(c) not in LATIN_MARKS)
    return unicodedata.normalize("NFC", bare)
