"""The wire to a Mattermost server: one call, with its waits, and what a refusal of it means.

The one place where `httpx` errors become those of `bot.platforms.interface`. One bucket holds for the whole server,
which limits calls by address and not by method; it is paused as long as a 429 asks, and for a moment when the
server says (`X-Ratelimit-Remaining`) that it is about to answer one. No message holds a token.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Collection, Hashable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import httpx
import stamina
from pydantic import SecretStr, TypeAdapter, ValidationError

from bot.platforms.buckets import Buckets, Rate
from bot.platforms.interface import MessageGone, PlatformRefused, PlatformUnavailable
from ingest.http import is_busy, retry_after, words

TOKEN_VARIABLE = "SOUFFLEUR_MATTERMOST_TOKEN"  # noqa: S105 (its name)

BUCKET = "mattermost"
"""One for the server: its limit is by address, 10 a second with a burst of 100 where it is switched on at all."""

BURST = 100
FEW_LEFT = 10
"""Calls left, by the server's own count, from which on a second is waited: it grants 10 more meanwhile."""

TIMEOUT_SECONDS = 20.0
"""Longest silence of the server within one answer."""

PATIENCE_SECONDS = 90.0
"""For one call with all its waits."""

DOWNLOAD_SECONDS = 300.0
ATTEMPTS = 4
_Answer = TypeVar("_Answer")


