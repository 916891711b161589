"""The index on a Qdrant server, 1.16 or later, which keeps the identity of the index in the collection's metadata."""

from __future__ import annotations

import copy
import math
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from typing import Any, TypeVar

import httpx
from pydantic import SecretStr
from qdrant_client import AsyncQdrantClient, models

from ingest.errors import ConfigurationError
from ingest.index.collections import Collections, InUse
from ingest.index.interface import SCROLL_PAGE, Identity, IndexMissing, Point, Ranked, SparseVector, Store
from ingest.index.schema import DENSE, LEXICAL, READERS, chunk_of, payload_of
from ingest.model import Chunk, ChunkId, Readers

TIMEOUT_SECONDS = 30.0
"""Longest wait for one answer of the server."""

UPSERT_BATCH = 200
"""Points in one request: about 3 MB of JSON, where a server takes 32 MB."""

SEARCHED = models.SearchParams(hnsw_ef=256, acorn=models.AcornSearchParams(enable=True, max_selectivity=1.0))
"""How the graph of dense vectors is walked past what an asker may not read (ACORN, arXiv 2403.04871).

By default most steps end at hidden points: among 50,000 passages of which a fifth could be read, a third to two thirds
of the ten nearest were found, and with ACORN up to the engine's own limit of 40 % nine in ten at 45 to 60 %. Like
this, at least 99 % at every share (`python -m tests.eval filtered`)."""

MEMORY = ":memory:"
"""In place of an address: the client's own small engine, for tests."""

Result = TypeVar("Result")


