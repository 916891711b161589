"""Intervals hold their mean, shrink with evidence, and come out the same each time."""

from __future__ import annotations

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from bot.evaluation.intervals import difference, measured

shares = st.lists(st.floats(0, 1), min_size=1, max_size=60)


@given(shares)
def test_an_interval_holds_its_mean_and_stays_within_what_was_measured(values: list[float]) -> None:
    found = measured(values)
    assert found.low <= found.mean <= found.high
    assert 100 * min(values) - 1e-9 <= found.low
    assert found.high <= 100 * max(values) + 1e-9


def test_an_interval_is_as_wide_as_the_normal_approximation_says() -> None:
    found = measured([1.0] * 700 + [0.0] * 300)
    half = 100 * 1.96 * math.sqrt(0.7 * 0.3 / 1000)
    assert abs((found.high - found.low) / 2 - half) < 0.15 * half
    assert measured([1.0] * 700 + [0.0] * 300) == found


@given(shares)
def test_a_run_does_not_differ_from_itself(values: list[float]) -> None:
    found = difference(values, values)
    assert (found.mean, found.low, found.high, found.better, found.worse) == (0, 0, 0, 0, 0)
    assert found.same == len(values)


def test_pairing_finds_what_the_spread_between_questions_would_hide() -> None:
    generator = random.Random(1)
    before = [generator.random() for _ in range(200)]
    after = [value + 0.02 + generator.gauss(0, 0.05) for value in before]
    found = difference(before, after)
    assert found.low > 0
    assert measured(before).high > measured(after).low  # the two intervals overlap
