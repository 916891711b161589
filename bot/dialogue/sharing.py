"""A private answer for everybody: as it is where all may read what it rests on, or where somebody who may decides so.

    shared → _copied | asked whether to disclose → disclosed → _copied
           ↘ _asked_anew

What is posted keeps what the private answer rests on: it is no history for whoever may not read that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.conversations import Remembered
from bot.dialogue.buttons import Buttons
from bot.dialogue.chat import Chat
from bot.dialogue.question import Ask
from bot.dialogue.replies import Reply
from bot.dialogue.workers import Claim
from bot.dialogue.writing import Writing, shown
from bot.model import Basis, Outcome
from bot.platforms.events import Pressed
from bot.platforms.interface import Post
from bot.platforms.rendering import literal

Recall = Callable[[str], Awaitable[Remembered | None]]
"""What was asked and cited in the answer of that trace id."""

FOR_ONE_ALONE = ("chat-only-you", "note-groups-unknown")
"""Phrases under a private answer that mean nothing to anybody else."""


class Sharing:
    """Posts what one person was answered. What platform and database raise is raised."""

    def __init__(self, chat: Chat, *, writing: Writing, buttons: Buttons, recall: Recall) -> None:
        self._chat = chat
        self._writing = writing
        self._buttons = buttons
        self._recall = recall

    async def shared(self, claim: Claim, pressed: Pressed, private: Reply) -> None:
        """Post the answer where all may read it; else ask whoever may whether to; else answer anew for everybody."""
        question = await self._question(pressed, private)
        if question is None:
            return
        readership = self._chat.readership
        audience = await readership.of(private.spot, pressed.by, alone=False)
        if private.post is not None and await readership.may_read(private.basis, audience.tokens):
            await self._copied(claim, pressed, private, private.post, question, disclosed=False)
        elif private.post is None or private.basis is None or not readership.disclose:
            await self._asked_anew(claim, pressed, private, question)
        elif await readership.may_read(private.basis, audience.own):
            await self._ask(pressed, private)
        else:
            await self._tell(pressed, private, "access-may-not")

    async def disclosed(self, claim: Claim, pressed: Pressed, private: Reply) -> None:
        """Post the answer although not everybody may read all of that, if whoever wants it may, and it may be done."""
        question = await self._question(pressed, private)
        if question is None:
            return
        readership = self._chat.readership
        audience = await readership.of(private.spot, pressed.by, alone=False)
        may = readership.disclose and await readership.may_read(private.basis, audience.own)
        if private.post is None or not may:
            await self._tell(pressed, private, "access-may-not")
            return
        open_to_all = await readership.may_read(private.basis, audience.tokens)
        await self._copied(claim, pressed, private, private.post, question, disclosed=not open_to_all)

    async def _question(self, pressed: Pressed, private: Reply) -> str | None:
        """What was asked; None, and whoever wants it is told, where that is not known any more."""
        asked = await self._recall(private.trace) if private.trace else None
        if asked is None:
            await self._tell(pressed, private, "chat-expired")
            return None
        return asked.question

    async def _tell(self, pressed: Pressed, private: Reply, key: str) -> None:
        language = self._chat.language_in(private)
        await self._chat.tell(private.spot, pressed.by, key, language=language, respond_to=pressed.respond_to)

    async def _ask(self, pressed: Pressed, private: Reply) -> None:
        language = self._chat.language_in(private)
        disclose = self._buttons.button("disclose", private.key, private.spot, language=language, only=pressed.by)
        post = Post(text=self._chat.say(language, "access-disclose"), language=language, buttons=(disclose,))
        await self._chat.platform(private.spot).whisper(private.spot, pressed.by, post, respond_to=pressed.respond_to)

    async def _begun(self, private: Reply, question: str) -> tuple[Ask, Reply] | None:
        """The reply that everybody is to see; None where they do already."""
        ask = Ask(
            key=shared_from(private.key),
            spot=private.spot,
            message=private.question,
            asker=private.asker,
            writer=private.asker,
            text=question,
        )
        reply = await self._writing.begun(ask, self._chat.language_in(private), cause=private.cause)
        return None if reply.state != "writing" else (ask, reply)

    async def _copied(
        self, claim: Claim, pressed: Pressed, private: Reply, post: Post, question: str, *, disclosed: bool
    ) -> None:
        begun = await self._begun(private, question)
        if begun is None:
            return
        ask, reply = begun
        asked = await self._recall(private.trace) if private.trace else None
        owners = self._chat.owners(ask.spot, asked.cited if asked else ())
        personal = {
            self._chat.say(language, key) for language in (post.language, private.language) for key in FOR_ONE_ALONE
        }
        post = replace(
            post,
            notes=tuple(note for note in post.notes if note not in personal),
            buttons=self._buttons.under(
                ask.key, ask.spot, outcome=Outcome.ANSWERED, language=post.language, owners=bool(owners)
            ),
        )
        post = await self._for_all(pressed, post, question)
        await self._chat.replies.written(ask.key, post, private.trace, private.basis)
        await self._noted(pressed, private, private.trace, private.basis, disclosed=disclosed)
        await self._posted(claim, reply, post)

    async def _asked_anew(self, claim: Claim, pressed: Pressed, private: Reply, question: str) -> None:
        """Answer the same question once more, for everybody in the channel, with what all of them may read."""
        begun = await self._begun(private, question)
        if begun is None:
            return
        ask, reply = begun
        answer, notes = await self._writing.quietly(ask, language=reply.language)
        post = self._writing.post(ask, answer, notes)
        if answer.outcome is not Outcome.ANSWERED:
            platform = self._chat.platform(ask.spot)
            await platform.whisper(ask.spot, pressed.by, replace(post, buttons=()), respond_to=pressed.respond_to)
            if answer.outcome is Outcome.NOT_FOUND:  # what failed may be tried again
                await self._chat.replies.settled(ask.key, messages=(), state="withdrawn")
            return
        post = await self._for_all(pressed, post, question)
        await self._chat.replies.written(ask.key, post, answer.trace_id, shown(answer))
        await self._noted(pressed, private, answer.trace_id, answer.basis, disclosed=False)
        await self._posted(claim, reply, post)

    async def _for_all(self, pressed: Pressed, post: Post, question: str) -> Post:
        """With the question, and who shared it."""
        name = await self._chat.name(pressed.spot, pressed.by)
        # Its writer was alone with it; here the bot says it to everybody, and vouches for no link.
        quoted = "\n".join(f"> {literal(line)}" for line in question.strip().splitlines())
        return replace(
            post,
            text=f"{quoted}\n\n{post.text}",
            notes=(*post.notes, self._chat.say(post.language, "chat-shared-by", name=name)),
            # The question is nowhere in the channel: there is nothing that could be asked again.
            buttons=tuple(button for button in post.buttons if button.action != "again"),
        )

    async def _noted(
        self, pressed: Pressed, private: Reply, trace: str | None, basis: Basis | None, *, disclosed: bool
    ) -> None:
        await self._chat.readership.noted(
            "disclosed" if disclosed else "shared",
            private.spot,
            pressed.by,
            answer=trace or "",
            passed=basis or frozenset(),
        )

    async def _posted(self, claim: Claim, reply: Reply, post: Post) -> None:
        """Show it, once; where it belongs to no thread a crash right after that may have it shown twice."""
        platform, before = self._chat.platform(reply.spot), reply.messages
        if claim.attempt > 1 and reply.spot.thread:
            before = (*before, *await self._chat.strays(reply.spot, after=reply.question))
        if before:
            messages = await platform.change(reply.spot, before, post)
        else:
            messages = await platform.show(reply.spot, post)
        await self._chat.replies.settled(reply.key, messages=messages, state="shown")


def shared_from(key: str) -> str:
    """The key of what is shared of the private answer `key`; empty for an answer that is not private."""
    kind, _, of = key.partition("/")
    return f"shared/{of}" if kind in ("commanded", "fuller") else ""
