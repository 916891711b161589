"""The shared client of JSON APIs, against a transport that plays the server, and a real socket where that matters."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
from pydantic import SecretStr

from ingest.errors import SouffleurError
from ingest.sources import api as module
from ingest.sources.api import Api, plain_token
from ingest.sources.interface import DocumentGone, DocumentTooLarge, SourceRefused, SourceUnavailable, token_variable

TOKEN = "sesame-41-open"

Answers = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def _quick(without_waits: None) -> None:
    """Retries without the waits between them."""


def served(*answers: httpx.Response | Answers | Exception) -> tuple[Api, list[httpx.Request]]:
    """An API whose server gives these answers in turn, the last for ever; and the requests it gets."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        found = answers[min(len(requests), len(answers)) - 1]
        if isinstance(found, Exception):
            raise found
        # A copy: a response object is read once.
        return (
            httpx.Response(found.status_code, headers=found.headers, content=found.content)
            if isinstance(found, httpx.Response)
            else found(request)
        )

    headers = {"Authorization": f"Bearer {TOKEN}", "X-Key": TOKEN, "Accept": "application/json"}
    return Api(
        "wiki", "https://wiki.example.org/base", headers=headers, transport=httpx.MockTransport(answer)
    ), requests


def ok(found: Any = None) -> httpx.Response:
    return httpx.Response(200, json={"ok": True} if found is None else found)


async def failure(asked: Any) -> SouffleurError:
    """What the call raises: one line that names the source and no key."""
    with pytest.raises((DocumentGone, DocumentTooLarge, SourceRefused, SourceUnavailable)) as raised:
        await asked
    assert "\n" not in str(raised.value)
    assert TOKEN not in str(raised.value)
    return raised.value


async def test_json_is_asked_for_below_the_base_address_with_the_key() -> None:
    api, [] = served(ok([1, 2]))
    assert await api.get("/things", {"limit": 5}) == [1, 2]
    api, requests = served(ok())
    assert await api.post("/search", {"query": "é"}) == {"ok": True}
    assert str(requests[0].url) == "https://wiki.example.org/base/search"
    assert requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert json.loads(requests[0].content) == {"query": "é"}
    await api.close()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_busy_server_is_asked_again(status: int) -> None:
    api, requests = served(httpx.Response(status), httpx.Response(status), ok())
    assert await api.get("/things") == {"ok": True}
    assert len(requests) == 3


@pytest.mark.parametrize(
    "broken",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("silence"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx.Response(200, headers={"content-type": "application/json"}, content=b'{"results": [1, 2'),
        httpx.Response(200, headers={"content-type": "application/json"}, content=b""),
        httpx.Response(200, headers={"content-type": "application/json"}, content=b"\xff\xfe\x00"),
    ],
)
async def test_an_answer_that_breaks_off_is_asked_for_again_and_then_transient(broken: Any) -> None:
    api, requests = served(broken, ok())
    assert await api.get("/things") == {"ok": True}
    assert len(requests) == 2
    api, requests = served(broken)
    assert isinstance(await failure(api.get("/things")), SourceUnavailable)
    assert len(requests) == module.ATTEMPTS


async def test_json_nested_beyond_measure_is_transient_and_no_crash() -> None:
    content = b"[" * 200_000
    api, _ = served(httpx.Response(200, headers={"content-type": "application/json"}, content=content))
    assert isinstance(await failure(api.get("/things")), SourceUnavailable)


class Noted(Exception):
    """In place of a wait."""


@pytest.mark.parametrize("asked", ["7", "7.5", "date"])
async def test_what_the_server_asks_to_wait_is_waited(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_800_000_000
    monkeypatch.setattr("time.time", lambda: float(now))
    value = formatdate(now + 7, usegmt=True) if asked == "date" else asked
    api, _ = served(httpx.Response(429, headers={"Retry-After": value}), ok())
    waits: list[float] = []

    def note(details: stamina.instrumentation.RetryDetails) -> None:
        waits.append(details.wait_for)
        raise Noted

    stamina.set_testing(False)
    stamina.instrumentation.set_on_retry_hooks([note])
    try:
        with pytest.raises(Noted):
            await api.get("/things")
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)
    assert waits == [7.5 if asked == "7.5" else 7.0]


async def test_a_server_that_asks_for_more_patience_than_there_is_is_left_at_once() -> None:
    api, requests = served(httpx.Response(429, headers={"Retry-After": "3600"}))
    error = await failure(api.get("/things"))
    assert isinstance(error, SourceUnavailable)
    assert "3,600 s" in str(error)
    assert len(requests) == 1


