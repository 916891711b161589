"""Whether the index holds what the ledger says and nothing else: counted, and compared chunk by chunk both ways.

Every point is read by a full scroll and compared in every field with the ledger's chunk; every chunk of the ledger is
asked for in the index. No more than a page of either is held in memory. What a point's vectors are is not looked at:
both are made from the text in one write, and a point has them or is not there.

Writers may be at work meanwhile. A chunk that differs is looked at again, until two looks in a row see the same; one
that a writer has announced (`Ledger.unsettled`) is looked at when all others are done, under the lock that keeps
writers out, or is left to the writer that holds it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum

from ingest.index.hybrid import Index
from ingest.index.interface import IndexMissing
from ingest.ledger import DocumentKey, Ledger, LedgerBusy
from ingest.model import Chunk, ChunkId, DocumentId

PAGE = 500
"""Chunks of the ledger that are compared at once."""

NAMED = 20
"""Differences of each kind that a verdict names; all are counted."""

LOOKS = 5
"""Most looks at one chunk: one that differs in another way each time is being written."""

Progress = Callable[[int, int], None]
"""Is told how many chunks have been compared, and of how many."""

Pair = tuple[Chunk | None, Chunk | None]
"""What the index and what the ledger has under one id."""


class Kind(StrEnum):
    """How a point and the ledger can differ, the worst first; of several, the worst is told."""

    REACHABLE = "reachable though removed"
    """It is of a document that the ledger has removed."""
    READERS = "for other readers"
    """The index shows it to others than the ledger says."""
    UNKNOWN = "not in the ledger"
    TEXT = "with another text"
    """Text, title, headings or language differ, from which the vectors are made."""
    LABELS = "with other labels"
    """Address, page, position or date differ."""
    MISSING = "not in the index"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One chunk on which index and ledger do not agree."""

    kind: Kind
    chunk: ChunkId
    source: str
    document: DocumentId
    fields: tuple[str, ...] = ()
    """Those that differ, where both sides have the chunk."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a comparison found."""

    known: int
    """Chunks in the ledger, counted when all was done."""
    indexed: int
    """Points in the index, counted when all was done."""
    scrolled: int
    """Points that the scroll met."""
    counts: Mapping[Kind, int]
    """Differences; a kind that did not occur is absent."""
    differences: Sequence[Difference]
    """The first `NAMED` of each kind, the worst kind first."""
    removed: int
    """Documents of which the ledger remembers that they were removed; each was looked for."""
    reachable: int
    """Those among them of which a point was found."""
    unsettled: int
    """Chunks that a writer has announced and not settled: it is at work, or was killed."""
    in_writing: int
    """Those among them that differ while a writer is at work, and so tell nothing."""
    uncounted: int
    """By how much the exact count and the scroll differ: points met twice, or out of the scroll's reach."""
    repaired: bool
    """Whether the differences were mended."""

    @property
    def differing(self) -> int:
        return sum(self.counts.values())

    @property
    def agrees(self) -> bool:
        """Whether index and ledger hold the same now."""
        return not self.uncounted and (self.repaired or not self.differing)


async def verify(
    ledger: Ledger, index: Index, *, repair: bool = False, progress: Progress = lambda done, total: None
) -> Verdict:
    """Compare all that `index` holds with all that `ledger` holds.

    With `repair`, which belongs inside `ledger.alone()`, what is missing or differs is written, what is unknown is
    deleted, and all is durable on return; what the ledger has as unsettled stays so.

    Raises what ledger and index raise: `IndexMissing` where the ledger has chunks and there is no index to compare,
    `IndexMismatch` where an index of another model is to be repaired.
    """
    return await _Comparison(ledger, index, repair, progress).run()


