"""How many sources are searched, for the first thing that people are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.counted import Counted
from bot.phrases import Say


class SourcesCounted:
    """Says what is searched. `count` tells how many sources hold documents."""

    def __init__(self, count: Callable[[], Awaitable[int]], say: Say) -> None:
        self._sources = Counted(count, before=0, what="sources")
        self._say = say

    async def searching(self, language: str) -> str:
        """What is searched, with the number of sources that was counted last."""
        if count := await self._sources():
            return self._say(language, "chat-searching", count=count)
        return self._say(language, "status-searching")
