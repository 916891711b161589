"""Measures of rankings agree with their formulas on rankings small enough to reckon by hand."""

from __future__ import annotations

import math

import pytest

from bot.evaluation.measures import ndcg, of_ranking, recall_at, reciprocal_rank
from ingest.questions import by_document


@pytest.mark.parametrize(
    ("ranking", "recall1", "recall5", "mrr", "ndcg10"),
    [
        (["a", "b", "x"], 0.5, 1.0, 1.0, 1.0),
        (["x", "a", "b"], 0.0, 1.0, 0.5, (1 / math.log2(3) + 1 / math.log2(4)) / (1 + 1 / math.log2(3))),
        (["x", "y", "z", "u", "v", "a"], 0.0, 0.0, 1 / 6, (1 / math.log2(7)) / (1 + 1 / math.log2(3))),
        ([], 0.0, 0.0, 0.0, 0.0),
    ],
)
def test_two_relevant_documents(ranking: list[str], recall1: float, recall5: float, mrr: float, ndcg10: float) -> None:
    grades = {"a": 1, "b": 1}
    assert recall_at(1)(ranking, grades) == recall1
    assert recall_at(5)(ranking, grades) == recall5
    assert reciprocal_rank(ranking, grades) == pytest.approx(mrr)
    assert ndcg(ranking, grades) == pytest.approx(ndcg10)


def test_a_better_grade_counts_for_more_in_ndcg() -> None:
    grades = {"best": 2, "good": 1}
    assert ndcg(["best", "good"], grades) == 1.0
    assert ndcg(["good", "best"], grades) < 1.0


def test_a_question_that_the_run_lacks_found_nothing_and_one_without_relevant_documents_is_not_measured() -> None:
    assert set(of_ranking([], {"a": 1}).values()) == {0.0}
    assert of_ranking(["a"], {}) == {}


def test_a_document_stands_where_its_first_chunk_stands() -> None:
    assert by_document([("a", 3.0), ("b", 2.0), ("a", 1.0)]) == [("a", 3.0), ("b", 2.0)]
