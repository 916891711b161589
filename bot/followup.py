"""A question asked in the middle of a conversation, made to stand alone for the search."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.llm.interface import ChatRefused, ChatUnavailable, Writer
from bot.model import Turn
from bot.prompting import Prompts

PATIENCE = 8.0
"""Seconds to wait for the stand-alone form; the search runs on the question as asked when it takes longer."""

LONGEST = 500
"""Characters; a longer reply is not a question but an answer, and is not used."""


class Followup:
    """Rewrites follow-up questions with a chat model."""

    def __init__(self, writer: Writer, prompts: Prompts) -> None:
        self._writer = writer
        self._prompts = prompts

    async def standalone(self, question: str, turns: Sequence[Turn], language: str) -> tuple[str, str | None]:
        """The question to search for, and a notice when it is not what was configured."""
        prompt = self._prompts.followup(question, turns, language)
        try:
            async with asyncio.timeout(PATIENCE):
                reply = "".join([piece async for piece in self._writer.write(prompt)]).strip()
        except (ChatUnavailable, ChatRefused, TimeoutError) as error:
            return question, f"follow-up searched as asked: {str(error) or 'the chat model took too long'}"
        standalone = reply.partition("\n")[0].strip(" \"'«»“”„")
        if not standalone or len(reply) > LONGEST:
            return question, "follow-up searched as asked: the chat model did not return a question"
        return standalone, None
