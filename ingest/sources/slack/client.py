"""Slack's Web API: pages, patience with its rate limits, and its errors in our own terms.

Slack counts requests by method and workspace, and asks who comes too fast to wait. One request of a method at a time is
as fast as the limits let anybody be, and nobody is passed over while others wait.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.utils import mktime_tz, parsedate_tz
from typing import Any, TypeVar

import aiohttp
import stamina
from pydantic import ValidationError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from ingest.http import asked_to_wait, is_busy, pause
from ingest.sources.interface import DocumentGone, SourceRefused, SourceUnavailable, token_variable
from ingest.sources.slack.model import Sent

PATIENCE_SECONDS = 300.0
"""Longest time for one request with all its waits; Slack asks for a minute at most, as a rule."""

ATTEMPTS = 8
"""Tries of one request, the first included."""

TIMEOUT_SECONDS = 30.0
"""For one answer."""

PAGE = 999
"""Slack's most; it may send fewer (https://docs.slack.dev/apis/web-api/pagination)."""

GONE = frozenset(
    {
        *("channel_not_found", "not_in_channel", "is_archived", "method_not_supported_for_channel_type"),
        *("thread_not_found", "message_not_found", "file_not_found", "file_deleted", "user_not_found"),
        *("user_not_visible", "users_not_found", "access_denied"),
    }
)
"""The one thing asked for is not there, or not for us."""

BUSY = frozenset(
    {
        "ratelimited",
        "rate_limited",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
    }
)
"""Errors, some of them in an answer of status 200, after which the same request may go well."""

KEY_ERRORS = frozenset(
    {
        *("not_authed", "invalid_auth", "token_revoked", "token_expired", "account_inactive", "no_such_team"),
        *(
            "not_allowed_token_type",
            "org_login_required",
            "ekm_access_denied",
            "team_access_not_granted",
            "accesslimited",
        ),
    }
)

SentType = TypeVar("SentType", bound=Sent)


