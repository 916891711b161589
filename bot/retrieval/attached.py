"""Files of the conversation beside the index: ranked by the index's own lexical weights, and put first."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from ingest.index.lexical import Averages, encode_document, encode_query, lengths
from ingest.model import Chunk

KEPT_FOR_INDEX = 2
"""Passages that files of the conversation leave to the index when it has found any."""


def ranked(query: str, chunks: Sequence[Chunk], language: str | None) -> list[tuple[Chunk, float]]:
    """`chunks` with their scores, best first, of equals the earlier one: BM25 as in `ingest.index.lexical`.

    Blocks for about half a millisecond a chunk.
    """
    if not chunks:
        return []
    counted = [lengths(chunk.indexed_text, chunk.language) for chunk in chunks]
    size = len(chunks)
    averages = Averages(
        words=sum(words for words, _ in counted) / size, grams=sum(grams for _, grams in counted) / size
    )
    vectors = [encode_document(chunk.indexed_text, chunk.language, averages, heading=chunk.heading) for chunk in chunks]
    weights = [dict(zip(vector.indices, vector.values, strict=True)) for vector in vectors]
    holding = Counter(term for weight in weights for term in weight)
    asked = encode_query(query, language)
    worth = {
        term: value * math.log(1 + (size - holding[term] + 0.5) / (holding[term] + 0.5))
        for term, value in zip(asked.indices, asked.values, strict=True)
    }
    scores = [sum(worth[term] * weight[term] for term in worth.keys() & weight.keys()) for weight in weights]
    order = sorted(range(size), key=lambda place: (-scores[place], place))
    return [(chunks[place], scores[place]) for place in order]


def leading(own: Sequence[tuple[Chunk, float]], *, found: int, passages: int) -> list[tuple[Chunk, float]]:
    """Those of the ranked `own` chunks that go before the `found` hits of the index, of `passages` in all."""
    return list(own[: max(1, passages - min(KEPT_FOR_INDEX, found))])
