"""Confluence Cloud: what exists comes from REST API v2; restrictions and attachments in bulk from a search by v1.

v2 has no restrictions, and one request for each page would be too many. The search is only as fresh as its index, so it
never decides what exists: a page that it does not know yet is asked for by itself.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import suppress
from typing import ClassVar

from ingest.sources.api import GONE, Api
from ingest.sources.confluence.answers import (
    Attachment,
    Attachments,
    Content,
    Contents,
    Found,
    Labels,
    LegacyGroup,
    Permissions,
    RoleAssignments,
    RoleMode,
    Search,
    SpaceRoles,
    Spaces,
    Users,
    Version,
)
from ingest.sources.confluence.client import (
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
from ingest.sources.interface import DocumentGone, SourceRefused

V2 = "/wiki/api/v2"
LIMIT = 250
"""Most that v2 hands out at once."""

SEARCHED = 100
"""Pages at once in a search that expands them."""

PEOPLE = 100
"""Looked up at once."""

WITHOUT_ROLES = frozenset({400, 403, 404, 410, 501})
"""Where a site has no space roles."""

ANONYMOUS = "anonymous-users"
"""The access class of everybody; whether the site lets them in is another question, which `is_public` answers."""

COLLECTIONS = {
    "page": "pages",
    "blogpost": "blogposts",
    "folder": "folders",
    "whiteboard": "whiteboards",
    "database": "databases",
    "embed": "embeds",
}
"""What can stand above a page, and the blog post: the kind, and its place in v2."""


KINDS: tuple[Kind, ...] = ("page", "blogpost")


class Cloud(Client):
    """A site of Confluence Cloud."""

    root: ClassVar[str] = "/wiki/rest/api"

    def __init__(self, source: str, base_url: str, api: Api, stranger: Api) -> None:
        super().__init__(source, base_url, api, stranger)
        self._holders: dict[str, Content] = {}

    def forget(self) -> None:
        super().forget()
        self._holders.clear()

    async def spaces(self) -> AsyncIterator[Space]:
        async for answer in self._pages(f"{V2}/spaces", Spaces, {"status": "current", "limit": LIMIT}):
            for space in answer.results:
                yield Space(key=space.key, id=space.id, personal=space.type == "personal")

    async def space(self, key: str) -> Space | None:
        answer = await self._get(f"{V2}/spaces", Spaces, {"keys": key, "status": "current", "limit": LIMIT})
        found = next((space for space in answer.results if space.key == key), None)
        return Space(key=found.key, id=found.id, personal=found.type == "personal") if found else None

    async def is_public(self, space: Space) -> bool:
        try:
            answer = await self._stranger.get(f"{V2}/spaces", {"keys": space.key}, gone=(401, 403, 404))
        except (DocumentGone, SourceRefused):
            return False
        return any(found.key == space.key for found in self._shaped(Spaces, answer).results)

    async def permitted(self, space: Space) -> Named:
        try:
            mode = (await self._get(f"{V2}/space-role-mode", RoleMode, gone=WITHOUT_ROLES)).mode
        except DocumentGone:
            mode = "PRE_ROLES"
        people: set[str] = set()
        groups: set[str] = set()
        classes: set[str] = set()
        by_kind = {"user": people, "group": groups, "access_class": classes}
        if mode != "ROLES":
            async for answer in self._pages(
                f"{V2}/spaces/{space.id}/permissions", Permissions, {"limit": LIMIT}, gone=UNTOLD
            ):
                for permission in answer.results:
                    if (permission.operation.key, permission.operation.target) == ("read", "space"):
                        by_kind.get(permission.principal.type, set()).add(permission.principal.id)
        if mode != "PRE_ROLES":
            reading = await self._reading_roles(space)
            async for found in self._pages(
                f"{V2}/spaces/{space.id}/role-assignments", RoleAssignments, {"limit": LIMIT}
            ):
                for role in found.results:
                    if role.id in reading:
                        by_kind.get(role.principal.type.lower(), set()).add(role.principal.id)
        return Named(
            people=frozenset(people),
            groups=frozenset([await self._group(id) for id in sorted(groups)]),
            classes=frozenset(classes - {ANONYMOUS}),
        )

    async def items(self, space: Space, wanted: Wanted) -> list[Item]:
        listed: list[tuple[Kind, Content, str | None]] = []
        for kind in KINDS:
            path = f"{V2}/spaces/{space.id}/{COLLECTIONS[kind]}"
            async for answer in self._pages(path, Contents, {"status": "current", "limit": LIMIT}, gone=UNTOLD):
                listed += [(kind, content, answer.links.base) for content in answer.results if content.is_current]
        details = await self._searched(space, wanted) if listed else {}
        items: list[Item] = []
        for kind, content, base in listed:
            with suppress(DocumentGone):  # it was deleted since it was listed
                items.append(await self._item(kind, content, base, details.get(content.id), wanted))
        return items

    async def above(self, parent: Parent) -> Node | None:
        collection = COLLECTIONS.get(parent.kind)
        if collection is None:
            return None
        try:
            found = await self._get(f"{V2}/{collection}/{parent.id}", Content, gone=UNTOLD)
        except DocumentGone:
            return None
        return Node(restriction=await self.restriction(parent.id), parent=_parent(found))

    async def _looked_up(self, keys: Collection[str]) -> dict[str, Person]:
        found: dict[str, Person] = {}
        waiting = [*_batches(sorted(keys), PEOPLE)]
        while waiting:
            some = waiting.pop()
            try:
                answer = await self._api.post(f"{V2}/users-bulk", {"accountIds": some}, gone={400, 404})
            except DocumentGone:
                # One id that is none spoils the batch.
                waiting += _batches(some, -(-len(some) // 2)) if len(some) > 1 else ()
                continue
            for user in self._shaped(Users, answer).results:
                name = user.name or user.public_name or ""
                found[user.id] = Person(key=user.id, name=name, email=user.email or None)
        return found

    async def members(self, group: Group) -> frozenset[str] | None:
        return await self._members(f"{self.root}/group/{group.key}/membersByGroupId", UNTOLD)

    async def body(self, id: str, kind: Kind) -> Body:
        path = f"{V2}/{COLLECTIONS[kind]}/{id}"
        found = await self._get(path, Content, {"body-format": "storage"}, gone=UNTOLD)
        if not found.is_current or found.body is None or found.body.storage is None:
            raise DocumentGone(f"it is no longer a page that people see, but {found.status!r}")
        return Body(
            space=found.space,
            storage=found.body.storage.value,
            title=found.title,
            author=await self._name(found.version),
            updated_at=moment(found.version.created_at) if found.version else None,
        )

    async def file(self, id: str) -> File:
        found = await self._get(f"{V2}/attachments/{id}", Attachment, gone=UNTOLD)
        kind: Kind = "page" if found.page else "blogpost"
        holder = found.page or found.blogpost
        if found.status != "current" or holder is None:
            raise DocumentGone("it is no longer attached to a page")
        page = await self._holder(kind, holder)
        if not page.is_current:
            raise DocumentGone(f"its page is no longer one that people see, but {page.status!r}")
        return File(
            space=page.space,
            path=f"{self.root}/content/{holder}/child/attachment/{id}/download",
            title=found.title,
            media_type=found.media_type,
            size=found.size,
            author=await self._name(found.version),
            updated_at=moment(found.version.created_at) if found.version else None,
        )

    async def _holder(self, kind: Kind, id: str) -> Content:
        """The page that files hang at; many may."""
        if id not in self._holders:
            self._holders[id] = await self._get(f"{V2}/{COLLECTIONS[kind]}/{id}", Content, gone=UNTOLD)
        return self._holders[id]

    async def _reading_roles(self, space: Space) -> set[str]:
        """Ids of the roles that let read."""
        found: set[str] = set()
        async for answer in self._pages(
            f"{V2}/space-roles", SpaceRoles, {"space-id": space.id, "limit": LIMIT}, gone=UNTOLD
        ):
            found |= {role.id for role in answer.results if "read/space" in role.permissions}
        return found

    async def _group(self, id: str) -> Group:
        """Its name is not told to everybody; then its id stands for it, which no reader holds."""
        try:
            answer = await self._get(f"{self.root}/group/by-id", LegacyGroup, {"id": id}, gone=UNTOLD)
        except DocumentGone:
            return Group(key=id, name=id)
        return Group(key=id, name=answer.name)

    async def _searched(self, space: Space, wanted: Wanted) -> dict[str, Found]:
        expanded = ["restrictions.read.restrictions.user", "restrictions.read.restrictions.group"]
        expanded += ["metadata.labels"] if wanted.labels else []
        expanded += ["children.attachment.version"] if wanted.attachments else []
        query: dict[str, str | int] = {
            "cql": f"space = {json.dumps(space.key)} and type in (page, blogpost)",
            "expand": ",".join(expanded),
            "limit": SEARCHED,
        }
        found: dict[str, Found] = {}
        async for answer in self._pages(f"{self.root}/content/search", Search, query):
            found |= {content.id: content for content in answer.results}
        return found

    async def _item(self, kind: Kind, page: Content, base: str | None, found: Found | None, wanted: Wanted) -> Item:
        restriction = self._inline(found.restrictions) if found else None
        if restriction is None:
            restriction = await self.restriction(page.id)
        return Item(
            id=page.id,
            kind=kind,
            title=page.title,
            version=version_of(page.title, page.version and (page.version.number, page.version.created_at)),
            url=self._link(base, page.links.webui),
            node=Node(restriction=restriction, parent=_parent(page)),
            labels=await self._labels(kind, page.id, found) if wanted.labels else frozenset(),
            attachments=tuple(await self._attached(kind, page.id, base, found)) if wanted.attachments else (),
        )

    async def _labels(self, kind: Kind, id: str, found: Found | None) -> frozenset[str]:
        labels = found.metadata.labels if found else None
        if labels is not None and not labels.goes_on:
            return frozenset(label.name for label in labels.results)
        names: set[str] = set()
        async for answer in self._pages(f"{V2}/{COLLECTIONS[kind]}/{id}/labels", Labels, {"limit": LIMIT}, gone=GONE):
            names |= {label.name for label in answer.results}
        return frozenset(names)

    async def _attached(self, kind: Kind, id: str, base: str | None, found: Found | None) -> list[Attached]:
        inline = found.children.attachment if found and found.children else None
        if inline is not None and not inline.goes_on and all(file.version for file in inline.results):
            return [self._attachment(file, base) for file in inline.results]
        files: list[Attached] = []
        path = f"{V2}/{COLLECTIONS[kind]}/{id}/attachments"
        async for answer in self._pages(path, Attachments, {"status": "current", "limit": LIMIT}, gone=GONE):
            for file in answer.results:
                number = file.version.number if file.version else None
                files.append(
                    Attached(
                        id=file.id,
                        title=file.title,
                        version=version_of(file.title, number, file.size),
                        media_type=file.media_type,
                        size=file.size,
                        url=self._link(answer.links.base or base, file.links.webui),
                    )
                )
        return files

    async def _name(self, version: Version | None) -> str | None:
        if version is None or not version.author:
            return None
        known = await self.people([version.author])
        return known[version.author].name or None if version.author in known else None


def _parent(content: Content) -> Parent | None:
    return Parent(id=content.parent_id, kind=content.parent_kind or "page") if content.parent_id else None


def _batches(items: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield [*items[start : start + size]]
