"""The writer: changes into index and ledger, so that a kill at any instant leaves nothing that cannot be mended.

A group goes into the index and is flushed before the ledger commits it, and leaves the index after the ledger has
dropped it. The ids of the chunks between the two stand in the ledger as unsettled.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from ingest.change import Change, noting
from ingest.index.hybrid import Index
from ingest.index.interface import IndexMismatch
from ingest.ledger import LeaseLost, Ledger
from ingest.model import Chunk, ChunkId, DocumentId, Readers

BATCH = 500
"""Chunks handed to the index at once, and documents removed in one transaction."""

LOOKS = 3
"""Before index and ledger are said to differ: another writer may be between two counts."""

LOOK_SECONDS = 0.2

_Item = TypeVar("_Item")


class Writer:
    """The one writer of one source; use it inside `ledger.writing`.

    `recover` first, and again after a call that failed: the next commit would take for settled what that one left.
    Every call may raise what ledger and index raise.
    """

    def __init__(self, source: str, ledger: Ledger, index: Index) -> None:
        self.embedded = 0
        """Texts that the embedding model was asked for; those that the index has already are not."""
        self._source = source
        self._ledger = ledger
        self._index = index
        self._prepared = False

    async def recover(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Mend what a killed writer of this source left, and bring into the index what was revoked and restored since.

        `progress` is told how many chunks were mended so far.

        Raises `IndexMismatch` when the index is of another model or pipeline, or does not belong to this ledger.
        """
        unsettled = await self._ledger.unsettled(self._source)
        known = await self._ledger.count_chunks()
        if not unsettled and not known:
            return
        if known and await self._index.identity() is None:
            raise IndexMismatch("the ledger knows passages, and there is no index; run `ingest reindex`")
        await self._index.prepare()
        mended = 0
        for batch in batches(unsettled):
            live = await self._ledger.chunks_by_id(batch)
            await self._index_all(live, await self._index.vectors(batch))
            await self._index.delete(list(set(batch) - {chunk.id for chunk in live}))
            mended += len(batch)
            progress(mended)
        if unsettled:
            await self._index.flush()
            await self._ledger.settle(self._source)
            await self._agree()
        for records in batches(await self._ledger.out_of_step(self._source)):
            await self.write([noting(record) for record in records])

    async def write(self, group: Sequence[Change]) -> None:
        """One commit group. What is revoked has no readers in the index, whatever the source says."""
        revoked = await self._ledger.revoked_of(self._source, (change.record.id for change in group))
        group = [_withheld(change, change.record.id in revoked) for change in group]
        rewritten = [change for change in group if change.chunks is not None or change.relabels]
        before = await self._ledger.chunks(self._source, [change.record.id for change in rewritten])
        held = {chunk.id: chunk for chunks in before.values() for chunk in chunks}
        wanted = {chunk.id: chunk for change in rewritten for chunk in _wanted(change, before)}
        changed = [chunk for chunk in wanted.values() if chunk != held.get(chunk.id)]
        gone = [id for id in held if id not in wanted]
        if changed:
            await self._prepare(changed)
            await self._ledger.unsettle(self._source, (chunk.id for chunk in changed))
            await self._put(changed, held)
        try:
            await self._commit(group, gone)
        except LeaseLost:
            await self._take_back([chunk.id for chunk in changed])
            raise
        if gone:
            await self._take_out(gone)

    async def _commit(self, group: Sequence[Change], gone: Sequence[ChunkId]) -> None:
        await self._ledger.commit(
            self._source,
            records=[change.record for change in group],
            chunks={change.record.id: change.chunks for change in group if change.chunks is not None},
            gone=gone,
        )

    async def _take_back(self, ids: Sequence[ChunkId]) -> None:
        """Undo what this writer put into the index after another took over, but for what that one wants there."""
        wanted = {chunk.id for chunk in await self._ledger.chunks_by_id(ids)} | set(await self._ledger.unsettled())
        await self._index.delete([id for id in ids if id not in wanted])
        await self._index.flush()

    async def remove(self, documents: Sequence[DocumentId]) -> None:
        """The ledger first: what it does not know, nobody is shown, whatever the index still finds."""
        for batch in batches(documents):
            found = await self._ledger.chunks(self._source, batch)
            gone = [chunk.id for chunks in found.values() for chunk in chunks]
            await self._ledger.commit(self._source, removed=batch, gone=gone)
            if gone:
                await self._take_out(gone)

    async def forget(self) -> int:
        """Remove the source with all its documents; how many those were."""
        documents = (await self._ledger.known(self._source)).ids()
        await self.remove(documents)
        await self._ledger.forget_source(self._source)
        return len(documents)

    async def _prepare(self, sample: Sequence[Chunk]) -> None:
        if not self._prepared:
            if not await self._index.prepare(sample):
                await self._agree()
            self._prepared = True

    async def _agree(self) -> None:
        """Compare the counts, allowing for what other writers have between index and ledger.

        Raises `IndexMismatch` when several looks, during which the ledger did not move, see the same difference.
        """
        for _ in range(LOOKS):
            before = await self._in_ledger()
            indexed = await self._index.count()
            known, unsettled = before
            if before != await self._in_ledger() or abs(indexed - known) <= unsettled:
                return
            await asyncio.sleep(LOOK_SECONDS)
        raise IndexMismatch(f"the index holds {indexed} passages and the ledger {known}; run `ingest verify --repair`")

    async def _in_ledger(self) -> tuple[int, int]:
        """Chunks that the ledger has, and those that it may not agree with the index on."""
        return await self._ledger.count_chunks(), len(await self._ledger.unsettled())

    async def _put(self, chunks: Iterable[Chunk], held: Mapping[ChunkId, Chunk]) -> None:
        """Bring `chunks` into the index. The id says the text: a known one is not encoded again, but described anew."""
        readers: defaultdict[Readers, list[ChunkId]] = defaultdict(list)
        described: list[Chunk] = []
        fresh: list[Chunk] = []
        for chunk in chunks:
            old = held.get(chunk.id)
            if old is None or old.language != chunk.language:
                fresh.append(chunk)
            elif replace(old, readers=chunk.readers) == chunk:
                readers[chunk.readers].append(chunk.id)
            else:
                described.append(chunk)
        for who, ids in readers.items():
            await self._index.set_readers(ids, who)
        for batch in batches(described):
            await self._index.describe(batch)
        for batch in batches(fresh):
            vectors = await self._known_vectors(batch)
            await self._ledger.still_leased()
            await self._index_all(batch, vectors)
        await self._index.flush()

    async def _known_vectors(self, chunks: Sequence[Chunk]) -> dict[ChunkId, Sequence[float]]:
        """The vectors of those whose text another passage of the index has."""
        if self._index.embedder_name is None:
            return {}
        same = await self._ledger.same_texts(chunks)
        vectors = await self._index.vectors(set(same.values()))
        return {id: vectors[other] for id, other in same.items() if other in vectors}

    async def _index_all(self, chunks: Sequence[Chunk], vectors: Mapping[ChunkId, Sequence[float]]) -> None:
        self.embedded += await self._index.write(chunks, vectors=vectors)

    async def _take_out(self, ids: Sequence[ChunkId]) -> None:
        await self._index.delete(ids)
        await self._index.flush()
        await self._ledger.settle(self._source)


def _wanted(change: Change, before: Mapping[DocumentId, Sequence[Chunk]]) -> Sequence[Chunk]:
    record = change.record
    readers = frozenset() if record.withheld else record.readers
    if change.chunks is not None:
        return [replace(chunk, readers=readers) for chunk in change.chunks]
    return [replace(chunk, readers=readers, url=record.url) for chunk in before.get(record.id, ())]


def _withheld(change: Change, revoked: bool) -> Change:
    """`change`, with the passages that the document has relabelled where it was revoked or restored meanwhile."""
    if change.record.withheld == revoked:
        return change
    return replace(change, record=replace(change.record, withheld=revoked), relabels=True)


def batches(items: Sequence[_Item]) -> Iterable[Sequence[_Item]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
