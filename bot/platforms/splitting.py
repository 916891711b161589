"""Markdown in pieces that a platform takes, each of them good Markdown by itself."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

JOINER = "\u2060"
"""WORD JOINER: not seen, no space, and between two signs that would mean something together."""

LONGEST_MARKER = 10
LONGEST_INFO = 60
LONGEST_LANGUAGE = 20
"""Characters of a fence: its signs, what follows them, and what of that is said again when it is reopened."""

DEEPEST = 40
"""Characters of the signs of lists and quotations that are said again for the rest of a line."""

SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
"""A code span that ends on its line."""

SENTENCE_END = re.compile(r"(?<!\b\w)[.!?…]{1,9}[\"'”’»)\]]{0,9}(?=\s{1,99}[^\sa-z])|[。！？｡।؟]+[」』）”’]*")
"""Bounded: a line of nothing but dots would take time that grows with its square."""

CONTAINERS = re.compile(r"(?:[ \t]*(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t])))*[ \t]*")
"""What stands before a block that is in lists and quotations."""

BLOCK_START = re.compile(r"\s*(?:```|~~~|#|>|\||[-+*=_]|\d+[.)])")
"""How something else than a paragraph may begin."""

FENCE_START = re.compile(r" {0,3}(?:```|~~~)")

reader = MarkdownIt("commonmark", {"html": False}).enable("table")
"""Reads Markdown as both platforms do, without HTML; it keeps nothing of what it has read."""

Measure = Callable[[str], int]


def pieces(markdown: str, *, limit: int, measure: Measure) -> list[str]:
    """The text in pieces of at most `limit` each, as `measure` counts; none if nothing can be seen in it.

    A piece ends between two paragraphs if there is such a place in its second half, or else between two lines,
    sentences, words or, at last, characters. A code block that goes on in the next piece is closed and opened again, a
    table gets its header again, and what goes on in a list loses the indentation that its item gave it.

    Args:
        markdown: as it is to be shown, `quiet` already.
        limit: 1,000 is enough for any text, 100 for one without deeply nested code.
        measure: characters or bytes, say; never more for two texts together than for each of them.

    Raises ValueError when the limit is too small for a block that cannot be shown without its marks.
    """
    lines = _lines(markdown)
    limit += measure("\n")  # The last line of a piece is counted with its end too, and has none.
    found = []
    first = 0
    while first < len(lines):
        end = _end(lines, first, limit, measure)
        piece = _shown(lines[first:end], limit, measure)
        if piece.strip():
            found.append(piece)
        first = end
    return found


def lines_of(markdown: str) -> list[str]:
    """The lines with their ends, counted as in `Token.map`."""
    return re.findall(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+\Z", markdown)


def prefix_of(line: str) -> tuple[str, str]:
    """What the lists and quotations around a block put before its first line, and before each other one."""
    containers = CONTAINERS.match(line)
    before = containers[0] if containers else ""
    return before, re.sub(r"[^>\t]", " ", before)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fence:
    opening: str
    closing: str
    within: str
    """What the containers put before its lines."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Line:
    text: str
    begins: int = 1
    """How good a place for a piece to begin: 0 should not be, 1 a line, 2 a paragraph."""
    fence: _Fence | None = None
    part: Literal["opener", "inside", "closer"] | None = None
    header: tuple[str, ...] = ()
    """Of the table, where the line is one of its rows."""
    listed: bool = False
    """Whether it stands in a list, where indentation is the list's."""


def _lines(markdown: str) -> list[_Line]:
    texts = [line.rstrip("\r\n") for line in lines_of(markdown)]
    lines = [_Line(text=text) for text in texts]
    tokens = reader.parse(markdown)
    heading_ends = set()
    for number, line in enumerate(lines):
        if number and not (line.text.strip() and lines[number - 1].text.strip()):
            lines[number] = replace(line, begins=2)
    for token in tokens:
        first, end = token.map or (0, 0)
        if token.type.endswith("_list_open") and token.level == 0:
            lines[first:end] = [replace(line, listed=True) for line in lines[first:end]]
        elif token.type == "heading_open":
            lines[first] = replace(lines[first], begins=2)
            lines[first + 1 : end] = [replace(line, begins=0) for line in lines[first + 1 : end]]
            heading_ends.add(end)
        elif token.type == "table_open":
            header = tuple(prefix_of(texts[first])[1] + text.lstrip(" \t>") for text in texts[first : first + 2])
            lines[first + 1] = replace(lines[first + 1], begins=0)
            rows = range(first + 2, end)
            lines[first + 2 : end] = [replace(lines[row], header=header, begins=int(row > first + 2)) for row in rows]
    for end in heading_ends:
        for number in range(end, len(lines)):
            lines[number] = replace(lines[number], begins=0)
            if texts[number].strip():
                break
    for token in reversed(tokens):
        if token.type == "fence" and token.map is not None:
            lines[token.map[0] : token.map[1]] = _fenced(token, lines[token.map[0] : token.map[1]])
    return lines


