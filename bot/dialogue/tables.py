"""The dialogue's tables, beside the answers in the bot's part of the database."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversations import METADATA
from ingest.database import DocumentKeys, Moment

INBOX = sa.Table(
    "inbox",
    METADATA,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("event", sa.Text),
    sa.Column("happened", Moment, nullable=False),
    sa.Column("arrived", Moment, nullable=False),
    sa.Column("due", Moment, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("started", Moment),
    sa.Column("worker", sa.Text),
    sa.Column("leased_until", Moment),
    sa.Column("ended", Moment),
    sa.Column("why", sa.Text),
    sa.Column("person", sa.Text),
)
"""`event` is gone once it has `ended`, for the secrets in it; the key stays a while and is not taken again.

`worker` is whoever works on it, `started` when anybody first did, `why` what the last attempt failed of, `person` who
did it, where that is known.
"""

WAITING = INBOX.c.ended.is_(None)
WORKED_ON = INBOX.c.worker.is_not(None)

sa.Index(
    "inbox_waiting",
    INBOX.c.lane,
    INBOX.c.happened,
    INBOX.c.number,
    sqlite_where=WAITING,
    postgresql_where=WAITING,
)
sa.Index("inbox_one_a_lane", INBOX.c.lane, unique=True, sqlite_where=WORKED_ON, postgresql_where=WORKED_ON)
sa.Index("inbox_ended", INBOX.c.ended)

REPLIES = sa.Table(
    "replies",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("spot", sa.JSON, nullable=False),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("asker", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("post", sa.Text),
    sa.Column("trace", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("private", sa.Boolean, nullable=False),
    sa.Column("changed", Moment, nullable=False),
    sa.Column("basis", DocumentKeys),
    sa.Index("replies_of_thread", "lane"),
    sa.Index("replies_changed", "platform", "changed"),
)
"""`basis`: what the post rests on; NULL: nobody knows what that is."""

MESSAGES = sa.Table(
    "messages",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("reply", sa.Text),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Index("messages_of_thread", "lane"),
    sa.Index("messages_of_reply", "reply", "position"),
)
"""Messages of ours, by `Spot.key_of`; without a `reply` those that answer nothing."""

ATTACHMENTS = sa.Table(
    "attachments",
    METADATA,
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("workspace", sa.Text, primary_key=True),
    sa.Column("file", sa.Text, primary_key=True),
    sa.Column("lane", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("text", sa.JSON, nullable=False),
    sa.Column("read_at", Moment, nullable=False),
    sa.Index("attachments_by_age", "read_at"),
)
"""`text` holds the file's chunks, none for one that could not be read."""

FEEDBACK = sa.Table(
    "feedback",
    METADATA,
    sa.Column("trace", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("value", sa.Text),
    sa.Column("remark", sa.Text),
    sa.Column("given", Moment, nullable=False),
)
HANDOVERS = sa.Table(
    "handovers",
    METADATA,
    sa.Column("reply", sa.Text, primary_key=True),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("owners", sa.JSON, nullable=False),
    sa.Column("messages", sa.JSON, nullable=False),
    sa.Column("asked", Moment, nullable=False),
    sa.Column("resolved_by", sa.Text),
    sa.Column("resolved", Moment),
)
MEMORY = sa.Table(
    "memory",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)


async def inserted(connection: AsyncConnection, statement: sa.Insert) -> bool:
    """Execute an `INSERT` of one row: whether there was none like it."""
    # SQLAlchemy counts inserted rows only when it is told to.
    return (await connection.execute(statement.execution_options(preserve_rowcount=True))).rowcount == 1


def storable(text: str) -> str:
    """Without what Postgres keeps in no text: NUL, halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
