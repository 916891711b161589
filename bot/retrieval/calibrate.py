"""Learns the gate from labelled questions: a logistic regression over the evidence, and a threshold.

A question with what was found for it is an example of an answerable one; the same question with the documents that
answer it taken out of the hits is an example of one that is not, so that no set needs questions without an answer;
where it has some, they are examples too. What was learned is measured on the other half of the questions.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.retrieval.evidence import FEATURES, FOREIGN
from bot.retrieval.gate import Calibration
from bot.retrieval.interface import Evidence

RATES = (0.01, 0.02, 0.05, 0.10, 0.15)
"""Shares of answerable questions refused, at which the curve is told."""

FEWEST = 15
"""Examples of each kind in each half below which nothing is learned: one of them is 7 points."""

CONFIDENCE = 1.645
"""Standard errors by which the gate must be better than chance: a one-sided test at 5 %."""

RARE = 0.05
"""Share of searches that ended in another language, below which nothing is learned of those: a few questions whose
language was mistaken."""

RIDGE = 1.0
"""Weight of the squared coefficients beside the examples' likelihood, as of one example."""

STEPS = 50

HALVES = 50
"""Random halves over which a small set is measured once more: one half of 30 questions is one draw of many."""

SEED = 0
"""Of the draw of the halves."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """The evidence of one search, and whether what answers the question was among what it could find."""

    set: str
    language: str
    """Of the question, where the set says so; else empty."""
    answerable: bool
    annotated: bool = False
    """Of one that is not answerable: whether the set says so, rather than its answer taken away."""
    key: str
    """What is never on both sides: the document that answers the question, or its id."""
    evidence: Evidence


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One point of the curve, in shares; the threshold comes from the learned half."""

    wanted: float
    """Over-refusal that the threshold was chosen for."""
    over_refused: float
    """Of the answerable questions."""
    refused: float
    """Of the unanswerable ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """How a calibration does on examples that it was not learned from."""

    name: str
    answerable: int
    unanswerable: int
    area: float
    """Under the ROC curve: how often an answerable question is given more than an unanswerable one; 0.5 is chance."""
    points: tuple[Point, ...]

    @property
    def beats_chance(self) -> bool:
        """By the standard error of Hanley and McNeil, "The meaning and use of the area under a ROC curve" (1982)."""
        area, positives, negatives = self.area, self.answerable, self.unanswerable
        if not positives or not negatives:
            return False
        one, two = area / (2 - area), 2 * area**2 / (1 + area)
        variance = area * (1 - area) + (positives - 1) * (one - area**2) + (negatives - 1) * (two - area**2)
        return area - CONFIDENCE * math.sqrt(max(0.0, variance) / (positives * negatives)) > 0.5


def is_learned_from(key: str) -> bool:
    """Whether a question belongs to the half that is learned from; `key` is the document that answers it, or its id.

    By document, so that two questions about one paragraph never stand on both sides.
    """
    return hashlib.sha256(key.encode()).digest()[0] % 2 == 0


def by_legs(examples: Sequence[Example]) -> dict[tuple[str, ...], list[Example]]:
    """Examples by the features that they have: those of the legs that took part in the search."""
    groups: dict[tuple[str, ...], list[Example]] = defaultdict(list)
    for example in examples:
        groups[tuple(name for name in FEATURES if name in example.evidence.features)].append(example)
    return dict(groups)


def are_enough(examples: Sequence[Example]) -> bool:
    """Whether there are enough of both kinds to learn from, or to measure with."""
    answerable = sum(example.answerable for example in examples)
    return min(answerable, len(examples) - answerable) >= FEWEST


def learn(examples: Sequence[Example], *, configuration: str, over_refusal: float) -> Calibration:
    """A calibration from examples that all have the same features; the same ones give the same numbers.

    Every set weighs the same, and within it both kinds do.
    """
    features = next(iter(by_legs(examples)))
    at_home = [example for example in examples if not example.evidence.features[FOREIGN]]
    if len(examples) - len(at_home) < RARE * len(examples):
        examples = at_home
    values = np.array([[example.evidence.features[name] for name in features] for example in examples])
    answerable = np.array([example.answerable for example in examples], dtype=np.float64)
    means, deviations = values.mean(axis=0), values.std(axis=0)
    scaled = (values - means) / np.where(deviations > 0, deviations, 1.0)
    coefficients = _regression(scaled, answerable, _shares(examples))
    calibration = Calibration(
        configuration=configuration,
        features=features,
        means=_rounded(means),
        deviations=_rounded(deviations),
        weights=_rounded(coefficients[1:]),
        bias=_rounded(coefficients[:1])[0],
        threshold=0.0,
        over_refusal=over_refusal,
        learned_from=tuple(sorted({example.set for example in examples})),
        questions=int(answerable.sum()),
    )
    return calibration.model_copy(update={"threshold": threshold(calibration, examples, over_refusal)})


def threshold(calibration: Calibration, examples: Sequence[Example], over_refusal: float) -> float:
    """The highest at which no set has more than this share of the answerable questions that it covers refused."""
    by_set: dict[str, list[float]] = defaultdict(list)
    for example in examples:
        if example.answerable and calibration.covers(example.evidence):
            by_set[example.set].append(calibration.probability(example.evidence))
    return min(sorted(found)[int(over_refusal * len(found) + 1e-9)] for found in by_set.values())


def curve(name: str, calibration: Calibration, examples: Sequence[Example], thresholds: Mapping[float, float]) -> Curve:
    """How `calibration` does on `examples` at each of the thresholds, which are by the over-refusal wanted."""
    probabilities = np.array(
        [
            calibration.probability(example.evidence) if calibration.covers(example.evidence) else 1.0
            for example in examples
        ]
    )
    answerable = np.array([example.answerable for example in examples], dtype=bool)
    good, bad = probabilities[answerable], probabilities[~answerable]
    return Curve(
        name=name,
        answerable=good.size,
        unanswerable=bad.size,
        area=_area(good, bad),
        points=tuple(
            Point(wanted=rate, over_refused=_below(good, least), refused=_below(bad, least))
            for rate, least in thresholds.items()
        ),
    )


def resampled(examples: Sequence[Example], rates: Sequence[float]) -> Curve | None:
    """The mean of the curves on one half of the documents when learned from the other, over `HALVES` random halves.

    The questions counted are all, as each is measured in some of the halves. None where most of the halves are too
    small.
    """
    keys = sorted({example.key for example in examples})
    draw = random.Random(SEED)  # noqa: S311
    curves = []
    for _ in range(HALVES):
        half = set(draw.sample(keys, len(keys) // 2))
        taught = [example for example in examples if example.key in half]
        others = [example for example in examples if example.key not in half]
        if are_enough(taught) and are_enough(others):
            calibration = learn(taught, configuration="", over_refusal=rates[0])
            thresholds = {rate: threshold(calibration, taught, rate) for rate in rates}
            curves.append(curve("", calibration, others, thresholds))
    if len(curves) <= HALVES // 2:
        return None
    answerable = sum(example.answerable for example in examples)
    return Curve(
        name=f"mean of {len(curves)} random halves",
        answerable=answerable,
        unanswerable=len(examples) - answerable,
        area=_mean(one.area for one in curves),
        points=tuple(
            Point(
                wanted=points[0].wanted,
                over_refused=_mean(point.over_refused for point in points),
                refused=_mean(point.refused for point in points),
            )
            for points in zip(*(one.points for one in curves), strict=True)
        ),
    )


def _mean(numbers: Iterable[float]) -> float:
    return float(np.mean(list(numbers)))


def _shares(examples: Sequence[Example]) -> Numbers:
    """The weight of each example, 1 on the average."""
    counted: dict[tuple[str, bool], int] = defaultdict(int)
    for example in examples:
        counted[example.set, example.answerable] += 1
    return np.array([len(examples) / len(counted) / counted[example.set, example.answerable] for example in examples])


def _regression(scaled: Numbers, answerable: Numbers, shares: Numbers) -> Numbers:
    """Bias and coefficients of a logistic regression, by iteratively reweighted least squares with a ridge.

    Newton's method on the likelihood: Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning" (2nd
    edition, 2009), section 4.4.1. The bias has no ridge but a trace, which keeps the step defined.
    """
    design = np.column_stack([np.ones(len(scaled)), scaled])
    ridge = np.diag([1e-6, *[RIDGE] * scaled.shape[1]])
    coefficients = np.zeros(design.shape[1])
    for _ in range(STEPS):
        expected = 1 / (1 + np.exp(-np.clip(design @ coefficients, -30, 30)))
        slope = design.T @ (shares * (answerable - expected)) - ridge @ coefficients
        curvature = (design.T * (shares * expected * (1 - expected))) @ design + ridge
        step = np.linalg.solve(curvature, slope)
        coefficients = coefficients + step
        if float(np.abs(step).max()) < 1e-9:
            break
    return np.asarray(coefficients)


def _rounded(numbers: Numbers) -> tuple[float, ...]:
    return tuple(round(float(number), 6) for number in numbers)


def _below(probabilities: Numbers, least: float) -> float:
    return float((probabilities < least).mean()) if probabilities.size else 0.0


def _area(good: Numbers, bad: Numbers) -> float:
    """Mann and Whitney's statistic; ties count half. 0.5 without examples of either kind."""
    if not good.size or not bad.size:
        return 0.5
    ordered = np.sort(bad)
    beaten = np.searchsorted(ordered, good, side="left") + np.searchsorted(ordered, good, side="right")
    return float(beaten.mean() / 2 / bad.size)