async def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)

    async def silent(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    api = Api("wiki", "https://wiki.example.org", transport=httpx.MockTransport(silent))
    assert "did not answer" in str(await failure(api.get("/things")))


@pytest.mark.parametrize("status", [404, 410])
async def test_what_is_not_there_is_gone(status: int) -> None:
    api, requests = served(httpx.Response(status))
    assert isinstance(await failure(api.get("/things/1")), DocumentGone)
    assert isinstance(await failure(api.get("/things/1", gone=())), SourceRefused)
    assert len(requests) == 2


async def test_what_the_caller_takes_for_gone_is_not_asked_again() -> None:
    api, requests = served(httpx.Response(500))
    assert isinstance(await failure(api.get("/things/1", gone={500})), DocumentGone)
    assert len(requests) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_is_named_with_its_variable_and_not_tried_again(status: int) -> None:
    api, requests = served(httpx.Response(status, json={"message": f"invalid token {TOKEN}"}))
    error = await failure(api.get("/things"))
    assert isinstance(error, SourceRefused)
    assert "SOUFFLEUR_SOURCE_WIKI_TOKEN" in str(error)
    assert len(requests) == 1


async def test_a_login_page_with_status_200_is_a_refusal() -> None:
    page = httpx.Response(200, html="<html><form>Password</form></html>")
    api, requests = served(page)
    error = await failure(api.get("/things"))
    assert isinstance(error, SourceRefused)
    assert "login page" in str(error)
    assert len(requests) == 1


async def test_a_redirect_of_a_question_is_a_refusal_that_keeps_what_is_behind_the_question_mark() -> None:
    api, _ = served(httpx.Response(302, headers={"Location": f"https://login.example.org/sso?ticket={TOKEN}"}))
    error = await failure(api.get("/things"))
    assert isinstance(error, SourceRefused)
    assert "'https://login.example.org/sso'" in str(error)


async def test_the_servers_own_words_are_shown_without_the_key() -> None:
    api, _ = served(httpx.Response(400, json={"message": f"the header Bearer {TOKEN} has no scope"}))
    assert "has no scope" in str(await failure(api.get("/things")))


async def test_a_key_in_an_error_of_the_network_is_not_shown() -> None:
    api, requests = served(httpx.LocalProtocolError(f"Illegal header value b'Bearer {TOKEN}'"))
    await failure(api.get("/things"))
    assert len(requests) == 1


async def test_a_password_is_not_shown_either() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        said = f"{request.headers['authorization']} is wrong, {TOKEN} too"
        return httpx.Response(400, json={"message": said})

    api = Api("wiki", "https://wiki.example.org", auth=("ada", TOKEN), transport=httpx.MockTransport(answer))
    error = await failure(api.get("/things"))
    assert "YWRhOnNlc2FtZS00MS1vcGVu" not in str(error)


async def test_an_endless_answer_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "JSON_BYTES", 1 << 20)
    content = gzip.compress(b" " * (1 << 21))
    headers = {"content-type": "application/json", "content-encoding": "gzip"}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(content))

    api, requests = served(answer)
    assert "more than 1 MiB" in str(await failure(api.get("/things")))
    assert len(requests) == 1


async def test_a_file_is_written_as_it_is(tmp_path: Path) -> None:
    api, _ = served(httpx.Response(200, content=b"\x00\x01", headers={"content-type": "image/png"}))
    headers = await api.save("/file", tmp_path / "file", max_bytes=10, media_type="image/png")
    assert (tmp_path / "file").read_bytes() == b"\x00\x01"
    assert headers["content-type"] == "image/png"


