"""What is measured of one question: of its ranking here, of its answer in `answers`; and what the measures are called.

Rankings are of documents: one stands where its first chunk stands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

Grades = Mapping[str, int]
"""Document -> how relevant it is, above 0."""


def recall_at(depth: int) -> Callable[[Sequence[str], Grades], float]:
    """Share of the relevant documents among the first `depth`."""
    return lambda ranking, grades: len(set(ranking[:depth]) & grades.keys()) / len(grades)


def reciprocal_rank(ranking: Sequence[str], grades: Grades) -> float:
    """1 / place of the first relevant document among the first ten, else 0 (MRR@10)."""
    return next((1 / place for place, document in enumerate(ranking[:10], start=1) if document in grades), 0.0)


def ndcg(ranking: Sequence[str], grades: Grades) -> float:
    """nDCG@10 with gain = grade and discount = 1 / log2(place + 1), as trec_eval computes it."""
    gained = sum(grades.get(document, 0) / math.log2(place + 1) for place, document in enumerate(ranking[:10], start=1))
    best = sorted(grades.values(), reverse=True)[:10]
    return gained / sum(grade / math.log2(place + 1) for place, grade in enumerate(best, start=1))


OF_RANKINGS: Mapping[str, Callable[[Sequence[str], Grades], float]] = {
    "recall@1": recall_at(1),
    "recall@5": recall_at(5),
    "recall@10": recall_at(10),
    "MRR@10": reciprocal_rank,
    "nDCG@10": ndcg,
}
"""Over the questions that have a relevant document."""

OF_ANSWERS: Mapping[str, tuple[Literal["higher", "lower"], str]] = {
    "answered": ("higher", "answerable questions that were answered"),
    "over-refusal": ("lower", "answerable questions that were refused"),
    "refused": ("higher", "unanswerable questions that were refused"),
    "wrongly answered": ("lower", "unanswerable questions that were answered"),
    "gold first": ("higher", "answerable questions whose first citation is of a relevant document"),
    "gold answer": ("higher", "questions with gold answers whose answer holds one of them"),
    "relevant cited": ("higher", "of the relevant documents of an answered question, those cited"),
    "citation precision": ("higher", "of the citations of an answered question, those of a relevant document"),
    "citations exist": ("higher", "of the numbers in an answer, those of a passage"),
    "cites": ("higher", "answers from documents with at least one citation"),
    "sentences cited": ("higher", "of the sentences of an answer from documents, those with a citation"),
    "right language": ("higher", "texts, of answers and refusals, in the language of the question"),
    "unreadable": ("lower", "questions with a passage, cited or named as near, that the asker may not read"),
    "failed": ("lower", "questions that ended in an error"),
    "judged correct": ("higher", "answerable questions whose answer the judge finds correct"),
    "judged complete": ("higher", "how much of what was asked it answers, by the judge"),
    "judged invented": ("lower", "answers in which the judge finds what no passage says"),
}
"""Measure -> which way is better, and what it is the share of."""

COSTS: Mapping[str, str] = {
    "seconds": "from question to whole answer",
    "own seconds": "of these, outside calls of models and searches",
    "calls": "of chat models",
    "tokens": "read and written by chat models",
}


def lower_is_better(measure: str) -> bool:
    return OF_ANSWERS.get(measure, ("higher", ""))[0] == "lower"


def of_ranking(ranking: Sequence[str], grades: Grades) -> dict[str, float]:
    """Every measure of a ranking; none without a relevant document. A ranking that is missing is an empty one."""
    return {name: measure(ranking, grades) for name, measure in OF_RANKINGS.items()} if grades else {}
