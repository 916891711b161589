"""What goes over the wire to a Qdrant server, and what its refusals become."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace

import httpx
import pytest
from pydantic import SecretStr
from qdrant_client import AsyncQdrantClient, models

from ingest.errors import ConfigurationError
from ingest.index.interface import Identity, IndexDamaged, IndexMissing, IndexUnavailable, Point, SparseVector
from ingest.index.server import ServerStore
from tests.fixtures.chunks import chunk
from tests.fixtures.qdrant import Fault, Qdrant, at_write

IDENTITY = Identity(pipeline=1, embedding="model", size=3, average_words=9, average_grams=40)
LEXICAL_ONLY = replace(IDENTITY, embedding=None, size=None)
DONE = {"result": True, "status": "ok", "time": 0.0}


def store(answer: Callable[[httpx.Request], httpx.Response]) -> ServerStore:
    return ServerStore(
        "https://qdrant:6333", collection="souffleur", api_key=SecretStr("key"), transport=httpx.MockTransport(answer)
    )


def saying(status: int, body: dict[str, object]) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, json=body)


class Recording(httpx.AsyncHTTPTransport):
    """Passes every request on, and keeps it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return await super().handle_async_request(request)

    def writes(self) -> list[tuple[str, str]]:
        """Method and path of the requests that were not only for reading, which are then forgotten."""
        asked, self.asked = self.asked, []
        return [(request.method, request.url.path) for request in asked if request.method != "GET"]


@pytest.fixture
def qdrant() -> Iterator[str]:
    with Qdrant().served() as url:
        yield url


@asynccontextmanager
async def recorded(url: str) -> AsyncIterator[tuple[ServerStore, Recording]]:
    transport = Recording()
    served = ServerStore(url, collection="souffleur", transport=transport)
    yield served, transport
    await served.close()


@asynccontextmanager
async def another_client(url: str) -> AsyncIterator[AsyncQdrantClient]:
    client = AsyncQdrantClient(url=url, check_compatibility=False)
    yield client
    await client.close()


async def test_the_filter_fields_are_indexed_before_the_first_point_and_writes_are_waited_for(qdrant: str) -> None:
    async with recorded(qdrant) as (served, transport):
        await served.create(IDENTITY)
        await served.upsert(
            [Point(chunk=chunk("x"), lexical=SparseVector(indices=(1,), values=(1.0,)), dense=[1.0, 0.0, 0.0])]
        )
        asked = [request for request in transport.asked if request.method != "GET"]
        made, *indexes, _, written = asked
        assert transport.writes() == [
            ("PUT", "/collections/souffleur-1"),
            *[("PUT", "/collections/souffleur-1/index")] * 5,
            ("POST", "/collections/aliases"),
            ("PUT", "/collections/souffleur/points"),
        ]
    body = json.loads(made.content)
    assert body["metadata"] == asdict(IDENTITY)
    assert body["sparse_vectors"] == {"lexical": {"index": {"full_scan_threshold": 1}, "modifier": "idf"}}
    assert body["vectors"]["dense"] | {"size": 3, "distance": "Cosine"} == body["vectors"]["dense"]
    fields = {json.loads(request.content)["field_name"] for request in indexes}
    assert fields == {"readers", "source", "document", "language", "updated_at"}
    assert all(request.url.params["wait"] == "true" for request in (*indexes, written))


async def test_the_graph_of_dense_vectors_is_walked_past_what_may_not_be_read_and_words_are_all_compared(
    qdrant: str,
) -> None:
    words = SparseVector(indices=(1,), values=(1.0,))
    async with recorded(qdrant) as (served, transport):
        await served.create(IDENTITY)
        await served.rank_dense([1.0, 0.0, 0.0], visible_to=frozenset({"public"}), limit=3)
        dense = json.loads(transport.asked[-1].content)
        await served.rank_lexical(words, visible_to=frozenset({"public"}), limit=3)
        lexical = json.loads(transport.asked[-1].content)
    assert dense["params"] == {"hnsw_ef": 256, "acorn": {"enable": True, "max_selectivity": 1.0}}
    assert dense["filter"]["must"] == lexical["filter"]["must"]
    assert lexical.get("params") is None


