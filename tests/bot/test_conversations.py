"""What was answered is there for the next turn of its own thread and its own asker, and for nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.conversations import SCHEMA, TURNS, Conversations
from bot.model import Answer, Asker, Outcome, Place, Question, Turn
from ingest.database import DatabaseUnreadable, connect, transaction, writer
from ingest.ledger import Ledger, StateSettings
from tests.fixtures.passages import passage


def question(text: str, *, thread: str | None = "t1", asker: str = "ada") -> Question:
    return Question(
        text=text, asker=Asker(id=asker, readers=frozenset({"everyone"})), place=Place(platform="web", thread=thread)
    )


def answer(text: str, *, trace: str = "0" * 32) -> Answer:
    given = (passage(1, "Thirty days."), passage(2, "In Lyon."))
    return Answer(
        text=text,
        language="en",
        outcome=Outcome.ANSWERED,
        citations=given[:1],
        passages=given,
        trace_id=trace,
        written_by="extractive",
    )


@pytest.fixture
def settings(tmp_path: Path) -> StateSettings:
    return StateSettings(url=f"sqlite+aiosqlite:///{tmp_path / 'a folder' / 'state.db'}")


@pytest.fixture
async def conversations(settings: StateSettings) -> AsyncIterator[Conversations]:
    start = datetime(2026, 11, 23, tzinfo=UTC)
    ticks = count()
    opened = await Conversations.open(settings)
    opened.now = lambda: start + timedelta(seconds=next(ticks))
    yield opened
    await opened.close()


async def test_the_turns_of_a_thread_come_back_in_order(conversations: Conversations) -> None:
    await conversations.remember(question("How long?"), answer("Thirty days [1].", trace="a"))
    await conversations.remember(question("And in Lyon?"), answer("The same [1].", trace="b"))
    assert await conversations.history("t1", "ada") == (
        Turn(role="user", text="How long?"),
        Turn(role="assistant", text="Thirty days [1]."),
        Turn(role="user", text="And in Lyon?"),
        Turn(role="assistant", text="The same [1]."),
    )


async def test_a_thread_is_its_askers_alone(conversations: Conversations) -> None:
    await conversations.remember(question("What do I earn?"), answer("…"))
    assert await conversations.history("t1", "bob") == ()
    assert await conversations.history("t2", "ada") == ()


async def test_a_long_thread_gives_its_latest_turns(conversations: Conversations) -> None:
    for number in range(TURNS):
        await conversations.remember(question(str(number)), answer(str(number), trace=str(number)))
    turns = await conversations.history("t1", "ada")
    assert len(turns) == TURNS
    assert turns[-1].text == str(TURNS - 1)


async def test_an_answer_stored_twice_stands_once(conversations: Conversations) -> None:
    await conversations.remember(question("How long?"), answer("Thirty"))
    await conversations.remember(question("How long?"), answer("Thirty days [1]."))
    assert [turn.text for turn in await conversations.history("t1", "ada")] == ["How long?", "Thirty days [1]."]


async def test_the_ledger_lives_in_the_same_database(settings: StateSettings, conversations: Conversations) -> None:
    ledger = await Ledger.open(settings)
    assert await ledger.sources() == []
    await ledger.close()
    await conversations.remember(question("How long?"), answer("Thirty"))
    assert len(await conversations.history("t1", "ada")) == 2


async def test_a_database_of_a_newer_version_is_refused(settings: StateSettings, conversations: Conversations) -> None:
    engine = await connect(settings.url, None, SCHEMA)
    async with transaction(writer(engine)) as connection:
        await connection.execute(sa.text("UPDATE bot_version SET version_num = '9999'"))
    await engine.dispose()
    with pytest.raises(DatabaseUnreadable, match="newer souffleur"):
        await Conversations.open(settings)
