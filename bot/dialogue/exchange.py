"""The walk of one event: what is done about it, and what people are told when it cannot be done.

    handle → _said · _edited · _pointed · _commanded · _pressed

Where a platform says that something is gone, there is nothing left to be done about it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import assert_never

from bot.dialogue.addressed import Addressed
from bot.dialogue.aftermath import Aftermath
from bot.dialogue.buttons import Buttons
from bot.dialogue.chat import Chat
from bot.dialogue.inbox import Inbox
from bot.dialogue.private import Private
from bot.dialogue.question import Ask, ask_about
from bot.dialogue.replies import Reply
from bot.dialogue.sharing import Sharing
from bot.dialogue.withdrawal import Withdrawal
from bot.dialogue.workers import Claim
from bot.dialogue.writing import Writing
from bot.platforms.events import Commanded, Deleted, Edited, Event, Pointed, Pressed, Recalled, Said, Spot, Stopped
from bot.platforms.interface import Message, MessageGone, PlatformRefused, Post
from ingest.errors import SouffleurError
from ingest.telemetry import new_trace_id

logger = logging.getLogger(__name__)


class Exchange:
    """What workers call: `handle` for an event that is due, `give_up` for one that failed too often.

    `handle` raises what may pass (`Transient`), for the worker to try again; what a platform refuses it tells the
    asker, and is done.
    """

    def __init__(
        self,
        chat: Chat,
        *,
        inbox: Inbox,
        buttons: Buttons,
        addressed: Addressed,
        writing: Writing,
        private: Private,
        sharing: Sharing,
        withdrawal: Withdrawal,
        aftermath: Aftermath,
        max_age: timedelta,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._chat = chat
        self._inbox = inbox
        self._buttons = buttons
        self._addressed = addressed
        self._writing = writing
        self._private = private
        self._sharing = sharing
        self._withdrawal = withdrawal
        self._aftermath = aftermath
        self._max_age = max_age
        self._now = now

    async def handle(self, claim: Claim) -> None:
        try:
            await self._dispatch(claim)
        except MessageGone as error:
            logger.info("%s: nothing is left to be done: %s", claim.event.key, error)
        except PlatformRefused as error:
            trace = new_trace_id()
            logger.error("%s was refused: %s", claim.event.key, error, extra={"trace_id": trace})
            await self._told_alone(claim.event, trace)

    async def give_up(self, claim: Claim, error: BaseException) -> None:
        """Say that there will be no answer, over whatever there is of one. Raises nothing that a platform raises."""
        event, trace = claim.event, new_trace_id()
        logger.error("%s is given up: %s", event.key, str(error) or type(error).__name__, extra={"trace_id": trace})
        try:
            # Raises where nobody can be told from here, before it is noted that somebody is.
            self._chat.platform(event.spot)
            reply = await self._half_written(event)
            if reply is None:
                await self._told_alone(event, trace)
            else:
                await self._told_in_place(reply, trace)
        except SouffleurError as untold:
            logger.error("nobody could be told: %s", untold, extra={"trace_id": trace})

    async def overtaken(self, claim: Claim) -> None:
        """Let stand what somebody else has made of the event, whatever was still sent from here. Raises as `handle`."""
        reply = await self._reply_because_of(claim.event)
        if reply is not None and not reply.private:
            await self._writing.restored(reply)

    async def _dispatch(self, claim: Claim) -> None:
        match claim.event:
            case Said() as said:
                await self._said(claim, said)
            case Edited() as edited:
                await self._edited(claim, edited)
            case Deleted() as deleted:
                await self._withdrawal.deleted(deleted)
            case Pointed() as pointed:
                await self._pointed(claim, pointed)
            case Commanded() as commanded:
                await self._commanded(claim, commanded)
            case Pressed() as pressed:
                await self._pressed(claim, pressed)
            case Recalled() as recalled:
                await self._withdrawal.recalled(recalled)
            case Stopped():
                # It has interrupted what was being written, or there was nothing to stop any more.
                pass
            case unknown:
                assert_never(unknown)

    async def _said(self, claim: Claim, said: Said) -> None:
        if await self._is_deleted(said.spot, said.message):
            return
        reply = await self._chat.replies.get(said.key)
        ask = _ask(said, thread=None if said.in_thread else ())
        if reply is None:
            if not self._addressed.outright(said):
                # The thread tells whether it is one for the bot; everybody else sees at once that there is an answer.
                ask = _ask(said, thread=await self._thread(said))
                if not await self._follows_up(said, ask.thread or ()):
                    return
            if self._is_late(said.at):
                if self._addressed.plainly(said):
                    await self._apologise(said)
                return
        await self._writing.answer(claim, ask)

    async def _edited(self, claim: Claim, edited: Edited) -> None:
        """Answer the question as it is now, in place of the answer to what it was."""
        said = edited.said
        if await self._is_deleted(said.spot, said.message):
            return
        reply = await self._reply_to(said.spot, said.message)
        if reply is not None and reply.state == "withdrawn":
            return
        if reply is not None:
            ask = replace(_ask(said, thread=None), key=reply.key, asker=reply.asker)
        elif self._is_late(said.at) or not (
            self._addressed.outright(said) or await self._follows_up(said, await self._thread(said))
        ):
            return
        else:
            ask = _ask(said, thread=None)
        await self._writing.answer(claim, ask, again=True)

    async def _pointed(self, claim: Claim, pointed: Pointed) -> None:
        platform = self._chat.platform(pointed.spot)
        spot, message = await platform.message(pointed.spot, pointed.message)
        reply = await self._reply_to(spot, pointed.message)
        if message.bot or (reply is not None and (reply.key != pointed.key or reply.state != "writing")):
            return
        if reply is None and self._is_late(pointed.at):
            await self._tell(pointed, "chat-late")
            return
        ask = ask_about(pointed.key, spot, pointed.by, message, await platform.thread(spot))
        await self._writing.answer(claim, ask)

    async def _commanded(self, claim: Claim, commanded: Commanded) -> None:
        if self._is_late(commanded.at):
            await self._tell(commanded, "chat-late")
            return
        await self._private.answer(commanded)

    async def _pressed(self, claim: Claim, pressed: Pressed) -> None:
        signed = self._buttons.opened(pressed)
        reply = await self._chat.replies.get(signed.key) if signed else None
        if signed is None or reply is None or reply.state == "withdrawn":
            await self._tell(pressed, "chat-expired")
            return
        match signed.action:
            case "stop":
                # As for `Stopped`.
                pass
            case "again":
                await self._again(claim, pressed, reply)
            case "up" | "down" as value:
                await self._aftermath.rated(pressed, reply, value)
            case "person":
                await self._aftermath.handed_over(claim, pressed, reply)
            case "resolved":
                await self._aftermath.resolved(pressed, reply)
            case "share":
                await self._sharing.shared(claim, pressed, reply)
            case "disclose":
                await self._sharing.disclosed(claim, pressed, reply)
            case "fuller":
                await self._private.fuller(pressed, reply)
            case unknown:
                assert_never(unknown)

    async def _again(self, claim: Claim, pressed: Pressed, reply: Reply) -> None:
        thread = await self._chat.platform(reply.spot).thread(reply.spot)
        question = next((message for message in thread if message.id == reply.question), None)
        if question is None:
            await self._tell(pressed, "chat-expired")
            return
        ask = ask_about(reply.key, reply.spot, reply.asker, question, thread)
        claim.message = question.id
        await self._writing.answer(claim, ask, again=True)

    async def _follows_up(self, said: Said, thread: tuple[Message, ...]) -> bool:
        """Whether it is for the bot although it does not say so."""
        if not self._addressed.perhaps(said) or not await self._addressed.taking_part(said):
            return False
        return await self._addressed.follows_up(said, thread)

    def _is_late(self, at: datetime) -> bool:
        return self._now() - at > self._max_age

    async def _is_deleted(self, spot: Spot, message: str) -> bool:
        """Whether it is known to be gone: what happened to it may be delivered in any order."""
        return await self._inbox.seen(f"deleted/{spot.key_of(message)}")

    async def _reply_to(self, spot: Spot, message: str) -> Reply | None:
        """What answers a message, whether it asked by itself or somebody pointed at it."""
        key = spot.key_of(message)
        return await self._chat.replies.get(f"said/{key}") or await self._chat.replies.get(f"pointed/{key}")

    async def _thread(self, said: Said) -> tuple[Message, ...]:
        return await self._chat.platform(said.spot).thread(said.spot)

    async def _apologise(self, said: Said) -> None:
        language = await self._language(said)
        reply = await self._writing.begun(_ask(said, thread=None), language)
        await self._put(reply, Post(text=self._chat.say(language, "chat-late"), language=language))

    async def _put(self, reply: Reply, post: Post) -> None:
        """Show `post` as what answers the question, once and for all."""
        platform, replies = self._chat.platform(reply.spot), self._chat.replies
        if reply.messages:
            messages = await platform.change(reply.spot, reply.messages, post)
        else:
            messages = await platform.show(reply.spot, post)
        await replies.settled(reply.key, messages=messages, state="shown")

    async def _half_written(self, event: Event) -> Reply | None:
        """The reply that everybody in the thread is waiting for because of the event."""
        reply = await self._reply_because_of(event)
        if reply is None and isinstance(event, Said) and self._addressed.plainly(event):
            reply = await self._writing.begun(_ask(event, thread=None), await self._language(event))
        return reply if reply is not None and reply.state == "writing" and not reply.private else None

    async def _reply_because_of(self, event: Event) -> Reply | None:
        if isinstance(event, Said | Edited | Pointed):
            return await self._reply_to(event.spot, event.message)
        if isinstance(event, Pressed) and (signed := self._buttons.opened(event)):
            return await self._chat.replies.get(signed.key)
        return None

    async def _told_in_place(self, reply: Reply, trace: str) -> None:
        again = self._buttons.button("again", reply.key, reply.spot, language=reply.language)
        text = self._chat.say(reply.language, "chat-gave-up", trace=trace)
        await self._put(reply, Post(text=text, language=reply.language, buttons=(again,)))

    async def _told_alone(self, event: Event, trace: str) -> None:
        """The last thing that can be tried: that nothing came of it, to whoever wanted it, where nobody else sees."""
        if isinstance(event, Deleted | Stopped | Recalled) or (
            isinstance(event, Said) and not self._addressed.plainly(event)
        ):
            return
        try:
            await self._tell(event, "chat-gave-up", trace=trace)
        except SouffleurError as untold:
            logger.error("the asker could not be told: %s", untold, extra={"trace_id": trace})

    async def _tell(self, event: Event, key: str, **values: str) -> None:
        respond_to = event.respond_to if isinstance(event, Commanded | Pressed) else ""
        language = await self._language(event)
        await self._chat.tell(event.spot, event.by, key, language=language, respond_to=respond_to, **values)

    async def _language(self, event: Event) -> str:
        """Of whoever caused the event; the preferred one when their profile cannot be had."""
        try:
            return self._chat.language_of(await self._chat.platform(event.spot).person(event.by))
        except SouffleurError as error:
            logger.warning("spoken to in %s: %s", self._chat.languages[0], error)
            return self._chat.languages[0]


def _ask(said: Said, *, thread: tuple[Message, ...] | None) -> Ask:
    return Ask(
        key=said.key,
        spot=said.spot,
        message=said.message,
        asker=said.by,
        writer=said.by,
        text=said.text,
        files=said.files,
        thread=thread,
    )
