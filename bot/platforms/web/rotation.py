"""Keys are exchanged in the configuration file while the server runs: it is read again whenever it has changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from bot.platforms.web.keys import Entry, Keys
from ingest.errors import ConfigurationError

LOOK_SECONDS = 5.0
"""How soon a key that was added, or taken out, is one."""

_log = logging.getLogger(__name__)

Mark = tuple[int, int, int]
"""Tells one state of a file from another: time of change, size, inode."""


class Rotation:
    """Gives `keys` what `read` finds in the file at `path`. One that cannot be read changes nothing, and is logged.

    Nothing else of the file is taken over before the next start.
    """

    def __init__(
        self,
        keys: Keys,
        path: Path,
        read: Callable[[], Iterable[Entry]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`read` is called in a thread, and raises `ConfigurationError`."""
        self._keys = keys
        self._path = path
        self._read = read
        self._sleep = sleep
        self._seen: Mark | None = None

    async def run(self) -> None:
        """Look at the file every now and then, until cancelled."""
        while True:
            await self._sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Read the file if it has changed since the last look, and at the first one: it may have since the start."""
        mark = await asyncio.to_thread(_mark, self._path)
        if mark == self._seen:
            return
        self._seen = mark
        try:
            if self._keys.replace(await asyncio.to_thread(self._read)):
                _log.warning("the API keys have changed: there are %d now", len(self._keys))
        except ConfigurationError as error:
            _log.error("the API keys stay as they are, for %s cannot be read again: %s", self._path, error)


def _mark(path: Path) -> Mark | None:
    """None when it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
