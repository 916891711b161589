"""Who there is, and who is in what: people, teams, channels, groups. Each change is an event to some."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.mattermost.hub import Hub, Row

ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"
"""Of ids: base 32, easy to tell apart."""

TOKEN = "bot-token"
ADMIN_TOKEN = "admin-token"
DAY = 86_400_000
START = 1_795_435_200_000
"""2026-11-23, 12:00 UTC, in milliseconds."""

CONFIG = {
    "EnableSignUpWithEmail": "true",
    "EnableSignInWithEmail": "true",
    "EnableSignInWithUsername": "true",
    "EnableSignUpWithGitLab": "false",
    "EnableSignUpWithGoogle": "false",
    "EnableSignUpWithOffice365": "false",
    "EnableSignUpWithOpenId": "false",
    "EnableLdap": "false",
    "EnableSaml": "false",
    "RequireEmailVerification": "false",
    "ShowEmailAddress": "true",
}
"""What clients are told of it, as it is by default (v11 source)."""


@dataclass
class People:
    now: int = START
    """Milliseconds; without a `clock` it goes on by a second at each change."""
    clock: Callable[[], int] | None = None
    """Tells the time in milliseconds, instead."""
    skews: Sequence[int] = (0,)
    """Milliseconds by which the clocks of the nodes that take turns at writing are wrong."""
    users: dict[str, Row] = field(default_factory=dict)
    teams: dict[str, Row] = field(default_factory=dict)
    channels: dict[str, Row] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    """Users by team or channel."""
    tokens: dict[str, str] = field(default_factory=dict)
    """Users by token."""
    passwords: dict[str, str] = field(default_factory=dict)
    """By user, of those who can log in."""
    guests_allowed: bool = True
    """Whether the licence knows guests."""
    groups_licensed: bool = False
    """Whether it knows groups."""
    groups: dict[str, Row] = field(default_factory=dict)
    left: dict[tuple[str, str], int] = field(default_factory=dict)
    """When users left a team, by team and user."""
    config: dict[str, str] = field(default_factory=lambda: dict(CONFIG))
    _numbers: Iterable[int] = field(default_factory=lambda: itertools.count(1))
    _nodes: Iterable[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        if self.clock is not None:
            self.now = self.clock()
        self.hub = Hub(new_id=self.id, time=self.time)
        self.bot = self.user("souffleur", is_bot=True)
        self.tokens[TOKEN] = self.bot

    def id(self) -> str:
        """A new id: 26 characters, in no order."""
        number, letters = next(iter(self._numbers)) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 130), ""
        for _ in range(26):
            number, digit = divmod(number, 32)
            letters += ALPHABET[digit]
        return letters

    def time(self) -> int:
        """What the clock shows, in milliseconds."""
        return self.now if self.clock is None else max(self.now, self.clock())

    def tick(self) -> int:
        """The time of a change, by the clock of the node that makes it; no two changes are at the same time."""
        self.now = self.now + 1000 if self.clock is None else max(self.now + 1, self.clock())
        return self.now + self.skews[next(iter(self._nodes)) % len(self.skews)]

    def user(self, username: str, name: str = "", **fields: Any) -> str:
        first, _, last = name.partition(" ")
        id = self.id()
        self.users[id] = {
            "id": id,
            "username": username,
            "first_name": first,
            "last_name": last,
            "nickname": "",
            "email": "",
            "locale": "en",
            "roles": "system_user",
            "delete_at": 0,
            **fields,
        }
        return id

    def admin(self, username: str = "admin") -> str:
        """A system administrator, whose token is `ADMIN_TOKEN`."""
        id = self.user(username, roles="system_user system_admin")
        self.tokens[ADMIN_TOKEN] = id
        return id

    def is_admin(self, user: str) -> bool:
        return "system_admin" in self.users[user]["roles"].split()

    def is_guest(self, user: str) -> bool:
        return "system_guest" in self.users[user]["roles"].split()

    def named(self, username: str) -> str:
        """The id of a user. Raises KeyError for a name that nobody has."""
        return {user["username"]: id for id, user in self.users.items()}[username]

    def team(self, name: str, *, open: bool = True, **fields: Any) -> str:
        id = self.id()
        self.teams[id] = {
            "id": id,
            "name": name,
            "display_name": name.title(),
            "type": "O" if open else "I",
            "allow_open_invite": open,
            "allowed_domains": "",
            "group_constrained": None,
            "delete_at": 0,
            **fields,
        }
        self.members[id] = {self.bot}
        return id

    def channel(self, team: str, name: str, type: str = "O", **fields: Any) -> str:
        id = self.id()
        self.channels[id] = {
            "id": id,
            "team_id": "" if type in ("D", "G") else team,
            "type": type,
            "name": name,
            "display_name": name.replace("-", " ").title(),
            "group_constrained": None,
            "shared": None,
            "delete_at": 0,
            "last_post_at": 0,
            **fields,
        }
        self.members[id] = {self.bot}
        return id

    def direct(self, one: str, other: str) -> str:
        """The channel of their direct messages, made when there is none."""
        name = "__".join(sorted((one, other)))
        for id, channel in self.channels.items():
            if channel["name"] == name:
                return id
        id = self.channel("", name, "D", display_name="")
        self.members[id] = {one, other}
        return id

    def join(self, of: str, *users: str) -> None:
        """Become a member of a team, or of a channel, where everybody is told."""
        self.members[of] |= {*users}
        for user in users:
            if of in self.channels:
                self.publish("user_added", {"user_id": user, "team_id": self.channels[of]["team_id"]}, channel=of)
            else:
                self.publish("added_to_team", {"user_id": user, "team_id": of}, to={user})

    def leave(self, of: str, *users: str) -> None:
        """Out of a channel, which its members and they themselves are told; or of a team, which is told beforehand, and
        takes them out of its channels without a word (v11 source)."""
        for user in users:
            if of in self.channels:
                self.members[of] -= {user}
                self.publish("user_removed", {"user_id": user, "remover_id": user}, channel=of)
                self.publish("user_removed", {"channel_id": of, "remover_id": user}, to={user})
                continue
            self.publish("leave_team", {"user_id": user, "team_id": of}, to={*self.members[of]})
            self.left[of, user] = self.tick()
            for id in (of, *(id for id, channel in self.channels.items() if channel["team_id"] == of)):
                self.members[id] -= {user}

    def group(self, name: str, *users: str, source: str = "custom", allow_reference: bool = True) -> str:
        id = self.id()
        told = {"name": name, "display_name": name.title(), "source": source, "allow_reference": allow_reference}
        self.groups[id] = {"id": id, **told, "delete_at": 0}
        self.members[id] = {*users}
        return id

    def enroll(self, group: str, user: str) -> None:
        """Into a group, which they alone are told (v11 source)."""
        self.members[group] |= {user}
        row = {"group_id": group, "user_id": user}
        self.publish("group_member_add", {"group_member": json.dumps(row)}, to={user})

    def expel(self, group: str, user: str) -> None:
        self.members[group] -= {user}
        row = {"group_id": group, "user_id": user}
        self.publish("group_member_deleted", {"group_member": json.dumps(row)}, to={user})

    def demote(self, user: str) -> None:
        """Make a guest of somebody; their new role they alone are told, that they have changed everybody is."""
        self.users[user]["roles"] = "system_guest"
        self.publish("user_updated", {"user": self.users[user]}, to={*self.users})
        self.publish("user_role_updated", {"user_id": user, "roles": "system_guest"}, to={user})

    def deactivate(self, user: str) -> None:
        """Everybody is told that somebody was switched on or off, and not who (v11 source)."""
        self.users[user]["delete_at"] = self.tick()
        for token in [token for token, of in self.tokens.items() if of == user]:
            del self.tokens[token]
        self.publish("user_updated", {"user": self.users[user]}, to={*self.users})
        self.publish("user_activation_status_change", {}, to={*self.users})

    def may_read(self, channel: str, account: str) -> bool:
        """Members, and in an open channel all of the team."""
        row = self.channels[channel]
        open_to = self.members.get(row["team_id"], set()) if row["type"] == "O" else set()
        return account in self.members[channel] or (account in open_to and not self.is_guest(account))

    def publish(
        self,
        event: str,
        data: Row,
        *,
        channel: str = "",
        to: set[str] | None = None,
        without: str = "",
        own: Mapping[str, Row] | None = None,
    ) -> None:
        """To whoever is in the channel, unless `to` says who else; `own` is data that one user alone gets."""
        users = self.members[channel] if to is None else to
        self.hub.publish(event, data, users - {without}, channel=channel, own=own or {})
