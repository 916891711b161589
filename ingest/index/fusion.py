"""One ranking out of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingest.index.interface import Ranked
from ingest.model import ChunkId


def fuse(legs: Mapping[str, Sequence[Ranked]], weights: Mapping[str, float]) -> list[tuple[ChunkId, float]]:
    """Weighted sum of each leg's scores, scaled to 0..1 within the leg; best first, equal scores by id.

    A chunk that a leg did not rank gets 0 from it.
    """
    total: dict[ChunkId, float] = {}
    for leg, ranking in legs.items():
        weight = weights[leg] if len(legs) > 1 else 1.0
        for id, score in _scaled(ranking).items():
            total[id] = total.get(id, 0.0) + weight * score
    return sorted(total.items(), key=lambda item: (-item[1], item[0]))


def _scaled(ranking: Sequence[Ranked]) -> dict[ChunkId, float]:
    if not ranking:
        return {}
    scores = [ranked.score for ranked in ranking]
    low, high = min(scores), max(scores)
    return {ranked.id: (ranked.score - low) / (high - low) if high > low else 1.0 for ranked in ranking}
