"""What people do on the fakes by the vendors' own APIs: with sessions, and with tokens that they gave an app."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.mattermost import ADMIN_TOKEN, Mattermost
from tests.fakes.slack import BOT_SCOPES, OWN_USER, Slack
from tests.fakes.slack.screen import visible
from tests.fixtures.serving import served


@dataclass
class Company:
    """A Mattermost server, its administrator, and an integration that answers what it is told to."""

    server: Mattermost
    http: httpx.AsyncClient
    integration: str
    called: list[dict[str, Any]]
    answers: list[Response] = field(default_factory=list)

    async def call(self, method: str, path: str, expected: int = 200, *, by: str = ADMIN_TOKEN, **how: Any) -> Any:
        headers = {"Authorization": f"Bearer {by}"}
        response = await self.http.request(method, f"/api/v4{path}", headers=headers, **how)
        assert response.status_code == expected, response.text
        return response


@pytest.fixture
async def company() -> AsyncIterator[Company]:
    server, called, answers = Mattermost(), [], []

    async def hear(request: Request) -> Response:
        form = "json" not in request.headers["content-type"]
        body = await request.body()
        called.append(dict(httpx.QueryParams(body.decode())) if form else json.loads(body))
        return answers.pop(0) if answers else JSONResponse({})

    server.admin()
    async with (
        served(Starlette(routes=[Route("/{path:path}", hear, methods=["POST"])])) as port,
        server.served() as url,
        httpx.AsyncClient(base_url=url) as http,
    ):
        yield Company(server, http, f"http://127.0.0.1:{port}", called, answers)


async def logged_in(company: Company, name: str) -> tuple[str, str]:
    """The id of a new person, and the token of their session."""
    body = {"username": name, "email": f"{name}@example.org", "password": "correct horse", "locale": "de"}
    id = (await company.call("POST", "/users", 201, json=body)).json()["id"]
    session = await company.call("POST", "/users/login", json={"login_id": name, "password": "correct horse"})
    return str(id), session.headers["token"]


async def test_people_are_made_log_in_and_are_put_out_of_use(company: Company) -> None:
    id, token = await logged_in(company, "ada")

    assert (await company.call("GET", "/users/me", by=token)).json()["locale"] == "de"
    await company.call("POST", "/users/login", 401, json={"login_id": "ada", "password": "wrong battery"})
    await company.call("POST", "/users", 403, by=token, json={"username": "eve"})
    await company.call("DELETE", f"/users/{id}")
    await company.call("GET", "/users/me", 401, by=token)


async def test_guests_need_a_licence(company: Company) -> None:
    id, token = await logged_in(company, "gast")
    company.server.guests_allowed = False
    await company.call("POST", f"/users/{id}/demote", 501)
    company.server.guests_allowed = True
    await company.call("POST", f"/users/{id}/demote")

    assert (await company.call("GET", "/users/me", by=token)).json()["roles"] == "system_guest"


async def room(company: Company, *people: str) -> tuple[str, str]:
    """A team and a channel in it, with these people."""
    told = {"name": "company", "display_name": "Company", "type": "O"}
    team = (await company.call("POST", "/teams", 201, json=told)).json()["id"]
    told = {"team_id": team, "name": "general", "display_name": "General", "type": "O"}
    channel = (await company.call("POST", "/channels", 201, json=told)).json()["id"]
    for person in people:
        await company.call("POST", f"/teams/{team}/members", 201, json={"user_id": person})
        await company.call("POST", f"/channels/{channel}/members", 201, json={"user_id": person})
    return team, channel


async def test_a_command_tells_its_thread_and_fails_where_it_is_not_answered(company: Company) -> None:
    ada, token = await logged_in(company, "ada")
    team, channel = await room(company, ada)
    root = company.server.post(channel, ada, "Is the lift broken?")
    company.server.commands.add(team, "ask", company.integration)
    company.answers += [JSONResponse({"text": "Yes."}), Response(status_code=503)]
    given = {"channel_id": channel, "command": "/ask it", "root_id": root}

    await company.call("POST", "/commands/execute", by=token, json=given)
    refused = await company.call("POST", "/commands/execute", 500, by=token, json=given)

    assert company.called[0]["root_id"] == root
    assert refused.json()["id"] == "api.command.execute_command.failed_resp.app_error"


async def test_a_button_of_a_private_post_is_known_by_its_cookie_alone(company: Company) -> None:
    ada, token = await logged_in(company, "ada")
    _, channel = await room(company, ada)
    integration = {"url": company.integration, "context": {"value": "signed"}}
    button = {"id": "share", "type": "button", "name": "Share", "integration": integration}
    post = company.server.ephemeral(ada, channel, "Yes.", props={"attachments": [{"actions": [button]}]})
    (shown,) = company.server.shown(company.server.ephemerals[post])["props"]["attachments"][0]["actions"]
    path = f"/posts/{post}/actions/share"

    await company.call("POST", path, 404, by=token, json={})
    await company.call("POST", path, by=token, json={"cookie": shown["cookie"]})
    company.answers.append(JSONResponse({"update": {"message": "Shared."}}))
    await company.call("POST", path, 404, by=token, json={"cookie": shown["cookie"]})

    assert "integration" not in shown
    assert [call["context"] for call in company.called] == [{"value": "signed"}] * 2


async def test_a_form_is_sent_with_what_the_client_was_told(company: Company) -> None:
    ada, token = await logged_in(company, "ada")
    _, channel = await room(company, ada)
    company.answers.append(JSONResponse({"errors": {"remark": "Too short."}}))
    filled = {"url": company.integration, "callback_id": "c", "state": "s", "submission": {"remark": "?"}}

    answer = await company.call("POST", "/actions/dialogs/submit", by=token, json={**filled, "channel_id": channel})

    assert answer.json() == {"errors": {"remark": "Too short."}}
    (sent,) = company.called
    assert (sent["type"], sent["user_id"], sent["state"]) == ("dialog_submission", ada, "s")


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    slack = Slack(scopes=BOT_SCOPES)
    slack.user_tokens |= {"xoxp-ada": "UADA", "xoxp-bob": "UBOB"}
    async with slack.served():
        yield slack


def client_of(slack: Slack, token: str) -> AsyncWebClient:
    return AsyncWebClient(token=token, base_url=slack.base_url)


async def test_what_a_users_token_posts_bears_the_mark_of_the_app(slack: Slack) -> None:
    ada, bot = client_of(slack, "xoxp-ada"), client_of(slack, slack.token)
    channel = (await ada.conversations_create(name="ops"))["channel"]["id"]
    await ada.conversations_invite(channel=channel, users=f"UBOB,{OWN_USER}")

    posted = (await ada.chat_postMessage(channel=channel, text="The printer is down."))["message"]

    own = (await bot.auth_test())["bot_id"]
    assert (posted["user"], posted["app_id"]) == ("UADA", "A0SOUFFLEUR")
    assert posted["bot_id"] not in (own, None)
    assert [event.payload["event"]["type"] for event in slack.outbox.waiting] == ["member_joined_channel", "message"]


async def test_people_change_only_what_is_theirs_and_press_nothing(slack: Slack) -> None:
    ada, bob = client_of(slack, "xoxp-ada"), client_of(slack, "xoxp-bob")
    channel = (await ada.conversations_create(name="ops"))["channel"]["id"]
    message = (await ada.chat_postMessage(channel=channel, text="The printer is down."))["ts"]
    await ada.chat_update(channel=channel, ts=message, text="It is back.")

    for call, expected in (
        (bob.conversations_history(channel=channel), "not_in_channel"),
        (ada.chat_delete(channel=channel, ts="1.0"), "message_not_found"),
        (ada.views_open(trigger_id="1.2", view={}), "not_allowed_token_type"),
    ):
        with pytest.raises(SlackApiError) as refusal:
            await call
        assert refusal.value.response["error"] == expected
    assert [one["text"] for one in (await ada.conversations_history(channel=channel))["messages"]] == ["It is back."]
    assert not slack.faults()


async def test_a_file_goes_up_by_an_address_and_into_a_message(slack: Slack) -> None:
    ada, direct = client_of(slack, "xoxp-ada"), slack.direct("UADA")
    address = await ada.files_getUploadURLExternal(filename="offer.txt", length=5)
    async with httpx.AsyncClient() as http:
        await http.post(address["upload_url"], content=b"lease")

    sent = [{"id": address["file_id"], "title": "offer"}]
    await ada.files_completeUploadExternal(files=sent, channel_id=direct, initial_comment="What does it cost?")

    (message,) = slack.rooms[direct].messages.values()
    (shares,) = (await ada.files_info(file=address["file_id"]))["file"]["shares"].values()
    assert shares[direct][0]["ts"] == message["ts"]
    assert (message["text"], message["subtype"]) == ("What does it cost?", "file_share")
    assert slack.files[address["file_id"]]["mimetype"] == "text/plain"


async def test_markdown_is_handed_out_as_the_rich_text_that_became_of_it(slack: Slack) -> None:
    bot, channel = client_of(slack, slack.token), slack.channel("ops", members={OWN_USER, "UADA"})
    markdown = {"type": "markdown", "text": "Thirty **days**.\n\n- one\n\n```\ncode\n```"}

    message = (await bot.chat_postMessage(channel=channel, text="Thirty", blocks=[markdown]))["message"]

    (block,) = message["blocks"]
    kinds = ["rich_text_section", "rich_text_list", "rich_text_preformatted"]
    assert (block["type"], [element["type"] for element in block["elements"]]) == ("rich_text", kinds)
    assert block["elements"][0]["elements"][1] == {"type": "text", "text": "days", "style": {"bold": True}}


async def test_an_ephemeral_message_in_a_thread_is_shown_once_there_is_one(slack: Slack) -> None:
    bot, channel = client_of(slack, slack.token), slack.channel("ops", members={OWN_USER, "UADA"})
    root = slack.say(channel, "How many days?")
    await bot.chat_postEphemeral(channel=channel, user="UADA", text="Only you", thread_ts=root)

    before = visible(slack, channel, by="UADA", thread=root)
    await bot.chat_postMessage(channel=channel, text="Thirty.", thread_ts=root)
    after = visible(slack, channel, by="UADA", thread=root)

    assert [one["text"] for one in before] == ["How many days?"]
    assert sorted(one["text"] for one in after) == ["How many days?", "Only you", "Thirty."]
