"""What a person's own token (`xoxp-…`, of the same app) may do: the Web API as its pages allow it to user tokens.

Whatever is posted so bears the app's mark all the same: `bot_id`, of a bot profile that the authorisation has for
itself, `app_id` and `bot_profile` (field report: claude-threads issue 526 and pull request 527). No method presses a
button, gives a command or opens a form.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from typing import Any

from tests.fakes.slack.methods import conversations
from tests.fakes.slack.people import People
from tests.fakes.slack.wire import Params, Refused, needed
from tests.fakes.slack.workspace import APP, OWN_USER, Room

Method = Callable[[People, str, Params], dict[str, Any]]


def _mark(user: str) -> dict[str, Any]:
    bot = f"B0{user[1:]}"
    return {"bot_id": bot, "app_id": APP, "bot_profile": {"id": bot, "app_id": APP, "name": "souffleur"}}


def _room(slack: People, user: str, channel: str) -> Room:
    room = slack.rooms.get(channel)
    if room is None or user not in room.members:
        raise Refused("channel_not_found" if room is None or room.kind != "channels" else "not_in_channel")
    return room


def _own(slack: People, user: str, params: Params, refusal: str) -> tuple[str, str]:
    channel, ts = needed(params, "channel", "ts")
    message = _room(slack, user, channel).messages.get(ts)
    if message is None:
        raise Refused("message_not_found")
    if message.get("user") != user:
        raise Refused(refusal)
    return channel, ts


def auth_test(slack: People, user: str, params: Params) -> dict[str, Any]:
    return {"url": slack.url, "team": "Acme", "team_id": slack.team, "user": slack.users[user]["name"], "user_id": user}


def post_message(slack: People, user: str, params: Params) -> dict[str, Any]:
    channel, text = needed(params, "channel", "text")
    room = _room(slack, user, channel)
    ts = slack.say(channel, text, by=user, thread=str(params.get("thread_ts") or "") or None, **_mark(user))
    return {"channel": channel, "ts": ts, "message": slack.view(room, room.messages[ts])}


def update(slack: People, user: str, params: Params) -> dict[str, Any]:
    channel, ts = _own(slack, user, params, "cant_update_message")
    slack.edit(channel, ts, str(params["text"]))
    return {"channel": channel, "ts": ts, "text": params["text"]}


def delete(slack: People, user: str, params: Params) -> dict[str, Any]:
    channel, ts = _own(slack, user, params, "cant_delete_message")
    slack.delete(channel, ts)
    return {"channel": channel, "ts": ts}


def react(slack: People, user: str, params: Params) -> dict[str, Any]:
    channel, ts, name = needed(params, "channel", "timestamp", "name")
    if ts not in _room(slack, user, channel).messages:
        raise Refused("message_not_found")
    if user in slack.reactions.get((channel, ts), {}).get(name, []):
        raise Refused("already_reacted")
    slack.react(channel, ts, name, by=user)
    return {}


def create_channel(slack: People, user: str, params: Params) -> dict[str, Any]:
    """docs.slack.dev/reference/methods/conversations.create."""
    (name,) = needed(params, "name")
    if any(room.name == name for room in slack.rooms.values()):
        raise Refused("name_taken")
    channel = slack.channel(name, members={user})
    return {"channel": slack.rooms[channel].shown()}


def invite(slack: People, user: str, params: Params) -> dict[str, Any]:
    """docs.slack.dev/reference/methods/conversations.invite."""
    channel, users = needed(params, "channel", "users")
    room = _room(slack, user, channel)
    for invited in users.split(","):
        if invited not in slack.users:
            raise Refused("user_not_found")
        if invited == user:
            raise Refused("cant_invite_self")
        slack.join(channel, invited)
    return {"channel": room.shown()}


def archive(slack: People, user: str, params: Params) -> dict[str, Any]:
    (channel,) = needed(params, "channel")
    _room(slack, user, channel).is_archived = True
    return {}


def open_direct(slack: People, user: str, params: Params) -> dict[str, Any]:
    """With the app's bot: whom else this person writes to does not matter here."""
    if needed(params, "users") != (OWN_USER,):
        raise Refused("user_not_found")
    return {"channel": {"id": slack.direct(user)}, "no_op": True, "already_open": True}


def _reading(read: Callable[[People, Params], dict[str, Any]]) -> Method:
    def method(slack: People, user: str, params: Params) -> dict[str, Any]:
        slack.asking = user
        try:
            return read(slack, params)
        finally:
            slack.asking = OWN_USER

    return method


def get_upload_url(slack: People, user: str, params: Params) -> dict[str, Any]:
    """docs.slack.dev/reference/methods/files.getUploadURLExternal: the address takes the bytes."""
    name, length = needed(params, "filename", "length")
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    id = slack.upload("", name, b"", media_type=media_type, by=user)
    slack.files[id] |= {"size": int(length), "mode": "tombstone"}
    return {"upload_url": f"{slack.base_url.removesuffix('api/')}upload/v1/{id}", "file_id": id}


def complete_upload(slack: People, user: str, params: Params) -> dict[str, Any]:
    """docs.slack.dev/reference/methods/files.completeUploadExternal: the message is made by that, and the answer does
    not tell which one it is; `files.info` does, in `shares`."""
    given, channel = params.get("files") or [], str(params.get("channel_id") or "")
    _room(slack, user, channel)
    ids = [str(one["id"]) for one in given]
    if not ids or any(id not in slack.contents or len(slack.contents[id]) != slack.files[id]["size"] for id in ids):
        raise Refused("file_not_found")
    for id in ids:
        slack.files[id] |= {"mode": "hosted", "channels": [channel]}
    thread = str(params.get("thread_ts") or "") or None
    more = {"subtype": "file_share", "files": [{"id": id} for id in ids], "upload": True, **_mark(user)}
    ts = slack.say(channel, str(params.get("initial_comment") or ""), by=user, thread=thread, **more)
    for id in ids:
        slack.files[id]["shares"] = {"public": {channel: [{"ts": ts, **({"thread_ts": thread} if thread else {})}]}}
    return {"files": [{"id": id, "title": slack.files[id]["title"]} for id in ids]}


def file_info(slack: People, user: str, params: Params) -> dict[str, Any]:
    file = slack.files.get(str(params.get("file", "")))
    if file is None:
        raise Refused("file_not_found")
    return {"file": file}


METHODS_OF_PEOPLE: dict[str, Method] = {
    "auth.test": auth_test,
    "chat.postMessage": post_message,
    "chat.update": update,
    "chat.delete": delete,
    "reactions.add": react,
    "conversations.create": create_channel,
    "conversations.invite": invite,
    "conversations.archive": archive,
    "conversations.open": open_direct,
    "conversations.history": _reading(conversations.conversations_history),
    "conversations.replies": _reading(conversations.conversations_replies),
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
    "files.info": file_info,
}
