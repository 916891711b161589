"""What we know of every document: the system of record, from which an index can be rebuilt without the sources.

Nothing counts as indexed before the ledger says so. Chunk ids whose state in the index may differ from the ledger's (a
write was begun, a removal is still to be done) are `unsettled` until both agree; whoever comes after a writer that was
killed finds them there.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self, TypeVar

import filelock
import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ingest.database import (
    CHUNKS,
    DOCUMENTS,
    LEDGER,
    RUNS,
    SOURCES,
    UNSETTLED,
    DatabaseUnavailable,
    DatabaseUnreadable,
    connect,
    transaction,
    writer,
)
from ingest.errors import Transient
from ingest.model import Chunk, ChunkId, DocumentId, Readers

__all__ = [
    "DatabaseUnavailable",
    "DatabaseUnreadable",
    "DocumentKey",
    "Ledger",
    "LedgerBusy",
    "Record",
    "SourceRecord",
    "SourceState",
    "StateSettings",
]

BATCH = 400
"""Most keys in one `IN`: SQLite's oldest limit on variables is 999, and a document's key takes two of them."""

WRITER_LOCK = 5_075_666
"""Key of the Postgres advisory lock that a writer holds."""

DocumentKey = tuple[str, DocumentId]
"""Name of the source, id of the document."""

_Item = TypeVar("_Item")


class StateSettings(BaseModel):
    """The `state` section: SQLite in a file, or Postgres."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = None
    """`sqlite:///…` or `postgresql://…`; settings give it the async driver and a default in the home folder."""
    password: SecretStr | None = Field(default=None, exclude=True)
    """Of the Postgres user; from the environment (`SOUFFLEUR_STATE_PASSWORD`), never from the file."""


class LedgerBusy(Transient):
    """Another process is writing: there is one writer at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What the ledger holds of one document: `version` to `empty` of the last attempt, the rest of the last success."""

    source: str
    id: DocumentId
    version: str
    """As the source listed it; empty when the next sync shall read the document again."""
    content_hash: str
    """SHA-256 of the original, hexadecimal; empty when it could not be read."""
    parser: str
    error: str | None
    """Why the last attempt failed, in one line; None after a success."""
    empty: bool = False
    """The last attempt found nothing that can be read, which `error` says and which is nobody's fault."""
    title: str
    url: str | None
    author: str | None
    updated_at: datetime | None
    language: str
    readers: Readers
    """In force."""
    own_readers: Readers | None
    """What the document's front matter says; None when it says nothing."""
    indexed_at: datetime | None
    """When its chunks were last written; None when no attempt has succeeded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceRecord:
    """A source that a sync was begun for."""

    name: str
    location: str
    """The folder or address that its documents come from."""
    configured: bool
    """False for a folder that was named on the command line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceState:
    """How one source stands."""

    source: SourceRecord
    documents: int
    """With an indexed version."""
    failing: int
    chunks: int
    synced_at: datetime | None
    """When the last complete run ended."""
    error: str | None
    """Why the last run ended early; None when it was complete."""


_WHOLE_CHUNK = sa.select(
    *CHUNKS.c,
    *(DOCUMENTS.c[name] for name in ("title", "language", "readers", "url", "updated_at")),
).join_from(CHUNKS, DOCUMENTS, sa.and_(CHUNKS.c.source == DOCUMENTS.c.source, CHUNKS.c.document == DOCUMENTS.c.id))


