"""What a sync has to do: a source's listing compared with the ledger, before anything is read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from ingest.guard import GuardSettings
from ingest.ledger import Ledger
from ingest.model import UNSTORABLE, Cursor, DocumentId, Entry, Gone, Listed, Readers, Skipped, storable
from ingest.records import Known, Record
from ingest.sources.interface import CursorExpired, Source

LONGEST_ID = 2_000
"""Bytes of a document's id: Postgres takes 2,704 in the row of an index, which has the source's name, too."""

SHOWN_ID = 200
"""Characters of a longer one that are shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One source's listing, sorted by what is to be done: every listed document is counted in one of the first six."""

    read: list[Entry] = field(default_factory=list)
    """New ones, and those whose version or parser is another than the ledger's."""
    relabel: list[Record] = field(default_factory=list)
    """Unchanged ones with an indexed version whose readers or address changed, as they shall be."""
    noted: list[Record] = field(default_factory=list)
    """Unchanged ones, of which the listing says something new that changes nothing: as they shall be."""
    restated: list[Record] = field(default_factory=list)
    """Those among the failing and skipped of which the listing says something new: as they shall be."""
    unchanged: int = 0
    """Of them the ledger holds all there is."""
    failing: list[Record] = field(default_factory=list)
    """Unchanged since reading them failed."""
    skipped: list[Skipped] = field(default_factory=list)
    removed: list[DocumentId] = field(default_factory=list)
    """Known to the ledger, and no longer listed, or withdrawn or named as gone by the source."""
    known: int
    """Documents of this source in the ledger."""
    held: dict[DocumentId, Record] = field(default_factory=dict)
    """What the ledger has of those to read."""
    cursor: str | None = None
    """Where the next listing may begin."""
    whole: bool
    """Whether the listing was of everything; otherwise of what has changed since the last."""

    @property
    def listed(self) -> int:
        """Documents in the listing."""
        changed = len(self.read) + len(self.relabel) + len(self.noted)
        return changed + self.unchanged + len(self.failing) + len(self.skipped)

    @property
    def emptied(self) -> bool:
        """Whether everything would go and nothing is offered: a folder that a disk was mounted on looks like this."""
        return len(self.removed) == self.known and bool(self.removed) and self.listed == len(self.skipped)

    def guarded(self, guard: GuardSettings, *, emptied: int = 0) -> bool:
        """Whether more would go than is believed without being told so: much of a source, or all of it.

        `emptied`: of so many documents nothing can be read any more.
        """
        return self.emptied or guard.holds(len(self.removed) + emptied, known=self.known)


async def compare(source: Source, ledger: Ledger, *, since: str | None = None, again: bool = False) -> Plan:
    """List `source` to its end, and sort; `again` reads also what failed and has not changed since.

    Raises what a listing raises, but `CursorExpired`: then all is listed.
    """
    known = await ledger.known(source.name)
    if since is not None:
        try:
            return await _compare(source, ledger, known, since, again=again)
        except CursorExpired:
            pass
    return await _compare(source, ledger, known, None, again=again)


async def retrial(source: Source, ledger: Ledger, *, since: str | None) -> Plan:
    """The plan that reads again what the last attempts got nothing from, as it is listed now, and nothing else.

    Listed first: who may read a document, and whether it is wanted at all, may have changed. Raises as `compare` does.
    """
    plan = await compare(source, ledger, since=since, again=True)
    entries = [entry for entry in plan.read if entry.id in plan.held and plan.held[entry.id].error is not None]
    return Plan(known=plan.known, whole=plan.whole, read=entries, held=plan.held)


