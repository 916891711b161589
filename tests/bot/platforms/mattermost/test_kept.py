"""What is kept, and for how long: by age, and by what was heard since it was asked for."""

from __future__ import annotations

import asyncio

import pytest

from bot.platforms.interface import Change
from bot.platforms.mattermost.kept import SETTLING_SECONDS, Changes, Kept
from tests.fixtures.clock import Clock

SECONDS = 100.0


class Office:
    """Somebody who is asked, and says how often."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> int:
        self.asked += 1
        return self.asked


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def changes(clock: Clock) -> Changes:
    return Changes(clock)


@pytest.fixture
def kept(changes: Changes) -> Kept[int]:
    return Kept(changes, SECONDS)


async def test_it_is_kept_for_so_long_counted_from_before_it_was_asked_for(
    clock: Clock, changes: Changes, kept: Kept[int]
) -> None:
    async def slow() -> int:
        clock.seconds += 40
        return 7

    assert await kept.ask("ada", slow) == 7
    clock.seconds += SECONDS - 41
    assert kept.get("ada") == 7
    clock.seconds += 1
    assert kept.get("ada") is None


async def test_a_change_of_what_it_depends_on_outdates_it_and_no_other(changes: Changes, kept: Kept[int]) -> None:
    office = Office()
    for name in ("ada", "bob"):
        await kept.ask(name, office, subjects=(name, "channel"))

    changes.hear(Change(person="ada"), {"ada"})

    assert (kept.get("ada"), kept.get("bob")) == (None, 2)
    changes.hear(Change(channel="channel"), {"channel"})
    assert kept.get("bob") is None


async def test_what_was_asked_for_before_a_change_was_heard_is_returned_and_not_kept(
    changes: Changes, kept: Kept[int]
) -> None:
    async def while_ada_leaves() -> int:
        changes.hear(Change(person="ada"), {"ada"})
        return 7

    assert await kept.ask("ada", while_ada_leaves, subjects=("ada",)) == 7
    assert kept.get("ada") is None


@pytest.mark.parametrize("all", [True, False])
async def test_what_is_asked_for_right_after_a_change_is_kept_until_that_has_settled(
    clock: Clock, changes: Changes, kept: Kept[int], all: bool
) -> None:
    """The server may tell of a change before it has made it."""
    office = Office()
    changes.hear_of_all() if all else changes.hear(Change(person="ada"), {"ada"})
    assert await kept.ask("ada", office, subjects=("ada",)) == 1
    clock.seconds += SETTLING_SECONDS - 0.1
    assert await kept.ask("ada", office, subjects=("ada",)) == 1

    clock.seconds += 0.1
    assert await kept.ask("ada", office, subjects=("ada",)) == 2
    clock.seconds += SETTLING_SECONDS
    assert kept.get("ada") == 2


async def test_many_who_want_the_same_ask_once(kept: Kept[int]) -> None:
    office, open = Office(), asyncio.Event()

    async def behind_a_door() -> int:
        await open.wait()
        return await office()

    async with asyncio.TaskGroup() as tasks:
        wanted = [tasks.create_task(kept.ask("ada", behind_a_door)) for _ in range(20)]
        await asyncio.sleep(0)
        open.set()

    assert {task.result() for task in wanted} == {1}
    assert office.asked == 1


async def test_what_no_room_is_left_for_counts_as_changed(changes: Changes, kept: Kept[int]) -> None:
    await kept.ask("ada", Office(), subjects=("ada",))
    for number in range(10_002):
        changes.hear(Change(), {f"somebody {number}"})

    assert kept.get("ada") is None
