"""Slack's Web API: methods by name, each within its rate, and errors in the contract's terms.

Slack counts calls by method and workspace, and answers 429 with `Retry-After` to who comes too fast; the bucket of that
method pauses then, for everybody who waits at it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from email.utils import mktime_tz, parsedate_tz
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.platforms.buckets import Buckets, Rate
from bot.platforms.interface import MessageGone, PlatformRefused, PlatformUnavailable
from bot.platforms.slack.settings import SlackSettings
from ingest.http import is_busy, retry_after

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 15.0
"""For one answer of the Web API; a stream's next piece is of no use later."""

DOWNLOAD_SECONDS = 180.0
"""For a whole file."""

UNASKED_PAUSE_SECONDS = 5.0
"""After a 429 that does not say how long to wait."""

BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""Before a call that found Slack away is made again; after the last, before every further one."""

TIER_2 = Rate(per_minute=12, burst=8)
"""A tier promises so many calls in any minute (https://docs.slack.dev/apis/web-api/rate-limits): 20. What gathers in a
quiet minute and what flows in during the next are together no more than that; so with the others."""

TIER_3 = Rate(per_minute=32, burst=18)
"""50 in a minute."""

TIER_4 = Rate(per_minute=70, burst=30)
"""100 in a minute."""

RATES: Mapping[str, Rate] = {
    "chat.startStream": TIER_2,
    "chat.stopStream": TIER_2,
    "users.list": TIER_2,
    "usergroups.list": TIER_2,
    "usergroups.users.list": TIER_2,
    "chat.update": TIER_3,
    "chat.delete": TIER_3,
    "conversations.replies": TIER_3,
    "conversations.history": TIER_3,
    "conversations.info": TIER_3,
    "conversations.open": TIER_3,
    "users.conversations": TIER_3,
    "agents.sessions.setStatus": TIER_3,
    "apps.connections.open": TIER_3,
    "chat.appendStream": TIER_4,
    "chat.postEphemeral": TIER_4,
    "users.info": TIER_4,
    "files.info": TIER_4,
    "conversations.members": TIER_4,
    "views.open": TIER_4,
    "assistant.threads.setSuggestedPrompts": TIER_4,
    "assistant.threads.setStatus": Rate(per_minute=480, burst=100),
    "chat.postMessage": Rate(per_minute=240, burst=60),
    "chat.postMessage in a channel": Rate(per_minute=60, burst=1),
    "auth.test": Rate(per_minute=60, burst=10),
}
"""Buckets by method. Slack's page calls the limits of the last ones special: one message a second in each channel, and
"several hundred" a minute in the workspace; a status is of the same kind."""

READS = frozenset(
    {
        *("auth.test", "conversations.info", "conversations.history", "conversations.replies", "conversations.members"),
        *("users.conversations", "users.info", "users.list", "usergroups.list", "usergroups.users.list", "files.info"),
    }
)
"""Methods that take their arguments in the address, not as JSON."""

ONCE = frozenset({"chat.postMessage", "chat.postEphemeral", "chat.startStream", "chat.appendStream"})
"""Methods that show something twice when they are called twice. Of `internal_error` and `fatal_error` Slack's reference
says that a part of the call may have been carried out."""

BUSY = frozenset(
    {
        *("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"),
        *("team_added_to_org", "block_rendering_error"),
    }
)
"""Errors, some in an answer of status 200, after which the same call may go well."""

GONE = frozenset({"message_not_found", "thread_not_found", "file_not_found", "file_deleted"})

KEY_ERRORS = frozenset(
    {
        *("not_authed", "invalid_auth", "token_revoked", "token_expired", "account_inactive", "no_such_team"),
        *("not_allowed_token_type", "org_login_required", "ekm_access_denied", "team_access_not_granted"),
    }
)

ADVICE: Mapping[str, str] = {
    "not_in_channel": "invite the app into the channel",
    "channel_not_found": "invite the app into the channel; it cannot see it",
    "is_archived": "the channel is archived",
    "restricted_action": "the workspace's settings do not let the app post there",
    "msg_too_long": "the text is longer than Slack takes",
    "feature_disabled": "the workspace has not switched it on; everything else works without",
}
"""The way out of errors that have one."""

BOT_TOKEN = "SOUFFLEUR_SLACK_BOT_TOKEN"  # noqa: S105 (the variable's name)
APP_TOKEN = "SOUFFLEUR_SLACK_APP_TOKEN"  # noqa: S105


class Refusal(PlatformRefused):
    """Slack's answer was an error; `code` is its name there."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class Client:
    """Calls methods of the Web API. Raises `PlatformUnavailable`, `Refusal` and `MessageGone`, nothing of the SDK's."""

    def __init__(self, settings: SlackSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.buckets = Buckets(RATES, default=TIER_3, clock=clock)
        self.scopes: frozenset[str] | None = None
        """What the bot's token may do, as the last answer said; None before any did."""
        self.time: float | None = None
        """Slack's clock at its last answer, in seconds since 1970."""
        tokens = {BOT_TOKEN: settings.bot_token, APP_TOKEN: settings.app_token}
        # The SDK's own retries are left out: they do not know of the other calls of the same method.
        self._webs = {
            name: AsyncWebClient(token.get_secret_value() if token else "", settings.base_url, retry_handlers=[])
            for name, token in tokens.items()
        }
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """One for everything, opened by the first call within the running loop."""
        if self._session is None or self._session.closed:
            # `trust_env`: by the proxy that the environment names, as the SDK's own calls go.
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS), trust_env=True)
        return self._session

    @property
    def web(self) -> AsyncWebClient:
        """The SDK's own, with the bot's token, for Bolt."""
        return self._webs[BOT_TOKEN]

    async def call(
        self,
        method: str,
        *,
        urgent: bool = False,
        paid: bool = False,
        within: float = 30.0,
        token: str = BOT_TOKEN,
        **arguments: Any,
    ) -> dict[str, Any]:
        """The answer of `method`. Waits for its turn, and as long as Slack asks for, at most `within` seconds in all.

        A call that may have been carried out though no answer came is made again only where that does no harm.

        Args:
            method: its name, as in Slack's reference.
            urgent: before the others who wait for the same method.
            paid: its turn was reserved before (`reserve`).
            within: seconds.
            token: the variable that holds the token to call with.
            arguments: of the method; those that are None are left out.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        tries = 0
        while True:
            if not paid or tries:
                await self._turn(method, given, urgent=urgent, within=max(until - loop.time(), 0.0))
            try:
                return await self._called(method, given, token)
            except _Busy as busy:
                if method in ONCE and not busy.undone:
                    raise PlatformUnavailable(str(busy)) from busy
                pause = busy.seconds if busy.seconds is not None else BACK_OFF_SECONDS[min(tries, 3)]
                if busy.seconds is not None:
                    self.buckets.pause(method, pause)
                if loop.time() + pause > until:
                    raise PlatformUnavailable(str(busy)) from busy
                if busy.seconds is None:
                    await asyncio.sleep(pause)
            tries += 1

    def free(self, method: str, *, channel: str = "") -> bool:
        """Whether it could be called at once, with nobody waiting; a post in `channel`."""
        return self.buckets.free(method) and (
            method != "chat.postMessage" or self.buckets.free(f"{method} in a channel", of=channel)
        )

    async def reserve(self, *methods: str) -> bool:
        """Take a turn of each for a call that is made later, `paid`; False, and none taken, where one is not free."""
        if not all(self.buckets.free(method) for method in methods):
            return False
        for method in methods:
            if not self.buckets.free(method):  # the same method twice
                return False
            await self.buckets.take(method)
        return True

    async def respond(self, url: str, message: Mapping[str, Any]) -> None:
        """Send `message` to a `response_url`. Raises `Refusal` when it has run out: five times, within 30 minutes."""
        if not self._is_slacks(url):
            raise Refusal("slack: a response address is none of Slack's, and nothing is sent there", "expired_url")
        try:
            async with self.session.post(url, json=dict(message), allow_redirects=False) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # Neither the address nor the error's own text, which may hold it: whoever has it can answer as the app.
            raise PlatformUnavailable(
                f"slack: a response address cannot be reached ({type(error).__name__}); try again later"
            ) from None
        if is_busy(status):
            raise PlatformUnavailable(f"slack: a response address answered {status}; try again later")
        if status >= 300:
            raise Refusal(f"slack: a response address answered {status}: it is used up or too old", "expired_url")

    async def download(self, url: str, to: Path, *, name: str, max_bytes: int) -> None:
        """Write what is at `url`, one of Slack's own, to `to`. `name` is the file's, for messages."""
        if not self._is_slacks(url):
            raise PlatformRefused(f"slack: the file {name!r} is not kept by Slack; it is read by nobody but its owner")
        headers = {"Authorization": f"Bearer {self.web.token}"}
        timeout = aiohttp.ClientTimeout(total=DOWNLOAD_SECONDS, sock_read=TIMEOUT_SECONDS)
        try:
            # A redirect goes to a login page, or to where the token must not be sent.
            async with self.session.get(url, headers=headers, timeout=timeout, allow_redirects=False) as response:
                self._check_file(response, name)
                await _write(response, to, name=name, max_bytes=max_bytes)
        except ValueError as error:  # an address with a name and a password in it, say
            raise PlatformRefused(f"slack: the file {name!r} has an address that nothing is read from") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            cause = type(error).__name__
            raise PlatformUnavailable(f"slack: the file {name!r} could not be read ({cause}); try again") from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _turn(self, method: str, arguments: Mapping[str, Any], *, urgent: bool, within: float) -> None:
        if method == "chat.postMessage":
            channel = str(arguments.get("channel", ""))
            await self.buckets.take(f"{method} in a channel", of=channel, urgent=urgent, within=within)
        await self.buckets.take(method, urgent=urgent, within=within)

    async def _called(self, method: str, arguments: Mapping[str, Any], token: str) -> dict[str, Any]:
        async with self._translated(method, token):
            web = self._webs[token]
            web.session = self.session
            if method in READS:
                response = await web.api_call(method, http_verb="GET", params=dict(arguments))
            else:
                response = await web.api_call(method, json=dict(arguments))
        if not isinstance(response.data, dict):
            raise _no_api(method, self.web.base_url)
        self._note(response.headers, token)
        return response.data

    def _note(self, headers: Mapping[str, str], token: str) -> None:
        if (date := parsedate_tz(headers.get("Date", ""))) is not None:
            self.time = float(mktime_tz(date))
        if token == BOT_TOKEN and "X-OAuth-Scopes" in headers:
            self.scopes = frozenset(scope.strip() for scope in headers["X-OAuth-Scopes"].split(",") if scope.strip())

    @asynccontextmanager
    async def _translated(self, method: str, token: str) -> AsyncIterator[None]:
        try:
            yield
        except SlackApiError as error:
            raise _refusal(method, error.response, token, self.web.base_url) from error
        except (SlackClientError, AttributeError) as error:  # AttributeError: what the SDK makes of plain text
            raise _no_api(method, self.web.base_url) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _Busy(
                f"slack: {self.web.base_url!r} cannot be reached ({type(error).__name__}); is the network up?",
                undone=isinstance(error, aiohttp.ClientConnectorError),
            ) from error

    def _is_slacks(self, url: str) -> bool:
        """Whether what lies there is Slack's own: of the host that the API is at, or below it or slack.com by https."""
        try:
            parts, own = urlsplit(url), urlsplit(self.web.base_url)
        except ValueError:
            return False
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            return True
        host = parts.hostname or ""
        return parts.scheme == "https" and any(
            host == domain or host.endswith(f".{domain}") for domain in ("slack.com", own.hostname)
        )

    def _check_file(self, response: aiohttp.ClientResponse, name: str) -> None:
        if response.status == 404:
            raise MessageGone(f"slack: the file {name!r} is not there any more")
        if is_busy(response.status):
            raise PlatformUnavailable(f"slack: the file {name!r} cannot be had now (status {response.status})")
        is_page = response.content_type == "text/html" and "Content-Disposition" not in response.headers
        # Without the scope Slack answers 200 with its login page, or redirects there.
        if response.status >= 300 or is_page:
            raise PlatformRefused(
                f"slack: the file {name!r} is not handed out; the app needs the scope 'files:read': add it under"
                " OAuth & Permissions and install the app again"
            )


