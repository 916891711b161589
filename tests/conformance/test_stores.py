"""What every index store keeps: in a folder, on a server, and the one that tests use.

`memory` is the server's client over the client's own engine, `served` the same engine behind HTTP.
`QDRANT_URL=http://127.0.0.1:6333 pytest tests/conformance/test_stores.py` runs them on a real server too.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from qdrant_client import AsyncQdrantClient

from ingest.index.edge import EdgeStore
from ingest.index.interface import SCROLL_PAGE, Identity, IndexMissing, Point, SparseVector, Store
from ingest.index.server import MEMORY, ServerStore
from ingest.model import Chunk, ChunkId, Readers
from tests.fixtures.chunks import MEMBER, chunk
from tests.fixtures.qdrant import Qdrant
from tests.fixtures.stores import MemoryStore

LEXICAL_ONLY = Identity(pipeline=1, embedding=None, size=None, average_words=7.5, average_grams=30)
WITH_DENSE = replace(LEXICAL_ONLY, embedding="model@1", size=3)

QDRANT_URL = os.environ.get("QDRANT_URL")  # noqa: TID251 - a test run's own switch, not the programs' configuration

Open = Callable[[], Store]
"""Opens the same place again."""


@pytest.fixture(params=["edge", "dictionary", "memory", "served", "server"])
async def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    opened: list[Store] = []
    kept: dict[str, Any] = {}
    collection = f"test-{uuid.uuid4()}"

    def open_again() -> Store:
        match request.param:
            case "edge":
                opened.append(EdgeStore(tmp_path))
            case "dictionary":
                opened.append(MemoryStore(kept))
            case "served":
                opened.append(ServerStore(request.getfixturevalue("qdrant"), collection=collection))
            case "memory" if not opened:  # lives and dies with its client
                opened.append(ServerStore(MEMORY, collection=collection))
            case "server":
                opened.append(ServerStore(str(QDRANT_URL), collection=collection))
        return opened[-1]

    if request.param == "server" and not QDRANT_URL:
        pytest.skip("QDRANT_URL is not set")
    if request.param == "served":
        request.getfixturevalue("qdrant")
    yield open_again
    for store in opened:
        await store.close()
    if request.param == "server":
        async with asyncio.timeout(10):
            client = AsyncQdrantClient(url=QDRANT_URL)
            for made in (await client.get_collections()).collections:
                if made.name.startswith(collection):
                    await client.delete_collection(made.name)
            await client.close()


@pytest.fixture(scope="module")
def qdrant() -> Iterator[str]:
    with Qdrant().served() as url:
        yield url


@pytest.fixture
def store(open_again: Open) -> Store:
    return open_again()


def point(chunk: Chunk, terms: dict[int, float] | None = None, dense: list[float] | None = None) -> Point:
    terms = terms or {1: 1.0}
    return Point(chunk=chunk, lexical=SparseVector(indices=tuple(terms), values=tuple(terms.values())), dense=dense)


def chunks(number: int) -> list[Chunk]:
    return [chunk(f"text {position}", position=position) for position in range(number)]


def question(*terms: int) -> SparseVector:
    return SparseVector(indices=terms, values=(1.0,) * len(terms))


async def ranked(store: Store, *terms: int, visible_to: Readers = MEMBER, limit: int = 10) -> list[ChunkId]:
    return [hit.id for hit in await store.rank_lexical(question(*terms), visible_to=visible_to, limit=limit)]


async def listed(store: Store) -> dict[ChunkId, Chunk]:
    return {chunk.id: chunk async for page in store.scroll() for chunk in page}


async def texts(store: Store) -> set[str]:
    return {chunk.text for chunk in (await listed(store)).values()}


async def test_a_place_without_an_index_has_no_identity(store: Store) -> None:
    assert await store.identity() is None


@pytest.mark.parametrize("identity", [LEXICAL_ONLY, WITH_DENSE], ids=["lexical", "dense"])
async def test_an_index_remembers_what_it_was_built_with(open_again: Open, identity: Identity) -> None:
    store = open_again()
    await store.create(identity)
    assert await open_again().identity() == identity


async def test_chunks_come_back_as_they_were_written(store: Store) -> None:
    await store.create(LEXICAL_ONLY)
    full = chunk("Ferien\n| a | b |", title="Häuser – 東京", headings=("Oben", "unten"), readers=frozenset({"b", "a"}))
    bare = replace(full, id=chunks(2)[1].id, page=3, url=None, updated_at=None, headings=(), readers=frozenset())
    await store.upsert([point(full), point(bare)])
    assert {found.id: found for found in await store.chunks([full.id, bare.id])} == {full.id: full, bare.id: bare}


@given(text=st.text(min_size=1), title=st.text())
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
async def test_any_text_comes_back_unchanged(store: Store, text: str, title: str) -> None:
    if await store.identity() is None:
        await store.create(LEXICAL_ONLY)
    written = chunk(text, title=title)
    await store.upsert([point(written)])
    assert await store.chunks([written.id]) == [written]


async def test_asking_for_chunks_that_are_not_there_gives_none(store: Store) -> None:
    await store.create(LEXICAL_ONLY)
    there, missing = chunks(2)
    await store.upsert([point(there)])
    assert await store.chunks([missing.id, there.id]) == [there]
    assert await store.chunks([]) == []


async def test_writing_a_chunk_again_replaces_it(store: Store) -> None:
    await store.create(LEXICAL_ONLY)
    first = chunk("old")
    await store.upsert([point(first, {1: 1.0})])
    await store.upsert([point(replace(first, text="new"), {2: 1.0})])
    assert await store.count() == 1
    assert [found.text for found in await store.chunks([first.id])] == ["new"]
    assert await ranked(store, 1) == []
    assert await ranked(store, 2) == [first.id]


async def test_deleted_chunks_are_gone_and_unknown_ones_are_no_error(store: Store) -> None:
    await store.create(LEXICAL_ONLY)
    gone, stays, never = chunks(3)
    await store.upsert([point(gone), point(stays)])
    await store.delete([gone.id, never.id])
    await store.delete([])
    assert await store.count() == 1
    assert await ranked(store, 1) == [stays.id]


async def test_new_readers_decide_at_once_who_sees_a_chunk(store: Store) -> None:
    await store.create(LEXICAL_ONLY)
    changed, stays, never = chunks(3)
    await store.upsert([point(changed), point(stays)])
    await store.set_readers([changed.id, never.id], frozenset({"group:finance"}))
    await store.set_readers([], frozenset({"public"}))
    assert await ranked(store, 1) == [stays.id]
    assert await ranked(store, 1, visible_to=frozenset({"group:finance"})) == [changed.id]
    assert await store.chunks([changed.id]) == [replace(changed, readers=frozenset({"group:finance"}))]
    assert await store.count() == 2


async def test_everything_written_is_there_when_the_place_is_opened_again(open_again: Open) -> None:
    store = open_again()
    await store.create(LEXICAL_ONLY)
    kept, gone = chunks(2)
    await store.upsert([point(kept), point(gone)])
    await store.delete([gone.id])
    await store.flush()
    again = open_again()
    assert await listed(again) == {kept.id: kept}
    assert await ranked(again, 1) == [kept.id]


async def test_a_rare_term_outweighs_a_common_one(store: Store) -> None:
    await store.create(LEXICAL_ONLY)
    common = chunks(5)
    await store.upsert([point(each, {1: 1.0}) for each in common[:4]] + [point(common[4], {2: 1.0})])
    assert (await ranked(store, 1, 2))[0] == common[4].id


async def test_a_ranking_lists_matches_only_best_first_up_to_the_limit(store: Store) -> None:
    await store.create(LEXICAL_ONLY)
    some = chunks(6)
    await store.upsert(
        [point(each, {7: weight}) for each, weight in zip(some[:5], (3.0, 5.0, 1.0, 4.0, 2.0), strict=True)]
    )
    await store.upsert([point(some[5], {8: 9.0})])
    best_first = [some[place].id for place in (1, 3, 0, 4, 2)]
    assert await ranked(store, 7) == best_first
    assert await ranked(store, 7, limit=2) == best_first[:2]
    assert await ranked(store, 99) == []
    scores = [hit.score for hit in await store.rank_lexical(question(7), visible_to=MEMBER, limit=9)]
    assert scores == sorted(scores, reverse=True)


async def test_the_largest_term_id_is_a_term_like_any_other(store: Store) -> None:
    await store.create(LEXICAL_ONLY)
    first, second = chunks(2)
    await store.upsert([point(first, {2**32 - 1: 1.0}), point(second, {0: 1.0})])
    assert await ranked(store, 2**32 - 1) == [first.id]
    assert await ranked(store, 0) == [second.id]


async def test_a_dense_ranking_is_by_angle_not_by_length(store: Store) -> None:
    await store.create(WITH_DENSE)
    near, nearer, far = chunks(3)
    vectors = {near.id: [1.0, 1.0, 0.0], nearer.id: [0.1, 0.0, 0.0], far.id: [0.0, 9.0, 9.0]}
    await store.upsert([point(each, dense=vectors[each.id]) for each in (near, nearer, far)])
    hits = await store.rank_dense([1.0, 0.0, 0.0], visible_to=MEMBER, limit=3)
    assert [hit.id for hit in hits] == [nearer.id, near.id, far.id]
    assert hits[0].score == pytest.approx(1.0, abs=1e-5)


TOKENS = st.frozensets(st.sampled_from(["public", "everyone", "group:a", "user:ada@example.org", "a,b"]))


@given(readers=st.lists(TOKENS, min_size=5, max_size=9), visible_to=TOKENS)
@example(
    readers=[frozenset(), frozenset({"public"}), frozenset({"everyone"}), frozenset({"public", "group:a"})],
    visible_to=frozenset({"group:a"}),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_nothing_without_a_shared_reader_is_ever_ranked(
    store: Store, readers: list[Readers], visible_to: Readers
) -> None:
    if await store.identity() is None:
        await store.create(WITH_DENSE)
    written = [chunk("x", position=position, readers=each) for position, each in enumerate(readers)]
    await store.delete(list(await listed(store)))
    await store.upsert([point(each, dense=[1.0, 0.0, 0.0]) for each in written])
    allowed = {each.id for each in written if each.readers & visible_to}
    assert set(await ranked(store, 1, visible_to=visible_to)) == allowed
    dense = await store.rank_dense([1.0, 0.0, 0.0], visible_to=visible_to, limit=10)
    assert {hit.id for hit in dense} == allowed


async def test_whoever_is_in_ten_thousand_groups_finds_what_one_of_them_may_read_and_nothing_else(store: Store) -> None:
    await store.create(WITH_DENSE)
    whose = [frozenset({f"group:{number}", f"group:{2 * number}"}) for number in range(19_990, 20_010)]
    written = [chunk("x", position=position, readers=readers) for position, readers in enumerate(whose)]
    await store.upsert([point(each, dense=[1.0, 0.0, 0.0]) for each in written])
    mine = frozenset(f"group:{number}" for number in range(10_000, 20_000))
    allowed = {each.id for each in written if each.readers & mine}
    assert len(allowed) == 10

    assert set(await ranked(store, 1, visible_to=mine, limit=30)) == allowed
    dense = await store.rank_dense([1.0, 0.0, 0.0], visible_to=mine, limit=30)
    assert {hit.id for hit in dense} == allowed


async def test_every_chunk_is_listed_once_in_pages_of_bounded_size(store: Store) -> None:
    await store.create(LEXICAL_ONLY)
    many = [chunk("x", document=f"{number}.md") for number in range(SCROLL_PAGE + 5)]
    await store.upsert([point(each) for each in many])
    pages = [page async for page in store.scroll()]
    assert sorted((each for page in pages for each in page), key=by_id) == sorted(many, key=by_id)
    assert max(map(len, pages)) <= SCROLL_PAGE
    assert await store.count() == len(many)


def by_id(chunk: Chunk) -> ChunkId:
    return chunk.id


async def test_an_empty_index_lists_nothing(store: Store) -> None:
    await store.create(LEXICAL_ONLY)
    assert await listed(store) == {}


async def test_a_new_description_leaves_the_vectors_and_makes_no_chunk(store: Store) -> None:
    await store.create(WITH_DENSE)
    old, other, never = chunks(3)
    await store.upsert([point(old, {7: 1.0}, [1.0, 0.0, 0.0]), point(other, {8: 1.0}, [0.0, 1.0, 0.0])])
    new = replace(old, title="New title", headings=("A",), url=None, updated_at=None, readers=frozenset({"group:a"}))
    await store.describe([new, never])
    await store.describe([])
    assert await listed(store) == {new.id: new, other.id: other}
    assert await ranked(store, 7, visible_to=frozenset({"group:a"})) == [new.id]
    assert await ranked(store, 7) == []
    assert (await store.vectors([new.id]))[new.id] == pytest.approx([1.0, 0.0, 0.0])


async def test_vectors_come_back_at_unit_length_for_chunks_that_are_there(store: Store) -> None:
    await store.create(WITH_DENSE)
    first, second, never = chunks(3)
    await store.upsert([point(first, dense=[0.0, 0.6, 0.8]), point(second, dense=[0.0, 0.0, 5.0])])
    found = await store.vectors([first.id, second.id, never.id])
    assert found.keys() == {first.id, second.id}
    assert list(found[first.id]) == pytest.approx([0.0, 0.6, 0.8])
    assert list(found[second.id]) == pytest.approx([0.0, 0.0, 1.0])
    assert await store.vectors([]) == {}


async def test_an_index_without_an_embedding_model_has_no_vectors(store: Store) -> None:
    await store.create(LEXICAL_ONLY)
    there = chunk("x")
    await store.upsert([point(there)])
    assert await store.vectors([there.id]) == {}


async def test_making_an_index_anew_leaves_nothing_of_the_old_one(store: Store) -> None:
    await store.create(WITH_DENSE)
    await store.upsert([point(chunk("old"), dense=[1.0, 0.0, 0.0])])
    await store.create(LEXICAL_ONLY)
    assert await store.identity() == LEXICAL_ONLY
    assert await store.count() == 0
    await store.upsert([point(chunk("new"))])
    assert await store.count() == 1


async def test_an_index_that_is_there_is_left_alone_unless_it_is_to_be_replaced(open_again: Open) -> None:
    first, second = open_again(), open_again()
    await first.create(LEXICAL_ONLY, replace=False)
    await first.upsert([point(chunk("kept"))])
    await second.create(replace(LEXICAL_ONLY, average_words=99), replace=False)
    assert await second.identity() == LEXICAL_ONLY
    assert await texts(second) == {"kept"}


async def test_any_number_of_writers_may_make_the_first_index_at_once(open_again: Open) -> None:
    async def write(number: int) -> None:
        store = open_again()
        await store.create(replace(LEXICAL_ONLY, average_words=number), replace=False)
        await store.upsert([point(chunk(f"by {number}", document=str(number)))])

    async with asyncio.timeout(60), asyncio.TaskGroup() as writers:
        for number in range(4):
            writers.create_task(write(number))
    assert await texts(open_again()) == {f"by {number}" for number in range(4)}


async def built(store: Store, *documents: str) -> Store:
    """`store` with a chunk for each document, whose text is its name."""
    await store.create(LEXICAL_ONLY)
    await store.upsert([point(chunk(document, document=document)) for document in documents])
    await store.flush()
    return store


async def test_nobody_reads_a_draft_and_everybody_reads_what_is_published(open_again: Open) -> None:
    writer, reader = open_again(), open_again()
    await built(writer, "old")
    assert await texts(reader) == {"old"}
    draft = await built(writer.draft(), "new", "newer")
    assert await texts(reader) == {"old"}
    await writer.upsert([point(chunk("written meanwhile", document="meanwhile"))])
    assert await texts(reader) == {"old", "written meanwhile"}
    await draft.publish()
    await draft.close()
    for store in (reader, writer, open_again()):
        assert await texts(store) == {"new", "newer"}
        assert len(await ranked(store, 1)) == 2


async def test_the_index_that_was_in_use_before_can_be_put_back_and_forth(open_again: Open) -> None:
    store = await built(open_again(), "old")
    assert await store.previous() is None
    draft = await built(store.draft(), "new")
    await draft.publish()
    await draft.publish()
    await draft.close()
    for in_use, before in (("old", "new"), ("new", "old")):
        previous = await store.previous()
        assert previous is not None
        assert await texts(previous) == {in_use}
        await previous.upsert([point(chunk(in_use, document=in_use))])
        await previous.publish()
        await previous.close()
        assert await texts(store) == {in_use}
        other = await store.previous()
        assert other is not None
        assert await texts(other) == {before}
        await other.close()


async def test_only_one_earlier_index_is_kept(open_again: Open) -> None:
    store = await built(open_again(), "first")
    for name in ("second", "third"):
        draft = await built(store.draft(), name)
        await draft.publish()
        await draft.close()
    previous = await store.previous()
    assert previous is not None
    assert await texts(previous) == {"second"}
    await previous.close()
    assert await store.draft().identity() is None


async def test_a_later_draft_takes_the_place_of_an_earlier_one(open_again: Open) -> None:
    store = await built(open_again(), "old")
    earlier = await built(store.draft(), "earlier")
    later = await built(store.draft(), "later")
    for use in (lambda: earlier.upsert([point(chunk("x"))]), earlier.count, earlier.publish):
        with pytest.raises(IndexMissing):
            await use()
    assert await texts(later) == {"later"}
    await later.publish()
    assert await texts(store) == {"later"}
    await earlier.close()
    await later.close()


async def test_a_draft_that_was_left_is_found_again(open_again: Open) -> None:
    store = await built(open_again(), "old")
    left = await built(store.draft(), "half done")
    await left.close()
    found = open_again().draft()
    assert await found.identity() == LEXICAL_ONLY
    assert await texts(found) == {"half done"}
    await found.publish()
    await found.close()
    assert await texts(store) == {"half done"}


async def test_the_first_index_can_be_a_draft_that_is_published(open_again: Open) -> None:
    store = open_again()
    draft = await built(store.draft(), "first")
    assert await store.identity() is None
    await draft.publish()
    await draft.close()
    assert await texts(store) == {"first"}
    assert await store.previous() is None


async def test_without_a_draft_there_is_nothing_to_read_or_to_publish(open_again: Open) -> None:
    store = await built(open_again(), "old")
    draft = store.draft()
    assert await draft.identity() is None
    for use in (draft.count, draft.publish):
        with pytest.raises(IndexMissing):
            await use()
    await draft.close()
    await store.publish()
    assert await texts(store) == {"old"}


async def test_making_the_index_anew_leaves_the_one_before_it(open_again: Open) -> None:
    store = await built(open_again(), "first")
    draft = await built(store.draft(), "second")
    await draft.publish()
    await draft.close()
    await built(store, "third")
    assert await texts(open_again()) == {"third"}
    previous = await store.previous()
    assert previous is not None
    assert await texts(previous) == {"first"}
    await previous.close()


async def test_both_engines_give_the_same_ranking(tmp_path: Path) -> None:
    embedded, served = EdgeStore(tmp_path), ServerStore(MEMORY, collection="same")
    some = [chunk(f"{number}", position=number) for number in range(30)]
    points = [
        point(each, {term: 1 + (number * term) % 7 for term in range(1, 9) if number % term == 0})
        for number, each in enumerate(some)
    ]
    rankings = []
    for store in (embedded, served):
        await store.create(LEXICAL_ONLY)
        await store.upsert(points)
        hits = await store.rank_lexical(question(2, 3, 5, 7), visible_to=MEMBER, limit=30)
        rankings.append({hit.id: hit.score for hit in hits})
        await store.close()
    assert rankings[0] == pytest.approx(rankings[1], rel=1e-4)
