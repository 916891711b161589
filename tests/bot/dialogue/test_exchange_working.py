"""Events in, answers out, with workers at work: what the parts promise each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.dialogue.workers import Workers
from tests.fixtures.chat import PATIENCE
from tests.fixtures.dialogue import Hall, hall


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def working(bot: Hall) -> AsyncIterator[Workers]:
    workers = Workers(bot.inbox, bot.exchange.handle, bot.exchange.give_up, at_once=8, poll_seconds=0.02)
    bot.on_wake = workers.wake
    async with asyncio.TaskGroup() as group:
        group.create_task(workers.run())
        yield workers
        bot.pen.release()
        async with asyncio.timeout(PATIENCE):
            await workers.stop(PATIENCE)


async def test_a_press_on_stop_ends_what_is_being_written(bot: Hall) -> None:
    bot.pen.hold()
    async with working(bot):
        await bot.receive(bot.platform.say("C1", "leave", by="U1", mention=True))
        await bot.platform.until(lambda: any(kept.actions == ("stop",) for kept in bot.platform.answers("C1")))
        (growing,) = bot.platform.answers("C1")
        await bot.receive(bot.pressed("stop", growing, by="U1"))
        await bot.platform.until(lambda: growing.actions == ("again",))
    assert growing.text == "About leave:"


async def test_an_edit_in_the_middle_of_an_answer_ends_in_one_answer_to_the_new_question(bot: Hall) -> None:
    bot.pen.hold()
    async with working(bot):
        said = bot.platform.say("C1", "leave", by="U1", mention=True)
        await bot.receive(said)
        await bot.platform.until(lambda: bool(bot.platform.answers("C1")))
        (answer,) = bot.platform.answers("C1")
        bot.pen.hold_after = None
        await bot.receive(bot.platform.edit("C1", said.message, "parental leave"))
        await bot.platform.until(lambda: answer.actions == ("up", "down", "again") and "parental" in answer.text)
    assert bot.platform.answers("C1") == [answer]


async def test_thirty_questions_at_once_all_get_answers(bot: Hall) -> None:
    async with working(bot):
        for number in range(30):
            await bot.receive(bot.platform.say("C1", f"leave {number}", by="U1", mention=True))
        await bot.platform.until(lambda: sum("up" in kept.actions for kept in bot.platform.answers("C1")) == 30)
    assert len(bot.pen.asked) == 30


async def test_two_processes_answer_a_question_once(bot: Hall) -> None:
    other = bot.with_()
    async with working(bot), working(other):
        said = bot.platform.say("C1", "leave", by="U1", mention=True)
        await asyncio.gather(bot.receive(said), other.receive(said))
        await bot.platform.until(lambda: any("up" in kept.actions for kept in bot.platform.answers("C1")))
    assert len(bot.platform.answers("C1")) == 1
    assert len(bot.pen.asked) == 1
