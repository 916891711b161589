"""What Slack delivers, as events and messages. Pure: names come in, nothing is looked up.

`of_event` reads the inner event of an Events API callback, `of_command`, `of_shortcut`, `of_press` and `of_form` what
people do with commands, shortcuts, buttons and forms. Each gives None for what is not ours to report: bots, this one
included, Slack itself, and changes in which nobody said anything else than before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.platforms.events import Commanded, Deleted, Edited, Event, File, Pointed, Pressed, Said, Spot, Stopped
from bot.platforms.interface import Message, Person
from bot.platforms.slack.markup import Names, addresses_others, markdown, mentions, users
from ingest.model import email_of

SAID = frozenset({"", "file_share", "me_message", "thread_broadcast"})
"""Subtypes of what people write; the others tell of joins, topics, pins and the like."""

EVENTS = ("message", "app_mention", "reaction_added", "agent_session_stopped", "app_home_opened")
"""Types that are heard; `bot.platforms.slack.manifest` subscribes to them, to those of `changes`, and to no other."""

ACTION = "souffleur"
"""What the `action_id` of each of our buttons begins with, and the `callback_id` of the form is."""

SHORTCUT = "souffleur_answer"
"""`callback_id` of the message shortcut."""

REMARK = "remark"
"""`block_id` and `action_id` of the form's one field."""

SLACKBOT = "USLACKBOT"

OUTSIDE = (
    *("deleted", "is_bot", "is_workflow_bot", "is_connector_bot", "is_restricted", "is_ultra_restricted"),
    *("is_stranger", "is_invited_user"),
)
"""Flags of a user (https://docs.slack.dev/reference/objects/user-object) who is no member of the company: programs and
the deactivated, guests of several channels and of one, people of another company, and those who have yet to come."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who the bot is, as `auth.test` tells."""

    team: str
    user: str
    bot: str
    enterprise: str = ""
    """The organisation that the workspace belongs to, if any."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What is needed to read a payload."""

    me: Identity
    names: Mapping[str, str]
    ask_reaction: str | None

    @property
    def known(self) -> Names:
        return Names(own_user=self.me.user, users=self.names)

    def spot(self, channel: str, thread: str, *, direct: bool = False) -> Spot:
        # Direct messages are told by their id: not every payload has the channel's type.
        return Spot(
            platform="slack",
            workspace=self.me.team,
            channel=channel,
            thread=thread,
            direct=direct or channel.startswith("D"),
        )

    def written_by_people(self, message: Mapping[str, Any]) -> bool:
        user = message.get("user") or ""
        if message.get("bot_id") or user in {"", SLACKBOT, self.me.user}:
            return False
        return (message.get("subtype") or "") in SAID


def named(payload: Any) -> set[str]:
    """Ids of everybody whose name is needed to read `payload`: any part of what Slack delivers."""
    if isinstance(payload, str):
        return users([payload])
    if isinstance(payload, Mapping):
        return set().union(*(named(value) for key, value in payload.items() if key in NAMING))
    if isinstance(payload, Sequence):
        return set().union(*map(named, payload))
    return set()


NAMING = frozenset({"event", "message", "text"})
"""Keys under which text with mentions is found."""


def of_event(event: Mapping[str, Any], reading: Reading) -> Event | None:
    """The inner event of a callback."""
    match event.get("type"):
        case "message" | "app_mention":
            return _of_message(event, reading)
        case "reaction_added":
            return _of_reaction(event, reading)
        case "agent_session_stopped":
            return Stopped(
                spot=reading.spot(str(event["channel"]), str(event["thread_ts"])),
                id=str(event["event_ts"]),
                by=str(event["user"]),
                at=moment(event["event_ts"]),
            )
        case _:
            return None


def said(message: Mapping[str, Any], channel: str, reading: Reading) -> Said | None:
    """A message as it stands in an event, or in a channel's history."""
    if not reading.written_by_people(message):
        return None
    text = str(message.get("text") or "")
    ts = str(message["ts"])
    return Said(
        spot=reading.spot(channel, str(message.get("thread_ts") or ts), direct=message.get("channel_type") == "im"),
        message=ts,
        by=str(message["user"]),
        at=moment(ts),
        text=markdown(text, reading.known),
        mentions_bot=mentions(text, reading.me.user),
        mentions_others=addresses_others(text, reading.known),
        files=tuple(files(message.get("files") or ())),
    )


