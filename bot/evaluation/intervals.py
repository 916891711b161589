"""How sure a mean is, and how sure the difference of two runs over the same questions is.

Both by the percentile bootstrap over questions (Efron, Bootstrap Methods: Another Look at the Jackknife, 1979), with a
fixed seed, so that the same values give the same interval. The paired form resamples the differences question by
question (Sakai, Evaluating Evaluation Metrics based on the Bootstrap, SIGIR 2006; Smucker, Allan and Carterette found
it to agree with the randomization test and the t-test, CIKM 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
"""Behind each interval; the interval's own error is then well below a tenth of its width."""

CELLS = 2_000_000
"""Values drawn at once: 16 MB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Mean over questions, with its 95 % bootstrap interval, all in percent."""

    mean: float
    low: float
    high: float
    questions: int = 0

    def __str__(self) -> str:
        return f"{self.mean:.2f} [{self.low:.1f}, {self.high:.1f}]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Mean difference of two runs over the same questions (after less before), in points of percent."""

    mean: float
    low: float
    high: float
    better: int
    """Questions with a higher value than before."""
    worse: int
    same: int


def measured(values: Sequence[float]) -> Measured:
    """The mean of `values` (0 to 1, at least one) with its interval."""
    low, high = _interval(np.asarray(values, dtype=np.float64))
    return Measured(mean=100 * float(np.mean(values)), low=low, high=high, questions=len(values))


def difference(before: Sequence[float], after: Sequence[float]) -> Difference:
    """Of two runs, value for value of the same questions (at least one)."""
    gained = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    low, high = _interval(gained)
    better, worse = int(np.sum(gained > 0)), int(np.sum(gained < 0))
    return Difference(
        mean=100 * float(np.mean(gained)),
        low=low,
        high=high,
        better=better,
        worse=worse,
        same=len(gained) - better - worse,
    )


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Bounds of the mean, in percent."""
    generator = np.random.default_rng(0)
    rows = max(1, CELLS // len(values))
    means = np.concatenate(
        [
            values[generator.integers(0, len(values), (min(rows, RESAMPLES - done), len(values)))].mean(axis=1)
            for done in range(0, RESAMPLES, rows)
        ]
    )
    low, high = np.quantile(means, (0.025, 0.975), method="inverted_cdf")
    # The mean of equal values is not always that value to the last bit.
    mean = float(np.mean(values))
    return 100 * min(float(low), mean), 100 * max(float(high), mean)
