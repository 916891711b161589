"""Mattermost: each document is a thread in a channel of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from ingest.model import DocumentId, Entry, Original, Readers
from ingest.sources.interface import Source
from ingest.sources.mattermost.settings import MattermostSettings
from ingest.sources.mattermost.source import Mattermost
from tests.conformance.worlds.interface import World
from tests.fakes.mattermost import TOKEN, broken, busy
from tests.fakes.mattermost import Mattermost as Server


class Counted(Mattermost):
    """Tells its world of every document that it hands out."""

    world: MattermostWorld

    @asynccontextmanager
    async def fetch(self, entry: Entry) -> AsyncIterator[Original]:
        self.world.handed_out += 1
        async with super().fetch(entry) as original:
            yield original


@dataclass
class Thread:
    channel: str
    root: str
    id: DocumentId


@dataclass
class MattermostWorld:
    folder: Path
    kind: str = "mattermost"
    not_applicable: dict[str, str] = field(default_factory=dict)
    server: Server = field(default_factory=lambda: Server(page_limit=2))
    base_url: str = ""
    threads: dict[str, Thread] = field(default_factory=dict)
    handed_out: int = 0
    answered_busy: int = 0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        self.team = self.server.team("engineering")
        self.ada = self.server.user("ada", "Ada Lovelace")
        async with self.server.served() as self.base_url:
            yield

    def source(self) -> Source:
        settings = MattermostSettings(
            kind="mattermost", base_url=self.base_url, private=True, files=True, token=SecretStr(TOKEN)
        )
        source = Counted("chat", settings, cache=self.folder / "cache", max_file_mb=1)
        source.world = self
        return source

    async def put(self, key: str, text: str) -> None:
        if key in self.threads:
            self.server.edit(self.threads[key].root, text)
        else:
            self._thread(key, text)

    async def rename(self, key: str) -> None:
        self.server.channels[self.threads[key].channel]["display_name"] = f"Renamed {key}"

    async def delete(self, key: str) -> None:
        self.server.delete(self.threads.pop(key).root)

    async def restrict(self, key: str) -> Readers:
        self.server.channels[self.threads[key].channel]["type"] = "P"
        return self.readers(key)

    def id(self, key: str) -> DocumentId:
        return self.threads[key].id

    def readers(self, key: str) -> Readers:
        channel = self.threads[key].channel
        private = self.server.channels[channel]["type"] == "P"
        return frozenset({f"mattermost:{channel}" if private else "everyone"})

    def fetched(self) -> int:
        return self.handed_out

    async def break_second_page(self, broken: bool = True) -> None:
        self.server.always = []
        self.server.after = self._break_after if broken else lambda request: None

    async def empty(self) -> None:
        self.server.members[self.team].discard(self.server.bot)

    async def busy(self, times: int) -> None:
        def answer() -> object:
            self.answered_busy += 1
            return busy(0)

        self.server.fault(answer, times)  # type: ignore[arg-type]

    def waited(self) -> int:
        return self.answered_busy

    async def revoke(self) -> None:
        self.server.tokens.clear()

    async def put_large(self, key: str) -> None:
        self._with_file(key, "recording.txt", b"word " * (300 << 10), "text/plain")

    async def put_unknown(self, key: str) -> None:
        self._with_file(key, "backup.tape", bytes(range(256)) * 8, "application/x-tape")

    async def put_failing(self, key: str) -> None:
        thread = self._thread(key, "No one reads this.")
        self.server.always = [(f"/posts/{thread.root}/thread", broken)]

    def _with_file(self, key: str, name: str, content: bytes, media_type: str) -> None:
        file = self.server.file(name, content, media_type)
        thread = self._thread(key, f"The file of {key} is attached.", file)
        thread.id = DocumentId(f"{thread.channel}/{thread.root}/{file}")

    def _thread(self, key: str, text: str, *files: str) -> Thread:
        channel = self.server.channel(self.team, key)
        root = self.server.post(channel, self.ada, text, files=files)
        for reply in ("Thank you.", "That helps."):
            self.server.post(channel, self.ada, reply, root=root)
        self.threads[key] = Thread(channel=channel, root=root, id=DocumentId(f"{channel}/{root}"))
        return self.threads[key]

    def _break_after(self, request: str) -> None:
        """All posts after those that the first request of a listing gave cannot be had."""
        if "/posts?" in request:
            self.server.always = [("/posts?", broken)]
        elif "/users/me" in request:
            self.server.always = []


def world(folder: Path) -> World:
    return MattermostWorld(folder)
