"""Two runs over the same questions: which measures moved, whether by more than chance, and on which questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.evaluation.intervals import Difference, difference
from bot.evaluation.measures import COSTS, OF_ANSWERS, OF_RANKINGS, lower_is_better
from bot.evaluation.report import summed_up
from bot.evaluation.results import Result, SetResults
from ingest.errors import ConfigurationError

NAMED = 10
"""Questions named of each measure that regressed; JSON has them all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """A question that one measure finds worse than before."""

    id: str
    text: str
    before: float
    after: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One measure in two runs."""

    difference: Difference
    """Turned round where lower is better: above 0 is better."""
    regressed: bool
    worse: tuple[Moved, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One set in two runs."""

    name: str
    questions: int
    """In both runs."""
    tolerance: float
    changes: Mapping[str, Change]
    costs: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Cost -> median before and after. They depend on machine and gateway, so they are told and not tested."""

    @property
    def regressed(self) -> bool:
        return any(change.regressed for change in self.changes.values())


def compare(before: Sequence[SetResults], after: Sequence[SetResults], *, tolerance: float = 0.0) -> list[Comparison]:
    """Every set of `after` against the one of the same name in `before`.

    A measure regressed when it is significantly worse (the whole 95 % interval of the paired difference lies below 0)
    and may be worse by more than `tolerance` points of percent (the lower bound lies below minus that). Raises
    `ConfigurationError` when the runs have nothing in common.
    """
    earlier = {kept.name: kept for kept in before}
    comparisons = []
    for kept in after:
        old = earlier.get(kept.name)
        if old is None:
            raise ConfigurationError(
                f"{kept.name}: the other run has no set of this name, it has {', '.join(map(repr, earlier)) or 'none'}"
            )
        comparisons.append(_compared(old, kept, tolerance))
    return comparisons


def _compared(old: SetResults, new: SetResults, tolerance: float) -> Comparison:
    known = {result.id: result for result in old.results}
    pairs = [(known[result.id], result) for result in new.results if result.id in known]
    if not pairs:
        raise ConfigurationError(f"{new.name}: the two runs have no question in common")
    names = [*OF_RANKINGS, *OF_ANSWERS]
    if old.judge != new.judge:
        names = [name for name in names if not name.startswith("judged")]
    costs_before, costs_after = summed_up(old).costs, summed_up(new).costs
    return Comparison(
        name=new.name,
        questions=len(pairs),
        tolerance=tolerance,
        changes={name: change for name in names if (change := _change(name, pairs, tolerance))},
        costs={
            name: (costs_before[name].p50, costs_after[name].p50)
            for name in COSTS
            if name in costs_before and name in costs_after
        },
    )


def _change(name: str, pairs: Sequence[tuple[Result, Result]], tolerance: float) -> Change | None:
    both = [(old, new) for old, new in pairs if name in old.measures and name in new.measures]
    if not both:
        return None
    sign = -1.0 if lower_is_better(name) else 1.0
    before = [sign * old.measures[name] for old, _ in both]
    after = [sign * new.measures[name] for _, new in both]
    found = difference(before, after)
    return Change(
        difference=found,
        regressed=found.high < 0 and found.low < -tolerance,
        worse=tuple(
            Moved(id=new.id, text=new.text, before=old.measures[name], after=new.measures[name])
            for (old, new), was, now in zip(both, before, after, strict=True)
            if now < was
        ),
    )


def table(comparison: Comparison) -> str:
    """The comparison as a Markdown table, with the questions that got worse where a measure regressed."""
    lines = [
        f"| {comparison.name}: {comparison.questions} questions in both runs"
        " | better by | 95 % interval | better | worse | same | |",
        "|---" * 7 + "|",
    ]
    for name, change in comparison.changes.items():
        found = change.difference
        verdict = "**regressed**" if change.regressed else "better" if found.low > 0 else ""
        lines.append(
            f"| {name} | {found.mean:+.2f} | [{found.low:+.2f}, {found.high:+.2f}]"
            f" | {found.better} | {found.worse} | {found.same} | {verdict} |"
        )
    if comparison.costs:
        told = (f"{name} {before:.4g} → {after:.4g}" for name, (before, after) in comparison.costs.items())
        lines += ["", "median cost of a question: " + ", ".join(told)]
    for name, change in comparison.changes.items():
        if change.regressed:
            lines += ["", f"worse in {name}:"]
            lines += [
                f"  {moved.id}  {moved.before:g} → {moved.after:g}  {moved.text}" for moved in change.worse[:NAMED]
            ]
            if len(change.worse) > NAMED:
                lines.append(f"  and {len(change.worse) - NAMED} more (`--json` names them all)")
    return "\n".join(lines)
