"""A folder on this machine: changed is what has another size or another modification time.

Hidden files and what operating systems and editors leave behind are no documents. A link is followed when its target
is inside the folder, so that nothing from elsewhere on the machine is indexed by accident; what excludes the target
excludes the link, and the access rules of both hold.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path

from ingest.model import DocumentId, Entry, Original, Skipped
from ingest.sources.files.place import Place, Selection
from ingest.sources.interface import DocumentGone, SourceRefused, SourceUnavailable
from ingest.sources.patterns import is_litter

Scan = Callable[[str], AbstractContextManager[Iterator[os.DirEntry[str]]]]
"""`os.scandir`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Within:
    """A folder below the root."""

    path: str
    """Of the documents in it, relative to the root, with a slash at the end; empty for the root."""
    real: str
    """The same, after links."""
    above: tuple[str, ...]
    """`real` of every folder that leads here: what a link must not lead back to."""


class Folder(Place):
    """Everything below `root`."""

    def __init__(self, source: str, root: Path, selection: Selection, scan: Scan = os.scandir) -> None:
        """`source` is the source's name, for messages."""
        self._source = source
        self._root = root
        self._selection = selection
        self._scan = scan

    def entries(self) -> Iterator[Entry | Skipped]:
        root = self._real_root()
        entered: set[str] = set()
        waiting = [_Within(path="", real="", above=())]
        while waiting:
            folder = waiting.pop()
            try:
                with self._scan(f"{root}/{folder.path}") as scan:
                    items = sorted(scan, key=attrgetter("name"))
            except OSError as error:
                if not folder.path:
                    raise self._unlisted(error) from error
                yield _unseen(folder.path, f"the folder cannot be read: {_cause(error)}")
                continue
            for item in items:
                if is_litter(item.name):
                    continue
                found = self._look_at(item, folder, root, entered)
                if isinstance(found, _Within):
                    waiting.append(found)
                elif found is not None:
                    yield found

    @asynccontextmanager
    async def fetch(self, entry: Entry) -> AsyncIterator[Original]:
        path, changed = await asyncio.to_thread(self._open, entry)
        yield Original(path=path, name=Path(entry.id).name, media_type=entry.media_type, updated_at=changed)

    async def close(self) -> None:
        pass

    def _look_at(
        self, item: os.DirEntry[str], folder: _Within, root: Path, entered: set[str]
    ) -> _Within | Entry | Skipped | None:
        """What one name in a folder is; None for what is no document, by its name or by the configuration."""
        path = folder.path + item.name
        if not item.name.isascii() and not _is_unicode(item.name):
            return _unseen(_printable(path), "the name is not valid UTF-8; rename it")
        try:
            if item.is_symlink():
                return self._follow(item, path, folder, root, entered)
            real = folder.real + item.name
            if item.is_dir():
                return self._enter(path, real, folder)
            return self._file(path, real, item.stat())
        except OSError as error:
            return _unseen(path, f"it cannot be looked at: {_cause(error)}")

    def _follow(
        self, item: os.DirEntry[str], path: str, folder: _Within, root: Path, entered: set[str]
    ) -> _Within | Entry | Skipped | None:
        try:
            target = Path(item.path).resolve(strict=True)
        except (OSError, RuntimeError) as error:  # RuntimeError: what `resolve` makes of a link to itself
            if Path(item.path).exists():
                return _unseen(path, f"it cannot be looked at: {_cause(error)}")
            return Skipped(id=DocumentId(path), reason="a link that leads nowhere, or to itself")
        if not target.is_relative_to(root):
            return Skipped(id=DocumentId(path), reason="a link to a place outside the source's folder")
        real = target.relative_to(root).as_posix()
        if not item.is_dir():
            return self._file(path, real, item.stat())
        within = self._enter(path, "" if real == "." else real, folder)
        if within is None:
            return None
        if within.real in within.above:
            return Skipped(id=DocumentId(within.path), reason="a link to a folder that it is itself in")
        if within.real in entered:
            return Skipped(id=DocumentId(within.path), reason="a link to a folder that another link has led to")
        entered.add(within.real)
        return within

    def _enter(self, path: str, real: str, folder: _Within) -> _Within | None:
        path, real = f"{path}/", f"{real}/" if real else ""
        if self._selection.excluded(path, real):
            return None
        return _Within(path=path, real=real, above=(*folder.above, folder.real))

    def _file(self, path: str, real: str, status: os.stat_result) -> Entry | Skipped | None:
        if stat.S_ISREG(status.st_mode):
            return self._selection.entry(path, real, status.st_size, f"{status.st_size}:{status.st_mtime_ns}")
        if not self._selection.wanted(path, real):
            return None
        return Skipped(id=DocumentId(path), reason="not a file: a pipe, a socket or a device")

    def _real_root(self) -> Path:
        try:
            root = self._root.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise self._unlisted(error) from error
        if not root.is_dir():
            raise SourceUnavailable(self._said("it is a file"))
        return root

    def _unlisted(self, error: Exception) -> SourceRefused | SourceUnavailable:
        if isinstance(error, PermissionError):
            user = f"the user {os.geteuid()}" if hasattr(os, "geteuid") else "the user that runs this"
            return SourceRefused(
                f"the folder {str(self._root)!r} of source {self._source!r} may not be read by {user}; allow it"
            )
        missing = isinstance(error, FileNotFoundError | NotADirectoryError | RuntimeError)
        return SourceUnavailable(self._said("it is not there" if missing else _cause(error)))

    def _said(self, cause: str) -> str:
        return (
            f"the folder {str(self._root)!r} of source {self._source!r} cannot be listed: {cause};"
            " mount it, or correct `root`"
        )

    def _open(self, entry: Entry) -> tuple[Path, datetime]:
        """The file behind `entry` and its last change; looked at again, because it may be another one by now."""
        root = self._real_root()
        try:
            path = (root / entry.id).resolve(strict=True)
            status = path.stat()
            if not path.is_relative_to(root) or not stat.S_ISREG(status.st_mode):
                raise DocumentGone("it has been replaced by something that is not a file of this source")
            real = path.relative_to(root).as_posix()
            if real != entry.id and not self._same_readers(entry, real):
                raise DocumentGone(
                    "it has been replaced by a link to a file with other readers, or an excluded one; sync again"
                )
            with path.open("rb"):
                pass
        except (OSError, RuntimeError) as error:
            raise DocumentGone(f"it cannot be opened: {_cause(error)}") from error
        return path, datetime.fromtimestamp(status.st_mtime, UTC)

    def _same_readers(self, entry: Entry, real: str) -> bool:
        selection = self._selection
        return selection.wanted(entry.id, real) and selection.readers(entry.id, real) == entry.readers


def _is_unicode(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _printable(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _unseen(path: str, reason: str) -> Skipped:
    return Skipped(id=DocumentId(path), reason=reason, unseen=True)


def _cause(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
