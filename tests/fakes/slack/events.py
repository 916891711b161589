"""Events as the app is told them: who is told, and what stands in them (docs.slack.dev/apis/events-api)."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.slack.blocks import MENTION
from tests.fakes.slack.outbox import Delivery
from tests.fakes.slack.workspace import APP, OWN_USER, Room, Workspace

SCOPE_OF = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "agent_session_stopped": "chat:write",
    **dict.fromkeys(("user_change", "team_join"), "users:read"),
    **dict.fromkeys(("subteam_created", "subteam_updated", "subteam_members_changed"), "usergroups:read"),
    **dict.fromkeys(("channel_archive", "channel_unarchive", "channel_deleted", "channel_left"), "channels:read"),
    **dict.fromkeys(("channel_shared", "channel_unshared", "channel_id_changed"), "channels:read"),
    **dict.fromkeys(("group_archive", "group_unarchive", "group_deleted", "group_left"), "groups:read"),
}
"""The scope that each event's page asks for; without it nothing is sent."""

SCOPES_BY_ROOM = frozenset({"member_joined_channel", "member_left_channel"})
"""Events for which the kind of channel decides about the scope, `channels:read` or `groups:read`
(docs.slack.dev/reference/events/member_joined_channel)."""

TOKEN = "verification-token"
"""The deprecated one, which is in every payload still."""


def tell(slack: Workspace, room: Room | None, subscription: str, event: dict[str, Any]) -> Delivery | None:
    """Send `event` to the app if it is subscribed, may know of it, and is in the channel."""
    scope = SCOPE_OF.get(subscription, "")
    if subscription in SCOPES_BY_ROOM and room is not None:
        scope = f"{room.kind}:read"
    if subscription not in slack.subscribed or scope not in slack.scopes | {""}:
        return None
    if room is not None and OWN_USER not in room.members:
        return None
    own = {"enterprise_id": None, "team_id": slack.team, "user_id": OWN_USER, "is_bot": True}
    payload = {
        "token": TOKEN,
        "team_id": slack.team,
        "context_team_id": slack.team,
        "context_enterprise_id": None,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": slack.number("Ev"),
        "event_time": int(slack.clock),
        "authorizations": [{**own, "is_enterprise_install": False}],
        "is_ext_shared_channel": room is not None and room.is_ext_shared,
        "event_context": slack.number("4-"),
    }
    return slack.outbox.put("events_api", payload)


def tell_message(slack: Workspace, room: Room, event: dict[str, Any]) -> None:
    """docs.slack.dev/reference/events/message: what kind of channel it is decides which subscription counts."""
    stamped = {"type": "message", **event, "channel": room.id, "channel_type": room.channel_type}
    tell(slack, room, f"message.{room.kind}", stamped)


def tell_posted(slack: Workspace, room: Room, message: dict[str, Any]) -> None:
    """A new message. A mention comes twice, under different event ids (docs.slack.dev/reference/events/app_mention);
    in a direct message it does not ("not dispatched via app_mention")."""
    said = {**slack.view(room, message), "event_ts": message["ts"]}
    if "user" in message and "bot_id" not in message:
        said |= {"client_msg_id": slack.number("cmid-"), "blocks": [rich_text(message["text"])]}
    if thread := message.get("thread_ts"):
        said["parent_user_id"] = room.messages.get(thread, {}).get("user", "USLACKBOT")
    tell_message(slack, room, said)
    if not room.is_im and mentions(message["text"], OWN_USER):
        tell(slack, room, "app_mention", {**said, "type": "app_mention", "channel": room.id})


def tell_changed(slack: Workspace, room: Room, message: dict[str, Any], before: dict[str, Any]) -> None:
    """docs.slack.dev/reference/events/message/message_changed. A message that is edited so that it mentions the app
    comes as an `app_mention` with `edited` too (field report: slack-go pull request 1256)."""
    stamp = slack.moment()
    changed = {"subtype": "message_changed", "hidden": True, "ts": stamp, "event_ts": stamp}
    now = slack.view(room, message)
    tell_message(slack, room, {**changed, "message": now, "previous_message": before})
    edited_now = message.get("edited") != before.get("edited")
    if edited_now and not room.is_im and mentions(message["text"], OWN_USER) and "bot_id" not in message:
        tell(slack, room, "app_mention", {**now, "type": "app_mention", "channel": room.id, "event_ts": stamp})


def tell_deleted(slack: Workspace, room: Room, before: dict[str, Any]) -> None:
    """docs.slack.dev/reference/events/message/message_deleted."""
    stamp = slack.moment()
    deleted = {"subtype": "message_deleted", "hidden": True, "deleted_ts": before["ts"], "previous_message": before}
    tell_message(slack, room, {**deleted, "ts": stamp, "event_ts": stamp})


def mentions(text: str, user: str) -> bool:
    return user in MENTION.findall(text)


def rich_text(text: str) -> dict[str, Any]:
    """A person's words as the client sends them (docs.slack.dev/reference/block-kit/blocks/rich-text-block)."""
    parts = re.split(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>", text)
    elements: list[dict[str, Any]] = []
    for place, part in enumerate(parts):
        if place % 2:
            elements.append({"type": "user", "user_id": part})
        elif part:
            plain = part.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
            elements.append({"type": "text", "text": plain})
    return {"type": "rich_text", "block_id": "rt", "elements": [{"type": "rich_text_section", "elements": elements}]}
