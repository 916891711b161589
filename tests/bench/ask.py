"""From a question to its passages and to the end of its extractive answer, on the embedded index of two sizes."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import median

from bot.audience import console_asker
from bot.composition import Assistant, assistant, open_index
from bot.model import Answer, Finished, Outcome, Place, Question
from bot.settings import BotSettings
from ingest.ledger import Ledger, Record, SourceRecord
from ingest.model import EVERYONE, Chunk, DocumentId, Readers, chunk_id
from tests.bench import formats, serve
from tests.bench.process import ROOT, command, configured
from tests.bench.prose import LANGUAGES, Prose, articles
from tests.bench.table import Options, Table, percentile

SIZES = (10_000, 100_000)
QUESTIONS = 200
WARM_UP = 10
GROUP = 500
"""Chunks written at a time, as `ingest sync` does."""
CHUNKS_PER_DOCUMENT = 5
CHARACTERS = 1_500
"""Of a passage, at least: 400 to 500 tokens."""
ARRIVING_FILES = 300
"""Written by another process while questions are asked."""
SOURCE = "generated"
DEADLINE_SECONDS = 180
"""For that process to end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """How questions went, one after the other, in milliseconds."""

    passages: list[float]
    """To the passages."""
    whole: list[float]
    """To the end of the answer, stored."""
    answered: int


def measure(options: Options) -> Iterator[Table]:
    sizes = (GROUP, 2 * GROUP) if options.quick else SIZES
    configured(options.folder)
    settings = BotSettings().placed(options.folder)
    rows: list[tuple[object, ...]] = []
    built = 0
    medians: list[float] = []
    for size in sizes:
        seconds = asyncio.run(build(settings, built, size))
        rate = (size - built) / seconds
        built = size
        first, asked = asyncio.run(ask(settings, size, count=QUESTIONS, warm_up=WARM_UP))
        medians.append(median(asked.passages))
        rows.append(
            (
                f"{size:,}",
                rate,
                first * 1000,
                *_spread(asked.passages),
                *_spread(asked.whole),
                f"{asked.answered} of {len(asked.whole)}",
            )
        )
    growth = medians[1] / medians[0]
    yield Table(
        title="ask: embedded index, extractive answers",
        columns=(
            "passages in the index",
            "built, passages/s",
            "first question ms",
            "to passages p50 ms",
            "p95 ms",
            "to the answer's end p50 ms",
            "p95 ms",
            "answered",
        ),
        rows=rows,
        notes=(
            f"{QUESTIONS} questions after {WARM_UP}, one at a time. The first one opens the index. With"
            f" {sizes[1] // sizes[0]} times the passages p50 is {growth:.1f} times as long.",
        ),
    )
    yield asyncio.run(_ask_while_syncing(settings, options, sizes[-1]))
    texts = [question.text for question in islice(questions_about(sizes[-1]), serve.QUESTIONS)]
    yield serve.memory(options.folder / "souffleur.yaml", texts, f"{sizes[-1]:,} passages")


def _for_everyone(document: int) -> Readers:
    return frozenset({EVERYONE})


