"""Measures agree with their formulas on rankings small enough to reckon by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.evaluation.measures import measure, ndcg, recall_at, reciprocal_rank, table
from ingest.errors import ConfigurationError
from ingest.questions import Query, QuestionSet, by_document


def a_set(**relevant: dict[str, int]) -> QuestionSet:
    return QuestionSet(
        name="set",
        queries=tuple(Query(id=id, text=id, language="en") for id in ("q1", "q2", "unanswerable")),
        relevant=relevant,
        corpus=None,
    )


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


def test_a_query_that_the_run_lacks_counts_as_nothing_found_and_one_without_relevant_documents_does_not_count() -> None:
    report = measure(a_set(q1={"a": 1}, q2={"b": 1}), {"q1": [("a", 1.0)], "unanswerable": [("a", 1.0)]})
    assert report.queries == 2
    assert report.measures["recall@5"].mean == 50.0
    assert report.by_language == {"en": (2, 50.0)}


def test_the_table_ends_with_one_line_that_a_script_can_read() -> None:
    report = measure(a_set(q1={"a": 1}), {"q1": [("a", 1.0)]}, seconds=0.5)
    assert table(report).splitlines()[-1] == "recall@5 100.00"


def test_a_set_without_relevant_documents_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no query has a relevant document"):
        measure(a_set(), {})


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_an_interval_holds_its_mean(found: list[bool]) -> None:
    questions = QuestionSet(
        name="set",
        queries=tuple(Query(id=str(number), text="") for number in range(len(found))),
        relevant={str(number): {"a": 1} for number in range(len(found))},
        corpus=None,
    )
    run = {str(number): [("a" if right else "b", 1.0)] for number, right in enumerate(found)}
    recall = measure(questions, run).measures["recall@5"]
    assert recall.low <= recall.mean <= recall.high


def test_a_document_stands_where_its_first_chunk_stands() -> None:
    assert by_document([("a", 3.0), ("b", 2.0), ("a", 1.0)]) == [("a", 3.0), ("b", 2.0)]
