"""Forgetting a person: all that is kept of what they asked, were answered and thought of it.

What they said in the threads of others was never kept as theirs; how those answers came about, with the thread that the
model was given, goes with them. Lines of the audit log stay, and are nobody's any more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, get_args

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.access.audit import AUDIT, CONSOLE, NAMES, forget_names, holds
from bot.access.interface import Act, Note
from bot.access.quotas import USAGE
from bot.conversations import ANSWERS, RESTS, TRACES
from bot.dialogue.tables import ATTACHMENTS, FEEDBACK, HANDOVERS, INBOX, MEMORY, MESSAGES, REPLIES
from bot.platforms.events import PlatformName
from ingest.database import transaction, writer
from ingest.errors import Terminal

PERSON = re.compile(r"(slack|mattermost|key|user):.+|loopback|console")
"""As `Asker.id`, or `user:` and an address."""

CHAT = get_args(PlatformName)


class PersonUnknown(Terminal):
    """Nobody is named; the text says how to name somebody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Erased:
    """What was deleted of one person."""

    person: str
    counts: dict[str, int]
    """How many rows of what; of the audit log, lines that are anonymous now."""
    at_work: int = 0
    """Questions of theirs that are being answered now, and were left."""


def see_that_it_names_somebody(reference: str) -> None:
    """Raises `PersonUnknown` for what is no `Asker.id` and no address with its kind."""
    if not PERSON.fullmatch(reference):
        raise PersonUnknown(
            f"{reference!r} names nobody: write slack:U042, mattermost:ID, key:NAME or user:ada@example.org;"
            " `bot audit` and `bot answers` show who asked"
        )


