"""One document, isolated: fetched, parsed, cut into chunks; whatever goes wrong with it is its own outcome."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingest import change
from ingest.change import Change
from ingest.errors import SouffleurError, Transient
from ingest.model import DocumentId, Entry, Original, Parsed, storable
from ingest.parsers.interface import FileUnreadable, NeedsOcr, NoText, ParserUnavailable, ReadersUnclear, UnknownFormat
from ingest.records import Record
from ingest.sources.interface import DocumentGone, DocumentTooLarge, Source, SourceRefused, SourceUnavailable

HASH_SECONDS = 300
"""Clock time for reading one file once, from a slow share."""

REASON_CHARACTERS = 500
"""Of a reason that is kept and shown; some repeat what the document says."""

_log = logging.getLogger(__name__)

Parse = Callable[[Original, str], Awaitable[Parsed]]
"""`Sandbox.parse`: an original and the name of a parser."""


@dataclass(kw_only=True)
class Reader:
    """Reads documents of one source, several at a time."""

    source: Source
    parse: Parse
    languages: tuple[str, ...]
    known: Mapping[DocumentId, Record]
    """What the ledger has of the documents to read."""
    again: bool = False
    """Read also what failed and has not changed since."""
    parsed: int = 0
    """Documents that a parser was asked to read."""
    _chunking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Telling languages and cutting are pure Python: two threads at it would only take turns."""

    async def read(self, entry: Entry) -> Change:
        """What becomes of the document. Raises `SourceUnavailable` and `SourceRefused`, which are about all of them."""
        old = self.known.get(entry.id)
        parser = self.source.parser_for(entry)
        digest, due, unclear = "", False, False
        try:
            async with self.source.fetch(entry) as original:
                digest = await _digest(original)
                if old is not None and (old.content_hash, old.parser) == (digest, parser) and not self._again(old):
                    return change.touched(self.source, entry, old)
                self.parsed += 1
                parsed = await self.parse(original, parser)
            async with self._chunking:
                return await asyncio.to_thread(self._understood, entry, original, parsed, digest)
        except (SourceUnavailable, SourceRefused):
            raise
        except (NoText, NeedsOcr, UnknownFormat, DocumentTooLarge) as error:
            return change.empty(*(self.source, entry, old), content_hash=digest, parser=parser, error=_one_line(error))
        except (Transient, DocumentGone, ParserUnavailable, FileUnreadable, OSError) as error:
            reason, due = _one_line(error), True
        except SouffleurError as error:
            reason, unclear = _one_line(error), isinstance(error, ReadersUnclear)
        except Exception as error:  # noqa: BLE001 - what nobody foresaw is one document's failure, too
            _log.debug("document %r of source %r", entry.id, self.source.name, exc_info=error)
            reason = f"unexpected {type(error).__name__}: {_one_line(error)}"
        return change.failed(
            *(self.source, entry, old),
            content_hash=digest,
            parser=parser,
            error=reason,
            due=due,
            readers_unclear=unclear,
        )

    def refused(self, entry: Entry, error: SouffleurError) -> Change:
        """What becomes of a document that the source did not hand out, though it hands out others."""
        old = self.known.get(entry.id)
        content_hash = old.content_hash if old is not None else ""
        parser = self.source.parser_for(entry)
        return change.failed(
            *(self.source, entry, old), content_hash=content_hash, parser=parser, error=_one_line(error), due=True
        )

    def _again(self, old: Record) -> bool:
        return old.due or (self.again and old.error is not None)

    def _understood(self, entry: Entry, original: Original, parsed: Parsed, digest: str) -> Change:
        old = self.known.get(entry.id)
        return change.understood(self.source, entry, old, original, parsed, self.languages, content_hash=digest)


async def _digest(original: Original) -> str:
    """Of the content, and of what the source says of it that the content does not."""

    def read(path: Path) -> str:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        if original.title or original.author:
            digest.update(repr((original.title, original.author)).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    async with asyncio.timeout(HASH_SECONDS):
        return await asyncio.to_thread(read, original.path)


def _one_line(error: BaseException) -> str:
    line = " ".join(storable(str(error)).split()) or type(error).__name__
    return line if len(line) <= REASON_CHARACTERS else line[: REASON_CHARACTERS - 1] + "…"