def message_of(message: Mapping[str, Any], reading: Reading) -> Message:
    """One message of a thread."""
    by = str(message.get("user") or message.get("bot_id") or "")
    own = by == reading.me.user or message.get("bot_id") == reading.me.bot
    bot = not reading.written_by_people(message)
    text = str(message.get("text") or "")
    shown = "\n\n".join(_block_texts(message.get("blocks") or ())) if bot else ""
    profile = message.get("bot_profile") or {}
    return Message(
        id=str(message["ts"]),
        by=by,
        name=reading.names.get(by) or str(message.get("username") or profile.get("name") or by),
        at=moment(message["ts"]),
        text=shown or markdown(text, reading.known),
        own=own,
        bot=bot,
        mentions_bot=mentions(text, reading.me.user),
        files=tuple(files(message.get("files") or ())),
    )


def thread_of(message: Mapping[str, Any]) -> str:
    return str(message.get("thread_ts") or message["ts"])


def of_command(body: Mapping[str, Any], reading: Reading, now: datetime) -> Commanded:
    """`now`: Slack does not say when it was sent."""
    return Commanded(
        spot=reading.spot(str(body["channel_id"]), str(body.get("thread_ts") or "")),
        id=_digest(body["trigger_id"]),
        by=str(body["user_id"]),
        at=now,
        text=markdown(str(body.get("text") or ""), reading.known),
        respond_to=str(body.get("response_url") or ""),
    )


def of_shortcut(body: Mapping[str, Any], reading: Reading) -> Pointed | None:
    if body.get("callback_id") != SHORTCUT:
        return None
    message = body["message"]
    return Pointed(
        spot=reading.spot(str(body["channel"]["id"]), thread_of(message)),
        message=str(message["ts"]),
        by=str(body["user"]["id"]),
        at=moment(body["action_ts"]),
    )


def of_press(body: Mapping[str, Any], reading: Reading) -> Pressed | None:
    """A button; of a private message there is no id that stays."""
    action = next((act for act in body["actions"] if str(act.get("action_id", "")).startswith(ACTION)), None)
    container = body.get("container") or {}
    channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or "")
    if action is None or not channel:
        return None
    message = body.get("message") or {}
    private = bool(container.get("is_ephemeral"))
    ts = "" if private else str(message.get("ts") or container.get("message_ts") or "")
    return Pressed(
        spot=reading.spot(channel, str(message.get("thread_ts") or container.get("thread_ts") or ts)),
        message=ts,
        id=_digest(body.get("trigger_id") or action["action_ts"]),
        by=str(body["user"]["id"]),
        at=moment(action["action_ts"]),
        value=str(action.get("value") or ""),
        respond_to=str(body.get("response_url") or ""),
    )


def form_metadata(pressed: Pressed, value: str) -> str:
    """What a form must still know when it comes back; Slack keeps 3,000 characters."""
    return json.dumps(
        {
            "value": value,
            "channel": pressed.spot.channel,
            "thread": pressed.spot.thread,
            "message": pressed.message,
        }
    )


def of_form(body: Mapping[str, Any], reading: Reading, now: datetime) -> Pressed | None:
    """`now`: Slack does not say when it was sent."""
    view = body["view"]
    if view.get("callback_id") != ACTION:
        return None
    known = json.loads(view["private_metadata"])
    remark = view["state"]["values"][REMARK][REMARK].get("value") or ""
    return Pressed(
        spot=reading.spot(str(known["channel"]), str(known["thread"])),
        message=str(known["message"]),
        id=str(view["id"]),
        by=str(body["user"]["id"]),
        at=now,
        value=str(known["value"]),
        remark=str(remark),
    )


def files(given: Iterable[Mapping[str, Any]]) -> Iterator[File]:
    """Those that can be read; of a deleted one only a tombstone is left."""
    for file in given:
        if file.get("mode") in {"tombstone", "hidden_by_limit"} or not file.get("id"):
            continue
        yield File(
            id=str(file["id"]),
            name=str(file.get("name") or file.get("title") or file["id"]),
            media_type=str(file.get("mimetype") or "application/octet-stream"),
            size=int(file.get("size") or 0),
            url=str(file.get("url_private_download") or file.get("url_private") or ""),
        )


def person(user: Mapping[str, Any], me: Identity) -> Person:
    """A user, as `users.info` tells of them; whose team is not told is no member."""
    profile = user.get("profile") or {}
    locale = str(user.get("locale") or "").replace("_", "-").partition("-")[0].lower()
    name = profile.get("display_name") or user.get("real_name") or profile.get("real_name") or user.get("name")
    member = _of_company(user, me) and not any(user.get(flag) for flag in OUTSIDE) and user["id"] != SLACKBOT
    return Person(
        id=str(user["id"]),
        name=str(name or user["id"]),
        locale=locale or None,
        member=member,
        email=_email(user) if member else "",
    )


