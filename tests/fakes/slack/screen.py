"""What people see of a message: its text, what can be clicked in it, what can be pressed under it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from tests.fakes.slack.blocks import BROADCAST, MENTION, buttons, from_markdown, from_mrkdwn, readable
from tests.fakes.slack.interactivity import Interaction
from tests.fakes.slack.people import People
from tests.fakes.slack.workspace import OWN_USER, Room

WORD_JOINER = "\u2060"
"""Takes no place on a screen; what it keeps apart reads as one."""

RECEIPT_SECONDS = 1.0
"""How long after an acknowledgement a person looks whether anything comes up; nothing says that nothing will."""


def read(slack: People, message: Mapping[str, Any]) -> tuple[str, list[str]]:
    """All that is readable in a message, and the addresses that can be clicked.

    Where there are blocks, `text` is for notifications alone (docs.slack.dev/reference/methods/chat.postMessage).
    """
    texts: list[str] = []
    links: list[str] = []
    stream = slack.streams.get((message.get("channel", ""), message["ts"]))
    parts = [readable(block) for block in message.get("blocks", [])]
    if stream is not None:
        parts = [stream.read(), *(readable(block) for block in stream.blocks)]
    elif "markdown_text" in message:
        parts = [from_markdown(message["markdown_text"])]
    elif not parts:
        parts = [from_mrkdwn(message.get("text") or "")]
    for text, found in parts:
        texts += [text] if text else []
        links += found
    texts += [str(attachment.get("fallback", "")) for attachment in message.get("attachments", [])]
    texts += [str(slack.files[file["id"]].get("name", "")) for file in message.get("files", [])]
    named = re.sub(r"@([UW][A-Z0-9]+)\b", lambda match: f"@{slack.name(match.group(1))}", "\n".join(texts))
    return named.replace(WORD_JOINER, ""), list(dict.fromkeys(links))


def pressable(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Its buttons, in their order."""
    return [element for _, element in buttons(message.get("blocks", []))]


def visible(slack: People, channel: str, *, by: str, thread: str | None = None) -> list[dict[str, Any]]:
    """Messages on somebody's screen, oldest first: a thread with its root, or the channel's top level.

    In a thread where the app works, those it does not write for see a stream whole at its end; the first piece is
    shown to all (field report: agentconnect issue 1494). That is not modelled: everybody sees it grow.
    """
    room = slack.rooms[channel]
    if by not in room.members:
        return []
    shown = [
        {**message, "channel": channel}
        for message in room.messages.values()
        if (_in_thread(message, thread) if thread else _at_top(message))
    ]
    shown += [one for one in room.whispers if one["recipient"] == by and _whispered_in(slack, room, one) == thread]
    return sorted(shown, key=lambda message: float(message["ts"]))


def _whispered_in(slack: People, room: Room, whisper: Mapping[str, Any]) -> str | None:
    """The thread in which it is shown; none where there is no reply: "ephemeral messages in threads are only shown if
    there is already an active thread" (docs.slack.dev/reference/methods/chat.postEphemeral)."""
    thread = whisper.get("thread_ts")
    return thread if thread is None or slack.replies(room, thread) else "nowhere"


def _in_thread(message: Mapping[str, Any], thread: str) -> bool:
    return thread in (message["ts"], message.get("thread_ts"))


def _at_top(message: Mapping[str, Any]) -> bool:
    return message.get("thread_ts", message["ts"]) == message["ts"] or message.get("subtype") == "thread_broadcast"


def status(slack: People, channel: str, thread: str) -> str:
    """The line under the thread: what the app set, or else the task that it streams."""
    if (said := slack.statuses.get((channel, thread))) and (text := said.at(slack.clock)):
        return text
    for stream in slack.streams.values():
        if stream.in_thread(channel, thread) and stream.running:
            return stream.task_under_way()
    return ""


def whom_it_notifies(room: Room, texts: list[str], *, link_names: bool, names: Mapping[str, str]) -> set[str]:
    """Those whom a message of the app mentions (docs.slack.dev/messaging/formatting-message-text/#mentioning-users).

    `names` of users are mentions only where `link_names` asks for it.
    """
    everybody = room.members - {OWN_USER}
    found: set[str] = set()
    for text in texts:
        found |= everybody & set(MENTION.findall(text))
        if BROADCAST.search(text) or (link_names and re.search(r"@(?:here|channel|everyone)\b", text)):
            found |= everybody
        if link_names:
            found |= {user for user in everybody if re.search(rf"@{re.escape(names[user])}\b", text)}
    return found


async def receipt(slack: People, interaction: Interaction) -> str:
    """What came up right after it, for that person alone: the title of a form, a text, or nothing."""
    try:
        async with asyncio.timeout(RECEIPT_SECONDS):
            await interaction.shown.wait()
    except TimeoutError:
        return ""
    if interaction.view is not None:
        return str(interaction.view["title"]["text"])
    return read(slack, interaction.told[0])[0] if interaction.told else ""
