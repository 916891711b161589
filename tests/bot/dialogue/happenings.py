"""What people do in these tests, and the time in which they do it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from bot.platforms.events import Commanded, Deleted, Edited, Pressed, Recalled, Said, Spot, Stopped

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self._now = NOON
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + timedelta(seconds=seconds), waking))
        await waking

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        due = [waking for moment, waking in self._sleepers if moment <= self._now]
        self._sleepers = [(moment, waking) for moment, waking in self._sleepers if moment > self._now]
        for waking in due:
            if not waking.done():
                waking.set_result(None)


def at(seconds: float) -> datetime:
    """So long after noon."""
    return NOON + timedelta(seconds=seconds)


def spot(thread: str = "t1", *, channel: str = "C1", direct: bool = False) -> Spot:
    return Spot(platform="slack", workspace="T1", channel=channel, thread=thread, direct=direct)


def said(message: str, *, thread: str = "t1", seconds: float = 0, text: str = "How many days of leave?") -> Said:
    return Said(
        spot=spot(thread),
        message=message,
        by="ada",
        at=at(seconds),
        text=text,
        mentions_bot=True,
        mentions_others=False,
    )


def edited(message: str, *, thread: str = "t1", seconds: float = 1, revision: str = "1") -> Edited:
    return Edited(said=said(message, thread=thread, seconds=seconds), revision=revision)


def deleted(message: str, *, thread: str = "t1", seconds: float = 1) -> Deleted:
    return Deleted(spot=spot(thread), message=message, by="ada", at=at(seconds))


def stopped(id: str = "s1", *, thread: str = "t1", seconds: float = 1) -> Stopped:
    return Stopped(spot=spot(thread), id=id, by="ada", at=at(seconds))


def recalled(message: str, *, kind: str = "said", thread: str = "t1", seconds: float = 1) -> Recalled:
    """The answer of that kind to `message`."""
    key = f"{kind}/{spot(thread).key_of(message)}"
    return Recalled(spot=spot(thread), reply=key, message=message, at=at(seconds))


def pressed(value: str, *, thread: str = "t1", seconds: float = 1) -> Pressed:
    return Pressed(spot=spot(thread), message="m9", id=value, by="ada", at=at(seconds), value=value)


def commanded(id: str, *, respond_to: str) -> Commanded:
    return Commanded(spot=spot(""), id=id, by="ada", at=at(0), text="How many days?", respond_to=respond_to)
