"""The index built anew beside the one in use, from the ledger's texts alone; and the way back to the one before.

Writers and readers go on with the index in use while the draft is built. Then, alone with the ledger, what changed
meanwhile is replayed, questions are asked of both, and the draft is put in use, all at once. Killed at any instant,
this leaves one whole index in use, and a draft that the next attempt goes on with.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Literal

from ingest.errors import Guarded, Terminal
from ingest.index.hybrid import Index
from ingest.index.interface import IndexDamaged, IndexMismatch
from ingest.index.schema import PIPELINE
from ingest.ledger import Ledger, LedgerBusy
from ingest.model import PUBLIC, Chunk, ChunkId
from ingest.questions import Query, QuestionSet, by_document, read_set
from ingest.verify import Verdict, verify

logger = logging.getLogger(__name__)

PAGE = 500
"""Chunks that are read, embedded and written at once."""

SAMPLE = 1000
"""Chunks whose average length stands for all of them."""

QUESTIONS = 200
"""Most questions that are asked of each index: one more or less found is then half a point of recall."""

DEPTH = 10
"""Documents of a ranking among which an answer counts as found."""

CHUNKS_SEARCHED = 100
"""Chunks asked of the index for one question, so that ten documents are found however many chunks the first one has."""

MARGIN = 0.05
"""By how much the recall of the new index may be below that of the old one."""

FLOOR = 0.5
"""Least recall of the new index on a golden set where there is no old one to compare it with."""

KNOWN_FLOOR = 0.8
"""The same where the questions are sentences of the passages themselves."""

SENTENCE = 200
"""Most characters of such a question."""

WRITERS_SECONDS = 600.0
"""How long a finished draft waits for the syncs that are under way."""

POLL_SECONDS = 0.5
"""How often it is tried whether they have ended."""

Step = Literal["building", "waiting", "comparing", "asking"]
"""What is being done: `waiting` is for writers, `comparing` of the draft with the ledger."""

Progress = Callable[[Step, int, int], None]
"""Is told how much of a step is done, and of how much (0 of 0 where that cannot be known)."""


class RecallTooLow(Guarded):
    """The new index finds less than the old one; it was not put in use."""


class NoEarlierIndex(Terminal):
    """There is nothing to go back to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recall:
    """What both indexes found of the documents that answer a set of questions, among the first `DEPTH`: 0 to 1."""

    questions: int
    """How many were asked; 0 where there was nothing to ask about, and then nothing is compared."""
    golden: bool
    """Whether they are a golden set; otherwise each is a sentence of the passage to be found."""
    new: float
    old: float | None
    """None where there is no old index that could be searched."""
    words_alone: bool
    """Whether the old one was searched without its embedding model, which is not the configured one."""

    @property
    def least(self) -> float:
        """What `new` must not be below; an old index that found nothing says nothing about the new one."""
        if self.old:
            return max(0.0, self.old - MARGIN)
        return FLOOR if self.golden else KNOWN_FLOOR

    @property
    def is_enough(self) -> bool:
        return not self.questions or self.new >= self.least

    def __str__(self) -> str:
        old = "no index to compare with" if self.old is None else f"{self.old:.1%} before"
        alone = " (by words alone)" if self.words_alone else ""
        kind = "questions of the golden set" if self.golden else "sentences of the passages"
        return f"recall@{DEPTH} {self.new:.1%}, {old}{alone}, on {self.questions} {kind}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebuilt:
    """How an index was built anew."""

    passages: int
    embedded: int
    """Texts that the embedding model was asked for; the vectors of the others were known."""
    resumed: int
    """Passages that an earlier attempt had built."""
    replayed: int
    """Passages that changed in the meantime."""
    recall: Recall


