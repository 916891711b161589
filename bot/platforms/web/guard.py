"""Around every request: trace id, security headers, caps on headers and body, the last resort when something breaks."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.platforms.web.bounds import HEAD_BYTES
from bot.platforms.web.refusal import SECURITY_HEADERS, error_body
from ingest.telemetry import new_trace_id

logger = logging.getLogger(__name__)

TWO_LENGTHS = "send Content-Length or Transfer-Encoding, not both"
"""A proxy that goes by the other one would take the rest of the body for somebody else's request (RFC 9112, 6.1)."""


class BodyTooLarge(Exception):
    """Raised while the body is read, and caught by the guard."""


class HeadTooLarge(Exception):
    """Raised before the application is asked, and caught by the guard."""


class TwoLengths(Exception):
    """Raised before the application is asked, and caught by the guard."""


class Guard:
    """ASGI middleware. `sentence` gives the phrase `key` in the language of a request's headers.

    The application finds the request's trace id as `request.state.trace_id`. What answers GET answers HEAD. No other
    site may read an answer (CORS), whatever the application says; and nobody keeps one unless the application says so.
    """

    def __init__(self, app: ASGIApp, *, body_limit: int, sentence: Callable[..., str]) -> None:
        self._app = app
        self._limit = body_limit
        self._sentence = sentence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, trace_id = Headers(scope=scope), new_trace_id()
        only_head = scope["method"] == "HEAD"
        scope = {
            **scope,
            "method": "GET" if only_head else scope["method"],
            "state": scope.get("state", {}) | {"trace_id": trace_id},
        }
        started = False

        async def guarded_send(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _secure(MutableHeaders(scope=message))
            elif only_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        async def refuse(status: int, message: str, code: str) -> None:
            await _send_error(guarded_send, status, message, code)

        try:
            self._check(scope, headers)
            await self._app(scope, self._counted(receive), guarded_send)
        except TwoLengths:
            await refuse(400, TWO_LENGTHS, "invalid_http")
        except (BodyTooLarge, HeadTooLarge) as error:
            status, limit = (431, HEAD_BYTES) if isinstance(error, HeadTooLarge) else (413, self._limit)
            await refuse(status, self._sentence(headers, "web-too-large", limit=limit // 1000), "request_too_large")
        except ClientDisconnect:
            return
        except Exception:  # the platform's event loop: whatever broke, the caller gets a sentence and operators a trace
            logger.exception("%s %s failed", scope["method"], scope["path"], extra={"trace_id": trace_id})
            if started:
                raise
            await refuse(500, self._sentence(headers, "error", trace=trace_id), "internal_error")

    def _check(self, scope: Scope, headers: Headers) -> None:
        if "content-length" in headers and "transfer-encoding" in headers:
            raise TwoLengths
        if _head_bytes(scope) > HEAD_BYTES:
            raise HeadTooLarge
        if int(headers.get("content-length") or 0) > self._limit:
            raise BodyTooLarge

    def _counted(self, receive: Receive) -> Receive:
        """A chunked body has no Content-Length; count it as it comes."""
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._limit:
                raise BodyTooLarge
            return message

        return counted


def _secure(headers: MutableHeaders) -> None:
    for name in [name for name in headers.keys() if name.lower().startswith("access-control-")]:  # noqa: SIM118
        del headers[name]
    headers.update(SECURITY_HEADERS)
    headers.setdefault("Cache-Control", "no-store")


def _head_bytes(scope: Scope) -> int:
    """What the request's address and headers take, about as they were sent."""
    address = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    return address + sum(len(name) + len(value) + 4 for name, value in scope["headers"])


async def _send_error(send: Send, status: int, message: str, code: str) -> None:
    """With the end of the connection: what may follow the refused head is no request to go on with."""
    body = json.dumps(error_body(status, message, code=code), ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
