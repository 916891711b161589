"""Whether a message in a thread is meant for the assistant, where nothing in it says so."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from bot.llm.interface import ChatRefused, ChatUnavailable, Writer
from bot.model import Turn
from bot.prompting import Prompts

PATIENCE = 5.0
"""Seconds; an answer that comes much later than the message does not belong to it any more."""

DRESSING = ' \t\r\n`*".!'
"""What models put around a word."""

logger = logging.getLogger(__name__)


class AddressedClassifier:
    """Asks a chat model. Silence is the default: on doubt, failure or delay the message is not for the assistant."""

    def __init__(self, writer: Writer, prompts: Prompts, *, patience: float = PATIENCE) -> None:
        self._writer = writer
        self._prompts = prompts
        self._patience = patience

    async def addressed(self, text: str, turns: Sequence[Turn], *, by: str) -> bool:
        """Whether `text`, said after `turns`, follows up on, asks, requests or corrects something of the assistant.

        The gateway counts it for `by`, an id as `Asker.id`.
        """
        prompt = replace(self._prompts.addressed(text, turns), user=by)
        try:
            async with asyncio.timeout(self._patience):
                reply = "".join([piece async for piece in self._writer.write(prompt)])
        except (ChatUnavailable, ChatRefused, TimeoutError) as error:
            logger.warning("a message in a thread is left alone: %s", str(error) or "the chat model took too long")
            return False
        return reply.strip(DRESSING).casefold() == "yes"
