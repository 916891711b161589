"""Whether a written text is in the language that was asked for.

What may be in any language is left aside: code, addresses, citations, quotations and names. The rest is judged by its
scripts, by the letters that only one language writes, and among languages of one script by function words and the
classifier, where there is enough of it to tell. Thresholds were chosen on sentences of XQuAD (en, de, es, ar, zh), of a
French help desk and of the CNCF glossary (ten languages more): see the figures beside them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from bot.language import CODE_AND_ADDRESSES, NAMES, WORD, LanguageDecider
from bot.language_evidence import LANGUAGES_OF_SCRIPT, ONLY_WRITTEN_IN, VOTING_WORDS
from bot.phrases import PHRASE_LANGUAGES

CITATIONS: Final = re.compile(r"[\[【]\s?\^?\d{1,3}(?:\s?[,;、]\s?\^?\d{1,3})*\s?[\]】]")
CODE: Final = re.compile(
    r"^[^\S\n]*(?P<marks>`{3,}|~{3,})[^\n]*\n(?:.*?^[^\S\n]*(?P=marks)[`~]*[^\S\n]*$|.*\Z)|`[^`\n]+`",
    re.DOTALL | re.MULTILINE,
)
QUOTED: Final = re.compile(
    r"\"[^\"\n]{1,300}\"|“[^”\n]{1,300}”|„[^“”\n]{1,300}[“”]|«[^»\n]{1,300}»|「[^」\n]{1,300}」|『[^』\n]{1,300}』"
    r"|^[^\S\n]*>[^\n]*$",
    re.MULTILINE,
)
QUOTATION_MARKS: Final = '"“”„«»「」『』> \t'

SHORT_QUOTATION: Final = 4
"""Words of a quotation that need not stand in what was given: a label, a word that is talked about."""

LONGEST_NAME: Final = 24
"""Characters of another script that are taken for a name where they stand literally in what was given."""

FOREIGN_SHARE: Final = 0.5
"""Of the letters of a text, names among them, that another script has at most, in more than a name's length."""

SHOWN_CHARACTERS: Final = 60
"""Of a text that is named in a reason."""

NO_KANA: Final = 14
"""Han characters of a text without any Kana that is no Japanese sentence."""

OWN_CHARACTERS: Final = 4
"""Of a script that one language alone has among the candidates, enough to tell it by."""

LETTERS_TO_TELL, WORDS_TO_TELL = 18, 4
"""Of a text in a script that several languages write; with less, it cannot be told which of them it is."""

WRONG_BELOW: Final = 1e-3
"""Probability of the asked language below which the text is in another one."""

RIGHT_ABOVE: Final = 0.9
"""Probability above which it is in the asked one."""

LATIN_WORDS, LATIN_FUNCTION_WORDS = 5, 2
"""Latin words in a row, and function words among them, that are a sentence and no name in a text of another script."""

LATIN_ALONE: Final = 5
"""Latin words in lower case in a text of another script that has no letter of its own script."""

LETTERS: Final[Mapping[str, str]] = {
    "HAN": "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U000323af",
    "KANA": "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fd-\u30ff\u31f0-\u31ff\U0001b000-\U0001b16f",
    "HANGUL": "\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7fb",
    "CYRILLIC": "\u0400-\u052f",
    "ARABIC": "\u0620-\u064a\u066e-\u06d3\u06fa-\u06fc\u0750-\u077f\u08a0-\u08c7",
    "DEVANAGARI": "\u0900-\u0963\u0971-\u097f",
    "GREEK": "\u0370-\u03ff\u1f00-\u1fff",
    "HEBREW": "\u05d0-\u05f2",
    "THAI": "\u0e01-\u0e3e\u0e40-\u0e4e",
    "LAO": "\u0e80-\u0eff",
    "BENGALI": "\u0980-\u09ff",
    "GURMUKHI": "\u0a00-\u0a7f",
    "GUJARATI": "\u0a80-\u0aff",
    "ORIYA": "\u0b00-\u0b7f",
    "TAMIL": "\u0b80-\u0bff",
    "TELUGU": "\u0c00-\u0c7f",
    "KANNADA": "\u0c80-\u0cff",
    "MALAYALAM": "\u0d00-\u0d7f",
    "SINHALA": "\u0d80-\u0dff",
    "MYANMAR": "\u1000-\u109f",
    "GEORGIAN": "\u10a0-\u10ff",
    "ARMENIAN": "\u0531-\u0588",
    "ETHIOPIC": "\u1200-\u137f",
    "KHMER": "\u1780-\u17ff",
    "BOPOMOFO": "\u3105-\u312f\u31a0-\u31bf",
    "TIBETAN": "\u0f40-\u0fbc",
    "MONGOLIAN": "\u1820-\u18aa",
    "CHEROKEE": "\u13a0-\u13fd\uab70-\uabbf",
    "YI": "\ua000-\ua48c",
    "SYRIAC": "\u0710-\u074f",
    "THAANA": "\u0780-\u07b1",
    "NKO": "\u07ca-\u07ea",
}
"""Letters of every script but Latin, as ranges within a class of a regular expression; after NFKC."""

