"""The product's own word on who holds what: its directory over the workplace and over an export of the groups."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bot.access.directory import Directory
from bot.access.groups import GroupBook
from bot.access.settings import AccessSettings
from bot.platforms.events import PlatformName, Spot
from bot.platforms.interface import Change, Person, Room
from ingest.ledger import Ledger
from tests.canaries.company import Company
from tests.canaries.platform import Workplace
from tests.fixtures.chat import Clock

MAX_AGE = 300.0
"""Seconds, as `access.max_age_minutes` begins."""


class Kept:
    """What an adapter is between platform and directory: it keeps answers for half of `MAX_AGE`, unless it hears."""

    def __init__(self, platform: Workplace, seconds: Callable[[], float], *, hears: bool = True) -> None:
        self.name: PlatformName = platform.name
        self._platform = platform
        self._seconds = seconds
        self._hears = hears
        self._kept: dict[object, tuple[float, Any]] = {}

    async def person(self, id: str) -> Person:
        kept: Person = await self._from(("person", id), lambda: self._platform.person(id))
        return kept

    async def people(self, ids: Collection[str]) -> Mapping[str, Person]:
        async def one(id: str) -> Person:
            return (await self._platform.people([id]))[id]

        return {id: await self._from(("people", id), partial(one, id)) for id in ids}

    async def room(self, spot: Spot) -> Room:
        kept: Room = await self._from(("room", spot.channel), lambda: self._platform.room(spot))
        return kept

    async def members(self, spot: Spot) -> frozenset[str] | None:
        kept: frozenset[str] | None = await self._from(("in", spot.channel), lambda: self._platform.members(spot))
        return kept

    async def held(self, person: str, tokens: Collection[str]) -> frozenset[str]:
        wanted = frozenset(tokens)
        kept: frozenset[str] = await self._from(("held", person, wanted), lambda: self._platform.held(person, wanted))
        return kept

    def watch(self, changed: Callable[[Change], None]) -> None:
        def heard(change: Change) -> None:
            self._kept.clear()
            changed(change)

        if self._hears:
            self._platform.watch(heard)

    async def _from(self, key: object, ask: Callable[[], Any]) -> Any:
        since = self._seconds()
        if key not in self._kept or since - self._kept[key][0] >= MAX_AGE / 2:
            self._kept[key] = (since, await ask())
        return self._kept[key][1]


def directory(platform: Workplace, folder: Path, ledger: Ledger, clock: Clock, *, hears: bool = True) -> Directory:
    """One replica's directory, with caches of its own; `hears` of changes, or does not."""

    def seconds() -> float:
        return clock.now().timestamp()

    settings = AccessSettings.model_validate({"group_files": [{"path": folder / "groups.csv"}]})
    export(platform.company, folder)
    return Directory(
        [Kept(platform, seconds, hears=hears)],
        GroupBook(settings, clock=seconds, now=clock.now),
        named=ledger.reader_tokens,
        max_age=MAX_AGE,
        clock=seconds,
    )


def export(company: Company, folder: Path) -> None:
    """The groups of the company as its directory exports them: in one step, as it should."""
    path, written = folder / "groups.csv", folder / "groups.csv.new"
    with written.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("group", "member"))
        for name, members in company.groups.items():
            rows.writerows((name, member.removeprefix("user:")) for member in sorted(members))
    written.replace(path)
