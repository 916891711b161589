"""What every writer keeps, whatever is behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest

from bot.llm.extractive import ExtractiveWriter
from bot.llm.interface import ChatSettings, Message, Prompt, Writer
from bot.llm.openai_compatible import OpenAIWriter
from bot.llm.scripted import ScriptedWriter
from tests.fixtures.gateway import Gateway
from tests.fixtures.passages import passage

REPLY = "Employees have thirty days of leave a year [1]. Part-time employees have a share of them [2]."


def prompt(question: str = "How many days of leave do employees have?") -> Prompt:
    return Prompt(
        messages=(Message(role="system", content="Answer from the passages."), Message(role="user", content=question)),
        question=question,
        passages=(
            passage(1, "Employees have thirty days of leave a year. They are booked in the calendar."),
            passage(2, "The office in Lyon opens at eight. Visitors ring the bell.", title="Offices", headings=()),
            passage(3, "Laptops are replaced every fourth year by the workshop.", title="Equipment", headings=()),
        ),
        language="en",
        max_tokens=200,
    )


@asynccontextmanager
async def openai_compatible() -> AsyncIterator[Writer]:
    async with Gateway(reply=REPLY).served() as base_url:
        yield OpenAIWriter(ChatSettings(base_url=base_url, model="assistant"))


@asynccontextmanager
async def scripted() -> AsyncIterator[Writer]:
    yield ScriptedWriter(lambda prompt: REPLY)


@asynccontextmanager
async def extractive() -> AsyncIterator[Writer]:
    yield ExtractiveWriter(introduction=lambda language: "From the documents:")


@pytest.fixture(params=[openai_compatible, scripted, extractive], ids=lambda make: make.__name__)
async def writer(request: pytest.FixtureRequest) -> AsyncIterator[Writer]:
    async with request.param() as writer:
        yield writer
        await writer.close()


async def written(writer: Writer) -> list[str]:
    return [piece async for piece in writer.write(prompt())]


async def test_it_has_a_name(writer: Writer) -> None:
    assert writer.name


async def test_it_writes_in_several_pieces_and_none_is_empty(writer: Writer) -> None:
    pieces = await written(writer)
    assert len(pieces) > 1
    assert all(isinstance(piece, str) and piece for piece in pieces)


async def test_it_cites_a_passage_it_was_given(writer: Writer) -> None:
    assert "[1]" in "".join(await written(writer))


async def test_it_writes_again_when_asked_again(writer: Writer) -> None:
    assert "".join(await written(writer)) == "".join(await written(writer))


async def test_several_texts_at_once_do_not_mix(writer: Writer) -> None:
    alone = "".join(await written(writer))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(written(writer)) for _ in range(5)]
    assert ["".join(task.result()) for task in tasks] == [alone] * 5


async def test_a_text_left_in_the_middle_leaves_the_writer_usable(writer: Writer) -> None:
    async with aclosing(writer.write(prompt())) as pieces:  # type: ignore[type-var]
        first = await anext(pieces)
    assert "".join(await written(writer)).startswith(first)


async def test_nothing_is_written_before_the_first_piece_is_asked_for(writer: Writer) -> None:
    unused = writer.write(prompt())
    assert not isinstance(unused, str)
    await unused.aclose()  # type: ignore[attr-defined]


async def test_what_it_counts_is_of_this_text_and_both_sides_of_it_or_nothing(writer: Writer) -> None:
    asked = prompt()
    counts = []
    for _ in range(2):
        assert "".join([piece async for piece in writer.write(asked)])
        counts.append((asked.usage.prompt_tokens, asked.usage.reply_tokens))
        assert (asked.usage.prompt_tokens is None) == (asked.usage.reply_tokens is None)
    assert counts[0] == counts[1]


async def test_a_prompt_with_a_schema_is_written_like_any_other(writer: Writer) -> None:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    assert "".join([piece async for piece in writer.write(replace(prompt(), schema=schema))])


async def test_it_can_be_closed_twice(writer: Writer) -> None:
    await written(writer)
    await writer.close()
    await writer.close()
