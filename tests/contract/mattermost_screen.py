"""What one person's client is told over the websocket and nothing else tells: see `mattermost_server`."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

import websockets
from websockets.asyncio.client import connect

from tests.fakes.mattermost.attachments import actions
from tests.fakes.mattermost.hub import Row
from tests.fakes.mattermost.screen import TYPING_MILLISECONDS, text_of


@dataclass(kw_only=True, eq=False)
class Screen:
    user: str
    token: str
    """Of their session."""
    name: str
    told: asyncio.Event
    """Set with each event, for whoever looks at all screens."""
    watching: asyncio.Event = field(default_factory=asyncio.Event)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    receipts: list[str] = field(default_factory=list)
    """What came up since they pressed something: titles of forms, texts for them alone."""
    forms: list[dict[str, Any]] = field(default_factory=list)
    """Forms that were opened for them."""
    pressed_in: str = ""
    """The channel where they pressed last: a form is sent from there."""
    mentioned_in: set[str] = field(default_factory=set)
    """Posts of channels that notified them; in direct messages every post does."""
    task: asyncio.Task[None] | None = None
    _alone: dict[str, Row] = field(default_factory=dict)
    _typing: dict[tuple[str, str, str], float] = field(default_factory=dict)

    async def watch(self, url: str) -> None:
        """Until cancelled; opened again where it broke off, which loses what came meanwhile."""
        address = f"{url.replace('http', 'ws', 1)}/api/v4/websocket"
        headers = {"Authorization": f"Bearer {self.token}"}
        async for socket in connect(address, additional_headers=headers, max_size=None, proxy=None):
            try:
                async for text in socket:
                    self._hear(json.loads(text))
            except websockets.ConnectionClosed:
                continue

    def alone(self, channel: str, thread: str | None) -> list[Row]:
        """What only they see, in the thread or at the channel's top level."""
        return [
            row for row in self._alone.values() if row["channel_id"] == channel and row["root_id"] == (thread or "")
        ]

    def actions_of(self, post: str) -> list[dict[str, Any]]:
        """Buttons of a post that only they see, each with the `cookie` by which the server knows it again."""
        return actions(self._alone[post]) if post in self._alone else []

    def sees_typing(self, user: str, channel: str, thread: str, *, now: float) -> bool:
        return now - self._typing.get((user, channel, thread), -1e9) < TYPING_MILLISECONDS / 1000

    def _hear(self, frame: dict[str, Any]) -> None:
        data = frame.get("data") or {}
        match frame.get("event"):
            case "hello":
                self.watching.set()
            case "posted":
                row = json.loads(data["post"])
                # Clients take the sign away when what was typed is there.
                self._typing.pop((row["user_id"], row["channel_id"], row["root_id"]), None)
                direct = data.get("channel_type") in ("D", "G")
                if not direct and self.user in json.loads(data.get("mentions") or "[]"):
                    self.mentioned_in.add(row["id"])
            case "ephemeral_message":
                row = json.loads(data["post"])
                self._alone[row["id"]] = row | {"props": row.get("props") or {}}
                self.receipts.append(text_of(self._alone[row["id"]]))
            case "open_dialog":
                form = json.loads(data["dialog"])
                self.forms.append(form)
                self.receipts.append(str(form["dialog"]["title"]))
            case "typing":
                place = (str(data["user_id"]), str(frame["broadcast"]["channel_id"]), str(data.get("parent_id") or ""))
                self._typing[place] = time.monotonic()
            case _:
                pass
        self.stirred.set()
        self.told.set()
