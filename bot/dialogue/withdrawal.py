"""Answers taken back: their question is gone, or something that they rest on is not to be read any more."""

from __future__ import annotations

from dataclasses import replace

from bot.dialogue.aftermath import Aftermath
from bot.dialogue.chat import Chat
from bot.dialogue.inbox import Inbox
from bot.dialogue.replies import Reply
from bot.dialogue.sharing import shared_from
from bot.platforms.events import Deleted, Recalled
from bot.platforms.interface import MessageGone, Post

ASKED_BY = ("said", "pointed", "fuller", "shared")
"""Beginnings of the keys of replies to a message of somebody's."""


class Withdrawal:
    """Takes answers back, as often as it is told to. What platform and database raise is raised."""

    def __init__(self, chat: Chat, *, inbox: Inbox, aftermath: Aftermath) -> None:
        self._chat = chat
        self._inbox = inbox
        self._aftermath = aftermath

    async def deleted(self, deleted: Deleted) -> None:
        """Remove the answers to a message that is gone, where there are any."""
        for kind in ASKED_BY:
            reply = await self._chat.replies.get(f"{kind}/{deleted.spot.key_of(deleted.message)}")
            if reply is not None and reply.state != "withdrawn":
                await self._chat.platform(reply.spot).remove(reply.spot, await self._messages(reply))
                await self._chat.replies.settled(reply.key, messages=(), state="withdrawn")

    async def recalled(self, recalled: Recalled) -> None:
        """Put a sentence in place of an answer; nothing is built on it from now on.

        A copy that was shared is recalled as well, in its turn.
        """
        reply = await self._chat.replies.get(recalled.reply)
        if reply is None:
            return
        copy = await self._chat.replies.get(shared_from(reply.key))
        if copy is not None and copy.trace == reply.trace and copy.state != "withdrawn":
            # Of one that was recalled by itself the inbox has it already.
            await self._inbox.put(replace(recalled, spot=copy.spot, reply=copy.key, message=copy.question))
        await self._recall(reply)

    async def _recall(self, reply: Reply) -> None:
        messages = await self._messages(reply)
        language = self._chat.language_in(reply)
        # First of all: whatever fails below, it is not shown again.
        await self._chat.replies.withdrawn(reply.key, language=language)
        if messages:
            post = Post(text=self._chat.say(language, "answer-withdrawn"), language=language, replaces=True)
            left = await self._chat.put_out(reply.spot, messages, post)
            await self._chat.replies.settled(reply.key, messages=left, state="withdrawn")
        await self._aftermath.recalled(replace(reply, post=None, language=language))

    async def _messages(self, reply: Reply) -> tuple[str, ...]:
        """All that may hold some of it; of one that is still being written also what nobody lived to record."""
        if reply.state != "writing" or reply.private or not reply.spot.thread:
            return reply.messages
        try:
            return (*reply.messages, *await self._chat.strays(reply.spot, after=reply.question))
        except MessageGone:
            return reply.messages
