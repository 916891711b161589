"""Where adapters bring what people did: looked at, kept for good, acknowledged; the work itself is done later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.dialogue.addressed import Addressed
from bot.dialogue.aftermath import Aftermath
from bot.dialogue.buttons import Action, Buttons, Signed
from bot.dialogue.chat import Chat
from bot.dialogue.inbox import Inbox
from bot.dialogue.replies import Reply
from bot.platforms.events import Commanded, Edited, Event, PlatformName, Pointed, Pressed, Said
from bot.platforms.interface import Form, Receipt
from ingest.errors import SouffleurError

logger = logging.getLogger(__name__)

LOOK_UP_SECONDS = 1.0
"""Longest wait for what the platform knows: both platforms want their acknowledgement within three seconds."""

THREADS = 10_000
"""Threads that the bot takes part in which are known without a look into the database."""

ASKERS_ONLY = frozenset({"again", "stop", "share", "disclose", "fuller"})
"""What whoever asked can do, and nobody else."""

TOLD: Mapping[Action, str] = {
    "up": "chat-thanks",
    "down": "chat-thanks",
    "person": "chat-handed-over",
    "disclose": "chat-shared",
    "fuller": "chat-searching-privately",
}
"""What is said at once. Nothing about what is to be shared: it may still be asked whether it really is to be."""


class Reception:
    """Receives events. What is not for the bot is dropped, so that the inbox holds no chatter.

    What may be for it after all is decided when it is dealt with, with the thread at hand. Raises what a database may
    raise; the event is not acknowledged then, and comes again.
    """

    def __init__(
        self,
        chat: Chat,
        *,
        inbox: Inbox,
        buttons: Buttons,
        addressed: Addressed,
        aftermath: Aftermath,
        commands: Mapping[PlatformName, str],
        wake: Callable[[], None],
    ) -> None:
        """Take the parts; `commands`: the slash command as people type it, `wake`: tells workers to look."""
        self._chat = chat
        self._inbox = inbox
        self._buttons = buttons
        self._addressed = addressed
        self._aftermath = aftermath
        self._commands = commands
        self._wake = wake
        self._threads: set[str] = set()

    async def receive(self, event: Event) -> Receipt:
        """Keep the event if it matters; what to show whoever caused it, at once and to them alone."""
        match event:
            case Pressed():
                return await self._pressed(event)
            case Commanded():
                return await self._commanded(event)
            case Said() if not await self._matters(event):
                return Receipt()
            case Edited() if not await self._concerns(event):
                return Receipt()
            case Pointed():
                if self._chat.channel(event.spot).answer == "never" and not event.spot.direct:
                    return Receipt()
                event = await self._placed(event)
        await self._keep(event)
        return Receipt()

    async def _keep(self, event: Event) -> None:
        if await self._inbox.put(event):
            self._wake()

    async def _matters(self, said: Said) -> bool:
        """Whether it could be for the bot, as far as that shows without asking the platform."""
        if self._addressed.outright(said):
            return True
        if not self._addressed.perhaps(said):
            return False
        lane = said.spot.lane
        if lane in self._threads:
            return True
        if await self._addressed.taking_part(said):
            if len(self._threads) >= THREADS:
                self._threads.clear()
            self._threads.add(lane)
            return True
        # An answer may be about to begin: to the message that the thread hangs on, or to another one in it.
        root = f"said/{said.spot.key_of(said.spot.thread)}"
        return await self._inbox.seen(root) or bool(await self._inbox.waiting({lane}))

    async def _concerns(self, edited: Edited) -> bool:
        """Whether what was edited is for the bot now, or was before."""
        pointed = f"pointed/{edited.spot.key_of(edited.message)}"
        return (
            await self._matters(edited.said)
            or await self._inbox.seen(edited.said.key)
            or await self._inbox.seen(pointed)
        )

    async def _placed(self, pointed: Pointed) -> Pointed:
        """In its thread, which not every platform tells: there it waits its turn, and can be stopped."""
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                spot, _ = await self._chat.platform(pointed.spot).message(pointed.spot, pointed.message)
        except (SouffleurError, TimeoutError) as error:
            logger.info("the thread of %s is not known yet: %s", pointed.key, str(error) or "no answer in time")
            return pointed
        return replace(pointed, spot=spot)

    async def _commanded(self, commanded: Commanded) -> Receipt:
        if commanded.text.strip():
            await self._keep(commanded)
        language = await self._language(commanded)
        if commanded.text.strip():
            return Receipt(text=self._chat.say(language, "chat-searching-privately"))
        command = self._commands[commanded.spot.platform]
        return Receipt(text=self._chat.say(language, "chat-usage", command=command))

    async def _pressed(self, pressed: Pressed) -> Receipt:
        """Check the signature before anything else, then whether whoever pressed may do this."""
        signed = self._buttons.opened(pressed)
        if signed is None:
            logger.warning("%s carries no button of ours, and is dropped", pressed.key)
            return await self._expired(pressed)
        reply = await self._chat.replies.get(signed.key)
        if reply is None or reply.state == "withdrawn":
            return await self._expired(pressed)
        if not reply.private and (not pressed.message or pressed.spot.channel != signed.spot.channel):
            # What everybody sees is pressed where it is; anything else is a value that was carried off.
            logger.warning("%s comes from where there is no such button, and is dropped", pressed.key)
            return await self._expired(pressed)
        language = self._chat.language_in(reply)
        if signed.only not in ("", pressed.by):
            return Receipt(text=self._chat.say(language, "access-may-not"))
        if not await self._may(pressed.by, signed, reply):
            return Receipt(text=self._chat.say(language, "chat-not-yours"))
        if signed.action == "person" and not await self._aftermath.owners(reply):
            return Receipt(text=self._chat.say(language, "chat-no-owner"))
        # The thread of a press is not always told; where the answer is, it can interrupt what is being written.
        await self._keep(replace(pressed, spot=signed.spot))
        return self._receipt(pressed, signed, language)

    async def _may(self, user: str, signed: Signed, reply: Reply) -> bool:
        if signed.action in ASKERS_ONLY or reply.private:
            return user == reply.asker
        if signed.action == "resolved":
            return await self._aftermath.may_resolve(user, reply)
        return True

    def _receipt(self, pressed: Pressed, signed: Signed, language: str) -> Receipt:
        say = self._chat.say
        if signed.action == "down" and pressed.remark is None:
            return Receipt(
                form=Form(
                    title=say(language, "chat-reason-title"),
                    label=say(language, "chat-reason-label"),
                    submit=say(language, "chat-send"),
                    value=self._buttons.of_form(signed, by=pressed.by),
                )
            )
        key = TOLD.get(signed.action)
        return Receipt(text=say(language, key)) if key else Receipt()

    async def _expired(self, event: Pressed) -> Receipt:
        return Receipt(text=self._chat.say(await self._language(event), "chat-expired"))

    async def _language(self, event: Event) -> str:
        """Of whoever waits, if the platform tells it in time."""
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                return self._chat.language_of(await self._chat.platform(event.spot).person(event.by))
        except (SouffleurError, TimeoutError) as error:
            logger.info("spoken to in %s: %s", self._chat.languages[0], str(error) or "no answer in time")
            return self._chat.languages[0]
