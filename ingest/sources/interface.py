"""What a source is: a listing that can be compared, and a way to one document's content."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from ingest.errors import Terminal, Transient
from ingest.model import Entry, Original, Readers, Skipped
from ingest.parsers.interface import ParserName


class SourceUnavailable(Transient):
    """The source could not be reached or listed now; nothing is removed on its account."""


class DocumentGone(Terminal):
    """The document was listed and is no longer there, or may no longer be read."""


class Source(Protocol):
    """One configured source.

    A listing that ends without an error is complete: what it did not name is gone. A listing that cannot be completed
    raises `SourceUnavailable`.
    """

    name: str
    readers: Readers
    """Who may read a document of which neither the source nor the document itself says it."""

    def list(self) -> AsyncIterator[Entry | Skipped]:
        """Every document, in any order, without reading content. Each id once."""
        ...

    def fetch(self, entry: Entry) -> AbstractAsyncContextManager[Original]:
        """The content of `entry`, a file until the context ends. Raises `DocumentGone`, `SourceUnavailable`."""
        ...

    def parser_for(self, entry: Entry) -> ParserName:
        """The parser that the configuration chose for this document."""
        ...
