"""A message that is watched being written: what it takes, and when it takes no more.

What the pages of the methods do not say is from field reports: a stream is locked to the shape of its first content;
all of it together is held to about eleven thousand bytes; five minutes after its start it is closed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack.blocks import checked, from_markdown
from tests.fakes.slack.wire import Params, Refused

MARKDOWN_TEXT = 12_000
"""Characters of one call, and of `markdown_text` in any method (docs.slack.dev/reference/methods/chat.postMessage)."""

TOTAL_BYTES = 11_000
"""Of a whole stream in UTF-8, titles of tasks among it: reports of `msg_too_long` lie between 10,600 and 12,000."""

LIFE_SECONDS = 300.0
"""After which neither `appendStream` nor `stopStream` is taken: `message_not_in_streaming_state` (dust pull request
25031). Reports conflict on whether appends prolong it; here they do not."""

CHUNK_KINDS = frozenset({"markdown_text", "task_update", "plan_update", "blocks"})
TASK_STATES = frozenset({"pending", "in_progress", "complete", "error"})
TASK_FIELD = 256
"""Characters of a task's title (docs.slack.dev/reference/methods/chat.appendStream)."""


@dataclass(kw_only=True)
class Stream:
    channel: str
    ts: str
    thread: str
    recipient: str
    started: float
    clock: Callable[[], float]
    mode: str = ""
    """`markdown_text` or `chunks`: what it was given first."""
    text: str = ""
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    plan: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    """Of chunks, and those that came with the end."""
    stopped: bool = False
    """By a reader."""
    ended: bool = False

    @property
    def expired(self) -> bool:
        return self.clock() - self.started >= LIFE_SECONDS

    @property
    def running(self) -> bool:
        return not (self.ended or self.stopped or self.expired)

    def in_thread(self, channel: str, thread: str) -> bool:
        return (self.channel, self.thread) == (channel, thread)

    def size(self) -> int:
        told = [str(task.get(name, "")) for task in self.tasks.values() for name in ("title", "details", "output")]
        return len("".join([self.text, self.plan, *told]).encode())

    def read(self) -> tuple[str, list[str]]:
        """What is readable of it: tasks, then the text, in which its pieces follow each other without a gap."""
        text, links = from_markdown(self.text)
        told = [self.plan] if self.plan else []
        for task in self.tasks.values():
            told += [str(task[name]) for name in ("title", "details", "output") if task.get(name)]
            told += [str(source.get("text", "")) for source in task.get("sources", [])]
            links += [str(source["url"]) for source in task.get("sources", [])]
        return "\n".join([*told, text] if text else told), links

    def task_under_way(self) -> str:
        return next((str(task["title"]) for task in self.tasks.values() if task["status"] == "in_progress"), "")

    def take(self, params: Params) -> None:
        """Add what a call brings. Raises `Refused`, and has added nothing then."""
        mode, chunks = brought(params)
        if not mode:
            return
        if self.mode and mode != self.mode:
            raise Refused("streaming_mode_mismatch")
        before = (self.mode, self.text, dict(self.tasks), self.plan, list(self.blocks))
        self.mode = mode
        for chunk in chunks:
            self._add(chunk)
        if self.size() > TOTAL_BYTES:
            self.mode, self.text, self.tasks, self.plan, self.blocks = before
            raise Refused("msg_too_long")

    def _add(self, chunk: dict[str, Any]) -> None:
        match chunk["type"]:
            case "markdown_text":
                self.text += chunk["text"]
            case "task_update":
                self.tasks[chunk["id"]] = self.tasks.get(chunk["id"], {}) | chunk
            case "plan_update":
                self.plan = chunk["title"]
            case "blocks":
                self.blocks += checked(chunk["blocks"])


def brought(params: Params) -> tuple[str, list[dict[str, Any]]]:
    """The shape of what a call brings, as chunks whichever it is; an empty list of chunks is nothing."""
    text, chunks = params.get("markdown_text"), params.get("chunks")
    if text and chunks:
        raise Refused("cannot_provide_both_markdown_text_and_chunks")
    if text:
        if len(text) > MARKDOWN_TEXT:
            raise Refused("msg_too_long")
        return "markdown_text", [{"type": "markdown_text", "text": text}]
    if not chunks:
        return "", []
    for chunk in chunks:
        if not isinstance(chunk, dict) or chunk.get("type") not in CHUNK_KINDS or not _whole(chunk):
            raise Refused("invalid_chunks")
    if sum(len(chunk.get("text", "")) for chunk in chunks) > MARKDOWN_TEXT:
        raise Refused("msg_too_long")
    return "chunks", chunks


def _whole(chunk: dict[str, Any]) -> bool:
    match chunk["type"]:
        case "markdown_text":
            return bool(chunk.get("text"))
        case "task_update":
            titled = chunk.get("id") and 0 < len(chunk.get("title") or "") <= TASK_FIELD
            return bool(titled and chunk.get("status") in TASK_STATES)
        case "plan_update":
            return 0 < len(chunk.get("title") or "") <= TASK_FIELD
        case _:
            return isinstance(chunk.get("blocks"), list)
