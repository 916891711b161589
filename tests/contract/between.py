"""Between the bot and a server that tests cannot control: cuts event connections, says "too busy", changes a word.

A reverse proxy on loopback. Each platform's driver says what is its own in a subclass.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import httpx
import uvicorn
import websockets
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect

from tests.fixtures.serving import running

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

OF_ONE_HOP = frozenset({"connection", "content-encoding", "content-length", "host", "keep-alive", "transfer-encoding"})
"""Headers that are about a connection and not about what goes over it; contents are handed on unpacked."""

CALL_SECONDS = 60.0


class Between:
    """What passes from a bot to the server at `upstream` and back."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream.rstrip("/")
        self.url = ""
        """Where the bot finds the server, while it is `opened`."""
        self.stirred = asyncio.Event()
        """Set whenever anything has passed."""
        self._busy: deque[int] = deque()
        self._sockets: dict[WebSocket, ClientConnection] = {}

    # What a platform's own one says

    def writes(self, method: str, path: str) -> bool:
        """Whether a call makes or changes something that people see."""
        raise NotImplementedError

    def too_busy(self, seconds: int) -> Response:
        """How the server asks for patience."""
        raise NotImplementedError

    def answer(self, path: str, content: bytes) -> bytes:
        """What the server answers, as the bot gets it."""
        return content

    def frame(self, text: str | bytes) -> str | bytes | None:
        """What comes over an event connection, as the bot gets it; None for what it does not get."""
        return text

    def reply(self, text: str) -> str | None:
        """What the bot says over an event connection, as the server gets it; None for what it does not get."""
        return text

    def address(self, socket: WebSocket) -> str:
        """Of the event connection that the bot asks for."""
        raise NotImplementedError

    # Misbehaviour

    def busy(self, calls: int, *, seconds: int) -> None:
        """Answer the next so many calls that write without asking the server."""
        self._busy.extend([seconds] * calls)

    def disconnect(self) -> None:
        """Drop every event connection, without a word, on both sides."""
        for socket, upstream in [*self._sockets.items()]:
            self._abort(socket)
            upstream.transport.abort()

    async def send(self, text: str) -> None:
        """To the bot, over one of its event connections, as if it came from the server."""
        for socket in [*self._sockets][:1]:
            await socket.send_text(text)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[str]:
        app = Starlette(
            routes=[
                WebSocketRoute("/{path:path}", self._connected),
                Route("/{path:path}", self._called, methods=METHODS),
            ]
        )
        async with AsyncExitStack() as stack:
            self._client = await stack.enter_async_context(httpx.AsyncClient(timeout=CALL_SECONDS, trust_env=False))
            self._server: uvicorn.Server
            self._server, port = await stack.enter_async_context(running(app, websockets=True))
            self.url = f"http://127.0.0.1:{port}"
            yield self.url

    async def _called(self, request: Request) -> Response:
        path = request.url.path
        if self._busy and self.writes(request.method, path):
            return self.too_busy(self._busy.popleft())
        answer = await self._client.request(
            request.method,
            f"{self.upstream}{path}",
            params=request.url.query,
            headers=_passed_on(request.headers.items()),
            content=await request.body(),
        )
        self.stirred.set()
        headers = dict(_passed_on(answer.headers.items()))
        return Response(self.answer(path, answer.content), answer.status_code, headers)

    async def _connected(self, socket: WebSocket) -> None:
        token = {name: value for name, value in socket.headers.items() if name == "authorization"}
        try:
            upstream = await connect(
                self.address(socket), additional_headers=token, max_size=None, proxy=None, open_timeout=CALL_SECONDS
            )
        except (OSError, websockets.InvalidHandshake):
            self._abort(socket)
            return
        await socket.accept()
        self._sockets[socket] = upstream
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._to_bot(upstream, socket))
                await self._to_server(socket, upstream)
                upstream.transport.abort()
        finally:
            self._sockets.pop(socket, None)
            upstream.transport.abort()

    async def _to_bot(self, upstream: ClientConnection, socket: WebSocket) -> None:
        with suppress(websockets.ConnectionClosed, WebSocketDisconnect, RuntimeError):
            async for text in upstream:
                self.stirred.set()
                if isinstance(passed := self.frame(text), str):
                    await socket.send_text(passed)
                elif passed is not None:
                    await socket.send_bytes(passed)
        self._abort(socket)

    async def _to_server(self, socket: WebSocket, upstream: ClientConnection) -> None:
        with suppress(WebSocketDisconnect, websockets.ConnectionClosed, RuntimeError):
            while True:
                if (passed := self.reply(await socket.receive_text())) is not None:
                    await upstream.send(passed)

    def _abort(self, socket: WebSocket) -> None:
        for protocol in [*self._server.server_state.connections]:
            if socket.client is not None and getattr(protocol, "client", None) == tuple(socket.client):
                protocol.transport.abort()


def _passed_on(headers: Any) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in OF_ONE_HOP]
