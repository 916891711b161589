"""What the ledger lets readers have: every question here names reader tokens, and obeys revocations of this moment."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.database import CHUNKS, DOCUMENTS, batches
from ingest.model import Chunk, ChunkId, DocumentId, DocumentKey, Readers
from ingest.revocation import REVOKED
from ingest.rows import OF_DOCUMENT, WHOLE_CHUNK, chunk_of


async def readable(connection: AsyncConnection, chunks: Iterable[ChunkId], tokens: Readers) -> set[ChunkId]:
    """Those of `chunks` that are known and that a holder of `tokens` may read."""
    found: set[ChunkId] = set()
    query = sa.select(CHUNKS.c.id, DOCUMENTS.c.readers).join_from(CHUNKS, DOCUMENTS, OF_DOCUMENT).where(~REVOKED)
    for batch in batches(set(chunks)):
        rows = await connection.execute(query.where(CHUNKS.c.id.in_(batch)))
        found.update(row.id for row in rows if row.readers & tokens)
    return found


async def allowed(connection: AsyncConnection, documents: Collection[DocumentKey], tokens: Readers) -> set[DocumentKey]:
    """Those of `documents` that are known and that a holder of `tokens` may read."""
    found: set[DocumentKey] = set()
    query = sa.select(DOCUMENTS.c.source, DOCUMENTS.c.id, DOCUMENTS.c.readers).where(~REVOKED)
    for batch in batches(set(documents)):
        rows = await connection.execute(query.where(_any_of(batch)))
        found.update((row.source, row.id) for row in rows if row.readers & tokens)
    return found


async def neighbours(
    connection: AsyncConnection, places: Sequence[tuple[str, DocumentId, range]], tokens: Readers
) -> list[Chunk]:
    """The chunks at those positions that a holder of `tokens` may read, in no set order."""
    at = CHUNKS.c.position
    there = [
        sa.and_(CHUNKS.c.source == source, CHUNKS.c.document == document, at.between(range.start, range.stop - 1))
        for source, document, range in places
    ]
    rows = await connection.execute(WHOLE_CHUNK.where(sa.or_(sa.false(), *there), ~REVOKED))
    return [chunk for chunk in map(chunk_of, rows.mappings()) if chunk.readers & tokens]


async def audiences(connection: AsyncConnection) -> list[str]:
    """Every set of readers that a document has, once, as JSON: far fewer than there are documents."""
    readers = sa.cast(DOCUMENTS.c.readers, sa.Text)
    return list(await connection.scalars(sa.select(readers).distinct()))


async def readers_by_source(connection: AsyncConnection) -> dict[str, set[Readers]]:
    """Every set of readers that a document of the index has, once, by its source."""
    query = sa.select(DOCUMENTS.c.source, sa.cast(DOCUMENTS.c.readers, sa.Text)).distinct()
    found: defaultdict[str, set[Readers]] = defaultdict(set)
    for source, readers in await connection.execute(query.where(DOCUMENTS.c.indexed_at.is_not(None), ~REVOKED)):
        found[source].add(frozenset(json.loads(readers)))
    return dict(found)


def _any_of(documents: Iterable[DocumentKey]) -> sa.ColumnElement[bool]:
    """By source, not as pairs: SQLite looks pairs up by reading the whole table."""
    ids: defaultdict[str, list[DocumentId]] = defaultdict(list)
    for source, id in documents:
        ids[source].append(id)
    return sa.or_(*(sa.and_(DOCUMENTS.c.source == source, DOCUMENTS.c.id.in_(each)) for source, each in ids.items()))


def tokens_of(audiences: Iterable[str]) -> Readers:
    """All that is named in what `audiences` found."""
    return frozenset().union(*map(json.loads, audiences))
