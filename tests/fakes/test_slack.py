"""The fake Slack as the real slack-bolt and slack_sdk find it."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.slack import BOT_SCOPES, EVENTS, OWN_USER, NotThere, Slack, Tiers, typed
from tests.fakes.slack.screen import read, receipt, status, visible
from tests.fixtures.serving import served


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    slack = Slack(scopes=BOT_SCOPES)
    slack.user("UCLEO", "Cleo")
    async with slack.served():
        yield slack


@pytest.fixture
def client(slack: Slack) -> AsyncWebClient:
    return AsyncWebClient(token=slack.token, base_url=slack.base_url)


@pytest.fixture
def room(slack: Slack) -> str:
    return slack.channel("general", members={OWN_USER, "UADA", "UBOB"})


class Listening:
    """A bolt app over Socket Mode, and what it heard."""

    def __init__(self, slack: Slack) -> None:
        self._slack = slack
        self.app = AsyncApp(token=slack.token, client=AsyncWebClient(token=slack.token, base_url=slack.base_url))
        self.heard: list[dict[str, Any]] = []
        self.bodies: list[dict[str, Any]] = []
        self.failing = 0
        """So many deliveries more are not acknowledged."""
        self.app.event({"type": "message"})(self._hear)
        self.app.event({"type": "message", "subtype": "message_changed"})(self._hear)
        for type in (type for type in EVENTS if not type.startswith("message.")):
            self.app.event(type)(self._hear)
        self.app.middleware(self._before)

    async def _before(self, body: dict[str, Any], next: Callable[[], Any]) -> None:
        self.bodies.append(body)
        self._slack.outbox.look()
        if self.failing:
            self.failing -= 1
            raise ConnectionError("the database is away")
        await next()

    async def _hear(self, event: dict[str, Any]) -> None:
        self.heard.append(event)
        self._slack.outbox.look()

    def kinds(self) -> list[str]:
        return sorted(f"{event['type']}/{event.get('subtype', '')}".rstrip("/") for event in self.heard)


@asynccontextmanager
async def connected(slack: Slack, listening: Listening) -> AsyncIterator[AsyncSocketModeHandler]:
    web = AsyncWebClient(token=slack.app_token, base_url=slack.base_url)
    handler = AsyncSocketModeHandler(listening.app, slack.app_token, web_client=web, ping_interval=1)
    before = len(slack.socket_mode.connections)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await slack.outbox.until(lambda: len(slack.socket_mode.connections) > before)
    try:
        yield handler
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


@pytest.fixture
async def app(slack: Slack) -> AsyncIterator[Listening]:
    listening = Listening(slack)
    async with connected(slack, listening):
        yield listening


async def heard(slack: Slack, app: Listening, count: int) -> list[dict[str, Any]]:
    """So many events, and no more of them on their way."""
    await slack.outbox.idle()
    await slack.outbox.until(lambda: len(app.heard) >= count)
    return app.heard


def error(refusal: pytest.ExceptionInfo[SlackApiError]) -> str:
    return str(refusal.value.response["error"])


# Events


async def test_a_mention_comes_twice_under_two_event_ids(slack: Slack, app: Listening, room: str) -> None:
    ts = slack.say(room, f"<@{OWN_USER}> {typed('is 3 < 4 & why?')}")
    events = await heard(slack, app, 2)
    assert app.kinds() == ["app_mention", "message"]
    assert {event["ts"] for event in events} == {ts}
    assert {event["text"] for event in events} == {f"<@{OWN_USER}> is 3 &lt; 4 &amp; why?"}
    assert len({body["event_id"] for body in app.bodies}) == 2


async def test_only_what_is_subscribed_in_channels_of_the_bot_is_told(slack: Slack, app: Listening, room: str) -> None:
    elsewhere = slack.channel("elsewhere", members={"UADA"})
    slack.subscribed.discard("message.im")
    slack.scopes.discard("app_mentions:read")
    slack.say(elsewhere, f"<@{OWN_USER}> nobody hears this")
    slack.say(slack.direct("UADA"), "nor this")
    slack.say(room, f"<@{OWN_USER}> but this")
    await heard(slack, app, 1)
    assert app.kinds() == ["message"]


async def test_edits_deletions_and_previews_are_told_as_slack_does(slack: Slack, app: Listening, room: str) -> None:
    root = slack.say(room, "Is it up?")
    reply = slack.say(room, "No", by="UBOB", thread=root)
    slack.edit(room, root, f"<@{OWN_USER}> is it up?")
    slack.unfurl(room, root)
    slack.delete(room, root)
    slack.delete(room, reply)
    events = await heard(slack, app, 7)
    edited = next(event for event in events if event["type"] == "app_mention")
    assert edited["edited"]["user"] == "UADA"
    changed = [event for event in events if event.get("subtype") == "message_changed"]
    assert [event["message"].get("subtype") for event in changed] == [None, None, "tombstone"]
    assert changed[1]["message"]["text"] == changed[1]["previous_message"]["text"]
    (deleted,) = [event for event in events if event.get("subtype") == "message_deleted"]
    assert deleted["deleted_ts"] == reply


async def test_what_is_not_acknowledged_is_delivered_again_with_the_same_event_id(
    slack: Slack, app: Listening, room: str, caplog: pytest.LogCaptureFixture
) -> None:
    slack.outbox.ack_seconds = 0.05
    app.failing = 2
    slack.say(room, "Hello?")
    await slack.outbox.until(lambda: len(app.bodies) == 2 and not slack.outbox.under_way)
    assert not app.heard
    slack.clock += 60
    await heard(slack, app, 1)
    assert len(app.bodies) == 3
    assert len({body["event_id"] for body in app.bodies}) == 1


async def test_an_event_whose_retries_are_spent_is_lost(slack: Slack, room: str) -> None:
    slack.say(room, "Anybody?")
    slack.clock += 600
    slack.say(room, "Still nobody?")
    listening = Listening(slack)
    async with connected(slack, listening):
        assert [event["text"] for event in await heard(slack, listening, 1)] == ["Still nobody?"]
    assert len(slack.outbox.lost) == 1


async def test_each_payload_goes_to_one_of_several_connections(slack: Slack, room: str) -> None:
    apps = [Listening(slack), Listening(slack)]
    async with connected(slack, apps[0]), connected(slack, apps[1]):
        for number in range(6):
            slack.say(room, str(number))
        await slack.outbox.until(lambda: sum(len(app.heard) for app in apps) == 6)
    assert sorted(event["text"] for app in apps for event in app.heard) == list("012345")
    assert all(app.heard for app in apps)


async def test_a_lost_connection_is_made_again_and_what_happened_meanwhile_is_told(
    slack: Slack, app: Listening, room: str
) -> None:
    slack.disconnect()
    slack.say(room, "Between")
    await slack.outbox.until(lambda: bool(app.heard))
    assert [event["text"] for event in app.heard] == ["Between"]


async def test_a_connection_lost_for_good_loses_what_happens_until_the_next(
    slack: Slack, app: Listening, room: str
) -> None:
    slack.disconnect(resumable=False)
    slack.say(room, "Between")
    await slack.outbox.until(lambda: bool(slack.socket_mode.connections))
    slack.say(room, "After")
    assert [event["text"] for event in await heard(slack, app, 1)] == ["After"]


async def test_a_connection_that_is_asked_to_refresh_is_replaced(slack: Slack, app: Listening, room: str) -> None:
    (old,) = slack.socket_mode.connections
    await slack.socket_mode.ask_to_leave(old)
    await slack.outbox.until(lambda: old not in slack.socket_mode.connections and slack.outbox.takers == 1)
    slack.say(room, "Hello")
    await heard(slack, app, 1)


async def test_an_event_is_delivered_again_on_demand(slack: Slack, app: Listening, room: str) -> None:
    slack.say(room, "Once")
    await heard(slack, app, 1)
    slack.redeliver()
    first, second = [body["event_id"] for body in app.bodies] if await heard(slack, app, 2) else ("", "-")
    assert first == second


async def test_http_delivery_is_signed_and_tried_again(slack: Slack, room: str) -> None:
    seen: list[tuple[dict[str, str], bytes]] = []

    async def events(request: Request) -> Response:
        seen.append((dict(request.headers), await request.body()))
        return Response(status_code=500 if len(seen) == 1 else 200)

    site = Starlette(routes=[Route("/events", events, methods=["POST"])])
    async with served(site) as port, slack.posting_to(f"http://127.0.0.1:{port}/events"):
        slack.say(room, "Hello")
        await slack.outbox.idle()
    verifier = SignatureVerifier(slack.signing_secret)
    assert all(verifier.is_valid_request(body, headers) for headers, body in seen)
    assert not SignatureVerifier("another").is_valid_request(seen[0][1], seen[0][0])
    assert [headers.get("x-slack-retry-num") for headers, _ in seen] == [None, "1"]
    assert json.loads(seen[0][1])["event"]["text"] == "Hello"


# Interactivity


async def test_a_button_opens_a_form_whose_answer_comes_back(
    slack: Slack, app: Listening, client: AsyncWebClient, room: str
) -> None:
    got: list[dict[str, Any]] = []

    @app.app.action("souffleur_feedback")
    async def pressed(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        got.append(body)
        field = {"type": "plain_text_input", "action_id": "remark"}
        label = {"type": "plain_text", "text": "Why?"}
        title = {"type": "plain_text", "text": "What was wrong?"}
        view: dict[str, Any] = {"type": "modal", "callback_id": "why", "title": title}
        view |= {"submit": {"type": "plain_text", "text": "Send"}}
        view |= {"blocks": [{"type": "input", "block_id": "remark", "label": label, "element": field}]}
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.app.view("why")
    async def sent(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        got.append(body)
        slack.outbox.look()

    choice = {"text": {"type": "plain_text", "text": "Good"}, "value": "yes"}
    element: dict[str, Any] = {"type": "feedback_buttons", "action_id": "souffleur_feedback"}
    element |= {"positive_button": choice, "negative_button": {**choice, "value": "no"}}
    blocks: list[dict[str, Any]] = [{"type": "markdown", "text": "Thirty"}]
    blocks += [{"type": "context_actions", "elements": [element]}]
    posted = await client.chat_postMessage(channel=room, text="Thirty", blocks=blocks)
    interaction = await slack.press(room, posted["ts"], "souffleur_feedback", side="negative")
    assert await receipt(slack, interaction) == "What was wrong?"
    await slack.submit("It is 31")
    await slack.outbox.until(lambda: len(got) == 2)
    (action,) = got[0]["actions"]
    assert (action["type"], action["value"], got[0]["message"]["ts"]) == ("feedback_buttons", "no", posted["ts"])
    assert got[1]["view"]["state"]["values"]["remark"]["remark"]["value"] == "It is 31"
    assert not slack.interactivity.views


async def test_a_trigger_is_good_for_three_seconds_and_one_form(
    slack: Slack, client: AsyncWebClient, room: str
) -> None:
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Form"}, "blocks": []}
    interaction = slack.interactivity.begun("UADA", slack.rooms[room])
    await client.views_open(trigger_id=interaction.trigger, view=view)
    with pytest.raises(SlackApiError) as refusal:
        await client.views_open(trigger_id=interaction.trigger, view=view)
    assert error(refusal) == "exchanged_trigger_id"
    interaction = slack.interactivity.begun("UADA", slack.rooms[room])
    slack.clock += 4
    with pytest.raises(SlackApiError) as refusal:
        await client.views_open(trigger_id=interaction.trigger, view=view)
    assert error(refusal) == "expired_trigger_id"


async def test_a_form_with_a_long_title_is_refused(slack: Slack, client: AsyncWebClient, room: str) -> None:
    trigger = slack.interactivity.begun("UADA", slack.rooms[room]).trigger
    view = {"type": "modal", "title": {"type": "plain_text", "text": "T" * 25}, "blocks": []}
    with pytest.raises(SlackApiError) as refusal:
        await client.views_open(trigger_id=trigger, view=view)
    assert error(refusal) == "invalid_arguments"
    assert slack.faults()


async def test_a_command_is_answered_at_once_and_later_to_its_asker_alone(
    slack: Slack, app: Listening, room: str
) -> None:
    addresses: list[str] = []

    @app.app.command("/ask")
    async def asked(ack: Any, command: dict[str, Any]) -> None:
        addresses.append(command["response_url"])
        await ack("Searching")

    interaction = await slack.command(room, "/ask", "how many days?", by="UADA")
    assert await receipt(slack, interaction) == "Searching"
    hook = AsyncWebhookClient(addresses[0])
    for number in range(5):
        assert (await hook.send(text=f"Thirty {number}")).status_code == 200
    refused = await hook.send(text="Once more")
    assert (refused.status_code, refused.body) == (404, "used_url")
    assert len(visible(slack, room, by="UADA")) == 6
    assert visible(slack, room, by="UBOB") == []


async def test_a_response_address_replaces_deletes_and_expires(
    slack: Slack, app: Listening, client: AsyncWebClient, room: str
) -> None:
    @app.app.action("go")
    async def pressed(ack: Any) -> None:
        await ack()

    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "1"}
    blocks = [{"type": "actions", "elements": [button]}]
    await client.chat_postEphemeral(channel=room, user="UADA", text="Private", blocks=blocks)
    (whisper,) = visible(slack, room, by="UADA")
    interaction = await slack.press(room, whisper["ts"], "go")
    with pytest.raises(NotThere):
        await slack.press(room, whisper["ts"], "go", by="UBOB")
    hook = AsyncWebhookClient(interaction.address)
    await hook.send(text="Changed", replace_original=True)
    assert [read(slack, one)[0] for one in visible(slack, room, by="UADA")] == ["Changed"]
    await hook.send(text="For all", response_type="in_channel")
    assert [read(slack, one)[0] for one in visible(slack, room, by="UBOB")] == ["For all"]
    await hook.send(delete_original=True)
    assert len(visible(slack, room, by="UADA")) == 1
    slack.clock += 1801
    assert (await hook.send(text="Late")).body == "expired_url"


async def test_a_shortcut_names_its_message(slack: Slack, app: Listening, room: str) -> None:
    got: list[dict[str, Any]] = []

    @app.app.shortcut({"type": "message_action", "callback_id": "answer"})
    async def chosen(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        got.append(body)
        slack.outbox.look()

    ts = slack.say(room, "How many days?", by="UBOB")
    await slack.shortcut(room, ts, "answer", by="UADA")
    await slack.outbox.until(lambda: bool(got))
    assert (got[0]["message"]["ts"], got[0]["user"]["id"], got[0]["channel"]["id"]) == (ts, "UADA", room)


# Messages


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        ({}, "no_text"),
        ({"markdown_text": "a", "text": "a"}, "markdown_text_conflict"),
        ({"markdown_text": "a" * 12_001}, "msg_too_long"),
        ({"text": "a", "blocks": [{"type": "divider"}] * 51}, "msg_blocks_too_many"),
        ({"text": "a", "blocks": [{"type": "markdown", "text": "a" * 12_001}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "markdown", "text": "a" * 7_000}] * 2}, "msg_blocks_too_long"),
        ({"text": "a", "blocks": [{"type": "bubble"}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "context", "elements": []}]}, "invalid_blocks"),
        ({"text": "a", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
    ],
)
async def test_a_message_out_of_form_is_refused(
    slack: Slack, client: AsyncWebClient, room: str, content: dict[str, Any], refusal: str
) -> None:
    with pytest.raises(SlackApiError) as refused:
        await client.api_call("chat.postMessage", json={"channel": room, **content})
    assert error(refused) == refusal
    assert len(slack.faults()) == 1
    assert not slack.rooms[room].messages


async def test_a_message_is_read_back_as_people_see_it(slack: Slack, client: AsyncWebClient, room: str) -> None:
    text = "**Thirty** days, see [Annual \\[leave\\]](https://docs.example.org/leave) <@UBOB>"
    metadata = {"event_type": "answer", "event_payload": {"key": "1"}}
    posted = await client.chat_postMessage(
        channel=room, text="Thirty", blocks=[{"type": "markdown", "text": text}], metadata=metadata
    )
    (shown,) = visible(slack, room, by="UADA")
    assert read(slack, shown) == ("**Thirty** days, see Annual [leave] <@Bob>", ["https://docs.example.org/leave"])
    assert slack.notified[(room, posted["ts"])] == {"UBOB"}
    history = await client.conversations_history(channel=room)
    assert "metadata" not in history["messages"][0]
    history = await client.conversations_history(channel=room, include_all_metadata=True)
    assert history["messages"][0]["metadata"] == metadata


async def test_an_update_with_text_alone_drops_the_blocks(slack: Slack, client: AsyncWebClient, room: str) -> None:
    blocks = [{"type": "markdown", "text": "Thirty"}]
    posted = await client.chat_postMessage(channel=room, text="Thirty", blocks=blocks)
    await client.chat_update(channel=room, ts=posted["ts"], text="Thirty-one")
    (shown,) = visible(slack, room, by="UADA")
    assert read(slack, shown)[0] == "Thirty-one"
    with pytest.raises(SlackApiError) as refusal:
        await client.chat_update(channel=room, ts=posted["ts"], text="a" * 4_001)
    assert error(refusal) == "msg_too_long"


async def test_only_own_messages_are_changed_and_only_members_whispered_to(
    slack: Slack, client: AsyncWebClient, room: str
) -> None:
    ts = slack.say(room, "Mine")
    for call, expected in (
        (client.chat_update(channel=room, ts=ts, text="Yours"), "cant_update_message"),
        (client.chat_delete(channel=room, ts=ts), "cant_delete_message"),
        (client.chat_update(channel=room, ts="1.0", text="Gone"), "message_not_found"),
        (client.chat_postEphemeral(channel=room, user="UCLEO", text="Psst"), "user_not_in_channel"),
    ):
        with pytest.raises(SlackApiError) as refusal:
            await call
        assert error(refusal) == expected


async def test_tokens_and_scopes_are_checked(slack: Slack, client: AsyncWebClient, room: str) -> None:
    slack.scopes.discard("chat:write")
    for call, expected in (
        (client.chat_postMessage(channel=room, text="Hi"), "missing_scope"),
        (client.apps_connections_open(app_token=slack.token), "not_allowed_token_type"),
        (client.auth_test(token=slack.app_token), "not_allowed_token_type"),
        (client.auth_test(token="xoxb-other"), "invalid_auth"),
    ):
        with pytest.raises(SlackApiError) as refusal:
            await call
        assert error(refusal) == expected


async def test_a_locale_is_told_on_demand(slack: Slack, client: AsyncWebClient) -> None:
    slack.user("UDORA", "Dora", locale="de-DE", is_restricted=True)
    assert "locale" not in (await client.users_info(user="UDORA"))["user"]
    user = (await client.users_info(user="UDORA", include_locale=True))["user"]
    assert (user["locale"], user["is_restricted"]) == ("de-DE", True)


# Streams


async def test_an_answer_is_streamed_with_tasks_and_ends_with_blocks(
    slack: Slack, client: AsyncWebClient, room: str
) -> None:
    question = slack.say(room, "How many?")
    await client.assistant_threads_setStatus(channel_id=room, thread_ts=question, status="Searching")
    assert status(slack, room, question) == "Searching"
    stream = await client.chat_stream(
        channel=room, thread_ts=question, recipient_team_id=slack.team, recipient_user_id="UADA", buffer_size=1
    )
    await stream.append(chunks=[{"type": "task_update", "id": "1", "title": "Reading", "status": "in_progress"}])
    assert status(slack, room, question) == "Reading"
    await stream.append(markdown_text="Thirty ")
    (_, growing) = visible(slack, room, by="UBOB", thread=question)
    assert read(slack, growing)[0] == "Reading\nThirty"
    with pytest.raises(SlackApiError) as refusal:
        await client.chat_update(channel=room, ts=stream.ts or "", text="No")
    assert error(refusal) == "streaming_state_conflict"
    await stream.append(markdown_text="days.")
    await stream.stop(blocks=[{"type": "context", "elements": [{"type": "plain_text", "text": "a note"}]}])
    (_, finished) = visible(slack, room, by="UBOB", thread=question)
    assert read(slack, finished)[0] == "Reading\nThirty days.\na note"
    assert slack.sessions[(room, question)].history == ["processing", "active"]
    await client.chat_update(channel=room, ts=stream.ts or "", text="Replaced")


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        ({"markdown_text": "a", "chunks": [{"type": "plan_update", "title": "a"}]}, "cannot_provide_both"),
        ({"markdown_text": "a" * 12_001}, "msg_too_long"),
        ({"chunks": [{"type": "task_update", "id": "1", "title": "a", "status": "done"}]}, "invalid_chunks"),
        ({"markdown_text": "a", "recipient_user_id": None}, "missing_recipient_user_id"),
    ],
)
async def test_a_stream_out_of_form_is_refused(
    slack: Slack, client: AsyncWebClient, room: str, content: dict[str, Any], refusal: str
) -> None:
    named = {"recipient_user_id": "UADA", "recipient_team_id": slack.team, **content}
    with pytest.raises(SlackApiError) as refused:
        await client.chat_startStream(channel=room, thread_ts=slack.say(room, "?"), **named)
    assert error(refused).startswith(refusal)
    assert not slack.streams


async def started(slack: Slack, client: AsyncWebClient, user: str = "UADA") -> dict[str, Any]:
    """A stream of text in somebody's direct messages; its channel and `ts`."""
    channel = slack.direct(user)
    answer = await client.chat_startStream(channel=channel, thread_ts=slack.say(channel, "?"), markdown_text="One")
    return {"channel": channel, "ts": answer["ts"]}


