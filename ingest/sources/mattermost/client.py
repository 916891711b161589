"""Mattermost's REST API (v4): what is asked, how it is paged, and what comes back. Works with servers from 5.37 on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from ingest.sources.api import GONE, Api
from ingest.sources.interface import DocumentGone, SourceRefused, SourceUnavailable

PER_PAGE = 200
"""The most posts that the server puts on a page."""

SINCE_ROWS = 900
"""From so many rows on, an answer about what has changed may lack some: the server stops at 1,000, in no order, before
it takes out what the account may not see."""

USERS_AT_ONCE = 100

FORBIDDEN = GONE | {403}
"""What the server says of one thing that is not there, or not for this account."""


class Payload(BaseModel):
    """A part of an answer. What is `null` in it is as if it were absent."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data


class User(Payload):
    id: str
    username: str
    nickname: str = ""
    first_name: str = ""
    last_name: str = ""

    @property
    def display_name(self) -> str:
        return " ".join(f"{self.first_name} {self.last_name}".split()) or self.nickname.strip() or self.username


class Team(Payload):
    id: str
    name: str
    allow_open_invite: bool = False
    group_constrained: bool = False
    allowed_domains: str = ""


class Channel(Payload):
    id: str
    team_id: str = ""
    type: str
    """`O` public, `P` private, `D` and `G` direct messages."""
    name: str
    display_name: str = ""
    group_constrained: bool = False


class FileInfo(Payload):
    id: str
    user_id: str = ""
    name: str = ""
    size: int = 0
    mime_type: str = ""
    create_at: int = 0


class Metadata(Payload):
    files: tuple[FileInfo, ...] = ()


class Post(Payload):
    """A row of the server's table of posts. Times are in milliseconds since 1970, by the server's clock."""

    id: str
    create_at: int
    update_at: int
    edit_at: int = 0
    delete_at: int = 0
    """Not 0 for a deleted post, and for what a post was before it was edited."""
    user_id: str
    channel_id: str
    root_id: str = ""
    """Of a reply, the post that began the thread."""
    original_id: str = ""
    """Not empty for what a post was before it was edited."""
    message: str = ""
    type: str = ""
    props: dict[str, Any] = {}
    reply_count: int = 0
    """Replies in the post's thread, bots' replies included."""
    metadata: Metadata = Metadata()

    @property
    def thread(self) -> str:
        """The post that began the thread, which may be this one."""
        return self.root_id or self.id


class PostList(Payload):
    order: tuple[str, ...] = ()
    """Newest first."""
    posts: dict[str, Post] = {}
    """Those of `order`, and the roots of their threads."""
    prev_post_id: str = ""
    has_next: bool = False

    @property
    def ordered(self) -> Sequence[Post]:
        return [self.posts[id] for id in self.order if id in self.posts]


_Answer = TypeVar("_Answer")


