"""Who people are and who can read a channel, kept for a while.

What Slack says is kept piece by piece, each as old as its own request: people, channels, the ids of who is in one. What
follows from it, whether outsiders read a channel, is worked out anew each time, so that it is never older than it says.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.platforms.events import Spot
from bot.platforms.interface import MessageGone, Person, PlatformRefused, PlatformUnavailable, Room
from bot.platforms.slack.client import Client, Refusal
from bot.platforms.slack.convert import Identity, person, reads
from bot.platforms.slack.kept import MOST_KEPT, Kept

logger = logging.getLogger(__name__)

KEPT_SECONDS = 150.0

PAGE = 999
"""Slack's most is 1,000, and it asks for fewer (https://docs.slack.dev/apis/web-api/pagination)."""

MOST_MEMBERS = 10_000
"""Of a channel, all of whom are known: eleven calls for their ids, of a hundred a minute, and as many for who they are,
of twenty: ten to fifteen seconds at these rates; the next look is due long after that. A larger one may have guests."""

MOST_LOOKED_UP = 30
"""People asked about one by one; for more the whole directory is read."""

MOST_PAGES = 20
"""Of the whole directory: as many accounts as are kept, and a minute and a half by Slack's rate."""

BOT_SECONDS = 1.0
"""To learn whether somebody is a bot: Slack wants its acknowledgement within three."""

MOST_NAMED = 20
"""People whose names are asked for because of one message; the others in it are called by what Slack wrote."""

UNKNOWN_USER = frozenset({"user_not_found", "user_not_visible", "users_not_found"})

EMAIL_SCOPE = "users:read.email"


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """An account of the workspace."""

    person: Person
    reads: bool
    """Whether it reads what is written: bots, which the company itself added, and the deactivated do not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """What a channel is."""

    name: str = ""
    shared: bool = True
    """With another company, or about to be."""
    person: str = ""
    """The other one in a direct message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """Who is in a channel, bots and all; None: too many, or the bot is not let look."""

    ids: frozenset[str] | None


