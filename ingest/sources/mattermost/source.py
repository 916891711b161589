"""Mattermost's channels: threads, and the days' single messages, as documents; their files too where that is wanted.

Ids are `CHANNEL/POST` for a thread, `CHANNEL/2026-11-23` for a day's single messages, `CHANNEL/POST/FILE` for a file.
A later listing asks each channel what has changed since. A channel that cannot be followed so (it is new, got another
name or other readers, or more has changed than the server tells) is listed anew, after a `Gone` for all below it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from ingest.model import Cursor, DocumentId, Entry, Gone, Listed, Original, Readers, Skipped
from ingest.sources.interface import (
    CursorExpired,
    DocumentGone,
    DocumentUnavailable,
    Source,
    as_file,
    of_one_document,
    original_file,
    too_large,
)
from ingest.sources.mattermost import convert, cursor
from ingest.sources.mattermost.client import SINCE_ROWS, Channel, Client, Post, Team
from ingest.sources.mattermost.convert import Conversation, Conversations
from ingest.sources.mattermost.cursor import LOOKBACK, Mark, Position
from ingest.sources.mattermost.settings import MattermostSettings

MARKDOWN = "text/markdown"

FORBIDDEN = "the account is in this channel, and may not read it now: look at the channel's permissions"

_Found = Listed | Mark
"""What listing a channel comes to: what to say of it, and how far it is then followed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """A channel that is read."""

    channel: Channel
    team: Team
    readers: Readers
    label: str

    @property
    def name(self) -> str:
        """As the configuration calls it."""
        return f"{self.team.name}/{self.channel.name}"

    @property
    def below(self) -> DocumentId:
        """All that is listed of it."""
        return DocumentId(f"{self.channel.id}/")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Thread:
    """What has changed in one thread, or in a post without replies."""

    id: str
    root: Post | None
    """Its first post, deleted or not, where the server told it."""
    rows: Sequence[Post]
    """The posts in it that were created, edited or deleted, and the first one for each new reply."""

    @property
    def had_replies(self) -> bool:
        """Whether it may have been a document of its own."""
        return self.root is None or bool(
            self.root.delete_at or self.root.reply_count or any(row.root_id for row in self.rows)
        )