def _fenced(token: Token, lines: Sequence[_Line]) -> list[_Line]:
    """The lines of a code block, its end among them even where the text does not have it."""
    before, within = prefix_of(lines[0].text)
    sign, info = token.markup[0], token.info.strip()
    longest = max((len(run) for run in re.findall(rf"{sign}+", token.content)), default=0)
    tame = max(longest + 1, len(token.markup)) <= LONGEST_MARKER
    # Longer than any within, as what was indented too far to close the block may not be so any more.
    marker = sign * min(LONGEST_MARKER, max(longest + 1, len(token.markup)))
    language = info.split(maxsplit=1)[0] if info else ""
    opening = marker + (language if len(language) <= LONGEST_LANGUAGE else "")
    fence = _Fence(opening=opening, closing=marker, within=within)
    opener = lines[0].text if tame and len(info) <= LONGEST_INFO else before + opening
    inside = list(lines[1:])
    ending = re.compile(rf" {{0,3}}{re.escape(token.markup)}{re.escape(sign)}*[ \t]*")
    if inside and ending.fullmatch(_without(inside[-1].text, within)):
        inside.pop()
    if not tame:
        parted = re.compile(rf"({re.escape(sign) * (LONGEST_MARKER - 1)})(?={re.escape(sign)})")
        inside = [replace(line, text=parted.sub(rf"\1{JOINER}", line.text)) for line in inside]
    return [
        replace(lines[0], text=opener, fence=fence, part="opener"),
        *(replace(line, fence=fence, part="inside", begins=int(number > 0)) for number, line in enumerate(inside)),
        replace(lines[0], text=within + marker, fence=fence, part="closer", begins=0, header=()),
    ]


def _without(text: str, within: str) -> str:
    """A line of a block without what its containers put before it; a tab that reaches into the block goes whole."""
    for sign in within:
        if sign == " " and text.startswith("\t"):
            return text[1:]
        text = text.removeprefix(sign)
    return text


def _size(texts: Sequence[str], measure: Measure) -> int:
    return sum(measure(f"{text}\n") for text in texts)


def _head(line: _Line, limit: int, measure: Measure) -> tuple[str, ...]:
    """What a piece that begins with `line` says again."""
    if line.fence is not None and line.part in {"inside", "closer"}:
        return (line.fence.opening,)
    return line.header if _size(line.header, measure) <= limit // 2 else ()


def _closing(line: _Line, first: _Line) -> tuple[str, ...]:
    """What a piece from `first` that ends with `line` adds."""
    if line.fence is None or line.part == "closer":
        return ()
    reopened = first.fence is line.fence and first.part != "opener"
    return (f"{'' if reopened else line.fence.within}{line.fence.closing}",)