async def test_a_stream_takes_one_shape_and_some_eleven_thousand_bytes(slack: Slack, client: AsyncWebClient) -> None:
    stream = await started(slack, client)
    with pytest.raises(SlackApiError) as refusal:
        await client.chat_appendStream(**stream, chunks=[{"type": "markdown_text", "text": "two"}])
    assert error(refusal) == "streaming_mode_mismatch"
    await client.chat_appendStream(**stream, markdown_text="é" * 4_000)
    with pytest.raises(SlackApiError) as refusal:
        await client.chat_appendStream(**stream, markdown_text="é" * 2_000)
    assert error(refusal) == "msg_too_long"
    stopped = await client.chat_stopStream(**stream, markdown_text="!")
    assert stopped["message"]["text"].startswith("Oneé")


async def test_a_stream_ends_after_five_minutes_and_can_be_updated_then(slack: Slack, client: AsyncWebClient) -> None:
    stream = await started(slack, client)
    slack.clock += 301
    for call in (client.chat_appendStream(**stream, markdown_text="a"), client.chat_stopStream(**stream)):
        with pytest.raises(SlackApiError) as refusal:
            await call
        assert error(refusal) == "message_not_in_streaming_state"
    await client.chat_update(**stream, markdown_text="Whole")
    assert read(slack, visible(slack, stream["channel"], by="UADA", thread=stream["ts"])[0])[0] == "Whole"
    assert not slack.faults()


