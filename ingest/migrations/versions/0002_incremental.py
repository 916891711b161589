"""Listings that go on from a cursor, texts that are embedded once, writers per source, and what was removed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sources", sa.Column("cursor", sa.Text))
    op.add_column("sources", sa.Column("settings", sa.Text))
    op.add_column("sources", sa.Column("next_run", sa.DateTime(timezone=True)))
    op.add_column("documents", sa.Column("listed", sa.Text, nullable=False, server_default=""))
    op.add_column("documents", sa.Column("listed_readers", sa.JSON))
    op.add_column("documents", sa.Column("media_type", sa.Text))
    op.add_column("documents", sa.Column("due", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("chunks", sa.Column("digest", sa.Text, nullable=False, server_default=""))
    op.create_index("chunks_of_text", "chunks", ["digest"])
    # Any writer may settle any chunk, and what has no document any more belongs to no source that can be told.
    op.execute("CREATE TABLE unsettled_before AS SELECT chunk FROM unsettled")
    op.drop_table("unsettled")
    op.create_table(
        "unsettled",
        sa.Column("chunk", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
    )
    op.create_index("unsettled_of_source", "unsettled", ["source"])
    op.execute(
        "INSERT INTO unsettled (chunk, source) SELECT b.chunk, coalesce(c.source, (SELECT min(name) FROM sources))"
        " FROM unsettled_before b LEFT JOIN chunks c ON c.id = b.chunk"
        " WHERE c.source IS NOT NULL OR EXISTS (SELECT 1 FROM sources)"
    )
    op.drop_table("unsettled_before")
    op.create_table(
        "removals",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("document", sa.Text, primary_key=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=False),
    )
