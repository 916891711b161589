"""Questions are stopped, edited, deleted and asked again; what is shown follows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.dialogue.settings import ChannelSettings
from bot.platforms.events import Event
from bot.platforms.interface import Post
from tests.fixtures.chat import Kept
from tests.fixtures.dialogue import Hall, hall


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(tmp_path) as opened:
        yield opened


async def answered(bot: Hall, text: str = "leave") -> Kept:
    said = bot.platform.say("C1", text, by="U1", mention=True)
    await bot.happens(said)
    return bot.platform.answers("C1", said.message)[0]


async def interrupted(bot: Hall, question: Event, by: Event) -> None:
    """`by` happens while the answer to `question` is being written."""
    async with bot.writing(question) as claim:
        await bot.receive(by)
        claim.interrupt(by)
    bot.pen.release()


async def test_a_stopped_answer_keeps_what_is_written_and_says_who_stopped_it(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    await interrupted(bot, said, bot.platform.stop(said.spot, by="U1"))
    await bot.work()
    (answer,) = bot.platform.answers("C1")
    assert answer.post is not None
    assert (answer.text, answer.post.notes, answer.actions) == ("About leave:", ("de:chat-stopped-by Ada",), ("again",))
    assert bot.pen.closed == 1


async def test_the_button_stops_as_the_platforms_own_does(bot: Hall) -> None:
    async with bot.writing(bot.platform.say("C1", "leave", by="U1", mention=True)) as claim:
        pressed = bot.pressed("stop", bot.platform.answers("C1")[0], by="U1")
        await bot.receive(pressed)
        (waiting,) = (await bot.inbox.waiting([claim.event.spot.lane]))[claim.event.spot.lane]
        claim.interrupt(waiting.event)
    await bot.work()
    assert bot.platform.answers("C1")[0].text == "About leave:"


async def test_a_stream_that_the_platform_stopped_is_marked_the_same(bot: Hall) -> None:
    async with bot.writing(bot.platform.say("C1", "leave", by="U1", mention=True)):
        bot.platform.stopped = True
        bot.pen.release()
    (answer,) = bot.platform.answers("C1")
    assert answer.post is not None
    assert (answer.text, answer.post.notes) == ("About leave: thirty", ("de:chat-stopped-by Ada",))
    assert bot.pen.closed == 1


async def test_what_is_stopped_before_a_word_is_written_says_so(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    bot.pen.hold(after=0)
    await bot.receive(said)
    (claimed,) = await bot.inbox.claim("worker", free=1)
    async with bot.held(claimed) as claim:
        claim.interrupt(bot.platform.stop(said.spot, by="U2"))
    (answer,) = bot.platform.answers("C1")
    assert answer.text == "de:chat-stopped-by Bob"


async def test_stopping_what_is_finished_changes_nothing(bot: Hall) -> None:
    answer = await answered(bot)
    states = list(answer.states)
    await bot.happens(bot.platform.stop(bot.platform.spot("C1", answer.thread), by="U1"))
    assert answer.states == states


async def test_an_edited_question_is_answered_anew_in_place(bot: Hall) -> None:
    answer = await answered(bot)
    await bot.happens(bot.platform.edit("C1", answer.thread, "parental leave"))
    assert bot.platform.answers("C1") == [answer]
    assert answer.text == "About parental leave: thirty days [1]."
    assert answer.actions == ("up", "down", "again")


async def test_edits_that_arrive_in_the_wrong_order_end_with_the_last_text(bot: Hall) -> None:
    answer = await answered(bot)
    first = bot.platform.edit("C1", answer.thread, "parental leave")
    second = bot.platform.edit("C1", answer.thread, "sick leave")
    await bot.happens(second)
    await bot.happens(first)
    assert bot.platform.answers("C1")[0].text == "About sick leave: thirty days [1]."


async def test_a_question_edited_while_it_is_answered_has_one_answer_to_what_it_is_now(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    async with bot.writing(said) as claim:
        edited = bot.platform.edit("C1", said.message, "parental leave")
        await bot.receive(edited)
        claim.interrupt(edited)
    bot.pen.release()
    await bot.work()
    (answer,) = bot.platform.answers("C1")
    assert answer.text == "About parental leave: thirty days [1]."
    assert answer.states[0] == "About"
    assert bot.platform.calls.count("finish") == 1


async def test_a_message_posted_just_when_the_writing_was_interrupted_is_written_over_too(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    async with bot.writing(said) as claim:
        await bot.platform.show(said.spot, Post(text="the next piece", language="en"))
        edited = bot.platform.edit("C1", said.message, "parental leave")
        await bot.receive(edited)
        claim.interrupt(edited)
    bot.pen.release()
    await bot.work()
    assert [kept.text for kept in bot.platform.answers("C1")] == ["About parental leave: thirty days [1]."]


async def test_a_message_edited_to_name_the_bot_is_answered(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1")
    await bot.happens(said)
    await bot.happens(bot.platform.edit("C1", said.message, "leave", mention=True))
    assert len(bot.platform.answers("C1")) == 1
    await bot.happens(said)
    assert len(bot.platform.answers("C1")) == 1


async def test_an_old_message_edited_to_name_the_bot_is_left_alone(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1")
    bot.clock.pass_time(minutes=90)
    await bot.happens(bot.platform.edit("C1", said.message, "leave", mention=True))
    assert bot.platform.answers("C1") == []


async def test_the_question_is_answered_as_it_is_when_it_is_its_turn(bot: Hall) -> None:
    root = bot.platform.say("C1", "hello", by="U2")
    said = bot.platform.say("C1", "leave", by="U1", thread=root.message, mention=True)
    await bot.receive(said)
    bot.platform.edit("C1", said.message, "parental leave")
    await bot.work()
    assert bot.pen.asked[0].text == "parental leave"


async def test_a_message_that_was_pointed_at_is_answered_anew_when_it_is_edited(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1")
    await bot.happens(bot.platform.point("C1", said.message, by="U2"))
    await bot.happens(bot.platform.edit("C1", said.message, "parental leave"))
    (answer,) = bot.platform.answers("C1")
    assert answer.text.startswith("About parental leave")


@pytest.mark.parametrize("limit", [4000, 10], ids=["one message", "several messages"])
async def test_a_deleted_question_takes_its_answer_with_it(bot: Hall, limit: int) -> None:
    bot.platform.limit = limit
    answer = await answered(bot)
    await bot.happens(bot.platform.delete("C1", answer.thread))
    assert bot.platform.answers("C1") == []
    reply = await bot.replies.get(f"said/{bot.platform.spot('C1', answer.thread).key_of(answer.thread)}")
    assert reply is not None
    assert reply.state == "withdrawn"


async def test_a_question_deleted_while_it_is_answered_leaves_nothing(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    async with bot.writing(said) as claim:
        deleted = bot.platform.delete("C1", said.message)
        await bot.receive(deleted)
        claim.interrupt(deleted)
    await bot.work()
    assert bot.platform.answers("C1") == []
    assert "finish" not in bot.platform.calls


async def test_a_question_whose_deletion_is_known_first_is_not_answered(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    edited = bot.platform.edit("C1", said.message, "parental leave")
    await bot.happens(bot.platform.delete("C1", said.message))
    await bot.happens(said)
    await bot.happens(edited)
    assert bot.platform.answers("C1") == []


async def test_what_is_gone_by_the_time_it_would_be_answered_is_let_go(bot: Hall) -> None:
    root = bot.platform.say("C1", "hello", by="U2")
    said = bot.platform.say("C1", "leave", by="U1", thread=root.message, mention=True)
    bot.platform.delete("C1", root.message)
    await bot.happens(said)
    pointed = bot.platform.say("C1", "leave", by="U1")
    bot.platform.delete("C1", pointed.message)
    await bot.happens(bot.platform.point("C1", pointed.message, by="U2"))
    assert bot.platform.answers("C1") == []
    assert bot.platform.whispers == []


async def test_answers_to_others_stay_when_a_question_is_deleted(bot: Hall) -> None:
    answer = await answered(bot)
    await bot.happens(bot.platform.say("C1", "and in June", by="U2", thread=answer.thread, mention=True))
    other = bot.platform.answers("C1")[1]
    await bot.happens(bot.platform.delete("C1", answer.thread))
    assert bot.platform.answers("C1") == [other]


async def test_asked_again_another_answer_takes_the_place_of_the_first(bot: Hall) -> None:
    answer = await answered(bot)
    bot.pen.text = lambda question: f"Once more about {question.text}."
    await bot.press("again", answer, by="U1")
    assert bot.platform.answers("C1") == [answer]
    assert answer.text == "Once more about leave."


async def test_asking_again_and_stopping_before_a_word_is_written_brings_the_first_answer_back(bot: Hall) -> None:
    answer = await answered(bot)
    bot.pen.hold(after=0)
    await bot.receive(bot.pressed("again", answer, by="U1"))
    (claimed,) = await bot.inbox.claim("worker", free=1)
    async with bot.held(claimed) as claim:
        claim.interrupt(bot.platform.stop(bot.platform.spot("C1", answer.thread), by="U1"))
    assert (answer.text, answer.actions) == ("About leave: thirty days [1].", ("up", "down", "again"))


async def test_a_question_deleted_while_it_is_asked_again_interrupts_that(bot: Hall) -> None:
    answer = await answered(bot)
    bot.pen.hold()
    await bot.receive(bot.pressed("again", answer, by="U1"))
    (claimed,) = await bot.inbox.claim("worker", free=1)
    async with bot.held(claimed) as claim:
        deleted = bot.platform.delete("C1", answer.thread)
        assert claim.message == deleted.message
        await bot.receive(deleted)
        claim.interrupt(deleted)
    await bot.work()
    assert bot.platform.answers("C1") == []


async def test_asking_again_for_a_question_that_is_gone_says_so(bot: Hall) -> None:
    root = bot.platform.say("C1", "hello", by="U2")
    said = bot.platform.say("C1", "leave", by="U1", thread=root.message, mention=True)
    await bot.happens(said)
    (answer,) = bot.platform.answers("C1")
    bot.platform.delete("C1", said.message)
    await bot.press("again", answer, by="U1")
    assert [(whisper.to, whisper.post.text) for whisper in bot.platform.whispers] == [("U1", "de:chat-expired")]


async def test_an_apology_is_replaced_by_an_answer_when_the_question_is_edited(bot: Hall) -> None:
    bot = bot.with_(channels={"C1": ChannelSettings(answer="asked")})
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    bot.clock.pass_time(minutes=90)
    await bot.happens(said)
    await bot.happens(bot.platform.edit("C1", said.message, "parental leave"))
    assert [kept.text for kept in bot.platform.answers("C1")] == ["About parental leave: thirty days [1]."]
