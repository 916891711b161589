"""What monitoring sees."""

from __future__ import annotations

import asyncio
import logging

import pytest
from prometheus_client import CollectorRegistry, Counter

from bot.platforms.web import Keys, readiness
from ingest.errors import Transient
from tests.bot.platforms.web import ENTRIES, KEY, client, site


async def passes() -> None:
    return None


async def fails() -> None:
    raise Transient("index 'http://qdrant:6333' is away;\nstart it")


async def hangs() -> None:
    await asyncio.Event().wait()


async def test_readiness_names_each_part_that_fails_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "CHECK_SECONDS", 0.01)
    async with client(site(checks={"state": passes, "index": fails, "gateway": hangs})) as http:
        response = await http.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {
        "ready": False,
        "checks": {
            "state": "ok",
            "index": "index 'http://qdrant:6333' is away; start it",
            "gateway": "no answer within 0.01 s",
        },
    }


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer sk-wrong"}])
async def test_why_a_part_fails_is_nobody_elses_to_know(
    headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    app = site(checks={"state": passes, "index": fails})
    with caplog.at_level(logging.WARNING):
        async with client(app, peer="203.0.113.9", base="http://bot.example", **headers) as http:
            response = await http.get("/readyz")
            await http.get("/readyz")
    assert (response.status_code, response.json()["checks"]) == (503, {"state": "ok", "index": "failed"})
    [record] = caplog.records
    assert record.getMessage() == "not ready: index: index 'http://qdrant:6333' is away; start it"


async def test_a_part_that_works_again_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    trouble = [Transient("away")]

    async def check() -> None:
        if trouble:
            raise trouble.pop()

    with caplog.at_level(logging.WARNING):
        async with client(site(checks={"index": check})) as http:
            assert [(await http.get("/readyz")).status_code for _ in range(3)] == [503, 200, 200]
    assert [record.getMessage() for record in caplog.records] == ["not ready: index: away", "ready again: index"]


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("203.0.113.9", {}, 401),
        ("203.0.113.9", {"authorization": f"Bearer {KEY}"}, 200),
        ("127.0.0.1", {}, 200),
        ("127.0.0.1", {"x_forwarded_for": "203.0.113.9"}, 401),
    ],
)
async def test_metrics_are_for_who_might_ask(peer: str, headers: dict[str, str], status: int) -> None:
    async with client(site(), peer=peer, **headers) as http:
        assert (await http.get("/metrics")).status_code == status


async def test_where_keys_are_needed_even_this_machine_sees_no_more_without(caplog: pytest.LogCaptureFixture) -> None:
    app = site(keys=Keys(ENTRIES, keyless_here=False), checks={"index": fails})
    async with client(app) as http:
        assert (await http.get("/metrics")).status_code == 401
        assert (await http.get("/readyz")).json()["checks"] == {"index": "failed"}


async def test_ready_is_when_every_check_passes_and_alive_needs_none() -> None:
    async with client(site(checks={"state": passes}), peer="203.0.113.9", base="http://bot.example") as http:
        ready = await http.get("/readyz")
    async with client(site(checks={"index": fails}), peer="203.0.113.9", base="http://bot.example") as http:
        alive = await http.get("/healthz")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "checks": {"state": "ok"}})
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})


async def test_metrics_are_those_of_the_registry() -> None:
    registry = CollectorRegistry()
    Counter("questions", "Questions asked", registry=registry).inc()
    async with client(site(registry=registry)) as http:
        response = await http.get("/metrics")
    assert "questions_total 1.0" in response.text
    assert response.headers["content-type"].startswith("text/plain")
