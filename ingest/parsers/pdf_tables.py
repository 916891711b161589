"""Tables in a PDF that are drawn with lines, as Markdown.

Every cell between drawn lines is one cell here; one that spans columns leaves the others empty. A table without lines,
or with horizontal ones only, is not recognised: its rows stay lines of text.
"""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import raw

TOLERANCE = 2.0
"""Points (1/72 inch) within which two lines are the same, or touch."""
SHORTEST = 4.0
"""Points of the shortest line that can bound a cell."""

LINES = 4000
"""Lines of one page that are looked at, and segments of one path: more make a drawing, not a table."""

FILLED = 0.4
"""Share of cells with text in them; fewer make a drawing with boxes."""

COLUMNS = 40

Character = tuple[str, float, float]
"""A character, the middle of it in points from the left of the page, and its baseline in points from the bottom."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A horizontal line at the height `at`, or a vertical one at the distance `at`, in points."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A drawn table: its Markdown, and its letters and digits in the order of the page."""

    letters: str
    markdown: str


def find(document: pypdfium2.PdfDocument) -> dict[int, list[Table]]:
    """Tables by page number, from 1."""
    found: dict[int, list[Table]] = {}
    for number in range(len(document)):
        page = document[number]
        horizontal, vertical = _lines(page)
        if len(horizontal) <= LINES and len(vertical) <= LINES and min(len(horizontal), len(vertical)) >= 3:
            characters = _characters(page)
            tables = [_table(grid, characters) for grid in _grids(_merged(horizontal), _merged(vertical))]
            found[number + 1] = [table for table in tables if table is not None]
        page.close()
    return found


def insert(page: str, tables: Iterable[Table]) -> str:
    """The text of a page with what belongs to each table replaced by its Markdown, where it stands together."""
    for table in tables:
        if (span := _span(page, table.letters)) is None:
            continue
        start, end = span
        line = page.rfind("\n", 0, start) + 1
        start = line if _letters(page[line:start]) == "" else start
        line = page.find("\n", end)
        end = line if line >= 0 and _letters(page[end:line]) == "" else end
        page = f"{page[:start].rstrip()}\n\n{table.markdown}\n\n{page[end:].lstrip()}"
    return page


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _span(page: str, letters: str) -> tuple[int, int] | None:
    """Where whole words of the page have just these letters, in whatever order and however parted into words."""
    places = [place for place, letter in enumerate(page) if letter.isalnum()]
    size = len(letters)
    missing = Counter(letters)
    missing.subtract(page[place] for place in places[:size])
    wrong = sum(count != 0 for count in missing.values())
    for start in range(len(places) - size + 1):
        first, last = places[start], places[start + size - 1]
        if wrong == 0 and not page[max(0, first - 1) : first].isalnum() and not page[last + 1 : last + 2].isalnum():
            return first, last + 1
        if start + size < len(places):
            for letter, change in ((page[first], 1), (page[places[start + size]], -1)):
                wrong += (missing[letter] == 0) - (missing[letter] + change == 0)
                missing[letter] += change
    return None


def _lines(page: pypdfium2.PdfPage) -> tuple[list[Line], list[Line]]:
    horizontal: list[Line] = []
    vertical: list[Line] = []
    for (x0, y0), (x1, y1) in _segments(page):
        if abs(y0 - y1) < 1 and abs(x0 - x1) > SHORTEST:
            horizontal.append(Line(at=y0, start=min(x0, x1), end=max(x0, x1)))
        elif abs(x0 - x1) < 1 and abs(y0 - y1) > SHORTEST:
            vertical.append(Line(at=x0, start=min(y0, y1), end=max(y0, y1)))
    return horizontal, vertical


def _segments(page: pypdfium2.PdfPage) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    x, y = ctypes.c_float(), ctypes.c_float()
    for path in page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=3):
        matrix = path.get_matrix()
        start = last = (0.0, 0.0)
        for index in range(min(raw.FPDFPath_CountSegments(path.raw), LINES)):
            segment = raw.FPDFPath_GetPathSegment(path.raw, index)
            raw.FPDFPathSegment_GetPoint(segment, x, y)
            point = matrix.on_point(x.value, y.value)
            kind = raw.FPDFPathSegment_GetType(segment)
            if kind == raw.FPDF_SEGMENT_LINETO:
                yield last, point
            elif kind == raw.FPDF_SEGMENT_MOVETO:
                start = point
            last = point
            if raw.FPDFPathSegment_GetClose(segment):
                yield last, start
                last = start


