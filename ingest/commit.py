"""The writer: changes into index and ledger, so that a kill at any instant leaves nothing that cannot be mended.

A group goes into the index and is flushed before the ledger commits it, and leaves the index after the ledger has
dropped it. The ids of the chunks between the two stand in the ledger as unsettled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from ingest.change import Change
from ingest.index.hybrid import Index
from ingest.index.interface import IndexMismatch
from ingest.ledger import Ledger
from ingest.model import Chunk, ChunkId, DocumentId, Readers

BATCH = 500
"""Chunks handed to the index at once, and documents removed in one transaction."""

_Item = TypeVar("_Item")


class Writer:
    """The one writer of an index and its ledger; use it inside `ledger.writing`.

    `recover` first, and again after a call that failed: the next commit would take for settled what that one left.
    Every call may raise what ledger and index raise.
    """

    def __init__(self, ledger: Ledger, index: Index) -> None:
        self._ledger = ledger
        self._index = index
        self._prepared = False

    async def recover(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Mend what a killed writer left. `progress` is told how many chunks that was so far.

        Raises `IndexMismatch` when the index is of another model or pipeline, or does not belong to this ledger.
        """
        unsettled = await self._ledger.unsettled()
        if not unsettled and not await self._ledger.count_chunks():
            return
        created = await self._index.prepare()
        mended = 0
        for batch in _batches(unsettled):
            live = await self._ledger.chunks_by_id(batch)
            await self._index.write(live)
            await self._index.delete(list(set(batch) - {chunk.id for chunk in live}))
            mended += len(batch)
            progress(mended)
        if unsettled:
            await self._index.flush()
            await self._ledger.settle()
        if unsettled or created:
            await self._agree()

    async def write(self, source: str, group: Sequence[Change]) -> None:
        """One commit group."""
        rewritten = [change for change in group if change.chunks is not None or change.relabels]
        before = await self._ledger.chunks(source, [change.record.id for change in rewritten])
        held = {chunk.id: chunk for chunks in before.values() for chunk in chunks}
        wanted = {chunk.id: chunk for change in rewritten for chunk in _wanted(change, before)}
        changed = [chunk for chunk in wanted.values() if chunk != held.get(chunk.id)]
        gone = [id for id in held if id not in wanted]
        if changed:
            await self._prepare(changed)
            await self._ledger.unsettle(chunk.id for chunk in changed)
            await self._put(changed, held)
        await self._ledger.commit(
            source,
            records=[change.record for change in group],
            chunks={change.record.id: change.chunks for change in group if change.chunks is not None},
            gone=gone,
        )
        if gone:
            await self._take_out(gone)

    async def remove(self, source: str, documents: Sequence[DocumentId]) -> None:
        """The ledger first: what it does not know, nobody is shown, whatever the index still finds."""
        for batch in _batches(documents):
            gone = [chunk.id for chunks in (await self._ledger.chunks(source, batch)).values() for chunk in chunks]
            await self._ledger.commit(source, removed=batch, gone=gone)
            if gone:
                await self._take_out(gone)

    async def forget(self, source: str) -> int:
        """Remove a source with all its documents; how many those were."""
        documents = list(await self._ledger.documents(source))
        await self.remove(source, documents)
        await self._ledger.forget_source(source)
        return len(documents)

    async def reindex(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Build the index anew from the ledger's texts, without `recover`, which completes one that was interrupted."""
        await self._ledger.unsettle_all()
        await self._index.create(await self._ledger.some_chunks(BATCH))
        await self.recover(progress)

    async def _prepare(self, sample: Sequence[Chunk]) -> None:
        if not self._prepared:
            if not await self._index.prepare(sample):
                await self._agree()
            self._prepared = True

    async def _agree(self) -> None:
        indexed, known = await self._index.count(), await self._ledger.count_chunks()
        if indexed != known:
            raise IndexMismatch(f"the index holds {indexed} passages and the ledger {known}; run `ingest reindex`")

    async def _put(self, chunks: Iterable[Chunk], held: Mapping[ChunkId, Chunk]) -> None:
        """Bring `chunks` into the index; one of which only the readers changed is not encoded again."""
        relabelled: defaultdict[Readers, list[ChunkId]] = defaultdict(list)
        fresh: list[Chunk] = []
        for chunk in chunks:
            old = held.get(chunk.id)
            if old is not None and replace(old, readers=chunk.readers) == chunk:
                relabelled[chunk.readers].append(chunk.id)
            else:
                fresh.append(chunk)
        for readers, ids in relabelled.items():
            await self._index.set_readers(ids, readers)
        for batch in _batches(fresh):
            await self._index.write(batch)
        await self._index.flush()

    async def _take_out(self, ids: Sequence[ChunkId]) -> None:
        await self._index.delete(ids)
        await self._index.flush()
        await self._ledger.settle()


def _wanted(change: Change, before: Mapping[DocumentId, Sequence[Chunk]]) -> Sequence[Chunk]:
    if change.chunks is not None:
        return change.chunks
    record = change.record
    return [replace(chunk, readers=record.readers, url=record.url) for chunk in before.get(record.id, ())]


def _batches(items: Sequence[_Item]) -> Iterable[Sequence[_Item]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
