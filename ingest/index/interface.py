"""The contract of an index store, and what goes in and comes out of it.

A store keeps points (a chunk and its vectors) and ranks them by one vector at a time; `hybrid.Index` turns texts into
vectors and fuses the rankings, for the writer and for the reader alike. Both stores (`edge`, `server`) pass one
conformance suite.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from ingest.errors import Terminal, Transient
from ingest.model import Chunk, ChunkId, Readers

SCROLL_PAGE = 1000
"""Most chunks in one page of `Store.scroll`: some 3 MB of text."""


class IndexSettings(BaseModel):
    """The `index` section: a folder for the embedded engine, or the address of a Qdrant server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path | None = None
    url: str | None = None
    collection: str = "souffleur"
    """Alias on the server; the collections behind it are numbered (`souffleur-1`)."""
    golden: Path | None = None
    """Folder of questions, in the layout of `bot eval`, that `ingest reindex` asks the new index before it switches."""
    api_key: SecretStr | None = Field(default=None, exclude=True)
    """From the environment, never from the file."""

    @model_validator(mode="after")
    def one_place(self) -> Self:
        if self.path is not None and self.url is not None:
            raise ValueError("give either `path` (embedded) or `url` (a Qdrant server), not both")
        return self


class ModelPlace(BaseModel):
    """Where a model is: behind an OpenAI-compatible endpoint, or in this process."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str | None = None
    model: str | None = None
    """The endpoint's name for the model."""
    local: str | None = None
    """A folder for sentence-transformers, or a hub name that `hf download` has fetched; needs the extra `models`."""
    api_key: SecretStr | None = Field(default=None, exclude=True)
    """From the environment, never from the file."""

    @model_validator(mode="after")
    def one_place(self) -> Self:
        if (self.local is None) == (self.base_url is None):
            raise ValueError("give either `base_url` and `model` (an endpoint) or `local` (a model in this process)")
        if self.base_url is not None and self.model is None:
            raise ValueError("`base_url` needs `model`: the endpoint's name for the model")
        return self


class EmbeddingSettings(ModelPlace):
    """The `models.embedding` section."""

    size: int | None = Field(default=None, ge=1)
    """Length of a vector; asked of the model when absent."""
    languages: tuple[str, ...] = ()
    """Languages that the model covers; empty means all. The dense leg is left out for a question in any other."""
    weight: float = Field(default=0.3, ge=0, le=1)
    """Share of the dense leg in the fused score (0.2-0.3 was best for a small English model)."""
    query_prefix: str = ""
    document_prefix: str = ""
    batch_size: int = Field(default=32, ge=1)
    concurrency: int = Field(default=4, ge=1)
    """Requests in flight at once."""
    timeout_seconds: float = Field(default=30, gt=0)


class RerankerSettings(ModelPlace):
    """The `models.reranker` section."""

    candidates: int = Field(default=100, ge=1)
    """How many fused hits are reranked."""
    max_tokens: int = Field(default=512, ge=32)
    """Question and passage together, where the passage is cut off: what most rerankers were trained on."""
    timeout_seconds: float = Field(default=10, gt=0)


class IndexUnavailable(Transient):
    """The index cannot be reached or opened now."""


class IndexMissing(IndexUnavailable):
    """There is no index yet; the text says what to run."""


class IndexMismatch(Terminal):
    """The index was built with another model or pipeline; the text says what to run."""


class IndexDamaged(Terminal):
    """The index is there but cannot be read; the text says what to run."""


class ModelUnavailable(Transient):
    """An embedding or reranking model did not answer in time, or said it is busy."""


