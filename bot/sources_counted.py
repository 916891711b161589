"""How many sources are searched, for the first thing that people are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping

from bot.counted import Counted
from bot.phrases import Say
from ingest.model import Readers

ReadersBySource = Callable[[], Awaitable[Mapping[str, Collection[Readers]]]]
"""Every set of readers that a document of the index has, by its source."""


class SourcesCounted:
    """Says what is searched: of a source that holds nothing for whoever will read it, not even that it is there."""

    def __init__(self, readers: ReadersBySource, say: Say) -> None:
        nothing: Mapping[str, Collection[Readers]] = {}
        self._readers = Counted(readers, before=nothing, what="sources")
        self._say = say

    async def searching(self, language: str, tokens: Readers) -> str:
        """What is searched for holders of `tokens`, with the number of sources as it was counted last."""
        sources = (await self._readers()).values()
        if count := sum(any(readers & tokens for readers in each) for each in sources):
            return self._say(language, "chat-searching", count=count)
        return self._say(language, "status-searching")
