"""Documents that an operator has taken from all readers, whatever their source says, until they are restored.

A revocation is a row of its own, under the document's key: it holds from the transaction that writes it, for every
process that reads the ledger, and outlives the document. A document is `withheld` once its passages have no readers in
the index either; where the two say different things, the next writer of the source brings the index into step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.database import DOCUMENTS, REVOCATIONS, batches
from ingest.model import DocumentId
from ingest.records import Record, Revocation

REVOKED: Final = (
    sa.exists().where(REVOCATIONS.c.source == DOCUMENTS.c.source, REVOCATIONS.c.document == DOCUMENTS.c.id)
).correlate(DOCUMENTS)
"""Of a row of `DOCUMENTS`: whether nobody may read it."""


async def revoke(connection: AsyncConnection, revocation: Revocation) -> bool:
    """False where there is no such document; True where it is revoked now, by this call or by one before."""
    source, document = revocation.source, revocation.document
    # Locked: two who revoke it at once take turns.
    known = sa.select(DOCUMENTS.c.id).where(DOCUMENTS.c.source == source, DOCUMENTS.c.id == document).with_for_update()
    is_known = await connection.scalar(known) is not None
    if await revoked_of(connection, source, [document]):
        return True
    if is_known:
        row = {"source": source, "document": document, "by": revocation.by, "at": revocation.at}
        await connection.execute(sa.insert(REVOCATIONS), [row])
    return is_known


async def restore(connection: AsyncConnection, source: str, document: DocumentId) -> bool:
    """False where it was not revoked."""
    done = await connection.execute(
        sa.delete(REVOCATIONS).where(REVOCATIONS.c.source == source, REVOCATIONS.c.document == document)
    )
    return done.rowcount > 0


async def revoked(connection: AsyncConnection) -> list[Revocation]:
    """All that hold, newest first."""
    rows = await connection.execute(
        sa.select(REVOCATIONS).order_by(REVOCATIONS.c.at.desc(), REVOCATIONS.c.source, REVOCATIONS.c.document)
    )
    return [Revocation(**row) for row in rows.mappings()]


async def revoked_of(connection: AsyncConnection, source: str, ids: Iterable[DocumentId]) -> set[DocumentId]:
    """Those of `ids` that are revoked, known or not."""
    found: set[DocumentId] = set()
    for batch in batches(ids):
        query = sa.select(REVOCATIONS.c.document).where(
            REVOCATIONS.c.source == source, REVOCATIONS.c.document.in_(batch)
        )
        found.update(await connection.scalars(query))
    return found


async def out_of_step(connection: AsyncConnection, source: str) -> list[Record]:
    """Documents that were revoked or restored since their passages were labelled in the index."""
    differs = sa.or_(sa.and_(DOCUMENTS.c.withheld, ~REVOKED), sa.and_(~DOCUMENTS.c.withheld, REVOKED))
    rows = await connection.execute(sa.select(DOCUMENTS).where(DOCUMENTS.c.source == source, differs))
    return [Record(**row) for row in rows.mappings()]


async def counted(connection: AsyncConnection) -> dict[str, int]:
    """How many hold, by source."""
    query = sa.select(REVOCATIONS.c.source, sa.func.count()).group_by(REVOCATIONS.c.source)
    return {row[0]: row[1] for row in await connection.execute(query)}
