"""Who is who and what is where on the server, kept for a few minutes: people, names that can be mentioned, channels."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from bot.platforms.events import Spot
from bot.platforms.interface import MessageGone, Person, PlatformRefused, Room
from bot.platforms.mattermost.changes import GUESTS
from bot.platforms.mattermost.client import Client
from bot.platforms.mattermost.convert import language_of
from bot.platforms.mattermost.emails import Emails
from bot.platforms.mattermost.kept import Changes, Kept
from bot.platforms.mattermost.payloads import Channel, User
from bot.platforms.mattermost.settings import TrustEmails
from bot.platforms.mattermost.wire import Refused

MOST_NAMES = 100
"""In one message that are asked about: as many as one call takes. While they are, no other message is heard."""


ID = re.compile("[a-z0-9]{26}")
"""Ids of Mattermost; what is none must not get into an address."""


class Directory:
    """Asks once, and again after a while, or when the server says that something has changed."""

    def __init__(self, client: Client, changes: Changes, *, kept_seconds: float, trust_emails: TrustEmails) -> None:
        self._client = client
        self._changes = changes
        self._me: User | None = None
        self._emails = Emails(client, changes, trust=trust_emails, kept_seconds=kept_seconds)
        self._users: Kept[User] = Kept(changes, kept_seconds)
        self._named: Kept[bool] = Kept(changes, kept_seconds)
        self._groups: Kept[frozenset[str]] = Kept(changes, kept_seconds)
        self._channels: Kept[Channel] = Kept(changes, kept_seconds)
        self._rooms: Kept[Room] = Kept(changes, kept_seconds)
        self._direct: Kept[str] = Kept(changes, kept_seconds)

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
        return await self._users.ask(id, lambda: self._client.user(id), subjects=(id,))

    async def users(self, ids: Collection[str]) -> dict[str, User]:
        """Those that there are; whoever is not known yet is asked for at once."""
        found = {id: user for id in ids if (user := self._users.get(id))}
        missing = [id for id in ids if id not in found and ID.fullmatch(id)]
        asked = self._changes.now()
        for user in await self._client.users(missing) if missing else []:
            found[user.id] = self._users.put(user.id, user, asked=asked, subjects=(user.id,))
        return found

    async def person(self, id: str) -> Person:
        return await self._person(await self.user(id))

    async def people(self, ids: Collection[str]) -> dict[str, Person]:
        """All of them: whoever is not known is no member."""
        users = await self.users(ids)
        unknown = {id: Person(id=id, name="", locale=None, member=False) for id in ids if id not in users}
        return unknown | {id: await self._person(user) for id, user in users.items()}

    async def _person(self, user: User) -> Person:
        return Person(
            id=user.id,
            name=user.display_name,
            locale=language_of(user.locale),
            member=user.is_member,
            email=await self._emails.of(user) if user.is_member else "",
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
        asked = self._changes.now()
        users = {user.username.lower() for user in await self._client.users_named(unknown)}
        groups = await self._groups.ask("", self._client.group_names)
        found = {name: name in users or name in groups for name in unknown}
        for name, match in found.items():
            self._named.put(name, match, asked=asked)
        return any(found.values())

    async def channel(self, id: str) -> Channel:
        return await self._channels.ask(id, lambda: self._client.channel(id), subjects=(id,))

    async def is_direct(self, id: str) -> bool:
        """Whether nobody but one person and the bot is there."""
        return (await self.channel(id)).type == "D"

    def learn(self, channel: str, type: str) -> None:
        """What an event says of its channel spares asking."""
        if self._channels.get(channel) is None:
            self._channels.put(channel, Channel(id=channel, type=type), asked=self._changes.now(), subjects=(channel,))

    async def direct_with(self, user: str) -> str:
        """The channel of the bot's direct messages with them. Raises PlatformRefused."""
        return await self._direct.ask(user, lambda: self._direct_with(user))

    async def _direct_with(self, user: str) -> str:
        me = await self.me()
        channel = await self._client.direct(me.id, user)
        if channel.type != "D" or set(channel.name.split("__")) != {me.id, user}:
            raise PlatformRefused(
                f"mattermost: the channel that the server gives for direct messages with {user!r} is for others too; "
                "nothing is said there: look at what stands between the bot and the server"
            )
        return channel.id

    async def room(self, spot: Spot) -> Room:
        channel = spot.channel
        return await self._rooms.ask(channel, lambda: self._room(channel), subjects=(channel, GUESTS))

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

    async def usernames(self, ids: Iterable[str]) -> list[str]:
        """Of those that there are, in that order."""
        wanted = [*ids]
        try:
            users = await self.users(wanted)
        except PlatformRefused:
            return []
        return [users[id].username for id in wanted if id in users]