@dataclass
class _Comparison:
    ledger: Ledger
    index: Index
    repair: bool
    progress: Progress
    removed: frozenset[DocumentKey] = frozenset()
    counts: Counter[Kind] = field(default_factory=Counter)
    differences: dict[Kind, list[Difference]] = field(default_factory=lambda: {kind: [] for kind in Kind})
    reachable: set[DocumentKey] = field(default_factory=set)
    announced: set[ChunkId] = field(default_factory=set)
    """Those that differ and that a writer has announced."""
    done: int = 0
    total: int = 0

    async def run(self) -> Verdict:
        self.removed = frozenset((removal.source, removal.document) for removal in await self.ledger.removed())
        known = await self.ledger.count_chunks()
        if self.repair:
            await self.index.prepare(await self.ledger.some_chunks(PAGE))
        try:
            indexed = await self.index.count()
        except IndexMissing:
            if known:
                raise
            return await self._verdict(indexed=0, scrolled=0, in_writing=0, uncounted=0)
        self.total = indexed + known
        scrolled = await self._index_to_ledger()
        await self._ledger_to_index()
        in_writing = await self._announced()
        if self.repair:
            await self.index.flush()
            uncounted = abs(await self.index.count() - await self.ledger.count_chunks())
        else:
            uncounted = await self._uncounted(indexed, scrolled)
        return await self._verdict(
            indexed=await self.index.count(), scrolled=scrolled, in_writing=in_writing, uncounted=uncounted
        )

    async def _index_to_ledger(self) -> int:
        scrolled = 0
        async for page in self.index.scroll():
            points = _by_id(page)
            chunks = _by_id(await self.ledger.chunks_by_id(list(points)))
            await self._judge(id for id, point in points.items() if point != chunks.get(id))
            scrolled += len(page)
            self._advance(len(page))
        return scrolled

    async def _ledger_to_index(self) -> None:
        async for page in self.ledger.pages(PAGE):
            there = {point.id for point in await self.index.chunks([chunk.id for chunk in page])}
            await self._judge(chunk.id for chunk in page if chunk.id not in there)
            self._advance(len(page))

    async def _judge(self, differing: Iterable[ChunkId]) -> None:
        """Tell, and mend, what really differs of what seemed to."""
        ids, before = list(differing), dict[ChunkId, Pair]()
        for _ in range(LOOKS):
            if not ids:
                return
            now, announced = await self._look(ids)
            if self.repair:  # nobody else writes
                await self._tell(now)
                return
            self.announced |= announced
            await self._tell({id: pair for id, pair in now.items() if id not in announced and before.get(id) == pair})
            before = {id: pair for id, pair in now.items() if id not in announced and before.get(id) != pair}
            ids = list(before)

    async def _look(self, ids: Sequence[ChunkId]) -> tuple[dict[ChunkId, Pair], set[ChunkId]]:
        """Those of `ids` on which index and ledger differ, and those of them that are announced.

        A writer announces before it changes the index, and settles in the commit or after it: a difference of its own
        making is announced, or is not the same at the next look.
        """
        points = _by_id(await self.index.chunks(ids))
        unsettled = set(await self.ledger.unsettled())
        chunks = _by_id(await self.ledger.chunks_by_id(ids))
        pairs = {id: (points.get(id), chunks.get(id)) for id in ids}
        differing = {id: pair for id, pair in pairs.items() if pair[0] != pair[1]}
        return differing, unsettled & differing.keys()

    async def _announced(self) -> int:
        """Judge what writers announced, and look for all of it by id; how much of it is still being written."""
        if self.repair:
            await self._judge_announced()
            return 0
        if not (self.announced or await self.ledger.unsettled()):
            return 0
        try:
            async with self.ledger.alone():
                await self._judge_announced()
                return 0
        except LedgerBusy:
            return sum([len((await self._look(batch))[0]) for batch in _batches(sorted(self.announced))])

    async def _judge_announced(self) -> None:
        for batch in _batches(sorted(self.announced.union(await self.ledger.unsettled()))):
            await self._tell((await self._look(batch))[0])

    async def _tell(self, differing: Mapping[ChunkId, Pair]) -> None:
        for id, pair in differing.items():
            difference = self._difference(id, pair)
            self.counts[difference.kind] += 1
            if len(self.differences[difference.kind]) < NAMED:
                self.differences[difference.kind].append(difference)
            if difference.kind is Kind.REACHABLE:
                self.reachable.add((difference.source, difference.document))
        if self.repair:
            await self._mend(differing)

    def _difference(self, id: ChunkId, pair: Pair) -> Difference:
        point, chunk = pair
        shown, other = (point, chunk) if point is not None else (chunk, None)
        if shown is None:
            raise ValueError(f"chunk {id!r} is on neither side")
        names = (each.name for each in fields(Chunk)) if other is not None else ()
        return Difference(
            kind=self._kind(point, chunk),
            chunk=id,
            source=shown.source,
            document=shown.document,
            fields=tuple(name for name in names if getattr(shown, name) != getattr(other, name)),
        )

    def _kind(self, point: Chunk | None, chunk: Chunk | None) -> Kind:
        if point is None:
            return Kind.MISSING
        key = (point.source, point.document)
        if key in self.removed and (chunk is None or key != (chunk.source, chunk.document)):
            return Kind.REACHABLE
        if chunk is None:
            return Kind.UNKNOWN
        if point.readers != chunk.readers:
            return Kind.READERS
        return Kind.TEXT if _encoded(point) != _encoded(chunk) else Kind.LABELS

    async def _mend(self, differing: Mapping[ChunkId, Pair]) -> None:
        unknown, described, fresh = [], [], []
        for id, (point, chunk) in differing.items():
            if chunk is None:
                unknown.append(id)
            elif point is not None and _encoded(point) == _encoded(chunk):
                described.append(chunk)
            else:
                fresh.append(chunk)
        if unknown:
            await self.index.delete(unknown)
        if described:
            await self.index.describe(described)
        if fresh:
            await self.index.write(fresh)

    async def _uncounted(self, before: int, scrolled: int) -> int:
        """The difference of count and scroll, unless it comes from writers: the count stands still and it stays."""
        if scrolled == before or await self.index.count() != before:
            return 0
        again = sum([len(page) async for page in self.index.scroll()])
        return abs(before - again) if await self.index.count() == before else 0

    async def _verdict(self, *, indexed: int, scrolled: int, in_writing: int, uncounted: int) -> Verdict:
        return Verdict(
            known=await self.ledger.count_chunks(),
            indexed=indexed,
            scrolled=scrolled,
            counts={kind: self.counts[kind] for kind in Kind if self.counts[kind]},
            differences=[difference for kind in Kind for difference in self.differences[kind]],
            removed=len(self.removed),
            reachable=len(self.reachable),
            unsettled=len(await self.ledger.unsettled()),
            in_writing=in_writing,
            uncounted=uncounted,
            repaired=self.repair,
        )

    def _advance(self, chunks: int) -> None:
        self.done += chunks
        self.progress(min(self.done, self.total), self.total)


def _encoded(chunk: Chunk) -> tuple[str, str, str]:
    """All that the vectors of a chunk are made from."""
    return chunk.heading, chunk.text, chunk.language


def _by_id(chunks: Iterable[Chunk]) -> dict[ChunkId, Chunk]:
    return {chunk.id: chunk for chunk in chunks}


def _batches(ids: Sequence[ChunkId]) -> Iterator[Sequence[ChunkId]]:
    return (ids[start : start + PAGE] for start in range(0, len(ids), PAGE))
