"""Messages of the app."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.fakes.slack.blocks import checked, strings
from tests.fakes.slack.events import tell, tell_changed, tell_posted
from tests.fakes.slack.interactivity import RESPONSE_SECONDS, RESPONSES
from tests.fakes.slack.people import People
from tests.fakes.slack.screen import whom_it_notifies
from tests.fakes.slack.streaming import MARKDOWN_TEXT
from tests.fakes.slack.wire import Params, Refused, flag, needed
from tests.fakes.slack.workspace import APP, OWN_BOT, OWN_USER, Room

TEXT_KEPT = 40_000
"""Characters of `text` in `chat.postMessage`; the rest is cut off
(docs.slack.dev/changelog/2018-truncating-really-long-messages)."""

TEXT_UPDATED = 4_000
"""Characters of `text` in `chat.update`, `msg_too_long` above (docs.slack.dev/reference/methods/chat.update)."""

METADATA_BYTES = 16_000
"""docs.slack.dev/messaging/message-metadata."""

MEDIA = re.compile(r"https?://\S+\.(?:png|jpe?g|gif|mp4)\b")


def post_message(slack: People, params: Params) -> dict[str, Any]:
    """docs.slack.dev/reference/methods/chat.postMessage. A user's id stands for their direct messages."""
    slack.needs("chat:write")
    (channel,) = needed(params, "channel")
    room = _writable(slack, {"channel": slack.direct(channel) if channel in slack.users else channel})
    content = _content(params)
    if not content:
        raise Refused("no_text")
    content["text"] = content.get("text", "")[:TEXT_KEPT]
    thread = str(params.get("thread_ts") or "")
    more = {"subtype": "thread_broadcast"} if thread and flag(params, "reply_broadcast") else {}
    message = posted(slack, room, content | more, thread, link_names=flag(params, "link_names"))
    _previews(message, params)
    return {"channel": room.id, "ts": message["ts"], "message": slack.view(room, message)}


def posted(
    slack: People, room: Room, content: Mapping[str, Any], thread: str, *, link_names: bool = False
) -> dict[str, Any]:
    """A new message of the app; the thread's status goes with it
    (docs.slack.dev/reference/methods/assistant.threads.setStatus: cleared by the app's reply)."""
    message = {
        "type": "message",
        "ts": slack.moment(),
        "user": OWN_USER,
        "bot_id": OWN_BOT,
        "app_id": APP,
        "team": slack.team,
        "bot_profile": {"id": OWN_BOT, "app_id": APP, "name": "souffleur", "team_id": slack.team, "deleted": False},
        **content,
        **({"thread_ts": thread} if thread else {}),
    }
    room.messages[message["ts"]] = message
    slack.statuses.pop((room.id, thread), None)
    notifying(slack, room, message, link_names=link_names)
    tell_posted(slack, room, message)
    slack.touch()
    return message


def notifying(slack: People, room: Room, message: Mapping[str, Any], *more: str, link_names: bool = False) -> None:
    """Notify whom the message mentions. Mentions that an edit adds count here too: stricter than Slack."""
    texts = [message.get("text") or "", message.get("markdown_text") or "", *more]
    texts += [text for block in message.get("blocks", []) for text in strings(block)]
    names = {user: slack.name(user) for user in room.members}
    whom = whom_it_notifies(room, texts, link_names=link_names, names=names)
    slack.notified.setdefault((room.id, message["ts"]), set()).update(whom)


def _previews(message: dict[str, Any], params: Params) -> None:
    """Media is previewed unless `unfurl_media` is false, other links only where `unfurl_links` is true
    (docs.slack.dev/messaging/unfurling-links-in-messages)."""
    text = " ".join([message["text"], *(text for block in message.get("blocks", []) for text in strings(block))])
    found = MEDIA.findall(text) if flag(params, "unfurl_media", True) else []
    found += re.findall(r"https?://[^\s<>()|]+", text) if flag(params, "unfurl_links") else []
    if found:
        message["attachments"] = [{"id": 1, "from_url": url, "fallback": f"Preview of {url}"} for url in found]


def update(slack: People, params: Params) -> dict[str, Any]:
    """docs.slack.dev/reference/methods/chat.update: text without blocks removes the blocks; neither keeps them."""
    slack.needs("chat:write")
    room, message = own_message(slack, params)
    stream = slack.streams.get((room.id, message["ts"]))
    if stream is not None and stream.running:
        # Field reports, measured by several: in no list of errors of the method.
        raise Refused("streaming_state_conflict")
    content = _content(params)
    if len(content.get("text", "")) > TEXT_UPDATED:
        raise Refused("msg_too_long")
    if not content:
        raise Refused("no_text")
    before = slack.view(room, message)
    if stream is not None:
        del slack.streams[(room.id, message["ts"])]
    if "text" in content or "markdown_text" in content:
        message.pop("blocks", None)
        message.pop("markdown_text", None)
    message |= content
    if "blocks" not in content:
        message["edited"] = {"user": OWN_BOT, "ts": slack.moment()}
    notifying(slack, room, message, link_names=flag(params, "link_names"))
    tell_changed(slack, room, message, before)
    slack.touch()
    return {"channel": room.id, "ts": message["ts"], "text": message["text"], "message": slack.view(room, message)}


def delete(slack: People, params: Params) -> dict[str, Any]:
    slack.needs("chat:write")
    room, message = own_message(slack, params, refusal="cant_delete_message")
    slack.delete(room.id, message["ts"])
    return {"channel": room.id, "ts": message["ts"]}


