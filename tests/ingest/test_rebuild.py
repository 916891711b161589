"""An index built anew beside the one in use: what is reused, replayed, refused, resumed, and how the way back goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import rebuild
from ingest.change import Change, Outcome
from ingest.commit import Writer
from ingest.index.edge import EdgeStore
from ingest.index.hybrid import Index
from ingest.index.interface import Embedder, IndexDamaged, IndexMismatch, IndexMissing, Store
from ingest.ledger import Ledger, LedgerBusy, Record, StateSettings
from ingest.model import EVERYONE, Chunk, ChunkId, DocumentId, Readers, chunk_id
from ingest.rebuild import NoEarlierIndex, Rebuilt, RecallTooLow, known_items, reindex, rollback
from tests.fixtures.models import HashingEmbedder
from tests.fixtures.stores import MemoryStore

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
MEMBER: Readers = frozenset({EVERYONE})
WAIT = 30
"""Seconds until a test that hangs is given up."""

HANDBOOK = {
    "leave": ("Parental leave lasts sixteen weeks for every parent.", "A year has thirty days of holiday."),
    "travel": ("Book trains in the travel portal before the journey.",),
    "parking": ("The garage under the building opens at six.",),
    "salaries": ("The salary bands are reviewed every spring by the board.",),
}


PAGES = {f"page-{number}": (f"Page {number} is about nothing, {'really ' * number}.",) for number in range(30)}
"""Enough of them that ten are few."""


class Model(HashingEmbedder):
    """Notes what it is asked for; `before` is called for its first texts."""

    def __init__(self, name: str = "hashing", size: int = 64) -> None:
        super().__init__(size, name)
        self.texts: list[str] = []
        self.before: Callable[[], Awaitable[None]] | None = None

    async def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        if (before := self.before) is not None:
            self.before = None
            await before()
        self.texts.extend(texts)
        return await super().embed_documents(texts)


class Useless(Model):
    """Everything is near everything."""

    def __init__(self) -> None:
        super().__init__("useless")

    async def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        await super().embed_documents(texts)
        # By the length of the text: far apart for no reason.
        return [[1.0, len(text) % 7, *[0.0] * 62] for text in texts]

    async def embed_query(self, text: str) -> list[float]:
        return [1.0, 9.0, *[0.0] * 62]


@dataclass
class Rooms:
    """Ledger and index, over a dictionary unless there is a folder for the embedded engine."""

    ledger: Ledger
    folder: Path | None = None
    kept: dict[str, Any] = field(default_factory=dict)
    model: Embedder | None = None
    """What is configured."""
    weight: float = 0.3
    in_memory: type[MemoryStore] = MemoryStore

    @asynccontextmanager
    async def index(self) -> AsyncIterator[Index]:
        store: Store = self.in_memory(self.kept) if self.folder is None else EdgeStore(self.folder)
        async with Index(store, embedder=self.model, dense_weight=self.weight) as index:
            yield index

    async def put(self, **documents: Sequence[str]) -> None:
        changes = [_document(name, texts) for name, texts in documents.items()]
        async with self.index() as index, self.ledger.writing("docs"):
            await Writer("docs", self.ledger, index).write(changes)

    async def remove(self, *documents: str) -> None:
        async with self.index() as index, self.ledger.writing("docs"):
            await Writer("docs", self.ledger, index).remove([DocumentId(name) for name in documents])

    async def reindex(self, **how: Any) -> Rebuilt:
        async with asyncio.timeout(WAIT), self.index() as index:
            return await reindex(self.ledger, index, **how)

    async def leave_a_draft(self) -> None:
        async with self.ledger.writing("docs"):
            with pytest.raises(LedgerBusy):
                await self.reindex(wait_seconds=0)

    async def rollback(self) -> int:
        """How many chunks were brought up to date."""
        async with asyncio.timeout(WAIT), self.index() as index:
            return (await rollback(self.ledger, index)).differing

    async def known(self) -> dict[ChunkId, Chunk]:
        return {chunk.id: chunk async for page in self.ledger.pages() for chunk in page}

    async def indexed(self) -> dict[ChunkId, Chunk]:
        async with self.index() as index:
            return {chunk.id: chunk async for page in index.scroll() for chunk in page}

    async def found(self, words: str) -> list[str]:
        async with self.index() as index:
            hits = await index.search(words, visible_to=MEMBER, language="en")
        return [hit.chunk.document for hit in hits]


def _document(name: str, texts: Sequence[str], readers: Readers = MEMBER) -> Change:
    document = DocumentId(name)
    record = Record(
        source="docs",
        id=document,
        version="1",
        content_hash="",
        parser="",
        error=None,
        title=name.title(),
        url=None,
        author=None,
        updated_at=NOW,
        language="en",
        readers=readers,
        own_readers=None,
        indexed_at=NOW,
    )
    chunks = [
        Chunk(
            id=chunk_id("docs", document, text),
            source="docs",
            document=document,
            position=position,
            title=name.title(),
            headings=(),
            page=None,
            text=text,
            language="en",
            readers=readers,
            url=None,
            updated_at=NOW,
        )
        for position, text in enumerate(texts)
    ]
    return Change(record=record, outcome=Outcome.ADDED, chunks=chunks)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    ledger = await Ledger.open(StateSettings(url=f"sqlite+aiosqlite:///{tmp_path / 'state.db'}"))
    yield ledger
    await ledger.close()


@pytest.fixture(params=["dictionary", "edge"])
async def anywhere(request: pytest.FixtureRequest, ledger: Ledger, tmp_path: Path) -> Rooms:
    """With the handbook, without a model."""
    rooms = Rooms(ledger, folder=tmp_path / "index" if request.param == "edge" else None)
    await rooms.put(**HANDBOOK)
    return rooms


@pytest.fixture
async def rooms(ledger: Ledger) -> Rooms:
    """With the handbook, under a model."""
    rooms = Rooms(ledger, model=Model())
    await rooms.put(**HANDBOOK)
    return rooms


async def test_an_index_is_built_with_a_new_model_and_the_old_one_is_kept(anywhere: Rooms) -> None:
    model = anywhere.model = Model()
    rebuilt = await anywhere.reindex()
    assert (rebuilt.passages, rebuilt.embedded, rebuilt.resumed, rebuilt.replayed) == (5, 5, 0, 0)
    assert len(model.texts) == 5
    assert await anywhere.indexed() == await anywhere.known()
    assert (await anywhere.found("parental leave"))[0] == "leave"
    anywhere.model = None
    assert await anywhere.rollback() == 0
    assert (await anywhere.found("parental leave"))[0] == "leave"


async def test_known_vectors_are_not_made_again(rooms: Rooms) -> None:
    model = rooms.model = Model()
    rebuilt = await rooms.reindex()
    assert (rebuilt.passages, rebuilt.embedded) == (5, 0)
    assert model.texts == []
    assert (await rooms.found("parental leave"))[0] == "leave"


@pytest.mark.parametrize("model", [Model("other"), Model(size=32)], ids=["another model", "another length"])
async def test_vectors_of_another_model_are_not_taken(rooms: Rooms, model: Model) -> None:
    rooms.model = model
    assert (await rooms.reindex()).embedded == 5
    assert (await rooms.found("parental leave"))[0] == "leave"


async def test_what_changes_during_the_build_is_replayed(ledger: Ledger, tmp_path: Path) -> None:
    writers = Rooms(ledger, folder=tmp_path / "index", model=Model())
    await writers.put(**HANDBOOK)
    rooms = replace(writers, model=Model("new"))

    async def meanwhile() -> None:
        await writers.remove("salaries")
        await writers.put(travel=["Flights are booked by the assistants now."], lunch=["Lunch is at noon."])
        assert (await writers.found("lunch"))[0] == "lunch"
        assert "salaries" not in await writers.found("salary bands")

    assert isinstance(rooms.model, Model)
    rooms.model.before = meanwhile
    rebuilt = await rooms.reindex()
    assert rebuilt.passages == 5
    assert rebuilt.replayed > 0
    assert await rooms.indexed() == await rooms.known()
    assert (await rooms.found("flights"))[0] == "travel"
    assert "salaries" not in await rooms.found("salary bands reviewed")


async def test_an_index_that_finds_less_is_not_put_in_use_unless_that_is_accepted(rooms: Rooms) -> None:
    await rooms.put(**PAGES)
    rooms.model, rooms.weight = Useless(), 1.0
    with pytest.raises(RecallTooLow, match=r"recall@10 \d.*, \d.* before \(by words alone\).* --accept-recall"):
        await rooms.reindex()
    old = Rooms(rooms.ledger, kept=rooms.kept, model=Model())
    assert (await old.found("parental leave"))[0] == "leave"
    rooms.model = Useless()
    rebuilt = await rooms.reindex(accept_recall=True)
    assert (rebuilt.embedded, rebuilt.resumed) == (0, 35)
    assert rebuilt.recall.new < rebuilt.recall.least
    assert await rooms.indexed() == await rooms.known()
    with pytest.raises(IndexMismatch):
        await old.found("parental leave")


async def test_without_an_index_to_compare_with_the_new_one_must_reach_a_floor(rooms: Rooms) -> None:
    await rooms.put(**PAGES)
    rooms.kept.clear()
    rooms.model, rooms.weight = Useless(), 1.0
    with pytest.raises(RecallTooLow, match=r"no index to compare with.* at least 80\.0% is wanted"):
        await rooms.reindex()
    with pytest.raises(IndexMissing):
        await rooms.found("leave")
    rooms.model, rooms.weight = Model(), 0.3
    rebuilt = await rooms.reindex()
    assert rebuilt.recall.old is None
    assert rebuilt.recall.new == 1
    assert (await rooms.found("parental leave"))[0] == "leave"


def golden_set(folder: Path, *questions: tuple[str, str, list[str]]) -> Path:
    """Question, document that answers it, reader tokens of who asks."""
    (folder / "qrels").mkdir(parents=True)
    rows = [
        {"_id": str(number), "text": text, "metadata": {"readers": readers, "language": "en"}}
        for number, (text, _, readers) in enumerate(questions)
    ]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    judged = "".join(f"{number}\t{document}\t1\n" for number, (_, document, _) in enumerate(questions))
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    return folder


async def test_the_questions_of_a_golden_set_are_asked_as_their_askers(rooms: Rooms, tmp_path: Path) -> None:
    async with rooms.index() as index, rooms.ledger.writing("docs"):
        secret = _document("merger", ["The merger is planned for autumn."], frozenset({"group:board"}))
        await Writer("docs", rooms.ledger, index).write([secret])
    golden = golden_set(
        tmp_path / "golden",
        ("When is the merger planned?", "merger", ["group:board"]),
        ("How long is parental leave?", "leave", ["everyone"]),
        ("When is the merger planned?", "merger", ["everyone"]),
        ("Where do I park?", "no-such-document", ["everyone"]),
    )
    recall = (await rooms.reindex(golden=golden)).recall
    assert (recall.golden, recall.questions, recall.new, recall.old) == (True, 4, 0.5, 0.5)
    assert not recall.words_alone


async def test_a_golden_set_of_which_nothing_is_found_is_no_reason_to_switch(rooms: Rooms, tmp_path: Path) -> None:
    golden = golden_set(tmp_path / "golden", ("Where do I park?", "no-such-document", ["everyone"]))
    with pytest.raises(RecallTooLow, match=r"recall@10 0\.0%"):
        await rooms.reindex(golden=golden)


async def test_an_empty_ledger_makes_an_empty_index(ledger: Ledger) -> None:
    rooms = Rooms(ledger)
    rebuilt = await rooms.reindex()
    assert (rebuilt.passages, rebuilt.recall.questions) == (0, 0)
    assert await rooms.indexed() == {}


class Miscounting(MemoryStore):
    """Counts a point that is not there."""

    async def count(self) -> int:
        return await super().count() + 1


async def test_a_draft_that_does_not_agree_with_the_ledger_is_neither_used_nor_gone_on_with(rooms: Rooms) -> None:
    rooms.model, rooms.in_memory = Model("new"), Miscounting
    with pytest.raises(IndexDamaged, match="counts 6 passages and the ledger 5"):
        await rooms.reindex()
    assert (await Rooms(rooms.ledger, kept=rooms.kept, model=Model()).found("parental leave"))[0] == "leave"
    rooms.in_memory = MemoryStore
    assert (await rooms.reindex()).resumed == 0


class Stopped(Exception):
    """Something broke in the middle."""


async def test_an_interrupted_build_goes_on_where_it_stopped(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "PAGE", 2)

    class Breaking(Model):
        async def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
            if len(self.texts) == 4:
                raise Stopped
            return await super().embed_documents(texts)

    rooms.model = Breaking("new")
    with pytest.raises(Stopped):
        await rooms.reindex()
    model = rooms.model = Model("new")
    rebuilt = await rooms.reindex()
    assert (rebuilt.resumed, rebuilt.embedded, len(model.texts)) == (4, 1, 1)
    assert await rooms.indexed() == await rooms.known()


@pytest.mark.parametrize("model", [Model("newest"), Model("new", size=32)], ids=["another model", "another length"])
async def test_a_draft_of_another_model_is_not_gone_on_with(rooms: Rooms, model: Model) -> None:
    rooms.model = Model("new")
    await rooms.leave_a_draft()
    rooms.model = model
    rebuilt = await rooms.reindex()
    assert (rebuilt.resumed, rebuilt.embedded) == (0, 5)
    assert (await rooms.found("parental leave"))[0] == "leave"


async def test_a_finished_draft_waits_for_writers_and_is_kept_when_they_do_not_end(rooms: Rooms) -> None:
    rooms.model = Model("new")
    await rooms.leave_a_draft()
    assert (await rooms.reindex()).resumed == 5

    steps: list[str] = []
    async with asyncio.timeout(WAIT), asyncio.TaskGroup() as tasks:
        writing = await _held(rooms.ledger, tasks)

        def progress(step: str, done: int, total: int) -> None:
            steps.append(step)
            if step == "waiting":
                writing.set()

        tasks.create_task(rooms.reindex(progress=progress))
    assert list(dict.fromkeys(steps)) == ["building", "waiting", "comparing", "asking"]


async def _held(ledger: Ledger, tasks: asyncio.TaskGroup) -> asyncio.Event:
    """A writer at work until the event is set."""
    begun, done = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with ledger.writing("docs"):
            begun.set()
            await done.wait()

    tasks.create_task(write())
    await begun.wait()
    return done


async def test_the_way_back_brings_the_earlier_index_up_to_date(rooms: Rooms) -> None:
    await rooms.reindex()
    await rooms.remove("salaries")
    await rooms.put(travel=["Flights are booked by the assistants now."])
    assert await rooms.rollback() == 3
    assert await rooms.indexed() == await rooms.known()
    assert "salaries" not in await rooms.found("salary bands reviewed")
    assert await rooms.rollback() == 0


async def test_there_is_no_way_back_without_an_earlier_index(rooms: Rooms) -> None:
    with pytest.raises(NoEarlierIndex, match="run `ingest reindex`"):
        await rooms.rollback()


async def test_there_is_no_way_back_to_an_index_of_another_model(rooms: Rooms) -> None:
    rooms.model = Model("new")
    await rooms.reindex()
    with pytest.raises(IndexMismatch, match=r"set `models\.embedding` back"):
        await rooms.rollback()
    assert (await rooms.found("parental leave"))[0] == "leave"


@given(st.lists(st.text(), max_size=5))
def test_a_known_item_is_asked_with_words_of_its_passage(texts: list[str]) -> None:
    shown, hidden = _document("page", texts).chunks, _document("hidden", texts, frozenset()).chunks
    assert shown is not None
    assert hidden is not None
    chunks = [*shown, *hidden]
    items = known_items(chunks)
    passages = {chunk.id: chunk for chunk in chunks}
    for query in items.queries:
        assert query.text
        assert len(query.text) <= rebuild.SENTENCE
        assert query.text in passages[ChunkId(query.id)].text
        assert items.relevant[query.id] == {"page": 1}
        assert query.readers >= MEMBER
