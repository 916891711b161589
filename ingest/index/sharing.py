"""One folder, many processes: whoever has the engine open gives it up as soon as another process waits for it.

Two files are locked with the kernel's advisory locks, which end with their process however it ends:

- `lock` is held as long as the engine is open;
- `waiting` is held by the process that is next. Not being able to take it tells the holder that somebody waits.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from filelock import FileLock, Timeout

from ingest.errors import ConfigurationError
from ingest.index.interface import IndexUnavailable

POLL_SECONDS = 0.02
"""How often a waiting process tries the locks."""
IDLE_POLL_SECONDS = 0.1
"""How often an idle holder looks whether somebody waits."""
HOLD_SECONDS = 0.2
"""Least time of a turn: one search is several calls. A turn lasts as long as opening took where that was longer, so
that two processes that both have much to do spend at most half of the time on opening."""


class Closable(Protocol):
    def close(self) -> None: ...


Engine = TypeVar("Engine", bound=Closable)
Result = TypeVar("Result")


class Shared(Generic[Engine]):
    """Runs calls on an engine that only one process can have open, in one thread of its own.

    The engine is opened for the first call and stays open between calls, until another process waits or `close`.
    """

    def __init__(self, folder: Path, open_engine: Callable[[], Engine], *, wait_seconds: float) -> None:
        """`wait_seconds` is the longest that a call waits for another process before `IndexUnavailable`."""
        self._folder = folder
        self._open_engine = open_engine
        self._wait_seconds = wait_seconds
        self._lock = FileLock(folder / "lock", thread_local=False)
        self._waiting = FileLock(folder / "waiting", thread_local=False)
        self._holder = folder / "holder"
        self._engine: Engine | None = None
        self._turn_ends = 0.0
        self._calls = ThreadPoolExecutor(max_workers=1, thread_name_prefix="index")
        self._watcher: threading.Thread | None = None
        self._closing = threading.Event()

    async def run(self, call: Callable[[Engine], Result]) -> Result:
        """`call` with the engine open. Raises `IndexUnavailable` when another process keeps it."""
        return await self._submit(lambda: call(self._opened()))

    async def run_closed(self, call: Callable[[], Result]) -> Result:
        """`call` with the locks held and the engine closed: to make or replace what it opens."""

        def closed() -> Result:
            self._close_engine()
            return call()

        return await self._submit(closed)

    async def close(self) -> None:
        """Wait for the call under way, close the engine, free the locks; a call that waits for its turn is given up."""
        if not self._closing.is_set():
            self._closing.set()
            await asyncio.get_running_loop().run_in_executor(self._calls, self._release)
            self._calls.shutdown(wait=False)

    async def _submit(self, call: Callable[[], Result]) -> Result:
        self._refuse_if_closed()
        deadline = time.monotonic() + self._wait_seconds
        return await asyncio.get_running_loop().run_in_executor(self._calls, self._call, call, deadline)

    def _refuse_if_closed(self) -> None:
        if self._closing.is_set():
            raise IndexUnavailable(f"the index in {str(self._folder)!r} is closed in this process; open it again")

    def _call(self, call: Callable[[], Result], deadline: float) -> Result:
        self._acquire(deadline)
        try:
            return call()
        finally:
            self._give_way()

    def _acquire(self, deadline: float) -> None:
        if self._lock.is_locked:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._waiting.acquire(_until(deadline), POLL_SECONDS, cancel_check=self._closing.is_set):
                self._lock.acquire(_until(deadline), POLL_SECONDS, cancel_check=self._closing.is_set)
            name = Path(sys.argv[0]).name or "python"
            self._holder.write_text(f"process {os.getpid()} ({name})", encoding="utf-8")
        except Timeout as error:
            self._refuse_if_closed()
            raise IndexUnavailable(
                f"the index in {str(self._folder)!r} has been in use by {self._who()} for {self._wait_seconds:g} s; try"
                " again when that has finished, or stop it"
            ) from error
        except OSError as error:
            raise unusable(self._folder, error) from error
        self._turn_ends = time.monotonic() + HOLD_SECONDS
        self._watch()

    def _who(self) -> str:
        with suppress(OSError):
            return self._holder.read_text(encoding="utf-8") or "another process"
        return "another process"

    def _watch(self) -> None:
        if self._watcher is None:
            # A daemon: a program that forgets `close` still ends, and the kernel frees the locks.
            self._watcher = threading.Thread(target=self._watch_until_closing, name="index-watch", daemon=True)
            self._watcher.start()

    def _watch_until_closing(self) -> None:
        while not self._closing.wait(IDLE_POLL_SECONDS):
            try:
                self._calls.submit(self._give_way).result()
            except RuntimeError:  # the interpreter is ending
                return

    def _give_way(self) -> None:
        if not self._lock.is_locked or time.monotonic() < self._turn_ends:
            return
        try:
            self._waiting.acquire(blocking=False)
        except Timeout:
            self._release()
        else:
            self._waiting.release()

    def _opened(self) -> Engine:
        if self._engine is None:
            started = time.monotonic()
            self._engine = self._open_engine()
            opened = time.monotonic()
            self._turn_ends = opened + max(HOLD_SECONDS, opened - started)
        return self._engine

    def _release(self) -> None:
        try:
            self._close_engine()
        finally:
            self._lock.release()

    def _close_engine(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()


def unusable(folder: Path, error: OSError) -> ConfigurationError:
    """What to say of an index folder that the system refuses."""
    return ConfigurationError(
        f"the index folder {str(folder)!r} cannot be used ({error.strerror}); set `index.path` to a folder that this"
        " user may write"
    )


def _until(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
