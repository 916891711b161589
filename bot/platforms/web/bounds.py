"""What one connection may take: connections that ask for nothing, slowly, must not keep others out (Slowloris).

uvicorn bounds only the silence between two requests, and answers what is no HTTP past the application; so that both is
seen to here, below it.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Literal, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.platforms.web.refusal import SECURITY_HEADERS, error_body

HEAD_BYTES = 16_384
"""Of a request's line and headers together; h11 keeps no more of one that is incomplete."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Times are seconds, and none is begun anew by a byte more."""

    head_seconds: float = 10
    """From the first byte of a request to the end of its headers; and to that first byte, on a new connection."""
    body_seconds: float = 30
    """For a body, which has at most a megabyte."""
    answer_seconds: float = 360
    """From the last byte of a request to the last of its answer, however slowly that is fetched."""
    idle_seconds: float = 5
    """From the end of an answer to the next request."""
    connections: int = 512
    """At the same time; about half of the files that a process may have open on most systems (1,024)."""


Stage = Literal["idle", "head", "body", "answer"]


class BoundedProtocol(H11Protocol):
    """One connection. What it is at decides how long that may take."""

    def __init__(self, *, bounds: Bounds, **values: Any) -> None:
        super().__init__(**values)
        self._bounds = bounds
        self._stage: Stage | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        if len(self.connections) > self._bounds.connections:
            self._refuse(503, "there are too many connections; try again later", "too_many_connections")
            return
        self._enter("idle", self._bounds.head_seconds)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._go_on()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._unset_keepalive_if_required()
        self._go_on(between=True)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, msg, "invalid_http")

    def _go_on(self, *, between: bool = False) -> None:
        """Enter the stage that the connection is at now; `between` two requests nothing was heard of the next."""
        bounds = self._bounds
        match self.conn.their_state:
            case h11.IDLE if between and not self.conn.trailing_data[0]:
                self._enter("idle", bounds.idle_seconds)
            case h11.IDLE:
                self._enter("head", bounds.head_seconds)
            case h11.SEND_BODY:
                self._enter("body", bounds.body_seconds)
            case _:
                self._enter("answer", bounds.answer_seconds)

    def _enter(self, stage: Stage, seconds: float) -> None:
        if stage == self._stage or self.transport.is_closing():
            return
        self._stage = stage
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self._end)

    def _end(self) -> None:
        if self._stage in ("head", "body") and not self.transport.is_closing():
            self._refuse(408, "the request took too long to arrive", "timeout")
        else:
            self.transport.abort()

    def _refuse(self, status: int, message: str, code: str) -> None:
        """Answer in place of the application, where nothing was answered yet, and close."""
        body = json.dumps(error_body(status, message, code=code)).encode()
        headers = {
            **SECURITY_HEADERS,
            "Cache-Control": "no-store",
            "Connection": "close",
            "Content-Length": str(len(body)),
            "Content-Type": "application/json",
        }
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        try:
            for event in (
                h11.Response(status_code=status, headers=list(headers.items())),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            self.transport.abort()
            return
        self.transport.close()
