"""What of a statement must stand in its passages as it is: names, codes, quotations, e-mail addresses, commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from bot.writing.grounding.numerals import MONTHS
from ingest.function_words import FUNCTION_WORDS
from ingest.index.lexical import UNSPACED, fold

COMMAND = re.compile(r"`+([^`]+)`+")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
QUOTED = re.compile(r"[\"“„»«「『]([^\"“”„»«「」『』\n]{2,200})[\"”“«»」』]")
_SIGN = rf"[^\W_{UNSPACED}]"
TOKEN = re.compile(rf"{_SIGN}(?:(?:{_SIGN}|[_.@/+#-])*{_SIGN})?")
"""A word, or a code; no script without spaces between words."""

BEGINS = re.compile(r"(?:^|[.!?:;…—–|>*#\n•\"“„«»(\[-])[\s*_>|#\"“„«»(\[•-]*$")
"""What stands before a word that is capitalised because a sentence, an item or a quotation begins with it."""

BEHIND_HYPHEN = re.compile(r"[^\d]*[^\d\w][\d.,:]+[^\W\d]{0,3}")

_SPARED = """
    i ok faq pdf url euro eur usd monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch
    donnerstag freitag samstag sonntag mon tue tues wed thu thur thurs fri sat sun mo di mi do fr sa so
    lun mar mer jeu ven sam dim
"""
SPARED: Final = frozenset(_SPARED.split())
"""Written with capitals, and no names; nor are months, which are read as dates."""

LONGEST_ACRONYM = 5
CAPITALISED = re.compile(
    r"[^\W\d_a-z][\w’'-]*(?:[ \n](?:(?:of|the|and|de|des|du|la|del|für|der|und|et|y) ){0,2}[^\W\d_a-z][\w’'-]*)+"
)
"""Words with capitals in a row, which may be written as an acronym."""

ALL_CAPITALISED = frozenset({"de"})
"""Languages that write every noun with a capital: there a single one says nothing of a name."""

Kind = Literal["name", "code", "quoted", "email", "command"]


SPECIAL: Final[tuple[tuple[re.Pattern[str], Kind], ...]] = (
    (COMMAND, "command"),
    (EMAIL, "email"),
    (QUOTED, "quoted"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """One of them, as it is written."""

    text: str
    kind: Kind


def names(text: str, language: str) -> Iterator[Name]:
    """Those of a statement, each once."""
    seen: dict[Name, None] = {}
    for pattern, special in SPECIAL:
        seen.update(dict.fromkeys(Name(text=found.strip(), kind=special) for found in _found(pattern, text)))
        text = pattern.sub(" x ", text) if special != "quoted" else text
    latin = sum(c.isascii() and c.isalpha() for c in text) > sum(c.isalpha() and c > "\u024f" for c in text)
    previous = ""
    for match in TOKEN.finditer(text):
        word = match[0]
        begins = BEGINS.search(text, max(0, match.start() - 12), match.start()) is not None
        kind = _kind(word, begins=begins, latin=latin, language=language, beside=previous)
        previous = "" if begins else word
        if kind:
            seen[Name(text=word, kind=kind)] = None
    yield from seen


def acronyms(text: str) -> frozenset[str]:
    """What the names of a text may be shortened to: the first letters of words with capitals in a row."""
    found = set()
    for match in CAPITALISED.finditer(text):
        letters = "".join(word[0] for word in match[0].split() if word[0].isupper())
        for size in range(2, LONGEST_ACRONYM + 1):
            found |= {letters[at : at + size] for at in range(len(letters) - size + 1)}
    return frozenset(found)


def _found(pattern: re.Pattern[str], text: str) -> list[str]:
    return [match[1] if pattern.groups else match[0] for match in pattern.finditer(text)]


def _kind(word: str, *, begins: bool, latin: bool, language: str, beside: str) -> Kind | None:
    """What a word is that must stand in a passage; None for any other."""
    folded = fold(word)
    letters = sum(c.isalpha() for c in word)
    if not letters or all(part in SPARED or part in MONTHS for part in folded.split("-")):
        return None
    if any(c.isdigit() for c in word):
        # A number with a unit (`30km`) or an ordinal (`3rd`) is read as a number, as is one behind a hyphen.
        return None if word[0].isdigit() or BEHIND_HYPHEN.fullmatch(word) else "code"
    if letters >= 2 and sum(c.isupper() for c in word) >= 2:
        return "code" if word.isupper() and len(word) <= 6 else "name"
    if not latin and word[0].isascii() and letters >= 2:
        return "name"
    if not word[0].isupper() or begins or letters < 2 or folded in FUNCTION_WORDS.get(language, ()):
        return None
    if language in ALL_CAPITALISED:
        return "name" if beside[:1].isupper() and fold(beside) not in FUNCTION_WORDS.get(language, ()) else None
    return "name"
