"""The assistant put together from its settings: the one place that knows every concrete part.

What is slow to import is imported here when a setting asks for it, so that `bot ask` without a model
starts in a second.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.answer import Answering
from bot.conversations import Conversations
from bot.documents import Documents
from bot.followup import Followup
from bot.language import LanguageDecider
from bot.llm.extractive import ExtractiveWriter
from bot.llm.interface import ChatSettings, Writer
from bot.phrases import Phrases
from bot.prompting import Budget, Prompts
from bot.retrieve import Retriever
from bot.settings import BotSettings
from ingest.index.hybrid import Index, open_store
from ingest.index.interface import IndexMissing, IndexUnavailable
from ingest.ledger import Ledger
from ingest.telemetry import Metrics

if TYPE_CHECKING:
    from bot.platforms.web import WebPlatform
    from ingest.index.interface import Reranker, RerankerSettings

EXTRACTIVE_BUDGET = Budget(context_tokens=8192, answer_tokens=800)
"""Without a chat model: as many passages as the smallest usual window would hold."""

OTHER_PORTS = 20
"""Ports above the configured one that are tried when any port will do, before one is left to the system."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assistant:
    """Every part that a command may need, open."""

    answering: Answering
    conversations: Conversations
    index: Index
    languages: LanguageDecider
    ledger: Ledger
    metrics: Metrics
    phrases: Phrases
    writer: Writer | None


@asynccontextmanager
async def assistant(settings: BotSettings) -> AsyncIterator[Assistant]:
    """The assistant that `settings` describe, closed when the context ends."""
    async with AsyncExitStack() as stack:
        ledger = await Ledger.open(settings.state)
        stack.push_async_callback(ledger.close)
        conversations = await Conversations.open(settings.state)
        stack.push_async_callback(conversations.close)
        index = await stack.enter_async_context(open_index(settings))
        reranker = _reranker(settings.models.reranker)
        if reranker is not None:
            stack.push_async_callback(reranker.close)
        writer = chat_writer(settings.models.chat)
        if writer is not None:
            stack.push_async_callback(writer.close)
        phrases = Phrases()
        languages = LanguageDecider(settings.languages)
        metrics = Metrics()
        prompts = Prompts(
            _budget(settings.models.chat),
            answer_language=lambda language: phrases.say(language, "answer-language"),
            today=lambda: datetime.now(UTC).date(),
            company=settings.answer.company,
        )
        answering = Answering(
            languages=languages,
            say=phrases.say,
            retriever=Retriever(
                index,
                readable=ledger.readable,
                reranker=reranker,
                candidates=settings.models.reranker.candidates if settings.models.reranker else 0,
                passages=settings.answer.passages,
            ),
            prompts=prompts,
            extractive=ExtractiveWriter(introduction=lambda language: phrases.say(language, "extractive-intro")),
            writer=writer,
            followup=Followup(writer, prompts) if writer is not None else None,
            remember=conversations.remember,
            metrics=metrics,
            max_question_characters=settings.answer.max_question_characters,
        )
        yield Assistant(
            answering=answering,
            conversations=conversations,
            index=index,
            languages=languages,
            ledger=ledger,
            metrics=metrics,
            phrases=phrases,
            writer=writer,
        )


def open_index(settings: BotSettings) -> Index:
    """The configured index with its embedding model; nothing is touched before the first call."""
    store = open_store(settings.index, settings.home / "index")
    if settings.models.embedding is None:
        return Index(store)
    from ingest.index.embedder import open_embedder

    return Index.of(store, open_embedder(settings.models.embedding), settings.models.embedding)


def _reranker(settings: RerankerSettings | None) -> Reranker | None:
    if settings is None:
        return None
    from ingest.index.reranker import open_reranker

    return open_reranker(settings)


def chat_writer(settings: ChatSettings | None) -> Writer | None:
    """The chat model, where one is configured."""
    if settings is None:
        return None
    from bot.llm.openai_compatible import OpenAIWriter

    return OpenAIWriter(settings)


def _budget(settings: ChatSettings | None) -> Budget:
    if settings is None:
        return EXTRACTIVE_BUDGET
    return Budget(context_tokens=settings.context_tokens, answer_tokens=settings.answer_tokens)


def web_platform(ready: Assistant, settings: BotSettings, *, any_port: bool) -> WebPlatform:
    """The web platform over an open assistant, its port taken. Raises `ConfigurationError` when it cannot be."""
    from bot.platforms.web import Keys, PortTaken, WebPlatform, create_app

    async def index_answers() -> None:
        known = await ready.ledger.count_chunks()
        try:
            indexed = await ready.index.count()
        except IndexMissing:
            if not known:
                raise
            indexed = 0
        if known and not indexed:
            raise IndexUnavailable(f"the index has lost its {known:,} passages; run `ingest reindex`")

    async def ledger_answers() -> None:
        await ready.ledger.sources()

    app = create_app(
        answerer=ready.answering.answer,
        keys=Keys(
            ((key.name, key.sha256, key.readers) for key in settings.serve.keys), keyless_here=not settings.serve.keys
        ),
        say=ready.phrases.say,
        languages=ready.phrases.languages,
        documents=Documents(ready.ledger).read,
        registry=ready.metrics.registry,
        threads=ready.conversations.history,
        checks={"index": index_answers, "state": ledger_answers},
        public_url=settings.serve.public_url,
    )
    host, port = settings.serve.host, settings.serve.port
    for candidate in (port, *range(port + 1, min(port + OTHER_PORTS, 65535) + 1), 0):
        platform = WebPlatform(app, host=host, port=candidate)
        try:
            platform.bind()
            break
        except PortTaken:
            if not any_port:
                raise
    return platform
