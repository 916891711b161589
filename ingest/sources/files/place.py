"""Where files are, whatever holds them: what a place does, and which of its files are documents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from urllib.parse import quote

from ingest.model import DocumentId, Entry, Original, Readers, Skipped
from ingest.sources.files.settings import FilesSettings
from ingest.sources.interface import MEBIBYTE, too_large
from ingest.sources.patterns import Paths


class Place(Protocol):
    """A folder or an address. Raises what `Source` does."""

    def entries(self) -> Iterator[Entry | Skipped]:
        """Everything in it, in any order; blocks, and may go on in another thread."""
        ...

    def fetch(self, entry: Entry) -> AbstractAsyncContextManager[Original]: ...

    async def close(self) -> None: ...


class Selection:
    """Which files are documents, and who may read them. Paths are relative to the root, with slashes."""

    def __init__(self, settings: FilesSettings, *, max_file_mb: int) -> None:
        self.paths = Paths(settings)
        self.max_bytes = max_file_mb * MEBIBYTE
        self._everything = not (settings.include or settings.exclude)
        self._rules = bool(settings.access)
        self._url = None if settings.url is None else settings.url.rstrip("/") + "/"

    def entry(self, path: str, real: str, size: int, version: str) -> Entry | Skipped | None:
        """A file, `real` being its path after links, and `size` in bytes; None for one that is not wanted."""
        if not self._everything and not self.wanted(path, real):
            return None
        id = DocumentId(path)
        if size == 0:
            return Skipped(id=id, reason="the file is empty")
        if size > self.max_bytes:
            return Skipped(id=id, reason=too_large(self.max_bytes, size))
        return Entry(
            id=id,
            version=version,
            readers=self.readers(path, real) if self._rules else None,
            url=None if self._url is None else self._url + quote(path),
        )

    def excluded(self, path: str, real: str) -> bool:
        """Whether nothing in a folder is wanted; both paths end in a slash. A link is excluded with its target."""
        if self._everything:
            return False
        return self.paths.excluded(path) or (real != path and self.paths.excluded(real))

    def wanted(self, path: str, real: str) -> bool:
        return self._everything or (self.paths.wanted(path) and (real == path or not self.paths.excluded(real)))

    def readers(self, path: str, real: str) -> Readers | None:
        """Who the rules let read the file; through a link, those whom the rules let read both link and target."""
        return self.paths.readers((path,) if real == path else (path, real))
