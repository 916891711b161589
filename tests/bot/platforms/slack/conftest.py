"""A workspace on loopback, and the bot in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from pydantic import SecretStr

from bot.platforms.events import Event, PlatformName, Spot
from bot.platforms.interface import Button, Post, Receipt
from bot.platforms.slack.draft import Pace
from bot.platforms.slack.platform import SlackPlatform
from bot.platforms.slack.settings import SlackSettings
from tests.fakes.slack import BOT_SCOPES, OWN_USER, Slack
from tests.fakes.slack import screen as on_screen

SECONDS = 10.0
"""After which something that should have happened never will."""

UP = Button(action="up", label="Good", value="signed-up")
DOWN = Button(action="down", label="Bad", value="signed-down")


class Clock:
    """Goes, and can be put on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


class Notes:
    """`Memory` in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.spots: list[Spot] = []

    async def recall(self, name: str) -> str | None:
        return self.kept.get(name)

    async def keep(self, name: str, value: str) -> None:
        self.kept[name] = value

    async def threads(self, platform: PlatformName, since: datetime) -> Sequence[Spot]:
        return self.spots


@dataclass
class Bot:
    """The bot in the workspace: what it has heard, and what it does about it."""

    slack: Slack
    notes: Notes = field(default_factory=Notes)
    events: list[Event] = field(default_factory=list)
    receipt: Receipt = field(default_factory=Receipt)
    failures: int = 0
    """So many events cannot be kept, as if the database were away."""
    clock: Clock = field(default_factory=Clock)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, event: Event) -> Receipt:
        self._news.set()
        self._news = asyncio.Event()
        if self.failures:
            self.failures -= 1
            raise OSError("the database is away")
        self.events.append(event)
        return self.receipt

    async def heard(self, number: int = 1) -> list[Event]:
        """The events, as soon as there are so many."""
        await self.until(lambda: len(self.events) >= number, lambda: self._news)
        return self.events

    async def until(self, seen: Callable[[], Any], news: Callable[[], asyncio.Event] | None = None) -> None:
        """Return when `seen`, which is asked again with every event, or with every change on a screen."""
        async with asyncio.timeout(SECONDS):
            while not seen():
                await (news().wait() if news else self.slack.changed(SECONDS))

    async def until_connected(self, platform: SlackPlatform) -> None:
        """Return when the bot hears again."""
        async with asyncio.timeout(SECONDS):
            while not self.slack.socket_mode.connections:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await platform.connected.wait()

    def platform(self, **more: Any) -> SlackPlatform:
        settings = {
            "base_url": self.slack.base_url,
            "bot_token": SecretStr(self.slack.token),
            "app_token": SecretStr(self.slack.app_token),
            "signing_secret": SecretStr(self.slack.signing_secret),
        }
        return SlackPlatform(
            SlackSettings(**(settings | more)),
            say=lambda language, key, /, **values: f"{language}:{key}",
            languages=("en", "de"),
            pace=Pace(stream=0.01, edit=0.01, trouble=0.01),
            clock=self.clock,
            pause=lambda seconds: asyncio.sleep(min(seconds, 0.01)),
        )

    @asynccontextmanager
    async def at_work(self, **settings: Any) -> AsyncIterator[SlackPlatform]:
        """The bot is up and has caught up."""
        platform = self.platform(**settings)
        try:
            async with asyncio.TaskGroup() as group:
                running = group.create_task(_until_cancelled(platform.run(self.receive, self.notes)))
                try:
                    async with asyncio.timeout(SECONDS):
                        await platform.connected.wait()
                    yield platform
                finally:
                    running.cancel()
        finally:
            await platform.close()


async def _until_cancelled(running: Awaitable[None]) -> None:
    with suppress(asyncio.CancelledError):
        await running


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    server = Slack(scopes=BOT_SCOPES)
    server.user("UGUEST", "Gast", is_restricted=True)
    server.channel("ops", members={OWN_USER, "UADA", "UBOB"})
    async with server.served():
        yield server


def spot(slack: Slack, channel: str, thread: str) -> Spot:
    return Spot(
        platform="slack", workspace=slack.team, channel=channel, thread=thread, direct=slack.rooms[channel].is_im
    )


def post(text: str, **more: Any) -> Post:
    return Post(text=text, language="en", **more)


def seen(slack: Slack, channel: str, thread: str | None = None, *, by: str = "UADA") -> list[str]:
    return [on_screen.read(slack, message)[0] for message in on_screen.visible(slack, channel, by=by, thread=thread)]


@pytest.fixture
def ops(slack: Slack) -> str:
    return next(iter(slack.rooms))


@pytest.fixture
def bot(slack: Slack) -> Bot:
    return Bot(slack=slack)


@pytest.fixture
async def platform(bot: Bot) -> AsyncIterator[SlackPlatform]:
    """Not listening: for what it shows."""
    found = bot.platform()
    yield found
    await found.close()
