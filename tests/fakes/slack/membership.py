"""Who belongs where: channels, user groups, accounts. Each deed is there at once, and the app is told of it.

Where order matters, the state has changed before the event is sent, as with Slack.
"""

from __future__ import annotations

from typing import Any

from tests.fakes.slack.events import tell
from tests.fakes.slack.workspace import OWN_USER, Room, Workspace

USERS_TOLD = 500
"""Of a group's members in an event (docs.slack.dev/reference/events/subteam_updated: truncated)."""


class Membership(Workspace):
    def join(self, channel: str, user: str) -> None:
        """docs.slack.dev/reference/events/member_joined_channel."""
        room = self.rooms[channel]
        room.members.add(user)
        self._tell_member("member_joined_channel", room, user)

    def leave(self, channel: str, user: str) -> None:
        """docs.slack.dev/reference/events/member_left_channel; of its own departure the app is told otherwise
        (docs.slack.dev/reference/events/channel_left)."""
        room = self.rooms[channel]
        room.members.discard(user)
        if user == OWN_USER:
            kind = "group_left" if room.is_private else "channel_left"
            tell(self, None, kind, {"type": kind, "channel": channel, "actor_id": "UADA", "event_ts": self.moment()})
        else:
            self._tell_member("member_left_channel", room, user)

    def archive(self, channel: str) -> None:
        """docs.slack.dev/reference/events/channel_archive and group_archive."""
        room = self.rooms[channel]
        room.is_archived = True
        kind = "group_archive" if room.is_private else "channel_archive"
        tell(self, room, kind, {"type": kind, "channel": channel, "user": "UADA", "event_ts": self.moment()})

    def connect(self, channel: str, *, company: str = "T0OTHER") -> None:
        """Share a channel with another company (docs.slack.dev/reference/events/channel_shared)."""
        room = self.rooms[channel]
        room.is_ext_shared = True
        event = {"type": "channel_shared", "connected_team_id": company, "channel": channel}
        tell(self, room, "channel_shared", event | {"event_ts": self.moment()})

    def part(self, channel: str, *, company: str = "T0OTHER") -> None:
        """docs.slack.dev/reference/events/channel_unshared."""
        room = self.rooms[channel]
        room.is_ext_shared = False
        event = {"type": "channel_unshared", "previously_connected_team_id": company, "channel": channel}
        tell(self, room, "channel_unshared", event | {"is_ext_shared": False, "event_ts": self.moment()})

    def renumber(self, channel: str, id: str) -> None:
        """Give a channel another id (docs.slack.dev/reference/events/channel_id_changed)."""
        room = self.rooms.pop(channel)
        room.id = id
        self.rooms[id] = room
        event = {"type": "channel_id_changed", "old_channel_id": channel, "new_channel_id": id}
        tell(self, room, "channel_id_changed", event | {"event_ts": self.moment()})

    def group(self, id: str, *users: str, **more: Any) -> str:
        """A new user group (docs.slack.dev/reference/objects/usergroup-object)."""
        given = {"id": id, "team_id": self.team, "is_usergroup": True, "name": id, "handle": id.lower()}
        dates = {"date_create": int(self.clock), "date_update": int(self.clock), "date_delete": 0}
        self.groups[id] = {**given, "is_external": False, **dates, "users": list(users), **more}
        self._tell_group("subteam_created", id)
        return id

    def join_group(self, id: str, user: str) -> None:
        """docs.slack.dev/reference/events/subteam_members_changed; told as an update of the group, too."""
        self.groups[id]["users"].append(user)
        self._tell_group_members(id, added=[user])

    def leave_group(self, id: str, user: str) -> None:
        self.groups[id]["users"].remove(user)
        self._tell_group_members(id, removed=[user])

    def disable_group(self, id: str) -> None:
        """docs.slack.dev/reference/events/subteam_updated: also "when a subteam has been disabled"."""
        self.groups[id]["date_delete"] = int(self.clock)
        self._tell_group("subteam_updated", id)

    def arrive(self, id: str, name: str, **more: Any) -> str:
        """A new account (docs.slack.dev/reference/events/team_join)."""
        self.user(id, name, **more)
        tell(self, None, "team_join", {"type": "team_join", "user": self.told(id), "event_ts": self.moment()})
        return id

    def alter(self, id: str, *, profile: dict[str, Any] | None = None, **flags: Any) -> None:
        """Change an account: a guest (`is_restricted`), deactivated (`deleted`), another e-mail address, a status
        (docs.slack.dev/reference/events/user_change)."""
        user = self.users[id]
        user |= flags
        user["profile"] = user["profile"] | (profile or {})
        tell(self, None, "user_change", {"type": "user_change", "user": self.told(id), "event_ts": self.moment()})

    def told(self, id: str, *, locale: bool = False) -> dict[str, Any]:
        """An account as it is handed out: the address only with its scope, the locale only where it is asked for
        (docs.slack.dev/reference/methods/users.info)."""
        user = dict(self.users[id])
        if not locale:
            user.pop("locale", None)
        if "users:read.email" not in self.scopes:
            user["profile"] = {name: value for name, value in user["profile"].items() if name != "email"}
        return user

    def _tell_member(self, kind: str, room: Room, user: str) -> None:
        event = {"type": kind, "user": user, "channel": room.id, "channel_type": "G" if room.is_private else "C"}
        tell(self, room, kind, event | {"team": self.team, "event_ts": self.moment()})

    def _tell_group(self, kind: str, id: str) -> None:
        group = self.groups[id]
        told = {**group, "users": group["users"][:USERS_TOLD], "user_count": len(group["users"])}
        tell(self, None, kind, {"type": kind, "subteam": told, "event_ts": self.moment()})

    def _tell_group_members(self, id: str, added: list[str] | None = None, removed: list[str] | None = None) -> None:
        counts = {"added_users_count": str(len(added or [])), "removed_users_count": str(len(removed or []))}
        event: dict[str, Any] = {"type": "subteam_members_changed", "subteam_id": id, "team_id": self.team, **counts}
        event |= {"added_users": added or [], "removed_users": removed or [], "event_ts": self.moment()}
        tell(self, None, "subteam_members_changed", event)
        self._tell_group("subteam_updated", id)
