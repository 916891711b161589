"""Confluence Data Center, 7.18 or later: one REST API, whose answers can be expanded with all that is needed.

From 9.1 on it also tells who may view a space. It tells nobody's e-mail address.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from typing import ClassVar
from urllib.parse import quote, urlsplit

from ingest.sources.api import GONE, Params
from ingest.sources.confluence.answers import (
    LegacyAttachment,
    LegacyContent,
    LegacyList,
    LegacyPermission,
    LegacySpace,
    LegacyUser,
)
from ingest.sources.confluence.client import (
    PAGE,
    UNTOLD,
    Attached,
    Body,
    Client,
    File,
    Group,
    Item,
    Kind,
    Named,
    Node,
    Parent,
    Person,
    Space,
    Wanted,
    moment,
    version_of,
)
from ingest.sources.interface import DocumentGone, SourceRefused, SourceUnavailable

NOT_ADMINISTRATOR = UNTOLD | {405, 500, 501}
"""What the permissions of a space answer to accounts that may not see them, and before 9.1."""


class DataCenter(Client):
    """A site of Confluence Data Center."""

    root: ClassVar[str] = "/rest/api"

    async def spaces(self) -> AsyncIterator[Space]:
        start = 0
        while True:
            params: Params = {"status": "current", "start": start, "limit": PAGE}
            answer = await self._get(f"{self.root}/space", LegacyList[LegacySpace], params)
            for space in answer.results:
                yield _space(space)
            if answer.links.next is None or not answer.results:
                return
            start += len(answer.results)

    async def space(self, key: str) -> Space | None:
        try:
            found = await self._get(f"{self.root}/space/{quote(key, safe='~')}", LegacySpace, gone=UNTOLD)
        except DocumentGone:
            return None
        return _space(found) if found.status in (None, "current") else None

    async def is_public(self, space: Space) -> bool:
        path = f"{self.root}/space/{quote(space.key, safe='~')}"
        try:
            answer = await self._stranger.get(path, gone=UNTOLD | {401})
        except (DocumentGone, SourceRefused):
            return False
        return self._shaped(LegacySpace, answer).key == space.key

    async def permitted(self, space: Space) -> Named:
        path = f"{self.root}/space/{quote(space.key, safe='~')}/permissions"
        answer = await self._api.get(path, gone=NOT_ADMINISTRATOR)
        rows = answer if isinstance(answer, list) else self._shaped(LegacyList[LegacyPermission], answer).results
        people: set[str] = set()
        groups: set[str] = set()
        for found in (self._shaped(LegacyPermission, row) for row in rows):
            if (found.operation.key, found.operation.target) != ("read", "space") or found.subject is None:
                continue
            if found.subject.type == "user" and found.subject.user_key:
                people.add(found.subject.user_key)
            elif found.subject.type == "group" and found.subject.name:
                groups.add(found.subject.name)
        return Named(people=frozenset(people), groups=frozenset(Group(key=name, name=name) for name in groups))

    async def items(self, space: Space, wanted: Wanted) -> list[Item]:
        expanded = ["space", "version", "ancestors"]
        expanded += ["restrictions.read.restrictions.user", "restrictions.read.restrictions.group"]
        expanded += ["metadata.labels"] if wanted.labels else []
        expanded += ["children.attachment.version"] if wanted.attachments else []
        expand = ",".join(expanded)
        found: list[tuple[Kind, LegacyContent, str | None]] = []
        query: Params = {"spaceKey": space.key, "type": "page", "status": "current", "expand": expand, "limit": PAGE}
        async for answer in self._pages(f"{self.root}/content/scan", LegacyList[LegacyContent], query, gone=UNTOLD):
            found += [("page", content, answer.links.base) for content in answer.results]
        found += [("blogpost", *post) for post in await self._blog(space, expand)]
        items: list[Item] = []
        for kind, content, base in found:
            if content.status == "current" and content.space is not None and content.space.key == space.key:
                with suppress(DocumentGone):  # it was deleted since it was listed
                    items.append(await self._item(kind, content, base, wanted))
        return items

    async def above(self, parent: Parent) -> Node | None:
        path = f"{self.root}/content/{parent.id}"
        try:
            found = await self._get(path, LegacyContent, {"expand": "ancestors"}, gone=UNTOLD)
        except DocumentGone:
            return None
        if found.ancestors is None:
            return None
        return Node(restriction=await self.restriction(parent.id), parent=_parent(found))

    async def _looked_up(self, keys: Collection[str]) -> dict[str, Person]:
        found: dict[str, Person] = {}
        for key in sorted(keys):
            try:
                user = await self._get(f"{self.root}/user", LegacyUser, {"key": key}, gone=UNTOLD)
            except DocumentGone:
                continue
            found[key] = Person(key=key, name=user.name or user.username or "", username=user.username)
        return found

    async def members(self, group: Group) -> frozenset[str] | None:
        return await self._members(f"{self.root}/group/{quote(group.name, safe='')}/member", UNTOLD)

    async def body(self, id: str, kind: Kind) -> Body:
        found = await self._content(id, "body.storage,version,space")
        if found.type != kind or found.space is None or found.body is None or found.body.storage is None:
            raise DocumentGone("it is no longer a page that people see")
        return Body(
            space=found.space.key,
            storage=found.body.storage.value,
            title=found.title,
            author=found.version.by.name if found.version and found.version.by else None,
            updated_at=moment(found.version.when) if found.version else None,
        )

    async def file(self, id: str) -> File:
        found = await self._content(id, "version,container,space")
        download = urlsplit(found.links.download or "")
        if found.space is None or not download.path:
            raise DocumentGone("it is no longer attached to a page")
        return File(
            space=found.space.key,
            path=f"{download.path}?{download.query}" if download.query else download.path,
            title=found.title,
            media_type=found.metadata.media_type or found.extensions.media_type,
            size=found.extensions.size,
            author=found.version.by.name if found.version and found.version.by else None,
            updated_at=moment(found.version.when) if found.version else None,
        )

    async def _content(self, id: str, expand: str) -> LegacyContent:
        found = await self._get(f"{self.root}/content/{id}", LegacyContent, {"expand": expand}, gone=UNTOLD)
        if found.status != "current":
            raise DocumentGone(f"it is no longer one that people see, but {found.status!r}")
        return found

    async def _blog(self, space: Space, expand: str) -> list[tuple[LegacyContent, str | None]]:
        """Blog posts, which no cursor leads through: each request begins with the last post of the one before.

        If that post is not there any more, those behind it have moved up and one may have been passed over.
        """
        found: dict[str, tuple[LegacyContent, str | None]] = {}
        last: str | None = None
        start = 0
        query: Params = {"spaceKey": space.key, "type": "blogpost", "status": "current", "expand": expand}
        while True:
            params = {**query, "start": start, "limit": PAGE}
            answer = await self._get(f"{self.root}/content", LegacyList[LegacyContent], params, gone=UNTOLD)
            ids = [content.id for content in answer.results]
            if last is not None and last not in ids:
                raise SourceUnavailable(
                    f"source {self._source!r}: blog posts of space {space.key!r} were deleted while they were listed;"
                    " run the sync again"
                )
            news = {content.id: (content, answer.links.base) for content in answer.results if content.id not in found}
            found |= news
            if answer.links.next is None or not news:
                return list(found.values())
            last = ids[-1]
            start += len(ids) - 1

    async def _item(self, kind: Kind, content: LegacyContent, base: str | None, wanted: Wanted) -> Item:
        restriction = self._inline(content.restrictions)
        if restriction is None:
            restriction = await self.restriction(content.id)
        node = Node(restriction=restriction, parent=_parent(content))
        if content.ancestors is None:
            node = await self.above(Parent(id=content.id, kind=kind)) or Node(restriction=None, parent=None)
        number, when = (content.version.number, content.version.when) if content.version else (None, None)
        return Item(
            id=content.id,
            kind=kind,
            title=content.title,
            version=version_of(content.title, (number, when)),
            url=self._link(base, content.links.webui),
            node=node,
            labels=await self._labels(content) if wanted.labels else frozenset(),
            attachments=tuple(await self._attached(content, base)) if wanted.attachments else (),
        )

    async def _labels(self, content: LegacyContent) -> frozenset[str]:
        labels = content.metadata.labels
        if labels is None or labels.goes_on:
            found = await self._get(
                f"{self.root}/content/{content.id}", LegacyContent, {"expand": "metadata.labels"}, gone=GONE
            )
            labels = found.metadata.labels
        return frozenset(label.name for label in labels.results) if labels else frozenset()

    async def _attached(self, content: LegacyContent, base: str | None) -> list[Attached]:
        inline = content.children.attachment if content.children else None
        if inline is not None and not inline.goes_on and all(file.version for file in inline.results):
            return [self._attachment(file, base) for file in inline.results]
        files: dict[str, Attached] = {}
        path = f"{self.root}/content/{content.id}/child/attachment"
        while True:
            params: Params = {"expand": "version", "start": len(files), "limit": PAGE}
            answer = await self._get(path, LegacyList[LegacyAttachment], params, gone=GONE)
            more = {file.id: self._attachment(file, answer.links.base or base) for file in answer.results}
            if more.keys() <= files.keys():
                return list(files.values())
            files |= more
            if not answer.goes_on:
                return list(files.values())


def _space(space: LegacySpace) -> Space:
    return Space(key=space.key, id=space.key, personal=space.type == "personal" or space.key.startswith("~"))


def _parent(content: LegacyContent) -> Parent | None:
    return Parent(id=content.ancestors[-1].id, kind="page") if content.ancestors else None