class ServerStore:
    """A `Store` on a Qdrant server; `collection` is the alias of the index in use (see `collections`)."""

    def __init__(
        self,
        url: str,
        *,
        collection: str,
        api_key: SecretStr | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport` takes the place of the network."""
        self.place = url
        self._client = _client(url, api_key, timeout_seconds, transport)
        self._owns_client = True
        self._collections = Collections(self._client, alias=collection, place=url, in_memory=url == MEMORY)
        self._searched = SEARCHED if url != MEMORY else None  # the small engine compares all, and says so
        self._collection: str | None = collection
        """What is read and written: the alias, or one generation; None for a draft that was not looked for yet."""

    async def identity(self) -> Identity | None:
        if self._is_in_use and (await self._collections.in_use()).current is None:
            return None
        try:
            return await self._collections.identity(await self._name())
        except IndexMissing:
            return None

    async def create(self, identity: Identity, *, replace: bool = True, expecting: int = 0) -> None:
        in_use = await self._collections.in_use()
        if not self._is_in_use:
            # Made before others are deleted: a process that lost its draft must not find its number on another one.
            self._collection = await self._collections.make(identity)
            await self._collections.sweep(in_use, self._collection)
        elif replace:
            made = await self._collections.make(identity)
            await self._collections.put_in_use(in_use, InUse(current=made, previous=in_use.previous))
            if in_use.current is not None:
                await self._collections.drop(in_use.current)
        elif in_use.current is None:
            await self._collections.make_first(identity)

    async def upsert(self, points: Sequence[Point]) -> None:
        for start in range(0, len(points), UPSERT_BATCH):
            batch = [_stored(point) for point in points[start : start + UPSERT_BATCH]]
            await self._ask(self._client.upsert(await self._name(), batch, wait=True))

    async def delete(self, ids: Sequence[ChunkId]) -> None:
        if ids:
            selector = models.PointIdsList(points=list(ids))
            await self._ask(self._client.delete(await self._name(), selector, wait=True))

    async def set_readers(self, ids: Sequence[ChunkId], readers: Readers) -> None:
        if ids:
            change = {READERS: sorted(readers)}
            await self._ask(self._client.set_payload(await self._name(), change, _these(ids), wait=True))

    async def describe(self, chunks: Sequence[Chunk]) -> None:
        for start in range(0, len(chunks), UPSERT_BATCH):
            changes = [
                models.OverwritePayloadOperation(
                    overwrite_payload=models.SetPayload(payload=payload_of(chunk), filter=_these([chunk.id]))
                )
                for chunk in chunks[start : start + UPSERT_BATCH]
            ]
            await self._ask(self._client.batch_update_points(await self._name(), changes, wait=True))

    async def flush(self) -> None:
        """A server syncs each acknowledged write by its own write-ahead log."""

    async def rank_lexical(self, vector: SparseVector, *, visible_to: Readers, limit: int) -> list[Ranked]:
        sparse = models.SparseVector(indices=list(vector.indices), values=list(vector.values))
        return await self._rank(sparse, LEXICAL, visible_to, limit)

    async def rank_dense(self, vector: Sequence[float], *, visible_to: Readers, limit: int) -> list[Ranked]:
        return await self._rank(list(vector), DENSE, visible_to, limit)

    async def chunks(self, ids: Iterable[ChunkId]) -> list[Chunk]:
        wanted = list(ids)
        if not wanted:
            return []
        call = self._client.retrieve(await self._name(), wanted, with_payload=True, with_vectors=False)
        return [chunk_of(record.id, record.payload) for record in await self._ask(call)]

    async def vectors(self, ids: Iterable[ChunkId]) -> dict[ChunkId, Sequence[float]]:
        wanted = list(ids)
        identity = await self.identity()
        if not wanted or identity is None or identity.size is None:
            return {}
        call = self._client.retrieve(await self._name(), wanted, with_payload=False, with_vectors=[DENSE])
        return {ChunkId(str(record.id)): _dense(record.vector) for record in await self._ask(call)}

    async def count(self) -> int:
        return (await self._ask(self._client.count(await self._name(), exact=True))).count

    async def scroll(self) -> AsyncIterator[list[Chunk]]:
        offset: Any = None
        while True:
            page = self._client.scroll(
                await self._name(), offset=offset, limit=SCROLL_PAGE, with_payload=True, with_vectors=False
            )
            records, offset = await self._ask(page)
            if records:
                yield [chunk_of(record.id, record.payload) for record in records]
            if offset is None:
                return

    def draft(self) -> Store:
        return self._beside(None)

    async def previous(self) -> Store | None:
        name = (await self._collections.in_use()).previous
        return None if name is None else self._beside(name)

    async def publish(self) -> None:
        name = await self._name()
        in_use = await self._collections.in_use()
        if name in (self._collections.alias, in_use.current):
            return
        if await self._collections.find(name) is None:
            raise self._collections.missing(name)
        await self._collections.put_in_use(in_use, InUse(current=name, previous=in_use.current))
        if in_use.previous is not None and in_use.previous != name:
            await self._collections.drop(in_use.previous)

    async def close(self) -> None:
        if self._owns_client:
            await self._client.close()

    @property
    def _is_in_use(self) -> bool:
        return self._collection == self._collections.alias

    def _beside(self, collection: str | None) -> ServerStore:
        """A store on another generation, over the same connections."""
        store = copy.copy(self)
        store._collection, store._owns_client = collection, False
        return store

    async def _name(self) -> str:
        """What this store reads and writes; a draft is held on to once it is found. Raises `IndexMissing`."""
        if self._collection is None:
            self._collection = await self._collections.draft()
        if self._collection is None:
            raise self._collections.missing(None)
        return self._collection

    async def _rank(
        self, query: models.SparseVector | list[float], using: str, visible_to: Readers, limit: int
    ) -> list[Ranked]:
        if not visible_to:
            return []
        seen = models.FieldCondition(key=READERS, match=models.MatchAny(any=sorted(visible_to)))
        answer = await self._ask(
            self._client.query_points(
                await self._name(),
                query=query,
                using=using,
                query_filter=models.Filter(must=[seen]),
                limit=limit,
                with_payload=False,
                search_params=self._searched if using == DENSE else None,
            )
        )
        return [Ranked(id=ChunkId(str(point.id)), score=point.score) for point in answer.points]

    async def _ask(self, call: Awaitable[Result]) -> Result:
        return await self._collections.ask(call, self._collection)


def _client(
    url: str, api_key: SecretStr | None, timeout_seconds: float, transport: httpx.AsyncBaseTransport | None
) -> AsyncQdrantClient:
    if url == MEMORY:
        return AsyncQdrantClient(location=MEMORY)
    try:
        return AsyncQdrantClient(
            url=url,
            api_key=api_key.get_secret_value() if api_key else None,
            timeout=math.ceil(timeout_seconds),
            check_compatibility=False,
            transport=transport,
        )
    except ValueError as error:
        raise ConfigurationError(f"`index.url` {url!r} is not an address; write http://HOST:6333") from error


def _these(ids: Iterable[ChunkId]) -> models.Filter:
    """By filter: by id, the server refuses a whole request when one point is missing."""
    return models.Filter(must=[models.HasIdCondition(has_id=list(ids))])


def _dense(vectors: Any) -> list[float]:
    found: list[float] = vectors[DENSE]
    return found


def _stored(point: Point) -> models.PointStruct:
    lexical = models.SparseVector(indices=list(point.lexical.indices), values=list(point.lexical.values))
    vectors: dict[str, Any] = {LEXICAL: lexical}
    if point.dense is not None:
        vectors[DENSE] = list(point.dense)
    return models.PointStruct(id=point.chunk.id, vector=vectors, payload=payload_of(point.chunk))
