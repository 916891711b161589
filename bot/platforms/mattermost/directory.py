"""Who is who and what is where on the server, kept for a few minutes: people, names that can be mentioned, channels."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from typing import Generic, TypeVar

from bot.platforms.events import Spot
from bot.platforms.interface import MessageGone, Person, PlatformRefused, Room
from bot.platforms.mattermost.client import Client
from bot.platforms.mattermost.convert import language_of
from bot.platforms.mattermost.payloads import Channel, User
from bot.platforms.mattermost.wire import Refused

KEPT_SECONDS = 300.0
MOST_KEPT = 10_000

MOST_NAMES = 100
"""In one message that are asked about: as many as one call takes. While they are, no other message is heard."""

_Value = TypeVar("_Value")

Clock = Callable[[], float]


class Kept(Generic[_Value]):
    """Values by name, for a while."""

    def __init__(self, clock: Clock, seconds: float = KEPT_SECONDS) -> None:
        self._clock = clock
        self._seconds = seconds
        self._values: dict[str, tuple[float, _Value]] = {}

    def get(self, name: str) -> _Value | None:
        until, value = self._values.get(name, (0.0, None))
        return value if self._clock() < until else None

    def put(self, name: str, value: _Value) -> _Value:
        if len(self._values) >= MOST_KEPT:
            self._values.clear()
        self._values[name] = (self._clock() + self._seconds, value)
        return value

    def forget(self, name: str) -> None:
        self._values.pop(name, None)


class Directory:
    """Asks once, and again after a few minutes, or when the server says that something has changed (`forget`)."""

    def __init__(self, client: Client, *, clock: Clock = time.monotonic) -> None:
        self._client = client
        self._me: User | None = None
        self._users: Kept[User] = Kept(clock)
        self._named: Kept[bool] = Kept(clock)
        self._groups: Kept[frozenset[str]] = Kept(clock)
        self._channels: Kept[Channel] = Kept(clock)
        self._rooms: Kept[Room] = Kept(clock)
        self._direct: Kept[str] = Kept(clock)

    async def me(self) -> User:
        """The bot's own account."""
        if self._me is None:
            self._me = await self._client.me()
        return self._me

    async def verified(self) -> User:
        """The bot's own account, asked for again: whether the token is any good."""
        self._me = await self._client.me()
        return self._me

    async def user(self, id: str) -> User:
        return self._users.get(id) or self._users.put(id, await self._client.user(id))

    async def users(self, ids: Collection[str]) -> dict[str, User]:
        """Those that there are; whoever is not known yet is asked for at once."""
        found = {id: user for id in ids if (user := self._users.get(id))}
        missing = [id for id in ids if id not in found]
        for user in await self._client.users(missing) if missing else []:
            found[user.id] = self._users.put(user.id, user)
        return found

    async def person(self, id: str) -> Person:
        user = await self.user(id)
        guest = "system_guest" in user.roles.split()
        return Person(
            id=user.id,
            name=user.display_name,
            locale=language_of(user.locale),
            member=not (guest or user.remote_id or user.is_bot or user.delete_at),
        )

    async def any_named(self, names: Iterable[str]) -> bool:
        """Whether any of the names is somebody's, or a group's; of very many one certainly is."""
        unknown: list[str] = []
        for name in names:
            match self._named.get(name):
                case True:
                    return True
                case None:
                    unknown.append(name)
        if not unknown:
            return False
        if len(unknown) > MOST_NAMES:
            return True
        users = {user.username.lower() for user in await self._client.users_named(unknown)}
        groups = self._groups.get("")
        if groups is None:
            groups = self._groups.put("", await self._client.group_names())
        return any(self._named.put(name, name in users or name in groups) for name in unknown)

    async def channel(self, id: str) -> Channel:
        return self._channels.get(id) or self._channels.put(id, await self._client.channel(id))

    async def is_direct(self, id: str) -> bool:
        """Whether nobody but one person and the bot is there."""
        return (await self.channel(id)).type == "D"

    def learn(self, channel: str, type: str) -> None:
        """What an event says of its channel spares asking."""
        if self._channels.get(channel) is None:
            self._channels.put(channel, Channel(id=channel, type=type))

    async def direct_with(self, user: str) -> str:
        """The channel of the bot's direct messages with them."""
        me = await self.me()
        return self._direct.get(user) or self._direct.put(user, (await self._client.direct(me.id, user)).id)

    async def room(self, spot: Spot) -> Room:
        return self._rooms.get(spot.channel) or self._rooms.put(spot.channel, await self._room(spot.channel))

    async def _room(self, id: str) -> Room:
        try:
            channel = await self._client.channel(id)
            me = await self.me()
            if channel.type == "D":
                other = next((part for part in channel.name.split("__") if part != me.id), "")
                person = await self.person(other)
                return Room(id=id, name=person.name, outsiders=not person.member)
            guests = (await self._client.stats(id)).guest_count
        except (Refused, MessageGone):
            # The bot is not in it, and so cannot know who is.
            return Room(id=id, name="", outsiders=True)
        return Room(id=id, name=channel.display_name or channel.name, outsiders=channel.shared or guests != 0)

    def forget_user(self, id: str) -> None:
        self._users.forget(id)

    def forget_channel(self, id: str) -> None:
        self._channels.forget(id)
        self._rooms.forget(id)

    async def usernames(self, ids: Iterable[str]) -> list[str]:
        """Of those that there are, in that order."""
        wanted = [*ids]
        try:
            users = await self.users(wanted)
        except PlatformRefused:
            return []
        return [users[id].username for id in wanted if id in users]
