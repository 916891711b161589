"""Scores passages for a question: by a `/rerank` endpoint, or by a cross-encoder in this process."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import httpx
from pydantic import BaseModel, FiniteFloat

from ingest.chunk import estimate_tokens
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


QUERY_SHARE = 0.5
"""Most of a pair's tokens that the question may take."""

PAIR_TOKENS = 4
"""What a reranker puts around question and passage."""


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
        self._max_tokens = settings.max_tokens
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
        """A text that the server left out of its answer gets the lowest score that is in it.

        Texts are cut to `max_tokens` here, by estimate: a server cuts at what the model can take, which may be many
        times what it was trained on, or refuses.
        """
        if not texts:
            return []
        query = _cut(query, int(self._max_tokens * QUERY_SHARE))
        room = self._max_tokens - estimate_tokens(query) - PAIR_TOKENS
        body = {
            "model": self.name,
            "query": query,
            "documents": [_cut(text, room) for text in texts],
            "top_n": len(texts),
        }
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
        self._model = LocalModel(settings.local, section=SECTION, load=partial(_load, max_tokens=settings.max_tokens))
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


def _cut(text: str, tokens: int) -> str:
    """The beginning of `text` that takes at most about so many tokens."""
    while text and (needed := estimate_tokens(text)) > tokens:
        text = text[: len(text) * tokens // needed]
    return text


def _load(local: str, *, max_tokens: int) -> Any:
    """A model that cuts pairs at its own length, at `max_tokens` where it would take more."""
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(local, local_files_only=True)
    model.tokenizer.model_max_length = min(model.tokenizer.model_max_length, max_tokens)
    return model
