"""Slack's channels as a source: each thread is a document, and so is each day of a channel outside its threads.

Slack tells what is in a channel now, not what has changed: edits and deletions are found by reading the youngest part
of each channel again, and everything every few days.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from hashlib import blake2b
from math import inf
from pathlib import Path
from urllib.parse import urlsplit

from ingest.errors import Transient
from ingest.model import Cursor, DocumentId, Entry, Gone, Listed, Original, Readers, Skipped
from ingest.sources.api import Api
from ingest.sources.interface import (
    CursorExpired,
    DocumentGone,
    DocumentTooLarge,
    Source,
    SourceRefused,
    as_file,
    of_one_document,
    original_file,
    token_variable,
)
from ingest.sources.slack import bookmark, convert, listing
from ingest.sources.slack.bookmark import DAY, Bookmark, ChannelMark
from ingest.sources.slack.client import Client
from ingest.sources.slack.convert import MARKDOWN, Conversation
from ingest.sources.slack.directory import Directory
from ingest.sources.slack.listing import KEPT_BY_SLACK, Found, Listing, Window, midnight
from ingest.sources.slack.model import Channel, File
from ingest.sources.slack.scratch import Scratch
from ingest.sources.slack.settings import SlackSettings
from ingest.sources.slack.workspace import FILES_SCOPE, Workspace, enter

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Slack(Source):
    """One workspace. An id is a channel's, a slash, and a thread's first `ts`, a date or a file's id."""

    def __init__(self, name: str, settings: SlackSettings, *, cache: Path, max_file_mb: int = 200) -> None:
        """`max_file_mb`: a larger file is skipped unread (`parsing.max_file_mb`)."""
        self.name = name
        self.readers: Readers = frozenset(settings.readers)
        self._settings = settings
        self._max_bytes = max_file_mb << 20
        self._token = settings.token.get_secret_value().strip() if settings.token else ""
        self._client = Client(name, self._token, settings.base_url)
        self._directory = Directory(self._client)
        self._scratch = Scratch(cache)
        self._files: Api | None = None
        self._entered: Workspace | None = None
        self._entering = asyncio.Lock()

    async def list(self, since: str | None) -> AsyncIterator[Listed]:
        last = None if since is None else bookmark.parse(since)
        workspace = self._entered = await enter(self.name, self._settings, self._client)
        if last is not None:
            self._check(last, workspace)
        self._directory.learn(workspace.channels.values())
        await self._scratch.clear()
        for skipped in workspace.missing:
            yield skipped
        known = last.channels if last else {}
        missing = {skipped.id for skipped in workspace.missing}
        for left in known.keys() - workspace.channels.keys():
            if (id := DocumentId(f"{left}/")) not in missing:
                yield Gone(id=id)
        reading = Listing(client=self._client, scratch=self._scratch, workspace=workspace, max_bytes=self._max_bytes)
        marks: dict[str, ChannelMark] = {}
        for channel in workspace.channels.values():
            window = self._window(workspace, last, known.get(channel.id))
            try:
                found = await reading.documents(channel, self._readers(channel), window)
            except DocumentGone as error:
                yield Skipped(id=DocumentId(f"{channel.id}/"), reason=f"#{channel.name}: {error}")
                continue
            for item in found:
                yield item.listed
            for name in _gone(known.get(channel.id), found, window):
                yield Gone(id=DocumentId(f"{channel.id}/{name}"))
            marks[channel.id] = self._mark(channel, found, workspace)
        yield Cursor(value=self._bookmark(last, workspace, marks).model_dump_json())

    @asynccontextmanager
    async def fetch(self, entry: Entry) -> AsyncIterator[Original]:
        workspace = await self._workspace()
        channel_id, _, name = entry.id.partition("/")
        channel = workspace.channels.get(channel_id)
        if channel is None:
            raise DocumentGone(f"the channel {channel_id!r} is archived, or the app is not in it any more")
        if name.startswith("F"):
            async with self._file(name) as original:
                yield original
            return
        said = await self._conversation(entry, channel, name, workspace)
        async with as_file(
            said.text.encode("utf-8", "replace"),
            name=f"{channel.name or channel.id}-{name}.md",
            media_type=MARKDOWN,
            title=said.title,
            author=said.author,
            updated_at=said.updated_at,
        ) as original:
            yield original

    async def close(self) -> None:
        await self._client.close()
        await self._scratch.close()
        if self._files is not None:
            await self._files.close()

    async def _workspace(self) -> Workspace:
        """The workspace; a run that reads without a listing has not entered it yet."""
        async with self._entering:
            if self._entered is None:
                self._entered = await enter(self.name, self._settings, self._client)
                self._directory.learn(self._entered.channels.values())
            return self._entered

    def _readers(self, channel: Channel) -> Readers:
        """Whoever is in a private channel, or one shared with another company, may read it, and nobody else."""
        return frozenset({f"slack:{channel.id}"}) if channel.is_private or channel.is_ext_shared else self.readers

    def _check(self, last: Bookmark, workspace: Workspace) -> None:
        """Raises `CursorExpired` where more may have changed than a listing of the youngest documents tells."""
        full_days = self._settings.full_days
        last.check(workspace=workspace.id, settings=self._digest(), now=workspace.now, full_days=full_days)
        for id, channel in workspace.channels.items():
            before = last.channels.get(id)
            if before and (before.name, before.readers) != (channel.name, sorted(self._readers(channel))):
                raise CursorExpired(f"the channel #{channel.name} has another name or other readers")

    def _window(self, workspace: Workspace, last: Bookmark | None, before: ChannelMark | None) -> Window:
        settings, now = self._settings, workspace.now
        oldest = 0.0 if settings.history_days is None else midnight(now - settings.history_days * DAY)
        if last is not None and before is not None:
            oldest = max(oldest, midnight(min(now - settings.follow_days * DAY, last.listed)))
        listed = last.listed if last is not None else now - settings.full_days * DAY
        answered = listed - settings.recheck_days * DAY if settings.recheck_days else inf
        return Window(oldest=oldest, answered=answered)

    def _mark(self, channel: Channel, found: Iterable[Found], workspace: Workspace) -> ChannelMark:
        followed = midnight(workspace.now - self._settings.follow_days * DAY)
        documents = {item.name: item.begun for item in found if item.begun >= followed}
        return ChannelMark(name=channel.name, readers=sorted(self._readers(channel)), documents=documents)

    def _bookmark(self, last: Bookmark | None, workspace: Workspace, marks: dict[str, ChannelMark]) -> Bookmark:
        return Bookmark(
            workspace=workspace.id,
            settings=self._digest(),
            whole=last.whole if last else workspace.now,
            listed=workspace.now,
            channels=marks,
        )

    def _digest(self) -> str:
        """Of the settings that decide which documents there are and what is in them."""
        deciding = self._settings.model_dump_json(include={"channels", "private", "history_days", "bots", "files"})
        return blake2b(f"{convert.RENDERING} {deciding}".encode(), digest_size=8).hexdigest()

    async def _conversation(self, entry: Entry, channel: Channel, name: str, workspace: Workspace) -> Conversation:
        messages = await self._scratch.whole(entry.id, entry.version)
        is_day = DATE.fullmatch(name) is not None
        if messages is None:
            async with of_one_document(self._still_answers):
                messages = await (listing.day if is_day else listing.replies)(self._client, channel.id, name)
        if is_day:
            said = workspace.rules.of_day(messages)
            return convert.day(said, channel.name, name, await self._directory.names(said))
        said = workspace.rules.of_thread(messages)
        return convert.thread(said, channel.name, await self._directory.names(said))

    @asynccontextmanager
    async def _file(self, id: str) -> AsyncIterator[Original]:
        answer = await self._client.call("files.info", file=id)
        file = self._client.item(answer.get("file"), File, "files.info")
        if file.mode not in KEPT_BY_SLACK or not file.url_private_download:
            raise DocumentGone("Slack no longer hands the file out")
        if file.size > self._max_bytes:
            raise DocumentTooLarge.over(self._max_bytes, file.size)
        self._check_address(file.url_private_download)
        async with original_file() as path:
            async with of_one_document(self._still_answers):
                headers = await self._download().save(file.url_private_download, path, max_bytes=self._max_bytes)
            self._check_content(file, headers.get("content-type", ""), "content-disposition" in headers)
            yield Original(
                path=path,
                name=file.shown,
                media_type=file.mimetype or None,
                title=file.title or file.name or None,
                author=await self._directory.user(file.user) if file.user else None,
                updated_at=file.changed,
            )

    async def _still_answers(self) -> None:
        await self._client.call("auth.test")

    def _download(self) -> Api:
        if self._files is None:
            headers = {"Authorization": f"Bearer {self._token}"}
            self._files = Api(self.name, self._settings.base_url, headers=headers)
        return self._files

    def _check_address(self, url: str) -> None:
        """The token goes to Slack, and nowhere else."""
        api, place = urlsplit(self._settings.base_url), urlsplit(url)
        if place.scheme != api.scheme or place.netloc not in (api.netloc, f"files.{api.netloc}"):
            raise DocumentGone(f"the file is kept at {place.hostname!r}, which is not Slack's")

    def _check_content(self, file: File, media_type: str, attached: bool) -> None:
        """Raises where the answer is a page to log in at, which Slack sends, with status 200, to who may not."""
        if not media_type.startswith("text/html") or (attached and "html" in file.mimetype):
            return
        if FILES_SCOPE not in (self._client.scopes or ()):
            variable = token_variable(self.name)
            raise SourceRefused(
                f"source {self.name!r}: Slack answers with a login page instead of files: the app lacks the scope"
                f" {FILES_SCOPE!r}; add it, install the app again, and set {variable} to its bot token"
            )
        raise Transient("Slack answered with a login page instead of the file")


def _gone(before: ChannelMark | None, found: Iterable[Found], window: Window) -> Iterable[str]:
    """Documents that were there at the last listing, would have been seen by this one, and were not."""
    if before is None:
        return ()
    seen = {item.name for item in found}
    return (name for name, begun in before.documents.items() if begun >= window.oldest and name not in seen)
