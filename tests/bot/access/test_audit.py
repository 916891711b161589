"""What is in the audit log stays as it was written until it expires, says who and what, and never a word of a text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.access.audit import AUDIT, LONGEST_NAME, MOST, NAMES, ActRefused, Audit, forget_names
from bot.access.interface import Act
from ingest.database import DatabaseUnreadable, transaction, writer
from ingest.model import DocumentId, DocumentKey
from tests.bot.access.kept import on_both

TRACE = "0123456789abcdef" * 2
NOW = datetime.now(UTC)
LEAVE: DocumentKey = ("handbook", DocumentId("leave.md"))
PAYROLL: DocumentKey = ("vault", DocumentId("payroll é.md"))

ACT = Act(
    deed="asked",
    by="slack:U042",
    platform="slack",
    place="slack/T1/D1/1.0",
    tokens=frozenset({"everyone", "public", "group:finance", "user:ada@example.org", "slack:U042"}),
    passed=frozenset({LEAVE}),
    withheld=frozenset({PAYROLL}),
    answer=TRACE,
)


@pytest.fixture
def audit(engine: AsyncEngine) -> Audit:
    return Audit(engine, lambda: NOW, keep_days=30)


async def changed(engine: AsyncEngine, statement: sa.Executable | str) -> None:
    async with transaction(writer(engine)) as connection:
        await connection.execute(sa.text(statement) if isinstance(statement, str) else statement)


async def test_a_line_comes_back_as_it_was_written(audit: Audit) -> None:
    await audit.note(ACT)
    (line,) = await audit.acts()
    written = {name: getattr(line, name) for name in Act.__slots__}
    assert Act(**written) == replace(ACT, at=NOW)
    assert line.left_out == {}


@on_both
async def test_acts_are_found_by_who_which_answer_document_deed_and_when(engine: AsyncEngine, audit: Audit) -> None:
    other = replace(
        ACT,
        by="key:intranet bot",
        platform="web",
        place="",
        deed="shared",
        tokens=frozenset({"public"}),
        passed=frozenset({("handbook", DocumentId("LEAVE.md"))}),
        withheld=frozenset(),
        answer="f" * 32,
    )
    await Audit(engine, lambda: NOW - timedelta(days=1), keep_days=30).note(ACT)
    await audit.note(other)
    queries: list[dict[str, object]] = [
        {"user": "slack:U042"},
        {"user": "user:ada@example.org"},
        {"answer": TRACE[:8]},
        {"document": LEAVE},
        {"document": PAYROLL},
        {"deed": "asked"},
    ]
    for query in queries:
        assert [line.by for line in await audit.acts(**query)] == ["slack:U042"], query  # type: ignore[arg-type]
    assert [line.by for line in await audit.acts(since=NOW)] == ["key:intranet bot"]
    assert [line.by for line in await audit.acts(user="slack:U04")] == []
    assert [line.by for line in await audit.acts()] == ["slack:U042", "key:intranet bot"]
    assert [line.by for line in await audit.acts(limit=1)] == ["key:intranet bot"]


UNCHANGED = [
    "UPDATE audit SET deed = 'shared'",
    "UPDATE audit SET expires = '2001-01-01 00:00:00'",
    "DELETE FROM audit",
    "UPDATE audit_names SET name = 'slack:U1' WHERE name = 'slack:U042'",
]


@on_both
@pytest.mark.parametrize("statement", UNCHANGED)
async def test_the_database_refuses_to_change_a_line_or_to_delete_it_early(
    engine: AsyncEngine, audit: Audit, statement: str
) -> None:
    await audit.note(ACT)
    with pytest.raises(DatabaseUnreadable, match="append-only"):
        await changed(engine, statement)
    assert len(await audit.acts(user="slack:U042", deed="asked")) == 1


@on_both
@pytest.mark.parametrize("table", ["audit", "audit_names"])
async def test_no_other_way_round_the_log_is_open(engine: AsyncEngine, audit: Audit, table: str) -> None:
    await audit.note(ACT)
    if engine.dialect.name == "postgresql":
        around = f"TRUNCATE {table}"
    else:
        async with transaction(engine) as connection:
            columns = [row.name for row in await connection.execute(sa.text(f"PRAGMA table_info({table})"))]
        around = f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns)} FROM {table}"
    with pytest.raises(DatabaseUnreadable, match="append-only"):
        await changed(engine, around)


@on_both
async def test_a_line_can_be_deleted_once_it_has_expired(engine: AsyncEngine, audit: Audit) -> None:
    await Audit(engine, lambda: NOW - timedelta(days=31), keep_days=30).note(ACT)
    await audit.note(ACT)
    await changed(engine, sa.delete(AUDIT).where(AUDIT.c.expires < NOW))
    assert [line.at for line in await audit.acts()] == [NOW]


@on_both
async def test_who_is_forgotten_is_nobody_in_the_lines_that_stay(engine: AsyncEngine, audit: Audit) -> None:
    bob = replace(ACT, by="slack:U7", place="slack/T1/C1/1.0", tokens=frozenset({"public"}))
    await audit.note(ACT)
    await audit.note(replace(ACT, place="slack/T1/C1/1.0"))
    await audit.note(bob)
    async with transaction(writer(engine)) as connection:
        assert await forget_names(engine, connection, ["slack:U042", "user:ada@example.org"]) == 2
    direct, shared, other = await audit.acts()
    assert direct.by == shared.by
    assert direct.by.startswith("forgotten:")
    assert direct.place.startswith("forgotten:")
    assert other.by == "slack:U7"
    assert other.place == shared.place == "slack/T1/C1/1.0"
    assert direct.tokens >= {"everyone", "group:finance"}
    assert direct.passed == {LEAVE}
    async with transaction(engine) as connection:
        names = set(await connection.scalars(sa.select(NAMES.c.name)))
    assert names == {"slack:U7", "slack/T1/C1/1.0"}


@on_both
async def test_a_number_that_is_free_again_is_given_to_nobody_else(engine: AsyncEngine, audit: Audit) -> None:
    await audit.note(replace(ACT, tokens=frozenset(), place=""))
    async with transaction(writer(engine)) as connection:
        await forget_names(engine, connection, ["slack:U042"])
    await audit.note(replace(ACT, by="slack:U7", tokens=frozenset(), place=""))
    first, second = await audit.acts()
    assert (first.by.startswith("forgotten:"), second.by) == (True, "slack:U7")


async def test_a_line_says_what_it_leaves_out(audit: Audit) -> None:
    many = frozenset(("handbook", DocumentId(f"{number}.md")) for number in range(MOST + 7))
    await audit.note(replace(ACT, withheld=many, tokens=frozenset(f"group:{number}" for number in range(MOST + 3))))
    await audit.note(replace(ACT, passed=frozenset({("handbook", DocumentId("a" * 70_000))})))
    first, second = await audit.acts()
    assert (len(first.withheld), len(first.tokens)) == (MOST, MOST)
    assert first.left_out == {"withheld": 7, "tokens": 3}
    assert second.left_out == {"passed": 1}


@pytest.mark.parametrize(
    "act",
    [
        replace(ACT, deed="How many days of leave?"),  # type: ignore[arg-type]
        replace(ACT, by=""),
        replace(ACT, answer="Thirty days."),
        replace(ACT, platform="How many"),
        replace(ACT, place="word " * LONGEST_NAME),
    ],
)
async def test_what_may_be_a_text_is_refused_without_a_word_of_it(audit: Audit, act: Act) -> None:
    with pytest.raises(ActRefused) as refused:
        await audit.note(act)
    assert "Thirty" not in str(refused.value)
    assert "word" not in str(refused.value)


WILD = st.text(min_size=1, max_size=60)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(by=WILD, document=WILD, token=WILD)
async def test_whatever_names_there_are_they_are_found_again(audit: Audit, by: str, document: str, token: str) -> None:
    key = ("handbook", DocumentId(document))
    await audit.note(
        replace(ACT, by=by, passed=frozenset({key}), tokens=frozenset({f"user:{token}"}), withheld=frozenset())
    )
    found = await audit.acts(user=by, document=key, limit=1)
    assert [line.passed for line in found] == [{key}]
    assert all(name.isprintable() for line in found for name in (line.by, *line.tokens))


@on_both
async def test_a_line_of_somebody_who_was_forgotten_is_given_to_nobody_else(engine: AsyncEngine, audit: Audit) -> None:
    await audit.note(ACT)
    async with transaction(engine) as connection:
        (by, place) = (await connection.execute(sa.select(AUDIT.c.by, AUDIT.c.place))).one()
    await changed(engine, sa.delete(NAMES))
    for number in (by, place):
        named = {"number": number, "name": "slack:EVE", "expires": NOW}
        with pytest.raises(DatabaseUnreadable, match="append-only"):
            await changed(engine, sa.insert(NAMES).values(named))
    await audit.note(ACT)
    assert [line.by for line in await audit.acts()] == [f"forgotten:{by}", "slack:U042"]
