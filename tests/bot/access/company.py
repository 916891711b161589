"""A company on a platform, in memory: the part of `ChatPlatform` that tells who is who."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from bot.access.directory import Directory
from bot.access.groups import GroupBook
from bot.access.settings import AccessSettings
from bot.platforms.events import PlatformName, Spot
from bot.platforms.interface import Change, Person, PlatformRefused, PlatformUnavailable, Room
from tests.fixtures.clock import Clock

MAX_AGE = 300.0
"""Seconds."""


class Company:
    """Who there is; every question about them is counted, and can be made to fail or to wait."""

    name: PlatformName = "slack"

    def __init__(self) -> None:
        self.accounts: dict[str, Person] = {}
        self.channels: dict[str, set[str] | None] = {}
        self.own_groups: dict[str, set[str]] = {}
        """Token -> who holds it."""
        self.shared: set[str] = set()
        """Channels that the platform says have outsiders."""
        self.failing: dict[str, type[PlatformUnavailable | PlatformRefused]] = {}
        self.asked: list[str] = []
        self.looked_up: set[str] = set()
        self.before: Callable[[str], Awaitable[None]] | None = None
        """Runs before each question is answered."""
        self.listeners: list[Callable[[Change], None]] = []

    def hire(self, *people: str, member: bool = True) -> None:
        for id in people:
            self.accounts[id] = Person(id=id, name=id, locale=None, member=member, email=f"{id.lower()}@example.org")

    def tell(self, *, person: str = "", channel: str = "") -> None:
        for listener in self.listeners:
            listener(Change(person=person, channel=channel))

    async def _about(self, what: str) -> None:
        self.asked.append(what)
        if self.before is not None:
            await self.before(what)
        if error := self.failing.get(what):
            raise error(f"{what} does not answer")

    async def person(self, id: str) -> Person:
        return (await self.people([id]))[id]

    async def people(self, ids: Collection[str]) -> Mapping[str, Person]:
        found = {id: self._known(id) for id in ids}
        await self._about("people")
        return found

    def _known(self, id: str) -> Person:
        return self.accounts.get(id) or Person(id=id, name="", locale=None, member=False)

    async def room(self, spot: Spot) -> Room:
        await self._about("room")
        return Room(id=spot.channel, name=spot.channel, outsiders=spot.channel in self.shared)

    async def members(self, spot: Spot) -> frozenset[str] | None:
        found = self.channels[spot.channel]
        found = None if found is None else frozenset(found)
        await self._about("members")
        return found

    async def held(self, person: str, tokens: Collection[str]) -> frozenset[str]:
        self.looked_up |= set(tokens)
        await self._about("held")
        return frozenset(token for token in tokens if person in self.own_groups.get(token, ()))

    def watch(self, changed: Callable[[Change], None]) -> None:
        self.listeners.append(changed)


def spot(channel: str = "C1") -> Spot:
    return Spot(platform="slack", workspace="T1", channel=channel, thread="1", direct=False)


def directory(
    company: Company,
    *named: str,
    clock: Clock | None = None,
    book: GroupBook | None = None,
    patience: float = 30.0,
    **settings: Any,
) -> Directory:
    """The directory of the company, whose documents name these tokens; `settings` of the section `access`."""
    clock = clock or Clock()

    async def tokens() -> frozenset[str]:
        return frozenset(named)

    return Directory(
        [company],
        book or book_of(clock, **settings),
        named=tokens,
        max_age=MAX_AGE,
        clock=clock,
        patience=patience,
    )


def book_of(clock: Clock | None = None, **settings: Any) -> GroupBook:
    clock = clock or Clock()
    return GroupBook(
        AccessSettings.model_validate({"max_age_minutes": MAX_AGE / 60, **settings}), clock=clock, now=clock.now
    )


def scim_group(id: str, name: str, *members: str, kind: str | None = None) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": id,
        "displayName": name,
        "members": [{"value": member} | ({"type": kind} if kind else {}) for member in members],
    }


def scim_user(id: str, email: str, **more: Any) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": id,
        "userName": email,
        "emails": [{"value": email, "type": "work", "primary": True}],
        **more,
    }


def scim(path: Path, *resources: dict[str, Any]) -> Path:
    path.write_text(
        json.dumps(
            {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                "totalResults": len(resources),
                "Resources": list(resources),
            }
        ),
        encoding="utf-8",
    )
    return path


async def both(*answers: Awaitable[Any]) -> list[Any]:
    """What several ask at the same time."""

    async def one(answer: Awaitable[Any]) -> Any:
        return await answer

    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(one(answer)) for answer in answers]
    return [task.result() for task in asked]
