"""Nobody asks more than is allowed, however many replicas are asked at once; and who asks too much is told how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.access.quotas import USAGE, Quotas, Spent
from bot.access.retention import Retention
from bot.access.settings import QuotaSettings, RetentionSettings
from bot.conversations import SCHEMA
from ingest.database import connect, transaction, writer
from tests.bot.dialogue.happenings import Clock

HOUR, DAY = 3600, 86_400


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite+aiosqlite:///{tmp_path / 'state.db'}"


@pytest.fixture
async def engines(database: str) -> AsyncIterator[tuple[AsyncEngine, AsyncEngine]]:
    """The same database, as two replicas have it open."""
    here, there = await connect(database, None, SCHEMA), await connect(database, None, SCHEMA)
    yield here, there
    await here.dispose()
    await there.dispose()


Engines = tuple[AsyncEngine, AsyncEngine]


def quotas(engine: AsyncEngine, clock: Clock, **limits: Any) -> Quotas:
    return Quotas(engine, QuotaSettings.model_validate({"person_per_hour": None} | limits), clock.now)


async def test_after_an_hours_questions_an_asker_waits_for_its_end(engines: Engines) -> None:
    clock = Clock()
    here, there = (quotas(engine, clock, person_per_hour=2) for engine in engines)
    assert await here.admit("slack:U1", "T1") is None
    clock.advance(HOUR - 150)
    assert await there.admit("slack:U1", "T1") is None
    assert await here.admit("slack:U1", "T1") == Spent(phrase="quota-spent", minutes=3)
    assert await here.admit("slack:U2", "T1") is None
    clock.advance(149)
    assert await there.admit("slack:U1", "T1") == Spent(phrase="quota-spent", minutes=1)
    clock.advance(1)
    assert await there.admit("slack:U1", "T1") is None
    assert await here.admit("slack:U1", "T1") is None
    assert await here.admit("slack:U1", "T1") == Spent(phrase="quota-spent", minutes=60)


async def test_a_workspace_that_has_asked_enough_is_told_so_whoever_asks(engines: Engines) -> None:
    clock = Clock()
    here = quotas(engines[0], clock, workspace_per_day=2)
    assert [await here.admit(f"slack:U{number}", "T1") for number in range(2)] == [None, None]
    assert await here.admit("slack:U9", "T1") == Spent(phrase="quota-workspace-spent", minutes=1440)
    assert await here.admit("slack:U9", "T2") is None
    assert await here.admit("slack:U9", "") is None


async def test_a_question_that_one_quota_refuses_takes_nothing_from_another(engines: Engines) -> None:
    clock = Clock()
    here = quotas(engines[0], clock, person_per_hour=1, workspace_per_day=2)
    assert await here.admit("a", "T1") is None
    for _ in range(5):
        assert await here.admit("a", "T1") == Spent(phrase="quota-spent", minutes=60)
    assert await here.admit("b", "T1") is None


async def test_of_several_quotas_the_one_that_lasts_is_told(engines: Engines) -> None:
    here = quotas(engines[0], Clock(), person_per_hour=1, person_per_day=1)
    assert await here.admit("a", "T1") is None
    assert await here.admit("a", "T1") == Spent(phrase="quota-spent", minutes=1440)


async def test_who_has_used_up_a_days_tokens_waits_for_the_next_day(engines: Engines) -> None:
    clock = Clock()
    here, there = (quotas(engine, clock, person_tokens_per_day=1000) for engine in engines)
    assert await here.admit("a", "T1") is None
    await here.charge("a", 600)
    await there.charge("a", 399)
    assert await here.admit("a", "T1") is None
    await there.charge("a", 1)
    assert await here.admit("a", "T1") == Spent(phrase="quota-tokens-spent", minutes=1440)
    assert await here.admit("b", "T1") is None
    clock.advance(DAY)
    assert await there.admit("a", "T1") is None


async def test_tokens_of_a_question_that_outlasts_its_day_count_in_the_next(engines: Engines) -> None:
    clock = Clock()
    here = quotas(engines[0], clock, person_tokens_per_day=1000)
    assert await here.admit("a", "T1") is None
    clock.advance(DAY)
    await here.charge("a", 1000)
    assert await here.admit("a", "T1") == Spent(phrase="quota-tokens-spent", minutes=1440)


async def test_without_limits_nothing_is_counted(engines: Engines) -> None:
    here = quotas(engines[0], Clock())
    assert await here.admit("a", "T1") is None
    await here.charge("a", 10**9)
    assert await rows(engines[0]) == []


async def test_what_is_over_is_dropped(engines: Engines) -> None:
    clock = Clock()
    here = quotas(engines[0], clock, person_per_hour=1, person_per_day=9)
    await here.admit("a", "T1")
    clock.advance(HOUR)
    await here.admit("b", "T1")
    await Retention(engines[0], RetentionSettings(), explain_days=30, now=clock.now).tidy()
    assert await rows(engines[0]) == [("a", "day"), ("b", "day"), ("b", "hour")]


async def rows(engine: AsyncEngine) -> list[tuple[str, str]]:
    async with transaction(engine) as connection:
        found = await connection.execute(sa.select(USAGE.c.who, USAGE.c.span).order_by(USAGE.c.who, USAGE.c.span))
        return [(row.who, row.span) for row in found]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["T1", "T2"])), max_size=16),
    person=st.integers(1, 4),
    workspace=st.integers(1, 6),
)
async def test_of_questions_at_once_to_two_replicas_exactly_as_many_are_admitted_as_there_is_room_for(
    engines: Engines, asked: list[tuple[str, str]], person: int, workspace: int
) -> None:
    async with transaction(writer(engines[0])) as connection:
        await connection.execute(sa.delete(USAGE))
    clock = Clock()
    replicas = [quotas(engine, clock, person_per_hour=person, workspace_per_day=workspace) for engine in engines]
    async with asyncio.timeout(60):
        answers = await asyncio.gather(
            *(replicas[number % 2].admit(*question) for number, question in enumerate(asked))
        )
    admitted = [question for question, refused in zip(asked, answers, strict=True) if refused is None]
    for who in "abc":
        assert sum(one[0] == who for one in admitted) <= person
    for where in ("T1", "T2"):
        assert sum(one[1] == where for one in admitted) <= workspace
    for (who, where), refused in zip(asked, answers, strict=True):
        full = sum(one[0] == who for one in admitted) == person, sum(one[1] == where for one in admitted) == workspace
        assert refused is None or any(full)


async def test_a_clock_that_was_ahead_keeps_nobody_waiting_until_its_time_comes(engines: Engines) -> None:
    clock = Clock()
    here, there = (quotas(engine, clock, person_per_hour=1) for engine in engines)
    clock.advance(400 * DAY)
    assert await here.admit("slack:U1", "T1") is None
    clock.advance(-400 * DAY)
    assert await there.admit("slack:U1", "T1") is None
    assert await here.admit("slack:U1", "T1") == Spent(phrase="quota-spent", minutes=60)
    clock.advance(-60)
    assert await here.admit("slack:U1", "T1") == Spent(phrase="quota-spent", minutes=61)
