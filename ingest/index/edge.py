"""The index in a folder, by Qdrant's own engine in this process (`qdrant-edge-py`).

The folder holds generations of the index (see `generations`), each with the engine's `shard` and the files by which
processes share it (see `sharing`): building one holds up nobody who uses another. Two properties of the engine shape
this module: every call holds the interpreter's lock, so calls are kept small; and nothing is synced to disk before
`flush`, though its write-ahead log survives the death of the process.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar
from uuid import UUID

import qdrant_edge as edge
import stamina

from ingest.index.generations import Generations, InUse
from ingest.index.interface import (
    SCROLL_PAGE,
    Identity,
    IndexDamaged,
    IndexMissing,
    IndexUnavailable,
    Point,
    Ranked,
    SparseVector,
    Store,
)
from ingest.index.schema import DENSE, LEXICAL, PAYLOAD_INDEXES, READERS, chunk_of, payload_of
from ingest.index.sharing import Shared, full, unusable
from ingest.model import Chunk, ChunkId, Readers

logger = logging.getLogger(__name__)

WAIT_SECONDS = 30.0
"""Longest wait for another process; a sync gives way after each group of chunks, so a few seconds are normal."""

SEGMENT_KB = 40_000
"""Size, about 5,000 chunks, at which a segment is rebuilt once, in about a second, into the form that opens fast."""

COMPACT_POINTS = 5_000
"""Points written, by any process and over any time, after which the index is compacted (see `compact`)."""

COMPACT_SECONDS = 120.0
"""Longest time for that; about a second is normal."""

ROOM_BYTES = 64 * 1024 * 1024
"""Free space below which nothing is written: the engine maps its files, and a full disk ends its process (SIGBUS)."""

OPENING_SECONDS = 0.5
"""Longest pause between two attempts to open an index that is being compacted."""

SEGMENTS = 1_000
"""More segments than there will be: below this number the engine leaves finished ones alone."""

UPSERT_BATCH = 250
"""Points in one call of the engine, which stops every thread of this process meanwhile."""

NO_ROOM = ("No space left on device", "os error 28", "Disk quota exceeded", "os error 122")
"""What the engine's messages have when a disk is full."""

POINT_BYTES = 16_000
"""Space that a chunk of 1,500 characters takes without its dense vector (measured: 14,500)."""

_INDEX_TYPES = {"keyword": edge.PayloadSchemaType.Keyword, "datetime": edge.PayloadSchemaType.Datetime}

Result = TypeVar("Result")


