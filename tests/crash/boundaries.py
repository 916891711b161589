"""Hooks at every write: calls of a ledger and a store, and the statements and commits of the ledger's transactions."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.crash.task import Blow, Reached, Target

STORE = ("create", "upsert", "delete", "set_readers", "describe", "flush", "publish")
LEDGER = (
    "remember_source",
    "unsettle",
    "settle",
    "settle_all",
    "commit",
    "keep_cursor",
    "record_run",
    "forget_source",
)


class Boundaries:
    """Counts the writes of this process, and strikes at one of them."""

    def __init__(self, blow: Blow, target: Target, parent: Connection) -> None:
        self.counts: Counter[str] = Counter()
        self._blow = blow
        self._target = target
        self._parent = parent
        self._total = 0

    def before(self, write: str) -> None:
        if write not in ("statement", "sql commit"):  # those are parts of other writes
            self._total += 1
        self.counts[write] += 1
        if not self._is_target(write):
            return
        match self._blow:
            case Blow.BEFORE:
                os.kill(os.getpid(), signal.SIGKILL)
            case Blow.DURING:
                self._parent.send(Reached(write=write, waits=False))
            case Blow.SERVER:
                self._parent.send(Reached(write=write, waits=True))
                self._parent.recv()
            case Blow.DISK:
                self._parent.send(Reached(write=write, waits=False))
                raise OSError(errno.ENOSPC, "No space left on device")

    def after(self, write: str) -> None:
        if self._blow is Blow.AFTER and self._is_target(write):
            os.kill(os.getpid(), signal.SIGKILL)

    def _is_target(self, write: str) -> bool:
        if self._target.write is None:
            return self._total == self._target.number and write not in ("statement", "sql commit")
        return write == self._target.write and self.counts[write] == self._target.number

    def watch(self, engine: AsyncEngine) -> None:
        """Count what the ledger's engine is told to write."""

        @event.listens_for(engine.sync_engine, "before_cursor_execute")
        def statement(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            if statement.split(None, 1)[0].upper() in ("INSERT", "UPDATE", "DELETE"):
                try:
                    self.before("statement")
                except OSError as error:
                    raise OperationalError(statement, {}, error) from error

        @event.listens_for(engine.sync_engine, "after_cursor_execute")
        def executed(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            if statement.split(None, 1)[0].upper() in ("INSERT", "UPDATE", "DELETE"):
                self.after("statement")

        @event.listens_for(engine.sync_engine, "commit")
        def commit(connection: sa.Connection) -> None:
            if connection.get_execution_options().get("writes"):
                self.before("sql commit")

    def index_disk(self) -> Callable[[Any], Any]:
        """In place of `shutil.disk_usage`: full from the target on, as the embedded index sees it before each write."""
        usage = shutil.disk_usage

        def disk_usage(path: Any) -> Any:
            try:
                self.before("room")
            except OSError:
                return usage(path)._replace(free=0)
            return usage(path)

        return disk_usage


class Bounded:
    """A ledger or a store whose writes are boundaries."""

    def __init__(self, room: Any, boundaries: Boundaries, *, prefix: str, writes: tuple[str, ...]) -> None:
        self._room = room
        self._boundaries = boundaries
        self._prefix = prefix
        self._writes = writes

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._room, name)
        if name == "draft":
            return lambda: self._beside(call())
        if name == "previous":

            async def previous() -> Any:
                store = await call()
                return None if store is None else self._beside(store)

            return previous
        if name not in self._writes:
            return call
        write = f"{self._prefix} {name}"

        async def bounded(*args: Any, **kwargs: Any) -> Any:
            self._boundaries.before(write)
            result = await call(*args, **kwargs)
            self._boundaries.after(write)
            return result

        return bounded

    def _beside(self, store: Any) -> Bounded:
        return Bounded(store, self._boundaries, prefix=self._prefix, writes=self._writes)