class _Busy(PlatformUnavailable):
    """Slack is busy or away."""

    def __init__(self, message: str, *, seconds: float | None = None, undone: bool = False) -> None:
        """`seconds`: how long it asks to wait with that method. `undone`: the call has certainly done nothing."""
        super().__init__(message)
        self.seconds = seconds
        self.undone = undone


def _refusal(
    method: str, response: Any, token: str, base_url: str
) -> PlatformRefused | PlatformUnavailable | MessageGone:
    """What an answer means that is not `ok`."""
    status: int = getattr(response, "status_code", None) or response.status
    data = getattr(response, "data", None)
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    about = f"slack: {code or status!r} in answer to {method}"
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        seconds = retry_after(response.headers)
        return _Busy(
            f"{about}; try again later",
            seconds=UNASKED_PAUSE_SECONDS if seconds is None else seconds,
            undone=True,
        )
    if is_busy(status) or code in BUSY:
        return _Busy(f"{about}; try again later")
    if code == "missing_scope":
        needed = str(data.get("needed") or "another scope") if isinstance(data, dict) else "another scope"
        return Refusal(
            f"{about}: the app lacks the scope {needed!r}; print the manifest with `bot manifest slack`, save it under"
            " App Manifest, and install the app again",
            code,
        )
    if code == "not_allowed_token_type":
        kinds = f"{BOT_TOKEN} begins with xoxb-, {APP_TOKEN} with xapp-"
        return Refusal(f"{about}: the token is one of another kind; {kinds}", code)
    if code in KEY_ERRORS:
        return Refusal(f"{about}: the token is wrong or was revoked; set {token} to the app's", code)
    if code in GONE:
        return MessageGone(f"{about}: it is not there any more")
    if not code:
        return _no_api(method, base_url)
    advice = ADVICE.get(code)
    return Refusal(f"{about}: {advice}" if advice else about, code)


def _no_api(method: str, base_url: str) -> Refusal:
    return Refusal(
        f"slack: what {base_url!r} answers to {method} is no answer of Slack's; is `base_url` right, and does a login"
        " page or a proxy stand in front of it?",
        "no_api",
    )


async def _write(response: aiohttp.ClientResponse, to: Path, *, name: str, max_bytes: int) -> None:
    too_large = PlatformRefused(f"slack: the file {name!r} is larger than {max_bytes:,} bytes")
    if (response.content_length or 0) > max_bytes:
        raise too_large
    written = 0
    with to.open("wb") as file:
        async for piece in response.content.iter_chunked(1 << 16):
            written += len(piece)
            if written > max_bytes:
                raise too_large
            await asyncio.to_thread(file.write, piece)
