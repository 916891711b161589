"""Whose id is whose name: users and channels, looked up when something that is read mentions them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Set

from ingest.sources.interface import DocumentGone
from ingest.sources.slack.client import Client
from ingest.sources.slack.convert import Names, mentioned
from ingest.sources.slack.model import Channel, Message, User


class Directory:
    """Names, kept for the life of one run. Raises what `Source` may raise."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._users: dict[str, str] = {}
        self._channels: dict[str, str] = {}
        self._listed = False
        self._looking = asyncio.Lock()

    def learn(self, channels: Iterable[Channel]) -> None:
        self._channels |= {channel.id: channel.name for channel in channels}

    async def user(self, id: str) -> str:
        await self._look_up({id}, set())
        return self._users[id]

    async def names(self, messages: Iterable[Message]) -> Names:
        """The names that rendering `messages` takes."""
        await self._look_up(*mentioned(messages))
        return Names(users=self._users, channels=self._channels)

    async def _look_up(self, users: Set[str], channels: Set[str]) -> None:
        async with self._looking:
            if users - self._users.keys() and not self._listed:
                async for page in self._client.pages("users.list", "members", User):
                    self._users |= {user.id: user.shown for user in page}
                self._listed = True
            for id in users - self._users.keys():  # of another company (Slack Connect)
                self._users[id] = await self._user(id)
            for id in channels - self._channels.keys():
                self._channels[id] = await self._channel(id)

    async def _user(self, id: str) -> str:
        try:
            answer = await self._client.call("users.info", user=id)
        except DocumentGone:
            return id
        return self._client.item(answer.get("user"), User, "users.info").shown

    async def _channel(self, id: str) -> str:
        try:
            answer = await self._client.call("conversations.info", channel=id)
        except DocumentGone:
            return id
        return self._client.item(answer.get("channel"), Channel, "conversations.info").name or id
