"""An S3 bucket, whose objects below a prefix are documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ingest.model import EVERYONE, DocumentId, Readers
from ingest.sources.files import AccessRule, Files, FilesSettings
from ingest.sources.interface import Source
from tests.conformance.worlds.interface import World

FINANCE: Readers = frozenset({"group:finance"})

PREFIX = "handbook/"


@dataclass
class RemoteFilesWorld:
    folder: Path
    kind: str = "remote_files"
    not_applicable: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    restricted: set[str] = field(default_factory=set)
    server: Any = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        pytest.importorskip("moto", reason="no S3 server to test against: install the extra `dev`")
        pytest.importorskip("s3fs", reason="no S3 client: install the extra `dev`")
        from tests.fixtures.s3 import S3

        self.server = S3()
        async with self.server.served():
            await self.server.put("elsewhere/delta.md", b"# Delta\n\nBeside the prefix, and no document.\n")
            yield

    def source(self) -> Source:
        from tests.fixtures.s3 import TOKEN

        settings = FilesSettings(
            root=f"s3://{self.server.bucket}/{PREFIX}",
            url="https://files.example.org/handbook",
            storage=self.server.storage,
            token=SecretStr(TOKEN),
            access=[AccessRule(paths=self.paths[key], readers=sorted(FINANCE)) for key in sorted(self.restricted)],
        )
        return Files("handbook", settings, max_file_mb=1)

    async def put(self, key: str, text: str) -> None:
        await self._put(key, f"{key}/{key}.md", f"# {key.title()}\n\n{text}\n".encode())

    async def rename(self, key: str) -> None:
        old, self.paths[key] = self.paths[key], f"{key}/{key}-renamed.md"
        await self.server.rename(PREFIX + old, PREFIX + self.paths[key])

    async def delete(self, key: str) -> None:
        await self.server.delete(PREFIX + self.paths.pop(key))

    async def restrict(self, key: str) -> Readers:
        self.restricted.add(key)
        return FINANCE

    def id(self, key: str) -> DocumentId:
        return DocumentId(self.paths[key])

    def readers(self, key: str) -> Readers:
        return FINANCE if key in self.restricted else frozenset({EVERYONE})

    def fetched(self) -> int:
        fetched: int = self.server.handed_out
        return fetched

    async def break_second_page(self, broken: bool = True) -> None:
        self.server.broken = broken

    async def empty(self) -> None:
        for key in await self.server.keys():
            await self.server.delete(key)

    async def busy(self, times: int) -> None:
        self.server.busy_left = times

    def waited(self) -> int:
        waited: int = self.server.busy_answers
        return waited

    async def revoke(self) -> None:
        self.server.revoked = True

    async def put_large(self, key: str) -> None:
        await self._put(key, f"{key}.md", b"word " * (300 << 10))

    async def put_unknown(self, key: str) -> None:
        await self._put(key, f"{key}.tape", bytes(range(256)) * 8)

    async def put_failing(self, key: str) -> None:
        await self.put(key, "No one reads this.")
        self.server.failing.add(PREFIX + self.paths[key])

    async def _put(self, key: str, path: str, content: bytes) -> None:
        self.paths.setdefault(key, path)
        await self.server.put(PREFIX + self.paths[key], content)


def world(folder: Path) -> World:
    return RemoteFilesWorld(folder)
