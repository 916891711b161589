"""A vendor's JSON API, as sources use it: patient with a busy server, plain about a refusal.

The one place where `httpx` errors become those of `sources.interface`. No message holds a key: what the server and the
network say is printed without it.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import json
import ssl
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import stamina
from pydantic import SecretStr

from ingest.http import asked_to_wait, is_busy, pause, words
from ingest.sources.interface import DocumentGone, DocumentTooLarge, SourceRefused, SourceUnavailable, token_variable
from ingest.sources.packed import unpacked

PATIENCE_SECONDS = 300.0
"""Longest time for one request with all its waits: a rate limit is waited for, an outage is not."""

DOWNLOAD_SECONDS = 1800.0
"""The same for a file: 200 MiB, the largest that is read by default, over a line of one megabit a second."""

ATTEMPTS = 8
"""Tries of one request, the first included."""

TIMEOUT_SECONDS = 30.0
"""Longest silence of a server within one answer."""

JSON_BYTES = 64 * 1024 * 1024
"""Of one JSON answer; a server that sends more is stopped there."""

LONG_JSON_BYTES = 1024 * 1024
"""From so many on, JSON is read in a thread: tens of milliseconds."""

REDIRECTS = 5
"""Followed for one download: file servers hand out addresses of a storage network."""

GONE = frozenset({404, 410})
"""Statuses that say that the one thing asked for is not there."""

PLAIN_HEADERS = frozenset({"accept", "accept-language", "content-type", "user-agent"})
"""What they say may be printed."""

SCHEMES = frozenset({"Basic", "Bearer", "Bot", "Token", "token"})
"""Words of an `Authorization` header that are no secret."""

PACKED = {"Accept-Encoding": "gzip"}
"""What `unpacked` understands."""

Params = Mapping[str, str | int | bool]


class Api:
    """GETs and POSTs below one address, at most `concurrency` at once.

    Paths may be whole addresses; then the caller vouches for the host, which gets the key as well.
    """

    def __init__(
        self,
        source: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        concurrency: int = 4,
    ) -> None:
        """`source` is the source's name, for messages; `transport` takes the place of the network."""
        self._source = source
        self._secrets = _secrets(headers or {}, auth)
        self._free = asyncio.Semaphore(concurrency)
        common: dict[str, Any] = {"transport": transport, "timeout": TIMEOUT_SECONDS, "verify": _authorities()}
        self._client = httpx.AsyncClient(base_url=base_url, headers=PACKED | dict(headers or {}), auth=auth, **common)
        self._stranger = httpx.AsyncClient(headers=PACKED, **common)

    async def get(self, path: str, params: Params | None = None, *, gone: Collection[int] = GONE) -> Any:
        """The JSON at `path`.

        Raises `DocumentGone` for the statuses in `gone`, which are not tried again, and what `Source` may raise.
        """
        return await self._json("GET", path, params=params, gone=gone)

    async def post(self, path: str, body: Any, *, gone: Collection[int] = GONE) -> Any:
        """What the server answers to the JSON `body`; only for requests that change nothing."""
        return await self._json("POST", path, json=body, gone=gone)

    async def save(
        self, path: str, to: Path, *, max_bytes: int, gone: Collection[int] = GONE, media_type: str | None = None
    ) -> httpx.Headers:
        """Write what is at `path` to the file `to`, following redirects; another host does not get the key.

        A web page where `media_type` says that there is something else is a login page. Raises `DocumentGone`,
        `DocumentTooLarge`, and what `Source` may raise.
        """
        async with self._free, self._translated(gone, DOWNLOAD_SECONDS):
            async for attempt in self._attempts(gone):
                with attempt:
                    async with self._file(path) as response:
                        kind = response.headers.get("content-type", "").lower()
                        if media_type is not None and "html" in kind and "html" not in media_type:
                            raise self._login_page(response, kind)
                        await _write(response, to, max_bytes)
        return response.headers

    async def close(self) -> None:
        await self._client.aclose()
        await self._stranger.aclose()

    async def _json(self, method: str, path: str, *, gone: Collection[int], **request: Any) -> Any:
        async with self._free, self._translated(gone, PATIENCE_SECONDS):
            async for attempt in self._attempts(gone):
                with attempt:
                    async with self._client.stream(method, path, **request) as response:
                        await _checked(response)
                        content = await self._content(response)
                    # Inside the attempt: an answer that was cut short is asked for again.
                    found = await self._parsed(response, content)
        return found

    async def _content(self, response: httpx.Response) -> bytes:
        try:
            return b"".join([piece async for piece in unpacked(response, max_bytes=JSON_BYTES)])
        except DocumentTooLarge as error:
            raise SourceRefused(
                f"{self._said(response)} with more than {JSON_BYTES >> 20} MiB of JSON; is the address right?"
            ) from error

    async def _parsed(self, response: httpx.Response, content: bytes) -> Any:
        try:
            if len(content) < LONG_JSON_BYTES:
                return json.loads(content)
            return await asyncio.to_thread(json.loads, content)
        except (ValueError, RecursionError) as error:
            kind = response.headers.get("content-type", "no type")
            if "json" not in kind.lower():
                raise self._login_page(response, kind) from error
            raise ValueError(f"JSON that breaks off or is damaged: {type(error).__name__}") from error

    @asynccontextmanager
    async def _file(self, path: str) -> AsyncIterator[httpx.Response]:
        url = self._client.build_request("GET", path).url
        home = _origin(url)
        for _ in range(REDIRECTS + 1):
            client = self._client if _origin(url) == home else self._stranger
            async with client.stream("GET", url) as response:
                if response.next_request is None:
                    await _checked(response)
                    yield response
                    return
                # Only its address: its headers are those of the first request, key and all.
                url = response.next_request.url
                if url.scheme not in ("http", "https"):
                    raise SourceRefused(f"{self._said(response)}, a redirect to what is no web address")
        raise SourceRefused(f"{self._said(response)} for the {REDIRECTS + 1}th time: a redirect without end")

    def _attempts(self, gone: Collection[int]) -> Any:
        def again(error: Exception) -> bool | float:
            if isinstance(error, httpx.HTTPStatusError):
                status = error.response.status_code
                return status not in gone and pause(status, error.response.headers, limit=PATIENCE_SECONDS)
            broken_off = isinstance(error, httpx.TransportError | httpx.DecodingError | ValueError)
            return broken_off and not isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol)

        return stamina.retry_context(on=again, attempts=ATTEMPTS, timeout=PATIENCE_SECONDS, wait_max=30.0)

    @asynccontextmanager
    async def _translated(self, gone: Collection[int], seconds: float) -> AsyncIterator[None]:
        host = self._client.base_url.host
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise SourceUnavailable(
                f"source {self._source!r}: {host!r} did not answer in {seconds:g} s; try again later"
            ) from error
        except httpx.HTTPStatusError as error:
            raise self._refusal(error.response, gone) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            cause = self._without_secrets(f"{type(error).__name__}: {error}")
            raise SourceUnavailable(
                f"source {self._source!r}: {host!r} cannot be reached ({cause}); is it up?"
            ) from error
        except ValueError as error:
            raise SourceUnavailable(
                f"source {self._source!r}: {host!r} answered JSON that breaks off or is damaged; try again later"
            ) from error

    def _refusal(
        self, response: httpx.Response, gone: Collection[int]
    ) -> DocumentGone | SourceRefused | SourceUnavailable:
        status = response.status_code
        said = self._said(response)
        if status in gone:
            return DocumentGone(f"{said}: it is not there, or may not be read")
        if is_busy(status):
            return SourceUnavailable(f"{said}{asked_to_wait(response.headers)}; try again later")
        if status in (401, 403):
            variable = token_variable(self._source)
            return SourceRefused(f"{said}: the token is wrong, has expired or lacks a permission; set {variable}")
        if response.next_request is not None:
            to = response.next_request.url
            return SourceRefused(
                f"{said}, a redirect to {f'{to.scheme}://{to.host}{to.path}'!r}; correct the address, or the token if"
                f" that is where people sign in ({token_variable(self._source)})"
            )
        return SourceRefused(f"{said}: {self._without_secrets(words(response.text))!r}")

    def _said(self, response: httpx.Response) -> str:
        """Without the query, which may hold a signature or a cursor."""
        url = response.url
        return f"source {self._source!r}: {url.host!r} answered {response.status_code} for {url.path!r}"

    def _login_page(self, response: httpx.Response, kind: str) -> SourceRefused:
        return SourceRefused(
            f"{self._said(response)} with {kind!r} where data was expected; is the address right, and does a login page"
            f" stand in front of it? A token that was revoked can be the reason too ({token_variable(self._source)})"
        )

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text


