"""The measures over a ranking, with intervals.

They are over the queries that have a relevant document, and over documents: one stands where its first chunk stands.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from bot.evaluation.sets import Run
from ingest.errors import ConfigurationError
from ingest.questions import QuestionSet

RESAMPLES = 1000
"""Bootstrap resamples behind each interval; the interval's own error is then below a tenth of its width."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Mean of a measure over queries, with its 95 % bootstrap interval, all in percent."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.2f} [{self.low:.1f}, {self.high:.1f}]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a set measured."""

    name: str
    queries: int
    measures: Mapping[str, Measured]
    seconds: float
    by_language: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    """Language -> queries and recall@5, where the set names languages."""


def recall_at(depth: int) -> Callable[[Sequence[str], Mapping[str, int]], float]:
    """Share of the relevant documents among the first `depth`."""
    return lambda ranking, grades: len(set(ranking[:depth]) & grades.keys()) / len(grades)


def reciprocal_rank(ranking: Sequence[str], grades: Mapping[str, int]) -> float:
    """1 / place of the first relevant document among the first ten, else 0 (MRR@10)."""
    return next((1 / place for place, document in enumerate(ranking[:10], start=1) if document in grades), 0.0)


def ndcg(ranking: Sequence[str], grades: Mapping[str, int]) -> float:
    """nDCG@10 with gain = grade and discount = 1 / log2(place + 1), as trec_eval computes it."""
    gained = sum(grades.get(document, 0) / math.log2(place + 1) for place, document in enumerate(ranking[:10], start=1))
    best = sorted(grades.values(), reverse=True)[:10]
    return gained / sum(grade / math.log2(place + 1) for place, grade in enumerate(best, start=1))


MEASURES: Mapping[str, Callable[[Sequence[str], Mapping[str, int]], float]] = {
    "recall@1": recall_at(1),
    "recall@5": recall_at(5),
    "recall@10": recall_at(10),
    "MRR@10": reciprocal_rank,
    "nDCG@10": ndcg,
}


def measure(questions: QuestionSet, run: Run, seconds: float = 0.0) -> Report:
    """Every measure over the queries that have a relevant document; a query that the run lacks counts as 0."""
    queries = [query for query in questions.queries if query.id in questions.relevant]
    if not queries:
        raise ConfigurationError(f"{questions.name}: no query has a relevant document in qrels/test.tsv")
    values = {
        name: [
            measured([document for document, _ in run.get(query.id, ())], questions.relevant[query.id])
            for query in queries
        ]
        for name, measured in MEASURES.items()
    }
    languages: dict[str, list[float]] = {}
    for query, recall in zip(queries, values["recall@5"], strict=True):
        if query.language:
            languages.setdefault(query.language, []).append(recall)
    return Report(
        name=questions.name,
        queries=len(queries),
        measures={name: _with_interval(found) for name, found in values.items()},
        seconds=seconds,
        by_language={code: (len(found), 100 * fmean(found)) for code, found in sorted(languages.items())},
    )


def _with_interval(values: Sequence[float]) -> Measured:
    """Percentile bootstrap (Efron 1979) with a fixed seed, so that the same run gives the same interval."""
    generator = random.Random(0)  # noqa: S311
    means = sorted(fmean(generator.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return Measured(
        mean=100 * fmean(values),
        low=100 * means[int(0.025 * RESAMPLES)],
        high=100 * means[int(0.975 * RESAMPLES) - 1],
    )


def table(report: Report) -> str:
    """The report as a Markdown table, followed by one `recall@5 NN.NN` line."""
    names = list(report.measures)
    rate = f"{report.queries / report.seconds:.0f}" if report.seconds else "–"
    lines = [
        f"| {report.name} | " + " | ".join(names) + " | queries/s |",
        "|---" * (len(names) + 2) + "|",
        f"| {report.queries} queries | " + " | ".join(map(str, report.measures.values())) + f" | {rate} |",
    ]
    if len(report.by_language) > 1:
        parts = (f"{code} {recall:.0f} ({count})" for code, (count, recall) in report.by_language.items())
        lines += ["", "recall@5 by language: " + ", ".join(parts)]
    return "\n".join([*lines, "", f"recall@5 {report.measures['recall@5'].mean:.2f}"])
