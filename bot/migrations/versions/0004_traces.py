"""How each answer came about, for a while; and what it cost, for good."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of answers from before, none of this is known.
    for column in (
        sa.Column("route", sa.Text),
        sa.Column("refusal", sa.Text),
        sa.Column("nearest", sa.JSON),
        sa.Column("spent", sa.JSON),
        sa.Column("timings", sa.JSON),
    ):
        op.add_column("answers", column)
    op.create_table(
        "traces",
        sa.Column("trace", sa.Text, primary_key=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("walked", sa.Text, nullable=False),
    )
    op.create_index("traces_by_age", "traces", ["answered_at"])
