"""What a set measured, summed up and as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.evaluation.intervals import Measured, measured
from bot.evaluation.measures import COSTS, OF_ANSWERS, OF_RANKINGS
from bot.evaluation.results import Result, SetResults
from ingest.errors import ConfigurationError

IN_SLICES = (
    "answered",
    "refused",
    "gold first",
    "gold answer",
    "citation precision",
    "sentences cited",
    "right language",
)
"""Measures of answers that the tables of slices have room for."""

SHOWN_SLICES = 15
"""Rows of such a table, those with the most questions; JSON has them all."""

Measures = Mapping[str, Measured]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Median and 95th percentile over questions."""

    p50: float
    p95: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a set measured."""

    name: str
    queries: int
    """Those with a relevant document."""
    measures: Measures
    seconds: float
    by_language: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    """Language -> queries and recall@5, where the set names languages."""
    slices: Mapping[str, Mapping[str, Measures]] = field(default_factory=dict)
    """Kind of slice -> slice -> measures, where there is more than one of the kind."""
    costs: Mapping[str, Cost] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    """How the questions ended, where answers were asked for."""
    judge: str | None = None


def summed_up(kept: SetResults) -> Report:
    """The report on a set. Raises `ConfigurationError` when nothing of it could be measured."""
    measures = _measures(kept.results)
    if not measures:
        raise ConfigurationError(f"{kept.name}: no query has a relevant document in qrels/test.tsv")
    slices: dict[str, dict[str, Measures]] = {}
    for kind in sorted({kind for result in kept.results for kind in result.slices}):
        counts = Counter(result.slices[kind] for result in kept.results if kind in result.slices)
        if len(counts) > 1:
            slices[kind] = {
                name: found
                for name, _ in counts.most_common()
                if (found := _measures([result for result in kept.results if result.slices.get(kind) == name]))
            }
    recalls: dict[str, list[float]] = {}
    for result in kept.results:
        if "language" in result.slices and "recall@5" in result.measures:
            recalls.setdefault(result.slices["language"], []).append(result.measures["recall@5"])
    return Report(
        name=kept.name,
        queries=measures["recall@5"].questions if "recall@5" in measures else 0,
        measures=measures,
        seconds=kept.seconds,
        by_language={code: (len(found), 100 * sum(found) / len(found)) for code, found in sorted(recalls.items())},
        slices=slices,
        costs={name: _cost(values) for name in COSTS if (values := _values(kept.results, name))},
        outcomes=dict(Counter(result.answer.outcome for result in kept.results if result.answer is not None)),
        judge=kept.judge,
    )


def _measures(results: Sequence[Result]) -> dict[str, Measured]:
    return {
        name: measured(values)
        for name in (*OF_RANKINGS, *OF_ANSWERS)
        if (values := [result.measures[name] for result in results if name in result.measures])
    }


def _values(results: Sequence[Result], cost: str) -> list[float]:
    return [result.costs[cost] for result in results if cost in result.costs]


def _cost(values: Sequence[float]) -> Cost:
    p50, p95 = np.quantile(np.asarray(values, dtype=np.float64), (0.5, 0.95))
    return Cost(p50=float(p50), p95=float(p95))


def rankings(report: Report) -> str:
    """The rankings as Markdown tables, followed by one `recall@5 NN.NN` line; empty when none was measured."""
    names = [name for name in OF_RANKINGS if name in report.measures]
    if not names:
        return ""
    rate = f"{report.queries / report.seconds:.0f}" if report.seconds else "–"
    lines = [
        f"| {report.name} | " + " | ".join(names) + " | queries/s |",
        "|---" * (len(names) + 2) + "|",
        f"| {report.queries} queries | " + " | ".join(str(report.measures[name]) for name in names) + f" | {rate} |",
    ]
    for kind, slices in report.slices.items():
        lines += _slices(kind, slices, names)
    return "\n".join([*lines, "", f"recall@5 {report.measures['recall@5'].mean:.2f}"])


def answers(report: Report) -> str:
    """The answers as Markdown tables: every measure, what they cost, how they ended, the slices."""
    lines = [f"| {report.name}: answers | % | questions | what it is | better |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {found} | {found.questions} | {OF_ANSWERS[name][1]} | {OF_ANSWERS[name][0]} |"
        for name, found in report.measures.items()
        if name in OF_ANSWERS
    ]
    if report.judge:
        lines += ["", f"judged by {report.judge}"]
    lines += ["", "| cost of a question | median | p95 | what it is |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {_number(name, cost.p50)} | {_number(name, cost.p95)} | {COSTS[name]} |"
        for name, cost in report.costs.items()
    ]
    lines += ["", "outcomes: " + ", ".join(f"{name} {count}" for name, count in sorted(report.outcomes.items()))]
    for kind, slices in report.slices.items():
        lines += _slices(kind, slices, [name for name in IN_SLICES if name in report.measures])
    return "\n".join(lines)


def _number(cost: str, value: float) -> str:
    return f"{value:.3f}" if "seconds" in cost else f"{value:,.0f}"


def _slices(kind: str, slices: Mapping[str, Measures], names: Sequence[str]) -> list[str]:
    """A table of one kind of slice, after an empty line; none where no slice has any of the measures."""
    rows = [(name, found) for name, found in slices.items() if any(measure in found for measure in names)]
    if not rows:
        return []
    lines = ["", f"| {kind} | questions | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for name, found in rows[:SHOWN_SLICES]:
        cells = [f"{found[measure].mean:.1f}" if measure in found else "–" for measure in names]
        most = max(found[measure].questions for measure in names if measure in found)
        lines.append(f"| {name} | {most} | " + " | ".join(cells) + " |")
    if len(rows) > SHOWN_SLICES:
        lines.append(f"| {len(rows) - SHOWN_SLICES} more |" + " |" * (len(names) + 1))
    return lines
