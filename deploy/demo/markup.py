"""Read the texts in ``build/``: a small header and a subset of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

INLINE = re.compile(r"\*\*(?P<bold>.+?)\*\*|\*(?P<italic>.+?)\*")
HEADING = re.compile(r"(#{1,4}) +(.+)")
ITEM = re.compile(r"(?:-|(\d+)\.) +(.+)")


@dataclass(frozen=True)
class Heading:
    """A heading; ``level`` 1 is the title of the document."""

    level: int
    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Items:
    """A flat list."""

    ordered: bool
    items: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table; the first row is its header."""

    rows: tuple[tuple[str, ...], ...]


Block = Heading | Text | Items | Grid


@dataclass(frozen=True)
class Source:
    """One text: its header fields and its blocks."""

    output: str
    title: str
    author: str
    date: date
    language: str
    blocks: tuple[Block, ...]

    @property
    def moment(self) -> datetime:
        """The date of the text as the creation time that is written into the document."""
        return datetime.combine(self.date, time(9))


@dataclass(frozen=True)
class Span:
    """A run of text in one style."""

    text: str
    bold: bool = False
    italic: bool = False


def read_source(path: Path) -> Source:
    """Read one text with its header."""
    _, header, body = path.read_text(encoding="utf-8").split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in header.strip().splitlines())
    return Source(
        output=fields["output"],
        title=fields["title"],
        author=fields["author"],
        date=date.fromisoformat(fields["date"]),
        language=fields["language"],
        blocks=tuple(read_blocks(body)),
    )


def read_blocks(body: str) -> Iterator[Block]:
    """Split the text into blocks; blank lines and headings separate them."""
    for chunk in re.split(r"\n\s*\n|(?<=\n)(?=#)|(?<=^)(?=#)", body.strip()):
        lines = chunk.strip().splitlines()
        while lines and (match := HEADING.fullmatch(lines[0])):
            yield Heading(len(match[1]), match[2])
            lines.pop(0)
        if not lines:
            continue
        if lines[0].startswith("|"):
            rows = [tuple(cell.strip() for cell in line.strip("| ").split("|")) for line in lines]
            yield Grid((rows[0], *rows[2:]))
        elif first := ITEM.fullmatch(lines[0]):
            matches = [ITEM.fullmatch(line) for line in lines]
            yield Items(bool(first[1]), tuple(match[2] for match in matches if match))
        else:
            yield Text(" ".join(lines))


def spans(text: str) -> Iterator[Span]:
    """Split a line into plain, bold and italic runs."""
    end = 0
    for match in INLINE.finditer(text):
        if match.start() > end:
            yield Span(text[end : match.start()])
        yield Span(match["bold"] or match["italic"], bold=bool(match["bold"]), italic=bool(match["italic"]))
        end = match.end()
    if end < len(text):
        yield Span(text[end:])


def plain(text: str) -> str:
    """The line without style marks."""
    return "".join(span.text for span in spans(text))
