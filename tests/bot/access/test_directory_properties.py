"""Whatever a company looks like: a channel never holds more than its members, and trouble never adds anything."""

from __future__ import annotations

import asyncio
import copy
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.platforms.interface import Change, Person
from ingest.model import Readers
from tests.bot.access.company import MAX_AGE, Company, directory, scim, scim_group, scim_user, spot
from tests.fixtures.clock import Clock

PEOPLE = ("ada", "bob", "eve", "kim")
NAMES = ("a", "b", "c", "d", "A")
NAMED = (
    *(f"group:{name}" for name in "abcd"),
    *(f"user:{person}@example.org" for person in PEOPLE),
    *("slack:S1", "slack:S2"),
)

members_of_lists = st.sets(
    st.sampled_from((*NAMED, "everyone", "public", "group:nowhere")),
    max_size=4,
)
ids = st.sampled_from(("u1", "u2", "u3", "u4", "g1", "g2", "g3", "x9", "kim@example.org"))


@dataclass
class World:
    """Everything that decides who holds what."""

    lists: dict[str, set[str]]
    tables: list[list[tuple[str, str]]]
    scim_groups: list[tuple[str, str, set[str]]]
    users: list[tuple[str, str, bool]]
    guests: set[str]
    own_groups: dict[str, set[str]]
    members: set[str]
    broken: set[int] = field(default_factory=set)

    def write(self, folder: Path) -> list[dict[str, Any]]:
        """The files, those that are broken cut in half; not between two lines, where that cannot be told."""
        paths = []
        for number, rows in enumerate(self.tables):
            path = folder / f"{number}.csv"
            path.write_text("group,email\n" + "".join(f"{group},{member}\n" for group, member in rows))
            paths.append(path)
        if self.scim_groups or self.users:
            groups = [scim_group(id, name, *sorted(members)) for id, name, members in self.scim_groups]
            users = [scim_user(id, email, active=active) for id, email, active in self.users]
            paths.append(scim(folder / "people.json", *groups, *users))
        for number in self.broken:
            if number < len(paths):
                content = paths[number].read_bytes()
                paths[number].write_bytes(content[: len(content) // 2].rstrip(b"\n"))
        return [{"path": path} for path in paths]

    def company(self, company: Company | None = None) -> Company:
        company = company or Company()
        company.hire(*PEOPLE)
        company.hire(*self.guests, member=False)
        company.own_groups = self.own_groups
        company.channels["C1"] = set(self.members)
        return company


worlds = st.builds(
    World,
    lists=st.dictionaries(st.sampled_from(NAMES), members_of_lists, max_size=4),
    tables=st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(NAMES),
                st.sampled_from(
                    ("ada@example.org", "bob@example.org", "group:a", "group:b", "group:c", "slack:S1", "")
                ),
            ),
            min_size=1,
            max_size=5,
        ),
        max_size=2,
    ),
    scim_groups=st.lists(
        st.tuples(st.sampled_from(("g1", "g2", "g3", "u1")), st.sampled_from(NAMES), st.sets(ids, max_size=3)),
        max_size=4,
    ),
    users=st.lists(
        st.tuples(
            st.sampled_from(("u1", "u2", "u3", "u4")),
            st.sampled_from([f"{person}@example.org" for person in PEOPLE]),
            st.sampled_from((True, True, True, False)),
        ),
        max_size=4,
    ),
    guests=st.sets(st.sampled_from(PEOPLE), max_size=1),
    own_groups=st.dictionaries(st.sampled_from(("slack:S1", "slack:S2")), st.sets(st.sampled_from(PEOPLE)), max_size=2),
    members=st.sets(st.sampled_from(PEOPLE), min_size=1),
    broken=st.sets(st.integers(0, 2), max_size=1),
)


async def everything(world: World, folder: Path) -> dict[str, Readers]:
    """What each person holds, and under an empty name the channel, of all that documents name."""
    asked = directory(world.company(), *NAMED, groups=world.lists, group_files=world.write(folder))
    held = {person: (await asked.asker(spot(), person)).tokens for person in PEOPLE}
    return held | {"": (await asked.readers(spot())).tokens}


def held_in(world: World) -> dict[str, Readers]:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(everything(world, Path(folder)))


@settings(max_examples=100)
@given(worlds)
def test_a_channel_never_holds_what_one_of_its_members_does_not(world: World) -> None:
    held = held_in(world)
    for person in world.members:
        assert held[""] <= held[person]


def with_a_member(world: World, person: str) -> None:
    world.members.add(person)


def with_a_guest(world: World, person: str) -> None:
    world.guests.add(person)


def without_direct_memberships(world: World, person: str) -> None:
    email = f"{person}@example.org"
    for members in world.lists.values():
        members.discard(f"user:{email}")
    world.tables = [[(group, "" if member == email else member) for group, member in rows] for rows in world.tables]


def without_a_platforms_group(world: World, person: str) -> None:
    for people in world.own_groups.values():
        people.discard(person)


