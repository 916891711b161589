"""Two runs are told apart where they differ by more than chance, and the questions that got worse are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.evaluation.compare import compare, table
from bot.evaluation.results import AnswerResult, Result, SetResults, Shown, load, save
from ingest.errors import ConfigurationError


def a_run(name: str = "set", judge: str | None = None, **measures: list[float]) -> SetResults:
    size = max(map(len, measures.values()))
    return SetResults(
        name=name,
        judge=judge,
        results=tuple(
            Result(
                id=f"q{place}",
                text=f"Question {place}?",
                measures={measure.replace("_", " "): values[place] for measure, values in measures.items()},
                costs={"tokens": 100.0 * place},
            )
            for place in range(size)
        ),
    )


def test_a_run_has_not_regressed_against_itself() -> None:
    run = a_run(answered=[1, 0, 1, 1])
    (found,) = compare([run], [run])
    assert not found.regressed
    assert found.changes["answered"].worse == ()


def test_what_got_significantly_worse_is_named_with_its_questions() -> None:
    before, after = a_run(answered=[1.0] * 60), a_run(answered=[0.0] * 8 + [1.0] * 52)
    (found,) = compare([before], [after])
    assert found.regressed
    assert [moved.id for moved in found.changes["answered"].worse] == [f"q{place}" for place in range(8)]
    assert "| answered | -13.33 |" in table(found)
    assert "**regressed**" in table(found)
    assert "q0  1 → 0  Question 0?" in table(found)


def test_a_difference_that_chance_explains_is_no_regression() -> None:
    before, after = a_run(answered=[1.0] * 60), a_run(answered=[0.0] + [1.0] * 59)
    (found,) = compare([before], [after])
    assert not found.regressed
    assert found.changes["answered"].difference.worse == 1
    assert "worse in" not in table(found)


def test_where_lower_is_better_more_is_a_regression() -> None:
    fewer, more = a_run(failed=[0.0] * 60), a_run(failed=[1.0] * 10 + [0.0] * 50)
    assert compare([fewer], [more])[0].regressed
    (found,) = compare([more], [fewer])
    assert not found.regressed
    assert found.changes["failed"].difference.mean > 0


def test_a_small_loss_may_be_tolerated() -> None:
    before, after = a_run(answered=[1.0] * 400), a_run(answered=[0.98] * 400)
    assert compare([before], [after])[0].regressed
    assert not compare([before], [after], tolerance=3.0)[0].regressed
    assert compare([before], [after], tolerance=1.0)[0].regressed


def test_only_what_both_runs_measured_of_a_question_is_compared() -> None:
    before = SetResults(name="set", results=(Result(id="a", text="", measures={"gold first": 1.0, "answered": 1.0}),))
    after = SetResults(
        name="set",
        results=(
            Result(id="a", text="", measures={"answered": 1.0}),
            Result(id="new", text="", measures={"answered": 0.0}),
        ),
    )
    (found,) = compare([before], [after])
    assert set(found.changes) == {"answered"}
    assert found.questions == 1


def test_the_opinions_of_two_judges_are_not_compared() -> None:
    one, other = (
        a_run(judge="one", judged_correct=[1, 1], answered=[1, 1]),
        a_run(judge="other", judged_correct=[0, 0], answered=[1, 1]),
    )
    assert set(compare([one], [other])[0].changes) == {"answered"}


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (a_run("another", answered=[1]), "has no set of this name, it has 'another'"),
        (SetResults(name="set", results=(Result(id="z", text=""),)), "no question in common"),
    ],
)
def test_runs_that_have_nothing_in_common_are_refused(before: SetResults, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        compare([before], [a_run(answered=[1])])


def test_a_run_is_read_as_it_was_kept(tmp_path: Path) -> None:
    answer = AnswerResult(
        outcome="answered",
        language="de",
        text="Dreißig Tage [1].",
        written_by="scripted",
        cited=(Shown(number=1, document="leave.md", language="en"),),
        retrieved=("leave.md",),
    )
    run = SetResults(name="set", judge="j", results=(Result(id="q", text="?", costs={"calls": 2}, answer=answer),))
    save([run, a_run(answered=[1])], tmp_path / "runs" / "one.json")
    assert load(tmp_path / "runs" / "one.json") == (run, a_run(answered=[1]))


@pytest.mark.parametrize("text", ["", "[]", '{"sets": [{"name": 1}]}', '{"form": 2, "sets": []}'])
def test_a_file_that_holds_no_run_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"run\.json: holds no run that `bot eval --save` wrote") as told:
        load(tmp_path / "run.json")
    assert "_Kept" not in str(told.value)
