"""The index on a Qdrant server, 1.16 or later, which keeps the identity of the index in the collection's metadata."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

import httpx
from pydantic import SecretStr, TypeAdapter, ValidationError
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from ingest.errors import ConfigurationError
from ingest.index.interface import Identity, IndexDamaged, IndexMissing, IndexUnavailable, Point, Ranked, SparseVector
from ingest.index.schema import DENSE, DOCUMENT, LEXICAL, PAYLOAD_INDEXES, READERS, chunk_of, payload_of
from ingest.model import Chunk, ChunkId, DocumentId, Readers

TIMEOUT_SECONDS = 30.0
"""Longest wait for one answer of the server."""

UPSERT_BATCH = 200
"""Points in one request: about 3 MB of JSON, where a server takes 32 MB."""

PAGE = 1000
"""Ids read at once while listing."""

MEMORY = ":memory:"
"""In place of an address: the client's own small engine, for tests."""

_IDENTITY = TypeAdapter(Identity)
_INDEX_TYPES = {"keyword": models.PayloadSchemaType.KEYWORD, "datetime": models.PayloadSchemaType.DATETIME}
_BUSY = frozenset({408, 429, 500, 502, 503, 504})

Result = TypeVar("Result")


class ServerStore:
    """A `Store` in one collection of a Qdrant server."""

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
        self._collection = collection
        self._in_memory = url == MEMORY
        if self._in_memory:
            self._client = AsyncQdrantClient(location=MEMORY)
            return
        try:
            self._client = AsyncQdrantClient(
                url=url,
                api_key=api_key.get_secret_value() if api_key else None,
                timeout=math.ceil(timeout_seconds),
                check_compatibility=False,
                transport=transport,
            )
        except ValueError as error:
            raise ConfigurationError(f"`index.url` {url!r} is not an address; write http://HOST:6333") from error

    async def identity(self) -> Identity | None:
        if not await self._ask(self._client.collection_exists(self._collection)):
            return None
        metadata = (await self._ask(self._client.get_collection(self._collection))).config.metadata
        if not metadata:
            raise IndexDamaged(
                f"the collection {self._collection!r} at {self.place!r} is not one of this program's; set"
                " `index.collection` to another name, or run `ingest reindex` to replace it"
            )
        try:
            return _IDENTITY.validate_python(metadata)
        except ValidationError as error:
            raise IndexDamaged(
                f"the metadata of collection {self._collection!r} at {self.place!r} cannot be read;"
                " run `ingest reindex`"
            ) from error

    async def create(self, identity: Identity) -> None:
        dense: dict[str, models.VectorParams] = {}
        if identity.size is not None:
            dense[DENSE] = models.VectorParams(size=identity.size, distance=models.Distance.COSINE)
        # By default a filter that leaves few points of a segment has all of them compared, ten times slower.
        index = models.SparseIndexParams(full_scan_threshold=1)
        await self._ask(self._client.delete_collection(self._collection))
        await self._ask(
            self._client.create_collection(
                self._collection,
                vectors_config=dense,
                sparse_vectors_config={LEXICAL: models.SparseVectorParams(index=index, modifier=models.Modifier.IDF)},
                metadata=asdict(identity),
            )
        )
        # The client's own engine scans, and warns that it ignores these.
        if not self._in_memory:
            for field, kind in PAYLOAD_INDEXES.items():
                schema = _INDEX_TYPES[kind]
                await self._ask(self._client.create_payload_index(self._collection, field, schema, wait=True))

    async def upsert(self, points: Sequence[Point]) -> None:
        for start in range(0, len(points), UPSERT_BATCH):
            batch = [_stored(point) for point in points[start : start + UPSERT_BATCH]]
            await self._ask(self._client.upsert(self._collection, batch, wait=True))

    async def delete(self, ids: Sequence[ChunkId]) -> None:
        if ids:
            selector = models.PointIdsList(points=list(ids))
            await self._ask(self._client.delete(self._collection, selector, wait=True))

    async def set_readers(self, ids: Sequence[ChunkId], readers: Readers) -> None:
        if ids:
            these = models.Filter(must=[models.HasIdCondition(has_id=list(ids))])
            change = {READERS: sorted(readers)}
            await self._ask(self._client.set_payload(self._collection, change, these, wait=True))

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
        records = await self._ask(
            self._client.retrieve(self._collection, wanted, with_payload=True, with_vectors=False)
        )
        return [chunk_of(record.id, record.payload) for record in records]

    async def count(self) -> int:
        return (await self._ask(self._client.count(self._collection, exact=True))).count

    async def ids(self) -> AsyncIterator[tuple[ChunkId, DocumentId]]:
        offset: Any = None
        while True:
            records, offset = await self._ask(
                self._client.scroll(
                    self._collection, offset=offset, limit=PAGE, with_payload=[DOCUMENT], with_vectors=False
                )
            )
            for record in records:
                yield ChunkId(str(record.id)), DocumentId((record.payload or {})[DOCUMENT])
            if offset is None:
                return

    async def close(self) -> None:
        await self._client.close()

    async def _rank(
        self, query: models.SparseVector | list[float], using: str, visible_to: Readers, limit: int
    ) -> list[Ranked]:
        if not visible_to:
            return []
        seen = models.FieldCondition(key=READERS, match=models.MatchAny(any=sorted(visible_to)))
        answer = await self._ask(
            self._client.query_points(
                self._collection,
                query=query,
                using=using,
                query_filter=models.Filter(must=[seen]),
                limit=limit,
                with_payload=False,
            )
        )
        return [Ranked(id=ChunkId(str(point.id)), score=point.score) for point in answer.points]

    async def _ask(self, call: Awaitable[Result]) -> Result:
        """The one place where the client's errors become ours."""
        try:
            return await call
        except UnexpectedResponse as error:
            raise self._translated(error) from error
        except (ResponseHandlingException, QdrantException) as error:
            said = str(error).partition("\n")[0]
            raise IndexUnavailable(f"Qdrant at {self.place!r} does not answer ({said}); is it running?") from error
        except AssertionError as error:  # how the client says that there was no `result` in the answer
            raise IndexUnavailable(f"what answers at {self.place!r} is not Qdrant; check `index.url`") from error
        except ValueError as error:  # from the client's own engine alone
            raise IndexUnavailable(f"the collection {self._collection!r} at {self.place!r}: {error}") from error

    def _translated(self, error: UnexpectedResponse) -> IndexUnavailable | IndexDamaged | ConfigurationError:
        if error.status_code in (401, 403):
            return ConfigurationError(
                f"Qdrant at {self.place!r} refused the key ({error.status_code}); set SOUFFLEUR_QDRANT_API_KEY"
            )
        if error.status_code == 404:
            return IndexMissing(f"there is no collection {self._collection!r} at {self.place!r} yet; run `ingest sync`")
        if error.status_code in _BUSY:
            return IndexUnavailable(f"Qdrant at {self.place!r} answered {error.status_code}; try again shortly")
        return IndexDamaged(
            f"Qdrant at {self.place!r} refused a request for collection {self._collection!r}: {error.content[:200]!r};"
            " run `ingest reindex`"
        )


def _stored(point: Point) -> models.PointStruct:
    lexical = models.SparseVector(indices=list(point.lexical.indices), values=list(point.lexical.values))
    vectors: dict[str, Any] = {LEXICAL: lexical}
    if point.dense is not None:
        vectors[DENSE] = list(point.dense)
    return models.PointStruct(id=point.chunk.id, vector=vectors, payload=payload_of(point.chunk))
