"""From a websocket event to what is out of date: who it is about, and what depends on them.

An ordinary bot is not told everything. Of other people's groups, and of their coming into a team, the server tells
nobody but themselves (`WebsocketEventGroupMemberAdd` and others in its source): what is kept of those grows too old.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.platforms.interface import Change
from bot.platforms.mattermost.kept import Changes
from bot.platforms.mattermost.payloads import Frame

GUESTS, LEAVING = "guests", "leaving"
"""Subjects: that there are guests in a channel; that people leave a team, and with it its channels, untold."""

OF_ALL = frozenset(
    {
        "user_activation_status_change",
        "guests_deactivated",
        "role_updated",
        "config_changed",
        "license_changed",
        "update_team",
        "update_team_scheme",
        "delete_team",
        "restore_team",
        "received_group",
        "received_group_associated_to_team",
        "received_group_not_associated_to_team",
        "received_group_associated_to_channel",
        "received_group_not_associated_to_channel",
    }
)
"""They do not say who all is concerned."""

OF_CHANNEL = frozenset(
    {
        "user_added",
        "user_removed",
        "channel_created",
        "channel_updated",
        "channel_converted",
        "channel_deleted",
        "channel_restored",
        "channel_scheme_updated",
        "channel_member_updated",
        "direct_added",
        "group_added",
    }
)

OF_PERSON = frozenset({"user_updated", "user_role_updated", "memberrole_updated", "new_user"})

OF_TEAM = frozenset({"added_to_team", "leave_team"})

OF_GROUP = frozenset({"group_member_add", "group_member_deleted", "group_member_delete"})


def hear(frame: Frame, changes: Changes) -> None:
    """Make `changes` hear what the frame tells; what it should say and does not may be anybody, anywhere."""
    event, told = frame.event, _told(frame)
    person, channel = told.get("user_id", ""), told.get("channel_id", "")
    if event in OF_CHANNEL and channel:
        changes.hear(Change(person=person, channel=channel), {channel, person} - {""})
    elif event in OF_PERSON and person:
        changes.hear(Change(person=person), {person, *([GUESTS] if _may_be_guest(frame) else [])})
    elif event in OF_TEAM and person:
        changes.hear(Change(person=person), {person, LEAVING} | {told.get("team_id", "")} - {""})
    elif event in OF_GROUP and person and told.get("group_id"):
        changes.hear(Change(person=person), {person, told["group_id"]})
    elif event in OF_ALL | OF_CHANNEL | OF_PERSON | OF_TEAM | OF_GROUP:
        changes.hear_of_all()


def _told(frame: Frame) -> dict[str, str]:
    """Ids, wherever the event has them: beside each other, in an object, in JSON within JSON, or as its recipient."""
    found: dict[str, str] = {}
    for name, value in frame.data.items():
        inner = _parsed(value)
        if isinstance(inner, Mapping):
            found |= {key: inner[key] for key in ("user_id", "channel_id", "team_id", "group_id") if _is_id(inner, key)}
            if name in ("user", "channel") and _is_id(inner, "id"):
                found[f"{name}_id"] = inner["id"]
        elif name.endswith("_id") and isinstance(value, str) and value:
            found[name] = value
    if frame.broadcast.channel_id:
        found["channel_id"] = frame.broadcast.channel_id
    if frame.broadcast.user_id:
        found.setdefault("user_id", frame.broadcast.user_id)
    return found


def _parsed(value: object) -> object:
    if not (isinstance(value, str) and value.startswith("{")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _is_id(of: Mapping[str, Any], key: str) -> bool:
    return isinstance(of.get(key), str) and bool(of[key])


def _may_be_guest(frame: Frame) -> bool:
    user = frame.data.get("user")
    roles = user.get("roles") if isinstance(user, Mapping) else None
    return not isinstance(roles, str) or not roles or "system_guest" in roles.split()
