"""What every embedder keeps, whatever is behind it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.index.embedder import EndpointEmbedder, LocalEmbedder
from ingest.index.interface import Embedder, EmbeddingSettings
from tests.fixtures import models
from tests.fixtures.gateway import Gateway

Make = Callable[[], Embedder]


def endpoint(folder: Path) -> Make:
    configured = EmbeddingSettings(base_url="http://gateway:4000/v1", model="assistant", batch_size=2)
    return lambda: EndpointEmbedder(configured, transport=httpx.ASGITransport(app=Gateway(size=64).app))


def local(folder: Path) -> Make:
    configured = EmbeddingSettings(local=str(models.sentence_transformer(folder)), batch_size=2)
    return lambda: LocalEmbedder(configured)


def hashing(folder: Path) -> Make:
    return models.HashingEmbedder


@pytest.fixture(scope="module", params=[endpoint, local, hashing], ids=lambda kind: kind.__name__)
def make(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Make:
    made: Make = request.param(tmp_path_factory.mktemp("model"))
    return made


@pytest.fixture
async def embedder(make: Make) -> AsyncIterator[Embedder]:
    embedder = make()
    yield embedder
    await embedder.close()


TEXTS = ["leave days a year", "the office door is open", "train ticket", "laptop password reset", "badge"]


def near(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_it_has_a_name(embedder: Embedder) -> None:
    assert embedder.name


async def test_documents_get_one_unit_vector_each_of_the_promised_length(embedder: Embedder) -> None:
    vectors = await embedder.embed_documents(TEXTS)
    size = await embedder.size()
    assert [len(vector) for vector in vectors] == [size] * len(TEXTS)
    assert all(math.hypot(*vector) == pytest.approx(1, abs=1e-3) for vector in vectors)
    assert all(isinstance(value, float) for value in vectors[0])


async def test_vectors_come_in_the_order_of_their_texts(embedder: Embedder) -> None:
    together = await embedder.embed_documents(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        (alone,) = await embedder.embed_documents([text])
        assert near(alone, vector) > 0.999
        assert sum(near(alone, other) > 0.999 for other in together) == 1


async def test_a_query_is_nearest_to_the_document_that_says_the_same(embedder: Embedder) -> None:
    documents = await embedder.embed_documents(TEXTS)
    query = await embedder.embed_query(TEXTS[2])
    assert len(query) == await embedder.size()
    assert max(range(len(TEXTS)), key=lambda index: near(query, documents[index])) == 2


async def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert await embedder.embed_documents([]) == []


async def test_many_callers_at_once_each_get_their_own_vectors(embedder: Embedder) -> None:
    async with asyncio.TaskGroup() as group:
        queries = [group.create_task(embedder.embed_query(text)) for text in TEXTS]
        documents = group.create_task(embedder.embed_documents(TEXTS))
    for query, document in zip(queries, documents.result(), strict=True):
        assert near(query.result(), document) > 0.999


async def test_the_size_is_known_before_anything_is_embedded(make: Make) -> None:
    embedder = make()
    assert await embedder.size() == len((await embedder.embed_documents(["leave"]))[0])
    await embedder.close()


async def test_two_embedders_of_one_model_agree(make: Make) -> None:
    one, other = make(), make()
    assert one.name == other.name
    assert near(await one.embed_query(TEXTS[0]), await other.embed_query(TEXTS[0])) > 0.999
    await one.close()
    await other.close()


@pytest.mark.parametrize("text", ["\ud800 leave", "\x00", " \n", "日本語 🎭 " * 200])
async def test_an_odd_text_still_gets_a_vector(embedder: Embedder, text: str) -> None:
    (vector,) = await embedder.embed_documents([text])
    assert math.hypot(*vector) == pytest.approx(1, abs=1e-3)
    assert len(await embedder.embed_query(text)) == len(vector)


def test_any_text_gets_a_vector(make: Make) -> None:
    embedder = make()
    with asyncio.Runner() as runner:

        @settings(max_examples=30, deadline=None)
        @given(st.lists(st.text(min_size=1), max_size=5))
        def any_texts(texts: list[str]) -> None:
            assert len(runner.run(embedder.embed_documents(texts))) == len(texts)

        any_texts()
        runner.run(embedder.close())