def post_ephemeral(slack: People, params: Params) -> dict[str, Any]:
    """docs.slack.dev/reference/methods/chat.postEphemeral: only to those who are in the channel."""
    slack.needs("chat:write")
    channel, user = needed(params, "channel", "user")
    room = _writable(slack, {"channel": channel})
    if user not in room.members:
        raise Refused("user_not_in_channel")
    content = _content(params)
    if not content:
        raise Refused("no_text")
    kept = slack.whisper(room, user, content, str(params.get("thread_ts") or "") or None)
    return {"message_ts": kept["ts"]}


def get_permalink(slack: People, params: Params) -> dict[str, Any]:
    channel, ts = needed(params, "channel", "message_ts")
    room = slack.room({"channel": channel}, scope="")
    if ts not in room.messages:
        raise Refused("message_not_found")
    return {"channel": channel, "permalink": f"{slack.url}archives/{channel}/p{ts.replace('.', '')}"}


def own_message(slack: People, params: Params, refusal: str = "cant_update_message") -> tuple[Room, dict[str, Any]]:
    """The message of the app that a request names."""
    channel, ts = needed(params, "channel", "ts")
    room = _writable(slack, {"channel": channel})
    message = room.messages.get(ts)
    if message is None or message.get("subtype") == "tombstone":
        raise Refused("message_not_found")
    if message.get("app_id") != APP:
        raise Refused(refusal)
    return room, message


def _writable(slack: People, params: Params) -> Room:
    room = slack.room(params, scope="")
    if room.is_archived:
        raise Refused("is_archived")
    return room


def _content(params: Params) -> dict[str, Any]:
    """What a message says: `text`, `blocks`, `markdown_text`, `metadata`."""
    content: dict[str, Any] = {}
    if params.get("markdown_text"):
        if params.get("text") or params.get("blocks"):
            raise Refused("markdown_text_conflict")
        if len(params["markdown_text"]) > MARKDOWN_TEXT:
            raise Refused("msg_too_long")
        content |= {"markdown_text": params["markdown_text"], "text": params["markdown_text"][:TEXT_UPDATED]}
    if params.get("text"):
        content["text"] = str(params["text"])
    if params.get("blocks") is not None:
        content["blocks"] = checked(params["blocks"])
    if params.get("metadata"):
        content["metadata"] = metadata(params["metadata"])
    return content


def metadata(given: Any) -> dict[str, Any]:
    """docs.slack.dev/messaging/message-metadata."""
    if not isinstance(given, dict) or not isinstance(given.get("event_payload"), dict) or not given.get("event_type"):
        raise Refused("invalid_metadata_format")
    if len(str(given).encode()) > METADATA_BYTES:
        raise Refused("metadata_too_large")
    return given


def respond(slack: People, address: str, body: Mapping[str, Any]) -> str:
    """What is sent to a response address; why it is refused, or nothing (docs.slack.dev/interactivity/
    handling-user-interaction/#message_responses). `thread_ts` alone says in which thread."""
    interaction = slack.interactivity.by_address.get(address)
    if interaction is None or slack.clock - interaction.made_at > RESPONSE_SECONDS:
        return "expired_url"
    if interaction.uses >= RESPONSES:
        return "used_url"
    interaction.uses += 1
    room, original = interaction.room, interaction.original
    private = original is not None and "recipient" in original
    if body.get("delete_original") and original is not None:
        if private:
            room.whispers.remove(original)
        else:
            room.messages.pop(original["ts"], None)
        slack.touch()
        return ""
    content = _content(body)
    if not content:
        return "no_text"
    if body.get("replace_original") and original is not None:
        for name in ("text", "blocks", "markdown_text"):
            original.pop(name, None)
        original |= {"text": "", **content}
        slack.touch()
    elif body.get("response_type") == "in_channel":
        posted(slack, room, {"text": "", **content}, str(body.get("thread_ts") or ""))
    else:
        slack.whisper(room, interaction.user, content, body.get("thread_ts"))
    return ""


def react(slack: People, params: Params) -> dict[str, Any]:
    """docs.slack.dev/reference/methods/reactions.add."""
    slack.needs("reactions:write")
    channel, ts, name = needed(params, "channel", "timestamp", "name")
    room = slack.room({"channel": channel}, scope="")
    if ts not in room.messages:
        raise Refused("message_not_found")
    given = slack.reactions.setdefault((channel, ts), {}).setdefault(name, [])
    if OWN_USER in given:
        raise Refused("already_reacted")
    given.append(OWN_USER)
    item = {"type": "message", "channel": channel, "ts": ts}
    event = {"type": "reaction_added", "user": OWN_USER, "reaction": name, "item": item, "event_ts": slack.moment()}
    tell(slack, room, "reaction_added", event)
    slack.touch()
    return {}


def unreact(slack: People, params: Params) -> dict[str, Any]:
    slack.needs("reactions:write")
    channel, ts, name = needed(params, "channel", "timestamp", "name")
    given = slack.reactions.get((channel, ts), {})
    if OWN_USER not in given.get(name, []):
        raise Refused("no_reaction")
    given[name].remove(OWN_USER)
    if not given[name]:
        del given[name]
    slack.touch()
    return {}


def get_reactions(slack: People, params: Params) -> dict[str, Any]:
    slack.needs("reactions:read")
    channel, ts = needed(params, "channel", "timestamp")
    room = slack.room({"channel": channel}, scope="")
    if ts not in room.messages:
        raise Refused("message_not_found")
    return {"type": "message", "channel": channel, "message": slack.view(room, room.messages[ts])}


METHODS = {
    "chat.postMessage": post_message,
    "chat.update": update,
    "chat.delete": delete,
    "chat.postEphemeral": post_ephemeral,
    "chat.getPermalink": get_permalink,
    "reactions.add": react,
    "reactions.remove": unreact,
    "reactions.get": get_reactions,
}
