"""The default parser: PDF, Office old and new, OpenDocument, RTF, EPUB, e-mail, tables, archives and pictures.

The bytes decide what a file is; its name, and then what its source said, decide only among kinds of text.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import PurePath
from typing import Any

import kreuzberg
from kreuzberg import ExtractionResult

from ingest.model import Original, Parsed
from ingest.parsers import mail, pdf
from ingest.parsers.front_matter import split
from ingest.parsers.interface import (
    LimitExceeded,
    NeedsOcr,
    NoText,
    ParseError,
    ParserUnavailable,
    ParsingSettings,
    ReadersUnclear,
    UnknownFormat,
)
from ingest.parsers.text import content, decode, first_heading, is_text, moment, tidy, title

TEXT_TYPES = frozenset(("text/plain", "text/xml", "application/xml"))
"""What the bytes alone cannot tell further."""

FRONT_MATTER_TYPES = ("text/plain", "text/markdown", "text/html", "text/x-rst", "text/x-org")
"""Where people write who the readers are."""

NAMED_TYPES = (
    *(
        "text/markdown",
        "text/csv",
        "text/tab-separated-values",
        "text/html",
        "text/x-rst",
        "text/x-org",
        "text/vtt",
        "message/rfc822",
    ),
    *("application/json", "application/x-ndjson", "application/xml", "application/x-ipynb+json", "application/x-latex"),
    *("application/mbox", "application/x-subrip", "application/x-fictionbook+xml", "application/docbook+xml"),
)
"""Kinds of text that a name tells apart. Program code is not among them: it is plain text here."""

SUFFIXES = {f".{suffix}": kind for kind in NAMED_TYPES for suffix in kreuzberg.get_extensions_for_mime(kind)}

OUTLOOK = "application/vnd.ms-outlook"

OFFICE_TYPES = {
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
    ".msg": OUTLOOK,
}
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""First bytes of the compound files that Office wrote before 2007, and writes for encrypted documents."""

DOCUMENT_SUFFIXES = frozenset(
    (*SUFFIXES, *OFFICE_TYPES, ".txt", ".pdf", ".rtf", ".epub", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp")
)
"""What has such a name and is of no known format is damaged; all else is of a format that is not read."""

SNIFFED = 4096
"""Bytes that tell text from anything else."""

UTF8_TYPES = frozenset(
    (
        "text/csv",
        "text/tab-separated-values",
        "text/plain",
        "application/json",
        "application/x-ndjson",
        "text/x-rst",
        "text/x-org",
    )
)
"""Decoded here: kreuzberg reads UTF-8, and its own guess is worse than `decode`."""

PAGE_MARK = "\n\n\ue000{page_num}\ue000\n\n"
PAGE_MARKED = re.compile("\n*\ue000(\\d+)\ue000\n*")

MEMBERS = 200
DEPTH = 2
UNPACKED_BYTES = 256 * 1024 * 1024
"""How many documents one archive or message can become, within one another, and how large they may be unpacked."""

UNREAD_PICTURES = ("image/heic", "image/heif")

LOCKED = "it is protected by a password: save a copy without one"

PAGE_HEAD = re.compile(r"\A---\n(?:[\w:.-]+: [^\n]*\n)*\n*(?:## title:[^\n]*\n)?")
SLIDE_RULE = re.compile(r"^-{5}$", re.M)
"""What kreuzberg puts above web pages and between slides."""

PLAIN: dict[str, Any] = {"output_format": "plain", "pages": None}
"""For formats in which kreuzberg runs lines together as Markdown."""
BULLETED = re.compile(r"^•[ \t]+", re.M)
LINKED = re.compile(r'HYPERLINK "[^"\n]{0,500}"')
"""In the old format of Word, the code of a link, before its words."""

SPREADSHEET = re.compile(r"excel|spreadsheet|csv|tab-separated")
"""Their headings are the names of sheets, which make no title."""
MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d) 00:00:00")
"""How kreuzberg writes a cell that is a date."""
CAPTION = re.compile(r"^\| ([^|\n]+) \|(?: \|)+\n(\|(?: --- \|)+)\n(\| [^|\n]+ \| [^|\n]+ \|[^\n]*)$", re.M)
"""A first row with one filled cell stands above the table: the names of the columns are in the second one."""

