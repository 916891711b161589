"""The text of a document as it was indexed, for whoever follows a source."""

from __future__ import annotations

from itertools import pairwise

from ingest.ledger import Ledger
from ingest.model import Chunk, DocumentId, Readers


class Documents:
    """Reads documents from the ledger on behalf of an asker."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def read(self, source: str, document: str, visible_to: Readers) -> tuple[str, str] | None:
        """Title and Markdown text; None when there is no such document, and when nobody in `visible_to` may read it."""
        key = DocumentId(document)
        record = await self._ledger.document(source, key)
        if record is None or not record.readers & visible_to:
            return None
        chunks = (await self._ledger.chunks(source, [key])).get(key)
        return (record.title, _joined(chunks)) if chunks else None


def _joined(chunks: tuple[Chunk, ...]) -> str:
    """Chunks under their headings; a heading is written where the path first holds it."""
    parts = [*_new_headings((), chunks[0].headings), chunks[0].text]
    for before, chunk in pairwise(chunks):
        parts += [*_new_headings(before.headings, chunk.headings), chunk.text]
    return "\n\n".join(parts)


def _new_headings(before: tuple[str, ...], path: tuple[str, ...]) -> list[str]:
    shared = 0
    while shared < min(len(before), len(path)) and before[shared] == path[shared]:
        shared += 1
    # The title is the page's first heading, so the path begins one level below.
    return [f"{'#' * min(6, level + 2)} {path[level]}" for level in range(shared, len(path))]
