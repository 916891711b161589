"""Which messages of ours answer which question and what became of them; what people think of an answer, and who took
over from it; and what an adapter must know after a restart.

Everything is written before the next step is visible, so that whoever comes after a crash finds how far it went.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.dialogue.tables import FEEDBACK, HANDOVERS, MEMORY, MESSAGES, REPLIES, inserted, storable
from bot.model import Basis
from bot.platforms.events import PlatformName, Spot
from bot.platforms.interface import Post
from ingest.database import insert, transaction, writer

State = Literal["offered", "writing", "shown", "stopped", "withdrawn"]
Value = Literal["up", "down"]

_POST = TypeAdapter(Post)
_SPOT = TypeAdapter(Spot)

_UNWRITTEN: dict[str, Any] = {"post": None, "trace": None, "basis": None}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """One answer, as people see it or are about to."""

    key: str
    """Key of the event that asked."""
    spot: Spot
    """The thread that it is shown in."""
    asker: str
    question: str
    """Id of the message that asked."""
    language: str
    messages: tuple[str, ...] = ()
    """Ours that hold it, in the order in which they are read; none where it is private and has no ids."""
    post: Post | None = None
    """It in full, once it is written; what is shown may still be less."""
    trace: str | None = None
    state: State = "writing"
    private: bool = False
    """Whether the asker alone sees it."""
    cause: str = ""
    """Key of the event for which it is written anew (an edit, "regenerate"); empty the first time."""
    basis: Basis | None = None
    """What the post rests on; None where that is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Feedback:
    """What one person thinks of one answer."""

    trace: str
    user: str
    value: Value | None
    remark: str | None
    given: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Handover:
    """A question that people were asked to take over."""

    reply: str
    """Key of the reply that did not help."""
    by: str
    """Who asked for a person."""
    owners: tuple[str, ...]
    messages: tuple[str, ...]
    """Ours that tell the owners; none until they are told."""
    asked: datetime
    resolved_by: str | None = None
    resolved: datetime | None = None


