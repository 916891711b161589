"""One message of an answer that is being written: streamed, or posted and then edited.

Both are opened with a text that is there already, and hold in reserve the call that will end them: Slack allows some
twenty starts and ends of streams a minute and workspace, and fifty edits.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.platforms.events import Spot
from bot.platforms.interface import Button, PlatformUnavailable
from bot.platforms.slack import blocks
from bot.platforms.slack.blocks import PAGE_BYTES, Block, size
from bot.platforms.slack.client import Client
from bot.platforms.slack.posting import FINAL_SECONDS

STREAM_SECONDS = 240.0
"""A stream ends on Slack's side some five minutes after its start, by reports from the field; a new one is begun."""

FENCE = re.compile(r"^(?P<lead>(?:[ \t]|>|[-+*][ \t]|\d{1,9}[.)][ \t])*)(?P<marks>`{3,}|~{3,})(?P<info>[^`]*)$")

FENCE_BYTES = 100
"""Left for closing a code block."""

DELIMITER = re.compile(r"\|[ \t:|-]+")
"""The second line of a table."""


@dataclass(slots=True)
class Streamed:
    """A message that Slack shows being written."""

    client: Client
    spot: Spot
    id: str
    text: str
    """What it shows, as far as Slack said so."""
    started: float
    whole: bool = True
    """Whether it is known to be open and to show `text`."""

    def may_grow(self) -> bool:
        return self.whole and self.client.free("chat.appendStream")

    async def grow(self, more: str) -> None:
        try:
            await self.client.call(
                "chat.appendStream", within=10.0, channel=self.spot.channel, ts=self.id, chunks=[_words(more)]
            )
        except PlatformUnavailable:
            self.whole = False  # it may show `more`, or not
            raise
        self.text += more

    async def end(self, more: str, under: Sequence[Block] = (), *, session: str) -> None:
        """Complete it with `more` and what belongs under it; `session`: the state of the session then."""
        await self.client.call(
            "chat.stopStream",
            urgent=True,
            paid=True,
            within=FINAL_SECONDS,
            channel=self.spot.channel,
            ts=self.id,
            chunks=[_words(more)] if more else None,
            blocks=list(under) or None,
            session_status=session,
        )
        self.text += more


@dataclass(slots=True)
class Posted:
    """An ordinary message, edited while it grows."""

    client: Client
    spot: Spot
    id: str
    text: str
    started: float
    stop: Button | None

    def may_grow(self) -> bool:
        return self.client.free("chat.update")

    async def grow(self, more: str) -> None:
        await self.show(self.text + more, paid=False)
        self.text += more

    async def show(self, text: str, *, paid: bool) -> None:
        await self.client.call(
            "chat.update",
            paid=paid,
            within=10.0,
            channel=self.spot.channel,
            ts=self.id,
            text=blocks.Page(markdown=text).preview,
            blocks=blocks.writing(text, self.stop),
        )


async def stream(
    client: Client, spot: Spot, text: str, *, asker: str, team: str, steps: Sequence[str], now: float
) -> Streamed | None:
    """Begin to stream in a thread; None when there is no turn for that, or for ending it. `steps` are done already."""
    if not await client.reserve("chat.startStream", "chat.stopStream"):
        return None
    tasks = [
        {"type": "task_update", "id": f"step{number}", "title": step[:256], "status": "complete"}
        for number, step in enumerate(steps, 1)
    ]
    started = await client.call(
        "chat.startStream",
        paid=True,
        within=10.0,
        channel=spot.channel,
        thread_ts=spot.thread,
        recipient_user_id=asker,
        recipient_team_id=team,
        task_display_mode="timeline" if tasks else None,
        chunks=[*tasks, _words(text)],
    )
    return Streamed(client=client, spot=spot, id=str(started["ts"]), text=text, started=now)


