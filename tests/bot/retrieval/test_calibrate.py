"""What is learned from examples, and how it is measured."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bot.retrieval.calibrate import (
    FEWEST,
    RATES,
    Curve,
    Example,
    are_enough,
    by_legs,
    curve,
    is_learned_from,
    learn,
    resampled,
    threshold,
)
from bot.retrieval.evidence import LEXICAL_FEATURES
from bot.retrieval.interface import Evidence


def example(answerable: bool, name: str = "set", key: str = "", **features: float) -> Example:
    evidence = Evidence(features=dict.fromkeys(LEXICAL_FEATURES, 0.0) | features)
    return Example(set=name, language="", answerable=answerable, key=key, evidence=evidence)


def examples(count: int = 200, seed: int = 1, apart: float = 0.4, name: str = "set") -> list[Example]:
    """Answerable questions with a higher cover, unanswerable ones with a lower one, and a feature that says nothing."""
    drawn = random.Random(seed)
    return [
        example(answerable, name, cover=drawn.gauss(0.5 + apart * answerable, 0.15), lead=drawn.random())
        for answerable in (True, False)
        for _ in range(count)
    ]


def test_what_tells_answers_apart_gets_the_weight() -> None:
    learned = learn(examples(), configuration="words", over_refusal=0.05)
    weights = dict(zip(learned.features, learned.weights, strict=True))
    assert weights["cover"] > 1.5
    assert abs(weights["lead"]) < 0.5
    assert weights["drop"] == 0.0  # it never varied


def test_the_coefficients_are_those_where_the_likelihood_with_its_ridge_is_highest() -> None:
    given = examples(60)
    learned = learn(given, configuration="words", over_refusal=0.05)
    for place, name in enumerate(learned.features):
        if learned.deviations[place]:
            slope = sum(
                (one.answerable - learned.probability(one.evidence))
                * (one.evidence.features[name] - learned.means[place])
                / learned.deviations[place]
                for one in given
            )
            assert slope == pytest.approx(learned.weights[place], abs=1e-3)


def test_the_same_examples_teach_the_same() -> None:
    assert learn(examples(), configuration="words", over_refusal=0.05) == learn(
        examples(), configuration="words", over_refusal=0.05
    )


@pytest.mark.parametrize("rate", [0.0, *RATES, 0.5])
def test_the_threshold_refuses_no_more_of_the_answerable_than_asked(rate: float) -> None:
    learned = learn(examples(), configuration="words", over_refusal=rate)
    refused = [one for one in examples() if one.answerable and learned.probability(one.evidence) < learned.threshold]
    assert len(refused) == int(rate * 200)


def test_the_set_that_is_hardest_to_answer_sets_the_threshold() -> None:
    easy, hard = examples(name="easy"), examples(name="hard", apart=0.2, seed=2)
    learned = learn([*easy, *hard], configuration="words", over_refusal=0.1)
    assert learned.threshold == threshold(learned, hard, 0.1) < threshold(learned, easy, 0.1)


def test_a_large_set_does_not_drown_a_small_one() -> None:
    drawn = random.Random(3)
    # In the small set `lead` tells answers, in the large one `cover` does.
    small = [example(good, "small", lead=good + drawn.gauss(0, 0.3)) for good in (True, False) for _ in range(30)]
    learned = learn([*examples(600), *small], configuration="words", over_refusal=0.05)
    assert dict(zip(learned.features, learned.weights, strict=True))["lead"] > 0.4


def test_a_few_searches_in_another_language_teach_nothing_of_those() -> None:
    few = [example(False, foreign=1.0) for _ in range(5)]
    many = [example(at % 2 == 0, foreign=1.0, cover=0.4) for at in range(100)]
    foreign = few[0].evidence
    assert not learn([*examples(), *few], configuration="words", over_refusal=0.05).covers(foreign)
    assert learn([*examples(), *many], configuration="words", over_refusal=0.05).covers(foreign)


def test_the_curve_counts_both_errors() -> None:
    learned = learn(examples(), configuration="words", over_refusal=0.05)
    held = examples(seed=9)
    found = curve("held", learned, held, {rate: threshold(learned, examples(), rate) for rate in RATES})
    assert (found.answerable, found.unanswerable) == (200, 200)
    assert found.area > 0.9
    assert found.beats_chance
    refused = [point.refused for point in found.points]
    assert refused == sorted(refused)
    assert refused[-1] > 0.8
    assert found.points[-1].over_refused == pytest.approx(0.15, abs=0.07)


def test_evidence_that_says_nothing_does_not_beat_chance() -> None:
    learned = learn(examples(apart=0.0), configuration="words", over_refusal=0.05)
    found = curve("held", learned, examples(seed=9, apart=0.0), {0.05: learned.threshold})
    assert not found.beats_chance


def test_a_good_area_over_a_handful_of_questions_does_not_beat_chance() -> None:
    few = Curve(name="few", answerable=4, unanswerable=4, area=0.7, points=())
    many = Curve(name="many", answerable=400, unanswerable=400, area=0.7, points=())
    assert (few.beats_chance, many.beats_chance) == (False, True)


def test_examples_are_told_apart_by_the_legs_that_took_part() -> None:
    words, both = (
        example(True),
        Example(
            set="set", language="", answerable=True, key="", evidence=Evidence(features={"cover": 1.0, "dense": 0.5})
        ),
    )
    assert by_legs([words, both, words]) == {LEXICAL_FEATURES: [words, words], ("cover", "dense"): [both]}


def test_both_kinds_are_needed_to_learn() -> None:
    assert are_enough([example(True)] * FEWEST + [example(False)] * FEWEST)
    assert not are_enough([example(True)] * 100 + [example(False)] * (FEWEST - 1))


def test_about_half_of_the_questions_are_learned_from_and_always_the_same_ones() -> None:
    keys = [f"p{number}" for number in range(400)]
    half = [key for key in keys if is_learned_from(key)]
    assert 150 < len(half) < 250
    assert half == [key for key in keys if is_learned_from(key)]


def test_random_halves_are_told_as_their_mean() -> None:
    one_each = [replace(each, key=f"d{at % 60}") for at, each in enumerate(examples(60))]
    mean = resampled(one_each, (0.05, 0.15))
    assert mean is not None
    assert (mean.answerable, mean.unanswerable) == (60, 60)
    assert mean.area > 0.9
    assert [point.wanted for point in mean.points] == [0.05, 0.15]
    assert mean.points[0].refused < mean.points[1].refused
    assert mean == resampled(one_each, (0.05, 0.15))


def test_two_questions_about_one_document_are_never_in_both_halves() -> None:
    # Five numbers that say nothing of other documents: only who has seen a document can tell its questions.
    drawn = random.Random(1)
    twins = []
    for at in range(24):
        told = {name: drawn.gauss(0, 1) for name in LEXICAL_FEATURES if name != "foreign"}
        evidence = Evidence(features={"foreign": 0.0} | told)
        twins += [replace(example(at % 2 == 0, key=f"d{at}"), evidence=evidence) for _ in range(8)]
    mean = resampled(twins, (0.1,))
    assert mean is not None
    assert mean.area == pytest.approx(0.5, abs=0.1)


def test_random_halves_that_are_too_small_tell_nothing() -> None:
    assert resampled([replace(each, key=f"d{at}") for at, each in enumerate(examples(FEWEST))], (0.1,)) is None
