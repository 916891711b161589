"""One workspace: its people, channels, messages and files, its clock, and the app that is installed in it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack.outbox import Outbox
from tests.fakes.slack.rich_text import handed_out
from tests.fakes.slack.sessions import Session, Status
from tests.fakes.slack.streaming import Stream
from tests.fakes.slack.wire import Params, Refused

OWN_USER, OWN_BOT, APP = "U0BOT", "B0BOT", "A0SOUFFLEUR"
"""The app's own bot user, bot and app."""

SCOPES = frozenset(
    {
        *("channels:history", "channels:read", "groups:history", "groups:read"),
        *("users:read", "files:read", "team:read"),
    }
)
"""Of an app that only reads."""

BOT_SCOPES = SCOPES | {
    *("app_mentions:read", "assistant:write", "chat:write", "commands", "im:history", "im:read", "im:write"),
    *("mpim:history", "mpim:read", "reactions:read", "reactions:write", "usergroups:read", "users:read.email"),
}
"""Of an app that people talk to."""

EVENTS = frozenset(
    {
        *("agent_session_stopped", "app_home_opened", "app_mention", "member_joined_channel", "member_left_channel"),
        *("message.channels", "message.groups", "message.im", "message.mpim", "reaction_added", "reaction_removed"),
        *("channel_archive", "channel_deleted", "channel_id_changed", "channel_left", "channel_shared"),
        *("channel_unarchive", "channel_unshared", "group_archive", "group_deleted", "group_left", "group_unarchive"),
        *("subteam_created", "subteam_members_changed", "subteam_updated", "team_join", "tokens_revoked"),
        "user_change",
    }
)
"""What an app that people talk to subscribes to."""


@dataclass
class Room:
    """One channel: its properties as the API names them, its members, its messages by `ts`."""

    id: str
    name: str
    is_private: bool = False
    is_ext_shared: bool = False
    is_archived: bool = False
    is_im: bool = False
    is_mpim: bool = False
    members: set[str] = field(default_factory=lambda: {OWN_USER})
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    whispers: list[dict[str, Any]] = field(default_factory=list)
    """Ephemeral messages, each with the `recipient` that alone sees it; no method of the API finds them
    (docs.slack.dev/reference/methods/chat.postEphemeral)."""

    @property
    def kind(self) -> str:
        """As the scopes and the `message.*` events name it."""
        return "im" if self.is_im else "mpim" if self.is_mpim else "groups" if self.is_private else "channels"

    @property
    def channel_type(self) -> str:
        """As message events name it (docs.slack.dev/reference/events/message)."""
        return {"groups": "group", "channels": "channel"}.get(self.kind, self.kind)

    def shown(self) -> dict[str, Any]:
        """docs.slack.dev/reference/objects/conversation-object."""
        flags = {name: value for name, value in vars(self).items() if name.startswith("is_")}
        shown: dict[str, Any] = {"id": self.id, "name": self.name, "is_channel": True, "topic": {"value": ""}, **flags}
        if self.is_im:
            del shown["name"], shown["topic"]
            shown |= {"is_channel": False, "user": next((one for one in self.members if one != OWN_USER), OWN_USER)}
        return shown