class Erasure:
    """Deletes what is kept of people. Calls may raise what `ingest.database` raises."""

    def __init__(self, engine: AsyncEngine, note: Note) -> None:
        self._engine = engine
        self._note = note

    async def accounts(self, reference: str) -> tuple[str, ...]:
        """Who is meant by what an operator writes: `slack:U042`, `mattermost:…`, `key:NAME`; of `user:EMAIL` all
        accounts of chat platforms that are known to have held that token. Raises `PersonUnknown`.
        """
        see_that_it_names_somebody(reference)
        if not reference.startswith("user:"):
            return (reference,)
        token = reference.lower()
        held = holds(self._engine, sa.cast(ANSWERS.c.readers, sa.Text), f'"{token}"')
        async with transaction(self._engine) as connection:
            found = set(await connection.scalars(sa.select(ANSWERS.c.asker).where(held)))
            numbers = await connection.scalars(sa.select(NAMES.c.number).where(NAMES.c.name == token))
            lines = [holds(self._engine, AUDIT.c.tokens, f'"#{number}"') for number in numbers]
            by = sa.select(AUDIT.c.by).where(sa.or_(sa.false(), *lines))
            found |= set(await connection.scalars(sa.select(NAMES.c.name).where(NAMES.c.number.in_(by))))
        people = tuple(sorted(person for person in found if person.startswith(tuple(f"{name}:" for name in CHAT))))
        if not people:
            raise PersonUnknown(
                f"no account is known to belong to {token}: only who could read documents for that address alone is."
                " Name the accounts themselves: slack:U042, mattermost:ID (in the profile at the platform)"
            )
        return (*people, token)

    async def forget(self, person: str, *, dry_run: bool = False) -> Erased:
        """Delete all that is kept of `person`, an account's id, in one transaction; with `dry_run` only count it."""
        async with transaction(writer(self._engine)) as connection:
            if self._engine.dialect.name == "sqlite":
                # Else what is deleted stays in the file until its place is needed.
                await connection.execute(sa.text("PRAGMA secure_delete = ON"))
            attempt = await connection.begin_nested()
            erased = await self._forget(connection, person)
            await (attempt.rollback() if dry_run else attempt.commit())
        if not dry_run:
            await emptied_log(self._engine)
            await self._note(Act(deed="forgotten", by=CONSOLE))
        return erased

    async def _forget(self, connection: AsyncConnection, person: str) -> Erased:
        platform, _, own_id = person.partition(":")
        gone = _Gone(connection)
        own = sa.select(ANSWERS.c.trace).where(ANSWERS.c.asker == person)
        threads = sa.select(ANSWERS.c.thread).where(ANSWERS.c.asker == person, ANSWERS.c.thread.is_not(None))
        in_threads = sa.select(ANSWERS.c.trace).where(ANSWERS.c.thread.in_(threads))
        at_work = 0
        if platform in CHAT:
            at_work = await self._forget_in_chat(gone, platform, own_id)
        await gone.delete("accounts of how answers came about", TRACES, _either(TRACES.c.trace, own, in_threads))
        await gone.delete("opinions", FEEDBACK, FEEDBACK.c.trace.in_(own))
        await gone.delete("", RESTS, RESTS.c.trace.in_(own))
        await gone.delete("answers", ANSWERS, ANSWERS.c.asker == person)
        await gone.delete("counts of what was asked", USAGE, USAGE.c.who == person)
        if person != CONSOLE:  # nobody in particular, and so no one to be forgotten in what operators did
            gone.count("mentions in the audit log", await forget_names(self._engine, connection, [person]))
        return Erased(person=person, counts=gone.counts, at_work=at_work)

    async def _forget_in_chat(self, gone: _Gone, platform: str, user: str) -> int:
        """What only people on chat platforms have; how much of it is being worked on, and left."""
        connection = gone.connection
        theirs = sa.and_(REPLIES.c.platform == platform, REPLIES.c.asker == user)
        held = sa.exists().where(INBOX.c.lane == REPLIES.c.lane, INBOX.c.ended.is_(None), INBOX.c.worker.is_not(None))
        count = sa.select(sa.func.count()).select_from(REPLIES).where(theirs, REPLIES.c.state == "writing", held)
        at_work = await connection.scalar(count) or 0
        settled = sa.and_(theirs, sa.or_(REPLIES.c.state != "writing", ~held))
        keys = sa.select(REPLIES.c.key).where(settled)
        lanes = sa.select(REPLIES.c.lane).where(theirs)
        await gone.delete("files of conversations", ATTACHMENTS, ATTACHMENTS.c.lane.in_(lanes))
        await gone.delete("opinions", FEEDBACK, FEEDBACK.c.user == user)
        own = sa.or_(HANDOVERS.c.reply.in_(keys), HANDOVERS.c.by == user)
        await gone.delete("questions handed over", HANDOVERS, own)
        await _unnamed(connection, user)
        # Of a channel it stays known which messages are ours: else they would be taken for what others said.
        direct = keys.where(REPLIES.c.spot["direct"].as_boolean())
        await connection.execute(sa.delete(MESSAGES).where(MESSAGES.c.reply.in_(direct)))
        await connection.execute(sa.update(MESSAGES).where(MESSAGES.c.reply.in_(keys)).values(reply=None))
        await gone.delete("replies", REPLIES, settled)
        person = sa.and_(
            INBOX.c.person.startswith(f"{platform}/", autoescape=True),
            INBOX.c.person.endswith(f"/{user}", autoescape=True),
        )
        await gone.delete("events", INBOX, person, INBOX.c.ended.is_(None), INBOX.c.worker.is_(None))
        # The key stays, so that nothing is answered a second time; nothing in it says who.
        await connection.execute(sa.update(INBOX).where(person, INBOX.c.ended.is_not(None)).values(person=None))
        names = await connection.scalars(sa.select(MEMORY.c.name))
        about = [name for name in names if user in re.split(r"[/:|]", name)]
        await gone.delete("notes of the platform", MEMORY, MEMORY.c.name.in_(about))
        return at_work


def _either(column: sa.Column[str], *queries: sa.Select[tuple[str]]) -> sa.ColumnElement[bool]:
    return sa.or_(*(column.in_(query) for query in queries))


class _Gone:
    """Counts what is deleted, by what it is called."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.counts: dict[str, int] = {}

    async def delete(self, name: str, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> None:
        self.count(name, (await self.connection.execute(sa.delete(table).where(*conditions))).rowcount)

    def count(self, name: str, number: int) -> None:
        if name and number:
            self.counts[name] = self.counts.get(name, 0) + number


async def _unnamed(connection: AsyncConnection, user: str) -> None:
    """Take `user` out of questions of others that they took over, or could have."""
    rows = await connection.execute(sa.select(HANDOVERS.c.reply, HANDOVERS.c.owners, HANDOVERS.c.resolved_by))
    for row in rows.all():
        if user in row.owners or user == row.resolved_by:
            values: dict[str, Any] = {
                "owners": [owner for owner in row.owners if owner != user],
                "resolved_by": None if row.resolved_by == user else row.resolved_by,
            }
            await connection.execute(sa.update(HANDOVERS).where(HANDOVERS.c.reply == row.reply).values(values))


async def emptied_log(engine: AsyncEngine) -> None:
    """Have SQLite's write-ahead log, which holds pages as they were, end; one that is being read ends later."""
    if engine.dialect.name == "sqlite":
        async with engine.connect() as connection:
            raw = await connection.get_raw_connection()
            await raw.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
