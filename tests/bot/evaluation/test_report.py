"""A report says what was measured, of whom, and at what cost."""

from __future__ import annotations

import pytest

from bot.evaluation.report import answers, rankings, summed_up
from bot.evaluation.results import AnswerResult, Result, SetResults
from ingest.errors import ConfigurationError


def result(id: str, language: str = "en", **measures: float) -> Result:
    return Result(
        id=id,
        text=id,
        slices={"language": language, "readers": "everyone"},
        measures={name.replace("_at_", "@").replace("_", " "): value for name, value in measures.items()},
    )


def ranked(*recalls: tuple[str, float]) -> SetResults:
    results = tuple(
        result(f"q{place}", language, recall_at_5=recall) for place, (language, recall) in enumerate(recalls)
    )
    return SetResults(name="set", seconds=0.5, results=results)


def test_rankings_end_with_one_line_that_a_script_can_read() -> None:
    assert rankings(summed_up(ranked(("en", 1.0)))).splitlines()[-1] == "recall@5 100.00"


def test_a_question_without_the_measure_does_not_count() -> None:
    report = summed_up(
        SetResults(name="set", results=(result("a", recall_at_5=1.0), result("unanswerable", refused=1)))
    )
    assert report.queries == 1
    assert report.measures["recall@5"].mean == 100.0


def test_every_language_has_its_row_and_a_slice_that_all_share_has_no_table() -> None:
    report = summed_up(ranked(("en", 1.0), ("de", 0.0), ("de", 1.0)))
    assert report.by_language == {"de": (2, 50.0), "en": (1, 100.0)}
    assert "| language | questions | recall@5 |\n|---|---|---|\n| de | 2 | 50.0 |\n| en | 1 | 100.0 |" in rankings(
        report
    )
    assert "readers" not in report.slices


def test_answers_are_reported_with_their_costs_and_their_ends() -> None:
    def answered(seconds: float, outcome: str) -> Result:
        answer = AnswerResult(outcome=outcome, language="en", text="", written_by="m", cited=(), retrieved=())
        return result("q", answered=float(outcome == "answered")).model_copy(
            update={"answer": answer, "costs": {"seconds": seconds, "tokens": 1000 * seconds}}
        )

    rows = (*(answered(float(n), "answered") for n in range(1, 20)), answered(20.0, "not_found"))
    report = summed_up(SetResults(name="set", judge="grader", results=rows))
    assert report.outcomes == {"answered": 19, "not_found": 1}
    assert (report.costs["seconds"].p50, report.costs["seconds"].p95) == pytest.approx((10.5, 19.05))
    told = answers(report)
    assert "| seconds | 10.500 | 19.050 |" in told
    assert "| tokens | 10,500 | 19,050 |" in told
    assert "| answered | 95.00 [" in told
    assert "judged by grader" in told
    assert "outcomes: answered 19, not_found 1" in told


def test_without_a_judge_no_row_is_a_judges() -> None:
    assert "judge" not in answers(summed_up(SetResults(name="set", results=(result("q", answered=1),))))


def test_a_set_of_which_nothing_can_be_measured_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no query has a relevant document"):
        summed_up(SetResults(name="set", results=(result("q"),)))