class EdgeStore:
    """A `Store` in a folder; every process on the machine may use the same folder."""

    def __init__(self, path: Path, *, wait_seconds: float = WAIT_SECONDS, compact_points: int = COMPACT_POINTS) -> None:
        self.place = str(path)
        self._path = path
        self._generations = Generations(path, wait_seconds=wait_seconds)
        self._generation: int | Literal["in use", "draft"] = "in use"
        self._shared = Shared(self._where, self._load, place=self.place, wait_seconds=wait_seconds)
        self._written = 0
        self._wait_seconds = wait_seconds
        self._compact_points = compact_points

    async def identity(self) -> Identity | None:
        return await asyncio.to_thread(self._read_identity)

    async def create(self, identity: Identity, *, replace: bool = True, expecting: int = 0) -> None:
        await self._shared.run_apart(lambda: self._create(identity, replace=replace, expecting=expecting))

    async def upsert(self, points: Sequence[Point]) -> None:
        stored = await asyncio.to_thread(lambda: [_stored(point) for point in points])
        for start in range(0, len(stored), UPSERT_BATCH):
            await self._update(edge.UpdateOperation.upsert_points(stored[start : start + UPSERT_BATCH]))
        self._written += len(stored)

    async def delete(self, ids: Sequence[ChunkId]) -> None:
        if ids:
            await self._update(edge.UpdateOperation.delete_points(list(ids)))

    async def set_readers(self, ids: Sequence[ChunkId], readers: Readers) -> None:
        if ids:
            await self._update(edge.UpdateOperation.set_payload_by_filter(_these(ids), {READERS: sorted(readers)}))

    async def describe(self, chunks: Sequence[Chunk]) -> None:
        for start in range(0, len(chunks), UPSERT_BATCH):
            await self._update(
                *(
                    edge.UpdateOperation.overwrite_payload_by_filter(_these([chunk.id]), payload_of(chunk))
                    for chunk in chunks[start : start + UPSERT_BATCH]
                )
            )

    async def flush(self) -> None:
        await asyncio.to_thread(self._make_sure_of_room)
        written, self._written = self._written, 0

        def flush(shard: edge.EdgeShard, folder: Path) -> int:
            with self._engine_errors("failed"):
                shard.flush()
            return self._uncompacted_with(written, folder) if written else 0

        if await self._shared.run(flush) >= self._compact_points:
            await self._shared.run_closed(self._compact)

    async def rank_lexical(self, vector: SparseVector, *, visible_to: Readers, limit: int) -> list[Ranked]:
        sparse = edge.SparseVector(list(vector.indices), list(vector.values))
        return await self._rank(edge.Query.Nearest(sparse, using=LEXICAL), visible_to, limit)

    async def rank_dense(self, vector: Sequence[float], *, visible_to: Readers, limit: int) -> list[Ranked]:
        return await self._rank(edge.Query.Nearest(list(vector), using=DENSE), visible_to, limit)

    async def chunks(self, ids: Iterable[ChunkId]) -> list[Chunk]:
        wanted: list[int | UUID | str] = list(ids)
        if not wanted:
            return []
        records = await self._run(lambda shard: shard.retrieve(wanted, with_payload=True, with_vector=False))
        return _chunks(records)

    async def vectors(self, ids: Iterable[ChunkId]) -> dict[ChunkId, Sequence[float]]:
        wanted: list[int | UUID | str] = list(ids)
        identity = await self.identity()
        if not wanted or identity is None or identity.size is None:
            return {}
        records = await self._run(lambda shard: shard.retrieve(wanted, with_payload=False, with_vector=[DENSE]))
        return {ChunkId(str(record.id)): _dense(record.vector) for record in records}

    async def count(self) -> int:
        return await self._run(lambda shard: shard.count(edge.CountRequest(exact=True)))

    async def scroll(self) -> AsyncIterator[list[Chunk]]:
        offset: Any = None
        while True:
            page = edge.ScrollRequest(offset=offset, limit=SCROLL_PAGE, with_payload=True, with_vector=False)
            records, offset = await self._run(partial(edge.EdgeShard.scroll, scroll=page))
            if records:
                yield await asyncio.to_thread(_chunks, records)
            if offset is None:
                return

    def draft(self) -> Store:
        return self._beside("draft")

    async def previous(self) -> Store | None:
        number = await asyncio.to_thread(lambda: self._generations.in_use().previous)
        return None if number is None else self._beside(number)

    async def publish(self) -> None:
        await self._shared.run_apart(self._publish)

    async def close(self) -> None:
        await self._shared.close()

    def _beside(self, generation: int | Literal["draft"]) -> EdgeStore:
        store = EdgeStore(self._path, wait_seconds=self._wait_seconds, compact_points=self._compact_points)
        store._generation = generation
        return store

    def _number(self) -> int:
        """The generation that this store is on; a draft is held on to once it is found. Raises `IndexMissing`."""
        match self._generation:
            case "in use":
                number = self._generations.in_use().current
                if number is None:
                    raise IndexMissing(f"there is no index in {self.place!r} yet; run `ingest sync`")
                return number
            case "draft":
                number = self._generations.draft()
                if number is None:
                    raise IndexMissing(f"there is no draft of an index in {self.place!r}; run `ingest reindex`")
                self._generation = number
        if not self._generations.whole(self._generation):
            raise IndexMissing(
                f"the index in {str(self._generations.folder(self._generation))!r} is gone: a later `ingest reindex`"
                " took its place"
            )
        return self._generation

    def _where(self) -> Path:
        return self._generations.folder(self._number())

    async def _rank(self, query: edge.Query, visible_to: Readers, limit: int) -> list[Ranked]:
        if not visible_to:
            return []
        seen = edge.FieldCondition(READERS, match=edge.MatchAny(sorted(visible_to)))
        request = edge.QueryRequest(query=query, filter=edge.Filter(must=[seen]), limit=limit, with_payload=False)
        points = await self._run(lambda shard: shard.query(request))
        return [Ranked(id=ChunkId(str(point.id)), score=point.score) for point in points]

    async def _update(self, *operations: edge.UpdateOperation) -> None:
        def update(shard: edge.EdgeShard) -> None:
            for operation in operations:
                shard.update(operation)

        await asyncio.to_thread(self._make_sure_of_room)
        await self._run(update)

    async def _run(self, call: Callable[[edge.EdgeShard], Result]) -> Result:
        def translated(shard: edge.EdgeShard, _: Path) -> Result:
            with self._engine_errors("failed"):
                return call(shard)

        return await self._shared.run(translated)

    @contextmanager
    def _engine_errors(self, what: str) -> Iterator[None]:
        """The one place where the engine's errors become ours: it raises plain `Exception` for everything."""
        try:
            yield
        except Exception as error:
            if any(words in str(error) for words in NO_ROOM):
                raise full(self._path) from error
            if _is_compacted(error):
                raise IndexUnavailable(
                    f"the index in {self.place!r} is being compacted for a sync that was killed; try again in a minute"
                ) from error
            raise IndexDamaged(
                f"the index in {self.place!r} {what} ({error}); if it happens again, run `ingest reindex`"
            ) from error

    def _read_identity(self) -> Identity | None:
        try:
            number = self._number()
            # What was in use may have been dropped since it was looked up.
            while (identity := self._generations.identity(number)) is None and number != (now := self._number()):
                number = now
        except IndexMissing:
            return None
        return identity

    def _load(self, folder: Path) -> edge.EdgeShard:
        if not self._generations.whole(int(folder.name)):
            raise IndexMissing(f"there is no index in {self.place!r} yet; run `ingest sync`")
        with self._engine_errors("cannot be opened"):
            for attempt in stamina.retry_context(
                on=_is_compacted, attempts=None, timeout=self._wait_seconds, wait_max=OPENING_SECONDS, wait_jitter=0
            ):
                with attempt:
                    shard = edge.EdgeShard.load(str(_shard(folder)))
        return shard

    def _create(self, identity: Identity, *, replace: bool, expecting: int) -> None:
        with self._generations.changing() as in_use:
            if not replace and self._read_identity() is not None:
                return
            drafting = self._generation != "in use"
            # The new folder first: a process that lost its draft must not find its number on another one.
            number = self._generations.new(in_use)
            self._generations.sweep(in_use, number, drafts=drafting)
            self._make_sure_of_room(expecting * (POINT_BYTES + 4 * (identity.size or 0)))
            self._make(self._generations.folder(number), identity)
            self._generations.complete(number, identity)
            if drafting:
                self._generation = number
                return
            self._generations.name(dataclasses.replace(in_use, current=number))
            if in_use.current is not None:
                self._generations.drop(in_use.current)

    def _make(self, folder: Path, identity: Identity) -> None:
        try:
            _shard(folder).mkdir()
        except OSError as error:
            raise unusable(self._path, error) from error
        with self._engine_errors("cannot be made"):
            shard = edge.EdgeShard.create(str(_shard(folder)), _config(identity))
            for field, kind in PAYLOAD_INDEXES.items():
                shard.update(edge.UpdateOperation.create_field_index(field, _INDEX_TYPES[kind]))
            shard.flush()
            shard.close()

    def _publish(self) -> None:
        with self._generations.changing() as in_use:
            number = self._number()
            if number == in_use.current:
                return
            self._generations.name(InUse(current=number, previous=in_use.current))
            if in_use.previous is not None and in_use.previous != number:
                self._generations.drop(in_use.previous)

    def _make_sure_of_room(self, needed: int = 0) -> None:
        try:
            free = shutil.disk_usage(self._path).free
        except FileNotFoundError:
            return
        except OSError as error:
            raise unusable(self._path, error) from error
        if free < ROOM_BYTES + needed:
            raise IndexUnavailable(
                f"the disk of {self.place!r} has {free >> 20} MiB left; free at least {ROOM_BYTES + needed >> 20} MiB,"
                " or set `index.path` to another disk"
            )

    def _uncompacted_with(self, written: int, folder: Path) -> int:
        """Points written since the index was last compacted, with those of this call."""
        file = _uncompacted(folder)
        try:
            before = file.read_text(encoding="utf-8") if file.exists() else ""
            total = (int(before) if before.isdecimal() else 0) + written
            file.write_text(str(total), encoding="utf-8")
        except OSError as error:
            raise unusable(self._path, error) from error
        return total

    def _compact(self, folder: Path) -> None:
        command = [sys.executable, "-m", "ingest.index.compact", str(_shard(folder))]
        try:
            # Before, not after: one that fails must not be tried again at every flush.
            _uncompacted(folder).write_text("0", encoding="utf-8")
            subprocess.run(command, check=True, capture_output=True, timeout=COMPACT_SECONDS)
        except (subprocess.SubprocessError, OSError) as error:
            logger.warning("the index in %r was not compacted, and opens more slowly: %s", self.place, error)


