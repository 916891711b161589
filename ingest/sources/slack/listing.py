"""One channel read for a listing: which documents there are, and at which version."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

from ingest.model import DocumentId, Entry, Readers, Skipped
from ingest.sources.interface import DocumentGone, too_large
from ingest.sources.slack.bookmark import DAY
from ingest.sources.slack.client import Client
from ingest.sources.slack.convert import MARKDOWN, RENDERING, fingerprint
from ingest.sources.slack.model import Channel, File, Message
from ingest.sources.slack.scratch import Scratch
from ingest.sources.slack.workspace import Workspace

KEPT_BY_SLACK = frozenset({"hosted", "snippet"})
"""Modes of files whose content Slack hands out; canvases, posts and links to other services are none."""

WITHOUT_TEXT = ("audio/", "video/")


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """How far back a channel is looked at, in seconds since 1970."""

    oldest: float
    answered: float
    """Threads whose last reply is younger have their replies read, for edits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A document of a channel."""

    listed: Entry | Skipped
    begun: float
    """Its day, its thread's first message or its upload, in seconds since 1970."""

    @property
    def name(self) -> str:
        """Its id within the channel."""
        return self.listed.id.partition("/")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """Reads channels of one workspace, leaving in `scratch` what was read of each document."""

    client: Client
    scratch: Scratch
    workspace: Workspace
    max_bytes: int

    async def documents(self, channel: Channel, readers: Readers, window: Window) -> Sequence[Found]:
        """All documents of the channel that were begun since `window.oldest`.

        Raises `DocumentGone` where the channel is no longer there for the app, and what `Source` may raise.
        """
        latest = self.workspace.now + DAY
        async for page in history(self.client, channel.id, window.oldest, latest):
            named = ((self._document_of(message, channel), message) for message in page)
            await self.scratch.add((document, message) for document, message in named if document is not None)
        found: list[Found] = []
        for document in await self.scratch.documents(f"{channel.id}/"):
            messages = await self.scratch.messages(document)
            version: str | None
            if messages[0].opens_thread:
                version = await self._thread(document, messages[0], channel, window)
            else:
                version = self._version(channel, map(fingerprint, messages))
                await self.scratch.complete(document, version)
            if version is not None:
                found.append(self._found(document, version, messages[0], readers))
        if self.workspace.files:
            found += await self._files(channel, readers, window)
        return found

    def _document_of(self, message: Message, channel: Channel) -> str | None:
        if message.is_reply:  # sent to the channel as well
            return None
        rules = self.workspace.rules
        if message.opens_thread:
            return f"{channel.id}/{message.ts}" if rules.may_be_read(message) else None
        return f"{channel.id}/{message.posted.date().isoformat()}" if rules.of_day([message]) else None

    async def _thread(self, document: str, first: Message, channel: Channel, window: Window) -> str | None:
        """Its version; None where the thread has gone in the meantime."""
        read = float(first.latest_reply or first.ts) >= window.answered
        if read:
            try:
                messages = await replies(self.client, channel.id, first.ts)
            except DocumentGone:
                await self.scratch.drop(document)
                return None
            await self.scratch.add((document, message) for message in messages)
            await self.scratch.set_mark(document, _edits(messages))
        mark = await self.scratch.mark(document)
        version = self._version(channel, [fingerprint(first), first.reply_count, first.latest_reply, mark])
        if read:
            await self.scratch.complete(document, version)
        return version

    def _found(self, document: str, version: str, first: Message, readers: Readers) -> Found:
        channel, _, name = document.partition("/")
        entry = Entry(
            id=DocumentId(document),
            version=version,
            readers=readers,
            url=f"{self.workspace.url}archives/{channel}/p{first.ts.replace('.', '')}",
            media_type=MARKDOWN,
        )
        begun = float(first.ts) if name == first.ts else midnight(float(first.ts))
        return Found(listed=entry, begun=begun)

    async def _files(self, channel: Channel, readers: Readers, window: Window) -> Sequence[Found]:
        found: dict[str, Found] = {}
        pages = self.client.numbered_pages(
            "files.list", "files", File, channel=channel.id, ts_from=str(int(window.oldest))
        )
        async for page in pages:
            for file in page:
                if file.mode in KEPT_BY_SLACK:
                    listed = self._file(file, DocumentId(f"{channel.id}/{file.id}"), readers)
                    found[file.id] = Found(listed=listed, begun=float(file.created))
        return list(found.values())

    def _file(self, file: File, id: DocumentId, readers: Readers) -> Entry | Skipped:
        if file.size > self.max_bytes:
            return Skipped(id=id, reason=too_large(self.max_bytes, file.size))
        if file.mimetype.startswith(WITHOUT_TEXT):
            return Skipped(id=id, reason=f"{file.mimetype!r} holds no text")
        version = _digest([file.name, file.title, file.size, file.created, file.updated])
        return Entry(
            id=id,
            version=version,
            readers=readers,
            url=file.permalink or None,
            media_type=file.mimetype or None,
        )

    def _version(self, channel: Channel, said: Iterable[object]) -> str:
        return _digest([RENDERING, self.workspace.rules.bots, channel.name, *said])


async def replies(client: Client, channel: str, ts: str) -> list[Message]:
    """A thread, its first message first. Raises `DocumentGone`."""
    found: dict[str, Message] = {}
    async for page in client.pages("conversations.replies", "messages", Message, channel=channel, ts=ts):
        found |= {message.ts: message for message in page}  # every page begins with the first message
    return sorted(found.values(), key=lambda message: float(message.ts))


async def day(client: Client, channel: str, date: str) -> list[Message]:
    """What was said on one day outside threads, in order. Raises `DocumentGone`."""
    start = datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()
    found: dict[str, Message] = {}
    async for page in history(client, channel, start, start + DAY):
        found |= {message.ts: message for message in page if midnight(float(message.ts)) == start}
    said = (message for message in found.values() if not (message.is_reply or message.opens_thread))
    return sorted(said, key=lambda message: float(message.ts))


def history(client: Client, channel: str, oldest: float, latest: float) -> AsyncIterator[list[Message]]:
    """Pages of a channel's messages, replies left out, both ends included."""
    # Without `latest`, the pages would begin at the old end.
    between = {"oldest": f"{oldest:.6f}", "latest": f"{latest:.6f}", "inclusive": True}
    return client.pages("conversations.history", "messages", Message, channel=channel, **between)


def midnight(seconds: float) -> float:
    """When the day began, in UTC."""
    return seconds - seconds % DAY


def _edits(messages: Iterable[Message]) -> str:
    """What was edited in a thread, and taken from it, that the first message does not show."""
    changed = [
        [message.ts, message.edited and message.edited.ts, [file.id for file in message.files if not file.is_there]]
        for message in messages
        if message.is_reply and (message.edited or not all(file.is_there for file in message.files))
    ]
    return _digest(changed) if changed else ""


def _digest(said: object) -> str:
    text = json.dumps(said, sort_keys=True, ensure_ascii=True, default=list)
    return blake2b(text.encode(), digest_size=16).hexdigest()
