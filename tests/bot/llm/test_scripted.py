"""The scripted writer does what its script says."""

from __future__ import annotations

import pytest

from bot.llm.interface import ChatRefused, ChatUnavailable, Message, Prompt
from bot.llm.scripted import Failure, ScriptedWriter


def prompt(question: str) -> Prompt:
    return Prompt(
        messages=(Message(role="user", content=question),), question=question, passages=(), language="en", max_tokens=50
    )


async def written(writer: ScriptedWriter, question: str = "?") -> str:
    return "".join([piece async for piece in writer.write(prompt(question))])


async def test_replies_come_in_the_order_of_the_script_and_then_run_out() -> None:
    writer = ScriptedWriter(["  one\n\ntwo ", "three"])
    assert await written(writer) == "  one\n\ntwo "
    assert await written(writer) == "three"
    with pytest.raises(ChatUnavailable, match="no reply left"):
        await written(writer)


async def test_a_function_replies_to_the_prompt() -> None:
    assert await written(ScriptedWriter(lambda prompt: prompt.question.upper()), "leave?") == "LEAVE?"


async def test_a_failure_comes_after_the_words_before_it() -> None:
    writer = ScriptedWriter([Failure(error=ChatRefused("no"), after="You have ")])
    stream = writer.write(prompt("?"))
    assert [await anext(stream), await anext(stream)] == ["You ", "have "]
    with pytest.raises(ChatRefused, match="no"):
        await anext(stream)


async def test_prompts_are_kept_in_order() -> None:
    writer = ScriptedWriter(lambda prompt: "yes")
    await written(writer, "one")
    await written(writer, "two")
    assert [kept.question for kept in writer.prompts] == ["one", "two"]
