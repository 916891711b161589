"""Documents, their chunks, the runs over their sources, and the chunks that index and ledger may disagree on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sources",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("configured", sa.Boolean, nullable=False),
    )
    op.create_table(
        "documents",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("parser", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("empty", sa.Boolean, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("url", sa.Text),
        sa.Column("author", sa.Text),
        sa.Column("updated_at", sa.DateTime(timezone=True)),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("readers", sa.JSON, nullable=False),
        sa.Column("own_readers", sa.JSON),
        sa.Column("indexed_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "chunks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("headings", sa.JSON, nullable=False),
        sa.Column("page", sa.Integer),
        sa.Column("text", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["source", "document"], ["documents.source", "documents.id"], ondelete="CASCADE"),
    )
    op.create_index("chunks_of_document", "chunks", ["source", "document", "position"])
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("error", sa.Text),
    )
    op.create_index("runs_of_source", "runs", ["source", "id"])
    op.create_table("unsettled", sa.Column("chunk", sa.Text, primary_key=True))
