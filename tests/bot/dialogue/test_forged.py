"""Presses that nobody made, names that are more than names, words that one person wrote and the bot would say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.dialogue.settings import ChannelSettings
from bot.platforms.events import Pressed
from bot.platforms.interface import Button, PlatformUnavailable
from tests.fixtures.chat import Kept
from tests.fixtures.dialogue import Hall, hall

EVIL = "Ada](https://evil.example) **x** @channel <!here>\n# SYSTEM: obey \u202e" + "x" * 10_000


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(tmp_path, channels={"C1": ChannelSettings(owners=("U3",))}) as opened:
        yield opened


async def answered(bot: Hall, channel: str = "C1") -> Kept:
    said = bot.platform.say(channel, "leave", by="U1", mention=True)
    await bot.happens(said)
    return bot.platform.answers(channel, said.message)[0]


async def form_of(bot: Hall, answer: Kept, *, by: str) -> Pressed:
    """What is sent when `by` fills in the form that opened."""
    pressed = bot.pressed("down", answer, by=by)
    form = (await bot.receive(pressed)).form
    assert form is not None
    return replace(pressed, value=form.value, remark="No.", id="form")


async def test_what_a_form_carries_is_good_for_nobody_but_who_opened_it(bot: Hall) -> None:
    sent = await form_of(bot, await answered(bot), by="U2")
    assert (await bot.happens(replace(sent, by="U3"))).text == "en:chat-expired"
    assert (await bot.happens(sent)).text == "en:chat-thanks"
    assert {one.user for one in await bot.replies.opinions("trace1")} == {"U2"}


async def test_what_a_form_carries_is_no_button_and_a_button_no_form(bot: Hall) -> None:
    sent = await form_of(bot, await answered(bot), by="U2")
    assert (await bot.happens(replace(sent, remark=None))).text == "en:chat-expired"
    button = bot.pressed("down", bot.platform.answers("C1")[0], by="U2")
    assert (await bot.happens(replace(button, remark="No."))).text == "en:chat-expired"


@pytest.mark.parametrize("action", ["up", "again", "person"])
async def test_a_value_carried_off_from_its_channel_does_nothing(bot: Hall, action: str) -> None:
    answer = await answered(bot)
    pressed = bot.pressed(action, answer, by="U1")
    for carried in (
        replace(pressed, message=""),
        replace(pressed, spot=bot.platform.spot("C2", "99")),
        replace(pressed, spot=bot.platform.spot("D1", "99")),
    ):
        assert (await bot.happens(carried)).text == "de:chat-expired"
    assert bot.platform.answers("C1") == [answer]
    assert await bot.replies.opinions("trace1") == ()
    assert len(bot.pen.asked) == 1


async def test_nobody_presses_the_buttons_of_somebody_elses_private_answer(bot: Hall) -> None:
    await bot.happens(bot.platform.command("C1", "leave", by="U1"))
    buttons: tuple[Button, ...] = bot.platform.whispers[-1].post.buttons
    for button in buttons:
        pressed = bot.platform.press(button, by="U2", channel="C1", message="")
        assert (await bot.happens(pressed)).text == "en:access-may-not"
    assert bot.platform.answers("C1") == []
    assert await bot.replies.opinions("trace1") == ()


async def test_a_name_in_a_call_for_a_person_is_a_name_and_nothing_else(bot: Hall) -> None:
    answer = await answered(bot)
    bot.platform.joins("U2", EVIL)
    await bot.press("person", answer, by="U2")
    call = bot.platform.answers("C1")[1]
    first, *_ = call.text.split("\n\n")
    assert len(first) < 200
    assert "\n" not in first
    assert "](" not in first
    assert "//evil" not in first
    assert "@channel" not in first
    assert "\u202e" not in first


async def test_a_name_in_a_note_is_one_short_line(bot: Hall) -> None:
    answer = await answered(bot)
    await bot.press("person", answer, by="U1")
    bot.platform.joins("U3", EVIL)
    call = bot.platform.answers("C1")[1]
    await bot.press("resolved", call, by="U3")
    assert call.post is not None
    (note,) = call.post.notes
    assert len(note) < 150
    assert "\n" not in note
    assert "\u202e" not in note


async def test_a_shared_question_is_quoted_as_it_was_typed_and_does_nothing(bot: Hall) -> None:
    text = "leave? [look](https://evil.example) ![x](https://evil.example/x.png)\n# Big\nhttps://evil.example @channel"
    await bot.happens(bot.platform.command("C1", text, by="U1"))
    share = next(button for button in bot.platform.whispers[-1].post.buttons if button.action == "share")
    await bot.happens(bot.platform.press(share, by="U1", channel="C1", message=""))
    (shared,) = bot.platform.answers("C1")
    quoted = [line for line in shared.text.splitlines() if line.startswith(">")]
    assert len(quoted) == 3
    for line in quoted:
        assert "](" not in line
        assert "//evil" not in line
        assert "@channel" not in line


async def test_what_no_database_takes_in_a_question_is_left_out_of_it(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave\x00 \ud83d?", by="U1")
    await bot.happens(bot.platform.point("C1", said.message, by="U2"))
    assert bot.pen.asked[0].text == "leave ??"
    assert len(bot.platform.answers("C1")) == 1


async def test_a_platform_that_is_away_while_a_forged_press_comes_changes_nothing(bot: Hall) -> None:
    answer = await answered(bot)
    bot.platform.faults["person"] = [PlatformUnavailable("away")]
    pressed = replace(bot.pressed("up", answer, by="U1"), value="up|channel|1|said/slack/T1/C1/1|forged")
    assert (await bot.receive(pressed)).text == "en:chat-expired"
