"""Floors of what the checks make of answers as models write them; `python -m tests.eval written` names the rest."""

from __future__ import annotations

import asyncio

import pytest

from bot.writing.citations import Citations
from bot.writing.grounding.lexical import LexicalSupport
from bot.writing.interface import Statement
from bot.writing.units import Units
from tests.eval.written import Seen, damage, seen
from tests.fixtures.answers import written_answers
from tests.fixtures.passages import passage


@pytest.fixture(scope="module")
def answers() -> list[Seen]:
    return asyncio.run(seen())


def test_hardly_a_sentence_that_passages_support_is_left_out(answers: list[Seen]) -> None:
    lost = [piece.text for one in answers for piece in one.lost]
    assert sum(piece.supported is True for one in answers for piece in one.answer.pieces) > 300
    assert len(lost) <= 3, lost


def test_few_sentences_that_no_passage_supports_are_shown(answers: list[Seen]) -> None:
    shown = [(piece.kind, piece.text) for one in answers for piece in one.let_through]
    assert sum(piece.supported is False for one in answers for piece in one.answer.pieces) > 100
    assert len(shown) <= 11, shown
    assert sum(kind == "number" for kind, _ in shown) <= 2, shown


def test_no_other_check_has_anything_to_say_of_them(answers: list[Seen]) -> None:
    assert [(one.answer.name, one.alarms) for one in answers if one.alarms] == []


def test_what_is_left_of_them_is_whole_markdown(answers: list[Seen]) -> None:
    assert {one.answer.name: found for one in answers if (found := damage(one.text))} == {}


def test_damage_is_seen() -> None:
    assert damage("1. A\n3. B") == ["3. follows 1."]
    assert damage("| a | b |\n| c | d |\n") == ["a table without a head or a row: | a | b |"]
    assert damage("So:\n\n\n\n- ") != []


def test_the_answers_are_as_their_authors_meant_them() -> None:
    answers = list(written_answers())
    assert len(answers) >= 120
    assert {answer.language for answer in answers} == {"en", "de", "fr", "es", "zh"}


SUPPORT = LexicalSupport()
DUBLIN = passage(
    2, "Employees in Dublin have 25 days of annual leave a year. Unused days expire on 31 March.", headings=()
)
BOOKS = passage(
    1, "Books cost 9 Cent a page. Do not promise credits in a ticket. Ask the United Kingdom office.", headings=()
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("Today they have 25 days.", True),
        ("A page costs seven cents.", False),
        ("A page costs nine cents.", True),
        ("It is €0.09 for every page of a book.", True),
        ("Ask the UK office.", True),
        ("You may promise credits in a ticket.", False),
    ],
)
async def test_a_statement_holds_whose_figures_stand_in_one_sentence_with_its_words(text: str, holds: bool) -> None:
    (verdict,) = await SUPPORT.check([Statement(text=text, cited=())], (BOOKS, DUBLIN), question="", language="en")
    assert verdict.holds is holds, verdict.why


async def test_a_sentence_is_cited_from_the_passage_that_holds_all_of_it() -> None:
    near = passage(1, "Days of leave in Dublin, unused or not, are told of elsewhere.", headings=())
    statement = Statement(text="Unused days expire.", cited=(1,))
    (verdict,) = await SUPPORT.check([statement], (near, DUBLIN), question="", language="en")
    assert (verdict.holds, verdict.by) == (True, (2,))


def test_code_on_the_line_of_an_items_marker_is_one_unit() -> None:
    units = Units()
    text = "- ```py\n  y = 2. Z\n  ```\n- next"
    assert [unit.kind for unit in (*units.feed(text), *units.close())] == ["code", "prose"]


@pytest.mark.parametrize("named", ["[Source: the handbook]", "(Quelle: Handbuch)", "【来源：员工手册】"])
def test_a_source_that_a_model_names_in_words_is_left_out(named: str) -> None:
    assert Citations((DUBLIN,), {}).read(f"They have 25 days {named}.").text == "They have 25 days."
