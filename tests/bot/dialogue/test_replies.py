"""Whoever comes after a crash finds how far an answer went; what people think of it is kept; threads are known."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.dialogue.replies import Feedback, Handover, Replies, Reply
from bot.dialogue.tables import REPLIES
from bot.platforms.events import Spot
from bot.platforms.interface import Button, Memory, Post, Source
from ingest.database import transaction, writer
from ingest.model import DocumentId
from tests.bot.dialogue.happenings import NOON, Clock, said, spot

POST = Post(
    text="Thirty days [1].",
    language="en",
    sources=(Source(number=1, title="Leave", place=("Absence › Leave", "page 3"), url="https://example.org/leave"),),
    sources_label="Sources",
    notes=("written from this conversation",),
    buttons=(Button(action="again", label="Again", value="again|…"),),
    mention=("U7",),
)

BASIS = frozenset({("handbook", DocumentId("leave.md")), ("wiki", DocumentId("7"))})


def reply(message: str = "m1", *, at: Spot | None = None, private: bool = False, cause: str = "") -> Reply:
    return Reply(
        key=said(message).key,
        spot=at or spot(),
        asker="ada",
        question=message,
        language="en",
        private=private,
        cause=cause,
    )


@pytest.fixture
def replies(engine: AsyncEngine, clock: Clock) -> Replies:
    return Replies(engine, clock.now)


@pytest.fixture
def other(elsewhere: AsyncEngine, clock: Clock) -> Replies:
    """What was replied, as another replica sees it."""
    return Replies(elsewhere, clock.now)


async def test_an_answer_is_known_step_by_step(replies: Replies, other: Replies) -> None:
    begun = await replies.begin(reply())
    assert begun == reply() == await other.get(begun.key)
    await replies.posted(begun.key, "r1")
    await replies.posted(begun.key, "r2")
    await replies.posted(begun.key, "r1")
    await replies.written(begun.key, POST, "trace", BASIS)
    written = replace(begun, messages=("r1", "r2"), post=POST, trace="trace", basis=BASIS)
    assert await other.get(begun.key) == written
    await replies.settled(begun.key, messages=("r3", "r1"), state="shown")
    assert await other.get(begun.key) == replace(written, messages=("r3", "r1"), state="shown")
    assert await other.known_messages(spot()) == {"r1", "r3"}
    assert await replies.get("said/unknown") is None


async def test_an_answer_begun_again_is_the_one_that_was_begun(replies: Replies, other: Replies) -> None:
    await replies.begin(reply())
    await replies.posted(reply().key, "r1")
    await replies.written(reply().key, POST, "trace", BASIS)
    again = await other.begin(replace(reply(), language="fr"))
    assert again == replace(reply(), messages=("r1",), post=POST, trace="trace", basis=BASIS)


async def test_another_cause_reopens_an_answer_once(replies: Replies) -> None:
    await replies.begin(reply())
    await replies.posted(reply().key, "r1")
    await replies.written(reply().key, POST, "trace", BASIS)
    await replies.settled(reply().key, messages=("r1",), state="shown")
    edited = replace(reply(cause="edited/1"), language="fr")
    assert await replies.begin(edited) == replace(edited, messages=("r1",))
    await replies.written(reply().key, POST, "other trace", None)
    assert await replies.begin(edited) == replace(edited, messages=("r1",), post=POST, trace="other trace")


async def test_a_message_tells_its_answer(replies: Replies) -> None:
    await replies.begin(reply())
    await replies.posted(reply().key, "r1")
    await replies.noted(spot(), ["n1"])
    thread_unknown = spot("r1")
    assert await replies.holding(thread_unknown, "r1") == replace(reply(), messages=("r1",))
    assert await replies.holding(spot(channel="C2"), "r1") is None
    assert await replies.holding(spot(), "n1") is None
    assert await replies.known_messages(spot()) == {"r1", "n1"}
    assert await replies.known_messages(spot("t2")) == set()


async def test_the_bot_takes_part_where_people_see_an_answer_of_it(replies: Replies) -> None:
    await replies.begin(reply("m1"))
    assert not await replies.takes_part(spot())
    await replies.posted(reply("m1").key, "r1")
    assert await replies.takes_part(spot())
    assert not await replies.takes_part(spot("t2"))
    await replies.settled(reply("m1").key, messages=("r1",), state="withdrawn")
    assert not await replies.takes_part(spot())
    await replies.begin(reply("m2", private=True))
    await replies.posted(reply("m2").key, "r2")
    assert not await replies.takes_part(spot())


async def test_threads_are_those_written_in_since_then_the_latest_first(replies: Replies, clock: Clock) -> None:
    direct = spot("t9", channel="D1", direct=True)
    for message, place in (("m1", spot("t1")), ("m2", spot("t2")), ("m3", direct), ("m4", spot("t1"))):
        clock.advance(60)
        await replies.begin(reply(message, at=place))
    since = clock.now()
    clock.advance(60)
    await replies.begin(reply("m5", at=spot("t5"), private=True))
    await replies.begin(reply("m6", at=replace(spot(), platform="mattermost")))
    await replies.posted(reply("m2").key, "r2")
    memory: Memory = replies
    assert await memory.threads("slack", NOON) == (spot("t2"), spot("t1"), direct)
    assert await memory.threads("slack", since) == (spot("t2"), spot("t1"))
    assert await memory.threads("slack", clock.now()) == (spot("t2"),)


async def test_the_latest_opinion_counts(replies: Replies, clock: Clock) -> None:
    async def told() -> list[tuple[str, str | None, str | None]]:
        return [(one.user, one.value, one.remark) for one in await replies.opinions("trace")]

    await replies.feedback("trace", "ada", "down", None)
    await replies.feedback("trace", "ada", None, "wrong year\0 \ud800")
    assert await told() == [("ada", "down", "wrong year ?")]
    await replies.feedback("trace", "ada", "down", None)
    assert await told() == [("ada", "down", "wrong year ?")]
    await replies.feedback("trace", "ada", "up", None)
    clock.advance(1)
    await replies.feedback("trace", "bob", None, "nice")
    assert await told() == [("ada", "up", None), ("bob", None, "nice")]
    assert await replies.opinions("trace") == (
        Feedback(trace="trace", user="ada", value="up", remark=None, given=NOON),
        Feedback(trace="trace", user="bob", value=None, remark="nice", given=clock.now()),
    )
    assert await replies.opinions("another trace") == ()


async def test_a_question_is_handed_over_once_and_resolved_once(replies: Replies, clock: Clock) -> None:
    asked = Handover(reply="said/m1", by="ada", owners=("bob", "cleo"), messages=(), asked=NOON)
    assert await replies.handover("said/m1") is None
    assert await replies.resolve("said/m1", by="bob") is None
    assert await replies.hand_over("said/m1", by="ada", owners=["bob", "cleo"]) == asked
    clock.advance(60)
    assert await replies.hand_over("said/m1", by="dan", owners=["eve"]) == asked
    await replies.told("said/m1", spot(), ["h1"])
    assert await replies.known_messages(spot()) == {"h1"}
    resolved = replace(asked, messages=("h1",), resolved_by="bob", resolved=clock.now())
    assert await replies.resolve("said/m1", by="bob") == resolved
    clock.advance(60)
    assert await replies.resolve("said/m1", by="cleo") == resolved == await replies.handover("said/m1")


async def test_what_is_kept_is_recalled_after_a_restart(replies: Replies, other: Replies) -> None:
    assert await replies.recall("checkpoint") is None
    await replies.keep("checkpoint", "1")
    await replies.keep("checkpoint", "2")
    await replies.keep("another", "3")
    assert await other.recall("checkpoint") == "2"


async def test_an_answer_of_another_version_is_written_anew(
    replies: Replies, engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    await replies.begin(reply())
    await replies.written(reply().key, POST, "trace", BASIS)
    async with transaction(writer(engine)) as connection:
        await connection.execute(sa.update(REPLIES).values(post='{"blocks": []}'))
    with caplog.at_level(logging.WARNING):
        assert await replies.get(reply().key) == replace(reply(), trace="trace", basis=BASIS)
    assert reply().key in caplog.text


async def test_every_reply_of_a_thread_is_found_at_once_by_each_of_its_messages(replies: Replies) -> None:
    root = spot("r0")
    await replies.begin(reply("m1"))
    await replies.settled(reply("m1").key, messages=("r1", "r2"), state="shown")
    await replies.begin(reply("m2"))
    await replies.posted(reply("m2").key, "r3")
    await replies.begin(reply("m3", at=spot("t2")))
    await replies.posted(reply("m3").key, "r0")
    await replies.noted(spot(), ["sorry"])
    held = await replies.holding_all(spot())
    assert held == {id: await replies.holding(spot(), id) for id in ("r1", "r2", "r3")}
    # The thread below a message of ours, which itself answers something elsewhere.
    assert set(await replies.holding_all(root)) == {"r0"}
    assert await replies.holding_all(spot("t9")) == {}


async def test_a_hand_over_of_any_of_several_replies_is_known(replies: Replies) -> None:
    await replies.hand_over("one", by="ada", owners=["bob"])
    assert await replies.handed_over({"other", "one"})
    assert not await replies.handed_over({"other"})
    assert not await replies.handed_over(())


async def test_a_link_leads_to_the_reply_it_shows_or_asks_or_hangs_above(replies: Replies, clock: Clock) -> None:
    for message, post in (("17.1", "17.2"), ("17.3", "17.4")):
        asked = reply(message, at=spot("17.1"))
        await replies.begin(asked)
        await replies.posted(asked.key, post)
        clock.advance(1)
    other = reply("17.9", at=spot("17.9", channel="C2"))
    await replies.begin(other)

    async def keys(message: str, *, channel: str | None = "C1") -> list[str]:
        return [one.question for one in await replies.linked("slack", message, channel=channel)]

    assert await keys("17.2") == ["17.1"]
    assert await keys("17.3") == ["17.3"]
    assert await keys("17.1") == ["17.1"]
    assert await keys("17.1", channel=None) == ["17.1"]
    assert await keys("17.9") == []
    assert await keys("17.9", channel=None) == ["17.9"]
    assert await keys("7.2") == []
    assert await replies.linked("mattermost", "17.2") == ()


async def test_a_link_to_what_a_thread_hangs_on_leads_to_its_answers_the_latest_first(
    replies: Replies, clock: Clock
) -> None:
    for message in ("m1", "m2"):
        await replies.begin(reply(message, at=spot("root")))
        clock.advance(1)
    assert [one.question for one in await replies.linked("slack", "root", channel="C1")] == ["m2", "m1"]


async def test_what_an_answer_rests_on_is_not_known_unless_it_was_written_down(
    replies: Replies, other: Replies, engine: AsyncEngine
) -> None:
    await replies.begin(reply())
    for basis in (frozenset(), None, BASIS):
        await replies.written(reply().key, POST, "trace", basis)
        kept = await other.get(reply().key)
        assert kept is not None
        assert kept.basis == basis
    async with transaction(writer(engine)) as connection:
        await connection.execute(sa.update(REPLIES).values(basis=sa.null()))
    kept = await other.get(reply().key)
    assert kept is not None
    assert kept.basis is None


async def test_another_cause_forgets_what_the_answer_rested_on(replies: Replies) -> None:
    await replies.begin(reply())
    await replies.written(reply().key, POST, "trace", BASIS)
    assert (await replies.begin(reply(cause="pressed/again"))).basis is None


async def test_an_answer_is_offered_once_for_each_cause(replies: Replies, other: Replies) -> None:
    assert await replies.offered(reply(private=True))
    assert not await other.offered(reply(private=True))
    await replies.written(reply().key, POST, "trace", BASIS)
    await replies.settled(reply().key, messages=(), state="shown")
    assert not await other.offered(reply(private=True))
    assert await other.offered(reply(private=True, cause="edited"))
    assert await replies.get(reply().key) == replace(reply(private=True, cause="edited"), state="offered")


async def test_an_answer_that_is_taken_back_is_forgotten_and_its_messages_are_not(replies: Replies) -> None:
    await replies.begin(reply())
    await replies.posted(reply().key, "r1")
    await replies.written(reply().key, POST, "trace", BASIS)
    await replies.withdrawn(reply().key, language="de")
    gone = replace(reply(), messages=("r1",), trace="trace", state="withdrawn", language="de")
    assert await replies.get(reply().key) == gone
    assert not await replies.takes_part(spot())


async def test_the_replies_that_show_one_answer_are_found_by_its_trace(replies: Replies) -> None:
    for message in ("m1", "m2", "m3"):
        await replies.begin(reply(message))
        await replies.posted(reply(message).key, f"r{message}")
    for message in ("m1", "m3"):
        await replies.written(reply(message).key, POST, "trace", BASIS)
    found = await replies.of_trace("trace")
    assert [(one.question, one.messages) for one in found] == [("m1", ("rm1",)), ("m3", ("rm3",))]
    assert await replies.of_trace("other") == ()
