"""Finished posts: shown, whispered, changed, removed."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bot.platforms.events import Spot
from bot.platforms.interface import MessageGone, Post
from bot.platforms.slack import blocks
from bot.platforms.slack.blocks import Page
from bot.platforms.slack.client import Client, Refusal

logger = logging.getLogger(__name__)

FINAL_SECONDS = 120.0
"""Longest wait for a turn to put an answer as it is to stay; a minute is what Slack asks for at most, as a rule."""

OUT_OF_REACH = frozenset(
    {"user_not_in_channel", "not_in_channel", "channel_not_found", "is_archived", "restricted_action"}
)
"""Why somebody cannot be told something where they are."""

NOT_STREAMING = "message_not_in_streaming_state"

STILL_STREAMING = "streaming_state_conflict"

RESPONSES = 5
"""That a `response_url` takes (https://docs.slack.dev/interactivity/handling-user-interaction)."""


class Posting:
    """Messages of the bot in one workspace."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def post(self, spot: Spot, page: Page, *, within: float = FINAL_SECONDS) -> str:
        """A new message; its id."""
        answer = await self._client.call(
            "chat.postMessage",
            urgent=True,
            within=within,
            channel=spot.channel,
            thread_ts=spot.thread or None,
            text=page.preview,
            blocks=page.blocks,
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(answer["ts"])

    async def update(self, spot: Spot, message: str, page: Page, *, paid: bool = False) -> None:
        """Put `page` in place of a message, ending the stream that a crashed process may have left it in."""
        arguments: dict[str, Any] = {
            "channel": spot.channel,
            "ts": message,
            "text": page.preview,
            "blocks": page.blocks,
        }
        try:
            await self._client.call("chat.update", urgent=True, paid=paid, within=FINAL_SECONDS, **arguments)
        except Refusal as error:
            if error.code != STILL_STREAMING:
                raise
            await self.end_stream(spot, message)
            await self._client.call("chat.update", urgent=True, within=FINAL_SECONDS, **arguments)

    async def end_stream(self, spot: Spot, message: str, *, paid: bool = False) -> bool:
        """End a stream; False where Slack, or a reader, has ended it already, but not the session that it began."""
        try:
            await self._client.call(
                "chat.stopStream", urgent=True, paid=paid, within=FINAL_SECONDS, channel=spot.channel, ts=message
            )
        except Refusal as error:
            if error.code not in {NOT_STREAMING, "stopped_by_user"}:
                raise
            return False
        return True

    async def put(
        self,
        spot: Spot,
        messages: Sequence[str],
        pages: Sequence[Page],
        *,
        posted: Callable[[str], Awaitable[None]] | None = None,
        paid: bool = False,
        may_be_gone: bool = False,
    ) -> tuple[str, ...]:
        """Put `pages` in place of `messages`: more are posted, and what is left over is deleted.

        Args:
            spot: where.
            messages: ids.
            pages: at least one.
            posted: told each new message's id.
            paid: the first update was reserved.
            may_be_gone: post anew what was deleted meanwhile, instead of raising `MessageGone`.
        """
        held: list[str] = []
        for place, page in enumerate(pages):
            if place < len(messages):
                try:
                    await self.update(spot, messages[place], page, paid=paid and place == 0)
                    held.append(messages[place])
                    continue
                except MessageGone:
                    if not may_be_gone:
                        raise
            held.append(await self.post(spot, page))
            if posted is not None:
                await posted(held[-1])
        await self.remove(spot, [message for message in messages if message not in held])
        return tuple(held)

    async def show(self, spot: Spot, post: Post) -> tuple[str, ...]:
        return tuple([await self.post(spot, page) for page in blocks.pages(post)])

    async def remove(self, spot: Spot, messages: Sequence[str]) -> None:
        for message in messages:
            with contextlib.suppress(MessageGone):
                try:
                    await self._client.call(
                        "chat.delete", urgent=True, within=FINAL_SECONDS, channel=spot.channel, ts=message
                    )
                except Refusal as error:
                    if error.code != STILL_STREAMING:
                        raise
                    await self.end_stream(spot, message)
                    await self._client.call("chat.delete", urgent=True, channel=spot.channel, ts=message)

    async def whisper(self, spot: Spot, to: str, post: Post, *, respond_to: str = "") -> tuple[str, ...]:
        """Tell `to` alone, as near to where they are as can be; ids of what is in the channel of `spot`."""
        pages = blocks.pages(post)
        if respond_to and len(pages) <= RESPONSES and await self._responded(spot, respond_to, pages):
            return ()
        try:
            if spot.direct:
                return tuple([await self.post(spot, page) for page in pages])
            for page in pages:
                await self.ephemeral(spot, to, page)
        except Refusal as error:
            if error.code not in OUT_OF_REACH:
                raise
            await self._write_to(to, pages)
        return ()

    async def ephemeral(self, spot: Spot, to: str, page: Page) -> None:
        """A message that `to` alone sees, in the thread of `spot`."""
        await self._client.call(
            "chat.postEphemeral",
            urgent=True,
            within=FINAL_SECONDS,
            channel=spot.channel,
            user=to,
            thread_ts=spot.thread or None,
            text=page.preview,
            blocks=page.blocks,
        )

    async def _responded(self, spot: Spot, url: str, pages: Sequence[Page]) -> bool:
        # The address of a button's press would replace the message that carries the button.
        replaces = "/commands/" in url
        for place, page in enumerate(pages):
            message: dict[str, Any] = {
                **({"thread_ts": spot.thread} if spot.thread else {}),
                "response_type": "ephemeral",
                "replace_original": replaces and place == 0,
                "text": page.preview,
                "blocks": page.blocks,
                "unfurl_links": False,
                "unfurl_media": False,
            }
            try:
                await self._client.respond(url, message)
            except Refusal as error:
                if place:
                    raise
                logger.info("%s; told otherwise", error)
                return False
        return True

    async def _write_to(self, to: str, pages: Sequence[Page]) -> None:
        opened = await self._client.call("conversations.open", users=to)
        channel = str(opened["channel"]["id"])
        spot = Spot(platform="slack", workspace="", channel=channel, thread="", direct=True)
        for page in pages:
            await self.post(spot, page)
