"""What is to be delivered to the app: each payload to one taker, again when nobody acknowledges it in time.

Who delivers (`socket_mode`, `http_delivery`) takes from here. A payload that nobody can be found for waits: that is
how a retry finds an app that was away for less than the retries last.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

RETRIES = (0.0, 60.0, 300.0)
"""Seconds before each retry: nearly at once, after a minute, after five (docs.slack.dev/apis/events-api/#retries)."""

ACK_SECONDS = 3.0
"""docs.slack.dev/apis/events-api/#responding and docs.slack.dev/interactivity/handling-user-interaction."""

Kind = Literal["events_api", "interactive", "slash_commands"]


@dataclass(kw_only=True, eq=False)
class Delivery:
    kind: Kind
    payload: dict[str, Any]
    envelope: str
    made_at: float
    due: float
    attempt: int = 0
    reason: str = ""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    acknowledged: bool = False
    answer: Mapping[str, Any] = field(default_factory=dict)
    """What the app said with its acknowledgement."""


class Outbox:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.waiting: list[Delivery] = []
        self.under_way: set[Delivery] = set()
        self.delivered: list[Delivery] = []
        """Events that were acknowledged, in that order."""
        self.lost: list[Delivery] = []
        """Events whose retries are spent, or that nobody was told while `deaf`."""
        self.takers = 0
        """Who could take something now."""
        self.deaf = False
        """Whether what happens now is told to nobody, ever; until somebody connects."""
        self.held = False
        """Whether nothing is handed out for now."""
        self.ack_seconds = ACK_SECONDS
        self._news = asyncio.Event()
        self._numbers = itertools.count(1)

    def put(self, kind: Kind, payload: dict[str, Any], *, attempt: int = 0) -> Delivery:
        now = self._clock()
        envelope = f"env-{next(self._numbers)}"
        delivery = Delivery(kind=kind, payload=payload, envelope=envelope, made_at=now, due=now, attempt=attempt)
        if attempt:
            delivery.reason = "http_timeout"
        if self.deaf:
            self._lose(delivery)
        else:
            self.waiting.append(delivery)
            self.look()
        return delivery

    async def take(self) -> Delivery:
        """The next payload that is due, when there is one."""
        while True:
            news, now = self._news, self._clock()
            for delivery in list(self.waiting):
                if delivery.kind == "events_api" and now - delivery.made_at > sum(RETRIES) + self.ack_seconds:
                    self.waiting.remove(delivery)
                    self._lose(delivery)
            due = self._due()
            if due and not self.held:
                self.waiting.remove(due[0])
                self.under_way.add(due[0])
                return due[0]
            later = min((delivery.due for delivery in self.waiting), default=now + 3600) - now
            try:
                async with asyncio.timeout(max(later, 0.05)):
                    await news.wait()
            except TimeoutError:
                continue

    def acknowledge(self, delivery: Delivery, answer: Mapping[str, Any] | None = None) -> None:
        if delivery not in self.under_way:
            return
        self.under_way.discard(delivery)
        delivery.acknowledged, delivery.answer = True, answer or {}
        if delivery.kind == "events_api":
            self.delivered.append(delivery)
        delivery.ended.set()
        self.look()

    def fail(self, delivery: Delivery, reason: str) -> None:
        """Nobody acknowledged it. Events are tried again; a person is told at once that their press did nothing
        (docs.slack.dev/interactivity/handling-user-interaction: there are no retries)."""
        if delivery not in self.under_way:
            return
        self.under_way.discard(delivery)
        if delivery.kind != "events_api":
            delivery.ended.set()
        elif delivery.attempt >= len(RETRIES):
            self._lose(delivery)
        else:
            delivery.due = self._clock() + RETRIES[delivery.attempt]
            delivery.attempt += 1
            delivery.reason = reason
            self.waiting.append(delivery)
        self.look()

    def put_back(self, delivery: Delivery) -> None:
        """It never reached anybody: whoever took it went away."""
        if delivery in self.under_way:
            self.under_way.discard(delivery)
            self.waiting.insert(0, delivery)
            self.look()

    def _lose(self, delivery: Delivery) -> None:
        self.lost.append(delivery)
        delivery.ended.set()

    def forget(self) -> None:
        """Drop whatever waits, and whatever comes until somebody connects."""
        for delivery in [*self.waiting, *self.under_way]:
            self._lose(delivery)
        self.waiting.clear()
        self.under_way.clear()
        self.deaf = True

    def hold(self) -> None:
        self.held = True

    def release(self, *, reverse: bool = False) -> None:
        """Hand out what was held, perhaps the latest first: order is not promised
        (docs.slack.dev/apis/events-api/#event-ordering)."""
        if reverse:
            self.waiting.reverse()
        self.held = False
        self.look()

    async def idle(self) -> None:
        """Return when everything that can be delivered now is acknowledged; at once when there is nobody to take it."""
        await self.until(lambda: not self.takers or self.held or not (self.under_way or self._due()))

    async def until(self, condition: Callable[[], bool], within: float = 30) -> None:
        """Return when `condition` holds, looking at it whenever something happened here. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while not condition():
                await self._news.wait()

    def _due(self) -> list[Delivery]:
        now = self._clock()
        return [delivery for delivery in self.waiting if delivery.due <= now]

    def look(self) -> None:
        """Wake whoever waits for something to deliver."""
        self._news.set()
        self._news = asyncio.Event()
