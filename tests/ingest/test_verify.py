from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.change import Change, Outcome
from ingest.commit import Writer
from ingest.index.edge import EdgeStore
from ingest.index.hybrid import Index
from ingest.index.interface import IndexMissing, Point, SparseVector, Store
from ingest.ledger import Ledger, Record, StateSettings
from ingest.model import Chunk, ChunkId, DocumentId, Readers, chunk_id
from ingest.verify import NAMED, PAGE, Kind, Verdict, verify
from tests.fixtures.stores import MemoryStore

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
EVERYONE: Readers = frozenset({"everyone"})
BOARD: Readers = frozenset({"group:board"})
WAIT = 30
"""Seconds until a test that hangs is given up."""

slow_examples = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def record(document: str, *, readers: Readers = EVERYONE, title: str = "Rules") -> Record:
    return Record(
        source="docs",
        id=DocumentId(document),
        version="1",
        content_hash="ab" * 32,
        parser="kreuzberg",
        error=None,
        title=title,
        url=f"file:///{document}",
        author=None,
        updated_at=NOW,
        language="en",
        readers=readers,
        own_readers=None,
        indexed_at=NOW,
    )


def passage(of: Record, text: str, position: int = 0) -> Chunk:
    return Chunk(
        id=chunk_id(of.source, of.id, text),
        source=of.source,
        document=of.id,
        position=position,
        title=of.title,
        headings=("House",),
        page=None,
        text=text,
        language=of.language,
        readers=of.readers,
        url=of.url,
        updated_at=of.updated_at,
    )


def document(name: str, *texts: str, readers: Readers = EVERYONE) -> Change:
    of = record(name, readers=readers)
    chunks = [passage(of, text, position) for position, text in enumerate(texts)]
    return Change(record=of, outcome=Outcome.ADDED, chunks=chunks)


@dataclass
class Rooms:
    ledger: Ledger
    store: Store

    @property
    def index(self) -> Index:
        return Index(self.store)

    async def write(self, *changes: Change) -> None:
        async with self.ledger.writing("docs"):
            await Writer("docs", self.ledger, self.index).write(changes)

    async def remove(self, *documents: str) -> None:
        async with self.ledger.writing("docs"):
            await Writer("docs", self.ledger, self.index).remove([DocumentId(document) for document in documents])

    async def known(self) -> dict[ChunkId, Chunk]:
        return {chunk.id: chunk async for page in self.ledger.pages() for chunk in page}

    async def indexed(self) -> dict[ChunkId, Chunk]:
        return {chunk.id: chunk async for page in self.store.scroll() for chunk in page}

    async def repaired(self) -> Verdict:
        async with self.ledger.alone():
            return await verify(self.ledger, self.index, repair=True)


@asynccontextmanager
async def opened(folder: Path, store: Store) -> AsyncIterator[Rooms]:
    ledger = await Ledger.open(StateSettings(url=f"sqlite+aiosqlite:///{folder / 'state.db'}"))
    try:
        yield Rooms(ledger, store)
    finally:
        await store.close()
        await ledger.close()


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with opened(tmp_path, MemoryStore({})) as rooms:
        yield rooms


TEXTS = tuple(f"Passage {number} of the house rules." for number in range(8))
REMOVED = document("removed.md", "The old canteen served soup.", "The old canteen closed at two.")
assert REMOVED.chunks is not None


@dataclass(frozen=True)
class Corruption:
    what: str
    number: int
    """Which of the chunks, or which foreign one."""


CORRUPTIONS = st.lists(
    st.builds(
        Corruption,
        what=st.sampled_from(["drop", "foreign", "revive", "text", "label", "readers"]),
        number=st.integers(0, 5),
    ),
    max_size=12,
)


async def corrupt(store: Store, good: Sequence[Chunk], corruption: Corruption) -> None:
    chunk = good[corruption.number]
    there = await store.chunks([chunk.id])
    match corruption.what:
        case "drop":
            await store.delete([chunk.id])
        case "foreign":
            await store.upsert([point(passage(record("foreign.md"), f"Foreign {corruption.number}"))])
        case "revive":
            assert REMOVED.chunks is not None
            await store.upsert([point(REMOVED.chunks[corruption.number % 2])])
        case "text":
            await store.describe([replace(found, text=f"{found.text} No longer.") for found in there])
        case "label":
            await store.describe([replace(found, page=(found.page or 0) + 1) for found in there])
        case "readers":
            await store.set_readers([chunk.id], BOARD)


