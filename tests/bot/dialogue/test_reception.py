"""What matters is kept before it is acknowledged; what does not is dropped; whoever acts is told at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.dialogue.replies import Replies
from bot.dialogue.settings import ChannelSettings
from bot.platforms.events import Event, Spot
from bot.platforms.interface import PlatformUnavailable
from tests.fixtures.chat import Kept
from tests.fixtures.dialogue import Hall, hall


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(tmp_path) as opened:
        yield opened


async def kept(bot: Hall, event: Event) -> bool:
    await bot.receive(event)
    return await bot.inbox.seen(event.key)


async def answered(bot: Hall) -> Kept:
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    await bot.happens(said)
    return bot.platform.answers("C1", said.message)[0]


async def test_what_is_kept_is_kept_once_and_wakes_the_workers(bot: Hall) -> None:
    said = bot.platform.say("D1", "leave", by="U1")
    assert await kept(bot, said)
    await bot.receive(said)
    assert bot.woken == 1


async def test_chatter_is_not_kept_and_asks_nothing_of_the_platform(bot: Hall) -> None:
    root = bot.platform.say("C1", "lunch?", by="U1")
    assert not await kept(bot, root)
    assert not await kept(bot, bot.platform.say("C1", "yes", by="U2", thread=root.message))
    assert not await kept(bot, bot.platform.edit("C1", root.message, "lunch??"))
    assert bot.platform.calls == []
    assert bot.woken == 0


async def test_replies_in_a_thread_that_the_bot_takes_part_in_are_kept(bot: Hall) -> None:
    answer = await answered(bot)
    assert await kept(bot, bot.platform.say("C1", "and in June", by="U2", thread=answer.thread))


class CountedReplies(Replies):
    looks = 0

    async def takes_part(self, spot: Spot) -> bool:
        self.looks += 1
        return await super().takes_part(spot)


async def test_a_busy_thread_is_looked_up_once(bot: Hall) -> None:
    replies = CountedReplies(bot.conversations.engine, bot.clock.now)
    bot = bot.with_(written_to=replies)
    answer = await answered(bot)
    for text in ("and in June", "and in May", "and in April"):
        assert await kept(bot, bot.platform.say("C1", text, by="U2", thread=answer.thread))
    assert replies.looks == 1


async def test_replies_that_name_others_are_not_kept(bot: Hall) -> None:
    answer = await answered(bot)
    said = bot.platform.say("C1", "@Bob so?", by="U1", thread=answer.thread, others=True)
    assert not await kept(bot, said)


async def test_a_reply_right_behind_a_question_that_is_not_answered_yet_is_kept(bot: Hall) -> None:
    root = bot.platform.say("C1", "leave", by="U1", mention=True)
    await bot.receive(root)
    assert await bot.inbox.claim("worker", free=1)
    assert await kept(bot, bot.platform.say("C1", "in Dublin I mean", by="U1", thread=root.message))


async def test_a_reply_right_behind_a_mention_in_a_thread_of_others_is_kept(bot: Hall) -> None:
    root = bot.platform.say("C1", "hello", by="U2")
    await bot.receive(bot.platform.say("C1", "leave", by="U1", thread=root.message, mention=True))
    assert await kept(bot, bot.platform.say("C1", "in Dublin I mean", by="U1", thread=root.message))


async def test_channels_are_kept_as_they_are_configured(bot: Hall) -> None:
    bot = bot.with_(channels={"C1": ChannelSettings(answer="every"), "C2": ChannelSettings(answer="never")})
    assert await kept(bot, bot.platform.say("C1", "leave?", by="U1"))
    silent = bot.platform.say("C2", "leave?", by="U1", mention=True)
    assert not await kept(bot, silent)
    assert not await kept(bot, bot.platform.point("C2", silent.message, by="U2"))


async def test_an_edit_of_what_was_asked_is_kept_even_when_it_names_the_bot_no_more(bot: Hall) -> None:
    answer = await answered(bot)
    assert await kept(bot, bot.platform.edit("C1", answer.thread, "parental leave", mention=False))
    pointed = bot.platform.say("C1", "leave", by="U1")
    await bot.receive(bot.platform.point("C1", pointed.message, by="U2"))
    assert await kept(bot, bot.platform.edit("C1", pointed.message, "parental leave"))


async def test_deletions_are_always_kept_as_they_may_come_before_the_question(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    assert await kept(bot, bot.platform.delete("C1", said.message))


async def test_pointing_waits_its_turn_in_the_thread_of_the_message(bot: Hall) -> None:
    root = bot.platform.say("C1", "hello", by="U1")
    question = bot.platform.say("C1", "leave?", by="U1", thread=root.message)
    await bot.receive(bot.platform.point("C1", question.message, by="U2"))
    (claimed,) = await bot.inbox.claim("worker", free=1)
    assert claimed.event.spot == root.spot


async def test_pointing_is_kept_while_the_platform_is_away(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave?", by="U1")
    bot.platform.faults["message"] = [PlatformUnavailable("away")]
    assert await kept(bot, bot.platform.point("C1", said.message, by="U2"))


async def test_a_press_waits_its_turn_in_the_thread_of_the_answer(bot: Hall) -> None:
    answer = await answered(bot)
    pressed = bot.pressed("up", answer, by="U2")
    assert pressed.spot.thread == answer.id
    await bot.receive(pressed)
    (claimed,) = await bot.inbox.claim("worker", free=1)
    assert claimed.event.spot.thread == answer.thread


async def test_a_forged_button_is_told_to_be_expired_and_is_dropped(
    bot: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    pressed = replace(bot.pressed("up", await answered(bot), by="U2"), value="up|channel|1|said/slack/T1/C1/1|forged")
    receipt = await bot.receive(pressed)
    assert receipt.text == "en:chat-expired"
    assert not await bot.inbox.seen(pressed.key)
    assert "forged" not in caplog.text


async def test_a_button_of_an_answer_that_was_withdrawn_has_expired(bot: Hall) -> None:
    answer = await answered(bot)
    pressed = bot.pressed("up", answer, by="U1")
    await bot.happens(bot.platform.delete("C1", answer.thread))
    assert (await bot.receive(pressed)).text == "de:chat-expired"


async def test_only_the_asker_can_stop_an_answer(bot: Hall) -> None:
    async with bot.writing(bot.platform.say("C1", "leave", by="U1", mention=True)):
        pressed = bot.pressed("stop", bot.platform.answers("C1")[0], by="U2")
        assert (await bot.receive(pressed)).text == "de:chat-not-yours"
        assert not await bot.inbox.seen(pressed.key)
        bot.pen.release()


async def test_only_the_asker_can_ask_again(bot: Hall) -> None:
    pressed = bot.pressed("again", await answered(bot), by="U2")
    assert (await bot.receive(pressed)).text == "en:chat-not-yours"
    assert not await bot.inbox.seen(pressed.key)


async def test_receipts_are_in_the_preferred_language_while_the_profile_cannot_be_had(bot: Hall) -> None:
    bot.platform.faults["person"] = [PlatformUnavailable("away")]
    receipt = await bot.receive(bot.platform.command("C1", "leave", by="U1"))
    assert receipt.text == "en:chat-searching-privately"
