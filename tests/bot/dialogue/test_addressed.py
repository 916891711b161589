"""The bot speaks when it is spoken to, and silence is the default."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from bot.dialogue.settings import ChannelSettings
from bot.model import Turn
from tests.fixtures.dialogue import LEAVE, Ear, Hall, hall


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(tmp_path) as opened:
        yield opened


async def thread(bot: Hall) -> str:
    """A thread in which Ada has asked, and the bot has answered."""
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    await bot.happens(said)
    return said.message


async def test_chatter_in_a_channel_is_left_alone(bot: Hall) -> None:
    await bot.happens(bot.platform.say("C1", "lunch?", by="U1"))
    assert bot.platform.answers("C1") == []


async def test_a_channel_that_answers_everything_answers_new_questions_and_not_the_talk_below(bot: Hall) -> None:
    bot = bot.with_(channels={"C1": ChannelSettings(answer="every")})
    said = bot.platform.say("C1", "leave?", by="U1")
    await bot.happens(said)
    assert len(bot.platform.answers("C1", said.message)) == 1
    await bot.happens(bot.platform.say("C1", "@Ada ask me", by="U2", thread=said.message, others=True))
    assert len(bot.platform.answers("C1")) == 1


async def test_a_channel_that_is_never_answered_is_silent_even_when_the_bot_is_named(bot: Hall) -> None:
    bot = bot.with_(channels={"C1": ChannelSettings(answer="never")})
    said = bot.platform.say("C1", "leave?", by="U1", mention=True)
    await bot.happens(said)
    await bot.happens(bot.platform.point("C1", said.message, by="U2"))
    await bot.happens(bot.platform.edit("C1", said.message, "leave??"))
    assert bot.platform.answers("C1") == []


@pytest.mark.parametrize(
    "thanks",
    ["thanks!", "OK", "👍", ":+1:", "Vielen Dank!", "d'accord", "teşekkür ederim", "شكراً", "谢谢！", "धन्यवाद"],
)
async def test_thanks_are_not_answered_wherever_they_are_said(bot: Hall, thanks: str) -> None:
    root = await thread(bot)
    await bot.happens(bot.platform.say("C1", thanks, by="U1", thread=root))
    await bot.happens(bot.platform.say("C1", thanks, by="U1", thread=root, mention=True))
    await bot.happens(bot.platform.say("D1", thanks, by="U1"))
    assert (len(bot.platform.answers("C1")), bot.platform.answers("D1")) == (1, [])


@pytest.mark.parametrize("question", ["ok?", "thanks, and in Dublin", "25", "thank the team how"])
async def test_a_question_among_thanks_is_answered(bot: Hall, question: str) -> None:
    await bot.happens(bot.platform.say("D1", question, by="U1"))
    assert len(bot.platform.answers("D1")) == 1


async def test_a_direct_message_that_names_somebody_is_still_for_the_bot(bot: Hall) -> None:
    await bot.happens(bot.platform.say("D1", "who is @Bob?", by="U1", others=True))
    assert len(bot.platform.answers("D1")) == 1


async def test_a_reply_in_a_thread_of_others_is_left_alone(bot: Hall) -> None:
    root = bot.platform.say("C1", "lunch?", by="U1")
    await bot.happens(bot.platform.say("C1", "yes", by="U2", thread=root.message))
    assert bot.platform.answers("C1") == []


async def test_without_a_classifier_what_follows_the_bots_answer_is_for_the_bot(bot: Hall) -> None:
    root = await thread(bot)
    await bot.happens(bot.platform.say("C1", "and in June?", by="U2", thread=root))
    assert len(bot.platform.answers("C1")) == 2


async def test_without_a_classifier_the_bot_keeps_out_once_people_talk_among_themselves(bot: Hall) -> None:
    root = await thread(bot)
    bot.platform.say("C1", "hm", by="U2", thread=root)
    await bot.happens(bot.platform.say("C1", "and in June?", by="U1", thread=root))
    assert len(bot.platform.answers("C1")) == 1


async def test_without_a_classifier_somebody_alone_with_the_bot_may_write_twice(bot: Hall) -> None:
    root = await thread(bot)
    bot.platform.say("C1", "hm", by="U1", thread=root)
    await bot.happens(bot.platform.say("C1", "and in June?", by="U1", thread=root))
    assert len(bot.platform.answers("C1")) == 2


@pytest.mark.parametrize("addressed", [True, False])
async def test_a_classifier_decides_from_the_thread(bot: Hall, addressed: bool) -> None:
    ear = Ear(addressed=addressed)
    bot = bot.with_(classifier=ear)
    root = await thread(bot)
    await bot.happens(bot.platform.say("C1", "and in June?", by="U2", thread=root))
    assert len(bot.platform.answers("C1")) == 1 + addressed
    assert ear.heard == [
        (
            "and in June?",
            (
                Turn(role="user", text="leave", name="Ada"),
                Turn(role="assistant", text="About leave: thirty days [1].", basis=frozenset({LEAVE})),
            ),
        )
    ]


async def test_a_reply_that_names_somebody_else_is_left_alone_whatever_a_classifier_would_say(bot: Hall) -> None:
    ear = Ear(addressed=True)
    bot = bot.with_(classifier=ear)
    root = await thread(bot)
    await bot.happens(bot.platform.say("C1", "@Bob is that so?", by="U1", thread=root, others=True))
    assert len(bot.platform.answers("C1")) == 1
    assert ear.heard == []


async def test_a_reply_that_names_the_bot_and_somebody_else_is_answered(bot: Hall) -> None:
    root = await thread(bot)
    await bot.happens(bot.platform.say("C1", "@Bob look", by="U1", thread=root, mention=True, others=True))
    assert len(bot.platform.answers("C1")) == 2


async def test_a_thread_whose_answer_was_withdrawn_is_left_alone(bot: Hall) -> None:
    root = bot.platform.say("C1", "hello", by="U2")
    asked = bot.platform.say("C1", "leave", by="U1", thread=root.message, mention=True)
    await bot.happens(asked)
    await bot.happens(bot.platform.delete("C1", asked.message))
    await bot.happens(bot.platform.say("C1", "and in June?", by="U1", thread=root.message))
    assert bot.platform.answers("C1") == []


async def test_once_a_person_was_called_the_bot_waits_to_be_named(bot: Hall) -> None:
    bot = bot.with_(channels={"C1": ChannelSettings(owners=("U3",))}, classifier=Ear(addressed=True))
    root = await thread(bot)
    await bot.press("person", bot.platform.answers("C1")[0], by="U1")
    await bot.happens(bot.platform.say("C1", "it is 25 in Dublin", by="U3", thread=root))
    assert len(bot.pen.asked) == 1
    await bot.happens(bot.platform.say("C1", "and in Lyon?", by="U1", thread=root, mention=True))
    assert len(bot.pen.asked) == 2


async def test_what_a_bot_says_is_never_answered_even_if_it_is_reported(bot: Hall) -> None:
    bot = bot.with_(classifier=Ear(addressed=True))
    root = await thread(bot)
    message = bot.platform.say_as_bot("C1", "and in June?", thread=root)
    said = bot.platform.say("C1", "and in June?", by="U2", thread=root)
    await bot.happens(replace(said, message=message))
    assert len(bot.pen.asked) == 1


async def test_a_long_thread_costs_no_more_questions_to_the_database_than_a_short_one(bot: Hall) -> None:
    bot = bot.with_(classifier=Ear(addressed=True))
    root = await thread(bot)
    asked: list[str] = []
    event.listen(bot.conversations.engine.sync_engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    counts = []
    for number in range(4):
        asked.clear()
        await bot.happens(bot.platform.say("C1", f"and {number}?", by="U1", thread=root))
        counts.append(len(asked))
    assert len(bot.platform.answers("C1", root)) == 5
    assert counts[3] == counts[2] == counts[1] <= counts[0]