def point(chunk: Chunk) -> Point:
    return Point(chunk=chunk, lexical=SparseVector(indices=(7,), values=(1.0,)), dense=None)


def kind_of(known: Chunk | None, indexed: Chunk | None) -> Kind:
    if indexed is None:
        return Kind.MISSING
    if known is None:
        return Kind.REACHABLE if indexed.document == "removed.md" else Kind.UNKNOWN
    if indexed.readers != known.readers:
        return Kind.READERS
    return Kind.TEXT if indexed.text != known.text else Kind.LABELS


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Rooms]:
    """A real index and ledger that hold two documents, and have held a third."""
    async with opened(tmp_path, EdgeStore(tmp_path / "index")) as rooms:
        await rooms.write(document("a.md", *TEXTS[:4]), document("b.md", *TEXTS[4:], readers=BOARD), REMOVED)
        await rooms.remove("removed.md")
        yield rooms


@given(corruptions=CORRUPTIONS)
@settings(max_examples=25, deadline=None, suppress_health_check=slow_examples)
async def test_every_corruption_is_told_and_repaired_and_what_is_intact_is_never_told_different(
    engine: Rooms, corruptions: list[Corruption]
) -> None:
    rooms = engine
    async with asyncio.timeout(WAIT):
        known = await rooms.known()
        assert await rooms.indexed() == known
        good = sorted(known.values(), key=lambda chunk: chunk.text)
        for corruption in corruptions:
            await corrupt(rooms.store, good, corruption)
        indexed = await rooms.indexed()
        expected = {
            id: kind_of(known.get(id), indexed.get(id))
            for id in known.keys() | indexed.keys()
            if known.get(id) != indexed.get(id)
        }

        told = await verify(rooms.ledger, rooms.index)
        again = await verify(rooms.ledger, rooms.index)
        repaired = await rooms.repaired()
        afterwards = await verify(rooms.ledger, rooms.index)

        assert {difference.chunk: difference.kind for difference in told.differences} == expected
        assert told.counts == repaired.counts == Counter(expected.values())
        assert told == again, "comparing changes nothing"
        assert (told.known, told.indexed, told.scrolled) == (len(known), len(indexed), len(indexed))
        assert (told.removed, told.reachable) == (1, int(Kind.REACHABLE in expected.values()))
        assert (told.agrees, repaired.agrees, afterwards.agrees) == (not expected, True, True)
        assert (afterwards.differing, afterwards.reachable, afterwards.uncounted) == (0, 0, 0)
        assert await rooms.indexed() == await rooms.known() == known
        for chunk in good:
            hits = await rooms.index.search(chunk.text, visible_to=chunk.readers, language="en", limit=1)
            assert hits[0].chunk == chunk, "what was mended is found by its words"


async def test_a_difference_names_the_document_and_the_fields(rooms: Rooms) -> None:
    await rooms.write(document("a.md", TEXTS[0]))
    [chunk] = (await rooms.known()).values()
    await rooms.store.describe([replace(chunk, page=7, readers=BOARD)])

    [difference] = (await verify(rooms.ledger, rooms.index)).differences

    assert (difference.kind, difference.source, difference.document) == (Kind.READERS, "docs", "a.md")
    assert difference.fields == ("page", "readers")


async def test_a_point_that_holds_the_text_of_a_removed_document_under_a_known_id_is_told_as_reachable(
    rooms: Rooms,
) -> None:
    await rooms.write(document("a.md", TEXTS[0]), REMOVED)
    await rooms.remove("removed.md")
    [chunk] = (await rooms.known()).values()
    assert REMOVED.chunks is not None
    await rooms.store.describe([replace(REMOVED.chunks[0], id=chunk.id)])

    verdict = await verify(rooms.ledger, rooms.index)
    await rooms.repaired()

    assert (verdict.counts, verdict.reachable) == ({Kind.REACHABLE: 1}, 1)
    assert await rooms.indexed() == {chunk.id: chunk}


