"""Whoever is forgotten is found nowhere any more, and nobody else loses anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.access.erasure import Erasure, PersonUnknown
from bot.access.interface import Act
from bot.access.quotas import USAGE
from bot.dialogue.tables import MESSAGES
from ingest.database import transaction, writer
from tests.bot.access.kept import MEMBER, Bot, on_both, spot

SECRET = "Zanzibar"
"""Stands in all that Ada said."""

ADA = frozenset({*MEMBER, "user:ada@example.org", "slack:U042"})
TABLES = (
    "answers", "traces", "rests", "replies", "messages", "feedback", "handovers", "inbox", "memory", "attachments",
    "usage", "audit", "audit_names",
)  # fmt: skip


@pytest.fixture
def erasure(bot: Bot) -> Erasure:
    return Erasure(bot.engine, bot.audit.note)


@pytest.fixture
async def filled(bot: Bot) -> Bot:
    """Ada asks in a channel, where Bob does too, and alone; Bob asks elsewhere."""
    shared, direct, other = spot("1.0"), spot("2.0", channel="D1", direct=True), spot("3.0")
    ada = await bot.answered("ada1", shared, question=f"{SECRET}?", text=f"{SECRET} [1].")
    await bot.answered("ada2", direct, question=f"{SECRET}?", text=f"{SECRET} [1].", readers=ADA)
    await bot.answered("bob1", shared, by="U7")
    bob = await bot.answered("bob2", other, by="U7")
    await bot.replies.feedback("ada1", "U7", "down", f"{SECRET} is wrong")
    await bot.replies.feedback("bob2", "U042", "up", f"I knew about {SECRET}")
    await bot.replies.feedback("bob2", "U7", "up", None)
    await bot.replies.hand_over(ada.key, by="U042", owners=["U8"])
    await bot.replies.hand_over(bob.key, by="U7", owners=["U042", "U8"])
    await bot.replies.resolve(bob.key, by="U042")
    await bot.replies.keep("slack/T1/U042", SECRET)
    await bot.replies.keep("slack/heard/T1", "1.0")
    await bot.file_read(direct, "F1", SECRET)
    await bot.file_read(other, "F2", "Bob's.")
    await bot.heard(direct, "next")
    await bot.heard(other, "next", by="U7")
    async with transaction(writer(bot.engine)) as connection:
        used = {"span": "day", "since": bot.now, "questions": 1, "tokens": 1}
        await connection.execute(sa.insert(USAGE), [used | {"who": who} for who in ("slack:U042", "slack:U7")])
    return bot


async def everything(bot: Bot) -> dict[str, list[tuple[Any, ...]]]:
    return {table: [tuple(row) for row in await bot.rows(table)] for table in TABLES}


@on_both
async def test_nothing_that_somebody_said_or_is_called_is_left(filled: Bot, erasure: Erasure) -> None:
    await erasure.forget("slack:U042")
    left = str(await everything(filled))
    assert SECRET not in left
    assert "U042" not in left.replace("F1", "")
    assert "ada@example.org" not in left
    assert "D1" not in str(await filled.rows("audit_names"))


@on_both
async def test_others_keep_what_is_theirs(filled: Bot, erasure: Erasure) -> None:
    await erasure.forget("slack:U042")
    assert [row.trace for row in await filled.rows("answers")] == ["bob1", "bob2"]
    assert [row.trace for row in await filled.rows("traces")] == ["bob2"]  # that of bob1 quotes the thread
    assert {row.asker for row in await filled.rows("replies")} == {"U7"}
    assert [(row.trace, row.user) for row in await filled.rows("feedback")] == [("bob2", "U7")]
    assert [row.name for row in await filled.rows("memory")] == ["slack/heard/T1"]
    assert [row.file for row in await filled.rows("attachments")] == ["F2"]
    assert [row.who for row in await filled.rows("usage")] == ["slack:U7"]
    (handover,) = await filled.rows("handovers")
    assert (handover.by, handover.resolved_by) == ("U7", None)
    assert "U8" in str(handover.owners)


async def test_messages_of_ours_in_a_channel_stay_ours_and_hold_nothing(filled: Bot, erasure: Erasure) -> None:
    await erasure.forget("slack:U042")
    assert await filled.replies.known_messages(spot("1.0")) == {"mada1", "mbob1"}
    assert (await filled.replies.holding(spot("1.0"), "mada1")) is None
    async with transaction(filled.engine) as connection:
        assert not (await connection.scalars(sa.select(MESSAGES.c.key).where(MESSAGES.c.key.contains("/D1/")))).all()


async def test_what_was_dealt_with_is_not_answered_again(filled: Bot, erasure: Erasure) -> None:
    await erasure.forget("slack:U042")
    assert await filled.inbox.seen("said/slack/T1/C1/qada1")
    claimed = await filled.inbox.claim("w", free=9)
    assert [one.event.by for one in claimed] == ["U7"]


async def test_lines_of_the_audit_log_stay_without_a_name_and_that_it_was_done_is_one(
    filled: Bot, erasure: Erasure
) -> None:
    erased = await erasure.forget("slack:U042")
    assert erased.counts["mentions in the audit log"] == 2
    lines = await filled.audit.acts()
    assert [line.by.startswith("forgotten:") for line in lines] == [True, True, False, False, False]
    assert (lines[-1].deed, lines[-1].by) == ("forgotten", "console")
    assert await filled.audit.acts(user="slack:U042") == []


@on_both
async def test_a_dry_run_counts_the_same_and_deletes_nothing(filled: Bot, erasure: Erasure) -> None:
    before = await everything(filled)
    counted = await erasure.forget("slack:U042", dry_run=True)
    assert await everything(filled) == before
    assert (await erasure.forget("slack:U042")).counts == counted.counts
    assert counted.counts == {
        "files of conversations": 1,
        "opinions": 2,
        "questions handed over": 1,
        "replies": 2,
        "events": 1,
        "notes of the platform": 1,
        "accounts of how answers came about": 3,
        "answers": 2,
        "counts of what was asked": 1,
        "mentions in the audit log": 2,
    }


async def test_what_is_being_answered_is_left_and_told(filled: Bot, erasure: Erasure) -> None:
    reply = await filled.answered("now", spot("9.0"), state="writing")
    await filled.inbox.claim("w", free=9)
    erased = await erasure.forget("slack:U042")
    assert erased.at_work == 1
    assert (await filled.replies.get(reply.key)) is not None
    await filled.inbox.done("w", reply.key)
    assert (await erasure.forget("slack:U042")).at_work == 0
    assert (await filled.replies.get(reply.key)) is None


@on_both
async def test_an_address_means_the_accounts_that_are_known_to_have_held_it(filled: Bot, erasure: Erasure) -> None:
    await filled.audit.note(Act(deed="asked", by="mattermost:mm1", tokens=ADA | {"slack:C1"}))
    await filled.audit.note(Act(deed="asked", by="key:intranet", tokens=ADA))
    assert await erasure.accounts("user:Ada@example.org") == ("mattermost:mm1", "slack:U042", "user:ada@example.org")
    assert await erasure.accounts("key:intranet") == ("key:intranet",)


@pytest.mark.parametrize("reference", ["U042", "ada@example.org", "group:finance", "user:nobody@example.org", "slack:"])
async def test_a_name_that_means_nobody_is_told_with_the_way_out(filled: Bot, erasure: Erasure, reference: str) -> None:
    with pytest.raises(PersonUnknown, match="slack:U042"):
        await erasure.accounts(reference)


async def test_a_key_is_forgotten_as_people_are(filled: Bot, erasure: Erasure) -> None:
    await filled.audit.note(Act(deed="asked", by="key:intranet", platform="web", place="thread"))
    erased = await erasure.forget("key:intranet")
    assert erased.counts == {"mentions in the audit log": 1}
    assert [row.trace for row in await filled.rows("answers")] == ["ada1", "ada2", "bob1", "bob2"]


async def test_what_operators_did_stays_theirs_when_what_was_asked_at_the_terminal_is_forgotten(
    bot: Bot, erasure: Erasure
) -> None:
    await bot.audit.note(Act(deed="revoked", by="console"))
    await erasure.forget("console")
    assert [(line.deed, line.by) for line in await bot.audit.acts()] == [
        ("revoked", "console"),
        ("forgotten", "console"),
    ]


async def test_nothing_of_it_stays_in_the_files_of_sqlite(filled: Bot, erasure: Erasure, engine: AsyncEngine) -> None:
    files = list(Path(str(engine.url.database)).parent.glob("state.db*"))
    assert any(SECRET.encode() in file.read_bytes() for file in files)
    await erasure.forget("slack:U042")
    assert not [file.name for file in files if file.exists() and SECRET.encode() in file.read_bytes()]


async def test_somebody_of_whom_nothing_is_kept_is_forgotten_at_once(bot: Bot, erasure: Erasure) -> None:
    assert (await erasure.forget("slack:U9")).counts == {}


async def test_an_id_that_begins_like_another_is_another(bot: Bot, erasure: Erasure) -> None:
    await bot.answered("a", spot("1.0"), by="XU042")
    await bot.heard(spot("1.0"), "next", by="XU042")
    before = replace(bot).now, await bot.count(*TABLES[:-2])
    await erasure.forget("slack:U042")
    assert (bot.now, await bot.count(*TABLES[:-2])) == before


async def test_a_mark_that_stands_for_any_letters_in_a_database_stands_for_itself(bot: Bot, erasure: Erasure) -> None:
    await bot.heard(spot("1.0"), "next")
    await bot.heard(spot("1.0"), "and next", by="U7")
    before = await bot.count("inbox")
    for everybody in ("slack:%", "slack:U___", "slack:U%"):
        assert (await erasure.forget(everybody)).counts == {}
    assert await bot.count("inbox") == before
