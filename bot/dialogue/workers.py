"""Takes events from the inbox, several at once but one of a lane, and sees each of them to its end.

An event ends by being handled, or by being given up after its last attempt: then `give_up` tells people. What fails for
now (`Transient`) is tried again, later each time; whatever else goes wrong is given up at once. Nothing that happens to
one event, and no database that is away for a while, ends the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import uuid4

from bot.dialogue.buttons import action_of
from bot.dialogue.inbox import Claimed, Inbox, Waiting
from bot.platforms.events import Deleted, Edited, Event, Pressed, Recalled, Stopped
from ingest.database import DatabaseUnavailable
from ingest.errors import SouffleurError, Terminal, Transient

ATTEMPTS = 5
"""How often an event is handled; whatever ends the program ends it no more often than that."""

LAST_ATTEMPTS = 10
"""How often an event is taken at all: after `ATTEMPTS` only to tell people that it was given up."""

RENEW_SECONDS = 10.0
"""A third of a lease: two renewals in a row may fail."""

LONGEST_PAUSE = 60.0
"""Seconds before another attempt, at most; before that they double."""

AWAY_SECONDS = 10.0
"""Longest wait before the database is asked again."""

END_SECONDS = 10.0
"""For cancelled work to end, and for what was not finished to be handed over."""

WATCHED = ("said/", "pointed/")
"""Beginnings of the keys of replies that people watch being written."""

_T = TypeVar("_T")

_log = logging.getLogger(__name__)


class TriedTooOften(Terminal):
    """Every attempt ended with the program."""


class Claim:
    """An event that is being worked on."""

    def __init__(self, event: Event, attempt: int = 1) -> None:
        self.event = event
        self.attempt = attempt
        """From 1; above it an earlier attempt may have left something half-done."""
        self.message = event.message
        """The message whose change or removal ends this work. The handler of a button sets the question's."""
        self._interrupted = asyncio.Event()
        self._by: Event | None = None

    async def interruption(self) -> Event:
        """The event that makes this work pointless, once there is one; it is next, and says what to do instead."""
        while self._by is None:
            await self._interrupted.wait()
        return self._by

    def interrupt(self, by: Event) -> None:
        """The first one counts."""
        self._by = self._by or by
        self._interrupted.set()


class _Running:
    """A claim with its lease and its task."""

    def __init__(self, claimed: Claimed) -> None:
        self.claim = Claim(claimed.event, claimed.attempt)
        self.started = claimed.started
        self.until = claimed.until
        self.task: asyncio.Task[None] | None = None
        self.cancelled = False
        self.lost = False
        """Whether the lease is, while the work was on."""

    @property
    def lane(self) -> str:
        return self.claim.event.spot.lane

    def interrupted_by(self, waiting: Waiting) -> bool:
        """Whether what waits in the lane ends this work: what asks to stop, if it came after the work had begun."""
        event = waiting.event
        match event:
            case Stopped():
                return waiting.arrived >= self.started
            case Pressed():
                return action_of(event.value) == "stop" and waiting.arrived >= self.started
            case Deleted():
                return event.message == self.claim.message
            case Recalled():
                # A private answer to the same message, or what was shared of it, is not what is being written.
                return event.message == self.claim.message and event.reply.startswith(WATCHED)
            case Edited():
                return event.message == self.claim.message and event.at >= self.claim.event.at
            case _:
                return False


