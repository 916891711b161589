"""What was answered is there for the next turn of its own thread and its own asker, and for nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.conversations import SCHEMA, TRACES, TURNS, Conversations
from bot.model import Answer, Asker, Outcome, Place, Question, Route, Spent, Turn
from bot.trace import LanguageDecided, Trace, TracedCall, TracedCheck, TracedHit, TracedRanking
from ingest.database import DatabaseUnreadable, connect, transaction, writer
from ingest.ledger import Ledger, StateSettings
from ingest.model import ChunkId
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


def a_trace(reply: str = "Thirty days [1].") -> Trace:
    hit = TracedHit(chunk=ChunkId("c1"), source="handbook", document="leave.md", title="Leave", score=0.5)
    return Trace(
        decided=LanguageDecided(language="en", confidence=0.9, how="words"),
        route="documents",
        query="days of leave",
        translations={"de": "Urlaubstage"},
        variants=("holiday",),
        rankings=[TracedRanking(stage="lexical", query="days of leave", hits=(hit,), found=7)],
        withheld=2,
        evidence={"top": 0.5},
        probability=0.75,
        threshold=0.5,
        calls=[
            TracedCall(
                task="answer",
                model="pen",
                messages=(("system", "Answer."), ("user", "How long?")),
                reply=reply,
                seconds=1.5,
                prompt_tokens=900,
                reply_tokens=12,
                estimated=False,
            )
        ],
        checks=[TracedCheck(check="grounding", text="In Lyon.", verdict="removed", why="Lyon is in no passage")],
    )


@pytest.fixture(params=["sqlite", "postgres"])
async def in_either(request: pytest.FixtureRequest, settings: StateSettings) -> AsyncIterator[Conversations]:
    """Conversations in either database."""
    if request.param == "postgres":
        settings = StateSettings(url=request.getfixturevalue("postgres_url"))
    opened = await Conversations.open(settings, keep_traces=True)
    yield opened
    await opened.close()


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize("reply", ["Thirty days [1].", "\x00 \ud800 \u202e ]("])
async def test_how_an_answer_came_about_comes_back_as_it_was(in_either: Conversations, reply: str) -> None:
    kept = replace(answer("Thirty days [1]."), trace=a_trace(reply))
    await in_either.remember(question("How long?"), kept)
    await in_either.remember(question("How long?"), kept)
    assert await in_either.trace(kept.trace_id) == a_trace(reply)
    assert await in_either.trace("f" * 32) is None


async def test_what_an_answer_cost_and_came_close_to_is_kept(conversations: Conversations) -> None:
    given = answer("Not here.")
    refused = replace(
        given,
        outcome=Outcome.NOT_FOUND,
        citations=(),
        nearest=given.passages[1:],
        refusal="evidence",
        route=Route.GENERAL,
        spent=Spent(calls=1, prompt_tokens=300, reply_tokens=20, estimated=True),
        timings={"total": 0.5},
    )
    await conversations.remember(question("How long?"), refused)
    kept = await conversations.kept(refused.trace_id)
    assert kept is not None
    assert (kept.outcome, kept.refusal, kept.route) == ("not_found", "evidence", "general")
    assert kept.spent == {"calls": 1, "prompt_tokens": 300, "reply_tokens": 20, "estimated": True}
    assert [passage.chunk for passage in kept.nearest] == [given.passages[1].chunk.id]
    assert (kept.timings, kept.asker, kept.thread) == ({"total": 0.5}, "ada", "t1")
    assert await conversations.kept("f" * 32) is None


async def test_answers_are_found_by_how_their_trace_ids_begin(conversations: Conversations) -> None:
    for trace in ("abcdef01" + "0" * 24, "abcdef01" + "f" * 24, "abcdef02" + "0" * 24):
        await conversations.remember(question("?"), answer("!", trace=trace))
    assert await conversations.find("abcdef01") == ("abcdef01" + "0" * 24, "abcdef01" + "f" * 24)
    assert await conversations.find("abcdef02" + "0" * 24) == ("abcdef02" + "0" * 24,)
    assert await conversations.find("abcdef03") == ()


async def test_where_no_traces_are_wanted_none_is_kept(settings: StateSettings) -> None:
    opened = await Conversations.open(settings, keep_traces=False)
    await opened.remember(question("?"), replace(answer("!"), trace=a_trace()))
    assert await opened.trace("0" * 32) is None
    assert await opened.kept("0" * 32) is not None
    await opened.close()


async def test_a_trace_of_another_version_is_none(
    conversations: Conversations, caplog: pytest.LogCaptureFixture
) -> None:
    async with transaction(writer(conversations.engine)) as connection:
        row = {"trace": "a", "answered_at": NOON, "walked": '{"rankings": 3}'}
        await connection.execute(sa.insert(TRACES), [row])
    assert await conversations.trace("a") is None
    assert "another version" in caplog.text
