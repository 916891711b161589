"""What a Mattermost server knows of its people, and the posts that they write, and what happens to them.

Rows are kept as the real server keeps them: a deleted post stays with `delete_at`, an edit leaves a row with
`original_id`, a reply touches the first post of its thread. Each change is an event for those who may see it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.fakes.mattermost.attachments import with_cookies, without_integrations
from tests.fakes.mattermost.hub import Row
from tests.fakes.mattermost.mentions import mentioned, texts_with_mentions
from tests.fakes.mattermost.people import People


@dataclass
class Company(People):
    page_limit: int = 200
    """The most posts on a page, whatever is asked for."""
    since_limit: int = 1000
    """The most rows that an answer to `since` begins from."""
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
