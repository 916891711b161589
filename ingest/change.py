"""What a run makes of one document: the record and the chunks that ledger and index shall hold of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from ingest.chunk import chunk
from ingest.language import language_of
from ingest.model import Chunk, Document, Entry, Original, Parsed, storable
from ingest.parsers.interface import NoText
from ingest.plan import digest, readers_in_force, relabelled
from ingest.records import Record
from ingest.sources.interface import Source


class Outcome(StrEnum):
    """What became of one document in one run."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A document as the ledger shall hold it."""

    record: Record
    outcome: Outcome
    chunks: Sequence[Chunk] | None = None
    """None: those it has."""
    relabels: bool = False
    """Whether the chunks it has get the readers and the address of `record`."""
    empties: bool = False
    """Whether answers lose an indexed version by it, as by a removal."""

    @property
    def weight(self) -> int:
        """Its share of a commit group."""
        return max(1, len(self.chunks or ()))


def relabelling(record: Record) -> Change:
    """New labels on an unchanged document; one that fails keeps failing, with its last good version relabelled."""
    outcome = Outcome.CHANGED if record.error is None else _outcome(record)
    return Change(record=record, outcome=outcome, relabels=True)


def noting(record: Record) -> Change:
    """What the listing says of it is kept, and nothing changes."""
    return Change(record=record, outcome=Outcome.UNCHANGED)


def unread(record: Record) -> Change:
    """It fails as it did, unchanged since."""
    return Change(record=record, outcome=_outcome(record))


def touched(source: Source, entry: Entry, old: Record) -> Change:
    """Another version of the same content, as when a file was only saved again."""
    record = replace(relabelled(source, entry, old), version=entry.version, due=False)
    relabels = old.indexed_at is not None and (record.readers, record.url) != (old.readers, old.url)
    done = Outcome.CHANGED if relabels else Outcome.UNCHANGED
    outcome = done if old.error is None else _outcome(old)
    return Change(record=record, outcome=outcome, relabels=relabels)


def empty(source: Source, entry: Entry, old: Record | None, *, content_hash: str, parser: str, error: str) -> Change:
    """There is nothing in it that can be read, and nobody has to mend it, so nothing of it stays."""
    change = failed(source, entry, old, content_hash=content_hash, parser=parser, error=error)
    record = replace(change.record, empty=True, indexed_at=None)
    empties = old is not None and old.indexed_at is not None
    return Change(record=record, outcome=Outcome.SKIPPED, chunks=(), empties=empties)


def failed(
    source: Source,
    entry: Entry,
    old: Record | None,
    *,
    content_hash: str,
    parser: str,
    error: str,
    due: bool = False,
    readers_unclear: bool = False,
) -> Change:
    """The last good version stays, if there is one, under the labels that are in force now.

    `due`: the reason may pass, so the next sync reads the document again.
    `readers_unclear`: the document restricts its readers in words that were not understood, so it has none until it is
    mended; the source's word on this document still comes first.
    """
    last_good = old or Record(
        source=source.name,
        id=entry.id,
        version="",
        content_hash="",
        parser="",
        error=None,
        title="",
        url=None,
        author=None,
        updated_at=None,
        language="und",
        readers=frozenset(),
        own_readers=None,
        indexed_at=None,
    )
    named = replace(last_good, own_readers=frozenset()) if readers_unclear else last_good
    record = replace(
        relabelled(source, entry, named),
        version=entry.version,
        content_hash=content_hash,
        parser=parser,
        error=error,
        empty=False,
        due=due,
    )
    relabels = record.indexed_at is not None and (record.readers, record.url) != (last_good.readers, last_good.url)
    return Change(record=record, outcome=Outcome.FAILED, relabels=relabels)


def understood(
    source: Source,
    entry: Entry,
    old: Record | None,
    original: Original,
    parsed: Parsed,
    languages: tuple[str, ...],
    *,
    content_hash: str,
) -> Change:
    """What was read: its language told, cut into chunks. Blocks for as long as that takes.

    Raises `NoText` where no passage comes of it, as of a text of rules and marks alone.
    """
    text = storable(parsed.text)
    document = Document(
        source=source.name,
        id=entry.id,
        title=_titled(original.title) or _titled(parsed.title) or _titled(Path(original.name).stem),
        text=text,
        pages=parsed.pages,
        language=language_of(text, languages),
        readers=readers_in_force(source, entry, parsed.readers),
        url=entry.url,
        author=_titled(original.author) or _titled(parsed.author) or None,
        updated_at=_in_utc(parsed.updated_at) or _in_utc(original.updated_at),
    )
    if not (chunks := chunk(document)):
        raise NoText("there are no words in it")
    record = Record(
        source=document.source,
        id=document.id,
        version=entry.version,
        content_hash=content_hash,
        parser=source.parser_for(entry),
        error=None,
        title=document.title,
        url=document.url,
        author=document.author,
        updated_at=document.updated_at,
        language=document.language,
        readers=document.readers,
        own_readers=parsed.readers,
        indexed_at=datetime.now(UTC),
        listed=digest(source, entry),
        listed_readers=entry.readers,
        media_type=entry.media_type,
    )
    outcome = Outcome.ADDED if old is None or old.indexed_at is None else Outcome.CHANGED
    return Change(record=record, outcome=outcome, chunks=chunks)


def _outcome(record: Record) -> Outcome:
    return Outcome.SKIPPED if record.empty else Outcome.FAILED


def _titled(text: str | None) -> str:
    """A title or a name, on one line; empty for none."""
    return " ".join(storable(text or "").split())


def _in_utc(moment: datetime | None) -> datetime | None:
    """`moment` as it is stored; None for one that the calendar of UTC does not have, at either of its ends."""
    try:
        return moment.astimezone(UTC) if moment else None
    except OverflowError:
        return None