def plain_token(source: str, token: SecretStr | None) -> str:
    """The token as a header can carry it, without the line end that copying leaves behind.

    Raises `SourceRefused` where there is none, or one with characters that no header has.
    """
    plain = token.get_secret_value().strip() if token is not None else ""
    if not plain:
        raise SourceRefused(f"source {source!r} needs a token: set {token_variable(source)}")
    if not (plain.isascii() and plain.isprintable()):
        raise SourceRefused(
            f"source {source!r}: its token holds characters that a header cannot carry; set {token_variable(source)}"
            " again"
        )
    return plain


@functools.cache
def _authorities() -> ssl.SSLContext:
    """Whom to trust, read once: it takes longer than many a request."""
    return httpx.create_ssl_context()


def _secrets(headers: Mapping[str, str], auth: tuple[str, str] | None) -> tuple[str, ...]:
    """Whatever of the request's head must not be seen, longest first: each header's value, whole and by words."""
    values = {value for name, value in headers.items() if name.lower() not in PLAIN_HEADERS}
    found = values | {word for value in values for word in value.split() if word not in SCHEMES}
    if auth is not None:
        found |= {auth[1], base64.b64encode(":".join(auth).encode()).decode()}
    return tuple(sorted((secret for secret in found if secret), key=len, reverse=True))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


async def _checked(response: httpx.Response) -> None:
    """Raises `HTTPStatusError`, with the server's words read, unless this is a success."""
    if not response.is_success:
        await response.aread()
    response.raise_for_status()


async def _write(response: httpx.Response, to: Path, max_bytes: int) -> None:
    with to.open("wb") as file:
        async for piece in unpacked(response, max_bytes=max_bytes):
            await asyncio.to_thread(file.write, piece)
