"""Buttons, shortcuts, commands and forms: what the app is sent, and what it may do with what it was sent.

docs.slack.dev/interactivity/handling-user-interaction: a trigger lives for three seconds, a response address for five
uses within thirty minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack.blocks import buttons
from tests.fakes.slack.events import TOKEN
from tests.fakes.slack.outbox import Delivery, Kind
from tests.fakes.slack.wire import Refused
from tests.fakes.slack.workspace import APP, Room, Workspace

TRIGGER_SECONDS = 3.0
"""docs.slack.dev/reference/methods/views.open: `expired_trigger_id` after that."""

RESPONSES, RESPONSE_SECONDS = 5, 1800.0

TITLE, SUBMIT, LABEL, PRIVATE, VIEW_BLOCKS = 24, 24, 2_000, 3_000, 100
"""Of a modal (docs.slack.dev/reference/views/modal-views)."""


@dataclass(kw_only=True, eq=False)
class Interaction:
    """One thing that a person did to the app, with what the app has shown of it to them alone since."""

    user: str
    room: Room
    trigger: str
    address: str
    """Its `response_url`."""
    made_at: float
    original: dict[str, Any] | None = None
    """The message that it was done to; None for a command."""
    uses: int = 0
    exchanged: bool = False
    told: list[dict[str, Any]] = field(default_factory=list)
    """Ephemeral messages to them since."""
    view: dict[str, Any] | None = None
    """The form that it opened."""
    delivery: Delivery | None = None
    shown: asyncio.Event = field(default_factory=asyncio.Event)


class Interactivity:
    """Triggers, response addresses and forms of a workspace."""

    def __init__(self, slack: Workspace) -> None:
        self._slack = slack
        self.by_trigger: dict[str, Interaction] = {}
        self.by_address: dict[str, Interaction] = {}
        self.views: dict[str, tuple[str, dict[str, Any]]] = {}
        """Open forms by id: who sees each, and its content."""
        self.homes: dict[str, dict[str, Any]] = {}

    def begun(self, user: str, room: Room, original: dict[str, Any] | None = None) -> Interaction:
        name = self._slack.number("")
        interaction = Interaction(
            user=user,
            room=room,
            trigger=f"{name}.{self._slack.team}.{user}",
            address=f"{self._slack.base_url.removesuffix('api/')}{_kind(original)}/{self._slack.team}/{name}",
            made_at=self._slack.clock,
            original=original,
        )
        self.by_trigger[interaction.trigger] = interaction
        self.by_address[name] = interaction
        return interaction

    async def send(self, interaction: Interaction, kind: Kind, payload: dict[str, Any]) -> Interaction:
        """Hand it to the app, and wait for its acknowledgement as long as a person would."""
        delivery = interaction.delivery = self._slack.outbox.put(kind, payload)
        try:
            async with asyncio.timeout(self._slack.outbox.ack_seconds):
                await delivery.ended.wait()
        except TimeoutError:
            if delivery in self._slack.outbox.waiting:
                self._slack.outbox.waiting.remove(delivery)
        return interaction

    def common(self, interaction: Interaction) -> dict[str, Any]:
        name = self._slack.users[interaction.user]["name"]
        return {
            "user": {"id": interaction.user, "username": name, "name": name, "team_id": self._slack.team},
            "api_app_id": APP,
            "token": TOKEN,
            "trigger_id": interaction.trigger,
            "team": {"id": self._slack.team, "domain": "acme"},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    async def press(self, interaction: Interaction, element: Mapping[str, Any]) -> Interaction:
        """docs.slack.dev/reference/interaction-payloads/block_actions-payload; an ephemeral message is not in it."""
        message = interaction.original or {}
        hidden = "recipient" in message
        container = {"type": "message", "message_ts": message["ts"], "channel_id": interaction.room.id}
        container |= {"is_ephemeral": hidden} | _thread(message)
        action = {key: element[key] for key in ("type", "action_id", "value", "text") if key in element}
        block = next(b for b, each in buttons(message["blocks"]) if each["action_id"] == element["action_id"])
        payload = {
            "type": "block_actions",
            **self.common(interaction),
            "container": container,
            "channel": _channel(interaction.room),
            "state": {"values": {}},
            "response_url": interaction.address,
            "actions": [{**action, "block_id": block["block_id"], "action_ts": f"{self._slack.clock:.6f}"}],
        }
        if not hidden:
            payload["message"] = self._slack.view(interaction.room, message)
        return await self.send(interaction, "interactive", payload)

    async def shortcut(self, interaction: Interaction, callback: str) -> Interaction:
        """docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload."""
        message = interaction.original or {}
        payload = {
            "type": "message_action",
            **self.common(interaction),
            "action_ts": f"{self._slack.clock:.6f}",
            "callback_id": callback,
            "channel": _channel(interaction.room),
            "message_ts": message["ts"],
            "message": self._slack.view(interaction.room, message),
            "response_url": interaction.address,
        }
        return await self.send(interaction, "interactive", payload)

    async def command(self, interaction: Interaction, command: str, text: str) -> Interaction:
        """docs.slack.dev/interactivity/implementing-slash-commands."""
        payload = {
            "token": TOKEN,
            "team_id": self._slack.team,
            "team_domain": "acme",
            **{f"channel_{key}": value for key, value in _channel(interaction.room).items()},
            "user_id": interaction.user,
            "user_name": self._slack.users[interaction.user]["name"],
            "command": command,
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": interaction.address,
            "trigger_id": interaction.trigger,
        }
        return await self.send(interaction, "slash_commands", payload)

    async def submit(self, interaction: Interaction, view: dict[str, Any], values: dict[str, Any]) -> Interaction:
        """docs.slack.dev/reference/interaction-payloads/view-interactions-payload: no channel, no message is in it."""
        common = self.common(interaction)
        sent = {**view, "state": {"values": values}}
        payload = {"type": "view_submission", **common, "view": sent, "response_urls": []}
        sent_off = await self.send(interaction, "interactive", payload)
        acknowledged = sent_off.delivery is not None and sent_off.delivery.acknowledged
        if acknowledged and sent_off.delivery and not sent_off.delivery.answer.get("response_action"):
            self.views.pop(view["id"], None)
            self._slack.touch()
        return sent_off

    def opened(self, trigger: str, view: dict[str, Any]) -> dict[str, Any]:
        """docs.slack.dev/reference/methods/views.open."""
        interaction = self.by_trigger.get(trigger)
        if interaction is None:
            raise Refused("invalid_trigger_id")
        if self._slack.clock - interaction.made_at > TRIGGER_SECONDS:
            raise Refused("expired_trigger_id")
        if interaction.exchanged:
            raise Refused("exchanged_trigger_id")
        interaction.exchanged = True
        interaction.view = self.kept(interaction.user, view)
        interaction.shown.set()
        return interaction.view

    def kept(self, user: str, view: dict[str, Any], id: str = "") -> dict[str, Any]:
        kept = {"private_metadata": "", "callback_id": "", "state": {"values": {}}, **_checked(view)}
        kept |= {"id": id or self._slack.number("V"), "team_id": self._slack.team, "app_id": APP}
        kept |= {"hash": self._slack.number("h"), "root_view_id": kept["id"]}
        self.views[kept["id"]] = (user, kept)
        self._slack.touch()
        return kept


def _kind(original: Mapping[str, Any] | None) -> str:
    return "commands" if original is None else "actions"


def _channel(room: Room) -> dict[str, str]:
    return {"id": room.id, "name": "directmessage" if room.is_im else "privategroup" if room.is_private else room.name}


def _thread(message: Mapping[str, Any]) -> dict[str, str]:
    return {"thread_ts": message["thread_ts"]} if message.get("thread_ts") else {}


def _checked(view: Any) -> dict[str, Any]:
    """A modal as Slack takes it (docs.slack.dev/reference/views/modal-views)."""
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        raise Refused("invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: type"]})
    problems = [
        f"{name} must be less than {limit + 1} characters"
        for name, text, limit in (
            ("title", (view.get("title") or {}).get("text", ""), TITLE),
            ("submit", (view.get("submit") or {}).get("text", ""), SUBMIT),
            ("close", (view.get("close") or {}).get("text", ""), SUBMIT),
            ("private_metadata", view.get("private_metadata") or "", PRIVATE),
            *(("label", (block.get("label") or {}).get("text", ""), LABEL) for block in view.get("blocks", [])),
        )
        if len(text) > limit
    ]
    if len(view.get("blocks", [])) > VIEW_BLOCKS:
        problems.append(f"no more than {VIEW_BLOCKS} blocks")
    if view["type"] == "modal" and not (view.get("title") or {}).get("text"):
        problems.append("missing required field: title")
    if any(block["type"] == "input" for block in view.get("blocks", [])) and not view.get("submit"):
        problems.append("missing required field: submit")
    if problems:
        raise Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {one}" for one in problems]})
    return dict(view)
