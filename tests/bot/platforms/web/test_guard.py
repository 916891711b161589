"""What holds for every request."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator

import pytest

from ingest.model import Readers
from tests.bot.platforms.web import ASKED, client, site


@pytest.mark.parametrize("path", ["/", "/page/page.js", "/v1/models", "/documents/a/b", "/healthz", "/nothing"])
async def test_every_response_forbids_what_it_does_not_need(path: str) -> None:
    async with client(site()) as http:
        headers = (await http.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers


async def test_a_body_of_more_than_a_megabyte_is_refused_with_or_without_its_length() -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "x" * 1_000_000}]}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    async with client(site(), content_type="application/json", accept_language="fr") as http:
        for content in (body, pieces()):
            response = await http.post("/v1/chat/completions", content=content)
            assert response.status_code == 413
            assert response.json()["error"]["message"] == "fr:web-too-large limit=1000"


async def test_a_question_of_a_hundred_thousand_characters_reaches_the_answerer() -> None:
    async with client(site()) as http:
        asked = {"messages": [{"role": "user", "content": "ф" * 100_000}]}
        assert (await http.post("/v1/chat/completions", json=asked)).status_code == 200


async def test_what_breaks_is_told_with_a_trace_and_logged_under_it(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(source: str, document: str, tokens: Readers) -> None:
        raise ZeroDivisionError("secret of the house")

    with caplog.at_level(logging.ERROR):
        async with client(site(documents=broken), accept_language="fr") as http:
            response = await http.get("/documents/a/b")
    assert response.status_code == 500
    message = response.json()["error"]["message"]
    assert message.startswith("fr:error trace=")
    assert "secret" not in response.text
    [record] = [record for record in caplog.records if record.exc_info]
    assert record.__dict__["trace_id"] == message.partition("=")[2]


async def test_other_methods_and_empty_bodies_are_no_accident() -> None:
    async with client(site()) as http:
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            assert (await http.request(method, "/v1/chat/completions", json=ASKED)).status_code == 405