def _end(lines: list[_Line], first: int, limit: int, measure: Measure) -> int:
    """Where the piece that begins with `first` ends. If that is within a line, there are two of it then."""
    used = [_size(_head(lines[first], limit, measure), measure)]
    end = first
    while end < len(lines):
        total = used[-1] + _size((lines[end].text,), measure)
        if total + _size(_closing(lines[end], lines[first]), measure) > limit:
            break
        used.append(total)
        end += 1
    else:
        return end
    for begins, least in ((2, limit // 2), (1, limit // 2)):
        for at in range(end, first, -1):
            if lines[at].begins >= begins and used[at - first] >= least:
                return at
    return _end_within(lines, first, end, limit - used[-1], measure)


def _end_within(lines: list[_Line], first: int, end: int, room: int, measure: Measure) -> int:
    """The same where no line ends in the second half of the piece: `room` is left for the line at `end`."""
    line = lines[end]
    room -= _size(("", *_closing(line, lines[first])), measure)
    prose = line.part is None and not line.header
    if prose and (parts := _cut(line.text, room, measure, anywhere=False)):
        lines[end : end + 1] = [replace(line, text=parts[0]), replace(line, text=parts[1], begins=1)]
        return end + 1
    for begins in (1, 0):
        for at in range(end, first, -1):
            if lines[at].begins >= begins:
                return at
    within = line.fence.within if line.fence is not None else ""
    left, right = _cut(line.text, room, measure, anywhere=True, code=not prose) or (line.text, "")
    if line.part == "opener" or measure(left) > room or len(within + right) >= len(line.text):
        raise ValueError("the limit of a piece is too small for the marks of a block")
    lines[end : end + 1] = [
        replace(line, text=left),
        replace(line, text=within + right, begins=1, header=(), part="inside" if line.fence is not None else None),
    ]
    return end + 1


def _cut(text: str, room: int, measure: Measure, *, anywhere: bool, code: bool = False) -> tuple[str, str] | None:
    """The line in two, the first of which fits: after a sentence or a word, or `anywhere` if need be."""
    fits = bisect_right(range(1, len(text) + 1), room, key=lambda length: measure(text[:length]))
    spans = [] if code else [match.span() for match in SPAN.finditer(text)]

    def good(at: int) -> bool:
        return text[:at].strip(f" \t>{JOINER}") != "" and not any(start < at < end for start, end in spans)

    if not code:
        ends = [match.end() for match in SENTENCE_END.finditer(text) if fits // 2 <= match.end() <= fits]
        words = [match.start() for match in re.finditer(r"\s+", text[: fits + 1])]
        for at in (*reversed(ends), *reversed(words)):
            if good(at):
                return text[:at], _resumed(text, text[at:])
    if not anywhere:
        return None
    at = max(1, fits)
    run = next((text[start:end] for start, end in spans if start < at < end), "")
    run = run[: len(run) - len(run.lstrip("`"))]
    at = max(1, bisect_right(range(1, len(text) + 1), room - measure(run), key=lambda size: measure(text[:size])))
    at = next((back for back in range(at, max(at - 50, 0), -1) if _apart(text, back)), at)
    return text[:at] + run, run + text[at:] if run else (text[at:] if code else _resumed(text, text[at:]))


def _resumed(text: str, rest: str) -> str:
    """The rest of a line as a line: as deep in its list, in the same quotation, and no block of its own."""
    within = prefix_of(text)[1]
    rest = rest.lstrip()
    return (within if len(within) <= DEEPEST else "") + (JOINER if BLOCK_START.match(rest) else "") + rest


def _apart(text: str, at: int) -> bool:
    """Whether readers see two signs there: no accent, joined emoji, shade or half of a flag would be torn off."""
    before, after = text[at - 1], text[at : at + 1]
    if not after:
        return True
    joined = unicodedata.category(after).startswith("M") or "\u200d" in (before, after) or "🏻" <= after <= "🏿"
    flags = re.search("[🇦-🇿]*$", text[:at])
    return not joined and not ("🇦" <= after <= "🇿" and flags is not None and len(flags[0]) % 2)


def _shown(lines: Sequence[_Line], limit: int, measure: Measure) -> str:
    head = _head(lines[0], limit, measure)
    reopened = lines[0].fence if lines[0].part in {"inside", "closer"} else None
    if reopened is not None and lines[0].part == "closer":
        head, lines, reopened = (), lines[1:], None
    texts = []
    shift: int | None = None
    for line in lines:
        indentation = len(line.text) - len(line.text.lstrip(" \t"))
        if reopened is not None and line.fence is reopened:
            texts.append(reopened.closing if line.part == "closer" else _without(line.text, reopened.within))
        elif line.listed:
            if shift is None or (line.text.strip() and line.part not in {"inside", "closer"}):
                shift = indentation if shift is None else min(shift, indentation)
            text = line.text[min(shift, indentation) :]
            texts.append(JOINER + text if line.part is None and FENCE_START.match(text) else text)
        else:
            texts.append(line.text)
            shift = None
    if head and reopened is None:
        head = tuple(text[min(shift or 0, len(text) - len(text.lstrip(" \t"))) :] for text in head)
    closing = [text[shift or 0 :] for text in _closing(lines[-1], lines[0])] if lines else []
    whole = "\n".join([*head, *texts, *closing])
    return whole if closing else whole.strip("\n").rstrip()