async def test_a_switch_is_one_request(qdrant: str) -> None:
    async with recorded(qdrant) as (served, transport):
        await served.create(IDENTITY)
        for number in (2, 3):
            draft = served.draft()
            await draft.create(IDENTITY)
            transport.writes()
            await draft.publish()
            switches = [request for request in transport.asked if request.url.path == "/collections/aliases"]
            assert len(switches) == 1
            assert json.loads(switches[0].content)["actions"][0] == {"delete_alias": {"alias_name": "souffleur"}}
            dropped = [("DELETE", "/collections/souffleur-1")] if number == 3 else []
            assert transport.writes() == [("POST", "/collections/aliases"), *dropped]


async def switched(served: ServerStore, text: str) -> None:
    """A draft with one chunk, made and put in use."""
    draft = served.draft()
    await draft.create(LEXICAL_ONLY)
    await draft.upsert([Point(chunk=chunk(text), lexical=SparseVector(indices=(1,), values=(1.0,)), dense=None)])
    await draft.publish()


async def test_whichever_request_of_a_switch_fails_one_whole_index_is_in_use() -> None:
    server = Qdrant()
    failed = 0
    with server.served() as url:
        async with recorded(url) as (served, _):
            await switched(served, "first")
            await switched(served, "old")
            while True:
                server.fault = at_write(failed + 1, (Fault.DROP_BEFORE, Fault.DROP_AFTER)[failed % 2])
                try:
                    await switched(served, "new")
                except IndexUnavailable:
                    failed += 1
                else:
                    break
                assert [each.text async for page in served.scroll() for each in page] in (["old"], ["new"])
            server.fault = None
            assert [each.text async for page in served.scroll() for each in page] == ["new"]
            await switched(served, "newest")
        async with another_client(url) as client:
            left = (await client.get_collections()).collections
    # A collection, its five payload indexes, a point, the aliases, and what is dropped before and after.
    assert failed >= 9
    assert len(left) == 2


async def test_a_first_index_whose_making_was_interrupted_is_completed(qdrant: str) -> None:
    async with recorded(qdrant) as (served, _):
        await served.create(IDENTITY)
    async with another_client(qdrant) as client:
        gone = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name="souffleur"))
        await client.update_collection_aliases([gone])
    async with recorded(qdrant) as (served, transport):
        assert await served.identity() is None
        await served.create(replace(IDENTITY, average_words=10), replace=False)
        assert await served.identity() == IDENTITY
        assert ("PUT", "/collections/souffleur-1/index") in transport.writes()


async def test_numbered_collections_of_others_are_neither_used_nor_deleted(qdrant: str) -> None:
    names = ("souffleur-1", "souffleur-0009", "souffleur-x", "souffleur-7-7")
    async with another_client(qdrant) as client:
        for name in names:
            await client.create_collection(name, sparse_vectors_config={"text": models.SparseVectorParams()})
        async with recorded(qdrant) as (served, _):
            assert await served.draft().identity() is None
            await served.create(IDENTITY, replace=False)
            for _ in range(2):
                draft = served.draft()
                await draft.create(IDENTITY)
                await draft.publish()
        left = {collection.name for collection in (await client.get_collections()).collections}
    assert left == {*names, "souffleur-3", "souffleur-4"}


