"""What is known of people, groups and channels is dropped at every change that is heard of, and told to who watches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.platforms.events import Event, Said
from bot.platforms.interface import Change, Receipt
from bot.platforms.slack.holdings import MOST_LISTED
from bot.platforms.slack.platform import SlackPlatform
from tests.bot.platforms.slack.conftest import SECONDS, Bot, spot
from tests.fakes.slack import BOT_SCOPES, OWN_USER, Slack, failing
from tests.fakes.slack.events import tell

SIGHTED = BOT_SCOPES | {"groups:read"}


class Watched:
    """The bot at work, with Ada's address and every change that is told."""

    def __init__(self, bot: Bot, platform: SlackPlatform, ops: str) -> None:
        self.bot = bot
        self.slack = bot.slack
        self.platform = platform
        self.ops = spot(self.slack, ops, "")
        self.changes: list[Change] = []
        platform.watch(self.changes.append)

    async def told(self) -> list[Change]:
        """What has been told since the last call, once everything is delivered."""
        await self.slack.outbox.idle()
        told, self.changes[:] = [*self.changes], []
        return told

    async def members(self) -> frozenset[str] | None:
        return await self.platform.members(self.ops)

    async def outsiders(self) -> bool:
        return (await self.platform.room(self.ops)).outsiders

    async def holds(self, token: str, person: str = "UADA") -> bool:
        return token in await self.platform.held(person, {token})


@pytest.fixture
async def watched(bot: Bot, slack: Slack, ops: str) -> AsyncIterator[Watched]:
    slack.users["UADA"]["profile"]["email"] = "ada@example.org"
    async with bot.at_work(connections=1) as platform:
        yield Watched(bot, platform, ops)


async def test_who_comes_into_a_channel_or_leaves_it_is_known_at_once(watched: Watched, ops: str) -> None:
    assert await watched.members() == {"UADA", "UBOB"}
    assert await watched.holds(f"slack:{ops}")

    watched.slack.join(ops, "UGUEST")
    assert await watched.told() == [Change(person="UGUEST", channel=ops)]
    assert await watched.members() == {"UADA", "UBOB", "UGUEST"}
    assert await watched.outsiders()

    watched.slack.leave(ops, "UGUEST")
    watched.slack.leave(ops, "UADA")
    assert await watched.told() == [Change(person="UGUEST", channel=ops), Change(person="UADA", channel=ops)]
    assert await watched.members() == {"UBOB"}
    assert not await watched.outsiders()
    assert not await watched.holds(f"slack:{ops}")


async def test_who_comes_into_a_user_group_or_leaves_it_is_known_at_once(watched: Watched) -> None:
    watched.slack.group("S1")
    assert await watched.told() == [Change()]
    assert not await watched.holds("slack:S1")

    watched.slack.join_group("S1", "UADA")
    assert set(await watched.told()) == {Change()}
    assert await watched.holds("slack:S1")

    watched.slack.leave_group("S1", "UADA")
    assert set(await watched.told()) == {Change()}
    assert not await watched.holds("slack:S1")


async def test_a_user_group_that_is_disabled_holds_nobody_from_then_on(watched: Watched) -> None:
    watched.slack.group("S1", "UADA")
    await watched.told()
    assert await watched.holds("slack:S1")

    watched.slack.disable_group("S1")
    assert await watched.told() == [Change()]
    assert not await watched.holds("slack:S1")


async def test_who_becomes_a_guest_holds_nothing_any_more_and_is_an_outsider(watched: Watched, ops: str) -> None:
    assert await watched.holds(f"slack:{ops}")
    assert not await watched.outsiders()

    watched.slack.alter("UADA", is_restricted=True)

    assert await watched.told() == [Change(person="UADA")]
    assert not (await watched.platform.person("UADA")).member
    assert await watched.platform.held("UADA", {f"slack:{ops}", "slack:UADA"}) == frozenset()
    assert await watched.outsiders()


async def test_who_is_deactivated_reads_nothing_and_a_guest_who_is_let_in_again_does(watched: Watched) -> None:
    watched.slack.alter("UBOB", is_restricted=True, deleted=True)
    await watched.told()
    assert await watched.members() == {"UADA"}
    assert not await watched.outsiders()

    watched.slack.alter("UBOB", deleted=False)
    assert await watched.told() == [Change(person="UBOB")]
    assert await watched.members() == {"UADA", "UBOB"}
    assert await watched.outsiders()