def digest(source: Source, entry: Entry) -> str:
    """Of all that bears on what is kept of a document before its content is looked at."""
    readers = source.readers if entry.readers is None else entry.readers
    named = "\x1f".join(sorted(readers)) if len(readers) > 1 else "".join(readers)
    said = (entry.version, entry.url, entry.media_type, source.parser_for(entry), entry.readers is None, named)
    return blake2b("\x1e".join(map(str, said)).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def relabelled(source: Source, entry: Entry, record: Record) -> Record:
    """`record` with the readers and the address that are in force now."""
    return replace(
        record,
        readers=readers_in_force(source, entry, record.own_readers),
        url=entry.url,
        listed=digest(source, entry),
        listed_readers=entry.readers,
        media_type=entry.media_type,
    )


def readers_in_force(source: Source, entry: Entry, own: Readers | None) -> Readers:
    """The source's word on this document, else the document's own, else the source's on all."""
    return next(readers for readers in (entry.readers, own, source.readers) if readers is not None)


async def _compare(source: Source, ledger: Ledger, known: Known, since: str | None, *, again: bool) -> Plan:
    named: set[DocumentId] = set()
    changed: dict[DocumentId, Entry] = {}
    skipped: list[Skipped] = []
    gone: dict[DocumentId, None] = {}
    cursor: str | None = None
    unchanged = 0
    async with _listing(source, since) as listing:
        async for item in listing:
            match _storable(item):
                case Entry(id=id) as item:
                    gone.pop(id, None)  # of what is said of one document, the last holds
                    named.add(id)
                    if known.digests.get(id) == digest(source, item):
                        unchanged += 1
                    else:
                        changed[id] = item
                case Skipped() as item:
                    skipped.append(item)
                case Gone(id=id):
                    gone[id] = None
                    if id in named and changed.pop(id, None) is None:
                        unchanged -= 1
                    named.discard(id)
                case Cursor(value=value):
                    cursor = value
    plan = Plan(known=len(known), cursor=cursor, whole=since is None, unchanged=unchanged, skipped=skipped)
    if not plan.whole:  # what failed is not forgotten because no listing names it again
        spoken_of = _split([*named, *gone, *(item.id for item in skipped)])
        changed |= {id: record.entry for id, record in known.troubled.items() if not _covered(id, *spoken_of)}
    records = await ledger.records(source.name, (id for id in changed if id in known))
    for id, entry in changed.items():
        _sort(plan, source, entry, records.get(id), again=again)
    plan.held.update((entry.id, records[entry.id]) for entry in plan.read if entry.id in records)
    # What failed last comes last: where a source breaks off at it, the others have been read.
    plan.read.sort(key=lambda entry: entry.id in known.troubled)
    plan.removed.extend(_removed(known, named, skipped, list(gone), whole=plan.whole))
    return plan


@asynccontextmanager
async def _listing(source: Source, since: str | None) -> AsyncIterator[AsyncIterator[Listed]]:
    """The listing, ended with the context, however that ends: it may hold a connection or a process."""
    items = source.list(since)
    try:
        yield items
    finally:
        if isinstance(items, AsyncGenerator):
            await items.aclose()


def _storable(item: Listed) -> Listed:
    """`item` as the ledger can hold it; a document whose name it cannot hold is not looked at."""
    if not isinstance(item, Entry):
        return item
    said = f"{item.id}{item.version}{item.url}{item.media_type}"
    if said.isascii() and "\x00" not in said and len(item.id) <= LONGEST_ID:
        return item
    if UNSTORABLE.search(item.id) or len(item.id.encode()) > LONGEST_ID:
        shown = DocumentId(storable(item.id)[:SHOWN_ID])
        return Skipped(id=shown, reason="its name is too long, or has characters that cannot be stored", unseen=True)
    if UNSTORABLE.search(said):
        url, media_type = item.url and storable(item.url), item.media_type and storable(item.media_type)
        return replace(item, version=storable(item.version), url=url, media_type=media_type)
    return item


def _sort(plan: Plan, source: Source, entry: Entry, record: Record | None, *, again: bool) -> None:
    tried_again = record is not None and (record.due or (again and record.error is not None))
    if record is None or tried_again or _reads_otherwise(source, entry, record):
        plan.read.append(entry)
        return
    labelled = relabelled(source, entry, record)
    if record.indexed_at is not None and (labelled.readers, labelled.url) != (record.readers, record.url):
        plan.relabel.append(labelled)
        return
    if record.error is not None and labelled != record:
        plan.restated.append(labelled)
    if record.empty:
        plan.skipped.append(Skipped(id=entry.id, reason=record.error or ""))
    elif record.error is not None:
        plan.failing.append(record)
    else:
        plan.noted.append(labelled)


def _reads_otherwise(source: Source, entry: Entry, record: Record) -> bool:
    """Whether the content, or what is made of it, may be another than when it was last read."""
    said = (entry.version, entry.media_type, source.parser_for(entry))
    return said != (record.version, record.media_type, record.parser)


def _removed(
    known: Known, named: Set[DocumentId], skipped: Sequence[Skipped], gone: Sequence[DocumentId], *, whole: bool
) -> Iterator[DocumentId]:
    """What is known and is there no more: what is said to be gone or withdrawn, in a `whole` listing what is not named.

    What could not be looked at stays, unless it is itself said to be gone.
    """
    left, below_left = _split([*gone, *(item.id for item in skipped if not item.unseen)])
    kept, below_kept = _split([item.id for item in skipped if item.unseen])
    for id in known.ids():
        if id in named:
            continue
        if id in left or (not _covered(id, kept, below_kept) and (whole or _covered(id, left, below_left))):
            yield id


def _split(ids: Sequence[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """The ids of documents, and those that end in a slash, which stand for all below them."""
    return frozenset(ids), tuple(id for id in ids if id.endswith("/"))


def _covered(id: DocumentId, ids: frozenset[str], below: tuple[str, ...]) -> bool:
    return id in ids or (bool(below) and id.startswith(below))
