"""A slash command is answered to whoever typed it, and to nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.model import Outcome
from bot.platforms.interface import Button, PlatformUnavailable
from ingest.model import MEMBER
from tests.fixtures.chat import Whisper
from tests.fixtures.dialogue import Hall, hall


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(tmp_path) as opened:
        yield opened


async def whispered(bot: Hall, channel: str = "C1") -> Whisper:
    await bot.happens(bot.platform.command(channel, "leave", by="U1"))
    return bot.platform.whispers[-1]


def button(whisper: Whisper, action: str) -> Button:
    return next(button for button in whisper.post.buttons if button.action == action)


async def shares(bot: Hall, whisper: Whisper, by: str = "U1") -> str:
    pressed = bot.platform.press(button(whisper, "share"), by=by, channel="D1", message="")
    return (await bot.happens(pressed)).text


async def test_a_command_is_answered_to_the_asker_alone(bot: Hall) -> None:
    receipt = await bot.happens(bot.platform.command("C1", "leave", by="U1"))
    assert receipt.text == "de:chat-searching-privately"
    (whisper,) = bot.platform.whispers
    assert (whisper.to, whisper.post.text) == ("U1", "About leave: thirty days [1].")
    assert whisper.respond_to.startswith("url/")
    assert whisper.post.notes == ("en:chat-only-you",)
    assert [button.action for button in whisper.post.buttons] == ["up", "down", "share"]
    assert bot.pen.asked[0].place.readers is None
    assert bot.pen.asked[0].asker.readers == MEMBER
    assert bot.platform.answers("C1") == []


async def test_an_empty_command_tells_how_it_is_used(bot: Hall) -> None:
    receipt = await bot.happens(bot.platform.command("C1", "  ", by="U2"))
    assert receipt.text == "en:chat-usage /ask"
    assert bot.pen.asked == []


async def test_there_is_nothing_to_share_in_a_direct_message(bot: Hall) -> None:
    whisper = await whispered(bot, "D1")
    assert [button.action for button in whisper.post.buttons] == ["up", "down"]
    assert whisper.post.notes == ()


async def test_a_command_of_hours_ago_gets_an_apology(bot: Hall) -> None:
    command = bot.platform.command("C1", "leave", by="U1")
    bot.clock.pass_time(hours=2)
    await bot.happens(command)
    assert [whisper.post.text for whisper in bot.platform.whispers] == ["de:chat-late"]


async def test_what_could_not_be_whispered_is_whispered_later_without_asking_again(bot: Hall) -> None:
    bot.platform.faults["whisper"] = [PlatformUnavailable("busy")]
    await bot.receive(bot.platform.command("C1", "leave", by="U1"))
    with pytest.raises(PlatformUnavailable):
        await bot.work()
    bot.clock.pass_time(seconds=31)
    await bot.work()
    assert len(bot.platform.whispers) == 1
    assert len(bot.pen.asked) == 1


async def test_an_answer_is_shared_once(bot: Hall) -> None:
    whisper = await whispered(bot)
    await shares(bot, whisper)
    await shares(bot, whisper)
    assert len(bot.platform.answers("C1")) == 1


async def test_nobody_else_can_share_or_rate_what_only_the_asker_saw(bot: Hall) -> None:
    whisper = await whispered(bot)
    assert await shares(bot, whisper, by="U2") == "en:access-may-not"
    rated = bot.platform.press(button(whisper, "up"), by="U2", channel="C1", message="")
    assert (await bot.happens(rated)).text == "en:access-may-not"
    assert bot.platform.answers("C1") == []


async def test_what_was_found_for_nobody_is_not_offered_to_others(bot: Hall) -> None:
    bot.pen.outcome = lambda question: Outcome.NOT_FOUND
    whisper = await whispered(bot)
    assert [button.action for button in whisper.post.buttons] == ["up", "down"]


async def test_the_thread_below_a_shared_answer_is_one_the_bot_takes_part_in(bot: Hall) -> None:
    await shares(bot, await whispered(bot))
    (shared,) = bot.platform.answers("C1")
    await bot.happens(bot.platform.say("C1", "and in June?", by="U2", thread=shared.id))
    assert len(bot.platform.answers("C1", shared.id)) == 2
    assert [turn.role for turn in bot.pen.asked[-1].history] == ["assistant"]


async def test_a_person_is_called_below_a_shared_answer(bot: Hall) -> None:
    bot = bot.with_(source_owners={"handbook": ("slack:U3",)})
    await shares(bot, await whispered(bot))
    (shared,) = bot.platform.answers("C1")
    await bot.press("person", shared, by="U2")
    call = bot.platform.answers("C1", shared.id)[1]
    await bot.press("resolved", call, by="U3")
    assert call.post is not None
    assert call.post.notes == ("en:chat-resolved-by Cleo",)


async def test_commands_in_one_channel_do_not_wait_for_each_other(bot: Hall) -> None:
    await bot.receive(bot.platform.command("C1", "leave", by="U1"))
    await bot.receive(bot.platform.command("C1", "canteen", by="U2"))
    assert len(await bot.inbox.claim("worker", free=5)) == 2


async def test_a_private_answer_is_no_part_of_any_thread(bot: Hall) -> None:
    await whispered(bot)
    said = bot.platform.say("C1", "and in June?", by="U1", mention=True)
    await bot.happens(said)
    assert bot.pen.asked[1].history == ()
