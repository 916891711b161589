"""What a Mattermost server knows: people, teams, channels and posts, and what happens to them.

Rows are kept as the real server keeps them: a deleted post stays with `delete_at`, an edit leaves a row with
`original_id`, a reply touches the first post of its thread. Each change is an event for those who may see it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.mattermost.attachments import with_cookies, without_integrations
from tests.fakes.mattermost.hub import Hub, Row
from tests.fakes.mattermost.mentions import mentioned, texts_with_mentions

ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"
"""Of ids: base 32, easy to tell apart."""

TOKEN = "bot-token"
ADMIN_TOKEN = "admin-token"
DAY = 86_400_000
START = 1_795_435_200_000
"""2026-11-23, 12:00 UTC, in milliseconds."""


@dataclass
class Company:
    page_limit: int = 200
    """The most posts on a page, whatever is asked for."""
    since_limit: int = 1000
    """The most rows that an answer to `since` begins from."""
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
    posts: dict[str, Row] = field(default_factory=dict)
    reactions: list[Row] = field(default_factory=list)
    ephemerals: dict[str, Row] = field(default_factory=dict)
    """What is shown to one person alone and kept by nobody, with `viewer`."""
    typing: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    """Who was typing when, by channel and thread."""
    notified: dict[str, set[str]] = field(default_factory=dict)
    """Users whom a post mentioned when it was created, which notifies them; an edit notifies nobody."""
    files: dict[str, Row] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    """Users by token."""
    passwords: dict[str, str] = field(default_factory=dict)
    """By user, of those who can log in."""
    guests_allowed: bool = True
    """Whether the licence knows guests."""
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

    def file(self, name: str, content: bytes, media_type: str, *, by: str = "", channel: str = "") -> str:
        id = self.id()
        extension = name.rpartition(".")[2] if "." in name else ""
        self.files[id] = {
            "id": id,
            "user_id": by,
            "post_id": "",
            "channel_id": channel,
            "create_at": self.now,
            "delete_at": 0,
            "name": name,
            "extension": extension,
            "size": len(content),
            "mime_type": media_type,
        }
        self.contents[id] = content
        return id

    def post(
        self,
        channel: str,
        user: str,
        message: str,
        *,
        root: str = "",
        files: Sequence[str] = (),
        at: int | None = None,
        type: str = "",
        props: Row | None = None,
        pending: str = "",
        silent: bool = False,
    ) -> str:
        """`at`: when it was created, by the clock of its node; otherwise now. `silent`: nobody is notified."""
        now = self.tick() if at is None else at
        id = self.id()
        self.posts[id] = row = {
            "id": id,
            "create_at": now,
            "update_at": now,
            "edit_at": 0,
            "delete_at": 0,
            "is_pinned": False,
            "user_id": user,
            "channel_id": channel,
            "root_id": root,
            "original_id": "",
            "message": message,
            "type": type,
            "props": props or {},
            "hashtags": "",
            "file_ids": [*files],
            "pending_post_id": pending,
        }
        if root:
            self.posts[root]["update_at"] = max(now, self.posts[root]["update_at"])
        for file in files:
            self.files[file] |= {"post_id": id, "user_id": user, "create_at": now, "channel_id": channel}
        self.channels[channel]["last_post_at"] = now
        self._announce(row, silent=silent)
        return id

    def edit(
        self, post: str, message: str | None = None, *, files: Sequence[str] | None = None, props: Row | None = None
    ) -> None:
        """What is None stays. Each edit leaves a row of history, whatever changed (measured on a server)."""
        row, now = self.posts[post], self.tick()
        before = self.id()
        self.posts[before] = {**row, "id": before, "original_id": post, "update_at": now, "delete_at": now}
        row["update_at"] = now
        if message is not None:
            row |= {"message": message, "edit_at": now}
        if files is not None:
            row["file_ids"] = [*files]
        if props is not None:
            row["props"] = props
        self.publish("post_edited", {"post": json.dumps(self.shown(row))}, channel=row["channel_id"])

    def react(self, post: str, user: str | None = None, emoji: str = "") -> None:
        """A reaction (with `user` and `emoji`), or a pin: the row changes and nothing that is said."""
        row, now = self.posts[post], self.tick()
        row["update_at"] = now
        if user is None:
            return
        reaction = {
            "user_id": user,
            "post_id": post,
            "emoji_name": emoji,
            "create_at": now,
            "update_at": now,
            "delete_at": 0,
            "remote_id": "",
            "channel_id": row["channel_id"],
        }
        self.reactions.append(reaction)
        self.publish("reaction_added", {"reaction": json.dumps(reaction)}, channel=row["channel_id"])

    def unreact(self, post: str, user: str, emoji: str) -> None:
        self.posts[post]["update_at"] = self.tick()
        for reaction in [*self.reactions]:
            if (reaction["post_id"], reaction["user_id"], reaction["emoji_name"]) == (post, user, emoji):
                self.reactions.remove(reaction)
                channel = self.posts[post]["channel_id"]
                self.publish("reaction_removed", {"reaction": json.dumps(reaction)}, channel=channel)

    def delete(self, post: str, *, by: str = "") -> None:
        """With everything that hangs on it; one event names the post itself."""
        now, by = self.tick(), by or self.posts[post]["user_id"]
        shown = json.dumps(self.shown(self.posts[post]))
        for row in self.posts.values():
            if post in (row["id"], row["root_id"]):
                row |= {"delete_at": now, "update_at": now, "props": {**row["props"], "deleteBy": by}}
                for file in row["file_ids"]:
                    self.files[file]["delete_at"] = now
        channel = self.posts[post]["channel_id"]
        self.publish("post_deleted", {"post": shown, "delete_by": by}, channel=channel)

    def purge(self, post: str) -> None:
        """Delete for good, as data retention does: no row is left."""
        gone = [id for id, row in self.posts.items() if post in (id, row["root_id"], row["original_id"])]
        for id in gone:
            del self.posts[id]

    def ephemeral(self, viewer: str, channel: str, message: str, *, root: str = "", props: Row | None = None) -> str:
        """Show something to one person alone; it is a post that nobody keeps.

        So its buttons carry all that the server must know when one is pressed, in a sealed `cookie` (v11 source).
        """
        id, now = self.id(), self.tick()
        props = with_cookies(props or {}, self.id)
        row = {
            "id": id,
            "create_at": now,
            "update_at": now + 1,
            "edit_at": 0,
            "delete_at": 0,
            "user_id": viewer,
            "channel_id": channel,
            "root_id": root,
            "original_id": "",
            "message": message,
            "type": "system_ephemeral",
            "props": props,
            "file_ids": [],
            "viewer": viewer,
        }
        self.ephemerals[id] = row
        self.publish("ephemeral_message", {"post": json.dumps(self.shown(row))}, to={viewer}, channel=channel)
        return id

    def types(self, channel: str, user: str, thread: str = "") -> None:
        """Somebody is typing; clients show it for five seconds."""
        self.typing.setdefault((channel, thread), {})[user] = self.time()
        self.publish("typing", {"parent_id": thread, "user_id": user}, channel=channel, without=user)

    def status(self, user: str, status: str) -> None:
        """Somebody is online, away or offline, which the server tells themselves alone."""
        self.publish("status_change", {"status": status, "user_id": user}, to={user})

    def shown(self, row: Row) -> Row:
        """A post as clients get it: what its buttons call is no business of theirs (measured on a server)."""
        if row["delete_at"]:
            return {**row, "message": "", "metadata": {}, "reply_count": 0}
        root = row["root_id"] or row["id"]
        replies = sum(other["root_id"] == root and not other["delete_at"] for other in self.posts.values())
        files = [self.files[file] for file in row["file_ids"]]
        reactions = [reaction for reaction in self.reactions if reaction["post_id"] == row["id"]]
        metadata = ({"files": files} if files else {}) | ({"reactions": reactions} if reactions else {})
        return {**row, "props": without_integrations(row), "reply_count": replies, "metadata": metadata}

    def live(self, channel: str) -> list[Row]:
        return [row for row in self.posts.values() if row["channel_id"] == channel and not row["delete_at"]]

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

    def _announce(self, row: Row, *, silent: bool) -> None:
        """`mentions` and `followers` hold the receiver's own id, and nobody else's (v11 source).

        In a direct message the other one is mentioned; followers of a thread wrote in it or were mentioned there.
        """
        channel = self.channels[row["channel_id"]]
        members = self.members[channel["id"]]
        names = {self.users[user]["username"]: user for user in members if user in self.users}
        mentions = set() if row["type"] or silent else mentioned(texts_with_mentions(row), names) - {row["user_id"]}
        self.notified[row["id"]] = mentions & members
        if channel["type"] in ("D", "G") and not silent:
            mentions = mentions | members - {row["user_id"]}
        root = row["root_id"]
        thread = [row for row in self.posts.values() if root and root in (row["id"], row["root_id"])]
        followers = {row["user_id"] for row in thread}.union(*(self.notified.get(row["id"], ()) for row in thread))
        own = {
            user: ({"mentions": json.dumps([user])} if user in mentions else {})
            | ({"followers": json.dumps([user])} if user in followers else {})
            for user in members
        }
        media = [self.files[file]["mime_type"] for file in row["file_ids"]]
        data = {
            "channel_display_name": channel["display_name"],
            "channel_name": channel["name"],
            "channel_type": channel["type"],
            "post": json.dumps(self.shown(row)),
            "sender_name": f"@{self.users[row['user_id']]['username']}" if row["user_id"] in self.users else "System",
            "set_online": True,
            "team_id": channel["team_id"],
            **({"otherFile": "true"} if media else {}),
            **({"image": "true"} if any(type.startswith("image/") for type in media) else {}),
        }
        self.publish("posted", data, channel=channel["id"], own=own)
