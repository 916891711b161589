"""Whether a text gives away the system prompt: word for word, or in a form that anybody can turn back.

A run of eight of its words (sixteen characters where words are not parted, as in Chinese) is enough: no answer from
documents says that by chance. Both sides are folded first: case, accents, letters of other scripts and digits that look
like Latin ones, and everything that is no letter or digit goes. So spelling with separators, line breaks or signs that
take no room hides nothing. The prompt is also known backwards, by letter and by word, and moved along the alphabet
(rot13 and the others), and what is encoded in the text is decoded: base64, base32, hexadecimal, binary, numbers of
characters, percent signs, entities and escapes, one within the other.

First and last letters of lines and words are read too.

Out of reach: a translation or a paraphrase, fewer than eight words at a time, compression, a cipher with a key. The
check that every statement rests on a passage is what is left against those.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from html import unescape
from types import MappingProxyType
from urllib.parse import unquote

ACROSTIC = 12
"""First, or last, letters of lines, sentences or words in a row that give it away."""

RUN = 8
"""Words in a row that give it away."""

CHARACTERS_A_WORD = 2
"""In a script that does not part its words."""

DEPTH = 3
"""Encodings within one another that are undone."""

LONGEST = 20_000
"""Characters of a text that are looked at; a unit is far shorter."""

UNPARTED = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Thai, Kana and Han."""

WORD = re.compile(rf"[{UNPARTED}]|[^\W_{UNPARTED}]+")

CITATION = re.compile(r"[\[【][\s\d,;、^–-]{1,20}[\]】]")
"""The numbers of sources, which may stand between the words of a prompt that is told sentence by sentence."""

EDGES = (
    ("first letters of lines", re.compile(r"^[^\w\n]*_*([^\W_])", re.MULTILINE)),
    ("last letters of lines", re.compile(r"([^\W_])[^\w\n]*$", re.MULTILINE)),
    ("first letters of sentences", re.compile(r"(?:^|[\n.!?。！？])[^\w\n.!?。！？]*([^\W_])")),
    ("first letters of words", re.compile(r"(?<![^\W_])(?<!['’])[^\W_]")),
    ("last letters of words", re.compile(r"[^\W_](?![^\W_]|['’])")),
)
"""Where a text can spell another one."""

NO_LETTER = re.compile(r"[\W_]+")

ALIKE = str.maketrans(
    "аеорсухіјѕһԁԛԝкмтвнαοερικνυτχіӏ|!1l0345789@$",
    "aeopcyxijshdqwkmtbhaoepikvutxiiiiiioeastbga" + "s",
)
"""What is read as a Latin letter: Cyrillic, Greek, digits (both sides are folded, so `l` is `i` with `1`)."""


def leaks(text: str, system: str) -> str | None:
    """Why `text` gives away `system`, in a few English words; None when it does not."""
    runs = _runs(system)
    if not runs.by_start:
        return None
    text = text[:LONGEST]
    if (edge := _acrostic(text, runs)) is not None:
        return f"spells {ACROSTIC} letters of the system prompt by the {edge}"
    for how, read in _readings(text):
        found = _found(_squashed(read), runs)
        if found is not None:
            return ", ".join(part for part in (f"repeats {RUN} words of the system prompt", found, how) if part)
    return None


class _Runs:
    """Every run of `RUN` words of one system prompt, in each form, by its first characters."""

    def __init__(self, system: str) -> None:
        found: dict[str, str] = {}
        for how, form in _forms(system):
            for run in _words_in_a_row(form):
                found.setdefault(run, how)
        self.width = min(map(len, found), default=0)
        by_start: dict[str, list[tuple[str, str]]] = {}
        for run, how in found.items():
            by_start.setdefault(run[: self.width], []).append((run, how))
        letters = _squashed(system)
        self.spelled = frozenset(letters[at : at + ACROSTIC] for at in range(len(letters) - ACROSTIC + 1))
        """What its letters are, so many in a row."""
        self.by_start: Mapping[str, list[tuple[str, str]]] = MappingProxyType(by_start)


@lru_cache(maxsize=16)
def _runs(system: str) -> _Runs:
    return _Runs(system)


def _found(squashed: str, runs: _Runs) -> str | None:
    """How the first run in it is written, empty for plainly; None when there is none."""
    width, by_start = runs.width, runs.by_start
    for place in range(len(squashed) - width + 1):
        for run, how in by_start.get(squashed[place : place + width], ()):
            if squashed.startswith(run, place):
                return how
    return None


def _acrostic(text: str, runs: _Runs) -> str | None:
    """By which letters the text spells the prompt; None when it does not."""
    for how, edge in EDGES:
        found = edge.findall(text)
        if len(found) < ACROSTIC:
            continue
        spelled = _squashed("".join(found))
        if any(spelled[at : at + ACROSTIC] in runs.spelled for at in range(len(spelled) - ACROSTIC + 1)):
            return how
    return None


