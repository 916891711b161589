"""Slack as a `ChatPlatform`."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.phrases import Say
from bot.platforms.events import File, PlatformName, Spot
from bot.platforms.interface import (
    Button,
    Change,
    Draft,
    Memory,
    Message,
    MessageGone,
    Person,
    PlatformRefused,
    PlatformUnavailable,
    Post,
    Receive,
    Room,
)
from bot.platforms.slack import blocks, convert, draft
from bot.platforms.slack.catchup import Catchup
from bot.platforms.slack.changes import Changes
from bot.platforms.slack.client import Client
from bot.platforms.slack.convert import Identity
from bot.platforms.slack.directory import KEPT_SECONDS, Directory
from bot.platforms.slack.hearing import Hearing
from bot.platforms.slack.holdings import Holdings
from bot.platforms.slack.posting import Posting
from bot.platforms.slack.settings import SlackSettings
from bot.platforms.slack.socket import BACK_OFF_SECONDS, Connections
from bot.platforms.slack.status import Abilities, Status
from ingest.errors import ConfigurationError

logger = logging.getLogger(__name__)

EVENTS_PATH = "/slack/events"
"""Where Slack posts events, commands, presses and forms in HTTP mode."""

LARGEST_BODY = 1024 * 1024
"""Bytes of one of them."""

BODY_SECONDS = 10.0
"""For all of them to come; whoever sends slowly is not Slack, which waits three seconds for an answer."""

THREAD_PAGES = 5
"""Of a thread, 1,000 messages each: the oldest come first, and the latest are wanted."""


class SlackPlatform:
    """One Slack workspace. Nothing is connected before `run`, or the first call."""

    name: PlatformName = "slack"

    def __init__(
        self,
        settings: SlackSettings,
        *,
        say: Say,
        languages: Sequence[str],
        kept_seconds: float = KEPT_SECONDS,
        pace: draft.Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Put the parts together.

        Args:
            settings: with the secrets that the mode needs.
            say: the phrases, for suggested prompts.
            languages: those that are spoken; the first stands in for others.
            kept_seconds: how old what is known of people, groups and channels may be, counted from before it was
                asked for.
            pace: of drafts.
            clock: seconds, for rates, streams and what is kept for a while.
            pause: waits before connecting again.

        Raises:
            ConfigurationError: a secret is missing.
        """
        _check_secrets(settings)
        self._settings = settings
        self._pace = pace or draft.Pace()
        self._clock = clock
        self._pause = pause
        self._client = Client(settings, clock=clock)
        self._posting = Posting(self._client)
        self._directory = Directory(self._client, kept_seconds=kept_seconds, clock=clock)
        self._holdings = Holdings(self._client, self._directory, kept_seconds=kept_seconds, clock=clock)
        self._changes = Changes(self._directory, self._holdings)
        self._abilities = Abilities()
        self._hearing = Hearing(
            settings, self._client, self._directory, self._changes, say=say, languages=languages, identity=self._me
        )
        self._catchup = Catchup(self._client, self._hearing, identity=self._me, pause=pause)
        self._connections = Connections(
            self._client, count=settings.connections, up=self._up, down=self._down, pause=pause
        )
        self._identity: Identity | None = None
        self._asking = asyncio.Lock()

    @property
    def connected(self) -> asyncio.Event:
        return self._catchup.done

    @property
    def routes(self) -> Sequence[BaseRoute]:
        if self._settings.mode == "socket":
            return ()
        return (Route(EVENTS_PATH, self._posted_to, methods=["POST"]),)

    async def run(self, receive: Receive, memory: Memory) -> None:
        """Hear until cancelled. Raises PlatformRefused where a token is not taken at the start."""
        await self._signed_in()
        self._hearing.receive = receive
        try:
            async with asyncio.TaskGroup() as group:

                def later(work: Coroutine[Any, Any, None]) -> None:
                    group.create_task(work)

                self._hearing.later = later
                group.create_task(self._catchup.run(memory))
                if self._settings.mode == "socket":
                    group.create_task(self._connections.run(self._hearing.dispatch))
                else:
                    self._up()
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            self._down()
            self._hearing.receive = None
            self._hearing.later = None

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
        return draft.Draft(
            self._client,
            spot,
            asker=asker,
            team=spot.workspace,
            stop=stop,
            posted=posted,
            over=over,
            status=Status(self._client, spot, self._abilities, asker=asker, clear=bool(over) or retry),
            pace=self._pace,
            clock=self._clock,
        )

    async def show(self, spot: Spot, post: Post) -> tuple[str, ...]:
        return await self._posting.show(spot, post)

    async def whisper(self, spot: Spot, to: str, post: Post, *, respond_to: str = "") -> tuple[str, ...]:
        return await self._posting.whisper(spot, to, post, respond_to=respond_to)

    async def change(self, spot: Spot, messages: Sequence[str], post: Post) -> tuple[str, ...]:
        return await self._posting.put(spot, messages, blocks.pages(post))

    async def remove(self, spot: Spot, messages: Sequence[str]) -> None:
        await self._posting.remove(spot, messages)

    async def thread(self, spot: Spot, *, limit: int = 200) -> tuple[Message, ...]:
        if not spot.thread:
            return ()
        found: list[dict[str, Any]] = []
        cursor = ""
        for _ in range(THREAD_PAGES):
            answer = await self._client.call(
                "conversations.replies", channel=spot.channel, ts=spot.thread, limit=999, cursor=cursor or None
            )
            page = [message for message in answer.get("messages") or () if message.get("subtype") != "tombstone"]
            found += page if not cursor else [message for message in page if message["ts"] != spot.thread]
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        found.sort(key=lambda message: float(message["ts"]))
        latest = found if len(found) <= limit else [*found[:1], *found[1 - limit :]] if limit > 1 else found[:1]
        return await self._messages(latest)

    async def message(self, spot: Spot, id: str) -> tuple[Spot, Message]:
        answer = await self._client.call(
            "conversations.replies", channel=spot.channel, ts=id, oldest=id, latest=id, inclusive=True, limit=1
        )
        found = next((message for message in answer.get("messages") or () if message.get("ts") == id), None)
        if found is None or found.get("subtype") == "tombstone":
            raise MessageGone(f"slack: message {id!r} is not in channel {spot.channel!r} any more")
        (message,) = await self._messages([found])
        thread = convert.thread_of(found)
        return Spot(
            platform="slack", workspace=spot.workspace, channel=spot.channel, thread=thread, direct=spot.direct
        ), message

    async def person(self, id: str) -> Person:
        return await self._directory.person(id, await self._me())

    async def people(self, ids: Collection[str]) -> Mapping[str, Person]:
        return await self._directory.people(ids, await self._me())

    async def room(self, spot: Spot) -> Room:
        return await self._directory.room(spot, await self._me())

    async def members(self, spot: Spot) -> frozenset[str] | None:
        return await self._directory.members(spot, await self._me())

    async def held(self, person: str, tokens: Collection[str]) -> frozenset[str]:
        return await self._holdings.held(person, tokens, await self._me())

    def watch(self, changed: Callable[[Change], None]) -> None:
        self._changes.watch(changed)

    async def download(self, file: File, to: Path, *, max_bytes: int) -> None:
        url = file.url
        if not url:  # a file of a connected workspace is not told with its message
            found = (await self._client.call("files.info", file=file.id))["file"]
            url = str(found.get("url_private_download") or found.get("url_private") or "")
        if file.size > max_bytes:
            raise PlatformRefused(f"slack: the file {file.name!r} is larger than {max_bytes:,} bytes")
        await self._client.download(url, to, name=file.name, max_bytes=max_bytes)

    async def close(self) -> None:
        await self._client.close()

    async def _me(self) -> Identity:
        if self._identity is None:
            async with self._asking:
                self._identity = self._identity or await self._asked_who()
        return self._identity

    async def _asked_who(self) -> Identity:
        answer = await self._client.call("auth.test", urgent=True)
        try:
            team, user = str(answer["team_id"]), str(answer["user_id"])
        except KeyError as error:
            raise PlatformRefused(
                f"slack: {self._settings.base_url!r} does not say whose the token is; is `base_url` right?"
            ) from error
        return Identity(
            team=team,
            user=user,
            bot=str(answer.get("bot_id") or ""),
            enterprise=str(answer.get("enterprise_id") or ""),
        )

    def _up(self) -> None:
        # What changed before anything was heard is not known.
        self._changes.missed()
        self._catchup.up()

    def _down(self) -> None:
        self._catchup.down()
        self._changes.missed()

    async def _messages(self, found: Sequence[dict[str, Any]]) -> tuple[Message, ...]:
        me = await self._me()
        ids = convert.named([str(message.get("text") or "") for message in found])
        authors = {str(message["user"]) for message in found if message.get("user") and not message.get("bot_id")}
        reading = await self._hearing.reading_of(ids | authors, me, within=10.0)
        return tuple(convert.message_of(message, reading) for message in found)

    async def _signed_in(self) -> None:
        """Learn who the bot is, however long Slack is away."""
        for seconds in itertools.chain(BACK_OFF_SECONDS, itertools.repeat(BACK_OFF_SECONDS[-1])):
            try:
                me = await self._me()
            except PlatformUnavailable as error:
                logger.warning("%s; trying again in %g s", error, seconds)
                await self._pause(seconds)
            else:
                logger.info("slack: signed in to workspace %s as %s", me.team, me.user)
                return

    async def _posted_to(self, request: Request) -> Response:
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for piece in request.stream():
                    body += piece
                    if len(body) > LARGEST_BODY:
                        return PlainTextResponse("too large", status_code=413)
        except (ClientDisconnect, TimeoutError):
            return PlainTextResponse("not complete", status_code=400)
        # Bolt takes both of these for well-formed.
        timestamp = request.headers.get("x-slack-request-timestamp", "")
        if not timestamp.isdecimal() or not request.headers.get("x-slack-signature", "").isascii():
            return PlainTextResponse("not signed", status_code=401)
        try:
            asked = to_async_bolt_request(request, bytes(body))
        except (ValueError, RecursionError):
            return PlainTextResponse("not readable", status_code=400)
        return to_starlette_response(await self._hearing.dispatch(asked))


def _check_secrets(settings: SlackSettings) -> None:
    needed: dict[str, Any] = {"SOUFFLEUR_SLACK_BOT_TOKEN": settings.bot_token}
    if settings.mode == "socket":
        needed["SOUFFLEUR_SLACK_APP_TOKEN"] = settings.app_token
    else:
        needed["SOUFFLEUR_SLACK_SIGNING_SECRET"] = settings.signing_secret
    missing = [name for name, value in needed.items() if value is None or not value.get_secret_value()]
    if missing:
        raise ConfigurationError(
            f"slack: mode {settings.mode!r} needs {' and '.join(missing)} in the environment; both are on the app's"
            " pages at https://api.slack.com/apps"
        )
