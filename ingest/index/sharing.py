"""One folder, many processes: whoever has the engine open gives it up as soon as another process waits for it.

Two files are locked with the kernel's advisory locks, which end with their process however it ends:

- `lock` is held as long as the engine is open;
- `waiting` is held by the process that is next. Not being able to take it tells the holder that somebody waits.
"""

from __future__ import annotations

import asyncio
import errno
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

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Closable(Protocol):
    def close(self) -> None: ...


Engine = TypeVar("Engine", bound=Closable)
Result = TypeVar("Result")


class Shared(Generic[Engine]):
    """Runs calls on an engine that only one process can have open, in one thread of its own.

    The engine is opened for the first call and stays open between calls, until another process waits, `close`, or a
    call for which `where` names another folder.
    """

    def __init__(
        self, where: Callable[[], Path], open_engine: Callable[[Path], Engine], *, place: str, wait_seconds: float
    ) -> None:
        """`where` is asked at every call; it may raise. `place` is for messages.

        `wait_seconds` is the longest that a call waits for another process before `IndexUnavailable`.
        """
        self._where = where
        self._open_engine = open_engine
        self._place = place
        self._wait_seconds = wait_seconds
        self._folder: Path | None = None
        self._lock, self._waiting = locks(Path())
        self._engine: Engine | None = None
        self._turn_ends = 0.0
        self._calls = ThreadPoolExecutor(max_workers=1, thread_name_prefix="index")
        self._watcher: threading.Thread | None = None
        self._closing = threading.Event()

    async def run(self, call: Callable[[Engine, Path], Result]) -> Result:
        """`call` with the engine open, and its folder. Raises `IndexUnavailable` when another process keeps it."""
        return await self._submit(
            lambda deadline: self._call(lambda folder: call(self._opened(folder), folder), deadline)
        )

    async def run_closed(self, call: Callable[[Path], Result]) -> Result:
        """`call` with the locks held and the engine closed: to change what it opens."""

        def closed(folder: Path) -> Result:
            self._close_engine()
            return call(folder)

        return await self._submit(lambda deadline: self._call(closed, deadline))

    async def run_apart(self, call: Callable[[], Result]) -> Result:
        """`call` with the engine closed and no lock held: to change where it opens."""

        def apart(_: float) -> Result:
            self._release()
            return call()

        return await self._submit(apart)

    async def close(self) -> None:
        """Wait for the call under way, close the engine, free the locks; a call that waits for its turn is given up."""
        if not self._closing.is_set():
            self._closing.set()
            await asyncio.get_running_loop().run_in_executor(self._calls, self._release)
            self._calls.shutdown(wait=False)

    async def _submit(self, call: Callable[[float], Result]) -> Result:
        self._refuse_if_closed()
        deadline = time.monotonic() + self._wait_seconds
        return await asyncio.get_running_loop().run_in_executor(self._calls, call, deadline)

    def _refuse_if_closed(self) -> None:
        if self._closing.is_set():
            raise IndexUnavailable(f"the index in {self._place!r} is closed in this process; open it again")

    def _call(self, call: Callable[[Path], Result], deadline: float) -> Result:
        folder = self._where()
        # Whoever waited for its turn may find that it was for a folder that is no longer the one.
        while not (folder == self._folder and self._lock.is_locked):
            if folder != self._folder:
                self._move_to(folder)
            self._acquire(folder, deadline)
            folder = self._where()
        try:
            return call(folder)
        finally:
            self._give_way()

    def _move_to(self, folder: Path) -> None:
        self._release()
        self._folder = folder
        self._lock, self._waiting = locks(folder)

    def _acquire(self, folder: Path, deadline: float) -> None:
        try:
            with self._waiting.acquire(_until(deadline), POLL_SECONDS, cancel_check=self._closing.is_set):
                self._lock.acquire(_until(deadline), POLL_SECONDS, cancel_check=self._closing.is_set)
        except Timeout as error:
            self._refuse_if_closed()
            raise IndexUnavailable(
                f"the index in {self._place!r} has been in use by {_who(folder)} for {self._wait_seconds:g} s; try"
                " again when that has finished, or stop it"
            ) from error
        except OSError as error:
            self._lock.release()
            raise unusable(folder, error) from error
        self._turn_ends = time.monotonic() + HOLD_SECONDS
        name = Path(sys.argv[0]).name or "python"
        with suppress(OSError):  # a full disk can be read
            _holder(folder).write_text(f"process {os.getpid()} ({name})", encoding="utf-8")
        self._watch()

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

    def _opened(self, folder: Path) -> Engine:
        if self._engine is None:
            started = time.monotonic()
            self._engine = self._open_engine(folder)
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


def locks(folder: Path) -> tuple[FileLock, FileLock]:
    """`lock` and `waiting` of that folder, neither of them taken."""
    return FileLock(folder / "lock", thread_local=False), FileLock(folder / "waiting", thread_local=False)


def unusable(folder: Path, error: OSError) -> ConfigurationError | IndexUnavailable:
    """What to say of an index folder that the system refuses."""
    if error.errno in _FULL:
        return full(folder)
    return ConfigurationError(
        f"the index folder {str(folder)!r} cannot be used ({error.strerror}); set `index.path` to a folder that this"
        " user may write"
    )


def full(folder: Path) -> IndexUnavailable:
    """What to say of an index folder whose disk has no room left."""
    return IndexUnavailable(
        f"the disk of the index folder {str(folder)!r} is full; free some space, or set `index.path` to another disk"
    )


def _holder(folder: Path) -> Path:
    return folder / "holder"


def _who(folder: Path) -> str:
    with suppress(OSError):
        return _holder(folder).read_text(encoding="utf-8") or "another process"
    return "another process"


def _until(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
