"""Chunks as rows of the ledger's tables, and back."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

import sqlalchemy as sa

from ingest.database import CHUNKS, DOCUMENTS
from ingest.model import Chunk

OF_DOCUMENT: Final = sa.and_(CHUNKS.c.source == DOCUMENTS.c.source, CHUNKS.c.document == DOCUMENTS.c.id)
"""What joins a chunk with its document."""

WHOLE_CHUNK: Final = sa.select(
    *(column for column in CHUNKS.c if column.name != "digest"),
    *(DOCUMENTS.c[name] for name in ("title", "language", "readers", "withheld", "url", "updated_at")),
).join_from(CHUNKS, DOCUMENTS, OF_DOCUMENT)


def chunk_of(row: sa.RowMapping) -> Chunk:
    """A row of `WHOLE_CHUNK`, with the readers that the index has it for."""
    said: dict[str, Any] = {**row, "headings": tuple(row["headings"])}
    if said.pop("withheld"):
        said["readers"] = frozenset()
    return Chunk(**said)


def row_of(chunk: Chunk) -> dict[str, Any]:
    """The row of `CHUNKS`."""
    row: dict[str, Any] = {column.name: getattr(chunk, column.name, None) for column in CHUNKS.c}
    return row | {"headings": list(chunk.headings), "digest": digest(chunk)}


def digest(chunk: Chunk) -> str:
    """Of the indexed text: equal texts have equal vectors."""
    return blake2b(chunk.indexed_text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
