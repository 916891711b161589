"""What should not come: damaged answers and frames, addresses that lead elsewhere, floods of names, other bots."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.platforms.events import Commanded, File, Pointed, Pressed, Spot
from bot.platforms.interface import Button, PlatformRefused, Post
from bot.platforms.slack.directory import MOST_NAMED
from bot.platforms.slack.platform import SlackPlatform
from tests.bot.platforms.slack.conftest import Bot
from tests.fakes.slack import Slack, answering
from tests.fakes.slack.http_delivery import signed
from tests.fixtures.serving import served


def spot(slack: Slack, channel: str, thread: str = "") -> Spot:
    return Spot(platform="slack", workspace=slack.team, channel=channel, thread=thread, direct=False)


@asynccontextmanager
async def by_http(bot: Bot) -> AsyncIterator[httpx.AsyncClient]:
    async with bot.at_work(mode="http") as platform:
        transport = httpx.ASGITransport(app=Starlette(routes=[*platform.routes]))
        async with httpx.AsyncClient(transport=transport, base_url="http://bot.test") as client:
            yield client


async def test_an_answer_without_an_address_to_listen_at_is_asked_for_again(bot: Bot, slack: Slack, ops: str) -> None:
    slack.script(*[answering({"ok": True})] * 3, on="apps.connections.open")
    async with bot.at_work(connections=1):
        slack.say(ops, "Hello")
        await bot.heard(1)


@pytest.mark.parametrize(
    "frame",
    [
        '{"envelope_id": "E1", "type": "events_api"}',
        '{"envelope_id": "E1", "payload": 7}',
        '{"envelope_id": "E1", "payload": ["a"]}',
        '{"envelope_id": "E1", "payload": {"type": "event_callback", "event": {"type": "message", "ts": 1e300,'
        ' "channel": "C1", "user": "UADA", "text": "?"}}}',
        "[" * 100_000,
        '"words"',
    ],
)
async def test_a_damaged_frame_ends_no_connection(bot: Bot, slack: Slack, ops: str, frame: str) -> None:
    async with bot.at_work(connections=1):
        (connection,) = slack.socket_mode.connections
        await connection.websocket.send_text(frame)
        slack.say(ops, "Hello")
        await bot.heard(1)
        assert slack.socket_mode.connections == [connection]


async def test_a_courtesy_that_fails_in_an_unforeseen_way_ends_nothing(bot: Bot, slack: Slack, ops: str) -> None:
    slack.always(answering({"ok": True, "user": {}}), on="users.info")
    async with bot.at_work(connections=1):
        slack.open_home("UADA")
        async with asyncio.timeout(10):
            while not slack.called("users.info"):  # noqa: ASYNC110 (nothing tells of it)
                await asyncio.sleep(0.01)
        slack.always(None, on="users.info")
        slack.say(ops, "Hello")
        await bot.heard(1)


async def test_a_server_that_does_not_say_whose_the_token_is_is_no_slack(bot: Bot, slack: Slack) -> None:
    slack.script(answering({"ok": True}), on="auth.test")
    platform = bot.platform()
    with pytest.raises(PlatformRefused, match="base_url"):
        await platform.person("UADA")
    await platform.close()


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain", ""])
@pytest.mark.parametrize(
    "body", ["[" * 100_000, "payload=" + "%5B" * 100_000, "\ud800".encode("utf-8", "surrogatepass")]
)
async def test_a_body_that_nobody_signed_is_refused_whatever_is_in_it(bot: Bot, kind: str, body: str | bytes) -> None:
    async with by_http(bot) as client:
        headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": "v0="}
        answer = await client.post("/slack/events", content=body, headers=headers)

    assert answer.status_code in {400, 401}
    assert not bot.events


async def test_a_signed_body_too_deep_to_read_is_refused(bot: Bot, slack: Slack) -> None:
    body = b"[" * 100_000
    async with by_http(bot) as client:
        headers = signed(slack.signing_secret, body, at=int(time.time())) | {"Content-Type": "application/json"}
        assert (await client.post("/slack/events", content=body, headers=headers)).status_code == 400


async def test_a_request_that_is_replayed_is_the_same_event(bot: Bot, slack: Slack, ops: str) -> None:
    """The inbox knows it then, by its key."""
    body = json.dumps(
        {
            "type": "event_callback",
            "event": {"type": "message", "channel": ops, "user": "UADA", "text": "Hi", "ts": "1764000000.000100"},
        }
    ).encode()
    headers = signed(slack.signing_secret, body, at=int(time.time())) | {"Content-Type": "application/json"}
    async with by_http(bot) as client:
        for _ in range(2):
            assert (await client.post("/slack/events", content=body, headers=headers)).status_code == 200

    assert len({event.key for event in bot.events}) == 1


async def test_nothing_is_sent_to_a_response_address_that_is_none_of_slacks(
    platform: SlackPlatform, slack: Slack, ops: str
) -> None:
    asked: list[str] = []

    async def within(request: Request) -> Response:
        asked.append(request.url.path)
        return Response()

    app = Starlette(routes=[Route("/{path:path}", within, methods=["POST"])])
    async with served(app) as port:
        for address in (f"http://127.0.0.1:{port}/commands/T1/2/x", "https://slack.com.example.org/", "https://["):
            await platform.whisper(spot(slack, ops), "UADA", Post(text="Thirty.", language="en"), respond_to=address)

    assert not asked
    assert len(slack.called("chat.postEphemeral")) == 3


@pytest.mark.parametrize("address", ["https://ada:secret@files.slack.com/x", "https://[", "https://files.slack.com:x/"])
async def test_a_file_at_an_impossible_address_is_not_read(
    platform: SlackPlatform, tmp_path: Path, address: str
) -> None:
    file = File(id="F1", name="x.txt", media_type="text/plain", size=1, url=address)
    with pytest.raises(PlatformRefused):
        await platform.download(file, tmp_path / "x", max_bytes=10)


async def test_a_message_full_of_names_uses_up_no_more_than_a_few_questions(bot: Bot, slack: Slack, ops: str) -> None:
    async with bot.at_work():
        slack.say(ops, " ".join(f"<@UNOBODY{number}>" for number in range(500)))
        await bot.heard(1)

    assert len(slack.called("users.info")) <= MOST_NAMED


async def test_a_reaction_of_another_bot_asks_nothing(bot: Bot, slack: Slack, ops: str) -> None:
    slack.user("UROBOT", "robot", is_bot=True)
    async with bot.at_work(connections=1):
        message = slack.say(ops, "How much leave?")
        slack.react(ops, message, "question", by="UROBOT")
        slack.react(ops, message, "question", by="UBOB")
        await slack.outbox.idle()

    assert [event.by for event in bot.events if isinstance(event, Pointed)] == ["UBOB"]


async def test_triggers_are_in_no_key_and_tokens_in_no_log(
    bot: Bot, slack: Slack, ops: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for noisy in ("aiosqlite", "websockets", "uvicorn", "httpcore", "asyncio"):
        caplog.set_level(logging.WARNING, logger=noisy)
    async with bot.at_work() as platform:
        question = slack.say(ops, "How much leave?")
        await slack.command(ops, "/ask", "How much leave?", by="UADA")
        up = Button(action="up", label="Good", value="signed-up")
        (message,) = await platform.show(spot(slack, ops, question), Post(text="Thirty.", language="en", buttons=(up,)))
        await slack.press(ops, message, "souffleur_up", by="UADA")
        await slack.outbox.idle()

    told = "\n".join(record.getMessage() for record in caplog.records)
    keyed = [event for event in bot.events if isinstance(event, Commanded | Pressed)]
    assert len(keyed) == 2
    for secret in (slack.token, slack.app_token, slack.signing_secret, "ticket="):
        assert secret not in told, secret
    assert all(event.respond_to and event.respond_to not in told for event in keyed)
    assert not any("." in event.id for event in keyed)


async def test_a_guest_who_joins_is_an_outsider_from_then_on(bot: Bot, slack: Slack, ops: str) -> None:
    async with bot.at_work() as platform:
        assert not (await platform.room(spot(slack, ops))).outsiders
        slack.join(ops, "UGUEST")
        await slack.outbox.idle()
        assert (await platform.room(spot(slack, ops))).outsiders