async def test_an_address_that_changed_is_not_held_any_more(watched: Watched) -> None:
    assert (await watched.platform.person("UADA")).email == "ada@example.org"

    watched.slack.alter("UADA", profile={"email": "ada@example.com"})

    assert await watched.told() == [Change(person="UADA")]
    assert (await watched.platform.person("UADA")).email == "ada@example.com"


async def test_a_status_is_no_change(watched: Watched) -> None:
    await watched.platform.person("UADA")

    watched.slack.alter("UADA", profile={"status_text": "In a meeting"})

    assert await watched.told() == []
    await watched.platform.person("UADA")
    assert len(watched.slack.called("users.info")) == 1


async def test_a_change_of_somebody_of_whom_nothing_is_kept_is_told_all_the_same(watched: Watched) -> None:
    """Whoever watches may keep what was worked out of it a little longer."""
    watched.slack.alter("UADA", is_restricted=True)
    watched.slack.arrive("UCLEO", "Cleo")

    assert await watched.told() == [Change(person="UADA"), Change(person="UCLEO")]


async def test_a_channel_that_is_shared_with_another_company_is_nobodys_from_then_on(
    watched: Watched, ops: str
) -> None:
    assert await watched.members() is not None

    watched.slack.connect(ops)
    assert set(await watched.told()) == {Change(channel=ops)}
    assert await watched.members() is None
    assert await watched.outsiders()

    watched.slack.part(ops)
    assert await watched.told() == [Change(channel=ops)]
    assert await watched.members() == {"UADA", "UBOB"}


async def test_a_message_from_a_shared_channel_tells_that_it_is_shared(watched: Watched, ops: str) -> None:
    """The event that it was shared is on another replica, or never came."""
    assert not await watched.outsiders()
    watched.slack.subscribed.discard("channel_shared")
    watched.slack.connect(ops)
    assert await watched.told() == []

    watched.slack.say(ops, "Hello from afar")

    assert await watched.told() == [Change(channel=ops)]
    assert await watched.outsiders()


async def test_a_channel_that_the_bot_was_removed_from_tells_nothing_any_more(bot: Bot, slack: Slack) -> None:
    room = slack.channel("private", is_private=True, members={OWN_USER, "UADA"})
    async with bot.at_work(connections=1) as platform:
        watched = Watched(bot, platform, room)
        assert await watched.holds(f"slack:{room}")

        slack.leave(room, OWN_USER)

        assert await watched.told() == [Change(channel=room)]
        assert not await watched.holds(f"slack:{room}")
        assert await watched.members() is None
        assert await watched.outsiders()


async def test_a_channel_with_another_id_is_another_channel(watched: Watched, ops: str) -> None:
    assert await watched.holds(f"slack:{ops}")

    watched.slack.renumber(ops, "C999")

    assert await watched.told() == [Change(channel=ops), Change(channel="C999")]
    assert not await watched.holds(f"slack:{ops}")
    assert await watched.holds("slack:C999")


async def test_what_was_archived_is_asked_again_and_still_has_its_members(watched: Watched, ops: str) -> None:
    watched.slack.archive(ops)

    assert await watched.told() == [Change(channel=ops)]
    assert await watched.holds(f"slack:{ops}")


async def test_which_of_many_channels_somebody_is_in_is_asked_again_after_they_left_one_or_the_bot_did(
    bot: Bot, slack: Slack
) -> None:
    rooms = [slack.channel(f"r{n}", is_private=True, members={OWN_USER, "UADA"}) for n in range(MOST_LISTED * 2)]
    tokens = {f"slack:{room}" for room in rooms}
    async with bot.at_work(connections=1) as platform:
        assert await platform.held("UADA", tokens) == tokens

        slack.leave(rooms[0], "UADA")
        await slack.outbox.idle()
        assert await platform.held("UADA", tokens) == tokens - {f"slack:{rooms[0]}"}

        slack.leave(rooms[1], OWN_USER)
        await slack.outbox.idle()
        assert await platform.held("UADA", tokens) == tokens - {f"slack:{room}" for room in rooms[:2]}
        assert len(slack.called("users.conversations")) == 3


