"""What was asked and answered: the turns of each thread, what each answer rests on, and how it came about."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.model import Answer, Basis, Passage, Question, Turn
from bot.trace import Trace
from ingest.database import DocumentKeys, Moment, Schema, Tokens, connect, transaction, writer
from ingest.ledger import StateSettings
from ingest.model import ChunkId, DocumentId

SCHEMA = Schema(
    versions=Path(__file__).parent / "migrations" / "versions", revision="0007", version_table="bot_version"
)

TURNS = 20
"""Turns of a thread that a follow-up can look back on; the prompt's budget cuts further."""

FOUND = 10
"""Trace ids that are told for a prefix that several have."""

METADATA = sa.MetaData()

ANSWERS = sa.Table(
    "answers",
    METADATA,
    sa.Column("trace", sa.Text, primary_key=True),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("thread", sa.Text),
    sa.Column("asker", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("written_by", sa.Text, nullable=False),
    sa.Column("passages", sa.JSON, nullable=False),
    sa.Column("notices", sa.JSON, nullable=False),
    sa.Column("answered_at", Moment, nullable=False),
    sa.Column("route", sa.Text),
    sa.Column("refusal", sa.Text),
    sa.Column("nearest", sa.JSON),
    sa.Column("spent", sa.JSON),
    sa.Column("timings", sa.JSON),
    sa.Column("basis", DocumentKeys),
    sa.Column("readers", Tokens),
    sa.Index("answers_of_thread", "thread", "answered_at"),
    sa.Index("answers_by_age", "answered_at"),
)
TRACES = sa.Table(
    "traces",
    METADATA,
    sa.Column("trace", sa.Text, primary_key=True),
    sa.Column("answered_at", Moment, nullable=False),
    sa.Column("walked", sa.Text, nullable=False),
    sa.Index("traces_by_age", "answered_at"),
)
"""`walked` is a `Trace` as JSON in ASCII: what a model wrote may hold what no database keeps as text."""

RESTS = sa.Table(
    "rests",
    METADATA,
    sa.Column("trace", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("document", sa.Text, primary_key=True),
    sa.Index("rests_on", "source", "document"),
)
"""The answers that rest on a document; the same as `answers.basis`, to be looked up by it."""

_TRACE = TypeAdapter(Trace)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembered:
    """What is known of one answer."""

    question: str
    cited: tuple[str, ...]
    """Names of the sources that it cites."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rested:
    """A passage that an answer was written from, or that came closest."""

    number: int
    chunk: ChunkId
    source: str
    document: DocumentId
    cited: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """All that is kept of one answer but its trace. What answers of earlier versions do not have is empty."""

    trace: str
    platform: str
    thread: str | None
    asker: str
    question: str
    answer: str
    language: str
    outcome: str
    written_by: str
    passages: tuple[Rested, ...]
    notices: tuple[str, ...]
    answered_at: datetime
    route: str
    refusal: str
    nearest: tuple[Rested, ...]
    spent: dict[str, Any]
    """As `Spent`."""
    timings: dict[str, float]
    """As `Answer.timings`."""
    basis: Basis | None = None
    """As `Answer.basis`; None where it is not known."""

    @property
    def cited(self) -> Basis:
        """The documents that it cites."""
        return frozenset((one.source, one.document) for one in self.passages if one.cited)


class Conversations:
    """Threads and answers, in the database that the ledger uses. Calls may raise what `ingest.database` raises.

    What is too old goes by `bot.access.retention`.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        keep_traces: bool = True,
    ) -> None:
        self._engine = engine
        self.now = now
        self._keep_traces = keep_traces

    @property
    def engine(self) -> AsyncEngine:
        """Of the database, for the other tables that the bot has there."""
        return self._engine

    @classmethod
    async def open(cls, settings: StateSettings, *, keep_traces: bool = True) -> Self:
        """Connect, and bring the tables to this version's form."""
        engine = await connect(settings.url, settings.password, SCHEMA)
        return cls(engine, keep_traces=keep_traces)

    async def close(self) -> None:
        await self._engine.dispose()

    async def remember(self, question: Question, answer: Answer) -> None:
        """Store one finished answer, with how it came about; the same trace id replaces."""
        now = self.now()
        row: dict[str, Any] = {
            "trace": answer.trace_id,
            "platform": question.place.platform,
            "thread": question.place.thread,
            "asker": question.asker.id,
            "question": question.text,
            "answer": answer.text,
            "language": answer.language,
            "outcome": answer.outcome.value,
            "written_by": answer.written_by,
            "passages": _rested(answer.passages, answer.citations),
            "notices": list(answer.notices),
            "answered_at": now,
            "route": answer.route.value,
            "refusal": answer.refusal,
            "nearest": _rested(answer.nearest, ()),
            "spent": asdict(answer.spent),
            "timings": answer.timings,
            "basis": answer.basis,
            "readers": answer.audience,
        }
        rests = [{"trace": answer.trace_id, "source": source, "document": id} for source, id in sorted(answer.basis)]
        walked = _as_json(answer.trace) if answer.trace is not None and self._keep_traces else None
        async with transaction(writer(self._engine)) as connection:
            await connection.execute(sa.delete(ANSWERS).where(ANSWERS.c.trace == answer.trace_id))
            await connection.execute(sa.delete(RESTS).where(RESTS.c.trace == answer.trace_id))
            await connection.execute(sa.insert(ANSWERS), [row])
            if rests:
                await connection.execute(sa.insert(RESTS), rests)
            if walked is not None:
                await connection.execute(sa.delete(TRACES).where(TRACES.c.trace == answer.trace_id))
                trace = {"trace": answer.trace_id, "answered_at": now, "walked": walked}
                await connection.execute(sa.insert(TRACES), [trace])

    async def find(self, prefix: str) -> tuple[str, ...]:
        """The first `FOUND` trace ids that begin with `prefix`, hexadecimal digits; of all answers that are kept."""
        # Between two bounds, which the index of the key serves; "g" follows every digit.
        within = (ANSWERS.c.trace >= prefix, ANSWERS.c.trace < prefix + "g")
        query = sa.select(ANSWERS.c.trace).where(*within).order_by(ANSWERS.c.trace).limit(FOUND)
        async with transaction(self._engine) as connection:
            return tuple(await connection.scalars(query))

    async def kept(self, trace: str) -> Kept | None:
        """What is kept of the answer of that trace id; None when there is none."""
        async with transaction(self._engine) as connection:
            row = (await connection.execute(sa.select(ANSWERS).where(ANSWERS.c.trace == trace))).one_or_none()
        return None if row is None else _kept(row)

    async def citing(self, source: str, document: DocumentId) -> tuple[Kept, ...]:
        """The answers that rest on the document, cited or only given to the writer, the latest first."""
        resting = sa.select(RESTS.c.trace).where(RESTS.c.source == source, RESTS.c.document == document)
        query = sa.select(ANSWERS).where(ANSWERS.c.trace.in_(resting))
        async with transaction(self._engine) as connection:
            rows = await connection.execute(query.order_by(ANSWERS.c.answered_at.desc(), ANSWERS.c.trace))
            return tuple(map(_kept, rows))

    async def trace(self, trace_id: str) -> Trace | None:
        """How the answer of that trace id came about; None when that is not kept, or not as this version reads it."""
        query = sa.select(TRACES.c.walked).where(TRACES.c.trace == trace_id)
        async with transaction(self._engine) as connection:
            walked = await connection.scalar(query)
        if walked is None:
            return None
        try:
            return _TRACE.validate_python(json.loads(walked))
        except ValidationError:
            logger.warning("the trace of %s was stored by another version of souffleur, and cannot be read", trace_id)
            return None

    async def recall(self, trace: str) -> Remembered | None:
        """What was asked and cited in the answer of that trace id; None when there is none."""
        query = sa.select(ANSWERS.c.question, ANSWERS.c.passages).where(ANSWERS.c.trace == trace)
        async with transaction(self._engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        cited = dict.fromkeys(passage["source"] for passage in row.passages if passage["cited"])
        return Remembered(question=row.question, cited=tuple(cited))

    async def history(self, thread: str, asker: str) -> tuple[Turn, ...]:
        """The latest turns of a thread, oldest first; none when it is another asker's."""
        query = (
            sa.select(ANSWERS.c.question, ANSWERS.c.answer, ANSWERS.c.basis)
            .where(ANSWERS.c.thread == thread, ANSWERS.c.asker == asker)
            .order_by(ANSWERS.c.answered_at.desc(), ANSWERS.c.trace)
            .limit(TURNS // 2)
        )
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return tuple(
            turn
            for row in reversed(rows)
            for turn in (
                Turn(role="user", text=row.question),
                Turn(role="assistant", text=row.answer, basis=row.basis),
            )
        )


def _kept(row: sa.Row[Any]) -> Kept:
    return Kept(
        trace=row.trace,
        platform=row.platform,
        thread=row.thread,
        asker=row.asker,
        question=row.question,
        answer=row.answer,
        language=row.language,
        outcome=row.outcome,
        written_by=row.written_by,
        passages=tuple(Rested(**passage) for passage in row.passages),
        notices=tuple(row.notices),
        answered_at=row.answered_at,
        route=row.route or "",
        refusal=row.refusal or "",
        nearest=tuple(Rested(**passage) for passage in row.nearest or ()),
        spent=row.spent or {},
        timings=row.timings or {},
        basis=row.basis,
    )


def _rested(passages: Sequence[Passage], cited: Sequence[Passage]) -> list[dict[str, Any]]:
    return [
        {
            "number": passage.number,
            "chunk": passage.chunk.id,
            "source": passage.chunk.source,
            "document": passage.chunk.document,
            "cited": passage in cited,
        }
        for passage in passages
    ]


def _as_json(trace: Trace) -> str:
    """In ASCII; pydantic's way to plain data takes a quarter of the time that `asdict` does."""
    return json.dumps(_TRACE.dump_python(trace, warnings=False), default=float)
