"""How the adapter stays connected to a fake of Slack, and what it makes up for after it was not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from bot.platforms.events import Deleted, Edited, Said
from bot.platforms.interface import PlatformRefused
from bot.platforms.slack.platform import SlackPlatform
from bot.platforms.slack.settings import SlackSettings
from ingest.errors import ConfigurationError
from tests.bot.platforms.slack.conftest import Bot, spot
from tests.fakes.slack import OWN_USER, Slack, refusing


async def until(seen: Callable[[], object]) -> None:
    """Return when `seen`; for what nothing tells of."""
    async with asyncio.timeout(10):
        while not seen():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_new_bot_owes_no_answers(bot: Bot, slack: Slack, ops: str) -> None:
    slack.say(ops, "Long ago")
    slack.outbox.forget()
    async with bot.at_work():
        await slack.outbox.idle()

    assert not bot.events


async def test_what_was_said_while_it_was_down_is_heard_afterwards(bot: Bot, slack: Slack, ops: str) -> None:
    direct = slack.direct("UADA")
    root = slack.say(ops, "An old thread")
    async with bot.at_work():
        pass
    slack.outbox.forget()
    slack.clock += 3600
    slack.say(ops, f"<@{OWN_USER}> in the channel")
    slack.say(direct, "in a direct message")
    slack.say(ops, "in the old thread", thread=root)
    new = slack.say(ops, "a new thread")
    slack.say(ops, "in the new thread", thread=new)
    slack.say_as_bot(ops, "a bot")
    bot.notes.spots = [spot(slack, ops, root)]
    bot.events.clear()

    async with bot.at_work():
        heard = {event.text for event in bot.events if isinstance(event, Said)}

    assert {"in the channel", "in a direct message", "in the old thread", "a new thread", "in the new thread"} <= heard
    assert "a bot" not in heard


async def test_a_gap_is_made_up_for(bot: Bot, slack: Slack, ops: str) -> None:
    async with bot.at_work() as platform:
        slack.say(ops, "before")
        await bot.heard(1)
        slack.disconnect(resumable=False)
        slack.say(ops, "meanwhile")
        async with asyncio.timeout(10):
            while not any(isinstance(event, Said) and event.text == "meanwhile" for event in bot.events):
                await bot.heard(len(bot.events) + 1)
            await platform.connected.wait()


async def test_what_was_changed_or_deleted_meanwhile_is_found_in_the_threads_of_the_bot(
    bot: Bot, slack: Slack, ops: str
) -> None:
    changed, bare, talked = (slack.say(ops, text) for text in ("first", "to go", "to go from its replies"))
    slack.say(ops, "a reply", thread=talked)
    async with bot.at_work():
        bot.notes.spots = [spot(slack, ops, message) for message in (changed, bare, talked)]
        bot.notes.kept = {name: str(slack.clock) for name in bot.notes.kept}
    slack.clock += 3600
    slack.outbox.forget()
    slack.edit(ops, changed, "second")
    for message in (bare, talked):
        slack.delete(ops, message)
    bot.events.clear()

    async with bot.at_work():
        missed = [event for event in bot.events if not isinstance(event, Said)]

    assert {event.key for event in missed if isinstance(event, Deleted)} == {
        f"deleted/{spot(slack, ops, bare).key_of(message)}" for message in (bare, talked)
    }
    assert {event.said.text for event in missed if isinstance(event, Edited)} == {"second"}


async def test_one_of_two_connections_is_enough(bot: Bot, slack: Slack, ops: str) -> None:
    async with bot.at_work() as platform:
        await until(lambda: len(slack.socket_mode.connections) == 2)
        first, _ = slack.socket_mode.connections
        slack.socket_mode.cut(first)
        assert platform.connected.is_set()
        slack.say(ops, "Hello")
        await bot.heard(1)


async def test_a_connection_is_replaced_when_slack_asks_for_it(bot: Bot, slack: Slack, ops: str) -> None:
    async with bot.at_work(connections=1):
        (first,) = slack.socket_mode.connections
        await slack.socket_mode.ask_to_leave(first)
        await until(lambda: slack.socket_mode.connections not in ([first], []))
        slack.say(ops, "Hello")
        await bot.heard(1)


async def test_connecting_is_tried_again_for_ever_and_both_outage_and_end_are_told_once(
    bot: Bot, slack: Slack, ops: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with bot.at_work(connections=1):
        slack.script(*[refusing("invalid_auth")] * 5, on="apps.connections.open")
        slack.socket_mode.cut(slack.socket_mode.connections[0])
        slack.say(ops, "Hello")
        await bot.heard(1)

    told = [record for record in caplog.records if record.name == "bot.platforms.slack.socket"]
    away, back = [record.getMessage() for record in told if record.levelno >= logging.WARNING]
    assert "SOUFFLEUR_SLACK_APP_TOKEN" in away
    assert back == "slack: connected again"
    assert not any("xapp-1" in record.message or "ticket" in record.message for record in caplog.records)


async def test_an_app_token_that_is_not_taken_ends_it_at_the_start(bot: Bot, slack: Slack) -> None:
    slack.script(*[refusing("invalid_auth")] * 2, on="apps.connections.open")
    platform = bot.platform()
    with pytest.raises(PlatformRefused, match="SOUFFLEUR_SLACK_APP_TOKEN"):
        await platform.run(bot.receive, bot.notes)
    await platform.close()


async def test_tokens_that_changed_places_are_told_apart(bot: Bot, slack: Slack) -> None:
    slack.script(refusing("not_allowed_token_type"), on="auth.test")
    platform = bot.platform()
    with pytest.raises(PlatformRefused, match="BOT_TOKEN begins with xoxb-"):
        await platform.run(bot.receive, bot.notes)
    await platform.close()


async def test_a_token_that_is_not_taken_ends_it_at_the_start(bot: Bot, slack: Slack) -> None:
    slack.revoked = "token_revoked"
    platform = bot.platform()
    with pytest.raises(PlatformRefused, match="SOUFFLEUR_SLACK_BOT_TOKEN"):
        await platform.run(bot.receive, bot.notes)
    await platform.close()


@pytest.mark.parametrize(
    ("mode", "missing"), [("socket", "SOUFFLEUR_SLACK_APP_TOKEN"), ("http", "SOUFFLEUR_SLACK_SIGNING_SECRET")]
)
def test_a_missing_secret_is_named(mode: Any, missing: str) -> None:
    with pytest.raises(ConfigurationError, match=missing):
        SlackPlatform(SlackSettings(mode=mode, bot_token=SecretStr("xoxb")), say=lambda *_, **__: "", languages=["en"])
