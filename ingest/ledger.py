"""What we know of every document: the system of record, from which an index can be rebuilt without the sources.

Nothing counts as indexed before the ledger says so. Chunk ids whose state in the index may differ from the ledger's (a
write was begun, a removal is still to be done) are `unsettled` until both agree; whoever comes after a writer that was
killed finds them there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Self

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ingest import revocation
from ingest.database import (
    CHUNKS,
    DOCUMENTS,
    LEDGER,
    REMOVALS,
    RUNS,
    SOURCES,
    UNSETTLED,
    DatabaseUnavailable,
    DatabaseUnreadable,
    StateSettings,
    batches,
    connect,
    insert,
    transaction,
    writer,
)
from ingest.lease import Lease, LeaseLost, LedgerBusy
from ingest.model import Chunk, ChunkId, DocumentId, DocumentKey, Readers
from ingest.readable import allowed, audiences, neighbours, readable, readers_by_source, tokens_of
from ingest.records import Known, Record, Removal, Revocation, SourceRecord, SourceState
from ingest.rows import WHOLE_CHUNK, chunk_of, digest, row_of
from ingest.standing import languages, states

__all__ = [
    "DatabaseUnavailable",
    "DatabaseUnreadable",
    "DocumentKey",
    "Known",
    "LeaseLost",
    "Ledger",
    "LedgerBusy",
    "Record",
    "Removal",
    "Revocation",
    "SourceRecord",
    "SourceState",
    "StateSettings",
]

REMOVALS_KEPT = timedelta(days=90)
"""How long it is remembered which documents were removed; never what they said."""

RUNS_KEPT = 100
"""Runs remembered of each source."""


class Ledger:
    """One database. Any number of processes may read; calls that write belong inside `writing`.

    Every call may raise `DatabaseUnavailable` or `DatabaseUnreadable`.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = writer(engine)
        self._lease = Lease(engine)

    @classmethod
    async def open(cls, settings: StateSettings) -> Self:
        """Connect, and bring the tables to this version's form. `settings.url` is absolute and names its driver."""
        return cls(await connect(settings.url, settings.password, LEDGER))

    async def close(self) -> None:
        await self._engine.dispose()

    def writing(self, source: str) -> AbstractAsyncContextManager[None]:
        """Be the one writer of `source` until the context ends. Raises `LedgerBusy` at once when another process is."""
        return self._lease.of(source)

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Be the only writer until the context ends. Raises `LedgerBusy` at once when any other process writes."""
        return self._lease.alone()

    async def still_leased(self) -> None:
        """Raise `LeaseLost` unless every lease that was taken is still held."""
        async with transaction(self._engine) as connection:
            await self._lease.check(connection)

    @asynccontextmanager
    async def _written(self) -> AsyncIterator[AsyncConnection]:
        async with transaction(self._writer) as connection:
            await self._lease.check(connection)
            yield connection

    async def sources(self) -> list[SourceRecord]:
        async with transaction(self._engine) as connection:
            rows = await connection.execute(sa.select(SOURCES).order_by(SOURCES.c.name))
            return [SourceRecord(name=row.name, location=row.location, configured=row.configured) for row in rows]

    async def documents(self, source: str) -> dict[DocumentId, Record]:
        """Every document of the source."""
        async with transaction(self._engine) as connection:
            rows = await connection.execute(sa.select(DOCUMENTS).where(DOCUMENTS.c.source == source))
            return {row["id"]: Record(**row) for row in rows.mappings()}

    async def known(self, source: str) -> Known:
        """Every document of the source, as a listing is compared with it."""
        trouble = sa.or_(DOCUMENTS.c.error.is_not(None), DOCUMENTS.c.due)
        fine = sa.select(DOCUMENTS.c.id, DOCUMENTS.c.listed).where(DOCUMENTS.c.source == source, ~trouble)
        async with transaction(self._engine) as connection:
            digests = {row[0]: row[1] for row in await connection.execute(fine)}
            rows = await connection.execute(sa.select(DOCUMENTS).where(DOCUMENTS.c.source == source, trouble))
            return Known(digests=digests, troubled={row["id"]: Record(**row) for row in rows.mappings()})

    async def records(self, source: str, ids: Iterable[DocumentId]) -> dict[DocumentId, Record]:
        """Those of `ids` that are known."""
        found: dict[DocumentId, Record] = {}
        async with transaction(self._engine) as connection:
            for batch in batches(ids):
                query = sa.select(DOCUMENTS).where(DOCUMENTS.c.source == source, DOCUMENTS.c.id.in_(batch))
                rows = await connection.execute(query)
                found.update({row["id"]: Record(**row) for row in rows.mappings()})
        return found

    async def document(self, source: str, document: DocumentId) -> Record | None:
        return (await self.records(source, [document])).get(document)

    async def chunks(self, source: str, documents: Iterable[DocumentId]) -> dict[DocumentId, tuple[Chunk, ...]]:
        """The chunks of those documents, in the order of their text; a document without chunks is absent."""
        found: dict[DocumentId, list[Chunk]] = {}
        async with transaction(self._engine) as connection:
            for batch in batches(documents):
                query = WHOLE_CHUNK.where(CHUNKS.c.source == source, CHUNKS.c.document.in_(batch))
                rows = await connection.execute(query.order_by(CHUNKS.c.document, CHUNKS.c.position))
                for row in rows.mappings():
                    found.setdefault(row["document"], []).append(chunk_of(row))
        return {document: tuple(chunks) for document, chunks in found.items()}

    async def chunks_by_id(self, ids: Collection[ChunkId]) -> list[Chunk]:
        """Those of `ids` that are there, in no promised order."""
        found: list[Chunk] = []
        async with transaction(self._engine) as connection:
            for batch in batches(ids):
                rows = await connection.execute(WHOLE_CHUNK.where(CHUNKS.c.id.in_(batch)))
                found.extend(map(chunk_of, rows.mappings()))
        return found

    async def neighbours(self, places: Sequence[tuple[str, DocumentId, range]], tokens: Readers) -> list[Chunk]:
        """The chunks at those positions (at most 200 ranges) that a holder of `tokens` may read, in no set order."""
        async with transaction(self._engine) as connection:
            return await neighbours(connection, places, tokens)

    async def some_chunks(self, limit: int) -> list[Chunk]:
        """Up to `limit` chunks, evenly spread over all there are: ids are as good as random."""
        async with transaction(self._engine) as connection:
            rows = await connection.execute(WHOLE_CHUNK.order_by(CHUNKS.c.id).limit(limit))
            return [chunk_of(row) for row in rows.mappings()]

    async def count_chunks(self) -> int:
        async with transaction(self._engine) as connection:
            return await connection.scalar(sa.select(sa.func.count()).select_from(CHUNKS)) or 0

    async def readers_by_source(self) -> dict[str, set[Readers]]:
        """Every set of readers that a document of the index has, once, by its source."""
        async with transaction(self._engine) as connection:
            return await readers_by_source(connection)

    async def languages(self) -> dict[str, int]:
        """How many documents of the index are in which language (ISO 639-1, or `und`)."""
        async with transaction(self._engine) as connection:
            return await languages(connection)

    async def pages(self, size: int = 500) -> AsyncIterator[list[Chunk]]:
        """Every chunk, in the order of ids, `size` at a time; each page is as the ledger is when it is read."""
        last = ""
        while True:
            async with transaction(self._engine) as connection:
                query = WHOLE_CHUNK.where(CHUNKS.c.id > last).order_by(CHUNKS.c.id).limit(size)
                page = [chunk_of(row) for row in (await connection.execute(query)).mappings()]
            if not page:
                return
            yield page
            last = page[-1].id

    async def same_texts(self, chunks: Iterable[Chunk]) -> dict[ChunkId, ChunkId]:
        """For those of `chunks` whose indexed text a settled chunk has: which one that is."""
        wanted: dict[str, list[ChunkId]] = {}
        for chunk in chunks:
            wanted.setdefault(digest(chunk), []).append(chunk.id)
        found: dict[ChunkId, ChunkId] = {}
        settled = CHUNKS.c.id.not_in(sa.select(UNSETTLED.c.chunk))
        async with transaction(self._engine) as connection:
            for batch in batches(wanted):
                query = sa.select(CHUNKS.c.digest, sa.func.min(CHUNKS.c.id)).where(CHUNKS.c.digest.in_(batch), settled)
                for text, other in await connection.execute(query.group_by(CHUNKS.c.digest)):
                    found.update(dict.fromkeys(wanted[text], other))
        return found

    async def unsettled(self, source: str | None = None) -> list[ChunkId]:
        """Chunk ids (of one source, or of all) whose state in the index may differ from the ledger's."""
        query = sa.select(UNSETTLED.c.chunk)
        async with transaction(self._engine) as connection:
            return list(
                await connection.scalars(query if source is None else query.where(UNSETTLED.c.source == source))
            )

    async def removed(self) -> list[Removal]:
        """Documents that left and have not come back, newest first, as far as that is remembered."""
        async with transaction(self._engine) as connection:
            rows = await connection.execute(sa.select(REMOVALS).order_by(REMOVALS.c.removed_at.desc()))
            return [Removal(**row) for row in rows.mappings()]

    async def readable(self, chunks: Iterable[ChunkId], tokens: Readers) -> set[ChunkId]:
        """Those of `chunks` that are known and that a holder of `tokens` may read, as their documents say now."""
        async with transaction(self._engine) as connection:
            return await readable(connection, chunks, tokens)

    async def allows(self, documents: Collection[DocumentKey], tokens: Readers) -> set[DocumentKey]:
        """Those of `documents` that are known and that a holder of `tokens` may read now."""
        async with transaction(self._engine) as connection:
            return await allowed(connection, documents, tokens)

    async def reader_tokens(self) -> Readers:
        """Every token that a document names as its reader."""
        async with transaction(self._engine) as connection:
            found = await audiences(connection)
        return await asyncio.to_thread(tokens_of, found)

    async def revoke(self, source: str, document: DocumentId, *, by: str = "") -> bool:
        """Let nobody read the document from now on, whatever syncs find, until it is restored; `by`: who says so.

        No lease is needed: it waits for no sync. False where there is no such document.
        """
        row = Revocation(source=source, document=document, by=by, at=datetime.now(UTC))
        async with transaction(self._writer) as connection:
            return await revocation.revoke(connection, row)

    async def restore(self, source: str, document: DocumentId) -> bool:
        """Give a revoked document back to whom its source names; False where it was not revoked. Needs no lease."""
        async with transaction(self._writer) as connection:
            return await revocation.restore(connection, source, document)

    async def revoked(self) -> list[Revocation]:
        """What is revoked now, newest first; documents that are gone meanwhile, too."""
        async with transaction(self._engine) as connection:
            return await revocation.revoked(connection)

    async def revoked_of(self, source: str, ids: Iterable[DocumentId]) -> set[DocumentId]:
        """Those of `ids` that are revoked, known or not."""
        async with transaction(self._engine) as connection:
            return await revocation.revoked_of(connection, source, ids)

    async def out_of_step(self, source: str) -> list[Record]:
        """Documents that were revoked or restored since their passages were labelled in the index."""
        async with transaction(self._engine) as connection:
            return await revocation.out_of_step(connection, source)

    async def states(self) -> list[SourceState]:
        """How every source stands, by name."""
        async with transaction(self._engine) as connection:
            return await states(connection)

    async def failing(self, source: str, limit: int) -> dict[DocumentId, str]:
        """The first `limit` documents, by id, that the last attempt failed to read, and why."""
        query = sa.select(DOCUMENTS.c.id, DOCUMENTS.c.error).where(
            DOCUMENTS.c.source == source, DOCUMENTS.c.error.is_not(None), ~DOCUMENTS.c.empty
        )
        async with transaction(self._engine) as connection:
            rows = await connection.execute(query.order_by(DOCUMENTS.c.id).limit(limit))
            return {row.id: row.error for row in rows}

    async def remember_source(self, source: SourceRecord) -> None:
        async with self._written() as connection:
            statement = insert(self._engine, SOURCES).values(
                name=source.name, location=source.location, configured=source.configured
            )
            changed = {"location": statement.excluded.location, "configured": statement.excluded.configured}
            await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed))

    async def cursor(self, source: str, settings: str) -> str | None:
        """Where the next listing may begin; None for the beginning, also when it was kept under other `settings`."""
        query = sa.select(SOURCES.c.cursor).where(SOURCES.c.name == source, SOURCES.c.settings == settings)
        async with transaction(self._engine) as connection:
            return await connection.scalar(query)

    async def keep_cursor(self, source: str, settings: str, cursor: str | None) -> None:
        """Let the next listing under the same `settings` begin there."""
        update = sa.update(SOURCES).where(SOURCES.c.name == source).values(cursor=cursor, settings=settings)
        async with self._written() as connection:
            await connection.execute(update)

    async def announce(self, sources: Collection[str], next_run: datetime | None) -> None:
        """Note when the next run over `sources` is to begin."""
        async with transaction(self._writer) as connection:
            await connection.execute(sa.update(SOURCES).where(SOURCES.c.name.in_(sources)).values(next_run=next_run))

    async def forget_source(self, name: str) -> None:
        """Drop what is known of the source itself; its documents must be removed before."""
        async with self._written() as connection:
            await connection.execute(sa.delete(RUNS).where(RUNS.c.source == name))
            await connection.execute(sa.delete(SOURCES).where(SOURCES.c.name == name))

    async def unsettle(self, source: str, ids: Iterable[ChunkId]) -> None:
        """Note that these chunks are about to change in the index."""
        if rows := [{"chunk": chunk, "source": source} for chunk in dict.fromkeys(ids)]:
            async with self._written() as connection:
                await connection.execute(insert(self._engine, UNSETTLED).on_conflict_do_nothing(), rows)

    async def settle(self, source: str) -> None:
        """Note that the index agrees with the ledger on every chunk of `source`."""
        async with self._written() as connection:
            await connection.execute(sa.delete(UNSETTLED).where(UNSETTLED.c.source == source))

    async def settle_all(self) -> None:
        """Note that the index agrees with the ledger on every chunk."""
        async with self._written() as connection:
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
        dropped with theirs. Afterwards the index agrees with the ledger on this source except on `gone`, which become
        unsettled.
        """
        chunks = chunks or {}
        now = datetime.now(UTC)
        async with self._written() as connection:
            await self._put(connection, DOCUMENTS, records)
            for batch in batches(record.id for record in records):
                back = sa.delete(REMOVALS).where(REMOVALS.c.source == source, REMOVALS.c.document.in_(batch))
                await connection.execute(back)
            for batch in batches(removed):
                await connection.execute(
                    sa.delete(DOCUMENTS).where(DOCUMENTS.c.source == source, DOCUMENTS.c.id.in_(batch))
                )
                left = [{"source": source, "document": id, "removed_at": now} for id in batch]
                await connection.execute(insert(self._engine, REMOVALS).on_conflict_do_nothing(), left)
            for batch in batches(chunks):
                await connection.execute(
                    sa.delete(CHUNKS).where(CHUNKS.c.source == source, CHUNKS.c.document.in_(batch))
                )
            if rows := [row_of(chunk) for replaced in chunks.values() for chunk in replaced]:
                await connection.execute(sa.insert(CHUNKS), rows)
            await connection.execute(sa.delete(UNSETTLED).where(UNSETTLED.c.source == source))
            if gone:
                await connection.execute(sa.insert(UNSETTLED), [{"chunk": chunk, "source": source} for chunk in gone])

    async def record_run(
        self, source: str, *, started: datetime, ended: datetime, counts: Mapping[str, int], error: str | None
    ) -> None:
        """Keep how a run ended; `error` is None when it was complete. Older ones go as far as nobody needs them."""
        row = {"source": source, "started": started, "ended": ended, "counts": dict(counts), "error": error}
        of_source = sa.select(RUNS.c.id).where(RUNS.c.source == source)
        newest = of_source.order_by(RUNS.c.id.desc()).limit(RUNS_KEPT)
        complete = sa.select(sa.func.max(RUNS.c.id)).where(RUNS.c.source == source, RUNS.c.error.is_(None))
        kept = sa.or_(RUNS.c.id.in_(newest), RUNS.c.id.in_(complete))
        old = sa.delete(REMOVALS).where(REMOVALS.c.removed_at < ended - REMOVALS_KEPT)
        async with self._written() as connection:
            await connection.execute(sa.insert(RUNS), [row])
            await connection.execute(sa.delete(RUNS).where(RUNS.c.source == source, ~kept))
            await connection.execute(old)

    async def _put(self, connection: AsyncConnection, table: sa.Table, rows: Sequence[Record]) -> None:
        if not rows:
            return
        statement = insert(self._engine, table)
        keys = [column.name for column in table.primary_key]
        changed = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
        names = [field.name for field in fields(rows[0])]
        await connection.execute(
            statement.on_conflict_do_update(index_elements=keys, set_=changed),
            [{name: getattr(row, name) for name in names} for row in rows],
        )
