"""Connections that ask slowly, too much at once or not at all end by themselves. Over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pytest

from bot.platforms.web import Bounds
from bot.platforms.web.refusal import SECURITY_HEADERS
from tests.bot.platforms.web import ASKED, KEY, Endless, Script, client, serving, site

LONG = 60.0
"""Seconds that no bound under test lasts."""

PATIENT = Bounds(head_seconds=LONG, body_seconds=LONG, answer_seconds=LONG, idle_seconds=LONG)
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()


def refused(answer: bytes, status: int) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    secured = all(f"\r\n{name}: {value}".lower().encode() in head.lower() for name, value in SECURITY_HEADERS.items())
    return head.startswith(b"HTTP/1.1 %d " % status) and secured and b'"error"' in body


@pytest.mark.parametrize("first", [b"", b"G", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: b\r\n"])
async def test_headers_that_do_not_come_to_an_end_end_the_connection(first: bytes) -> None:
    bounds = replace(PATIENT, head_seconds=0.05)
    async with serving(site(), bounds=bounds) as url, connected(url) as (reader, writer):
        writer.write(first)
        answer = await reader.read()
    assert refused(answer, 408) if first else answer == b""


async def test_a_byte_more_now_and_then_gives_no_more_time() -> None:
    bounds = replace(PATIENT, head_seconds=0.05)
    async with serving(site(), bounds=bounds) as url, connected(url) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\n")
        reading = asyncio.ensure_future(reader.read())
        while not reading.done():
            writer.write(b"X-Drip: drop\r\n")
            await asyncio.wait([reading], timeout=0.005)
    # The refusal is lost where a drop was under way when the server hung up.
    assert isinstance(reading.exception(), ConnectionResetError) or refused(reading.result(), 408)


async def test_the_next_request_of_a_connection_has_no_more_time_than_the_first() -> None:
    bounds = replace(PATIENT, head_seconds=0.05)
    async with serving(site(), bounds=bounds) as url, connected(url) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await reader.readuntil(b'{"status":"ok"}')
        writer.write(b"GET /healthz HTTP/1.1\r\nHos")
        answer = await reader.read()
    assert refused(answer, 408)


async def test_a_body_that_does_not_come_to_an_end_is_refused() -> None:
    script = Script("Yes.")
    bounds = replace(PATIENT, body_seconds=0.05)
    async with serving(site(script), bounds=bounds) as url, connected(url) as (reader, writer):
        writer.write(HEAD + b"Content-Length: 100\r\n\r\n{")
        answer = await reader.read()
    assert refused(answer, 408)
    assert script.questions == []


async def test_a_body_that_nobody_wants_does_not_hold_the_connection() -> None:
    bounds = replace(PATIENT, body_seconds=0.05)
    async with serving(site(), bounds=bounds) as url, connected(url) as (reader, writer):
        writer.write(HEAD + b"Authorization: Bearer sk-wrong\r\nContent-Length: 100\r\n\r\n{")
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_who_says_nothing_more_after_an_answer_is_let_go() -> None:
    bounds = replace(PATIENT, idle_seconds=0.05)
    async with serving(site(), bounds=bounds) as url, connected(url) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        answer = await reader.read()
    assert answer.endswith(b'{"status":"ok"}')


async def test_an_answer_that_is_not_fetched_ends() -> None:
    endless = Endless()
    bounds = replace(PATIENT, answer_seconds=0.05)
    asked = b'{"stream": true, "messages": [{"role": "user", "content": "How?"}]}'
    async with serving(site(endless), bounds=bounds) as url, connected(url) as (reader, writer):
        writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(asked) + asked)
        await reader.read()
        await endless.closed.wait()


async def test_what_takes_no_longer_than_it_may_is_left_alone() -> None:
    async with serving(site()) as url, httpx.AsyncClient(base_url=url) as http:
        for _ in range(3):
            assert (await http.post("/v1/chat/completions", json=ASKED)).status_code == 200
            assert (await http.get("/healthz")).status_code == 200


async def test_requests_sent_at_once_are_answered_one_after_the_other() -> None:
    async with serving(site()) as url, connected(url) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 3)
        for _ in range(3):
            await reader.readuntil(b'{"status":"ok"}')


async def test_a_connection_too_many_is_told_so_and_the_others_stay() -> None:
    async with (
        serving(site(), bounds=replace(PATIENT, connections=2)) as url,
        connected(url) as first,
        connected(url),
        connected(url) as third,
    ):
        assert refused(await third[0].read(), 503)
        first[1].write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await first[0].readuntil(b'{"status":"ok"}')


@pytest.mark.parametrize(("size", "end", "status"), [(17_000, b"\r\n\r\n", 431), (17_000, b"", 400)])
async def test_headers_beyond_sixteen_kilobytes_are_refused(size: int, end: bytes, status: int) -> None:
    async with serving(site()) as url, connected(url) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"x" * size + end)
        answer = await reader.readuntil(b"}}")
    assert refused(answer, status)


@pytest.mark.parametrize("request_line", [b"\x16\x03\x01\x02\r\n\r\n", b"GET /\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n"])
async def test_what_is_no_http_is_refused_in_shape(request_line: bytes) -> None:
    async with serving(site()) as url, connected(url) as (reader, writer):
        writer.write(request_line)
        assert refused(await reader.read(), 400)


async def test_headers_of_more_than_sixteen_kilobytes_never_reach_the_application() -> None:
    async with client(site(), accept_language="fr", authorization=f"Bearer {KEY}", x_long="x" * 16_384) as http:
        response = await http.get("/v1/models")
    assert response.status_code == 431
    assert response.json()["error"]["message"] == "fr:web-too-large limit=16"


async def test_a_request_of_two_lengths_is_refused_and_nothing_behind_it_is_taken_for_a_request() -> None:
    script = Script("Yes.")
    async with serving(site(script), bounds=PATIENT) as url, connected(url) as (reader, writer):
        smuggled = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        writer.write(HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + smuggled)
        answer = await reader.read()
    assert refused(answer, 400)
    assert b'"status":"ok"' not in answer
    assert script.questions == []
