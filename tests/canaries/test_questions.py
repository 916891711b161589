"""One question, or two that follow each other: whoever asks, wherever, whichever index answers and whoever writes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.access.directory import Directory
from bot.answer import Answering
from bot.platforms.events import Spot
from bot.platforms.interface import PlatformRefused
from tests.canaries.asking import Asked, Out, above, question, questions, told, turns
from tests.canaries.company import company
from tests.canaries.doors import directory
from tests.canaries.house import House, house
from tests.canaries.lookout import Heard
from tests.canaries.platform import Workplace
from tests.canaries.writer import Copying
from tests.fixtures.chat import Clock

PRINCIPALS = st.sampled_from([*company().people, *(f"key:{name}" for name in company().keys), "console"])
CHANNELS = st.sampled_from(sorted(company().channels))

SETTINGS = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""The houses are the same for all examples, as nothing here changes them."""


@dataclass(frozen=True)
class Desk:
    """One index, and one writer."""

    name: str
    house: House
    access: Directory
    answering: Answering
    writer: Copying | None

    async def told(
        self, asked: Asked, who: str, channel: str = "", after: tuple[Asked, Out] | None = None
    ) -> Out | None:
        """Ask alone or in a channel, and hold all that comes out against everybody who reads it.

        None where the platform knows nobody of that name: then nothing is asked.
        """
        company, here = self.house.company, spot(channel)
        try:
            own = (await self.access.asker(here, who)).tokens if who in company.people else company.holds(who)
            shared = (await self.access.readers(here)).tokens if channel else None
        except PlatformRefused:
            assert company.people[who].kind == "unknown"
            return None
        readers = company.readers_in(channel) if channel else [who]
        history = turns(after[0], after[1].answer) if after else ()
        of = question(asked, who=who, own=own, shared=shared, history=history)
        return await told(self.house, self.answering, of, company=company, readers=readers, writer=self.writer)


def spot(channel: str) -> Spot:
    return Spot(platform="slack", workspace="T1", channel=channel or "D1", thread="1", direct=not channel)


Desks = list[Desk]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desks(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desks]:
    """Both indexes, each with a chat model and without one; the embedded one twice, as it is what most have."""
    folder, of = tmp_path_factory.mktemp("questions"), company()
    async with house(folder / "edge", of) as edge, house(folder / "server", of, backend="server") as server:
        clock = Clock()
        access = directory(Workplace(of, clock), folder, edge.ledger, clock)
        made = []
        for name, on in (("edge", edge), ("edge", edge), ("server", server)):
            writer = Copying()
            made.append(Desk(f"{name}, copying", on, access, on.answering(writer, understanding=writer), writer))
            made.append(Desk(f"{name}, extractive", on, access, on.answering(), None))
        yield made


@pytest.mark.asyncio(loop_scope="module")
async def test_nobody_holds_more_than_the_company_says_and_members_hold_all_that_documents_name(desks: Desks) -> None:
    """But by groups that are in each other, which count for nobody."""
    access, of = desks[0].access, desks[0].house.company
    named = await desks[0].house.ledger.reader_tokens() - {"group:loop%20a", "group:loop%20b"}
    for who, somebody in of.people.items():
        if somebody.kind != "unknown":
            tokens = (await access.asker(spot(""), who)).tokens
            assert tokens <= of.holds(who), who
            assert tokens & named == of.holds(who) & named, who
    for channel in of.channels:
        tokens = (await access.readers(spot(channel))).tokens
        shared = frozenset.intersection(*(of.holds(who) for who in of.readers_in(channel)))
        assert tokens <= shared, channel
        assert tokens & named == shared & named, channel


@pytest.mark.asyncio(loop_scope="module")
@SETTINGS
@given(at=st.integers(0, 5), who=PRINCIPALS, asked=questions)
async def test_an_answer_holds_nothing_that_its_asker_may_not_read(
    desks: Desks, heard: Heard, at: int, who: str, asked: Asked
) -> None:
    with desks[at].house.company.knowing(asked.known, who):
        await desks[at].told(asked, who)
    heard.check()


@pytest.mark.asyncio(loop_scope="module")
@SETTINGS
@given(at=st.integers(0, 5), channel=CHANNELS, pick=st.integers(0, 49), asked=questions)
async def test_an_answer_in_a_channel_holds_nothing_that_somebody_there_may_not_read(
    desks: Desks, heard: Heard, at: int, channel: str, pick: int, asked: Asked
) -> None:
    of = desks[at].house.company
    there = sorted(of.readers_in(channel))
    with of.knowing(asked.known, *there):
        await desks[at].told(asked, there[pick % len(there)], channel)
    heard.check()


@pytest.mark.asyncio(loop_scope="module")
@SETTINGS
@given(at=st.integers(0, 5), channel=CHANNELS, first=PRINCIPALS, asked=questions, then=st.just(above) | questions)
async def test_what_somebody_was_told_alone_stays_out_of_what_others_ask_about_it(
    desks: Desks, heard: Heard, at: int, channel: str, first: str, asked: Asked, then: Asked
) -> None:
    of = desks[at].house.company
    there = sorted(of.readers_in(channel))
    with of.knowing(asked.known | then.known, first, *there):
        alone = await desks[at].told(asked, first)
        if alone is not None:
            await desks[at].told(then, there[at % len(there)], channel, after=(asked, alone))
    heard.check()
