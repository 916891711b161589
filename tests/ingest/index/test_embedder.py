"""Embedders against servers that misbehave and folders that hold no model."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
from pydantic import SecretStr
from starlette.responses import JSONResponse, Response

from ingest.index.embedder import EndpointEmbedder, LocalEmbedder, open_embedder
from ingest.index.interface import EmbeddingSettings, ModelMisconfigured, ModelUnavailable
from tests.fixtures import models
from tests.fixtures.gateway import Gateway, Received, answers, behaves, cut, embeddings, garbage, hangs, hashed, status

pytestmark = pytest.mark.usefixtures("without_waits")

KEY = "sk-very-secret"


def embedder(base_url: str, **settings: Any) -> EndpointEmbedder:
    return EndpointEmbedder(EmbeddingSettings(base_url=base_url, model="assistant", **settings))


async def failure(embedder: EndpointEmbedder | LocalEmbedder, *texts: str) -> Exception:
    """What embedding these texts raises."""
    with pytest.raises((ModelUnavailable, ModelMisconfigured)) as raised:
        await embedder.embed_documents(texts or ("leave",))
    await embedder.close()
    assert "\n" not in str(raised.value)
    assert KEY not in str(raised.value)
    return raised.value


async def test_texts_travel_in_batches_of_the_configured_size(gateway: Gateway, base_url: str) -> None:
    texts = [f"text {number}" for number in range(7)]
    embed = embedder(base_url, batch_size=3)
    assert await embed.embed_documents(texts) == [pytest.approx(hashed(text, 16)) for text in texts]
    assert sorted(len(request.body["input"]) for request in gateway.requests) == [1, 3, 3]
    await embed.close()


async def test_as_many_requests_as_configured_are_in_flight_and_no_more(gateway: Gateway, base_url: str) -> None:
    together = asyncio.Barrier(3)

    async def waits_for_three(gateway: Gateway, received: Received) -> Response:
        async with together:
            return await behaves(gateway, received)

    gateway.always(waits_for_three)
    embed = embedder(base_url, batch_size=1, concurrency=3)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(embed.embed_documents([f"text {number}" for number in range(6)]))
        group.create_task(embed.embed_documents(["a", "b", "c"]))
    assert gateway.most_at_once == 3
    await embed.close()


async def test_the_key_is_sent_and_prefixes_are_put_before_the_texts(base_url: str, gateway: Gateway) -> None:
    gateway.key = KEY
    embed = embedder(base_url, api_key=SecretStr(f"{KEY}\n"), query_prefix="query: ", document_prefix="passage: ")
    await embed.embed_query("leave")
    await embed.embed_documents(["thirty days"])
    assert [request.body["input"] for request in gateway.requests] == [["query: leave"], ["passage: thirty days"]]
    await embed.close()


async def test_the_name_tells_prefixes_apart(base_url: str) -> None:
    plain, prefixed = embedder(base_url), embedder(base_url, query_prefix="query: ")
    assert plain.name == "assistant"
    assert prefixed.name != plain.name
    for each in (plain, prefixed):
        await each.close()


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503])
async def test_a_busy_server_is_asked_again(gateway: Gateway, base_url: str, code: int) -> None:
    gateway.script(status(code), status(code))
    embed = embedder(base_url)
    assert await embed.embed_query("leave") == pytest.approx(hashed("leave", 16))
    assert len(gateway.requests) == 3
    await embed.close()


async def test_a_server_that_stays_busy_is_unavailable_in_its_own_words(gateway: Gateway, base_url: str) -> None:
    gateway.always(status(503, "model is loading"))
    error = await failure(embedder(base_url))
    assert isinstance(error, ModelUnavailable)
    assert "model is loading" in str(error)
    assert "'assistant'" in str(error)
    assert len(gateway.requests) == 4


async def waits(embed: EndpointEmbedder) -> list[float]:
    """How long it would wait before each retry, in seconds."""
    seconds: list[float] = []

    class Waited(Exception):
        pass

    def note(details: stamina.instrumentation.RetryDetails) -> None:
        seconds.append(details.wait_for)
        raise Waited

    stamina.instrumentation.set_on_retry_hooks([note])
    stamina.set_testing(False)
    try:
        await embed.embed_query("leave")
    except (Waited, ModelUnavailable):
        pass
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)
        await embed.close()
    return seconds


async def test_it_waits_as_long_as_the_server_asks(gateway: Gateway, base_url: str) -> None:
    gateway.always(status(429, retry_after=7))
    assert await waits(embedder(base_url, timeout_seconds=30)) == [7]


async def test_without_a_word_from_the_server_it_backs_off_with_jitter(gateway: Gateway, base_url: str) -> None:
    gateway.always(status(503))
    (first,), (second,) = [await waits(embedder(base_url)) for _ in range(2)]
    assert 0.1 <= first <= 1.1
    assert first != second


async def test_a_server_that_asks_for_more_patience_than_configured_is_unavailable_at_once(
    gateway: Gateway, base_url: str
) -> None:
    gateway.always(status(429, retry_after=120))
    error = await failure(embedder(base_url, timeout_seconds=30))
    assert isinstance(error, ModelUnavailable)
    assert "120 s" in str(error)
    assert len(gateway.requests) == 1


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        (400, "models.embedding"),
        (401, "SOUFFLEUR_EMBEDDING_API_KEY"),
        (403, "SOUFFLEUR_EMBEDDING_API_KEY"),
        (404, "`model`"),
        (413, "limits"),
        (422, "limits"),
        (307, "base_url"),
    ],
)
async def test_a_refusal_is_final_and_says_what_to_change(
    gateway: Gateway, base_url: str, code: int, way_out: str
) -> None:
    gateway.always(status(code))
    error = await failure(embedder(base_url))
    assert isinstance(error, ModelMisconfigured)
    assert str(code) in str(error)
    assert way_out in str(error)
    assert len(gateway.requests) == 1


async def test_a_wrong_key_is_not_repeated_in_the_message(gateway: Gateway, base_url: str) -> None:
    gateway.key = "another"
    assert isinstance(await failure(embedder(base_url, api_key=SecretStr(KEY))), ModelMisconfigured)


async def test_vectors_of_another_length_than_configured_are_refused(gateway: Gateway, base_url: str) -> None:
    error = await failure(embedder(base_url, size=1024))
    assert isinstance(error, ModelMisconfigured)
    assert "16" in str(error)
    assert "1024" in str(error)


async def test_vectors_that_change_their_length_are_refused(gateway: Gateway, base_url: str) -> None:
    embed = embedder(base_url)
    assert await embed.size() == 16
    gateway.size = 24
    assert isinstance(await failure(embed), ModelMisconfigured)


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_another_number_of_vectors_than_of_texts_is_refused(gateway: Gateway, base_url: str, count: int) -> None:
    gateway.always(answers(lambda: embeddings([hashed("x", 16)] * count)))
    error = await failure(embedder(base_url), "leave", "office")
    assert isinstance(error, ModelMisconfigured)
    assert f"{count} vectors to 2 texts" in str(error)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe not \x80 text",
        b"<html>log in first</html>",
        b"[]",
        b'{"data": null}',
        b'{"data": [{"embedding": "AAAA"}]}',
        b'{"data": [{"index": 0, "embedding": [0.0, 0.0]}]}',
        b'{"data": [{"index": 0, "embedding": [NaN, 1.0]}]}',
    ],
)
async def test_an_answer_that_is_no_embedding_is_unavailable(gateway: Gateway, base_url: str, content: bytes) -> None:
    gateway.always(garbage(content))
    assert isinstance(await failure(embedder(base_url)), ModelUnavailable)


async def test_vectors_that_are_not_normalised_are(gateway: Gateway, base_url: str) -> None:
    gateway.always(answers(lambda: embeddings([[3.0, 4.0]])))
    embed = embedder(base_url)
    assert await embed.embed_query("leave") == pytest.approx([0.6, 0.8])
    await embed.close()


async def test_vectors_without_an_index_are_taken_in_their_order(gateway: Gateway, base_url: str) -> None:
    data = [{"embedding": [1.0, 0.0]}, {"embedding": [0.0, 1.0]}]
    gateway.always(answers(lambda: JSONResponse({"data": data})))
    embed = embedder(base_url)
    assert await embed.embed_documents(["a", "b"]) == [[1.0, 0.0], [0.0, 1.0]]
    await embed.close()


async def test_a_server_that_never_answers_is_unavailable_after_the_timeout(gateway: Gateway, base_url: str) -> None:
    gateway.always(hangs)
    error = await failure(embedder(base_url, timeout_seconds=0.1))
    assert isinstance(error, ModelUnavailable)
    assert "0.1 s" in str(error)
    async with asyncio.timeout(10):
        await gateway.left.wait()


async def test_a_question_waits_less_long_than_documents(
    gateway: Gateway, base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.index.embedder.QUERY_SECONDS", 0.1)
    gateway.always(hangs)
    embed = embedder(base_url, timeout_seconds=30)
    with pytest.raises(ModelUnavailable, match=r"0\.1 s"):
        await embed.embed_query("How many days of leave?")
    await embed.close()


async def test_a_connection_that_breaks_is_tried_again_then_unavailable(gateway: Gateway, base_url: str) -> None:
    gateway.always(cut)
    assert isinstance(await failure(embedder(base_url)), ModelUnavailable)
    assert len(gateway.requests) == 4


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with Gateway().served() as base_url:
        pass
    error = await failure(embedder(base_url))
    assert isinstance(error, ModelUnavailable)
    assert base_url in str(error)


async def test_one_failed_batch_fails_the_whole_call_with_its_own_error(gateway: Gateway, base_url: str) -> None:
    gateway.script(status(400, "text too long"))
    error = await failure(embedder(base_url, batch_size=1), *"abcdef")
    assert isinstance(error, ModelMisconfigured)
    assert isinstance(error.__cause__, httpx.HTTPStatusError)


@pytest.mark.parametrize("written", ["", "/", "/v1", "/v1/", "/v1/embeddings"])
async def test_the_address_may_be_written_with_or_without_its_path(gateway: Gateway, written: str) -> None:
    async with gateway.served() as base_url:
        embed = embedder(base_url.removesuffix("/v1") + written)
        await embed.embed_query("leave")
        await embed.close()
    assert [request.path for request in gateway.requests] == ["/v1/embeddings"]


@pytest.mark.parametrize(
    "address",
    ["gateway:4000/v1", "", "ftp://gw/v1", "http://gw:99999/v1", "http://", "http://[::1/v1", f"http://me:{KEY}@gw/v1"],
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent(address: str) -> None:
    with pytest.raises(ModelMisconfigured, match="base_url") as raised:
        embedder(address)
    assert KEY not in str(raised.value)


def test_a_key_that_no_header_can_carry_is_refused_without_repeating_it() -> None:
    with pytest.raises(ModelMisconfigured, match="key") as raised:
        embedder("http://gateway/v1", api_key=SecretStr("schlüssel"))
    assert "schl" not in str(raised.value)


async def test_lone_surrogates_reach_the_server_as_question_marks(gateway: Gateway, base_url: str) -> None:
    embed = embedder(base_url)
    await embed.embed_query("caf\ud800é")
    assert gateway.requests[0].body["input"] == ["caf?é"]
    await embed.close()


def test_no_section_opens_no_embedder() -> None:
    assert open_embedder(None) is None


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.sentence_transformer(tmp_path_factory.mktemp("model"))


def local(folder: Path | str, **settings: Any) -> LocalEmbedder:
    opened = open_embedder(EmbeddingSettings(local=str(folder), **settings))
    assert isinstance(opened, LocalEmbedder)
    return opened


async def test_a_moved_model_keeps_its_name_and_another_one_in_a_folder_of_that_name_does_not(
    model: Path, tmp_path: Path
) -> None:
    moved = Path(shutil.copytree(model, tmp_path / "moved" / model.name))
    assert local(moved).name == local(model).name
    other = models.sentence_transformer(tmp_path / "other", seed=1)
    assert other.name == model.name
    assert local(other).name != local(model).name


async def test_a_prefix_is_part_of_the_text_that_a_local_model_sees(model: Path) -> None:
    prefixed, plain = local(model, query_prefix="travel "), local(model)
    assert await prefixed.embed_query("days") == pytest.approx(await plain.embed_query("travel days"), abs=1e-5)
    assert prefixed.name != plain.name
    for each in (prefixed, plain):
        await each.close()


async def test_a_local_model_uses_its_own_prompts_where_no_prefix_is_configured(model: Path, tmp_path: Path) -> None:
    prompted = Path(shutil.copytree(model, tmp_path / "prompted"))
    config = prompted / "config_sentence_transformers.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"prompts": {"query": "travel ", "document": ""}}))
    own, plain = local(prompted), local(model)
    assert await own.embed_query("days") == pytest.approx(await plain.embed_query("travel days"), abs=1e-5)
    for each in (own, plain):
        await each.close()


async def test_a_local_model_of_another_size_than_configured_is_refused(model: Path) -> None:
    error = await failure(local(model, size=1024))
    assert isinstance(error, ModelMisconfigured)
    assert "32" in str(error)


async def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    error = await failure(local(tmp_path / "nowhere"))
    assert isinstance(error, ModelMisconfigured)
    assert "is not a folder" in str(error)


async def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="the extra `models` is not installed")
    assert isinstance(await failure(local(tmp_path)), ModelMisconfigured)


async def test_damaged_weights_are_refused(model: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(model, tmp_path / "damaged"))
    (damaged / "model.safetensors").write_bytes(b"no tensors")
    assert isinstance(await failure(local(damaged)), ModelMisconfigured)


async def test_a_hub_model_that_was_not_fetched_is_refused_without_asking_the_hub() -> None:
    pytest.importorskip("sentence_transformers", reason="the extra `models` is not installed")
    error = await failure(local("nobody/no-such-model"))
    assert isinstance(error, ModelMisconfigured)
    assert "hf download" in str(error)


class ThreadCount:
    """Stands in for a model: its vectors hold the number of threads that torch may use."""

    def encode_query(self, texts: list[str], **options: Any) -> Any:
        import torch

        return torch.full((len(texts), 1), float(torch.get_num_threads()))

    encode_document = encode_query


async def test_a_query_takes_one_thread_and_documents_take_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason="the extra `models` is not installed")

    def load(folder: str) -> ThreadCount:
        torch.set_num_threads(3)
        return ThreadCount()

    monkeypatch.setattr("ingest.index.embedder._load", load)
    embed = local(tmp_path)
    assert await embed.embed_query("leave") == [1]
    assert await embed.embed_documents(["leave"]) == [[3]]
    assert await embed.embed_query("leave") == [1]
    await embed.close()


async def test_a_local_model_that_takes_too_long_is_unavailable(model: Path) -> None:
    slow = local(model, timeout_seconds=0.001, batch_size=10_000)
    error = await failure(slow, *["leave days a year of the office"] * 2000)
    assert isinstance(error, ModelUnavailable)
    assert "timeout_seconds" in str(error)
