"""Whether every part works that an answer needs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from ingest.errors import SouffleurError

Check = Callable[[], Awaitable[None]]
"""Returns when the part works; raises `SouffleurError` or `OSError` with the reason in one line."""

CHECK_SECONDS = 2.0
"""Longest wait for one check; they run side by side."""

_log = logging.getLogger(__name__)


class Readiness:
    """Checks by name. A part that fails is logged when it begins to, and when it works again."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self.checks = dict(checks)
        self._failing: set[str] = set()

    async def failures(self) -> dict[str, str]:
        """Why each part does not work that does not, in one line."""
        async with asyncio.TaskGroup() as group:
            running = {name: group.create_task(_failure(check)) for name, check in self.checks.items()}
        failures = {name: reason for name, task in running.items() if (reason := task.result()) is not None}
        for name in failures.keys() - self._failing:
            _log.error("not ready: %s: %s", name, failures[name])
        for name in self._failing - failures.keys():
            _log.warning("ready again: %s", name)
        self._failing = set(failures)
        return failures


async def _failure(check: Check) -> str | None:
    """Why the check did not pass; None when it did."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} s"
    except (SouffleurError, OSError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return None
