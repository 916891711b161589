"""What each answer and each reply rests on, so that it is shown again only to those who may read all of that."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BATCH = 500


def upgrade() -> None:
    op.add_column("answers", sa.Column("basis", sa.JSON))
    op.add_column("answers", sa.Column("readers", sa.JSON))
    op.add_column("replies", sa.Column("basis", sa.JSON))
    rests = op.create_table(
        "rests",
        sa.Column("trace", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("document", sa.Text, primary_key=True),
    )
    op.create_index("rests_on", "rests", ["source", "document"])
    _known_before(rests)


def _known_before(rests: sa.Table) -> None:
    """What answers from before rest on: the passages that their writers were given, and those that came nearest."""
    connection = op.get_bind()
    answers = sa.table(
        "answers",
        sa.column("trace", sa.Text),
        sa.column("passages", sa.JSON),
        sa.column("nearest", sa.JSON),
        sa.column("basis", sa.JSON),
    )
    replies = sa.table("replies", sa.column("trace", sa.Text), sa.column("basis", sa.JSON))
    last = ""
    while True:
        query = sa.select(answers.c.trace, answers.c.passages, answers.c.nearest)
        page = connection.execute(query.where(answers.c.trace > last).order_by(answers.c.trace).limit(BATCH)).all()
        if not page:
            return
        for row in page:
            passages: list[dict[str, Any]] = [*(row.passages or ()), *(row.nearest or ())]
            keys = sorted({(passage["source"], passage["document"]) for passage in passages})
            basis = [list(key) for key in keys if key[0] != "@attached"]
            for table in (answers, replies):
                connection.execute(sa.update(table).where(table.c.trace == row.trace).values(basis=basis))
            if basis:
                rows = [{"trace": row.trace, "source": source, "document": document} for source, document in basis]
                connection.execute(sa.insert(rests), rows)
        last = page[-1].trace