ESCAPED = re.compile(r"(?<=[^\n\\])\\([!#&<>~=+|(){}.-])(?<!\\\|)")
"""Marks that need no escape inside a line, and would only be noise in an index."""

OPEN_XML = "application/vnd.openxmlformats-officedocument."
NAMES = {
    "application/pdf": "a PDF",
    OUTLOOK: "a message",
    OFFICE_TYPES[".doc"]: "a Word document",
    OFFICE_TYPES[".xls"]: "a workbook",
    OFFICE_TYPES[".ppt"]: "a presentation",
    f"{OPEN_XML}wordprocessingml.document": "a Word document",
    f"{OPEN_XML}spreadsheetml.sheet": "a workbook",
    f"{OPEN_XML}presentationml.presentation": "a presentation",
}
"""As people call them; all others are named by their media type."""

NEEDS_OCR = (
    "it holds pictures of text only and needs OCR: install the extra `ocr` with Tesseract's language files "
    "(Debian: apt-get install tesseract-ocr-eng), set `parsing.ocr: [eng]`, then `ingest retry`"
)


class Kreuzberg:
    """The parser; `settings.ocr` switches text recognition on, in the languages it names."""

    name = "kreuzberg"

    def __init__(self, settings: ParsingSettings) -> None:
        self._languages = "+".join(settings.ocr)

    def parse(self, original: Original) -> Parsed:
        return self._parse(content(original), original.name, original.media_type, depth=0)

    def _parse(self, data: bytes, name: str, declared: str | None, *, depth: int) -> Parsed:
        if not data.strip():
            raise NoText("there is no text in it")
        kind = media_type(data, name, declared)
        if kind in FRONT_MATTER_TYPES:
            _refuse_own_readers(data)
        if kind in ("text/plain", "text/markdown"):
            return Parsed(text=_some(tidy(decode(data))))
        if kind == "message/rfc822":
            return self._mail(mail.read(data), depth)
        if kind == OUTLOOK:
            return self._outlook(data)
        if kind == "application/zip":
            return self._archive(data, depth)
        text, pages, result = self._document(data, kind)
        return _described(text, pages, result, name)

    def _document(self, data: bytes, kind: str) -> tuple[str, tuple[int, ...], ExtractionResult]:
        if kind == "application/pdf":
            result = self._extract(data, kind, pdf.OPTIONS)
            if not any(page["content"].strip() for page in result.pages or ()):
                result = self._recognise(data, kind, pdf.OPTIONS)
            return *pdf.markdown(result, data), result
        if kind.startswith("image/") and kind not in UNREAD_PICTURES:
            result = self._recognise(data, kind, {})
        elif kind == OFFICE_TYPES[".doc"]:
            result = self._extract(data, kind, PLAIN)
            return tidy(LINKED.sub("", BULLETED.sub("- ", result.content))), (), result
        else:
            result = self._extract(decode(data).encode() if kind in UTF8_TYPES else data, kind, {})
        if result.metadata.get("format_type") == "archive":
            return tidy("\n\n".join(_children(result))), (), result
        if PAGE_MARKED.search(result.content):
            return *_paged(result.content), result
        text = _clean(result.content)
        if SPREADSHEET.search(result.mime_type):
            text = CAPTION.sub(r"\1\n\n\3\n\2", MIDNIGHT.sub(r"\1", text))
        return text, (), result

    def _extract(self, data: bytes, kind: str, options: dict[str, Any]) -> ExtractionResult:
        settings: dict[str, Any] = {
            "use_cache": False,
            "disable_ocr": True,
            "output_format": "markdown",
            "html_options": {"extract_metadata": False, "escape_misc": False},
            "pages": kreuzberg.PageConfig(extract_pages=True, insert_page_markers=True, marker_format=PAGE_MARK),
            "concurrency": kreuzberg.ConcurrencyConfig(max_threads=1),
        }
        try:
            return kreuzberg.extract_bytes_sync(data, kind, kreuzberg.ExtractionConfig(**settings | options))
        except kreuzberg.KreuzbergError as error:
            raise _translated(error.message, kind) from error

    def _recognise(self, data: bytes, kind: str, options: dict[str, Any]) -> ExtractionResult:
        if not self._languages:
            raise NeedsOcr(NEEDS_OCR)
        recognition = {"disable_ocr": False, "force_ocr": True, "ocr": kreuzberg.OcrConfig(language=self._languages)}
        try:
            return self._extract(data, kind, options | recognition)
        except ParseError as error:
            files = ", ".join(f"tesseract-ocr-{language}" for language in self._languages.split("+"))
            raise ParserUnavailable(f"OCR failed; are its language files installed ({files})? {error}") from error

    def _mail(self, message: mail.Message, depth: int) -> Parsed:
        body = message.text
        if message.html.strip():
            body = _clean(self._extract(message.html.encode("utf-8", "replace"), "text/html", {}).content)
        attached = ((part.name, part.media_type, part.data) for part in message.attachments)
        return _letter(message, body, self._within(attached, depth))

    def _archive(self, data: bytes, depth: int) -> Parsed:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                files = [file for file in archive.infolist() if not file.is_dir()]
                if sum(file.file_size for file in files) > UNPACKED_BYTES:
                    raise LimitExceeded(f"unpacked, it has more than {UNPACKED_BYTES >> 20} MiB: store its files apart")
                members = self._within(((file.filename, None, archive.read(file)) for file in files), depth)
        except RuntimeError as error:
            raise ParseError(LOCKED) from error
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
            raise ParseError(f"it cannot be read as an archive: {error}") from error
        if not members:
            raise NoText("there is nothing in the archive that can be read")
        return Parsed(text="\n\n".join(members))

    def _within(self, parts: Iterable[tuple[str, str | None, bytes]], depth: int) -> list[str]:
        """The documents within another one that can be read, each under its name."""
        found: list[str] = []
        for name, declared, data in islice(parts, MEMBERS) if depth < DEPTH else ():
            # A message names what hangs on it; most of what cannot be read is the picture of a signature.
            with suppress(ParseError):
                found.append(f"## {name}\n\n{self._parse(data, name, declared, depth=depth + 1).text}")
        return found

    def _outlook(self, data: bytes) -> Parsed:
        result = self._extract(data, OUTLOOK, PLAIN)
        metadata = result.metadata
        names = [str(name) for name in metadata.get("attachments") or ()]
        _, _, body = result.content.partition("\n\n")
        if not body.strip() and any(name.endswith(mail.ENCRYPTED_SUFFIXES) for name in names):
            raise ParseError(mail.ENCRYPTED)
        message = mail.Message(
            subject=metadata.get("subject") or "",
            sender=metadata.get("from_email") or "",
            recipients=", ".join((*(metadata.get("to_emails") or ()), *(metadata.get("cc_emails") or ()))),
            sent_at=moment(metadata.get("created_at")),
            text=body,
            html="",
            attachments=tuple(mail.Attachment(name=name, media_type="", data=b"") for name in names),
        )
        return _letter(message, body, _children(result))


