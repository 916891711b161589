"""What an asker holds, and what all hold who can read a channel."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.access.interface import Held
from bot.audience import OUTSIDER
from bot.platforms.events import Spot
from bot.platforms.interface import PlatformRefused, PlatformUnavailable
from ingest.model import MEMBER
from tests.bot.access.company import MAX_AGE, Company, both, directory, scim, scim_user, spot
from tests.fixtures.clock import Clock

FAILURES = (PlatformUnavailable, PlatformRefused)


@pytest.fixture
def company() -> Company:
    company = Company()
    company.hire("ada", "bob", "eve")
    company.hire("guest", member=False)
    company.channels = {"C1": {"ada", "bob"}, "C2": {"ada", "eve"}}
    return company


FINANCE = {"groups": {"finance": ["user:ada@example.org", "user:bob@example.org", "slack:S1"]}}


async def test_members_hold_what_documents_name_of_their_address_their_groups_and_the_platforms_own(
    company: Company,
) -> None:
    company.own_groups = {"slack:S1": {"ada"}, "slack:S9": {"ada"}}
    asked = directory(company, "user:ada@example.org", "group:finance", "slack:S1", "group:unknown", **FINANCE)
    assert await asked.asker(spot(), "ada") == Held(
        tokens=MEMBER | {"user:ada@example.org", "group:finance", "slack:S1"}
    )
    assert company.looked_up == {"slack:S1"}


async def test_only_what_some_document_names_or_leads_to_is_looked_up_and_held(company: Company) -> None:
    company.own_groups = {"slack:S1": {"eve"}}
    groups = FINANCE["groups"] | {"other": ["slack:S2", "everyone"]}
    assert await directory(company, groups=groups).asker(spot(), "eve") == Held(tokens=MEMBER)
    assert not company.looked_up
    assert await directory(company, "group:finance", groups=groups).asker(spot(), "eve") == Held(
        tokens=MEMBER | {"group:finance"}
    )
    assert company.looked_up == {"slack:S1"}


@pytest.mark.parametrize("person", ["guest", "nobody-knows"])
async def test_guests_and_the_unknown_hold_public_alone_whatever_names_them(company: Company, person: str) -> None:
    company.own_groups = {"slack:S1": {person}}
    groups = {"finance": [f"user:{person}@example.org", "slack:S1", "public", "everyone"]}
    assert await directory(company, "slack:S1", "group:finance", groups=groups).asker(spot(), person) == Held(
        tokens=OUTSIDER
    )


async def test_who_left_by_the_companys_export_holds_public_alone(company: Company, tmp_path: Path) -> None:
    path = scim(tmp_path / "people.json", scim_user("u1", "ada@example.org", active=False))
    asked = directory(company, "group:all", groups={"all": ["everyone"]}, group_files=[{"path": path}])
    assert await asked.asker(spot(), "ada") == Held(tokens=OUTSIDER)
    assert await asked.asker(spot(), "bob") == Held(tokens=MEMBER | {"group:all"})
    assert await asked.readers(spot("C1")) == Held(tokens=OUTSIDER)


async def test_nobody_is_trusted_to_be_still_there_before_the_export_of_people_was_once_read(
    company: Company, tmp_path: Path
) -> None:
    asked = directory(company, group_files=[{"path": tmp_path / "people.json"}])
    for held in (await asked.asker(spot(), "ada"), await asked.readers(spot())):
        assert held.tokens == OUTSIDER
        assert "people.json is not there" in held.missing


@pytest.mark.parametrize("error", FAILURES)
async def test_members_stay_members_and_are_told_why_when_the_platforms_groups_cannot_be_looked_up(
    company: Company, error: Any
) -> None:
    company.failing = {"held": error}
    asked = directory(company, "group:finance", "slack:S1", **FINANCE)
    for held in (await asked.asker(spot(), "ada"), await asked.readers(spot())):
        assert held.tokens == MEMBER
        assert "held does not answer" in held.missing
    company.failing = {}
    company.own_groups = {"slack:S1": {"ada", "bob"}}
    assert (await asked.readers(spot())).tokens == MEMBER | {"group:finance", "slack:S1"}


@pytest.mark.parametrize("error", FAILURES)
@pytest.mark.parametrize("what", ["people", "members", "room"])
async def test_it_says_so_when_not_even_membership_can_be_learned(company: Company, error: Any, what: str) -> None:
    company.failing = {what: error}
    asked = directory(company)
    with pytest.raises(error):
        await asked.readers(spot())
    if what == "people":
        with pytest.raises(error):
            await asked.asker(spot(), "ada")


async def test_a_platform_that_does_not_answer_in_time_is_unavailable(company: Company) -> None:
    async def never(what: str) -> None:
        await asyncio.Event().wait()

    company.before = never
    asked = directory(company, patience=0.01)
    with pytest.raises(PlatformUnavailable, match="could not be learned within"):
        await asked.asker(spot(), "ada")
    with pytest.raises(PlatformUnavailable, match="could not be learned within"):
        await asked.readers(spot())
    company.before = None
    assert (await asked.readers(spot())).tokens == MEMBER


async def test_a_platform_that_is_not_switched_on_is_refused(company: Company) -> None:
    elsewhere = Spot(platform="mattermost", workspace="chat", channel="C1", thread="1", direct=False)
    with pytest.raises(PlatformRefused, match="not switched on"):
        await directory(company).asker(elsewhere, "ada")


async def test_a_channel_holds_what_all_its_members_share(company: Company) -> None:
    company.own_groups = {"slack:S1": {"eve"}, "slack:C2": {"ada", "eve"}}
    asked = directory(company, "group:finance", "slack:C2", "user:ada@example.org", **FINANCE)
    assert (await asked.readers(spot("C1"))).tokens == MEMBER | {"group:finance"}
    assert (await asked.readers(spot("C2"))).tokens == MEMBER | {"group:finance", "slack:C2"}
    company.channels["C1"] |= {"eve"}  # type: ignore[operator]
    company.own_groups["slack:S1"].clear()
    company.tell()
    assert (await asked.readers(spot("C1"))).tokens == MEMBER


@pytest.mark.parametrize(
    ("members", "shared", "tokens"),
    [
        ({"ada", "guest"}, False, OUTSIDER),
        ({"ada", "nobody-knows"}, False, OUTSIDER),
        ({"ada"}, True, OUTSIDER),
        (None, True, OUTSIDER),
        (None, False, MEMBER),
        (set(), False, MEMBER),
    ],
)
async def test_outsiders_and_the_unknown_take_a_channel_down(
    company: Company, members: set[str] | None, shared: bool, tokens: frozenset[str]
) -> None:
    company.channels["C1"] = members
    company.shared = {"C1"} if shared else set()
    asked = directory(company, "group:all", groups={"all": ["everyone"]})
    assert (await asked.readers(spot())).tokens == tokens


async def test_a_channel_of_unknown_members_is_public_where_some_accounts_left(
    company: Company, tmp_path: Path
) -> None:
    company.channels["C1"] = None
    path = scim(tmp_path / "people.json", scim_user("u1", "eve@example.org", active=False))
    held = await directory(company, group_files=[{"path": path}]).readers(spot())
    assert held.tokens == OUTSIDER
    assert "cannot be told" in held.missing


async def test_nobody_is_asked_further_once_nothing_is_shared(company: Company) -> None:
    people = [f"u{number}" for number in range(500)]
    company.hire(*people)
    company.channels["C1"] = set(people)
    company.own_groups = {"slack:S1": {"u0"}}
    assert (await directory(company, "slack:S1").readers(spot())).tokens == MEMBER
    assert company.asked.count("held") < 50
    assert company.asked.count("people") == 1


async def test_an_audience_is_kept_for_half_of_the_age(company: Company) -> None:
    clock = Clock()
    asked = directory(company, "group:finance", clock=clock, **FINANCE)
    await asked.readers(spot())
    company.channels["C1"] = {"ada", "guest"}
    clock.seconds += MAX_AGE / 2 - 1
    assert (await asked.readers(spot())).tokens == MEMBER | {"group:finance"}
    clock.seconds += 1
    assert (await asked.readers(spot())).tokens == OUTSIDER


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"channel": "C1", "person": "guest"}, True),
        ({"channel": "C1"}, True),
        ({"person": "bob"}, True),
        ({}, True),
        ({"channel": "C2", "person": "bob"}, False),
        ({"person": "eve"}, False),
    ],
)
async def test_a_change_forgets_the_channels_that_it_bears_on(
    company: Company, change: dict[str, str], seen: bool
) -> None:
    asked = directory(company)
    assert (await asked.readers(spot())).tokens == MEMBER
    company.channels["C1"] = {"ada", "guest"}
    company.tell(**change)
    assert (await asked.readers(spot())).tokens == (OUTSIDER if seen else MEMBER)


async def test_a_person_who_becomes_a_guest_takes_down_channels_where_members_were_not_known(
    company: Company,
) -> None:
    company.channels["C1"] = None
    asked = directory(company)
    assert (await asked.readers(spot())).tokens == MEMBER
    company.shared = {"C1"}
    company.tell(person="bob")
    assert (await asked.readers(spot())).tokens == OUTSIDER


async def test_a_join_while_a_channel_is_looked_at_is_not_lost(company: Company) -> None:
    joined = False

    async def join(what: str) -> None:
        nonlocal joined
        if what == "members" and not joined:
            joined = True
            company.channels["C1"] = {"ada", "bob", "guest"}
            company.tell(channel="C1", person="guest")

    company.before = join
    asked = directory(company)
    assert (await asked.readers(spot())).tokens == OUTSIDER
    assert company.asked.count("members") == 2


async def test_a_channel_that_never_rests_is_answered_and_not_kept(company: Company) -> None:
    async def come_and_go(what: str) -> None:
        if what == "members":
            company.tell(person="eve")

    company.before = come_and_go
    asked = directory(company)
    assert (await asked.readers(spot())).tokens == MEMBER
    assert company.asked.count("members") == 3
    company.before = None
    await asked.readers(spot())
    assert company.asked.count("members") == 4


async def test_many_who_ask_at_once_wait_for_one_look(company: Company) -> None:
    asked = directory(company)
    answers = await both(*(asked.readers(spot()) for _ in range(20)))
    assert {held.tokens for held in answers} == {MEMBER}
    assert company.asked.count("members") == 1


async def test_a_file_that_changed_is_heeded_in_every_channel(company: Company, tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "g.csv"
    path.write_text("group,email\nfinance,ada@example.org\nfinance,bob@example.org\n")
    asked = directory(company, "group:finance", clock=clock, group_files=[{"path": path}])
    assert (await asked.readers(spot())).tokens == MEMBER | {"group:finance"}
    path.write_text("group,email\nfinance,ada@example.org\n")
    clock.seconds += 10
    assert (await asked.readers(spot())).tokens == MEMBER
    path.unlink()
    clock.seconds += 10
    assert "is not there" in (await asked.asker(spot(), "ada")).missing


async def test_broken_files_are_no_news_where_no_document_is_for_a_group(company: Company, tmp_path: Path) -> None:
    asked = directory(company, "slack:S1", group_files=[{"path": tmp_path / "g.csv"}])
    assert await asked.asker(spot(), "ada") == Held(tokens=MEMBER)


async def test_an_address_that_no_token_can_hold_gives_nothing(company: Company) -> None:
    company.accounts["ada"] = replace(company.accounts["ada"], email="a da@example.org")
    assert (await directory(company, "user:a da@example.org").asker(spot(), "ada")).tokens == MEMBER


async def test_channels_asked_about_longest_ago_are_forgotten_first(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.access.audiences.MOST_KEPT", 2)
    company.channels = {f"C{number}": {"ada"} for number in range(4)}
    asked = directory(company)
    for channel in ("C1", "C2", "C1", "C3", "C1", "C2"):
        await asked.readers(spot(channel))
    assert company.asked.count("members") == 4
