"""A person of a platform, and the reader tokens that they hold: by the platform's word, and by the company's groups."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Protocol

from bot.access.groups import GroupBook
from bot.access.interface import Held
from bot.access.membership import Groups
from bot.audience import OUTSIDER
from bot.platforms.events import PlatformName, Spot
from bot.platforms.interface import Change, Person, PlatformRefused, PlatformUnavailable, Room
from ingest.model import MEMBER, READER_TOKEN, Readers

Named = Callable[[], Awaitable[frozenset[str]]]
"""The reader tokens that any document names. Raises what a database raises."""

NAMED_KEPT = 60.0
"""Seconds for which it is remembered which tokens documents name. That decides what is looked up, not who may read: a
token new to all documents opens them that much later."""


class People(Protocol):
    """What of a `ChatPlatform` tells who is who; see there."""

    @property
    def name(self) -> PlatformName: ...

    async def person(self, id: str) -> Person: ...

    async def people(self, ids: Collection[str]) -> Mapping[str, Person]: ...

    async def room(self, spot: Spot) -> Room: ...

    async def members(self, spot: Spot) -> frozenset[str] | None: ...

    async def held(self, person: str, tokens: Collection[str]) -> frozenset[str]: ...

    def watch(self, changed: Callable[[Change], None]) -> None: ...


class NamedTokens:
    """The tokens that documents name, asked for now and then."""

    def __init__(self, named: Named, clock: Callable[[], float] = time.monotonic) -> None:
        self._named = named
        self._clock = clock
        self._kept: Readers = frozenset()
        self._since: float | None = None
        self._lock = asyncio.Lock()

    async def current(self) -> Readers:
        """The same object until they are others. Raises what a database raises."""
        async with self._lock:
            if self._since is None or self._clock() - self._since >= NAMED_KEPT:
                began = self._clock()
                found = await self._named()
                self._kept = self._kept if found == self._kept else found
                self._since = began
            return self._kept


class Principals:
    """People of platforms as holders of tokens. What it keeps is which tokens matter; of people it keeps nothing."""

    def __init__(self, book: GroupBook, named: NamedTokens) -> None:
        self.book = book
        self.named = named

    async def of(self, platform: People, person: str) -> Held:
        """What somebody holds of all that documents name.

        Raises `PlatformUnavailable` and `PlatformRefused` where nothing can be learned of them.
        """
        known = await platform.person(person)
        groups = await self.book.current()
        if reason := outside(known, groups):
            return Held(tokens=OUTSIDER, missing=groups.missing if reason == "unknown" else "")
        named = await self.named.current()
        own, missing = await own_tokens(platform, known, await wanted(groups, named, platform))
        if missing:
            return Held(tokens=MEMBER, missing=missing)
        return Held(tokens=(groups.closed(own) & named) | MEMBER, missing=missing_groups(groups, named))


def outside(person: Person, groups: Groups) -> str:
    """Why somebody holds `public` alone: `guest`, `left`, or `unknown` while no export can tell; empty for a member."""
    if not person.member:
        return "guest"
    if groups.is_active(person.email):
        return ""
    return "unknown" if groups.anybody_may_have_left else "left"


async def wanted(groups: Groups, named: Readers, platform: People) -> Readers:
    """Tokens of the platform's own that documents name, or that make somebody a member of a group that they name."""
    return await asyncio.to_thread(groups.wanted, named, f"{platform.name}:")


async def own_tokens(platform: People, person: Person, wanted: Readers) -> tuple[Readers, str]:
    """What a member holds before groups, and why not all of it could be learned; empty: it could."""
    if not wanted:
        return vouched(person), ""
    try:
        held = await platform.held(person.id, wanted)
    except (PlatformUnavailable, PlatformRefused) as error:
        return MEMBER, f"{platform.name} does not tell who is in its groups: {error}"
    return vouched(person) | (held & wanted), ""


def vouched(person: Person) -> Readers:
    """What a member holds by the platform's word for who they are."""
    user = f"user:{person.email}"
    return MEMBER | {user} if person.email and READER_TOKEN.fullmatch(user) else MEMBER


def missing_groups(groups: Groups, named: Readers) -> str:
    """Why documents for groups may be left out; empty where all is known, or no document is for a group."""
    return groups.missing if any(token.startswith("group:") for token in named) else ""
