"""What a sync has to do: a source's listing compared with the ledger, before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ingest.ledger import Record
from ingest.model import DocumentId, Entry, Readers, Skipped
from ingest.sources.interface import Source

GUARD_SHARE = 0.5
"""More than this share of a source's documents gone at once looks like a disk that is not mounted."""

GUARD_FLOOR = 20
"""Up to this many may always go, unless nothing else is listed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One source's listing, sorted by what is to be done: every listed document is in one of the first five."""

    read: list[Entry] = field(default_factory=list)
    """New ones, and those whose version or parser is another than the ledger's."""
    relabel: list[Record] = field(default_factory=list)
    """Unchanged ones with an indexed version whose readers or address changed, as they shall be."""
    unchanged: list[DocumentId] = field(default_factory=list)
    failing: list[Record] = field(default_factory=list)
    """Unchanged since reading them failed."""
    skipped: list[Skipped] = field(default_factory=list)
    removed: list[DocumentId] = field(default_factory=list)
    """Known to the ledger, and no longer listed or withdrawn by the source."""
    known: int
    """Documents of this source in the ledger."""

    @property
    def listed(self) -> int:
        """Documents in the listing."""
        changed = len(self.read) + len(self.relabel)
        return changed + len(self.unchanged) + len(self.failing) + len(self.skipped)

    @property
    def emptied(self) -> bool:
        """Whether the listing is empty where documents were: a folder that a disk was mounted on looks like this."""
        return not self.listed and bool(self.removed)

    @property
    def guarded(self) -> bool:
        """Whether more would be removed than is believed without being told so: most of a source, or all of it."""
        return self.emptied or len(self.removed) > max(GUARD_FLOOR, self.known * GUARD_SHARE)


async def compare(source: Source, known: Mapping[DocumentId, Record], *, retry: bool = False) -> Plan:
    """List `source` to its end, and sort. `retry` reads again what failed. Raises `SourceUnavailable`."""
    plan = Plan(known=len(known))
    kept: set[DocumentId] = set()
    unseen: set[str] = set()
    async for item in source.list():
        if isinstance(item, Skipped):
            plan.skipped.append(item)
            if item.unseen:
                unseen.add(item.id)
            continue
        kept.add(item.id)
        record = known.get(item.id)
        if record is None or _changed(source, item, record) or (retry and record.error is not None):
            plan.read.append(item)
            continue
        labelled = relabelled(source, item, record)
        if record.indexed_at is not None and labelled != record:
            plan.relabel.append(labelled)
        elif record.empty:
            plan.skipped.append(Skipped(id=item.id, reason=record.error or ""))
        elif record.error is not None:
            plan.failing.append(record)
        else:
            plan.unchanged.append(item.id)
    below = tuple(id for id in unseen if id.endswith("/"))
    plan.removed.extend(
        id for id in known if id not in kept and id not in unseen and not (below and id.startswith(below))
    )
    return plan


def relabelled(source: Source, entry: Entry, record: Record) -> Record:
    """`record` with the readers and the address that are in force now."""
    return replace(record, readers=readers_in_force(source, entry, record.own_readers), url=entry.url)


def readers_in_force(source: Source, entry: Entry, own: Readers | None) -> Readers:
    """The source's word on this document, else the document's own, else the source's on all."""
    return next(readers for readers in (entry.readers, own, source.readers) if readers is not None)


def _changed(source: Source, entry: Entry, record: Record) -> bool:
    return entry.version != record.version or source.parser_for(entry) != record.parser
