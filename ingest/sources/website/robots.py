"""What a host's `robots.txt` asks of its guests (RFC 9309)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from protego import Protego

from ingest.sources.interface import DocumentTooLarge
from ingest.sources.website.cache import Cache
from ingest.sources.website.client import Client, Unanswered
from ingest.sources.website.urls import normal

MOST_BYTES = 512 * 1024
"""The RFC's least; what comes after is not read."""

REDIRECTS = 5

LONGEST_PACE = 60.0
"""Seconds between two requests, whatever is asked for: a site of a thousand pages is read within a day."""


class Robots:
    """The rules of each host, asked for once in a listing."""

    def __init__(self, client: Client, cache: Cache, *, user_agent: str) -> None:
        self._client = client
        self._cache = cache
        self.name = user_agent.split("/")[0].split()[0]
        """As `robots.txt` calls us."""
        self._rules: dict[str, Protego | Unanswered] = {}
        self._asking = asyncio.Lock()

    async def allow(self, url: str) -> bool:
        """Whether `url` may be read; where the rules cannot be had, nothing may: raises `Unanswered`."""
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.netloc}"
        async with self._asking:
            if place not in self._rules:
                self._rules[place] = await self._asked(f"{place}/robots.txt")
        rules = self._rules[place]
        if isinstance(rules, Unanswered):
            raise rules
        return rules.can_fetch(url, self.name)

    def forget(self) -> None:
        """Ask again: a new listing begins."""
        self._rules.clear()

    async def _asked(self, url: str) -> Protego | Unanswered:
        try:
            rules = await self._read(url)
        except Unanswered as error:
            return Unanswered(f"{error} when asked for its robots.txt", away=True)
        self._client.pace(url, _pace(rules, self.name))
        return rules

    async def _read(self, url: str) -> Protego:
        for _ in range(REDIRECTS + 1):
            part = await asyncio.to_thread(self._cache.part)
            try:
                answer = await self._client.get(url, part, max_bytes=MOST_BYTES)
                status, location = answer.status, answer.headers.get("location", "")
            except DocumentTooLarge:
                status, location = 200, ""
            finally:
                rules = await asyncio.to_thread(_taken, part)
            if status == 200:
                return Protego.parse(rules)
            following = normal(location, url) if 300 <= status < 400 else None
            if following is None:
                break
            url = following
        return Protego.parse("")


def _taken(part: Path) -> str:
    """What is in the file, which is there no more afterwards."""
    text = part.read_bytes()[:MOST_BYTES].decode("utf-8-sig", "replace")
    part.unlink()
    return text


def _pace(rules: Protego, name: str) -> float:
    delay, rate = rules.crawl_delay(name) or 0.0, rules.request_rate(name)
    per_request = rate.seconds / rate.requests if rate and rate.requests else 0.0
    return min(max(delay, per_request), LONGEST_PACE)