async def known(watched: Watched, ops: str) -> dict[str, int]:
    """Ask for everything; how often each method has been called by then."""
    await watched.members()
    await watched.outsiders()
    await watched.platform.held("UADA", {"slack:S1", f"slack:{ops}"})
    methods = ("users.info", "conversations.info", "conversations.members", "usergroups.list")
    return {method: len(watched.slack.called(method)) for method in methods}


async def test_after_a_gap_in_hearing_everything_is_asked_again(watched: Watched, ops: str) -> None:
    before = await known(watched, ops)
    assert before == {"users.info": 2, "conversations.info": 1, "conversations.members": 1, "usergroups.list": 1}
    assert await known(watched, ops) == before
    watched.slack.disconnect(resumable=False)
    watched.slack.leave(ops, "UADA")
    await watched.bot.until_connected(watched.platform)

    assert Change() in await watched.told()
    after = await known(watched, ops)
    assert after == {"users.info": 4, "conversations.info": 2, "conversations.members": 2, "usergroups.list": 2}
    assert await watched.members() == {"UBOB"}


async def test_nothing_that_was_known_before_a_gap_or_learned_in_it_outlives_it(watched: Watched) -> None:
    assert await watched.members() == {"UADA", "UBOB"}
    watched.slack.always(failing(503), on="apps.connections.open")
    watched.slack.disconnect(resumable=False)
    async with asyncio.timeout(SECONDS):
        while watched.platform.connected.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    watched.slack.leave(watched.ops.channel, "UADA")
    assert watched.changes == [Change()]
    assert await watched.members() == {"UBOB"}

    watched.slack.leave(watched.ops.channel, "UBOB")
    watched.slack.always(None, on="apps.connections.open")
    await watched.bot.until_connected(watched.platform)
    assert watched.changes == [Change(), Change()]
    assert await watched.members() == frozenset()


async def test_one_of_two_connections_is_no_gap(bot: Bot, slack: Slack, ops: str) -> None:
    async with bot.at_work(connections=2) as platform:
        async with asyncio.timeout(SECONDS):
            while len(slack.socket_mode.connections) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        watched = Watched(bot, platform, ops)
        slack.socket_mode.cut(slack.socket_mode.connections[0])
        assert await watched.told() == []


@pytest.mark.parametrize(
    "event",
    [
        {"type": "tokens_revoked", "tokens": {"oauth": ["UADA"], "bot": []}},
        {"type": "user_change", "user": "UADA"},
        {"type": "member_joined_channel", "user": "UADA"},
        {"type": "channel_shared"},
    ],
    ids=lambda event: event["type"],
)
async def test_what_cannot_be_read_and_what_is_about_tokens_has_everything_asked_again(
    watched: Watched, ops: str, event: dict[str, Any]
) -> None:
    before = await known(watched, ops)

    tell(watched.slack, None, event["type"], event)

    assert await watched.told() == [Change()]
    assert all(number > before[method] for method, number in (await known(watched, ops)).items())


