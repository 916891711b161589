"""Every event is taken in once, worked on by one worker at a time, in order within its thread, and never lost."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.access import audit, quotas  # noqa: F401 - their tables are among `METADATA`
from bot.conversations import METADATA
from bot.dialogue.inbox import LEASE, Claimed, Inbox, Waiting
from bot.dialogue.tables import INBOX
from bot.platforms.events import Said
from ingest.database import transaction, writer
from tests.bot.dialogue.happenings import NOON, Clock, commanded, deleted, said, stopped

AFTER_LEASE = LEASE.total_seconds() + 1


@pytest.fixture
def inbox(engine: AsyncEngine, clock: Clock) -> Inbox:
    return Inbox(engine, clock.now)


@pytest.fixture
def other(elsewhere: AsyncEngine, clock: Clock) -> Inbox:
    """The inbox as another replica has it open."""
    return Inbox(elsewhere, clock.now)


async def put(inbox: Inbox, *events: Any) -> None:
    for event in events:
        assert await inbox.put(event)


def messages(claimed: list[Claimed]) -> list[str]:
    return [one.event.message for one in claimed]


async def row(engine: AsyncEngine, key: str) -> Any:
    async with transaction(engine) as connection:
        return (await connection.execute(sa.select(INBOX).where(INBOX.c.key == key))).one()


async def test_an_event_is_there_for_everybody_as_soon_as_it_is_put(inbox: Inbox, other: Inbox) -> None:
    event = said("m1")
    assert not await other.seen(event.key)
    assert await inbox.put(event)
    assert await other.seen(event.key)
    assert [one.event for one in await other.claim("w", free=1)] == [event]


async def test_a_delivery_again_changes_nothing(inbox: Inbox, other: Inbox) -> None:
    assert await inbox.put(said("m1", text="first"))
    assert not await other.put(said("m1", text="second"))
    assert [one.event for one in await inbox.claim("w", free=9)] == [said("m1", text="first")]


async def test_of_many_deliveries_at_once_to_two_replicas_one_is_taken_in(inbox: Inbox, other: Inbox) -> None:
    for number in range(5):
        taken = await asyncio.gather(*(place.put(said(f"m{number}")) for place in (inbox, other) for _ in range(4)))
        assert sorted(taken) == [False] * 7 + [True]


async def test_each_thread_gives_the_event_that_happened_first(inbox: Inbox) -> None:
    await put(inbox, said("late", seconds=5), said("early", seconds=1), said("elsewhere", thread="t2", seconds=3))
    assert messages(await inbox.claim("w", free=9)) == ["early", "elsewhere"]
    assert messages(await inbox.claim("w", free=9)) == []
    assert await inbox.done("w", said("early").key)
    assert messages(await inbox.claim("w", free=9)) == ["late"]


async def test_what_happened_at_the_same_time_comes_as_it_arrived(inbox: Inbox) -> None:
    await put(inbox, said("b"), said("a"))
    assert messages(await inbox.claim("w", free=9)) == ["b"]


async def test_no_more_is_claimed_than_there_are_hands_for(inbox: Inbox) -> None:
    await put(inbox, *(said(f"m{number}", thread=f"t{number}", seconds=-number) for number in range(5)))
    assert messages(await inbox.claim("w", free=2)) == ["m4", "m3"]
    assert messages(await inbox.claim("w", free=0)) == []


async def test_whoever_floods_it_does_not_hold_others_up(
    engine: AsyncEngine, elsewhere: AsyncEngine, clock: Clock
) -> None:
    fair, also = (Inbox(place, clock.now, person_at_once=4) for place in (engine, elsewhere))
    await put(fair, *(said(f"m{number}", thread=f"t{number}", seconds=number) for number in range(500)))
    others = [replace(said(f"n{number}", thread=f"u{number}", seconds=600), by=f"p{number}") for number in range(5)]
    await put(fair, *others)
    assert messages(await fair.claim("w1", free=3)) == ["m0", "n0", "n1"]
    assert messages(await also.claim("w2", free=12)) == ["n2", "n3", "n4", "m1", "m2", "m3"]
    assert await fair.claim("w1", free=9) == []
    await also.done("w2", said("m2").key)
    assert messages(await fair.claim("w1", free=9)) == ["m4"]
    assert await also.claim("w2", free=9) == []


async def test_whoever_has_less_under_way_comes_before_what_happened_earlier(inbox: Inbox) -> None:
    await put(inbox, *(said(f"m{number}", thread=f"t{number}", seconds=number) for number in range(3)))
    assert messages(await inbox.claim("w", free=1)) == ["m0"]
    await put(inbox, replace(said("n", thread="u", seconds=9), by="eve"))
    assert messages(await inbox.claim("w", free=1)) == ["n"]
    assert messages(await inbox.claim("w", free=1)) == ["m1"]


async def test_what_a_lost_worker_held_counts_no_more_and_what_its_own_still_runs_does(
    engine: AsyncEngine, clock: Clock
) -> None:
    fair = Inbox(engine, clock.now, person_at_once=1)
    await put(fair, *(said(f"m{number}", thread=f"t{number}", seconds=number) for number in range(2)))
    assert messages(await fair.claim("w", free=9)) == ["m0"]
    clock.advance(AFTER_LEASE)
    assert await fair.claim("w", free=9, running=[said("m0").key]) == []
    assert messages(await fair.claim("w2", free=9)) == ["m0"]


async def test_a_namesake_of_another_workspace_is_somebody_else(engine: AsyncEngine, clock: Clock) -> None:
    fair = Inbox(engine, clock.now, person_at_once=1)
    twin = replace(said("n", thread="u", seconds=1), spot=replace(said("n").spot, workspace="T2"))
    await put(fair, said("m"), twin)
    assert messages(await fair.claim("w", free=9)) == ["m", "n"]


async def test_events_of_nobody_known_do_not_wait_for_each_other(engine: AsyncEngine, clock: Clock) -> None:
    fair = Inbox(engine, clock.now, person_at_once=1)
    gone = [replace(deleted(f"m{number}", thread=f"t{number}"), by="") for number in range(3)]
    await put(fair, *gone)
    assert len(await fair.claim("w", free=9)) == 3


async def test_an_event_that_arrives_late_is_next(inbox: Inbox) -> None:
    await put(inbox, said("second", seconds=2), said("third", seconds=3))
    assert messages(await inbox.claim("w", free=1)) == ["second"]
    await put(inbox, said("first", seconds=1))
    assert messages(await inbox.claim("w", free=1)) == []
    await inbox.done("w", said("second").key)
    assert messages(await inbox.claim("w", free=1)) == ["first"]


async def test_a_lease_that_is_not_renewed_passes_on_before_anything_else_of_its_thread(
    inbox: Inbox, other: Inbox, clock: Clock
) -> None:
    await put(inbox, said("held", seconds=2))
    (first,) = await inbox.claim("w1", free=1)
    await put(inbox, said("older", seconds=1))
    assert await other.claim("w2", free=9) == []
    clock.advance(AFTER_LEASE)
    (second,) = await other.claim("w2", free=9)
    assert (second.event, second.attempt) == (first.event, 2)
    assert second.started == first.started == NOON
    assert second.until == clock.now() + LEASE


async def test_whoever_lost_an_event_decides_nothing_about_it(inbox: Inbox, other: Inbox, clock: Clock) -> None:
    await put(inbox, said("m1"))
    await inbox.claim("w1", free=1)
    clock.advance(AFTER_LEASE)
    await other.claim("w2", free=1)
    key = said("m1").key
    assert await inbox.renew("w1", [key]) == {}
    assert not await inbox.done("w1", key)
    assert not await inbox.again("w1", key, after=0, why="?")
    assert not await inbox.give_up("w1", key, "?")
    await inbox.release("w1")
    assert await inbox.claim("w3", free=1) == []
    assert await other.done("w2", key)
    assert not await other.done("w2", key)


async def test_a_renewed_lease_holds(inbox: Inbox, other: Inbox, clock: Clock) -> None:
    await put(inbox, said("m1"), said("m2", thread="t2"))
    await inbox.claim("w1", free=2)
    clock.advance(20)
    assert await inbox.renew("w1", [said("m1").key, "unknown"]) == {said("m1").key: clock.now() + LEASE}
    clock.advance(20)
    assert messages(await other.claim("w2", free=9)) == ["m2"]


async def test_a_worker_is_not_handed_what_it_is_at_work_on(inbox: Inbox, clock: Clock) -> None:
    await put(inbox, said("m1"), said("m2"))
    await inbox.claim("w", free=1)
    clock.advance(AFTER_LEASE)
    assert await inbox.claim("w", free=9, running=[said("m1").key]) == []
    assert messages(await inbox.claim("w", free=9)) == ["m1"]


async def test_of_what_is_done_nothing_but_the_key_stays(inbox: Inbox, engine: AsyncEngine) -> None:
    events = [commanded("c1", respond_to="https://hooks.example.org/s3cr3t"), said("m1", thread="t2")]
    await put(inbox, *events)
    await inbox.claim("w", free=2)
    assert await inbox.done("w", events[0].key)
    assert await inbox.give_up("w", events[1].key, "the channel is gone")
    for event in events:
        assert (await row(engine, event.key)).event is None
        assert await inbox.seen(event.key)
        assert not await inbox.put(event)
    assert (await row(engine, events[1].key)).why == "the channel is gone"
    assert await inbox.claim("w", free=9) == []


async def test_what_is_tried_again_later_keeps_its_place_in_its_thread(inbox: Inbox, clock: Clock) -> None:
    await put(inbox, said("m1"), said("m2"), said("other", thread="t2", seconds=9))
    await inbox.claim("w", free=1)
    assert await inbox.again("w", said("m1").key, after=4, why="busy")
    assert messages(await inbox.claim("w", free=9)) == ["other"]
    clock.advance(3.9)
    assert await inbox.claim("w", free=9) == []
    clock.advance(0.1)
    (again,) = await inbox.claim("w", free=9)
    assert (again.event.message, again.attempt, again.started) == ("m1", 2, NOON)
    assert await inbox.again("w", said("m1").key, after=0, why="busy")
    (again,) = await inbox.claim("w", free=9)
    assert (again.event.message, again.attempt, again.started) == ("m1", 3, NOON)


async def test_a_failure_told_in_any_characters_is_kept(inbox: Inbox) -> None:
    await put(inbox, said("m1"))
    await inbox.claim("w", free=1)
    assert await inbox.give_up("w", said("m1").key, "a\0b \ud800 c")


async def test_what_is_released_is_there_for_others_at_once(inbox: Inbox, other: Inbox) -> None:
    await put(inbox, said("m1"), said("m2", thread="t2"), said("m3", thread="t3"))
    await inbox.claim("w1", free=2)
    await other.claim("w2", free=1)
    await inbox.release("w1")
    assert messages(await other.claim("w2", free=9)) == ["m1", "m2"]


async def test_what_waits_behind_the_events_being_worked_on_is_seen_in_order(inbox: Inbox, clock: Clock) -> None:
    await put(inbox, said("m1"), said("u1", thread="t2"), said("x1", thread="t3"))
    await inbox.claim("w", free=9)
    clock.advance(1)
    await put(inbox, said("m3", seconds=3), stopped(seconds=2), said("x2", thread="t3"))
    waiting = await inbox.waiting([said("m1").spot.lane, said("u1", thread="t2").spot.lane])
    assert list(waiting) == [said("m1").spot.lane]
    behind = waiting[said("m1").spot.lane]
    assert [one.event for one in behind] == [stopped(seconds=2), said("m3", seconds=3)]
    assert {one.arrived for one in behind} == {clock.now()}
    assert await inbox.waiting([]) == {}


async def test_an_event_that_cannot_be_read_is_given_up_and_the_next_of_its_thread_comes(
    inbox: Inbox, engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    await put(inbox, said("m1"), said("m2", seconds=1), said("m3", seconds=2), said("u1", thread="t2", seconds=9))
    async with transaction(writer(engine)) as connection:
        for message, text in (("m1", '{"kind": "dreamt", "of": "s3cr3t"}'), ("m2", '{"kind": "said", "text": 3')):
            broken = sa.update(INBOX).where(INBOX.c.key == said(message).key).values(event=text)
            await connection.execute(broken)
    assert await inbox.waiting([said("m1").spot.lane]) == {
        said("m1").spot.lane: [Waiting(event=said("m3", seconds=2), arrived=NOON)]
    }
    with caplog.at_level(logging.ERROR):
        assert set(messages(await inbox.claim("w", free=2))) == {"m3", "u1"}
    for message in ("m1", "m2"):
        given_up = await row(engine, said(message).key)
        assert "damaged, or written by a newer souffleur" in given_up.why
        assert (given_up.event, given_up.worker) == (None, None)
        assert said(message).key in caplog.text
        assert "s3cr3t" not in caplog.text + given_up.why


async def test_claims_at_once_never_share_a_thread_even_while_older_events_arrive(
    inbox: Inbox, other: Inbox, clock: Clock
) -> None:
    """Three workers on two replicas; each event that arrives is older than those before it, so first places change."""
    held: dict[str, str] = {}
    done: Counter[str] = Counter()
    everything = [said(f"m{number}", thread=f"t{number % 4}", seconds=-number) for number in range(48)]

    async def work(place: Inbox, worker: str) -> None:
        while sum(done.values()) < len(everything):
            for claimed in await place.claim(worker, free=2):
                event = claimed.event
                assert held.setdefault(event.spot.lane, event.key) == event.key
                await place.renew(worker, [event.key])
                del held[event.spot.lane]
                assert await place.done(worker, event.key)
                done[event.key] += 1

    async def arrive(events: list[Said]) -> None:
        for event in events:
            await inbox.put(event)

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(arrive(everything[::2]))
        group.create_task(arrive(everything[1::2]))
        for place, worker in ((inbox, "w1"), (other, "w2"), (other, "w3")):
            group.create_task(work(place, worker))
    assert done == {event.key: 1 for event in everything}


async def test_the_database_refuses_two_held_events_of_one_thread(inbox: Inbox, engine: AsyncEngine) -> None:
    await put(inbox, said("m1"), said("m2"))
    with pytest.raises(sa.exc.IntegrityError):
        async with writer(engine).begin() as connection:
            await connection.execute(sa.update(INBOX).values(worker="w"))


async def test_the_tables_are_what_the_revisions_make(engine: AsyncEngine) -> None:
    assert {"usage", "audit"} <= METADATA.tables.keys()

    def differences(connection: sa.Connection) -> list[Any]:
        found = compare_metadata(MigrationContext.configure(connection), METADATA)
        return [one for one in found if not (one[0] == "remove_table" and one[1].name.endswith("_version"))]

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


WORKERS = ("w1", "w2", "w3")
STEPS = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 4), st.integers(0, 20)),
    st.tuples(st.just("claim"), st.sampled_from(WORKERS), st.integers(1, 3)),
    st.tuples(st.sampled_from(["renew", "release", "crash"]), st.sampled_from(WORKERS)),
    st.tuples(st.sampled_from(["done", "again"]), st.sampled_from(WORKERS), st.integers(0, 2)),
    st.tuples(st.just("pass"), st.sampled_from([1, 9, 16, 31])),
)


class Office:
    """Three workers and what they believe, beside what is true."""

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self.inbox = inbox
        self.clock = clock
        self.put: dict[str, Said] = {}
        self.done: Counter[str] = Counter()
        self.attempts: Counter[str] = Counter()
        self.believed: dict[str, list[str]] = {worker: [] for worker in WORKERS}
        self.lives: Counter[str] = Counter()
        self.holders: dict[str, tuple[str, datetime]] = {}
        """Of each lane: who works there, and until when."""

    def name(self, worker: str) -> str:
        return f"{worker}-{self.lives[worker]}"

    def holds(self, worker: str, key: str) -> bool:
        return self.holders.get(self.put[key].spot.lane, ("", NOON))[0] == f"{self.name(worker)} {key}"

    async def step(self, what: str, who: Any, value: Any = None) -> None:
        if what == "put":
            event = said(f"m{len(self.put)}", thread=f"t{who}", seconds=value)
            self.put[event.key] = event
            assert await self.inbox.put(event)
            assert not await self.inbox.put(event)
        elif what == "pass":
            self.clock.advance(who)
        elif what == "crash":
            self.lives[who] += 1
            self.believed[who] = []
        elif what == "release":
            await self.inbox.release(self.name(who))
            self.free({key for key in self.believed[who] if self.holds(who, key)})
            self.believed[who] = []
        else:
            await getattr(self, what)(who, value)

    def free(self, keys: set[str]) -> None:
        for key in keys:
            del self.holders[self.put[key].spot.lane]

    async def claim(self, worker: str, free: int) -> None:
        for claimed in await self.inbox.claim(self.name(worker), free=free, running=self.believed[worker]):
            key, lane = claimed.event.key, claimed.event.spot.lane
            assert claimed.event == self.put[key]
            assert not self.done[key]
            assert key not in self.believed[worker]
            holder, until = self.holders.get(lane, ("", NOON))
            assert until <= self.clock.now()
            assert holder.endswith(f" {key}") or not holder
            assert holder or key == self.first_of(lane)
            self.attempts[key] += 1
            assert claimed.attempt == self.attempts[key]
            self.believed[worker].append(key)
            self.holders[lane] = (f"{self.name(worker)} {key}", claimed.until)

    def first_of(self, lane: str) -> str:
        waiting = (event for event in self.put.values() if event.spot.lane == lane and not self.done[event.key])
        return min(waiting, key=lambda event: (event.at, int(event.message[1:]))).key

    async def renew(self, worker: str, _: Any) -> None:
        kept = await self.inbox.renew(self.name(worker), self.believed[worker])
        assert set(kept) == {key for key in self.believed[worker] if self.holds(worker, key)}
        for key, until in kept.items():
            self.holders[self.put[key].spot.lane] = (f"{self.name(worker)} {key}", until)
        self.believed[worker] = list(kept)

    async def settle(self, worker: str, index: int, *, again: bool) -> None:
        if not self.believed[worker]:
            return
        key = self.believed[worker].pop(index % len(self.believed[worker]))
        mine = self.holds(worker, key)
        if again:
            assert await self.inbox.again(self.name(worker), key, after=2, why="busy") == mine
        else:
            assert await self.inbox.done(self.name(worker), key) == mine
            self.done[key] += mine
        self.free({key} if mine else set())

    async def again(self, worker: str, index: int) -> None:
        await self.settle(worker, index, again=True)

    async def finish(self, worker: str, index: int) -> None:
        await self.settle(worker, index, again=False)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=40))
async def test_whatever_happens_every_event_is_done_once_and_none_beside_another_of_its_thread(
    engine: AsyncEngine, steps: list[tuple[Any, ...]]
) -> None:
    async with transaction(writer(engine)) as connection:
        await connection.execute(sa.delete(INBOX))
    clock = Clock()
    office = Office(Inbox(engine, clock.now), clock)
    for what, *values in steps:
        await office.step("finish" if what == "done" else what, *values)
    clock.advance((LEASE + timedelta(seconds=3)).total_seconds())
    for worker in WORKERS:
        await office.step("crash", worker)
    while len(+office.done) < len(office.put):
        before = sum(office.done.values())
        await office.step("claim", "w1", 9)
        while office.believed["w1"]:
            await office.step("finish", "w1", 0)
        assert sum(office.done.values()) > before
    assert office.done == dict.fromkeys(office.put, 1)