async def test_the_native_stop_ends_what_is_written_and_is_told(
    slack: Slack, app: Listening, client: AsyncWebClient
) -> None:
    stream = await started(slack, client)
    thread = slack.streams[(stream["channel"], stream["ts"])].thread
    slack.stop(stream["channel"], thread)
    events = await heard(slack, app, 2)
    stopped = next(event for event in events if event["type"] == "agent_session_stopped")
    assert (stopped["thread_ts"], stopped["streaming_message_ts"], stopped["user"]) == (thread, [stream["ts"]], "UADA")
    with pytest.raises(SlackApiError) as refusal:
        await client.chat_appendStream(**stream, markdown_text="more")
    assert error(refusal) == "stopped_by_user"
    note = {"type": "context", "elements": [{"type": "plain_text", "text": "stopped"}]}
    await client.chat_stopStream(**stream, blocks=[note], session_status="active")
    with pytest.raises(NotThere):
        slack.stop(stream["channel"], thread)


async def test_without_the_subscription_there_is_a_warning_and_no_stop_button(
    slack: Slack, client: AsyncWebClient, room: str
) -> None:
    slack.subscribed.discard("agent_session_stopped")
    ts = slack.say(room, "?")
    answer = await client.agents_sessions_setStatus(channel_id=room, thread_ts=ts, status="processing")
    assert answer["warning"] == "missing_agent_session_stopped_event_subscription"
    with pytest.raises(NotThere):
        slack.stop(room, ts)


