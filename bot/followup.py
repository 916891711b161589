"""A message within a conversation: a question, made to stand alone for the search, or work on the conversation.

Both are decided in one call of the chat model; whatever is unclear is a question.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.llm.interface import ChatRefused, ChatUnavailable, Writer
from bot.model import Turn
from bot.prompting import ON_CONVERSATION, Prompts

PATIENCE = 8.0
"""Seconds to wait for the stand-alone form; the search runs on the question as asked when it takes longer."""

LONGEST = 500
"""Characters; a longer reply is not a question but an answer, and is not used."""

QUOTES = " \"'«»“”„"

TASK = re.compile(rf'[\s`*"\'.]*{ON_CONVERSATION}(?:[\s`*"\'.:]|\Z)')
"""The mark at the beginning of a reply, whatever is explained behind it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standalone:
    """What the message asks for."""

    query: str
    """To search for."""
    on_conversation: bool = False
    """Whether the conversation itself is to be summarised, translated, answered: nothing is searched for."""
    notice: str | None = None
    """What was done otherwise than configured."""


class Followup:
    """Rewrites follow-up questions with a chat model."""

    def __init__(self, writer: Writer, prompts: Prompts) -> None:
        self._writer = writer
        self._prompts = prompts

    async def standalone(
        self, question: str, turns: Sequence[Turn], language: str, *, files: Sequence[str] = ()
    ) -> Standalone:
        """What `question` asks for after `turns`, in a conversation with `files` of these names."""
        prompt = self._prompts.followup(question, turns, language, files=files)
        try:
            async with asyncio.timeout(PATIENCE):
                reply = "".join([piece async for piece in self._writer.write(prompt)]).strip()
        except (ChatUnavailable, ChatRefused, TimeoutError) as error:
            return _as_asked(question, str(error) or "the chat model took too long")
        if TASK.match(reply):
            return Standalone(query=question, on_conversation=True)
        standalone = reply.partition("\n")[0].strip(QUOTES)
        if not standalone or len(reply) > LONGEST or ON_CONVERSATION in reply:
            return _as_asked(question, "the chat model did not return a question")
        return Standalone(query=standalone)


def _as_asked(question: str, why: str) -> Standalone:
    return Standalone(query=question, notice=f"follow-up searched as asked: {why}")
