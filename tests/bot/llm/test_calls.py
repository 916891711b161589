"""What a question spends at chat models is bounded, counted and kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from bot.llm.calls import Calls, Caps, TooCostly
from bot.llm.interface import ChatUnavailable, Message, Prompt
from bot.llm.scripted import Failure, ScriptedWriter


def prompt(text: str = "How long is leave?", *, max_tokens: int = 50) -> Prompt:
    return Prompt(
        messages=(Message(role="user", content=text),), question=text, passages=(), language="en", max_tokens=max_tokens
    )


class CountingWriter:
    """Fills in what a gateway counts."""

    name = "counting"

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        yield "25 days"
        prompt.usage.prompt_tokens, prompt.usage.reply_tokens = 120, 3

    async def close(self) -> None: ...


class SilentWriter:
    name = "silent"

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        await asyncio.Event().wait()
        yield "never"

    async def close(self) -> None: ...


async def test_what_the_gateway_counted_is_what_was_spent() -> None:
    calls = Calls(Caps())
    assert await calls.text(CountingWriter(), prompt(), task="answer", seconds=5) == "25 days"
    assert (calls.spent.calls, calls.spent.prompt_tokens, calls.spent.reply_tokens) == (1, 120, 3)
    assert not calls.spent.estimated


async def test_where_a_gateway_does_not_count_tokens_are_estimated_and_said_to_be() -> None:
    calls = Calls(Caps())
    await calls.text(ScriptedWriter(["25 days of leave"]), prompt(), task="answer", seconds=5)
    assert calls.spent.estimated
    assert calls.spent.prompt_tokens > 0
    assert calls.spent.reply_tokens > 0


async def test_every_call_of_a_question_says_whose_it_is() -> None:
    calls, writer = Calls(Caps(), user="slack:U042"), ScriptedWriter(["one", "two"])
    for task in ("understand", "answer"):
        await calls.text(writer, prompt(), task=task, seconds=5)
    assert [one.user for one in writer.prompts] == ["slack:U042", "slack:U042"]


async def test_a_call_beyond_the_number_of_calls_is_not_made() -> None:
    calls, writer = Calls(Caps(calls=1)), ScriptedWriter(["one", "two"])
    await calls.text(writer, prompt(), task="answer", seconds=5)
    with pytest.raises(TooCostly, match=r"answer\.model_calls"):
        await calls.text(writer, prompt(), task="retry", seconds=5)
    assert len(writer.prompts) == 1


async def test_a_call_that_could_exceed_the_tokens_is_not_made() -> None:
    calls, writer = Calls(Caps(tokens=100)), ScriptedWriter(["one"])
    with pytest.raises(TooCostly, match=r"answer\.tokens"):
        await calls.text(writer, prompt(max_tokens=100), task="answer", seconds=5)
    assert writer.prompts == []
    assert calls.spent.calls == 0


async def test_a_failed_call_is_kept_with_what_it_said_before() -> None:
    calls = Calls(Caps())
    writer = ScriptedWriter([Failure(error=ChatUnavailable("the gateway went away"), after="25 ")])
    with pytest.raises(ChatUnavailable):
        await calls.text(writer, prompt(), task="answer", seconds=5)
    [made] = calls.made
    assert (made.reply, made.error, made.task, made.model) == ("25 ", "the gateway went away", "answer", "scripted")
    assert calls.spent.calls == 1


async def test_a_call_that_is_left_before_its_end_counts() -> None:
    calls = Calls(Caps())
    async with aclosing(calls.stream(ScriptedWriter(["one two three"]), prompt(), task="answer")) as pieces:
        async for _ in pieces:
            break
    assert calls.spent.calls == 1
    assert calls.made[0].reply == "one "
    assert calls.made[0].error


async def test_a_model_that_says_nothing_in_time_is_unavailable() -> None:
    calls = Calls(Caps())
    with pytest.raises(ChatUnavailable, match="to understand"):
        await calls.text(SilentWriter(), prompt(), task="understand", seconds=0.01)
    assert calls.spent.calls == 1
