from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.conversations import SCHEMA
from ingest.database import connect
from tests.bot.dialogue.happenings import Clock
from tests.fixtures.databases import sqlite_in


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of either kind in which nothing is kept."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return sqlite_in(tmp_path)


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    engine = await connect(database, None, SCHEMA)
    yield engine
    await engine.dispose()


@pytest.fixture
async def elsewhere(database: str, engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """The same database, as another process has it open."""
    other = await connect(database, None, SCHEMA)
    yield other
    await other.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()
