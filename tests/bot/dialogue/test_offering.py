"""Whoever asked among people who may read less is offered more, alone; the offer says nothing, and is made once."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.dialogue.workers import Claim
from bot.model import Answer, Outcome, Question
from bot.platforms.events import Said
from bot.platforms.interface import PlatformUnavailable
from ingest.database import DatabaseUnavailable
from ingest.model import EVERYONE, PUBLIC, DocumentKey
from tests.fixtures.chat import Killed, Whisper
from tests.fixtures.dialogue import LEAVE, Hall, hall

FINANCE = "slack:SFINANCE"
SECRET = "The merger costs nine millions"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Hall]:
    """Ada alone is in finance, and a document for finance says more."""
    async with hall(tmp_path) as opened:
        opened.platform.group(FINANCE, "U1")
        payroll = opened.shelf.keep("payroll.md", FINANCE)
        opened.more = lambda question, answer: True
        opened.pen.text = lambda question: SECRET if FINANCE in readers(question) else "Thirty days"
        opened.pen.basis = lambda question: frozenset({payroll if FINANCE in readers(question) else LEAVE})
        yield opened


def readers(question: Question) -> frozenset[str]:
    return question.asker.readers if question.place.readers is None else question.place.readers


async def asks(bot: Hall, channel: str = "C1", by: str = "U1", text: str = "leave") -> Said:
    said = bot.platform.say(channel, text, by=by, mention=True)
    await bot.happens(said)
    return said


def deeds(bot: Hall) -> list[tuple[str, str, str]]:
    return [(act.deed, act.by, act.answer) for act in bot.acts]


async def test_the_channel_is_answered_with_what_all_may_read_and_the_asker_is_offered_more(bot: Hall) -> None:
    said = await asks(bot)
    (answer,) = bot.platform.answers("C1")
    assert answer.text == "Thirty days"
    assert bot.pen.asked[0].place.readers == {EVERYONE, PUBLIC}
    (offer,) = bot.platform.whispers
    assert (offer.to, offer.post.text) == ("U1", "en:access-offer")
    assert [button.action for button in offer.post.buttons] == ["fuller"]
    assert (offer.post.sources, offer.post.notes) == ((), ())
    assert deeds(bot) == [("offered", "slack:U1", "trace1")]
    assert bot.acts[0].place == said.spot.lane
    assert bot.acts[0].passed == frozenset()


async def test_a_fuller_answer_is_written_for_whoever_was_offered_it(bot: Hall) -> None:
    await asks(bot)
    receipt = await bot.presses("fuller", bot.platform.whispers[0], by="U1")
    assert receipt.text == "en:chat-searching-privately"
    whisper = bot.platform.whispers[1]
    assert (whisper.to, whisper.post.text) == ("U1", SECRET)
    assert whisper.post.notes == ("en:chat-only-you",)
    assert bot.pen.asked[1].place.readers is None
    assert bot.pen.asked[1].history == ()
    assert ("fuller", "slack:U1", "trace2") in deeds(bot)
    assert not any(SECRET in kept.text for kept in bot.platform.messages)


async def test_nobody_else_gets_what_somebody_was_offered(bot: Hall) -> None:
    bot.platform.group(FINANCE, "U1", "U2")
    bot.platform.comes("C1", "U3")
    await asks(bot)
    offer = bot.platform.whispers[0]
    for other in ("U2", "U3"):
        assert (await bot.presses("fuller", offer, by=other)).text == "en:access-may-not"
    assert len(bot.pen.asked) == 1
    assert len(bot.platform.whispers) == 1


async def test_a_fuller_answer_is_written_with_what_the_asker_may_read_by_then(bot: Hall) -> None:
    await asks(bot)
    bot.platform.group(FINANCE)
    await bot.presses("fuller", bot.platform.whispers[0], by="U1")
    assert bot.platform.whispers[1].post.text == "Thirty days"


async def test_a_fuller_answer_is_whispered_once(bot: Hall) -> None:
    await asks(bot)
    offer = bot.platform.whispers[0]
    await bot.presses("fuller", offer, by="U1")
    await bot.presses("fuller", offer, by="U1")
    assert len(bot.pen.asked) == 2
    assert len(bot.platform.whispers) == 2


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.LIMITED, Outcome.WITHDRAWN])
async def test_an_offer_that_came_to_nothing_stands(bot: Hall, outcome: Outcome) -> None:
    await asks(bot)
    bot.pen.outcome = lambda question: outcome
    await bot.presses("fuller", bot.platform.whispers[0], by="U1")
    bot.pen.outcome = lambda question: Outcome.ANSWERED
    await bot.presses("fuller", bot.platform.whispers[0], by="U1")
    assert bot.platform.whispers[-1].post.text == SECRET


async def test_a_fuller_answer_that_could_not_be_whispered_is_whispered_later_without_asking_again(bot: Hall) -> None:
    await asks(bot)
    bot.platform.faults["whisper"] = [PlatformUnavailable("busy")]
    with pytest.raises(PlatformUnavailable):
        await bot.presses("fuller", bot.platform.whispers[0], by="U1")
    bot.clock.pass_time(seconds=31)
    await bot.work()
    assert bot.platform.whispers[-1].post.text == SECRET
    assert len(bot.pen.asked) == 2


async def test_what_the_asker_may_not_read_any_more_is_not_whispered_although_it_was_written(bot: Hall) -> None:
    await asks(bot)
    bot.platform.faults["whisper"] = [PlatformUnavailable("busy")]
    with pytest.raises(PlatformUnavailable):
        await bot.presses("fuller", bot.platform.whispers[0], by="U1")
    bot.platform.group(FINANCE)
    bot.clock.pass_time(seconds=31)
    await bot.work()
    assert bot.platform.whispers[-1].post.text == "Thirty days"


async def test_a_question_that_is_gone_has_no_fuller_answer(bot: Hall) -> None:
    said = await asks(bot)
    offer = bot.platform.whispers[0]
    await bot.happens(bot.platform.delete("C1", said.message))
    assert "chat-expired" in (await bot.presses("fuller", offer, by="U1")).text
    assert len(bot.pen.asked) == 1


async def test_an_edited_question_is_offered_anew_and_answered_as_it_is_now(bot: Hall) -> None:
    said = await asks(bot)
    await bot.happens(bot.platform.edit("C1", said.message, "salaries"))
    first, second = bot.platform.whispers
    await bot.presses("fuller", second, by="U1")
    await bot.presses("fuller", first, by="U1")
    assert [question.text for question in bot.pen.asked] == ["leave", "salaries", "salaries"]


def never(bot: Hall) -> None:
    bot.more = lambda question, answer: False


def switched_off(bot: Hall) -> None:
    bot.offer = False


@pytest.mark.parametrize("change", [never, switched_off])
async def test_where_there_is_no_more_or_offers_are_off_none_is_made(bot: Hall, change: object) -> None:
    assert callable(change)
    change(bot)
    await asks(bot.with_())
    assert bot.platform.whispers == []


async def test_only_a_member_who_may_read_more_is_offered_more(bot: Hall) -> None:
    asked: list[Question] = []

    def more(question: Question, answer: Answer) -> bool:
        asked.append(question)
        return True

    bot.more = more
    await asks(bot, by="U2")
    bot.platform.comes("C1", "U9")
    bot.platform.group(FINANCE, "U9")
    await asks(bot, by="U9")
    bot.platform.group(FINANCE, "U1", "U2", "U3")
    bot.platform.goes("C1", "U9")
    await asks(bot)
    await asks(bot, channel="D1")
    await bot.happens(bot.platform.command("C1", "leave", by="U1"))
    assert asked == []
    assert [whisper.post.text for whisper in bot.platform.whispers if "offer" in whisper.post.text] == []


@pytest.mark.parametrize(
    ("outcome", "offered"),
    [
        (Outcome.ANSWERED, True),
        (Outcome.NOT_FOUND, True),
        (Outcome.FAILED, False),
        (Outcome.INVALID, False),
        (Outcome.LIMITED, False),
        (Outcome.WITHDRAWN, False),
    ],
)
async def test_more_is_offered_where_the_question_was_worked_on(bot: Hall, outcome: Outcome, offered: bool) -> None:
    bot.pen.outcome = lambda question: outcome
    await asks(bot)
    assert bool(bot.platform.whispers) == offered


async def test_whatever_goes_wrong_with_an_offer_the_answer_stands(bot: Hall, caplog: pytest.LogCaptureFixture) -> None:
    def away(question: Question, answer: Answer) -> bool:
        raise DatabaseUnavailable("the index is away")

    bot.more = away
    with caplog.at_level(logging.WARNING):
        await asks(bot)
    assert "the index is away" in caplog.text
    assert [answer.text for answer in bot.platform.answers("C1")] == ["Thirty days"]
    bot.more = lambda question, answer: True
    bot.platform.faults["whisper"] = [PlatformUnavailable("busy")]
    await asks(bot)
    assert [answer.text for answer in bot.platform.answers("C1")] == ["Thirty days"] * 2
    assert bot.platform.whispers == []


@pytest.mark.parametrize("call", ["finish", "finished", "whisper"])
async def test_a_crash_may_lose_an_offer_and_never_doubles_it(bot: Hall, call: str) -> None:
    bot.platform.faults[call] = [Killed()]
    await bot.receive(bot.platform.say("C1", "leave", by="U1", mention=True))
    with pytest.raises((Killed, BaseExceptionGroup)):
        await bot.work()
    bot.clock.pass_time(seconds=31)
    await bot.with_().work()
    assert [answer.text for answer in bot.platform.answers("C1")] == ["Thirty days"]
    assert len(bot.platform.whispers) <= 1


async def test_an_event_that_is_dealt_with_twice_makes_one_offer(bot: Hall) -> None:
    await bot.receive(bot.platform.say("C1", "leave", by="U1", mention=True))
    (claimed,) = await bot.inbox.claim("worker", free=1)
    await bot.exchange.handle(Claim(claimed.event, 1))
    await bot.exchange.handle(Claim(claimed.event, 2))
    assert len(bot.platform.whispers) == 1


async def shares(bot: Hall) -> Whisper:
    await asks(bot)
    await bot.presses("fuller", bot.platform.whispers[0], by="U1")
    await bot.presses("share", bot.platform.whispers[1], by="U1")
    return bot.platform.whispers[-1]


async def test_what_was_told_alone_is_shared_in_its_thread_after_a_second_thought(bot: Hall) -> None:
    asking = await shares(bot)
    assert (asking.to, asking.post.text) == ("U1", "en:access-disclose")
    assert not any(SECRET in kept.text for kept in bot.platform.messages)
    await bot.presses("disclose", asking, by="U1")
    public, shared = bot.platform.answers("C1")
    assert SECRET in shared.text
    assert shared.thread == public.thread
    (act,) = [act for act in bot.acts if act.deed == "disclosed"]
    payroll: DocumentKey = next(key for key in bot.shelf.readers if key != LEAVE)
    assert (act.by, act.passed, act.answer) == ("slack:U1", {payroll}, "trace2")


async def test_a_private_answer_that_was_disclosed_is_no_history_for_the_thread(bot: Hall) -> None:
    await bot.presses("disclose", await shares(bot), by="U1")
    thread = bot.platform.answers("C1")[0].thread
    await bot.happens(bot.platform.say("C1", "summarise above", by="U2", thread=thread, mention=True))
    payroll = next(key for key in bot.shelf.readers if key != LEAVE)
    turns = [(turn.text, turn.basis) for turn in bot.pen.asked[-1].history if turn.role == "assistant"]
    assert [basis for text, basis in turns if SECRET in text] == [{payroll}]