async def test_a_removed_document_that_came_back_is_no_longer_looked_for(rooms: Rooms) -> None:
    await rooms.write(REMOVED, document("a.md", TEXTS[0]))
    await rooms.remove("removed.md", "a.md")
    assert (await verify(rooms.ledger, rooms.index)).removed == 2

    await rooms.write(REMOVED)

    verdict = await verify(rooms.ledger, rooms.index)
    assert (verdict.removed, verdict.reachable, verdict.agrees) == (1, 0, True)


async def test_all_differences_are_counted_and_the_first_of_each_kind_named(rooms: Rooms) -> None:
    texts = [f"Rule {number}." for number in range(PAGE + 200)]
    await rooms.write(document("a.md", *texts))
    ids = sorted(await rooms.known())
    await rooms.store.delete(ids[: PAGE + 50])
    await rooms.store.set_readers(ids[PAGE + 50 :], BOARD)

    verdict = await verify(rooms.ledger, rooms.index)

    assert verdict.counts == {Kind.READERS: 150, Kind.MISSING: PAGE + 50}
    assert [difference.kind for difference in verdict.differences] == [Kind.READERS] * NAMED + [Kind.MISSING] * NAMED


async def test_no_more_than_a_page_is_asked_for_at_once_and_the_progress_ends_at_the_whole(rooms: Rooms) -> None:
    texts = [f"Rule {number}." for number in range(2 * PAGE + 100)]
    await rooms.write(document("a.md", *texts))
    asked: list[int] = []
    told: list[tuple[int, int]] = []

    async def note(name: str, arguments: Sequence[Any]) -> None:
        asked.extend(len(argument) for argument in arguments if hasattr(argument, "__len__"))

    store = Watched(rooms.store, note)
    await verify(Watched(rooms.ledger, note), Index(store), progress=lambda done, total: told.append((done, total)))

    assert max(asked) <= 1000
    assert told == sorted(told)
    assert told[-1] == (2 * len(texts), 2 * len(texts))


async def test_without_an_index_nothing_is_different_from_an_empty_ledger_and_a_full_one_is_not_compared(
    rooms: Rooms,
) -> None:
    assert (await verify(rooms.ledger, rooms.index)).agrees
    await rooms.write(document("a.md", TEXTS[0]))

    lost = Rooms(rooms.ledger, MemoryStore({}))
    with pytest.raises(IndexMissing):
        await verify(lost.ledger, lost.index)

    assert (await lost.repaired()).counts == {Kind.MISSING: 1}
    assert await lost.indexed() == await lost.known()


class Hiding:
    """A store whose scroll leaves out the last point."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def scroll(self) -> AsyncIterator[list[Chunk]]:
        async for page in self._store.scroll():
            yield page[:-1]


async def test_a_point_that_no_scroll_reaches_is_told_by_the_exact_count(rooms: Rooms) -> None:
    await rooms.write(document("a.md", *TEXTS))
    hidden: Any = Hiding(rooms.store)

    verdict = await verify(rooms.ledger, Index(hidden))

    assert (verdict.uncounted, verdict.agrees) == (1, False)


class Watched:
    """A ledger or a store that tells of every call before it is made."""

    def __init__(self, room: Any, tell: Callable[[str, Sequence[Any]], Awaitable[None]]) -> None:
        self._room = room
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._room, name)
        if not callable(call) or name in ("alone", "writing"):
            return call
        if name in ("scroll", "pages"):

            async def pages(*args: Any) -> AsyncIterator[Any]:
                await self._tell(name, args)
                async for page in call(*args):
                    yield page
                    await self._tell(name, args)

            return pages

        async def told(*args: Any, **kwargs: Any) -> Any:
            await self._tell(name, args)
            return await call(*args, **kwargs)

        return told


class Turns:
    """Lets a writer make as many calls as it is given turns, and then waits for the next."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._left = 0
        self._waiting = False
        self._ended = False

    async def take(self, name: str, arguments: Sequence[Any]) -> None:
        async with self._changed:
            self._waiting = True
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self._left)
            self._left -= 1
            self._waiting = False

    async def give(self, turns: int) -> None:
        """Returns when the writer has used them."""
        async with self._changed:
            self._left += turns
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self._ended or (self._waiting and not self._left))

    async def end(self) -> None:
        async with self._changed:
            self._ended = True
            self._changed.notify_all()


