"""What people did and nobody has dealt with yet, kept in the database before it is acknowledged.

An event is here once, however often it is delivered. A worker holds it by a lease, and the database itself sees to it
that no two events of a lane (a thread) are held at a time. A lease that is not renewed ends, and whoever comes next
takes the event over. Only its holder can say that an event is done, to be tried again, or given up. Once it is done or
given up its content is deleted, for there may be secrets in it; the key stays for a while, and is not taken in again.

Within a lane events follow each other by the time at which they happened, then by arrival. One that is to be tried
again later holds up those behind it, never those of other lanes.

Nobody holds up others by asking much: only so many events of one person are worked on at a time, by all workers
together, and whoever has fewer of them under way comes first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.dialogue.tables import INBOX, WAITING, WORKED_ON, inserted, storable
from bot.platforms.events import Event, as_json, from_json
from ingest.database import insert, transaction, writer

LEASE = timedelta(seconds=30)
"""How long an event stays with a worker of whom nothing is heard."""

CLAIM_LOCK = 5_075_668
"""Key of the Postgres advisory lock under which events are claimed: two claims at once could each see another event as
the first of a lane."""

CLAIM_IDLE = "5s"
"""After this silence in the middle of a claim Postgres takes the lock from a worker whose machine was lost."""

_OPEN = (INBOX.c.number, INBOX.c.key, INBOX.c.lane, INBOX.c.event, INBOX.c.attempt, INBOX.c.started, INBOX.c.arrived)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """An event that a worker holds."""

    event: Event
    attempt: int
    """From 1."""
    started: datetime
    """When the first attempt began."""
    until: datetime
    """When the lease ends unless it is renewed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """An event that nobody works on yet."""

    event: Event
    arrived: datetime


class Inbox:
    """Calls may raise what `ingest.database` raises. Clocks of replicas must agree within a few seconds."""

    def __init__(
        self,
        engine: AsyncEngine,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        lease: timedelta = LEASE,
        person_at_once: int | None = None,
    ) -> None:
        """`person_at_once`: events of one person that are held at a time; None: any number."""
        self._engine = engine
        self._writer = writer(engine)
        self.now = now
        self._lease = lease
        self._person_at_once = person_at_once

    async def put(self, event: Event) -> bool:
        """Keep an event; it is on disk when this returns. False: it is known already, whatever became of it."""
        now = self.now()
        row = {
            "key": event.key,
            # Slash commands typed outside any thread have nothing to wait for.
            "lane": event.spot.lane if event.spot.thread else event.key,
            "event": as_json(event),
            "happened": event.at,
            "arrived": now,
            "due": now,
            "attempt": 0,
            "person": f"{event.spot.platform}/{event.spot.workspace}/{event.by}" if event.by else None,
        }
        statement = insert(self._engine, INBOX).values(row).on_conflict_do_nothing(index_elements=["key"])
        async with transaction(self._writer) as connection:
            return await inserted(connection, statement)

    async def seen(self, key: str) -> bool:
        """Whether the event was put, as far back as that is remembered."""
        async with transaction(self._engine) as connection:
            return await connection.scalar(sa.select(INBOX.c.number).where(INBOX.c.key == key)) is not None

    async def claim(self, worker: str, *, free: int, running: Collection[str] = ()) -> list[Claimed]:
        """Hold the first event of up to `free` lanes in which nobody works.

        First comes whoever has fewest events under way, then what happened first; whoever has `person_at_once` waits.
        A lane whose holder's lease has ended gives that same event again. `running` are keys that this worker is at
        work on: they are not handed to it twice, whatever became of their lease.
        """
        claimed: list[Claimed] = []
        async with transaction(self._writer) as connection:
            if self._engine.dialect.name == "postgresql":
                await connection.execute(
                    sa.select(
                        sa.func.set_config("idle_in_transaction_session_timeout", CLAIM_IDLE, True),
                        sa.func.pg_advisory_xact_lock(CLAIM_LOCK),
                    )
                )
            now, unread = self.now(), True
            while unread:  # what is given up unread makes room for the next of its lane
                first = _next(now, running, most=self._person_at_once).limit(free - len(claimed))
                rows = (await connection.execute(first)).all()
                held = await self._hold(connection, worker, rows, now)
                claimed += held
                unread = len(held) < len(rows)
        return claimed

    async def renew(self, worker: str, keys: Collection[str]) -> dict[str, datetime]:
        """Let the leases on `keys` begin anew: those that are still this worker's, and until when they are."""
        if not keys:
            return {}
        until = self.now() + self._lease
        mine = (INBOX.c.worker == worker, WAITING, INBOX.c.key.in_(keys))
        async with transaction(self._writer) as connection:
            await connection.execute(sa.update(INBOX).where(*mine).values(leased_until=until))
            return dict.fromkeys(await connection.scalars(sa.select(INBOX.c.key).where(*mine)), until)

    async def waiting(self, lanes: Collection[str]) -> dict[str, list[Waiting]]:
        """What waits in each of `lanes` behind the event that is worked on, in order; lanes with nothing are absent."""
        if not lanes:
            return {}
        query = sa.select(*_OPEN).where(INBOX.c.lane.in_(lanes), WAITING, INBOX.c.worker.is_(None))
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(query.order_by(INBOX.c.happened, INBOX.c.number))).all()
        found: dict[str, list[Waiting]] = {}
        for row in rows:
            with suppress(ValidationError):  # told when it is its turn
                found.setdefault(row.lane, []).append(Waiting(event=from_json(row.event), arrived=row.arrived))
        return found

    async def done(self, worker: str, key: str) -> bool:
        """It is dealt with, for good. False, and nothing happens, when this worker does not hold it any more."""
        return await self._settle(worker, key, _ended(self.now(), why=None))

    async def again(self, worker: str, key: str, *, after: float, why: str) -> bool:
        """Give it back, to be tried again in `after` seconds; False as for `done`."""
        due = self.now() + timedelta(seconds=after)
        return await self._settle(worker, key, {"worker": None, "leased_until": None, "due": due, "why": storable(why)})

    async def give_up(self, worker: str, key: str, why: str) -> bool:
        """Nobody tries it again; False as for `done`."""
        return await self._settle(worker, key, _ended(self.now(), why=storable(why)))

    async def release(self, worker: str) -> None:
        """Hand over, at once, whatever this worker still holds."""
        freed = {"worker": None, "leased_until": None, "due": self.now()}
        async with transaction(self._writer) as connection:
            await connection.execute(sa.update(INBOX).where(INBOX.c.worker == worker, WAITING).values(freed))

    async def _settle(self, worker: str, key: str, values: dict[str, Any]) -> bool:
        held = (INBOX.c.key == key, INBOX.c.worker == worker, WAITING)
        async with transaction(self._writer) as connection:
            return (await connection.execute(sa.update(INBOX).where(*held).values(values))).rowcount == 1

    async def _hold(
        self, connection: AsyncConnection, worker: str, rows: Sequence[sa.Row[Any]], now: datetime
    ) -> list[Claimed]:
        """Lease `rows` to the worker, and give up those that cannot be read."""
        claimed, until = {}, now + self._lease
        for row in rows:
            try:
                event = from_json(row.event)
            except ValidationError as error:
                why = _damage(error)
                _log.error("%s is given up, unread: %s", row.key, why)
                given_up = sa.update(INBOX).where(INBOX.c.number == row.number).values(_ended(now, why=why))
                await connection.execute(given_up)
            else:
                started = row.started or now
                claimed[row.number] = Claimed(event=event, attempt=row.attempt + 1, started=started, until=until)
        started = sa.func.coalesce(INBOX.c.started, sa.bindparam("now", now, INBOX.c.started.type))
        values = {"worker": worker, "leased_until": until, "attempt": INBOX.c.attempt + 1, "started": started}
        await connection.execute(sa.update(INBOX).where(INBOX.c.number.in_(claimed)).values(values))
        return list(claimed.values())


