"""What is measured of an answer is what a person would count in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.evaluation.answers import ask, contains, costs_of, kept, measures_of, statements
from bot.language import LanguageDecider
from bot.model import Answer, AnswerEvent, Delta, Finished, Outcome, Passage, Question, Route, Spent
from bot.writing.spoken import Spoken
from ingest.questions import Query, Said
from tests.fixtures.passages import passage

SPOKEN = Spoken(LanguageDecider(("en", "de", "fr")))
LEAVE = passage(1, "Everybody has 30 days of leave.", document="leave.md")
TRAVEL = passage(2, "The daily allowance is €64.", document="travel.md")
SECRET = passage(3, "The price is 18 million.", document="secret.md", readers=frozenset({"group:finance"}))


def answer(
    text: str = "Everybody has 30 days of leave [1].",
    *,
    outcome: Outcome = Outcome.ANSWERED,
    citations: tuple[Passage, ...] = (LEAVE,),
    passages: tuple[Passage, ...] = (LEAVE, TRAVEL),
    nearest: tuple[Passage, ...] = (),
    route: Route = Route.DOCUMENTS,
    language: str = "en",
) -> Answer:
    return Answer(
        text=text,
        language=language,
        outcome=outcome,
        citations=citations,
        passages=passages,
        nearest=nearest,
        route=route,
        trace_id="0" * 32,
        written_by="scripted",
        spent=Spent(calls=2, prompt_tokens=1000, reply_tokens=50),
        timings={"total": 2.0, "models": 1.5, "search": 0.25},
    )


ASKED = Query(id="q", text="How much leave?", language="en", answers=("30 days", "dreißig Tage"))
UNANSWERABLE = Query(id="u", text="Who pays for the sauna?", answerable=False)
REFUSED = answer("That is not in the documents.", outcome=Outcome.NOT_FOUND, citations=())


def measured(given: Answer, query: Query = ASKED, **grades: int) -> dict[str, float]:
    return measures_of(given, query, {document.replace("_", "."): grade for document, grade in grades.items()}, None)


def test_a_right_answer_is_right_in_every_measure() -> None:
    found = measured(answer(), leave_md=1)
    wrong_when_set = {"over-refusal", "failed", "unreadable"}
    assert {name for name, value in found.items() if value == 0.0} == wrong_when_set
    assert set(found) == wrong_when_set | {
        "answered",
        "citation precision",
        "citations exist",
        "cites",
        "gold answer",
        "gold first",
        "relevant cited",
        "right language",
        "sentences cited",
    }


def test_refusing_what_can_be_answered_is_over_refusal_and_nothing_is_said_of_its_citations() -> None:
    found = measured(REFUSED, leave_md=1)
    assert (found["answered"], found["over-refusal"], found["gold first"], found["gold answer"]) == (0, 1, 0, 0)
    assert not found.keys() & {"citation precision", "relevant cited", "cites", "sentences cited", "refused"}


def test_a_failure_is_no_refusal() -> None:
    failed = answer("Something is broken.", outcome=Outcome.FAILED, citations=())
    assert measured(failed)["over-refusal"] == 0
    assert measured(failed)["failed"] == 1
    assert measured(failed, UNANSWERABLE)["refused"] == 0


def test_the_unanswerable_are_refused_or_wrongly_answered() -> None:
    assert measured(REFUSED, UNANSWERABLE)["refused"] == 1
    found = measured(answer(), UNANSWERABLE)
    assert (found["refused"], found["wrongly answered"]) == (0, 1)
    assert not found.keys() & {"answered", "over-refusal", "gold first", "gold answer"}


def test_citations_count_by_their_documents() -> None:
    found = measured(answer("The allowance [1], the leave [2].", citations=(TRAVEL, LEAVE)), leave_md=1, other_md=1)
    assert (found["gold first"], found["citation precision"], found["relevant cited"]) == (0, 0.5, 0.5)


def test_a_number_without_a_passage_does_not_exist() -> None:
    assert measured(answer("30 days of leave [1]. And a sauna [7]."))["citations exist"] == 0.5


def test_every_sentence_that_states_something_should_cite() -> None:
    assert measured(answer("There are 30 days. They are paid [1]."))["sentences cited"] == 0.5
    assert measured(answer("Good luck.", citations=()))["cites"] == 0


def test_an_answer_that_needs_no_documents_needs_no_citation() -> None:
    assert "cites" not in measured(answer("Dear colleagues, …", citations=(), route=Route.GENERAL))


def test_a_passage_that_the_asker_may_not_read_is_noticed_wherever_it_is_shown() -> None:
    assert measured(answer(passages=(LEAVE, SECRET)))["unreadable"] == 1
    near = answer("Not there.", outcome=Outcome.NOT_FOUND, citations=(), passages=(), nearest=(SECRET,))
    assert measured(near)["unreadable"] == 1
    allowed = Query(id="q", text="", readers=frozenset({"group:finance", "everyone", "public"}))
    assert measured(answer(passages=(LEAVE, SECRET)), allowed)["unreadable"] == 0


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("One. Two [1]. Three?", 3),
        ("Here it is:\n\n- one [1]\n- two\n", 2),
        ("# Leave\n\nThirty days [1].\n", 1),
        ("| a | b |\n| --- | --- |\n| 1 | 2 [1] |\n| 3 | 4 |\n", 2),
        ("These come closest:\n\n> One. Two.\n>\n> [1]\n\n> Three.\n>\n> [2]", 2),
        ("最も近い箇所は次のとおりです。\n\n> 一。\n>\n> [1]", 1),
        ("Paid in full [1].\n\n> All of it.", 2),
        ("```\nx = a[1]\n```\n", 0),
        ("", 0),
    ],
)
def test_what_states_something_is_told_from_what_introduces_it(text: str, claims: int) -> None:
    assert len(statements(text)) == claims


@pytest.mark.parametrize(
    ("text", "gold", "held"),
    [
        ("You have **30 days**.", "30 days", True),
        ("You have 130 days.", "30 days", False),
        ("It costs 8,90 € [1].", "8,90 €", True),
        ("THE HALL D’ACCUEIL", "hall d'accueil", True),
        ("Thirty [1] days", "thirty days", True),
        ("黑豹队的防守丢了308分", "308分", True),
        ("共有三百零八分", "三百", True),
        ("nothing", "…", False),
        ("Strasse 5", "Straße 5", True),
    ],
)
def test_a_gold_answer_is_found_whatever_its_punctuation_and_markup(text: str, gold: str, held: bool) -> None:
    assert contains(text, [gold]) is held
    assert contains(text, ["no such thing", gold]) is held


def test_an_answer_in_another_language_than_the_question_is_wrong() -> None:
    english = answer("Everybody who works here has thirty days of paid leave in every year.", language="en")
    german = Query(id="q", text="Wie viel Urlaub habe ich?", language="de")
    assert kept(english, german, SPOKEN).wrong_language == "answered in en, asked in de"
    said_to_be_german = answer("Everybody who works here has thirty days of paid leave in every year.", language="de")
    why = kept(said_to_be_german, german, SPOKEN).wrong_language
    assert why
    assert measures_of(said_to_be_german, german, {}, why)["right language"] == 0
    right = answer("Alle, die hier arbeiten, haben in jedem Jahr dreißig Tage bezahlten Urlaub.", language="de")
    assert kept(right, german, SPOKEN).wrong_language is None


def test_own_time_is_what_neither_models_nor_searches_took() -> None:
    assert costs_of(answer()) == {"calls": 2, "tokens": 1050, "seconds": 2.0, "own seconds": 0.25}


async def test_a_question_is_asked_with_its_readers_and_its_conversation() -> None:
    heard: list[Question] = []

    async def answerer(question: Question) -> AsyncIterator[AnswerEvent]:
        heard.append(question)
        yield Delta(text="The same.")
        yield Finished(answer=answer("The same."))

    follow_up = Query(
        id="q",
        text="And in Lyon?",
        readers=frozenset({"everyone", "group:finance"}),
        history=(Said(role="user", text="How much leave?"), Said(role="assistant", text="30 days.")),
    )
    assert (await ask(answerer, follow_up)).text == "The same."
    assert heard[0].asker.readers == {"everyone", "group:finance"}
    assert [(turn.role, turn.text) for turn in heard[0].history] == [
        ("user", "How much leave?"),
        ("assistant", "30 days."),
    ]
