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
from bot.dialogue.classifier import AddressedClassifier
from bot.dialogue.pictures import Pictures
from bot.followup import Followup
from bot.language import LanguageDecider
from bot.llm.extractive import ExtractiveWriter
from bot.llm.interface import ChatSettings, Writer
from bot.phrases import Phrases
from bot.prompting import Budget, Prompts
from bot.retrieve import Retriever
from bot.settings import BotSettings
from ingest.index.hybrid import Index, open_store
from ingest.ledger import Ledger
from ingest.telemetry import Metrics

if TYPE_CHECKING:
    from ingest.index.interface import Reranker, RerankerSettings

EXTRACTIVE_BUDGET = Budget(context_tokens=8192, answer_tokens=800)
"""Without a chat model: as many passages as the smallest usual window would hold."""


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
    classifier: AddressedClassifier | None
    """Absent without a chat model."""
    pictures: Pictures | None
    """Absent without a model that sees."""


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
        seeing = chat_writer(settings.models.vision)
        if seeing is not None:
            stack.push_async_callback(seeing.close)
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
            sources=ledger.count_sources,
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
            classifier=AddressedClassifier(writer, prompts) if writer is not None else None,
            pictures=Pictures(seeing, prompts) if seeing is not None else None,
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
