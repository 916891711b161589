"""Answers that the asker alone sees: to a slash command, and a fuller one to what was asked among others."""

from __future__ import annotations

from bot.dialogue.chat import Chat
from bot.dialogue.question import Ask, ask_about
from bot.dialogue.replies import Reply
from bot.dialogue.writing import Writing, shown
from bot.model import Outcome
from bot.platforms.events import Commanded, Pressed


class Private:
    """Whispers answers. What platform and database raise is raised."""

    def __init__(self, chat: Chat, *, writing: Writing) -> None:
        self._chat = chat
        self._writing = writing

    async def answer(self, commanded: Commanded) -> None:
        """Answer a slash command, for the asker alone, with what the asker may read."""
        ask = Ask(
            key=commanded.key,
            spot=commanded.spot,
            message=commanded.id,
            asker=commanded.by,
            writer=commanded.by,
            text=commanded.text,
            private=True,
        )
        language = self._chat.language_of(await self._chat.platform(commanded.spot).person(commanded.by))
        reply = await self._writing.begun(ask, language)
        if reply.state == "writing":
            await self._whispered(ask, reply, respond_to=commanded.respond_to)

    async def fuller(self, pressed: Pressed, offered: Reply) -> None:
        """Answer the question of a thread once more, for its asker alone, with what the asker may read."""
        thread = await self._chat.platform(offered.spot).thread(offered.spot)
        question = next((message for message in thread if message.id == offered.question), None)
        if question is None:
            await self._chat.tell(
                offered.spot,
                pressed.by,
                "chat-expired",
                language=offered.language,
                respond_to=pressed.respond_to,
            )
        elif offered.state == "offered":
            ask = ask_about(offered.key, offered.spot, offered.asker, question, thread, private=True)
            await self._whispered(ask, offered, respond_to=pressed.respond_to)

    async def _whispered(self, ask: Ask, reply: Reply, *, respond_to: str) -> None:
        """Say the answer to its asker, or do what is left of that."""
        post, trace, done = reply.post, reply.trace or "", True
        if post is None or not await self._writing.may_show(reply):
            answer, notes = await self._writing.quietly(ask, language=reply.language)
            alone = () if ask.spot.direct else (self._chat.say(answer.language, "chat-only-you"),)
            post, trace = self._writing.post(ask, answer, (*notes, *alone)), answer.trace_id
            # An offer that came to nothing stands: its button may be pressed again.
            done = reply.state != "offered" or answer.outcome in (Outcome.ANSWERED, Outcome.NOT_FOUND)
            if done:
                await self._chat.replies.written(ask.key, post, trace, shown(answer))
        if reply.state == "offered":
            await self._chat.readership.noted("fuller", ask.spot, ask.asker, answer=trace)
        messages = await self._chat.platform(ask.spot).whisper(ask.spot, ask.asker, post, respond_to=respond_to)
        if done:
            await self._chat.replies.settled(ask.key, messages=messages, state="shown")
