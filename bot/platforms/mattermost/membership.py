"""Who is in which channel, team or group, as far as the bot is let look.

One person is asked about at a time, with one call. Where several are asked about within a short time, as for everybody
who reads a channel, all members are listed once instead, page by page.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal, TypeVar

import httpx

from bot.platforms.mattermost.changes import LEAVING
from bot.platforms.mattermost.client import PER_PAGE, Client
from bot.platforms.mattermost.directory import ID, Directory
from bot.platforms.mattermost.kept import Changes, Kept
from bot.platforms.mattermost.payloads import Membership, User
from bot.platforms.mattermost.wire import Refused

logger = logging.getLogger(__name__)

MOST_MEMBERS = 10_000
"""Of a channel, team or group that is listed: 50 pages, or 100 for a channel, which at 50 calls a second take two."""

ASKED_SINGLY = 3
"""So many people are asked about one by one, within the time that answers are kept, before all members are listed."""

AT_ONCE = 8
"""Tokens that are looked up at the same time for one person."""

CLOSED = frozenset({400, 403, 404, 501})
"""Refusals of one channel, team or group: it is gone, the bot is not in it, or the licence is without such groups."""

NO_MEMBER = ("get_member.missing", "get_member.app_error", "missing_team_member", "missing_channel_member")
"""In the server's id of the error where there is such a channel or team and the person is not in it (404)."""

PLATFORM = "mattermost"
"""Before the first colon of its tokens."""

Kind = Literal["channel", "team", "group"]
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Roster:
    """All members; None where they cannot all be told."""

    ids: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Named:
    """What a reader token of Mattermost's names."""

    kind: Kind
    id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


def named(token: str) -> Named | None:
    """What a token names; a bare id that is not the person's own is a channel's. None for no token of Mattermost's."""
    platform, _, rest = token.partition(":")
    kind, colon, id = rest.rpartition(":")
    if platform != PLATFORM or not ID.fullmatch(id):
        return None
    match kind, colon:
        case "team", ":":
            return Named("team", id)
        case "group", ":":
            return Named("group", id)
        case "", "":
            return Named("channel", id)
    return None


