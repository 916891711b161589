from __future__ import annotations

import pytest

from tests.bench.table import Table
from tests.eval import citations, cost, filtered, language
from tests.eval.asking import Chosen
from tests.eval.language import in_language

CHOSEN = Chosen(sample=6)


def column(table: Table, name: str) -> list[object]:
    return [row[table.columns.index(name)] for row in table.rows]


async def test_half_of_the_replies_in_a_wrong_language_leave_no_answer_in_one() -> None:
    (table,) = await language.measure(CHOSEN)
    assert len(table.rows) == 14
    assert set(column(table, "model wrong at first")) == {"50%"}
    assert set(column(table, "answer in it")) == {"100.0%"}
    assert min(column(table, "answered")) == 6  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("sentence", "spoken"),
    [
        ("You may work from home up to three days a week [1].", "en"),
        ("Vous pouvez travailler à domicile jusqu'à trois jours par semaine.", "fr"),
        ("您每周最多可以在家工作三天。", "zh"),
    ],
)
def test_the_languages_are_told_by_another_classifier_that_can_tell_them(sentence: str, spoken: str) -> None:
    assert [other for other in ("en", "fr", "de", "zh") if in_language(sentence, other)] == [spoken]


async def test_citations_that_a_model_invents_are_put_right_and_right_ones_are_kept() -> None:
    (table,) = await citations.measure(CHOSEN)
    assert column(table, "the model") == ["invents its citations", "cites rightly"]
    assert all(str(share).startswith("100.0%") for share in column(table, "precision"))
    assert all(str(share).startswith("100.0%") for share in column(table, "recall"))


async def test_the_cost_of_a_question_is_told_in_calls_tokens_and_time() -> None:
    (table,) = await cost.measure(CHOSEN)
    ((name, questions, calls, tokens, *_),) = table.rows
    assert (name, questions) == ("demo", 6)
    assert str(calls).endswith("/ 2")
    assert float(str(tokens).split(" /")[0].replace(",", "")) > 500


async def test_what_may_be_read_is_found_as_exact_search_finds_it() -> None:
    (table,) = await filtered.measure(Chosen(sample=10, points=3_000))
    recall = dict.fromkeys(column(table, "index"), "")
    assert recall.pop("a Qdrant server") == ""
    measured = [row for row in table.rows if row[0] != "a Qdrant server"]
    assert len(measured) == 3 * len(recall) * len(filtered.SHARES)
    assert {row[table.columns.index("recall")] for row in measured} == {"1.0000"}
