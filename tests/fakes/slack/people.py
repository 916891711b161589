"""What people do in the workspace. Each deed is there at once; what the app is told of it is in the outbox."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tests.fakes.slack.blocks import buttons
from tests.fakes.slack.events import tell, tell_changed, tell_deleted, tell_posted
from tests.fakes.slack.interactivity import Interaction, Interactivity
from tests.fakes.slack.membership import Membership
from tests.fakes.slack.workspace import APP, OWN_USER, Room


class NotThere(LookupError):
    """What somebody wanted to press is not on their screen."""


class People(Membership):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.interactivity = Interactivity(self)

    def say(self, channel: str, text: str, *, by: str = "UADA", thread: str | None = None, **more: Any) -> str:
        """Post a message; its `ts`. `text` is as the API shows it: `<@U…>`, `&lt;` (`typed` makes that of words)."""
        room = self.rooms[channel]
        ts = self.moment()
        message = {"type": "message", "ts": ts, "user": by, "text": text, "team": self.team, **more}
        if (team := self.users.get(by, {}).get("team_id", self.team)) != self.team:
            message |= {"user_team": team, "source_team": team}
        room.messages[ts] = message | ({"thread_ts": thread} if thread else {})
        tell_posted(self, room, room.messages[ts])
        self.touch()
        return ts

    def say_as_bot(self, channel: str, text: str, *, classic: bool = False, thread: str | None = None) -> str:
        """By another app: with a user and a `bot_id`, or the classic way (docs.slack.dev/reference/events/message/
        bot_message) with the subtype and no user."""
        more = {"bot_id": "B0OTHER", "app_id": "A0OTHER", "bot_profile": {"id": "B0OTHER", "name": "other"}}
        if "U0OTHER" not in self.users:
            self.user("U0OTHER", "other", is_bot=True)
        ts = self.say(channel, text, by="U0OTHER", thread=thread, **more)
        if classic:
            message = self.rooms[channel].messages[ts]
            message |= {"subtype": "bot_message", "username": "other"}
            del message["user"]
        return ts

    def broadcast(self, channel: str, thread: str, text: str, *, by: str = "UADA") -> str:
        """Reply in a thread, shown in the channel too (docs.slack.dev/reference/events/message/thread_broadcast)."""
        root = self.rooms[channel].messages[thread]
        return self.say(channel, text, by=by, thread=thread, subtype="thread_broadcast", root=root)

    def edit(self, channel: str, ts: str, text: str) -> None:
        room = self.rooms[channel]
        message = room.messages[ts]
        before = self.view(room, message)
        message |= {"text": text, "edited": {"user": message["user"], "ts": self.moment()}}
        tell_changed(self, room, message, before)
        self.touch()

    def unfurl(self, channel: str, ts: str, title: str = "Example") -> None:
        """A link's preview appears: `message_changed` although nobody edited anything
        (docs.slack.dev/messaging/unfurling-links-in-messages)."""
        room = self.rooms[channel]
        before = self.view(room, room.messages[ts])
        room.messages[ts]["attachments"] = [{"id": 1, "title": title, "fallback": title}]
        tell_changed(self, room, room.messages[ts], before)
        self.touch()

    def delete(self, channel: str, ts: str) -> None:
        """Delete a message; where replies remain, a tombstone stands in its place, and that is told as a change of the
        message, not as a deletion (field reports: matterbridge issue 600, slack-edge pull request 10)."""
        room = self.rooms[channel]
        before = self.view(room, room.messages.pop(ts))
        self.streams.pop((channel, ts), None)
        if self.replies(room, ts):
            said = {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "text": "This message was deleted."}
            room.messages[ts] = {"ts": ts, "hidden": True, **said}
            tell_changed(self, room, room.messages[ts], before)
        else:
            tell_deleted(self, room, before)
        self.touch()

    def share(
        self, channel: str, name: str, content: bytes, *, media_type: str, by: str = "UADA", thread: str | None = None
    ) -> str:
        """Upload a file into a message without words; the file's id."""
        self.clock += 0 if self._now else 1
        id = self.upload(channel, name, content, media_type=media_type, by=by)
        self.say(channel, "", by=by, thread=thread, subtype="file_share", files=[{"id": id}], upload=True)
        return id

    def upload(self, channel: str, name: str, content: bytes, *, media_type: str, by: str = "UADA") -> str:
        """A file that is in no message yet; its id (docs.slack.dev/reference/objects/file-object)."""
        id = f"F{len(self.files) + 1:03}"
        self.files[id] = {
            "id": id,
            "name": name,
            "title": name.rpartition(".")[0],
            "mimetype": media_type,
            "mode": "hosted",
            "size": len(content),
            "created": int(self.clock),
            "user": by,
            "channels": [channel],
            "permalink": f"{self.url}files/{by}/{id}/{name}",
            "url_private_download": f"{self.base_url.removesuffix('api/')}files-pri/{self.team}-{id}/download/{name}",
        }
        self.contents[id] = content
        return id

    def say_with_files(self, channel: str, text: str, files: Sequence[str], *, by: str, thread: str | None) -> str:
        """docs.slack.dev/reference/events/message/file_share: words and files in one message have a subtype too."""
        more = {"subtype": "file_share", "files": [{"id": id} for id in files], "upload": True}
        return self.say(channel, text, by=by, thread=thread, **more)

    def unshare(self, id: str) -> None:
        """Delete a file; its messages show what is left of it."""
        self.files[id] = {"id": id, "mode": "tombstone", "channels": []}
        self.contents.pop(id, None)

    def react(self, channel: str, ts: str, emoji: str, *, by: str = "UADA") -> None:
        """docs.slack.dev/reference/events/reaction_added."""
        room = self.rooms[channel]
        given = self.reactions.setdefault((channel, ts), {}).setdefault(emoji, [])
        if by in given:
            return
        given.append(by)
        item = {"type": "message", "channel": channel, "ts": ts}
        event = {"type": "reaction_added", "user": by, "reaction": emoji, "item": item, "event_ts": self.moment()}
        tell(self, room, "reaction_added", event | {"item_user": room.messages[ts].get("user")})
        self.touch()

    def open_home(self, user: str, tab: str = "messages") -> None:
        """docs.slack.dev/reference/events/app_home_opened."""
        room = self.rooms[self.direct(user)]
        event = {"type": "app_home_opened", "user": user, "channel": room.id, "tab": tab, "event_ts": self.moment()}
        tell(self, room, "app_home_opened", event)

    def stop(self, channel: str, thread: str, *, by: str = "UADA") -> None:
        """Press the native Stop button: running streams of the thread take no more, the app is told which
        (docs.slack.dev/reference/events/agent_session_stopped). Raises NotThere where the button is not shown."""
        session = self.sessions.get((channel, thread))
        if session is None or not session.stoppable:
            raise NotThere(f"no Stop button in thread {thread} of {channel}")
        running = [stream for stream in self.streams.values() if stream.in_thread(channel, thread) and stream.running]
        for stream in running:
            stream.stopped = True
        event: dict[str, Any] = {"type": "agent_session_stopped", "channel": channel, "thread_ts": thread, "user": by}
        event |= {"streaming_message_ts": [stream.ts for stream in running], "event_ts": self.moment()}
        tell(self, self.rooms[channel], "agent_session_stopped", event)
        self.touch()

    async def press(self, channel: str, ts: str, action_id: str, *, by: str = "UADA", side: str = "") -> Interaction:
        """Press a button of a message, a private one too. Raises NotThere."""
        room = self.rooms[channel]
        message = self.on_screen(room, ts, by)
        for _, element in buttons(message.get("blocks", [])):
            if element.get("action_id") == action_id and element.get("side", "") == side:
                return await self.interactivity.press(self.interactivity.begun(by, room, message), element)
        raise NotThere(f"no button {action_id!r} under message {ts} of {channel}")

    def on_screen(self, room: Room, ts: str, user: str) -> dict[str, Any]:
        """The message of that id, as far as this person can see it."""
        if ts in room.messages and user in room.members:
            return room.messages[ts]
        for whisper in room.whispers:
            if whisper["ts"] == ts and whisper["recipient"] == user:
                return whisper
        raise NotThere(f"{user} sees no message {ts} in {room.id}")

    async def shortcut(self, channel: str, ts: str, callback: str, *, by: str = "UADA") -> Interaction:
        """Choose a message shortcut."""
        room = self.rooms[channel]
        interaction = self.interactivity.begun(by, room, self.on_screen(room, ts, by))
        return await self.interactivity.shortcut(interaction, callback)

    async def command(self, channel: str, command: str, text: str, *, by: str = "UADA") -> Interaction:
        """Type a slash command; in a thread there are none (docs.slack.dev/interactivity/implementing-slash-commands).
        What the acknowledgement says is shown as an answer to it."""
        room = self.rooms[channel]
        interaction = await self.interactivity.command(self.interactivity.begun(by, room), command, text)
        answer = dict(interaction.delivery.answer) if interaction.delivery else {}
        if answer.get("text") or answer.get("blocks"):
            if answer.get("response_type") == "in_channel":
                self.say(channel, answer.get("text", ""), by=OWN_USER, bot_id="B0BOT", app_id=APP)
            else:
                self.whisper(room, by, answer)
        return interaction

    async def submit(self, remark: str, *, by: str = "UADA") -> Interaction:
        """Write into the first field of the form that was opened last for this person, and send it. Raises NotThere."""
        open_views = [view for user, view in self.interactivity.views.values() if user == by]
        if not open_views:
            raise NotThere(f"no form is open for {by}")
        view = open_views[-1]
        field = next(block for block in view["blocks"] if block["type"] == "input")
        entered = {"type": field["element"]["type"], "value": remark or None}
        values = {field["block_id"]: {field["element"]["action_id"]: entered}}
        interaction = self.interactivity.begun(by, self.rooms[self.direct(by)])
        return await self.interactivity.submit(interaction, view, values)

    def whisper(self, room: Room, to: str, message: dict[str, Any], thread: str | None = None) -> dict[str, Any]:
        """Show something of the app to one person alone."""
        kept = {"ts": self.moment(), "user": OWN_USER, "recipient": to, "text": message.get("text") or ""}
        kept |= {"blocks": message["blocks"]} if message.get("blocks") else {}
        kept |= {"thread_ts": thread} if thread else {}
        room.whispers.append(kept)
        for interaction in reversed(self.interactivity.by_trigger.values()):
            if interaction.user == to:
                interaction.told.append(kept)
                interaction.shown.set()
                break
        self.touch()
        return kept


def typed(text: str) -> str:
    """What the API shows of words that a person typed (docs.slack.dev/messaging/formatting-message-text)."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"https?://[^\s<>]+", lambda match: f"<{match.group()}>", escaped)
