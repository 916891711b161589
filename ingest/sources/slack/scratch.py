"""What a listing has read, kept on disk so that `fetch` need not ask Slack for it again.

Messages are in temporary tables, gone with the process: a deleted message leaves no copy here. Between runs only marks
of edited replies are kept; without them some threads are read once more than they need be.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite

from ingest.sources.interface import SourceUnavailable
from ingest.sources.slack.model import Message

SCHEMA = """
CREATE TABLE IF NOT EXISTS edits (document TEXT PRIMARY KEY, mark TEXT NOT NULL) WITHOUT ROWID;
CREATE TEMP TABLE messages (
    document TEXT, ts TEXT, body TEXT NOT NULL, PRIMARY KEY (document, ts)
) WITHOUT ROWID;
CREATE TEMP TABLE whole (document TEXT PRIMARY KEY, version TEXT NOT NULL) WITHOUT ROWID;
"""

WAIT_SECONDS = 30.0
"""For another process that is writing its marks."""


class Scratch:
    """Messages by document, in order, and marks of edits. Every call may raise `SourceUnavailable`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._database: aiosqlite.Connection | None = None
        self._opening = asyncio.Lock()

    async def clear(self) -> None:
        """Forget all messages, for a new listing."""
        async with self._open() as database:
            await database.execute("DELETE FROM messages")
            await database.execute("DELETE FROM whole")

    async def add(self, read: Iterable[tuple[str, Message]]) -> None:
        """Messages and the documents they belong to; one that is read twice counts once."""
        rows = [(document, message.ts, _stored(message)) for document, message in read]
        async with self._open() as database:
            await database.executemany("INSERT OR REPLACE INTO messages VALUES (?, ?, ?)", rows)

    async def drop(self, document: str) -> None:
        async with self._open() as database:
            await database.execute("DELETE FROM messages WHERE document = ?", (document,))

    async def documents(self, below: str) -> list[str]:
        """The documents of which something was read and whose ids begin with `below`, in order."""
        query = "SELECT DISTINCT document FROM messages WHERE document >= ? AND document < ? ORDER BY document"
        after = below[:-1] + chr(ord(below[-1]) + 1)
        async with self._open() as database, database.execute(query, (below, after)) as rows:
            return [str(row[0]) async for row in rows]

    async def messages(self, document: str) -> list[Message]:
        query = "SELECT body FROM messages WHERE document = ? ORDER BY CAST(ts AS REAL), ts"
        async with self._open() as database, database.execute(query, (document,)) as rows:
            return [Message.model_validate_json(row[0]) async for row in rows]

    async def complete(self, document: str, version: str) -> None:
        """Say that what was read of `document` is all of it, at this version."""
        async with self._open() as database:
            await database.execute("INSERT OR REPLACE INTO whole VALUES (?, ?)", (document, version))

    async def whole(self, document: str, version: str) -> list[Message] | None:
        """All of `document` at this version, if it was read."""
        query = "SELECT 1 FROM whole WHERE document = ? AND version = ?"
        async with self._open() as database, database.execute(query, (document, version)) as rows:
            known = await rows.fetchone()
        return None if known is None else await self.messages(document)

    async def mark(self, document: str) -> str:
        """How the replies of a thread were edited when they were last read; empty where they were not."""
        query = "SELECT mark FROM edits WHERE document = ?"
        async with self._open() as database, database.execute(query, (document,)) as rows:
            found = await rows.fetchone()
        return "" if found is None else str(found[0])

    async def set_mark(self, document: str, mark: str) -> None:
        async with self._open() as database:
            if mark:
                await database.execute("INSERT OR REPLACE INTO edits VALUES (?, ?)", (document, mark))
            else:
                await database.execute("DELETE FROM edits WHERE document = ?", (document,))
            await database.commit()

    async def close(self) -> None:
        if self._database is not None:
            await self._database.close()
            self._database = None

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[aiosqlite.Connection]:
        try:
            async with self._opening:
                if self._database is None:
                    self._database = await self._connect()
            yield self._database
        except (sqlite3.Error, OSError) as error:
            raise SourceUnavailable(
                f"the folder {str(self._folder)!r} cannot be used: {error}; make room in it"
            ) from error

    async def _connect(self) -> aiosqlite.Connection:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / "edits.db"
        try:
            return await _connected(file)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            file.unlink(missing_ok=True)  # damaged; nothing in it is missed for long
            return await _connected(file)


async def _connected(file: Path) -> aiosqlite.Connection:
    database = await aiosqlite.connect(file, timeout=WAIT_SECONDS)
    try:
        await database.executescript(SCHEMA)
    except BaseException:
        await database.close()
        raise
    return database


def _stored(message: Message) -> str:
    """Without the blocks of what people write, which say what the text says."""
    unread = set() if message.bot_id else {"blocks", "attachments"}
    return message.model_dump_json(exclude_defaults=True, exclude=unread)
