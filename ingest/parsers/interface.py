"""What a parser is, what it may raise, and the limits that all parsing happens under."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from ingest.errors import Terminal
from ingest.model import Original, Parsed

ParserName = Literal["kreuzberg", "unstructured"]
"""What a configuration may choose."""

SourceParserName = Literal["kreuzberg", "unstructured", "article"]
"""What a source may ask for: `article` for web pages, where it knows itself who may read them."""


class ParsingSettings(BaseModel):
    """The `parsing` section: what one document may cost before it is given up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    memory_mb: int = Field(default=2048, ge=256)
    """Address space of one worker process, in MiB."""
    cpu_seconds: int = Field(default=60, ge=1)
    """Processor time for one document."""
    wall_seconds: int = Field(default=120, ge=1)
    """Clock time for one document."""
    workers: int = Field(default=2, ge=1)
    """Worker processes at once."""
    ocr: tuple[str, ...] = ()
    """Languages to recognise in pictures of text, by Tesseract's names (`eng`, `deu`); empty leaves them unread."""
    max_file_mb: int = Field(default=200, ge=1)
    """A larger file is skipped with that reason, unread."""


class ParseError(Terminal):
    """The document cannot be read as it is; the text says why in one line, for the person who can mend the document."""


class NoText(ParseError):
    """There is nothing to read in the document: an empty file, a page of front matter alone."""


class ReadersUnclear(ParseError):
    """The document seems to name its `readers`, and who they are cannot be told: nobody may read it until they can."""


class FileUnreadable(ParseError):
    """The file system did not hand the file out, as while it is being replaced: another attempt may."""


class NeedsOcr(ParseError):
    """The document holds pictures of text only."""


class UnknownFormat(ParseError):
    """The file is of a format that is not read, such as a recording."""


class LimitExceeded(ParseError):
    """Reading the document took more memory, processor time or clock time than it may."""


class ParserUnavailable(ParseError):
    """The chosen parser, or what it needs on disk, is not installed; the text says what to install."""


class Parser(Protocol):
    """Reads one original; built from `ParsingSettings`.

    Called in a limited worker process (see `sandbox`), so it may block and may be killed.

    Raises `ParseError` (or a subclass) for a document that cannot be read; never returns an empty text.
    """

    name: str

    def parse(self, original: Original) -> Parsed: ...
