"""What holds for every request."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.platforms.web.refusal import SECURITY_HEADERS
from ingest.model import Readers
from tests.bot.platforms.web import ASKED, client, serving, site


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
    assert headers["x-frame-options"] == "DENY"
    assert not [name for name in headers if name.startswith("access-control")]
    assert headers["cache-control"] == ("public, max-age=31536000, immutable" if "/page/" in path else "no-store")


async def test_no_part_of_it_can_loosen_what_holds_for_every_response() -> None:
    async def loose(request: Request) -> Response:
        headers = {
            "Access-Control-Allow-Origin": "*",
            "access-control-allow-credentials": "true",
            "Content-Security-Policy": "default-src *",
            "Referrer-Policy": "unsafe-url",
            "X-Frame-Options": "ALLOWALL",
        }
        return Response(headers=headers)

    async with client(site(routes=[Route("/loose", loose)])) as http:
        headers = (await http.get("/loose")).headers
    assert not [name for name in headers if name.startswith("access-control")]
    assert {name: headers.get_list(name) for name in SECURITY_HEADERS} == {
        name: [value] for name, value in SECURITY_HEADERS.items()
    }


@pytest.mark.parametrize("path", ["/", "/v1/chat/completions", "/v1/models", "/documents/a/b", "/metrics", "/nothing"])
async def test_another_site_is_never_told_that_it_may_ask(path: str) -> None:
    headers = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    async with client(site()) as http:
        for method in ("OPTIONS", "GET", "POST"):
            response = await http.request(method, path, headers=headers)
            assert not [name for name in response.headers if name.startswith("access-control")]
            assert method != "OPTIONS" or response.status_code in {404, 405}


@pytest.mark.parametrize("path", ["/", "/page/page.js", "/v1/models", "/healthz", "/readyz", "/metrics", "/nothing"])
async def test_what_can_be_asked_by_get_can_be_by_head_and_says_nothing(path: str) -> None:
    async with client(site()) as http:
        get, head = await http.get(path), await http.head(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    if path != "/metrics":  # whose numbers change
        assert head.headers == get.headers


async def test_what_is_asked_by_head_leaves_the_connection_in_order() -> None:
    async with serving(site()) as url, httpx.AsyncClient(base_url=url) as http:
        assert [(await http.head("/")).status_code for _ in range(2)] == [200, 200]
        assert (await http.get("/healthz")).json() == {"status": "ok"}


async def test_nothing_is_written_by_head() -> None:
    async with client(site()) as http:
        assert (await http.head("/v1/chat/completions")).status_code == 405
        assert (await http.head("/session")).status_code == 405


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