class Memberships:
    """Answers are kept until something is heard of the person or of what they may be in, or they are too old."""

    def __init__(self, client: Client, directory: Directory, changes: Changes, *, kept_seconds: float) -> None:
        self._client = client
        self._directory = directory
        self._changes = changes
        self._seconds = kept_seconds
        self._rosters: Kept[Roster] = Kept(changes, kept_seconds)
        self._people: Kept[Roster] = Kept(changes, kept_seconds)
        self._single: Kept[bool] = Kept(changes, kept_seconds)
        self._closed: Kept[bool] = Kept(changes, kept_seconds)
        """What the bot is not let look into."""
        self._asked: dict[str, list[float]] = {}
        """When it was asked about single people of something, by the clock."""
        self._told: set[str] = set()

    async def members(self, channel: str) -> frozenset[str] | None:
        """All people who are in the channel, without bots and the deactivated; None where they cannot all be told."""
        found = await self._people.ask(channel, lambda: self._listed_people(channel), subjects=(channel, LEAVING))
        return found.ids

    async def held(self, person: str, tokens: Collection[str]) -> frozenset[str]:
        """Those of the tokens that the person holds; none for whoever is no member of the company."""
        if not tokens or not (await self._directory.people([person]))[person].member:
            return frozenset()
        slots, found = asyncio.Semaphore(AT_ONCE), set[str]()

        async def look(token: str) -> None:
            async with slots:
                if await self._holds(person, token):
                    found.add(token)

        try:
            async with asyncio.TaskGroup() as tasks:
                for token in tokens:
                    tasks.create_task(look(token))
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        return frozenset(found)

    async def _holds(self, person: str, token: str) -> bool:
        what = named(token)
        if what is None:
            if token.startswith(f"{PLATFORM}:"):
                self._tell(repr(token), "it names no user, channel, team or group")
            return False
        if what == Named("channel", person):
            return True
        if self._closed.get(what.id):
            return False
        if what.kind != "group" and not self._are_many(what.id):
            return await self._asked_singly(what, person)
        roster = await self._rosters.ask(what.id, lambda: self._listed(what), subjects=(what.id, LEAVING))
        if roster.ids is None:
            return what.kind != "group" and await self._asked_singly(what, person)
        return person in roster.ids

    def _are_many(self, id: str) -> bool:
        """Whether so many people have been asked about lately that all members had better be listed."""
        now = self._changes.clock()
        if len(self._asked) > MOST_MEMBERS:
            self._asked.clear()
        recent = [at for at in self._asked.get(id, ()) if now - at < self._seconds]
        self._asked[id] = [*recent, now][-ASKED_SINGLY - 1 :]
        return len(recent) >= ASKED_SINGLY

    async def _asked_singly(self, what: Named, person: str) -> bool:
        if self._closed.get(what.id):
            return False
        return await self._single.ask(
            f"{what.id}/{person}", lambda: self._is_in(what, person), subjects=(what.id, person)
        )

    async def _is_in(self, what: Named, person: str) -> bool:
        asked = self._changes.now()
        try:
            found = await self._client.membership("teams" if what.kind == "team" else "channels", what.id, person)
        except Refused as error:
            if error.status == httpx.codes.NOT_FOUND and any(one in error.error_id for one in NO_MEMBER):
                return False
            self._check_closed(what, error)
            self._closed.put(what.id, True, asked=asked, subjects=(what.id,))
            return False
        return found.user_id == person and not found.delete_at

    async def _listed(self, what: Named) -> Roster:
        """For those who hold a token: whoever is missing from it reads less."""
        try:
            match what.kind:
                case "team":
                    rows = await self._pages(lambda page: self._client.in_team(what.id, page))
                    return Roster(None if rows is None else _of_team(rows))
                case "channel":
                    users = await self._pages(lambda page: self._client.in_channel(what.id, page))
                case "group":
                    users = await self._pages(lambda page: self._client.in_group(what.id, page))
        except Refused as error:
            self._check_closed(what, error)
            return Roster(frozenset() if what.kind == "group" else None)
        if users is None and what.kind == "group":
            self._tell(str(what), f"it has more than {MOST_MEMBERS:,} members")
        return Roster(None if users is None else frozenset(user.id for user in users))

    async def _listed_people(self, channel: str) -> Roster:
        """For those who read along: nobody may be missing.

        Somebody who leaves moves all after them forward, so that one may slip from a page to one that was read. So
        several pages are read forward and then backward: whoever slips in one direction stays in the other.
        """
        if not ID.fullmatch(channel):
            return Roster(None)
        users: dict[str, User] = {}
        try:
            if (await self._client.channel(channel)).shared:
                self._tell(f"channel {channel}", "it is shared with another server")
                return Roster(None)
            for page in count():
                rows = await self._client.in_channel(channel, page)
                users |= {row.id: row for row in rows}
                if len(rows) < PER_PAGE:
                    break
                if len(users) >= MOST_MEMBERS:
                    self._tell(f"channel {channel}", f"it has more than {MOST_MEMBERS:,} members")
                    return Roster(None)
            for back in reversed(range(page)):
                users |= {row.id: row for row in await self._client.in_channel(channel, back)}
        except Refused as error:
            self._check_closed(Named("channel", channel), error)
            return Roster(None)
        return Roster(frozenset(id for id, user in users.items() if not (user.is_bot or user.delete_at)))

    async def _pages(self, ask: Callable[[int], Awaitable[Sequence[_Row]]]) -> list[_Row] | None:
        """All rows; None where there are too many."""
        found: list[_Row] = []
        for page in count():
            rows = await ask(page)
            found += rows
            if len(rows) < PER_PAGE:
                break
            if len(found) >= MOST_MEMBERS:
                return None
        return found

    def _check_closed(self, what: Named, error: Refused) -> None:
        """Tell of what cannot be looked into. Raises again what is about the bot or the server, not about that."""
        if error.status not in CLOSED:
            raise error
        self._tell(str(what), str(error).removeprefix("mattermost: "))

    def _tell(self, what: str, why: str) -> None:
        if what in self._told:
            return
        if len(self._told) >= MOST_MEMBERS:
            self._told.clear()
        self._told.add(what)
        logger.warning("mattermost: who is in %s cannot be told, so that less may be read: %s", what, why)


def _of_team(rows: Sequence[Membership]) -> frozenset[str]:
    return frozenset(row.user_id for row in rows if not row.delete_at)
