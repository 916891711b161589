"""What a point looks like in Qdrant, embedded or served: its vectors, its payload, and which fields are indexed."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import TypeAdapter, ValidationError

from ingest.index.interface import IndexDamaged
from ingest.model import Chunk

PIPELINE: Final = 1
"""Version of chunking and lexical encoding together; raised when either changes what is stored."""

LEXICAL: Final = "lexical"
"""Named sparse vector; the engine applies its IDF modifier."""

DENSE: Final = "dense"
"""Named vector compared by cosine; only in an index that was made with an embedding model."""

READERS: Final = "readers"
DOCUMENT: Final = "document"

PAYLOAD_INDEXES: Final[dict[str, Literal["keyword", "datetime"]]] = {
    READERS: "keyword",
    "source": "keyword",
    DOCUMENT: "keyword",
    "language": "keyword",
    "updated_at": "datetime",
}
"""Payload fields that the engine indexes, made before the first point: a filter never scans."""

_CHUNK = TypeAdapter(Chunk)


def payload_of(chunk: Chunk) -> dict[str, Any]:
    """Every field of a chunk but its id, in JSON types; readers sorted, so that equal chunks have equal payloads."""
    payload: dict[str, Any] = _CHUNK.dump_python(chunk, mode="json", exclude={"id"})
    payload[READERS] = sorted(chunk.readers)
    return payload


def chunk_of(id: object, payload: dict[str, Any] | None) -> Chunk:
    """The chunk that a point holds. Raises `IndexDamaged` when it was written by something else."""
    try:
        return _CHUNK.validate_python({**(payload or {}), "id": str(id)})
    except ValidationError as error:
        field = ".".join(map(str, error.errors()[0]["loc"]))
        raise IndexDamaged(f"point {str(id)!r} is not a chunk (field {field!r}); run `ingest reindex`") from error
