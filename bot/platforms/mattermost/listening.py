"""Hearing without a gap: the websocket, resumed where it broke off, and else REST for what was missed.

The server numbers what it sends to a connection and keeps the last of it (128 to 256 events, five minutes) for whoever
comes back with `connection_id` and the number that is expected next. A new connection begins with `hello`, number 0,
and another id: then everything since the checkpoint is asked for by REST. Neither the number nor the checkpoint goes on
before `receive` has returned, so what a failing database did not keep is delivered again.

The checkpoint is a moment by the server's clock. What lies a minute before it is asked for again (nodes of a cluster
have clocks of their own); the inbox knows it already. By REST come messages, edits and deletions, but no reactions.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import aiohttp
from pydantic import ValidationError

from bot.platforms.events import Event
from bot.platforms.interface import Memory, MessageGone, PlatformRefused, PlatformUnavailable, Receive
from bot.platforms.mattermost.changes import hear
from bot.platforms.mattermost.client import PER_PAGE, Client
from bot.platforms.mattermost.convert import moment
from bot.platforms.mattermost.directory import Directory
from bot.platforms.mattermost.hearing import Hearing
from bot.platforms.mattermost.kept import Changes
from bot.platforms.mattermost.payloads import Channel, Frame, Hello, Post, PostEvent
from bot.platforms.mattermost.wire import authorities

logger = logging.getLogger(__name__)

PING_SECONDS = 30.0
"""Between two pings; without an answer for half of that the connection is lost. The server pings every 60 s itself."""

CONNECT_SECONDS = 20.0
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
"""Seconds before the next attempt, doubling; half of it by chance, so that replicas do not come back all at once."""

MOST_WAITING = 20_000
"""Frames received and not yet handled; a connection that brings more is given up, to be replayed in part."""

FRAME_BYTES = 16 * 1024 * 1024
"""A post's props may have 800,000 characters."""

OVERLAP_MS = 60_000
SINCE_ROWS = 900
"""From so many rows on, what the server tells of changes may be cut off: it stops at 1,000, in no order."""

MOST_PAGES = 10
"""Of posts that are read back in one channel: 2,000; what lies before them stays unheard, and that is logged."""

THREADS_BACK = timedelta(days=1)
"""How far back the threads lie in which edits and deletions are looked for even where nobody has posted since."""

KEEP_EVERY_MS = 5_000
"""While more is waiting the checkpoint is written so often, by the server's clock: `OVERLAP_MS` covers the rest."""

UNREADABLE = (ValueError, OverflowError, TypeError, KeyError, AttributeError, RecursionError)
"""What reading something that is not as Mattermost's are ends with: it would end so each time that it is replayed."""

Pause = Callable[[float], Awaitable[None]]


class Lost(Exception):
    """The connection is to be made anew; the text says why."""


@dataclass(slots=True)
class _Position:
    """What has been handled for good."""

    connection: str = ""
    """Id of the connection that can be resumed; empty for none."""
    expected: int = 0
    """Number of the next frame."""
    checkpoint: int | None = None
    """Everything posted until then is handled; None before the first start."""
    kept: int | None = None
    """The checkpoint as it is stored."""


