"""Answers that the asker alone sees: to a slash command; and such an answer shared with the channel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.conversations import Remembered
from bot.dialogue.chat import Chat
from bot.dialogue.question import Ask
from bot.dialogue.replies import Reply
from bot.dialogue.writing import Writing
from bot.model import Outcome
from bot.platforms.events import Commanded, Pressed
from bot.platforms.interface import Post
from bot.platforms.rendering import literal

Recall = Callable[[str], Awaitable[Remembered | None]]
"""What was asked and cited in the answer of that trace id."""


class Private:
    """Whispers answers. What platform and database raise is raised."""

    def __init__(self, chat: Chat, *, writing: Writing, recall: Recall) -> None:
        self._chat = chat
        self._writing = writing
        self._recall = recall

    async def answer(self, commanded: Commanded) -> None:
        """Answer a slash command, for the asker alone, with what the asker may read."""
        platform = self._chat.platform(commanded.spot)
        ask = Ask(
            key=commanded.key,
            spot=commanded.spot,
            message=commanded.id,
            asker=commanded.by,
            writer=commanded.by,
            text=commanded.text,
            private=True,
        )
        language = self._chat.language_of(await platform.person(commanded.by))
        reply = await self._writing.begun(ask, language)
        if reply.state != "writing":
            return
        post = reply.post
        if post is None:
            answer, notes = await self._writing.quietly(ask, language=language)
            alone = () if ask.spot.direct else (self._chat.say(answer.language, "chat-only-you"),)
            post = self._writing.post(ask, answer, (*notes, *alone))
            await self._chat.replies.written(ask.key, post, answer.trace_id)
        await platform.whisper(ask.spot, ask.asker, post, respond_to=commanded.respond_to)
        await self._chat.replies.settled(ask.key, messages=(), state="shown")

    async def shared(self, pressed: Pressed, private: Reply) -> None:
        """Answer the same question once more, for everybody in the channel, with what all of them may read.

        An answer made for one person may hold what others must not read; it is never copied.
        """
        asked = await self._recall(private.trace) if private.trace else None
        language = self._chat.language_in(private)
        if asked is None:
            await self._chat.tell(
                private.spot, pressed.by, "chat-expired", language=language, respond_to=pressed.respond_to
            )
            return
        key = private.key.replace("commanded/", "shared/", 1)
        ask = Ask(
            key=key,
            spot=private.spot,
            message=private.question,
            asker=private.asker,
            writer=private.asker,
            text=asked.question,
        )
        reply = await self._writing.begun(ask, language)
        if reply.state != "writing":
            return
        post = reply.post or await self._public(pressed, ask, language)
        if post is None:
            return
        messages = await self._chat.platform(ask.spot).show(ask.spot, post)
        await self._chat.replies.settled(key, messages=messages, state="shown")

    async def _public(self, pressed: Pressed, ask: Ask, language: str) -> Post | None:
        """What the channel is shown; None where the asker alone is told that there is nothing to show."""
        platform = self._chat.platform(ask.spot)
        answer, notes = await self._writing.quietly(ask, language=language)
        post = self._writing.post(ask, answer, notes)
        if answer.outcome is not Outcome.ANSWERED:
            await platform.whisper(ask.spot, ask.asker, replace(post, buttons=()), respond_to=pressed.respond_to)
            await self._chat.replies.settled(ask.key, messages=(), state="withdrawn")
            return None
        name = await self._chat.name(ask.spot, pressed.by)
        # Its writer was alone with it; here the bot says it to everybody, and vouches for no link.
        quoted = "\n".join(f"> {literal(line)}" for line in ask.text.strip().splitlines())
        post = replace(
            post,
            text=f"{quoted}\n\n{post.text}",
            notes=(*post.notes, self._chat.say(post.language, "chat-shared-by", name=name)),
            # The question is nowhere in the channel: there is nothing that could be asked again.
            buttons=tuple(button for button in post.buttons if button.action != "again"),
        )
        await self._chat.replies.written(ask.key, post, answer.trace_id)
        return post
