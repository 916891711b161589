"""Every platform is heard for as long as the program runs, whatever one of them ends with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.dialogue.attendance import Attendance
from bot.dialogue.workers import Workers
from bot.platforms.interface import Memory, PlatformRefused, Receive
from tests.fixtures.chat import PATIENCE, Clock, FakePlatform
from tests.fixtures.dialogue import Hall, hall


class Falling(FakePlatform):
    """Ends with an error each time it is told to; with `early` before it was ever connected."""

    def __init__(self, clock: Clock, error: BaseException, *, early: bool = False) -> None:
        super().__init__(clock, name="mattermost")
        self.error, self.early = error, early
        self.runs = 0
        self.fall = asyncio.Event()

    async def run(self, receive: Receive, memory: Memory) -> None:
        self.runs += 1
        if self.early:
            raise self.error
        self.connected.set()
        await self.fall.wait()
        self.fall.clear()
        raise self.error


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def attended(
    bot: Hall, falling: Falling
) -> AsyncIterator[tuple[Attendance, asyncio.Event, asyncio.Task[Exception | None]]]:
    """Until the end of the context, with `falling` beside the platform of the hall; the event lets it try again."""
    again = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await again.wait()

    attendance = Attendance(
        [bot.platform, falling],
        receive=bot.receive,
        workers=Workers(bot.inbox, bot.exchange.handle, bot.exchange.give_up, at_once=2, poll_seconds=1),
        memory=bot.replies,
        finish_seconds=1,
        sleep=sleep,
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_outcome(attendance))
        try:
            yield attendance, again, task
        finally:
            attendance.stop()
            async with asyncio.timeout(PATIENCE):
                await asyncio.wait([task])


async def _outcome(attendance: Attendance) -> Exception | None:
    """What it ended with."""
    try:
        await attendance.run()
    except (KeyError, ExceptionGroup, PlatformRefused) as error:
        return error
    return None


@pytest.mark.parametrize(
    "error", [KeyError("url"), PlatformRefused("revoked"), ExceptionGroup("", [KeyError("xoxb-secret")])], ids=type
)
async def test_a_platform_that_falls_is_tried_again_while_the_others_are_heard(bot: Hall, error: Exception) -> None:
    falling = Falling(bot.clock, error)
    async with attended(bot, falling) as (attendance, again, task), asyncio.timeout(PATIENCE):
        await attendance.connected()
        falling.fall.set()
        while falling.connected.is_set():  # noqa: ASYNC110 (nothing tells of it)
            await asyncio.sleep(0)
        assert attendance.trouble(falling)
        assert "secret" not in attendance.trouble(falling)
        assert not attendance.trouble(bot.platform)
        assert not task.done()
        again.set()
        await falling.connected.wait()
        assert falling.runs == 2


async def test_what_is_wrong_from_the_start_ends_the_program(bot: Hall) -> None:
    falling = Falling(bot.clock, PlatformRefused("the token is wrong"), early=True)
    async with attended(bot, falling) as (_, _, task):
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait([task])
    assert task.result() is falling.error
