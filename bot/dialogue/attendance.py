"""The chat platforms attended: adapters that hear, workers that answer, from the first event to a clean end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from bot.dialogue.replies import Replies
from bot.dialogue.workers import Workers
from bot.platforms.interface import ChatPlatform, Receive
from ingest.errors import SouffleurError

HEAR_AGAIN_SECONDS = 60.0
"""Before a platform that refused is tried again: a token may have been renewed, the bot let in again."""

logger = logging.getLogger(__name__)


class Attendance:
    """Hears and answers on every platform of one process.

    Args:
        platforms: not yet connected; closed in the end.
        receive: keeps what they report.
        workers: do what has been kept.
        memory: what adapters know from run to run.
        finish_seconds: how long running answers may go on once asked to end.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        platforms: Sequence[ChatPlatform],
        *,
        receive: Receive,
        workers: Workers,
        memory: Replies,
        finish_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.platforms = tuple(platforms)
        self._receive = receive
        self._workers = workers
        self._memory = memory
        self._finish_seconds = finish_seconds
        self._sleep = sleep
        self._end = asyncio.Event()
        self._refused: dict[str, str] = {}

    async def run(self) -> None:
        """Until `stop`. Raises what a platform refuses before it was ever connected: a setting that must be mended."""
        try:
            async with asyncio.TaskGroup() as tasks:
                working = tasks.create_task(self._workers.run())
                hearing = [tasks.create_task(self._hear(platform)) for platform in self.platforms]
                await self._end.wait()
                # What is said from now on is another replica's, or the next start's.
                for task in hearing:
                    task.cancel()
                await self._workers.stop(self._finish_seconds)
                await working
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            for platform in self.platforms:
                await platform.close()

    def stop(self) -> None:
        """Ask for the end: nothing more is heard, what is being written is finished within the bound."""
        self._end.set()

    async def connected(self) -> None:
        """Return once every platform is heard."""
        for platform in self.platforms:
            await platform.connected.wait()

    def trouble(self, platform: ChatPlatform) -> str:
        """Why it is not heard now, one line; empty when it is."""
        if platform.connected.is_set():
            return ""
        return self._refused.get(platform.name) or f"{platform.name} is not connected; the log says why"

    async def _hear(self, platform: ChatPlatform) -> None:
        was_connected = False
        while True:
            try:
                await platform.run(self._receive, self._memory)
            except Exception as error:  # the platforms' event loop: one must not end the others
                was_connected = was_connected or platform.connected.is_set()
                platform.connected.clear()
                if not was_connected:
                    raise
                foreseen = isinstance(error, SouffleurError)
                why = str(error) if foreseen else f"{platform.name}: {type(error).__name__}"
                again = "%s: %s; tried again in %.0f s"
                logger.error(again, platform.name, why, HEAR_AGAIN_SECONDS, exc_info=None if foreseen else error)
                self._refused[platform.name] = why
            await self._sleep(HEAR_AGAIN_SECONDS)
