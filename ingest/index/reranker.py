"""Scores passages for a question: by a `/rerank` endpoint, or by a cross-encoder in this process."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import httpx
from pydantic import BaseModel, FiniteFloat

from ingest.index.endpoint import Endpoint
from ingest.index.interface import ModelMisconfigured, ModelUnavailable, Reranker, RerankerSettings
from ingest.index.local import LocalModel, well_formed

SECTION = "models.reranker"

CONCURRENCY = 4
"""Requests in flight at once."""

BATCH = 32
"""Pairs that a model in this process scores at a time."""


def open_reranker(settings: RerankerSettings | None) -> Reranker | None:
    """The configured reranker, or None where none is configured; touches neither network nor weights yet."""
    if settings is None:
        return None
    return LocalReranker(settings) if settings.local is not None else EndpointReranker(settings)


class _Result(BaseModel):
    index: int
    relevance_score: FiniteFloat


class _Results(BaseModel):
    results: list[_Result]


class EndpointReranker:
    """`POST {base_url}/rerank` as Jina and Cohere define it, and vLLM, LiteLLM and Infinity serve it."""

    def __init__(self, settings: RerankerSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        if settings.base_url is None or settings.model is None:
            raise ModelMisconfigured(f"{SECTION}: an endpoint needs `base_url` and `model`")
        self.name = settings.model
        self._endpoint = Endpoint(
            section=SECTION,
            base_url=settings.base_url,
            route="rerank",
            model=settings.model,
            api_key=settings.api_key,
            timeout_seconds=settings.timeout_seconds,
            concurrency=CONCURRENCY,
            transport=transport,
        )

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """A text that the server left out of its answer gets the lowest score that is in it."""
        if not texts:
            return []
        body = {"model": self.name, "query": query, "documents": list(texts), "top_n": len(texts)}
        results = (await self._endpoint.post(body, _Results)).results
        found = {result.index: result.relevance_score for result in results}
        if not found or not found.keys() <= set(range(len(texts))):
            raise ModelUnavailable(
                f"{self._endpoint.who} scored texts {sorted(found)[:5]} of {len(texts)}; is `model` a reranker?"
            )
        lowest = min(found.values())
        return [found.get(index, lowest) for index in range(len(texts))]

    async def close(self) -> None:
        await self._endpoint.close()


class LocalReranker:
    """A `CrossEncoder` from a folder or hub name."""

    def __init__(self, settings: RerankerSettings) -> None:
        if settings.local is None:
            raise ModelMisconfigured(f"{SECTION}: a model in this process needs `local`: a folder or a hub name")
        self._timeout = settings.timeout_seconds
        self._model = LocalModel(settings.local, section=SECTION, load=_load)
        self.name = self._model.name

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        if not texts:
            return []
        pairs = [(well_formed(query), well_formed(text)) for text in texts]

        def predict(model: Any) -> Any:
            return model.predict(pairs, batch_size=BATCH, show_progress_bar=False).tolist()

        found = await self._model.run(predict, seconds=self._timeout)
        if isinstance(found[0], list):
            raise ModelMisconfigured(
                f"{self._model.who} gives {len(found[0])} numbers a pair, a reranker gives one; correct {SECTION}.local"
            )
        if not all(map(math.isfinite, found)):
            raise ModelUnavailable(f"{self._model.who} gave a score that is not a number; are its weights damaged?")
        scores: list[float] = found
        return scores

    async def close(self) -> None:
        self._model.close()


def _load(local: str) -> Any:
    from sentence_transformers import CrossEncoder

    return CrossEncoder(local, local_files_only=True)
