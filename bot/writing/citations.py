"""From what a model writes to what a reader may rely on: only real citations, and nothing that does anything.

The model cites by number, `[2]`. What it makes of that (`[1, 2]`, `[1-3]`, `【1】`, `[[1]]`, `[^1]`, `[Source: 2]`,
`¹`) is put right; a number that was not among its passages goes. `bot.writing.inert` says what else does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.model import Passage
from bot.writing.inert import FENCED, MARK, Code, Inert, visible

LONGEST_RANGE = 20
"""Passages that one `[1-9]` can mean; a longer range is invented."""

NOUNS = (
    "passages?|sources?|documents?|docs?|refs?|references?|citations?|cites?|quellen?|passagen?|absatz|dokument|belege?"
    "|fuentes?|pasajes?|documentos?|fonti|fonte|brani|brano|documenti|documento|fontes|trechos?|bron(?:nen)?|źródł[oa]"
    "|fragmenty?|kaynak(?:lar)?|belge|pasaj|источники?|источник|документ|фрагмент|مصدر|المصدر|مقطع|وثيقة"
    "|来源|來源|出典|段落|文档|資料|स्रोत|अंश|दस्तावेज़"
)
"""Passage, source, document and reference in the languages of the phrases."""

DASH = "[-‐‑–—~]"
NUMBER = r"\d{1,3}"
LABEL = rf"(?:\^|(?:{NOUNS})[ \t]?[.:：#№]?[ \t]?)?"
ITEM = rf"{LABEL}{NUMBER}(?:[ \t]?{DASH}[ \t]?\^?{NUMBER})?"
SEPARATOR = r"(?:[ \t]?(?:[,;、，；،&+]|and|und|et|y|e|en|i|ve|и|و|和|と|और)[ \t]?|[ \t])"
BODY = rf"{ITEM}(?:{SEPARATOR}{ITEM}){{0,20}}(?:[ \t]?†[^\[\]【】\n]{{0,80}})?"
INNER = rf"[ \t]?{BODY}[ \t]?"
OPEN, CLOSE = "[\\[【［〔〖]", "[\\]】］〕〗]"
BRACKETS = rf"(?:{OPEN}[ \t]?{OPEN}{INNER}{CLOSE}[ \t]?{CLOSE}|{OPEN}{INNER}{CLOSE})"
GROUP = rf"{BRACKETS}(?:[ \t]?[,;、]?[ \t]?{BRACKETS})*"
CITATION = re.compile(
    rf"[ \t]?(?:[(（][ \t]?{GROUP}[ \t]?[)）]|{BRACKETS}(?:[ \t]?[,;、][ \t]?{BRACKETS})*)", re.IGNORECASE
)
FOREIGN = re.compile(r"[ \t]?[\[【]\d{1,3}:\d{1,3}†[^\[\]【】\n]{0,80}[\]】]")
"""How a hosted assistant marks the files of its own search."""

_SOURCE = (
    "sources?|quellen?|fuentes?|fonti|fontes?|bron(?:nen)?|źródł[oa]|kaynak|источник|المصدر|स्रोत"
    "|资料来源|来源|來源|出典"
)
IN_WORDS = re.compile(
    rf"[ \t]?[\[【(（][ \t]?(?:{_SOURCE})[ \t]?[:：]"
    r"(?=[^\[\]【】()（）\n]*[^\W\d_])[^\[\]【】()（）\n]{1,160}[)）\]】]",
    re.IGNORECASE,
)
"""A source that the model names itself, as in `[Source: the handbook]`: readers are told sources by numbers alone."""

NUMBERS = re.compile(rf"({NUMBER})(?:[ \t]?{DASH}[ \t]?\^?({NUMBER}))?")
INDEXED = re.compile(r"(?:\b[a-z]|\w+_\w*|[a-z][A-Z]\w*|[A-Za-z_)\]]\.[A-Za-z_]\w*)$")
"""What stands before the index of an array, and before no citation."""

RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
SUPERSCRIPT = re.compile(r"(?:(?<=[^\W\d_]{3})|(?<=[.,;:!?)»”\"'’。！？]))[⁰¹²³⁴-⁹]{1,6}(?:,[⁰¹²³⁴-⁹]{1,3})*")
"""Behind a word of three letters or more, or a mark: not that of a unit (m², cm³) nor an exponent."""


MOST_READINGS = 8
"""Two are enough for what any model writes by itself."""

SHOWN = re.compile(r"([ \t]?)\[(\d{1,3})\]", re.ASCII)

SENTENCE_END = re.compile(r"[.!?…。！？｡؟।]*[\"'”’»›)*_」』]*[ \t]*\|?\s*$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cited:
    """A piece of a written text, checked."""

    text: str
    """It cites as `[n]`, by the numbers that the writer was given; brackets in code are code."""
    numbers: tuple[int, ...]
    """Those it cites, each once, in order of first use."""
    bare: str
    """The text without its citations."""


class Citations:
    """Checks one text unit by unit. No unit may end within a citation, a link, an address or a fenced block.

    Readers see sources numbered in the order in which they are cited: `shown` maps the number that the writer was given
    to the one that is shown, and grows with every passage that is shown as cited for the first time.
    """

    def __init__(self, passages: Sequence[Passage], shown: dict[int, int] | None = None) -> None:
        self.shown: dict[int, int] = {} if shown is None else shown
        self._numbers = frozenset(passage.number for passage in passages)
        self._inert = Inert(passages)
        self._last = ""

    def read(self, text: str) -> Cited:
        """The unit, inert, with its citations put right."""
        return self._read(visible(text), begins_line=True)

    def _read(self, text: str, *, begins_line: bool) -> Cited:
        """What went may have stood between two halves of something else, so a text that was changed is read again."""
        for _ in range(MOST_READINGS):
            before, text = text, self._once(text, begins_line=begins_line)
            if text == before:
                break
        return self._made(text)

    def _once(self, text: str, *, begins_line: bool) -> str:
        code = Code(text, begins_line=begins_line)
        plain = self._inert.read(code)
        plain = SUPERSCRIPT.sub(self._raised, FOREIGN.sub("", IN_WORDS.sub("", plain)))
        while (better := CITATION.sub(self._cited, plain)) != plain:
            plain = better
        return code.back(plain)

    def attributed(self, cited: Cited, numbers: tuple[int, ...]) -> Cited:
        """The same words citing `numbers`, where they cited others; without any, before their full stop."""
        known = tuple(dict.fromkeys(number for number in numbers if number in self._numbers))
        if set(known) == set(cited.numbers):
            return cited
        signs = "".join(f"[{number}]" for number in known)
        code = Code(cited.text)
        found = [match for match in SHOWN.finditer(code.text) if int(match[2]) in self._numbers]
        if found:
            last = found[-1]
            before, behind = self._without(code.text[: last.start()]), code.text[last.end() :]
            return self._made(
                code.back(f"{before}{last[1] or _gap(before)}{signs}{behind}" if signs else before + behind)
            )
        if not signs or not code.text.strip(f" \t\n{MARK}"):
            return cited
        end = SENTENCE_END.search(code.text)
        at = end.start() if end else len(code.text)
        return self._made(code.back(f"{code.text[:at]} {signs}{code.text[at:]}"))

    def show(self, cited: Cited) -> str:
        """The unit as readers see it. To be called once for each unit that is shown, in order."""
        begins_line = not self._last or self._last.endswith("\n")
        if not begins_line and FENCED.match(cited.text):
            cited = self._read(cited.text, begins_line=False)
        code = Code(cited.text, begins_line=begins_line)
        text = code.back(SHOWN.sub(self._renumbered, code.text))
        if self._last.endswith("]") and text.startswith(("(", ":")):
            text = " " + text
        self._last = text or self._last
        return text

    def _made(self, text: str) -> Cited:
        code = Code(text)
        found = [int(number) for _, number in SHOWN.findall(code.text)]
        numbers = tuple(dict.fromkeys(number for number in found if number in self._numbers))
        return Cited(text=text, numbers=numbers, bare=code.back(self._without(code.text)) if numbers else text)

    def _without(self, text: str) -> str:
        return SHOWN.sub(lambda match: "" if int(match[2]) in self._numbers else match[0], text)

    def _cited(self, match: re.Match[str]) -> str:
        """A group of citations as `[1][2]`; what is an index or an interval of numbers stays as it is."""
        spans = [(int(first), int(last or first)) for first, last in NUMBERS.findall(match[0].partition("†")[0])]
        kept = [number for number in _counted(spans) if number in self._numbers]
        before = match.string[: match.start()]
        tight = match[0].startswith("[") and bool(before) and not before[-1].isspace()
        if len(spans) == 1 and tight and not kept and (spans[0] == (0, 0) or INDEXED.search(before[-80:])):
            return match[0]
        if spans != [(0, 0)] and any(first == 0 for first, _ in spans):
            return match[0]
        after = _apart(match)
        if not kept:
            return after
        space = match[0][0] if match[0][0] in " \t" else ""
        return space + "".join(f"[{number}]" for number in kept) + after

    def _raised(self, match: re.Match[str]) -> str:
        parts = [part.translate(RAISED) for part in match[0].split(",")]
        numbers = [int(part) for part in parts]
        if not self._numbers.issuperset(numbers):
            numbers = [int(digit) for part in parts for digit in part]
        if not self._numbers.issuperset(numbers):
            return match[0]
        return "".join(f"[{number}]" for number in dict.fromkeys(numbers)) + _apart(match)

    def _renumbered(self, match: re.Match[str]) -> str:
        number = int(match[2])
        if number not in self._numbers:
            return match[0]
        return f"{match[1]}[{self.shown.setdefault(number, len(self.shown) + 1)}]"


def _counted(spans: Iterable[tuple[int, int]]) -> list[int]:
    """The numbers of all spans, each once."""
    numbers: dict[int, None] = {}
    for first, last in spans:
        if first <= last < first + LONGEST_RANGE:
            numbers.update(dict.fromkeys(range(first, last + 1)))
    return list(numbers)


def _apart(match: re.Match[str]) -> str:
    """The space that keeps what follows a citation from making a link of it."""
    return " " if match.string[match.end() :].startswith(("(", ":")) else ""


def _gap(text: str) -> str:
    return "" if not text or text[-1].isspace() else " "
