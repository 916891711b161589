"""Requests and answers of the Web API, and what a server does instead of answering when it is told to misbehave."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in</body></html>"

STRUCTURED = frozenset({"attachments", "blocks", "chunks", "files", "loading_messages", "metadata", "prompts", "view"})
"""Arguments that a form carries as JSON (docs.slack.dev/apis/web-api/#post_bodies)."""

Params = Mapping[str, Any]
"""Arguments of one call: strings from a form, anything from a JSON body."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request, as the server got it; a download has the method `download`."""

    method: str
    params: dict[str, Any]
    authorization: str | None


Behaviour = Callable[[Received], Response | None]
"""What is done with one request instead of answering it; None answers it after all."""


class Refused(Exception):
    """An answer that is not `ok`."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.answer = {"ok": False, "error": error, **more}


async def arguments(request: Request) -> dict[str, Any]:
    """What a call says, in its query, its form or its JSON body."""
    params: dict[str, Any] = dict(request.query_params)
    if request.method == "POST":
        body = await request.body()
        if request.headers.get("content-type", "").startswith("application/json"):
            params |= json.loads(body or b"{}") or {}
        else:
            params |= dict(parse_qsl(body.decode(), keep_blank_values=True))
    for name in STRUCTURED & params.keys():
        if isinstance(params[name], str):
            params[name] = json.loads(params[name] or "null")
    return params


def flag(params: Params, name: str, default: bool = False) -> bool:
    value = params.get(name, default)
    return value if isinstance(value, bool) else str(value) in ("1", "true", "True")


def needed(params: Params, *names: str) -> tuple[str, ...]:
    """Those arguments, none of them absent (docs.slack.dev/apis/web-api/#errors: `invalid_arguments`)."""
    for name in names:
        if not params.get(name):
            raise Refused(
                "invalid_arguments",
                response_metadata={"messages": [f"[ERROR] missing required field: {name}"]},
            )
    return tuple(str(params[name]) for name in names)


def page(items: Sequence[Any], key: str, params: Params, at_most: int) -> dict[str, Any]:
    """One page, where the position of the first item left is the cursor (docs.slack.dev/apis/web-api/pagination)."""
    start = position(str(params.get("cursor") or ""))
    end = start + min(int(params.get("limit") or 100), at_most)
    return {key: items[start:end], "response_metadata": {"next_cursor": cursor(end) if end < len(items) else ""}}


def cursor(position: int) -> str:
    return base64.b64encode(f"next:{position}".encode()).decode()


def position(cursor: str) -> int:
    """Where the page of `cursor` begins."""
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except ValueError as error:
        raise Refused("invalid_cursor") from error


def limited(retry_after: float | str | None = 0) -> Behaviour:
    """Too many requests (docs.slack.dev/apis/web-api/rate-limits)."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return lambda received: JSONResponse({"ok": False, "error": "ratelimited"}, status_code=429, headers=headers)


def failing(status: int = 503) -> Behaviour:
    """A server error, told by whatever stands in front of Slack."""
    return lambda received: HTMLResponse("<html><body>upstream error</body></html>", status_code=status)


def refusing(error: str) -> Behaviour:
    """An answer of status 200 that is not `ok`."""
    return answering({"ok": False, "error": error})


def answering(answer: dict[str, Any]) -> Behaviour:
    return lambda received: JSONResponse(answer)


def login_page(received: Received) -> Response:
    return HTMLResponse(LOGIN_PAGE)


def plain_text(received: Received) -> Response:
    return PlainTextResponse("It works!")


def half_json(received: Received) -> Response:
    return Response('{"ok": true, "mess', media_type="application/json")


def on_later_pages(behaviour: Behaviour) -> Behaviour:
    """`behaviour` for every page but the first."""
    return lambda received: behaviour(received) if received.params.get("cursor") else None
