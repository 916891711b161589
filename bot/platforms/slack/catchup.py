"""What was said while nobody listened, read from Slack's Web API and reported like everything else.

How far everything is known is one moment by Slack's clock, kept under one name: whatever is later is read again, in
every channel that the bot is in and in the threads where it has written: messages, what they were changed to, and that
the first one of a thread is gone. What was reported before is known to the inbox. Slack has no way to ask for replies
in a thread that neither began meanwhile nor has the bot in it, nor whether a reply is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from bot.platforms.events import Deleted, Edited, Event, Said
from bot.platforms.interface import Memory, MessageGone, PlatformRefused
from bot.platforms.slack import convert
from bot.platforms.slack.client import Client
from bot.platforms.slack.convert import Identity, Reading
from bot.platforms.slack.hearing import Hearing

logger = logging.getLogger(__name__)

OVERLAP_SECONDS = 300.0
"""Read again before the last moment that is known: Slack promises no order, and retries for five minutes."""

LONGEST_GAP_SECONDS = 24 * 3600.0
"""What is older is not looked for."""

KEEPING_SECONDS = 10.0
"""Between two notes of how far everything is known."""

AGAIN_SECONDS = 30.0
"""After catching up failed."""

MOST_CHANNELS = 1_000

MOST_PAGES = 5
"""Of one channel or thread."""

PAGE = 200

MOST_THREADS = 200

KINDS = ("im", "public_channel", "private_channel", "mpim")
"""Of channels, in the order in which they are caught up with: in direct messages somebody certainly waits."""

Pause = Callable[[float], Awaitable[None]]


class Catchup:
    """Keeps track of what is known, and makes up for what is not."""

    def __init__(
        self,
        client: Client,
        hearing: Hearing,
        *,
        identity: Callable[[], Awaitable[Identity]],
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._client = client
        self._hearing = hearing
        self._identity = identity
        self._pause = pause
        self._gap = asyncio.Event()
        self._listening = False
        self.done = asyncio.Event()
        """Set while everything is known."""

    def up(self) -> None:
        """Events are heard from now on; whatever was missed before can be asked for."""
        self._listening = True
        self._gap.set()

    def down(self) -> None:
        """Nothing is heard from now on."""
        self._listening = False
        self.done.clear()

    async def run(self, memory: Memory) -> None:
        """Catch up after every gap, until cancelled."""
        while True:
            await self._gap.wait()
            self._gap.clear()
            try:
                await self._caught_up(memory)
                if self._listening and not self._gap.is_set():
                    self.done.set()
                    await self._keep_noting(memory)
            except Exception as error:  # noqa: BLE001 (the platform's event loop: whatever fails, nothing is missed)
                logger.warning("what was missed is not known yet: %s; trying again in %g s", error, AGAIN_SECONDS)
                self._gap.set()
                await self._pause(AGAIN_SECONDS)

    async def _caught_up(self, memory: Memory) -> None:
        me = await self._identity()
        now = self._client.time or time.time()
        known = await memory.recall(_name(me))
        if known is None:  # a new bot owes no answers
            await memory.keep(_name(me), f"{now:.6f}")
            return
        since = max(float(known) - OVERLAP_SECONDS, now - LONGEST_GAP_SECONDS)
        looked_at = 0
        threads: set[tuple[str, str]] = set()
        async for channel in self._channels():
            async for message in self._said("conversations.history", channel, since):
                looked_at += await self._report(message, channel, since, me)
                if message.get("reply_count"):
                    threads.add((channel, str(message["ts"])))
        spots = await memory.threads("slack", datetime.fromtimestamp(since - LONGEST_GAP_SECONDS, UTC))
        threads.update((spot.channel, spot.thread) for spot in spots if spot.workspace == me.team)
        if len(threads) > MOST_THREADS:
            logger.warning("slack: of %d threads only %d are looked at", len(threads), MOST_THREADS)
        for channel, thread in sorted(threads, key=lambda one: one[1], reverse=True)[:MOST_THREADS]:
            try:
                async for message in self._said("conversations.replies", channel, since, ts=thread):
                    looked_at += await self._report(message, channel, since, me)
            except MessageGone:
                await self._hearing.keep(self._deleted(channel, thread, await self._reading({}, me)))
        logger.info("slack: caught up; %d messages since %s looked at", looked_at, datetime.fromtimestamp(since, UTC))

    async def _keep_noting(self, memory: Memory) -> None:
        """Note how far everything is known, while it is."""
        noted = 0.0
        while self.done.is_set():
            heard = self._hearing.heard
            if heard > noted:
                await memory.keep(_name(await self._identity()), f"{heard:.6f}")
                noted = heard
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KEEPING_SECONDS):
                    await self._gap.wait()

    async def _report(self, message: dict[str, Any], channel: str, since: float, me: Identity) -> int:
        """Report what became of a message since then: 1 if that is anything, else 0."""
        reading = await self._reading({"event": message}, me)
        events = self._missed(message, channel, since, reading)
        for event in events:
            await self._hearing.keep(event)
            if isinstance(event, Said):
                self._hearing.heard = max(self._hearing.heard, event.at.timestamp())
        return int(bool(events))

    def _missed(self, message: dict[str, Any], channel: str, since: float, reading: Reading) -> list[Event]:
        """The first message of a thread is always among its replies, however old it is."""
        ts = str(message["ts"])
        if message.get("subtype") == "tombstone":  # what is left of a deleted message that has replies
            return [self._deleted(channel, ts, reading)]
        said = convert.said(message, channel, reading)
        if said is None:
            return []
        events: list[Event] = [said] if float(ts) >= since else []
        changed = message.get("edited")
        if changed and float(changed["ts"]) >= since:
            events.append(Edited(said=said, revision=str(changed["ts"])))
        return events

    def _deleted(self, channel: str, ts: str, reading: Reading) -> Deleted:
        """Slack does not say when: it is known from now on."""
        at = datetime.fromtimestamp(self._client.time or time.time(), UTC)
        return Deleted(spot=reading.spot(channel, ts), message=ts, by="", at=at)

    async def _reading(self, payload: Any, me: Identity) -> Reading:
        return await self._hearing.reading(payload, me, within=10.0)

    async def _channels(self) -> AsyncIterator[str]:
        """Where the bot is, as far as its scopes let it know."""
        count = 0
        for kind in KINDS:
            async for channel in self._pages("users.conversations", "channels", types=kind, exclude_archived=True):
                count += 1
                if count > MOST_CHANNELS:
                    logger.warning(
                        "slack: the bot is in more than %d channels; the rest is not looked at", MOST_CHANNELS
                    )
                    return
                yield str(channel["id"])

    async def _said(self, method: str, channel: str, since: float, **more: str) -> AsyncIterator[dict[str, Any]]:
        """What was said in a channel or thread since then, oldest first."""
        found = [
            message async for message in self._pages(method, "messages", channel=channel, oldest=f"{since:.6f}", **more)
        ]
        for message in sorted(found, key=lambda message: float(message["ts"])):
            yield message

    async def _pages(self, method: str, key: str, **arguments: Any) -> AsyncIterator[dict[str, Any]]:
        cursor = ""
        for _ in range(MOST_PAGES):
            try:
                answer = await self._client.call(method, within=120.0, limit=PAGE, cursor=cursor or None, **arguments)
            except PlatformRefused as error:
                logger.warning("not looked at: %s", error)
                return
            for item in answer.get(key) or ():
                yield item
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return
        logger.warning("slack: %s has more than %d pages; the rest is not looked at", method, MOST_PAGES)


def _name(me: Identity) -> str:
    return f"slack/{me.team}/heard"
