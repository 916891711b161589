"""Texts to vectors: by an OpenAI-compatible endpoint, or by a sentence-transformers model in this process."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import httpx
from pydantic import BaseModel

from ingest.index.endpoint import Endpoint
from ingest.index.interface import Embedder, EmbeddingSettings, ModelMisconfigured, ModelUnavailable
from ingest.index.local import LocalModel, well_formed

SECTION = "models.embedding"

QUERY_SECONDS = 5.0
"""Longest wait for the vector of a question: somebody waits for the answer, and words alone find passages, too."""

PROBE = "size"
"""What a model is asked to embed when only the length of its vectors is wanted."""


def open_embedder(settings: EmbeddingSettings | None) -> Embedder | None:
    """The configured embedder, or None where none is configured; touches neither network nor weights yet."""
    if settings is None:
        return None
    return LocalEmbedder(settings) if settings.local is not None else EndpointEmbedder(settings)


class _Vector(BaseModel):
    index: int | None = None
    embedding: list[float]


class _Vectors(BaseModel):
    data: list[_Vector]


class EndpointEmbedder:
    """`POST {base_url}/embeddings`, `batch_size` texts a request, `concurrency` requests at once over all calls."""

    def __init__(self, settings: EmbeddingSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        if settings.base_url is None or settings.model is None:
            raise ModelMisconfigured(f"{SECTION}: an endpoint needs `base_url` and `model`")
        self._settings = settings
        self._model = settings.model
        self._size = settings.size
        self.name = _named(settings.model, settings)
        self._endpoint = Endpoint(
            section=SECTION,
            base_url=settings.base_url,
            route="embeddings",
            model=settings.model,
            api_key=settings.api_key,
            timeout_seconds=settings.timeout_seconds,
            concurrency=settings.concurrency,
            transport=transport,
        )

    async def size(self) -> int:
        if self._size is None:
            self._size = len((await self._batch([PROBE]))[0])
        return self._size

    async def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        step = self._settings.batch_size
        prefixed = [self._settings.document_prefix + text for text in texts]
        try:
            async with asyncio.TaskGroup() as group:
                batches = [
                    group.create_task(self._batch(prefixed[start : start + step]))
                    for start in range(0, len(prefixed), step)
                ]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors.exceptions[0].__cause__
        return [vector for batch in batches for vector in batch.result()]

    async def embed_query(self, text: str) -> list[float]:
        seconds = min(QUERY_SECONDS, self._settings.timeout_seconds)
        try:
            async with asyncio.timeout(seconds):
                return (await self._batch([self._settings.query_prefix + text]))[0]
        except TimeoutError as error:
            raise ModelUnavailable(
                f"{self._endpoint.who} did not embed a question in {seconds:g} s; is it overloaded?"
            ) from error

    async def close(self) -> None:
        await self._endpoint.close()

    async def _batch(self, texts: Sequence[str]) -> list[list[float]]:
        # `encoding_format` is named because some gateways pass a missing one on as null, which servers refuse.
        body = {"model": self._model, "input": texts, "encoding_format": "float"}
        found = (await self._endpoint.post(body, _Vectors)).data
        if all(vector.index is not None for vector in found):
            found.sort(key=lambda vector: vector.index or 0)
        if len(found) != len(texts):
            raise ModelMisconfigured(
                f"{self._endpoint.who} answered {len(found)} vectors to {len(texts)} texts; "
                f"is it an embedding model that takes several texts a request? Else set {SECTION}.batch_size to 1"
            )
        self._size = _checked_size([vector.embedding for vector in found], self._size, self._endpoint.who)
        return [_unit(vector.embedding, self._endpoint.who) for vector in found]


class LocalEmbedder:
    """A `SentenceTransformer` from a folder or hub name.

    Where no prefix is configured, the model's own prompts for queries and documents apply. Documents use all cores,
    `batch_size` at a time and sorted by length by the library; a query uses one.
    """

    def __init__(self, settings: EmbeddingSettings) -> None:
        if settings.local is None:
            raise ModelMisconfigured(f"{SECTION}: a model in this process needs `local`: a folder or a hub name")
        self._settings = settings
        self._size = settings.size
        self._model = LocalModel(settings.local, section=SECTION, load=_load)
        self.name = _named(self._model.name, settings)

    async def size(self) -> int:
        if self._size is None:
            self._size = len(await self.embed_query(PROBE))
        return self._size

    async def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        if not texts:
            return []
        settings = self._settings
        wanted = [well_formed(text) for text in texts]

        def encode(model: Any) -> list[list[float]]:
            vectors = model.encode_document(
                wanted,
                prompt=settings.document_prefix or None,
                batch_size=settings.batch_size,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
            found: list[list[float]] = vectors.tolist()
            return found

        batches = math.ceil(len(wanted) / settings.batch_size)
        return self._checked(await self._model.run(encode, seconds=settings.timeout_seconds * batches))

    async def embed_query(self, text: str) -> list[float]:
        settings = self._settings

        def encode(model: Any) -> list[list[float]]:
            vectors = model.encode_query(
                [well_formed(text)],
                prompt=settings.query_prefix or None,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
            found: list[list[float]] = vectors.tolist()
            return found

        return self._checked(await self._model.run(encode, seconds=settings.timeout_seconds, one_thread=True))[0]

    async def close(self) -> None:
        self._model.close()

    def _checked(self, vectors: list[list[float]]) -> list[list[float]]:
        self._size = _checked_size(vectors, self._size, self._model.who)
        return vectors


def _load(local: str) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(local, local_files_only=True)


def _named(model: str, settings: EmbeddingSettings) -> str:
    """`model`, and the prefixes where there are any: vectors made with other prefixes cannot be compared."""
    if not (settings.query_prefix or settings.document_prefix):
        return model
    return f"{model} (query {settings.query_prefix!r}, document {settings.document_prefix!r})"


def _checked_size(vectors: Sequence[Sequence[float]], expected: int | None, who: str) -> int:
    """The one length of all `vectors`. Raises `ModelMisconfigured` when it is not `expected`."""
    size = len(vectors[0]) if expected is None else expected
    for vector in vectors:
        if len(vector) != size or size == 0:
            raise ModelMisconfigured(
                f"{who} made a vector of {len(vector)} numbers where {size} were expected; correct {SECTION}.size "
                "(or the model), then run `ingest reindex`"
            )
    return size


def _unit(vector: list[float], who: str) -> list[float]:
    """`vector` at length 1: most servers normalise, not all do."""
    norm = math.hypot(*vector)
    if not (math.isfinite(norm) and norm > 0):
        raise ModelUnavailable(f"{who} made a vector of length {norm}, which points nowhere; look at the server's log")
    return vector if abs(norm - 1) < 1e-4 else [value / norm for value in vector]
