"""How many sources are searched, for the first thing that people are told: counted now and then, never waited for."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable

from bot.phrases import Say
from ingest.errors import SouffleurError

COUNT_SECONDS = 60.0
"""How long the number of sources stays as it was counted."""

COUNTING_SECONDS = 0.5
"""Longest wait for it: the first status is to be seen within a second."""

logger = logging.getLogger(__name__)


class SourcesCounted:
    """Says what is searched. `count` tells how many sources hold documents."""

    def __init__(self, count: Callable[[], Awaitable[int]], say: Say) -> None:
        self._count = count
        self._say = say
        self._counted = 0
        self._counted_at = -math.inf

    async def searching(self, language: str) -> str:
        """What is searched, with the number of sources that was counted last."""
        now = time.monotonic()
        if now - self._counted_at >= COUNT_SECONDS:
            self._counted_at = now
            try:
                async with asyncio.timeout(COUNTING_SECONDS):
                    self._counted = await self._count()
            except (SouffleurError, TimeoutError) as error:
                logger.warning("sources not counted: %s", str(error) or "the ledger took too long")
        if not self._counted:
            return self._say(language, "status-searching")
        return self._say(language, "chat-searching", count=self._counted)
