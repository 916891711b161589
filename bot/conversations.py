"""What was asked and answered: the turns of each thread, and what each answer rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.model import Answer, Question, Turn
from ingest.database import Moment, Schema, connect, transaction, writer
from ingest.ledger import StateSettings

SCHEMA = Schema(
    versions=Path(__file__).parent / "migrations" / "versions", revision="0003", version_table="bot_version"
)

TURNS = 20
"""Turns of a thread that a follow-up can look back on; the prompt's budget cuts further."""

METADATA = sa.MetaData()

_answers = sa.Table(
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
    sa.Index("answers_of_thread", "thread", "answered_at"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembered:
    """What is known of one answer."""

    question: str
    cited: tuple[str, ...]
    """Names of the sources that it cites."""


class Conversations:
    """Threads and answers, in the database that the ledger uses. Calls may raise what `ingest.database` raises."""

    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self.now = now

    @property
    def engine(self) -> AsyncEngine:
        """Of the database, for the other tables that the bot has there."""
        return self._engine

    @classmethod
    async def open(cls, settings: StateSettings) -> Self:
        """Connect, and bring the tables to this version's form."""
        return cls(await connect(settings.url, settings.password, SCHEMA))

    async def close(self) -> None:
        await self._engine.dispose()

    async def remember(self, question: Question, answer: Answer) -> None:
        """Store one finished answer; the same trace id replaces."""
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
            "passages": [
                {
                    "number": passage.number,
                    "chunk": passage.chunk.id,
                    "source": passage.chunk.source,
                    "document": passage.chunk.document,
                    "cited": passage in answer.citations,
                }
                for passage in answer.passages
            ],
            "notices": list(answer.notices),
            "answered_at": self.now(),
        }
        async with transaction(writer(self._engine)) as connection:
            await connection.execute(sa.delete(_answers).where(_answers.c.trace == answer.trace_id))
            await connection.execute(sa.insert(_answers), [row])

    async def recall(self, trace: str) -> Remembered | None:
        """What was asked and cited in the answer of that trace id; None when there is none."""
        query = sa.select(_answers.c.question, _answers.c.passages).where(_answers.c.trace == trace)
        async with transaction(self._engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        cited = dict.fromkeys(passage["source"] for passage in row.passages if passage["cited"])
        return Remembered(question=row.question, cited=tuple(cited))

    async def history(self, thread: str, asker: str) -> tuple[Turn, ...]:
        """The latest turns of a thread, oldest first; none when it is another asker's."""
        query = (
            sa.select(_answers.c.question, _answers.c.answer)
            .where(_answers.c.thread == thread, _answers.c.asker == asker)
            .order_by(_answers.c.answered_at.desc(), _answers.c.trace)
            .limit(TURNS // 2)
        )
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return tuple(
            turn
            for row in reversed(rows)
            for turn in (Turn(role="user", text=row.question), Turn(role="assistant", text=row.answer))
        )
