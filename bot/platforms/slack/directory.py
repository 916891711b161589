"""Who people are and who can read a channel, kept for a few minutes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from typing import Any, Generic, TypeVar

from bot.platforms.events import Spot
from bot.platforms.interface import MessageGone, Person, PlatformRefused, PlatformUnavailable, Room
from bot.platforms.slack.client import Client, Refusal
from bot.platforms.slack.convert import SLACKBOT, Identity, person

logger = logging.getLogger(__name__)

KEPT_SECONDS = 300.0

MOST_KEPT = 20_000
"""People and rooms."""

PAGE = 999
"""Slack's most is 1,000, and it asks for fewer (https://docs.slack.dev/apis/web-api/pagination)."""

MOST_MEMBERS = 5_000
"""Of a channel, looked through for guests; in a larger one there may be some."""

MOST_LOOKED_UP = 30
"""Members asked about one by one; for more the whole directory is read."""

MOST_PAGES = 20
"""Of the whole directory."""

BOT_SECONDS = 1.0
"""To learn whether somebody is a bot: Slack wants its acknowledgement within three."""

MOST_NAMED = 20
"""People whose names are asked for because of one message; the others in it are called by what Slack wrote."""

UNKNOWN_USER = frozenset({"user_not_found", "user_not_visible", "users_not_found"})

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Values for a few minutes, the oldest dropped where there are too many."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[Key, tuple[float, Value]] = {}

    def get(self, key: Key) -> Value | None:
        found = self._kept.get(key)
        return found[1] if found is not None and self._clock() - found[0] < KEPT_SECONDS else None

    def put(self, key: Key, value: Value) -> Value:
        self._kept.pop(key, None)
        self._kept[key] = (self._clock(), value)
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return value

    def drop(self, key: Key) -> None:
        self._kept.pop(key, None)


class Directory:
    """People and rooms of one workspace."""

    def __init__(self, client: Client, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._people: Kept[str, Person] = Kept(clock)
        self._rooms: Kept[str, Room] = Kept(clock)
        self._turns: dict[str, asyncio.Lock] = {}
        self._harmless: set[str] = set()
        """Bots, which the company itself added, and the deactivated: no members, and yet no outsiders who read."""

    async def person(self, id: str, me: Identity, *, urgent: bool = True) -> Person:
        """Somebody; who is not known to Slack is no member. `urgent`: somebody waits for more than a name."""
        if (kept := self._people.get(id)) is not None:
            return kept
        async with self._turn(id):
            if (kept := self._people.get(id)) is not None:
                return kept
            try:
                answer = await self._client.call("users.info", urgent=urgent, user=id, include_locale=True)
            except Refusal as error:
                if error.code not in UNKNOWN_USER:
                    raise
                return self._people.put(id, Person(id=id, name=id, locale=None, member=False))
            return self._known(answer["user"], me)

    async def names(
        self, ids: Iterable[str], me: Identity, *, within: float = 10.0, most: int = MOST_MEMBERS
    ) -> dict[str, str]:
        """What people are called, as far as that can be learned within so many seconds and by asking `most` times."""
        wanted = sorted(set(ids))
        found = {id: known.name for id in wanted if (known := self._people.get(id)) is not None}
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
                await self.person(id, me)
        except (PlatformUnavailable, PlatformRefused, TimeoutError) as error:
            logger.warning("slack: whether %s is a bot is not known: %s", id, str(error) or "no answer in time")
        return id in self._harmless

    async def room(self, spot: Spot, me: Identity) -> Room:
        """A channel and whether outsiders can read it; True where that cannot be learned."""
        if (kept := self._rooms.get(spot.channel)) is not None:
            return kept
        async with self._turn(spot.channel):
            if (kept := self._rooms.get(spot.channel)) is not None:
                return kept
            try:
                channel = (await self._client.call("conversations.info", channel=spot.channel))["channel"]
                outsiders = await self._outsiders(channel, me)
            except (PlatformRefused, MessageGone) as error:
                logger.warning("who reads channel %s is not known, so nobody is trusted: %s", spot.channel, error)
                return self._rooms.put(spot.channel, Room(id=spot.channel, name="", outsiders=True))
            name = str(channel.get("name") or "")
            return self._rooms.put(spot.channel, Room(id=spot.channel, name=name, outsiders=outsiders))

    def forget_room(self, channel: str) -> None:
        """Somebody came in: who reads there is asked again."""
        self._rooms.drop(channel)

    async def _outsiders(self, channel: dict[str, Any], me: Identity) -> bool:
        if channel.get("is_im"):
            return not (await self.person(str(channel["user"]), me)).member
        if channel.get("is_ext_shared") or channel.get("is_pending_ext_shared") or channel.get("pending_shared"):
            return True
        if channel.get("is_shared") and not channel.get("is_org_shared"):
            return True
        members: set[str] = set()
        async for page in self._pages("conversations.members", "members", channel=channel["id"]):
            members.update(map(str, page))
            if len(members) > MOST_MEMBERS:
                return True
        members.discard(me.user)
        if len([id for id in members if self._people.get(id) is None]) > MOST_LOOKED_UP:
            await self._read_directory(me)
        unknown = {id for id in members if self._people.get(id) is None}
        if len(unknown) > MOST_LOOKED_UP:
            return True
        people = [await self.person(id, me) for id in sorted(members)]
        return any(not one.member and one.id not in self._harmless for one in people)

    async def _read_directory(self, me: Identity) -> None:
        pages = 0
        async for page in self._pages("users.list", "members", include_locale=True):
            for user in page:
                self._known(user, me)
            pages += 1
            if pages >= MOST_PAGES:
                return

    def _known(self, user: dict[str, Any], me: Identity) -> Person:
        known = person(user, me.team)
        if user.get("is_bot") or user.get("deleted") or known.id == SLACKBOT:
            self._harmless.add(known.id)
        return self._people.put(known.id, known)

    async def _pages(self, method: str, key: str, **arguments: Any) -> AsyncIterator[list[Any]]:
        cursor = ""
        while True:
            answer = await self._client.call(method, limit=PAGE, cursor=cursor or None, **arguments)
            yield list(answer.get(key) or ())
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return

    def _turn(self, id: str) -> asyncio.Lock:
        """One asks about somebody, the others wait for what it learns."""
        if len(self._turns) > MOST_KEPT:
            self._turns = {id: lock for id, lock in self._turns.items() if lock.locked()}
        return self._turns.setdefault(id, asyncio.Lock())
