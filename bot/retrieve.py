"""A query and an audience in, numbered passages out: search, rerank, and the last check of who may read what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bot.model import Passage
from ingest.index.interface import Hit, ModelMisconfigured, ModelUnavailable, Reranker
from ingest.model import ChunkId, Readers

Readable = Callable[[Iterable[ChunkId], Readers], Awaitable[set[ChunkId]]]
"""Which of these chunks the ledger, the system of record, has and lets the holder of these tokens read now."""


class Searchable(Protocol):
    """The part of `ingest.index.hybrid.Index` that a question needs."""

    async def search(
        self, text: str, *, visible_to: Readers, language: str | None, limit: int, lexical_only: bool = False
    ) -> list[Hit]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Retrieved:
    """Passages, best first, and what was done otherwise than configured."""

    passages: tuple[Passage, ...]
    notices: tuple[str, ...] = ()


class Retriever:
    """Finds what an audience may read about a query."""

    def __init__(
        self, index: Searchable, *, readable: Readable, reranker: Reranker | None, candidates: int, passages: int
    ) -> None:
        self._index = index
        self._readable = readable
        self._reranker = reranker
        self._candidates = max(candidates, passages) if reranker else passages * 2
        self._passages = passages

    async def retrieve(self, query: str, *, visible_to: Readers, language: str | None) -> Retrieved:
        """At most the configured number of passages that `visible_to` may read.

        A dense leg or reranker that is down is left out, with a notice. Raises `IndexUnavailable`, `IndexMismatch`.
        """
        hits, notices = await self._search(query, visible_to, language)
        hits, more = await self._rerank(query, hits)
        # The index may be before or behind the ledger for as long as one commit group takes, and after an accident.
        allowed = await self._readable({hit.chunk.id for hit in hits}, visible_to)
        kept = [hit for hit in hits if hit.chunk.id in allowed]
        passages = [
            Passage(number=number, chunk=hit.chunk, score=hit.score)
            for number, hit in enumerate(_distinct(kept)[: self._passages], start=1)
        ]
        return Retrieved(passages=tuple(passages), notices=notices + more)

    async def _search(self, query: str, visible_to: Readers, language: str | None) -> tuple[list[Hit], tuple[str, ...]]:
        limit = self._candidates
        try:
            return await self._index.search(query, visible_to=visible_to, language=language, limit=limit), ()
        except (ModelUnavailable, ModelMisconfigured) as error:
            hits = await self._index.search(
                query, visible_to=visible_to, language=language, limit=limit, lexical_only=True
            )
            return hits, (f"searched by words alone: {error}",)

    async def _rerank(self, query: str, hits: list[Hit]) -> tuple[list[Hit], tuple[str, ...]]:
        if self._reranker is None or not hits:
            return hits, ()
        try:
            return await rerank(self._reranker, query, hits), ()
        except (ModelUnavailable, ModelMisconfigured) as error:
            return hits, (f"fused order kept: {error}",)


async def rerank(reranker: Reranker, query: str, hits: Sequence[Hit]) -> list[Hit]:
    """`hits` by the reranker's scores, best first. Raises `ModelUnavailable`, `ModelMisconfigured`."""
    scores = await reranker.scores(query, [hit.chunk.indexed_text for hit in hits])
    scored = [
        replace(hit, score=score, legs={**hit.legs, "reranker": score}) for hit, score in zip(hits, scores, strict=True)
    ]
    return sorted(scored, key=lambda hit: (-hit.score, hit.chunk.id))


def _distinct(hits: Sequence[Hit]) -> list[Hit]:
    """The first of each group of chunks with the same words: a page kept in two places is one source."""
    first: dict[str, Hit] = {}
    for hit in hits:
        first.setdefault(" ".join(hit.chunk.text.split()), hit)
    return list(first.values())
