"""HTTP for addresses that other people wrote: it resists server-side request forgery.

Each connection resolves its name once, refuses every address that is not on the public internet (see `addresses`), and
connects to a checked one, while TLS and `Host` keep the name. As this happens where the connection is made, a redirect,
a second request and a name that resolves to something else by then are checked as the first one was. Proxies of the
environment are not used: they would connect in this program's place.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import httpcore
import httpx

from ingest.sources.addresses import Address, Reach, parsed
from ingest.sources.interface import SourceRefused

SCHEMES = frozenset({"http", "https"})

ADDRESSES_TRIED = 4
"""Of one name, when the first do not answer."""

CONNECTIONS = 20

IDLE_SECONDS = 15.0
"""A connection that nothing was asked on for so long is closed."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to addresses, as text. Raises `OSError`."""


class AddressRefused(SourceRefused):
    """An address leads to where no source may look, such as this machine or its network."""


class GuardedTransport(httpx.AsyncBaseTransport):
    """What an `httpx.AsyncClient` connects through; give that client `trust_env=False` as well."""

    def __init__(self, *, allow_private: Iterable[str] = (), resolve: Resolve | None = None) -> None:
        """`allow_private`: names, addresses and networks that need not be public. `resolve` takes the place of DNS."""
        self._backend = _Guarded(Reach.of(allow_private), resolve or _resolve)
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises `AddressRefused` besides what httpx raises."""
        url = request.url
        if url.scheme not in SCHEMES:
            raise AddressRefused(f"{str(url)!r} is neither http:// nor https://")
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=cast(AsyncIterable[bytes], request.stream),
            extensions={key: value for key, value in request.extensions.items() if key != "sni_hostname"},
        )
        with _translated(request):
            answer = await self._opened().handle_async_request(asked)
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer, request),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()

    def _opened(self) -> httpcore.AsyncConnectionPool:
        if self._pool is None:
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=httpx.create_ssl_context(),
                max_connections=CONNECTIONS,
                max_keepalive_connections=CONNECTIONS,
                keepalive_expiry=IDLE_SECONDS,
                network_backend=self._backend,
            )
        return self._pool


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only."""

    def __init__(self, reach: Reach, resolve: Resolve) -> None:
        self._reach = reach
        self._resolve = resolve
        self._network: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's contract
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = (await self._checked(host, port, timeout))[:ADDRESSES_TRIED]
        share = None if timeout is None else timeout / len(addresses)
        for place, address in enumerate(addresses, 1):
            try:
                return await self._network.connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if place == len(addresses):
                    raise
        raise AssertionError("`_checked` returns at least one address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's contract
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise AddressRefused(f"{path!r} is no place on the internet")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _checked(self, host: str, port: int, seconds: float | None) -> list[Address]:
        """The addresses of `host` that may be connected to. Raises `AddressRefused` where there is none."""
        try:
            async with asyncio.timeout(seconds):
                found = await self._resolve(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"the name {host!r} was not resolved in {seconds:g} s") from error
        except (OSError, UnicodeError) as error:
            cause = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise httpcore.ConnectError(f"the name {host!r} cannot be resolved: {cause}") from error
        addresses = [(text, parsed(text)) for text in dict.fromkeys(found)]
        if not addresses:
            raise httpcore.ConnectError(f"the name {host!r} has no address")
        allowed = [address for _, address in addresses if address is not None and self._reach.permits(host, address)]
        if not allowed:
            where = addresses[0][0]
            entry = where if self._reach.names_host(host) else host
            raise AddressRefused(
                f"{host!r} leads to {where}, which is not on the public internet; if it is meant, add {entry!r} to"
                " `allow_private`"
                if host != where
                else f"{host} is not on the public internet; if it is meant, add it to `allow_private`"
            )
        return allowed


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response, request: httpx.Request) -> None:
        self._answer = answer
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated(self._request):
            async for piece in self._answer.aiter_stream():
                yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()


async def _resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


TRANSLATIONS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.PoolTimeout, httpx.PoolTimeout),
    (httpcore.WriteTimeout, httpx.WriteTimeout),
    (httpcore.TimeoutException, httpx.ReadTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.WriteError, httpx.WriteError),
    (httpcore.NetworkError, httpx.ReadError),
    (httpcore.LocalProtocolError, httpx.LocalProtocolError),
    (httpcore.ProtocolError, httpx.RemoteProtocolError),
    (httpcore.UnsupportedProtocol, httpx.UnsupportedProtocol),
)
"""The first that fits."""


@contextmanager
def _translated(request: httpx.Request) -> Iterator[None]:
    try:
        yield
    except tuple(kind for kind, _ in TRANSLATIONS) as error:
        meant = next(to for kind, to in TRANSLATIONS if isinstance(error, kind))
        raise meant(str(error), request=request) from error
