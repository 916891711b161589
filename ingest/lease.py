"""Who may write: one process per source, or one alone for all.

Leases are the kernel's or the database's own locks, so they end with their process however it ends: SQLite's are locked
files beside the database, Postgres's are advisory locks of a connection that is kept for them.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import filelock
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ingest.database import TIMEOUT, DatabaseUnavailable, translated
from ingest.errors import Transient

KEEPALIVE = ("SET tcp_keepalives_idle = 30", "SET tcp_keepalives_interval = 10", "SET tcp_keepalives_count = 3")
"""The server gives up a connection, and frees its locks, a minute after its machine was lost; not two hours after."""

FREEING_SECONDS = 2.0
"""Longest wait for a connection that may be broken to give its locks back."""

ALL = 5_075_666
"""First key of the Postgres advisory locks; alone, of the one that every writer shares."""


class LedgerBusy(Transient):
    """Another process is writing what this one would write."""


class LeaseLost(Transient):
    """The connection that held the lease is gone, and another process may be writing by now."""


class Lease:
    """Leases on one ledger. `check` before every commit: a Postgres connection can break without a word."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._connections: list[AsyncConnection] = []
        self._backends: list[int] = []

    @asynccontextmanager
    async def of(self, source: str) -> AsyncIterator[None]:
        """Be the one writer of `source` until the context ends. Raises `LedgerBusy` at once."""
        busy = f"another ingest process is writing {source!r}; wait until it has ended, then run the command again"
        if (folder := self._folder) is not None:
            with _files(folder, source, busy):
                yield
            return
        shared = sa.func.pg_try_advisory_lock_shared(ALL)
        own = sa.func.pg_try_advisory_lock(ALL, zlib.crc32(source.encode()) - 2**31)
        async with self._locked([shared, own], busy):
            yield

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Be the only writer until the context ends. Raises `LedgerBusy` at once."""
        busy = "another ingest process is writing; wait until it has ended, then run the command again"
        if (folder := self._folder) is not None:
            with _files(folder, None, busy):
                yield
            return
        async with self._locked([sa.func.pg_try_advisory_lock(ALL)], busy):
            yield

    async def check(self, connection: AsyncConnection) -> None:
        """Raise `LeaseLost` unless every lease that was taken is still held; inside the transaction that writes."""
        if not self._backends:
            return
        held = sa.text(
            "SELECT count(DISTINCT pid) FROM pg_locks"
            " WHERE locktype = 'advisory' AND granted AND pid = ANY(:backends)"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND :all IN (classid::bigint, objid::bigint)"
        )
        if await connection.scalar(held, {"backends": self._backends, "all": ALL}) != len(self._backends):
            raise LeaseLost("the connection that held the lease broke, so nothing more is written; run the sync again")

    @property
    def _folder(self) -> Path | None:
        """Where SQLite's lock files are; None on Postgres."""
        return Path(f"{self._engine.url.database}.locks") if self._engine.dialect.name == "sqlite" else None

    @asynccontextmanager
    async def _locked(self, locks: Sequence[sa.Function[Any]], busy: str) -> AsyncIterator[None]:
        """Hold `locks` by a connection whose end, however it comes, frees them."""
        async with AsyncExitStack() as stack:
            with translated(self._engine):
                async with asyncio.timeout(TIMEOUT):
                    connection = await stack.enter_async_context(self._engine.connect())
                    connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
                    stack.push_async_callback(connection.invalidate)  # closed, not given back with its locks
                    stack.push_async_callback(_freed, connection)
                    for setting in KEEPALIVE:
                        await connection.execute(sa.text(setting))
                    backend = await connection.scalar(sa.text("SELECT pg_backend_pid()"))
                    taken = [await connection.scalar(sa.select(lock)) for lock in locks]
            if not all(taken):
                raise LedgerBusy(busy)
            self._backends.append(backend)
            stack.callback(self._backends.remove, backend)
            yield


async def _freed(connection: AsyncConnection) -> None:
    """Give all its locks back: a connection's end frees them too, but only once the server has noticed it."""
    with suppress(sa.exc.SQLAlchemyError, OSError, TimeoutError):
        async with asyncio.timeout(FREEING_SECONDS):
            await connection.execute(sa.select(sa.func.pg_advisory_unlock_all()))


@contextmanager
def _files(folder: Path, source: str | None, busy: str) -> Iterator[None]:
    """A share of the folder's one lock and the whole lock of `source`, or for None the whole of the one lock."""
    taken = ExitStack()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        everybody = filelock.ReadWriteLock(folder / "all", is_singleton=False)
        taken.callback(everybody.close)
        taken.enter_context(everybody.write_lock(timeout=0) if source is None else everybody.read_lock(timeout=0))
        if source is not None:
            taken.enter_context(filelock.FileLock(folder / f"{_plain(source)}.lock", timeout=0, thread_local=False))
    except filelock.Timeout as error:
        taken.close()
        raise LedgerBusy(busy) from error
    except OSError as error:
        taken.close()
        raise DatabaseUnavailable(f"{folder}: {error.strerror}; check the folder's permissions") from error
    with taken:
        yield


def _plain(source: str) -> str:
    """`source` as a file name: names that differ stay different, whatever characters they have."""
    return quote(source, safe="")
