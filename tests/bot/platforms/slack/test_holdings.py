"""Reader tokens of people in a workspace: user groups, channels, and who is in a large one, at what cost."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bot.platforms.interface import PlatformRefused, PlatformUnavailable
from bot.platforms.slack.directory import MOST_MEMBERS, PAGE
from bot.platforms.slack.holdings import MOST_LISTED
from bot.platforms.slack.kept import Kept
from bot.platforms.slack.platform import SlackPlatform
from tests.bot.platforms.slack.conftest import Bot, Clock, spot
from tests.fakes.slack import OWN_USER, Slack, answering, limited, refusing


def everybody(slack: Slack, number: int) -> set[str]:
    slack.page_size = PAGE
    return {slack.user(f"UM{one}", f"m{one}") for one in range(number)}


async def test_a_person_holds_themselves_their_user_groups_and_their_channels(
    platform: SlackPlatform, slack: Slack, ops: str
) -> None:
    slack.group("S1", "UADA", "UBOB")
    slack.group("S2", "UBOB")
    private = slack.channel("private", is_private=True, members={OWN_USER, "UADA"})
    old = slack.channel("old", is_archived=True, members={OWN_USER, "UADA"})
    tokens = {f"slack:{id}" for id in ("UADA", "UBOB", "S1", "S2", ops, private, old, slack.direct("UADA"))}

    held = await platform.held("UADA", tokens | {"everyone", "group:S1", "mattermost:UADA", "user:UADA", "slack:"})

    assert held == {f"slack:{id}" for id in ("UADA", "S1", ops, private, old, slack.direct("UADA"))}
    assert await platform.held("UBOB", tokens) == {f"slack:{id}" for id in ("UBOB", "S1", "S2", ops)}
    assert not slack.faults()


async def test_a_channel_that_the_bot_cannot_look_into_is_held_by_nobody_and_told_once(
    platform: SlackPlatform, slack: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    hidden = slack.channel("hidden", is_private=True, members={"UADA"})
    for _ in range(2):
        for person in ("UADA", "UBOB"):
            assert await platform.held(person, {f"slack:{hidden}", "slack:CNONE", "slack:SNONE"}) == frozenset()

    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert [len([line for line in told if id in line]) for id in (hidden, "CNONE", "SNONE")] == [1, 1, 1]
    assert len(slack.called("conversations.members")) == 2


@pytest.mark.parametrize("flags", [{"is_restricted": True}, {"is_ultra_restricted": True}, {"deleted": True}])
async def test_who_is_no_member_holds_nothing_whatever_names_them(
    platform: SlackPlatform, slack: Slack, ops: str, flags: dict[str, bool]
) -> None:
    slack.users["UADA"] |= flags
    slack.group("S1", "UADA")

    assert await platform.held("UADA", {"slack:UADA", "slack:S1", f"slack:{ops}"}) == frozenset()


async def test_a_disabled_user_group_and_one_of_another_company_hold_nobody(
    platform: SlackPlatform, slack: Slack
) -> None:
    slack.group("S1", "UADA", date_delete=1_700_000_000)
    slack.group("S2", "UADA", is_external=True)
    listed = [{"id": "S1", "date_delete": 1_700_000_000, "users": ["UADA"], "user_count": 1}]
    assert await platform.held("UADA", {"slack:S1", "slack:S2"}) == frozenset()

    slack.always(answering({"ok": True, "usergroups": listed}), on="usergroups.list")
    other = Bot(slack=slack).platform()
    assert await other.held("UADA", {"slack:S1"}) == frozenset()
    await other.close()


async def test_one_table_of_user_groups_serves_everybody(platform: SlackPlatform, slack: Slack) -> None:
    people = everybody(slack, 20)
    for number in range(50):
        slack.group(f"S{number}", *sorted(people)[:number])
    tokens = {f"slack:S{number}" for number in range(50)}

    held = await asyncio.gather(*(platform.held(person, tokens) for person in sorted(people)))

    assert [len(one) for one in held] == [49 - place for place in range(20)]
    assert len(slack.called("usergroups.list")) == 1
    assert not slack.called("usergroups.users.list")


async def test_members_that_the_table_of_user_groups_leaves_out_are_asked_for(
    platform: SlackPlatform, slack: Slack
) -> None:
    slack.group("S1", *sorted(everybody(slack, 20)), "UADA")
    slack.group_page = 5

    for person in ("UADA", "UM3", "UBOB"):
        assert (await platform.held(person, {"slack:S1"}) == {"slack:S1"}) is (person != "UBOB")
    assert len(slack.called("usergroups.users.list")) == 1


async def test_a_workspace_whose_plan_has_no_user_groups_has_nobody_in_one(
    platform: SlackPlatform, slack: Slack
) -> None:
    slack.always(refusing("plan_upgrade_required"), on="usergroups.list")

    assert await platform.held("UADA", {"slack:S1", "slack:UADA"}) == {"slack:UADA"}


@pytest.mark.parametrize("method", ["users.info", "usergroups.list", "conversations.members"])
async def test_when_slack_is_away_nothing_is_said_of_what_somebody_holds(
    platform: SlackPlatform, slack: Slack, ops: str, method: str
) -> None:
    slack.group("S1", "UADA")
    slack.script(limited(3600), on=method)

    with pytest.raises(PlatformUnavailable):
        await platform.held("UADA", {"slack:S1", f"slack:{ops}"})


async def test_who_reads_a_channel_is_not_guessed_when_slack_is_away(
    platform: SlackPlatform, slack: Slack, ops: str
) -> None:
    slack.script(limited(3600), on="conversations.members")

    with pytest.raises(PlatformUnavailable):
        await platform.members(spot(slack, ops, ""))


async def test_a_token_that_was_revoked_is_no_answer(platform: SlackPlatform, slack: Slack) -> None:
    slack.revoked = "token_revoked"

    with pytest.raises(PlatformRefused, match="SOUFFLEUR_SLACK_BOT_TOKEN"):
        await platform.held("UADA", {"slack:UADA"})


async def test_where_many_channels_are_named_it_is_asked_which_ones_a_person_is_in(
    platform: SlackPlatform, slack: Slack
) -> None:
    rooms = [
        slack.channel(f"r{n}", is_private=n % 2 == 0, is_archived=n % 5 == 0, members={OWN_USER, "UBOB"})
        for n in range(MOST_LISTED * 3)
    ]
    for channel in rooms[::3]:
        slack.rooms[channel].members.add("UADA")
    tokens = {f"slack:{id}" for id in rooms} | {f"slack:{slack.direct('UADA')}"}

    held = await platform.held("UADA", tokens)

    assert held == {f"slack:{id}" for id in [*rooms[::3], slack.direct("UADA")]}
    assert len(slack.called("users.conversations")) == 1
    assert len(slack.called("conversations.members")) == 1  # of the direct message
    assert await platform.held("UBOB", held) == {f"slack:{id}" for id in rooms[::3]}
    assert not slack.faults()


async def test_where_it_is_not_told_which_channels_people_are_in_they_are_in_none(
    platform: SlackPlatform, slack: Slack
) -> None:
    rooms = [slack.channel(f"r{n}", members={OWN_USER, "UADA"}) for n in range(MOST_LISTED + 1)]
    slack.always(refusing("missing_scope"), on="users.conversations")

    assert await platform.held("UADA", {f"slack:{id}" for id in rooms}) == frozenset()


async def test_a_large_channel_costs_a_few_calls_for_all_that_is_asked_about_it(
    platform: SlackPlatform, slack: Slack
) -> None:
    people = everybody(slack, 7_000)
    slack.user("UROBOT", "robot", is_bot=True)
    slack.user("UGONE", "gone", deleted=True)
    channel = slack.channel("all", members={OWN_USER, "UROBOT", "UGONE", *people})

    room, members, *held = await asyncio.gather(
        platform.room(spot(slack, channel, "")),
        platform.members(spot(slack, channel, "")),
        *(platform.held(person, {f"slack:{channel}"}) for person in ("UM1", "UM2", "UADA")),
    )

    assert not room.outsiders
    assert members == people
    assert [bool(one) for one in held] == [True, True, False]
    assert len(slack.called("conversations.members")) == 8
    assert len(slack.called("users.list")) == 8
    assert len(slack.called("users.info")) <= 3


async def test_who_is_in_a_channel_that_is_too_large_is_not_known(platform: SlackPlatform, slack: Slack) -> None:
    channel = slack.channel("all", members={OWN_USER, *(f"UM{n}" for n in range(MOST_MEMBERS))})
    slack.page_size = PAGE

    assert await platform.members(spot(slack, channel, "")) is None
    assert (await platform.room(spot(slack, channel, ""))).outsiders
    assert await platform.held("UADA", {f"slack:{channel}"}) == frozenset()
    assert not slack.called("users.list")
    assert len(slack.called("conversations.members")) == 11


async def test_people_are_told_of_many_at_once_and_strangers_are_no_members(
    platform: SlackPlatform, slack: Slack
) -> None:
    people = everybody(slack, 80)

    found = await platform.people({*people, "UGUEST", "UNOBODY"})

    assert set(found) == {*people, "UGUEST", "UNOBODY"}
    assert {id for id, person in found.items() if person.member} == people
    assert len(slack.called("users.info")) == 1

    crowd = {f"UX{number}" for number in range(100)}
    strangers = await platform.people(crowd)
    assert set(strangers) == crowd
    assert not any(person.member for person in strangers.values())
    assert len(slack.called("users.info")) == 1


async def test_in_a_direct_message_there_is_one_person(platform: SlackPlatform, slack: Slack) -> None:
    direct = spot(slack, slack.direct("UADA"), "")

    assert await platform.members(direct) == {"UADA"}
    assert not (await platform.room(direct)).outsiders
    assert (await platform.room(spot(slack, slack.direct("UGUEST"), ""))).outsiders


async def test_somebody_of_another_workspace_of_the_organisation_is_a_member(bot: Bot, slack: Slack, ops: str) -> None:
    """docs.slack.dev/enterprise: `auth.test` names the organisation of the workspace, a user theirs."""
    slack.enterprise = "E0ACME"
    slack.user("WCLEO", "Cleo", team_id="T0SISTER", enterprise_user={"enterprise_id": "E0ACME", "teams": ["T0SISTER"]})
    slack.user("WEVE", "Eve", team_id="T0OTHER", enterprise_user={"enterprise_id": "E0OTHER", "teams": ["T0OTHER"]})
    platform = bot.platform()
    slack.rooms[ops].members.add("WCLEO")
    assert not (await platform.room(spot(slack, ops, ""))).outsiders
    bot.clock.ahead += 151

    slack.rooms[ops].members.add("WEVE")
    assert (await platform.room(spot(slack, ops, ""))).outsiders
    assert await platform.members(spot(slack, ops, "")) == {"UADA", "UBOB", "WCLEO", "WEVE"}
    await platform.close()


def test_nothing_is_kept_that_was_asked_for_before_a_change_or_that_is_older_than_what_is_known() -> None:
    clock = Clock()
    kept: Kept[str, int] = Kept(clock, 10.0)
    early = kept.asked()
    clock.ahead += 1
    kept.put("a", 1, kept.asked())
    kept.put("a", 2, early)
    assert kept.get("a") == 1

    overtaken = kept.asked()
    kept.drop("a")
    assert kept.put("a", 3, overtaken) == 3
    assert kept.get("a") is None
    kept.put("b", 4, overtaken)
    assert kept.get("b") == 4
    kept.clear()
    kept.put("b", 5, overtaken)
    assert kept.get("b") is None
    kept.put("b", 6, kept.asked())
    clock.ahead += 10
    assert kept.get("b") is None


def test_what_is_kept_and_what_is_remembered_of_changes_is_bounded_and_then_forgotten_for_good() -> None:
    kept: Kept[str, int] = Kept(Clock(), 10.0, most=3)
    overtaken = kept.asked()
    for number in range(5):
        kept.put(str(number), number, kept.asked())
    assert [kept.get(str(number)) for number in range(5)] == [None, None, 2, 3, 4]

    kept.drop("x")
    for number in range(3):
        kept.drop(str(number))
    kept.put("x", 9, overtaken)
    assert kept.get("x") is None