def _next(now: datetime, running: Collection[str], *, most: int | None) -> sa.Select[Any]:
    """The events that may be claimed, the next one first; locked where the database does so.

    An event's turn is how many of its person would be under way with it; those of nobody known are each somebody's.
    """
    order = (INBOX.c.happened, INBOX.c.number)
    untaken = INBOX.c.worker.is_(None)
    lapsed = sa.and_(INBOX.c.leased_until <= now, INBOX.c.key.not_in(running))
    first = (
        sa.select(
            INBOX.c.number,
            INBOX.c.happened,
            INBOX.c.person,
            sa.func.coalesce(INBOX.c.person, INBOX.c.key).label("somebody"),
            sa.and_(INBOX.c.due <= now, sa.or_(untaken, lapsed)).label("free"),
            sa.func.row_number().over(partition_by=INBOX.c.lane, order_by=(untaken, *order)).label("place"),
        )
        .where(WAITING)
        .subquery()
    )
    held = (
        sa.select(INBOX.c.person, sa.func.count().label("events"))
        .where(WORKED_ON, sa.not_(lapsed))
        .group_by(INBOX.c.person)
        .subquery()
    )
    before = sa.func.coalesce(held.c.events, 0)
    nth = sa.func.row_number().over(partition_by=first.c.somebody, order_by=(first.c.happened, first.c.number))
    turns = (
        sa.select(first.c.number, (before + nth).label("turn"))
        .outerjoin(held, held.c.person == first.c.person)
        .where(first.c.place == 1, first.c.free)
        .subquery()
    )
    query = sa.select(*_OPEN).join(turns, INBOX.c.number == turns.c.number).where(WAITING)
    if most is not None:
        query = query.where(turns.c.turn <= most)
    return query.order_by(turns.c.turn, *order).with_for_update(of=INBOX, skip_locked=True)


def _ended(now: datetime, *, why: str | None) -> dict[str, Any]:
    return {"ended": now, "why": why, "event": None, "worker": None, "leased_until": None}


def _damage(error: ValidationError) -> str:
    """Why an event cannot be read, without a word of what is in it."""
    fields = (f"{'.'.join(map(str, detail['loc'])) or 'event'}: {detail['type']}" for detail in error.errors())
    return f"damaged, or written by a newer souffleur ({', '.join(fields)})"
