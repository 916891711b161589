"""What monitoring sees."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry, Counter

from bot.platforms.web import probes
from ingest.errors import Transient
from tests.bot.platforms.web import client, site


async def passes() -> None:
    return None


async def fails() -> None:
    raise Transient("index 'http://qdrant:6333' is away;\nstart it")


async def hangs() -> None:
    await asyncio.Event().wait()


async def test_readiness_names_each_part_that_fails_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "CHECK_SECONDS", 0.01)
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