async def reindex(
    ledger: Ledger,
    index: Index,
    *,
    golden: Path | None = None,
    accept_recall: bool = False,
    progress: Progress = lambda step, done, total: None,
    wait_seconds: float = WRITERS_SECONDS,
) -> Rebuilt:
    """Build `index` anew and put it in use. `golden` is a folder of questions (see `ingest.questions`).

    Raises `RecallTooLow` unless `accept_recall`, `LedgerBusy` when writers do not end within `wait_seconds`, and what
    ledger, index and models raise; whatever is raised, the index in use stays in use, and the draft stays.
    """
    questions = None if golden is None else read_set(golden)
    async with index.draft() as draft:
        embedded, resumed = await _build(ledger, index, draft, partial(progress, "building"))
        async with _alone(ledger, wait_seconds, progress):
            try:
                verdict = await _replay(ledger, draft, partial(progress, "comparing"))
            except IndexDamaged:
                await draft.create()  # or the next attempt would go on with it
                raise
            known = questions or known_items(await ledger.some_chunks(QUESTIONS))
            recall = await _compare(index, draft, known, partial(progress, "asking"), golden=questions is not None)
            if not (recall.is_enough or accept_recall):
                raise RecallTooLow(
                    f"the new index was not put in use: {recall}, and at least {recall.least:.1%} is wanted;"
                    " to use it all the same: ingest reindex --accept-recall"
                )
            await draft.publish()
            await ledger.settle_all()
    return Rebuilt(
        passages=verdict.known, embedded=embedded, resumed=resumed, replayed=verdict.differing, recall=recall
    )


async def rollback(
    ledger: Ledger,
    index: Index,
    *,
    progress: Progress = lambda step, done, total: None,
    wait_seconds: float = WRITERS_SECONDS,
) -> Verdict:
    """Bring the index that was in use before up to date and put it back; the one in use is kept for the way back.

    Returns what was brought up to date. Raises `NoEarlierIndex`, `IndexMismatch` when it was built with another model
    than the configured one, and as `reindex` does.
    """
    previous = await index.previous()
    if previous is None or await previous.identity() is None:
        raise NoEarlierIndex("there is no earlier index to go back to; run `ingest reindex` to build one anew")
    async with previous:
        await previous.prepare()
        async with _alone(ledger, wait_seconds, progress):
            verdict = await _replay(ledger, previous, partial(progress, "comparing"))
            await previous.publish()
            await ledger.settle_all()
    return verdict


def known_items(chunks: Iterable[Chunk]) -> QuestionSet:
    """A sentence of each passage as a question that its document answers, asked by whoever may read it."""
    asked = [(chunk, text) for chunk in chunks if chunk.readers and (text := _sentence(chunk.text))]
    return QuestionSet(
        name="known items",
        queries=tuple(
            Query(id=chunk.id, text=text, language=chunk.language, readers=chunk.readers | {PUBLIC})
            for chunk, text in asked
        ),
        relevant={chunk.id: {chunk.document: 1} for chunk, _ in asked},
        corpus=None,
    )


async def _build(ledger: Ledger, index: Index, draft: Index, progress: Callable[[int, int], None]) -> tuple[int, int]:
    """Fill the draft; how many texts were embedded for that, and how many passages an earlier attempt had built."""
    try:
        if await draft.is_as_configured():
            return await _fill(ledger, index, draft, progress, resume=True)
    except IndexDamaged as error:
        logger.warning("the draft that an earlier attempt left cannot be used, so all is built anew: %s", error)
    await draft.create(await ledger.some_chunks(SAMPLE), expecting=await ledger.count_chunks())
    return await _fill(ledger, index, draft, progress, resume=False)


async def _fill(
    ledger: Ledger, index: Index, draft: Index, progress: Callable[[int, int], None], *, resume: bool
) -> tuple[int, int]:
    total = await ledger.count_chunks()
    reuse = await _has_same_vectors(index, draft)
    embedded = resumed = done = 0
    async for page in ledger.pages(PAGE):
        there = await draft.chunks([chunk.id for chunk in page]) if resume else []
        built = {chunk.id for chunk in there}
        missing = [chunk for chunk in page if chunk.id not in built]
        vectors = await _known_vectors(index, missing) if reuse else {}
        embedded += await draft.write(missing, vectors=vectors)
        await draft.flush()
        resumed += len(there)
        done += len(page)
        progress(min(done, total), total)
    return embedded, resumed


