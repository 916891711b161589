"""What both editions of Confluence answer, as this source uses it, and the requests they have in common.

Of what a server says about access, what is missing is never taken for "everybody": it is asked for again by itself, and
None where it cannot be told.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ValidationError

from ingest.sources.api import Api, Params
from ingest.sources.confluence.answers import (
    LegacyAttachment,
    LegacyGroup,
    LegacyList,
    LegacyRestriction,
    LegacyRestrictions,
    LegacyUser,
    Links,
)
from ingest.sources.interface import DocumentGone, SourceRefused, SourceUnavailable, token_variable

UNTOLD = frozenset({403, 404, 410})
"""Confluence says 404 for what is not there and, mostly, for what the account may not see."""

PAGE = 200
"""Asked for at once where the list is short of content; the server may give fewer."""

Kind = Literal["page", "blogpost"]

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    key: str
    id: str
    """What else Confluence calls it by: a number on Cloud, the key again on Data Center."""
    personal: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    key: str
    """Account id (Cloud) or user key (Data Center)."""
    name: str
    email: str | None = None
    username: str | None = None
    """Data Center only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    key: str
    """Group id (Cloud) or name (Data Center)."""
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """Whom a permission or a restriction names; a restriction that names nobody restricts nothing."""

    people: frozenset[str] = frozenset()
    """Their keys."""
    groups: frozenset[Group] = frozenset()
    classes: frozenset[str] = frozenset()
    """Cloud's own, such as `all-licensed-users`."""

    def __bool__(self) -> bool:
        return bool(self.people or self.groups or self.classes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parent:
    id: str
    kind: str
    """`page`, or on Cloud `folder`, `whiteboard`, `database`, `embed`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """What bears on who may read a page and all below it."""

    restriction: Named | None
    """None: cannot be told."""
    parent: Parent | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Attached:
    """A file at a page, in its current version."""

    id: str
    """With its `att` in front."""
    title: str
    version: str
    media_type: str | None
    size: int | None
    """Bytes."""
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """A page or a blog post, as a listing tells of it."""

    id: str
    kind: Kind
    title: str
    version: str
    url: str
    node: Node
    labels: frozenset[str] = frozenset()
    attachments: tuple[Attached, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """A page's content."""

    space: str
    """Id of its space now."""
    storage: str
    title: str
    author: str | None
    updated_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """An attachment's content, before it is downloaded."""

    space: str
    """Id of the space of its page now."""
    path: str
    title: str
    media_type: str | None
    size: int | None
    author: str | None
    updated_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a listing looks at beside the pages themselves."""

    labels: bool
    attachments: bool


class Client(ABC):
    """One site. Every call may raise `SourceUnavailable` and `SourceRefused`."""

    root: ClassVar[str]
    """Of the API that both editions share."""

    def __init__(self, source: str, base_url: str, api: Api, stranger: Api) -> None:
        """`stranger` is the same site without a key: what the public sees."""
        self._source = source
        self._base_url = base_url
        self._api = api
        self._stranger = stranger
        self._known: dict[str, Person | None] = {}

    @abstractmethod
    def spaces(self) -> AsyncIterator[Space]:
        """All current spaces that the account sees."""

    @abstractmethod
    async def space(self, key: str) -> Space | None:
        """The space of that key; None where the account sees none."""

    @abstractmethod
    async def is_public(self, space: Space) -> bool:
        """Whether Confluence shows the space to a request without a key."""

    @abstractmethod
    async def permitted(self, space: Space) -> Named:
        """Who may view the space. Raises `DocumentGone` where that is not told."""

    @abstractmethod
    async def items(self, space: Space, wanted: Wanted) -> list[Item]:
        """All current pages and blog posts. Raises `DocumentGone` where the space may not be listed."""

    @abstractmethod
    async def above(self, parent: Parent) -> Node | None:
        """A parent that the listing does not hold; None where it cannot be looked at."""

    async def people(self, keys: Collection[str]) -> dict[str, Person]:
        """Those of `keys` that Confluence knows, or knew since `forget`."""
        if unknown := set(keys) - self._known.keys():
            self._known |= dict.fromkeys(unknown) | await self._looked_up(unknown)
        return {key: person for key in keys if (person := self._known.get(key))}

    @abstractmethod
    async def _looked_up(self, keys: Collection[str]) -> dict[str, Person]:
        """Those of `keys` that Confluence knows, asked for."""

    def forget(self) -> None:
        """What was kept of earlier answers: a run begins."""
        self._known.clear()

    @abstractmethod
    async def members(self, group: Group) -> frozenset[str] | None:
        """Keys of the people in a group; None where that cannot be told."""

    @abstractmethod
    async def body(self, id: str, kind: Kind) -> Body:
        """A current page or blog post. Raises `DocumentGone`."""

    @abstractmethod
    async def file(self, id: str) -> File:
        """A current attachment. Raises `DocumentGone`."""

    async def signed_in(self) -> None:
        """Raises `SourceRefused` where the server takes us for anybody: it then answers, with the public part only."""
        me = await self._get(f"{self.root}/user/current", LegacyUser)
        if me.type == "anonymous" or me.key is None:
            raise SourceRefused(
                f"source {self._source!r}: Confluence does not know the token, which is wrong, revoked or expired; set"
                f" {token_variable(self._source)}"
            )

    async def restriction(self, id: str) -> Named | None:
        """Who a page's own view restriction names; None where that cannot be told."""
        found = Named()
        start = 0
        while True:
            try:
                answer = await self._get(
                    f"{self.root}/content/{id}/restriction/byOperation/read",
                    LegacyRestriction,
                    {"expand": "restrictions.user,restrictions.group", "start": start, "limit": PAGE},
                    gone=UNTOLD,
                )
            except DocumentGone:
                return None
            users, groups = answer.restrictions.user, answer.restrictions.group
            if users is None or groups is None:
                return None
            part = self._named(users.results, groups.results)
            more = Named(people=found.people | part.people, groups=found.groups | part.groups)
            if more == found or not (users.goes_on or groups.goes_on):
                return more
            found = more
            start += max(len(users.results), len(groups.results))

    async def save(self, file: File, to: Path, *, max_bytes: int) -> None:
        """Download `file`. Raises `DocumentGone`, `DocumentTooLarge`."""
        await self._api.save(file.path, to, max_bytes=max_bytes, gone=UNTOLD, media_type=file.media_type or "unknown")

    async def close(self) -> None:
        await self._api.close()
        await self._stranger.close()

    async def _get(
        self, path: str, shape: type[Shape], params: Params | None = None, *, gone: Collection[int] = ()
    ) -> Shape:
        return self._shaped(shape, await self._api.get(path, params, gone=gone))

    async def _pages(
        self,
        path: str,
        shape: type[Shape],
        params: Params | None = None,
        *,
        gone: Collection[int] = (),
    ) -> AsyncIterator[Shape]:
        """An answer and those that follow it, by the cursors in its links."""
        asked = dict(params or {})
        seen: set[str] = set()
        while True:
            answer = await self._api.get(path, asked, gone=gone)
            following = self._shaped(Links, answer).links.next
            yield self._shaped(shape, answer)
            if not following:
                return
            if following in seen:
                raise SourceUnavailable(f"source {self._source!r}: {path!r} leads to the same page again; try later")
            seen.add(following)
            # Only its query: on some addresses of Cloud the path in the link is not the one to ask.
            asked |= dict(parse_qsl(urlsplit(following).query, keep_blank_values=True))

    def _shaped(self, shape: type[Shape], data: object) -> Shape:
        try:
            return shape.model_validate(data)
        except ValidationError as error:
            at = ".".join(map(str, error.errors()[0]["loc"])) or "the whole"
            raise SourceRefused(
                f"source {self._source!r}: the server's answer is not Confluence's ({at}: {error.errors()[0]['msg']});"
                " is `base_url` right?"
            ) from error

    async def _members(self, path: str, gone: Collection[int]) -> frozenset[str] | None:
        """Keys of the users in the list at `path`, which is paged by position; None where it is not told."""
        found: frozenset[str] = frozenset()
        start = 0
        while True:
            params: Params = {"start": start, "limit": PAGE}
            try:
                answer = await self._get(path, LegacyList[LegacyUser], params, gone=gone)
            except DocumentGone:
                return None
            more = found | self._named(answer.results, ()).people
            if more == found or not answer.goes_on:
                return more
            found = more
            start += len(answer.results)

    def _inline(self, restrictions: LegacyRestrictions | None) -> Named | None:
        """A restriction as it comes with a page; None where it did not come whole."""
        if restrictions is None or restrictions.read is None:
            return None
        users, groups = restrictions.read.restrictions.user, restrictions.read.restrictions.group
        if users is None or groups is None or users.goes_on or groups.goes_on:
            return None
        return self._named(users.results, groups.results)

    def _named(self, users: Collection[LegacyUser], groups: Collection[LegacyGroup]) -> Named:
        """Whom these two lists name; one without a key stays named, as somebody whom nobody is."""
        for user in users:
            if user.key and user.username:
                self._known[user.key] = Person(key=user.key, name=user.name or user.username, username=user.username)
        return Named(
            people=frozenset(user.key or "" for user in users),
            groups=frozenset(Group(key=group.id or group.name, name=group.name) for group in groups),
        )

    def _attachment(self, file: LegacyAttachment, base: str | None) -> Attached:
        """A file as it comes with its page."""
        number = file.version.number if file.version else None
        return Attached(
            id=file.id,
            title=file.title,
            version=version_of(file.title, number, file.extensions.size),
            media_type=file.extensions.media_type or file.metadata.media_type,
            size=file.extensions.size,
            url=self._link(base, file.links.webui),
        )

    def _link(self, base: str | None, path: str | None) -> str:
        """Where a person opens it."""
        shown = base if base and urlsplit(base).scheme in ("http", "https") else self._base_url
        return f"{shown.rstrip('/')}{path}" if path else shown


def version_of(*parts: object) -> str:
    """Changes when any of `parts` does."""
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def moment(text: str | None) -> datetime | None:
    """A date as both editions write it; None for what is none."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
