"""The text of a document as it was indexed, for whoever follows a source."""

from __future__ import annotations

from ingest.ledger import Ledger
from ingest.model import Chunk, DocumentId, Readers


class Documents:
    """Reads documents from the ledger on behalf of an asker."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def read(self, source: str, document: str, visible_to: Readers) -> tuple[str, tuple[str, ...]] | None:
        """Title, and the Markdown of each passage under its headings, in order.

        None when there is no such document, and when nobody in `visible_to` may read it.
        """
        key = DocumentId(document)
        # Asked first: how long it takes must not tell whoever may not read it that there is one, and how long it is.
        if not await self._ledger.allows([(source, key)], visible_to):
            return None
        chunks = (await self._ledger.chunks(source, [key])).get(key)
        # Asked again: of what was just read, nothing is handed out that they may not read by now.
        if not chunks or not await self._ledger.allows([(source, key)], visible_to):
            return None
        return chunks[0].title, _under_headings(chunks)


def _under_headings(chunks: tuple[Chunk, ...]) -> tuple[str, ...]:
    """Chunks under their headings; a heading is written where the path first holds it."""
    paths = [(), *(chunk.headings for chunk in chunks)]
    return tuple(
        "\n\n".join([*_new_headings(before, chunk.headings), chunk.text])
        for before, chunk in zip(paths, chunks, strict=False)
    )


def _new_headings(before: tuple[str, ...], path: tuple[str, ...]) -> list[str]:
    shared = 0
    while shared < min(len(before), len(path)) and before[shared] == path[shared]:
        shared += 1
    # The title is the page's first heading, so the path begins one level below.
    return [f"{'#' * min(6, level + 2)} {path[level]}" for level in range(shared, len(path))]
