"""Documents that an operator has taken from all readers; and one form for the names in reader tokens.

`user:` in lower case (ASCII letters alone), `group:` in lower case and NFC. What front matter says is mended here, for
it is not read again; the readers in force stay as the index has them until the next sync, which lists the sources
concerned from the beginning and labels their documents anew.
"""

from __future__ import annotations

import string
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

_DOCUMENTS = sa.table(
    "documents",
    sa.column("source", sa.Text),
    sa.column("id", sa.Text),
    sa.column("own_readers", sa.JSON(none_as_null=True)),
    sa.column("listed_readers", sa.JSON(none_as_null=True)),
    sa.column("listed", sa.Text),
)
_SOURCES = sa.table("sources", sa.column("name", sa.Text), sa.column("cursor", sa.Text))


def upgrade() -> None:
    op.create_table(
        "revocations",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("document", sa.Text, primary_key=True),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.add_column("documents", sa.Column("withheld", sa.Boolean, nullable=False, server_default=sa.false()))
    connection = op.get_bind()
    own, listed = _DOCUMENTS.c.own_readers, _DOCUMENTS.c.listed_readers
    query = sa.select(_DOCUMENTS.c.source, _DOCUMENTS.c.id, own, listed)
    rows = connection.execute(query.where(sa.or_(own.is_not(None), listed.is_not(None)))).all()
    for source, id, *before in rows:
        after = [_canonical(tokens) for tokens in before]
        if after != before:
            row = sa.and_(_DOCUMENTS.c.source == source, _DOCUMENTS.c.id == id)
            changed = {"own_readers": after[0], "listed_readers": after[1], "listed": ""}
            connection.execute(sa.update(_DOCUMENTS).where(row).values(changed))
            connection.execute(sa.update(_SOURCES).where(_SOURCES.c.name == source).values(cursor=None))


def _canonical(tokens: list[str] | None) -> list[str] | None:
    return None if tokens is None else sorted({_token(token) for token in tokens})


def _token(token: str) -> str:
    kind, _, name = token.partition(":")
    if kind == "user":
        return f"user:{name.translate(_LOWER)}"
    if kind == "group":
        return "group:" + unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).lower())
    return token