class Mattermost(Source):
    """The channels that one account is a member of; never direct messages."""

    def __init__(
        self,
        name: str,
        settings: MattermostSettings,
        *,
        cache: Path,
        max_file_mb: int = 200,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`cache` stays empty: all that is kept between runs is the cursor. `transport` takes the network's place."""
        self.name = name
        self.readers: Readers = frozenset(settings.readers)
        self._settings = settings
        self._max_bytes = max_file_mb << 20
        self._now = now
        token = settings.token.get_secret_value() if settings.token else None
        self._client = Client(name, settings.base_url, token, transport=transport)
        self._account: str | None = None
        self._channels: dict[str, Channel] = {}
        self._people: dict[str, str] = {}
        self._named: dict[str, str | None] = {}

    async def close(self) -> None:
        await self._client.close()

    async def list(self, since: str | None) -> AsyncIterator[Listed]:
        now = self._now()
        known = cursor.position(since, self._settings, now) if since is not None else None
        self._account = (await self._client.me()).id
        self._people.clear()
        self._named.clear()
        places, problems = await self._look_around()
        self._channels = {place.channel.id: place.channel for place in places}
        for problem in problems:
            yield problem
        for id in (known.marks.keys() if known else set()) - self._channels.keys():
            yield Gone(id=DocumentId(f"{id}/"))
        marks: dict[str, Mark] = {}
        for place in places:
            mark = known.marks.get(place.channel.id) if known else None
            try:
                async for item in self._followed(place, mark) if known else self._whole(place):
                    if isinstance(item, Mark):
                        marks[place.channel.id] = item
                    else:
                        yield item
            except DocumentGone:
                if await self._client.is_member(place.channel.id):
                    yield Skipped(id=place.below, reason=f"{place.name}: {FORBIDDEN}", unseen=True)
                elif known:
                    yield Gone(id=place.below)
        listed = known.listed if known else now
        yield Cursor(
            value=Position(settings=cursor.fingerprint(self._settings), listed=listed, marks=marks).model_dump_json()
        )

    @asynccontextmanager
    async def fetch(self, entry: Entry) -> AsyncIterator[Original]:
        channel_id, key, *file = entry.id.split("/")
        async with self._file(file[0]) if file else self._conversation(channel_id, key, entry) as original:
            yield original

    async def _look_around(self) -> tuple[Sequence[_Place], Sequence[Skipped]]:
        """The channels to read, and what is wrong with those that the configuration names."""
        settings = self._settings
        places: list[_Place] = []
        private: set[str] = set()
        teams = [team for team in await self._client.teams() if not settings.teams or team.name in settings.teams]
        for team in teams:
            for channel in await self._client.channels(team.id):
                path = f"{team.name}/{channel.name}"
                if channel.type not in ("O", "P") or (settings.channels and path not in settings.channels):
                    continue
                if channel.type == "P" and not settings.private:
                    private.add(path)
                    continue
                readers = convert.readers_of(channel, team, company_teams=settings.company_teams)
                label = cursor.label(channel, team, readers)
                places.append(_Place(channel=channel, team=team, readers=readers, label=label))
        missing_teams = set(settings.teams) - {team.name for team in teams}
        found = {place.name for place in places}
        problems = [
            *(_problem(name, "the account is in no team of that name: add it to the team") for name in missing_teams),
            *(
                _problem(path, "the channel is private: set `private: true`, or take it from `channels`")
                if path in private
                else _problem(path, "the account is in no channel of that name that is not archived: invite it there")
                for path in set(settings.channels) - found
            ),
        ]
        return places, sorted(problems, key=lambda problem: problem.id)

    async def _whole(self, place: _Place) -> AsyncIterator[_Found]:
        """All of a channel, and a mark that leaves out no change made meanwhile."""
        since = convert.first_moment(self._now(), self._settings.history_days)
        conversations = self._conversations(place.channel)
        mark: Mark | None = None
        async with aclosing(self._client.newest_first(place.channel.id)) as pages:
            async for posts in pages:
                mark = mark or cursor.mark(place.label, posts)
                for post in posts:
                    if post.create_at >= since:
                        conversations.add(post)
                if any(post.create_at < since for post in posts):
                    break
        for item in self._listed(place, conversations):
            yield item
        yield mark or cursor.mark(place.label, ())

    async def _followed(self, place: _Place, mark: Mark | None) -> AsyncIterator[_Found]:
        """What has changed in a channel since `mark`."""
        changed = None
        if mark is not None and mark.label == place.label:
            changed = await self._client.changed_since(place.channel.id, mark.since - LOOKBACK)
        if mark is None or changed is None or len(changed.order) >= SINCE_ROWS:
            yield Gone(id=place.below)
            async for item in self._whole(place):
                yield item
            return
        rows = changed.ordered
        threads: dict[str, list[Post]] = {}
        for row in mark.unseen(rows):
            if not row.original_id:
                threads.setdefault(row.thread, []).append(row)
        days: dict[str, str] = {}
        for id, touched in threads.items():
            thread = _Thread(id=id, root=changed.posts.get(id), rows=touched)
            async for item in self._thread(place, thread, mark, days):
                yield item
        for day, post in days.items():
            conversations = self._conversations(place.channel)
            for alone in await self._alone(place.channel.id, day, post):
                conversations.add(alone)
            for item in self._listed(place, conversations, of=day):
                yield item
        yield cursor.mark(place.label, rows, since=mark.since)

    async def _thread(self, place: _Place, thread: _Thread, mark: Mark, days: dict[str, str]) -> AsyncIterator[Listed]:
        """What has become of a thread; in `days`, a post of each day whose single messages may be others now."""
        conversations = self._conversations(place.channel)
        if not self._matters(thread, conversations):
            return
        for row in thread.rows if self._settings.files else ():
            if row.delete_at or row.edit_at:
                yield Gone(id=DocumentId(f"{place.channel.id}/{row.id}/"))
        posts = await self._thread_now(thread)
        for post in posts:
            conversations.add(post)
        replies = [post.create_at for post in posts if post.root_id]
        if replies:
            for item in self._listed(place, conversations, of=thread.id):
                yield item
        elif thread.had_replies:
            yield Gone(id=DocumentId(f"{place.channel.id}/{thread.id}"))
        root = thread.root or next((post for post in posts if not post.root_id), None)
        if root is not None and (not replies or min(replies) > mark.since - LOOKBACK):
            days[convert.day_of(root.create_at)] = root.id

    async def _thread_now(self, thread: _Thread) -> Sequence[Post]:
        """Its posts, where it has replies; none where it has not.

        Raises `CursorExpired` where they cannot be had: a listing of everything reads no thread by itself.
        """
        if thread.root is not None and (thread.root.delete_at or not thread.root.reply_count):
            return ()
        try:
            async with of_one_document(self._client.me):
                return await self._client.thread(thread.id)
        except DocumentGone:
            return ()
        except DocumentUnavailable as error:
            raise CursorExpired(f"a thread that has changed cannot be read: {error}") from error

    def _matters(self, thread: _Thread, conversations: Conversations) -> bool:
        """Whether the change can be one of a document: a post that is not read matters by its replies alone."""
        if thread.root is None:
            return True
        if thread.root.create_at < convert.first_moment(self._now(), self._settings.history_days):
            return False
        replied = thread.root.reply_count or any(row.root_id for row in thread.rows)
        return bool(replied or thread.root.delete_at or conversations.reads(thread.root))

    def _listed(self, place: _Place, conversations: Conversations, *, of: str | None = None) -> Iterable[Listed]:
        """The conversations and their files. With `of`, the one of that key, which is gone where nothing is said."""
        found: set[str] = set()
        for conversation in conversations:
            if of is None or conversation.key == of:
                found.add(conversation.key)
                yield Entry(
                    id=DocumentId(f"{place.channel.id}/{conversation.key}"),
                    version=conversation.version,
                    readers=place.readers,
                    url=self._link(place, conversation.first),
                    media_type=MARKDOWN,
                )
                yield from self._files(place, conversation)
        if of is not None and of not in found:
            yield Gone(id=DocumentId(f"{place.channel.id}/{of}"))

    def _files(self, place: _Place, conversation: Conversation) -> Iterable[Entry | Skipped]:
        for post, file in conversation.files if self._settings.files else ():
            id = DocumentId(f"{place.channel.id}/{post}/{file.id}")
            if file.mime_type.startswith(convert.WITHOUT_TEXT):
                continue
            if file.size > self._max_bytes:
                yield Skipped(
                    id=id,
                    reason=f"{file.name!r}: {too_large(self._max_bytes, file.size)}",
                )
                continue
            media_type = file.mime_type.partition(";")[0].strip() or None
            url = self._link(place, post)
            yield Entry(id=id, version=file.id, readers=place.readers, url=url, media_type=media_type)

    def _link(self, place: _Place, post: str) -> str:
        return f"{self._settings.base_url}/{place.team.name}/pl/{post}"

    def _conversations(self, channel: Channel) -> Conversations:
        return Conversations(channel, account=self._account or "", bots=self._settings.bots)

    async def _alone(self, channel: str, day: str, near: str) -> Sequence[Post]:
        """The posts of that day that have no reply and are none; `near` is one of the day's posts, or was."""
        start, end = convert.bounds(day)
        found: list[Post] = []
        following = await self._client.first_from(channel, end, after=near)
        async with aclosing(self._client.newest_first(channel, before=following)) as pages:
            async for posts in pages:
                found += [post for post in posts if start <= post.create_at < end]
                if any(post.create_at < start for post in posts):
                    break
        return [post for post in found if not post.root_id and not post.reply_count]

    @asynccontextmanager
    async def _conversation(self, channel_id: str, key: str, entry: Entry) -> AsyncIterator[Original]:
        if self._account is None:
            self._account = (await self._client.me()).id
        channel = self._channels.get(channel_id) or await self._client.channel(channel_id)
        self._channels[channel_id] = channel
        async with of_one_document(self._client.me):
            if convert.DAY.fullmatch(key):
                found: Iterable[Post] = await self._alone(channel_id, key, (entry.url or "").rpartition("/")[2])
            else:
                found = await self._client.thread(key)
        conversations = self._conversations(channel)
        posts = [post for post in found if conversations.reads(post)]
        if not posts:
            raise DocumentGone("nothing is said in it any more: its posts were deleted since they were listed")
        people, named = await self._names(posts)
        title = convert.title(channel, key, convert.opening(posts, named))
        authors = {convert.author(post, people): None for post in convert.in_order(posts)}
        async with as_file(
            convert.rendered(posts, people, named).encode("utf-8", "replace"),
            name=f"{key}.md",
            media_type=MARKDOWN,
            title=title,
            author=next(iter(authors)) if len(authors) == 1 or not convert.DAY.fullmatch(key) else None,
            updated_at=convert.last_change(posts),
        ) as original:
            yield original

    @asynccontextmanager
    async def _file(self, id: str) -> AsyncIterator[Original]:
        async with of_one_document(self._client.me):
            file = await self._client.file(id)
        people = await self._people_by_id({file.user_id} - {""})
        async with original_file() as path:
            async with of_one_document(self._client.me):
                await self._client.save_file(id, path, max_bytes=self._max_bytes)
            yield Original(
                path=path,
                name=file.name or id,
                media_type=file.mime_type.partition(";")[0].strip() or None,
                author=people.get(file.user_id),
                updated_at=datetime.fromtimestamp(file.create_at / 1000, UTC) if file.create_at else None,
            )

    async def _names(self, posts: Sequence[Post]) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Names to show: of who says something, by id, and of who is mentioned, by user name."""
        people = await self._people_by_id({post.user_id for post in posts})
        mentioned = convert.names_mentioned(posts)
        if unknown := mentioned - self._named.keys():
            self._named |= dict.fromkeys(unknown)
            self._named |= {user.username: user.display_name for user in await self._client.users_named(unknown)}
        return people, {name: shown for name in mentioned if (shown := self._named[name])}

    async def _people_by_id(self, ids: set[str]) -> Mapping[str, str]:
        if unknown := ids - self._people.keys():
            self._people |= {user.id: user.display_name for user in await self._client.users(unknown)}
        return self._people


def _problem(name: str, reason: str) -> Skipped:
    return Skipped(id=DocumentId(name), reason=reason)
