"""What was said and answered goes when it is old enough: a little at a time, and never what is being worked on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.access.audit import AUDIT, NAMES
from bot.access.quotas import USAGE, is_over
from bot.access.settings import RetentionSettings
from bot.conversations import ANSWERS, RESTS, TRACES
from bot.dialogue.tables import ATTACHMENTS, FEEDBACK, HANDOVERS, INBOX, MESSAGES, REPLIES
from bot.platforms.events import PlatformName
from ingest.database import transaction, writer
from ingest.errors import SouffleurError

BATCH = 400
"""Rows that go in one transaction: whoever wants to write meanwhile waits a few milliseconds."""

EVERY_SECONDS = 3600.0

EVENTS_KEPT = timedelta(days=7)
"""How long it is known which events have been dealt with; longer than any platform delivers again."""

OPEN = sa.exists().where(INBOX.c.lane == REPLIES.c.lane, INBOX.c.ended.is_(None))
"""Whether something in the thread of a reply is still to be dealt with, or being dealt with."""

_Batch = Callable[[AsyncConnection], Awaitable[int]]

_log = logging.getLogger(__name__)


class Retention:
    """Deletes what is older than the settings have it kept. Calls may raise what `ingest.database` raises."""

    def __init__(
        self,
        engine: AsyncEngine,
        settings: RetentionSettings,
        *,
        explain_days: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`explain_days`: how long it is kept how answers came about (`answer.explain_days`)."""
        self._engine = engine
        self._settings = settings
        self._explain_days = explain_days
        self._now = now
        self._sleep = sleep

    async def run(self) -> None:
        """Tidy at once and then every hour, until cancelled; what fails is tried again an hour later."""
        while True:
            try:
                counts = await self.tidy()
            except SouffleurError as error:
                _log.warning("what is too old could not be deleted, and is tried again in an hour: %s", error)
            else:
                if gone := {name: count for name, count in counts.items() if count}:
                    _log.info("deleted as too old: %s", ", ".join(f"{count} {name}" for name, count in gone.items()))
            await self._sleep(EVERY_SECONDS)

    async def tidy(self) -> dict[str, int]:
        """Delete all that is too old now: how many rows of what."""
        return {name: await self._all(batch) async for name, batch in self._due()}

    async def _due(self) -> AsyncIterator[tuple[str, _Batch]]:
        now, settings = self._now(), self._settings

        def ago(days: int) -> datetime:
            return now - timedelta(days=days)

        yield "traces", _oldest(TRACES, TRACES.c.trace, TRACES.c.answered_at < ago(self._explain_days))
        if settings.conversations_days is not None:
            before = ago(settings.conversations_days)
            yield "answers", _answers(before)
            yield "replies", _replies(before)
            alone = ~sa.exists().where(REPLIES.c.key == HANDOVERS.c.reply)
            yield "handovers", _oldest(HANDOVERS, HANDOVERS.c.reply, HANDOVERS.c.asked < before, alone)
        yield "events", _oldest(INBOX, INBOX.c.number, INBOX.c.ended < now - EVENTS_KEPT)
        if settings.feedback_days is not None:
            yield "feedback", _oldest(FEEDBACK, FEEDBACK.c.trace, FEEDBACK.c.given < ago(settings.feedback_days))
        yield "counts of what was asked", _oldest(USAGE, USAGE.c.who, is_over(now))
        read = ATTACHMENTS.c.read_at < ago(settings.attachments_days)
        yield "attachments", _oldest(ATTACHMENTS, ATTACHMENTS.c.file, read)
        # By the database's own clock too: it refuses to delete a line that by this one has not expired.
        for name, table in (("audit lines", AUDIT), ("audit names", NAMES)):
            expired = (table.c.expires < now, table.c.expires < sa.func.now())
            yield name, _oldest(table, table.c.number, *expired)

    async def _all(self, batch: _Batch) -> int:
        gone = 0
        while True:
            async with transaction(writer(self._engine)) as connection:
                count = await batch(connection)
            if not count:
                return gone
            gone += count


def _oldest(table: sa.Table, key: sa.Column[Any], *conditions: sa.ColumnElement[bool]) -> _Batch:
    """Deletes the rows that fulfil `conditions`, those of `BATCH` keys at a time."""

    async def batch(connection: AsyncConnection) -> int:
        keys = await _keys(connection, key, *conditions)
        return (await connection.execute(sa.delete(table).where(key.in_(keys), *conditions))).rowcount

    return batch


def _answers(before: datetime) -> _Batch:
    async def batch(connection: AsyncConnection) -> int:
        traces = await _keys(connection, ANSWERS.c.trace, ANSWERS.c.answered_at < before)
        for table in (TRACES, RESTS, ANSWERS):
            await connection.execute(sa.delete(table).where(table.c.trace.in_(traces)))
        return len(traces)

    return batch


def _replies(before: datetime) -> _Batch:
    """With them go the messages that held them, and those of threads in which nothing else is known to be ours."""

    async def batch(connection: AsyncConnection) -> int:
        # Both columns of the index.
        old = (REPLIES.c.platform.in_(get_args(PlatformName)), REPLIES.c.changed < before)
        keys = await _keys(connection, REPLIES.c.key, *old, ~OPEN)
        lanes = list(await connection.scalars(sa.select(REPLIES.c.lane).distinct().where(REPLIES.c.key.in_(keys))))
        for table, key in ((MESSAGES, MESSAGES.c.reply), (HANDOVERS, HANDOVERS.c.reply), (REPLIES, REPLIES.c.key)):
            await connection.execute(sa.delete(table).where(key.in_(keys)))
        empty = ~sa.exists().where(REPLIES.c.lane == MESSAGES.c.lane)
        await connection.execute(
            sa.delete(MESSAGES).where(MESSAGES.c.lane.in_(lanes), MESSAGES.c.reply.is_(None), empty)
        )
        return len(keys)

    return batch


async def _keys(connection: AsyncConnection, key: sa.Column[Any], *conditions: sa.ColumnElement[bool]) -> list[Any]:
    """Up to `BATCH`, without those that another replica is deleting now."""
    query = sa.select(key).where(*conditions).limit(BATCH).with_for_update(of=key.table, skip_locked=True)
    return list(await connection.scalars(query))
