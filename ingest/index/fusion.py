"""One ranking out of several legs: each scaled to 0..1 between its last and its best, then weighed.

A chunk's lexical score is the best that a lexical leg gives it, its dense score the best of a dense leg, and the two
are added by the share of the dense one. A question may come as several texts: as it was typed, as it stands alone,
translated. Every text after the first weighs `FURTHER`; a lexical leg counts `FOREIGN` where it is not in the language
of the chunk and another leg is; and where no lexical leg is, words say little and the dense share is at least
`FOREIGN_SHARE`.

All of it was chosen on question sets (`docs/measurements.md`), the dense share with a small English embedding model: at
0.3, English recall@1 rises from 95.1 to 95.9, and where the model does not cover the language little is lost (Spanish
94.5 to 93.2). Reciprocal ranks give a hopeless leg's first place as much as a good one's: 92.6, 88.2 and 75.1 there
with k = 2, 5 and 60. Scaling by mean and standard deviation (DBSF) gives whatever a leg ranks at all a part of its
weight: 93.9 there, but with documents in four languages German recall@5 is 98.3 instead of 98.7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ingest.index.interface import Ranked
from ingest.model import ChunkId

FURTHER = 0.9
"""What a text after the first weighs. Of equally good paragraphs in five languages the one in the question's own comes
first as often as without translations (95.8, 92.8, 94.8, 93.8 and 91.0 %; at a weight of 1 a third as often), and a
question that was put wrongly is still found as it was typed (recall@5 of 97.5, at 0.5 of 86.5)."""

FOREIGN = 0.5
"""What a lexical leg in another language than the chunk's counts beside one that is in it: a German question over
English paragraphs, translated, finds as much as the English one (recall@1 of 95.5); at 1 its own words outbid the
translation (79.0). 0.3 does as well."""

FOREIGN_SHARE = 0.5
"""Least dense share for a chunk in the language of no lexical leg. For German questions over English paragraphs and a
model that understands both equally (the question's English twin stands for that) recall@1 and @5 rise from 71.0 and
87.8 to 80.2 and 97.8; with a model that knows English alone they stay at 60 and 80. At 0.6 the former gains 1.7 more at
recall@5, the latter loses 3."""


UNTOLD = "und"
"""`Chunk.language` of a text whose language cannot be told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leg:
    """How one text ranks the chunks by its words, or by its meaning."""

    name: str
    """Kind and, of a text after the first, its label: `lexical`, `dense`, `lexical:de`."""
    query: str
    language: str | None
    """Of the query; None when it cannot be told."""
    ranking: Sequence[Ranked]

    @property
    def lexical(self) -> bool:
        return self.name.partition(":")[0] == "lexical"

    @property
    def weight(self) -> float:
        return FURTHER if ":" in self.name else 1.0


def fuse(
    legs: Sequence[Leg], *, dense_share: float, languages: Mapping[ChunkId, str] | None = None
) -> list[tuple[ChunkId, float]]:
    """Every ranked chunk with its score, best first, equal scores by id.

    A chunk that a leg did not rank gets 0 from it. `languages` are those of the chunks; without them each chunk counts
    as in the language of every leg, and one that they lack is dropped.
    """
    lexical = _best([leg for leg in legs if leg.lexical], languages)
    dense = _best([leg for leg in legs if not leg.lexical], None)
    spoken = {leg.language for leg in legs if leg.lexical}
    foreign_share = max(dense_share, FOREIGN_SHARE) if dense_share > 0 else 0.0
    total: dict[ChunkId, float] = {}
    for id in lexical.keys() | dense.keys():
        if languages is not None and id not in languages:
            continue
        at_home = languages is None or None in spoken or languages[id] in spoken or languages[id] == UNTOLD
        share = 0.0 if not dense else 1.0 if not lexical else dense_share if at_home else foreign_share
        total[id] = (1 - share) * lexical.get(id, 0.0) + share * dense.get(id, 0.0)
    return sorted(total.items(), key=lambda item: (-item[1], item[0]))


def _best(legs: Sequence[Leg], languages: Mapping[ChunkId, str] | None) -> dict[ChunkId, float]:
    """The best score of each chunk over legs of one kind."""
    spoken = {leg.language for leg in legs}
    best: dict[ChunkId, float] = {}
    for leg in legs:
        counts = _counts(leg, spoken, languages)
        for id, score in _scaled(leg.ranking).items():
            best[id] = max(best.get(id, 0.0), leg.weight * counts(id) * score)
    return best


def _counts(leg: Leg, spoken: set[str | None], languages: Mapping[ChunkId, str] | None) -> Callable[[ChunkId], float]:
    """What `leg` counts for a chunk."""
    others = spoken - {leg.language}
    if languages is None or leg.language is None or not others:
        return lambda id: 1.0
    return lambda id: FOREIGN if languages.get(id) in others else 1.0


def _scaled(ranking: Sequence[Ranked]) -> dict[ChunkId, float]:
    if not ranking:
        return {}
    scores = [ranked.score for ranked in ranking]
    low, high = min(scores), max(scores)
    return {ranked.id: (ranked.score - low) / (high - low) if high > low else 1.0 for ranked in ranking}