class ModelMisconfigured(Terminal):
    """An embedding or reranking model answered, but not as configured: wrong key, wrong name, wrong vector size."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SparseVector:
    """Term ids and their weights, of equal length; ids are unique."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A chunk with its vectors, as stored. `dense` is None exactly when the index has no embedding model."""

    chunk: Chunk
    lexical: SparseVector
    dense: Sequence[float] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """What an index was built with; kept in the index, compared at every opening."""

    pipeline: int
    """`schema.PIPELINE`: raised when chunking or the lexical encoding changes what is stored."""
    embedding: str | None
    size: int | None
    average_words: float
    average_grams: float
    """Average length of an indexed text in words and in 4-grams when the index was created (BM25's avgdl)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """One chunk in the ranking of one leg."""

    id: ChunkId
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """One chunk of the fused ranking, with what each leg said of it."""

    chunk: Chunk
    score: float
    """Fused (or reranked) score; comparable within one search only."""
    legs: Mapping[str, float]
    """Score by leg (`fusion.Leg.name`, `reranker`); a leg that did not rank it is absent."""


class Store(Protocol):
    """Keeps points and ranks them by one vector. Every call may raise `IndexUnavailable` or `IndexDamaged`.

    Writes are visible to the next read of any process; they are durable after `flush`. Several processes may hold a
    store on the same place at once.

    A place holds generations of the index: the one in use, which a store is on unless it comes from `draft` or
    `previous`, the one that was in use before, and a draft that nobody reads yet. When another generation is published,
    every store on the one in use is on the new one from its next call.
    """

    place: str
    """Folder or address, for messages."""

    async def identity(self) -> Identity | None:
        """What the index was built with; None when there is no index yet."""
        ...

    async def create(self, identity: Identity, *, replace: bool = True, expecting: int = 0) -> None:
        """Make an empty index, payload indexes first, in place of what is there.

        With `replace` false, what is there stays: another process may have made it meanwhile, with other averages.
        `expecting` is how many points will come, where that is known: without room for them, `IndexUnavailable`.
        """
        ...

    async def upsert(self, points: Sequence[Point]) -> None: ...

    async def delete(self, ids: Sequence[ChunkId]) -> None:
        """Ids that are not there are no error."""
        ...

    async def set_readers(self, ids: Sequence[ChunkId], readers: Readers) -> None:
        """Ids that are not there are no error."""
        ...

    async def describe(self, chunks: Sequence[Chunk]) -> None:
        """Replace everything about these chunks but their vectors. Ids that are not there are no error."""
        ...

    async def flush(self) -> None:
        """Return when everything written before is durable."""
        ...

    async def rank_lexical(self, vector: SparseVector, *, visible_to: Readers, limit: int) -> list[Ranked]:
        """Best first, only chunks with a reader in `visible_to`; an empty `visible_to` sees nothing."""
        ...

    async def rank_dense(self, vector: Sequence[float], *, visible_to: Readers, limit: int) -> list[Ranked]: ...

    async def chunks(self, ids: Iterable[ChunkId]) -> list[Chunk]:
        """Those of `ids` that are there, in no promised order."""
        ...

    async def vectors(self, ids: Iterable[ChunkId]) -> dict[ChunkId, Sequence[float]]:
        """Dense vectors of those of `ids` that are there; none from an index without an embedding model."""
        ...

    async def count(self) -> int:
        """Exact number of points."""
        ...

    def scroll(self) -> AsyncIterator[list[Chunk]]:
        """Every chunk, in pages of at most `SCROLL_PAGE`; one written or deleted meanwhile may or may not be there."""
        ...

    def draft(self) -> Store:
        """A store on the generation that is to be the next one in use.

        `create` makes it, dropping every other draft; without `create` it is the newest draft that was left, whole or
        half filled, or no index. `publish` puts it in use. Close it like any other store, and before this one.
        """
        ...

    async def previous(self) -> Store | None:
        """A store on the generation that was in use before, if there is one; `publish` puts it back."""
        ...

    async def publish(self) -> None:
        """Put this store's generation in use, at once for every process; the one in use becomes the previous one.

        An earlier previous one is dropped. Whoever is killed here leaves the one or the other in use, whole. `flush`
        before. Raises `IndexMissing` when the generation is gone: a later draft took its place. On a store that is on
        the index in use, it changes nothing.
        """
        ...

    async def close(self) -> None: ...


class Embedder(Protocol):
    """Texts to vectors. Raises `ModelUnavailable`, `ModelMisconfigured`."""

    name: str
    """What the index remembers: model name and revision, and prefixes if any."""

    async def size(self) -> int: ...

    async def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, in order, of length `size`, unit length."""
        ...

    async def embed_query(self, text: str) -> list[float]: ...

    async def close(self) -> None: ...


class Reranker(Protocol):
    """Scores passages for a question. Raises `ModelUnavailable`, `ModelMisconfigured`."""

    name: str

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """One score a text, in the order of `texts`; higher is better."""
        ...

    async def close(self) -> None: ...
