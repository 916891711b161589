"""A Slack workspace in which each document is a thread in a channel of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr
from starlette.responses import Response

from ingest.model import DocumentId, Readers
from ingest.sources.interface import Source
from ingest.sources.slack.settings import SlackSettings
from ingest.sources.slack.source import Slack as SlackSource
from tests.conformance.worlds.interface import World
from tests.fakes.slack import OWN_USER, Received, Slack, failing, limited, on_later_pages

CONTENT = ("conversations.replies", "download")
"""What hands out the content of documents."""


class SlackWorld(World):
    kind = "slack"
    not_applicable: Mapping[str, str] = {}

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._slack = Slack(page_size=2)
        self._threads: dict[str, tuple[str, str]] = {}
        """Channel and first message of each thread."""
        self._titles: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._files: dict[str, tuple[str, str]] = {}
        self._waited = 0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with self._slack.served():
            yield

    def source(self) -> Source:
        settings = SlackSettings(
            token=SecretStr(self._slack.token), base_url=self._slack.base_url, private=True, files=True, recheck_days=0
        )
        return SlackSource("slack", settings, cache=self._folder / "cache", max_file_mb=1)

    async def put(self, key: str, text: str) -> None:
        self._titles.setdefault(key, f"About {key}")
        self._texts[key] = text
        if key in self._threads:
            self._write(key)
            return
        channel = self._slack.channel(key)
        ts = self._slack.say(channel, f"{self._titles[key]}\n{text}")
        self._slack.say(channel, "Noted.", by="UBOB", thread=ts)
        self._threads[key] = (channel, ts)

    async def rename(self, key: str) -> None:
        self._titles[key] = f"More about {key}"
        self._write(key)

    def _write(self, key: str) -> None:
        self._slack.edit(*self._threads[key], f"{self._titles[key]}\n{self._texts[key]}")

    async def delete(self, key: str) -> None:
        if key in self._files:
            self._slack.unshare(self._files[key][1])
            return
        channel, ts = self._threads[key]
        messages = self._slack.rooms[channel].messages
        for reply in [said for said in messages if messages[said].get("thread_ts") == ts]:
            self._slack.delete(channel, reply)
        self._slack.delete(channel, ts)

    async def restrict(self, key: str) -> Readers:
        self._slack.rooms[self._channel(key)].is_private = True
        return self.readers(key)

    def id(self, key: str) -> DocumentId:
        channel, name = self._files.get(key) or self._threads[key]
        return DocumentId(f"{channel}/{name}")

    def readers(self, key: str) -> Readers:
        channel = self._channel(key)
        return frozenset({f"slack:{channel}" if self._slack.rooms[channel].is_private else "everyone"})

    def _channel(self, key: str) -> str:
        return (self._files.get(key) or self._threads[key])[0]

    def fetched(self) -> int:
        return sum(received.method in CONTENT for received in self._slack.requests)

    async def break_second_page(self, broken: bool = True) -> None:
        self._slack.always(on_later_pages(failing(500)) if broken else None, on="users.conversations")

    async def empty(self) -> None:
        for room in self._slack.rooms.values():
            room.members.discard(OWN_USER)

    async def busy(self, times: int) -> None:
        def limit(received: Received) -> Response | None:
            self._waited += 1
            return limited(0)(received)

        self._slack.script(*[limit] * times)

    def waited(self) -> int:
        return self._waited

    async def revoke(self) -> None:
        self._slack.revoked = "token_revoked"

    async def put_large(self, key: str) -> None:
        self._share(key, f"{key}.txt", b"x" * (2 << 20), "text/plain")

    async def put_unknown(self, key: str) -> None:
        self._share(key, f"{key}.tape", b"\x00\x01\x02\x03" * 512, "application/x-tape")

    async def put_failing(self, key: str) -> None:
        self._share(key, f"{key}.txt", b"No one reads this.", "text/plain")
        self._slack.always(failing(500), on="download")

    def _share(self, key: str, name: str, content: bytes, media_type: str) -> None:
        """By an app, whose messages are no documents."""
        channel = self._slack.channel(key)
        self._files[key] = (channel, self._slack.share(channel, name, content, media_type=media_type, by=OWN_USER))


def world(folder: Path) -> World:
    return SlackWorld(folder)
