"""A folder of documents and the real rooms around it: what the tests of a document's life work in."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingest.commit import Writer
from ingest.index.edge import EdgeStore
from ingest.index.hybrid import Index
from ingest.index.interface import Identity, Point, Ranked, SparseVector, Store
from ingest.ledger import Ledger, StateSettings
from ingest.model import EVERYONE, Chunk, ChunkId, DocumentId, Readers
from ingest.parsers.interface import ParsingSettings
from ingest.parsers.sandbox import Sandbox
from ingest.sources.files import AccessRule, Files, FilesSettings
from ingest.sources.interface import Source
from ingest.sync import Parse, Progress, Report, sync

WAIT = 30
"""Seconds that a test may take before it is given up; nothing here comes near it."""

Wrap = Callable[[Any], Any]


class MemoryStore:
    """A `Store` in a dictionary that outlives it, as a folder does; what it holds is never durable and always there."""

    place = "memory"

    def __init__(self, kept: dict[str, Any]) -> None:
        self._kept = kept

    @property
    def _points(self) -> dict[ChunkId, Point]:
        return self._kept.setdefault("points", {})

    async def identity(self) -> Identity | None:
        return self._kept.get("identity")

    async def create(self, identity: Identity) -> None:
        self._kept.clear()
        self._kept["identity"] = identity

    async def upsert(self, points: Sequence[Point]) -> None:
        self._points.update({point.chunk.id: point for point in points})

    async def delete(self, ids: Sequence[ChunkId]) -> None:
        for id in ids:
            self._points.pop(id, None)

    async def set_readers(self, ids: Sequence[ChunkId], readers: Readers) -> None:
        for id in set(ids) & self._points.keys():
            point = self._points[id]
            self._points[id] = replace(point, chunk=replace(point.chunk, readers=readers))

    async def flush(self) -> None:
        pass

    async def rank_lexical(self, vector: SparseVector, *, visible_to: Readers, limit: int) -> list[Ranked]:
        wanted = dict(zip(vector.indices, vector.values, strict=True))
        ranked = [
            Ranked(id=point.chunk.id, score=score)
            for point in self._points.values()
            if point.chunk.readers & visible_to
            and (score := sum(wanted.get(i, 0) * v for i, v in zip(*_parts(point.lexical), strict=True)))
        ]
        return sorted(ranked, key=lambda item: -item.score)[:limit]

    async def rank_dense(self, vector: Sequence[float], *, visible_to: Readers, limit: int) -> list[Ranked]:
        raise AssertionError("there is no embedding model here")

    async def chunks(self, ids: Iterable[ChunkId]) -> list[Chunk]:
        return [self._points[id].chunk for id in ids if id in self._points]

    async def count(self) -> int:
        return len(self._points)

    async def ids(self) -> AsyncIterator[tuple[ChunkId, DocumentId]]:
        for point in list(self._points.values()):
            yield point.chunk.id, point.chunk.document

    async def close(self) -> None:
        pass


def _parts(vector: SparseVector) -> tuple[tuple[int, ...], tuple[float, ...]]:
    return vector.indices, vector.values


@dataclass
class Rooms:
    ledger: Ledger
    store: Store
    index: Index
    sandbox: Sandbox


class Workplace:
    """`docs` is the folder that is synced; ledger and index are opened anew for every run, as by the program."""

    def __init__(self, folder: Path, *, embedded: bool = False) -> None:
        """`embedded`: with the embedded engine, which takes a second of disk time to make an index, not in memory."""
        self.docs = folder / "docs"
        self.docs.mkdir(parents=True)
        self.home = folder / "home"
        self.kept: dict[str, Any] = {}
        self._embedded = embedded
        self._clock = 1_700_000_000

    def copy(self, folder: Path) -> Workplace:
        """Another one in the same state (in memory only)."""
        other = Workplace(folder)
        shutil.copytree(self.docs, other.docs, dirs_exist_ok=True)
        shutil.copytree(self.home, other.home)
        other.kept = self.kept | {"points": dict(self.kept.get("points", {}))}
        other._clock = self._clock
        return other

    def write(self, name: str, text: str) -> Path:
        """A file with a modification time of its own, later than that of any file before."""
        path = self.docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.touch(name)
        return path

    def touch(self, name: str) -> None:
        self._clock += 10
        os.utime(self.docs / name, (self._clock, self._clock))

    def source(self, **settings: Any) -> Files:
        return Files("docs", FilesSettings(root=self.docs, **settings))

    def restricted(self, **readers: list[str]) -> Files:
        """The folder with an access rule for each named document, `.md` left out."""
        return self.source(access=[AccessRule(paths=f"{name}.md", readers=who) for name, who in readers.items()])

    @asynccontextmanager
    async def rooms(self, wrap: Wrap = lambda room: room) -> AsyncIterator[Rooms]:
        """Ledger, index and sandbox, the first two behind `wrap`."""
        ledger = await Ledger.open(StateSettings(url=f"sqlite+aiosqlite:///{self.home / 'state.db'}"))
        store: Store = EdgeStore(self.home / "index") if self._embedded else MemoryStore(self.kept)
        try:
            async with Sandbox(ParsingSettings()) as sandbox:
                yield Rooms(ledger=wrap(ledger), store=store, index=Index(wrap(store)), sandbox=sandbox)
        finally:
            await store.close()
            await ledger.close()

    async def sync(
        self,
        source: Source | None = None,
        *,
        wrap: Wrap = lambda room: room,
        parse: Parse | None = None,
        progress: Progress = lambda _: None,
        stop: asyncio.Event | None = None,
        retry: bool = False,
        allow_removals: bool = False,
    ) -> Report:
        async with asyncio.timeout(WAIT), self.rooms(wrap) as rooms, rooms.ledger.writing():
            return await sync(
                source or self.source(),
                ledger=rooms.ledger,
                writer=Writer(rooms.ledger, rooms.index),
                parse=parse or rooms.sandbox.parse,
                workers=2,
                languages=("en", "fr", "de"),
                progress=progress,
                stop=stop,
                retry=retry,
                allow_removals=allow_removals,
            )

    async def found(self, words: str, *tokens: str) -> set[DocumentId]:
        """Documents in which the index finds all `words` for a holder of `tokens` (a member, unless told otherwise)."""
        readers: Readers = frozenset(tokens or {EVERYONE})
        async with self.rooms() as rooms:
            hits = await rooms.index.search(words, visible_to=readers, language="en")
        return {hit.chunk.document for hit in hits if all(word in hit.chunk.text.lower() for word in words.split())}

    async def held(self) -> tuple[dict[str, Chunk], dict[str, Chunk]]:
        """Every chunk by id, as the ledger has it and as the index has it."""
        async with self.rooms() as rooms:
            documents = await rooms.ledger.documents("docs")
            chunks = await rooms.ledger.chunks("docs", documents)
            known = {chunk.id: chunk for passages in chunks.values() for chunk in passages}
            ids = [id async for id, _ in rooms.store.ids()] if await rooms.store.identity() else []
            indexed = {chunk.id: chunk for chunk in await rooms.store.chunks(ids)}
            return dict(known), dict(indexed)
