"""A folder of files as a source: listed without reading, changed when size or modification time changed.

Hidden files and what operating systems and editors leave behind are no documents. A link is followed when its target
is inside the folder, so that nothing from elsewhere on the machine is indexed by accident, and then the access rules of
the target hold too.
"""

from __future__ import annotations

import asyncio
import mimetypes
import os
import stat
import unicodedata
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from pathspec import GitIgnoreSpec
from pydantic import BaseModel, ConfigDict, Field, field_validator

from ingest.model import EVERYONE, DocumentId, Entry, Original, Readers, Skipped, reader_token
from ingest.parsers.interface import ParserName
from ingest.sources.interface import DocumentGone, SourceUnavailable

LITTER = frozenset({"thumbs.db", "desktop.ini", "$recycle.bin", "__macosx", "system volume information", "@eadir"})
"""Names, in lower case, that systems leave in folders of documents; those that begin with a dot are left out anyway."""

LOCK_PREFIXES = (".", "~$")
"""Hidden files, among them `.~lock.report.odt#`; and the owner files of Office (`~$report.docx`)."""


class AccessRule(BaseModel):
    """Who may read the files that a pattern names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    paths: str
    """As in `.gitignore`: `finance/` is all below a folder, `*.key.md` any such name, `**` any number of folders."""
    readers: list[str]
    """Empty: nobody."""

    _pattern = field_validator("paths")(lambda cls, value: _checked_pattern(value))
    _tokens = field_validator("readers")(lambda cls, value: list(map(reader_token, value)))


class FilesSettings(BaseModel):
    """A source of kind `files`. Patterns are those of `.gitignore`, relative to `root`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["files"] = "files"
    root: Path
    readers: list[str] = Field(default=[EVERYONE])
    """Of a document that no rule names and that does not name its readers itself."""
    access: list[AccessRule] = Field(default=[])
    """The first rule that names a file decides, whatever the document says of itself."""
    include: list[str] = Field(default=[])
    """Only files that one of these names; empty means all."""
    exclude: list[str] = Field(default=[])
    parser: ParserName = "kreuzberg"
    parsers: dict[str, ParserName] = Field(default={})
    """By media type (`application/pdf`, `image/*`) or pattern (`scans/**`); the first that fits, else `parser`."""

    _tokens = field_validator("readers")(lambda cls, value: list(map(reader_token, value)))
    _patterns = field_validator("include", "exclude")(lambda cls, value: [_checked_pattern(item) for item in value])


@dataclass(frozen=True, kw_only=True, slots=True)
class _Folder:
    path: str
    """Of the documents in it, relative to the root, with a slash at the end; empty for the root."""
    real: str
    """The same, after links."""
    above: tuple[str, ...]
    """`real` of every folder that leads here: what a link must not lead back to."""


_Listing = list[Entry | Skipped]


