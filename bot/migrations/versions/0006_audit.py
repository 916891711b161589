"""The audit log, which the database itself keeps from being changed; and answers by their age, to delete the oldest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SQLITE = (
    """CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    """CREATE TRIGGER audit_kept BEFORE DELETE ON audit WHEN OLD.expires > strftime('%Y-%m-%d %H:%M:%f', 'now')
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    # REPLACE deletes what is in its way without asking the triggers for DELETE.
    """CREATE TRIGGER audit_not_replaced BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE number = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    """CREATE TRIGGER audit_names_unchanged BEFORE UPDATE ON audit_names
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    """CREATE TRIGGER audit_names_not_replaced BEFORE INSERT ON audit_names
    WHEN EXISTS (SELECT 1 FROM audit_names WHERE number = NEW.number)
    OR EXISTS (SELECT 1 FROM audit WHERE "by" = NEW.number OR place = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
)

POSTGRES = (
    """CREATE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF OLD.expires <= now() THEN RETURN OLD; END IF;
        END IF;
        RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'integrity_constraint_violation';
    END $$""",
    """CREATE FUNCTION audit_refuses_to_rename() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM audit WHERE "by" = NEW.number OR place = NEW.number) THEN
            RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$""",
    """CREATE TRIGGER audit_names_not_replaced BEFORE INSERT ON audit_names
    FOR EACH ROW EXECUTE FUNCTION audit_refuses_to_rename()""",
    "CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuses()",
    "CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON audit EXECUTE FUNCTION audit_refuses()",
    "CREATE TRIGGER audit_names_unchanged BEFORE UPDATE ON audit_names FOR EACH ROW EXECUTE FUNCTION audit_refuses()",
    "CREATE TRIGGER audit_names_not_emptied BEFORE TRUNCATE ON audit_names EXECUTE FUNCTION audit_refuses()",
)
"""Names may be deleted, by whoever erases a person; lines only once they have expired. No name is given to a number
that lines know already: what somebody did who was erased becomes nobody else's."""


def upgrade() -> None:
    # A number that was given once is never given again: lines of somebody who was forgotten become nobody else's.
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "audit_names",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("name", "expires", name="audit_name_once"),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_names_by_age", "audit_names", ["expires"])
    op.create_table(
        "audit",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deed", sa.Text, nullable=False),
        sa.Column("by", sa.BigInteger, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("place", sa.BigInteger),
        sa.Column("tokens", sa.Text, nullable=False),
        sa.Column("passed", sa.Text, nullable=False),
        sa.Column("withheld", sa.Text, nullable=False),
        sa.Column("left_out", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_by_age", "audit", ["expires"])
    op.create_index("audit_of_person", "audit", ["by"])
    op.create_index("audit_of_place", "audit", ["place"])
    op.create_index("audit_of_answer", "audit", ["answer"])
    op.create_index("answers_by_age", "answers", ["answered_at"])
    for statement in POSTGRES if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)
