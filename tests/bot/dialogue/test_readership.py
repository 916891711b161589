"""What was written is shown, used and listed again only where everybody who reads there may read what it rests on."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.dialogue.settings import ChannelSettings
from bot.dialogue.tables import REPLIES
from bot.dialogue.workers import Claim
from bot.model import Outcome
from bot.platforms.events import Said
from bot.platforms.interface import PlatformUnavailable
from ingest.database import transaction, writer
from ingest.model import EVERYONE, MEMBER, PUBLIC
from tests.fixtures.chat import OWN, Killed
from tests.fixtures.dialogue import LEAVE, PASSAGE, Ear, Hall, hall

FINANCE = "slack:SFINANCE"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(tmp_path, channels={"C1": ChannelSettings(owners=("U3",))}) as opened:
        yield opened


async def asks(
    bot: Hall, channel: str = "C1", *, by: str = "U1", thread: str | None = None, text: str = "leave"
) -> Said:
    said = bot.platform.say(channel, text, by=by, mention=True, thread=thread)
    await bot.happens(said)
    return said


async def crashes(bot: Hall, call: str, channel: str = "C1") -> Said:
    """The process is gone at that call of the first answer; the lease ends."""
    said = bot.platform.say(channel, "leave", by="U1", mention=True)
    bot.platform.faults[call] = [Killed()]
    await bot.receive(said)
    with pytest.raises((Killed, BaseExceptionGroup)):
        await bot.work()
    bot.clock.pass_time(seconds=31)
    return said


# Who asks, who reads


async def test_an_asker_in_a_channel_is_asked_for_with_what_everybody_there_holds(bot: Hall) -> None:
    bot.shelf.keep("payroll.md", FINANCE)
    bot.platform.group(FINANCE, "U1", "U2")
    await asks(bot)
    (question,) = bot.pen.asked
    assert question.asker.readers == MEMBER | {FINANCE}
    assert question.place.readers == {EVERYONE, PUBLIC}
    assert question.place.workspace == "T1"
    bot.platform.group(FINANCE, "U1", "U2", "U3")
    await asks(bot)
    assert bot.pen.asked[1].place.readers == MEMBER | {FINANCE}


async def test_an_asker_who_may_read_less_than_those_in_the_channel_is_answered_with_that(bot: Hall) -> None:
    bot.platform.joins("U4", "Visitor", member=False)
    await asks(bot, by="U4")
    assert bot.pen.asked[0].place.readers == {PUBLIC}


async def test_alone_the_asker_is_asked_for_with_their_own_tokens(bot: Hall) -> None:
    bot.shelf.keep("payroll.md", FINANCE)
    bot.platform.group(FINANCE, "U1")
    await asks(bot, "D1")
    assert (bot.pen.asked[0].place.readers, bot.pen.asked[0].asker.readers) == (None, MEMBER | {FINANCE})


async def test_a_channel_whose_members_cannot_be_told_is_answered_from_public_documents(bot: Hall) -> None:
    bot.platform.untold.add("C1")
    await asks(bot)
    assert bot.pen.asked[0].place.readers == {PUBLIC}


@pytest.mark.parametrize(("channel", "told"), [("D1", True), ("C1", False)])
async def test_groups_that_cannot_be_looked_up_are_told_to_an_asker_who_is_alone(
    bot: Hall, channel: str, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    bot.doors.missing = "the directory is away"
    with caplog.at_level(logging.WARNING):
        said = await asks(bot, channel)
    answer = bot.platform.answers(channel, said.message)[0]
    assert answer.post is not None
    assert ("de:note-groups-unknown" in answer.post.notes) == told
    assert "the directory is away" in caplog.text
    assert "leave" not in caplog.text


async def test_groups_that_cannot_be_looked_up_are_told_under_a_private_answer(bot: Hall) -> None:
    bot.doors.missing = "the directory is away"
    await bot.happens(bot.platform.command("C1", "leave", by="U1"))
    assert bot.platform.whispers[0].post.notes == ("de:note-groups-unknown", "en:chat-only-you")
    await bot.presses("share", bot.platform.whispers[0], by="U1")
    (shared,) = bot.platform.answers("C1")
    assert shared.post is not None
    assert shared.post.notes == ("en:chat-shared-by Ada",)


# History


async def test_an_earlier_answer_carries_what_it_rests_on(bot: Hall) -> None:
    said = await asks(bot)
    await asks(bot, thread=said.message)
    assert [turn.basis for turn in bot.pen.asked[1].history] == [frozenset(), {LEAVE}]


async def test_of_an_own_message_that_is_no_known_answer_nobody_knows_what_it_rests_on(bot: Hall) -> None:
    root = bot.platform.say("C1", "who knows?", by="U1")
    bot.platform._keep("C1", "The merger costs nine millions.", OWN, root.message)
    await asks(bot, thread=root.message)
    assert [(turn.role, turn.basis) for turn in bot.pen.asked[0].history] == [
        ("user", frozenset()),
        ("assistant", None),
    ]


async def test_an_answer_of_before_bases_were_kept_is_history_of_which_nobody_knows_the_basis(bot: Hall) -> None:
    said = await asks(bot)
    async with transaction(writer(bot.conversations.engine)) as connection:
        await connection.execute(sa.update(REPLIES).values(basis=sa.null()))
    await asks(bot, thread=said.message)
    assert bot.pen.asked[1].history[1].basis is None


async def test_a_private_answer_is_no_history_even_where_a_thread_lists_it(bot: Hall) -> None:
    bot.shelf.keep("payroll.md", FINANCE)
    bot.platform.group(FINANCE, "U1")
    bot.more = lambda question, answer: True
    bot.pen.text = lambda question: "for all" if question.place.readers else "for one"
    said = await asks(bot)
    await bot.presses("fuller", bot.platform.whispers[0], by="U1")
    (private,) = await bot.replies.of_trace("trace2")
    await bot.replies.posted(private.key, bot.platform._keep("C1", "for one", OWN, said.message).id)
    bot.platform._keep("C1", "for one", OWN, said.message)
    await asks(bot, thread=said.message, by="U2")
    own = [turn for turn in bot.pen.asked[-1].history if turn.role == "assistant"]
    assert [(turn.text, turn.basis) for turn in own] == [("for all", {LEAVE}), ("for one", None)]


async def test_a_classifier_sees_only_what_everybody_there_may_read(bot: Hall) -> None:
    ear = Ear(addressed=False)
    bot = bot.with_(classifier=ear)
    said = await asks(bot)
    await bot.happens(bot.platform.say("C1", "and in June?", by="U2", thread=said.message))
    bot.shelf.keep("leave.md", FINANCE)
    await bot.happens(bot.platform.say("C1", "and in July?", by="U2", thread=said.message))
    before, after = (turns for _, turns in ear.heard)
    assert any("thirty days" in turn.text for turn in before)
    assert not any("thirty days" in turn.text for turn in after)


# What was stored is shown again


async def test_a_stored_answer_that_its_readers_may_read_is_shown_without_asking_again(bot: Hall) -> None:
    await crashes(bot, "finish")
    await bot.with_().work()
    assert [answer.text for answer in bot.platform.answers("C1")] == ["About leave: thirty days [1]."]
    assert len(bot.pen.asked) == 1


async def a_guest_comes(bot: Hall) -> None:
    bot.platform.comes("C1", "U9")


async def it_is_revoked(bot: Hall) -> None:
    bot.shelf.keep("leave.md")


async def its_basis_is_unknown(bot: Hall) -> None:
    async with transaction(writer(bot.conversations.engine)) as connection:
        await connection.execute(sa.update(REPLIES).values(basis=sa.null()))


CHANGES = pytest.mark.parametrize("change", [a_guest_comes, it_is_revoked, its_basis_is_unknown])


@CHANGES
async def test_a_stored_answer_that_not_all_may_read_any_more_is_written_anew(bot: Hall, change: object) -> None:
    await crashes(bot, "finish")
    assert callable(change)
    await change(bot)
    bot.pen.text = lambda question: "Ask your manager."
    bot.pen.cites = ()
    await bot.with_().work()
    assert [answer.text for answer in bot.platform.answers("C1")] == ["Ask your manager."]
    assert [kept.text for kept in bot.platform.messages if "thirty" in kept.text] == []


async def test_a_stored_private_answer_that_the_asker_may_not_read_any_more_is_written_anew(bot: Hall) -> None:
    bot.platform.faults["whisper"] = [PlatformUnavailable("busy")]
    await bot.receive(bot.platform.command("C1", "leave", by="U1"))
    with pytest.raises(PlatformUnavailable):
        await bot.work()
    bot.shelf.keep("leave.md")
    bot.pen.text = lambda question: "Ask your manager."
    bot.pen.cites = ()
    bot.clock.pass_time(seconds=31)
    await bot.work()
    assert [whisper.post.text for whisper in bot.platform.whispers] == ["Ask your manager."]


@CHANGES
async def test_what_is_restored_after_a_lost_lease_is_what_its_readers_may_read(bot: Hall, change: object) -> None:
    said = await asks(bot)
    assert callable(change)
    await change(bot)
    await bot.exchange.overtaken(Claim(said))
    (answer,) = bot.platform.answers("C1")
    assert answer.post is not None
    assert (answer.text, answer.post.sources, answer.actions) == ("en:answer-withdrawn", (), ("again",))
    assert answer.post.replaces
    reply = await bot.replies.get(said.key)
    assert reply is not None
    assert reply.post == answer.post


async def test_of_what_is_gone_nothing_is_restored_but_what_came_late_goes(bot: Hall) -> None:
    said = await asks(bot)
    (answer,) = bot.platform.answers("C1")
    bot.platform._remove("C1", [answer.id])
    await it_is_revoked(bot)
    bot.platform._keep("C1", "thirty days", OWN, said.message)
    await bot.exchange.overtaken(Claim(said))
    assert bot.platform.answers("C1") == []
    reply = await bot.replies.get(said.key)
    assert reply is not None
    assert reply.post is not None
    assert (reply.post.text, reply.messages) == ("en:answer-withdrawn", ())


@pytest.mark.parametrize("change", [None, a_guest_comes, it_is_revoked, its_basis_is_unknown])
async def test_what_is_written_over_an_answer_that_not_all_may_read_any_more_is_posted_anew(
    bot: Hall, change: Callable[[Hall], Awaitable[None]] | None
) -> None:
    await asks(bot)
    (before,) = bot.platform.answers("C1")
    if change:
        await change(bot)
    bot.pen.cites = ()
    await bot.press("again", before, by="U1")
    (after,) = bot.platform.answers("C1")
    assert (after.id == before.id) == (change is None)


async def test_what_is_revoked_while_an_answer_takes_the_place_of_another_is_replaced_for_good(bot: Hall) -> None:
    await asks(bot)
    (before,) = bot.platform.answers("C1")
    bot.pen.cites = ()
    bot.pen.hold()
    await bot.receive(bot.pressed("again", before, by="U1"))
    (claimed,) = await bot.inbox.claim("worker", free=1)
    async with bot.held(claimed):
        await it_is_revoked(bot)
        bot.pen.release()
    assert before.gone
    assert len(bot.platform.answers("C1")) == 1


@pytest.mark.parametrize("change", [None, a_guest_comes, it_is_revoked])
async def test_an_answer_that_not_all_may_read_by_the_time_it_is_finished_ends_in_a_sentence(
    bot: Hall, change: Callable[[Hall], Awaitable[None]] | None
) -> None:
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    async with bot.writing(said):
        if change:
            await change(bot)
        bot.pen.release()
    (answer,) = bot.platform.answers("C1")
    reply = await bot.replies.get(said.key)
    assert reply is not None
    assert ("thirty" in answer.text) is (change is None)
    assert (answer.text == "en:answer-withdrawn") is (change is not None)
    assert reply.basis == (frozenset() if change else frozenset({LEAVE}))


async def test_what_was_stopped_rests_on_what_was_written_by_then(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    async with bot.writing(said) as claim:
        claim.interrupt(bot.platform.stop(said.spot, by="U1"))
    reply = await bot.replies.get(said.key)
    assert reply is not None
    assert (reply.state, reply.basis) == ("stopped", {LEAVE})


async def test_what_is_revoked_while_it_is_written_is_not_left_by_a_stop(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    async with bot.writing(said) as claim:
        bot.shelf.keep("leave.md")
        claim.interrupt(bot.platform.stop(said.spot, by="U1"))
    (answer,) = bot.platform.answers("C1")
    assert answer.post is not None
    assert (answer.text, answer.post.sources, answer.post.notes) == ("de:answer-withdrawn", (), ())
    assert answer.post.replaces


async def test_an_earlier_answer_does_not_come_back_by_a_stop_where_it_may_not_be_read(bot: Hall) -> None:
    said = await asks(bot)
    again = bot.pressed("again", bot.platform.answers("C1")[0], by="U1")
    bot.shelf.keep("leave.md")
    bot.pen.hold(after=0)
    await bot.receive(again)
    (claimed,) = await bot.inbox.claim("worker", free=1)
    async with bot.held(claimed) as claim:
        claim.interrupt(bot.platform.stop(said.spot, by="U1"))
    (answer,) = bot.platform.answers("C1")
    assert answer.text == "de:chat-stopped-by Ada"
    assert answer.post is not None
    assert answer.post.replaces


# How an answer ends


@pytest.mark.parametrize("limit", [4000, 6], ids=["one message", "several messages"])
async def test_a_withdrawn_answer_leaves_a_sentence_and_nothing_else(bot: Hall, limit: int) -> None:
    bot.platform.limit = limit
    bot.pen.outcome = lambda question: Outcome.WITHDRAWN
    bot.pen.notes = ("a note",)
    said = await asks(bot)
    answers = bot.platform.answers("C1")
    assert "".join(answer.text for answer in answers) == "withdrawn"
    assert answers[-1].post is not None
    assert (answers[-1].post.sources, answers[-1].post.notes, answers[-1].actions) == ((), (), ("again",))
    assert answers[-1].post.replaces
    reply = await bot.replies.get(said.key)
    assert reply is not None
    assert reply.basis == frozenset()


async def test_a_question_over_a_quota_gets_a_sentence_without_buttons(bot: Hall) -> None:
    bot.pen.outcome = lambda question: Outcome.LIMITED
    bot.pen.notes = ("a note",)
    await asks(bot)
    (answer,) = bot.platform.answers("C1")
    assert answer.post is not None
    assert (answer.post.sources, answer.post.notes, answer.post.buttons) == ((), (), ())


# A person is called


async def test_a_person_is_shown_the_sources_that_everybody_there_may_read(bot: Hall) -> None:
    await asks(bot)
    await bot.press("person", bot.platform.answers("C1")[0], by="U1")
    call = bot.platform.answers("C1")[1]
    assert call.post is not None
    assert [source.title for source in call.post.sources] == [PASSAGE.chunk.title]


@CHANGES
async def test_sources_that_not_everybody_may_read_any_more_are_not_shown_to_a_person(
    bot: Hall, change: object
) -> None:
    await asks(bot)
    answer = bot.platform.answers("C1")[0]
    await bot.receive(bot.pressed("person", answer, by="U1"))
    assert callable(change)
    await change(bot)
    await bot.work()
    call = bot.platform.answers("C1")[1]
    assert call.post is not None
    assert (call.post.sources, call.post.sources_label) == ((), "")


async def test_what_is_resolved_lists_only_what_may_be_read_by_then(bot: Hall) -> None:
    await asks(bot)
    await bot.press("person", bot.platform.answers("C1")[0], by="U1")
    call = bot.platform.answers("C1")[1]
    bot.shelf.keep("leave.md")
    await bot.press("resolved", call, by="U3")
    call = bot.platform.answers("C1")[1]
    assert call.post is not None
    assert call.post.notes == ("en:chat-resolved-by Cleo",)
    assert (call.post.sources, call.post.replaces) == ((), True)
