"""Socket Mode: several connections kept up for ever, each payload acknowledged once it is kept.

https://docs.slack.dev/apis/events-api/using-socket-mode. The SDK has a client of its own for this. It does not tell
when nothing was connected, which is when something may have been missed; it notices a cut connection after seconds,
tries again without ever waiting longer, and works in tasks that nobody owns. What is read and written here is small.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import aiohttp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.platforms.interface import MessageGone, PlatformRefused, PlatformUnavailable
from bot.platforms.slack.client import APP_TOKEN, Client

logger = logging.getLogger(__name__)

BACK_OFF_SECONDS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Before each further attempt to connect; the last one for ever."""

HEARTBEAT_SECONDS = 15.0
"""Between pings of ours; a connection that does not answer one within half of that is given up."""

OPENING_SECONDS = 15.0

LONGEST_FRAME = 4 * 1024 * 1024
"""Bytes."""

Pause = Callable[[float], Awaitable[None]]

Dispatch = Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]
"""Takes what was delivered; 200 acknowledges it."""


class Connections:
    """All the connections of this process."""

    def __init__(
        self,
        client: Client,
        *,
        count: int,
        up: Callable[[], None],
        down: Callable[[], None],
        pause: Pause = asyncio.sleep,
    ) -> None:
        """`up` is called when the first connection hears, `down` when the last one does not any more."""
        self._client = client
        self._count = count
        self._up = up
        self._down = down
        self._pause = pause
        self._hearing = 0
        self._heard = False
        """Whether any connection ever did."""
        self._told: set[str] = set()
        """What the operator was told of this outage."""

    async def run(self, dispatch: Dispatch) -> None:
        """Hand what is delivered to `dispatch` until cancelled.

        Raises PlatformRefused when the app-level token is not taken at the start: no further attempt would mend that.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(1, self._count + 1):
                    group.create_task(self._kept_up(number, dispatch))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _kept_up(self, number: int, dispatch: Dispatch) -> None:
        failures = 0
        while True:
            connection = _Connection(self._client, number, dispatch)
            try:
                async with asyncio.timeout(OPENING_SECONDS) as opening:
                    await connection.open(lambda: opening.reschedule(None), self._came)
                why = connection.ended
            except PlatformRefused as error:
                if not self._heard:
                    raise
                why = str(error)
            except (PlatformUnavailable, MessageGone) as error:
                why = str(error)
            except Exception as error:  # noqa: BLE001 (the platform's event loop: nothing that comes may end it)
                # The error's own text may hold the address, and with it a ticket.
                why = f"slack: connection {number} was not to be had ({type(error).__name__})"
            finally:
                if connection.heard:
                    failures = failures if connection.unwanted else 0
                    self._went()
            seconds = BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)]
            # Slack ends connections as a matter of course; what goes on is told once, each attempt at level info.
            level = logging.WARNING if failures and why not in self._told else logging.INFO
            self._told |= {why} if failures else set()
            logger.log(level, "%s; tried again in %g s, until it works", why, seconds)
            failures += 1
            await self._pause(seconds)

    def _came(self) -> None:
        self._hearing += 1
        self._heard = True
        if self._hearing == 1:
            if self._told:
                logger.warning("slack: connected again")
            self._told.clear()
            self._up()

    def _went(self) -> None:
        self._hearing -= 1
        if self._hearing == 0:
            self._down()


class _Connection:
    """One connection, from its address to its end."""

    def __init__(self, client: Client, number: int, dispatch: Dispatch) -> None:
        self._client = client
        self._number = number
        self._dispatch = dispatch
        self.heard = False
        """Whether Slack has said hello."""
        self.unwanted = False
        """Whether Slack wants no such connection, now or at all."""
        self.ended = f"slack: connection {number} was cut"

    async def open(self, opened: Callable[[], None], came: Callable[[], None]) -> None:
        """Listen until it ends. `opened`: it is there; `came`: events come."""
        answer = await self._client.call("apps.connections.open", token=APP_TOKEN, within=OPENING_SECONDS)
        async with (
            self._client.session.ws_connect(
                str(answer["url"]), heartbeat=HEARTBEAT_SECONDS, max_msg_size=LONGEST_FRAME
            ) as socket,
            asyncio.TaskGroup() as group,
        ):
            async for frame in socket:
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    continue
                payload = _object(frame.data)
                match self._kind(payload):
                    case "hello":
                        opened()
                        self.heard = True
                        came()
                        logger.info("slack: connection %d listens", self._number)
                    case "disconnect":
                        break
                    case "envelope":
                        group.create_task(self._taken(socket, payload))

    def _kind(self, payload: dict[str, Any]) -> Literal["hello", "disconnect", "envelope", "other"]:
        match payload.get("type"):
            case "hello":
                return "hello"
            case "disconnect":
                reason = payload.get("reason")
                self.ended = f"slack: connection {self._number} was ended by Slack ({reason})"
                self.unwanted = reason in {"link_disabled", "too_many_websockets"}
                if reason == "link_disabled":
                    logger.error("slack: Socket Mode is switched off for the app; switch it on under Socket Mode")
                return "disconnect"
            case _:
                return "envelope" if payload.get("envelope_id") else "other"

    async def _taken(self, socket: aiohttp.ClientWebSocketResponse, envelope: dict[str, Any]) -> None:
        """Acknowledge an envelope once it is kept; otherwise Slack delivers it again."""
        try:
            request = AsyncBoltRequest(mode="socket_mode", body=envelope["payload"])
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            logger.error("slack: an envelope that is not as documented is dropped (%s)", type(error).__name__)
            return
        answer = await self._dispatch(request)
        if answer.status != 200:
            return
        acknowledgement: dict[str, Any] = {"envelope_id": envelope["envelope_id"]}
        if answer.body:
            acknowledgement["payload"] = json.loads(answer.body)
        try:
            await socket.send_str(json.dumps(acknowledgement))
        except (ConnectionError, aiohttp.ClientError):
            logger.info("slack: connection %d ended before an acknowledgement; it comes again", self._number)


def _object(text: str) -> dict[str, Any]:
    """A frame's content; what is no JSON object is nothing to us."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}
