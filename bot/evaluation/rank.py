"""Asks the questions of a set: of an index for its rankings, of the assistant for its answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.evaluation.sets import Run
from bot.model import Answerer, Asker, Finished, Outcome, Place, Question
from bot.retrieve import rerank
from ingest.chunk import chunk
from ingest.index.hybrid import Index
from ingest.index.interface import Reranker
from ingest.language import language_of
from ingest.model import EVERYONE, Chunk, Document
from ingest.questions import Article, QuestionSet, by_document

CHUNKS_SEARCHED = 200
"""Chunks asked of the index for one query, so that ten documents are found however many chunks the first one has."""

SAMPLE = 1000
"""Chunks whose average length stands for the corpus."""

GROUP = 500
"""Chunks written at once, as in a sync."""

QUERY_SECONDS = 60.0


async def index_corpus(index: Index, corpus: Sequence[Article], candidates: tuple[str, ...]) -> None:
    """Chunk and index the corpus as `ingest sync` would its documents, readable by everyone."""
    chunks = [chunk for article in corpus for chunk in await asyncio.to_thread(_chunks, article, candidates)]
    await index.prepare(chunks[:SAMPLE])
    for start in range(0, len(chunks), GROUP):
        await index.write(chunks[start : start + GROUP])
    await index.flush()


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


def _chunks(article: Article, candidates: tuple[str, ...]) -> list[Chunk]:
    return chunk(
        Document(
            source="eval",
            id=article.id,
            title=article.title,
            text=article.text,
            pages=(),
            language=language_of(article.text, candidates),
            readers=frozenset({EVERYONE}),
            url=None,
            author=None,
            updated_at=None,
        )
    )


def language_accuracy(questions: QuestionSet, decide: Callable[[str], str]) -> tuple[int, list[tuple[str, str, str]]]:
    """Queries whose language the set names, and those decided otherwise: text, named, decided."""
    named = [(query.text, query.language) for query in questions.queries if query.language]
    wrong = [(text, language, found) for text, language in named if (found := decide(text)) != language]
    return len(named), wrong


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcomes:
    """How whole answers ended on a set that has unanswerable questions."""

    answerable: int
    answered: int
    """Of the answerable ones."""
    cited: int
    """Of the answered ones: those that cite a relevant document."""
    unanswerable: int
    refused: int
    """Of the unanswerable ones."""

    def __str__(self) -> str:
        return (
            f"answered {self.answered}/{self.answerable} answerable questions"
            f" ({self.cited} citing a relevant document), refused {self.refused}/{self.unanswerable} unanswerable ones"
        )


async def outcomes(questions: QuestionSet, answerer: Answerer) -> Outcomes:
    """Ask every question of the set and count how the answers ended."""
    answered = cited = refused = 0
    for query in questions.queries:
        question = Question(
            text=query.text, asker=Asker(id="eval", readers=query.readers), place=Place(platform="console")
        )
        answer = [event async for event in answerer(question)][-1]
        assert isinstance(answer, Finished), "an answerer ends with Finished"  # noqa: S101
        found = answer.answer.outcome is Outcome.ANSWERED
        documents = {passage.chunk.document for passage in answer.answer.citations}
        answered += query.answerable and found
        cited += query.answerable and found and not documents.isdisjoint(questions.relevant.get(query.id, ()))
        refused += not query.answerable and not found
    answerable = sum(query.answerable for query in questions.queries)
    return Outcomes(
        answerable=answerable,
        answered=answered,
        cited=cited,
        unanswerable=len(questions.queries) - answerable,
        refused=refused,
    )
