"""Rerankers against servers that answer otherwise than asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ingest.chunk import estimate_tokens
from ingest.index.interface import ModelMisconfigured, ModelUnavailable, RerankerSettings
from ingest.index.reranker import EndpointReranker, LocalReranker, open_reranker
from tests.fixtures import models
from tests.fixtures.gateway import Gateway, answers, garbage, hangs, ranking, status

pytestmark = pytest.mark.usefixtures("without_waits")

TEXTS = ["train ticket", "leave days a year", "office"]


def reranker(base_url: str, **settings: Any) -> EndpointReranker:
    opened = open_reranker(RerankerSettings(base_url=base_url, model="assistant", **settings))
    assert isinstance(opened, EndpointReranker)
    return opened


async def failure(reranker: EndpointReranker | LocalReranker) -> Exception:
    with pytest.raises((ModelUnavailable, ModelMisconfigured)) as raised:
        await reranker.scores("leave days", TEXTS)
    await reranker.close()
    return raised.value


async def test_scores_come_in_the_order_of_the_texts_though_the_server_sorts_them(base_url: str) -> None:
    rerank = reranker(base_url)
    assert await rerank.scores("leave days", TEXTS) == [0.0, 1.0, 0.0]
    await rerank.close()


async def test_the_request_is_what_jina_and_cohere_document(gateway: Gateway, base_url: str) -> None:
    rerank = reranker(base_url, api_key=SecretStr("sk-1"))
    await rerank.scores("leave days", TEXTS)
    (request,) = gateway.requests
    assert request.path == "/v1/rerank"
    assert request.authorization == "Bearer sk-1"
    assert request.body == {"model": "assistant", "query": "leave days", "documents": TEXTS, "top_n": 3}
    await rerank.close()


async def test_a_text_that_the_server_leaves_out_gets_its_lowest_score(gateway: Gateway, base_url: str) -> None:
    gateway.always(answers(lambda: ranking([(1, 4.0), (2, -3.5)])))
    rerank = reranker(base_url)
    assert await rerank.scores("leave days", TEXTS) == [-3.5, 4.0, -3.5]
    await rerank.close()


async def test_a_busy_server_is_asked_again(gateway: Gateway, base_url: str) -> None:
    gateway.script(status(429, retry_after=0), status(500))
    rerank = reranker(base_url)
    assert len(await rerank.scores("leave days", TEXTS)) == 3
    assert len(gateway.requests) == 3
    await rerank.close()


async def test_long_texts_and_questions_are_cut_to_what_the_model_was_trained_on(
    gateway: Gateway, base_url: str
) -> None:
    rerank = reranker(base_url, max_tokens=64)
    await rerank.scores("leave days " * 200, ["short", "train ticket " * 500, "日本語" * 500])
    body = gateway.requests[0].body
    taken = estimate_tokens(body["query"])
    assert 20 < taken <= 32
    assert body["documents"][0] == "short"
    assert all(20 < taken + estimate_tokens(text) <= 64 for text in body["documents"][1:])
    assert "train ticket ".startswith(body["documents"][1][:13])
    await rerank.close()


@pytest.mark.parametrize(("max_tokens", "words", "same"), [(32, 40, True), (64, 40, False), (8192, 70, True)])
async def test_a_local_model_cuts_pairs_at_the_configured_length_or_at_its_own(
    tmp_path: Path, max_tokens: int, words: int, same: bool
) -> None:
    local = LocalReranker(RerankerSettings(local=str(models.cross_encoder(tmp_path)), max_tokens=max_tokens))
    scores = await local.scores("leave", ["leave " * words + end for end in ("door", "office")])
    assert (scores[0] == scores[1]) is same
    await local.close()


@pytest.mark.parametrize(
    "results", [[], [(3, 0.5)], [(-1, 0.5), (0, 0.5)]], ids=["none", "beyond the texts", "before the texts"]
)
async def test_scores_of_other_texts_are_unavailable(
    gateway: Gateway, base_url: str, results: list[tuple[int, float]]
) -> None:
    gateway.always(answers(lambda: ranking(results)))
    assert isinstance(await failure(reranker(base_url)), ModelUnavailable)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[]", b'{"results": [{"index": 0}]}', b'{"results": [{"index": 0, "relevance_score": NaN}]}'],
)
async def test_an_answer_that_is_no_ranking_is_unavailable(gateway: Gateway, base_url: str, content: bytes) -> None:
    gateway.always(garbage(content))
    assert isinstance(await failure(reranker(base_url)), ModelUnavailable)


@pytest.mark.parametrize("code", [400, 401, 404, 422])
async def test_a_refusal_is_final_and_names_the_section(gateway: Gateway, base_url: str, code: int) -> None:
    gateway.always(status(code))
    error = await failure(reranker(base_url))
    assert isinstance(error, ModelMisconfigured)
    assert "models.reranker" in str(error)
    assert len(gateway.requests) == 1


async def test_a_server_that_never_answers_is_unavailable_after_the_timeout(gateway: Gateway, base_url: str) -> None:
    gateway.always(hangs)
    assert isinstance(await failure(reranker(base_url, timeout_seconds=0.1)), ModelUnavailable)


def test_no_section_opens_no_reranker() -> None:
    assert open_reranker(None) is None


async def test_a_local_model_with_several_labels_is_no_reranker(tmp_path: Path) -> None:
    folder = models.cross_encoder(tmp_path, labels=3)
    error = await failure(LocalReranker(RerankerSettings(local=str(folder))))
    assert isinstance(error, ModelMisconfigured)
    assert "3 numbers" in str(error)