async def test_when_slack_leaves_events_out_everything_is_asked_again(
    watched: Watched, ops: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = await known(watched, ops)

    watched.slack.outbox.put("events_api", {"type": "app_rate_limited", "team_id": watched.slack.team})

    assert await watched.told() == [Change()]
    assert all(number > before[method] for method, number in (await known(watched, ops)).items())
    assert "too many in an hour" in caplog.text


async def test_a_change_is_told_before_what_is_said_after_it_is_reported(bot: Bot, slack: Slack, ops: str) -> None:
    order: list[Change | str] = []
    outsiders: list[bool] = []

    async def receive(event: Event) -> Receipt:
        if isinstance(event, Said):
            order.append(event.text)
            outsiders.append((await watched.platform.room(event.spot)).outsiders)
        return await heard(event)

    heard, bot.receive = bot.receive, receive  # type: ignore[method-assign]
    async with bot.at_work(connections=1) as platform:
        watched = Watched(bot, platform, ops)
        platform.watch(order.append)
        assert not await watched.outsiders()
        slack.join(ops, "UGUEST")
        slack.say(ops, "Who is here?")
        await bot.heard(1)

    assert order[:2] == [Change(person="UGUEST", channel=ops), "Who is here?"]
    assert outsiders == [True]


class Slow:
    """Answers of one method are made at once, and held back until they are let go."""

    def __init__(self, method: str) -> None:
        self._path = f"/api/{method}"
        self.made = asyncio.Event()
        self.let_go = asyncio.Event()

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def held(scope: Scope, receive: Receive, send: Send) -> None:
            async def later(message: Message) -> None:
                self.made.set()
                await self.let_go.wait()
                await send(message)

            await app(scope, receive, later if scope.get("path") == self._path else send)

        return held


@asynccontextmanager
async def slow_slack(slow: Slow) -> AsyncIterator[tuple[Slack, str]]:
    slack = Slack(scopes=SIGHTED)
    slack.around = slow
    ops = slack.channel("ops", members={OWN_USER, "UADA", "UBOB"})
    slack.group("S1", "UADA")
    async with slack.served():
        yield slack, ops


Ask = Callable[[Watched], Awaitable[Any]]


@pytest.mark.parametrize(
    ("method", "ask", "change", "stale", "fresh"),
    [
        (
            "users.info",
            lambda watched: watched.holds("slack:UADA"),
            lambda watched: watched.slack.alter("UADA", is_restricted=True),
            True,
            False,
        ),
        (
            "conversations.members",
            Watched.members,
            lambda watched: watched.slack.leave(watched.ops.channel, "UADA"),
            {"UADA", "UBOB"},
            {"UBOB"},
        ),
        (
            "conversations.info",
            Watched.outsiders,
            lambda watched: watched.slack.connect(watched.ops.channel),
            False,
            True,
        ),
        (
            "usergroups.list",
            lambda watched: watched.holds("slack:S1"),
            lambda watched: watched.slack.leave_group("S1", "UADA"),
            True,
            False,
        ),
    ],
    ids=["users.info", "conversations.members", "conversations.info", "usergroups.list"],
)
async def test_an_answer_that_a_change_has_overtaken_is_not_kept(
    method: str, ask: Ask, change: Callable[[Watched], None], stale: object, fresh: object
) -> None:
    slow = Slow(method)
    async with slow_slack(slow) as (slack, ops):
        bot = Bot(slack=slack)
        async with bot.at_work(connections=1) as platform, asyncio.timeout(SECONDS):
            watched = Watched(bot, platform, ops)
            await slack.outbox.idle()
            asked = asyncio.ensure_future(ask(watched))
            await slow.made.wait()
            change(watched)
            assert await watched.told()
            slow.let_go.set()

            assert await asked == stale
            assert await ask(watched) == fresh


async def test_the_age_of_an_answer_counts_from_before_it_was_asked_for() -> None:
    slow = Slow("users.info")
    async with slow_slack(slow) as (slack, _):
        bot = Bot(slack=slack)
        platform = bot.platform()
        asked = asyncio.ensure_future(platform.person("UADA"))
        await slow.made.wait()
        bot.clock.ahead += 149
        slow.let_go.set()
        await asked
        await platform.person("UADA")
        assert len(slack.called("users.info")) == 1
        bot.clock.ahead += 2
        await platform.person("UADA")
        assert len(slack.called("users.info")) == 2
        await platform.close()


async def test_what_follows_from_several_answers_is_no_older_than_the_oldest(
    bot: Bot, platform: SlackPlatform, slack: Slack, ops: str
) -> None:
    """A guest whom nobody told of is an outsider once what is kept of them is due, however new the room is."""
    await platform.people({"UADA", "UBOB"})
    slack.users["UADA"]["is_restricted"] = True
    bot.clock.ahead += 100
    assert not (await platform.room(spot(slack, ops, ""))).outsiders

    bot.clock.ahead += 51
    assert (await platform.room(spot(slack, ops, ""))).outsiders


async def test_without_the_scopes_of_events_and_groups_nobody_has_more_and_it_is_told_once(
    bot: Bot, platform: SlackPlatform, slack: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    slack.scopes -= {"usergroups:read", "users:read.email"}
    slack.users["UADA"]["profile"]["email"] = "ada@example.org"
    slack.group("S1", "UADA")

    for _ in range(3):
        assert await platform.held("UADA", {"slack:S1", "slack:UADA"}) == {"slack:UADA"}
        assert (await platform.person("UADA")).email == ""
        bot.clock.ahead += 151

    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len([line for line in told if "usergroups:read" in line]) == 1
    assert len([line for line in told if "users:read.email" in line]) == 1
    assert len(slack.called("usergroups.list")) == 3
