"""What everybody holds who can read a channel."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

from bot.access.interface import Held
from bot.access.membership import Groups
from bot.access.principals import People, Principals, missing_groups, outside, own_tokens, vouched, wanted
from bot.audience import OUTSIDER
from bot.platforms.events import PlatformName, Spot
from bot.platforms.interface import Change, Person
from ingest.model import MEMBER, Readers

MOST_KEPT = 1000
"""Channels whose audiences are remembered; the one asked about longest ago goes first."""

AT_ONCE = 32
"""Members whose tokens are asked of the platform together; after so many, what they share is narrowed down."""

MOST_TRIES = 3
"""How often a channel is looked at anew because somebody came or went meanwhile. The last result is used, not kept."""

Key = tuple[PlatformName, str, str]
"""Platform, workspace, channel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """An audience, and what it was made of."""

    held: Held
    members: frozenset[str] | None
    """None where they played no part, or cannot all be told."""
    certain: bool = True
    """False where somebody could not be looked up: the next to ask tries again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    found: _Found
    since: float
    """By the clock, before anybody was asked."""
    groups: Groups
    named: Readers


class Audiences:
    """Audiences of channels, each kept for half of `max_age` (seconds) unless something about it changes."""

    def __init__(self, principals: Principals, *, max_age: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._principals = principals
        self._half = max_age / 2
        self._clock = clock
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._locks: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()
        self._overtaken: dict[Key, bool] = {}
        """Channels that are being looked at, and whether something changed meanwhile."""

    async def of(self, platform: People, spot: Spot) -> Held:
        """What all who can read the channel hold of all that documents name. Raises as `Principals.of`."""
        key = (spot.platform, spot.workspace, spot.channel)
        async with self._locks.setdefault(key, asyncio.Lock()):
            groups, named = await self._principals.book.current(), await self._principals.named.current()
            kept = self._kept.get(key)
            if kept and kept.groups is groups and kept.named is named and self._clock() - kept.since < self._half:
                self._kept.move_to_end(key)
                return kept.found.held
            self._kept.pop(key, None)
            return await self._anew(key, platform, spot)

    def changed(self, platform: PlatformName, change: Change) -> None:
        """Forget what the change bears on, also what is being found out right now."""

        def concerned(key: Key) -> bool:
            return key[0] == platform and change.channel in ("", key[2])

        for key in [key for key in self._kept if concerned(key)]:
            members = self._kept[key].found.members
            if change.channel or not change.person or members is None or change.person in members:
                del self._kept[key]
        for key in self._overtaken:
            if concerned(key):
                self._overtaken[key] = True

    async def _anew(self, key: Key, platform: People, spot: Spot) -> Held:
        for _ in range(MOST_TRIES):
            since = self._clock()
            self._overtaken[key] = False
            try:
                groups, named = await self._principals.book.current(), await self._principals.named.current()
                found = await _found(platform, spot, groups, named)
                overtaken = self._overtaken[key]
            finally:
                del self._overtaken[key]
            if not overtaken:
                if found.certain:
                    self._kept[key] = _Kept(found=found, since=since, groups=groups, named=named)
                    while len(self._kept) > MOST_KEPT:
                        self._kept.popitem(last=False)
                break
        return found.held


async def _found(platform: People, spot: Spot, groups: Groups, named: Readers) -> _Found:
    if (await platform.room(spot)).outsiders:
        return _Found(held=Held(tokens=OUTSIDER), members=None)
    members = await platform.members(spot)
    if not members:
        # Whoever can see the room is of the company as far as the platform knows; exports may know better.
        if groups.left or groups.anybody_may_have_left:
            reason = "who is in the channel cannot be told, and some accounts belong to people who left"
            return _Found(held=Held(tokens=OUTSIDER, missing=reason), members=None)
        return _Found(held=Held(tokens=MEMBER, missing="who is in the channel cannot be told"), members=None)
    people = await platform.people(members)
    reasons = {outside(people[id], groups) if id in people else "guest" for id in members}
    if reasons != {""}:
        return _Found(
            held=Held(tokens=OUTSIDER, missing=groups.missing if "unknown" in reasons else ""), members=members
        )
    shared, missing = await _shared(platform, [people[id] for id in sorted(members)], groups, named)
    held = Held(tokens=shared | MEMBER, missing=missing or missing_groups(groups, named))
    return _Found(held=held, members=members, certain=not missing)


async def _shared(platform: People, people: list[Person], groups: Groups, named: Readers) -> tuple[Readers, str]:
    """The tokens beyond `MEMBER` that all hold; and why they may be fewer than they should be.

    Only what the first ones share is asked of the next ones, and nobody is asked once that is nothing.
    """
    candidates = named - MEMBER
    asked = await wanted(groups, candidates, platform)
    asked_for = len(candidates)
    while asked and people and candidates:
        some, people = people[:AT_ONCE], people[AT_ONCE:]
        async with asyncio.TaskGroup() as tasks:
            answers = [tasks.create_task(own_tokens(platform, person, asked)) for person in some]
        owners, missing = zip(*(answer.result() for answer in answers), strict=True)
        if reasons := sorted(set(missing) - {""}):
            return frozenset(), reasons[0]
        candidates = groups.shared(owners, candidates)
        if 2 * len(candidates) <= asked_for:
            asked, asked_for = await wanted(groups, candidates, platform), len(candidates)
    if people and candidates:
        candidates = await asyncio.to_thread(groups.shared, map(vouched, people), candidates)
    return candidates, ""
