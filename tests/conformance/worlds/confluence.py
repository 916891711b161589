"""Confluence Cloud as the far side: one space, whose pages are the documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingest.model import DocumentId, Readers
from ingest.sources.confluence.settings import ConfluenceSettings
from ingest.sources.confluence.source import Confluence
from ingest.sources.interface import Source
from tests.fixtures.confluence import Wiki, only, status
from tests.fixtures.confluence_site import Content

SPACE = "HB"


class ConfluenceWorld:
    kind = "confluence"
    not_applicable = MappingProxyType[str, str]({})

    def __init__(self, folder: Path) -> None:
        self._cache = folder / "cache"
        self._wiki = Wiki()
        self._wiki.group("staff", self._wiki.person("ada"), self._wiki.person("bob"))
        self._wiki.space(SPACE, groups=["staff"])
        self._contents: dict[str, Content] = {}
        self._waited = 0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with self._wiki.served():
            yield

    def source(self) -> Source:
        settings = ConfluenceSettings(
            base_url=self._wiki.base_url,
            user=self._wiki.user,
            token=SecretStr(self._wiki.token),
            everyone_groups=["staff"],
        )
        return Confluence("wiki", settings, cache=self._cache, max_file_mb=1)

    async def put(self, key: str, text: str) -> None:
        if key in self._contents:
            self._wiki.edit(self._contents[key], f"<p>{text}</p>")
        else:
            self._contents[key] = self._wiki.page(SPACE, key.title(), f"<p>{text}</p>")

    async def rename(self, key: str) -> None:
        self._wiki.edit(self._contents[key], title=f"{key.title()} renamed")

    async def delete(self, key: str) -> None:
        self._wiki.trash(self._contents.pop(key))

    async def restrict(self, key: str) -> Readers:
        self._contents[key].users = ["u-ada"]
        return self.readers(key)

    def id(self, key: str) -> DocumentId:
        return DocumentId(f"{SPACE}/{self._contents[key].id}")

    def readers(self, key: str) -> Readers:
        return frozenset({"user:ada@example.org" if self._contents[key].users else "everyone"})

    def fetched(self) -> int:
        return self._wiki.fetched

    async def break_second_page(self, broken: bool = True) -> None:
        def second_page(request: Request) -> Response | None:
            return status(503, retry_after=0)(request) if "cursor" in request.query_params else None

        self._wiki.always(*([second_page] if broken else []))

    async def empty(self) -> None:
        self._wiki.spaces[SPACE].gone = True

    async def busy(self, times: int) -> None:
        def limited(request: Request) -> Response:
            self._waited += 1
            return JSONResponse({"message": "Rate limit exceeded"}, status_code=429, headers={"Retry-After": "0"})

        self._wiki.script(*[limited] * times)

    def waited(self) -> int:
        return self._waited

    async def revoke(self) -> None:
        self._wiki.revoked = "401"

    async def put_large(self, key: str) -> None:
        content = b"large " * (1 << 18)
        self._contents[key] = self._wiki.attach(await self._holder(), f"{key}.txt", content, "text/plain")

    async def put_unknown(self, key: str) -> None:
        content = bytes(range(256)) * 16
        self._contents[key] = self._wiki.attach(await self._holder(), f"{key}.tape", content, "application/x-tape")

    async def put_failing(self, key: str) -> None:
        await self.put(key, "No one reads this.")
        self._wiki.always(only(f"/pages/{self._contents[key].id}", status(500, retry_after=0)))

    async def _holder(self) -> Content:
        await self.put("holder", "What hangs here is not read.")
        return self._contents["holder"]


def world(folder: Path) -> ConfluenceWorld:
    return ConfluenceWorld(folder)
