"""What was looked up, kept for a while; and what the server tells has changed since.

Each value depends on subjects (ids of people, channels, teams, groups). It is used as long as it is young enough,
counted from before it was asked for, and as nothing was heard of its subjects since then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from bot.platforms.interface import Change

KEPT_SECONDS = 150.0
"""Half of the five minutes that nothing about access may be older than: whoever asks keeps it for the other half."""

MOST_KEPT = 10_000

SETTLING_SECONDS = 5.0
"""For so long after a change what is asked for may still be as before it: Mattermost tells that somebody leaves a team
before it takes them out (`RemoveTeamMember` in its source), and reads from caches and replicas that lag behind."""

_Value = TypeVar("_Value")

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was asked for."""

    at: float
    """By the clock."""
    heard: int
    """So many changes had been heard by then: a clock does not tell apart what happens close together."""


class Changes:
    """What has changed, and who is told of it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._heard = 0
        self._of: dict[str, Moment] = {}
        self._of_all: Moment | None = None
        self._watchers: list[Callable[[Change], None]] = []

    def watch(self, changed: Callable[[Change], None]) -> None:
        self._watchers.append(changed)

    def now(self) -> Moment:
        return Moment(self.clock(), self._heard)

    def hear(self, change: Change, subjects: Iterable[str]) -> None:
        """What depends on one of these is out of date from now on."""
        self._heard += 1
        if len(self._of) > MOST_KEPT:
            self._forget_all()
        self._of |= dict.fromkeys(subjects, self.now())
        self._tell(change)

    def hear_of_all(self) -> None:
        """Anything may have changed."""
        self._heard += 1
        self._forget_all()
        self._tell(Change())

    def since(self, moment: Moment, subjects: Iterable[str]) -> bool:
        """Whether anything of these has changed since then, or had so shortly before that it is not sure."""
        return any(self._outdates(change, moment) for change in (self._of_all, *map(self._of.get, subjects)))

    def _outdates(self, change: Moment | None, asked: Moment) -> bool:
        if change is None:
            return False
        settled = change.at + SETTLING_SECONDS
        return change.heard > asked.heard or asked.at < settled <= self.clock()

    def _forget_all(self) -> None:
        self._of.clear()
        self._of_all = self.now()

    def _tell(self, change: Change) -> None:
        for watcher in self._watchers:
            watcher(change)


class Kept(Generic[_Value]):
    """Values by name."""

    def __init__(self, changes: Changes, seconds: float) -> None:
        self._changes = changes
        self._seconds = seconds
        self._values: dict[str, tuple[Moment, tuple[str, ...], _Value]] = {}
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def get(self, name: str) -> _Value | None:
        if (found := self._values.get(name)) is None:
            return None
        asked, subjects, value = found
        if self._changes.clock() - asked.at >= self._seconds or self._changes.since(asked, subjects):
            del self._values[name]
            return None
        return value

    def put(self, name: str, value: _Value, *, asked: Moment, subjects: Iterable[str] = ()) -> _Value:
        """`asked`: when the request began; what was heard since makes that the value is returned and not kept."""
        if len(self._values) >= MOST_KEPT:
            self._values.clear()
        self._values[name] = (asked, (*subjects,), value)
        return value

    async def ask(self, name: str, ask: Callable[[], Awaitable[_Value]], *, subjects: Iterable[str] = ()) -> _Value:
        """What is kept, or else what `ask` returns; whoever wants the same meanwhile waits for that."""
        if (kept := self.get(name)) is not None:
            return kept
        lock = self._asking.get(name) or self._asking.setdefault(name, asyncio.Lock())
        async with lock:
            if (kept := self.get(name)) is not None:
                return kept
            asked = self._changes.now()
            return self.put(name, await ask(), asked=asked, subjects=subjects)
