"""The assistant put together from its settings: the one place that knows every concrete part.

What is slow to import is imported here when a setting asks for it, so that `bot ask` without a model
starts in a second.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING

from bot.access.audit import Audit
from bot.access.quotas import Quotas
from bot.access.retention import Retention
from bot.answer import Answering, Limits
from bot.clearance import Clearance
from bot.conversations import Conversations
from bot.dialogue.classifier import AddressedClassifier
from bot.dialogue.pictures import Pictures
from bot.from_documents import FromDocuments, Writing
from bot.language import LanguageDecider
from bot.llm.calls import Caps
from bot.llm.extractive import ExtractiveWriter
from bot.llm.interface import ChatSettings, Writer
from bot.llm.writers import Skill, Writers
from bot.main_languages import MainLanguages
from bot.offer import Offers
from bot.phrases import Phrases, Say
from bot.prompting import Budget, Prompts
from bot.retrieval.evidence import witness
from bot.retrieval.gate import configuration_of, load_gate
from bot.retrieval.retrieve import Retriever
from bot.settings import BotSettings
from bot.sources_counted import SourcesCounted
from bot.understand import Understanding
from bot.without_documents import WithoutDocuments
from ingest.index.hybrid import Index, open_store
from ingest.ledger import Ledger
from ingest.telemetry import Metrics

if TYPE_CHECKING:
    from bot.retrieval.interface import Gate
    from bot.writing.interface import SupportChecker
    from bot.writing.spoken import Spoken
    from ingest.index.interface import Reranker, RerankerSettings

EXTRACTIVE_BUDGET = Budget(context_tokens=8192, answer_tokens=800)
"""Without a chat model: as many passages as the smallest usual window would hold."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assistant:
    """Every part that a command may need, open."""

    answering: Answering
    audit: Audit
    conversations: Conversations
    index: Index
    languages: LanguageDecider
    ledger: Ledger
    metrics: Metrics
    offers: Offers
    phrases: Phrases
    retention: Retention
    classifier: AddressedClassifier | None
    """Absent without a chat model."""
    pictures: Pictures | None
    """Absent without a model that sees."""
    spoken: Spoken | None
    """Absent without a chat model."""

    def warm(self) -> None:
        """Load what the first question would wait for. Blocks for up to a second."""
        self.languages.warm()
        if self.spoken is not None:
            self.spoken.warm()


@asynccontextmanager
async def assistant(settings: BotSettings, *, writers: Writers | None = None) -> AsyncIterator[Assistant]:
    """The assistant that `settings` describe, closed when the context ends; `writers` in place of their chat models."""
    async with AsyncExitStack() as stack:
        ledger = await Ledger.open(settings.state)
        stack.push_async_callback(ledger.close)
        conversations = await Conversations.open(settings.state, keep_traces=settings.answer.explain_days > 0)
        stack.push_async_callback(conversations.close)
        index = await stack.enter_async_context(open_index(settings))
        reranker = _reranker(settings.models.reranker)
        if reranker is not None:
            stack.push_async_callback(reranker.close)
        writers = writers or _writers(settings)
        if writers is not None:
            stack.push_async_callback(writers.close)
        seeing = chat_writer(settings.models.vision, "models.vision")
        if seeing is not None:
            stack.push_async_callback(seeing.close)
        phrases = Phrases()
        languages = LanguageDecider(settings.languages)
        metrics = Metrics()
        prompts = _prompts(settings, phrases.say)
        writing, spoken = None, None
        if writers is not None:
            from bot.writing.draft import Drafts
            from bot.writing.spoken import Spoken

            spoken, support = Spoken(languages), _support(settings)
            stack.push_async_callback(support.close)
            mark = partial(_unconfirmed, phrases.say) if settings.answer.unsupported == "mark" else None
            writing = Writing(
                writers=writers, drafts=Drafts(prompts=prompts, spoken=spoken, support=support, mark=mark)
            )
        audit = Audit(conversations.engine, keep_days=settings.retention.audit_days)
        retriever = _retriever(settings, ledger, index, reranker)
        gate = _gate(settings)
        yield Assistant(
            answering=_answering(
                settings,
                ledger=ledger,
                conversations=conversations,
                audit=audit,
                retriever=retriever,
                gate=gate,
                writing=writing,
                languages=languages,
                prompts=prompts,
                say=phrases.say,
                metrics=metrics,
            ),
            audit=audit,
            conversations=conversations,
            index=index,
            languages=languages,
            ledger=ledger,
            metrics=metrics,
            offers=Offers(retriever, gate, ledger.allows),
            phrases=phrases,
            retention=Retention(conversations.engine, settings.retention, explain_days=settings.answer.explain_days),
            classifier=AddressedClassifier(writers.chat, prompts) if writers is not None else None,
            pictures=Pictures(seeing, prompts) if seeing is not None else None,
            spoken=spoken,
        )