HAN: Final = re.compile(f"[{LETTERS['HAN']}]")
KANA: Final = re.compile(f"[{LETTERS['KANA']}]")
GREEK: Final = re.compile(f"[{LETTERS['GREEK']}]")
NOT_LATIN: Final = re.compile(f"[{''.join(LETTERS.values())}]")
BETWEEN: Final = r"[ \t\u3000\d.,:;!?()'’/・·、。，：；！？（）ー-]*"
"""What may stand between two words of one run."""

ONLY_CHINESE: Final = frozenset(letter for letter, languages in ONLY_WRITTEN_IN.items() if languages == {"zh"})
ONLY_JAPANESE: Final = frozenset(letter for letter, languages in ONLY_WRITTEN_IN.items() if languages == {"ja"})

LATIN_WORD: Final = re.compile(r"[A-Za-zÀ-ɏḀ-ỿ]+(?:['’-][A-Za-zÀ-ɏḀ-ỿ]+)*")
LATIN_RUN: Final = re.compile(r"[A-Za-zÀ-ɏḀ-ỿ][A-Za-zÀ-ɏḀ-ỿ'’,;\s-]*")
WITHIN: Final = re.compile(r"(?<=[^\W_][ ,])[ ]?[A-ZÀ-ÖØ-ÞĀ-Ž][^\s]*")
"""A word with a capital within a sentence: a name, or a German noun, which tells less than the words around it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What can be said of a text's language: `unknown` where there is too little to tell by."""

    says: Literal["right", "wrong", "unknown"]
    why: str = ""


RIGHT: Final = Verdict(says="right")
UNKNOWN: Final = Verdict(says="unknown")


class Spoken:
    """Judges by the candidates of `decider` and every language that the assistant has phrases in."""

    def __init__(self, decider: LanguageDecider) -> None:
        wider = tuple(dict.fromkeys((*decider.candidates, *PHRASE_LANGUAGES)))
        self._decider = decider if len(wider) == len(decider.candidates) else LanguageDecider(wider)
        latin = LANGUAGES_OF_SCRIPT["LATIN"]
        self._latin_words = frozenset(word for language in latin for word in VOTING_WORDS.get(language, ()))

    def warm(self) -> None:
        """Load the classifier now; see `LanguageDecider.warm`."""
        self._decider.warm()

    def wrong(self, text: str, language: str, *, given: str) -> str | None:
        """Why `text` is not in `language`; None when it is, or cannot be told.

        What stands literally in `given` (passages and question) may be quoted, and names in it be named, in any
        language.
        """
        verdict = self.judge(text, language, given=given)
        return verdict.why if verdict.says == "wrong" else None

    def judge(self, text: str, language: str, *, given: str) -> Verdict:
        """The same, and whether it can be told at all."""
        given = _normal(given)
        prose = CITATIONS.sub(" ", CODE.sub(" ", unicodedata.normalize("NFKC", text)))
        prose = QUOTED.sub(lambda quotation: " " if _quotes(quotation[0], given) else quotation[0], prose)
        why = _stray(prose, language, given)
        prose = _foreign_run(language).sub(" ", CODE_AND_ADDRESSES.sub(" ", prose))
        if language in LANGUAGES_OF_SCRIPT["LATIN"]:
            return _wrong(why) or self._among(NAMES.sub(" ", WITHIN.sub(" ", prose)), language)
        if verdict := _wrong(why or self._sentence_in_latin(prose, language)):
            return verdict
        if language in LANGUAGES_OF_SCRIPT["CJK"] | LANGUAGES_OF_SCRIPT["HANGUL"]:
            return _in_characters(prose, language, given)
        return self._among(LATIN_WORD.sub(" ", prose), language)

    def _sentence_in_latin(self, prose: str, language: str) -> str:
        """Why a text of another script is in Latin letters, in part or in whole; empty when it is not."""
        for run in LATIN_RUN.findall(prose):
            words = LATIN_WORD.findall(run.lower())
            if len(words) >= LATIN_WORDS and sum(word in self._latin_words for word in words) >= LATIN_FUNCTION_WORDS:
                return f"{_short(run)!r} is not in `{language}`"
        latin = sum(word.islower() for word in LATIN_WORD.findall(prose))
        if latin >= LATIN_ALONE and not _own(language).search(prose):
            return f"{_short(prose)!r} has no word in `{language}`"
        return ""

    def _among(self, prose: str, language: str) -> Verdict:
        """Judge a text by the languages that share its script."""
        words = WORD.findall(prose)
        if len(words) < WORDS_TO_TELL or sum(map(len, words)) < LETTERS_TO_TELL:
            return UNKNOWN
        evidence = self._decider.evidence(prose)
        probability = evidence.get(language, 0.0)
        if evidence and probability < WRONG_BELOW:
            best = max(evidence, key=evidence.__getitem__)
            return Verdict(says="wrong", why=f"{_short(prose)!r} is in `{best}`, not in `{language}`")
        return RIGHT if probability > RIGHT_ABOVE else UNKNOWN


