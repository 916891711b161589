from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.buckets import LONGEST_PAUSE, MOST_IDLE, Buckets, Rate
from bot.platforms.interface import PlatformUnavailable

SLOW = Rate(per_minute=60, burst=2)
"""Two at once, then one a second."""


class LeapingSelector(selectors.SelectSelector):
    """Where a loop would wait, its clock leaps instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events and timeout is not None:
            self.now += timeout
        return events


class LeapingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.leaping = LeapingSelector()
        super().__init__(self.leaping)

    def time(self) -> float:
        return self.leaping.now


def leap(scenario: Callable[[Buckets], Coroutine[Any, Any, None]], rates: Mapping[str, Rate] | None = None) -> None:
    """Run a scenario, with seconds that take no time."""
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        loop = runner.get_loop()
        runner.run(scenario(Buckets(rates or {}, default=SLOW, clock=loop.time)))


def now() -> float:
    return round(asyncio.get_running_loop().time(), 3)


async def taken(buckets: Buckets, log: list[tuple[str, float]], name: str, **how: Any) -> None:
    await buckets.take("post", **how)
    log.append((name, now()))


def test_a_burst_goes_out_at_once_and_the_rest_at_the_rate() -> None:
    async def scenario(buckets: Buckets) -> None:
        log: list[tuple[str, float]] = []
        async with asyncio.TaskGroup() as group:
            for name in "abcd":
                group.create_task(taken(buckets, log, name))
        assert log == [("a", 0), ("b", 0), ("c", 1), ("d", 2)]

    leap(scenario)


def test_tokens_come_back_up_to_the_burst_and_no_further() -> None:
    async def scenario(buckets: Buckets) -> None:
        await buckets.take("post")
        await asyncio.sleep(3600)
        log: list[tuple[str, float]] = []
        for name in "abc":
            await taken(buckets, log, name)
        assert log == [("a", 3600), ("b", 3600), ("c", 3601)]

    leap(scenario)


def test_the_urgent_go_first_and_otherwise_who_came_first() -> None:
    async def scenario(buckets: Buckets) -> None:
        log: list[tuple[str, float]] = []
        async with asyncio.TaskGroup() as group:
            for name in ("x", "y", "first", "second"):
                group.create_task(taken(buckets, log, name))
            group.create_task(taken(buckets, log, "urgent", urgent=True))
            group.create_task(taken(buckets, log, "urgent too", urgent=True))
        assert [name for name, _ in log] == ["x", "y", "urgent", "urgent too", "first", "second"]
        assert log[-1] == ("second", 4)

    leap(scenario)


def test_methods_and_channels_have_buckets_of_their_own() -> None:
    async def scenario(buckets: Buckets) -> None:
        for of in ("C1", "C2"):
            await buckets.take("edit", of=of)
        await buckets.take("edit", of="C1")
        assert now() == 20
        await buckets.take("post")
        assert now() == 20

    leap(scenario, {"edit": Rate(per_minute=3, burst=1)})


def test_a_wait_that_would_be_too_long_is_refused_at_once() -> None:
    async def scenario(buckets: Buckets) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(buckets.take("post"))
            await asyncio.sleep(0)
            with pytest.raises(PlatformUnavailable, match=r"^post: too many calls at once; .* in 3 s, and only 2 s"):
                await buckets.take("post", within=2)
            assert now() == 0
            await buckets.take("post", within=3)
            assert now() == 3

    leap(scenario)


def test_whoever_is_pushed_back_too_far_by_the_urgent_is_refused_at_once() -> None:
    async def scenario(buckets: Buckets) -> None:
        for _ in range(2):
            await buckets.take("post")
        async with asyncio.TaskGroup() as group:
            refused = group.create_task(refusal(buckets, within=1.5))
            await asyncio.sleep(0.25)
            group.create_task(buckets.take("post", urgent=True))
            assert await refused == 0.25
        assert now() == 1

    leap(scenario)


async def refusal(buckets: Buckets, **how: Any) -> float:
    with pytest.raises(PlatformUnavailable):
        await buckets.take("post", **how)
    return now()


def test_a_pause_holds_everybody_and_ends_with_one_call() -> None:
    async def scenario(buckets: Buckets) -> None:
        log: list[tuple[str, float]] = []
        buckets.pause("post", 10)
        assert not buckets.free("post")
        async with asyncio.TaskGroup() as group:
            for name in "abc":
                group.create_task(taken(buckets, log, name))
        assert log == [("a", 10), ("b", 11), ("c", 12)]

    leap(scenario)


def test_a_pause_reaches_those_who_wait_already() -> None:
    async def scenario(buckets: Buckets) -> None:
        log: list[tuple[str, float]] = []
        for name in "ab":
            await taken(buckets, log, name)
        async with asyncio.TaskGroup() as group:
            group.create_task(taken(buckets, log, "c"))
            refused = group.create_task(refusal(buckets, within=15))
            await asyncio.sleep(0.5)
            buckets.pause("post", 20)
            assert await refused == 0.5
        assert log[-1] == ("c", 20.5)

    leap(scenario)


def test_a_shorter_pause_does_not_cut_a_longer_one() -> None:
    async def scenario(buckets: Buckets) -> None:
        buckets.pause("post", 10)
        buckets.pause("post", 1)
        await buckets.take("post")
        assert now() == 10

    leap(scenario)


def test_a_call_that_can_be_left_out_is_not_free_while_anybody_waits() -> None:
    async def scenario(buckets: Buckets) -> None:
        assert buckets.free("post")
        for _ in range(2):
            await buckets.take("post")
        assert not buckets.free("post")
        async with asyncio.TaskGroup() as group:
            group.create_task(buckets.take("post", urgent=True))
            await asyncio.sleep(0.9)
            assert not buckets.free("post")
            await asyncio.sleep(0.5)
            assert not buckets.free("post")
            await asyncio.sleep(0.6)
            assert buckets.free("post")

    leap(scenario)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(0.5, id="long before its token"),
        pytest.param(0.99, id="in the loop's round that hands the token out, before that"),
        pytest.param(1.01, id="in that round, after it"),
    ],
)
def test_whoever_is_cancelled_leaves_their_place_to_the_next(moment: float) -> None:
    async def scenario(buckets: Buckets) -> None:
        for _ in range(2):
            await buckets.take("post")
        async with asyncio.TaskGroup() as group:
            first = group.create_task(buckets.take("post"))
            group.create_task(buckets.take("post"))
            loop = asyncio.get_running_loop()
            assert isinstance(loop, LeapingLoop)
            loop.call_at(moment, first.cancel)
            loop.call_at(0.9, setattr, loop.leaping, "now", 1.5)  # Something kept the loop busy meanwhile.
        assert first.cancelled()
        assert now() == 1.5

    leap(scenario)


def test_buckets_that_nobody_needs_are_forgotten() -> None:
    async def scenario(buckets: Buckets) -> None:
        await buckets.take("post", of="busy")
        await buckets.take("post", of="busy")
        for number in range(2 * MOST_IDLE):
            buckets.free("post", of=str(number))
        assert len(buckets._buckets) <= MOST_IDLE
        assert not buckets.free("post", of="busy")

    leap(scenario)


@given(
    st.lists(
        st.tuples(st.floats(0, 20), st.booleans(), st.floats(0, 15), st.floats(0, 12) | st.none()),
        max_size=25,
    ),
    st.integers(1, 4),
)
def test_no_minute_sees_more_calls_than_allowed_and_nobody_waits_longer_than_asked(
    takers: list[tuple[float, bool, float, float | None]], burst: int
) -> None:
    rate = Rate(per_minute=60, burst=burst)
    went: list[float] = []

    async def taker(buckets: Buckets, after: float, urgent: bool, within: float, cancelled: float | None) -> None:
        await asyncio.sleep(after)
        try:
            async with asyncio.timeout(cancelled):
                await buckets.take("post", urgent=urgent, within=within)
        except (PlatformUnavailable, TimeoutError):
            return
        at = asyncio.get_running_loop().time()
        assert at <= after + within + 1e-6
        went.append(at)

    async def scenario(buckets: Buckets) -> None:
        async with asyncio.TaskGroup() as group:
            for what in takers:
                group.create_task(taker(buckets, *what))

    leap(scenario, {"post": rate})
    for index, start in enumerate(went):
        for number, end in enumerate(went[index:], start=1):
            assert number <= burst + (end - start) + 1e-6


@pytest.mark.parametrize("asked", [365 * 86_400, float("inf")])
def test_no_pause_is_for_ever(asked: float) -> None:
    async def scenario(buckets: Buckets) -> None:
        log: list[tuple[str, float]] = []
        buckets.pause("post", asked)
        await taken(buckets, log, "a", within=10_000)
        assert log == [("a", LONGEST_PAUSE)]

    leap(scenario)


def test_being_asked_to_wait_no_time_at_all_is_no_leave_to_call_for_ever() -> None:
    async def scenario(buckets: Buckets) -> None:
        log: list[tuple[str, float]] = []
        for name in "abcd":
            await taken(buckets, log, name)
            buckets.pause("post", 0)
        assert log == [("a", 0), ("b", 0), ("c", 1), ("d", 2)]

    leap(scenario)