class Refused(PlatformRefused):
    """With the status, and Mattermost's own id of the error."""

    def __init__(self, message: str, *, status: int = 0, error_id: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.error_id = error_id


class Wire:
    """Calls to the server at `url`, as the account that `token` belongs to."""

    def __init__(
        self,
        url: str,
        token: SecretStr | None,
        *,
        calls_per_second: float = 50,
        variable: str = TOKEN_VARIABLE,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`variable`: what the token is set by, for messages; `transport` takes the place of the network."""
        self.url = url.rstrip("/")
        self.host = urlsplit(url).hostname or url
        self.server = urlsplit(url).netloc.rpartition("@")[2] or url
        """Host and port, for messages."""
        self.buckets = Buckets({}, default=Rate(per_minute=calls_per_second * 60, burst=BURST))
        self._variable = variable
        self._token = (token.get_secret_value() if token else "").strip()
        self._http = httpx.AsyncClient(
            headers={"User-Agent": "souffleur"},
            timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=10),
            follow_redirects=False,
            transport=transport,
            verify=authorities(),
        )

    @property
    def authorization(self) -> dict[str, str]:
        """The header that says who calls. Raises PlatformRefused where the token is missing or cannot be sent."""
        if not self._token:
            raise Refused(f"mattermost: the bot's token is missing; set {self._variable} (`bot setup mattermost`)")
        if not (self._token.isascii() and self._token.isprintable()):
            raise Refused(f"mattermost: the token holds characters that none has; set {self._variable} again")
        return {"Authorization": f"Bearer {self._token}"}

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(
        self,
        kind: type[_Answer],
        method: str,
        path: str,
        **how: Any,
    ) -> _Answer:
        """What `call` returns, read as `kind`."""
        found = await self.call(method, path, **how)
        try:
            return cast(_Answer, _reader(cast(Hashable, kind)).validate_python(found))
        except ValidationError as error:
            raise Refused(
                f"mattermost: {self.server!r} answered {path!r} not as Mattermost does; is `mattermost.url` right?"
            ) from error

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str | int | bool] | None = None,
        gone: Collection[int] = (),
        urgent: bool = False,
        within: float = 30,
        again: bool | None = None,
        plain: bool = False,
    ) -> Any:
        """The JSON that the server answers.

        Args:
            method: of HTTP.
            path: below `/api/v4`; a whole address with `plain`.
            json: the body.
            params: the query.
            gone: statuses that say that a message is not there: MessageGone.
            urgent: goes before calls that are not.
            within: seconds that may be waited for the rate limit; an urgent call waits twice that.
            again: whether a call that got no answer may be sent again; by default all but POSTs.
            plain: neither JSON is expected, nor is the token sent.
        """
        repeat = method != "POST" if again is None else again
        url = path if plain else f"{self.url}/api/v4{path}"
        request = self._http.build_request(
            method, url, json=json, params=params, headers=None if plain else self.authorization
        )
        # Whoever knows the rest of an address to answer a command at can answer in the bot's place.
        about = "/hooks/commands/…" if plain else request.url.path
        async with self._translated(about, PATIENCE_SECONDS):
            async for attempt in stamina.retry_context(
                on=lambda error: repeat and _passing(error), attempts=ATTEMPTS, wait_initial=0.2, wait_max=5
            ):
                with attempt:
                    response = await self._sent(request, urgent=urgent, within=within * (2 if urgent else 1))
        self._check(response, about, gone=gone)
        if plain or not response.content:
            return None
        try:
            return response.json()
        except ValueError as error:
            raise PlatformUnavailable(
                f"mattermost: {self.server!r} answered {about!r} with damaged JSON; it may work later"
            ) from error

    async def _sent(self, request: httpx.Request, *, urgent: bool, within: float) -> httpx.Response:
        """The answer, however often a rate limit asks for patience; server errors are raised."""
        while True:
            await self.buckets.take(BUCKET, urgent=urgent, within=within)
            response = await self._http.send(request)
            if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                seconds = retry_after(response.headers)
                self.buckets.pause(BUCKET, 1 if seconds is None else seconds)
                continue
            if response.headers.get("x-ratelimit-remaining", "").isdigit() and (
                int(response.headers["x-ratelimit-remaining"]) < FEW_LEFT
            ):
                self.buckets.pause(BUCKET, 1)
            if is_busy(response.status_code) and response.status_code != httpx.codes.NOT_IMPLEMENTED:
                response.raise_for_status()
            return response

    @asynccontextmanager
    async def _translated(self, path: str, seconds: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise PlatformUnavailable(
                f"mattermost: {self.server!r} did not answer {path!r} in {seconds:g} s"
            ) from error
        except httpx.HTTPStatusError as error:
            status, said = error.response.status_code, words(error.response.text)
            raise PlatformUnavailable(
                f"mattermost: {self.server!r} answered {status} for {path!r} ({said!r}); is it well?"
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PlatformUnavailable(
                f"mattermost: {self.server!r} cannot be reached ({type(error).__name__}: {error}); is it up, and is "
                "`mattermost.url` right?"
            ) from error

    def _check(self, response: httpx.Response, path: str, *, gone: Collection[int]) -> None:
        """Raises what a refusal means."""
        status = response.status_code
        if response.has_redirect_location:
            to = urlsplit(response.headers["location"])
            where = f"{to.scheme}://{to.netloc}{to.path if path in response.url.path else ''}"
            raise Refused(
                f"mattermost: {self.server!r} redirects {path!r} to {where!r}; set "
                "`mattermost.url` to the address that people open, with https",
                status=status,
            )
        if _is_page(response):
            raise Refused(
                f"mattermost: {self.server!r} answered {path!r} with a web page; is `mattermost.url` right, and does a "
                "login page stand in front of it?",
                status=status,
            )
        if response.is_success:
            return
        said, error_id = words(response.text), _error_id(response)
        if status in gone and error_id != "api.context.404.app_error":
            raise MessageGone(f"mattermost: {path!r} is not there any more ({said!r})")
        raise Refused(
            f"mattermost: {self.server!r} answered {status} for {path!r}: {said!r}{self._way_out(status)}",
            status=status,
            error_id=error_id,
        )

    def _way_out(self, status: int) -> str:
        match status:
            case 401:
                return f"; the token is wrong or was revoked: set {self._variable} (`bot setup mattermost` makes one)"
            case 403:
                return "; add the bot to the team and to the channel, or give its account the permission"
            case 404:
                return "; is `mattermost.url` right, with its path if it has one?"
            case 501:
                return "; an administrator has switched that off, or the server's licence is without it"
            case _:
                return ""

    async def save(self, path: str, to: Path, *, max_bytes: int) -> None:
        """Write what is at `path` to a file. Raises MessageGone, and PlatformRefused for one that is larger."""
        async with self._translated(path, DOWNLOAD_SECONDS):
            await self.buckets.take(BUCKET)
            async with self._http.stream("GET", f"{self.url}/api/v4{path}", headers=self.authorization) as response:
                if not response.is_success or _is_page(response):
                    await response.aread()
                    self._check(response, path, gone=(403, 404))
                written = 0
                with to.open("wb") as file:
                    async for piece in response.aiter_bytes(1 << 16):
                        written += len(piece)
                        if written > max_bytes:
                            raise Refused(f"mattermost: the file is larger than {max_bytes:,} bytes")
                        await asyncio.to_thread(file.write, piece)


@functools.cache
def _reader(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, kind))


@functools.cache
def authorities() -> ssl.SSLContext:
    """Whom to trust, read once: it takes longer than many a request."""
    return httpx.create_ssl_context()


def _passing(error: Exception) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return True
    return isinstance(error, httpx.TransportError) and not isinstance(
        error, httpx.LocalProtocolError | httpx.UnsupportedProtocol
    )


def _is_page(response: httpx.Response) -> bool:
    """Mattermost declares no API answer, and no file either, as HTML: that page is somebody else's."""
    return "html" in response.headers.get("content-type", "").lower()


def _error_id(response: httpx.Response) -> str:
    try:
        found = response.json()
    except ValueError:
        return ""
    return str(found.get("id", "")) if isinstance(found, dict) else ""
