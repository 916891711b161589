"""`/api/v4/websocket`: events go out, a few actions come in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.fakes.mattermost.company import Company
from tests.fakes.mattermost.hub import Connection

FRAME_LIMIT = 8 << 10
"""The most bytes of a frame from a client (v11 source)."""
PING_SECONDS = 60.0
PONG_SECONDS = 40.0
"""Between pings of the server, and for their answers: it gives up on a client that is silent for 100 s (v11 source)."""

Abort = Callable[[WebSocket], None]
"""Drops the TCP connection, without a close frame."""


async def serve(company: Company, socket: WebSocket, *, abort: Abort, patience: float) -> None:
    """One client's connection, from the upgrade on.

    A wrong token does not keep the upgrade from succeeding: the server drops the connection after `patience`
    seconds, as it does with a client that does not say who it is (measured on a server).
    """
    await socket.accept()
    token = socket.headers.get("authorization", "").removeprefix("Bearer ")
    user, reply = company.tokens.get(token), None
    with suppress(WebSocketDisconnect, TimeoutError):
        if user is None:
            async with asyncio.timeout(patience):
                user, reply = await _challenged(company, socket)
    query = socket.query_params
    connection = company.hub.connect(user, query.get("connection_id"), query.get("sequence_number")) if user else None
    if connection is None:
        abort(socket)
        return
    connection.wire = socket
    try:
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(_write(connection, socket, reply))
            await _read(company, connection, socket)
            writing.cancel()
    finally:
        if connection.wire is socket:
            company.hub.leave(connection)


async def _challenged(company: Company, socket: WebSocket) -> tuple[str | None, dict[str, Any] | None]:
    """Who the client says it is by an `authentication_challenge`, and what it is told once it was greeted."""
    while True:
        frame = json.loads(await socket.receive_text())
        if frame.get("action") == "authentication_challenge":
            user = company.tokens.get(frame["data"]["token"])
            return user, {"status": "OK", "seq_reply": frame["seq"]}


async def _write(connection: Connection, socket: WebSocket, reply: dict[str, Any] | None) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):  # the client is gone: what was sent last is sent again
        while connection.wire is socket:
            event = connection.next()
            if event is None:
                await connection.news.wait()
                continue
            await socket.send_text(json.dumps(event))
            if reply is not None:
                await socket.send_text(json.dumps(reply))
                reply = None


async def _read(company: Company, connection: Connection, socket: WebSocket) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            frame = json.loads(await socket.receive_text())
            await socket.send_text(json.dumps(_done(company, connection, frame)))


def _done(company: Company, connection: Connection, frame: dict[str, Any]) -> dict[str, Any]:
    """What the server replies to an action; replies have no number of their own."""
    data = frame.get("data") or {}
    reply: dict[str, Any] = {"status": "OK", "seq_reply": frame["seq"]}
    match frame["action"]:
        case "ping":
            return reply | {"data": {"text": "pong", "version": "11.11.1", "server_time": company.time()}}
        case "user_typing":
            company.types(data["channel_id"], connection.user, data.get("parent_id", ""))
        case "presence":
            connection.present = data.get("channel_id", "")
        case _:
            error = {"id": "api.web_socket_router.bad_action.app_error", "message": "Unknown WebSocket action."}
            return {"status": "FAIL", "seq_reply": frame["seq"], "error": error}
    return reply