def _in_characters(prose: str, language: str, given: str) -> Verdict:
    """Judge a text in Chinese, Japanese or Korean by the characters of each."""
    foreign = {"zh": ONLY_JAPANESE, "ja": ONLY_CHINESE}.get(language, frozenset())
    if strays := [letter for letter in prose if letter in foreign and letter not in given]:
        return Verdict(says="wrong", why=f"{strays[0]!r} is not written in `{language}`")
    if language != "ja":
        return RIGHT if len(_own(language).findall(prose)) >= OWN_CHARACTERS else UNKNOWN
    if KANA.search(prose):
        return RIGHT
    if len(HAN.findall(prose)) >= NO_KANA:
        return Verdict(says="wrong", why=f"{_short(prose)!r} has no Kana")
    return UNKNOWN


def _wrong(why: str) -> Verdict | None:
    return Verdict(says="wrong", why=why) if why else None


def _quotes(quotation: str, given: str) -> bool:
    """Whether it quotes what was given, or is too short to say anything in a language of its own."""
    words = quotation.strip(QUOTATION_MARKS)
    return words in given or (len(words.split()) <= SHORT_QUOTATION and not NOT_LATIN.search(words))


def _stray(prose: str, language: str, given: str) -> str:
    """Why the text holds words of a script that `language` is not written in; empty when it holds none but names."""
    foreign = 0
    for run in _foreign_run(language).findall(prose):
        if len(run) == 1 and GREEK.match(run):
            continue  # a unit or a variable
        foreign += len(run)
        if len(run) > LONGEST_NAME or not (run in given or all(word in given for word in run.split())):
            return f"{_short(run)!r} is not in the script of `{language}`"
    if foreign > LONGEST_NAME and foreign > FOREIGN_SHARE * sum(map(str.isalpha, prose)):
        return f"{_short(prose)!r} is mostly in another script than that of `{language}`"
    return ""


@lru_cache(maxsize=64)
def _own(language: str) -> re.Pattern[str]:
    """A letter of the language's script."""
    return re.compile(f"[{''.join(LETTERS[script] for script in _scripts(language)) or 'a-z'}]")


@lru_cache(maxsize=64)
def _foreign_run(language: str) -> re.Pattern[str]:
    """Words of scripts other than the language's own and Latin."""
    own = _scripts(language)
    foreign = f"[{''.join(letters for script, letters in LETTERS.items() if script not in own)}]"
    return re.compile(f"{foreign}+(?:{BETWEEN}{foreign}+)*")


def _scripts(language: str) -> frozenset[str]:
    if language in LANGUAGES_OF_SCRIPT["CJK"]:
        return frozenset({"HAN", "KANA"} if language == "ja" else {"HAN"})
    return frozenset(script for script in LETTERS if language in LANGUAGES_OF_SCRIPT.get(script, ()))


@lru_cache(maxsize=8)
def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= SHOWN_CHARACTERS else words[: SHOWN_CHARACTERS - 1] + "…"
