"""Whether a search among what an asker may read finds what is nearest there, however little that is.

Engines that search a graph of vectors may lose their way where most points are hidden. Points are made: topics, within
them passages; a share of all may be read, by each shape of filter that access makes. Exact search over what may be read
says what is right.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import numpy as np
import qdrant_edge as edge
from numpy.typing import NDArray

from ingest.index.edge import EdgeStore
from ingest.index.interface import Identity, Point, Ranked, SparseVector, Store
from ingest.index.schema import DENSE, READERS
from ingest.index.server import SEARCHED, ServerStore
from ingest.model import Chunk, ChunkId, DocumentId, Readers
from tests.bench.table import Table, percentile
from tests.eval.asking import Chosen

SHARES = (0.6, 0.2, 0.04, 0.01, 0.001)
SIZE = 384
"""Length of a vector, as of small embedding models."""

TOPICS = 500
WITHIN = 16
"""Directions in which the passages of one topic differ, beside noise."""

GROUPS = 50
TEN = 10
QUERIES = 200
BATCH = 500
SEED = 1

Nearest = Callable[[Sequence[float], Readers], Awaitable[list[ChunkId]]]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """What somebody holds, and the points that it opens."""

    shape: str
    share: float
    tokens: Readers
    open: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """Points with their readers, and what is asked."""

    vectors: Vectors
    readers: list[set[str]]
    queries: Vectors
    filters: list[Filter]

    def points(self) -> list[Point]:
        return [
            Point(
                chunk=_chunk(number, frozenset(readers)), lexical=SparseVector(indices=(1,), values=(1.0,)), dense=row
            )
            for number, (row, readers) in enumerate(zip(self.vectors.tolist(), self.readers, strict=True))
        ]


def world(points: int, queries: int) -> World:
    """`points` passages of `TOPICS` topics; as questions, passages somewhat changed."""
    chance = np.random.default_rng(SEED)
    topics = _unit(chance.normal(size=(TOPICS, SIZE)))
    topic = chance.integers(0, TOPICS, points)
    directions = chance.normal(size=(TOPICS, WITHIN, SIZE)) / np.sqrt(SIZE)
    own = np.einsum("nk,nkd->nd", chance.normal(size=(points, WITHIN)), directions[topic])
    vectors = _unit(topics[topic] + 0.8 * own + 0.25 * chance.normal(size=(points, SIZE)) / np.sqrt(SIZE))
    asked = vectors[chance.choice(points, queries)]
    readers: list[set[str]] = [set() for _ in range(points)]
    filters: list[Filter] = []

    def opened(shape: str, share: float, by_token: dict[str, NDArray[np.bool_]]) -> None:
        for token, here in by_token.items():
            for number in np.flatnonzero(here):
                readers[number].add(token)
        mask = np.logical_or.reduce(list(by_token.values()))
        filters.append(Filter(shape=shape, share=share, tokens=frozenset(by_token), open=mask))

    for share in SHARES:
        opened("one group", share, {f"group:one-{share}": chance.random(points) < share})
        opened(
            f"{GROUPS} groups",
            share,
            {f"group:{number}-{share}": chance.random(points) < share / GROUPS for number in range(GROUPS)},
        )
        whole = np.isin(topic, chance.choice(TOPICS, max(1, round(share * TOPICS)), replace=False))
        within = chance.random(points) < share / max(float(whole.mean()), share)
        opened("whole topics", share, {f"group:topics-{share}": whole & within})
    for number in np.flatnonzero([not some for some in readers]):
        readers[number].add("group:others")
    changed = asked + 0.3 * chance.normal(size=asked.shape) / np.sqrt(SIZE)
    return World(vectors=vectors, readers=readers, queries=_unit(changed), filters=filters)


async def measure(chosen: Chosen) -> list[Table]:
    here = world(chosen.points, min(chosen.sample, QUERIES))
    rows = []
    with TemporaryDirectory() as folder:
        async with shipped(here, EdgeStore(Path(folder) / "index")) as nearest:
            rows += await measured("embedded, as it is shipped", here, nearest)
        async with graph(here, Path(folder) / "graph", found_by=None) as nearest:
            rows += await measured("a graph, the engine's defaults", here, nearest)
        async with graph(here, Path(folder) / "graph", found_by=_searched()) as nearest:
            rows += await measured("a graph, as a server is asked", here, nearest)
    if chosen.qdrant_url is None:
        rows.append(("a Qdrant server", "all", "", "", "not measured", ""))
    else:
        store = ServerStore(chosen.qdrant_url, collection="souffleur-filtered")
        async with shipped(here, store) as nearest:
            rows += await measured("a Qdrant server", here, nearest)
    return [
        Table(
            title=f"search among what may be read: recall@{TEN} against exact search, {chosen.points:,} passages",
            columns=("index", "what the asker holds", "share", "may be read", "recall", "ms, median / p95"),
            rows=rows,
            notes=(
                f"{len(here.queries)} questions each, vectors of {SIZE} numbers. `whole topics`: what may be read lies"
                " together, and most questions are about something else. The graph is built by the engine that a server"
                " runs, embedded, with a server's defaults (m 16, ef_construct 100) after the index of the readers.",
            ),
        )
    ]


async def measured(name: str, here: World, nearest: Nearest) -> list[tuple[object, ...]]:
    """A row for each filter."""
    rows: list[tuple[object, ...]] = []
    for one in here.filters:
        found, wanted, took = 0, 0, []
        for query, exact in zip(here.queries.tolist(), _exact(here, one), strict=True):
            started = time.perf_counter()
            got = await nearest(query, one.tokens)
            took.append((time.perf_counter() - started) * 1000)
            found += len(exact & {UUID(id).int for id in got})
            wanted += len(exact)
        assert wanted, f"nothing is open to {one.shape} at {one.share:.1%}: make more points"
        spread = f"{percentile(took, 0.5):.1f} / {percentile(took, 0.95):.1f}"
        rows.append((name, one.shape, f"{one.share:.1%}", f"{int(one.open.sum()):,}", f"{found / wanted:.4f}", spread))
    return rows


@asynccontextmanager
async def shipped(here: World, store: Store) -> AsyncIterator[Nearest]:
    """Through the store, as the assistant searches."""
    identity = Identity(pipeline=1, embedding="made", size=SIZE, average_words=1.0, average_grams=1.0)
    await store.create(identity, expecting=len(here.vectors))
    points = here.points()
    for start in range(0, len(points), BATCH):
        await store.upsert(points[start : start + BATCH])
    await store.flush()

    async def nearest(vector: Sequence[float], tokens: Readers) -> list[ChunkId]:
        ranked: list[Ranked] = await store.rank_dense(vector, visible_to=tokens, limit=TEN)
        return [one.id for one in ranked]

    try:
        yield nearest
    finally:
        await store.close()


@asynccontextmanager
async def graph(here: World, folder: Path, *, found_by: edge.SearchParams | None) -> AsyncIterator[Nearest]:
    """By the graph in `folder`, which is built where there is none."""
    shard = await asyncio.to_thread(_opened, here, folder)

    async def nearest(vector: Sequence[float], tokens: Readers) -> list[ChunkId]:
        seen = edge.FieldCondition(READERS, match=edge.MatchAny(sorted(tokens)))
        request = edge.QueryRequest(
            query=edge.Query.Nearest(list(vector), using=DENSE),
            filter=edge.Filter(must=[seen]),
            limit=TEN,
            with_payload=False,
            params=found_by,
        )
        return [ChunkId(str(point.id)) for point in shard.query(request)]

    try:
        yield nearest
    finally:
        shard.close()


def _opened(here: World, folder: Path) -> edge.EdgeShard:
    return edge.EdgeShard.load(str(folder)) if folder.exists() else _built(here, folder)


def _built(here: World, folder: Path) -> edge.EdgeShard:
    folder.mkdir()
    config = edge.EdgeConfig(
        vectors={DENSE: edge.EdgeVectorParams(SIZE, edge.Distance.Cosine)},
        sparse_vectors={},
        hnsw_config=edge.HnswIndexConfig(m=16, ef_construct=100, full_scan_threshold=10_000),
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=1_000, default_segment_number=1),
    )
    shard = edge.EdgeShard.create(str(folder), config)
    shard.update(edge.UpdateOperation.create_field_index(READERS, edge.PayloadSchemaType.Keyword))
    rows = here.vectors.tolist()
    for start in range(0, len(rows), BATCH):
        batch = range(start, min(start + BATCH, len(rows)))
        points = [
            edge.Point(str(UUID(int=number)), {DENSE: rows[number]}, {READERS: sorted(here.readers[number])})
            for number in batch
        ]
        shard.update(edge.UpdateOperation.upsert_points(points))
    shard.flush()
    shard.optimize()
    shard.flush()
    indexed = shard.info().indexed_vectors_count
    assert indexed == len(rows), f"the graph holds {indexed} of {len(rows)} points"
    return shard


def _searched() -> edge.SearchParams:
    acorn = SEARCHED.acorn
    assert acorn is not None
    return edge.SearchParams(
        hnsw_ef=SEARCHED.hnsw_ef, acorn=edge.AcornSearchParams(bool(acorn.enable), acorn.max_selectivity)
    )


def _exact(here: World, one: Filter) -> list[set[int]]:
    """For each question, the numbers of the nearest points that are open."""
    open_ones = np.flatnonzero(one.open)
    likeness = here.queries @ here.vectors[open_ones].T
    best = np.argsort(-likeness, axis=1)[:, :TEN]
    return [set(open_ones[row].tolist()) for row in best]


def _unit(rows: NDArray[np.float64]) -> Vectors:
    unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _chunk(number: int, readers: Readers) -> Chunk:
    return Chunk(
        id=ChunkId(str(UUID(int=number))),
        source="made",
        document=DocumentId(str(number)),
        position=0,
        title="",
        headings=(),
        page=None,
        text="",
        language="und",
        readers=readers,
        url=None,
        updated_at=None,
    )
