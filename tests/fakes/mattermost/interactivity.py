"""Buttons under posts and the forms that they open: the server calls whoever put them there.

Nothing in these calls is signed: the receiver must have put something into `context` and `state` that it knows again.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.fakes.mattermost.attachments import actions
from tests.fakes.mattermost.company import Company
from tests.fakes.mattermost.hub import Row
from tests.fakes.mattermost.posts import body_of
from tests.fakes.mattermost.refusals import Refused

TRIGGER_MILLISECONDS = 3_000
"""For so long a form may be opened with what a press or a command brought (measured on a server)."""
OUTGOING_SECONDS = 30.0
"""`OutgoingIntegrationRequestsTimeout`, by default."""
OF_ACTION = 400, "api.post.do_action.action_integration.app_error"
"""How a press is refused that its integration does not answer (v11 source)."""
LABEL_LIMIT = 24
"""Characters of a form's title, and of the name of a field (Mattermost's page on interactive dialogs)."""


@dataclass
class Trigger:
    """A moment in which somebody did something, in which a form may be opened for them."""

    user: str
    channel: str
    client: str
    """The id that the person's own client is told; no form opens with this one (measured on a server)."""
    at: int


@dataclass
class Interactivity:
    company: Company
    allowed: set[str] = field(default_factory=lambda: {"127.0.0.1", "localhost"})
    """`AllowedUntrustedInternalConnections`: hosts of the own network that may be called; by default none are."""
    dialogs: dict[str, Row] = field(default_factory=dict)
    """The form that was opened last, by person."""
    triggers: dict[str, Trigger] = field(default_factory=dict)
    unreachable: list[str] = field(default_factory=list)
    """Calls that did not come through, or were not answered with 200."""

    def trigger(self, user: str, channel: str) -> tuple[str, str]:
        """A new trigger: its id for whoever is called, and the one that the client is told."""
        id, client = self.company.id() + self.company.id(), self.company.id()
        self.triggers[id] = Trigger(user=user, channel=channel, client=client, at=self.company.time())
        return id, client

    async def call(self, url: str, *, refusal: tuple[int, str] = OF_ACTION, **content: Any) -> httpx.Response:
        """POST to an integration. Raises Refused unless it answers 200 within the time that there is (v11 source)."""
        status, id = refusal
        try:
            if not self._callable(url):
                raise httpx.ConnectError("address forbidden, see AllowedUntrustedInternalConnections")
            async with httpx.AsyncClient(timeout=OUTGOING_SECONDS, verify=False, trust_env=False) as client:
                answer = await client.post(url, **content)
        except httpx.HTTPError as error:
            self.unreachable.append(f"{url}: {error!r}")
            raise Refused(status, id, f"The integration cannot be reached: {error}", form=False) from error
        if answer.status_code != 200:
            self.unreachable.append(f"{url}: {answer.status_code} {answer.text[:200]}")
            raise Refused(status, id, f"The integration answers with status={answer.status_code}", form=False)
        return answer

    async def press(self, user: str, post: str, action: str) -> str:
        """Press a button; the trigger that the client is told. Raises Refused."""
        company, row = self.company, self._pressable(user, post)
        buttons = {one.get("id"): one for one in actions(row) if one.get("integration")}
        if (found := buttons.get(action)) is None or not action.isalnum():
            raise Refused(404, "api.post.do_action.action_id.app_error", "Invalid action id.")
        channel = company.channels[row["channel_id"]]
        trigger, client = self.trigger(user, channel["id"])
        team = company.teams.get(channel["team_id"], {"name": ""})
        payload = {
            "user_id": user,
            "user_name": company.users[user]["username"],
            "channel_id": channel["id"],
            "channel_name": channel["name"],
            "team_id": channel["team_id"],
            "team_domain": team["name"],
            "post_id": post,
            "trigger_id": trigger,
            "type": found.get("type") or "button",
            "data_source": "",
            "context": found["integration"].get("context") or {},
        }
        answer = await self.call(found["integration"]["url"], json=payload)
        try:
            self._apply(answer.json() if answer.content else {}, row, user)
        except (ValueError, AttributeError) as error:
            id = "api.post.do_action.action_integration.app_error"
            raise Refused(400, id, "Action integration error: no JSON object.") from error
        return client

    def _apply(self, answer: Row, row: Row, user: str) -> None:
        """`update` is a whole post: a message that is left out is emptied, props that are left out stay (v11 source).

        Empty props remove the buttons; a post that nobody keeps cannot be updated. `ephemeral_text` is told to whoever
        pressed, in the thread.
        """
        if error := (answer.get("error") or {}).get("message"):
            raise Refused(400, "api.post.do_action.action_integration.app_error", error, form=False)
        update = answer.get("update")
        if update is not None:
            if row["type"] == "system_ephemeral":
                raise Refused(404, "app.post.get.app_error", "Unable to get the post.", form=True)
            self.company.edit(row["id"], update.get("message", ""), props=update.get("props"))
        if text := answer.get("ephemeral_text"):
            self.company.ephemeral(user, row["channel_id"], text, root=row["root_id"] or row["id"])

    def _pressable(self, user: str, post: str) -> Row:
        row = self.company.posts.get(post) or self.company.ephemerals.get(post)
        if row is None or row["delete_at"] or row.get("viewer", user) != user:
            raise Refused(404, "app.post.get.app_error", "Unable to get the post.")
        if not self.company.may_read(row["channel_id"], user):
            raise Refused(403)
        return row

    async def submit(self, user: str, values: Row | None) -> Row:
        """Send the form that was opened last (None: cancel it); what the receiver has against it."""
        dialog = self.dialogs.pop(user)
        body, trigger = dialog["dialog"], self.triggers[dialog["trigger_id"]]
        if values is None and not body.get("notify_on_cancel"):
            return {}
        filled = {
            "callback_id": body.get("callback_id", ""),
            "state": body.get("state", ""),
            "submission": values or {},
        }
        return await self._sent(user, trigger.channel, dialog["url"], filled, cancelled=values is None)

    async def _sent(self, user: str, channel: str, url: str, filled: Row, *, cancelled: bool) -> Row:
        """A form goes to whoever opened it, with what that one has to know it again by."""
        known = {key: filled.get(key) or "" for key in ("callback_id", "state")}
        payload = {
            "type": "dialog_submission",
            **known,
            "user_id": user,
            "channel_id": channel,
            "team_id": self.company.channels[channel]["team_id"],
            "submission": filled.get("submission") or {},
            "cancelled": cancelled,
        }
        answer = await self.call(url, json=payload)
        return dict(answer.json()) if answer.content else {}

    # REST

    async def open_dialog(self, company: Company, request: Request, account: str) -> Response:
        body = await body_of(request)
        trigger = self.triggers.get(str(body.get("trigger_id")))
        if trigger is None:
            id = "interactive_message.decode_trigger_id.base64_decode_failed"
            raise Refused(400, id, "Failed to decode trigger ID for interactive dialog.")
        if company.time() - trigger.at > TRIGGER_MILLISECONDS:
            id = "interactive_message.decode_trigger_id.expired"
            raise Refused(400, id, "Trigger ID for interactive dialog is expired.")
        dialog = body.get("dialog") or {}
        labels = [dialog.get("title", ""), *(one.get("display_name", "") for one in dialog.get("elements") or ())]
        if not body.get("url") or not dialog.get("title") or any(len(label) > LABEL_LIMIT for label in labels):
            raise Refused(400, message="Invalid dialog: a title, an url, and labels of at most 24 characters.")
        self.dialogs[trigger.user] = body
        shown = {**body, "trigger_id": trigger.client}
        company.publish("open_dialog", {"dialog": json.dumps(shown)}, to={trigger.user})
        return JSONResponse({"status": "OK"})

    async def submit_dialog(self, company: Company, request: Request, account: str) -> Response:
        """The client brings it all back as `open_dialog` told it; the server keeps nothing of a form (v11 source)."""
        body = await body_of(request)
        if account not in company.members.get(str(body.get("channel_id")), set()):
            raise Refused(403)
        if not body.get("url") or not isinstance(body.get("submission"), dict):
            raise Refused(400)
        self.dialogs.pop(account, None)
        cancelled = bool(body.get("cancelled"))
        return JSONResponse(await self._sent(account, body["channel_id"], body["url"], body, cancelled=cancelled))

    async def do_action(self, company: Company, request: Request, account: str) -> Response:
        """A post that nobody keeps is found by the button's cookie alone."""
        path = request.path_params
        if row := company.ephemerals.get(path["post"]):
            cookie = (await body_of(request)).get("cookie")
            if cookie not in {one.get("cookie") for one in actions(row) if one.get("id") == path["action"]}:
                raise Refused(404, "app.post.get.app_error", "Unable to get the post.")
        return JSONResponse({"status": "OK", "trigger_id": await self.press(account, path["post"], path["action"])})

    def _callable(self, url: str) -> bool:
        host = urlsplit(url).hostname or ""
        try:
            private = not ipaddress.ip_address(host).is_global
        except ValueError:
            private = host == "localhost"
        return not private or host in self.allowed
