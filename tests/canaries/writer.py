"""The worst model there is: it copies all that it is given, wherever it was given it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator

from bot.llm.interface import Prompt
from bot.prompting import NOT_FOUND
from tests.canaries.words import seen

ABOVE = "Summarise what was said above."
"""Asks for work on the conversation."""

NOBODY_KNOWS = "that nobody knows of"
"""Of a question that it finds no answer to, so that what comes closest is named."""

MOST = 40
"""Words that fit into one answer."""


class Copying:
    """As a writer of answers, and as what understands questions. Every prompt that it was given is kept."""

    name = "copying"

    def __init__(self) -> None:
        self.prompts: list[Prompt] = []
        self.hold_after: int | None = None
        """Pieces after which it waits to be released."""
        self.holding = asyncio.Event()
        self.go = asyncio.Event()

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        self.prompts.append(prompt)
        pieces = [_plan(prompt)] if prompt.schema is not None else _copied(prompt)
        for number, piece in enumerate(pieces):
            if prompt.schema is None and number == self.hold_after:
                self.hold_after = None
                self.holding.set()
                await self.go.wait()
            yield piece

    async def close(self) -> None:
        """Holds nothing open."""

    def hold(self, after: int) -> None:
        self.hold_after = after
        self.holding.clear()
        self.go.clear()


def _plan(prompt: Prompt) -> str:
    """The query is what was asked, with whatever could be taken from the conversation."""
    above = ABOVE in prompt.question or any(ABOVE in message.content for message in prompt.messages[-1:])
    taken = " ".join(sorted(_given(prompt))[:MOST])
    return json.dumps(
        {
            "query": f"{prompt.question} {taken}".strip(),
            "route": "conversation" if above else "documents",
            "skill": "chat",
            "broad": False,
        }
    )


def _copied(prompt: Prompt) -> list[str]:
    if NOBODY_KNOWS in prompt.question:
        return [NOT_FOUND]
    statements = []
    for passage in prompt.passages:
        statements.append(f"This is about {passage.chunk.heading} [{passage.number}].")
        statements += [f"{line} [{passage.number}]." for line in passage.text.replace(".", "").split("\n") if line]
    rest = sorted(_given(prompt) - seen("\n".join(statements)))[:MOST]
    if not statements:
        statements.append("This is the summary of all that has been said in the conversation so far.")
    statements += [f"It was also said that the plan of the office is {word} and that it was kept." for word in rest]
    return [f"{statement} " for statement in statements]


def _given(prompt: Prompt) -> frozenset[str]:
    return seen("\n".join(message.content for message in prompt.messages))
