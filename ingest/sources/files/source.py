"""The source: one place, listed without reading, with who may read what in it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from itertools import islice
from pathlib import Path

from ingest.model import Entry, Listed, Original, Readers, Skipped
from ingest.parsers.interface import ParserName
from ingest.sources.files.local import Folder, Scan
from ingest.sources.files.place import Place, Selection
from ingest.sources.files.settings import FilesSettings
from ingest.sources.interface import Source

BATCH = 2_000
"""Entries listed at a time, so that neither a thread nor the memory is held for a whole listing."""

STEP_SECONDS = 3600.0
"""Clock time for that many entries; an object store hands out all that it has in the first step."""


class Files(Source):
    """One folder or address. Ids are paths relative to it, with slashes."""

    def __init__(
        self,
        name: str,
        settings: FilesSettings,
        *,
        cache: Path | None = None,
        max_file_mb: int = 200,
        scan: Scan = os.scandir,
    ) -> None:
        """`max_file_mb`: a larger file is skipped unread (`parsing.max_file_mb`). Nothing is kept in `cache`.

        `scan` takes the place of the disk.
        """
        self.name = name
        self.readers: Readers = frozenset(settings.readers)
        self._selection = Selection(settings, max_file_mb=max_file_mb)
        self._place = self._opened(settings, scan)

    def _opened(self, settings: FilesSettings, scan: Scan) -> Place:
        if settings.address is None:
            return Folder(self.name, Path(settings.root), self._selection, scan)
        from ingest.sources.files.remote import Remote  # fsspec is slow to load, and most sources are folders

        return Remote(self.name, settings, self._selection)

    async def list(self, since: str | None) -> AsyncIterator[Listed]:
        entries = self._place.entries()
        while True:
            async with asyncio.timeout(STEP_SECONDS):
                batch = await asyncio.to_thread(_next, entries)
            for item in batch:
                yield item
            if len(batch) < BATCH:
                return

    def fetch(self, entry: Entry) -> AbstractAsyncContextManager[Original]:
        return self._place.fetch(entry)

    def parser_for(self, entry: Entry) -> ParserName:
        return self._selection.paths.parser(entry.id, entry.media_type)

    async def close(self) -> None:
        await self._place.close()


def _next(entries: Iterator[Entry | Skipped]) -> tuple[Entry | Skipped, ...]:
    return tuple(islice(entries, BATCH))