async def build(
    settings: BotSettings, start: int, end: int, *, readers: Callable[[int], Readers] = _for_everyone
) -> float:
    """Write generated chunks number `start` to `end` into index and ledger; seconds, without those of generating.

    `readers` are by the number of the document.
    """
    seconds = 0.0
    ledger = await Ledger.open(settings.state)
    try:
        async with open_index(settings) as index, ledger.writing(SOURCE):
            await ledger.remember_source(SourceRecord(name=SOURCE, location=str(settings.home), configured=False))
            for at in range(start, end, GROUP):
                documents = {
                    DocumentId(f"{number:06}.md"): [
                        replace(chunk, readers=readers(number)) for chunk in _chunks(number)
                    ]
                    for number in range(at // CHUNKS_PER_DOCUMENT, (at + GROUP) // CHUNKS_PER_DOCUMENT)
                }
                chunks = [chunk for group in documents.values() for chunk in group]
                started = time.perf_counter()
                await index.prepare(chunks)
                await index.write(chunks)
                await index.flush()
                await ledger.commit(
                    SOURCE, records=[_record(group[0]) for group in documents.values()], chunks=documents
                )
                seconds += time.perf_counter() - started
    finally:
        await ledger.close()
    return seconds


def _chunks(number: int) -> list[Chunk]:
    """The chunks of document `number`: the same ones on every call."""
    language = LANGUAGES[number % len(LANGUAGES)]
    prose = Prose(f"document {number}", language)
    id, title = DocumentId(f"{number:06}.md"), prose.heading()
    return [
        Chunk(
            id=chunk_id(SOURCE, id, str(position)),
            source=SOURCE,
            document=id,
            position=position,
            title=title,
            headings=(prose.heading(),),
            page=None,
            text=prose.passage(CHARACTERS),
            language=language,
            readers=frozenset({EVERYONE}),
            url=None,
            updated_at=None,
        )
        for position in range(CHUNKS_PER_DOCUMENT)
    ]


def _record(chunk: Chunk) -> Record:
    return Record(
        source=chunk.source,
        id=chunk.document,
        version="1",
        content_hash="",
        parser="kreuzberg",
        error=None,
        title=chunk.title,
        url=None,
        author=None,
        updated_at=None,
        language=chunk.language,
        readers=chunk.readers,
        own_readers=None,
        indexed_at=datetime.now(UTC),
    )


def questions_about(size: int) -> Iterator[Question]:
    """Without end, each in words of some chunk."""
    chance = random.Random(size)
    asker = console_asker(())
    while True:
        number = chance.randrange(size // CHUNKS_PER_DOCUMENT)
        prose = Prose(f"question {chance.random()}", LANGUAGES[number % len(LANGUAGES)])
        text = prose.question(chance.choice(_chunks(number)).text)
        yield Question(text=text, asker=asker, place=Place(platform="console"))


async def ask(settings: BotSettings, size: int, *, count: int, warm_up: int) -> tuple[float, Asked]:
    """Seconds of the first question, which opens the index, and how `count` went after some more to warm up."""
    questions = questions_about(size)
    async with assistant(settings) as ready:
        started = time.perf_counter()
        await _answer(ready, next(questions))
        first = time.perf_counter() - started
        for question in islice(questions, warm_up):
            await _answer(ready, question)
        return first, await _asked(ready, list(islice(questions, count)))


async def _asked(ready: Assistant, questions: Sequence[Question]) -> Asked:
    passages: list[float] = []
    whole: list[float] = []
    answered = 0
    for question in questions:
        started = time.perf_counter()
        answer = await _answer(ready, question)
        whole.append((time.perf_counter() - started) * 1000)
        passages.append(answer.timings.get("retrieve", answer.timings["total"]) * 1000)
        answered += answer.outcome is Outcome.ANSWERED
    return Asked(passages=passages, whole=whole, answered=answered)


async def _answer(ready: Assistant, question: Question) -> Answer:
    async for event in ready.answering.answer(question):
        if isinstance(event, Finished):
            return event.answer
    raise AssertionError("an answer without an end")


async def _ask_while_syncing(settings: BotSettings, options: Options, size: int) -> Table:
    """Questions one after the other for as long as `ingest sync` of a new folder runs."""
    count = ARRIVING_FILES // 30 if options.quick else ARRIVING_FILES
    folder: Path = options.folder / "arriving"
    formats.write(list(articles("arriving", count, smallest=1_000, largest=10_000)), "md", folder)
    questions = questions_about(size)
    passages: list[float] = []
    failed = 0
    async with assistant(settings) as ready:
        await _answer(ready, next(questions))
        sync = await asyncio.create_subprocess_exec(
            *command("ingest", "--config", options.folder / "souffleur.yaml", "sync", "--json", folder),
            cwd=ROOT,
            stdout=asyncio.subprocess.DEVNULL,
        )
        started = time.perf_counter()
        while sync.returncode is None and time.perf_counter() - started < DEADLINE_SECONDS:
            asked = await _asked(ready, [next(questions)])
            passages += asked.passages
            failed += 1 - asked.answered
        seconds = time.perf_counter() - started
        ended = sync.returncode
        if ended is None:
            sync.kill()
            await sync.wait()
    return Table(
        title=f"ask while another process syncs {count:,} files into {size:,} passages",
        columns=("sync s", "its exit status", "questions", "not answered", "p50 ms", "p95 ms", "worst ms"),
        rows=[
            (
                seconds,
                "unfinished" if ended is None else ended,
                len(passages),
                failed,
                *_spread(passages),
                max(passages),
            )
        ],
        notes=("Questions one after the other without a pause: the most that one person can disturb a sync.",),
    )


def _spread(values: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    return median(values), percentile(values, 0.95)
