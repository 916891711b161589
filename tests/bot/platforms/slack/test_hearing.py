"""What the adapter hears on a fake of Slack, by either mode."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.platforms.events import Commanded, Deleted, Edited, Pointed, Pressed, Said, Stopped
from bot.platforms.interface import Form, Receipt
from bot.platforms.slack.convert import SHORTCUT
from tests.bot.platforms.slack.conftest import DOWN, UP, Bot, post, seen, spot
from tests.fakes.slack import OWN_USER, Slack
from tests.fakes.slack import screen as on_screen
from tests.fakes.slack.http_delivery import signed
from tests.fixtures.serving import served

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


async def test_a_mention_is_heard_twice_under_one_key(bot: Bot, slack: Slack, ops: str) -> None:
    async with bot.at_work():
        slack.say(ops, f"<@{OWN_USER}> where is <@UBOB>?")
        await bot.heard(2)

    assert len({event.key for event in bot.events}) == 1
    assert isinstance(bot.events[0], Said)
    assert bot.events[0].text == "where is @Bob?"


async def test_what_is_not_kept_is_delivered_again(bot: Bot, slack: Slack, ops: str) -> None:
    bot.failures = 2
    async with bot.at_work(connections=1):
        slack.say(ops, "Hello")
        slack.outbox.ack_seconds = 0.05
        async with asyncio.timeout(10):
            while not bot.events:
                slack.clock += 5
                await asyncio.sleep(0.02)
        await slack.outbox.idle()

    assert [event.key for event in bot.events] == [bot.events[0].key]


async def test_an_event_is_acknowledged_only_when_it_is_kept(bot: Bot, slack: Slack, ops: str) -> None:
    keeping, kept = asyncio.Event(), asyncio.Event()

    async def receive(event: object) -> Receipt:
        keeping.set()
        await kept.wait()
        return Receipt()

    bot.receive = receive  # type: ignore[method-assign]
    async with bot.at_work():
        slack.say(ops, "Hello")
        await keeping.wait()
        assert not slack.outbox.delivered
        kept.set()
        await slack.outbox.idle()

    assert len(slack.outbox.delivered) == 1


async def test_edits_and_deletions_are_heard(bot: Bot, slack: Slack, ops: str) -> None:
    async with bot.at_work():
        message = slack.say(ops, "old")
        await slack.outbox.idle()
        slack.unfurl(ops, message)
        slack.edit(ops, message, "new")
        await slack.outbox.idle()
        slack.delete(ops, message)
        await bot.heard(3)

    _, edited, deleted = bot.events
    assert isinstance(edited, Edited)
    assert edited.said.text == "new"
    assert isinstance(deleted, Deleted)


async def test_nothing_that_a_bot_does_is_heard_and_all_of_it_is_acknowledged(bot: Bot, slack: Slack, ops: str) -> None:
    async with bot.at_work() as platform:
        slack.say_as_bot(ops, f"<@{OWN_USER}> hello")
        slack.say_as_bot(ops, "hello", classic=True)
        slack.join(ops, "UGUEST")
        (own,) = await platform.show(spot(slack, ops, ""), post("Hello"))
        await platform.change(spot(slack, ops, ""), [own], post("Hello again"))
        await platform.remove(spot(slack, ops, ""), [own])
        await slack.outbox.idle()

    assert not bot.events
    assert not slack.outbox.lost
    assert not slack.outbox.waiting


async def test_a_command_is_answered_at_once_to_whoever_typed_it(bot: Bot, slack: Slack, ops: str) -> None:
    bot.receipt = Receipt(text="Searching <3 sources>…")
    async with bot.at_work():
        interaction = await slack.command(ops, "/ask", "How much leave?", by="UADA")

    assert await on_screen.receipt(slack, interaction) == "Searching <3 sources>…"
    (commanded,) = bot.events
    assert isinstance(commanded, Commanded)
    assert (commanded.text, commanded.by, commanded.spot.thread) == ("How much leave?", "UADA", "")


async def test_a_shortcut_and_a_reaction_point_at_a_message(bot: Bot, slack: Slack, ops: str) -> None:
    async with bot.at_work():
        message = slack.say(ops, "How much leave?")
        await bot.heard(1)
        await slack.shortcut(ops, message, SHORTCUT, by="UBOB")
        slack.react(ops, message, "question", by="UBOB")
        slack.react(ops, message, "eyes", by="UBOB")
        await bot.heard(3)
        await slack.outbox.idle()

    _, first, second = bot.events
    assert isinstance(first, Pointed)
    assert isinstance(second, Pointed)
    assert first.key == second.key
    assert len(bot.events) == 3


async def test_a_press_is_thanked_for_and_opens_the_form(bot: Bot, slack: Slack, ops: str) -> None:
    async with bot.at_work() as platform:
        question = slack.say(ops, "How much leave?")
        (answer,) = await platform.show(spot(slack, ops, question), post("Thirty days.", buttons=(UP, DOWN)))
        await bot.heard(1)

        bot.receipt = Receipt(text="Thank you!")
        up = await slack.press(ops, answer, "souffleur_feedback", by="UADA", side="positive")
        assert await on_screen.receipt(slack, up) == "Thank you!"

        bot.receipt = Receipt(form=Form(title="What is wrong?", label="Why", submit="Send", value="signed-again"))
        down = await slack.press(ops, answer, "souffleur_feedback", by="UADA", side="negative")
        assert await on_screen.receipt(slack, down) == "What is wrong?"

        bot.receipt = Receipt(text="Noted.")
        await slack.submit("It is out of date", by="UADA")
        await bot.heard(4)
        async with asyncio.timeout(10):
            while not any("Noted." in text for text in seen(slack, ops, question)):
                await slack.changed()

    _, first, second, sent = bot.events
    assert isinstance(first, Pressed)
    assert isinstance(second, Pressed)
    assert isinstance(sent, Pressed)
    assert (first.value, first.message, first.spot.thread) == ("signed-up", answer, question)
    assert second.value == "signed-down"
    assert (sent.value, sent.remark, sent.message) == ("signed-again", "It is out of date", answer)
    assert sent.spot == second.spot
    assert not slack.faults()


async def test_the_native_stop_is_heard(bot: Bot, slack: Slack, ops: str) -> None:
    async with bot.at_work() as platform:
        question = slack.say(ops, "How much leave?")
        await bot.heard(1)
        async with platform.draft(
            spot(slack, ops, question), asker="UADA", language="en", stop=None, posted=_ignored
        ) as draft:
            await draft.status("Searching…")
            async with asyncio.timeout(10):
                while not on_screen.status(slack, ops, question):
                    await slack.changed()
            slack.stop(ops, question, by="UADA")
            await bot.heard(2)

    stopped = bot.events[1]
    assert isinstance(stopped, Stopped)
    assert (stopped.spot.thread, stopped.by) == (question, "UADA")


async def _ignored(message: str) -> None:
    pass


async def test_whoever_opens_the_messages_is_offered_questions_in_their_language(bot: Bot, slack: Slack) -> None:
    slack.users["UADA"]["locale"] = "de-DE"
    async with bot.at_work():
        slack.open_home("UADA")
        async with asyncio.timeout(10):
            while not slack.prompts:
                await slack.changed()

    assert [prompt["message"] for prompt in slack.prompts[slack.direct("UADA")]] == [
        "de:chat-prompt-1",
        "de:chat-prompt-2",
        "de:chat-prompt-3",
    ]
    assert not bot.events


@asynccontextmanager
async def by_http(bot: Bot, slack: Slack) -> AsyncIterator[str]:
    """The bot at work in HTTP mode, at the address that is handed out."""
    async with bot.at_work(mode="http") as platform, served(Starlette(routes=list(platform.routes)), 0) as port:
        yield f"http://127.0.0.1:{port}/slack/events"


async def test_everything_is_heard_by_http_too(bot: Bot, slack: Slack, ops: str) -> None:
    async with by_http(bot, slack) as url, slack.posting_to(url):
        message = slack.say(ops, "Hello")
        await bot.heard(1)
        bot.receipt = Receipt(text="Searching…")
        interaction = await slack.command(ops, "/ask", "How much leave?", by="UADA")
        assert await on_screen.receipt(slack, interaction) == "Searching…"
        await slack.shortcut(ops, message, SHORTCUT, by="UBOB")

    assert [type(event) for event in bot.events] == [Said, Commanded, Pointed]


async def test_a_request_that_is_not_signed_by_slack_is_refused(bot: Bot, slack: Slack) -> None:
    body = json.dumps({"type": "event_callback", "event": {"type": "message"}}).encode()
    now = int(time.time())
    good = signed(SECRET, body, at=now)
    async with by_http(bot, slack) as url, httpx.AsyncClient() as client:
        wrong: list[dict[str, Any]] = [
            {},
            signed("another", body, at=now),
            signed(SECRET, body, at=now - 600),
            signed(SECRET, b"else", at=now),
            good | {"X-Slack-Request-Timestamp": "soon"},
            good | {"X-Slack-Signature": b"v0=\xe9"},
        ]
        statuses = [(await client.post(url, content=body, headers=headers)).status_code for headers in wrong]
        assert statuses == [401] * len(wrong)
        assert (await client.post(url, content=b"x" * 2_000_000, headers=good)).status_code == 413
        json_headers = good | {"Content-Type": "application/json"}
        assert (await client.post(url, content=body, headers=json_headers)).status_code == 200

    assert not bot.events


async def test_slacks_check_of_the_address_is_answered(bot: Bot, slack: Slack) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c-42"}).encode()
    async with by_http(bot, slack) as url, httpx.AsyncClient() as client:
        headers = signed(SECRET, body, at=int(time.time())) | {"Content-Type": "application/json"}
        answer = await client.post(url, content=body, headers=headers)

    assert "c-42" in answer.text


def test_socket_mode_mounts_nothing(bot: Bot) -> None:
    assert not bot.platform().routes


async def test_what_cannot_be_read_is_dropped_and_acknowledged(
    bot: Bot, slack: Slack, ops: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with bot.at_work():
        slack.outbox.put("events_api", {"type": "event_callback", "event": {"type": "message", "user": "UADA"}})
        press = {"type": "block_actions", "channel": {"id": "C1"}, "actions": [{"action_id": "souffleur_again"}]}
        slack.outbox.put("interactive", press)
        await slack.outbox.idle()

    assert not bot.events
    assert not slack.outbox.lost
    assert len([record for record in caplog.records if "is dropped" in record.message]) == 2


async def test_what_bolt_itself_cannot_read_ends_nothing(bot: Bot, slack: Slack, ops: str) -> None:
    async with bot.at_work(connections=1):
        slack.outbox.put("interactive", {"type": "block_actions", "actions": 7})
        slack.say(ops, "Hello")
        await bot.heard(1)