class Directory:
    """People and channels of one workspace."""

    def __init__(
        self, client: Client, *, kept_seconds: float = KEPT_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._accounts: Kept[str, Account] = Kept(clock, kept_seconds)
        self._channels: Kept[str, Channel] = Kept(clock, kept_seconds)
        self._listed: Kept[str, Listed] = Kept(clock, kept_seconds)
        self._turns: dict[str, asyncio.Lock] = {}
        self._told: set[str] = set()

    async def person(self, id: str, me: Identity, *, urgent: bool = True) -> Person:
        """Somebody; who is not known to Slack is no member. `urgent`: somebody waits for more than a name."""
        return (await self._account(id, me, urgent=urgent)).person

    async def people(self, ids: Collection[str], me: Identity) -> dict[str, Person]:
        """Many at once; those about whom too many questions would be needed are no members."""
        found = await self._known(frozenset(ids), me)
        nobody = {id: Person(id=id, name=id, locale=None, member=False) for id in ids if id not in found}
        return {id: account.person for id, account in found.items()} | nobody

    async def names(
        self, ids: Iterable[str], me: Identity, *, within: float = 10.0, most: int = MOST_MEMBERS
    ) -> dict[str, str]:
        """What people are called, as far as that can be learned within so many seconds and by asking `most` times."""
        wanted = sorted(set(ids))
        found = {id: kept.person.name for id in wanted if (kept := self._accounts.get(id)) is not None}
        unknown = [id for id in wanted if id not in found][:most]

        async def name(id: str) -> None:
            try:
                found[id] = (await self.person(id, me, urgent=False)).name
            except (PlatformUnavailable, PlatformRefused) as error:
                logger.warning("the name of a mentioned person is not known: %s", error)

        try:
            async with asyncio.timeout(within), asyncio.TaskGroup() as group:
                for id in unknown:
                    group.create_task(name(id))
        except TimeoutError:
            logger.warning("slack: %d of %d names were not learned in time", len(wanted) - len(found), len(wanted))
        return found

    async def is_bot(self, id: str, me: Identity) -> bool:
        """Whether it is a program, or nobody any more; False also where that cannot be learned in time."""
        try:
            async with asyncio.timeout(BOT_SECONDS):
                return not (await self._account(id, me)).reads
        except (PlatformUnavailable, PlatformRefused, TimeoutError) as error:
            logger.warning("slack: whether %s is a bot is not known: %s", id, str(error) or "no answer in time")
        return False

    async def room(self, spot: Spot, me: Identity) -> Room:
        """A channel and whether outsiders can read it; True where that cannot be learned."""
        channel = await self._channel(spot.channel)
        if channel.shared:
            outsiders = True
        elif channel.person:
            outsiders = not (await self.person(channel.person, me)).member
        else:
            accounts = await self._in(spot.channel, me)
            outsiders = accounts is None or any(one.reads and not one.person.member for one in accounts.values())
        return Room(id=spot.channel, name=channel.name, outsiders=outsiders)

    async def members(self, spot: Spot, me: Identity) -> frozenset[str] | None:
        """Everybody who can read a channel; None where they cannot all be told."""
        channel = await self._channel(spot.channel)
        if channel.shared:
            return None
        if channel.person:
            accounts: Mapping[str, Account] | None = {channel.person: await self._account(channel.person, me)}
        else:
            accounts = await self._in(spot.channel, me)
        return None if accounts is None else frozenset(id for id, one in accounts.items() if one.reads)

    async def listed(self, channel: str) -> frozenset[str] | None:
        """Ids of who is in a channel, bots and all; None where there are too many, or the bot is not let look."""
        if (kept := self.has_listed(channel)) is not None:
            return kept.ids
        async with self._turn(f"members/{channel}"):
            if (kept := self.has_listed(channel)) is not None:
                return kept.ids
            asked = self._listed.asked()
            ids: set[str] = set()
            try:
                async for page in self.pages("conversations.members", "members", channel=channel):
                    ids.update(map(str, page))
                    if len(ids) > MOST_MEMBERS:
                        self.tell_once(f"slack: channel {channel} has more than {MOST_MEMBERS:,} members, too many")
                        return self._listed.put(channel, Listed(ids=None), asked).ids
            except (PlatformRefused, MessageGone) as error:
                self.tell_once(f"who is in channel {channel} is not known, so nobody is taken to be: {error}")
                return self._listed.put(channel, Listed(ids=None), asked).ids
            return self._listed.put(channel, Listed(ids=frozenset(ids)), asked).ids

    def has_listed(self, channel: str) -> Listed | None:
        """What is known of who is in a channel without asking."""
        return self._listed.get(channel)

    def is_as_known(self, user: Mapping[str, Any], me: Identity) -> bool:
        """Whether a user that Slack tells of is what is kept about them: only a status or a picture has changed."""
        kept = self._accounts.get(str(user.get("id")))
        if kept is None:
            return False
        now, known = person(user, me), kept.person
        as_before = (now.name, now.member, now.email) == (known.name, known.member, known.email)
        return as_before and reads(user) == kept.reads

    def is_taken_for_own(self, channel: str) -> bool:
        """Whether a channel is kept as shared with nobody."""
        kept = self._channels.get(channel)
        return kept is not None and not kept.shared

    def forget_person(self, id: str) -> None:
        self._accounts.drop(id)

    def forget_channel(self, id: str) -> None:
        """Somebody came or went, or it is shared now: what it is and who is in it is asked again."""
        self._channels.drop(id)
        self._listed.drop(id)

    def forget(self) -> None:
        """Everything."""
        for kept in (self._accounts, self._channels, self._listed):
            kept.clear()

    async def pages(self, method: str, key: str, **arguments: Any) -> AsyncIterator[list[Any]]:
        cursor = ""
        while True:
            answer = await self._client.call(method, limit=PAGE, cursor=cursor or None, **arguments)
            yield list(answer.get(key) or ())
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return

    def tell_once(self, warning: str) -> None:
        if warning not in self._told:
            if len(self._told) >= MOST_KEPT:
                self._told.clear()
            self._told.add(warning)
            logger.warning("%s", warning)

    async def _account(self, id: str, me: Identity, *, urgent: bool = True) -> Account:
        if (kept := self._accounts.get(id)) is not None:
            return kept
        async with self._turn(f"person/{id}"):
            if (kept := self._accounts.get(id)) is not None:
                return kept
            asked = self._accounts.asked()
            try:
                answer = await self._client.call("users.info", urgent=urgent, user=id, include_locale=True)
            except Refusal as error:
                if error.code not in UNKNOWN_USER:
                    raise
                unknown = Person(id=id, name=id, locale=None, member=False)
                return self._accounts.put(id, Account(person=unknown, reads=True), asked)
            account = self._accounts.put(id, _account(answer["user"], me), asked)
            if self._client.scopes is not None and EMAIL_SCOPE not in self._client.scopes:
                self.tell_once(
                    f"slack: the app lacks the scope {EMAIL_SCOPE!r}, so nobody's e-mail address is known, nor what is"
                    " for `user:` and an address; print the manifest with `bot manifest slack`, save it under App"
                    " Manifest, and install the app again"
                )
            return account

    async def _known(self, ids: frozenset[str], me: Identity) -> dict[str, Account]:
        """Those of whom it can be learned who they are."""
        found = self._kept_of(ids)
        if len(ids) - len(found) > MOST_LOOKED_UP:
            async with self._turn("directory"):
                found = self._kept_of(ids)
                if len(ids) - len(found) > MOST_LOOKED_UP:
                    await self._read_directory(me)
                    found = self._kept_of(ids)
        unknown = sorted(ids - found.keys())
        if len(unknown) > MOST_LOOKED_UP:
            self.tell_once("slack: the directory does not tell of everybody who is in the larger channels")
            return found
        for id in unknown:
            found[id] = await self._account(id, me)
        return found

    async def _in(self, channel: str, me: Identity) -> dict[str, Account] | None:
        """Everybody in a channel but this bot; None where that cannot be told."""
        ids = await self.listed(channel)
        if ids is None:
            return None
        others = ids - {me.user}
        accounts = await self._known(others, me)
        return accounts if len(accounts) == len(others) else None

    async def _channel(self, id: str) -> Channel:
        if (kept := self._channels.get(id)) is not None:
            return kept
        async with self._turn(f"channel/{id}"):
            if (kept := self._channels.get(id)) is not None:
                return kept
            asked = self._channels.asked()
            try:
                answer = await self._client.call("conversations.info", channel=id)
            except (PlatformRefused, MessageGone) as error:
                self.tell_once(f"who reads channel {id} is not known, so nobody is trusted: {error}")
                return self._channels.put(id, Channel(), asked)
            return self._channels.put(id, _channel(answer["channel"]), asked)

    async def _read_directory(self, me: Identity) -> None:
        asked, number = self._accounts.asked(), 0
        async for page in self.pages("users.list", "members", include_locale=True):
            for user in page:
                self._accounts.put(str(user["id"]), _account(user, me), asked)
            asked, number = self._accounts.asked(), number + 1
            if number >= MOST_PAGES:
                return

    def _kept_of(self, ids: Iterable[str]) -> dict[str, Account]:
        return {id: kept for id in ids if (kept := self._accounts.get(id)) is not None}

    def _turn(self, key: str) -> asyncio.Lock:
        """One asks, the others wait for what it learns."""
        if len(self._turns) > MOST_KEPT:
            self._turns = {key: lock for key, lock in self._turns.items() if lock.locked()}
        return self._turns.setdefault(key, asyncio.Lock())


def _account(user: Mapping[str, Any], me: Identity) -> Account:
    return Account(person=person(user, me), reads=reads(user))


def _channel(told: Mapping[str, Any]) -> Channel:
    """https://docs.slack.dev/reference/objects/conversation-object."""
    beyond = ("is_ext_shared", "is_pending_ext_shared", "pending_shared", "pending_connected_team_ids")
    shared = any(told.get(flag) for flag in beyond) or bool(told.get("is_shared") and not told.get("is_org_shared"))
    person = str(told.get("user") or "") if told.get("is_im") else ""
    return Channel(name=str(told.get("name") or ""), shared=shared, person=person)
