"""An address of an object store or a file server, through fsspec.

What a driver tells of a file says whether it changed: the generation, tag or checksum of its content, else its size and
time of change. Hidden files and what systems leave behind are no documents, as in a folder; links are not followed.
"""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem, get_filesystem_class

from ingest.http import words
from ingest.model import DocumentId, Entry, Original, Skipped
from ingest.sources.files.drivers import DRIVERS, OTHER, SFTP, exceptions
from ingest.sources.files.place import Place, Selection
from ingest.sources.files.settings import FilesSettings
from ingest.sources.interface import (
    MEBIBYTE,
    DocumentGone,
    DocumentTooLarge,
    DocumentUnavailable,
    SourceRefused,
    SourceUnavailable,
    original_file,
    token_variable,
)
from ingest.sources.patterns import is_litter

COPY_SECONDS = 900.0
"""Clock time for one file's content."""

BLOCK_BYTES = 8 * MEBIBYTE
"""Read in one request."""

TAGS = ("generation", "ETag", "etag", "md5Hash", "md5", "checksum")
"""What drivers call the mark of a file's content, the surest first."""

TIMES = ("LastModified", "last_modified", "mtime", "updated", "modified", "created")
"""What drivers call the time of the last change."""

MISTAKES = frozenset({errno.EINVAL, getattr(errno, "EREMCHG", errno.EINVAL)})
"""What s3fs makes of a request that cannot be, and of one that another region or endpoint would answer."""

ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes whose objects must be restored before they can be read."""

Info = Mapping[str, Any]
"""What fsspec tells of a file: `name`, `type`, `size` in bytes, and what the driver adds."""


class Remote(Place):
    """Everything below the address that is the settings' `root`."""

    def __init__(self, source: str, settings: FilesSettings, selection: Selection) -> None:
        """`source` is the source's name, for messages."""
        self._source = source
        self._settings = settings
        self._selection = selection
        self._address = str(settings.root)
        self._protocol = self._address.partition("://")[0].lower()
        self._driver = DRIVERS.get(self._protocol, OTHER)
        self._opening = threading.Lock()
        self._opened: tuple[AbstractFileSystem, str] | None = None

    def entries(self) -> Iterator[Entry | Skipped]:
        inside = {"": True}
        for listed in self._listed(inside):
            found = listed if isinstance(listed, Skipped) else self._look_at(*listed, inside)
            if found is not None:
                yield found

    @asynccontextmanager
    async def fetch(self, entry: Entry) -> AsyncIterator[Original]:
        given_up = threading.Event()
        async with original_file() as path:
            try:
                async with asyncio.timeout(COPY_SECONDS):
                    changed = await asyncio.to_thread(self._copy, entry.id, path, given_up)
            except TimeoutError as error:
                raise SourceUnavailable(
                    f"{self._where()}: {entry.id!r} did not arrive in {COPY_SECONDS:g} s; try again later"
                ) from error
            finally:
                given_up.set()
            yield Original(path=path, name=Path(entry.id).name, media_type=entry.media_type, updated_at=changed)

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    def _listed(self, inside: dict[str, bool]) -> Iterator[tuple[str, Info] | Skipped]:
        """What the driver tells of everything, with its path relative to the root; `inside` as for `_inside`."""
        with self._translated():
            files, base = self._open()
            files.invalidate_cache()
            if not self._driver.flat:
                yield from self._walk(files, base, inside)
                return
            found = files.find(base, detail=True)
            if not isinstance(found, dict):  # adlfs, of an address that is a file
                raise SourceRefused(self._file())
            for info in found.values():
                yield self._relative(info, base), info

    def _walk(
        self, files: AbstractFileSystem, base: str, inside: dict[str, bool]
    ) -> Iterator[tuple[str, Info] | Skipped]:
        """Folder by folder, those that are wanted; one that may not be read is unseen."""
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            try:
                infos = files.ls(base + folder, detail=True)
            except (FileNotFoundError, PermissionError, UnicodeDecodeError) as error:
                if not folder:
                    raise
                if not isinstance(error, FileNotFoundError):
                    yield Skipped(
                        id=DocumentId(folder), reason=f"the folder cannot be read: {_said(error)}", unseen=True
                    )
                continue
            for path, info in sorted(((self._relative(info, base), info) for info in infos), key=itemgetter(0)):
                if info["type"] != "directory":
                    yield path, info
                elif self._inside(below := path.rstrip("/") + "/", inside):
                    waiting.append(below)

    def _look_at(self, path: str, info: Info, inside: dict[str, bool]) -> Entry | Skipped | None:
        folder, slash, name = path.rpartition("/")
        if info["type"] == "directory" or not name or is_litter(name) or not self._inside(folder + slash, inside):
            return None
        id = DocumentId(path)
        if info["type"] != "file":
            wanted = self._selection.wanted(path, path)
            return Skipped(id=id, reason="a link, which is not followed on a server") if wanted else None
        size = int(info["size"] or 0)
        found = self._selection.entry(path, path, size, self._version(info, size))
        if isinstance(found, Entry) and info.get("StorageClass") in ARCHIVED:
            return Skipped(id=id, reason=f"archived ({info['StorageClass']}); restore it first", unseen=True)
        return found

    def _inside(self, folder: str, known: dict[str, bool]) -> bool:
        """Whether documents may be in `folder`, a path that ends in a slash; `known` holds what was said before."""
        if folder not in known:
            above, slash, name = folder[:-1].rpartition("/")
            wanted = not is_litter(name) and not self._selection.excluded(folder, folder)
            known[folder] = wanted and self._inside(above + slash, known)
        return known[folder]

    def _relative(self, info: Info, base: str) -> str:
        name = str(info["name"])
        if not name.startswith(base):
            raise SourceRefused(self._file())
        return name[len(base) :]

    def _version(self, info: Info, size: int) -> str:
        for key in TAGS:
            if tag := info.get(key):
                return str(tag).strip('"')
        changed = _changed(info)
        if changed is None:
            raise SourceRefused(
                f"{self._where()}: its driver tells neither a tag nor a time of change, so that no change is seen;"
                " copy the files to a place that does"
            )
        return f"{size}:{changed.isoformat()}"

    def _copy(self, id: DocumentId, path: Path, given_up: threading.Event) -> datetime | None:
        """Write the content of `id` to `path`; when it was last changed."""
        with self._translated():
            files, base = self._open()
        with self._reading(files, base):
            info = files.info(base + id)
        if info["type"] != "file":
            raise DocumentGone("it is no longer a file")
        written = 0
        with path.open("wb") as file, closing(self._pieces(files, base, id)) as pieces:
            for piece in pieces:
                written += len(piece)
                if written > self._selection.max_bytes:
                    raise DocumentTooLarge.over(self._selection.max_bytes, max(written, int(info["size"] or 0)))
                if given_up.is_set():
                    break
                file.write(piece)
        return _changed(info)

    def _pieces(self, files: AbstractFileSystem, base: str, id: DocumentId) -> Generator[bytes, None, None]:
        with self._reading(files, base), files.open(base + id, "rb", block_size=BLOCK_BYTES) as content:
            while piece := content.read(MEBIBYTE):
                yield piece

    def _open(self) -> tuple[AbstractFileSystem, str]:
        """The file system, connected, and what the names of all that is below the root begin with."""
        with self._opening:
            if self._opened is None:
                self._opened = self._connect()
            return self._opened

    def _connect(self) -> tuple[AbstractFileSystem, str]:
        options = {**self._driver.defaults, **self._settings.storage, **self._credentials()}
        try:
            kind = _sftp() if self._driver is SFTP else get_filesystem_class(self._protocol)
        except ImportError as error:
            extra = self._driver.extra
            way_out = f"install the extra: .venv/bin/pip install -e '.[{extra}]'" if extra else _said(error)
            raise SourceRefused(
                f"{self._where()}: what reads {self._protocol}:// is not installed; {way_out}"
            ) from error
        made = kind(**kind._get_kwargs_from_urls(self._address), **options, skip_instance_cache=True)
        return made, str(kind._strip_protocol(self._address)).rstrip("/") + "/"

    def _credentials(self) -> Mapping[str, Any]:
        """The source's token as the driver takes it."""
        token = self._settings.token
        if token is None:
            return {}
        if self._driver.credentials is None:
            variable = token_variable(self._source)
            raise SourceRefused(f"source {self._source!r}: {self._protocol}:// takes no token; unset {variable}")
        try:
            return self._driver.credentials(token.get_secret_value())
        except ValueError as error:
            raise SourceRefused(f"source {self._source!r}: {token_variable(self._source)} must hold {error}") from error

    def _close(self) -> None:
        with self._opening:
            opened, self._opened = self._opened, None
        if opened is not None and hasattr(opened[0], "close"):
            opened[0].close()

    @contextmanager
    def _reading(self, files: AbstractFileSystem, base: str) -> Iterator[None]:
        """A driver's errors as those of one document, if about the root it still answers."""
        driver = self._driver
        named = exceptions((*driver.refused, *driver.mistaken, *driver.unavailable))
        failed: tuple[type[Exception], ...] = (OSError, TypeError, ValueError, *named)
        try:
            yield
        except FileNotFoundError as error:
            raise DocumentGone(f"it is no longer there: {_said(error)}") from error
        except PermissionError as error:
            raise DocumentGone(f"it may not be read: {_said(error)}") from error
        except failed as error:
            with self._translated(), suppress(FileNotFoundError, PermissionError):
                files.info(base.rstrip("/"))
            raise DocumentUnavailable(f"it cannot be read now: {_said(error)}") from error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """A driver's errors as those of a source."""
        driver = self._driver
        refused = exceptions(driver.refused)
        mistaken: tuple[type[Exception], ...] = (TypeError, ValueError, *exceptions(driver.mistaken))
        failed: tuple[type[Exception], ...] = (OSError, *exceptions(driver.unavailable))
        way_out = f"give the driver credentials that may list and read it, or set {token_variable(self._source)}"
        try:
            yield
        except FileNotFoundError as error:
            raise SourceRefused(f"{self._where()} is not there: {_said(error)}; correct `root`") from error
        except PermissionError as error:
            raise SourceRefused(f"{self._where()} may not be listed: {_said(error)}; {way_out}") from error
        except refused as error:
            raise SourceRefused(f"{self._where()} refuses: {_said(error)}; {way_out}") from error
        except mistaken as error:
            raise SourceRefused(f"{self._where()}: {_said(error)}; correct `root` or `storage`") from error
        except failed as error:
            if getattr(error, "errno", None) in MISTAKES:
                raise SourceRefused(f"{self._where()}: {_said(error)}; correct `root` or `storage`") from error
            self._close()
            raise SourceUnavailable(f"{self._where()} cannot be reached: {_said(error)}; try again later") from error

    def _file(self) -> str:
        return f"{self._where()} is a file; name the folder it is in as `root`"

    def _where(self) -> str:
        return f"source {self._source!r}: {self._address!r}"


def _sftp() -> type[AbstractFileSystem]:
    from ingest.sources.files.sftp import Sftp  # needs the extra `sftp`

    return Sftp


def _changed(info: Info) -> datetime | None:
    """When the file was last changed, as its driver tells it: a time, ISO 8601 text, or seconds since 1970."""
    match next((info[key] for key in TIMES if info.get(key) is not None), None):
        case datetime() as time:
            pass
        case int() | float() as seconds:
            time = datetime.fromtimestamp(seconds, UTC)
        case str() as text:
            time = datetime.fromisoformat(text)
        case _:
            return None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _said(error: BaseException) -> str:
    """The driver's words."""
    return words(getattr(error, "strerror", None) or str(error)).rstrip(".") or type(error).__name__