def _merged(lines: list[Line]) -> list[Line]:
    """Lines that continue or cover one another as one line."""
    places = _clusters(line.at for line in lines)
    merged: list[Line] = []
    for at, start, end in sorted((places[bisect_right(places, line.at) - 1], line.start, line.end) for line in lines):
        if merged and merged[-1].at == at and start <= merged[-1].end + TOLERANCE:
            merged[-1] = Line(at=at, start=merged[-1].start, end=max(merged[-1].end, end))
        else:
            merged.append(Line(at=at, start=start, end=end))
    return merged


def _clusters(values: Iterable[float]) -> list[float]:
    """Ascending values, of those within `TOLERANCE` of one another the first."""
    clusters: list[float] = []
    for value in sorted(values):
        if not clusters or value - clusters[-1] > TOLERANCE:
            clusters.append(value)
    return clusters


def _grids(horizontal: list[Line], vertical: list[Line]) -> Iterator[tuple[list[Line], list[Line]]]:
    """Lines that hang together by crossing or touching, from the top of the page down."""
    rows = sorted(horizontal, key=lambda line: -line.at)
    columns = list(vertical)
    while rows:
        across, down = [rows.pop(0)], list[Line]()
        frontier: list[tuple[Line, bool]] = [(across[0], True)]
        while frontier:
            line, is_row = frontier.pop()
            others, side = (columns, down) if is_row else (rows, across)
            touching = [other for other in others if _touch(line, other)]
            for other in touching:
                others.remove(other)
                side.append(other)
                frontier.append((other, not is_row))
        yield across, down


def _touch(one: Line, other: Line) -> bool:
    return (
        other.start - TOLERANCE <= one.at <= other.end + TOLERANCE
        and one.start - TOLERANCE <= other.at <= one.end + TOLERANCE
    )


def _characters(page: pypdfium2.PdfPage) -> list[Character]:
    """The characters of the page in the order of its text; white space is where the character before it is."""
    text = page.get_textpage()
    left, right, low, high, origin, baseline = (ctypes.c_double() for _ in range(6))
    found: list[Character] = []
    x = y = 0.0
    for index in range(text.count_chars()):
        symbol = chr(raw.FPDFText_GetUnicode(text.raw, index))
        if not symbol.isspace() and raw.FPDFText_GetCharBox(text.raw, index, left, right, low, high):
            raw.FPDFText_GetCharOrigin(text.raw, index, origin, baseline)
            x, y = (left.value + right.value) / 2, baseline.value
        found.append((symbol, x, y))
    text.close()
    return found


def _table(grid: tuple[list[Line], list[Line]], characters: list[Character]) -> Table | None:
    ys = _clusters(line.at for line in grid[0])
    xs = _clusters(line.at for line in grid[1])
    if len(ys) < 3 or not 3 <= len(xs) <= COLUMNS:
        return None
    inside = [(symbol, x, y) for symbol, x, y in characters if xs[0] < x < xs[-1] and ys[0] < y < ys[-1]]
    bands: list[list[Character]] = [[] for _ in ys[1:]]
    for character in inside:
        bands[bisect_right(ys, character[2]) - 1].append(character)
    rows = [_row((ys[i] + ys[i + 1]) / 2, xs, grid[1], band) for i, band in enumerate(bands) if _text(band)]
    filled = sum(bool(cell) for row in rows for cell in row)
    if len(rows) < 2 or filled < FILLED * len(rows) * (len(xs) - 1):
        return None
    lines = [f"| {' | '.join(row)} |" for row in reversed(rows)]
    return Table(
        letters=_letters(_text(inside)),
        markdown="\n".join((lines[0], "|" + " --- |" * (len(xs) - 1), *lines[1:])),
    )


def _row(middle: float, xs: list[float], vertical: list[Line], band: list[Character]) -> list[str]:
    """Cells of the band around the height `middle`; where no line parts two columns, the left one has the text."""
    parted = [any(abs(line.at - x) <= TOLERANCE and line.start <= middle <= line.end for line in vertical) for x in xs]
    cells: list[list[Character]] = [[] for _ in xs[1:]]
    for character in band:
        column = bisect_right(xs, character[1]) - 1
        while column > 0 and not parted[column]:
            column -= 1
        cells[column].append(character)
    return [_text(cell).replace("|", "\\|") for cell in cells]


def _text(characters: list[Character]) -> str:
    """On one line; halves of a pair, as pdfium gives characters outside the basic plane, become one again."""
    joined = "".join(symbol for symbol, _, _ in characters)
    return " ".join(joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace").split())
