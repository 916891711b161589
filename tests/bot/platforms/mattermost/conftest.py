"""A Mattermost server on loopback, and a platform that is connected to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from bot.platforms.events import Event, PlatformName, Spot
from bot.platforms.interface import Button, Receipt
from bot.platforms.mattermost.draft import Pace
from bot.platforms.mattermost.kept import KEPT_SECONDS, Clock
from bot.platforms.mattermost.platform import MattermostPlatform
from bot.platforms.mattermost.settings import MattermostSettings
from tests.fakes.mattermost import TOKEN, Mattermost
from tests.fixtures.assistant import SAY

PATIENCE = 10.0
CALLBACK = "http://bot.test"
COMMAND_TOKEN = "command-token"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
STOP = Button(action="stop", label="Stop", value="signed-stop")
BRISK = Pace(change=0.0, typing=3600.0, first=3600.0)


@dataclass
class Ears:
    """Keeps what is reported, or fails to."""

    heard: list[Event] = field(default_factory=list)
    failing: int = 0
    """So many times, as a database fails that is away."""
    tried: int = 0
    receipt: Receipt = field(default_factory=Receipt)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __call__(self, event: Event) -> Receipt:
        async with self._news:
            self.tried += 1
            self._news.notify_all()
            if self.failing:
                self.failing -= 1
                raise RuntimeError("the database is away")
            self.heard.append(event)
        return self.receipt

    async def until(self, count: int) -> list[Event]:
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: len(self.heard) >= count)
        return self.heard


@dataclass
class Notebook:
    """A `Memory` that outlives the platform."""

    notes: dict[str, str] = field(default_factory=dict)
    spots: list[Spot] = field(default_factory=list)
    kept: asyncio.Event = field(default_factory=asyncio.Event)

    async def recall(self, name: str) -> str | None:
        return self.notes.get(name)

    async def keep(self, name: str, value: str) -> None:
        self.notes[name] = value
        self.kept.set()

    async def threads(self, platform: PlatformName, since: datetime) -> Sequence[Spot]:
        return self.spots


@dataclass
class Place:
    """A team with a channel that the bot is in, and Ada."""

    server: Mattermost
    url: str
    team: str
    channel: str
    ada: str
    bob: str

    def spot(self, thread: str, *, channel: str | None = None, direct: bool = False) -> Spot:
        return Spot(
            platform="mattermost",
            workspace="127.0.0.1",
            channel=channel or self.channel,
            thread=thread,
            direct=direct,
        )

    def say(self, text: str, **more: Any) -> str:
        return self.server.post(self.channel, more.pop("by", self.ada), text, **more)

    def by_bot(self, channel: str | None = None) -> list[dict[str, Any]]:
        return [row for row in self.server.live(channel or self.channel) if row["user_id"] == self.server.bot]

    async def until(self, look: Callable[[], Any]) -> Any:
        """The first true thing that `look` finds, as things change on the server."""
        changes = 0
        async with asyncio.timeout(PATIENCE):
            while not (found := look()):
                changes = await self.server.hub.changed(changes)
        return found


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    server = Mattermost(patience=0.0)
    team = server.team("company")
    channel = server.channel(team, "town-square")
    ada, bob = server.user("ada", "Ada Lovelace", locale="de"), server.user("bob")
    server.join(team, ada, bob)
    server.join(channel, ada, bob)
    async with server.served() as url:
        yield Place(server=server, url=url, team=team, channel=channel, ada=ada, bob=bob)


Made = Callable[..., MattermostPlatform]


@pytest.fixture
async def make(place: Place) -> AsyncIterator[Made]:
    """Makes platforms, and closes them."""
    made: list[MattermostPlatform] = []

    async def at_once(seconds: float) -> None:
        """Waits before connecting again take no time."""
        assert seconds > 0
        await asyncio.sleep(0)

    def platform(
        *,
        pace: Pace = BRISK,
        pause: Callable[[float], Awaitable[None]] = at_once,
        clock: Clock = time.monotonic,
        **settings: Any,
    ) -> Any:
        given: dict[str, Any] = {
            "url": place.url,
            "callback_url": CALLBACK,
            "token": SecretStr(TOKEN),
            "command_token": SecretStr(COMMAND_TOKEN),
        }
        made.append(
            MattermostPlatform(
                MattermostSettings(**given | settings),
                say=SAY,
                languages=("en",),
                pace=pace,
                pause=pause,
                now=lambda: NOON,
                kept_seconds=KEPT_SECONDS,
                clock=clock,
            )
        )
        return made[-1]

    yield platform
    for each in made:
        await each.close()


@asynccontextmanager
async def listening(platform: MattermostPlatform, ears: Ears, memory: Notebook | None = None) -> AsyncIterator[None]:
    """`platform` hears, until the end of the context."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(platform.run(ears, memory or Notebook()))
        connected = tasks.create_task(platform.connected.wait())
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait([task, connected], return_when=asyncio.FIRST_COMPLETED)
        try:
            yield
        finally:
            connected.cancel()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def ears() -> Ears:
    return Ears()


@asynccontextmanager
async def callbacks(platform: MattermostPlatform) -> AsyncIterator[httpx.AsyncClient]:
    """The web application that the server calls."""
    transport = httpx.ASGITransport(app=Starlette(routes=[*platform.routes]))
    async with httpx.AsyncClient(transport=transport, base_url=CALLBACK) as client:
        yield client


def actions_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The buttons of a post."""
    return [action for attachment in row["props"].get("attachments", ()) for action in attachment["actions"]]
