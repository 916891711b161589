"""The audit log: who did what, where, with which tokens, and on which documents it bore.

The database itself refuses to change a line, and to delete one before it has expired (see the migration `0006_audit`).
So that a person can be forgotten all the same, lines hold numbers in place of whatever names somebody (people, their
own tokens, places); who is meant stands in `audit_names`, where erasure deletes it. A name has one number a month, so
that names expire as lines do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.access.interface import Act, Deed
from bot.conversations import METADATA
from bot.model import Basis
from ingest.database import Moment, batches, insert, transaction, writer
from ingest.errors import Terminal
from ingest.model import DocumentId, DocumentKey, Readers

MOST = 500
"""Tokens, and documents of each kind, that one line holds; beyond, it says how many are left out."""

MOST_CHARACTERS = 64_000
"""Of all documents of one kind, or of all tokens, in one line."""

LONGEST_NAME = 1000
"""Characters of whoever or wherever it is."""

FORGOTTEN = "forgotten:"
"""Stands, with the number, for somebody who has been erased."""

CONSOLE = "console"
"""Whoever works at the machine, as `Act.by`."""

_PLATFORM = re.compile(r"[a-z]{0,32}")
_ANSWER = re.compile(r"[0-9A-Za-z_-]{0,64}")
_IMPERSONAL = re.compile(r"public|everyone|group:.*|slack:[CGS].*|mattermost:(team|group):.*")
"""Tokens that no one person is behind. A channel's id of Mattermost is not told from a person's: it counts as one."""

_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")

NAMES = sa.Table(
    "audit_names",
    METADATA,
    sa.Column("number", _number, primary_key=True, autoincrement=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("expires", Moment, nullable=False),
    sa.UniqueConstraint("name", "expires", name="audit_name_once"),
    sa.Index("audit_names_by_age", "expires"),
    sqlite_autoincrement=True,
)
AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("number", _number, primary_key=True, autoincrement=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("expires", Moment, nullable=False),
    sa.Column("deed", sa.Text, nullable=False),
    sa.Column("by", sa.BigInteger, nullable=False),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("place", sa.BigInteger),
    sa.Column("tokens", sa.Text, nullable=False),
    sa.Column("passed", sa.Text, nullable=False),
    sa.Column("withheld", sa.Text, nullable=False),
    sa.Column("left_out", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Index("audit_by_age", "expires"),
    sa.Index("audit_of_person", "by"),
    sa.Index("audit_of_place", "place"),
    sa.Index("audit_of_answer", "answer"),
    sqlite_autoincrement=True,
)
"""`by`, `place` and the tokens `#12` are numbers of `audit_names`; lists are sorted JSON, `left_out` a JSON object."""


class ActRefused(Terminal):
    """What was to be written into the audit log is no line of it; a mistake in the program, not in a setting."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line(Act):
    """An act as it is in the log. Of people who were erased a number is left: `forgotten:12`."""

    number: int
    left_out: Mapping[str, int]
    """How many `tokens`, `passed` or `withheld` were too many for one line."""


class Audit:
    """Writes and reads the log. Calls may raise what `ingest.database` raises."""

    def __init__(
        self, engine: AsyncEngine, now: Callable[[], datetime] = lambda: datetime.now(UTC), *, keep_days: int
    ) -> None:
        """`keep_days`: how long the lines that are written from now on are kept; it changes nothing about others."""
        self._engine = engine
        self._now = now
        self._keep = timedelta(days=keep_days)

    async def note(self, act: Act) -> None:
        """Append one line. Raises `ActRefused` for what could be a text of people or documents."""
        act = _checked(act)
        at = self._now()
        personal = {token for token in act.tokens if not _IMPERSONAL.fullmatch(token)}
        names = {act.by, *personal} | ({act.place} if act.place else set())
        async with transaction(writer(self._engine)) as connection:
            numbers = await self._numbers(connection, names, _end_of_month(at) + self._keep)
            tokens = (f"#{numbers[token]}" if token in personal else token for token in act.tokens)
            lists = {"tokens": _fitting(tokens), "passed": _fitting(act.passed), "withheld": _fitting(act.withheld)}
            row: dict[str, Any] = {name: _as_json(kept) for name, (kept, _) in lists.items()}
            row |= {
                "at": at,
                "expires": at + self._keep,
                "deed": act.deed,
                "by": numbers[act.by],
                "platform": act.platform,
                "place": numbers[act.place] if act.place else None,
                "left_out": _as_json({name: cut for name, (_, cut) in lists.items() if cut}),
                "answer": act.answer,
            }
            await connection.execute(sa.insert(AUDIT), [row])

    async def acts(
        self,
        *,
        user: str = "",
        answer: str = "",
        document: DocumentKey | None = None,
        deed: Deed | None = None,
        since: datetime | None = None,
        limit: int = 1000,
    ) -> list[Line]:
        """The latest `limit` lines that are all of that, oldest first.

        Args:
            user: whose acts, as `Act.by`, or what was done with that token of one person (`user:ada@example.org`).
            answer: trace id, or how it begins.
            document: that was passed or withheld.
            deed: what was done.
            since: at that moment or later.
            limit: how many.
        """
        async with transaction(self._engine) as connection:
            query = sa.select(AUDIT)
            if user:
                own = list(await connection.scalars(sa.select(NAMES.c.number).where(NAMES.c.name == _shown(user))))
                held = (holds(self._engine, AUDIT.c.tokens, f'"#{number}"') for number in own)
                query = query.where(sa.or_(AUDIT.c.by.in_(own), *held))
            if document is not None:
                key = _as_json(document)
                either = (holds(self._engine, column, key) for column in (AUDIT.c.passed, AUDIT.c.withheld))
                query = query.where(sa.or_(*either))
            if answer:
                query = query.where(sa.func.substr(AUDIT.c.answer, 1, len(answer)) == answer)
            if deed is not None:
                query = query.where(AUDIT.c.deed == deed)
            if since is not None:
                query = query.where(AUDIT.c.at >= since)
            rows = (await connection.execute(query.order_by(AUDIT.c.number.desc()).limit(limit))).all()
            names = await _names(connection, {number for row in rows for number in _referred(row)})
        return [_line(row, names) for row in reversed(rows)]

    async def _numbers(self, connection: AsyncConnection, names: Iterable[str], expires: datetime) -> dict[str, int]:
        statement = insert(self._engine, NAMES).on_conflict_do_nothing(index_elements=["name", "expires"])
        found: dict[str, int] = {}
        # In order, so that two who need locks on the same names wait for each other one after the other.
        for some in batches(sorted(names)):
            query = sa.select(NAMES.c.name, NAMES.c.number).where(NAMES.c.expires == expires, NAMES.c.name.in_(some))
            known = {row.name: row.number for row in await connection.execute(query)}
            if new := [{"name": name, "expires": expires} for name in some if name not in known]:
                await connection.execute(statement, new)
                known = {row.name: row.number for row in await connection.execute(query)}
            found |= known
        return found


