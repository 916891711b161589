"""Slash commands: made by an administrator, given by people, answered by whoever serves them."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.fakes.mattermost.company import Company
from tests.fakes.mattermost.hub import Row
from tests.fakes.mattermost.interactivity import Interactivity
from tests.fakes.mattermost.posts import MESSAGE_LIMIT, body_of
from tests.fakes.mattermost.refusals import Refused

RESPONSES = 5
RESPONSE_MILLISECONDS = 30 * 60_000
"""A `response_url` takes five messages within half an hour (Mattermost's page on slash commands)."""

OF_COMMAND = 500, "api.command.execute_command.failed_resp.app_error"
"""How a command is refused that its receiver does not answer with 200 (v11 source)."""


@dataclass
class Hook:
    """A `response_url`, for one command that one person gave."""

    user: str
    channel: str
    root: str
    at: int
    uses: int = 0


@dataclass
class Commands:
    company: Company
    interactivity: Interactivity
    site: str = "http://127.0.0.1"
    """Where the server is reached, for `response_url`."""
    known: dict[str, Row] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)

    def add(self, team: str, trigger: str, url: str, *, by: str = "", **fields: str) -> Row:
        """Raises Refused for a trigger that is taken."""
        if any((row["team_id"], row["trigger"]) == (team, trigger) for row in self.known.values()):
            raise Refused(400, "api.command.duplicate_trigger.app_error", "This trigger word is already in use.")
        row: Row = {
            "id": self.company.id(),
            "token": self.company.id(),
            "creator_id": by,
            "team_id": team,
            "trigger": trigger,
            "method": "P",
            "username": "",
            "url": url,
            "auto_complete": False,
            "auto_complete_desc": "",
            "auto_complete_hint": "",
            "display_name": "",
            "description": "",
            "delete_at": 0,
            **fields,
        }
        self.known[row["id"]] = row
        return row

    async def give(self, user: str, channel: str, text: str, *, root: str = "") -> Row:
        """`/ask something`, typed in a channel or, with `root`, in a thread; the receiver's answer, which was shown.

        Raises Refused: with status 500 where the receiver does not answer with 200 (v11 source).
        """
        word, _, rest = text.removeprefix("/").partition(" ")
        place = self.company.channels[channel]
        if user not in self.company.members[channel]:
            raise Refused(403)
        teams = {place["team_id"]} if place["team_id"] else self._teams_of(user)
        command = next((c for c in self.known.values() if c["trigger"] == word and c["team_id"] in teams), None)
        if command is None:
            raise Refused(404, "api.command.execute_command.not_found.app_error", f"No command {word!r}.")
        hook, (trigger, client) = self.company.id(), self.interactivity.trigger(user, channel)
        self.hooks[hook] = Hook(user=user, channel=channel, root=root, at=self.company.time())
        form = {
            "token": command["token"],
            "team_id": command["team_id"],
            "team_domain": self.company.teams[command["team_id"]]["name"],
            "channel_id": channel,
            "channel_name": place["name"],
            "user_id": user,
            "user_name": self.company.users[user]["username"],
            "command": f"/{word}",
            "text": rest,
            "trigger_id": trigger,
            "root_id": root,
            "response_url": f"{self.site}/hooks/commands/{hook}",
        }
        headers = {"Authorization": f"Token {command['token']}", "Accept": "application/json"}
        answer = await self.interactivity.call(command["url"], refusal=OF_COMMAND, data=form, headers=headers)
        said = answer.json() if "json" in answer.headers.get("content-type", "") else {"text": answer.text}
        self._show(self.hooks[hook], said)
        return {**said, "trigger_id": client}

    def _show(self, hook: Hook, said: Row) -> None:
        """An answer is for whoever asked alone, unless it is `in_channel`; it stands in their name (v11 source)."""
        props = {**(said.get("props") or {}), "from_webhook": "true"}
        if said.get("attachments"):
            props["attachments"] = said["attachments"]
        text = said.get("text") or ""
        if len(text) > MESSAGE_LIMIT:
            raise Refused(400, "model.post.is_valid.msg.app_error", "Invalid message.")
        if said.get("response_type") == "in_channel":
            self.company.post(hook.channel, hook.user, text, root=hook.root, props=props)
        elif text or said.get("attachments"):
            self.company.ephemeral(hook.user, hook.channel, text, root=hook.root, props=props)

    def _teams_of(self, user: str) -> set[str]:
        return {id for id in self.company.teams if user in self.company.members[id]}

    # REST

    async def create(self, company: Company, request: Request, account: str) -> Response:
        """Needs the permission `manage_slash_commands`, which administrators alone have by default."""
        body = await body_of(request)
        if not company.is_admin(account):
            raise Refused(403)
        if not body.get("team_id") or not body.get("trigger") or body.get("method") not in ("P", "G"):
            raise Refused(400)
        if not str(body.get("url")).startswith(("http://", "https://")):
            raise Refused(400, "model.command.is_valid.url_http.app_error", "Invalid URL.")
        body = {key: value for key, value in body.items() if key not in ("id", "token", "creator_id")}
        return JSONResponse(
            self.add(body.pop("team_id"), body.pop("trigger"), body.pop("url"), by=account, **body), 201
        )

    async def shown(self, company: Company, request: Request, account: str) -> Response:
        """Of a team; their tokens are for those who may change them."""
        team = request.query_params.get("team_id")
        rows = [row for row in self.known.values() if team in (None, row["team_id"])]
        hidden = {} if company.is_admin(account) else {"token": "", "url": "", "creator_id": ""}
        return JSONResponse([row | hidden for row in rows])

    async def change(self, company: Company, request: Request, account: str) -> Response:
        body, row = await body_of(request), self.known.get(request.path_params["command"])
        if not company.is_admin(account):
            raise Refused(403)
        if row is None:
            raise Refused(404)
        row |= {key: body[key] for key in ("url", "trigger", "auto_complete", "auto_complete_desc") if key in body}
        return JSONResponse(row)

    async def execute(self, company: Company, request: Request, account: str) -> Response:
        body = await body_of(request)
        text = str(body.get("command", ""))
        if len(text) < 2 or not text.startswith("/"):
            raise Refused(400)
        said = await self.give(account, body["channel_id"], text, root=body.get("root_id", ""))
        return JSONResponse(said)

    async def respond(self, request: Request) -> Response:
        """What is sent to a `response_url`, which needs no token."""
        hook = self.hooks.get(request.path_params["hook"])
        if hook is None or hook.at + RESPONSE_MILLISECONDS < self.company.time():
            return Refused(404, "web.command_webhook.invalid.app_error", "Invalid webhook.").response()
        if hook.uses >= RESPONSES:
            id = "app.command_webhook.try_use.invalid"
            return Refused(400, id, "Invalid webhook: it was used five times.").response()
        hook.uses += 1
        try:
            self._show(hook, await body_of(request))
        except Refused as refused:
            return refused.response()
        return Response("ok", media_type="text/plain")