def _shard(folder: Path) -> Path:
    return folder / "shard"


def _uncompacted(folder: Path) -> Path:
    return folder / "uncompacted"


def _these(ids: Iterable[ChunkId]) -> edge.Filter:
    """By filter: by id, the engine refuses a whole operation when one point is missing."""
    return edge.Filter(must=[edge.HasIdCondition(set(ids))])


def _chunks(records: Iterable[edge.Record]) -> list[Chunk]:
    return [chunk_of(record.id, record.payload) for record in records]


def _dense(vectors: Any) -> list[float]:
    found: list[float] = vectors[DENSE]
    return found


def _is_compacted(error: Exception) -> bool:
    """Whether a process has the engine's files open without our locks: a compaction outlives a sync that is killed."""
    return "WouldBlock" in str(error)


def _config(identity: Identity) -> edge.EdgeConfig:
    dense = {} if identity.size is None else {DENSE: edge.EdgeVectorParams(identity.size, edge.Distance.Cosine)}
    # By default a filter that leaves fewer than 5,000 points of a segment has all of them compared, ten times slower.
    # Cold: read when asked for. Held in memory from the start, 100,000 chunks take three times as much at opening.
    lexical = {
        LEXICAL: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf, full_scan_threshold=1, memory=edge.Memory.Cold)
    }
    return edge.EdgeConfig(
        vectors=dense,
        sparse_vectors=lexical,
        # No graph: exact search over 100,000 vectors takes some milliseconds, building a graph takes a minute.
        hnsw_config=edge.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10_000),
        optimizers=edge.EdgeOptimizersConfig(
            max_segment_size=SEGMENT_KB, indexing_threshold=SEGMENT_KB, default_segment_number=SEGMENTS
        ),
    )


def _stored(point: Point) -> edge.Point:
    lexical = edge.SparseVector(list(point.lexical.indices), list(point.lexical.values))
    vectors: dict[str, Any] = {LEXICAL: lexical}
    if point.dense is not None:
        vectors[DENSE] = list(point.dense)
    return edge.Point(point.chunk.id, vectors, payload_of(point.chunk))
