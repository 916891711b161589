"""Who holds what, for whoever makes a question of what was said on a platform."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from bot.access.audiences import Audiences
from bot.access.groups import GroupBook
from bot.access.interface import Held
from bot.access.principals import Named, NamedTokens, People, Principals
from bot.platforms.events import Spot
from bot.platforms.interface import PlatformRefused, PlatformUnavailable

PATIENCE = 30.0
"""Seconds for one answer, while its asker waits. What a platform told by then it keeps: another try gets further."""


class Directory:
    """The contract `Access` over platforms and the company's groups; it hears of every change that a platform tells."""

    def __init__(
        self,
        platforms: Iterable[People],
        book: GroupBook,
        *,
        named: Named,
        max_age: float,
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        """`max_age` in seconds; half of it is used here, for platforms use the other half."""
        self._platforms = {platform.name: platform for platform in platforms}
        self._principals = Principals(book, NamedTokens(named, clock))
        self._audiences = Audiences(self._principals, max_age=max_age, clock=clock)
        self._patience = patience
        for platform in self._platforms.values():
            platform.watch(partial(self._audiences.changed, platform.name))

    async def asker(self, spot: Spot, person: str) -> Held:
        return await self._in_time(self._principals.of(self._platform(spot), person), "what somebody may read")

    async def readers(self, spot: Spot) -> Held:
        return await self._in_time(self._audiences.of(self._platform(spot), spot), "who reads along")

    def _platform(self, spot: Spot) -> People:
        try:
            return self._platforms[spot.platform]
        except KeyError:
            raise PlatformRefused(
                f"{spot.platform} is not switched on, so nobody there holds anything; add `{spot.platform}:`"
            ) from None

    async def _in_time(self, asking: Awaitable[Held], what: str) -> Held:
        try:
            async with asyncio.timeout(self._patience):
                return await asking
        except TimeoutError as error:
            raise PlatformUnavailable(
                f"{what} could not be learned within {self._patience:g} s; what is known by then is kept, so ask again"
            ) from error
