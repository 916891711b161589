"""A writer that says what it was told to say: for tests, and for demonstrations without a model."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass

from bot.llm.interface import ChatRefused, ChatUnavailable, Prompt


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """A reply that ends in an error, after the pieces of `after`."""

    error: ChatUnavailable | ChatRefused
    after: str = ""


Reply = str | Failure


class ScriptedWriter:
    """Gives its replies one after the other, or those of a function of the prompt, a word and its spaces at a time."""

    def __init__(self, replies: Iterable[Reply] | Callable[[Prompt], Reply], *, name: str = "scripted") -> None:
        """`replies` that are used up are a `ChatUnavailable`."""
        self.name = name
        self.prompts: list[Prompt] = []
        """Every prompt it was given, oldest first."""
        self._reply = replies if callable(replies) else _in_order(replies)

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        self.prompts.append(prompt)
        reply = self._reply(prompt)
        text = reply.after if isinstance(reply, Failure) else reply
        for piece in re.findall(r"\s*\S+\s*|\s+", text):
            yield piece
        if isinstance(reply, Failure):
            raise reply.error

    async def close(self) -> None:
        """Holds nothing open."""


def _in_order(replies: Iterable[Reply]) -> Callable[[Prompt], Reply]:
    remaining = iter(replies)
    used_up = Failure(error=ChatUnavailable("the script has no reply left; give the scripted writer more of them"))
    return lambda prompt: next(remaining, used_up)