async def forget_names(engine: AsyncEngine, connection: AsyncConnection, names: Collection[str]) -> int:
    """Leave the lines of those people anonymous: how many lines they did.

    With them go the places where nobody else did anything, and the tokens that stand in nobody else's lines.
    """
    shown = [_shown(name) for name in names]
    numbers = set(await connection.scalars(sa.select(NAMES.c.number).where(NAMES.c.name.in_(shown))))
    own = AUDIT.c.by.in_(numbers)
    rows = (await connection.execute(sa.select(AUDIT.c.by, AUDIT.c.place, AUDIT.c.tokens).where(own))).all()
    referred = {number for row in rows for number in _referred(row)} - numbers
    alone = set()
    for number in referred:
        there = sa.or_(AUDIT.c.place == number, holds(engine, AUDIT.c.tokens, f'"#{number}"'))
        somebody_else = sa.select(AUDIT.c.number).where(there, ~own).limit(1)
        if await connection.scalar(somebody_else) is None:
            alone.add(number)
    for some in batches(sorted(numbers | alone)):
        await connection.execute(sa.delete(NAMES).where(NAMES.c.number.in_(some)))
    return len(rows)


def holds(engine: AsyncEngine, column: sa.ColumnElement[str], text: str) -> sa.ColumnElement[bool]:
    """Whether `text` is part of the column, to the letter; SQLite's `LIKE` takes one case for the other."""
    position = sa.func.strpos if engine.dialect.name == "postgresql" else sa.func.instr
    return position(column, text) > 0


def _as_json(data: object) -> str:
    """In ASCII: what cannot be stored as text is escaped."""
    return json.dumps(data, separators=(",", ":"))


def _checked(act: Act) -> Act:
    """The act, its names of people and places on one line. Raises `ActRefused`."""
    if act.deed not in get_args(Deed):
        raise ActRefused(f"{act.deed!r} is no deed of the audit log; see `bot.access.interface.Deed`")
    if not (act.by and _PLATFORM.fullmatch(act.platform) and _ANSWER.fullmatch(act.answer)):
        raise ActRefused(f"a line of the audit log ({act.deed}) lacks who did it, or its platform or trace id is none")
    if max(map(len, (act.by, act.place, *act.tokens))) > LONGEST_NAME:
        raise ActRefused(f"a line of the audit log ({act.deed}) holds what is no name of a person, a place or a group")
    return replace(act, by=_shown(act.by), place=_shown(act.place), tokens=frozenset(map(_shown, act.tokens)))


def _shown(name: str) -> str:
    return name if name.isprintable() else name.encode("unicode_escape", "backslashreplace").decode("ascii")


def _fitting(items: Iterable[Any]) -> tuple[list[Any], int]:
    """As many as one line holds, sorted, and how many it does not."""
    everything: Sequence[Any] = sorted(items)
    kept: list[Any] = []
    left = MOST_CHARACTERS
    for item in everything[:MOST]:
        left -= len(item) if isinstance(item, str) else sum(map(len, item))
        if left < 0:
            break
        kept.append(item)
    return kept, len(everything) - len(kept)


def _end_of_month(moment: datetime) -> datetime:
    first = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def _referred(row: Any) -> set[int]:
    tokens = {int(token[1:]) for token in json.loads(row.tokens) if token.startswith("#")}
    return {row.by} | tokens | (set() if row.place is None else {row.place})


async def _names(connection: AsyncConnection, numbers: Collection[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for some in batches(numbers):
        query = sa.select(NAMES.c.number, NAMES.c.name).where(NAMES.c.number.in_(some))
        found |= {row.number: row.name for row in await connection.execute(query)}
    return found


def _line(row: sa.Row[Any], names: Mapping[int, str]) -> Line:
    def name(number: int) -> str:
        return names.get(number, f"{FORGOTTEN}{number}")

    def documents(stored: str) -> Basis:
        return frozenset((source, DocumentId(document)) for source, document in json.loads(stored))

    tokens: Readers = frozenset(
        name(int(token[1:])) if token.startswith("#") else token for token in json.loads(row.tokens)
    )
    return Line(
        number=row.number,
        deed=row.deed,
        by=name(row.by),
        platform=row.platform,
        place="" if row.place is None else name(row.place),
        tokens=tokens,
        passed=documents(row.passed),
        withheld=documents(row.withheld),
        answer=row.answer,
        at=row.at,
        left_out=json.loads(row.left_out),
    )