async def _has_same_vectors(index: Index, draft: Index) -> bool:
    """Whether the vectors of the index in use are of the model that the draft is built with."""
    try:
        old, new = await index.identity(), await draft.identity()
    except IndexDamaged:
        return False
    if old is None or new is None or new.size is None:
        return False
    return (old.embedding, old.size) == (new.embedding, new.size)


async def _known_vectors(index: Index, chunks: Sequence[Chunk]) -> dict[ChunkId, Sequence[float]]:
    try:
        texts = {chunk.id: chunk.indexed_text for chunk in await index.chunks([chunk.id for chunk in chunks])}
        return await index.vectors([chunk.id for chunk in chunks if texts.get(chunk.id) == chunk.indexed_text])
    except IndexDamaged as error:
        logger.warning("the vectors of %d passages are made anew: %s", len(chunks), error)
        return {}


async def _replay(ledger: Ledger, index: Index, progress: Callable[[int, int], None]) -> Verdict:
    """Make `index` agree with the ledger. Raises `IndexDamaged` when it still does not."""
    verdict = await verify(ledger, index, repair=True, progress=progress)
    if not verdict.agrees:
        raise IndexDamaged(
            f"the index that was built counts {verdict.indexed} passages and the ledger {verdict.known}, though each of"
            " them was compared; it was not put in use"
        )
    return verdict


async def _compare(
    index: Index, draft: Index, questions: QuestionSet, progress: Callable[[int, int], None], *, golden: bool
) -> Recall:
    """Ask both indexes the same questions, spread over all there are."""
    known = [query for query in questions.queries if query.id in questions.relevant]
    asked = known[:: max(1, len(known) // QUESTIONS)][:QUESTIONS]
    if not asked:
        return Recall(questions=0, golden=golden, new=0.0, old=None, words_alone=False)
    progress(0, 2 * len(asked))
    new = await _recall(draft, asked, questions)
    progress(len(asked), 2 * len(asked))
    words_alone, old = False, None
    try:
        identity = await index.identity()
        if identity is not None and identity.pipeline == PIPELINE:
            words_alone = identity.embedding != index.embedder_name
            old = await _recall(index, asked, questions, lexical_only=words_alone)
    except (IndexDamaged, IndexMismatch) as error:
        logger.warning("the index in use cannot be searched, and the new one is not compared with it: %s", error)
    progress(2 * len(asked), 2 * len(asked))
    return Recall(questions=len(asked), golden=golden, new=new, old=old, words_alone=words_alone and old is not None)


async def _recall(index: Index, asked: Sequence[Query], questions: QuestionSet, *, lexical_only: bool = False) -> float:
    """Mean share, over the questions, of the documents that answer one among the first `DEPTH` found for it."""
    shares = []
    for query in asked:
        hits = await index.search(
            query.text,
            visible_to=query.readers,
            language=query.language,
            limit=CHUNKS_SEARCHED,
            lexical_only=lexical_only,
        )
        found = {document for document, _ in by_document((hit.chunk.document, hit.score) for hit in hits)[:DEPTH]}
        relevant = questions.relevant[query.id].keys()
        shares.append(len(found & relevant) / len(relevant))
    return fmean(shares)


@asynccontextmanager
async def _alone(ledger: Ledger, wait_seconds: float, progress: Progress) -> AsyncIterator[None]:
    """`ledger.alone()`, as soon as the writers that are at work have ended."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + wait_seconds
    async with AsyncExitStack() as stack:
        while True:
            try:
                await stack.enter_async_context(ledger.alone())
                break
            except LedgerBusy:
                if clock() >= deadline:
                    raise
            progress("waiting", 0, 0)
            await asyncio.sleep(POLL_SECONDS)
        yield


def _sentence(text: str) -> str:
    """The longest sentence, cut to `SENTENCE` characters: short ones are often the same in many documents."""
    sentences = re.split(r"(?<=[.!?])\s+|[。！？|\n]+", text)
    return max((sentence.strip() for sentence in sentences), key=len, default="")[:SENTENCE]