def _answering(
    settings: BotSettings,
    *,
    ledger: Ledger,
    conversations: Conversations,
    audit: Audit,
    retriever: Retriever,
    gate: Gate | None,
    writing: Writing | None,
    languages: LanguageDecider,
    prompts: Prompts,
    say: Say,
    metrics: Metrics,
) -> Answering:
    how = settings.answer
    clearance = Clearance(ledger.allows)
    return Answering(
        languages=languages,
        say=say,
        retriever=retriever,
        clearance=clearance,
        understanding=(
            Understanding(
                writing.writers.chat,
                prompts,
                languages=settings.languages,
                main_languages=MainLanguages(ledger.languages),
            )
            if writing
            else None
        ),
        from_documents=FromDocuments(
            retriever=retriever,
            clearance=clearance,
            gate=gate,
            prompts=prompts,
            writing=writing,
            extractive=ExtractiveWriter(introduction=lambda language: say(language, "extractive-intro")),
            languages=languages,
            say=say,
            today=_today,
            stale_days=how.stale_days,
        ),
        without_documents=(
            WithoutDocuments(
                writers=writing.writers, prompts=prompts, drafts=writing.drafts, languages=languages, say=say
            )
            if writing
            else None
        ),
        sources=SourcesCounted(ledger.readers_by_source, say),
        remember=conversations.remember,
        note=audit.note,
        quotas=Quotas(conversations.engine, settings.quotas),
        metrics=metrics,
        limits=Limits(
            question_characters=how.max_question_characters, caps=Caps(calls=how.model_calls, tokens=how.tokens)
        ),
    )


def _retriever(settings: BotSettings, ledger: Ledger, index: Index, reranker: Reranker | None) -> Retriever:
    how = settings.answer
    return Retriever(
        index,
        readable=ledger.readable,
        neighbours=ledger.neighbours,
        reranker=reranker,
        candidates=settings.models.reranker.candidates if settings.models.reranker else 0,
        passages=how.passages,
        per_document=how.passages_per_document,
        passage_tokens=how.passage_tokens,
        witness=witness,
    )


def _gate(settings: BotSettings) -> Gate | None:
    """What refuses by evidence; None where nothing is calibrated, or nothing is to be refused."""
    if not settings.answer.refuse_by_evidence:
        return None
    return load_gate(settings.home, configuration_of(settings.models.embedding, settings.models.reranker))


def _unconfirmed(say: Say, language: str) -> str:
    """What is put behind a statement that no passage supports."""
    return say(language, "note-unconfirmed")


def _prompts(settings: BotSettings, say: Say) -> Prompts:
    return Prompts(
        _budget(settings.models.chat),
        answer_language=lambda language: say(language, "answer-language"),
        today=_today,
        company=settings.answer.company,
    )


def open_index(settings: BotSettings) -> Index:
    """The configured index with its embedding model; nothing is touched before the first call."""
    store = open_store(settings.index, settings.home / "index")
    if settings.models.embedding is None:
        return Index(store)
    from ingest.index.embedder import open_embedder

    return Index.of(store, open_embedder(settings.models.embedding), settings.models.embedding)


def chat_writer(settings: ChatSettings | None, section: str = "models.chat") -> Writer | None:
    """The chat model of a section, where it is configured."""
    if settings is None:
        return None
    from bot.llm.openai_compatible import OpenAIWriter

    return OpenAIWriter(settings, section=section)


def _writers(settings: BotSettings) -> Writers | None:
    """The chat model and those for other skills; None without a chat model."""
    chat = chat_writer(settings.models.chat)
    if chat is None:
        return None
    skilled: tuple[tuple[Skill, ChatSettings | None], ...] = (
        ("reasoning", settings.models.reasoning),
        ("code", settings.models.code),
    )
    others = {
        skill: writer for skill, model in skilled if (writer := chat_writer(model, f"models.{skill}")) is not None
    }
    return Writers(chat=chat, others=others)


def _reranker(settings: RerankerSettings | None) -> Reranker | None:
    if settings is None:
        return None
    from ingest.index.reranker import open_reranker

    return open_reranker(settings)


def _support(settings: BotSettings) -> SupportChecker:
    """What holds an answer against its passages: words and numbers, and a model where one is configured."""
    if settings.models.grounding is None:
        from bot.writing.grounding.lexical import LexicalSupport

        return LexicalSupport()
    from bot.writing.grounding.detector import DetectorSupport

    return DetectorSupport(settings.models.grounding)


def _budget(settings: ChatSettings | None) -> Budget:
    if settings is None:
        return EXTRACTIVE_BUDGET
    return Budget(context_tokens=settings.context_tokens, answer_tokens=settings.answer_tokens)


def _today() -> date:
    return datetime.now(UTC).date()