class Workspace:
    """State, and nothing that happens by itself.

    Without `now` the clock stands still but for a second with each message, and can be set; with it the clock goes
    with `now` and can be put on.
    """

    def __init__(
        self,
        *,
        token: str = "xoxb-1",
        app_token: str = "xapp-1",
        signing_secret: str = "8f742231b10e8888abcd99yyyzzz85a5",
        scopes: Iterable[str] = SCOPES,
        subscribed: Iterable[str] = EVENTS,
        page_size: int = 100,
        now: Callable[[], float] | None = None,
    ) -> None:
        self.token = token
        self.app_token = app_token
        self.signing_secret = signing_secret
        self.scopes = set(scopes)
        self.subscribed = set(subscribed)
        self.page_size = page_size
        """Items of a page at most, whatever the request says."""
        self.team = "T0ACME"
        self.url = "https://acme.slack.com/"
        self.base_url = ""
        self.enterprise = ""
        """The organisation that the workspace belongs to, if any."""
        self.users: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        """User groups, each with all its `users`."""
        self.group_page: int | None = None
        """So many members of each that the table of groups tells at most; None: all. Slack's page promises neither."""
        self.rooms: dict[str, Room] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.strangers: set[str] = set()
        """Users of other companies: known to `users.info`, not listed."""
        self.streams: dict[tuple[str, str], Stream] = {}
        self.statuses: dict[tuple[str, str], Status] = {}
        self.sessions: dict[tuple[str, str], Session] = {}
        self.prompts: dict[str, list[dict[str, str]]] = {}
        """Suggested prompts, by direct message."""
        self.reactions: dict[tuple[str, str], dict[str, list[str]]] = {}
        self.notified: dict[tuple[str, str], set[str]] = {}
        """Whom each message notified by a mention."""
        self.outbox = Outbox(lambda: self.clock)
        self.asking = OWN_USER
        """Whose token the call that is being answered came with."""
        self._now = now
        self._ahead = 1_780_000_000.0 if now is None else 0.0  # 2026-05-28, 20:26:40 UTC
        self._latest = 0.0
        self._numbers = itertools.count(1)
        self._revision = self._seen = 0
        self._turned = asyncio.Event()
        self.user(OWN_USER, "souffleur", is_bot=True)
        self.user("UADA", "Ada Lovelace")
        self.user("UBOB", "Bob")

    @property
    def clock(self) -> float:
        """Seconds since 1970."""
        return self._ahead + (self._now() if self._now else 0.0)

    @clock.setter
    def clock(self, moment: float) -> None:
        self._ahead += moment - self.clock
        self.outbox.look()

    def pass_days(self, days: float) -> None:
        self.clock += days * 86_400

    def moment(self) -> str:
        """A `ts` that no message has yet, later than every other one."""
        if self._now is None:
            self.clock += 1
        self._latest = max(self.clock, self._latest + 1e-5) if self._now else self.clock
        return f"{self._latest:.6f}"

    def number(self, prefix: str) -> str:
        """An id that nothing has yet."""
        return f"{prefix}{next(self._numbers):08X}"

    def touch(self) -> None:
        """Something that people see has changed."""
        self._revision += 1
        self._turned.set()
        self._turned = asyncio.Event()

    async def changed(self, within: float = 60) -> None:
        """Return when something that people see has changed since the last call. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while self._revision == self._seen:
                await self._turned.wait()
        self._seen = self._revision

    def user(self, id: str, name: str, **more: Any) -> str:
        """docs.slack.dev/reference/objects/user-object; `locale` is told to those who ask for it."""
        profile = {"display_name": name, "real_name": name}
        flags = {"deleted": False, "is_bot": False, "is_restricted": False, "is_ultra_restricted": False}
        given = {"id": id, "team_id": self.team, "name": name.lower(), "real_name": name, "profile": profile}
        self.users[id] = {**given, **flags, **more}
        return id

    def name(self, user: str) -> str:
        """As people read it."""
        profile = self.users.get(user, {}).get("profile", {})
        return str(profile.get("display_name") or profile.get("real_name") or user)

    def channel(self, name: str, id: str | None = None, **properties: Any) -> str:
        room = Room(id=id or f"C{len(self.rooms) + 1:03}", name=name, **properties)
        self.rooms[room.id] = room
        return room.id

    def direct(self, user: str) -> str:
        """The channel of somebody's direct messages with the bot."""
        for room in self.rooms.values():
            if room.is_im and user in room.members:
                return room.id
        return self.channel("", f"D{user[1:]}", is_im=True, members={OWN_USER, user})

    def needs(self, *scopes: str) -> None:
        """Raises `Refused` where the token has none of `scopes` (docs.slack.dev/authentication/permissions)."""
        if not self.scopes.intersection(scopes):
            raise Refused("missing_scope", needed=scopes[0], provided=",".join(sorted(self.scopes)))

    def room(self, params: Params, *, joined: bool = True, scope: str = "history", name: str = "channel") -> Room:
        """The channel that a request names, where whoever asks may see it."""
        room = self.rooms.get(str(params.get(name, "")))
        if room is None or (room.kind != "channels" and self.asking not in room.members):
            raise Refused("channel_not_found")
        if scope:
            self.needs(f"{room.kind}:{scope}")
        if joined and self.asking not in room.members:
            raise Refused("not_in_channel")
        return room

    def view(self, room: Room, message: dict[str, Any], *, metadata: bool = False) -> dict[str, Any]:
        """A message as it is handed out: with what is known of its thread, its files and its reactions."""
        shown = dict(message)
        if "blocks" in shown:
            shown["blocks"] = handed_out(shown["blocks"])
        if not metadata:
            shown.pop("metadata", None)
        if replies := self.replies(room, message["ts"]):
            users = list(dict.fromkeys(reply["user"] for reply in replies))
            shown |= {"thread_ts": message["ts"], "reply_count": len(replies), "latest_reply": replies[-1]["ts"]}
            shown |= {"reply_users": users[:5], "reply_users_count": len(users), "is_locked": False}
        if "files" in message:
            shown["files"] = [self.files[file["id"]] for file in message["files"]]
        if given := self.reactions.get((room.id, message["ts"])):
            shown["reactions"] = [{"name": name, "users": by, "count": len(by)} for name, by in given.items()]
        return shown

    def replies(self, room: Room, ts: str) -> list[dict[str, Any]]:
        found = (message for message in room.messages.values() if message.get("thread_ts") == ts != message["ts"])
        return sorted(found, key=lambda message: float(message["ts"]))
