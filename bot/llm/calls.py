"""The calls that one question makes at chat models: bounded, counted, and kept for `bot explain`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

from bot.llm.interface import ChatRefused, ChatUnavailable, Prompt, Writer
from bot.model import Spent
from bot.trace import TracedCall
from ingest.chunk import estimate_tokens


class TooCostly(ChatRefused):
    """The question has spent what one question may spend; the text names the setting."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caps:
    """What one question may spend at most."""

    calls: int = 5
    tokens: int = 30_000
    """Of prompts and replies together; a call that could exceed it is not made."""


class Calls:
    """Every call of one question goes through here. `user` is whose question it is, as `Asker.id`."""

    def __init__(self, caps: Caps, *, user: str = "") -> None:
        self._caps = caps
        self._user = user
        self._begun = 0
        self.made: list[TracedCall] = []
        """In the order in which they ended."""
        self.seconds = 0.0
        """Waited for the models."""

    @property
    def spent(self) -> Spent:
        return Spent(
            calls=self._begun,
            prompt_tokens=sum(call.prompt_tokens for call in self.made),
            reply_tokens=sum(call.reply_tokens for call in self.made),
            estimated=any(call.estimated for call in self.made),
        )

    async def stream(self, writer: Writer, prompt: Prompt, *, task: str) -> AsyncGenerator[str, None]:
        """What `writer` writes. Raises `TooCostly` before the call, and what the writer raises."""
        asked = sum(estimate_tokens(message.content) for message in prompt.messages)
        self._admit(asked + prompt.max_tokens)
        self._begun += 1
        prompt = replace(prompt, user=self._user)
        started, waited, pieces, error = time.perf_counter(), 0.0, [], "left before its end"
        resumed = started
        try:
            async with aclosing(writer.write(prompt)) as stream:
                async for piece in stream:
                    waited += time.perf_counter() - resumed
                    pieces.append(piece)
                    yield piece
                    resumed = time.perf_counter()
            waited += time.perf_counter() - resumed
            error = ""
        except (ChatUnavailable, ChatRefused) as failure:
            error = str(failure)
            raise
        finally:
            self.seconds += waited
            reply, usage = "".join(pieces), prompt.usage
            self.made.append(
                TracedCall(
                    task=task,
                    model=writer.name,
                    messages=tuple((message.role, message.content) for message in prompt.messages),
                    reply=reply,
                    seconds=time.perf_counter() - started,
                    prompt_tokens=asked if usage.prompt_tokens is None else usage.prompt_tokens,
                    reply_tokens=estimate_tokens(reply) if usage.reply_tokens is None else usage.reply_tokens,
                    estimated=usage.prompt_tokens is None or usage.reply_tokens is None,
                    error=error,
                )
            )

    async def text(self, writer: Writer, prompt: Prompt, *, task: str, seconds: float) -> str:
        """All that `writer` writes. Raises `ChatUnavailable` after so many seconds, and what `stream` raises."""
        try:
            async with asyncio.timeout(seconds), aclosing(self.stream(writer, prompt, task=task)) as pieces:
                return "".join([piece async for piece in pieces])
        except TimeoutError as error:
            raise ChatUnavailable(f"the chat model took more than {seconds:g} s to {task}") from error

    def _admit(self, tokens: int) -> None:
        if self._begun >= self._caps.calls:
            raise TooCostly(f"the question has used its {self._caps.calls} model calls (`answer.model_calls`)")
        if self.spent.tokens + tokens > self._caps.tokens:
            raise TooCostly(
                f"the question would use more than its {self._caps.tokens:,} tokens (`answer.tokens`) with another call"
            )