class Ledger:
    """One database. Any number of processes may read; calls that write belong inside `writing`.

    Every call may raise `DatabaseUnavailable` or `DatabaseUnreadable`.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = writer(engine)

    @classmethod
    async def open(cls, settings: StateSettings) -> Self:
        """Connect, and bring the tables to this version's form. `settings.url` is absolute and names its driver."""
        return cls(await connect(settings.url, settings.password, LEDGER))

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Be the one writer until the context ends. Raises `LedgerBusy` at once when another process is."""
        name = self._engine.url.database
        message = f"another ingest process is writing to {name!r}; wait until it has ended, then run the command again"
        if self._engine.dialect.name == "sqlite":
            lock = filelock.FileLock(f"{name}.lock", thread_local=False)
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout as error:
                raise LedgerBusy(message) from error
            except OSError as error:
                raise DatabaseUnavailable(f"{name}.lock: {error.strerror}; check the folder's permissions") from error
            try:
                yield
            finally:
                lock.release()
        else:
            async with self._engine.connect() as connection:
                connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
                if not await connection.scalar(sa.select(sa.func.pg_try_advisory_lock(WRITER_LOCK))):
                    raise LedgerBusy(message)
                try:
                    yield
                finally:
                    await connection.execute(sa.select(sa.func.pg_advisory_unlock(WRITER_LOCK)))

    async def sources(self) -> list[SourceRecord]:
        async with transaction(self._engine) as connection:
            rows = await connection.execute(sa.select(SOURCES).order_by(SOURCES.c.name))
            return [SourceRecord(**row) for row in rows.mappings()]

    async def documents(self, source: str) -> dict[DocumentId, Record]:
        """Every document of the source."""
        async with transaction(self._engine) as connection:
            rows = await connection.execute(sa.select(DOCUMENTS).where(DOCUMENTS.c.source == source))
            return {row["id"]: Record(**row) for row in rows.mappings()}

    async def document(self, source: str, document: DocumentId) -> Record | None:
        async with transaction(self._engine) as connection:
            query = sa.select(DOCUMENTS).where(DOCUMENTS.c.source == source, DOCUMENTS.c.id == document)
            row = (await connection.execute(query)).mappings().one_or_none()
            return None if row is None else Record(**row)

    async def chunks(self, source: str, documents: Iterable[DocumentId]) -> dict[DocumentId, tuple[Chunk, ...]]:
        """The chunks of those documents, in the order of their text; a document without chunks is absent."""
        found: dict[DocumentId, list[Chunk]] = {}
        async with transaction(self._engine) as connection:
            for batch in _batches(documents, BATCH):
                query = _WHOLE_CHUNK.where(CHUNKS.c.source == source, CHUNKS.c.document.in_(batch))
                rows = await connection.execute(query.order_by(CHUNKS.c.document, CHUNKS.c.position))
                for row in rows.mappings():
                    found.setdefault(row["document"], []).append(_chunk(row))
        return {document: tuple(chunks) for document, chunks in found.items()}

    async def chunks_by_id(self, ids: Collection[ChunkId]) -> list[Chunk]:
        """Those of `ids` that are there, in no promised order."""
        found: list[Chunk] = []
        async with transaction(self._engine) as connection:
            for batch in _batches(ids, BATCH):
                rows = await connection.execute(_WHOLE_CHUNK.where(CHUNKS.c.id.in_(batch)))
                found.extend(map(_chunk, rows.mappings()))
        return found

    async def some_chunks(self, limit: int) -> list[Chunk]:
        """Up to `limit` chunks, evenly spread over all there are: ids are as good as random."""
        async with transaction(self._engine) as connection:
            rows = await connection.execute(_WHOLE_CHUNK.order_by(CHUNKS.c.id).limit(limit))
            return [_chunk(row) for row in rows.mappings()]

    async def count_chunks(self) -> int:
        async with transaction(self._engine) as connection:
            return await connection.scalar(sa.select(sa.func.count()).select_from(CHUNKS)) or 0

    async def unsettled(self) -> list[ChunkId]:
        """Chunk ids whose state in the index may differ from the ledger's."""
        async with transaction(self._engine) as connection:
            return list(await connection.scalars(sa.select(UNSETTLED.c.chunk)))

    async def readable(self, documents: Iterable[DocumentKey], tokens: Readers) -> set[DocumentKey]:
        """Those of `documents` that are known and that a holder of `tokens` may read."""
        allowed: set[DocumentKey] = set()
        async with transaction(self._engine) as connection:
            for batch in _batches(set(documents), BATCH):
                query = sa.select(DOCUMENTS.c.source, DOCUMENTS.c.id, DOCUMENTS.c.readers)
                rows = await connection.execute(query.where(sa.tuple_(DOCUMENTS.c.source, DOCUMENTS.c.id).in_(batch)))
                allowed.update((row.source, row.id) for row in rows if row.readers & tokens)
        return allowed

    async def states(self) -> list[SourceState]:
        """How every source stands, by name."""
        indexed = sa.func.count().filter(DOCUMENTS.c.indexed_at.is_not(None))
        failing = sa.func.count().filter(DOCUMENTS.c.error.is_not(None), ~DOCUMENTS.c.empty)
        per_source = sa.select(DOCUMENTS.c.source, indexed, failing).group_by(DOCUMENTS.c.source)
        passages = sa.select(CHUNKS.c.source, sa.func.count()).group_by(CHUNKS.c.source)
        complete = sa.select(RUNS.c.source, sa.func.max(RUNS.c.ended)).where(RUNS.c.error.is_(None))
        newest = sa.select(sa.func.max(RUNS.c.id)).group_by(RUNS.c.source)
        ends = sa.select(RUNS.c.source, RUNS.c.error).where(RUNS.c.id.in_(newest))
        sources = await self.sources()
        async with transaction(self._engine) as connection:
            counts = {name: (good, bad) for name, good, bad in await connection.execute(per_source)}
            chunks = {row[0]: row[1] for row in await connection.execute(passages)}
            synced = {row[0]: row[1] for row in await connection.execute(complete.group_by(RUNS.c.source))}
            errors = {row[0]: row[1] for row in await connection.execute(ends)}
        return [
            SourceState(
                source=source,
                documents=counts.get(source.name, (0, 0))[0],
                failing=counts.get(source.name, (0, 0))[1],
                chunks=chunks.get(source.name, 0),
                synced_at=synced.get(source.name),
                error=errors.get(source.name),
            )
            for source in sources
        ]

    async def failing(self, source: str, limit: int) -> dict[DocumentId, str]:
        """The first `limit` documents, by id, that the last attempt failed to read, and why."""
        query = sa.select(DOCUMENTS.c.id, DOCUMENTS.c.error).where(
            DOCUMENTS.c.source == source, DOCUMENTS.c.error.is_not(None), ~DOCUMENTS.c.empty
        )
        async with transaction(self._engine) as connection:
            rows = await connection.execute(query.order_by(DOCUMENTS.c.id).limit(limit))
            return {row.id: row.error for row in rows}

    async def remember_source(self, source: SourceRecord) -> None:
        async with transaction(self._writer) as connection:
            await self._put(connection, SOURCES, [source])

    async def forget_source(self, name: str) -> None:
        """Drop what is known of the source itself; its documents must be removed before."""
        async with transaction(self._writer) as connection:
            await connection.execute(sa.delete(RUNS).where(RUNS.c.source == name))
            await connection.execute(sa.delete(SOURCES).where(SOURCES.c.name == name))

    async def unsettle(self, ids: Iterable[ChunkId]) -> None:
        """Note that these chunks are about to change in the index."""
        if rows := [{"chunk": chunk} for chunk in dict.fromkeys(ids)]:
            async with transaction(self._writer) as connection:
                await connection.execute(self._insert(UNSETTLED).on_conflict_do_nothing(), rows)

    async def unsettle_all(self) -> None:
        """Note that every chunk is about to change in the index."""
        async with transaction(self._writer) as connection:
            ids = self._insert(UNSETTLED).from_select(["chunk"], sa.select(CHUNKS.c.id).where(sa.true()))
            await connection.execute(ids.on_conflict_do_nothing())

    async def settle(self) -> None:
        """Note that the index agrees with the ledger on every chunk."""
        async with transaction(self._writer) as connection:
            await connection.execute(sa.delete(UNSETTLED))

    async def commit(
        self,
        source: str,
        *,
        records: Sequence[Record] = (),
        chunks: Mapping[DocumentId, Sequence[Chunk]] | None = None,
        removed: Sequence[DocumentId] = (),
        gone: Sequence[ChunkId] = (),
    ) -> None:
        """One commit group, in one transaction; what the index holds of it must be durable before.

        `records` are put in place, the chunks of every document in `chunks` are replaced, `removed` documents are
        dropped with theirs. Afterwards the index agrees with the ledger except on `gone`, which become unsettled.
        """
        chunks = chunks or {}
        async with transaction(self._writer) as connection:
            await self._put(connection, DOCUMENTS, records)
            for batch in _batches(removed, BATCH):
                await connection.execute(
                    sa.delete(DOCUMENTS).where(DOCUMENTS.c.source == source, DOCUMENTS.c.id.in_(batch))
                )
            for batch in _batches(chunks, BATCH):
                await connection.execute(
                    sa.delete(CHUNKS).where(CHUNKS.c.source == source, CHUNKS.c.document.in_(batch))
                )
            if rows := [_row(chunk) for replaced in chunks.values() for chunk in replaced]:
                await connection.execute(sa.insert(CHUNKS), rows)
            await connection.execute(sa.delete(UNSETTLED))
            if gone:
                await connection.execute(sa.insert(UNSETTLED), [{"chunk": chunk} for chunk in gone])

    async def record_run(
        self, source: str, *, started: datetime, ended: datetime, counts: Mapping[str, int], error: str | None
    ) -> None:
        """Keep how a run ended; `error` is None when it was complete."""
        row = {"source": source, "started": started, "ended": ended, "counts": dict(counts), "error": error}
        async with transaction(self._writer) as connection:
            await connection.execute(sa.insert(RUNS), [row])

    def _insert(self, table: sa.Table) -> Any:
        """An `INSERT` that knows `ON CONFLICT`: both databases have it, SQLAlchemy has it per dialect."""
        return postgresql.insert(table) if self._engine.dialect.name == "postgresql" else sqlite.insert(table)

    async def _put(
        self, connection: AsyncConnection, table: sa.Table, rows: Sequence[Record] | Sequence[SourceRecord]
    ) -> None:
        if not rows:
            return
        statement = self._insert(table)
        keys = [column.name for column in table.primary_key]
        changed = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
        names = [field.name for field in fields(rows[0])]
        await connection.execute(
            statement.on_conflict_do_update(index_elements=keys, set_=changed),
            [{name: getattr(row, name) for name in names} for row in rows],
        )


def _batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def _chunk(row: sa.RowMapping) -> Chunk:
    return Chunk(**{**row, "headings": tuple(row["headings"])})


def _row(chunk: Chunk) -> dict[str, Any]:
    row: dict[str, Any] = {column.name: getattr(chunk, column.name) for column in CHUNKS.c}
    return row | {"headings": list(chunk.headings)}