async def post(client: Client, spot: Spot, text: str, *, stop: Button | None, now: float) -> Posted | None:
    """Post the beginning of an answer; None when there is no turn for that, or for the edit that will complete it."""
    if not client.free("chat.postMessage", channel=spot.channel) or not await client.reserve("chat.update"):
        return None
    answer = await client.call(
        "chat.postMessage",
        within=10.0,
        channel=spot.channel,
        thread_ts=spot.thread or None,
        text=blocks.Page(markdown=text).preview,
        blocks=blocks.writing(text, stop),
        unfurl_links=False,
        unfurl_media=False,
    )
    return Posted(client=client, spot=spot, id=str(answer["ts"]), text=text, started=now, stop=stop)


async def take_over(
    client: Client, spot: Spot, message: str, text: str, *, stop: Button | None, now: float
) -> Posted | None:
    """Write over an earlier message; None when there is no turn for that, or for the edit that will complete it."""
    if not await client.reserve("chat.update", "chat.update"):
        return None
    page = Posted(client=client, spot=spot, id=message, text="", started=now, stop=stop)
    await page.show(text, paid=True)
    page.text = text
    return page


def cut(shown: str, more: str, *, limit: int = PAGE_BYTES) -> tuple[str, str]:
    """What of `more` still goes into a message that shows `shown`, and what begins the next one.

    Unlike `rendering.pieces`, which wants the whole text, this takes nothing back and closes nothing that goes on:
    where both do not fit together a code block is closed and opened again, and a table gets its header again.
    """
    if size(shown + more) <= limit:
        return more, ""
    room = limit - size(shown) - FENCE_BYTES
    head = _lines_within(more, room)
    paragraph = head.rfind("\n\n") + 2
    if paragraph > 1 and size(shown + head[:paragraph]) > limit // 2 and not _open_fence(shown + head[:paragraph]):
        head = head[:paragraph]
    if not head and not shown:
        head = _words_within(more, room)
    closing, rest = parted(shown + head, more[len(head) :])
    return head + closing, rest


def parted(shown: str, more: str) -> tuple[str, str]:
    """The same where the message is to end with what it shows."""
    opening = _open_fence(shown)
    if opening is None:
        rest = more.lstrip("\n") if shown.endswith("\n") else more
        return "", _table_header(shown, rest) + rest
    closing = f"{opening['lead']}{opening['marks']}"
    before = "" if shown.endswith("\n") else "\n"
    return f"{before}{closing}", f"{opening[0]}\n{more.removeprefix(chr(10))}"


def _lines_within(text: str, room: int) -> str:
    """As many whole lines as fit."""
    head = ""
    for line in text.splitlines(keepends=True):
        if size(head + line) > room:
            break
        head += line
    return head


def _words_within(text: str, room: int) -> str:
    """As much of one long line as fits."""
    head = text.encode()[:room].decode(errors="ignore")
    space = head.rfind(" ")
    return head[: space + 1] if space > len(head) // 2 else head


def _table_header(shown: str, rest: str) -> str:
    """The two lines of the table that goes on in `rest`; none where there is none."""
    if not (shown.endswith("\n") and rest.startswith("|")):
        return ""
    rows = list(itertools.takewhile(lambda line: line.startswith("|"), reversed(shown.splitlines())))[::-1]
    return f"{rows[0]}\n{rows[1]}\n" if len(rows) > 1 and DELIMITER.fullmatch(rows[1]) else ""


def whole_lines(shown: str, more: str) -> str:
    """What of `more` is shown of a message that will soon be full: it had better end with a line."""
    if size(shown + more) <= PAGE_BYTES * 4 // 5:
        return more
    return more[: more.rfind("\n") + 1]


def _open_fence(text: str) -> re.Match[str] | None:
    opened: re.Match[str] | None = None
    for line in text.splitlines():
        found = FENCE.match(line)
        if found is None:
            continue
        if opened is None:
            opened = found
        elif found["marks"].startswith(opened["marks"]) and not found["info"].strip():
            opened = None
    return opened


def _words(text: str) -> dict[str, Any]:
    return {"type": "markdown_text", "text": text}
