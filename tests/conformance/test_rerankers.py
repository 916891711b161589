"""What every reranker keeps, whatever is behind it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from ingest.index.interface import Reranker, RerankerSettings
from ingest.index.reranker import EndpointReranker, LocalReranker
from tests.fixtures import models
from tests.fixtures.gateway import Gateway


def endpoint(folder: Path) -> Reranker:
    configured = RerankerSettings(base_url="http://gateway:4000/v1", model="assistant")
    return EndpointReranker(configured, transport=httpx.ASGITransport(app=Gateway().app))


def local(folder: Path) -> Reranker:
    return LocalReranker(RerankerSettings(local=str(models.cross_encoder(folder))))


def overlapping(folder: Path) -> Reranker:
    return models.OverlapReranker()


@pytest.fixture(params=[endpoint, local, overlapping], ids=lambda make: make.__name__)
async def reranker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Reranker]:
    reranker = request.param(tmp_path)
    yield reranker
    await reranker.close()


TEXTS = ["train ticket", "leave days a year", "the office door is open"] * 15


async def test_it_has_a_name(reranker: Reranker) -> None:
    assert reranker.name


async def test_every_text_gets_one_number(reranker: Reranker) -> None:
    scores = await reranker.scores("leave days", TEXTS)
    assert len(scores) == len(TEXTS)
    assert all(isinstance(score, float) and math.isfinite(score) for score in scores)


async def test_a_text_is_scored_the_same_in_any_company_and_place(reranker: Reranker) -> None:
    scores = await reranker.scores("leave days", TEXTS)
    backwards = await reranker.scores("leave days", TEXTS[::-1])
    assert backwards[::-1] == pytest.approx(scores, abs=1e-5)
    assert await reranker.scores("leave days", TEXTS[1:2]) == pytest.approx(scores[1:2], abs=1e-5)


async def test_different_texts_are_told_apart(reranker: Reranker) -> None:
    assert len({round(score, 7) for score in await reranker.scores("leave days", TEXTS[:3])}) > 1


async def test_no_texts_give_no_scores(reranker: Reranker) -> None:
    assert await reranker.scores("leave days", []) == []


async def test_many_callers_at_once_each_get_their_own_scores(reranker: Reranker) -> None:
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(reranker.scores("leave days", [text])) for text in TEXTS[:3]]
    together = await reranker.scores("leave days", TEXTS[:3])
    assert [call.result()[0] for call in calls] == pytest.approx(together, abs=1e-5)


@pytest.mark.parametrize("text", ["\ud800 leave", "\x00", "", "日本語 🎭 " * 200])
async def test_an_odd_text_or_question_still_gets_a_score(reranker: Reranker, text: str) -> None:
    assert len(await reranker.scores(text or "leave", ["leave", text])) == 2