class Workers:
    """One process's share of the work.

    Args of the constructor:
        handle: deals with an event. Cancelled when the event's lease is lost, and when the program ends.
        give_up: tells people that there will be no answer; tried again as `handle` is.
        overtaken: called where work was cancelled because its lease was lost: what was still sent from here may have
            come after the last word of whoever went on with it.
        at_once: events at the same time.
        poll_seconds: how soon events are seen that another process put into the inbox.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        inbox: Inbox,
        handle: Callable[[Claim], Awaitable[None]],
        give_up: Callable[[Claim, BaseException], Awaitable[None]],
        *,
        at_once: int,
        poll_seconds: float,
        overtaken: Callable[[Claim], Awaitable[None]] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._inbox = inbox
        self._handle = handle
        self._give_up = give_up
        self._at_once = at_once
        self._poll_seconds = poll_seconds
        self._overtaken = overtaken
        self._sleep = sleep
        self._name = uuid4().hex
        self._running: dict[str, _Running] = {}
        self._may_claim = asyncio.Event()
        self._may_interrupt = asyncio.Event()
        self._stopping = False
        self._ended = asyncio.Event()
        self._ended.set()
        self._away = False

    def wake(self) -> None:
        """There may be something new in the inbox."""
        self._may_claim.set()
        self._may_interrupt.set()

    async def run(self) -> None:
        """Work until `stop`, or until cancelled; what is not finished then is handed over."""
        self._ended.clear()
        try:
            async with asyncio.TaskGroup() as group:
                upkeep = [group.create_task(work()) for work in (self._poll, self._keep_leases, self._interrupt)]
                async with asyncio.TaskGroup() as work:
                    await self._take(work)
                for task in upkeep:
                    task.cancel()
        finally:
            try:
                await self._asked(self._inbox.release(self._name), within=END_SECONDS)
            finally:
                self._ended.set()

    async def stop(self, grace: float) -> None:
        """Take nothing more; what runs may end within `grace` seconds, the rest is cancelled and handed over."""
        self._stopping = True
        self.wake()
        try:
            async with asyncio.timeout(grace):
                await self._ended.wait()
        except TimeoutError:
            for running in list(self._running.values()):
                _cancel(running, "the program ends; another replica, or the next start, goes on with it")
            try:
                async with asyncio.timeout(2 * END_SECONDS):
                    await self._ended.wait()
            except TimeoutError:
                _log.error("work on %s does not end; its lease will", ", ".join(self._running))

    async def _take(self, group: asyncio.TaskGroup) -> None:
        """Claim what there is whenever there may be something, and start to work on it."""
        while not self._stopping:
            await self._may_claim.wait()
            self._may_claim.clear()
            free = self._at_once - len(self._running)
            if free <= 0 or self._stopping:
                continue
            claimed = await self._asked(self._inbox.claim(self._name, free=free, running=tuple(self._running)))
            if claimed and not self._stopping:
                for one in claimed:
                    running = self._running[one.event.key] = _Running(one)
                    running.task = group.create_task(self._work(running))
                self._may_interrupt.set()

    async def _poll(self) -> None:
        pause = self._poll_seconds
        while True:
            self.wake()
            await self._sleep(pause)
            pause = min(2 * pause, AWAY_SECONDS) if self._away else self._poll_seconds

    async def _work(self, running: _Running) -> None:
        key = running.claim.event.key
        try:
            await self._attempt(running)
        except asyncio.CancelledError:
            if running.lost and self._overtaken is not None:
                await self._leave_to_others(running.claim, self._overtaken)
            raise
        except SouffleurError as error:
            _log.warning("what became of %s could not be noted; it is tried again in a while: %s", key, error)
        finally:
            del self._running[key]
            self.wake()

    async def _leave_to_others(self, claim: Claim, overtaken: Callable[[Claim], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(END_SECONDS):
                await overtaken(claim)
        except (SouffleurError, TimeoutError) as error:
            _log.warning("%s: what was sent after its lease was lost may stand: %s", claim.event.key, _reason(error))

    async def _attempt(self, running: _Running) -> None:
        claim, key = running.claim, running.claim.event.key
        failure: Exception | None = TriedTooOften(f"tried {ATTEMPTS} times without an end; see the log before this")
        if claim.attempt <= ATTEMPTS:
            failure = await _failure(running, lambda: self._handle(claim))
        if failure is None:
            if not await self._inbox.done(self._name, key):
                _log.warning("%s was done after its lease was lost; somebody else may do it again", key)
            return
        if _transient(failure) and claim.attempt < ATTEMPTS:
            await self._again(claim, failure)
            return
        _log.error("%s is given up: %s", key, _reason(failure), exc_info=_unforeseen(failure))
        trouble = await _failure(running, lambda: self._give_up(claim, failure))
        if trouble is not None and _transient(trouble) and claim.attempt < LAST_ATTEMPTS:
            await self._again(claim, trouble)
            return
        if trouble is not None:
            _log.error("nobody could be told of %s: %s", key, _reason(trouble), exc_info=_unforeseen(trouble))
        await self._inbox.give_up(self._name, key, _reason(failure))

    async def _again(self, claim: Claim, failure: Exception) -> None:
        key = claim.event.key
        after = min(2.0**claim.attempt, LONGEST_PAUSE)
        _log.warning("%s is tried again in %.0f s (attempt %d): %s", key, after, claim.attempt, _reason(failure))
        await self._inbox.again(self._name, key, after=after, why=_reason(failure))

    async def _keep_leases(self) -> None:
        while True:
            await self._sleep(RENEW_SECONDS)
            if not self._running:
                continue
            asked = dict(self._running)
            held = await self._asked(self._inbox.renew(self._name, list(asked)), within=RENEW_SECONDS)
            now = self._inbox.now()
            for key, running in asked.items():
                running.until = running.until if held is None else held.get(key, now)
                if running.until <= now and self._running.get(key) is running:
                    running.lost = True
                    _cancel(running, "its lease was lost, somebody else may be working on it")

    async def _interrupt(self) -> None:
        while True:
            await self._may_interrupt.wait()
            self._may_interrupt.clear()
            lanes = {running.lane: running for running in self._running.values()}
            if not lanes:
                continue
            waiting = await self._asked(self._inbox.waiting(tuple(lanes))) or {}
            for lane, events in waiting.items():
                for one in events:
                    if lanes[lane].interrupted_by(one):
                        lanes[lane].claim.interrupt(one.event)

    async def _asked(self, call: Awaitable[_T], *, within: float | None = None) -> _T | None:
        """What the inbox says; None while the database is away, which is logged when it goes and when it is back."""
        try:
            async with asyncio.timeout(within):
                answer = await call
        except (DatabaseUnavailable, TimeoutError) as error:
            if not self._away:
                self._away = True
                _log.warning("the inbox is out of reach, and asked again until it is back: %s", _reason(error))
            return None
        if self._away:
            self._away = False
            _log.warning("the inbox is back")
        return answer


def _cancel(running: _Running, why: str) -> None:
    if running.task is not None and not running.task.done():
        _log.warning("work on %s is cancelled: %s", running.claim.event.key, why)
        running.cancelled = True
        running.task.cancel()


async def _failure(running: _Running, work: Callable[[], Awaitable[None]]) -> Exception | None:
    """Do the work: what went wrong, or None."""
    try:
        await work()
    except Exception as error:  # the workers' loop: whatever one event meets with, the others go on
        # Not `cancelling()` of the task: a TaskGroup that failed within the work leaves its trace there (Python 3.11).
        if running.cancelled:
            # What work raises while it is being cancelled says nothing about its event.
            raise asyncio.CancelledError from error
        return error
    return None


def _transient(error: BaseException) -> bool:
    """Whether the same may succeed later; of several errors at once, whether all of them may."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_transient, error.exceptions))
    return isinstance(error, Transient)


def _unforeseen(error: Exception) -> Exception | None:
    """For the log, with its traceback; what was raised on purpose is told by its text."""
    return None if isinstance(error, SouffleurError) else error


def _reason(error: BaseException) -> str:
    """What is kept of a failure: our own errors hold nothing that somebody said, others might."""
    return str(error) if isinstance(error, SouffleurError) else type(error).__name__
