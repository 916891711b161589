"""What people do on chat platforms, which of our messages answer it, what they think of that, and who takes over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _inbox()
    _replies()
    op.create_table(
        "feedback",
        sa.Column("trace", sa.Text, primary_key=True),
        sa.Column("user", sa.Text, primary_key=True),
        sa.Column("value", sa.Text),
        sa.Column("remark", sa.Text),
        sa.Column("given", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "handovers",
        sa.Column("reply", sa.Text, primary_key=True),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("owners", sa.JSON, nullable=False),
        sa.Column("messages", sa.JSON, nullable=False),
        sa.Column("asked", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_by", sa.Text),
        sa.Column("resolved", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "memory",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("event", sa.Text),
        sa.Column("happened", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrived", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("started", sa.DateTime(timezone=True)),
        sa.Column("worker", sa.Text),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.Column("ended", sa.DateTime(timezone=True)),
        sa.Column("why", sa.Text),
    )
    waiting, worked_on = sa.text("ended IS NULL"), sa.text("worker IS NOT NULL")
    op.create_index(
        "inbox_waiting",
        "inbox",
        ["lane", "happened", "number"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index(
        "inbox_one_a_lane", "inbox", ["lane"], unique=True, sqlite_where=worked_on, postgresql_where=worked_on
    )
    op.create_index("inbox_ended", "inbox", ["ended"])


def _replies() -> None:
    op.create_table(
        "replies",
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
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("replies_of_thread", "replies", ["lane"])
    op.create_index("replies_changed", "replies", ["platform", "changed"])
    op.create_table(
        "messages",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("reply", sa.Text),
        sa.Column("position", sa.Integer, nullable=False),
    )
    op.create_index("messages_of_thread", "messages", ["lane"])
    op.create_index("messages_of_reply", "messages", ["reply", "position"])
