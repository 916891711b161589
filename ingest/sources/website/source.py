"""A website as a source: listed by its sitemaps or its links, each page asked for only if it has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from ingest.errors import Transient
from ingest.model import Entry, Listed, Original, Parsed, Readers
from ingest.parsers.interface import ParsingSettings, SourceParserName
from ingest.parsers.sandbox import Sandbox
from ingest.sources.guarded import AddressRefused, GuardedTransport
from ingest.sources.interface import DocumentGone, DocumentTooLarge, Source
from ingest.sources.website.cache import Cache, Record
from ingest.sources.website.client import Client, Sleep
from ingest.sources.website.crawl import REDIRECTS, Crawl
from ingest.sources.website.reader import Moved, Parse, Reader, Unseen, page_name
from ingest.sources.website.robots import Robots
from ingest.sources.website.settings import WebsiteSettings
from ingest.sources.website.urls import Site, file_name, host_of

PARSERS = {"page": "ingest.sources.website.page:Page"}

PAGE_SECONDS = 20
"""Processor time for reading one page's links; most take a fiftieth of a second."""


class PageUnavailable(Transient):
    """This one page could not be had now; others may."""


class Website(Source):
    """One website. Ids are the addresses of its pages and files, without a slash at the end."""

    def __init__(
        self,
        name: str,
        settings: WebsiteSettings,
        *,
        cache: Path,
        max_file_mb: int = 200,
        transport: httpx.AsyncBaseTransport | None = None,
        parse: Parse | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`transport`, `parse` and `sleep` take the place of the network, the sandbox and the waits."""
        self.name = name
        self.readers: Readers = frozenset(settings.readers)
        self._settings = settings
        self._cache = Cache(cache)
        self._client = Client(
            transport or GuardedTransport(allow_private=settings.allow_private),
            user_agent=settings.user_agent,
            at_once=settings.requests_at_once,
            sleep=sleep,
        )
        self._robots = Robots(self._client, self._cache, user_agent=settings.user_agent)
        self._reader = Reader(
            self._client,
            self._cache,
            parse or self._parse,
            name=self._robots.name,
            max_bytes=max_file_mb << 20,
        )
        self._site = Site([*map(host_of, settings.start), *settings.hosts])
        self._parsing = ParsingSettings(cpu_seconds=PAGE_SECONDS, workers=1, max_file_mb=max_file_mb)
        self._stack = AsyncExitStack()
        self._sandbox: Sandbox | None = None

    async def list(self, since: str | None) -> AsyncIterator[Listed]:
        self._robots.forget()
        crawl = Crawl(
            self.name,
            self._settings,
            reader=self._reader,
            robots=self._robots,
            cache=self._cache,
            readers=self.readers,
        )
        async for item in crawl.listed():
            yield item

    @asynccontextmanager
    async def fetch(self, entry: Entry) -> AsyncIterator[Original]:
        record = await asyncio.to_thread(self._cache.recall, entry.url or entry.id)
        if record is None or record.version != entry.version or not await asyncio.to_thread(self._cache.holds, record):
            record = await self._again(entry.url or entry.id)
        content = self._cache.content(record.url, record.version)
        yield Original(
            path=content,
            name=page_name(record.url) if record.kind == "page" else file_name(record.url),
            media_type=record.media_type,
            updated_at=record.changed,
        )
        await asyncio.to_thread(self._cache.drop, record)

    def parser_for(self, entry: Entry) -> SourceParserName:
        return "article" if entry.media_type == "text/html" else "kreuzberg"

    async def close(self) -> None:
        await self._stack.aclose()
        self._sandbox = None
        await self._client.close()

    async def _again(self, url: str) -> Record:
        """The content of `url`, asked for again. Raises `DocumentGone`, `DocumentTooLarge`, `PageUnavailable`."""
        for _ in range(REDIRECTS):
            try:
                seen = await self._reader.read(url)
            except AddressRefused as error:
                raise DocumentGone(str(error)) from error
            match seen:
                case Record(too_large=int(), refusal=str(reason)):
                    raise DocumentTooLarge(reason)
                case Record() if seen.version and not seen.noindex and not seen.refusal:
                    return seen
                case Moved(to=str(to)) if self._site.covers(to):
                    url = to
                case Unseen(reason=reason):
                    raise PageUnavailable(reason)
                case _:
                    break
        raise DocumentGone(f"{url!r} is no longer a page that may be read")

    async def _parse(self, original: Original, parser: str) -> Parsed:
        if self._sandbox is None:
            self._sandbox = await self._stack.enter_async_context(Sandbox(self._parsing, parsers=PARSERS))
        return await self._sandbox.parse(original, parser)
