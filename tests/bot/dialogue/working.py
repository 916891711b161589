"""Workers at work in a test: what they ask of the inbox, what they are at, and when they may go on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.dialogue.inbox import Claimed, Inbox
from bot.dialogue.workers import Claim, Workers
from bot.platforms.events import Event
from ingest.database import DatabaseUnavailable
from tests.bot.dialogue.happenings import Clock


class Told(Inbox):
    """An inbox that tells what is asked of it, and is out of reach when it is told to be."""

    away = False

    def __init__(self, engine: AsyncEngine, now: Any, **more: Any) -> None:
        super().__init__(engine, now, **more)
        self.told: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    async def next(self, what: str) -> Any:
        """What was asked for, when that is asked next."""
        async with asyncio.timeout(20):
            while True:
                asked, value = await self.told.get()
                if asked == what:
                    return value

    async def looked_at(self, workers: Workers) -> set[str]:
        """Let the workers look at what waits, from now on and to the end; what else is asked meanwhile."""
        while not self.told.empty():
            self.told.get_nowait()
        asked: list[str] = []
        async with asyncio.timeout(20):
            while asked.count("waiting") < 3:  # the first may have begun before, the last may not have been dealt with
                workers.wake()
                asked.append((await self.told.get())[0])
        return set(asked)

    def reach(self) -> None:
        if self.away:
            self.told.put_nowait(("away", None))
            raise DatabaseUnavailable("the database is away; wait")

    async def claim(self, worker: str, **how: Any) -> list[Claimed]:
        self.told.put_nowait(("claim", None))
        self.reach()
        return await super().claim(worker, **how)

    async def renew(self, worker: str, keys: Any) -> dict[str, Any]:
        try:
            self.reach()
            return await super().renew(worker, keys)
        finally:
            self.told.put_nowait(("renew", sorted(keys)))

    async def waiting(self, lanes: Any) -> dict[str, Any]:
        self.reach()
        waiting = await super().waiting(lanes)
        self.told.put_nowait(("waiting", waiting))
        return waiting

    async def done(self, worker: str, key: str) -> bool:
        self.reach()
        done = await super().done(worker, key)
        self.told.put_nowait(("done", (key, done)))
        return done

    async def again(self, worker: str, key: str, *, after: float, why: str) -> bool:
        again = await super().again(worker, key, after=after, why=why)
        self.told.put_nowait(("again", after))
        return again

    async def give_up(self, worker: str, key: str, why: str) -> bool:
        given_up = await super().give_up(worker, key, why)
        self.told.put_nowait(("give_up", (key, why)))
        return given_up


class Handling:
    """Deals with events as a test says: at once, or when it is let go on."""

    def __init__(self, does: Callable[[Claim], Awaitable[None]] | None = None) -> None:
        self.begun: asyncio.Queue[Claim] = asyncio.Queue()
        self.go_on = asyncio.Event()
        self.cancelled: asyncio.Queue[str] = asyncio.Queue()
        self.running: Counter[str] = Counter()
        self.most = 0
        self._does = does

    async def __call__(self, claim: Claim) -> None:
        lane = claim.event.spot.lane
        self.running[lane] += 1
        self.most = max(self.most, self.running.total())
        assert self.running[lane] == 1
        self.begun.put_nowait(claim)
        try:
            await (self._does(claim) if self._does else self.go_on.wait())
        except asyncio.CancelledError:
            self.cancelled.put_nowait(claim.event.message)
            raise
        finally:
            self.running[lane] -= 1

    async def next(self) -> Claim:
        async with asyncio.timeout(20):
            return await self.begun.get()


def failing(*errors: Exception) -> Callable[[Claim], Awaitable[None]]:
    """Fails with each of `errors` in turn, with the last one ever after."""

    async def fail(claim: Claim) -> None:
        raise errors[min(claim.attempt, len(errors)) - 1]

    return fail


class GivingUp:
    def __init__(self, *errors: Exception) -> None:
        self.told: list[tuple[str, BaseException]] = []
        self._errors = list(errors)

    async def __call__(self, claim: Claim, error: BaseException) -> None:
        self.told.append((claim.event.message, error))
        if self._errors:
            raise self._errors.pop(0)


@asynccontextmanager
async def at_work(
    inbox: Inbox,
    handle: Callable[[Claim], Awaitable[None]],
    clock: Clock,
    *,
    give_up: GivingUp | None = None,
    overtaken: Callable[[Claim], Awaitable[None]] | None = None,
    at_once: int = 8,
    grace: float = 0,
) -> AsyncIterator[Workers]:
    workers = Workers(
        inbox,
        handle,
        give_up or GivingUp(),
        at_once=at_once,
        poll_seconds=1,
        overtaken=overtaken,
        sleep=clock.sleep,
    )
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(workers.run())
        yield workers
        await workers.stop(grace)


async def put(inbox: Inbox, *events: Event) -> None:
    for event in events:
        assert await inbox.put(event)
