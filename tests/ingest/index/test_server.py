"""What goes over the wire to a Qdrant server, and what its refusals become."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

import httpx
import pytest
from pydantic import SecretStr

from ingest.errors import ConfigurationError
from ingest.index.interface import Identity, IndexDamaged, IndexMissing, IndexUnavailable, Point, SparseVector
from ingest.index.server import ServerStore
from tests.fixtures.chunks import chunk

IDENTITY = Identity(pipeline=1, embedding="model", size=3, average_words=9, average_grams=40)
DONE = {"result": True, "status": "ok", "time": 0.0}


def store(answer: Callable[[httpx.Request], httpx.Response]) -> ServerStore:
    return ServerStore(
        "https://qdrant:6333", collection="souffleur", api_key=SecretStr("key"), transport=httpx.MockTransport(answer)
    )


def saying(status: int, body: dict[str, object]) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, json=body)


async def test_the_filter_fields_are_indexed_before_the_first_point_and_writes_are_waited_for() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        updated = {"operation_id": 1, "status": "completed"}
        return httpx.Response(200, json=DONE | {"result": updated if "wait" in request.url.params else True})

    served = store(answer)
    await served.create(IDENTITY)
    await served.upsert(
        [Point(chunk=chunk("x"), lexical=SparseVector(indices=(1,), values=(1.0,)), dense=[1.0, 0.0, 0.0])]
    )
    await served.close()
    steps = [(request.method, request.url.path.removeprefix("/collections/souffleur")) for request in asked]
    assert steps == [("DELETE", ""), ("PUT", ""), *[("PUT", "/index")] * 5, ("PUT", "/points")]
    made = json.loads(asked[1].content)
    assert made["metadata"] == asdict(IDENTITY)
    assert made["sparse_vectors"] == {"lexical": {"index": {"full_scan_threshold": 1}, "modifier": "idf"}}
    assert made["vectors"]["dense"] | {"size": 3, "distance": "Cosine"} == made["vectors"]["dense"]
    indexed = {json.loads(request.content)["field_name"] for request in asked[2:7]}
    assert indexed == {"readers", "source", "document", "language", "updated_at"}
    assert all(request.url.params["wait"] == "true" for request in asked[2:])
    assert {request.headers["api-key"] for request in asked} == {"key"}


async def test_a_search_sends_the_readers_with_the_question() -> None:
    sent: list[dict[str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
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
        (saying(400, {"status": {"error": "Wrong vector"}}), IndexDamaged, "Wrong vector.*; run `ingest reindex`"),
        (lambda _: httpx.Response(200, text="<html>"), IndexUnavailable, "qdrant:6333"),
        (saying(200, {"hello": "world"}), IndexUnavailable, "is not Qdrant; check `index.url`"),
        (saying(200, DONE | {"result": {"count": "many"}}), IndexUnavailable, "does not answer"),
    ],
    ids=["down", "slow", "starting", "busy", "absent", "key", "wrong", "garbage", "another service", "another shape"],
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


@pytest.mark.parametrize("metadata", [None, {}, {"pipeline": "x"}])
async def test_a_collection_of_another_program_is_left_alone(metadata: dict[str, object] | None) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        if request.url.path.endswith("/exists"):
            return httpx.Response(200, json=DONE | {"result": {"exists": True}})
        config = {
            "params": {},
            "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000},
            "optimizer_config": {
                "deleted_threshold": 0.2,
                "vacuum_min_vector_number": 1,
                "default_segment_number": 0,
                "flush_interval_sec": 5,
            },
            "metadata": metadata,
        }
        found = {
            "status": "green",
            "optimizer_status": "ok",
            "segments_count": 1,
            "config": config,
            "payload_schema": {},
        }
        return httpx.Response(200, json=DONE | {"result": found})

    served = store(answer)
    with pytest.raises(IndexDamaged, match=r"collection 'souffleur' .*`ingest reindex`"):
        await served.identity()
    await served.close()


@pytest.mark.parametrize("url", ["ftp://qdrant", "http://host:port"])
def test_an_address_that_is_none_is_a_mistake_in_the_configuration(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"`index\.url` .* is not an address"):
        ServerStore(url, collection="souffleur")
