"""From kreuzberg's reading of a PDF to Markdown with page starts.

Kreuzberg knows the order of the text and its paragraphs. Headings, running headers and tables are taken from how the
page is set and drawn (`pdf_lines`, `pdf_tables`): kreuzberg guesses them, mostly wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import kreuzberg
import pypdfium2
from kreuzberg import ExtractionResult

from ingest.parsers import pdf_lines, pdf_tables
from ingest.parsers.text import tidy

OPTIONS: dict[str, Any] = {
    "include_document_structure": True,
    "pages": kreuzberg.PageConfig(extract_pages=True),
    # Its own idea of headers and footers takes the last lines of full pages, too.
    "content_filter": kreuzberg.ContentFilterConfig(
        include_headers=True, include_footers=True, strip_repeating_text=False, include_watermarks=True
    ),
    "pdf_options": kreuzberg.PdfConfig(top_margin_fraction=0.0, bottom_margin_fraction=0.0),
}

RENDERED = frozenset(("heading", "paragraph", "list_item", "code", "table", "quote", "footnote", "formula", "slide"))

COMPLETE = 0.97
"""Share of the letters of a page that its nodes must have."""

HEADING_CHARACTERS = 120
BULLET = re.compile(r"^[·•▪◦●‣–]\s+")
BROKEN = re.compile(r"^(?![#|`])(.*[^\W\d_])\n\n(?=[a-zà-ÿ])", re.M)
"""Between the lines of one sentence, where kreuzberg took a short line for a paragraph."""
NUMBERED = re.compile(r"(?:\d+(?:\.\d+)*|[A-Z])[.)]?\s")


def markdown(result: ExtractionResult, data: bytes) -> tuple[str, tuple[int, ...]]:
    """The text, and the offset at which each page starts; a page without text starts where the next one does.

    `data` is the file, for how its pages are set.
    """
    setting, tables = _look(data)
    nodes = dict[int, list[dict[str, Any]]]()
    for number, node in _numbered(result.document["nodes"] if result.document else []):
        nodes.setdefault(number, []).append(node)
    texts = []
    for page in result.pages or ():
        number = page["page_number"]
        blocks = [block for node in _whole(nodes.get(number, []), page) for block in _blocks(number, node, setting)]
        text = BROKEN.sub(r"\1\n", "\n\n".join(blocks))
        texts.append(tidy(pdf_tables.insert(text, tables.get(number, ()))))
    return join(texts)


def join(pages: Iterable[str]) -> tuple[str, tuple[int, ...]]:
    """Pages one after the other, with the offset of each; one without text starts where the next one does."""
    text = ""
    starts: list[int] = []
    waiting = 0
    for page in pages:
        waiting += 1
        if page:
            text += "\n\n" if text else ""
            starts += [len(text)] * waiting
            waiting = 0
            text += page
    return text, (*starts, *[max(0, len(text) - 1)] * waiting)


def _look(data: bytes) -> tuple[pdf_lines.Setting, dict[int, list[pdf_tables.Table]]]:
    """Nothing for a file that pdfium opens for kreuzberg, which mends it first, but not here."""
    try:
        with pypdfium2.PdfDocument(data) as document:
            return pdf_lines.read(document), pdf_tables.find(document)
    except pypdfium2.PdfiumError:
        return pdf_lines.Setting(levels={}, running=frozenset(), title=""), {}


def _numbered(nodes: list[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every node that has text, with its page; one that names none is on the page of the node before it."""
    page = 1
    for node in nodes:
        page = node.get("page") or page
        if node["content"]["node_type"] in RENDERED:
            yield page, node["content"]


def _whole(nodes: list[dict[str, Any]], page: Any) -> list[dict[str, Any]]:
    """The nodes of a page; its plain lines, where the nodes lack a part of them (columns taken for a table)."""
    there = sum(len(pdf_lines.letters(_text(node))) for node in nodes)
    if there >= COMPLETE * len(pdf_lines.letters(page["content"])):
        return nodes
    return [{"node_type": "paragraph", "text": page["content"].replace("\r\n", "\n")}]


def _text(node: dict[str, Any]) -> str:
    return _rows(node["grid"]) if node["node_type"] == "table" else str(node.get("text", "")).strip()


def _blocks(page: int, node: dict[str, Any], setting: pdf_lines.Setting) -> Iterator[str]:
    """The headings and paragraphs that the lines of one node are."""
    text = _text(node)
    if node["node_type"] == "code":
        yield f"```\n{text}\n```"
        return
    mark = "- " if node["node_type"] == "list_item" else ""
    plain: list[str] = []
    for level, line in _joined(page, text, setting):
        if level is None or not pdf_lines.is_heading(line):
            plain.append(BULLET.sub("- ", line))
            continue
        if plain:
            yield mark + "\n".join(plain)
            plain = []
        yield f"{'#' * level} {line}"
    if plain:
        yield mark + "\n".join(plain)


def _joined(page: int, text: str, setting: pdf_lines.Setting) -> Iterator[tuple[int | None, str]]:
    """The lines with their level as headings, those of one heading as one; running headers left out."""
    heading, level = "", None
    for line in text.split("\n"):
        if setting.runs(page, line):
            continue
        words = " ".join(line.split())
        now = setting.level(page, line)
        if heading and now == level and _goes_on(heading, words, setting):
            heading = f"{heading} {words}"
            continue
        if heading:
            yield level, heading
        heading, level = (words, now) if now is not None else ("", None)
        if now is None:
            yield None, words
    if heading:
        yield level, heading


def _goes_on(heading: str, line: str, setting: pdf_lines.Setting) -> bool:
    """Whether the line is the rest of the heading, rather than the heading below it."""
    title = pdf_lines.letters(heading) == pdf_lines.letters(setting.title)
    return not title and len(heading) + len(line) <= HEADING_CHARACTERS and NUMBERED.match(line) is None


def _rows(grid: dict[str, Any]) -> str:
    """What kreuzberg takes for a table as lines: it is one by chance only."""
    rows: list[list[str]] = [[] for _ in range(grid["rows"])]
    for cell in grid["cells"]:
        rows[cell["row"]] += cell["content"].split()
    return "\n".join(" ".join(row) for row in rows)