def reads(user: Mapping[str, Any]) -> bool:
    """Whether it is a person who can read what is written: no program, not deactivated."""
    programs = ("is_bot", "is_workflow_bot", "is_connector_bot")
    return not (user.get("deleted") or any(user.get(flag) for flag in programs) or user.get("id") == SLACKBOT)


def _of_company(user: Mapping[str, Any], me: Identity) -> bool:
    """Whether somebody belongs to this workspace, or to another one of the same organisation."""
    within = user.get("enterprise_user") or {}
    teams = {user.get("team_id") or (user.get("profile") or {}).get("team"), *(within.get("teams") or ())}
    return me.team in teams or (me.enterprise != "" and within.get("enterprise_id") == me.enterprise)


def _email(user: Mapping[str, Any]) -> str:
    """The address, where Slack has not said that nobody confirmed it."""
    email = str((user.get("profile") or {}).get("email") or "")
    return email_of(email) if user.get("is_email_confirmed") is not False else ""


def moment(ts: Any) -> datetime:
    return datetime.fromtimestamp(float(ts), UTC)


def _digest(trigger: Any) -> str:
    """A trigger's name: for three seconds the trigger itself opens forms, and keys are logged."""
    return hashlib.sha256(str(trigger).encode()).hexdigest()[:26]


def _of_message(event: Mapping[str, Any], reading: Reading) -> Event | None:
    channel = str(event["channel"])
    match event.get("subtype"):
        case "message_changed":
            return _of_change(event, channel, reading)
        case "message_deleted":
            return _deleted(event.get("previous_message") or {}, str(event["deleted_ts"]), event, reading)
    found = said(event, channel, reading)
    if found is None or not event.get("edited"):
        return found
    # Slack tells of a mention again when its message is edited.
    return Edited(said=found, revision=str(event["edited"]["ts"]))


def _of_change(event: Mapping[str, Any], channel: str, reading: Reading) -> Event | None:
    message, before = event["message"], event.get("previous_message") or {}
    if message.get("subtype") == "tombstone":  # what is left of a deleted message that has replies
        return _deleted(before, str(message["ts"]), event, reading)
    # Slack changes messages by itself, to unfurl a link or to count replies.
    if message.get("text") == before.get("text") or not message.get("edited"):
        return None
    found = said({**message, "channel_type": event.get("channel_type")}, channel, reading)
    return None if found is None else Edited(said=found, revision=str(message["edited"]["ts"]))


def _deleted(before: Mapping[str, Any], ts: str, event: Mapping[str, Any], reading: Reading) -> Deleted | None:
    if before and not reading.written_by_people(before):
        return None
    direct = event.get("channel_type") == "im"
    return Deleted(
        spot=reading.spot(str(event["channel"]), str(before.get("thread_ts") or ts), direct=direct),
        message=ts,
        by="",
        at=moment(event.get("event_ts") or event["ts"]),
    )


def _of_reaction(event: Mapping[str, Any], reading: Reading) -> Pointed | None:
    item = event.get("item") or {}
    name = str(event.get("reaction") or "").partition("::")[0]  # without the tone of skin
    by_us = event.get("user") == reading.me.user or event.get("item_user") == reading.me.user
    if by_us or name != reading.ask_reaction or item.get("type") != "message":
        return None
    return Pointed(
        # Of its thread the event does not tell.
        spot=reading.spot(str(item["channel"]), str(item["ts"])),
        message=str(item["ts"]),
        by=str(event["user"]),
        at=moment(event["event_ts"]),
    )


def _block_texts(blocks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What a bot's message says: its `text` is but the beginning."""
    for block in blocks:
        match block:
            case {"type": "markdown", "text": str(text)}:
                yield text
            case {"type": "section" | "header", "text": {"text": str(text)}}:
                yield text
            case {"type": "rich_text", "elements": [*elements]}:
                yield "".join(_rich_texts(elements)).strip()
            case _:
                pass


def _rich_texts(elements: Iterable[Any]) -> Iterator[str]:
    for element in elements:
        match element:
            case {"type": "text" | "link", "text": str(text)}:
                yield text
            case {"type": "link", "url": str(url)}:
                yield url
            case {"type": "rich_text_preformatted", "elements": [*within]}:
                yield f"```\n{''.join(_rich_texts(within))}\n```\n"
            case {"type": "rich_text_list", "elements": [*items]}:
                yield from (f"- {''.join(_rich_texts([item])).strip()}\n" for item in items)
            case {"elements": [*within]}:
                yield from _rich_texts(within)
                yield "\n"
            case _:
                pass
