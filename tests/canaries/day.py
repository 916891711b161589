"""One day of a bot: what people do there, in as few words as a test may take."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.platforms.events import File
from tests.canaries.asking import Asked
from tests.canaries.bot import Bot, opened
from tests.canaries.company import small
from tests.canaries.house import copied


@asynccontextmanager
async def day(template: Path, *, model: bool) -> AsyncIterator[Bot]:
    """A bot on its first day."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(copied(template, Path(folder)), small(), model=model) as bot:
            yield bot


async def says(
    bot: Bot, channel: str, who: str, asked: Asked, thread: str | None = None, files: tuple[File, ...] = ()
) -> str:
    """Somebody asks; the thread that it is in."""
    said = bot.platform.say(channel, asked.text, by=who, thread=thread, mention=True, files=files)
    await bot.happens(said, bot.platform.company.readers_in(channel))
    return said.spot.thread


def somebody(bot: Bot, channel: str, pick: int) -> str:
    there = sorted(bot.platform.company.readers_in(channel))
    return there[pick % len(there)]


def latest(bot: Bot, channel: str) -> str:
    return bot.platform.answers(channel)[-1].text
