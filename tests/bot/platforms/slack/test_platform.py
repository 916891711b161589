"""The adapter on a fake of Slack: what it hears by either mode, what it makes up for, what it shows and tells."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import RedirectResponse

from bot.platforms.events import Commanded, Deleted, Edited, File, Pointed, Pressed, Said, Spot, Stopped
from bot.platforms.interface import Button, Form, MessageGone, PlatformRefused, PlatformUnavailable, Post, Receipt
from bot.platforms.slack.convert import SHORTCUT
from bot.platforms.slack.platform import SlackPlatform
from bot.platforms.slack.probe import probe
from bot.platforms.slack.settings import SlackSettings
from ingest.errors import ConfigurationError
from tests.bot.platforms.slack.conftest import Bot
from tests.fakes.slack import OWN_USER, Slack, answering, failing, limited, login_page, refusing
from tests.fakes.slack import screen as on_screen
from tests.fakes.slack.http_delivery import signed
from tests.fixtures.serving import served

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"

UP = Button(action="up", label="Good", value="signed-up")
DOWN = Button(action="down", label="Bad", value="signed-down")


@pytest.fixture
def ops(slack: Slack) -> str:
    return next(iter(slack.rooms))


def spot(slack: Slack, channel: str, thread: str) -> Spot:
    return Spot(
        platform="slack", workspace=slack.team, channel=channel, thread=thread, direct=slack.rooms[channel].is_im
    )


def post(text: str, **more: Any) -> Post:
    return Post(text=text, language="en", **more)


def seen(slack: Slack, channel: str, thread: str | None = None, *, by: str = "UADA") -> list[str]:
    return [on_screen.read(slack, message)[0] for message in on_screen.visible(slack, channel, by=by, thread=thread)]


async def until(seen: Callable[[], object]) -> None:
    """Return when `seen`; for what nothing tells of."""
    async with asyncio.timeout(10):
        while not seen():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


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


async def test_a_thread_is_read_with_its_root_and_its_latest_messages(
    bot: Bot, platform: SlackPlatform, slack: Slack, ops: str
) -> None:
    slack.page_size = 7
    root = slack.say(ops, "root", by="UBOB")
    for number in range(20):
        slack.say(ops, f"reply {number}", thread=root)
    await platform.show(spot(slack, ops, root), post("The **answer**."))

    whole = await platform.thread(spot(slack, ops, root))
    latest = await platform.thread(spot(slack, ops, root), limit=3)

    assert [message.text for message in whole] == ["root", *(f"reply {n}" for n in range(20)), "The answer."]
    assert [message.text for message in latest] == ["root", "reply 19", "The answer."]
    assert [(message.name, message.own, message.bot) for message in latest] == [
        ("Bob", False, False),
        ("Ada Lovelace", False, False),
        ("souffleur", True, True),
    ]


async def test_a_message_is_found_with_its_thread(platform: SlackPlatform, slack: Slack, ops: str) -> None:
    root = slack.say(ops, "root")
    reply = slack.say(ops, "reply", thread=root)

    where, found = await platform.message(spot(slack, ops, reply), reply)
    assert (where.thread, found.text) == (root, "reply")

    with pytest.raises(MessageGone):
        await platform.message(spot(slack, ops, root), "1.000001")
    with pytest.raises(MessageGone):
        await platform.thread(spot(slack, ops, "1.000001"))


async def test_people_are_asked_about_once_in_a_few_minutes(bot: Bot, platform: SlackPlatform, slack: Slack) -> None:
    slack.users["UADA"]["locale"] = "fr-FR"
    first = await platform.person("UADA")
    await asyncio.gather(*(platform.person("UADA") for _ in range(5)))
    assert len(slack.called("users.info")) == 1
    bot.clock.ahead += 301
    await platform.person("UADA")

    assert (first.name, first.locale, first.member) == ("Ada Lovelace", "fr", True)
    assert len(slack.called("users.info")) == 2
    assert not (await platform.person("UGUEST")).member
    assert not (await platform.person("UNOBODY")).member


@pytest.mark.parametrize(
    ("members", "more", "outsiders"),
    [
        ({"UADA", "UBOB"}, {}, False),
        ({"UADA", "UGUEST"}, {}, True),
        ({"UADA"}, {"is_ext_shared": True}, True),
        ({"UADA", "U0OTHER"}, {}, False),
    ],
    ids=["members alone", "with a guest", "shared with another company", "with another bot"],
)
async def test_outsiders_in_a_channel_are_known(
    platform: SlackPlatform, slack: Slack, members: set[str], more: dict[str, bool], outsiders: bool
) -> None:
    slack.user("U0OTHER", "ci", is_bot=True)
    channel = slack.channel("room", members={OWN_USER, *members}, **more)

    assert (await platform.room(spot(slack, channel, ""))).outsiders is outsiders


@pytest.mark.parametrize(
    ("flags", "outsiders"),
    [
        ({"is_pending_ext_shared": True}, True),
        ({"is_shared": True}, True),
        ({"is_shared": True, "is_org_shared": True}, False),
    ],
)
async def test_a_channel_that_is_about_to_be_shared_counts_as_shared(
    platform: SlackPlatform, slack: Slack, ops: str, flags: dict[str, bool], outsiders: bool
) -> None:
    shown = slack.rooms[ops].shown() | flags
    slack.always(answering({"ok": True, "channel": shown}), on="conversations.info")

    assert (await platform.room(spot(slack, ops, ""))).outsiders is outsiders


async def test_who_reads_a_large_channel_is_learned_from_the_directory(platform: SlackPlatform, slack: Slack) -> None:
    people = {slack.user(f"UM{number}", f"m{number}") for number in range(80)}
    channel = slack.channel("all", members={OWN_USER, *people})

    assert not (await platform.room(spot(slack, channel, ""))).outsiders
    assert not slack.called("users.info")


async def test_where_it_cannot_be_learned_who_reads_everybody_may_be_an_outsider(
    platform: SlackPlatform, slack: Slack, ops: str
) -> None:
    slack.always(refusing("missing_scope"), on="conversations.members")
    assert (await platform.room(spot(slack, ops, ""))).outsiders


async def test_a_whisper_is_seen_by_one_person_where_they_are(platform: SlackPlatform, slack: Slack, ops: str) -> None:
    await platform.whisper(spot(slack, ops, ""), "UADA", post("For you alone."))

    assert "For you alone." in seen(slack, ops, by="UADA")
    assert "For you alone." not in seen(slack, ops, by="UBOB")


async def test_a_whisper_to_somebody_elsewhere_is_a_direct_message(
    platform: SlackPlatform, slack: Slack, ops: str
) -> None:
    await platform.whisper(spot(slack, ops, ""), "UGUEST", post("For you alone."))

    assert seen(slack, slack.direct("UGUEST"), by="UGUEST") == ["For you alone."]


async def test_a_whisper_answers_a_command_and_is_told_otherwise_when_the_address_is_too_old(
    bot: Bot, slack: Slack, ops: str
) -> None:
    async with bot.at_work() as platform:
        await slack.command(ops, "/ask", "How much leave?", by="UADA")
        (commanded,) = bot.events
        assert isinstance(commanded, Commanded)
        await platform.whisper(commanded.spot, "UADA", post("Thirty."), respond_to=commanded.respond_to)
        assert not slack.called("chat.postEphemeral")
        slack.clock += 3600
        await platform.whisper(commanded.spot, "UADA", post("Thirty!"), respond_to=commanded.respond_to)

    assert seen(slack, ops, by="UADA") == ["Thirty.", "Thirty!"]
    assert seen(slack, ops, by="UBOB") == []


async def test_only_the_owners_of_a_post_are_notified(platform: SlackPlatform, slack: Slack, ops: str) -> None:
    text = "Ada asks: <@UADA> @here <!channel>"
    (message,) = await platform.show(spot(slack, ops, ""), post(text, mention=("UBOB",)))

    assert slack.notified[ops, message] == {"UBOB"}


async def test_a_long_post_is_changed_in_as_many_messages_as_it_takes(
    platform: SlackPlatform, slack: Slack, ops: str
) -> None:
    root = slack.say(ops, "root")
    where = spot(slack, ops, root)
    long = await platform.show(where, post("A paragraph of some words.\n\n" * 800, buttons=(UP, DOWN)))
    assert len(long) > 2

    short = await platform.change(where, long, post("Short."))
    again = await platform.change(where, short, post("A paragraph of some words.\n\n" * 800))

    assert short == long[:1]
    assert again[:1] == short
    assert len(again) == len(long)
    assert not slack.faults()
    await platform.remove(where, [*again, "1.000001"])
    assert seen(slack, ops, root) == ["root"]
    with pytest.raises(MessageGone):
        await platform.change(where, again, post("Gone."))


async def test_a_file_is_read_with_the_token_from_slack_alone(
    platform: SlackPlatform, slack: Slack, ops: str, tmp_path: Path
) -> None:
    id = slack.upload(ops, "plan.pdf", b"%PDF-1.7 plan", media_type="application/pdf")
    url = slack.files[id]["url_private_download"]
    file = File(id=id, name="plan.pdf", media_type="application/pdf", size=13, url=url)
    to = tmp_path / "plan.pdf"

    await platform.download(file, to, max_bytes=100)
    assert to.read_bytes() == b"%PDF-1.7 plan"
    await platform.download(File(id=id, name="plan.pdf", media_type="", size=13), to, max_bytes=100)

    with pytest.raises(PlatformRefused, match="larger"):
        await platform.download(file, to, max_bytes=5)
    lying = File(id=id, name="plan.pdf", media_type="", size=1, url=url)
    with pytest.raises(PlatformRefused, match="larger"):
        await platform.download(lying, to, max_bytes=5)
    elsewhere = File(id="F9", name="x", media_type="", size=1, url="https://files.slack.com.example.org/x")
    with pytest.raises(PlatformRefused, match="not kept by Slack"):
        await platform.download(elsewhere, to, max_bytes=5)
    slack.unshare(id)
    with pytest.raises(MessageGone):
        await platform.download(file, to, max_bytes=100)


async def test_a_login_page_is_no_file(platform: SlackPlatform, slack: Slack, ops: str, tmp_path: Path) -> None:
    id = slack.upload(ops, "plan.pdf", b"%PDF", media_type="application/pdf")
    file = File(id=id, name="plan.pdf", media_type="", size=4, url=slack.files[id]["url_private_download"])
    elsewhere = f"{slack.base_url}auth.test"
    slack.script(login_page, lambda received: RedirectResponse(elsewhere), on="download")

    for _ in range(2):
        with pytest.raises(PlatformRefused, match="files:read"):
            await platform.download(file, tmp_path / "plan.pdf", max_bytes=100)
    assert not slack.called("auth.test")
    assert not (tmp_path / "plan.pdf").exists()


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        ("missing_scope", PlatformRefused, "lacks the scope"),
        ("invalid_auth", PlatformRefused, "SOUFFLEUR_SLACK_BOT_TOKEN"),
        ("not_in_channel", PlatformRefused, "invite the app"),
        ("message_not_found", MessageGone, "not there any more"),
        ("internal_error", PlatformUnavailable, "try again"),
    ],
)
async def test_slacks_errors_say_what_to_do(
    platform: SlackPlatform, slack: Slack, ops: str, error: str, kind: type[Exception], told: str
) -> None:
    slack.always(refusing(error), on="chat.postMessage")
    with pytest.raises(kind, match=told) as raised:
        await platform.show(spot(slack, ops, ""), post("Hello"))
    assert "xoxb" not in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_a_busy_slack_is_asked_again(platform: SlackPlatform, slack: Slack, ops: str) -> None:
    slack.script(limited(0), failing(503), on="conversations.info")
    assert not (await platform.room(spot(slack, ops, ""))).outsiders


async def test_the_doctor_is_told_what_is_there_and_what_is_missing(bot: Bot, slack: Slack, ops: str) -> None:
    settings = SlackSettings(
        base_url=slack.base_url, bot_token=SecretStr(slack.token), app_token=SecretStr(slack.app_token)
    )
    healthy = await probe(settings)
    assert not [says for state, says in healthy if state == "problem"]
    assert any("#ops" in says for _, says in healthy)

    slack.scopes -= {"im:write", "files:read"}
    slack.always(refusing("invalid_auth"), on="apps.connections.open")
    problems = [says for state, says in await probe(settings) if state == "problem"]
    assert len(problems) == 2
    assert "files:read, im:write" in problems[0]
    assert "connections:write" in problems[1]

    slack.revoked = "account_inactive"
    ((state, says),) = await probe(settings)
    assert state == "problem"
    assert "SOUFFLEUR_SLACK_BOT_TOKEN" in says