class Replies:
    """Calls may raise what `ingest.database` raises. It is an adapter's `Memory`, too."""

    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._writer = writer(engine)
        self.now = now

    async def begin(self, reply: Reply) -> Reply:
        """Note that an answer is about to be shown, before it is.

        Where there is one of that key already it is what counts, and is returned: with its messages, and with its post
        if it was written. Another `cause` than its own reopens it: the messages stay, to be written over.
        """
        async with transaction(self._writer) as connection:
            statement = insert(self._engine, REPLIES).values(_row(reply) | {"changed": self.now()})
            if await inserted(connection, statement.on_conflict_do_nothing(index_elements=["key"])):
                await self._place(connection, reply.spot, reply.messages, of=reply.key)
            else:
                other = (REPLIES.c.key == reply.key, REPLIES.c.cause != reply.cause)
                anew = _UNWRITTEN | {"cause": reply.cause, "language": reply.language, "state": "writing"}
                await connection.execute(sa.update(REPLIES).where(*other).values(anew | {"changed": self.now()}))
            return await _reply(connection, REPLIES.c.key == reply.key) or reply

    async def offered(self, reply: Reply) -> bool:
        """Note that an answer is about to be offered, in place of one that another cause had; False where it was."""
        row = _row(reply) | {"state": "offered", "changed": self.now()}
        statement = insert(self._engine, REPLIES).values(row)
        anew = {name: statement.excluded[name] for name in row if name != "key"}
        async with transaction(self._writer) as connection:
            return await inserted(
                connection,
                statement.on_conflict_do_update(
                    index_elements=["key"], set_=anew, where=REPLIES.c.cause != statement.excluded.cause
                ),
            )

    async def get(self, key: str) -> Reply | None:
        async with transaction(self._engine) as connection:
            return await _reply(connection, REPLIES.c.key == key)

    async def posted(self, key: str, message: str) -> None:
        """Note that `message` exists and is the reply's, after those it had."""
        async with transaction(self._writer) as connection:
            reply = await _reply(connection, REPLIES.c.key == key)
            if reply is not None and message not in reply.messages:
                await self._place(connection, reply.spot, (*reply.messages, message), of=key)
                await self._change(connection, key, {})

    async def written(self, key: str, post: Post, trace: str | None, basis: Basis | None) -> None:
        """Keep the whole answer, before it is shown, with what it rests on."""
        values = {"post": _POST.dump_json(post).decode(), "trace": trace, "basis": basis}
        async with transaction(self._writer) as connection:
            await self._change(connection, key, values)

    async def withdrawn(self, key: str, *, language: str) -> None:
        """Forget what was answered in `language`: nobody is shown it again, and nothing is built on it.

        Its messages stay known.
        """
        values = {"post": None, "basis": None, "state": "withdrawn", "language": language}
        async with transaction(self._writer) as connection:
            await self._change(connection, key, values)

    async def settled(self, key: str, *, messages: Sequence[str], state: State) -> None:
        """Note what became of it, and which messages hold it now; others that it had are gone."""
        async with transaction(self._writer) as connection:
            reply = await _reply(connection, REPLIES.c.key == key)
            if reply is not None:
                await connection.execute(sa.delete(MESSAGES).where(MESSAGES.c.reply == key))
                await self._place(connection, reply.spot, messages, of=key)
                await self._change(connection, key, {"state": state})

    async def of_trace(self, trace: str) -> tuple[Reply, ...]:
        """The replies that show that answer: one, and what was shared from it."""
        query = sa.select(REPLIES.c.key).where(REPLIES.c.trace == trace).order_by(REPLIES.c.key)
        async with transaction(self._engine) as connection:
            keys = (await connection.scalars(query)).all()
            found = [await _reply(connection, REPLIES.c.key == key) for key in keys]
        return tuple(reply for reply in found if reply is not None)

    async def holding(self, spot: Spot, message: str) -> Reply | None:
        """The reply that a message of ours belongs to; the thread of `spot` does not matter."""
        async with transaction(self._engine) as connection:
            of = sa.select(MESSAGES.c.reply).where(MESSAGES.c.key == spot.key_of(message)).scalar_subquery()
            return await _reply(connection, REPLIES.c.key == of)

    async def holding_all(self, spot: Spot) -> dict[str, Reply]:
        """The replies that our messages in the thread belong to, by message; the one that it hangs on is among them."""
        here = sa.or_(MESSAGES.c.lane == spot.lane, MESSAGES.c.key == spot.key_of(spot.thread))
        keys = sa.select(MESSAGES.c.reply).where(here)
        query = (
            sa.select(REPLIES, MESSAGES.c.message)
            .join(MESSAGES, MESSAGES.c.reply == REPLIES.c.key)
            .where(REPLIES.c.key.in_(keys))
            .order_by(REPLIES.c.key, MESSAGES.c.position)
        )
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        found: dict[str, Reply] = {}
        for _, group in groupby(rows, key=lambda row: row.key):
            parts = list(group)
            reply = _reply_of(parts[0], [row.message for row in parts])
            found.update(dict.fromkeys(reply.messages, reply))
        return found

    async def linked(self, platform: PlatformName, message: str, *, channel: str | None = None) -> tuple[Reply, ...]:
        """What a link to `message` is about, the latest first: the reply that it holds; else those to what it asks,
        else those in the thread that hangs on it.

        `channel` is None where a message's id is one of its own everywhere.
        """
        tail = message if channel is None else f"{channel}/{message}"
        held = sa.select(MESSAGES.c.reply).where(
            MESSAGES.c.message == message, MESSAGES.c.key.endswith(f"/{tail}", autoescape=True)
        )
        in_channel = (
            sa.literal(value=True) if channel is None else REPLIES.c.lane.contains(f"/{channel}/", autoescape=True)
        )
        asked = sa.and_(REPLIES.c.question == message, in_channel)
        below = REPLIES.c.lane.endswith(f"/{tail}", autoescape=True)
        async with transaction(self._engine) as connection:
            for condition in (REPLIES.c.key.in_(held), asked, below):
                query = sa.select(REPLIES).where(REPLIES.c.platform == platform, condition)
                rows = (await connection.execute(query.order_by(REPLIES.c.changed.desc(), REPLIES.c.key))).all()
                if rows:
                    return tuple(_reply_of(row, ()) for row in rows)
        return ()

    async def noted(self, spot: Spot, messages: Sequence[str]) -> None:
        """Remember messages of ours that answer nothing: an apology, a receipt, what was shared."""
        async with transaction(self._writer) as connection:
            await self._place(connection, spot, messages, of=None)

    async def known_messages(self, spot: Spot) -> set[str]:
        """Ids of our messages in the thread."""
        async with transaction(self._engine) as connection:
            return set(await connection.scalars(sa.select(MESSAGES.c.message).where(MESSAGES.c.lane == spot.lane)))

    async def takes_part(self, spot: Spot) -> bool:
        """Whether people see an answer of ours in the thread."""
        visible = (REPLIES.c.lane == spot.lane, ~REPLIES.c.private, REPLIES.c.state != "withdrawn")
        query = sa.select(MESSAGES.c.key).join(REPLIES, MESSAGES.c.reply == REPLIES.c.key).where(*visible).limit(1)
        async with transaction(self._engine) as connection:
            return await connection.scalar(query) is not None

    async def feedback(self, trace: str, user: str, value: Value | None, remark: str | None) -> None:
        """Keep what `user` thinks of the answer, in place of what they thought before.

        Without a `value` it is what they say about the one they gave; the same value again keeps their remark.
        """
        one = (FEEDBACK.c.trace == trace, FEEDBACK.c.user == user)
        async with transaction(self._writer) as connection:
            before = (await connection.execute(sa.select(FEEDBACK).where(*one).with_for_update())).one_or_none()
            if before is not None:
                remark = before.remark if remark is None and value in (None, before.value) else remark
                value = value or before.value
            row = {
                "trace": trace,
                "user": user,
                "value": value,
                "remark": remark and storable(remark),
                "given": self.now(),
            }
            statement = insert(self._engine, FEEDBACK).values(row)
            changed = {name: statement.excluded[name] for name in ("value", "remark", "given")}
            await connection.execute(statement.on_conflict_do_update(index_elements=["trace", "user"], set_=changed))

    async def opinions(self, trace: str) -> tuple[Feedback, ...]:
        """What people think of the answer, oldest first."""
        query = sa.select(FEEDBACK).where(FEEDBACK.c.trace == trace).order_by(FEEDBACK.c.given, FEEDBACK.c.user)
        async with transaction(self._engine) as connection:
            return tuple(Feedback(**row) for row in (await connection.execute(query)).mappings())

    async def hand_over(self, key: str, *, by: str, owners: Sequence[str]) -> Handover:
        """Note that `owners` are asked to take over from the reply, before they are told; the first time counts."""
        row = {"reply": key, "by": by, "owners": list(owners), "messages": [], "asked": self.now()}
        async with transaction(self._writer) as connection:
            statement = insert(self._engine, HANDOVERS).values(row)
            await connection.execute(statement.on_conflict_do_nothing(index_elements=["reply"]))
            return _handover((await connection.execute(_handovers(key))).mappings().one())

    async def told(self, key: str, spot: Spot, messages: Sequence[str]) -> None:
        """Note the messages that told the owners."""
        async with transaction(self._writer) as connection:
            values = {"messages": list(messages)}
            await connection.execute(sa.update(HANDOVERS).where(HANDOVERS.c.reply == key).values(values))
            await self._place(connection, spot, messages, of=None)

    async def handover(self, key: str) -> Handover | None:
        async with transaction(self._engine) as connection:
            row = (await connection.execute(_handovers(key))).mappings().one_or_none()
            return None if row is None else _handover(row)

    async def handed_over(self, keys: Collection[str]) -> bool:
        """Whether people were asked to take over from any of those replies."""
        query = sa.select(HANDOVERS.c.reply).where(HANDOVERS.c.reply.in_(keys)).limit(1)
        async with transaction(self._engine) as connection:
            return await connection.scalar(query) is not None

    async def resolve(self, key: str, *, by: str) -> Handover | None:
        """Note that the question is answered by people, once; how the hand-over is now, None where there was none."""
        open_one = (HANDOVERS.c.reply == key, HANDOVERS.c.resolved.is_(None))
        async with transaction(self._writer) as connection:
            values = {"resolved_by": by, "resolved": self.now()}
            await connection.execute(sa.update(HANDOVERS).where(*open_one).values(values))
        return await self.handover(key)

    async def recall(self, name: str) -> str | None:
        async with transaction(self._engine) as connection:
            return await connection.scalar(sa.select(MEMORY.c.value).where(MEMORY.c.name == name))

    async def keep(self, name: str, value: str) -> None:
        statement = insert(self._engine, MEMORY).values(name=name, value=value)
        async with transaction(self._writer) as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value})
            )

    async def threads(self, platform: PlatformName, since: datetime) -> Sequence[Spot]:
        """Where people saw an answer of ours change since then, one spot a thread, the latest first."""
        seen = (REPLIES.c.platform == platform, REPLIES.c.changed >= since, ~REPLIES.c.private)
        query = sa.select(REPLIES.c.spot).where(*seen).order_by(REPLIES.c.changed.desc(), REPLIES.c.key)
        async with transaction(self._engine) as connection:
            spots = [_SPOT.validate_python(spot) for spot in await connection.scalars(query)]
        found: dict[str, Spot] = {}
        for spot in spots:
            found.setdefault(spot.lane, spot)
        return tuple(found.values())

    async def _change(self, connection: AsyncConnection, key: str, values: dict[str, Any]) -> None:
        changed = values | {"changed": self.now()}
        await connection.execute(sa.update(REPLIES).where(REPLIES.c.key == key).values(changed))

    async def _place(
        self, connection: AsyncConnection, spot: Spot, messages: Collection[str], *, of: str | None
    ) -> None:
        """Note that `messages` are ours and, in this order, the reply's."""
        rows = [
            {"key": spot.key_of(message), "lane": spot.lane, "message": message, "reply": of, "position": position}
            for position, message in enumerate(dict.fromkeys(messages))
        ]
        if rows:
            statement = insert(self._engine, MESSAGES)
            changed = {name: statement.excluded[name] for name in ("lane", "reply", "position")}
            await connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=changed), rows)


