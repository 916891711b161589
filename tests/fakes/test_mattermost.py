"""The fake Mattermost behaves as a real one does: to an HTTP client, a websocket client, and to its people."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.mattermost import ADMIN_TOKEN, TOKEN, Mattermost, Throttle
from tests.fakes.mattermost.screen import links_of, text_of, typing, visible
from tests.fixtures.serving import served


@dataclass
class Bot:
    """What a bot is to the server: calls, and what it is called with."""

    http: httpx.AsyncClient
    url: str
    callback_url: str
    called: list[dict[str, Any]] = field(default_factory=list)
    answer: Response = field(default_factory=lambda: JSONResponse({}))
    meanwhile: dict[str, Any] | None = None
    """The form that is opened before a call is answered."""

    async def call(self, method: str, path: str, expected: int = 200, **how: Any) -> Any:
        response = await self.http.request(method, f"/api/v4{path}", **how)
        assert response.status_code == expected, response.text
        return response.json()

    async def post(self, channel: str, message: str, expected: int = 201, /, **more: Any) -> Any:
        return await self.call("POST", "/posts", expected, json={"channel_id": channel, "message": message, **more})

    async def hear(self, request: Request) -> Response:
        form = "json" not in request.headers["content-type"]
        body = await request.body()
        heard = dict(httpx.QueryParams(body.decode())) if form else json.loads(body)
        self.called.append(heard | {"authorization": request.headers.get("authorization", "")})
        if self.meanwhile is not None:
            opened = self.meanwhile | {"trigger_id": heard["trigger_id"], "url": f"{self.callback_url}/form"}
            await self.call("POST", "/actions/dialogs/open", json=opened)
        return self.answer


@dataclass
class Office:
    server: Mattermost
    bot: Bot
    team: str
    channel: str
    ada: str
    bob: str

    @asynccontextmanager
    async def listening(self, token: str = TOKEN, **query: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
            session.ws_connect(f"{self.bot.url}/api/v4/websocket", params=query, timeout=_brief()) as socket,
        ):
            yield socket

    def with_button(self, action: str = "up", *, by: str = "") -> str:
        integration = {"url": f"{self.bot.callback_url}/action", "context": {"value": "signed"}}
        button = {"id": action, "type": "button", "name": "Good", "integration": integration}
        return self.server.post(
            self.channel, by or self.server.bot, "Thirty days.", props={"attachments": [{"actions": [button]}]}
        )


def _brief() -> aiohttp.ClientWSTimeout:
    return aiohttp.ClientWSTimeout(ws_close=0.1)


async def heard(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    async with asyncio.timeout(10):
        frame = await socket.receive_json()
    assert isinstance(frame, dict)
    return frame


async def dropped(socket: aiohttp.ClientWebSocketResponse) -> bool:
    """Whether the connection ends with no close frame."""
    async with asyncio.timeout(10):
        message = await socket.receive()
    return message.type is aiohttp.WSMsgType.CLOSED and socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    server = Mattermost(patience=0.05)
    team = server.team("engineering")
    channel = server.channel(team, "town-square")
    ada, bob = server.user("ada", "Ada Lovelace", locale="de"), server.user("bob", "Bob Ross")
    server.join(team, ada, bob)
    server.join(channel, ada, bob)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(server.served())
        headers = {"Authorization": f"Bearer {TOKEN}"}
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, headers=headers, verify=False))
        bot = Bot(http=http, url=url, callback_url="")
        app = Starlette(routes=[Route("/{path:path}", bot.hear, methods=["POST"])])
        bot.callback_url = f"http://127.0.0.1:{await stack.enter_async_context(served(app))}"
        yield Office(server=server, bot=bot, team=team, channel=channel, ada=ada, bob=bob)


async def test_a_post_is_made_once_however_often_it_is_sent(office: Office) -> None:
    pending: dict[str, Any] = {"pending_post_id": f"{office.server.bot}:1"}
    first = await office.bot.post(office.channel, "Hello.", **pending)
    again = await office.bot.post(office.channel, "Hello.", **pending)
    assert again["id"] == first["id"]
    office.server.now += 30_000
    assert (await office.bot.post(office.channel, "Hello.", **pending))["id"] != first["id"]


async def test_a_message_may_have_16383_runes_and_not_one_more(office: Office) -> None:
    post = await office.bot.post(office.channel, "𝄞" * 16_383)
    path, long = f"/posts/{post['id']}/patch", {"message": "x" * 16_384}
    for refused in (
        await office.bot.post(office.channel, "𝄞" * 16_384, 400),
        await office.bot.call("PUT", path, 400, json=long),
    ):
        assert refused["id"] == "model.post.is_valid.msg.app_error"
    assert office.server.ill_formed == [
        "POST /posts: model.post.is_valid.msg.app_error",
        f"PUT {path}: model.post.is_valid.msg.app_error",
    ]


async def test_a_reply_hangs_on_the_first_post_of_a_thread_and_nothing_else(office: Office) -> None:
    root = await office.bot.post(office.channel, "First.")
    reply = await office.bot.post(office.channel, "Second.", root_id=root["id"])
    refused = await office.bot.post(office.channel, "Third.", 400, root_id=reply["id"])
    assert refused["id"] == "api.post.create_post.root_id.app_error"
    elsewhere = office.server.channel(office.team, "elsewhere")
    await office.bot.post(elsewhere, "Third.", 500, root_id=root["id"])
    assert len(office.server.ill_formed) == 2
    office.server.delete(root["id"])
    await office.bot.post(office.channel, "Third.", 400, root_id=root["id"])
    assert len(office.server.ill_formed) == 2  # nobody can know what is deleted meanwhile


async def test_a_patch_leaves_history_and_replaces_only_what_it_names(office: Office) -> None:
    made = await office.bot.post(office.channel, "Draft.", props={"a": 1, "b": 2})
    assert made["props"] == {"a": 1, "b": 2, "from_bot": "true"}
    patched = await office.bot.call("PUT", f"/posts/{made['id']}/patch", json={"props": {"c": 3}})
    assert (patched["message"], patched["props"], patched["edit_at"]) == ("Draft.", {"c": 3}, 0)
    patched = await office.bot.call("PUT", f"/posts/{made['id']}/patch", json={"message": "Done."})
    assert (patched["message"], patched["props"]) == ("Done.", {"c": 3})
    assert patched["edit_at"] > made["create_at"]

    since = await office.bot.call("GET", f"/channels/{office.channel}/posts?since=1")
    assert [row["original_id"] for row in since["posts"].values()].count(made["id"]) == 2
    after = await office.bot.call("GET", f"/channels/{office.channel}/posts?per_page=200")
    assert [row["message"] for row in after["posts"].values()] == ["Done."]


async def test_only_own_posts_can_be_changed_and_a_deleted_one_is_like_somebody_elses(office: Office) -> None:
    theirs = office.server.post(office.channel, office.ada, "Mine.")
    await office.bot.call("PUT", f"/posts/{theirs}/patch", 403, json={"message": "Yours."})
    await office.bot.call("DELETE", f"/posts/{theirs}", 403)
    own = (await office.bot.post(office.channel, "Draft."))["id"]
    await office.bot.call("DELETE", f"/posts/{own}")
    await office.bot.call("DELETE", f"/posts/{own}", 404)
    await office.bot.call("PUT", f"/posts/{own}/patch", 403, json={"message": "Late."})
    await office.bot.call("GET", f"/posts/{own}", 404)


async def test_what_a_bot_may_not_do_is_refused(office: Office) -> None:
    private, other = office.server.channel(office.team, "board", "P"), office.server.channel(office.team, "open")
    for channel in (private, other):
        office.server.members[channel] = {office.ada}
    for path in (f"/channels/{private}", f"/channels/{private}/members/{office.ada}", f"/channels/{other}/members/me"):
        await office.bot.call("GET", path, 403)
    await office.bot.post(other, "Hello.", 403)
    post = {"user_id": office.ada, "post": {"channel_id": office.channel, "message": "psst"}}
    await office.bot.call("POST", "/posts/ephemeral", 403, json=post)
    await office.bot.call("GET", f"/users/{office.ada}/groups", 403)
    await office.bot.call("POST", "/bots", 403, json={"username": "another"})
    await office.bot.call("POST", "/commands", 403, json={"team_id": office.team, "trigger": "ask", "method": "P"})
    await office.bot.call("GET", f"/teams/{office.team}/members/{office.ada}")
    assert (await office.bot.call("GET", f"/users/{office.ada}"))["locale"] == "de"
    office.bot.http.headers["Authorization"] = "Bearer wrong"
    await office.bot.call("GET", "/users/me", 401)


async def test_guests_of_a_channel_are_counted(office: Office) -> None:
    office.server.join(office.channel, office.server.user("gast", roles="system_guest"))
    stats = await office.bot.call("GET", f"/channels/{office.channel}/stats")
    assert (stats["member_count"], stats["guest_count"]) == (4, 1)
    assert len(await office.bot.call("GET", f"/channels/{office.channel}/members?per_page=3")) == 3


async def test_direct_messages_have_one_channel(office: Office) -> None:
    two = [office.server.bot, office.ada]
    first = await office.bot.call("POST", "/channels/direct", 201, json=two)
    assert (await office.bot.call("POST", "/channels/direct", 201, json=two[::-1]))["id"] == first["id"]
    assert first["type"] == "D"
    await office.bot.call("POST", "/channels/direct", 403, json=[office.ada, office.bob])
    mine = await office.bot.call("GET", "/users/me/channels")
    assert {channel["id"] for channel in mine} == {office.channel, first["id"]}


async def test_reactions_and_typing_are_seen(office: Office) -> None:
    post = office.server.post(office.channel, office.ada, "Anybody?")
    reaction = {"user_id": office.server.bot, "post_id": post, "emoji_name": "eyes"}
    await office.bot.call("POST", "/reactions", 201, json=reaction)
    assert [r["emoji_name"] for r in await office.bot.call("GET", f"/posts/{post}/reactions")] == ["eyes"]
    await office.bot.call("DELETE", f"/users/me/posts/{post}/reactions/eyes")
    assert await office.bot.call("GET", f"/posts/{post}/reactions") == []

    await office.bot.call("POST", "/users/me/typing", json={"channel_id": office.channel, "parent_id": post})
    assert typing(office.server, office.channel, post) == ["souffleur"]
    office.server.now += 5_000
    assert typing(office.server, office.channel, post) == []


async def test_a_file_is_for_those_who_may_read_its_post(office: Office) -> None:
    query = {"channel_id": office.channel}
    sent = await office.bot.call(
        "POST", "/files", 201, files={"files": ("a.txt", b"alpha\r\n", "text/plain")}, params=query
    )
    (info,) = sent["file_infos"]
    assert (info["name"], info["mime_type"], info["size"]) == ("a.txt", "text/plain", 7)
    post = await office.bot.post(office.channel, "Here.", file_ids=[info["id"]])
    assert post["metadata"]["files"][0]["id"] == info["id"]
    content = await office.bot.http.get(f"/api/v4/files/{info['id']}")
    assert content.content == b"alpha\r\n"
    theirs = office.server.file("b.txt", b"beta", "text/plain", by=office.ada)
    await office.bot.call("GET", f"/files/{theirs}/info", 403)


async def test_the_rate_limit_is_of_an_address_and_in_plain_text(office: Office) -> None:
    now = 0.0
    office.server.throttle = Throttle(per_second=10, burst=5, clock=lambda: now)
    answers = [await office.bot.http.get("/api/v4/users/me") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429]
    assert answers[0].headers["X-Ratelimit-Remaining"] == "5"
    limited = answers[-1]
    assert limited.text == "limit exceeded\n"
    assert (limited.headers["Retry-After"], limited.headers["X-Ratelimit-Reset"]) == ("1", "1")
    now = 0.11
    assert (await office.bot.http.get("/api/v4/users/me")).status_code == 200
    assert (await office.bot.http.get("/api/v4/users/me")).status_code == 429


async def test_events_begin_with_a_hello_and_are_numbered(office: Office) -> None:
    direct = office.server.direct(office.ada, office.server.bot)
    async with office.listening() as socket:
        hello = await heard(socket)
        assert (hello["event"], hello["seq"], len(hello["data"]["connection_id"])) == ("hello", 0, 26)
        office.server.post(office.channel, office.ada, "Good morning @souffleur, and @bob.")
        office.server.post(direct, office.ada, "Hello.")
        own = await office.bot.post(office.channel, "Good morning.")
        events = [await heard(socket) for _ in range(3)]
    assert [event["seq"] for event in events] == [1, 2, 3]
    assert [event["event"] for event in events] == ["posted"] * 3
    mention = json.dumps([office.server.bot])
    assert [event["data"].get("mentions") for event in events] == [mention, mention, None]
    assert (events[0]["data"]["channel_type"], events[0]["data"]["sender_name"]) == ("O", "@ada")
    assert (events[1]["data"]["channel_type"], events[1]["data"]["team_id"]) == ("D", "")
    assert json.loads(events[2]["data"]["post"])["id"] == own["id"]


async def test_only_members_hear_of_a_channel_and_nobody_of_their_own_typing(office: Office) -> None:
    elsewhere = office.server.channel(office.team, "elsewhere")
    office.server.members[elsewhere] = {office.ada}
    async with office.listening() as socket:
        await heard(socket)
        office.server.post(elsewhere, office.ada, "Unheard.")
        office.server.types(office.channel, office.server.bot)
        post = office.server.post(office.channel, office.ada, "Heard.")
        office.server.edit(post, "Heard better.")
        office.server.react(post, office.bob, "question")
        office.server.delete(post)
        events = [await heard(socket) for _ in range(4)]
    assert [event["event"] for event in events] == ["posted", "post_edited", "reaction_added", "post_deleted"]
    assert json.loads(events[2]["data"]["reaction"])["emoji_name"] == "question"
    assert json.loads(events[3]["data"]["post"])["message"] == "Heard better."


async def test_a_client_may_say_who_it_is_in_its_first_frame(office: Office) -> None:
    async with office.listening("") as socket:
        await socket.send_json({"seq": 1, "action": "authentication_challenge", "data": {"token": TOKEN}})
        assert (await heard(socket))["event"] == "hello"
        assert await heard(socket) == {"status": "OK", "seq_reply": 1}
        await socket.send_json({"seq": 2, "action": "ping"})
        reply = await heard(socket)
        assert (reply["seq_reply"], reply["data"]["text"]) == (2, "pong")
        await socket.send_json({"seq": 3, "action": "dance"})
        assert (await heard(socket))["status"] == "FAIL"


async def test_a_wrong_token_opens_a_connection_that_is_dropped_later(office: Office) -> None:
    async with office.listening("wrong") as socket:
        assert await dropped(socket)


async def test_a_lost_connection_is_resumed_with_what_was_missed(office: Office) -> None:
    async with office.listening() as socket:
        id = (await heard(socket))["data"]["connection_id"]
        office.server.post(office.channel, office.ada, "0")
        await heard(socket)
        office.server.disconnect()
        for number in range(1, 4):
            office.server.post(office.channel, office.ada, str(number))
        assert await dropped(socket)
    async with office.listening(connection_id=id, sequence_number=1) as socket:
        events = [await heard(socket) for _ in range(4)]
    assert [event["seq"] for event in events] == [1, 2, 3, 4]
    assert [json.loads(event["data"]["post"])["message"] for event in events] == ["0", "1", "2", "3"]


async def test_more_than_128_events_are_not_kept_for_a_client_that_did_not_get_them(office: Office) -> None:
    async with office.listening() as socket:
        id = (await heard(socket))["data"]["connection_id"]
        for number in range(130):
            office.server.post(office.channel, office.ada, str(number))
        for _ in range(130):
            await heard(socket)
        office.server.disconnect()
    async with office.listening(connection_id=id, sequence_number=2) as socket:
        hello = await heard(socket)
    assert (hello["event"], hello["seq"]) == ("hello", 0)
    assert hello["data"]["connection_id"] != id


@pytest.mark.parametrize("how", ["restart", "reaped", "too much"])
async def test_a_connection_that_is_gone_is_made_anew(office: Office, how: str) -> None:
    async with office.listening() as socket:
        id = (await heard(socket))["data"]["connection_id"]
        office.server.disconnect(resumable=how != "restart")
        assert await dropped(socket)
    if how == "reaped":
        office.server.now += 301_000
    for number in range(257 if how == "too much" else 1):
        office.server.post(office.channel, office.ada, str(number))
    async with office.listening(connection_id=id, sequence_number=1) as socket:
        hello = await heard(socket)
        office.server.post(office.channel, office.ada, "now")
        event = await heard(socket)
    assert hello["data"]["connection_id"] != id
    assert json.loads(event["data"]["post"])["message"] == "now"


async def test_a_client_that_does_not_say_what_it_expects_is_hung_up_on(office: Office) -> None:
    async with office.listening() as socket:
        id = (await heard(socket))["data"]["connection_id"]
        office.server.disconnect()
        assert await dropped(socket)
    async with office.listening(connection_id=id) as socket:
        assert await dropped(socket)


async def test_events_can_be_delivered_again_with_new_numbers(office: Office) -> None:
    async with office.listening() as socket:
        await heard(socket)
        office.server.now += 61_000  # what was before is over
        office.server.post(office.channel, office.ada, "Twice.")
        office.server.hub.redeliver()
        first, second = await heard(socket), await heard(socket)
    assert first["data"] == second["data"]
    assert (first["seq"], second["seq"]) == (1, 2)


async def test_a_button_calls_its_integration_which_clients_never_see(office: Office) -> None:
    post = office.with_button()
    seen = await office.bot.call("GET", f"/posts/{post}")
    (action,) = seen["props"]["attachments"][0]["actions"]
    assert action == {"id": "up", "type": "button", "name": "Good"}

    office.bot.answer = JSONResponse({"update": {"message": "Thanks.", "props": {}}, "ephemeral_text": "Noted."})
    await office.server.interactivity.press(office.ada, post, "up")
    (call,) = office.bot.called
    assert (call["user_id"], call["post_id"], call["context"]) == (office.ada, post, {"value": "signed"})
    assert call["authorization"] == ""
    row = office.server.posts[post]
    assert (row["message"], row["props"]) == ("Thanks.", {})
    told = visible(office.server, office.channel, viewer=office.ada, thread=post)
    assert [text_of(row) for row in told] == ["Thanks.", "Noted."]
    assert [text_of(row) for row in visible(office.server, office.channel, viewer=office.bob, thread=post)] == [
        "Thanks."
    ]


async def test_people_press_buttons_over_rest(office: Office) -> None:
    office.server.tokens["adas"] = office.ada
    post, headers = office.with_button(), {"Authorization": "Bearer adas"}
    answer = await office.bot.call("POST", f"/posts/{post}/actions/up", headers=headers)
    assert answer["trigger_id"] != office.bot.called[0]["trigger_id"]
    await office.bot.call("POST", f"/posts/{post}/actions/down", 404, headers=headers)
    office.bot.answer = Response(status_code=503)
    await office.bot.call("POST", f"/posts/{post}/actions/up", 400, headers=headers)
    office.server.interactivity.allowed.clear()
    called = len(office.bot.called)
    await office.bot.call("POST", f"/posts/{post}/actions/up", 400, headers=headers)
    assert len(office.bot.called) == called


async def test_a_form_opens_for_three_seconds_and_comes_back(office: Office) -> None:
    element = {"display_name": "Why?", "name": "remark", "type": "textarea"}
    form = {"dialog": {"callback_id": "c", "state": "s", "title": "Your reason", "elements": [element]}}
    office.bot.meanwhile, post = form, office.with_button()
    await office.server.interactivity.press(office.ada, post, "up")
    assert office.server.interactivity.dialogs[office.ada]["dialog"]["title"] == "Your reason"
    trigger = office.bot.called[0]["trigger_id"]

    office.bot.meanwhile = None
    await office.server.interactivity.submit(office.ada, {"remark": "wrong"})
    sent = office.bot.called[-1]
    assert (sent["type"], sent["callback_id"], sent["state"]) == ("dialog_submission", "c", "s")
    assert (sent["submission"], sent["cancelled"], sent["channel_id"]) == ({"remark": "wrong"}, False, office.channel)

    body = {**form, "trigger_id": trigger, "url": office.bot.callback_url}
    too_long = {**body, "dialog": {"title": "x" * 25}}
    await office.bot.call("POST", "/actions/dialogs/open", 400, json=too_long)
    office.server.now += 3_001
    expired = await office.bot.call("POST", "/actions/dialogs/open", 400, json=body)
    assert expired["id"] == "interactive_message.decode_trigger_id.expired"


async def test_a_slash_command_is_answered_to_whoever_gave_it(office: Office) -> None:
    command = office.server.commands.add(office.team, "ask", f"{office.bot.callback_url}/command")
    office.bot.answer = JSONResponse({"response_type": "ephemeral", "text": "Searching…"})
    said = await office.server.commands.give(office.ada, office.channel, "/ask when is lunch?")
    assert said["text"] == "Searching…"
    (call,) = office.bot.called
    assert call["authorization"] == f"Token {command['token']}"
    assert (call["command"], call["text"], call["user_id"]) == ("/ask", "when is lunch?", office.ada)

    async with httpx.AsyncClient(verify=False) as client:
        for number in range(6):
            answer = await client.post(call["response_url"], json={"text": f"At {number}."})
            assert answer.status_code == (200 if number < 5 else 400)
    seen = [text_of(row) for row in visible(office.server, office.channel, viewer=office.ada)]
    assert seen == ["Searching…", *(f"At {number}." for number in range(5))]
    assert visible(office.server, office.channel, viewer=office.bob) == []
    office.server.tokens["adas"] = office.ada
    give = {"channel_id": office.channel, "command": "/nothing here"}
    await office.bot.call("POST", "/commands/execute", 404, json=give, headers={"Authorization": "Bearer adas"})


async def test_a_response_url_is_over_after_half_an_hour(office: Office) -> None:
    office.server.commands.add(office.team, "ask", office.bot.callback_url)
    await office.server.commands.give(office.ada, office.channel, "/ask")
    office.server.now += 30 * 60_000 + 1
    async with httpx.AsyncClient(verify=False) as client:
        late = await client.post(office.bot.called[0]["response_url"], json={"text": "Late."})
    assert late.status_code == 404


async def test_an_administrator_sets_a_bot_up(office: Office) -> None:
    office.server.admin()
    office.bot.http.headers["Authorization"] = f"Bearer {ADMIN_TOKEN}"
    made = await office.bot.call("POST", "/bots", 201, json={"username": "prompter", "display_name": "Prompter"})
    await office.bot.call("POST", "/bots", 400, json={"username": "prompter"})
    user = made["user_id"]
    path = f"/channels/{office.channel}/members"
    await office.bot.call("POST", path, 404, json={"user_id": user})  # first the team
    await office.bot.call("POST", f"/teams/{office.team}/members", 201, json={"team_id": office.team, "user_id": user})
    await office.bot.call("POST", path, 201, json={"user_id": user})
    command = {"team_id": office.team, "trigger": "ask", "method": "P", "url": "https://bot.example.org/command"}
    assert (await office.bot.call("POST", "/commands", 201, json=command))["token"]
    refused = await office.bot.call("POST", "/commands", 400, json=command)
    assert refused["id"] == "api.command.duplicate_trigger.app_error"
    token = await office.bot.call("POST", f"/users/{user}/tokens", json={"description": "bot"})

    office.bot.http.headers["Authorization"] = f"Bearer {token['token']}"
    assert (await office.bot.call("GET", "/users/me"))["username"] == "prompter"
    await office.bot.post(office.channel, "Hello.")
    (shown,) = await office.bot.call("GET", f"/commands?team_id={office.team}&custom_only=true")
    assert (shown["trigger"], shown["token"]) == ("ask", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@ada, see this", {"ada"}),
        ("(@Ada.)", {"ada"}),
        ("thanks @ada- and @bob:", {"ada", "bob"}),
        ("@channel", {"ada", "bob"}),
        ("*@all* of you", {"ada", "bob"}),
        ("`@ada` and ada@bob.example", set()),
        ("```\n@here\n```", set()),
        ("@\u2060ada", set()),
        ("@adam", set()),
        ("ada", set()),
    ],
)
def test_those_are_notified_whom_the_server_finds_mentioned(text: str, expected: set[str]) -> None:
    server = Mattermost()
    channel = server.channel(server.team("company"), "town-square")
    server.join(channel, server.user("ada"), server.user("bob"))
    post = server.post(channel, server.bot, text)
    assert {server.users[id]["username"] for id in server.notified[post]} == expected


def test_an_edit_and_a_silent_post_notify_nobody() -> None:
    server = Mattermost()
    channel = server.channel(server.team("company"), "town-square")
    server.join(channel, server.user("ada"))
    edited = server.post(channel, server.bot, "hello")
    server.edit(edited, "@ada")
    silent = server.post(channel, server.bot, "@ada", silent=True)
    assert server.notified[edited] == server.notified[silent] == set()


def test_links_that_can_be_clicked_are_found() -> None:
    message = "[title](https://a.example/x) and https://b.example, not `https://c.example` nor https\u2060://d.example"
    attachment = {"title_link": "https://e.example", "text": "![](https://f.example/i.png)"}
    row = {"message": message, "props": {"attachments": [attachment]}}
    assert links_of(row) == (
        "https://a.example/x",
        "https://b.example",
        "https://e.example",
        "https://f.example/i.png",
    )
