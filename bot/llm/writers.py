"""Which chat model writes what: one for answers, and others for what they are better at, where configured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.llm.interface import Writer

Skill = Literal["chat", "reasoning", "code"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Writers:
    """The chat model, and those for other skills; a skill without a model of its own is the chat model's."""

    chat: Writer
    others: Mapping[Skill, Writer] = field(default_factory=dict)

    def of(self, skill: Skill) -> Writer:
        return self.others.get(skill, self.chat)

    async def close(self) -> None:
        for writer in {id(writer): writer for writer in (self.chat, *self.others.values())}.values():
            await writer.close()
