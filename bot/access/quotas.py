"""How much each asker and each workspace has asked lately, counted in the database that all replicas share.

An hour begins with the first question in it, and so does a day; when it is over, the next question begins another one.
Who is refused is told in how many minutes that is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.access.settings import QuotaSettings
from bot.conversations import METADATA
from ingest.database import Moment, insert, transaction, writer

Span = Literal["day", "hour"]
Key = tuple[str, Span]
Phrase = Literal["quota-spent", "quota-workspace-spent", "quota-tokens-spent"]

SPANS: Mapping[Span, timedelta] = {"day": timedelta(days=1), "hour": timedelta(hours=1)}

AHEAD = timedelta(minutes=5)
"""The clocks of two replicas differ by less."""

USAGE = sa.Table(
    "usage",
    METADATA,
    sa.Column("who", sa.Text, primary_key=True),
    sa.Column("span", sa.Text, primary_key=True),
    sa.Column("since", Moment, nullable=False),
    sa.Column("questions", sa.Integer, nullable=False),
    sa.Column("tokens", sa.BigInteger, nullable=False),
)
"""`who` is an asker's id, or a workspace behind `workspace/`, with which no asker's id begins."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """Why a question is not admitted, and for how long."""

    phrase: Phrase
    minutes: int
    """Until there is room; at least 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Limit:
    """How much may be asked within one span."""

    key: Key
    phrase: Phrase
    questions: int | None
    tokens: int | None = None

    def refusal(self, questions: int, tokens: int) -> Phrase | None:
        if self.questions is not None and questions >= self.questions:
            return self.phrase
        return "quota-tokens-spent" if self.tokens is not None and tokens >= self.tokens else None


class Quotas:
    """Admits questions. Calls raise what `ingest.database` raises; clocks of replicas must agree within seconds.

    A question is counted when it is admitted, however it ends. What it costs is known when it has ended: questions that
    are worked on at the same time may together go beyond the tokens, each by no more than `answer.tokens`.
    """

    def __init__(
        self, engine: AsyncEngine, settings: QuotaSettings, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._writer = writer(engine)
        self._settings = settings
        self._now = now

    async def admit(self, asker: str, workspace: str) -> Spent | None:
        """Count a question of `asker` in `workspace` (empty: in none); or else the quota that is spent.

        Of several that are spent it is the one that lasts longest, and nothing is counted. Of two questions at once,
        wherever they are asked, one gets the last place.
        """
        limits = self._limits(asker, workspace)
        if not limits:
            return None
        now = self._now()
        async with transaction(self._writer) as connection:
            usage = await self._locked(connection, limits, now)
            refused = [
                Spent(phrase=phrase, minutes=_minutes(usage[key].since + SPANS[key[1]] - now))
                for key, limit in limits.items()
                if (phrase := limit.refusal(usage[key].questions, usage[key].tokens)) is not None
            ]
            if refused:
                return max(refused, key=lambda spent: spent.minutes)
            await connection.execute(_of(limits).values(questions=USAGE.c.questions + 1))
        return None

    async def charge(self, asker: str, tokens: int) -> None:
        """Add what a question of `asker` cost at the chat models."""
        if self._settings.person_tokens_per_day is None or tokens <= 0:
            return
        day: list[Key] = [(asker, "day")]
        async with transaction(self._writer) as connection:
            await self._locked(connection, day, self._now())
            await connection.execute(_of(day).values(tokens=USAGE.c.tokens + tokens))

    def _limits(self, asker: str, workspace: str) -> dict[Key, _Limit]:
        """What is limited, in the order in which everybody locks it."""
        settings, limits = self._settings, list[_Limit]()
        if settings.person_per_hour is not None:
            limits.append(_Limit(key=(asker, "hour"), phrase="quota-spent", questions=settings.person_per_hour))
        day, tokens = settings.person_per_day, settings.person_tokens_per_day
        if day is not None or tokens is not None:
            limits.append(_Limit(key=(asker, "day"), phrase="quota-spent", questions=day, tokens=tokens))
        if settings.workspace_per_day is not None and workspace:
            key: Key = (f"workspace/{workspace}", "day")
            limits.append(_Limit(key=key, phrase="quota-workspace-spent", questions=settings.workspace_per_day))
        return {limit.key: limit for limit in sorted(limits, key=lambda limit: limit.key)}

    async def _locked(
        self, connection: AsyncConnection, keys: Collection[Key], now: datetime
    ) -> dict[Key, sa.Row[Any]]:
        """What is counted under `keys`, in spans that are not over; nobody else counts there before the end of this.

        SQLite lets one transaction write at a time; Postgres locks a row that an `INSERT` meets until its end.
        """
        rows = [{"who": who, "span": span, "since": now, "questions": 0, "tokens": 0} for who, span in keys]
        statement, over = insert(self._engine, USAGE).values(rows), is_over(now)
        anew = {
            name: sa.case((over, statement.excluded[name]), else_=USAGE.c[name])
            for name in ("since", "questions", "tokens")
        }
        statement = statement.on_conflict_do_update(index_elements=["who", "span"], set_=anew)
        return {(row.who, row.span): row for row in await connection.execute(statement.returning(USAGE))}


def _of(keys: Collection[Key]) -> sa.Update:
    return sa.update(USAGE).where(sa.or_(*(sa.and_(USAGE.c.who == who, USAGE.c.span == span) for who, span in keys)))


def is_over(now: datetime) -> sa.ColumnElement[bool]:
    """Whether the span of a row of `USAGE` is over; also where it began under a clock that was ahead, for whoever is
    counted there would wait until then.
    """
    passed = (sa.and_(USAGE.c.span == span, USAGE.c.since <= now - length) for span, length in SPANS.items())
    return sa.or_(USAGE.c.since > now + AHEAD, *passed)


def _minutes(left: timedelta) -> int:
    return max(1, math.ceil(left / timedelta(minutes=1)))
