"""Channels and what was said in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.fakes.slack.people import People
from tests.fakes.slack.wire import Params, Refused, flag, needed, page
from tests.fakes.slack.workspace import OWN_USER, Room


def conversations_list(slack: People, params: Params) -> dict[str, Any]:
    return page([room.shown() for room in _rooms(slack, params)], "channels", params, slack.page_size)


def users_conversations(slack: People, params: Params) -> dict[str, Any]:
    user = params.get("user") or OWN_USER
    shown = [room.shown() for room in _rooms(slack, params) if user in room.members]
    return page(shown, "channels", params, slack.page_size)


def _rooms(slack: People, params: Params) -> Iterable[Room]:
    kinds = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}
    types = {kinds[kind.strip()] for kind in str(params.get("types") or "public_channel").split(",")}
    for kind in sorted(types):
        slack.needs(f"{kind}:read")
    for room in slack.rooms.values():
        if room.kind not in types or (room.is_archived and flag(params, "exclude_archived")):
            continue
        if room.kind == "channels" or OWN_USER in room.members:
            yield room


def conversations_info(slack: People, params: Params) -> dict[str, Any]:
    room = slack.room(params, joined=False, scope="read")
    shown = room.shown() | {"is_member": OWN_USER in room.members}
    return {"channel": shown | ({"num_members": len(room.members)} if flag(params, "include_num_members") else {})}


def conversations_members(slack: People, params: Params) -> dict[str, Any]:
    return page(sorted(slack.room(params, scope="read").members), "members", params, slack.page_size)


def conversations_open(slack: People, params: Params) -> dict[str, Any]:
    """docs.slack.dev/reference/methods/conversations.open: the direct message with one user, the same every time."""
    slack.needs("im:write")
    (users,) = needed(params, "users")
    if users not in slack.users:
        raise Refused("user_not_found")
    if slack.users[users].get("is_bot") or slack.users[users].get("deleted"):
        raise Refused("user_disabled" if slack.users[users].get("deleted") else "cannot_dm_bot")
    return {"channel": {"id": slack.direct(users)}, "no_op": True, "already_open": True}


def conversations_history(slack: People, params: Params) -> dict[str, Any]:
    """Newest first; without `latest` but with `oldest`, the first page is at the old end."""
    room = slack.room(params)
    metadata = flag(params, "include_all_metadata")
    shown = [
        slack.view(room, message, metadata=metadata)
        for message in sorted(room.messages.values(), key=lambda message: float(message["ts"]))
        if _within(message, params)
        and (message.get("thread_ts", message["ts"]) == message["ts"] or message.get("subtype") == "thread_broadcast")
    ]
    if params.get("latest") or not params.get("oldest"):
        answer = page(shown[::-1], "messages", params, slack.page_size)
    else:
        answer = page(shown, "messages", params, slack.page_size)
        answer["messages"] = answer["messages"][::-1]
    return {**answer, "has_more": bool(answer["response_metadata"]["next_cursor"]), "pin_count": 0}


def conversations_replies(slack: People, params: Params) -> dict[str, Any]:
    """Oldest first, each page after the thread's first message."""
    room = slack.room(params)
    ts = str(params.get("ts", ""))
    if ts not in room.messages:
        raise Refused("thread_not_found")
    metadata = flag(params, "include_all_metadata")
    replies = [slack.view(room, one, metadata=metadata) for one in slack.replies(room, ts) if _within(one, params)]
    answer = page(replies, "messages", params, slack.page_size)
    answer["messages"] = [slack.view(room, room.messages[ts], metadata=metadata), *answer["messages"]]
    return {**answer, "has_more": bool(answer["response_metadata"]["next_cursor"])}


def _within(message: dict[str, Any], params: Params) -> bool:
    oldest, latest = float(params.get("oldest") or 0), float(params.get("latest") or "inf")
    ts = float(message["ts"])
    return oldest <= ts <= latest if flag(params, "inclusive") else oldest < ts < latest


METHODS = {
    "conversations.list": conversations_list,
    "conversations.info": conversations_info,
    "conversations.members": conversations_members,
    "conversations.open": conversations_open,
    "conversations.history": conversations_history,
    "conversations.replies": conversations_replies,
    "users.conversations": users_conversations,
}