class Client:
    """The API below `base_url`, as the account that `token` belongs to."""

    def __init__(
        self, source: str, base_url: str, token: str | None, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """`source` is the source's name, for messages; `transport` takes the place of the network."""
        self._source = source
        self._base_url = base_url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._api = Api(source, f"{base_url}/api/v4", headers=headers, transport=transport)

    async def close(self) -> None:
        await self._api.close()

    async def me(self) -> User:
        """The account. Raises `SourceRefused` where the address is not Mattermost's, or the token is no good."""
        try:
            return await self._get(User, "/users/me")
        except DocumentGone as error:
            raise SourceRefused(
                f"source {self._source!r}: there is no Mattermost at {self._base_url!r}; correct `base_url`"
            ) from error

    async def teams(self) -> list[Team]:
        """Those that the account is a member of."""
        return await self._get(list[Team], "/users/me/teams", gone=())

    async def channels(self, team: str) -> list[Channel]:
        """Those of the team that the account is a member of and that are not archived, and its direct messages."""
        return await self._get(list[Channel], f"/users/me/teams/{team}/channels", gone=())

    async def channel(self, id: str) -> Channel:
        return await self._get(Channel, f"/channels/{id}", gone=FORBIDDEN)

    async def is_member(self, channel: str) -> bool:
        try:
            await self._api.get(f"/channels/{channel}/members/me", gone=FORBIDDEN)
        except DocumentGone:
            return False
        return True

    async def users(self, ids: Collection[str]) -> list[User]:
        return await self._users("/users/ids", sorted(ids))

    async def users_named(self, names: Collection[str]) -> list[User]:
        """Those users that there are among `names`."""
        return await self._users("/users/usernames", sorted(names))

    async def changed_since(self, channel: str, moment: int) -> PostList:
        """At most 1,000 rows changed after `moment` (see `SINCE_ROWS`), the deleted and the edited-away among them."""
        return await self._posts(channel, {"since": max(1, moment)})

    async def newest_first(self, channel: str, *, before: str | None = None) -> AsyncGenerator[Sequence[Post], None]:
        """All posts that are not deleted, or those older than the post `before`, a page at a time.

        The server pages by the time of a post, to the millisecond, and leaves out all of the post's own millisecond.
        So each page begins again with the last millisecond of the page before it.
        """
        known: set[str] = set()
        page = 0
        while True:
            found = await self._page(channel, page=page, before=before)
            posts = found.ordered
            fresh = [post for post in posts if post.id not in known]
            if not posts and known and page == 0:
                raise SourceUnavailable(
                    f"source {self._source!r}: posts of channel {channel!r} were removed while they were listed; "
                    "try again later"
                )
            yield fresh
            if not fresh or (before is None and page == 0 and not found.prev_post_id and len(posts) < PER_PAGE):
                return
            oldest = min(post.create_at for post in posts)
            older = [post for post in posts if post.create_at > oldest]
            if older:
                before, page = min(older, key=lambda post: post.create_at).id, 0
                known = {post.id for post in posts if post.create_at == oldest}
            else:
                page += 1
                known.update(post.id for post in posts)

    async def first_from(self, channel: str, moment: int, *, after: str) -> str | None:
        """Some post created at `moment` or later, the search for which begins after the post `after`; None: none."""
        while posts := (await self._page(channel, after=after)).ordered:
            newest = max(posts, key=lambda post: post.create_at)
            if newest.create_at >= moment:
                return newest.id
            after = newest.id
        return None

    async def thread(self, root: str) -> list[Post]:
        """The thread's posts that are not deleted. Raises `DocumentGone`."""
        posts: dict[str, Post] = {}
        params: dict[str, str | int | bool] = {"perPage": PER_PAGE, "direction": "down"}
        while True:
            found = await self._get(PostList, f"/posts/{root}/thread", params, gone=FORBIDDEN)
            # The first post comes with every page; by another node's clock it need not be the oldest.
            fresh = [post for id, post in found.posts.items() if id not in posts and id != root]
            posts |= found.posts
            if not (found.has_next and fresh):
                return list(posts.values())
            last = max(fresh, key=lambda post: (post.create_at, post.id))
            params |= {"fromPost": last.id, "fromCreateAt": last.create_at}

    async def file(self, id: str) -> FileInfo:
        return await self._get(FileInfo, f"/files/{id}/info", gone=FORBIDDEN)

    async def save_file(self, id: str, to: Path, *, max_bytes: int) -> None:
        """Write the file's content to `to`. Raises `DocumentGone`, `DocumentTooLarge`."""
        headers = await self._api.save(f"/files/{id}", to, max_bytes=max_bytes, gone=FORBIDDEN)
        # Mattermost never declares a file as HTML, lest a browser shows it: this page is somebody else's.
        if headers.get("content-type", "").startswith("text/html"):
            raise SourceRefused(
                f"source {self._source!r}: {self._base_url!r} answered a web page where a file was expected; does a "
                "login page stand in front of it?"
            )

    async def _page(
        self, channel: str, *, page: int = 0, before: str | None = None, after: str | None = None
    ) -> PostList:
        params: dict[str, str | int | bool] = {"page": page, "per_page": PER_PAGE}
        return await self._posts(
            channel, params | {key: id for key, id in (("before", before), ("after", after)) if id}
        )

    async def _posts(self, channel: str, params: Mapping[str, str | int | bool]) -> PostList:
        # Without `skipFetchThreads` the server adds all of every thread, and leaves `reply_count` out.
        return await self._get(
            PostList, f"/channels/{channel}/posts", {**params, "skipFetchThreads": True}, gone=FORBIDDEN
        )

    async def _users(self, path: str, keys: Sequence[str]) -> list[User]:
        users: list[User] = []
        for start in range(0, len(keys), USERS_AT_ONCE):
            answer = await self._api.post(path, keys[start : start + USERS_AT_ONCE], gone=())
            users += self._read(list[User], answer, path)
        return users

    async def _get(
        self,
        kind: type[_Answer],
        path: str,
        params: Mapping[str, str | int | bool] | None = None,
        *,
        gone: Collection[int] = GONE,
    ) -> _Answer:
        return self._read(kind, await self._api.get(path, params, gone=gone), path)

    def _read(self, kind: type[_Answer], answer: Any, path: str) -> _Answer:
        try:
            return TypeAdapter(kind).validate_python(answer)
        except ValidationError as error:
            raise SourceRefused(
                f"source {self._source!r}: {self._base_url!r} answered {path!r} not as Mattermost does; is `base_url` "
                "right?"
            ) from error
