"""A query and an audience in, numbered passages out: search, rerank, and the last check of who may read what.

Files of the conversation are ranked beside the index, by the index's own lexical weights, and come first.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bot.model import Passage
from ingest.index.interface import Hit, ModelMisconfigured, ModelUnavailable, Reranker
from ingest.index.lexical import Averages, encode_document, encode_query, lengths
from ingest.model import Chunk, ChunkId, Readers

KEPT_FOR_INDEX = 2
"""Passages that files of the conversation leave to the index when it has found any."""

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

    async def retrieve(
        self, query: str, *, visible_to: Readers, language: str | None, attached: Sequence[Chunk] = ()
    ) -> Retrieved:
        """At most the configured number of passages that `visible_to` may read, those `attached` first.

        A dense leg or reranker that is down is left out, with a notice. Raises `IndexUnavailable`, `IndexMismatch`.
        """
        hits, notices = await self._search(query, visible_to, language)
        hits, more = await self._rerank(query, hits)
        # The index may be before or behind the ledger for as long as one commit group takes, and after an accident.
        allowed = await self._readable({hit.chunk.id for hit in hits}, visible_to)
        kept = [hit for hit in hits if hit.chunk.id in allowed]
        best = await asyncio.to_thread(ranked, query, attached, language)
        had = {_words(chunk) for chunk, _ in best}
        found = [hit for hit in _distinct(kept) if _words(hit.chunk) not in had]
        own = best[: max(1, self._passages - min(KEPT_FOR_INDEX, len(found)))]
        chosen = [*own, *((hit.chunk, hit.score) for hit in found)][: self._passages]
        passages = tuple(
            Passage(number=number, chunk=chunk, score=score) for number, (chunk, score) in enumerate(chosen, start=1)
        )
        return Retrieved(passages=passages, notices=notices + more)

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


def ranked(query: str, chunks: Sequence[Chunk], language: str | None) -> list[tuple[Chunk, float]]:
    """`chunks` with their scores, best first, of equals the earlier one: BM25 as in `ingest.index.lexical`.

    Blocks for about half a millisecond a chunk.
    """
    counted = [lengths(chunk.indexed_text, chunk.language) for chunk in chunks]
    size = max(1, len(chunks))
    averages = Averages(
        words=sum(words for words, _ in counted) / size, grams=sum(grams for _, grams in counted) / size
    )
    vectors = [encode_document(chunk.indexed_text, chunk.language, averages, heading=chunk.heading) for chunk in chunks]
    weights = [dict(zip(vector.indices, vector.values, strict=True)) for vector in vectors]
    holding = Counter(term for weight in weights for term in weight)
    asked = encode_query(query, language)
    worth = {
        term: value * math.log(1 + (len(chunks) - holding[term] + 0.5) / (holding[term] + 0.5))
        for term, value in zip(asked.indices, asked.values, strict=True)
    }
    scores = [sum(worth[term] * weight[term] for term in worth.keys() & weight.keys()) for weight in weights]
    order = sorted(range(len(chunks)), key=lambda place: (-scores[place], place))
    return [(chunks[place], scores[place]) for place in order]


def _distinct(hits: Sequence[Hit]) -> list[Hit]:
    """The first of each group of chunks with the same words: a page kept in two places is one source."""
    first: dict[str, Hit] = {}
    for hit in hits:
        first.setdefault(_words(hit.chunk), hit)
    return list(first.values())


def _words(chunk: Chunk) -> str:
    return " ".join(chunk.text.split())