def media_type(data: bytes, name: str, declared: str | None) -> str:
    """What the content is.

    Raises `UnknownFormat` for content that no format and no encoding explains, `ParseError` where the name does.
    """
    suffix = PurePath(name).suffix.lower()
    if data.startswith(OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise ParseError(LOCKED)
        if "__substg1.0_".encode("utf-16-le") in data and "WordDocument".encode("utf-16-le") not in data:
            return OFFICE_TYPES[".msg"]
    try:
        by_bytes: str | None = kreuzberg.detect_mime_type(data)
    except (RuntimeError, kreuzberg.KreuzbergError):
        by_bytes = OFFICE_TYPES.get(suffix) if data.startswith(OLE) else None
    if by_bytes is not None and by_bytes not in TEXT_TYPES:
        holds = by_bytes.startswith(OPEN_XML) and suffix not in DOCUMENT_SUFFIXES and _is_plain_archive(data)
        return "application/zip" if holds else by_bytes
    if not is_text(data[:SNIFFED]):
        if suffix in DOCUMENT_SUFFIXES:
            raise ParseError(f"its content is of no format that is known, though its name ends in {suffix}: damaged?")
        raise UnknownFormat("its content is of no format that is known")
    return SUFFIXES.get(suffix) or (declared if declared in NAMED_TYPES else None) or by_bytes or "text/plain"


def _is_plain_archive(data: bytes) -> bool:
    """Whether it is a zip without what every Office document has in its root; one that cannot be opened is not."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "[Content_Types].xml" not in archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return False


def _translated(message: str, kind: str) -> ParseError:
    lowered = message.lower()
    if "password" in lowered or "encrypt" in lowered:
        return ParseError(LOCKED)
    if message == kind or lowered.startswith("unsupported"):
        return UnknownFormat(f"files of the type {kind} are not read")
    said = ": ".join(dict.fromkeys(message.split(": ")))
    return ParseError(f"it cannot be read as {NAMES.get(kind, kind)}: {said}")


def _clean(content: str) -> str:
    """Markdown without page marks and needless escapes; code stays as it is."""
    lines = []
    code = False
    content = SLIDE_RULE.sub("", PAGE_HEAD.sub("", content))
    for line in PAGE_MARKED.sub("\n\n", content).replace("&#9;", " ").split("\n"):
        code ^= line.startswith("```")
        lines.append(line if code or "\\" not in line else ESCAPED.sub(r"\1", line))
    return tidy("\n".join(lines))


def _paged(content: str) -> tuple[str, tuple[int, ...]]:
    """The text of slides, and where each of them starts."""
    parts = PAGE_MARKED.split(content)
    return pdf.join(_clean(body) for body in parts[2::2])


def _children(result: ExtractionResult) -> list[str]:
    """The documents within an archive or a message, each under its name.

    Kreuzberg hands them out in any order; the same file must always give the same text.
    """
    return [
        f"## {child['path']}\n\n{_clean(child['result'].content)}"
        for child in sorted(result.children or (), key=lambda child: str(child["path"]))
        if child["result"].content.strip()
    ]


def _refuse_own_readers(data: bytes) -> None:
    """What native code reads says nothing of its readers, nor can a member of an archive have fewer than the whole."""
    if split(decode(data).replace("\r\n", "\n").replace("\r", "\n"))[0].readers is not None:
        raise ReadersUnclear(
            "its front matter names `readers`, which counts in Markdown, text and HTML files of their own: "
            "store it as one, or name its readers under `access` in the configuration"
        )


def _some(text: str) -> str:
    if not text:
        raise NoText("there is no text in it")
    return text


def _letter(message: mail.Message, body: str, attached: list[str]) -> Parsed:
    text = _some(tidy("\n\n".join(filter(None, (message.heading, body.strip(), *attached)))))
    return Parsed(text=text, title=title(message.subject, ""), author=message.author, updated_at=message.sent_at)


def _described(text: str, pages: tuple[int, ...], result: ExtractionResult, name: str) -> Parsed:
    metadata = result.metadata
    authors = [str(author) for author in metadata.get("authors") or () if title(author, name)]
    return Parsed(
        text=_some(text),
        title=title(metadata.get("title"), name) or _heading(text, pages, result, name),
        pages=pages,
        author=", ".join(authors) or None,
        updated_at=moment(metadata.get("modified_at")) or moment(metadata.get("created_at")),
    )


def _heading(text: str, pages: tuple[int, ...], result: ExtractionResult, name: str) -> str | None:
    """The first heading, if it can be the document's: on the first page, and no sheet's or member's name."""
    if SPREADSHEET.search(result.mime_type) or result.metadata.get("format_type") == "archive":
        return None
    return title(first_heading(text[: pages[1]] if len(pages) > 1 else text), "")
