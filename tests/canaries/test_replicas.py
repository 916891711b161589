"""Two replicas on one platform, each with caches of its own, of which one hears of changes and the other does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.canaries.asking import Asked
from tests.canaries.bot import Bot
from tests.canaries.company import Company
from tests.canaries.day import day, says
from tests.canaries.doors import MAX_AGE, directory, export
from tests.canaries.library import owners
from tests.canaries.lookout import Heard
from tests.canaries.test_shapes import TOPIC

SETTINGS = settings(max_examples=16, suppress_health_check=[HealthCheck.function_scoped_fixture])


def a_guest_comes(company: Company) -> None:
    company.channels["C2"].add("U34")


def a_colleague_comes(company: Company) -> None:
    company.channels["C2"].add("U20")


def one_becomes_a_guest(company: Company) -> None:
    company.people["U03"].kind = "guest"


def one_is_deactivated(company: Company) -> None:
    company.people["U02"].kind = "deactivated"


def one_is_somebody_else(company: Company) -> None:
    """The address that the platform vouches for is another now, and so are the groups by it."""
    company.people["U03"].email = "p21@example.org"


def one_leaves_a_user_group(company: Company) -> None:
    company.user_groups["S1"] -= {"U03", "U04"}


def one_leaves_the_company_s_groups(company: Company) -> None:
    """Which no event tells: both look at the export every few seconds."""
    company.groups["accounting"] -= {"user:p03@example.org", "user:p05@example.org"}
    company.groups["finance"] -= {"user:p02@example.org"}


def one_leaves_the_channel(company: Company) -> None:
    company.channels["C2"].discard("U03")


CHANGES = (
    a_guest_comes,
    a_colleague_comes,
    one_becomes_a_guest,
    one_is_deactivated,
    one_is_somebody_else,
    one_leaves_a_user_group,
    one_leaves_the_company_s_groups,
    one_leaves_the_company_s_groups,
    one_leaves_the_channel,
)

PLACES = ("C2", "C6", "D03", "D02")

LOOKED_AT = 5.0
"""Seconds until an export is looked at again."""

AGES = (0.0, 1.0, MAX_AGE / 2 - 1, MAX_AGE / 2 + 1, MAX_AGE - 1, MAX_AGE, MAX_AGE + 1, 10 * MAX_AGE)
"""Seconds between a change and a question."""


@SETTINGS
@given(
    change=st.sampled_from(CHANGES),
    place=st.sampled_from(PLACES),
    asked=TOPIC,
    warm=st.sampled_from([0.0, 60.0, MAX_AGE / 2 - 1, MAX_AGE / 2 + 20]),
    age=st.sampled_from(AGES),
)
async def test_what_a_replica_has_not_heard_of_it_finds_out_in_time(
    template: Path, heard: Heard, change: Callable[[Company], None], place: str, asked: Asked, warm: float, age: float
) -> None:
    async with day(template, model=True) as hearing:
        company, clock = hearing.platform.company, hearing.platform.clock
        deaf = replace(
            hearing,
            access=directory(hearing.platform, hearing.folder, hearing.house.ledger, clock, hears=False),
            acts=[],
        )
        for bot in (hearing, deaf):
            await says(bot, place, asker(company, place), asked)
            clock.pass_time(seconds=warm / 2)
        for bot in (hearing, deaf):
            await says(bot, place, asker(company, place), asked)
        known = {who: words_for(company, who) for who in company.readers_in(place)}
        change(company)
        company.changed()
        export(company, hearing.folder)
        hearing.platform.happened()
        clock.pass_time(seconds=age)
        shared = frozenset.intersection(*known.values())
        told = change is not one_leaves_the_company_s_groups
        for bot, least in ((hearing, 0.0 if told else LOOKED_AT), (deaf, MAX_AGE if told else LOOKED_AT)):
            # Until then what all could read before may be shown a while longer, to whoever is there now.
            late = shared if age < least else frozenset[str]()
            catch_up(hearing, deaf)
            with company.knowing(late, *company.readers_in(place)):
                await says(bot, place, asker(company, place), asked)
    heard.check()


def asker(company: Company, place: str) -> str:
    return sorted(company.readers_in(place))[0] if place in company.channels else place.replace("D", "U")


def words_for(company: Company, who: str) -> frozenset[str]:
    return frozenset(word for word in owners() if company.may_see(who, word))


def catch_up(*bots: Bot) -> None:
    """What one has written the other need not look at again."""
    for bot in bots:
        bot.caught_up()