async def test_a_search_sends_the_readers_with_the_question() -> None:
    sent: list[dict[str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["api-key"] == "key"
        sent.append(json.loads(request.content))
        return httpx.Response(200, json=DONE | {"result": {"points": []}})

    served = store(answer)
    await served.rank_dense([1.0, 0.0, 0.0], visible_to=frozenset({"public", "everyone"}), limit=7)
    assert await served.rank_dense([1.0, 0.0, 0.0], visible_to=frozenset(), limit=7) == []
    await served.close()
    assert [body["filter"] for body in sent] == [
        {"must": [{"key": "readers", "match": {"any": ["everyone", "public"]}}]}
    ]
    assert sent[0]["limit"] == 7


def refused(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("connection refused")


def too_slow(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("timed out")


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (refused, IndexUnavailable, "does not answer .connection refused.; is it running"),
        (too_slow, IndexUnavailable, "does not answer .timed out."),
        (saying(503, {"status": {"error": "starting"}}), IndexUnavailable, "answered 503; try again shortly"),
        (lambda _: httpx.Response(429, headers={"Retry-After": "1"}), IndexUnavailable, "qdrant:6333"),
        (
            saying(404, {"status": {"error": "Not found"}}),
            IndexMissing,
            "no collection 'souffleur' .* `ingest sync`",
        ),
        (saying(401, {"status": {"error": "no key"}}), ConfigurationError, "key .401.; set SOUFFLEUR_QDRANT_API_KEY"),
        (
            saying(400, {"status": {"error": "Condition size limit reached (9 > 5). Help: Reduce the size of it."}}),
            ConfigurationError,
            r"strict mode: Condition size limit reached \(9 > 5\); raise that limit for collection 'souffleur'",
        ),
        (
            saying(403, {"status": {"error": 'Forbidden: Limit exceeded 256 > 99 for "hnsw_ef". Help: Reduce it.'}}),
            ConfigurationError,
            r'strict mode: Forbidden: Limit exceeded 256 > 99 for "hnsw_ef"; raise that limit',
        ),
        (saying(500, {"status": {"error": "No space left on device"}}), IndexUnavailable, "disk of Qdrant .* is full"),
        (saying(400, {"status": {"error": "Wrong vector"}}), IndexDamaged, "Wrong vector.*; run `ingest reindex`"),
        (lambda _: httpx.Response(200, text="<html>"), IndexUnavailable, "qdrant:6333"),
        (saying(200, {"hello": "world"}), IndexUnavailable, "is not Qdrant; check `index.url`"),
        (saying(200, DONE | {"result": {"count": "many"}}), IndexUnavailable, "does not answer"),
    ],
    ids=[
        "down",
        "slow",
        "starting",
        "busy",
        "absent",
        "key",
        "limit",
        "limit, of old",
        "full",
        "wrong",
        "garbage",
        "another service",
        "another shape",
    ],
)
async def test_a_refusal_says_what_to_do(
    answer: Callable[[httpx.Request], httpx.Response], error: type[Exception], told: str
) -> None:
    served = store(answer)
    with pytest.raises(error, match=told) as raised:
        await served.count()
    await served.close()
    assert "\n" not in str(raised.value)
    assert "'https://qdrant:6333'" in str(raised.value)


async def test_a_collection_where_the_alias_should_be_is_reported_and_left_alone(qdrant: str) -> None:
    async with another_client(qdrant) as client:
        await client.create_collection("souffleur", sparse_vectors_config={"text": models.SparseVectorParams()})
    async with recorded(qdrant) as (served, transport):
        for use in (served.identity, lambda: served.create(IDENTITY), lambda: served.draft().create(IDENTITY)):
            with pytest.raises(IndexDamaged, match=r"is a collection.* set `index\.collection` to another name"):
                await use()
        assert transport.writes() == []


@pytest.mark.parametrize("metadata", [None, {"pipeline": "x"}])
async def test_an_alias_of_another_program_is_reported(qdrant: str, metadata: dict[str, object] | None) -> None:
    async with another_client(qdrant) as client:
        sparse = {"text": models.SparseVectorParams()}
        await client.create_collection("theirs", sparse_vectors_config=sparse, metadata=metadata)
        named = models.CreateAlias(collection_name="theirs", alias_name="souffleur")
        await client.update_collection_aliases([models.CreateAliasOperation(create_alias=named)])
    async with recorded(qdrant) as (served, _):
        with pytest.raises(IndexDamaged, match=r"collection 'souffleur' .*`ingest reindex`"):
            await served.identity()


@pytest.mark.parametrize("url", ["ftp://qdrant", "http://host:port"])
def test_an_address_that_is_none_is_a_mistake_in_the_configuration(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"`index\.url` .* is not an address"):
        ServerStore(url, collection="souffleur")