async def test_a_status_goes_with_a_reply_or_after_two_minutes(slack: Slack, client: AsyncWebClient, room: str) -> None:
    ts = slack.say(room, "?")
    await client.assistant_threads_setStatus(channel_id=room, thread_ts=ts, status="Searching")
    slack.clock += 121
    assert status(slack, room, ts) == ""
    await client.assistant_threads_setStatus(channel_id=room, thread_ts=ts, status="Searching")
    await client.chat_postMessage(channel=room, thread_ts=ts, text="Here")
    assert status(slack, room, ts) == ""


# Rates


async def test_calls_beyond_a_tier_are_told_how_long_to_wait() -> None:
    now = 0.0
    slack = Slack(scopes=BOT_SCOPES, tiers=Tiers(clock=lambda: now))
    async with slack.served() as base_url:
        client = AsyncWebClient(token=slack.token, base_url=base_url)
        for _ in range(20):
            await client.users_list()
        with pytest.raises(SlackApiError) as refusal:
            await client.users_list()
        assert refusal.value.response.status_code == 429
        assert refusal.value.response.headers["Retry-After"] == "60"
        now = 60.0
        await client.users_list()
        assert slack.too_many == 1


async def test_a_channel_takes_about_one_message_a_second(slack: Slack) -> None:
    now = 0.0
    tiers = Tiers(clock=lambda: now)
    assert [tiers.wait("chat.postMessage", "C1") for _ in range(3)] == [0, 0, 1]
    assert tiers.wait("chat.postMessage", "C2") == 0
    now = 1.0
    assert tiers.wait("chat.postMessage", "C1") == 0
    assert [Tiers(clock=lambda: now, scale=3).wait("chat.update") for _ in range(3)] == [0, 0, 0]


