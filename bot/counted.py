"""What is counted in the ledger now and then, while nobody waits for it long."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from ingest.errors import SouffleurError

KEPT_SECONDS = 60.0
"""How long something stays as it was counted."""

COUNTING_SECONDS = 0.5
"""Longest wait for it: somebody waits for an answer, and is to see the first status within a second."""

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Counted(Generic[T]):
    """What `count` found a minute ago at most; `before` until it has found anything. `what` names it in the log."""

    def __init__(self, count: Callable[[], Awaitable[T]], *, before: T, what: str) -> None:
        self._count = count
        self._found = before
        self._what = what
        self._counted_at = -math.inf

    async def __call__(self) -> T:
        """As counted before, where it cannot be counted now."""
        now = time.monotonic()
        if now - self._counted_at >= KEPT_SECONDS:
            self._counted_at = now
            try:
                async with asyncio.timeout(COUNTING_SECONDS):
                    self._found = await self._count()
            except (SouffleurError, TimeoutError) as error:
                logger.warning("%s not counted: %s", self._what, str(error) or "the ledger took too long")
        return self._found
