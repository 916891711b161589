from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.conversations import SCHEMA
from ingest.database import connect
from tests.bot.access.kept import Bot
from tests.fixtures.databases import sqlite_in


@pytest.fixture
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database in which nothing is kept: SQLite, or whatever `on_both` asks for."""
    if getattr(request, "param", "sqlite") == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return sqlite_in(tmp_path)


@pytest.fixture
async def engine(address: str) -> AsyncIterator[AsyncEngine]:
    engine = await connect(address, None, SCHEMA)
    yield engine
    await engine.dispose()


@pytest.fixture
def bot(engine: AsyncEngine) -> Bot:
    return Bot(engine=engine, now=datetime(2024, 6, 1, 12, tzinfo=UTC))