BEFORE = (
    document("grows.md", *TEXTS[:2]),
    document("shrinks.md", *TEXTS),
    document("restricted.md", *TEXTS[:3]),
    document("removed.md", *TEXTS[5:]),
)
AFTER = (
    (document("grows.md", *TEXTS[:6]), document("shrinks.md", TEXTS[3]), document("new.md", *TEXTS[:4])),
    (document("restricted.md", *TEXTS[:3], readers=BOARD), document("grows.md", *TEXTS[:5])),
    (document("shrinks.md", *TEXTS),),
)


@given(turns=st.lists(st.integers(0, 12), min_size=8, max_size=30))
@example(turns=[0, 0, 0, 0, 10, 0, 3, 0])  # a group is committed between the two queries of one look
@settings(max_examples=30, deadline=None, suppress_health_check=slow_examples)
async def test_what_is_being_written_is_never_told_different(rooms: Rooms, turns: list[int]) -> None:
    async with asyncio.timeout(WAIT):
        await rooms.remove("grows.md", "shrinks.md", "restricted.md", "new.md")  # of the example before
        await rooms.write(*BEFORE)
        pace = Turns()
        waiting = iter(turns)

        async def write() -> None:
            async with rooms.ledger.writing("docs"):
                ledger: Any = Watched(rooms.ledger, pace.take)
                writer = Writer("docs", ledger, Index(Watched(rooms.store, pace.take)))
                for group in AFTER:
                    await writer.write(group)
                await writer.remove([DocumentId("removed.md")])
            await pace.end()

        async def let_write(name: str, arguments: Sequence[Any]) -> None:
            await pace.give(next(waiting, 0))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(write())
            verdict = await verify(Watched(rooms.ledger, let_write), Index(Watched(rooms.store, let_write)))
            await pace.give(1000)

        assert (verdict.counts, verdict.uncounted, verdict.agrees) == ({}, 0, True)
        assert await rooms.indexed() == await rooms.known()
        assert (await verify(rooms.ledger, rooms.index)).agrees


class Stop(BaseException):
    """The writer was killed."""


@pytest.mark.parametrize("call", ["delete", "flush", "settle"])
async def test_what_a_killed_writer_left_is_told_though_it_was_announced(rooms: Rooms, call: str) -> None:
    await rooms.write(REMOVED, document("a.md", *TEXTS))

    async def kill(name: str, arguments: Sequence[Any]) -> None:
        if name == call:
            raise Stop

    async with rooms.ledger.writing("docs"):
        ledger: Any = Watched(rooms.ledger, kill)
        writer = Writer("docs", ledger, Index(Watched(rooms.store, kill)))
        with pytest.raises(Stop):
            await writer.remove([DocumentId("removed.md")])

    verdict = await verify(rooms.ledger, rooms.index)

    left = 2 if call == "delete" else 0
    assert (verdict.unsettled, verdict.in_writing, verdict.removed) == (2, 0, 1)
    assert (verdict.counts.get(Kind.REACHABLE, 0), verdict.reachable, verdict.agrees) == (left, bool(left), not left)


async def test_what_a_writer_has_announced_is_counted_aside_while_it_writes(rooms: Rooms) -> None:
    await rooms.write(document("a.md", *TEXTS))
    new = document("new.md", *TEXTS[:3])
    assert new.chunks is not None
    async with rooms.ledger.writing("docs"):
        await rooms.ledger.unsettle("docs", [chunk.id for chunk in new.chunks])
        await rooms.index.write(new.chunks)

        verdict = await verify(rooms.ledger, rooms.index)

    assert (verdict.counts, verdict.unsettled, verdict.in_writing, verdict.agrees) == ({}, 3, 3, True)
    assert (await verify(rooms.ledger, rooms.index)).counts == {Kind.UNKNOWN: 3}
