"""Around every request: security headers, a cap on the body, and the last resort when something breaks."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.platforms.web.refusal import error_body
from ingest.telemetry import new_trace_id

logger = logging.getLogger(__name__)

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""OWASP Secure Headers; nothing of this server is to be run, framed or read by another site."""


class BodyTooLarge(Exception):
    """Raised while the body is read, and caught by the guard."""


class Guard:
    """ASGI middleware. `sentence` gives the phrase `key` in the language of a request's headers."""

    def __init__(self, app: ASGIApp, *, body_limit: int, sentence: Callable[..., str]) -> None:
        self._app = app
        self._limit = body_limit
        self._sentence = sentence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        started = False

        async def guarded_send(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        try:
            if int(headers.get("content-length") or 0) > self._limit:
                raise BodyTooLarge
            await self._app(scope, self._counted(receive), guarded_send)
        except BodyTooLarge:
            message = self._sentence(headers, "web-too-large", limit=self._limit // 1000)
            await _send_error(guarded_send, 413, message, "request_too_large")
        except ClientDisconnect:
            return
        except Exception:  # the platform's event loop: whatever broke, the caller gets a sentence and operators a trace
            trace_id = new_trace_id()
            logger.exception("%s %s failed", scope["method"], scope["path"], extra={"trace_id": trace_id})
            if started:
                raise
            await _send_error(guarded_send, 500, self._sentence(headers, "error", trace=trace_id), "internal_error")

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


async def _send_error(send: Send, status: int, message: str, code: str) -> None:
    body = json.dumps(error_body(status, message, code=code), ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
