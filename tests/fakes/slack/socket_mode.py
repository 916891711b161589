"""Socket Mode (docs.slack.dev/apis/events-api/using-socket-mode): connections of the app, and what goes over them.

Each payload goes to one connection, any of them. What is not acknowledged in three seconds is delivered again.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from tests.fakes.slack.outbox import Delivery
from tests.fakes.slack.people import People
from tests.fakes.slack.wire import Params
from tests.fakes.slack.workspace import APP

CONNECTIONS = 10
"""Of one app at once."""

GOING_AWAY = 1001

CONNECTION_SECONDS = 18_060
"""How long a connection will last, as `hello` says."""


class Connection:
    def __init__(self, websocket: WebSocket) -> None:
        self.websocket = websocket
        self.cut = asyncio.Event()
        """Set when it is to end; nothing is sent over it from then on."""
        self.pending: dict[str, Delivery] = {}


class SocketMode:
    def __init__(self, slack: People) -> None:
        self._slack = slack
        self.connections: list[Connection] = []
        self.tickets: set[str] = set()

    def open(self, params: Params) -> dict[str, Any]:
        """docs.slack.dev/reference/methods/apps.connections.open: an address that is good for one connection."""
        ticket = self._slack.number("ticket-")
        self.tickets.add(ticket)
        root = self._slack.base_url.removesuffix("api/").replace("http", "ws", 1)
        return {"url": f"{root}link/?ticket={ticket}&app_id={APP}"}

    async def serve(self, websocket: WebSocket) -> None:
        ticket = websocket.query_params.get("ticket", "")
        if ticket not in self.tickets:
            await websocket.close()
            return
        self.tickets.remove(ticket)
        await websocket.accept()
        connection = Connection(websocket)
        if len(self.connections) >= CONNECTIONS:
            await websocket.send_json(_disconnect("too_many_websockets"))
            await websocket.close()
            return
        self.connections.append(connection)
        outbox = self._slack.outbox
        outbox.takers += 1
        outbox.deaf = False
        outbox.look()
        try:
            await self._run(connection)
        finally:
            if not connection.cut.is_set():
                outbox.takers -= 1
            if connection in self.connections:
                self.connections.remove(connection)
            for delivery in list(connection.pending.values()):
                outbox.fail(delivery, "timeout")
            outbox.look()

    async def _run(self, connection: Connection) -> None:
        debug = {"host": "applink", "build_number": 1, "approximate_connection_time": CONNECTION_SECONDS}
        hello = {"type": "hello", "connection_info": {"app_id": APP}, "debug_info": debug}
        await connection.websocket.send_json({**hello, "num_connections": len(self.connections)})
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(self._send(connection, tasks))
            cutting = tasks.create_task(self._end_when_cut(connection))
            with suppress(WebSocketDisconnect):
                while True:
                    self._heard(connection, await connection.websocket.receive_text())
            for delivery in list(connection.pending.values()):
                self._slack.outbox.fail(delivery, "timeout")
            sending.cancel()
            cutting.cancel()

    async def _send(self, connection: Connection, tasks: asyncio.TaskGroup) -> None:
        while not connection.cut.is_set():
            await asyncio.sleep(0)  # so that another connection has its turn
            delivery = await self._slack.outbox.take()
            if connection.cut.is_set():
                self._slack.outbox.put_back(delivery)
                return
            connection.pending[delivery.envelope] = delivery
            try:
                await connection.websocket.send_json(_envelope(delivery))
            except (WebSocketDisconnect, RuntimeError):
                del connection.pending[delivery.envelope]
                self._slack.outbox.put_back(delivery)
                return
            tasks.create_task(self._expect(connection, delivery))

    async def _expect(self, connection: Connection, delivery: Delivery) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._slack.outbox.ack_seconds):
                await delivery.ended.wait()
        connection.pending.pop(delivery.envelope, None)
        self._slack.outbox.fail(delivery, "timeout")

    async def _end_when_cut(self, connection: Connection) -> None:
        await connection.cut.wait()
        if connection.websocket.application_state is WebSocketState.CONNECTED:
            with suppress(RuntimeError, WebSocketDisconnect):
                await connection.websocket.close(GOING_AWAY)

    def _heard(self, connection: Connection, text: str) -> None:
        said = json.loads(text)
        if delivery := connection.pending.pop(said.get("envelope_id", ""), None):
            self._slack.outbox.acknowledge(delivery, said.get("payload"))

    def cut(self, connection: Connection) -> None:
        """End it now: what it has not acknowledged goes to another one, or waits for one."""
        if connection.cut.is_set():
            return
        connection.cut.set()
        self._slack.outbox.takers -= 1
        self.connections.remove(connection)
        for delivery in list(connection.pending.values()):
            connection.pending.pop(delivery.envelope, None)
            self._slack.outbox.put_back(delivery)
        self._slack.outbox.look()

    async def ask_to_leave(self, connection: Connection, reason: str = "refresh_requested") -> None:
        """`warning`: soon it will be cut; `refresh_requested`: now is the time; `link_disabled`: switched off."""
        await connection.websocket.send_json(_disconnect(reason))


def _disconnect(reason: str) -> dict[str, Any]:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink"}}


def _envelope(delivery: Delivery) -> dict[str, Any]:
    answers = delivery.kind == "slash_commands" or delivery.payload.get("type") == "view_submission"
    envelope: dict[str, Any] = {
        "envelope_id": delivery.envelope,
        "type": delivery.kind,
        "accepts_response_payload": answers,
        "payload": delivery.payload,
    }
    if delivery.kind == "events_api":
        envelope |= {"retry_attempt": delivery.attempt, "retry_reason": delivery.reason}
    return envelope
