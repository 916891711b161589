"""Workers see every event to its end: once, in order, whatever fails, and whoever ends in the middle."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.dialogue.inbox import LEASE, Inbox
from bot.dialogue.workers import ATTEMPTS, LAST_ATTEMPTS, RENEW_SECONDS, Claim, TriedTooOften, Workers
from bot.platforms.events import Event
from bot.platforms.interface import PlatformRefused, PlatformUnavailable
from tests.bot.dialogue.happenings import Clock, deleted, edited, pressed, recalled, said, stopped
from tests.bot.dialogue.working import GivingUp, Handling, Told, at_work, failing, put

AFTER_LEASE = LEASE.total_seconds() + 1
ROOT = Path(__file__).parents[3]


@pytest.fixture
def inbox(engine: AsyncEngine, clock: Clock) -> Told:
    return Told(engine, clock.now)


@pytest.fixture
def other(elsewhere: AsyncEngine, clock: Clock) -> Inbox:
    """The inbox as another replica has it open."""
    return Inbox(elsewhere, clock.now)


async def test_threads_are_worked_on_at_once_and_each_in_order(inbox: Told, clock: Clock) -> None:
    await put(inbox, said("a2", seconds=2), said("a1", seconds=1), said("b1", thread="t2", seconds=3))
    handling = Handling()
    async with at_work(inbox, handling, clock):
        assert {(await handling.next()).event.message for _ in range(2)} == {"a1", "b1"}
        handling.go_on.set()
        assert (await handling.next()).event.message == "a2"
        for _ in range(3):
            assert (await inbox.next("done"))[1]


async def test_no_more_are_worked_on_at_once_than_allowed(inbox: Told, clock: Clock) -> None:
    await put(inbox, *(said(f"m{number}", thread=f"t{number}") for number in range(7)))
    handling = Handling()
    async with at_work(inbox, handling, clock, at_once=3) as workers:
        for _ in range(3):
            await handling.next()
        assert "claim" not in await inbox.looked_at(workers)
        handling.go_on.set()
        for _ in range(7):
            await inbox.next("done")
    assert handling.most == 3


async def test_what_is_put_here_is_worked_on_without_waiting_for_a_poll(inbox: Told, clock: Clock) -> None:
    handling = Handling()
    async with at_work(inbox, handling, clock) as workers:
        await inbox.next("claim")
        await put(inbox, said("m1"))
        workers.wake()
        assert (await handling.next()).event.message == "m1"


async def test_what_is_put_elsewhere_is_worked_on_after_the_next_poll(inbox: Told, other: Inbox, clock: Clock) -> None:
    handling = Handling()
    async with at_work(inbox, handling, clock):
        await inbox.next("claim")
        await put(other, said("m1"))
        clock.advance(1)
        assert (await handling.next()).event.message == "m1"


async def test_what_fails_for_now_is_tried_again_ever_later_and_then_given_up(inbox: Told, clock: Clock) -> None:
    await put(inbox, said("m1"))
    handling, giving_up = Handling(failing(PlatformUnavailable("busy"))), GivingUp()
    async with at_work(inbox, handling, clock, give_up=giving_up):
        for attempt in range(1, ATTEMPTS):
            assert (await handling.next()).attempt == attempt
            pause = await inbox.next("again")
            assert pause == 2**attempt
            assert not giving_up.told
            clock.advance(pause)
        assert await inbox.next("give_up") == (said("m1").key, "busy")
    ((message, error),) = giving_up.told
    assert (message, str(error)) == ("m1", "busy")


async def test_what_succeeds_at_last_is_done(inbox: Told, clock: Clock) -> None:
    await put(inbox, said("m1"))

    async def second_time(claim: Claim) -> None:
        if claim.attempt == 1:
            raise ExceptionGroup("two at once", [PlatformUnavailable("busy"), PlatformUnavailable("away")])

    async with at_work(inbox, second_time, clock):
        clock.advance(await inbox.next("again"))
        assert await inbox.next("done") == (said("m1").key, True)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (PlatformRefused("not in the channel; invite the bot"), "not in the channel; invite the bot"),
        (ValueError("something nobody foresaw"), "ValueError"),
        (ExceptionGroup("both", [PlatformUnavailable("busy"), KeyError("x")]), "ExceptionGroup"),
    ],
)
async def test_what_would_fail_again_is_given_up_at_once_and_others_go_on(
    inbox: Told, clock: Clock, caplog: pytest.LogCaptureFixture, error: Exception, why: str
) -> None:
    await put(inbox, said("m1", text="what I earn"), said("m2"))
    giving_up = GivingUp()

    async def first_fails(claim: Claim) -> None:
        if claim.event.message == "m1":
            raise error

    with caplog.at_level(logging.INFO):
        async with at_work(inbox, first_fails, clock, give_up=giving_up):
            assert await inbox.next("give_up") == (said("m1").key, why)
            assert await inbox.next("done") == (said("m2").key, True)
    assert giving_up.told == [("m1", error)]
    assert said("m1").key in caplog.text
    assert "what I earn" not in caplog.text


async def test_telling_people_is_tried_again_too(inbox: Told, clock: Clock) -> None:
    await put(inbox, said("m1"))
    handling, giving_up = Handling(failing(PlatformRefused("no"))), GivingUp(PlatformUnavailable("busy"))
    async with at_work(inbox, handling, clock, give_up=giving_up):
        clock.advance(await inbox.next("again"))
        assert await inbox.next("give_up") == (said("m1").key, "no")
    assert [message for message, _ in giving_up.told] == ["m1", "m1"]


async def test_an_event_ends_even_if_nobody_can_be_told(
    inbox: Told, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    await put(inbox, said("m1"))
    giving_up = GivingUp(*[PlatformUnavailable("away")] * 99)
    async with at_work(inbox, Handling(failing(PlatformUnavailable("busy"))), clock, give_up=giving_up):
        for _ in range(1, LAST_ATTEMPTS):
            clock.advance(await inbox.next("again"))
        await inbox.next("give_up")
    assert "nobody could be told" in caplog.text


async def test_an_event_that_ends_its_workers_is_given_up_without_another_attempt(
    inbox: Told, other: Inbox, clock: Clock
) -> None:
    await put(inbox, said("m1"))
    for attempt in range(1, ATTEMPTS + 1):
        (claimed,) = await other.claim(f"killed {attempt}", free=1)
        assert claimed.attempt == attempt
        clock.advance(AFTER_LEASE)
    handling, giving_up = Handling(), GivingUp()
    async with at_work(inbox, handling, clock, give_up=giving_up):
        await inbox.next("give_up")
    assert handling.begun.empty()
    ((message, error),) = giving_up.told
    assert message == "m1"
    assert isinstance(error, TriedTooOften)


async def test_leases_are_renewed_as_long_as_the_work_takes(inbox: Told, other: Inbox, clock: Clock) -> None:
    await put(inbox, said("m1"), said("m2"))
    handling = Handling()
    async with at_work(inbox, handling, clock):
        await handling.next()
        for _ in range(6):
            clock.advance(RENEW_SECONDS)
            assert await inbox.next("renew") == [said("m1").key]
        assert await other.claim("other", free=9) == []
        handling.go_on.set()
        assert await inbox.next("done") == (said("m1").key, True)


async def test_work_whose_lease_was_lost_is_cancelled(inbox: Told, elsewhere: AsyncEngine, clock: Clock) -> None:
    await put(inbox, said("m1"))
    giving_up = GivingUp()

    async def breaks_when_cancelled(claim: Claim) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise PlatformRefused("the connection is closed")

    left_to_others: list[Event] = []

    async def overtaken(claim: Claim) -> None:
        left_to_others.append(claim.event)

    handling = Handling(breaks_when_cancelled)
    async with at_work(inbox, handling, clock, give_up=giving_up, overtaken=overtaken):
        await handling.next()
        other = Inbox(elsewhere, lambda: clock.now() + LEASE)  # of a machine whose clock is fast
        (taken,) = await other.claim("other", free=1)
        clock.advance(RENEW_SECONDS)
        assert await inbox.next("renew") == [said("m1").key]
        async with asyncio.timeout(20):
            while handling.running.total():
                await inbox.next("claim")
        assert await other.done("other", taken.event.key)
    assert giving_up.told == []
    assert left_to_others == [taken.event]


async def test_work_that_was_suspended_goes_on_when_nobody_took_it(inbox: Told, clock: Clock) -> None:
    await put(inbox, said("m1"))
    handling = Handling()
    async with at_work(inbox, handling, clock) as workers:
        await handling.next()
        clock._now += timedelta(seconds=AFTER_LEASE)
        assert "claim" in await inbox.looked_at(workers)
        assert handling.begun.empty()
        clock.advance(0)
        await inbox.next("renew")
        handling.go_on.set()
        assert await inbox.next("done") == (said("m1").key, True)


async def test_work_is_cancelled_when_its_lease_may_have_been_lost_unseen(inbox: Told, clock: Clock) -> None:
    await put(inbox, said("m1"))
    handling = Handling()
    async with at_work(inbox, handling, clock):
        await handling.next()
        inbox.away = True
        for _ in range(2):
            clock.advance(RENEW_SECONDS)
            await inbox.next("renew")
        assert handling.cancelled.empty()
        clock.advance(RENEW_SECONDS)
        async with asyncio.timeout(20):
            assert await handling.cancelled.get() == "m1"
        inbox.away = False


@pytest.mark.parametrize(
    "event",
    [
        stopped(),
        deleted("m1"),
        edited("m1", seconds=2),
        pressed("stop|channel|t1|said/x|signature"),
        recalled("m1"),
        recalled("m1", kind="pointed"),
    ],
    ids=lambda event: event.kind,
)
async def test_work_is_interrupted_by_what_makes_it_pointless_and_that_is_next(
    inbox: Told, clock: Clock, event: Event
) -> None:
    async def until_interrupted(claim: Claim) -> None:
        if claim.event.message == "m1" and claim.event.kind == "said":
            assert await claim.interruption() == event
            assert await claim.interruption() == event

    handling = Handling(until_interrupted)
    await put(inbox, said("m1"), said("m2", seconds=5))
    async with at_work(inbox, handling, clock) as workers:
        assert (await handling.next()).event == said("m1")
        await put(inbox, event)
        workers.wake()
        assert (await handling.next()).event == event
        assert (await handling.next()).event == said("m2", seconds=5)


async def test_the_question_behind_a_button_interrupts_when_the_handler_names_it(inbox: Told, clock: Clock) -> None:
    async def regenerating(claim: Claim) -> None:
        if claim.event.kind == "pressed":
            claim.message = "m1"
            await claim.interruption()

    handling = Handling(regenerating)
    await put(inbox, pressed("again|channel|t1|said/x|signature"))
    async with at_work(inbox, handling, clock) as workers:
        await handling.next()
        await put(inbox, deleted("m1"))
        workers.wake()
        assert (await handling.next()).event == deleted("m1")


@pytest.mark.parametrize(
    "event",
    [
        said("m2"),
        deleted("m2"),
        edited("m2"),
        edited("m1", seconds=-1),
        pressed("up|channel|t1|said/x|signature"),
        recalled("m2"),
        recalled("m1", kind="fuller"),
        recalled("m1", kind="shared"),
    ],
    ids=[
        "another question",
        "another deleted",
        "another edited",
        "an edit before it",
        "another button",
        "another recalled",
        "a private answer to it recalled",
        "what was shared of that recalled",
    ],
)
async def test_work_is_not_interrupted_by_what_does_not_concern_it(inbox: Told, clock: Clock, event: Event) -> None:
    await put(inbox, said("m1"))
    handling = Handling()
    async with at_work(inbox, handling, clock) as workers:
        claim = await handling.next()
        await put(inbox, event)
        await inbox.looked_at(workers)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await claim.interruption()
        handling.go_on.set()
        assert (await handling.next()).event == event


async def test_a_stop_ends_what_ran_when_it_came_and_not_the_question_after_it(inbox: Told, clock: Clock) -> None:
    handling = Handling()
    await put(inbox, said("m1"), said("m2", seconds=1))
    async with at_work(inbox, handling, clock) as workers:
        first = await handling.next()
        clock._now += timedelta(seconds=2)
        await put(inbox, stopped(seconds=2))
        workers.wake()
        async with asyncio.timeout(20):
            assert await first.interruption() == stopped(seconds=2)
        clock._now += timedelta(seconds=2)
        handling.go_on.set()
        handling.go_on = asyncio.Event()
        second = await handling.next()
        assert second.event.message == "m2"
        await inbox.looked_at(workers)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await second.interruption()


async def test_an_attempt_after_a_crash_is_interrupted_by_what_came_during_the_one_before(
    inbox: Told, other: Inbox, clock: Clock
) -> None:
    await put(inbox, said("m1"))
    await other.claim("killed", free=1)
    clock.advance(1)
    await put(inbox, stopped())
    clock.advance(AFTER_LEASE)
    handling = Handling()
    async with at_work(inbox, handling, clock):
        claim = await handling.next()
        async with asyncio.timeout(20):
            assert await claim.interruption() == stopped()


async def test_at_the_end_what_runs_may_finish_and_nothing_new_begins(inbox: Told, other: Inbox, clock: Clock) -> None:
    await put(inbox, said("m1"), said("m2"))
    handling = Handling()
    async with at_work(inbox, handling, clock) as workers:
        await handling.next()
        async with asyncio.TaskGroup() as group:
            group.create_task(workers.stop(grace=30))
            await asyncio.sleep(0)
            handling.go_on.set()
    assert handling.cancelled.empty()
    assert handling.begun.empty()
    assert [one.event for one in await other.claim("other", free=9)] == [said("m2")]


async def test_at_the_end_what_does_not_finish_is_another_replicas_at_once(
    inbox: Told, other: Inbox, clock: Clock
) -> None:
    await put(inbox, said("m1"))
    handling = Handling()
    async with at_work(inbox, handling, clock, grace=0):
        await handling.next()
    assert handling.cancelled.get_nowait() == "m1"
    assert [(one.event, one.attempt) for one in await other.claim("other", free=9)] == [(said("m1"), 2)]


async def test_workers_that_are_cancelled_hand_over_too(inbox: Told, other: Inbox, clock: Clock) -> None:
    await put(inbox, said("m1"))
    handling = Handling()
    workers = Workers(inbox, handling, GivingUp(), at_once=1, poll_seconds=1, sleep=clock.sleep)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(workers.run())
        await handling.next()
        running.cancel()
    assert [one.event for one in await other.claim("other", free=9)] == [said("m1")]


async def test_workers_that_never_ran_stop_at_once(inbox: Told, clock: Clock) -> None:
    await Workers(inbox, Handling(), GivingUp(), at_once=1, poll_seconds=1, sleep=clock.sleep).stop(grace=30)


async def test_a_database_that_is_away_for_a_while_ends_nothing(
    inbox: Told, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    await put(inbox, said("m1"))
    inbox.away = True
    handling = Handling()
    handling.go_on.set()
    with caplog.at_level(logging.INFO):
        async with at_work(inbox, handling, clock):
            for _ in range(4):
                await inbox.next("away")
                clock.advance(10)
            inbox.away = False
            clock.advance(10)
            assert await inbox.next("done") == (said("m1").key, True)
    assert caplog.text.count("out of reach") == 1
    assert caplog.text.count("the inbox is back") == 1


async def test_what_could_not_be_noted_as_done_is_tried_again_when_its_lease_has_ended(
    inbox: Told, clock: Clock
) -> None:
    await put(inbox, said("m1"))
    handling = Handling()
    async with at_work(inbox, handling, clock):
        await handling.next()
        inbox.away = True
        handling.go_on.set()
        await inbox.next("away")
        inbox.away = False
        clock.advance(AFTER_LEASE)
        assert (await handling.next()).attempt == 2
        assert await inbox.next("done") == (said("m1").key, True)


async def test_two_replicas_handle_everything_once(inbox: Told, elsewhere: AsyncEngine, clock: Clock) -> None:
    handled: Counter[str] = Counter()
    everything = [said(f"m{number}", thread=f"t{number % 6}", seconds=number) for number in range(30)]
    ended = asyncio.Event()

    async def handle(claim: Claim) -> None:
        handled[claim.event.key] += 1
        if handled.total() >= len(everything):
            ended.set()

    other = Told(elsewhere, clock.now)
    async with at_work(inbox, handle, clock, grace=20) as here, at_work(other, handle, clock, grace=20) as there:
        for number, event in enumerate(everything):
            await put((inbox, other)[number % 2], event)
            here.wake()
            there.wake()
        async with asyncio.timeout(30):
            await ended.wait()
    assert handled == {event.key: 1 for event in everything}


async def test_what_a_killed_process_was_at_is_taken_over_after_its_lease(engine: AsyncEngine, database: str) -> None:
    lease = timedelta(seconds=0.6)
    inbox = Inbox(engine, lease=lease)
    await put(inbox, said("m1"))
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bot.dialogue.worker_process", database, str(lease.total_seconds())),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        async with asyncio.timeout(30):
            assert (await child.stdout.readline()).decode().strip() == said("m1").key
        assert await inbox.claim("here", free=1) == []
    finally:
        child.kill()
        await child.wait()
    handling = Handling()
    workers = Workers(inbox, handling, GivingUp(), at_once=1, poll_seconds=0.05)
    async with asyncio.TaskGroup() as group:
        group.create_task(workers.run())
        claim = await handling.next()
        await workers.stop(grace=0)
    assert (claim.event, claim.attempt) == (said("m1"), 2)


async def test_a_flood_by_one_person_holds_nobody_else_up(engine: AsyncEngine, clock: Clock) -> None:
    inbox, handling = Inbox(engine, clock.now, person_at_once=4), Handling()
    for number in range(60):
        await inbox.put(said(f"m{number}", thread=f"t{number}", seconds=number))
    async with at_work(inbox, handling, clock, at_once=16) as workers:
        assert [(await handling.next()).event.message for _ in range(4)] == ["m0", "m1", "m2", "m3"]
        for number in range(5):
            await inbox.put(replace(said(f"n{number}", thread=f"u{number}", seconds=600), by=f"p{number}"))
        workers.wake()
        assert [(await handling.next()).event.message for _ in range(5)] == [f"n{number}" for number in range(5)]
        assert handling.running.total() == 9
        handling.go_on.set()
        later = [(await handling.next()).event.message for _ in range(56)]
    assert sorted(later) == sorted(f"m{number}" for number in range(4, 60))