def _forms(system: str) -> Iterator[tuple[str, str]]:
    yield "", system
    yield "", CITATION.sub(" ", system)
    yield "backwards", system[::-1]
    yield "its words backwards", " ".join(reversed(system.split()))
    small = system.casefold()
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    for shift in range(1, 26):
        moved = str.maketrans(alphabet, alphabet[shift:] + alphabet[:shift])
        yield f"moved by {shift} letters", small.translate(moved)


def _words_in_a_row(text: str) -> Iterator[str]:
    """Each run of `RUN` words, squashed."""
    words = [_squashed(word) for word in WORD.findall(unicodedata.normalize("NFKC", text))]
    weights = [1 if len(word) > 1 or word.isascii() else 1 / CHARACTERS_A_WORD for word in words]
    end, weight = 0, 0.0
    for start in range(len(words)):
        while end < len(words) and weight < RUN:
            weight += weights[end]
            end += 1
        if weight < RUN:
            return
        yield "".join(words[start:end])
        weight -= weights[start]


def _squashed(text: str) -> str:
    """The letters and digits of `text`, folded."""
    if not text.isascii():
        parted = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))
        text = "".join(sign for sign in parted if not unicodedata.combining(sign))
    return NO_LETTER.sub("", text.casefold().translate(ALIKE))


def _readings(text: str) -> Iterator[tuple[str, str]]:
    """The text itself, and what is encoded in it, with how."""
    layer = [("", text)]
    yield "", text
    if (unnumbered := CITATION.sub(" ", text)) != text:
        yield "", unnumbered
    for _ in range(DEPTH):
        layer = [(f"in {how} {outer}".strip(), read) for outer, coded in layer for how, read in _decoded(coded)]
        yield from layer


def _decoded(text: str) -> Iterator[tuple[str, str]]:
    for how, pattern, decode in RUNS_OF_CODE:
        for match in pattern.finditer(text):
            yield how, decode(match[0])
    for how, sign, decode in SIGNS_OF_CODE:
        if text.count(sign) >= FEWEST_SIGNS and (read := decode(text)) != text:
            yield how, read


def _base64(coded: str) -> str:
    """Read from each of the four places at which a group may begin."""
    signs = re.sub(r"[^A-Za-z0-9+/]", "", coded.replace("-", "+").replace("_", "/"))
    return "\n".join(
        _text(base64.b64decode(part[: len(part) // 4 * 4])) for start in range(4) if (part := signs[start:])
    )


def _base32(coded: str) -> str:
    signs = re.sub(r"[^A-Z2-7]", "", coded)
    return _text(base64.b32decode(signs[: len(signs) // 8 * 8]))


def _hexadecimal(coded: str) -> str:
    digits = re.sub(r"0x|\\x|[^0-9A-Fa-f]", "", coded)
    return _text(binascii.unhexlify(digits[: len(digits) // 2 * 2]))


def _numbers(coded: str) -> str:
    return "".join(chr(number) for digits in re.findall(r"\d+", coded) if 8 < (number := int(digits)) < 256)


def _binary(coded: str) -> str:
    digits = re.sub(r"[^01]", "", coded)
    return "".join(chr(int(digits[at : at + 8], 2)) for at in range(0, len(digits) - 7, 8))


def _percent(coded: str) -> str:
    return unquote(coded, errors="replace")


def _escapes(coded: str) -> str:
    return re.sub(
        r"\\u\{?([0-9A-Fa-f]{2,4})\}?|\\x([0-9A-Fa-f]{2})", lambda sign: chr(int(sign[1] or sign[2], 16)), coded
    )


def _text(read: bytes) -> str:
    return read.decode("latin-1" if b"\xc3" not in read else "utf-8", errors="replace")


FEWEST_SIGNS = 5

RUNS_OF_CODE: tuple[tuple[str, re.Pattern[str], Callable[[str], str]], ...] = (
    ("base64", re.compile(r"(?:[A-Za-z0-9+/_-]{20,}+={0,2}[\s\"'`>]{0,9})++"), _base64),
    ("base32", re.compile(r"[A-Z2-7]{32,}+"), _base32),
    ("hexadecimal", re.compile(r"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[\s,:;-]{0,2}){20,}+"), _hexadecimal),
    ("binary", re.compile(r"(?:[01]{7,8}[\s,]{0,2}){20,}+"), _binary),
    ("numbers", re.compile(r"(?:\d{2,3}[\s,;:-]{1,2}){20,}+\d{0,3}"), _numbers),
)
"""Encodings that use nothing but their own signs."""

SIGNS_OF_CODE: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("percent signs", "%", _percent),
    ("entities", "&", unescape),
    ("escapes", "\\", _escapes),
)
"""Encodings that can stand between the letters, by a sign that each of theirs begins with."""
