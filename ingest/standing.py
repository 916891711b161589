"""How the sources stand: what the ledger's tables say of them, put together."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.database import CHUNKS, DOCUMENTS, RUNS, SOURCES
from ingest.records import SourceRecord, SourceState
from ingest.revocation import counted


async def states(connection: AsyncConnection) -> list[SourceState]:
    """How every source stands, by name."""
    failing = sa.and_(DOCUMENTS.c.error.is_not(None), ~DOCUMENTS.c.empty)
    indexed = DOCUMENTS.c.indexed_at.is_not(None)
    per_source = sa.select(
        DOCUMENTS.c.source,
        sa.func.count().filter(indexed),
        sa.func.count().filter(failing),
        sa.func.count().filter(failing, indexed),
    ).group_by(DOCUMENTS.c.source)
    passages = sa.select(CHUNKS.c.source, sa.func.count()).group_by(CHUNKS.c.source)
    complete = sa.select(RUNS.c.source, sa.func.max(RUNS.c.ended)).where(RUNS.c.error.is_(None))
    newest = sa.select(sa.func.max(RUNS.c.id)).group_by(RUNS.c.source)
    ends = sa.select(RUNS.c.source, RUNS.c.ended, RUNS.c.counts, RUNS.c.error).where(RUNS.c.id.in_(newest))
    sources = (await connection.execute(sa.select(SOURCES).order_by(SOURCES.c.name))).all()
    counts = {name: tuple(numbers) for name, *numbers in await connection.execute(per_source)}
    chunks = {row[0]: row[1] for row in await connection.execute(passages)}
    synced = {row[0]: row[1] for row in await connection.execute(complete.group_by(RUNS.c.source))}
    last = {row.source: row for row in await connection.execute(ends)}
    revoked = await counted(connection)
    found = []
    for source in sources:
        documents, bad, stale = counts.get(source.name, (0, 0, 0))
        run = last.get(source.name)
        found.append(
            SourceState(
                source=SourceRecord(name=source.name, location=source.location, configured=source.configured),
                documents=documents,
                failing=bad,
                stale=stale,
                chunks=chunks.get(source.name, 0),
                synced_at=synced.get(source.name),
                ran_at=run.ended if run else None,
                counts=run.counts if run else {},
                error=run.error if run else None,
                next_run=source.next_run,
                revoked=revoked.get(source.name, 0),
            )
        )
    return found


async def languages(connection: AsyncConnection) -> dict[str, int]:
    """How many documents of the index are in which language."""
    query = sa.select(DOCUMENTS.c.language, sa.func.count()).where(DOCUMENTS.c.indexed_at.is_not(None))
    return {row[0]: row[1] for row in await connection.execute(query.group_by(DOCUMENTS.c.language))}
