"""A folder of documents and the real rooms around it: what the tests of a document's life work in."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.commit import Writer
from ingest.index.edge import EdgeStore
from ingest.index.hybrid import Index
from ingest.index.interface import Embedder, Store
from ingest.ledger import Ledger, SourceRecord, StateSettings
from ingest.model import EVERYONE, Chunk, DocumentId, Readers
from ingest.parsers.interface import ParsingSettings
from ingest.parsers.sandbox import Sandbox
from ingest.reading import Parse
from ingest.sources.files import AccessRule, Files, FilesSettings
from ingest.sources.interface import Source
from ingest.sync import Report, Run
from tests.fixtures.stores import MemoryStore

WAIT = 30
"""Seconds that a test may take before it is given up; nothing here comes near it."""

Wrap = Callable[[Any], Any]


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
        self.embedder: Embedder | None = None
        """Shared by all runs; the index is lexical without one."""
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
                yield Rooms(
                    ledger=wrap(ledger), store=store, index=Index(wrap(store), embedder=self.embedder), sandbox=sandbox
                )
        finally:
            await store.close()
            await ledger.close()

    async def sync(self, source: Source | None = None, **how: Any) -> Report:
        """One run, in rooms opened for it; `how` as for `run`, and what `Run.sync` takes."""
        wanted = {name: how.pop(name) for name in ("full", "allow_removals") if name in how}
        async with self.run(source, **how) as run:
            return await run.sync(**wanted)

    async def retry(self, source: Source | None = None, **how: Any) -> Report:
        async with self.run(source, **how) as run:
            return await run.retry()

    @asynccontextmanager
    async def run(
        self, source: Source | None = None, *, wrap: Wrap = lambda room: room, parse: Parse | None = None, **how: Any
    ) -> AsyncIterator[Run]:
        """A run that holds the lease; `how` is what `Run` takes."""
        source = source or self.source()
        async with asyncio.timeout(WAIT), self.rooms(wrap) as rooms, rooms.ledger.writing(source.name):
            await rooms.ledger.remember_source(SourceRecord(name=source.name, location="", configured=True))
            yield Run(
                source=source,
                ledger=rooms.ledger,
                writer=Writer(source.name, rooms.ledger, rooms.index),
                parse=parse or rooms.sandbox.parse,
                workers=2,
                languages=("en", "fr", "de"),
                **how,
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
            known = {chunk.id: chunk async for page in rooms.ledger.pages() for chunk in page}
            pages = [page async for page in rooms.store.scroll()] if await rooms.store.identity() else []
            indexed = {chunk.id: chunk for page in pages for chunk in page}
            return dict(known), dict(indexed)
