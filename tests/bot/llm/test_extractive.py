"""Which passages are quoted, and in which order."""

from __future__ import annotations

from dataclasses import replace

from bot.llm.extractive import quote
from tests.fixtures.passages import passage

QUESTION = "How many days of leave are there in Dublin each year?"


def quoted(*passages: object) -> list[int]:
    return [number for number, _ in quote(QUESTION, passages, "en")]  # type: ignore[arg-type]


def test_of_passages_that_hold_about_as_much_of_the_question_the_best_ranked_is_quoted_first() -> None:
    best = passage(1, "In Dublin it is 25 days of leave a year.")
    wordy = passage(2, "In Dublin each day of leave is counted in the year.")
    other = passage(3, "Bells ring.")
    assert quoted(best, wordy, other)[0] == 1


def test_a_passage_with_all_of_the_question_is_quoted_before_a_better_ranked_one_with_little_of_it() -> None:
    little = passage(1, "The canteen opens at eight.", title="Canteen", headings=())
    all_of_it = passage(2, "Each year there are 25 days of leave in Dublin.")
    assert quoted(little, all_of_it)[0] == 2


def test_a_passage_that_holds_little_of_the_question_is_not_quoted_beside_a_good_one() -> None:
    good = passage(1, "Each year there are 25 days of leave in Dublin.")
    little = passage(2, "The canteen in Dublin opens at eight.", title="Canteen", headings=())
    assert quoted(good, little) == [1]


def test_an_older_version_is_quoted_behind_the_newer_one_however_much_of_the_question_it_repeats() -> None:
    newer = passage(1, "Dublin: 25 days.", title="Rules", headings=())
    older = replace(passage(2, "Each year there are 22 days of leave in Dublin."), newer=newer.chunk.id)
    assert quoted(newer, replace(older, newer=None)) == [2, 1]
    assert quoted(newer, older) == [1, 2]


def test_a_quotation_does_not_end_at_an_initial_or_a_title() -> None:
    text = "Leave in Dublin is signed by Dr. K. Byrne" + ", by whoever stands in for her" * 14 + "."
    ((_, lines),) = quote("Who signs for leave in Dublin?", [passage(1, text)], "en")
    assert lines == [text]
