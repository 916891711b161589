"""Answers are rated, and handed to people who know better."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.dialogue.settings import ChannelSettings
from bot.platforms.interface import Form
from tests.fixtures.chat import Kept
from tests.fixtures.dialogue import Hall, hall


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(tmp_path, channels={"C1": ChannelSettings(owners=("U3",))}) as opened:
        yield opened


async def answered(bot: Hall, channel: str = "C1") -> Kept:
    said = bot.platform.say(channel, "leave", by="U1", mention=True)
    await bot.happens(said)
    return bot.platform.answers(channel, said.message)[0]


async def opinions(bot: Hall) -> list[tuple[str, str | None, str | None]]:
    return [(one.user, one.value, one.remark) for one in await bot.replies.opinions("trace1")]


async def test_anybody_can_say_that_an_answer_helped(bot: Hall) -> None:
    answer = await answered(bot)
    assert (await bot.press("up", answer, by="U2")).text == "en:chat-thanks"
    assert await opinions(bot) == [("U2", "up", None)]


async def test_a_thumb_down_counts_at_once_and_its_reason_when_it_comes(bot: Hall) -> None:
    answer = await answered(bot)
    pressed = bot.pressed("down", answer, by="U1")
    receipt = await bot.happens(pressed)
    assert receipt.form is not None
    assert receipt.form == Form(
        title="en:chat-reason-title", label="en:chat-reason-label", submit="en:chat-send", value=receipt.form.value
    )
    assert await opinions(bot) == [("U1", "down", None)]
    told = await bot.press("down", answer, by="U1", remark="It is 25 in Dublin.")
    assert (told.text, told.form) == ("en:chat-thanks", None)
    assert await opinions(bot) == [("U1", "down", "It is 25 in Dublin.")]


async def test_the_latest_opinion_of_each_counts(bot: Hall) -> None:
    answer = await answered(bot)
    await bot.press("down", answer, by="U1")
    await bot.press("up", answer, by="U1")
    await bot.press("down", answer, by="U2")
    assert sorted(await opinions(bot)) == [("U1", "up", None), ("U2", "down", None)]


async def test_a_person_is_asked_in_the_thread_with_what_was_tried(bot: Hall) -> None:
    answer = await answered(bot)
    assert (await bot.press("person", answer, by="U2")).text == "en:chat-handed-over"
    call = bot.platform.answers("C1", answer.thread)[1]
    assert call.post is not None
    assert call.text == "en:chat-asks-person Bob\n\nen:chat-tried 3"
    assert call.post.mention == ("U3",)
    assert [source.title for source in call.post.sources] == ["Annual leave"]
    assert call.actions == ("resolved",)


async def test_the_owners_of_what_is_cited_are_asked_where_the_channel_has_none(bot: Hall) -> None:
    bot = bot.with_(channels={}, source_owners={"handbook": ("slack:U2", "mattermost:u7"), "other": ("slack:U3",)})
    answer = await answered(bot)
    await bot.press("person", answer, by="U1")
    call = bot.platform.answers("C1")[1]
    assert call.post is not None
    assert call.post.mention == ("U2",)


async def test_a_person_is_asked_once_however_many_want_it(bot: Hall) -> None:
    answer = await answered(bot)
    await bot.press("person", answer, by="U1")
    await bot.press("person", answer, by="U2")
    assert len(bot.platform.answers("C1")) == 2


async def test_without_owners_whoever_asks_for_a_person_is_told(bot: Hall) -> None:
    answer = await answered(bot)
    without = bot.with_(channels={})
    assert (await without.press("person", answer, by="U1")).text == "en:chat-no-owner"
    assert bot.platform.answers("C1") == [answer]


async def test_owners_who_were_taken_away_meanwhile_are_not_asked(bot: Hall) -> None:
    answer = await answered(bot)
    await bot.receive(bot.pressed("person", answer, by="U1"))
    await bot.with_(channels={}).work()
    assert [(whisper.to, whisper.post.text) for whisper in bot.platform.whispers] == [("U1", "en:chat-no-owner")]


@pytest.mark.parametrize("by", ["U1", "U2", "U3"], ids=["asker", "who asked for a person", "owner"])
async def test_those_concerned_can_mark_it_resolved(bot: Hall, by: str) -> None:
    answer = await answered(bot)
    await bot.press("person", answer, by="U2")
    call = bot.platform.answers("C1")[1]
    await bot.press("resolved", call, by=by)
    assert call.post is not None
    assert call.post.notes == (f"en:chat-resolved-by {bot.platform.persons[by].name}",)
    assert (call.actions, call.post.mention) == ((), ())
    assert bot.platform.answers("C1") == [answer, call]


async def test_nobody_else_can_mark_it_resolved(bot: Hall) -> None:
    answer = await answered(bot)
    await bot.press("person", answer, by="U1")
    call = bot.platform.answers("C1")[1]
    assert (await bot.press("resolved", call, by="U2")).text == "en:chat-not-yours"
    assert call.actions == ("resolved",)


async def test_the_first_to_resolve_it_is_named(bot: Hall) -> None:
    answer = await answered(bot)
    await bot.press("person", answer, by="U1")
    call = bot.platform.answers("C1")[1]
    first, second = bot.pressed("resolved", call, by="U3"), bot.pressed("resolved", call, by="U1")
    await bot.happens(first)
    await bot.happens(second)
    assert call.post is not None
    assert call.post.notes == ("en:chat-resolved-by Cleo",)


async def test_a_call_for_a_person_is_no_answer_that_later_questions_build_on(bot: Hall) -> None:
    answer = await answered(bot)
    await bot.press("person", answer, by="U1")
    await bot.happens(bot.platform.say("C1", "and in June", by="U1", thread=answer.thread, mention=True))
    assert [turn.text for turn in bot.pen.asked[1].history if turn.role == "assistant"] == [answer.text]
