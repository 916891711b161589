"""HTTP as a guest: few requests at a time, no faster than asked to, patient with a busy server, without cookies."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import stamina

from ingest.errors import Transient
from ingest.http import asked_to_wait, is_busy, pause
from ingest.sources.packed import unpacked
from ingest.sources.website.urls import host_of

ATTEMPTS = 4
"""Tries of one request, the first included."""

PATIENCE_SECONDS = 120.0
"""Longest wait for one address that a busy server is given; a longer `Retry-After` is left to the next run."""

SILENCE_SECONDS = 30.0
"""Longest silence of a server within one answer."""

LONGEST_SECONDS = 300.0
"""For one answer, however steadily it trickles."""

AWAY = frozenset({429, 502, 503, 504})
"""Statuses that speak of the whole server rather than of one page."""

Sleep = Callable[[float], Awaitable[None]]


class Unanswered(Transient):
    """The server gave no usable answer to this one request; the text says why, and goes on after the address."""

    def __init__(self, reason: str, *, away: bool) -> None:
        """`away`: the same is to be expected of the server's other addresses."""
        super().__init__(reason)
        self.away = away


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """To a GET; the content is in a file, of status 200 alone."""

    status: int
    headers: httpx.Headers
    digest: str = ""
    """SHA-256 of the content, unpacked."""
    size: int = 0


class Client:
    """GETs addresses; redirects are answers like others."""

    def __init__(
        self, transport: httpx.AsyncBaseTransport, *, user_agent: str, at_once: int, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._at_once = at_once
        self._sleep = sleep
        self._hosts: dict[str, _Host] = {}
        self._client = httpx.AsyncClient(
            transport=transport,
            trust_env=False,
            timeout=SILENCE_SECONDS,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            headers={
                "User-Agent": user_agent,
                "Accept": "text/html, application/xhtml+xml, */*;q=0.5",
                "Accept-Encoding": "gzip",
            },
        )

    async def get(
        self,
        url: str,
        to: Path,
        *,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        wanted: Callable[[httpx.Headers], None] = lambda headers: None,
    ) -> Answer:
        """Write what is at `url` to the file `to`, unless `wanted` raises at the sight of its headers.

        Raises `Unanswered`, `AddressRefused`, `DocumentTooLarge`, `OSError`, and what `wanted` raises.
        """
        host = self._host(url)
        async with host.free, _translated(url):
            async for attempt in stamina.retry_context(
                on=_wait, attempts=ATTEMPTS, timeout=PATIENCE_SECONDS, wait_max=10.0
            ):
                with attempt:
                    await host.turn(self._sleep)
                    async with (
                        asyncio.timeout(LONGEST_SECONDS),
                        self._client.stream("GET", url, headers=headers) as response,
                    ):
                        if is_busy(response.status_code):
                            response.raise_for_status()
                        if response.status_code != httpx.codes.OK:
                            return Answer(status=response.status_code, headers=response.headers)
                        wanted(response.headers)
                        digest, size = await _write(response, to, max_bytes)
        return Answer(status=response.status_code, headers=response.headers, digest=digest, size=size)

    def pace(self, url: str, seconds: float) -> None:
        """Let so much time pass between requests to the host of `url`."""
        self._host(url).pace = seconds

    async def close(self) -> None:
        await self._client.aclose()

    def _host(self, url: str) -> _Host:
        return self._hosts.setdefault(host_of(url), _Host(self._at_once))


class _Host:
    def __init__(self, at_once: int) -> None:
        self.free = asyncio.Semaphore(at_once)
        self.pace = 0.0
        self._turn = asyncio.Lock()
        self._next = 0.0

    async def turn(self, sleep: Sleep) -> None:
        """Wait until the next request may be made."""
        if self.pace <= 0:
            return
        clock = asyncio.get_running_loop().time
        async with self._turn:
            if (wait := self._next - clock()) > 0:
                await sleep(wait)
            self._next = max(self._next, clock()) + self.pace


async def _write(response: httpx.Response, to: Path, max_bytes: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with to.open("wb") as file:
        async for piece in unpacked(response, max_bytes=max_bytes):
            digest.update(piece)
            size += len(piece)
            await asyncio.to_thread(file.write, piece)
    return digest.hexdigest(), size


def _wait(error: Exception) -> bool | float:
    if isinstance(error, httpx.HTTPStatusError):
        return pause(error.response.status_code, error.response.headers, limit=PATIENCE_SECONDS)
    return isinstance(error, httpx.TransportError)


@asynccontextmanager
async def _translated(url: str) -> AsyncIterator[None]:
    host = urlsplit(url).hostname
    try:
        yield
    except TimeoutError as error:
        raise Unanswered(f"{host!r} did not finish its answer in {LONGEST_SECONDS:g} s", away=True) from error
    except httpx.HTTPStatusError as error:
        status, later = error.response.status_code, asked_to_wait(error.response.headers)
        raise Unanswered(f"{host!r} answers {status}{later}", away=status in AWAY) from error
    except httpx.TimeoutException as error:
        raise Unanswered(f"{host!r} does not answer", away=True) from error
    except httpx.TransportError as error:
        raise Unanswered(f"{host!r} cannot be reached ({error or type(error).__name__})", away=True) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unanswered(f"the answer of {host!r} cannot be read: {error}", away=False) from error
