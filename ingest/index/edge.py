"""The index in a folder, by Qdrant's own engine in this process (`qdrant-edge-py`).

The folder holds the engine's `shard`, the `identity.json` of the index, and the files by which processes share it (see
`sharing`). Two properties of the engine shape this module: every call holds the interpreter's lock, so calls are kept
small; and nothing is synced to disk before `flush`, though its write-ahead log survives the death of the process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import qdrant_edge as edge
from pydantic import TypeAdapter, ValidationError

from ingest.index.interface import Identity, IndexDamaged, IndexMissing, IndexUnavailable, Point, Ranked, SparseVector
from ingest.index.schema import DENSE, DOCUMENT, LEXICAL, PAYLOAD_INDEXES, READERS, chunk_of, payload_of
from ingest.index.sharing import Shared, unusable
from ingest.model import Chunk, ChunkId, DocumentId, Readers

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

SEGMENTS = 1_000
"""More segments than there will be: below this number the engine leaves finished ones alone."""

UPSERT_BATCH = 250
"""Points in one call of the engine, which stops every thread of this process meanwhile."""

PAGE = 1000
"""Ids read at once while listing."""

_IDENTITY = TypeAdapter(Identity)
_INDEX_TYPES = {"keyword": edge.PayloadSchemaType.Keyword, "datetime": edge.PayloadSchemaType.Datetime}

Result = TypeVar("Result")


class EdgeStore:
    """A `Store` in a folder; every process on the machine may use the same folder."""

    def __init__(self, path: Path, *, wait_seconds: float = WAIT_SECONDS, compact_points: int = COMPACT_POINTS) -> None:
        self.place = str(path)
        self._path = path
        self._shared = Shared(path, self._load, wait_seconds=wait_seconds)
        self._written = 0
        self._compact_points = compact_points

    async def identity(self) -> Identity | None:
        return await asyncio.to_thread(self._read_identity)

    async def create(self, identity: Identity) -> None:
        await self._shared.run_closed(lambda: self._create(identity))

    async def upsert(self, points: Sequence[Point]) -> None:
        await asyncio.to_thread(self._make_sure_of_room)
        stored = await asyncio.to_thread(lambda: [_stored(point) for point in points])
        for start in range(0, len(stored), UPSERT_BATCH):
            await self._update(edge.UpdateOperation.upsert_points(stored[start : start + UPSERT_BATCH]))
        self._written += len(stored)

    async def delete(self, ids: Sequence[ChunkId]) -> None:
        if ids:
            await self._update(edge.UpdateOperation.delete_points(list(ids)))

    async def set_readers(self, ids: Sequence[ChunkId], readers: Readers) -> None:
        if ids:
            # By filter: by id, the engine refuses the whole operation when one point is missing.
            these = edge.Filter(must=[edge.HasIdCondition(set(ids))])
            await self._update(edge.UpdateOperation.set_payload_by_filter(these, {READERS: sorted(readers)}))

    async def flush(self) -> None:
        await asyncio.to_thread(self._make_sure_of_room)
        await self._run(lambda shard: shard.flush())
        written, self._written = self._written, 0
        if written and await asyncio.to_thread(self._uncompacted_with, written) >= self._compact_points:
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
        return [chunk_of(record.id, record.payload) for record in records]

    async def count(self) -> int:
        return await self._run(lambda shard: shard.count(edge.CountRequest(exact=True)))

    async def ids(self) -> AsyncIterator[tuple[ChunkId, DocumentId]]:
        offset: Any = None
        while True:
            page = edge.ScrollRequest(offset=offset, limit=PAGE, with_payload=[DOCUMENT], with_vector=False)
            records, offset = await self._run(partial(edge.EdgeShard.scroll, scroll=page))
            for record in records:
                yield ChunkId(str(record.id)), DocumentId((record.payload or {})[DOCUMENT])
            if offset is None:
                return

    async def close(self) -> None:
        await self._shared.close()

    async def _rank(self, query: edge.Query, visible_to: Readers, limit: int) -> list[Ranked]:
        if not visible_to:
            return []
        seen = edge.FieldCondition(READERS, match=edge.MatchAny(sorted(visible_to)))
        request = edge.QueryRequest(query=query, filter=edge.Filter(must=[seen]), limit=limit, with_payload=False)
        points = await self._run(lambda shard: shard.query(request))
        return [Ranked(id=ChunkId(str(point.id)), score=point.score) for point in points]

    async def _update(self, operation: edge.UpdateOperation) -> None:
        await self._run(lambda shard: shard.update(operation))

    async def _run(self, call: Callable[[edge.EdgeShard], Result]) -> Result:
        def translated(shard: edge.EdgeShard) -> Result:
            with self._engine_errors("failed"):
                return call(shard)

        return await self._shared.run(translated)

    @contextmanager
    def _engine_errors(self, what: str) -> Iterator[None]:
        """The one place where the engine's errors become ours: it raises plain `Exception` for everything."""
        try:
            yield
        except Exception as error:
            raise IndexDamaged(
                f"the index in {self.place!r} {what} ({error}); if it happens again, run `ingest reindex`"
            ) from error

    @property
    def _shard(self) -> Path:
        return self._path / "shard"

    def _load(self) -> edge.EdgeShard:
        if self._read_identity() is None:
            raise IndexMissing(f"there is no index in {self.place!r} yet; run `ingest sync`")
        with self._engine_errors("cannot be opened"):
            return edge.EdgeShard.load(str(self._shard))

    def _create(self, identity: Identity) -> None:
        self._make_sure_of_room()
        # The identity goes first and comes last: whatever was interrupted in between reads as "no index".
        try:
            self._identity_file.unlink(missing_ok=True)
            if self._shard.exists():
                shutil.rmtree(self._shard)
            self._shard.mkdir()
        except OSError as error:
            raise unusable(self._path, error) from error
        with self._engine_errors("cannot be made"):
            shard = edge.EdgeShard.create(str(self._shard), _config(identity))
            for field, kind in PAYLOAD_INDEXES.items():
                shard.update(edge.UpdateOperation.create_field_index(field, _INDEX_TYPES[kind]))
            shard.flush()
            shard.close()
        self._write_identity(identity)

    def _make_sure_of_room(self) -> None:
        free = shutil.disk_usage(self._path).free
        if free < ROOM_BYTES:
            raise IndexUnavailable(
                f"the disk of {self.place!r} has {free >> 20} MiB left; free at least {ROOM_BYTES >> 20} MiB, or set"
                " `index.path` to another disk"
            )

    def _uncompacted_with(self, written: int) -> int:
        """Points written since the index was last compacted, with those of this call."""
        before = self._uncompacted_file.read_text() if self._uncompacted_file.exists() else ""
        total = (int(before) if before.isdigit() else 0) + written
        self._uncompacted_file.write_text(str(total))
        return total

    def _compact(self) -> None:
        # Before, not after: one that fails must not be tried again at every flush.
        self._uncompacted_file.write_text("0")
        command = [sys.executable, "-m", "ingest.index.compact", str(self._shard)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=COMPACT_SECONDS)
        except (subprocess.SubprocessError, OSError) as error:
            logger.warning("the index in %r was not compacted, and opens more slowly: %s", self.place, error)

    @property
    def _uncompacted_file(self) -> Path:
        return self._path / "uncompacted"

    @property
    def _identity_file(self) -> Path:
        return self._path / "identity.json"

    def _read_identity(self) -> Identity | None:
        try:
            return _IDENTITY.validate_json(self._identity_file.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unusable(self._path, error) from error
        except ValidationError as error:
            raise IndexDamaged(f"{str(self._identity_file)!r} cannot be read; run `ingest reindex`") from error

    def _write_identity(self, identity: Identity) -> None:
        draft = self._identity_file.with_suffix(".draft")
        with draft.open("wb") as file:
            file.write(_IDENTITY.dump_json(identity))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._identity_file)


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
