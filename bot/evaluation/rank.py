"""The documents of a set where its questions can find them, and the ranking that the index gives for each question."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.composition import open_index
from bot.evaluation.sets import Run
from bot.retrieval.retrieve import rerank
from bot.settings import BotSettings
from ingest.chunk import chunk
from ingest.database import StateSettings
from ingest.index.hybrid import Index
from ingest.index.interface import IndexSettings, Reranker
from ingest.language import language_of
from ingest.ledger import Ledger, Record, SourceRecord
from ingest.model import Chunk, Document, DocumentId
from ingest.questions import Article, QuestionSet, by_document

SOURCE = "eval"
"""Name of the source that the documents of a set's own corpus belong to."""

CHUNKS_SEARCHED = 200
"""Chunks asked of the index for one query, so that ten documents are found however many chunks the first one has."""

SAMPLE = 1000
"""Chunks whose average length stands for the corpus."""

GROUP = 500
"""Chunks written at once, as in a sync."""

QUERY_SECONDS = 60.0


@asynccontextmanager
async def at_hand(settings: BotSettings, corpus: Sequence[Article] | None) -> AsyncIterator[BotSettings]:
    """Settings whose index and ledger hold `corpus` until the context ends; without one, those in use."""
    if corpus is None:
        yield settings
        return
    with TemporaryDirectory(prefix="souffleur-eval-") as folder:
        place = Path(folder)
        index = IndexSettings(path=place / "index")
        state = StateSettings(url=f"sqlite+aiosqlite:///{place / 'state.db'}")
        own = settings.model_copy(update={"index": index, "state": state})
        ledger = await Ledger.open(state)
        try:
            async with open_index(own) as opened, ledger.writing(SOURCE):
                await _known(ledger, corpus, await index_corpus(opened, corpus, settings.languages))
        finally:
            await ledger.close()
        yield own


async def index_corpus(
    index: Index, corpus: Sequence[Article], candidates: tuple[str, ...]
) -> dict[DocumentId, list[Chunk]]:
    """Chunk and index the corpus as `ingest sync` would its documents; the chunks of each."""
    chunks = await asyncio.to_thread(_chunked, corpus, candidates)
    every = [chunk for pieces in chunks.values() for chunk in pieces]
    await index.prepare(every[:SAMPLE])
    for start in range(0, len(every), GROUP):
        await index.write(every[start : start + GROUP])
    await index.flush()
    return chunks


async def _known(ledger: Ledger, corpus: Sequence[Article], chunks: dict[DocumentId, list[Chunk]]) -> None:
    await ledger.remember_source(SourceRecord(name=SOURCE, location="corpus.jsonl", configured=False))
    for start in range(0, len(corpus), GROUP):
        group = corpus[start : start + GROUP]
        records = [_record(article, chunks[article.id]) for article in group]
        await ledger.commit(SOURCE, records=records, chunks={article.id: chunks[article.id] for article in group})


def _chunked(corpus: Iterable[Article], candidates: tuple[str, ...]) -> dict[DocumentId, list[Chunk]]:
    return {
        article.id: chunk(
            Document(
                source=SOURCE,
                id=article.id,
                title=article.title,
                text=article.text,
                pages=(),
                language=language_of(article.text, candidates),
                readers=article.readers,
                url=None,
                author=None,
                updated_at=None,
            )
        )
        for article in corpus
    }


def _record(article: Article, chunks: Sequence[Chunk]) -> Record:
    return Record(
        source=SOURCE,
        id=article.id,
        version="",
        content_hash="",
        parser="",
        error=None,
        title=article.title,
        url=None,
        author=None,
        updated_at=None,
        language=chunks[0].language if chunks else "und",
        readers=article.readers,
        own_readers=None,
        indexed_at=datetime.now(UTC),
    )


async def languages_of_documents(settings: BotSettings) -> dict[str, str]:
    """Document -> its language, of all that the ledger has."""
    ledger = await Ledger.open(settings.state)
    try:
        return {
            document: record.language
            for source in await ledger.sources()
            for document, record in (await ledger.documents(source.name)).items()
        }
    finally:
        await ledger.close()


async def rank(
    index: Index,
    questions: QuestionSet,
    decide: Callable[[str], str],
    *,
    reranker: Reranker | None = None,
    candidates: int = 0,
) -> tuple[Run, float]:
    """The ranking of every query of the set, asked one after the other as people do, and the seconds it took.

    With a reranker, the ranking ends after `candidates` chunks, as an answer's does. A model that fails ends the
    measurement: raises `ModelUnavailable`, `ModelMisconfigured`.
    """
    limit = candidates if reranker else CHUNKS_SEARCHED
    run: Run = {}
    started = time.perf_counter()
    for query in questions.queries:
        async with asyncio.timeout(QUERY_SECONDS):
            hits = await index.search(query.text, visible_to=query.readers, language=decide(query.text), limit=limit)
            if reranker is not None and hits:
                hits = await rerank(reranker, query.text, hits)
        run[query.id] = by_document((hit.chunk.document, hit.score) for hit in hits)
    return run, time.perf_counter() - started
