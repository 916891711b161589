"""What follows an answer: whether it was any good, and a person who knows better."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from bot.dialogue.buttons import Buttons
from bot.dialogue.chat import Chat
from bot.dialogue.replies import Handover, Reply
from bot.dialogue.sharing import Recall
from bot.dialogue.workers import Claim
from bot.platforms.events import Pressed, Spot
from bot.platforms.interface import Post
from bot.platforms.rendering import literal


class Aftermath:
    """Does what the buttons under an answer promise. What platform and database raise is raised."""

    def __init__(self, chat: Chat, *, buttons: Buttons, recall: Recall) -> None:
        self._chat = chat
        self._buttons = buttons
        self._recall = recall

    async def rated(self, pressed: Pressed, reply: Reply, value: Literal["up", "down"]) -> None:
        """Keep what somebody thinks of the answer; their reason may come later."""
        if reply.trace is not None:
            await self._chat.replies.feedback(reply.trace, pressed.by, value, pressed.remark)

    async def owners(self, reply: Reply) -> tuple[str, ...]:
        """Whom the question could be handed to."""
        remembered = await self._recall(reply.trace) if reply.trace else None
        return self._chat.owners(reply.spot, remembered.cited if remembered else ())

    async def handed_over(self, claim: Claim, pressed: Pressed, reply: Reply) -> None:
        """Call the owners into the thread, with what was tried; once, however many ask for it."""
        language = self._chat.language_in(reply)
        owners = await self.owners(reply)
        if not owners:
            await self._chat.tell(
                reply.spot, pressed.by, "chat-no-owner", language=language, respond_to=pressed.respond_to
            )
            return
        handover = await self._chat.replies.hand_over(reply.key, by=pressed.by, owners=owners)
        if handover.messages:
            return
        spot = _thread_of(reply)
        messages = await self._chat.strays(spot, after=reply.question) if claim.attempt > 1 else ()
        if not messages:
            resolved = self._buttons.button("resolved", reply.key, spot, language=language)
            call = await self._call(reply, handover)
            post = replace(call, buttons=(resolved,), mention=handover.owners)
            messages = await self._chat.platform(spot).show(spot, post)
        await self._chat.replies.told(reply.key, spot, messages)

    async def may_resolve(self, user: str, reply: Reply) -> bool:
        """Whether `user` can say that the question is answered: who asked it, and who was asked to take over."""
        handover = await self._chat.replies.handover(reply.key)
        return handover is not None and user in {reply.asker, handover.by, *handover.owners}

    async def resolved(self, pressed: Pressed, reply: Reply) -> None:
        """Note that people have answered, and say so where they were called."""
        handover = await self._chat.replies.resolve(reply.key, by=pressed.by)
        if handover is None or not handover.messages:
            return
        spot = _thread_of(reply)
        call = await self._call(reply, handover)
        messages = await self._chat.platform(spot).change(spot, handover.messages, call)
        await self._chat.replies.told(reply.key, spot, messages)

    async def recalled(self, reply: Reply) -> None:
        """Take the sources of an answer that is recalled from where people were called; its buttons do nothing now."""
        handover = await self._chat.replies.handover(reply.key)
        if handover is None or not handover.messages:
            return
        spot = _thread_of(reply)
        call = await self._call(reply, handover)
        messages = await self._chat.put_out(spot, handover.messages, replace(call, replaces=True))
        await self._chat.replies.told(reply.key, spot, messages)

    async def _call(self, reply: Reply, handover: Handover) -> Post:
        """Who asks for a person, what was tried, and who has answered since; its sources where everybody there may read
        what it rests on.
        """
        language = self._chat.language_in(reply)
        name = await self._chat.name(reply.spot, handover.by)
        asks = self._chat.say(language, "chat-asks-person", name=literal(name))
        listed = reply.post.sources if reply.post else ()
        sources = listed if listed and await self._open_to_all(reply) else ()
        tried = self._chat.say(language, "chat-tried", count=self._chat.sources or len(sources) or 1)
        notes = []
        if handover.resolved_by:
            answered = await self._chat.name(reply.spot, handover.resolved_by)
            notes.append(self._chat.say(language, "chat-resolved-by", name=answered))
        return Post(
            text=f"{asks}\n\n{tried}",
            language=language,
            sources=sources,
            sources_label=reply.post.sources_label if reply.post and sources else "",
            notes=tuple(notes),
            replaces=sources != listed,
        )

    async def _open_to_all(self, reply: Reply) -> bool:
        readership = self._chat.readership
        audience = await readership.of(reply.spot, reply.asker, alone=reply.private)
        return await readership.may_read(reply.basis, audience.tokens)


def _thread_of(reply: Reply) -> Spot:
    """Where people talk about a reply: what was shared stands in the channel, and is the root of its own thread."""
    root = "" if reply.private else next(iter(reply.messages), "")
    return replace(reply.spot, thread=reply.spot.thread or root)