class Files:
    """One folder. Ids are paths relative to it, with slashes."""

    def __init__(self, name: str, settings: FilesSettings, *, max_file_mb: int = 200) -> None:
        """`max_file_mb`: a larger file is skipped unread (`parsing.max_file_mb`)."""
        self.name = name
        self.readers: Readers = frozenset(settings.readers)
        self._root = settings.root
        self._max_file_mb = max_file_mb
        self._include = _spec(settings.include) if settings.include else None
        self._exclude = _spec(settings.exclude)
        self._access = [(_spec([rule.paths]), frozenset(rule.readers)) for rule in settings.access]
        self._parser = settings.parser
        self._parsers = [(key, _spec([key]), parser) for key, parser in settings.parsers.items()]

    async def list(self) -> AsyncIterator[Entry | Skipped]:
        for item in await asyncio.to_thread(self._listing):
            yield item

    @asynccontextmanager
    async def fetch(self, entry: Entry) -> AsyncIterator[Original]:
        path, changed = await asyncio.to_thread(self._open, entry.id)
        yield Original(path=path, name=Path(entry.id).name, media_type=entry.media_type, updated_at=changed)

    def parser_for(self, entry: Entry) -> ParserName:
        media_type = entry.media_type or mimetypes.guess_type(entry.id, strict=False)[0] or ""
        path = _composed(entry.id)
        for key, spec, parser in self._parsers:
            if fnmatchcase(media_type, key) or spec.match_file(path):
                return parser
        return self._parser

    def _listing(self) -> _Listing:
        root = self._real_root()
        found: _Listing = []
        entered: set[str] = set()
        waiting = [_Folder(path="", real="", above=())]
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(root / folder.path) as scan:
                    items = sorted(scan, key=lambda item: item.name)
            except OSError as error:
                if not folder.path:
                    raise SourceUnavailable(_unavailable(self.name, self._root, _cause(error))) from error
                found.append(_unseen(folder.path, f"the folder cannot be read: {_cause(error)}"))
                continue
            for item in items:
                match self._look_at(item, folder, root, entered):
                    case _Folder() as below:
                        waiting.append(below)
                    case Entry() | Skipped() as listed:
                        found.append(listed)
        return found

    def _look_at(
        self, item: os.DirEntry[str], folder: _Folder, root: Path, entered: set[str]
    ) -> _Folder | Entry | Skipped | None:
        """What one name in a folder is; None for what is no document, by its name or by the configuration."""
        if item.name.startswith(LOCK_PREFIXES) or item.name.lower() in LITTER:
            return None
        path, real = folder.path + item.name, folder.real + item.name
        if not _is_unicode(item.name):
            return _unseen(_printable(path), "the name is not valid UTF-8; rename it")
        try:
            if item.is_symlink():
                target = Path(item.path).resolve(strict=True)
                if not target.is_relative_to(root):
                    return Skipped(id=DocumentId(path), reason="a link to a place outside the source's folder")
                real = target.relative_to(root).as_posix()
            if item.is_dir():
                return self._enter(path, real, folder, entered, linked=item.is_symlink())
            return self._entry(path, real, item.stat())
        except (OSError, RuntimeError) as error:  # RuntimeError: what `resolve` makes of a link to itself
            if item.is_symlink() and not Path(item.path).exists():
                return Skipped(id=DocumentId(path), reason="a link that leads nowhere, or to itself")
            return _unseen(path, f"it cannot be looked at: {_cause(error)}")

    def _enter(
        self, path: str, real: str, folder: _Folder, entered: set[str], *, linked: bool
    ) -> _Folder | Skipped | None:
        path, real = f"{path}/", "" if real == "." else f"{real}/"
        above = (*folder.above, folder.real)
        if self._exclude.match_file(_composed(path)):
            return None
        if linked:
            if real in above:
                return Skipped(id=DocumentId(path), reason="a link to a folder that it is itself in")
            if real in entered:
                return Skipped(id=DocumentId(path), reason="a link to a folder that another link has led to")
            entered.add(real)
        return _Folder(path=path, real=real, above=above)

    def _entry(self, path: str, real: str, status: os.stat_result) -> Entry | Skipped | None:
        composed = _composed(path)
        if self._exclude.match_file(composed) or (self._include is not None and not self._include.match_file(composed)):
            return None
        id = DocumentId(path)
        if not stat.S_ISREG(status.st_mode):
            return Skipped(id=id, reason="not a file: a pipe, a socket or a device")
        if status.st_size == 0:
            return Skipped(id=id, reason="the file is empty")
        if status.st_size > self._max_file_mb * 1024 * 1024:
            size = status.st_size / 1024 / 1024
            return Skipped(
                id=id, reason=f"{size:,.0f} MiB; at most {self._max_file_mb} are read (`parsing.max_file_mb`)"
            )
        return Entry(id=id, version=f"{status.st_size}:{status.st_mtime_ns}", readers=self._ruled({path, real}))

    def _ruled(self, paths: Iterable[str]) -> Readers | None:
        """Who the rules let read a file; through a link, those whom the rules let read both link and target."""
        decided: list[Readers] = []
        for path in map(_composed, paths):
            readers = next((readers for spec, readers in self._access if spec.match_file(path)), None)
            if readers is not None:
                decided.append(readers)
        return frozenset.intersection(*decided) if decided else None

    def _real_root(self) -> Path:
        try:
            root = self._root.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise SourceUnavailable(_unavailable(self.name, self._root, "it is not there")) from error
        if not root.is_dir():
            raise SourceUnavailable(_unavailable(self.name, self._root, "it is a file"))
        return root

    def _open(self, id: DocumentId) -> tuple[Path, datetime]:
        """The file behind `id` and its last change; looked at again, because it may be another one by now."""
        root = self._real_root()
        try:
            path = (root / id).resolve(strict=True)
            status = path.stat()
            if not path.is_relative_to(root) or not stat.S_ISREG(status.st_mode):
                raise DocumentGone("it has been replaced by something that is not a file of this source")
            with path.open("rb"):
                pass
        except (OSError, RuntimeError) as error:
            raise DocumentGone(f"it cannot be opened: {_cause(error)}") from error
        return path, datetime.fromtimestamp(status.st_mtime, UTC)


def _spec(patterns: Sequence[str]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(map(_composed, patterns))


def _checked_pattern(pattern: str) -> str:
    try:
        spec = _spec([pattern])
    except ValueError as error:
        raise ValueError(f"{pattern!r} is not a pattern as in .gitignore: {error}") from error
    if not any(item.include for item in spec.patterns):
        raise ValueError(f"{pattern!r} names no file: it is empty, a comment or a negation")
    return pattern


def _composed(path: str) -> str:
    """One spelling for one name: macOS writes accents as marks of their own, people type them as one letter."""
    return unicodedata.normalize("NFC", path)


def _is_unicode(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _printable(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _unseen(path: str, reason: str) -> Skipped:
    return Skipped(id=DocumentId(path), reason=reason, unseen=True)


def _unavailable(name: str, root: Path, cause: str) -> str:
    return f"the folder {str(root)!r} of source {name!r} cannot be listed: {cause}; mount it, or correct `root`"


def _cause(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
