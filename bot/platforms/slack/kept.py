"""What was learned from Slack, for a while: never longer than allowed, and nothing that a change has overtaken."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

MOST_KEPT = 20_000
"""People, channels."""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Asked:
    """The moment before a request was sent."""

    at: float
    """By the clock."""
    number: int
    """Among everything that was asked and heard."""


class Kept(Generic[Key, Value]):
    """Values by key, each as old as the request that brought it; the oldest dropped where there are too many."""

    def __init__(self, clock: Callable[[], float], seconds: float, *, most: int = MOST_KEPT) -> None:
        self._clock = clock
        self._seconds = seconds
        self._most = most
        self._kept: dict[Key, tuple[float, Value]] = {}
        self._numbers = itertools.count(1)
        self._dropped: dict[Key, int] = {}
        """When something about a key was heard: what was asked before that may be overtaken."""
        self._cleared = 0

    def get(self, key: Key) -> Value | None:
        found = self._kept.get(key)
        return found[1] if found is not None and self._clock() - found[0] < self._seconds else None

    def asked(self) -> Asked:
        """To be called before a request is sent; `put` wants it."""
        return Asked(self._clock(), next(self._numbers))

    def put(self, key: Key, value: Value, asked: Asked) -> Value:
        """Keep the value, unless something about it was heard since it was asked for."""
        known_at = self._kept[key][0] if key in self._kept else asked.at
        if asked.at >= known_at and asked.number > max(self._dropped.get(key, 0), self._cleared):
            self._kept.pop(key, None)
            self._kept[key] = (asked.at, value)
            while len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
        return value

    def drop(self, key: Key) -> None:
        self._kept.pop(key, None)
        self._dropped[key] = next(self._numbers)
        if len(self._dropped) > self._most:
            self.clear()

    def clear(self) -> None:
        self._kept.clear()
        self._dropped.clear()
        self._cleared = next(self._numbers)
