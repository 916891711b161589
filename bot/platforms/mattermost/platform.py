"""Mattermost as a `ChatPlatform`: what is heard comes by websocket and callbacks, what is shown goes out by REST."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from starlette.routing import BaseRoute

from bot.phrases import Say
from bot.platforms.events import File, Spot
from bot.platforms.interface import (
    Button,
    Change,
    Draft,
    Memory,
    Message,
    MessageGone,
    Person,
    Post,
    Receive,
    Room,
)
from bot.platforms.mattermost.callbacks import Callbacks
from bot.platforms.mattermost.client import Client
from bot.platforms.mattermost.convert import is_addressed_to, messages_of, props
from bot.platforms.mattermost.directory import Directory
from bot.platforms.mattermost.draft import MattermostDraft, Messages, Pace, Where, unless_gone
from bot.platforms.mattermost.hearing import Hearing
from bot.platforms.mattermost.kept import KEPT_SECONDS, Changes, Clock
from bot.platforms.mattermost.listening import Listening, Pause
from bot.platforms.mattermost.membership import Memberships
from bot.platforms.mattermost.settings import MattermostSettings

logger = logging.getLogger(__name__)

RESPONSES = 4
"""Messages with which a slash command is answered: the server takes five, and one may have been spent on a status."""


class MattermostPlatform:
    """One Mattermost server. Nothing is connected before `run`, or the first call."""

    name: Literal["mattermost"] = "mattermost"

    def __init__(
        self,
        settings: MattermostSettings,
        *,
        say: Say,
        languages: Sequence[str],
        pace: Pace | None = None,
        pause: Pause = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        kept_seconds: float = KEPT_SECONDS,
        clock: Clock = time.monotonic,
    ) -> None:
        """`pace`: of drafts; `pause`: waits before connecting again; `say` and `languages` are not needed here.

        `kept_seconds`: how old what is known of people, channels and groups may be, by `clock`.
        """
        self._settings = settings
        self._pace = pace or Pace()
        self._client = Client(settings.url, settings.token, calls_per_second=settings.calls_per_second)
        self._changes = Changes(clock)
        self._directory = Directory(
            self._client, self._changes, kept_seconds=kept_seconds, trust_emails=settings.trust_emails
        )
        self._memberships = Memberships(self._client, self._directory, self._changes, kept_seconds=kept_seconds)
        self._hearing = Hearing(self._client, self._directory, ask_reaction=settings.ask_reaction, now=now)
        self._listening = Listening(self._client, self._directory, self._hearing, self._changes, pause=pause)
        self._callbacks = Callbacks(settings, self._client, self._directory, self._hearing, now=now)

    @property
    def connected(self) -> asyncio.Event:
        return self._listening.connected

    @property
    def routes(self) -> Sequence[BaseRoute]:
        return self._callbacks.routes

    async def run(self, receive: Receive, memory: Memory) -> None:
        """Hear until cancelled. Raises PlatformRefused when the first attempt to connect is refused."""
        self._callbacks.receive = receive
        try:
            await self._listening.run(receive, memory)
        finally:
            self._callbacks.receive = None

    def draft(
        self,
        spot: Spot,
        *,
        asker: str,
        language: str,
        stop: Button | None,
        posted: Callable[[str], Awaitable[None]],
        over: Sequence[str] = (),
        retry: bool = False,
    ) -> AbstractAsyncContextManager[Draft]:
        where = self._where(spot.channel, spot.thread)
        return MattermostDraft(
            where,
            Messages(where, posted=posted, over=over, again=True),
            stop=stop,
            pace=self._pace,
            typing=self._settings.status == "typing",
        )

    async def show(self, spot: Spot, post: Post) -> tuple[str, ...]:
        return await self._put(Messages(self._where(spot.channel, spot.thread)), post)

    async def change(self, spot: Spot, messages: Sequence[str], post: Post) -> tuple[str, ...]:
        return await self._put(Messages(self._where(spot.channel, spot.thread), over=messages), post)

    async def _put(self, messages: Messages, post: Post) -> tuple[str, ...]:
        mention = await self._directory.usernames(post.mention) if post.mention else []
        if post.replaces:
            await messages.clear()
        await messages.show(messages_of(post, mention=mention), post.buttons, urgent=True, last=True)
        return tuple(messages.ids)

    async def whisper(self, spot: Spot, to: str, post: Post, *, respond_to: str = "") -> tuple[str, ...]:
        """In answer to their own slash command only they see it where they are; otherwise it is a direct message."""
        texts = messages_of(post)
        if is_addressed_to(to, respond_to) and len(texts) <= RESPONSES:
            try:
                await self._respond(respond_to, texts, post.buttons)
            except MessageGone as error:
                logger.info("mattermost: told by direct message: %s", error)
            else:
                return ()
        return await self._put(Messages(self._where(await self._directory.direct_with(to), "")), post)

    async def _respond(self, to: str, texts: Sequence[str], buttons: Sequence[Button]) -> None:
        for number, text in enumerate(texts, start=1):
            found = props(buttons if number == len(texts) else (), action_url=self._callbacks.action_url)
            attachments = found.pop("attachments")
            answer = {"response_type": "ephemeral", "text": text, "props": found, "skip_slack_parsing": True}
            await self._client.respond(to, answer | ({"attachments": attachments} if attachments else {}))

    async def remove(self, spot: Spot, messages: Sequence[str]) -> None:
        for message in messages:
            await unless_gone(self._client.delete(message))

    async def thread(self, spot: Spot, *, limit: int = 200) -> tuple[Message, ...]:
        if not spot.thread:
            return ()
        posts = await self._client.thread(spot.thread, limit=limit)
        await self._directory.users({post.user_id for post in posts})
        return tuple([await self._hearing.message(post) for post in posts])

    async def message(self, spot: Spot, id: str) -> tuple[Spot, Message]:
        post = await self._client.post(id)
        if post.channel_id != spot.channel:
            raise MessageGone(f"mattermost: message {id!r} is not in channel {spot.channel!r}")
        return await self._hearing.spot(post), await self._hearing.message(post)

    async def person(self, id: str) -> Person:
        return await self._directory.person(id)

    async def people(self, ids: Collection[str]) -> Mapping[str, Person]:
        return await self._directory.people(ids)

    async def room(self, spot: Spot) -> Room:
        return await self._directory.room(spot)

    async def members(self, spot: Spot) -> frozenset[str] | None:
        return await self._memberships.members(spot.channel)

    async def held(self, person: str, tokens: Collection[str]) -> frozenset[str]:
        return await self._memberships.held(person, tokens)

    def watch(self, changed: Callable[[Change], None]) -> None:
        self._changes.watch(changed)

    async def download(self, file: File, to: Path, *, max_bytes: int) -> None:
        await self._client.save_file(file.id, to, max_bytes=max_bytes)

    async def close(self) -> None:
        await self._client.close()

    def _where(self, channel: str, root: str) -> Where:
        return Where(
            client=self._client,
            directory=self._directory,
            channel=channel,
            root=root,
            action_url=self._callbacks.action_url,
        )
