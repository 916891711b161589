"""The line that tells what happens in a thread, and whether Slack shows its own Stop button there."""

from __future__ import annotations

import logging
from typing import Any

from bot.platforms.events import Spot
from bot.platforms.interface import MessageGone, PlatformRefused, PlatformUnavailable
from bot.platforms.slack.client import Client, Refusal

logger = logging.getLogger(__name__)

STATUS = "assistant.threads.setStatus"

SESSION = "agents.sessions.setStatus"

STREAM = "chat.startStream"

FOR_GOOD = frozenset(
    {
        *("feature_disabled", "unknown_method", "method_not_supported", "missing_scope", "not_allowed_token_type"),
        *("team_not_allowed", "feature_not_enabled", "not_allowed", "access_denied", "method_deprecated"),
    }
)
"""Refusals of a method that hold for the whole workspace."""

STATUS_SECONDS = 5.0
"""A status that comes later is of no use."""


ENDING_SECONDS = 30.0
"""For ending a session: one that is left open seems to work for ever."""


class Abilities:
    """What the workspace has: agent sessions, streams and statuses are not switched on everywhere."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def has(self, method: str) -> bool:
        return method not in self._refused

    def lacks(self, method: str, error: PlatformRefused) -> None:
        """Told once; whatever is refused for the whole workspace is not tried again."""
        code = error.code if isinstance(error, Refusal) else ""
        if code in FOR_GOOD and method not in self._refused:
            self._refused.add(method)
            logger.warning("%s: done without from now on: %s", method, error)
        elif code not in FOR_GOOD:
            logger.info("%s: done without here: %s", method, error)


class Status:
    """The status of one thread. Nothing here raises: what it shows is a courtesy."""

    def __init__(self, client: Client, spot: Spot, abilities: Abilities, *, asker: str, clear: bool) -> None:
        """`clear`: there may be something of an earlier attempt, or no message takes the place of what is shown."""
        self._client = client
        self._spot = spot
        self._abilities = abilities
        self._asker = asker
        self._clear = clear
        self._shown = ""
        self._unsure = False
        """Whether a call was cut off that may be carried out all the same, after the answer even."""
        self._tried_session = False
        self._may_be_open = True
        """Whether there may be a session: whoever wrote this before, and did not live to end it, may have begun one."""
        self._end_is_paid = False
        self.stoppable = False
        """Whether Slack's own Stop button is there."""

    @property
    def streams(self) -> bool:
        return self._abilities.has(STREAM)

    def no_streams(self, error: PlatformRefused) -> None:
        self._abilities.lacks(STREAM, error)

    async def show(self, text: str) -> None:
        if text == self._shown:
            return
        # Both are shown in one place, where the last one wins.
        if not self._tried_session:
            self._tried_session = True
            await self._begin_session()
        if self._abilities.has(STATUS):
            self._unsure = True
            if await self._told(STATUS, paid=False, status=text):
                self._shown, self._unsure = text, False

    def ended(self) -> None:
        """The end of a stream has ended the session too."""
        self.stoppable = self._may_be_open = False

    async def clear(self) -> None:
        """Nothing happens any more."""
        if self._may_be_open and self._abilities.has(SESSION):
            self.ended()
            await self._told(SESSION, paid=self._end_is_paid, within=ENDING_SECONDS, status="active")
        if self._unsure or (self._clear and (self._shown or not self._tried_session)):
            await self._told(STATUS, paid=False, within=ENDING_SECONDS, status="")
        self._shown = ""

    async def _begin_session(self) -> None:
        # The call that ends it is reserved with it: a session left open would seem to work for ever.
        if self._abilities.has(SESSION):
            self._end_is_paid = await self._client.reserve(SESSION, SESSION)
        self._may_be_open = self._end_is_paid or self._clear
        if self._end_is_paid:
            self.stoppable = await self._told(SESSION, paid=True, status="processing", initiator_user_id=self._asker)

    async def _told(self, method: str, *, paid: bool, within: float | None = None, **arguments: Any) -> bool:
        try:
            await self._client.call(
                method,
                paid=paid,
                within=STATUS_SECONDS if within is None else within,
                channel_id=self._spot.channel,
                thread_ts=self._spot.thread,
                **arguments,
            )
        except PlatformRefused as error:
            self._abilities.lacks(method, error)
        except (PlatformUnavailable, MessageGone) as error:
            logger.info("a status is not shown: %s", error)
        else:
            return True
        return False
