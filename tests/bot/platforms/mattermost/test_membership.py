"""Who holds what and who reads along: channels, teams, groups, addresses; and how soon a change is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.platforms.events import Spot
from bot.platforms.interface import Change, PlatformRefused, PlatformUnavailable
from bot.platforms.mattermost.kept import KEPT_SECONDS, SETTLING_SECONDS
from bot.platforms.mattermost.membership import ASKED_SINGLY, MOST_MEMBERS
from bot.platforms.mattermost.platform import MattermostPlatform
from tests.bot.platforms.mattermost.conftest import PATIENCE, Ears, Made, Place, listening
from tests.fakes.mattermost import refusal
from tests.fixtures.clock import Clock

NOBODY = "y" * 26


class Heard:
    """What the watchers of a platform are told."""

    def __init__(self, platform: MattermostPlatform) -> None:
        self.changes: list[Change] = []
        self._news = asyncio.Event()
        platform.watch(self)

    def __call__(self, change: Change) -> None:
        self.changes.append(change)
        self._news.set()

    async def until(self, look: Callable[[Change], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not any(map(look, self.changes)):
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def heard(platform: MattermostPlatform, ears: Ears) -> AsyncIterator[Heard]:
    """Connected, and nothing told yet."""
    watcher = Heard(platform)
    async with listening(platform, ears):
        watcher.changes.clear()
        yield watcher


def channel(id: str) -> str:
    return f"mattermost:{id}"


def team(id: str) -> str:
    return f"mattermost:team:{id}"


def group(id: str) -> str:
    return f"mattermost:group:{id}"


async def _members(platform: MattermostPlatform, spot: Spot) -> set[str]:
    found = await platform.members(spot)
    assert found is not None
    return {*found}


# Tokens


async def test_people_hold_themselves_their_channels_teams_and_groups(place: Place, make: Made) -> None:
    server = place.server
    server.groups_licensed = True
    other, elsewhere = server.channel(place.team, "other"), server.team("elsewhere")
    direct = server.direct(place.ada, server.bot)
    mine, others = server.group("finance", place.ada), server.group("legal", place.bob)
    own = {place.ada, place.channel, direct}
    tokens = {channel(id) for id in {*own, other, place.bob, NOBODY}}
    tokens |= {team(place.team), team(elsewhere), group(mine), group(others)}

    held = await make().held(place.ada, tokens)

    assert held == {*map(channel, own), team(place.team), group(mine)}


@pytest.mark.parametrize(
    "token",
    [
        "mattermost:{ada}x", "mattermost:{team}", "mattermost:team:{channel}", "mattermost:group:{channel}",
        "mattermost:channel:{channel}", "mattermost::{channel}", "mattermost:{channel}:", "slack:{channel}",
        "mattermost:../users/{ada}", "mattermost:{bob}", "mattermost:team:{ada}", "mattermost:user:{ada}", "", "public",
        "mattermost:team:", "mattermost:{ada} ", "Mattermost:{ada}",
    ],
)  # fmt: skip
async def test_ids_of_one_kind_are_not_taken_for_another(place: Place, make: Made, token: str) -> None:
    place.server.groups_licensed = True
    token = token.format(ada=place.ada, bob=place.bob, team=place.team, channel=place.channel)

    assert await make().held(place.ada, {token}) == frozenset()


@pytest.mark.parametrize(
    "fields", [{"roles": "system_guest"}, {"remote_id": "rrr"}, {"delete_at": 1}, {"is_bot": True}]
)
async def test_whoever_is_no_member_of_the_company_holds_nothing(
    place: Place, make: Made, fields: dict[str, Any]
) -> None:
    gast = place.server.user("gast", **fields)
    place.server.join(place.team, gast)
    place.server.join(place.channel, gast)

    assert await make().held(gast, {channel(gast), channel(place.channel), team(place.team)}) == frozenset()


async def test_nobody_holds_anything_under_an_id_that_nobody_has(place: Place, make: Made) -> None:
    for person in (NOBODY, "nobody", ""):
        assert await make().held(person, {channel(person), channel(place.channel)}) == frozenset()


async def test_whoever_has_left_a_team_is_not_in_it(place: Place, make: Made) -> None:
    """The server keeps a row of them, with the time when they left."""
    place.server.leave(place.team, place.ada)

    assert await make().held(place.ada, {team(place.team), channel(place.channel)}) == frozenset()


@pytest.mark.parametrize("times", [3, ASKED_SINGLY + 2])
async def test_what_the_bot_is_not_let_look_into_is_held_by_nobody_and_told_of_once(
    place: Place, make: Made, caplog: pytest.LogCaptureFixture, times: int
) -> None:
    server, clock = place.server, Clock()
    platform = make(clock=clock)
    secret = server.channel(place.team, "secret", "P")
    foreign = server.team("foreign")
    synced = server.group("synced", place.ada, source="ldap", allow_reference=False)
    server.groups_licensed = True
    server.members[secret] = server.members[foreign] = {place.ada}
    tokens = {channel(secret), team(foreign), group(synced), group(NOBODY), channel(NOBODY)}

    for _ in range(times):
        assert await platform.held(place.ada, tokens) == frozenset()
        assert await platform.held(place.bob, tokens) == frozenset()
        clock.seconds += KEPT_SECONDS / 2

    told = [record.getMessage() for record in caplog.records if "cannot be told" in record.getMessage()]
    assert len(told) == len(tokens)
    assert all(any(id in line for line in told) for id in (secret, foreign, synced, NOBODY))


async def test_without_a_licence_nobody_is_in_a_group(place: Place, make: Made) -> None:
    finance = place.server.group("finance", place.ada)

    assert await make().held(place.ada, {group(finance)}) == frozenset()


async def test_of_many_people_all_members_are_listed_at_once(place: Place, make: Made) -> None:
    server, platform = place.server, make()
    people = [server.user(f"person{number:03}") for number in range(230)]
    server.join(place.team, *people)
    server.join(place.channel, *people[:220])
    await platform.people(people)
    before = len(server.requests)

    tokens = {channel(place.channel), team(place.team)}
    held = [await platform.held(person, tokens) for person in people]

    assert held == [tokens] * 220 + [{team(place.team)}] * 10
    assert len(server.requests) - before == 2 * (ASKED_SINGLY + 2)


async def test_a_token_that_cannot_be_looked_up_now_is_no_answer(place: Place, make: Made, without_waits: None) -> None:
    platform = make()
    await platform.people([place.ada])
    place.server.fault(lambda: refusal(500), times=10, of="/members/")
    with pytest.raises(PlatformUnavailable):
        await platform.held(place.ada, {channel(place.channel), team(place.team)})
    place.server.faults.clear()
    place.server.fault(lambda: refusal(401), of="/members/")
    with pytest.raises(PlatformRefused, match="token"):
        await platform.held(place.ada, {channel(place.channel)})


# Who reads along


async def test_all_people_of_a_channel_are_its_members_without_bots_and_the_deactivated(
    place: Place, make: Made
) -> None:
    server = place.server
    gone, helper, guest = (
        server.user("gone", delete_at=1), server.user("helper", is_bot=True), server.user("g", roles="system_guest"),
    )  # fmt: skip
    server.join(place.channel, gone, helper, guest)

    assert await _members(make(), place.spot("")) == {place.ada, place.bob, guest}
    direct = server.direct(place.ada, server.bot)
    assert await _members(make(), place.spot("", channel=direct, direct=True)) == {place.ada}


async def test_who_reads_along_cannot_be_told_of_some_channels(place: Place, make: Made) -> None:
    server = place.server
    shared = server.channel(place.team, "shared", shared=True)
    foreign = server.channel(place.team, "foreign", "P")
    server.members[foreign] = {place.ada}

    for id in (shared, foreign, NOBODY, "nothing"):
        assert await make().members(place.spot("", channel=id)) is None


async def test_of_too_many_nobody_is_told(place: Place, make: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    server = place.server
    server.join(place.channel, *(server.user(f"person{number}") for number in range(450)))
    monkeypatch.setattr("bot.platforms.mattermost.membership.MOST_MEMBERS", 400)

    assert MOST_MEMBERS == 10_000
    assert await make().members(place.spot("")) is None


@pytest.mark.parametrize("leaver", ["a", "person100"])
async def test_nobody_slips_through_while_somebody_leaves_between_two_pages(
    place: Place, make: Made, leaver: str
) -> None:
    server = place.server
    people = {f"person{number:03}": server.user(f"person{number:03}") for number in range(420)}
    people["a"] = server.user("a")
    server.join(place.channel, *people.values())
    left = False

    def after(request: str) -> None:
        nonlocal left
        if not left and "in_channel" in request and "page=0" in request:
            left = True
            server.members[place.channel] -= {people[leaver]}

    server.after = after

    members = await make().members(place.spot(""))

    assert left
    assert members is not None
    assert members | {people[leaver]} == {*people.values(), place.ada, place.bob}


# People and their addresses


async def test_many_people_are_known_at_once_and_whoever_is_not_is_no_member(place: Place, make: Made) -> None:
    platform = make()
    people = [place.server.user(f"person{number}") for number in range(150)]

    found = await platform.people([*people, NOBODY, "../me"])
    again = await platform.people(people)

    assert len(found) == 152
    assert all(found[id].member for id in people)
    assert not found[NOBODY].member
    assert not found["../me"].member
    assert {id: found[id] for id in people} == again
    assert place.server.asked("/users/ids") == 2


CLOSED = dict.fromkeys(
    (
        "EnableSignUpWithEmail",
        "EnableSignInWithEmail",
        "EnableSignInWithUsername",
        "EnableSignUpWithGitLab",
        "EnableSignUpWithGoogle",
        "EnableSignUpWithOffice365",
        "EnableSignUpWithOpenId",
    ),
    "false",
)
CHECKED = {"RequireEmailVerification": "true"}


@pytest.mark.parametrize(
    ("trust", "config", "known"),
    [
        ("auto", {}, False),
        ("auto", CHECKED, True),
        ("auto", CLOSED | {"EnableLdap": "true"}, True),
        ("auto", CLOSED | {"EnableSaml": "true"}, True),
        ("auto", CLOSED, False),
        ("auto", CLOSED | {"EnableLdap": "true", "EnableSignInWithEmail": "true"}, False),
        ("auto", CLOSED | {"EnableSaml": "true", "EnableSignUpWithOpenId": "true"}, False),
        ("always", {}, True),
        ("always", CHECKED | {"ShowEmailAddress": "false"}, False),
        ("never", CHECKED, False),
    ],
)
async def test_addresses_are_known_where_the_server_vouches_for_them(
    place: Place, make: Made, trust: str, config: dict[str, str], known: bool
) -> None:
    place.server.config |= config
    eve = place.server.user("eve", email="Eve@Example.ORG")

    person = await make(trust_emails=trust).person(eve)

    assert person.email == ("eve@example.org" if known else "")


async def test_what_the_configuration_does_not_say_is_not_trusted_and_told_of_once(
    place: Place, make: Made, caplog: pytest.LogCaptureFixture
) -> None:
    place.server.config = CLOSED | {"ShowEmailAddress": "true", "EnableLdap": "true"}
    del place.server.config["EnableSignUpWithGoogle"]
    people = [place.server.user(f"eve{number}", email=f"eve{number}@example.org") for number in range(3)]
    platform = make()

    assert {person.email for person in (await platform.people(people)).values()} == {""}
    told = [record.getMessage() for record in caplog.records if "e-mail" in record.getMessage()]
    assert len(told) == 1
    assert "Require Email Verification" in told[0]
    assert "eve" not in told[0]


@pytest.mark.parametrize(
    "email",
    ["", "eve", "@example.org", "eve@", "ev\u0435@example.org", "eve@ex\u00e4mple.org", "eve@example.org@x.org",
     "e ve@example.org", '"eve"@example.org', "\u212aeve@example.org", "e" * 260 + "@example.org", "eve@x.org\x00"],
)  # fmt: skip
async def test_what_is_no_plain_address_is_none(place: Place, make: Made, email: str) -> None:
    """Among them a Cyrillic letter, and the sign of Kelvin, which in lower case is a plain k."""
    eve = place.server.user("eve", email=email)

    assert (await make(trust_emails="always").person(eve)).email == ""


@pytest.mark.parametrize("fields", [{"roles": "system_guest"}, {"remote_id": "r"}, {"is_bot": True}, {"delete_at": 1}])
async def test_guests_and_strangers_have_no_address(place: Place, make: Made, fields: dict[str, Any]) -> None:
    gast = place.server.user("gast", email="ada@example.org", **fields)

    assert (await make(trust_emails="always").person(gast)).email == ""


# How soon it is noticed


async def test_who_joins_and_leaves_a_channel_is_noticed_at_once(place: Place, make: Made, ears: Ears) -> None:
    platform, server, cleo = make(), place.server, place.server.user("cleo")
    server.join(place.team, cleo)
    spot, token = place.spot(""), channel(place.channel)
    async with heard(platform, ears) as watcher:
        assert await _members(platform, spot) == {place.ada, place.bob}
        assert await platform.held(cleo, {token}) == frozenset()

        server.join(place.channel, cleo)
        await watcher.until(lambda change: change == Change(person=cleo, channel=place.channel))
        assert await _members(platform, spot) == {place.ada, place.bob, cleo}
        assert await platform.held(cleo, {token}) == {token}

        watcher.changes.clear()
        server.leave(place.channel, cleo)
        await watcher.until(lambda change: change == Change(person=cleo, channel=place.channel))
        assert await _members(platform, spot) == {place.ada, place.bob}
        assert await platform.held(cleo, {token}) == frozenset()


@pytest.mark.parametrize("listed", [True, False])
async def test_who_leaves_a_team_is_noticed_at_once_in_its_channels_too(
    place: Place, make: Made, ears: Ears, listed: bool
) -> None:
    platform, tokens = make(), {team(place.team), channel(place.channel)}
    async with heard(platform, ears) as watcher:
        for _ in range(ASKED_SINGLY + 1 if listed else 0):
            await platform.held(place.bob, tokens)
        assert await platform.held(place.ada, tokens) == tokens
        assert await _members(platform, place.spot("")) == {place.ada, place.bob}

        place.server.leave(place.team, place.ada)
        await watcher.until(lambda change: change.person == place.ada)

        assert await platform.held(place.ada, tokens) == frozenset()
        assert await _members(platform, place.spot("")) == {place.bob}


async def test_a_team_that_is_told_to_be_left_before_it_is_left_is_asked_about_again(
    place: Place, make: Made, ears: Ears
) -> None:
    clock = Clock()
    platform, token = make(clock=clock), team(place.team)
    async with heard(platform, ears) as watcher:
        clock.seconds += 60
        await platform.held(place.ada, {token})
        place.server.publish("leave_team", {"user_id": place.ada, "team_id": place.team}, to={place.server.bot})
        await watcher.until(lambda change: change.person == place.ada)
        assert await platform.held(place.ada, {token}) == {token}  # she is still in it

        place.server.members[place.team] -= {place.ada}
        clock.seconds += SETTLING_SECONDS

        assert await platform.held(place.ada, {token}) == frozenset()


async def test_what_only_the_person_is_told_is_noticed_when_it_has_grown_old(
    place: Place, make: Made, ears: Ears
) -> None:
    clock, server = Clock(), place.server
    server.groups_licensed = True
    finance, elsewhere = server.group("finance"), server.team("elsewhere")
    platform, tokens = make(clock=clock), {group(finance), team(elsewhere)}
    async with heard(platform, ears):
        assert await platform.held(place.ada, tokens) == frozenset()
        server.enroll(finance, place.ada)
        server.join(elsewhere, place.ada)
        clock.seconds += 150
        assert await platform.held(place.ada, tokens) == tokens
        server.expel(finance, place.ada)
        clock.seconds += 149
        assert group(finance) in await platform.held(place.ada, tokens)
        clock.seconds += 1
        assert await platform.held(place.ada, tokens) == {team(elsewhere)}


async def test_a_group_that_is_told_of_is_asked_about_again(place: Place, make: Made, ears: Ears) -> None:
    """Mattermost tells the person; where a bot is told too it is heard."""
    server = place.server
    server.groups_licensed = True
    finance = server.group("finance", place.ada)
    platform = make()
    async with heard(platform, ears) as watcher:
        assert await platform.held(place.ada, {group(finance)}) == {group(finance)}
        server.expel(finance, place.ada)
        server.publish("received_group", {"group": "{}"}, to={server.bot})
        await watcher.until(lambda change: change == Change())

        assert await platform.held(place.ada, {group(finance)}) == frozenset()


async def test_who_becomes_a_guest_is_noticed_at_once(place: Place, make: Made, ears: Ears) -> None:
    platform = make(trust_emails="always")
    place.server.users[place.ada]["email"] = "ada@example.org"
    async with heard(platform, ears) as watcher:
        assert (await platform.person(place.ada)).email == "ada@example.org"
        assert not (await platform.room(place.spot(""))).outsiders

        place.server.demote(place.ada)
        await watcher.until(lambda change: change.person == place.ada)

        person = await platform.person(place.ada)
        assert (person.member, person.email) == (False, "")
        assert (await platform.room(place.spot(""))).outsiders
        assert await platform.held(place.ada, {channel(place.ada)}) == frozenset()


async def test_who_is_deactivated_is_noticed_at_once(place: Place, make: Made, ears: Ears) -> None:
    platform, token = make(), channel(place.channel)
    async with heard(platform, ears) as watcher:
        assert await platform.held(place.ada, {token}) == {token}
        assert await _members(platform, place.spot("")) == {place.ada, place.bob}

        place.server.deactivate(place.ada)
        await watcher.until(lambda change: change == Change())

        assert not (await platform.person(place.ada)).member
        assert await platform.held(place.ada, {token}) == frozenset()
        assert await _members(platform, place.spot("")) == {place.bob}


async def test_a_server_that_stops_checking_addresses_is_not_trusted_from_then_on(
    place: Place, make: Made, ears: Ears
) -> None:
    platform = make()
    place.server.users[place.ada]["email"] = "ada@example.org"
    place.server.config |= CHECKED
    async with heard(platform, ears) as watcher:
        assert (await platform.person(place.ada)).email == "ada@example.org"
        place.server.config["RequireEmailVerification"] = "false"
        place.server.publish("config_changed", {"config": {}}, to={place.server.bot})
        await watcher.until(lambda change: change == Change())

        assert (await platform.person(place.ada)).email == ""


async def test_a_connection_that_is_not_resumed_drops_all_that_is_kept(place: Place, make: Made, ears: Ears) -> None:
    platform, token = make(), channel(place.channel)
    async with heard(platform, ears) as watcher:
        assert await platform.held(place.ada, {token}) == {token}
        place.server.disconnect(resumable=False)
        place.server.members[place.channel] -= {place.ada}  # which nobody tells
        await watcher.until(lambda change: change == Change())

        assert await platform.held(place.ada, {token}) == frozenset()


async def test_a_connection_that_is_resumed_drops_only_what_has_changed(place: Place, make: Made, ears: Ears) -> None:
    platform, token = make(), channel(place.channel)
    async with heard(platform, ears) as watcher:
        await platform.people([place.ada, place.bob])
        place.server.disconnect()
        place.server.leave(place.channel, place.ada)
        await watcher.until(lambda change: change.person == place.ada)
        asked = place.server.asked("/users/ids")

        assert await platform.held(place.ada, {token}) == frozenset()
        await platform.people([place.bob])
        assert place.server.asked("/users/ids") == asked + 1  # for Ada
        assert Change() not in watcher.changes


async def test_a_gap_in_the_numbers_drops_all_that_is_kept(place: Place, make: Made, ears: Ears) -> None:
    platform, token = make(), channel(place.channel)
    async with heard(platform, ears) as watcher:
        assert await platform.held(place.ada, {token}) == {token}
        (connection,) = place.server.hub.connections
        place.server.leave(place.channel, place.ada)
        assert connection.next()  # is sent to nobody
        place.say("two")
        await watcher.until(lambda change: change == Change())

        assert await platform.held(place.ada, {token}) == frozenset()


async def test_what_is_answered_while_a_change_comes_is_not_kept(place: Place, make: Made, ears: Ears) -> None:
    """Whichever of the two arrives first."""
    platform, token = make(), channel(place.channel)

    def after(request: str) -> None:
        if f"/members/{place.ada}" in request and place.ada in place.server.members[place.channel]:
            place.server.leave(place.channel, place.ada)

    async with heard(platform, ears) as watcher:
        place.server.after = after
        assert await platform.held(place.ada, {token}) == {token}
        await watcher.until(lambda change: change.person == place.ada)

        assert await platform.held(place.ada, {token}) == frozenset()


async def test_a_change_is_heard_although_messages_before_it_cannot_be_kept_yet(
    place: Place, make: Made, ears: Ears
) -> None:
    """A database that is slow holds up messages, and nothing about who may read them."""
    platform, token = make(), channel(place.channel)
    stuck, go_on = asyncio.Event(), asyncio.Event()

    async def slow(event: Any) -> Any:
        stuck.set()
        await go_on.wait()
        return await ears(event)

    async with heard(platform, slow) as watcher:  # type: ignore[arg-type]
        assert await platform.held(place.ada, {token}) == {token}
        place.say("one")
        async with asyncio.timeout(PATIENCE):
            await stuck.wait()
        place.server.leave(place.channel, place.ada)
        await watcher.until(lambda change: change.person == place.ada)

        assert await platform.held(place.ada, {token}) == frozenset()
        assert ears.heard == []
        go_on.set()


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("user_added", {}),
        ("user_added", {"user_id": 7, "channel_id": ["x"]}),
        ("user_updated", {"user": "nobody"}),
        ("user_updated", {"user": {"id": None}}),
        ("leave_team", {"user_id": "", "team_id": "x"}),
        ("group_member_add", {"group_member": "{"}),
        ("group_member_deleted", {"group_member": '{"user_id": "x"}'}),
        ("channel_member_updated", {"channelMember": "[]"}),
        ("memberrole_updated", {}),
        ("user_activation_status_change", {}),
    ],
)
async def test_an_event_that_does_not_say_whom_it_is_about_is_about_anybody(
    place: Place, make: Made, ears: Ears, event: str, data: dict[str, object]
) -> None:
    platform = make()
    async with heard(platform, ears) as watcher:
        server = place.server
        for connection in server.hub.connections:
            broadcast = {"omit_users": None, "user_id": "", "channel_id": "", "team_id": "", "connection_id": ""}
            connection.waiting.append({"event": event, "data": data, "broadcast": broadcast})
            connection.news.set()
        await watcher.until(lambda change: change == Change())
