"""Delivery by HTTP: signed requests (docs.slack.dev/authentication/verifying-requests-from-slack)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import httpx

from tests.fakes.slack.outbox import Delivery
from tests.fakes.slack.people import People


def signed(secret: str, body: bytes, *, at: int) -> dict[str, str]:
    """The headers that prove who sent `body`. Version `v0` is a HMAC-SHA256 over version, time and body."""
    digest = hmac.new(secret.encode(), b"v0:%d:%s" % (at, body), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(at), "X-Slack-Signature": f"v0={digest}"}


@asynccontextmanager
async def delivering(slack: People, url: str) -> AsyncIterator[None]:
    """Post whatever is to be delivered to `url`, for events, interactivity and commands alike."""
    slack.outbox.takers += 1
    try:
        async with httpx.AsyncClient() as client, asyncio.TaskGroup() as tasks:
            posting = tasks.create_task(_post_all(slack, client, url, tasks))
            try:
                yield
            finally:
                posting.cancel()
    finally:
        slack.outbox.takers -= 1


async def _post_all(slack: People, client: httpx.AsyncClient, url: str, tasks: asyncio.TaskGroup) -> None:
    while True:
        tasks.create_task(_post(slack, client, url, await slack.outbox.take()))


async def _post(slack: People, client: httpx.AsyncClient, url: str, delivery: Delivery) -> None:
    """A 2xx within three seconds acknowledges; `X-Slack-No-Retry: 1` forbids to try again
    (docs.slack.dev/apis/events-api/#errors)."""
    body, kind = encoded(delivery)
    # The time of the real clock: it is against that one that the app checks how old a request is.
    headers = {"Content-Type": kind, **signed(slack.signing_secret, body, at=int(time.time()))}
    if delivery.attempt:
        headers |= {"X-Slack-Retry-Num": str(delivery.attempt), "X-Slack-Retry-Reason": delivery.reason}
    try:
        response = await client.post(url, content=body, headers=headers, timeout=slack.outbox.ack_seconds)
    except httpx.TimeoutException:
        slack.outbox.fail(delivery, "http_timeout")
    except httpx.HTTPError:
        slack.outbox.fail(delivery, "connection_failed")
    else:
        if response.is_success:
            said = response.text.strip()
            is_json = response.headers.get("content-type", "").startswith("application/json")
            slack.outbox.acknowledge(delivery, json.loads(said) if is_json and said else {"text": said} if said else {})
        elif response.headers.get("X-Slack-No-Retry") == "1":
            slack.outbox.acknowledge(delivery)
        else:
            slack.outbox.fail(delivery, "http_error")


def encoded(delivery: Delivery) -> tuple[bytes, str]:
    """Events are JSON; interactivity is JSON in a form's field `payload`; a command is a form."""
    match delivery.kind:
        case "events_api":
            return json.dumps(delivery.payload).encode(), "application/json"
        case "interactive":
            fields = {"payload": json.dumps(delivery.payload)}
        case "slash_commands":
            fields = delivery.payload
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"
