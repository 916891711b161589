"""The languages that most of the documents are written in: those in which a question is searched for, too."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping

from ingest.errors import SouffleurError

MAIN_SHARE = 0.1
"""Share of the documents from which on their language is a main one."""

MOST_LANGUAGES = 4
"""Main languages; each one costs a question about twenty tokens and a search."""

COUNT_SECONDS = 60.0
"""How long the languages stay as they were counted."""

COUNTING_SECONDS = 0.5
"""Longest wait for it: somebody waits for an answer."""

UNKNOWN = "und"
"""Language of a document whose text does not tell it (ISO 639-2)."""

logger = logging.getLogger(__name__)


class MainLanguages:
    """Tells them, from a count that is a minute old at most. `count` tells how many documents there are by language."""

    def __init__(self, count: Callable[[], Awaitable[Mapping[str, int]]]) -> None:
        self._count = count
        self._main: tuple[str, ...] = ()
        self._counted_at = -math.inf

    async def __call__(self) -> tuple[str, ...]:
        """ISO 639-1 codes, that of most documents first; as counted before, where they cannot be counted now."""
        now = time.monotonic()
        if now - self._counted_at >= COUNT_SECONDS:
            self._counted_at = now
            try:
                async with asyncio.timeout(COUNTING_SECONDS):
                    self._main = main(await self._count())
            except (SouffleurError, TimeoutError) as error:
                logger.warning("languages of documents not counted: %s", str(error) or "the ledger took too long")
        return self._main


def main(documents: Mapping[str, int]) -> tuple[str, ...]:
    """The main ones of the languages that so many documents are written in, that of most documents first."""
    least = MAIN_SHARE * sum(documents.values())
    found = [language for language, count in documents.items() if language != UNKNOWN and count >= max(least, 1)]
    return tuple(sorted(found, key=lambda language: (-documents[language], language))[:MOST_LANGUAGES])