async def test_the_clock_can_go_with_another_one() -> None:
    slack = Slack(now=time.time)
    ops = slack.channel("ops")
    first, second = slack.say(ops, "a"), slack.say(ops, "b")
    assert float(first) < float(second) < time.time() + 1
    slack.clock += 3600
    assert float(slack.say(ops, "c")) > time.time() + 3599


# Who belongs where


async def test_accounts_groups_and_channels_are_told_as_their_scopes_allow(
    slack: Slack, client: AsyncWebClient, room: str
) -> None:
    slack.alter("UADA", profile={"email": "ada@example.org"})
    slack.group("S1", "UADA", "UBOB")
    slack.group("S2", "UADA")
    slack.disable_group("S2")
    (group,) = (await client.usergroups_list(include_users=True, include_count=True))["usergroups"]
    assert (group["id"], group["users"], group["user_count"]) == ("S1", ["UADA", "UBOB"], "2")
    assert [one["id"] for one in (await client.usergroups_list(include_disabled=True))["usergroups"]] == ["S1", "S2"]
    assert "users" not in (await client.usergroups_list())["usergroups"][0]
    with pytest.raises(SlackApiError) as refusal:
        await client.usergroups_users_list(usergroup="S2")
    assert error(refusal) == "no_such_subteam"
    assert (await client.users_info(user="UADA"))["user"]["profile"]["email"] == "ada@example.org"

    slack.scopes -= {"usergroups:read", "users:read.email"}
    assert "email" not in (await client.users_info(user="UADA"))["user"]["profile"]
    with pytest.raises(SlackApiError) as refusal:
        await client.usergroups_list()
    assert error(refusal) == "missing_scope"


async def test_changes_of_people_and_groups_are_told_wherever_the_app_is_and_those_of_channels_inside_them(
    slack: Slack, app: Listening, room: str
) -> None:
    elsewhere = slack.channel("elsewhere", members={"UADA"})
    slack.join(elsewhere, "UBOB")
    slack.alter("UADA", is_restricted=True)
    slack.group("S1")
    slack.join_group("S1", "UBOB")
    slack.leave(room, "UADA")
    slack.connect(room)
    slack.scopes.discard("users:read")
    slack.arrive("UDAN", "Dan")
    told = await heard(slack, app, 6)

    assert len(told) == 6
    assert {event["type"] for event in told} == {
        *("user_change", "subteam_created", "subteam_members_changed", "subteam_updated"),
        *("member_left_channel", "channel_shared"),
    }
    (changed,) = [event for event in told if event["type"] == "subteam_members_changed"]
    assert (changed["added_users"], changed["removed_users"]) == (["UBOB"], [])
