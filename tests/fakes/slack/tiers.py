"""How many calls of each method a workspace may make (docs.slack.dev/apis/web-api/rate-limits)."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable

MINUTE = 60.0

TIER_1, TIER_2, TIER_3, TIER_4 = 1, 20, 50, 100
"""Calls a minute that each tier grants; Slack promises at least these."""

SPECIAL = 600
"""Calls a minute of a method with limits of its own: `assistant.threads.setStatus` names 600, for posting messages the
page says "several hundred" for the workspace."""

TIERS = {
    **dict.fromkeys(("chat.startStream", "chat.stopStream", "users.list", "conversations.list", "team.info"), TIER_2),
    **dict.fromkeys(("usergroups.list", "usergroups.users.list"), TIER_2),
    **dict.fromkeys(
        (
            *("chat.update", "chat.delete", "conversations.replies", "conversations.history", "conversations.info"),
            *("conversations.open", "users.conversations", "reactions.add", "reactions.get", "agents.sessions.rename"),
            *("agents.sessions.setStatus", "apps.connections.open", "files.list"),
        ),
        TIER_3,
    ),
    **dict.fromkeys(
        (
            *("chat.appendStream", "chat.postEphemeral", "users.info", "files.info", "conversations.members"),
            *("views.open", "views.update", "views.publish", "assistant.threads.setSuggestedPrompts"),
        ),
        TIER_4,
    ),
    "reactions.remove": TIER_2,
}

PER_CHANNEL_SECOND = 1.0
"""Messages a second that `chat.postMessage` takes in one channel; "short bursts" of one more are let through."""
BURST = 2.0


class Tiers:
    """Counts the calls of each method in the last minute, by `clock`; `scale` multiplies what is granted."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, scale: float = 1.0) -> None:
        self._clock = clock
        self._scale = scale
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)
        self._channels: dict[str, tuple[float, float]] = {}

    def wait(self, method: str, channel: str = "") -> int:
        """Whole seconds until that call is granted; 0 when it is, and then it counts."""
        now = self._clock()
        seconds = max(self._of_method(method, now), self._of_channel(channel, now) if _posts(method) else 0.0)
        if seconds > 0:
            return math.ceil(seconds)
        self._calls[method].append(now)
        if _posts(method):
            left, at = self._channels.get(channel, (BURST, now))
            self._channels[channel] = (self._filled(left, now - at) - 1, now)
        return 0

    def _of_method(self, method: str, now: float) -> float:
        calls = self._calls[method]
        while calls and calls[0] <= now - MINUTE:
            calls.popleft()
        granted = max(1, int(TIERS.get(method, SPECIAL) * self._scale))
        return 0.0 if len(calls) < granted else calls[-granted] + MINUTE - now

    def _of_channel(self, channel: str, now: float) -> float:
        left, at = self._channels.get(channel, (BURST, now))
        missing = 1 - self._filled(left, now - at)
        return missing / (PER_CHANNEL_SECOND * self._scale) if missing > 1e-6 else 0.0

    def _filled(self, left: float, seconds: float) -> float:
        return min(BURST, left + seconds * PER_CHANNEL_SECOND * self._scale)


def _posts(method: str) -> bool:
    return method == "chat.postMessage"