async def test_a_file_that_breaks_off_is_written_again_from_its_beginning(tmp_path: Path) -> None:
    class Broken(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"half of"
            raise httpx.ReadError("reset")

    api, requests = served(lambda request: httpx.Response(200, stream=Broken()), httpx.Response(200, content=b"whole"))
    await api.save("/file", tmp_path / "file", max_bytes=10)
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert len(requests) == 2


async def test_a_small_answer_that_unpacks_to_a_large_one_is_given_up(tmp_path: Path) -> None:
    content = gzip.compress(bytes(64 << 20))

    class Packed(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield content

    packed = {"content-encoding": "gzip"}
    api, requests = served(lambda request: httpx.Response(200, stream=Packed(), headers=packed))
    tracemalloc.start()
    try:
        error = await failure(api.save("/file", tmp_path / "file", max_bytes=1 << 20))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, DocumentTooLarge)
    assert most < 8 << 20
    assert [request.headers["accept-encoding"] for request in requests] == ["gzip"]


async def test_a_long_json_answer_is_the_same_as_a_short_one() -> None:
    long = [{"text": "é" * 100}] * 20_000
    api, _ = served(httpx.Response(200, json=long))
    assert await api.get("/things") == long


@pytest.mark.parametrize("announced", [True, False])
async def test_a_file_larger_than_allowed_is_not_written_to_its_end(tmp_path: Path, announced: bool) -> None:
    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield bytes(1000)

    headers = {"content-length": "100000000"} if announced else {}
    api, requests = served(lambda request: httpx.Response(200, stream=Endless(), headers=headers))
    error = await failure(api.save("/file", tmp_path / "file", max_bytes=1 << 20))
    assert isinstance(error, DocumentTooLarge)
    assert "larger than 1 MiB" in str(error)
    assert len(requests) == 1


async def test_a_download_is_followed_to_another_host_without_the_key(tmp_path: Path) -> None:
    api, requests = served(
        httpx.Response(302, headers={"Location": "/base/signed"}),
        httpx.Response(307, headers={"Location": "https://media.example.net/file?signature=1"}),
        httpx.Response(302, headers={"Location": "https://wiki.example.org/base/back", "Set-Cookie": "a=b"}),
        httpx.Response(200, content=b"file"),
    )
    await api.save("/file", tmp_path / "file", max_bytes=10)
    assert [request.url.host for request in requests] == [
        *["wiki.example.org"] * 2,
        "media.example.net",
        "wiki.example.org",
    ]
    assert [TOKEN in str(request.headers.raw) for request in requests] == [True, True, False, True]
    assert str(requests[2].url) == "https://media.example.net/file?signature=1"


@pytest.mark.parametrize("location", ["https://wiki.example.org:8443/file", "http://wiki.example.org/file"])
async def test_another_port_or_scheme_is_another_host(tmp_path: Path, location: str) -> None:
    api, requests = served(httpx.Response(302, headers={"Location": location}), httpx.Response(200, content=b"file"))
    await api.save("/file", tmp_path / "file", max_bytes=10)
    assert TOKEN not in str(requests[1].headers.raw)


async def test_a_redirect_without_end_is_left(tmp_path: Path) -> None:
    api, requests = served(httpx.Response(302, headers={"Location": "/base/file"}))
    assert isinstance(await failure(api.save("/file", tmp_path / "file", max_bytes=10)), SourceRefused)
    assert len(requests) == module.REDIRECTS + 1


async def test_a_redirect_to_what_is_no_web_address_is_refused(tmp_path: Path) -> None:
    api, requests = served(httpx.Response(302, headers={"Location": "file:///etc/passwd"}))
    assert isinstance(await failure(api.save("/file", tmp_path / "file", max_bytes=10)), SourceRefused)
    assert len(requests) == 1


async def test_a_web_page_in_place_of_a_file_is_a_login_page(tmp_path: Path) -> None:
    page = httpx.Response(200, html="<html><form>Password</form></html>")
    api, _ = served(page)
    error = await failure(api.save("/file", tmp_path / "file", max_bytes=1000, media_type="application/pdf"))
    assert isinstance(error, SourceRefused)
    await api.save("/file", tmp_path / "file", max_bytes=1000, media_type="text/html")
    await api.save("/file", tmp_path / "file", max_bytes=1000)


async def test_a_file_that_is_gone_is_gone(tmp_path: Path) -> None:
    api, _ = served(httpx.Response(404))
    assert isinstance(await failure(api.save("/file", tmp_path / "file", max_bytes=10)), DocumentGone)


async def test_no_more_requests_are_in_flight_than_allowed() -> None:
    at_once = most = 0
    together = asyncio.Barrier(2)

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        async with together:
            at_once -= 1
        return ok()

    api = Api("wiki", "https://wiki.example.org", transport=httpx.MockTransport(answer), concurrency=2)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(api.get("/things"))
    assert most == 2


@asynccontextmanager
async def socket_that_sends(content: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that reads a request, sends `content` as it is and hangs up."""
    received: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(content)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", received


@pytest.mark.parametrize(
    "content",
    [
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"results": [',
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"res\r\n',
        b'HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{"results": [',
        b"",
    ],
)
async def test_a_server_that_hangs_up_in_the_middle_is_transient(content: bytes) -> None:
    async with socket_that_sends(content) as (base_url, received):
        api = Api("wiki", base_url)
        assert isinstance(await failure(api.get("/things")), SourceUnavailable)
        await api.close()
    assert len(received) == module.ATTEMPTS


async def test_a_server_that_is_not_there_is_transient() -> None:
    async with socket_that_sends(b"") as (base_url, _):
        pass
    api = Api("wiki", base_url)
    error = await failure(api.get("/things"))
    assert isinstance(error, SourceUnavailable)
    assert "cannot be reached" in str(error)
    await api.close()


def test_the_variable_of_a_token_has_only_what_shells_allow() -> None:
    assert token_variable("team-wiki 2") == "SOUFFLEUR_SOURCE_TEAM_WIKI_2_TOKEN"


def test_a_token_is_taken_without_the_line_end_of_the_clipboard() -> None:
    assert plain_token("wiki", SecretStr(f" {TOKEN}\n")) == TOKEN


@pytest.mark.parametrize("token", [None, SecretStr(""), SecretStr("two\nlines"), SecretStr("schlüssel")])
def test_a_token_that_no_header_can_carry_is_refused_with_its_variable(token: SecretStr | None) -> None:
    with pytest.raises(SourceRefused, match="SOUFFLEUR_SOURCE_WIKI_TOKEN"):
        plain_token("wiki", token)
