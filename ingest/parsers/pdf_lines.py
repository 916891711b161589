"""How the lines of a PDF are set: which of them are headings, and which run along the edge of every page."""

from __future__ import annotations

import ctypes
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import raw

EDGE = 0.08
"""Share of the page's height, at top and bottom, in which running headers and page numbers stand."""

LARGER = 1.08
"""A heading's letters are this much larger than those of the text, or bold."""

LEVELS = 4
HEADING_LETTERS = 100
LEADERS = "...."
"""A line of a table of contents."""

CONTINUES = re.compile(
    r"[,;:\-–—&]$|\b(?:the|a|an|of|to|and|or|in|on|for|with|by|de|la|le|les|et|des|du|der|die|das|und)$", re.I
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of text as it is set."""

    page: int
    letters: str
    """Its letters and digits, which is how it is found again in a text that was put together differently."""
    size: float
    """Height of its letters in points, to the half."""
    bold: bool
    edge: bool
    """Whether it stands where running headers and page numbers do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What the lines of a document are, by their letters."""

    levels: dict[tuple[int, str], int]
    """Page and letters of a heading, to its level."""
    running: frozenset[tuple[int, str]]
    title: str
    """As the file says it."""

    def level(self, page: int, text: str) -> int | None:
        """The level at which the line `text` stands out, or None."""
        return self.levels.get((page, letters(text)))

    def runs(self, page: int, text: str) -> bool:
        """Whether the line stands on many pages."""
        return (page, letters(text)) in self.running


def is_heading(text: str) -> bool:
    """Whether words that stand out can be a heading: no part of a sentence, no line of a table of contents."""
    start = text.lstrip("\"'(“„«")[:1]
    return not (start.islower() or CONTINUES.search(text) or LEADERS in text)


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def read(document: pypdfium2.PdfDocument) -> Setting:
    """Look at every line once: the size and weight of most letters are those of the text, all else stands out."""
    lines = [line for number in range(len(document)) for line in _lines(document, number)]
    weights: Counter[tuple[float, bool]] = Counter()
    for line in lines:
        weights[line.size, line.bold] += len(line.letters)
    body, body_bold = max(weights, key=lambda style: weights[style], default=(0.0, False))
    standing_out = [
        line
        for line in lines
        if (line.size > body * LARGER or (line.bold and not body_bold and line.size >= body))
        and 2 <= len(line.letters) <= HEADING_LETTERS
        and not line.letters.isdigit()
        and not line.edge
    ]
    sizes = sorted({line.size for line in standing_out if line.size > body * LARGER}, reverse=True)[: LEVELS - 1]
    level = {size: number for number, size in enumerate(sizes, 1)}
    return Setting(
        levels={(line.page, line.letters): level.get(line.size, len(sizes) + 1) for line in standing_out},
        running=frozenset(_running(lines, len(document))),
        title=document.get_metadata_value("Title"),
    )


def _running(lines: list[Line], pages: int) -> Iterator[tuple[int, str]]:
    """Lines at the edge that are the same, but for their numbers, on several pages."""
    edges = [line for line in lines if line.edge]
    unnumbered = {line.letters: "".join(c for c in line.letters if not c.isdigit()) for line in edges}
    seen = Counter(unnumbered[letters] for _, letters in {(line.page, line.letters) for line in edges})
    for line in edges:
        if seen[unnumbered[line.letters]] >= min(3, max(2, pages)):
            yield line.page, line.letters


def _lines(document: pypdfium2.PdfDocument, number: int) -> Iterator[Line]:
    page = document[number]
    text = page.get_textpage()
    height = page.get_height() or 1.0
    origin, baseline = ctypes.c_double(), ctypes.c_double()
    start = 0
    for content in text.get_text_range().split("\r\n"):
        at = [start + index for index, symbol in enumerate(content) if symbol.isalnum()]
        start += len(content) + 2
        if not at:
            continue
        middle = at[len(at) // 2]
        raw.FPDFText_GetCharOrigin(text.raw, middle, origin, baseline)
        share = baseline.value / height
        yield Line(
            page=number + 1,
            letters=letters(content),
            size=_size(text, middle),
            bold=all(_bold(text, index) for index in (at[0], middle, at[-1])),
            edge=not EDGE < share < 1 - EDGE,
        )
    text.close()
    page.close()


def _size(text: pypdfium2.PdfTextPage, index: int) -> float:
    matrix = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(text.raw, index, matrix)
    scale = math.hypot(matrix.c, matrix.d) or 1.0
    size: float = raw.FPDFText_GetFontSize(text.raw, index)
    return round(size * scale * 2) / 2


def _bold(text: pypdfium2.PdfTextPage, index: int) -> bool:
    name = ctypes.create_string_buffer(128)
    raw.FPDFText_GetFontInfo(text.raw, index, name, len(name), ctypes.c_int())
    return raw.FPDFText_GetFontWeight(text.raw, index) >= 600 or b"bold" in name.value.lower()
