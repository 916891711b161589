"""The second parser, for companies that have settled on unstructured; an extra.

Of itself it downloads a language model when it first looks at a text. Here it gets spaCy's empty pipeline instead,
which splits sentences but knows no verbs: the format alone decides what is a heading, and nothing is fetched.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from typing import Any

import spacy
from selectolax.lexbor import LexborHTMLParser
from unstructured.errors import UnprocessableEntityError
from unstructured.file_utils.filetype import detect_filetype
from unstructured.file_utils.model import FileType
from unstructured.nlp import tokenize
from unstructured.partition.auto import partition
from unstructured.partition.common import UnsupportedFileFormatError

from ingest.model import Original, Parsed
from ingest.parsers.interface import NeedsOcr, NoText, ParseError, ParserUnavailable, ParsingSettings, UnknownFormat
from ingest.parsers.text import content, first_heading, moment, tidy, title

READ = frozenset(
    (
        *(FileType.DOCX, FileType.PPTX, FileType.XLSX, FileType.XLS, FileType.EML, FileType.MSG, FileType.PDF),
        *(FileType.CSV, FileType.TSV, FileType.XML, FileType.JSON, FileType.NDJSON, FileType.TXT),
    )
)
"""What it reads by itself; most of the rest it hands to LibreOffice or pandoc, which a worker may not start."""

PICTURES = frozenset((FileType.BMP, FileType.HEIC, FileType.JPG, FileType.PNG, FileType.TIFF))
PAGED = frozenset((FileType.PDF, FileType.PPTX))
SHEETS = frozenset((FileType.XLSX, FileType.XLS))

VENDOR_ERRORS = (
    *(UnprocessableEntityError, UnsupportedFileFormatError, zipfile.BadZipFile),
    *(AssertionError, AttributeError, LookupError, RuntimeError, ValueError),
)
"""Its own two, and what the libraries below it let through."""

NEEDS_OCR = "it holds pictures of text only and needs OCR: choose `parser: kreuzberg` for it"
NO_PDF = (
    "unstructured reads PDF only with its extra `pdf`, which brings torch and is not installed: "
    "pip install 'unstructured[pdf]', or choose `parser: kreuzberg`"
)


def _offline_pipeline() -> Any:
    pipeline = spacy.blank("xx")
    pipeline.add_pipe("sentencizer")
    return pipeline


class Unstructured:
    """The parser; PDF by its `fast` strategy, the only one that needs no model."""

    name = "unstructured"

    def __init__(self, settings: ParsingSettings) -> None:
        tokenize._load_spacy_model = _offline_pipeline

    def parse(self, original: Original) -> Parsed:
        data = content(original)
        kind, elements = self._elements(data, original.name)
        text, pages = _markdown(kind, elements)
        if not text:
            if kind is FileType.PDF:
                raise NeedsOcr(NEEDS_OCR)
            raise NoText("there is no text in it")
        first = elements[0].metadata
        subject = title(getattr(first, "subject", None), "")
        heading = None if kind in SHEETS else title(first_heading(text), original.name)
        return Parsed(
            text=text,
            title=subject or heading,
            pages=pages,
            author=next(iter(getattr(first, "sent_from", None) or ()), None),
            updated_at=moment(first.last_modified) if subject else None,
        )

    def _elements(self, data: bytes, name: str) -> tuple[FileType, list[Any]]:
        try:
            kind = detect_filetype(file=io.BytesIO(data), metadata_file_path=name)
            if kind in PICTURES:
                raise NeedsOcr(NEEDS_OCR)
            if kind is FileType.UNK:
                raise UnknownFormat("its content is of no format that is known")
            if kind not in READ:
                raise ParserUnavailable(
                    f"unstructured does not read {kind.name} here: choose `parser: kreuzberg` for it"
                )
            return kind, partition(file=io.BytesIO(data), metadata_filename=name, strategy="fast")
        except ImportError as error:
            raise ParserUnavailable(NO_PDF) from error
        except VENDOR_ERRORS as error:
            if "password" in str(error):
                raise ParseError("it is protected by a password: save a copy without one") from error
            raise ParseError(f"unstructured cannot read it: {str(error) or type(error).__name__}") from error


def _markdown(kind: FileType, elements: Iterable[Any]) -> tuple[str, tuple[int, ...]]:
    """The text, and where each page starts where the format has pages."""
    pages: dict[int, list[str]] = {}
    for element in elements:
        page = (element.metadata.page_number or 1) if kind in PAGED else 1
        pages.setdefault(page, []).append(_block(kind, element))
    text = ""
    starts = []
    for page in range(1, max(pages, default=0) + 1):
        piece = tidy("\n\n".join(filter(None, pages.get(page, ()))))
        text += "\n\n" if text and piece else ""
        starts.append(len(text))
        text += piece
    return text, tuple(min(start, max(0, len(text) - 1)) for start in starts) if kind in PAGED else ()


def _block(kind: FileType, element: Any) -> str:
    text = element.text.strip()
    depth = element.metadata.category_depth
    match element.category:
        case "Table" if element.metadata.text_as_html:
            return _table(element.metadata.text_as_html)
        case "Title" if depth == 0 or (depth and kind is not FileType.PPTX) or kind in SHEETS:
            return f"{'#' * min(6, (depth or 0) + (2 if kind in PAGED else 1))} {' '.join(text.split())}"
        case "ListItem":
            return f"{'  ' * ((depth or 1) - 1)}- {text}"
        case "PageBreak":
            return ""
        case _:
            return str(text)


def _table(html: str) -> str:
    """A pipe table; cells that span others leave them empty."""
    rows: list[list[str]] = []
    for row in LexborHTMLParser(html).css("tr"):
        cells: list[str] = []
        for cell in row.css("td, th"):
            cells.append(" ".join(cell.text(separator=" ").split()).replace("|", "\\|"))
            span = cell.attributes.get("colspan") or "1"
            cells += [""] * (min(int(span), 100) - 1 if span.isdigit() else 0)
        rows.append(cells)
    width = max(map(len, rows), default=0)
    lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
    return "\n".join((lines[0], "|" + " --- |" * width, *lines[1:])) if width else ""
