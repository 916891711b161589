"""The index as `ingest` and `bot` use it, in a folder, with and without an embedding model."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr

from ingest.index import hybrid, schema
from ingest.index.edge import EdgeStore
from ingest.index.hybrid import Index, open_store
from ingest.index.interface import (
    EmbeddingSettings,
    Identity,
    IndexMismatch,
    IndexSettings,
    IndexUnavailable,
    ModelUnavailable,
)
from ingest.index.server import MEMORY, ServerStore
from ingest.model import PUBLIC, Chunk, ChunkId
from tests.fixtures.chunks import MEMBER, chunk
from tests.fixtures.models import HashingEmbedder

HANDBOOK = [
    chunk("Parental leave lasts sixteen weeks.", position=0, headings=("Leave",)),
    chunk("Book trains in the travel portal.", position=1, headings=("Travel",)),
    chunk("Der Resturlaub verfällt im März.", position=2, title="Urlaub", language="de"),
    chunk("La mutuelle rembourse les soins dentaires.", position=3, title="Santé", language="fr"),
    chunk("经理批准年假申请。", position=4, title="假期", language="zh"),
    chunk("The bonus pool is confidential.", position=5, title="Bonus", readers=frozenset({"group:finance"})),
]


class BusyEmbedder(HashingEmbedder):
    """Embeds documents, and has no time for questions."""

    async def embed_query(self, text: str) -> list[float]:
        raise ModelUnavailable("the embedding model is busy")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """The handbook in an index without and with an embedding model."""

    async def build(folder: Path, embedder: HashingEmbedder | None) -> Path:
        async with Index(EdgeStore(folder), embedder=embedder) as index:
            assert await index.prepare(HANDBOOK)
            await index.write(HANDBOOK)
            await index.flush()
        return folder

    folder = tmp_path_factory.mktemp("built")
    return {
        False: asyncio.run(build(folder / "lexical", None)),
        True: asyncio.run(build(folder / "dense", HashingEmbedder())),
    }


@pytest.fixture
def lexical(built: dict[bool, Path]) -> Path:
    return built[False]


@pytest.fixture
def dense(built: dict[bool, Path]) -> Path:
    return built[True]


@pytest.fixture
async def index(lexical: Path) -> AsyncIterator[Index]:
    """To read."""
    async with Index(EdgeStore(lexical)) as index:
        yield index


@pytest.fixture
async def writable() -> AsyncIterator[Index]:
    async with Index(ServerStore(MEMORY, collection="x")) as index:
        await index.prepare(HANDBOOK)
        await index.write(HANDBOOK)
        yield index


async def found(index: Index, text: str, language: str | None = "en", **options: bool) -> list[str]:
    hits = await index.search(text, visible_to=MEMBER, language=language, **options)
    return [hit.chunk.text for hit in hits]


@pytest.mark.parametrize(
    ("question", "language", "place"),
    [
        ("how many weeks of parental leave?", "en", 0),
        ("train booking", "en", 1),
        ("Wann verfällt Resturlaub?", "de", 2),
        ("Urlaub", "de", 2),
        ("remboursement dentaire", "fr", 3),
        ("sante", "fr", 3),
        ("谁批准年假", "zh", 4),
        ("parental leave", "tr", 0),
        ("dentaires", None, 3),
    ],
)
async def test_the_passage_that_answers_comes_first(index: Index, question: str, language: str, place: int) -> None:
    assert (await found(index, question, language))[0] == HANDBOOK[place].text


async def test_a_hit_says_what_each_leg_gave(dense: Path) -> None:
    async with Index(EdgeStore(dense), embedder=HashingEmbedder()) as index:
        hits = await index.search("parental leave", visible_to=MEMBER, language="en", limit=2)
        assert hits[0].chunk == HANDBOOK[0]
        assert set(hits[0].legs) == {"lexical", "dense"}
        assert hits[0].score >= hits[1].score
        assert len(hits) == 2


def test_a_search_must_say_for_whom() -> None:
    assert inspect.signature(Index.search).parameters["visible_to"].default is inspect.Parameter.empty


async def test_what_the_asker_may_not_read_is_not_found(index: Index) -> None:
    for readers, expected in [
        (frozenset({"group:finance"}), [HANDBOOK[5].text]),
        (frozenset({PUBLIC}), []),
        (frozenset[str](), []),
    ]:
        hits = await index.search("bonus pool", visible_to=readers, language="en")
        assert [hit.chunk.text for hit in hits] == expected


async def test_nobody_finds_what_was_taken_away_while_the_search_ran(lexical: Path) -> None:
    class TakenAway(EdgeStore):
        async def chunks(self, ids: Iterable[ChunkId]) -> list[Chunk]:
            return [replace(found, readers=frozenset({"group:finance"})) for found in await super().chunks(ids)]

    async with Index(TakenAway(lexical)) as index:
        assert await found(index, "parental leave") == []


async def test_a_passage_under_the_heading_that_was_asked_for_comes_before_one_that_mentions_it(
    writable: Index,
) -> None:
    mention = "Insurance is explained elsewhere, insurance, insurance."
    await writable.write(
        [
            chunk(mention, document="a.md", title="Benefits"),
            chunk("Ask the office for a card.", document="b.md", title="Insurance"),
        ]
    )
    assert await found(writable, "insurance") == ["Ask the office for a card.", mention]


@pytest.mark.parametrize("text", ["", "   ", "?!", "🙂"])
async def test_a_question_without_words_finds_nothing(index: Index, text: str) -> None:
    assert await found(index, text) == []


async def test_equally_good_passages_come_in_the_same_order_every_time(writable: Index) -> None:
    twins = [chunk("the same words", document=f"{number}.md") for number in range(20)]
    await writable.write(twins[::-1])
    hits = await writable.search("same words", visible_to=MEMBER, language="en", limit=20)
    assert [hit.chunk.id for hit in hits] == sorted(twin.id for twin in twins)


async def test_writing_nothing_is_no_error(writable: Index) -> None:
    await writable.write([])
    assert await writable.count() == len(HANDBOOK)


async def test_new_readers_and_deletions_show_at_once(writable: Index) -> None:
    await writable.set_readers([HANDBOOK[5].id], MEMBER)
    assert await found(writable, "bonus pool") == [HANDBOOK[5].text]
    await writable.delete([HANDBOOK[5].id])
    assert await found(writable, "bonus pool") == []
    assert [each.id async for page in writable.scroll() for each in page] == sorted(each.id for each in HANDBOOK[:5])


async def test_an_index_is_made_once_and_then_found(tmp_path: Path) -> None:
    async with Index(EdgeStore(tmp_path)) as index:
        assert await index.prepare(HANDBOOK) is True
        await index.write(HANDBOOK)
        assert await index.prepare() is False
    async with Index(EdgeStore(tmp_path)) as again:
        assert await again.prepare() is False
        assert await again.count() == len(HANDBOOK)


async def test_writing_before_the_index_is_made_is_refused(tmp_path: Path) -> None:
    async with Index(EdgeStore(tmp_path)) as index:
        with pytest.raises(IndexUnavailable, match="run `ingest sync`"):
            await index.write(HANDBOOK)


@pytest.mark.parametrize(
    ("built_dense", "opened_with", "told"),
    [
        (False, HashingEmbedder(), "no embedding model, the configuration has the embedding model 'hashing'"),
        (True, None, "the embedding model 'hashing', the configuration has no embedding model"),
        (True, HashingEmbedder(name="other"), "model 'hashing', the configuration has .* 'other'"),
        (True, HashingEmbedder(size=32), "vectors of 64 numbers, .* 'hashing' now gives 32"),
    ],
    ids=["added", "removed", "replaced", "resized"],
)
async def test_another_embedding_model_is_refused_for_reading_and_for_writing(
    lexical: Path, dense: Path, built_dense: bool, opened_with: HashingEmbedder | None, told: str
) -> None:
    async with Index(EdgeStore(dense if built_dense else lexical), embedder=opened_with) as index:
        for use in (found(index, "leave"), index.write(HANDBOOK)):
            with pytest.raises(IndexMismatch, match=f"{told}.* run `ingest reindex`"):
                await use


async def test_an_index_built_anew_with_another_model_is_noticed_by_who_has_it_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hybrid, "IDENTITY_SECONDS", 0.0)
    store = ServerStore(MEMORY, collection="x")
    reader, writer = Index(store), Index(store, embedder=HashingEmbedder())
    await reader.create(HANDBOOK)
    assert await found(reader, "leave") == []
    await writer.create(HANDBOOK)
    with pytest.raises(IndexMismatch, match="built with the embedding model 'hashing'"):
        await found(reader, "leave")
    await writer.close()


async def test_a_vector_that_does_not_fit_an_index_built_anew_is_told_as_what_it_is(tmp_path: Path) -> None:
    async with Index(EdgeStore(tmp_path), embedder=HashingEmbedder()) as reader:
        await reader.create(HANDBOOK)
        assert await found(reader, "leave") == []
        async with Index(EdgeStore(tmp_path), embedder=HashingEmbedder(size=32, name="other")) as writer:
            await writer.create(HANDBOOK)
            await writer.write(HANDBOOK)
        with pytest.raises(IndexMismatch, match="built with the embedding model 'other'"):
            await found(reader, "leave")


async def test_an_index_of_another_model_can_be_searched_by_words_alone(dense: Path) -> None:
    async with Index(EdgeStore(dense), embedder=HashingEmbedder(name="other")) as index:
        assert (await found(index, "parental leave", lexical_only=True))[0] == HANDBOOK[0].text
        with pytest.raises(IndexMismatch):
            await found(index, "parental leave")


async def test_only_texts_without_a_known_vector_are_embedded_and_equal_ones_once() -> None:
    class Counting(HashingEmbedder):
        texts: ClassVar[list[str]] = []

        async def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
            self.texts.extend(texts)
            return await super().embed_documents(texts)

    twins = [chunk("the same words", document=f"{number}.md") for number in range(3)]
    known = chunk("not the words of its vector", document="known.md")
    async with Index(ServerStore(MEMORY, collection="x"), embedder=Counting()) as index:
        await index.prepare(twins)
        vector = (await HashingEmbedder().embed_documents([HANDBOOK[0].indexed_text]))[0]
        assert await index.write([*twins, known], vectors={known.id: vector}) == 1
        assert Counting.texts == [twins[0].indexed_text]
        vectors = await index.vectors([known.id, twins[1].id, twins[2].id])
        assert vectors[known.id] == pytest.approx(vector, abs=1e-6)
        assert vectors[twins[1].id] == vectors[twins[2].id]
        assert await index.write([]) == 0


async def test_a_known_vector_of_another_length_is_refused() -> None:
    async with Index(ServerStore(MEMORY, collection="x"), embedder=HashingEmbedder()) as index:
        await index.prepare(HANDBOOK)
        with pytest.raises(IndexMismatch, match="vectors of 64 numbers"):
            await index.write(HANDBOOK[:1], vectors={HANDBOOK[0].id: [1.0, 0.0]})


async def test_an_index_beside_another_shares_its_model_and_does_not_close_it(tmp_path: Path) -> None:
    closed = asyncio.Event()

    class Closing(HashingEmbedder):
        async def close(self) -> None:
            closed.set()

    async with Index(EdgeStore(tmp_path), embedder=Closing()) as index:
        await index.prepare(HANDBOOK)
        async with index.draft() as draft:
            assert draft.embedder_name == index.embedder_name
            assert not await draft.is_as_configured()
            await draft.create(HANDBOOK)
            assert await draft.is_as_configured()
            await draft.publish()
        assert not closed.is_set()
        assert await index.previous() is not None
    assert closed.is_set()


async def test_an_index_of_another_pipeline_is_refused() -> None:
    store = ServerStore(MEMORY, collection="x")
    other = Identity(pipeline=schema.PIPELINE + 1, embedding=None, size=None, average_words=9, average_grams=40)
    await store.create(other)
    async with Index(store) as index:
        with pytest.raises(
            IndexMismatch, match=f"pipeline {schema.PIPELINE + 1}; .* {schema.PIPELINE}; run `ingest reindex`"
        ):
            await index.prepare()


async def test_a_busy_model_is_the_callers_to_decide(dense: Path) -> None:
    async with Index(EdgeStore(dense), embedder=BusyEmbedder()) as index:
        with pytest.raises(ModelUnavailable):
            await found(index, "parental leave")
        assert (await found(index, "parental leave", lexical_only=True))[0] == HANDBOOK[0].text


async def test_the_model_is_not_asked_about_languages_that_it_does_not_cover(dense: Path) -> None:
    configured = EmbeddingSettings(local="model", languages=("en", "de"), weight=1.0)
    async with Index.of(EdgeStore(dense), BusyEmbedder(), configured) as index:
        assert (await found(index, "soins dentaires", "fr"))[0] == HANDBOOK[3].text
        for language in ("en", "de", None):
            with pytest.raises(ModelUnavailable):
                await found(index, "soins dentaires", language)


async def test_the_configured_weight_is_the_share_of_the_model(dense: Path) -> None:
    class Contrary(HashingEmbedder):
        """Finds travel whatever is asked."""

        async def embed_query(self, text: str) -> list[float]:
            return (await self.embed_documents([HANDBOOK[1].indexed_text]))[0]

    for weight, first in [(0.2, HANDBOOK[0]), (0.8, HANDBOOK[1])]:
        configured = EmbeddingSettings(local="model", weight=weight)
        async with Index.of(EdgeStore(dense), Contrary(), configured) as index:
            assert (await found(index, "parental leave"))[0] == first.text


@pytest.mark.parametrize("sample", [(), HANDBOOK], ids=["without", "with"])
async def test_average_lengths_come_from_the_sample(sample: Sequence[Chunk]) -> None:
    store = ServerStore(MEMORY, collection="x")
    async with Index(store) as index:
        await index.prepare(sample)
        identity = await store.identity()
    assert identity is not None
    assert (identity.average_words < 20) is bool(sample)
    assert identity.average_grams > identity.average_words


def test_the_settings_say_where_the_index_is(tmp_path: Path) -> None:
    assert open_store(IndexSettings(), tmp_path).place == str(tmp_path)
    assert open_store(IndexSettings(path=tmp_path / "own"), tmp_path).place == str(tmp_path / "own")
    server = open_store(IndexSettings(url="https://qdrant:6333", api_key=SecretStr("key")), tmp_path)
    assert isinstance(server, ServerStore)
    assert server.place == "https://qdrant:6333"


async def test_a_closed_index_closes_its_model(tmp_path: Path) -> None:
    closed = asyncio.Event()

    class Closing(HashingEmbedder):
        async def close(self) -> None:
            closed.set()

    async with Index(ServerStore(MEMORY, collection="x"), embedder=Closing()):
        pass
    assert closed.is_set()


async def test_legs_of_several_texts_find_together_what_each_finds_alone(index: Index) -> None:
    legs = await index.rank("Elternzeit", visible_to=MEMBER, language="de")
    assert [leg.name for leg in legs] == ["lexical"]
    legs += await index.rank("parental leave", visible_to=MEMBER, language="en", label="en")
    hits = await index.hits(legs, visible_to=MEMBER, limit=1)
    assert [hit.chunk for hit in hits] == [HANDBOOK[0]]
    assert set(hits[0].legs) == {"lexical:en"}
    assert await index.hits([], visible_to=MEMBER, limit=5) == []


async def test_a_ranking_is_of_who_may_read_and_so_are_its_hits(index: Index) -> None:
    finance = frozenset({"group:finance"})
    legs = await index.rank("bonus pool", visible_to=finance, language="en")
    assert [hit.chunk for hit in await index.hits(legs, visible_to=finance, limit=5)] == [HANDBOOK[5]]
    assert await index.hits(legs, visible_to=MEMBER, limit=5) == []
    assert await index.rank("bonus pool", visible_to=frozenset(), language="en") == []
