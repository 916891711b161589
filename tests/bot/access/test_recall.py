"""A document that is revoked is out at once, and every answer that rests on it can be found and taken back, durably."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.access.recall import DocumentUnknown, Recall
from bot.conversations import TRACES
from bot.model import Turn
from bot.platforms.events import Recalled
from bot.platforms.interface import Post
from ingest.database import transaction, writer
from ingest.ledger import Ledger, StateSettings
from ingest.model import DocumentId
from tests.bot.access.kept import LEAVE, MEMBER, TRAVEL, Bot, on_both, spot
from tests.fixtures.assistant import SAY, in_ledger
from tests.fixtures.passages import chunk

BOTH = frozenset({LEAVE, TRAVEL})
TAKEN_BACK = SAY("en", "answer-withdrawn")


@pytest.fixture
async def ledger(address: str) -> AsyncIterator[Ledger]:
    ledger = await Ledger.open(StateSettings(url=address))
    await in_ledger(
        ledger, [chunk("Thirty days.", url="https://wiki.example.org/leave"), chunk("A.", document="travel.md")]
    )
    yield ledger
    await ledger.close()


@pytest.fixture
def recall(bot: Bot, ledger: Ledger) -> Recall:
    return Recall(bot.conversations, ledger, note=bot.audit.note, say=SAY, now=lambda: bot.now)


async def test_a_revoked_document_is_read_by_nobody_until_it_is_restored(
    bot: Bot, recall: Recall, ledger: Ledger
) -> None:
    assert await recall.revoke(LEAVE)
    assert await ledger.allows([LEAVE], MEMBER) == set()
    assert await recall.restore(LEAVE)
    assert not await recall.restore(LEAVE)
    assert await ledger.allows([LEAVE], MEMBER) == {LEAVE}
    assert [(line.deed, line.by, line.passed) for line in await bot.audit.acts()] == [
        ("revoked", "console", {LEAVE}),
        ("restored", "console", {LEAVE}),
    ]


async def test_a_document_is_named_by_source_and_id_or_by_its_address(bot: Bot, recall: Recall, ledger: Ledger) -> None:
    gone = ("website", DocumentId("https://example.org/a/b"))
    await bot.answered("a", spot("1.0"), basis=frozenset({gone}))
    assert await recall.named("handbook/leave.md") == LEAVE
    assert await recall.named("https://wiki.example.org/leave") == LEAVE
    assert await recall.named("website/https://example.org/a/b") == gone  # nothing is left of it but an answer
    await in_ledger(ledger, [chunk("B.", document="copy.md", url="https://wiki.example.org/leave")])
    with pytest.raises(DocumentUnknown, match=r"several .*: handbook/copy.md, handbook/leave.md; name one"):
        await recall.named("https://wiki.example.org/leave")
    for nothing in ("handbook/nothing.md", "leave.md", "", "/", "handbook/", "https://example.org"):
        with pytest.raises(DocumentUnknown, match="SOURCE/ID"):
            await recall.named(nothing)


async def test_answers_are_listed_with_who_asked_where_and_whether_they_cite_it(bot: Bot, recall: Recall) -> None:
    await bot.answered("cites", spot("1.0"))
    bot.now = bot.now.replace(hour=13)
    await bot.answered("used", spot("2.0"), by="U7", cited=False, basis=BOTH)
    await bot.answered("other", spot("3.0"), basis=frozenset({TRAVEL}))
    found = await recall.resting(LEAVE)
    assert [(one.trace, one.platform, one.thread, one.asker, one.cited) for one in found] == [
        ("used", "slack", spot("2.0").lane, "slack:U7", False),
        ("cites", "slack", spot("1.0").lane, "slack:U042", True),
    ]
    assert [reply.messages for one in found for reply in one.replies] == [("mused",), ("mcites",)]


@on_both
async def test_what_is_withdrawn_is_gone_here_and_is_put_into_the_inbox_for_the_platform(
    bot: Bot, recall: Recall
) -> None:
    reply = await bot.answered("cites", spot("1.0"), text="CANARY [1].")
    other = await bot.answered("other", spot("2.0"), basis=frozenset({TRAVEL}), text="Trains [1].")
    assert await recall.withdraw(LEAVE, await recall.resting(LEAVE)) == 1
    for table in ("answers", "traces", "rests", "replies", "inbox", "audit", "audit_names"):
        assert "CANARY" not in str(await bot.rows(table)), table
    (claimed,) = await bot.inbox.claim("w", free=9)
    assert isinstance(claimed.event, Recalled)
    assert (claimed.event.reply, claimed.event.spot, claimed.event.message) == (reply.key, reply.spot, reply.question)
    kept = await bot.conversations.kept("cites")
    assert kept is not None
    assert (kept.outcome, kept.answer, kept.passages, kept.basis) == ("withdrawn", TAKEN_BACK, (), frozenset())
    history = await bot.conversations.history(spot("1.0").lane, "slack:U042")
    assert history[-1] == Turn(role="assistant", text=TAKEN_BACK)
    assert await recall.resting(LEAVE) == []
    untouched = await bot.replies.get(other.key)
    assert untouched is not None
    assert untouched.post == Post(text="Trains [1].", language="en")
    (line,) = await bot.audit.acts(deed="recalled")
    assert (line.answer, line.place, line.passed, line.by) == ("cites", spot("1.0").lane, {LEAVE}, "console")


async def test_its_messages_stay_known_so_that_the_platform_can_have_them_replaced(bot: Bot, recall: Recall) -> None:
    reply = await bot.answered("cites", spot("1.0"))
    await recall.withdraw(LEAVE, await recall.resting(LEAVE))
    left = await bot.replies.get(reply.key)
    assert left is not None
    assert (left.state, left.post, left.messages) == ("withdrawn", None, ("mcites",))


@on_both
async def test_what_was_shared_or_stopped_half_way_is_found_and_withdrawn_too(bot: Bot, recall: Recall) -> None:
    private = await bot.answered("cites", spot("1.0"), messages=(), private=True)
    copy = await bot.replies.begin(
        type(private)(key="shared/1", spot=spot("5.0"), asker="U7", question="q", language="en")
    )
    await bot.replies.written(copy.key, Post(text="CANARY", language="en"), "cites", frozenset({LEAVE}))
    await bot.replies.settled(copy.key, messages=("m5",), state="shown")
    half = await bot.replies.begin(
        type(private)(key="said/h", spot=spot("6.0"), asker="U7", question="h", language="en")
    )
    await bot.replies.written(half.key, Post(text="CANARY", language="en"), None, BOTH)
    await bot.replies.settled(half.key, messages=("m6",), state="stopped")
    found = await recall.resting(LEAVE)
    assert [(one.trace, one.cited, len(one.replies)) for one in found] == [("cites", True, 2), ("", True, 1)]
    assert await recall.withdraw(LEAVE, found) == 2
    assert "CANARY" not in str(await bot.rows("replies"))
    events = [one.event for one in await bot.inbox.claim("w", free=9)]
    assert {event.reply for event in events if isinstance(event, Recalled)} == {private.key, "shared/1", "said/h"}


async def test_what_was_begun_and_not_finished_is_done_when_it_is_done_again(bot: Bot, recall: Recall) -> None:
    await bot.answered("cites", spot("1.0"))
    found = await recall.resting(LEAVE)
    await recall.withdraw(LEAVE, found)
    await recall.withdraw(LEAVE, found)
    assert len(await bot.inbox.claim("w", free=9)) == 1


async def test_an_answer_that_was_written_anew_since_can_be_withdrawn_again(bot: Bot, recall: Recall) -> None:
    reply = await bot.answered("cites", spot("1.0"))
    await recall.withdraw(LEAVE, await recall.resting(LEAVE))
    (first,) = await bot.inbox.claim("w", free=9)
    await bot.inbox.done("w", first.event.key)
    await bot.replies.written(reply.key, Post(text="Thirty", language="en"), "again", frozenset({LEAVE}))
    await bot.replies.settled(reply.key, messages=reply.messages, state="shown")
    await recall.withdraw(LEAVE, await recall.resting(LEAVE))
    assert len(await bot.inbox.claim("w", free=9)) == 1


async def test_what_is_being_written_is_left_to_whoever_writes_it(bot: Bot, recall: Recall) -> None:
    reply = await bot.answered("now", spot("1.0"), state="writing")
    await bot.inbox.claim("w", free=9)
    await recall.withdraw(LEAVE, await recall.resting(LEAVE))
    left = await bot.replies.get(reply.key)
    assert left is not None
    assert left.state == "writing"
    await bot.inbox.done("w", reply.key)
    (claimed,) = await bot.inbox.claim("w", free=9)
    assert isinstance(claimed.event, Recalled)


@on_both
async def test_an_answer_of_another_document_whose_name_only_looks_alike_is_not_found(bot: Bot, recall: Recall) -> None:
    for number, id in enumerate(("leave.mdx", "LEAVE.md", "a/leave.md", "leave%md")):
        await bot.answered(f"t{number}", spot(f"{number}.0"), basis=frozenset({("handbook", DocumentId(id))}))
    assert await recall.resting(LEAVE) == []


async def test_nothing_of_it_stays_in_the_files_of_sqlite(bot: Bot, recall: Recall, engine: AsyncEngine) -> None:
    await bot.answered("cites", spot("1.0"), text="CANARY " * 400)
    async with transaction(writer(engine)) as connection:
        await connection.execute(sa.update(TRACES).values(walked="CANARY " * 400))
    await recall.withdraw(LEAVE, await recall.resting(LEAVE))
    files = Path(str(engine.url.database)).parent.glob("state.db*")
    assert not [file.name for file in files if b"CANARY" in file.read_bytes()]