class Busy(SourceUnavailable):
    """Slack answered that it is busy; tried again within the patience for one request."""

    def __init__(self, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.headers: Mapping[str, str] = headers or {}


class Client:
    """Calls methods of the Web API by their names. Raises `DocumentGone` and what `Source` may raise."""

    def __init__(self, source: str, token: str, base_url: str) -> None:
        """`source` is the source's name, for messages."""
        self._source = source
        self._token = token
        self._base_url = base_url
        self._web: AsyncWebClient | None = None
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.time: float | None = None
        """Slack's clock at its last answer, in seconds since 1970."""
        self.scopes: frozenset[str] | None = None
        """What the token may do, as the last answer said; None where it did not say."""

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer of one method, read only."""
        async with self._turns[method]:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    async for attempt in stamina.retry_context(
                        on=_wait, attempts=ATTEMPTS, timeout=PATIENCE_SECONDS, wait_max=30.0
                    ):
                        with attempt:
                            return await self._call(method, params)
            except TimeoutError as error:
                raise SourceUnavailable(
                    f"source {self._source!r}: no answer to {method!r} in {PATIENCE_SECONDS:g} s; try again later"
                ) from error
        raise AssertionError("a retry context ends with a result or an error")

    async def pages(self, method: str, key: str, kind: type[SentType], **params: Any) -> AsyncIterator[list[SentType]]:
        """The list named `key` of a method with cursors, page by page; each item is a `kind`."""
        cursor, seen = "", set[str]()
        while True:
            page = {"cursor": cursor} if cursor else {}
            answer = await self.call(method, limit=PAGE, **params, **page)
            yield self.items(answer, key, kind, method)
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return
            if cursor in seen:
                raise SourceUnavailable(
                    f"source {self._source!r}: the pages of {method!r} go in a circle; try again later"
                )
            seen.add(cursor)

    async def numbered_pages(
        self, method: str, key: str, kind: type[SentType], **params: Any
    ) -> AsyncIterator[list[SentType]]:
        """The same for a method that numbers its pages."""
        page = pages = 1
        while page <= pages:
            answer = await self.call(method, count=PAGE, page=page, **params)
            yield self.items(answer, key, kind, method)
            pages = int((answer.get("paging") or {}).get("pages") or 0)
            page += 1

    def items(self, answer: Mapping[str, Any], key: str, kind: type[SentType], method: str) -> list[SentType]:
        return [self.item(value, kind, method) for value in answer.get(key) or ()]

    def item(self, value: Any, kind: type[SentType], method: str) -> SentType:
        try:
            return kind.model_validate(value)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise SourceUnavailable(
                f"source {self._source!r}: {method!r} sent a {kind.__name__.lower()} with an unexpected {where!r}"
            ) from error

    async def close(self) -> None:
        if self._web is not None and self._web.session is not None:
            await self._web.session.close()
        self._web = None

    async def _call(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        async with self._translated(method):
            response = await self._connected().api_call(method, http_verb="GET", params=dict(params))
        self._note(response.headers)
        if not isinstance(response.data, dict):
            raise self._no_api(method)
        return response.data

    def _connected(self) -> AsyncWebClient:
        if self._web is None:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            # The library's own retries are left out: they wait up to a second longer than asked, and without bound.
            self._web = AsyncWebClient(
                self._token, self._base_url, session=aiohttp.ClientSession(timeout=timeout), retry_handlers=[]
            )
        return self._web

    def _note(self, headers: Mapping[str, str]) -> None:
        if (date := parsedate_tz(headers.get("Date", ""))) is not None:
            self.time = float(mktime_tz(date))
        if "X-OAuth-Scopes" in headers:
            self.scopes = frozenset(scope.strip() for scope in headers["X-OAuth-Scopes"].split(",") if scope.strip())

    @asynccontextmanager
    async def _translated(self, method: str) -> AsyncIterator[None]:
        try:
            yield
        except SlackApiError as error:
            raise self._refusal(method, error.response) from error
        except (SlackClientError, AttributeError) as error:  # AttributeError: what the library makes of plain text
            raise self._no_api(method) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            cause = f"{type(error).__name__}: {error}"
            raise Busy(f"source {self._source!r}: {self._base_url!r} cannot be reached ({cause}); is it up?") from error

    def _refusal(self, method: str, response: Any) -> DocumentGone | SourceRefused | SourceUnavailable:
        """What an answer means that is not `ok`, whatever came of it: an answer of the library, or of its transport."""
        status: int = getattr(response, "status_code", None) or response.status
        headers = response.headers
        data = getattr(response, "data", None)
        data = data if isinstance(data, dict) else {}
        said = str(data.get("error") or "")
        about = f"source {self._source!r}: Slack answered {said or status!r} to {method!r}"
        if is_busy(status) or said in BUSY:
            return Busy(f"{about}{asked_to_wait(headers)}; try again later", headers)
        variable = token_variable(self._source)
        if said == "missing_scope":
            needed = str(data.get("needed") or "another scope")
            return SourceRefused(
                f"{about}: the app lacks the scope {needed!r}; add it under OAuth & Permissions, install the app again,"
                f" and set {variable} to its bot token"
            )
        if said in KEY_ERRORS:
            return SourceRefused(f"{about}: the token is wrong or was revoked; set {variable} to the app's bot token")
        if said in GONE:
            return DocumentGone(f"Slack answered {said!r}: it is not there, or the app may not see it")
        if said == "invalid_cursor":
            return SourceUnavailable(f"{about}: the listing changed while it was read; try again")
        return SourceRefused(about) if said else self._no_api(method)

    def _no_api(self, method: str) -> SourceRefused:
        return SourceRefused(
            f"source {self._source!r}: what {self._base_url!r} answers to {method!r} is no answer of Slack's; is"
            " `base_url` right, and does a login page or a proxy stand in front of it?"
        )


def _wait(error: Exception) -> bool | float:
    return isinstance(error, Busy) and pause(503, error.headers, limit=PATIENCE_SECONDS)
