"""A scripted assistant behind the real web platform."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from bot.model import Answer, AnswerEvent, Delta, Finished, Outcome, Passage, Question, Spent, Status
from bot.platforms.web import Keys, WebPlatform, create_app
from bot.settings import ApiKey
from ingest.model import Chunk, ChunkId, DocumentId, Readers

KEY = "sk-ada"
FINANCE_KEY = "sk-finance"


def entry(name: str, key: str, *readers: str, **changes: Any) -> ApiKey:
    """The line of a configuration file that admits `key`."""
    values = {"name": name, "sha256": hashlib.sha256(key.encode()).hexdigest(), "readers": ["everyone", *readers]}
    return ApiKey.model_validate(values | changes)


ENTRIES = (
    entry("ada", KEY, per_minute=1000),
    entry("finance", FINANCE_KEY, "group:finance", per_minute=1000),
)
KEYS = Keys(ENTRIES)


def say(language: str, key: str, /, **values: str | int) -> str:
    """A phrase that shows its language, its key and its values."""
    return " ".join([f"{language}:{key}", *(f"{name}={value}" for name, value in values.items())])


def passage(number: int, *, url: str | None = None, **changes: Any) -> Passage:
    values: dict[str, Any] = {
        "id": ChunkId(f"chunk-{number}"),
        "source": "handbook",
        "document": DocumentId("people/annual leave.md"),
        "position": 0,
        "title": "Annual leave",
        "headings": ("Leave", "Carrying over"),
        "page": None,
        "text": "Five days may be carried over.",
        "language": "en",
        "readers": frozenset({"everyone"}),
        "url": url,
        "updated_at": datetime(2025, 3, 1, tzinfo=UTC),
    }
    return Passage(number=number, chunk=Chunk(**{**values, **changes}), score=1.0)


def finished(
    text: str,
    *citations: Passage,
    language: str = "en",
    outcome: Outcome = Outcome.ANSWERED,
    nearest: tuple[Passage, ...] = (),
) -> Finished:
    return Finished(
        answer=Answer(
            text=text,
            language=language,
            outcome=outcome,
            citations=citations,
            passages=citations,
            nearest=nearest,
            trace_id="trace-1",
            written_by="scripted",
            spent=Spent(calls=2, prompt_tokens=900, reply_tokens=40),
        )
    )


class Script:
    """An answerer that plays what it is given and keeps the questions it was asked."""

    def __init__(self, *pieces: str, citations: tuple[Passage, ...] = (), language: str = "en") -> None:
        self.pieces = pieces
        self.citations = citations
        self.language = language
        self.questions: list[Question] = []

    async def __call__(self, question: Question) -> AsyncIterator[AnswerEvent]:
        self.questions.append(question)
        yield Status(text="Searching")
        for piece in self.pieces:
            yield Delta(text=piece)
        yield finished("".join(self.pieces), *self.citations, language=self.language)


class Endless:
    """An answerer that writes one word, then waits until it is closed or told to go on."""

    def __init__(self, word: str = "Wait") -> None:
        self.word = word
        self.go_on = asyncio.Event()
        self.waiting = asyncio.Event()
        self.closed = asyncio.Event()

    async def __call__(self, question: Question) -> AsyncIterator[AnswerEvent]:
        try:
            yield Delta(text=self.word)
            self.waiting.set()
            await self.go_on.wait()
            yield Delta(text=" over")
            yield finished(f"{self.word} over")
        finally:
            self.closed.set()


async def no_documents(source: str, document: str, tokens: Readers) -> tuple[str, tuple[str, ...]] | None:
    return None


def site(answerer: Callable[[Question], AsyncIterator[AnswerEvent]] | None = None, **changes: Any) -> FastAPI:
    values: dict[str, Any] = {
        "answerer": answerer or Script("Yes."),
        "keys": KEYS,
        "say": say,
        "languages": ("en", "fr", "ar"),
        "documents": no_documents,
        "registry": CollectorRegistry(),
    }
    return create_app(**{**values, **changes})


def client(
    app: FastAPI, *, peer: str = "127.0.0.1", base: str = "http://127.0.0.1", **headers: str
) -> httpx.AsyncClient:
    """A client in this process whose connection seems to come from `peer`."""
    transport = httpx.ASGITransport(app, client=(peer, 40000), raise_app_exceptions=False)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.AsyncClient(transport=transport, base_url=base, headers=named)


@asynccontextmanager
async def serving(app: FastAPI, **changes: Any) -> AsyncIterator[str]:
    """The address of a real server on a free port of this machine; it has ended when the context has."""
    platform = WebPlatform(app, host="127.0.0.1", port=0, **changes)
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        group.create_task(platform.run())
        try:
            yield platform.bind()
        finally:
            platform.stop()


ASKED = {"model": "souffleur", "messages": [{"role": "user", "content": "How many days?"}]}
