"""What a child process does: one verb on ledger and index, in rooms of its own, with a hook at every write."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from ingest import commit, rebuild, sync
from ingest.commit import Writer
from ingest.errors import SouffleurError
from ingest.index import edge
from ingest.index.edge import EdgeStore
from ingest.index.hybrid import Index
from ingest.index.interface import Store
from ingest.index.server import ServerStore
from ingest.ledger import Ledger, SourceRecord, StateSettings
from ingest.sync import Run
from ingest.verify import verify
from tests.crash.boundaries import LEDGER, STORE, Boundaries, Bounded
from tests.crash.documents import LANGUAGES, TOKENS, Handed, parse
from tests.crash.task import Done, Place, Reached, Task
from tests.fixtures.models import HashingEmbedder

SECONDS = 240
"""Longest that a verb may take."""

QUESTIONS = 10
"""Asked of an index before it is put in use; here they only take time."""

SLOW_COMPACTION = """
import select, sys
import qdrant_edge as edge
shard = edge.EdgeShard.load(sys.argv[1])
print("open", flush=True)
select.select([], [], [], 0.5)
shard.optimize()
shard.flush()
shard.close()
"""
"""`ingest.index.compact`, which says when it has the engine's files open and takes as long as on a larger index."""


@dataclass
class Rooms:
    ledger: Any
    store: Any
    index: Index


def work(task: Task, parent: Connection) -> None:
    """The child's whole life."""
    boundaries = Boundaries(task.blow, task.target, parent)
    commit.BATCH, sync.GROUP_CHUNKS, rebuild.QUESTIONS = task.batch, task.group, QUESTIONS
    edge.shutil = _Shutil(boundaries)  # type: ignore[attr-defined]
    edge.subprocess = _Subprocess(task, boundaries)  # type: ignore[attr-defined]
    done = Done()
    try:
        asyncio.run(_work(task, parent, boundaries, done))
    except SouffleurError as error:
        done.error = str(error)
    except Exception:  # noqa: BLE001 - told to the parent
        done.raw = traceback.format_exc()
    done.writes = dict(boundaries.counts)
    with suppress(BrokenPipeError):
        parent.send(done)


class _Shutil:
    """`shutil` as the embedded index sees it."""

    def __init__(self, boundaries: Boundaries) -> None:
        self.disk_usage = boundaries.index_disk()

    def __getattr__(self, name: str) -> Any:
        return getattr(shutil, name)


class _Subprocess:
    """`subprocess` as the embedded index sees it, which compacts in a process of its own."""

    def __init__(self, task: Task, boundaries: Boundaries) -> None:
        self._is_slow = task.target.write == "compact"
        self._boundaries = boundaries

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def run(self, command: list[str], **how: Any) -> Any:
        if not self._is_slow:
            return subprocess.run(command, **how)
        slow = [sys.executable, "-c", SLOW_COMPACTION, *command[3:]]
        with subprocess.Popen(slow, stdout=subprocess.PIPE, pass_fds=how.get("pass_fds", ())) as process:
            if process.stdout is not None:
                process.stdout.readline()
            self._boundaries.before("compact")
        return None


async def _work(task: Task, parent: Connection, boundaries: Boundaries, done: Done) -> None:
    async with asyncio.timeout(SECONDS), _rooms(task.place, boundaries) as rooms:
        match task.what:
            case "sync":
                await _sync(task, rooms)
            case "reindex":
                await rebuild.reindex(rooms.ledger, rooms.index, accept_recall=True, wait_seconds=SECONDS / 2)
            case "rollback":
                await rebuild.rollback(rooms.ledger, rooms.index, wait_seconds=SECONDS / 2)
            case "hold":
                async with rooms.ledger.writing(task.source):
                    parent.send(Reached(write="lease", waits=True))
                    await asyncio.to_thread(parent.recv)
            case "read":
                while not parent.poll() and not done.wrong:
                    await _look(task, rooms, done)
            case "mend":
                await _look(task, rooms, done)
                await _sync(task, rooms)
                await _compare(task, rooms, done)


@asynccontextmanager
async def _rooms(place: Place, boundaries: Boundaries) -> AsyncIterator[Rooms]:
    ledger = await Ledger.open(StateSettings(url=place.state))
    boundaries.watch(ledger._engine)
    store: Store
    if place.folder is not None:
        store = EdgeStore(place.folder, compact_points=place.compact_points)
    else:
        store = ServerStore(str(place.url), collection="crash")
    bounded: Any = Bounded(store, boundaries, prefix="index", writes=STORE)
    index = Index(bounded, embedder=HashingEmbedder(16) if place.dense else None)
    try:
        yield Rooms(Bounded(ledger, boundaries, prefix="ledger", writes=LEDGER), store, index)
    finally:
        await index.close()
        await ledger.close()


async def _sync(task: Task, rooms: Rooms) -> None:
    """As `ingest sync` does it."""
    async with rooms.ledger.writing(task.source):
        await rooms.ledger.remember_source(SourceRecord(name=task.source, location="", configured=True))
        run = Run(
            source=Handed(task.source, task.papers, breaks=task.breaks),
            ledger=rooms.ledger,
            writer=Writer(task.source, rooms.ledger, rooms.index),
            parse=parse,
            workers=2,
            languages=LANGUAGES,
        )
        await run.sync()


async def _look(task: Task, rooms: Rooms, done: Done) -> None:
    """Whether every paper that must be found is found by whom it must be."""
    for id, token in task.readable.items():
        readers = frozenset({token})
        hits = await rooms.index.search(f"Paper {id}", visible_to=readers, language="en", limit=200)
        found = {hit.chunk.id for hit in hits if hit.chunk.document == id}
        if not found:
            done.wrong.append(f"{id} is not found by {token}, who could find it before")
        elif not await rooms.ledger.readable(found, readers):
            done.wrong.append(f"{id} may not be read by {token}, who could read it before")


async def _compare(task: Task, rooms: Rooms, done: Done) -> None:
    """Ledger with index, as `ingest verify` does it; and whether what is gone is out of reach."""
    verdict = await verify(rooms.ledger, rooms.index)
    if not verdict.agrees or verdict.unsettled or verdict.reachable:
        done.wrong.append(str(verdict))
    if not verdict.known == verdict.indexed == verdict.scrolled:
        done.wrong.append(f"{verdict.known} in the ledger, {verdict.indexed} in the index, {verdict.scrolled} scrolled")
    done.held = [chunk async for page in rooms.ledger.pages() for chunk in page]
    if await rooms.index.identity() is None:  # nothing has ever been written
        return
    if task.place.dense:
        await _compare_vectors(rooms, done)
    for word in task.unreachable:
        hits = await rooms.index.search(word, visible_to=TOKENS, language="en", limit=10)
        done.wrong.extend(f"{word} is found, which is gone" for hit in hits if f" {word}." in hit.chunk.text)


async def _compare_vectors(rooms: Rooms, done: Done) -> None:
    embedder = HashingEmbedder(16)
    async for page in rooms.store.scroll():
        vectors = await rooms.store.vectors([chunk.id for chunk in page])
        right = await embedder.embed_documents([chunk.indexed_text for chunk in page])
        for chunk, expected in zip(page, right, strict=True):
            found = vectors.get(chunk.id, ())
            if len(found) != len(expected) or max(abs(a - b) for a, b in zip(found, expected, strict=True)) > 1e-3:
                done.wrong.append(f"{chunk.document}: a passage has the vector of another text")
