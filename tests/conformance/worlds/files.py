"""A folder on disk, whose files are documents."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from ingest.model import EVERYONE, DocumentId, Entry, Original, Readers
from ingest.sources.files import AccessRule, Files, FilesSettings
from ingest.sources.interface import Source
from tests.conformance.worlds.interface import World

FINANCE: Readers = frozenset({"group:finance"})


class Counted(Files):
    """Tells its world of every file that it hands out."""

    world: FilesWorld

    @asynccontextmanager
    async def fetch(self, entry: Entry) -> AsyncIterator[Original]:
        self.world.handed_out += 1
        async with super().fetch(entry) as original:
            yield original


class Lost:
    """What `os.scandir` has of a file that cannot be opened."""

    def __init__(self, folder: str, name: str) -> None:
        self.name = name
        self.path = f"{folder}/{name}"

    def is_symlink(self) -> bool:
        return False

    def is_dir(self) -> bool:
        return False

    def stat(self) -> os.stat_result:
        return os.stat_result((stat.S_IFREG | 0o644, 0, 0, 1, 0, 0, 100, 0, 1_700_000_000, 0))


@contextmanager
def listed_with(path: str, lost: str) -> Iterator[Iterator[Any]]:
    with os.scandir(path) as entries:
        yield chain(entries, [Lost(path, lost)])


@dataclass
class FilesWorld:
    """Each document is a file in a folder of its own; the second folder of a listing is its second page."""

    folder: Path
    kind: str = "files"
    not_applicable: dict[str, str] = field(
        default_factory=lambda: {"429 with Retry-After": "a disk does not limit how often it is asked"}
    )
    paths: dict[str, str] = field(default_factory=dict)
    restricted: set[str] = field(default_factory=set)
    broken: bool = False
    revoked: bool = False
    lost: str | None = None
    handed_out: int = 0
    clock: int = 1_700_000_000

    @property
    def root(self) -> Path:
        return self.folder / "handbook"

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        self.root.mkdir(parents=True)
        yield

    def source(self) -> Source:
        settings = FilesSettings(
            root=self.root,
            url="https://files.example.org/handbook",
            access=[AccessRule(paths=self.paths[key], readers=sorted(FINANCE)) for key in sorted(self.restricted)],
        )
        source = Counted("handbook", settings, max_file_mb=1, scan=self.scan)
        source.world = self
        return source

    def scan(self, path: str) -> Any:
        """The disk, which may have a bad block where the second folder is, or be closed to the one who asks."""
        if self.revoked:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        if self.broken and Path(path) != self.root:
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        return os.scandir(path) if self.lost is None or Path(path) != self.root else listed_with(path, self.lost)

    async def put(self, key: str, text: str) -> None:
        self.paths.setdefault(key, f"{key}/{key}.md")
        self.write(key, f"# {key.title()}\n\n{text}\n".encode())

    async def rename(self, key: str) -> None:
        old, self.paths[key] = self.paths[key], f"{key}/{key}-renamed.md"
        (self.root / old).rename(self.root / self.paths[key])

    async def delete(self, key: str) -> None:
        (self.root / self.paths.pop(key)).unlink()

    async def restrict(self, key: str) -> Readers:
        self.restricted.add(key)
        return FINANCE

    def id(self, key: str) -> DocumentId:
        return DocumentId(self.paths[key])

    def readers(self, key: str) -> Readers:
        return FINANCE if key in self.restricted else frozenset({EVERYONE})

    def fetched(self) -> int:
        return self.handed_out

    async def break_second_page(self, broken: bool = True) -> None:
        self.broken = broken

    async def empty(self) -> None:
        self.root.rename(self.folder / "elsewhere")
        self.root.mkdir()

    async def busy(self, times: int) -> None:
        raise NotImplementedError(self.not_applicable["429 with Retry-After"])

    def waited(self) -> int:
        return 0

    async def revoke(self) -> None:
        self.revoked = True

    async def put_large(self, key: str) -> None:
        self.paths[key] = f"{key}.md"
        self.write(key, b"word " * (300 << 10))

    async def put_unknown(self, key: str) -> None:
        self.paths[key] = f"{key}.tape"
        self.write(key, bytes(range(256)) * 8)

    async def put_failing(self, key: str) -> None:
        """As on a share that names in its list what it cannot open."""
        self.lost = self.paths[key] = f"{key}.md"

    def write(self, key: str, content: bytes) -> None:
        """With a modification time later than that of any file before."""
        path = self.root / self.paths[key]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        self.clock += 10
        os.utime(path, (self.clock, self.clock))


def world(folder: Path) -> World:
    return FilesWorld(folder)
