"""How many calls a platform takes: a token bucket for each of its methods, with a line of those who wait for a token.

Nothing here is kept between processes: two replicas have two sets of buckets, and learn of each other by the platform's
`Retry-After`, which pauses a bucket.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from bisect import insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.platforms.interface import PlatformUnavailable

MOST_IDLE = 1000
"""Buckets kept though nobody has used them long enough for them to be full again."""

LONGEST_PAUSE = 600.0
"""Seconds; who asks for more is asked again then: one answer of a broken proxy must not silence the bot for good."""

ROUNDING = 1e-9
"""Tokens, or seconds, by which sums of fractions may be short of a whole one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """What a method allows."""

    per_minute: float
    burst: int
    """Calls that may go out at once after a quiet time; at least 1."""


class Buckets:
    """Buckets by method and, where a limit is one of a channel, by what the call is about (`of`).

    The waits are the running loop's; `clock` tells seconds, and need not be the loop's own.
    """

    def __init__(
        self, rates: Mapping[str, Rate], *, default: Rate, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rates = dict(rates)
        self._default = default
        self._clock = clock
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._arrivals = itertools.count()

    async def take(self, method: str, *, of: str = "", urgent: bool = False, within: float = 30) -> None:
        """Wait until a call may go out: the urgent first, then in the order of arrival. A free token is taken at once.

        Raises PlatformUnavailable as soon as it is known that it would take longer than `within` seconds.
        """
        bucket = self._bucket(method, of)
        if bucket.free():
            bucket.spend()
            return
        turn = _Turn(later=not urgent, arrival=next(self._arrivals), until=self._clock() + within)
        insort(bucket.line, turn)
        bucket.serve()
        try:
            refusal = await turn.result
        except asyncio.CancelledError:
            bucket.leave(turn)
            raise
        if refusal is not None:
            raise PlatformUnavailable(
                f"{method}: too many calls at once; the next one may go out in {math.ceil(refusal)} s, "
                f"and only {within:.0f} s can be waited; try again later"
            )

    def free(self, method: str, *, of: str = "") -> bool:
        """Whether a call could go out now and nobody waits; what can be left out is left out otherwise."""
        return self._bucket(method, of).free()

    def pause(self, method: str, seconds: float, *, of: str = "") -> None:
        """The platform asked for patience (`Retry-After`): one call may go out then, the others at the usual rate."""
        self._bucket(method, of).pause(min(seconds, LONGEST_PAUSE))

    def _bucket(self, method: str, of: str) -> _Bucket:
        key = (method, of)
        if key not in self._buckets:
            if len(self._buckets) >= MOST_IDLE:
                self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.idle()}
            self._buckets[key] = _Bucket(self._rates.get(method, self._default), self._clock)
        return self._buckets[key]


@dataclass(order=True, slots=True)
class _Turn:
    """A place in the line; sorts as the line does."""

    later: bool
    arrival: int
    until: float = field(compare=False)
    result: asyncio.Future[float | None] = field(
        compare=False, default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    """None: go. A number: refused, as it would take that many seconds."""


class _Bucket:
    def __init__(self, rate: Rate, clock: Callable[[], float]) -> None:
        self._per_second = rate.per_minute / 60
        self._burst = rate.burst
        self._clock = clock
        self._tokens = float(rate.burst)
        self._since = clock()
        """When there were so many tokens. In the future while the bucket is paused."""
        self._timer: asyncio.TimerHandle | None = None
        self.line: list[_Turn] = []

    def free(self) -> bool:
        return not self.line and self._wait(1) <= 0

    def idle(self) -> bool:
        return not self.line and self._wait(self._burst) <= 0

    def spend(self) -> None:
        self._refill()
        self._tokens -= 1

    def pause(self, seconds: float) -> None:
        self._refill()
        self._since = max(self._since, self._clock() + seconds)
        # No token for being asked to wait no time at all: calling again at once would go on for ever.
        self._tokens = 1 if seconds > 0 else min(1, self._tokens)
        self.serve()

    def leave(self, turn: _Turn) -> None:
        """Its taker was cancelled: the place, or the token that it was just given, goes to the next."""
        if turn in self.line:
            self.line.remove(turn)
        elif not turn.result.cancelled() and turn.result.result() is None:
            self._tokens += 1
        self.serve()

    def serve(self) -> None:
        """Hand out the tokens there are, refuse whoever would have to wait too long, come back for the others."""
        self._refill()
        self.line = [turn for turn in self.line if not turn.result.done()]
        while self.line and self._wait(1) <= 0:
            self._tokens -= 1
            self.line.pop(0).result.set_result(None)
        self._refuse()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._wait(1), self.serve) if self.line else None

    def _refuse(self) -> None:
        now = self._clock()
        waiting: list[_Turn] = []
        for turn in self.line:
            wait = self._wait(len(waiting) + 1)
            if now + wait > turn.until + ROUNDING:
                turn.result.set_result(wait)
            else:
                waiting.append(turn)
        self.line = waiting

    def _refill(self) -> None:
        now = self._clock()
        if now > self._since:
            self._tokens = min(self._burst, self._tokens + (now - self._since) * self._per_second)
            self._since = now

    def _wait(self, tokens: int) -> float:
        """Seconds until there will have been so many tokens."""
        missing = tokens - self._tokens - ROUNDING
        return max(0.0, missing / self._per_second) + self._since - self._clock()