def with_a_broken_file(world: World, person: str) -> None:
    world.broken = {0, 1, 2}


def with_a_namesake(world: World, person: str) -> None:
    world.users.append(("u9", f"{person}@example.org", True))


def with_a_leaver(world: World, person: str) -> None:
    world.users.append(("u8", f"{person}@example.org", False))


LOSSES = (
    with_a_member,
    with_a_guest,
    without_direct_memberships,
    without_a_platforms_group,
    with_a_broken_file,
    with_a_namesake,
    with_a_leaver,
)


@settings(max_examples=150)
@given(worlds, st.sampled_from(LOSSES), st.sampled_from(PEOPLE))
def test_no_loss_and_no_trouble_adds_a_token(world: World, loss: Callable[[World, str], None], person: str) -> None:
    before = held_in(world)
    changed = copy.deepcopy(world)
    loss(changed, person)
    after = held_in(changed)
    for holder, tokens in after.items():
        assert tokens <= before[holder]


@settings(max_examples=80)
@given(worlds, st.sampled_from(range(3)))
def test_a_file_that_breaks_while_the_bot_runs_adds_nothing(world: World, file: int) -> None:
    world = replace(world, broken=set())

    async def breaking(folder: Path) -> tuple[dict[str, Readers], dict[str, Readers]]:
        clock = Clock()
        files = world.write(folder)
        asked = directory(world.company(), *NAMED, groups=world.lists, group_files=files, clock=clock)
        before = {person: (await asked.asker(spot(), person)).tokens for person in PEOPLE}
        before[""] = (await asked.readers(spot())).tokens
        replace(world, broken={file}).write(folder)
        clock.seconds += 10
        after = {person: (await asked.asker(spot(), person)).tokens for person in PEOPLE}
        return before, after | {"": (await asked.readers(spot())).tokens}

    with tempfile.TemporaryDirectory() as folder:
        before, after = asyncio.run(breaking(Path(folder)))
    for holder, tokens in after.items():
        assert tokens <= before[holder]


class Slow(Company):
    """A platform that keeps what it knows for half of the age, and tells nobody about changes."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._kept: dict[Any, tuple[float, Any]] = {}

    def _stale(self, key: Any, now: Any) -> Any:
        since, value = self._kept.get(key, (float("-inf"), None))
        if self._clock() - since < MAX_AGE / 2:
            return value
        self._kept[key] = (self._clock(), copy.deepcopy(now))
        return now

    async def people(self, ids: Any) -> dict[str, Person]:
        return {id: self._stale(("person", id), self._known(id)) for id in ids}

    async def members(self, spot: Any) -> frozenset[str] | None:
        return frozenset(self._stale("members", self.channels[spot.channel]))

    async def held(self, person: str, tokens: Any) -> frozenset[str]:
        own = {token for token, people in self.own_groups.items() if person in people}
        return frozenset(self._stale(("held", person), own) & set(tokens))

    def tell(self, *, person: str = "", channel: str = "") -> None:
        for listener in self.listeners:
            listener(Change(person=person, channel=channel))


@settings(max_examples=50)
@given(st.lists(st.tuples(worlds, st.floats(1, MAX_AGE)), min_size=2, max_size=6))
def test_nothing_that_is_used_is_older_than_the_age_allows(history: list[tuple[World, float]]) -> None:
    """Each world lasts for some seconds, and nobody is told when the next one begins. A token that is held now was held
    in one of the worlds of the last minutes, or was put together of parts that were true in them."""

    async def lived(folder: Path) -> None:
        clock = Clock()
        company = Slow(clock)
        lists = history[0][0].lists
        asked = directory(company, *NAMED, groups=lists, clock=clock)
        began: list[tuple[float, World]] = []
        for world, lasts in history:
            began.append((clock(), world))
            world.company(company)
            for _ in range(2):
                oldest = clock() - MAX_AGE
                recent = [
                    world
                    for (_, world), until in zip(began, [*(since for since, _ in began[1:]), clock() + 1], strict=True)
                    if until > oldest
                ]
                # The most that anybody could hold who takes the best of each of these worlds.
                best = replace(
                    recent[-1],
                    lists=lists,
                    tables=[],
                    scim_groups=[],
                    users=[],
                    broken=set(),
                    guests=set.intersection(*(world.guests for world in recent)),
                    own_groups={
                        token: set().union(*(world.own_groups.get(token, set()) for world in recent))
                        for token in ("slack:S1", "slack:S2")
                    },
                    members=set.intersection(*(world.members for world in recent)) or {"ada"},
                )
                most = await everything(best, folder)
                for person in PEOPLE:
                    assert (await asked.asker(spot(), person)).tokens <= most[person]
                if set.intersection(*(world.members for world in recent)):
                    assert (await asked.readers(spot())).tokens <= most[""]
                else:
                    await asked.readers(spot())
                clock.seconds += lasts / 2

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(lived(Path(folder)))
