"""The terminal shows the answer as it streams, then its sources, and keeps the conversation."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from rich.console import Console as Terminal

from bot.audience import console_asker
from bot.model import Answer, Answerer, AnswerEvent, Delta, Finished, Outcome, Question, Route, Spent, Status, Turn
from bot.phrases import Phrases
from bot.platforms.console import CONTROL, Console
from tests.fixtures.passages import passage


class Recording:
    """An answerer that remembers what it was asked."""

    def __init__(self, text: str) -> None:
        self.asked: list[Question] = []
        self._text = text

    async def __call__(self, question: Question) -> AsyncIterator[AnswerEvent]:
        self.asked.append(question)
        given = (passage(1, "Thirty days.", page=3), passage(2, "In Lyon."))
        yield Status(text="Searching…")
        yield Delta(text=self._text)
        yield Finished(
            answer=Answer(
                text=self._text,
                language="fr",
                outcome=Outcome.ANSWERED,
                citations=given[:1],
                passages=given,
                trace_id="0" * 32,
                written_by="scripted",
                notices=("searched by words alone: the model is away",),
            )
        )


def a_console(
    answerer: Answerer, *, is_terminal: bool, typed: str = "", width: int = 100
) -> tuple[Console, io.StringIO]:
    shown = io.StringIO()
    terminal = Terminal(file=shown, force_terminal=is_terminal, width=width, color_system=None, highlight=False)
    terminal.input = lambda _prompt="", **_: next(lines)  # type: ignore[method-assign, assignment]
    lines = iter(typed.splitlines())
    return Console(answerer=answerer, asker=console_asker(), say=Phrases().say, terminal=terminal), shown


async def test_sources_stand_under_the_answer_in_its_language_with_page_and_date() -> None:
    console, shown = a_console(Recording("Trente jours [1]."), is_terminal=False)
    await console.ask("Combien ?")
    text = shown.getvalue()
    assert text.index("Trente jours [1].") < text.index("Sources")
    assert "[1] Annual leave — Entitlement, page 3, mis à jour le 1 mars 2025, anglais (handbook/leave.md)" in text
    assert "[2]" not in text
    assert "searched by words alone" in text


async def test_markup_in_an_answer_is_no_markup_of_the_terminal() -> None:
    console, shown = a_console(Recording("Type [bold]x[/bold] and [link=http://evil]y[/link]"), is_terminal=True)
    await console.ask("Combien ?")
    assert "[bold]x[/bold]" in shown.getvalue()
    assert "\x1b]8;" not in shown.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
async def test_a_long_source_is_shown_to_its_end(is_terminal: bool) -> None:
    console, shown = a_console(Recording("Trente jours [1]."), is_terminal=is_terminal, width=40)
    await console.ask("Combien ?")
    assert "(handbook/leave.md)" in shown.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
async def test_a_document_cannot_command_the_terminal(is_terminal: bool) -> None:
    console, shown = a_console(Recording("Red \x1b[31mtext\x1b]0;title\x07 \x9b2J [1]."), is_terminal=is_terminal)
    await console.ask("Combien ?")
    assert "\x1b[31m" not in shown.getvalue()
    assert "\x1b]0;" not in shown.getvalue()
    assert "\x9b" not in shown.getvalue()


async def test_each_question_of_a_conversation_knows_the_turns_before_it() -> None:
    answerer = Recording("Trente jours [1].")
    console, _ = a_console(answerer, is_terminal=False, typed="Combien ?\n\nEt à Lyon ?")
    terminal_input = console.terminal.input

    def until_the_end(*arguments: object, **named: object) -> str:
        try:
            return terminal_input()
        except StopIteration:
            raise EOFError from None

    console.terminal.input = until_the_end  # type: ignore[method-assign, assignment]
    await console.chat("› ")
    assert [question.text for question in answerer.asked] == ["Combien ?", "Et à Lyon ?"]
    assert answerer.asked[1].history == (
        Turn(role="user", text="Combien ?"),
        Turn(role="assistant", text="Trente jours [1]."),
    )


class Refusing:
    """An answerer that finds nothing, but something close."""

    async def __call__(self, question: Question) -> AsyncIterator[AnswerEvent]:
        close = passage(1, "Thirty days.", title="Pay\x1b[2J", readers=frozenset({"group:hr"}), url="https://x.org/a")
        yield Finished(
            answer=Answer(
                text="Nothing\u009b2J.",
                language="en",
                outcome=Outcome.NOT_FOUND,
                citations=(),
                passages=(close,),
                nearest=(close,),
                refusal="evidence",
                route=Route.DOCUMENTS,
                spent=Spent(calls=1, prompt_tokens=300, reply_tokens=20, estimated=True),
                trace_id="0" * 32,
                written_by="scripted",
            )
        )


def say(language: str, key: str, /, **values: object) -> str:
    return " ".join((f"{language}:{key}", *map(str, values.values())))


async def test_the_nearest_documents_are_listed_where_nothing_was_found_with_a_lock_for_what_is_not_open_to_all() -> (
    None
):
    console, shown = a_console(Refusing(), is_terminal=False)
    await replace(console, say=say).ask("How much?")
    assert (
        "en:nearest\n- Pay\ufffd[2J — Entitlement, en:updated 2025-03-01, English 🔒 en:restricted"
        " (https://x.org/a#:~:text=Entitlement)\n"
    ) in shown.getvalue()
    assert "en:sources" not in shown.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
async def test_what_is_to_be_known_of_an_answer_stands_apart_and_is_broken_on_a_terminal_alone(
    is_terminal: bool,
) -> None:
    console, shown = a_console(Recording("Trente jours [1]."), is_terminal=is_terminal, width=30)
    await console.ask("Combien ?")
    before, _, _ = shown.getvalue().partition("searched by words")
    assert [line.strip() for line in before.splitlines()][-1] == ""
    assert ("searched by words alone: the model is away" in shown.getvalue()) is not is_terminal


@pytest.mark.parametrize("is_terminal", [True, False])
async def test_json_tells_what_it_cost_and_what_comes_closest_and_commands_no_terminal(is_terminal: bool) -> None:
    console, shown = a_console(Refusing(), is_terminal=is_terminal, width=40)
    await console.ask_as_json("How much?")
    data = json.loads(shown.getvalue())
    assert data["spent"] == {"calls": 1, "prompt_tokens": 300, "reply_tokens": 20, "estimated": True}
    assert (data["route"], data["refusal"], data["sources"]) == ("documents", "evidence", [])
    assert [(one["title"], one["restricted"], one["language"]) for one in data["nearest"]] == [
        ("Pay\x1b[2J", True, "en")
    ]
    assert data["text"] == "Nothing\u009b2J."
    assert not CONTROL.search(shown.getvalue())


async def test_json_shows_no_key_that_stands_in_a_source() -> None:
    key = "ghp_" + "Ab1" * 12

    async def answerer(question: Question) -> AsyncIterator[AnswerEvent]:
        async for event in Recording("It stands there [1].")(question):
            if isinstance(event, Finished):
                cited = passage(1, f"The token of the robot is {key}.", title=f"Robot {key}", headings=(key,))
                event = Finished(answer=replace(event.answer, citations=(cited,)))
            yield event

    console, shown = a_console(answerer, is_terminal=False)
    await console.ask_as_json("Which token has the robot?")
    assert len(json.loads(shown.getvalue())["sources"]) == 1
    assert key not in shown.getvalue()