def _row(reply: Reply) -> dict[str, Any]:
    names = ("key", "cause", "asker", "question", "language", "trace", "state", "private", "basis")
    return {name: getattr(reply, name) for name in names} | {
        "lane": reply.spot.lane,
        "spot": asdict(reply.spot),
        "platform": reply.spot.platform,
        "post": None if reply.post is None else _POST.dump_json(reply.post).decode(),
    }


async def _reply(connection: AsyncConnection, condition: sa.ColumnElement[bool]) -> Reply | None:
    row = (await connection.execute(sa.select(REPLIES).where(condition))).one_or_none()
    if row is None:
        return None
    messages = sa.select(MESSAGES.c.message).where(MESSAGES.c.reply == row.key).order_by(MESSAGES.c.position)
    return _reply_of(row, await connection.scalars(messages))


def _reply_of(row: sa.Row[Any], messages: Iterable[str]) -> Reply:
    return Reply(
        key=row.key,
        spot=_SPOT.validate_python(row.spot),
        asker=row.asker,
        question=row.question,
        language=row.language,
        messages=tuple(messages),
        post=_post(row),
        trace=row.trace,
        state=row.state,
        private=row.private,
        cause=row.cause,
        basis=row.basis,
    )


def _post(row: sa.Row[Any]) -> Post | None:
    """None also for one that this version cannot read: it is written anew then."""
    if row.post is None:
        return None
    try:
        return _POST.validate_json(row.post)
    except ValidationError:
        _log.warning("the answer to %s was stored by another version of souffleur, and is written anew", row.key)
        return None


def _handovers(key: str) -> sa.Select[Any]:
    return sa.select(HANDOVERS).where(HANDOVERS.c.reply == key)


def _handover(row: sa.RowMapping) -> Handover:
    return Handover(**{**row, "owners": tuple(row["owners"]), "messages": tuple(row["messages"])})
