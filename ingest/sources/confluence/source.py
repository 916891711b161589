"""Confluence as a source: every sync lists every page with its restrictions, and reads those whose version is new.

There is no shorter way: a deletion, a move and a change of access leave a page's version as it was. Ids are `KEY/123`
for a page, `KEY/blog123` for a blog post and `KEY/att123` for an attachment, so that a page that moves to another space
is a new document under that space's permissions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx

from ingest.model import PUBLIC, DocumentId, Entry, Listed, Original, Readers, Skipped
from ingest.sources.api import Api, plain_token
from ingest.sources.confluence.client import Attached, Client, File, Item, Kind, Space, Wanted
from ingest.sources.confluence.cloud import Cloud
from ingest.sources.confluence.convert import mentioned, to_html
from ingest.sources.confluence.data_center import DataCenter
from ingest.sources.confluence.readers import NOBODY, Access, Directory, Overlap
from ingest.sources.confluence.settings import ConfluenceSettings
from ingest.sources.interface import (
    DocumentGone,
    DocumentTooLarge,
    Source,
    as_file,
    of_one_document,
    original_file,
    too_large,
)

BLOG = "blog"
ATTACHMENT = "att"
"""What an id begins with, after the space's key; Confluence's own ids of attachments do."""

UNSPECIFIC = "application/octet-stream"
"""A media type that says nothing."""


Listing = list[Entry | Skipped]


class Confluence(Source):
    """One site, or some of its spaces."""

    def __init__(
        self,
        name: str,
        settings: ConfluenceSettings,
        *,
        cache: Path,
        max_file_mb: int = 200,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Nothing is kept in `cache`. `transport` takes the place of the network."""
        self.name = name
        self.readers: Readers = frozenset(settings.readers)
        self._settings = settings
        self._max_bytes = max_file_mb << 20
        self._transport = transport
        self._connected: Client | None = None
        self._spaces: dict[str, Space] = {}
        self._labels = frozenset(settings.labels)
        self._exclude_labels = frozenset(settings.exclude_labels)

    async def list(self, since: str | None) -> AsyncIterator[Listed]:
        client = self._client()
        client.forget()
        await client.signed_in()
        directory = Directory(
            client, everyone_groups=self._settings.everyone_groups, email_domain=self._settings.email_domain
        )
        overlap = Overlap(directory.members)
        async for found in self._chosen(client):
            if isinstance(found, Skipped):
                yield found
                continue
            for item in await self._listed(client, found, directory, overlap):
                yield item
        # Data Center answers anybody, with the public part: a token revoked meanwhile would look like removals.
        await client.signed_in()

    @asynccontextmanager
    async def fetch(self, entry: Entry) -> AsyncIterator[Original]:
        key, _, id = entry.id.partition("/")
        client = self._client()
        try:
            space = await self._space(client, key)
            if id.startswith(ATTACHMENT):
                async with self._attachment(client, space, id) as original:
                    yield original
                return
            kind: Kind = "blogpost" if id.startswith(BLOG) else "page"
            async with await self._page(client, space, id.removeprefix(BLOG), kind) as original:
                yield original
        except DocumentGone:
            # To somebody who is not signed in, most pages are not there.
            await client.signed_in()
            raise

    async def close(self) -> None:
        if self._connected is not None:
            await self._connected.close()

    def _client(self) -> Client:
        if self._connected is None:
            user, base_url = self._settings.user, self._settings.base_url
            token = plain_token(self.name, self._settings.token)
            if user is None:
                bearer = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
                api = Api(self.name, base_url, headers=bearer, transport=self._transport)
                stranger = Api(self.name, base_url, transport=self._transport)
                self._connected = DataCenter(self.name, base_url, api, stranger)
            else:
                base_url = base_url.removesuffix("/wiki")
                api = Api(self.name, base_url, auth=(user, token), transport=self._transport)
                stranger = Api(self.name, base_url, transport=self._transport)
                self._connected = Cloud(self.name, f"{base_url}/wiki", api, stranger)
        return self._connected

    async def _chosen(self, client: Client) -> AsyncIterator[Space | Skipped]:
        if not self._settings.spaces:
            async for space in client.spaces():
                if self._settings.personal_spaces or not space.personal:
                    yield space
            return
        for key in self._settings.spaces:
            found = await client.space(key)
            yield found or _closed(key)

    async def _listed(self, client: Client, space: Space, directory: Directory, overlap: Overlap) -> Listing:
        wanted = Wanted(labels=bool(self._labels or self._exclude_labels), attachments=self._settings.attachments)
        try:
            items = await client.items(space, wanted)
        except DocumentGone:
            return [_closed(space.key)]
        readers = await self._space_readers(client, space, directory)
        access = Access(
            readers or NOBODY,
            {item.id: item.node for item in items},
            above=client.above,
            directory=directory,
            overlap=overlap,
        )
        listed: dict[DocumentId, Entry | Skipped] = {}
        untold: list[str] = []
        for item in items:
            if self._is_chosen(item):
                own = await access.of(item.id)
                if own is None:
                    untold.append(item.title)
                for entry in self._entries(space, item, own or NOBODY):
                    listed.setdefault(entry.id, entry)
        reason = _untold(space.key, told=readers is not None, pages=untold)
        return [*listed.values(), *([Skipped(id=DocumentId(space.key), reason=reason)] if reason else [])]

    async def _space_readers(self, client: Client, space: Space, directory: Directory) -> Readers | None:
        """None where they cannot be told."""
        if (given := self._settings.space_readers.get(space.key)) is not None:
            return frozenset(given)
        if await client.is_public(space):
            return frozenset({PUBLIC})
        try:
            return await directory.tokens(await client.permitted(space))
        except DocumentGone:
            return None

    def _is_chosen(self, item: Item) -> bool:
        labels = frozenset(label.lower() for label in item.labels)
        return not (labels & self._exclude_labels) and bool(labels & self._labels or not self._labels)

    def _entries(self, space: Space, item: Item, readers: Readers) -> Listing:
        blog = BLOG if item.kind == "blogpost" else ""
        id = DocumentId(f"{space.key}/{blog}{item.id}")
        page = Entry(id=id, version=item.version, readers=readers, url=item.url, media_type="text/html")
        return [page, *(self._attached(space, file, readers) for file in item.attachments if self._is_wanted(file))]

    def _is_wanted(self, file: Attached) -> bool:
        return self._settings.images or not (file.media_type or "").startswith("image/")

    def _attached(self, space: Space, file: Attached, readers: Readers) -> Entry | Skipped:
        id = DocumentId(f"{space.key}/{file.id}")
        if file.size is not None and file.size > self._max_bytes:
            return Skipped(id=id, reason=f"{file.title!r}: {too_large(self._max_bytes, file.size)}")
        if (file.media_type or "").startswith(("audio/", "video/")):
            return Skipped(id=id, reason=f"{file.title!r}: a recording ({file.media_type}), which is not read")
        media_type = None if file.media_type == UNSPECIFIC else file.media_type
        return Entry(id=id, version=file.version, readers=readers, url=file.url, media_type=media_type)

    async def _space(self, client: Client, key: str) -> Space:
        if key not in self._spaces:
            found = await client.space(key)
            if found is None:
                raise DocumentGone(f"space {key!r} is not there, or may not be seen by the account")
            self._spaces[key] = found
        return self._spaces[key]

    async def _page(self, client: Client, space: Space, id: str, kind: Kind) -> AbstractAsyncContextManager[Original]:
        async with of_one_document(client.signed_in):
            body = await client.body(id, kind)
        _require(body.space, space)
        people = await asyncio.to_thread(mentioned, body.storage)
        names = {key: person.name for key, person in (await client.people(people)).items()} if people else {}
        content = await asyncio.to_thread(to_html, body.storage, title=body.title, names=names)
        return as_file(
            content.encode("utf-8", "replace"),
            name=f"{body.title}.html",
            media_type="text/html",
            title=body.title,
            author=body.author,
            updated_at=body.updated_at,
        )

    @asynccontextmanager
    async def _attachment(self, client: Client, space: Space, id: str) -> AsyncIterator[Original]:
        async with of_one_document(client.signed_in):
            file: File = await client.file(id)
        _require(file.space, space)
        if file.size is not None and file.size > self._max_bytes:
            raise DocumentTooLarge.over(self._max_bytes, file.size)
        async with original_file() as path:
            async with of_one_document(client.signed_in):
                await client.save(file, path, max_bytes=self._max_bytes)
            yield Original(
                path=path,
                name=file.title,
                media_type=None if file.media_type == UNSPECIFIC else file.media_type,
                author=file.author,
                updated_at=file.updated_at,
            )


def _require(found: str, space: Space) -> None:
    """Its readers were told for that space."""
    if found != space.id:
        raise DocumentGone(f"it has been moved out of space {space.key!r}; the next sync finds it where it is now")


def _closed(key: str) -> Skipped:
    return Skipped(
        id=DocumentId(f"{key}/"),
        reason=f"space {key!r} is not there or may not be read by the account, so what is known of it stays: let the"
        " account view it, or name in `spaces` the others only",
        unseen=True,
    )


def _untold(key: str, *, told: bool, pages: list[str]) -> str | None:
    """Why nobody may read some of a space, in one line; None where everything is known."""
    if not told:
        return (
            f"who may read space {key!r} cannot be told, so nobody may: make the account an administrator of the space"
            f" (Data Center from 9.1 on), or say it under `space_readers`"
        )
    if pages:
        return (
            f"who may read {len(pages)} of the pages in space {key!r} cannot be told, so nobody may, the first of them"
            f" being {pages[0]!r}: let the account view whatever stands above them"
        )
    return None
