"""What the web platform is given, as values: it reads no settings and imports no part of the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request
from prometheus_client import CollectorRegistry

from bot.model import Answerer, Turn
from bot.phrases import Say
from bot.platforms.web.keys import Keys
from bot.platforms.web.readiness import Readiness
from bot.platforms.web.refusal import Refusal
from ingest.model import DocumentKey, Readers

ReadDocument = Callable[[str, str, Readers], Awaitable[tuple[str, Sequence[str]] | None]]
"""(source, document id, tokens of the asker) → (title, Markdown of each passage, in order); None when there is none
that they may read."""

ReadThread = Callable[[str, str], Awaitable[tuple[Turn, ...]]]
"""(thread, asker's id) → the turns of that asker's thread, oldest first; empty when there is none."""

Allows = Callable[[Collection[DocumentKey], Readers], Awaitable[set[DocumentKey]]]
"""Which of these documents there are, and a holder of these tokens may read now."""


class Slots:
    """How many answers may be written at once. A question beyond is refused, not queued: it could not be told so."""

    def __init__(self, limit: int) -> None:
        self._free = limit

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a slot. Raises `Refusal` (429) when none is free."""
        if self._free <= 0:
            raise Refusal(429, "web-busy", code="too_many_answers", headers={"Retry-After": "5"})
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


@dataclass(frozen=True, kw_only=True)
class Site:
    """Everything that the routes need."""

    answerer: Answerer
    keys: Keys
    say: Say
    languages: tuple[str, ...]
    """Languages that `say` speaks, the fallback first."""
    documents: ReadDocument
    threads: ReadThread | None
    allows: Allows
    readiness: Readiness
    registry: CollectorRegistry
    slots: Slots
    answer_seconds: float
    public_url: str | None


def site_of(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


def language_of(request: Request) -> str:
    """The language to tell the caller something in: the best of Accept-Language that `say` speaks, or the first."""
    languages = site_of(request).languages
    return accepted_language(request.headers.get("accept-language", ""), languages) or languages[0]


def accepted_language(header: str, languages: tuple[str, ...]) -> str | None:
    """The best of `languages` (ISO 639-1) by an Accept-Language header (RFC 9110, 12.5.4); None when none is wanted."""
    wanted: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, parameter = part.partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        wanted.append((weight, tag.strip().partition("-")[0].lower()))
    ranked = sorted((item for item in wanted if item[0] > 0), key=lambda item: -item[0])
    return next((tag for _, tag in ranked if tag in languages), None)
