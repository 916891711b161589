"""Messages that are watched being written: `chat.startStream`, `chat.appendStream`, `chat.stopStream`."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack.blocks import checked
from tests.fakes.slack.events import tell_changed
from tests.fakes.slack.methods.agents import STATES, begin, transition
from tests.fakes.slack.methods.chat import TEXT_UPDATED, metadata, notifying, own_message, posted
from tests.fakes.slack.people import People
from tests.fakes.slack.streaming import Stream, brought
from tests.fakes.slack.wire import Params, Refused, needed
from tests.fakes.slack.workspace import Room


def start(slack: People, params: Params) -> dict[str, Any]:
    """Begins an agent session in `processing` and with it the native Stop (field report: agentconnect pull request
    1483); the recipient must be named in channels."""
    slack.needs("chat:write")
    channel, thread = needed(params, "channel", "thread_ts")
    room = slack.room({"channel": channel}, scope="")
    for name in () if room.is_im else ("recipient_user_id", "recipient_team_id"):
        if not params.get(name):
            raise Refused(f"missing_{name}")
    recipient = str(params.get("recipient_user_id") or "")
    if recipient and recipient not in slack.users:
        raise Refused("user_not_found")
    if params.get("task_display_mode") not in (None, "timeline", "plan"):
        raise Refused("invalid_arguments")
    stream = Stream(
        channel=channel, ts="", thread=thread, recipient=recipient, started=slack.clock, clock=lambda: slack.clock
    )
    stream.take(params)
    message = posted(slack, room, {"text": stream.text[:TEXT_UPDATED], "streaming_state": "in_progress"}, thread)
    stream.ts = message["ts"]
    slack.streams[(channel, stream.ts)] = stream
    begin(slack, channel, thread)
    _grown(slack, room, stream)
    return {"channel": channel, "ts": stream.ts}


def append(slack: People, params: Params) -> dict[str, Any]:
    slack.needs("chat:write")
    room, stream = _streaming(slack, params)
    if stream.stopped:
        raise Refused("stopped_by_user")
    if not params.get("markdown_text") and not params.get("chunks"):
        raise Refused("no_text")
    stream.take(params)
    _grown(slack, room, stream)
    return {"channel": room.id, "ts": stream.ts}


def stop(slack: People, params: Params) -> dict[str, Any]:
    """Also after a reader stopped it, to add blocks and to leave `processing` (docs.slack.dev/reference/events/
    agent_session_stopped); more text is refused then. `session_status` is `active` unless it says otherwise."""
    slack.needs("chat:write")
    room, stream = _streaming(slack, params)
    status = str(params.get("session_status") or "active")
    if status not in STATES:
        raise Refused("invalid_session_status")
    if stream.stopped and brought(params)[0]:
        raise Refused("stopped_by_user")
    blocks = checked(params["blocks"]) if params.get("blocks") is not None else []
    more = {"metadata": metadata(params["metadata"])} if params.get("metadata") else {}
    before = slack.view(room, room.messages[stream.ts])
    stream.take(params)
    if not (stream.text or stream.tasks or stream.blocks or blocks):
        raise Refused("no_text")
    stream.blocks += blocks
    stream.ended = True
    transition(slack, room.id, stream.thread, status)
    _grown(slack, room, stream)
    message = room.messages[stream.ts]
    message |= {"streaming_state": "completed", **more}
    tell_changed(slack, room, message, before)
    return {"channel": room.id, "ts": stream.ts, "message": slack.view(room, message)}


def _streaming(slack: People, params: Params) -> tuple[Room, Stream]:
    room, message = own_message(slack, params, "message_not_owned_by_app")
    stream = slack.streams.get((room.id, message["ts"]))
    if stream is None or stream.ended or stream.expired:
        raise Refused("message_not_in_streaming_state")
    return room, stream


def _grown(slack: People, room: Room, stream: Stream) -> None:
    """The message holds what the stream does: that is what is read back of it, and what is notified of."""
    message = room.messages[stream.ts]
    written = [{"type": "markdown", "block_id": "stream", "text": stream.text}] if stream.text else []
    cards = [
        {"type": "task_card", "block_id": f"task-{id}", "task_id": id, "title": {"text": task["title"]}}
        for id, task in stream.tasks.items()
    ]
    message["text"] = stream.text[:TEXT_UPDATED]
    message["blocks"] = [*cards, *written, *stream.blocks]
    notifying(slack, room, message)
    slack.touch()


METHODS = {"chat.startStream": start, "chat.appendStream": append, "chat.stopStream": stop}
