"""A fuller answer, offered to whoever asked among people who may read less."""

from __future__ import annotations

import asyncio
import logging

from bot.dialogue.buttons import Buttons
from bot.dialogue.chat import Chat
from bot.dialogue.question import Ask
from bot.dialogue.replies import Reply
from bot.model import Answer, Outcome, Question
from bot.platforms.interface import Post
from ingest.errors import SouffleurError
from ingest.model import EVERYONE

logger = logging.getLogger(__name__)

OFFER_SECONDS = 30.0
"""Longest time to find out whether there is more to offer: the next question in the thread waits for that."""


class Offering:
    """Offers, once for each answer; a crash may lose an offer, and none is made twice."""

    def __init__(self, chat: Chat, *, buttons: Buttons) -> None:
        self._chat = chat
        self._buttons = buttons

    async def made(self, ask: Ask, question: Question, answer: Answer, *, cause: str) -> None:
        """Whisper the offer where there is one to make; `cause` is the reply's.

        Whatever fails is logged: the answer stands, and nobody waits for more.
        """
        shared, own = question.place.readers, question.asker.readers
        if not self._chat.readership.offer or shared is None or EVERYONE not in own or own <= shared:
            return
        if answer.outcome not in (Outcome.ANSWERED, Outcome.NOT_FOUND):
            return
        try:
            async with asyncio.timeout(OFFER_SECONDS):
                if await self._chat.readership.more(question, answer):
                    await self._make(ask, answer, cause)
        except (SouffleurError, TimeoutError) as error:
            logger.warning("no fuller answer is offered: %s", str(error) or f"not known within {OFFER_SECONDS:.0f} s")

    async def _make(self, ask: Ask, answer: Answer, cause: str) -> None:
        key = f"fuller/{ask.spot.key_of(ask.message)}"
        offered = Reply(
            key=key,
            spot=ask.spot,
            asker=ask.asker,
            question=ask.message,
            language=answer.language,
            private=True,
            cause=cause,
        )
        if not await self._chat.replies.offered(offered):
            return
        await self._chat.readership.noted("offered", ask.spot, ask.asker, answer=answer.trace_id)
        post = Post(
            text=self._chat.say(answer.language, "access-offer"),
            language=answer.language,
            buttons=(self._buttons.button("fuller", key, ask.spot, language=answer.language, only=ask.asker),),
        )
        await self._chat.platform(ask.spot).whisper(ask.spot, ask.asker, post)