class _Outage:
    """Tells the operator once that the server is away and why, and once that it is back; each attempt at level info."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._told = ""

    def goes_on(self, why: str, wait: float) -> None:
        level = logging.INFO if why == self._told else logging.WARNING
        logger.log(level, "mattermost: not connected: %s; tried again in %.1f s, until it works", why, wait)
        self._told = why

    def over(self) -> None:
        level = logging.WARNING if self._told else logging.INFO
        logger.log(level, "mattermost: connected to %s", self._server)
        self._told = ""


class Listening:
    """One connection at a time, for ever."""

    def __init__(
        self,
        client: Client,
        directory: Directory,
        hearing: Hearing,
        changes: Changes,
        *,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._changes = changes
        self._client = client
        self._directory = directory
        self._hearing = hearing
        self._pause = pause
        self._name = f"mattermost/{client.host}/checkpoint"
        self._at = _Position()
        self.connected = asyncio.Event()
        """Set while events are heard, and what was missed before has been reported."""

    async def run(self, receive: Receive, memory: Memory) -> None:
        """Until cancelled. Raises PlatformRefused when the very first attempt is refused: no retry would mend that."""
        kept = await memory.recall(self._name)
        self._at.checkpoint = self._at.kept = int(kept) if kept and kept.isdigit() else None
        outage, failures, heard = _Outage(self._client.server), 0, False
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    try:
                        async for _ in self._connected(tasks, receive, memory):
                            if failures or not heard:
                                outage.over()
                            failures, heard = 0, True
                    except (Lost, PlatformUnavailable, TimeoutError) as error:
                        why = str(error) or "it did not answer in time"
                    except PlatformRefused as error:
                        if not heard and not failures:
                            raise
                        why = str(error)
                    except Exception as error:  # noqa: BLE001 (a platform's event loop: nothing may end it)
                        # A database that fails, above all. What was not kept is asked for again.
                        why = f"an event could not be kept ({type(error).__name__}: {error})"
                    wait = _wait(failures)
                    failures += 1
                    outage.goes_on(why.removeprefix("mattermost: "), wait)
                    await self._pause(wait)
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _connected(self, tasks: asyncio.TaskGroup, receive: Receive, memory: Memory) -> AsyncIterator[None]:
        """One connection until it is lost, which it always raises; yields after each frame that was handled."""
        await self._directory.verified()
        at, brought = self._at, False
        query = {"connection_id": at.connection, "sequence_number": str(at.expected)} if at.connection else {}
        async with aiohttp.ClientSession(trust_env=True) as session:
            socket = await self._socket(session, query)
            frames: asyncio.Queue[Frame | None] = asyncio.Queue()
            reader = tasks.create_task(self._read(socket, frames), name="mattermost websocket")
            try:
                if not query:
                    await self._greeted(await _within(frames, CONNECT_SECONDS), receive, memory)
                    brought = True
                    yield
                # The pings end a connection that is dead, and that ends the line of frames.
                self.connected.set()
                while (frame := await frames.get()) is not None:
                    brought = True
                    await self._handled(frame, receive, memory)
                    await self._keep(memory, at_once=frames.empty())
                    yield
                raise Lost("the server closed it, or no longer answers")
            finally:
                self.connected.clear()
                if not brought:
                    # It was not taken back, without a word: the next one begins anew.
                    at.connection = ""
                reader.cancel()
                await socket.close()

    async def _socket(self, session: aiohttp.ClientSession, query: dict[str, str]) -> aiohttp.ClientWebSocketResponse:
        scheme, rest = self._client.url.split("://", 1)
        url = f"{'wss' if scheme == 'https' else 'ws'}://{rest}/api/v4/websocket"
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await session.ws_connect(
                    url,
                    params=query,
                    # To another host, to which a proxy in front might redirect, aiohttp does not send it.
                    headers=self._client.authorization,
                    heartbeat=PING_SECONDS,
                    max_msg_size=FRAME_BYTES,
                    ssl=authorities(),
                )
        except (aiohttp.ClientError, OSError) as error:
            raise PlatformUnavailable(
                f"mattermost: no websocket at {self._client.server!r} ({type(error).__name__}: {error}); does a proxy "
                "in front of it pass websockets on?"
            ) from error

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, frames: asyncio.Queue[Frame | None]) -> None:
        """Frames as they come, so that pings are answered and the server's own queue stays short; None at the end.

        What they tell of who may read what is heard here, before all the messages that wait for the database.
        """
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT and (frame := _parsed(message.data)) is not None:
                    hear(frame, self._changes)
                    frames.put_nowait(frame)
                if frames.qsize() > MOST_WAITING:
                    logger.warning("mattermost: more than %d events wait; the connection is made anew", MOST_WAITING)
                    break
        except (aiohttp.ClientError, OSError) as error:
            logger.info("mattermost: websocket broke off: %s", type(error).__name__)
        finally:
            frames.put_nowait(None)

    async def _handled(self, frame: Frame, receive: Receive, memory: Memory) -> None:
        """Handle one frame and, when that is done for good, expect the next."""
        at = self._at
        if not frame.event:
            return
        if frame.event == "hello":
            await self._greeted(frame, receive, memory)
            return
        if frame.seq < at.expected:
            return
        if frame.seq > at.expected:
            self._changes.hear_of_all()
            raise Lost(f"event {at.expected} is missing, {frame.seq} came instead")
        event = await self._heard(frame)
        if event is not None:
            await receive(event)
        if frame.event == "posted":
            self._advance(frame)
        at.expected += 1

    async def _heard(self, frame: Frame) -> Event | None:
        try:
            return await self._hearing.frame(frame)
        except (PlatformRefused, MessageGone) as error:
            logger.warning("mattermost: passed over event %r: %s", frame.event, error)
        except ValidationError as error:
            logger.warning("mattermost: passed over event %r, which is malformed: %s", frame.event, _first(error))
        except UNREADABLE as error:
            logger.warning("mattermost: passed over event %r, which is odd: %s", frame.event, type(error).__name__)
        return None

    def _advance(self, frame: Frame) -> None:
        try:
            created = PostEvent.model_validate(frame.data).post.create_at
        except ValidationError:
            return
        self._at.checkpoint = max(self._at.checkpoint or 0, created)

    async def _greeted(self, frame: Frame | None, receive: Receive, memory: Memory) -> None:
        """The first frame of a connection that is not resumed: catch up, then go on from here."""
        if frame is None or frame.event != "hello":
            raise Lost("no hello came; is the token still good?")
        hello = Hello.model_validate(frame.data)
        at = self._at
        if hello.connection_id != at.connection:
            at.connection = ""
            self._changes.hear_of_all()
            await self._catch_up(receive, memory)
            await self._keep(memory, at_once=True)
        at.connection, at.expected = hello.connection_id, frame.seq + 1

    # What was missed

    async def _catch_up(self, receive: Receive, memory: Memory) -> None:
        """Report what happened since the checkpoint, and put it forward. At the first start nothing was missed."""
        since, heard = self._at.checkpoint, 0
        channels = await self._client.channels()
        latest = max((channel.last_post_at for channel in channels), default=0)
        if since is not None:
            spots = await memory.threads("mattermost", moment(since) - THREADS_BACK)
            answered = {spot.channel for spot in spots if spot.workspace == self._client.host}
            for channel in [one for one in channels if one.last_post_at > since or one.id in answered]:
                async for event in self._missed(channel, since):
                    await receive(event)
                    heard += 1
            logger.info("mattermost: caught up with %d events since %s", heard, moment(since).isoformat())
        self._at.checkpoint = max(since or 0, latest)

    async def _missed(self, channel: Channel, since: int) -> AsyncIterator[Event]:
        self._directory.learn(channel.id, channel.type)
        try:
            rows = {row.id: row for row in await self._client.changed(channel.id, since - OVERLAP_MS)}
            if len(rows) >= SINCE_ROWS:
                rows |= {row.id: row for row in await self._read_back(channel.id, since - OVERLAP_MS)}
        except PlatformRefused as error:
            logger.warning("mattermost: what was missed in channel %s cannot be read: %s", channel.id, error)
            return
        for row in sorted(rows.values(), key=lambda row: (row.create_at, row.id)):
            for event in await self._events(row, since):
                yield event

    async def _events(self, row: Post, since: int) -> list[Event]:
        """What a row tells: replies touch their thread's first post, edits leave a row of what was there before."""
        if row.original_id:
            return []
        found: list[Event | None] = []
        try:
            if row.delete_at > since - OVERLAP_MS:
                found.append(await self._hearing.deleted(row))
            elif not row.delete_at and row.create_at > since - OVERLAP_MS:
                found.append(await self._hearing.said(row))
            if not row.delete_at and row.create_at <= since < row.edit_at:
                found.append(await self._hearing.edited(row))
        except (PlatformRefused, MessageGone) as error:
            logger.warning("mattermost: passed over message %s: %s", row.id, error)
        except UNREADABLE as error:
            logger.warning("mattermost: passed over message %s, which is odd: %s", row.id, type(error).__name__)
        return [event for event in found if event is not None]

    async def _read_back(self, channel: str, since: int) -> list[Post]:
        found: list[Post] = []
        for page in count():
            posts = await self._client.page(channel, page)
            found += posts
            if len(posts) < PER_PAGE or min(post.create_at for post in posts) <= since:
                break
            if page + 1 == MOST_PAGES:
                logger.warning("mattermost: channel %s: only the last %d messages are read back", channel, len(found))
                break
        return found

    # The checkpoint

    async def _keep(self, memory: Memory, *, at_once: bool = False) -> None:
        at = self._at
        if at.checkpoint is None or at.checkpoint == at.kept:
            return
        if at_once or at.kept is None or at.checkpoint - at.kept >= KEEP_EVERY_MS:
            async with asyncio.timeout(CONNECT_SECONDS):
                await memory.keep(self._name, str(at.checkpoint))
            at.kept = at.checkpoint


async def _within(frames: asyncio.Queue[Frame | None], seconds: float) -> Frame | None:
    async with asyncio.timeout(seconds):
        return await frames.get()


def _parsed(text: str) -> Frame | None:
    try:
        return Frame.model_validate(json.loads(text))
    except (ValueError, RecursionError):
        logger.warning("mattermost: passed over a frame that is no event")
        return None


def _first(error: ValidationError) -> str:
    """Where it is wrong; never what is in it."""
    found = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in found[:3])


def _wait(failures: int) -> float:
    longest: float = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures, 10))
    return longest * (0.5 + random.random() / 2)  # noqa: S311 (spread, not secrecy)
