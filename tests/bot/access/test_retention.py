"""What was said goes after the days that it is kept, whatever it is; what is still being dealt with stays."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.access import retention
from bot.access.interface import Act
from bot.access.retention import Retention
from bot.access.settings import RetentionSettings
from ingest.database import DatabaseUnavailable
from tests.bot.access.kept import Bot, on_both, spot

CONVERSATIONS = ("answers", "traces", "rests", "replies", "messages", "handovers", "inbox")


def kept(bot: Bot, *, explain_days: int = 10_000, **settings: int | None) -> Retention:
    return Retention(bot.engine, RetentionSettings(**settings), explain_days=explain_days, now=lambda: bot.now)  # type: ignore[arg-type]


@on_both
async def test_conversations_go_after_their_days_and_leave_nothing_behind(bot: Bot) -> None:
    start = bot.now
    reply = await bot.answered("old", spot("1.0"))
    await bot.replies.hand_over(reply.key, by="U7", owners=["U8"])
    await bot.replies.noted(spot("1.0"), ["sorry"])
    bot.now = start + timedelta(days=1)
    await bot.answered("new", spot("2.0"))
    await bot.replies.noted(spot("2.0"), ["also sorry"])
    before = await bot.count(*CONVERSATIONS)
    await kept(bot, conversations_days=1).tidy()
    assert await bot.count(*CONVERSATIONS) == before
    bot.now += timedelta(seconds=1)
    counts = await kept(bot, conversations_days=1).tidy()
    assert (counts["answers"], counts["replies"]) == (1, 1)
    assert await bot.count(*CONVERSATIONS[:-1]) == {
        "answers": 1, "traces": 1, "rests": 1, "replies": 1, "messages": 2, "handovers": 0,
    }  # fmt: skip
    assert await bot.replies.known_messages(spot("2.0")) == {"mnew", "also sorry"}


async def test_a_thread_that_goes_on_keeps_what_is_known_of_its_messages(bot: Bot) -> None:
    await bot.answered("old", spot("1.0"))
    await bot.replies.noted(spot("1.0"), ["sorry"])
    bot.now += timedelta(days=30)
    await bot.answered("new", spot("1.0"))
    await kept(bot, conversations_days=1).tidy()
    assert await bot.replies.known_messages(spot("1.0")) == {"mnew", "sorry"}


@on_both
@pytest.mark.parametrize("claimed", [False, True])
async def test_what_is_being_answered_stays_however_old_it_is(bot: Bot, claimed: bool) -> None:
    reply = await bot.answered("slow", spot("1.0"), state="writing")
    if claimed:
        await bot.inbox.claim("w", free=1)
    await bot.replies.posted(reply.key, "m1")
    bot.now += timedelta(days=400)
    await kept(bot, conversations_days=1).tidy()
    assert await bot.replies.known_messages(spot("1.0")) == {"m1"}
    assert (await bot.count("replies", "inbox")) == {"replies": 1, "inbox": 1}
    if claimed:
        await bot.inbox.release("w")
    bot.now += timedelta(days=1)
    await bot.inbox.claim("w", free=1)
    await bot.inbox.done("w", reply.key)
    await kept(bot, conversations_days=1).tidy()
    assert (await bot.count("replies", "messages")) == {"replies": 0, "messages": 0}


@on_both
async def test_each_kind_has_days_of_its_own(bot: Bot) -> None:
    reply = await bot.answered("a", spot("1.0"))
    await bot.replies.feedback("a", "U042", "up", "Good.")
    await bot.file_read(spot("1.0"), "F1")
    everything = ("traces", "attachments", "feedback", "audit", "answers")
    bot.now += timedelta(days=9)
    assert set((await kept(bot, explain_days=9, feedback_days=9).tidy()).values()) == {0, 1}  # the event's key
    gone: dict[str, list[str]] = {}
    for name, keeping in (
        ("attachments", kept(bot, attachments_days=8)),
        ("traces", kept(bot, explain_days=8)),
        ("feedback", kept(bot, feedback_days=8)),
        ("answers", kept(bot, conversations_days=8)),
    ):
        before = await bot.count(*everything)
        await keeping.tidy()
        after = await bot.count(*everything)
        gone[name] = [table for table in everything if after[table] < before[table]]
    assert gone == {name: [name] for name in ("attachments", "traces", "feedback", "answers")}
    assert await bot.replies.get(reply.key) is None


@on_both
async def test_the_audit_log_loses_its_lines_and_names_when_they_expire_and_not_before(bot: Bot) -> None:
    act = Act(deed="asked", by="slack:U042", platform="slack", place="slack/T1/C1/1", answer="a")
    await bot.audit.note(act)  # kept for a year, in 2024
    bot.now += timedelta(days=365)
    await kept(bot).tidy()
    assert await bot.count("audit", "audit_names") == {"audit": 1, "audit_names": 2}
    bot.now += timedelta(seconds=1)
    await kept(bot).tidy()
    assert await bot.count("audit", "audit_names") == {"audit": 0, "audit_names": 2}
    bot.now += timedelta(days=31)
    await kept(bot).tidy()
    assert await bot.count("audit", "audit_names") == {"audit": 0, "audit_names": 0}


@on_both
async def test_a_clock_that_runs_ahead_deletes_no_line_that_the_database_still_keeps(bot: Bot) -> None:
    bot.now = datetime.now(bot.now.tzinfo)
    await bot.audit.note(Act(deed="forgotten", by="console"))
    bot.now += timedelta(days=400)
    await kept(bot).tidy()
    assert await bot.count("audit") == {"audit": 1}


async def test_what_is_kept_for_ever_stays(bot: Bot) -> None:
    await bot.answered("a", spot("1.0"))
    await bot.replies.feedback("a", "U042", "up", None)
    bot.now += timedelta(days=10_000)
    await kept(bot, explain_days=20_000, conversations_days=None, feedback_days=None).tidy()
    assert await bot.count("answers", "traces", "replies", "feedback") == dict.fromkeys(
        ("answers", "traces", "replies", "feedback"), 1
    )


async def test_more_than_one_batch_goes_at_once(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        await bot.answered(f"t{number}", spot(f"{number}.0"))
    bot.now += timedelta(days=2)
    counts = await kept(bot, conversations_days=1).tidy()
    assert (counts["answers"], counts["replies"]) == (5, 5)


async def test_it_tidies_at_once_and_every_hour_and_goes_on_when_the_database_was_away(
    bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise asyncio.CancelledError

    class Away(Retention):
        async def tidy(self) -> dict[str, int]:
            if len(slept) == 1:
                raise DatabaseUnavailable("the database is away")
            return await super().tidy()

    await bot.answered("a", spot("1.0"))
    bot.now += timedelta(days=2)
    settings = RetentionSettings(conversations_days=1)
    with caplog.at_level(logging.INFO), pytest.raises(asyncio.CancelledError):
        await Away(bot.engine, settings, explain_days=30, now=lambda: bot.now, sleep=sleep).run()
    assert slept == [3600.0] * 3
    said = [
        (record.levelname, record.getMessage()) for record in caplog.records if record.name == "bot.access.retention"
    ]
    assert said[0] == ("INFO", "deleted as too old: 1 answers, 1 replies")
    assert [level for level, _ in said[1:]] == ["WARNING"]
    assert "How many days" not in caplog.text


async def test_the_oldest_answers_are_found_by_an_index(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        plan = await connection.execute(
            sa.text("EXPLAIN QUERY PLAN SELECT trace FROM answers WHERE answered_at < '2024'")
        )
        assert "answers_by_age" in str(plan.all())
