"""The index as writers and readers know it: texts in, hits out. Encodes, embeds, ranks by each leg and fuses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from types import TracebackType
from typing import Self

from ingest.index import lexical
from ingest.index.fusion import Leg, fuse
from ingest.index.interface import (
    Embedder,
    EmbeddingSettings,
    Hit,
    Identity,
    IndexDamaged,
    IndexMismatch,
    IndexMissing,
    IndexSettings,
    Point,
    Ranked,
    SparseVector,
    Store,
)
from ingest.index.schema import PIPELINE
from ingest.model import Chunk, ChunkId, Readers

POOL = 200
"""Candidates of each leg before fusion."""

LOOKED_AT = 2
"""Chunks whose language is looked up for each hit that is asked for, where the fusion weighs legs by language."""

IDENTITY_SECONDS = 10.0
"""How long what an index was built with is taken for known: another process may build it anew at any time."""

TYPICAL = lexical.Averages(words=200, grams=900)
"""Lengths assumed for an index that is made without a sample; of a chunk of about 400 tokens in a European language."""


def open_store(settings: IndexSettings, default_path: Path) -> Store:
    """The configured store: a server where there is an address, else the embedded engine in a folder.

    Touches neither folder nor network; the engines are imported here, because each takes a while to load.
    """
    if settings.url is not None:
        from ingest.index.server import ServerStore

        return ServerStore(settings.url, collection=settings.collection, api_key=settings.api_key)
    from ingest.index.edge import EdgeStore

    return EdgeStore(settings.path or default_path)


class Index:
    """One index and the models it was built with; `async with` closes both.

    A reader may search at once; a writer calls `prepare` first. Either compares what the index was built with against
    what is configured, and raises `IndexMismatch` before any text is compared across two models. Any call may raise
    what the store and the embedder raise: `IndexUnavailable`, `IndexDamaged`, `ModelUnavailable`, `ModelMisconfigured`.
    """

    def __init__(
        self,
        store: Store,
        *,
        embedder: Embedder | None = None,
        dense_weight: float = 0.3,
        dense_languages: Sequence[str] = (),
    ) -> None:
        """`dense_weight` and `dense_languages` as `EmbeddingSettings` has them."""
        self._store = store
        self._embedder = embedder
        self._dense_weight = dense_weight
        self._dense_languages = frozenset(dense_languages)
        self._owns_embedder = True
        self._identity: Identity | None = None
        self._known_until = 0.0

    @classmethod
    def of(cls, store: Store, embedder: Embedder | None, settings: EmbeddingSettings | None) -> Self:
        """An index with the weights and languages of the `models.embedding` section."""
        if settings is None:
            return cls(store, embedder=embedder)
        return cls(store, embedder=embedder, dense_weight=settings.weight, dense_languages=settings.languages)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def embedder_name(self) -> str | None:
        """Name of the embedding model; None when the index is lexical only."""
        return self._embedder.name if self._embedder else None

    async def prepare(self, sample: Sequence[Chunk] = ()) -> bool:
        """Make the index if there is none yet; True when it was made, and so is empty.

        `sample` is some of the chunks to come, for the average lengths. Raises `IndexMismatch`.
        """
        identity = await self._store.identity()
        if identity is None:
            await self._create(sample, replace=False)
            await self._checked()
            return True
        self._know(self._matching(identity))
        return False

    async def create(self, sample: Sequence[Chunk] = (), *, expecting: int = 0) -> None:
        """Make an empty index in place of whatever is there; `expecting` as in `Store.create`."""
        self._know(await self._create(sample, replace=True, expecting=expecting))

    async def _create(self, sample: Sequence[Chunk], *, replace: bool, expecting: int = 0) -> Identity:
        averages = await asyncio.to_thread(_averages, sample) if sample else TYPICAL
        identity = Identity(
            pipeline=PIPELINE,
            embedding=self.embedder_name,
            size=await self._embedder.size() if self._embedder else None,
            average_words=averages.words,
            average_grams=averages.grams,
        )
        await self._store.create(identity, replace=replace, expecting=expecting)
        return identity

    async def identity(self) -> Identity | None:
        """What the index was built with, whether or not it is what is configured; None when there is no index yet."""
        return await self._store.identity()

    async def is_as_configured(self) -> bool:
        """Whether there is an index, built as this program would build it now, down to the length of its vectors."""
        identity = await self._store.identity()
        size = await self._embedder.size() if self._embedder else None
        return identity is not None and (identity.pipeline, identity.embedding, identity.size) == (
            PIPELINE,
            self.embedder_name,
            size,
        )

    async def write(self, chunks: Sequence[Chunk], *, vectors: Mapping[ChunkId, Sequence[float]] | None = None) -> int:
        """Encode, embed and store; a chunk with a known id replaces the old one. Durable after `flush`.

        A chunk in `vectors` is not embedded, and equal texts are embedded once. How many texts were embedded.
        """
        if not chunks:
            return 0
        identity = await self._checked()
        averages = lexical.Averages(words=identity.average_words, grams=identity.average_grams)
        encoded = await asyncio.to_thread(_encode, chunks, averages)
        dense, embedded = await self._embedded(chunks, vectors or {}, identity)
        await self._store.upsert(
            [Point(chunk=c, lexical=v, dense=d) for c, v, d in zip(chunks, encoded, dense, strict=True)]
        )
        return embedded

    async def delete(self, ids: Sequence[ChunkId]) -> None:
        """Ids that are not there are no error."""
        await self._store.delete(ids)

    async def set_readers(self, ids: Sequence[ChunkId], readers: Readers) -> None:
        """Change who may read these chunks, without encoding them again. Ids that are not there are no error."""
        await self._store.set_readers(ids, readers)

    async def describe(self, chunks: Sequence[Chunk]) -> None:
        """Replace everything about these chunks but their vectors: for a change outside of `indexed_text`.

        Ids that are not there are no error.
        """
        await self._store.describe(chunks)

    async def flush(self) -> None:
        """Return when everything written before is durable."""
        await self._store.flush()

    async def search(
        self, text: str, *, visible_to: Readers, language: str | None, limit: int = 10, lexical_only: bool = False
    ) -> list[Hit]:
        """The best chunks for a question among those with a reader in `visible_to`, best first.

        `language` is the question's, None when it cannot be told. `lexical_only` leaves the embedding model out: for a
        caller who goes on without it after `ModelUnavailable`, or who asks an index of another model. Raises
        `IndexMissing` when there is no index yet.
        """
        legs = await self.rank(text, visible_to=visible_to, language=language, lexical_only=lexical_only)
        return await self.hits(legs, visible_to=visible_to, limit=limit)

    async def rank(
        self, text: str, *, visible_to: Readers, language: str | None, label: str = "", lexical_only: bool = False
    ) -> list[Leg]:
        """How the words of `text` rank the chunks, and its meaning where the embedding model covers `language`.

        `label` marks the legs of a text after the first one (see `fusion.Leg.name`). Parameters and errors otherwise
        as in `search`.
        """
        if not visible_to:
            return []
        identity = await self._checked(lexical_only=lexical_only)
        rankings = {"lexical": await self._rank_lexical(text, language, visible_to)}
        if self._embedder is not None and not lexical_only and self.covers(language):
            vector = self._fitting(await self._embedder.embed_query(text), identity)
            rankings["dense"] = await self._rank_dense(vector, visible_to)
        return [
            Leg(name=f"{kind}:{label}" if label else kind, query=text, language=language, ranking=ranking)
            for kind, ranking in rankings.items()
        ]

    async def hits(self, legs: Sequence[Leg], *, visible_to: Readers, limit: int) -> list[Hit]:
        """The best chunks of all `legs` together, best first, without those that `visible_to` may not read."""
        if len(legs) < 2:
            best = fuse(legs, dense_share=self._dense_weight)[:limit]
            chunks = await self._readable_chunks([id for id, _ in best], visible_to)
        else:
            # The score without languages is about as high as it gets, so the best lie in its beginning.
            near = fuse(legs, dense_share=self._dense_weight)[: limit * LOOKED_AT]
            chunks = await self._readable_chunks([id for id, _ in near], visible_to)
            languages = {id: chunk.language for id, chunk in chunks.items()}
            best = fuse(legs, dense_share=self._dense_weight, languages=languages)[:limit]
        scores = [(leg.name, {ranked.id: ranked.score for ranked in leg.ranking}) for leg in legs]
        return [
            Hit(chunk=chunks[id], score=score, legs={leg: known[id] for leg, known in scores if id in known})
            for id, score in best
            if id in chunks
        ]

    def covers(self, language: str | None) -> bool:
        """Whether the embedding model, if there is one, is asked about questions in that language."""
        return not self._dense_languages or language is None or language in self._dense_languages

    async def count(self) -> int:
        """Exact number of chunks."""
        return await self._store.count()

    async def chunks(self, ids: Iterable[ChunkId]) -> list[Chunk]:
        """Those of `ids` that are there, in no promised order."""
        return await self._store.chunks(ids)

    async def vectors(self, ids: Iterable[ChunkId]) -> dict[ChunkId, Sequence[float]]:
        """Dense vectors of those of `ids` that are there; none from an index without an embedding model."""
        return await self._store.vectors(ids)

    def scroll(self) -> AsyncIterator[list[Chunk]]:
        """Every chunk, in pages."""
        return self._store.scroll()

    def draft(self) -> Index:
        """The next generation, with the same embedder, which stays open when this index closes (see `Store.draft`)."""
        return self._beside(self._store.draft())

    async def previous(self) -> Index | None:
        """The generation that was in use before, if there is one, with the same embedder (see `Store.previous`)."""
        store = await self._store.previous()
        return None if store is None else self._beside(store)

    async def publish(self) -> None:
        """Put this generation in use, and the one in use aside (see `Store.publish`)."""
        await self._store.publish()

    async def close(self) -> None:
        """Close the store, and the embedder unless it is another index's."""
        try:
            await self._store.close()
        finally:
            if self._embedder is not None and self._owns_embedder:
                await self._embedder.close()

    def _beside(self, store: Store) -> Index:
        index = Index(
            store,
            embedder=self._embedder,
            dense_weight=self._dense_weight,
            dense_languages=tuple(self._dense_languages),
        )
        index._owns_embedder = False
        return index

    async def _embedded(
        self, chunks: Sequence[Chunk], known: Mapping[ChunkId, Sequence[float]], identity: Identity
    ) -> tuple[list[Sequence[float] | None], int]:
        """The vector of each chunk, and how many texts were embedded for that."""
        if self._embedder is None:
            return [None] * len(chunks), 0
        texts = list(dict.fromkeys(chunk.indexed_text for chunk in chunks if chunk.id not in known))
        fresh = dict(zip(texts, await self._embedder.embed_documents(texts), strict=True)) if texts else {}
        found = (known[chunk.id] if chunk.id in known else fresh[chunk.indexed_text] for chunk in chunks)
        return [self._fitting(vector, identity) for vector in found], len(texts)

    async def _rank_lexical(self, text: str, language: str | None, visible_to: Readers) -> list[Ranked]:
        vector = await asyncio.to_thread(lexical.encode_query, text, language)
        if not vector.indices:
            return []
        return await self._store.rank_lexical(vector, visible_to=visible_to, limit=POOL)

    async def _rank_dense(self, vector: Sequence[float], visible_to: Readers) -> list[Ranked]:
        try:
            return await self._store.rank_dense(vector, visible_to=visible_to, limit=POOL)
        except IndexDamaged:
            # Also said of a vector that does not fit, in an index that has just been built with another model.
            self._known_until = 0.0
            await self._checked()
            raise

    async def _readable_chunks(self, ids: Sequence[ChunkId], visible_to: Readers) -> dict[ChunkId, Chunk]:
        """Without what was deleted, or taken away from these readers, since it was ranked."""
        return {chunk.id: chunk for chunk in await self._store.chunks(ids) if chunk.readers & visible_to}

    def _fitting(self, vector: Sequence[float], identity: Identity) -> Sequence[float]:
        if len(vector) != identity.size:
            raise IndexMismatch(
                f"the index at {self._store.place!r} holds vectors of {identity.size} numbers, the embedding model"
                f" {self.embedder_name!r} now gives {len(vector)}; run `ingest reindex`"
            )
        return vector

    async def _checked(self, *, lexical_only: bool = False) -> Identity:
        if self._identity is not None and time.monotonic() < self._known_until:
            return self._identity
        identity = await self._store.identity()
        if identity is None:
            raise IndexMissing(f"there is no index at {self._store.place!r} yet; run `ingest sync`")
        if lexical_only and identity.embedding != self.embedder_name:
            self._refuse_other_pipeline(identity)
            return identity
        return self._know(self._matching(identity))

    def _know(self, identity: Identity) -> Identity:
        self._identity = identity
        self._known_until = time.monotonic() + IDENTITY_SECONDS
        return identity

    def _refuse_other_pipeline(self, identity: Identity) -> None:
        if identity.pipeline != PIPELINE:
            raise IndexMismatch(
                f"the index at {self._store.place!r} was built by pipeline {identity.pipeline}; this program is"
                f" pipeline {PIPELINE}; run `ingest reindex`"
            )

    def _matching(self, identity: Identity) -> Identity:
        self._refuse_other_pipeline(identity)
        if identity.embedding != self.embedder_name:
            raise IndexMismatch(
                f"the index at {self._store.place!r} was built with {_model(identity.embedding)}, the configuration has"
                f" {_model(self.embedder_name)}; run `ingest reindex` and start again what runs with an old"
                " configuration, or set `models.embedding` back"
            )
        return identity


def _model(name: str | None) -> str:
    return "no embedding model" if name is None else f"the embedding model {name!r}"


def _averages(sample: Iterable[Chunk]) -> lexical.Averages:
    lengths = [lexical.lengths(chunk.indexed_text, chunk.language) for chunk in sample]
    return lexical.Averages(words=fmean(words for words, _ in lengths), grams=fmean(grams for _, grams in lengths))


def _encode(chunks: Iterable[Chunk], averages: lexical.Averages) -> list[SparseVector]:
    return [
        lexical.encode_document(chunk.indexed_text, chunk.language, averages, heading=chunk.heading) for chunk in chunks
    ]
