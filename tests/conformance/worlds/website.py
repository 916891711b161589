"""A website: each document is a page that one of its sitemaps names, two to a sitemap."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.responses import Response

from ingest.model import DocumentId, Readers
from ingest.sources.interface import Source
from ingest.sources.website.settings import WebsiteSettings
from ingest.sources.website.source import Website
from tests.conformance.worlds.interface import World
from tests.fixtures.website import Site, answer, page, parse

ON_A_SITEMAP = 2
"""Pages."""


@dataclass
class WebsiteWorld:
    folder: Path
    kind: str = "website"
    not_applicable: dict[str, str] = field(default_factory=dict)
    site: Site = field(default_factory=Site)
    paths: dict[str, str] = field(default_factory=dict)
    open_to: str = "everyone"
    answered_busy: int = 0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with self.site.served():
            self._publish()
            yield

    def source(self) -> Source:
        settings = WebsiteSettings(
            start=[f"{self.site.base_url}/sitemap.xml"], readers=[self.open_to], allow_private=["127.0.0.1"]
        )
        return Website("website", settings, cache=self.folder / "cache", max_file_mb=1, parse=parse)

    async def put(self, key: str, text: str) -> None:
        self._put(key, page(key.title(), text, head='<meta name="author" content="Ada Lovelace">'))

    async def rename(self, key: str) -> None:
        old = self.paths.pop(key)
        self.site.pages[f"/renamed-{key}"] = self.site.pages.pop(old)
        self.paths[key] = f"/renamed-{key}"
        self.site.redirect(old, self.paths[key])
        self._publish()

    async def delete(self, key: str) -> None:
        del self.site.pages[self.paths.pop(key)]
        self._publish()

    async def restrict(self, key: str) -> Readers:
        """A page does not say who may read it: the configuration does, of all of them."""
        self.open_to = "group:finance"
        return self.readers(key)

    def id(self, key: str) -> DocumentId:
        return DocumentId(self.site.base_url + self.paths[key])

    def readers(self, key: str) -> Readers:
        return frozenset({self.open_to})

    def fetched(self) -> int:
        return sum(not path.startswith(("/sitemap", "/robots")) for path in self.site.sent)

    async def break_second_page(self, broken: bool = True) -> None:
        self.site.faults["/sitemap-1.xml"] = [answer(500)] * (100 if broken else 0)

    async def empty(self) -> None:
        self.paths.clear()
        self._publish()

    async def busy(self, times: int) -> None:
        async def busy() -> Response:
            self.answered_busy += 1
            if self.answered_busy == times:
                self.site.always = None
            return Response(status_code=429, headers={"retry-after": "0"})

        self.site.always = busy

    def waited(self) -> int:
        return self.answered_busy

    async def revoke(self) -> None:
        self.site.always = answer(403, "<h1>Forbidden</h1>")

    async def put_large(self, key: str) -> None:
        self._put(key, page(key.title(), "word " * (300 << 10)))

    async def put_unknown(self, key: str) -> None:
        self._put(key, bytes(range(256)) * 8, "application/x-tape")

    async def put_failing(self, key: str) -> None:
        """A page that was there once: of one that never was it is not known what it leads to, and all is kept."""
        await self.put(key, "No one reads this.")
        source = self.source()
        async for _ in source.list(None):
            pass
        await source.close()
        self.site.faults[self.paths[key]] = [answer(500, **{"retry-after": "0"})] * 100

    def _put(self, key: str, content: str | bytes, media_type: str = "text/html") -> None:
        path = self.paths.setdefault(key, f"/{key}")
        self.site.put(path, content, media_type, last_modified="Mon, 02 Nov 2026 10:00:00 GMT")
        self._publish()

    def _publish(self) -> None:
        paths = list(self.paths.values())
        parts = [paths[start : start + ON_A_SITEMAP] for start in range(0, len(paths), ON_A_SITEMAP)]
        for number, part in enumerate(parts):
            self.site.sitemap(f"/sitemap-{number}.xml", *part, lastmod="2026-11-02")
        self.site.sitemap("/sitemap.xml", *(f"/sitemap-{number}.xml" for number in range(len(parts))), index=True)


def world(folder: Path) -> World:
    return WebsiteWorld(folder)
