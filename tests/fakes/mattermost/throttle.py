"""The rate limit of a Mattermost server, which is off by default."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Throttle:
    """So many requests a second from one address, and a burst (`RateLimitSettings`: PerSec 10, MaxBurst 100).

    The generic cell rate algorithm of the `throttled` library that the server uses: each request puts the time at
    which the bucket is empty again on by one interval, and is refused where that would be more than the burst away.
    """

    per_second: float = 10
    burst: int = 100
    clock: Callable[[], float] = time.monotonic
    refused: int = 0
    """So many requests were over the limit."""
    _empty_at: dict[str, float] = field(default_factory=dict)
    """By address."""

    def take(self, address: str) -> tuple[bool, dict[str, str]]:
        """Whether a request of this address may pass, and the headers of the answer.

        Reset and Retry-After are seconds from now, rounded up (measured on a server; the documentation's example
        shows an epoch).
        """
        now, interval = self.clock(), 1 / self.per_second
        patience = interval * (self.burst + 1)
        empty_at = max(now, self._empty_at.get(address, now))
        wait = empty_at + interval - patience - now
        passes = wait <= 1e-9
        if passes:
            empty_at += interval
            self._empty_at[address] = empty_at
        else:
            self.refused += 1
        headers = {
            "X-Ratelimit-Limit": str(self.burst + 1),
            "X-Ratelimit-Remaining": str(max(0, round((now + patience - empty_at) / interval))),
            "X-Ratelimit-Reset": str(math.ceil(empty_at - now)),
        }
        return passes, headers if passes else headers | {"Retry-After": str(math.ceil(wait))}
