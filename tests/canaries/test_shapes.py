"""The ways in which what one person may read could get to another, each by itself, as the dialogue plays them."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.platforms.events import File
from tests.canaries.asking import ABOUT, Asked, about, above
from tests.canaries.company import Kind, direct_of
from tests.canaries.day import day, latest, says, somebody
from tests.canaries.library import TOPICS
from tests.canaries.lookout import Heard, check_nobodys
from tests.canaries.words import seen

SETTINGS = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])

TOPIC = st.builds(about, st.sampled_from(TOPICS), st.integers(0, len(ABOUT) - 1))
PICK = st.integers(0, 40)
WORD = "qnotikalex"
"""Of a file that is no document."""

MODEL = st.sampled_from([True, True, False])

COMES: tuple[tuple[str, Kind], ...] = (("U36", "guest"), ("U40", "external"), ("U20", "guest"))
"""Who comes in: a guest, a stranger, a member who is made one."""


@SETTINGS
@given(
    model=MODEL, channel=st.sampled_from(["C2", "C3", "C6", "C8"]), pick=PICK, asked=TOPIC, comes=st.sampled_from(COMES)
)
async def test_somebody_from_outside_who_joins_a_thread_is_told_nothing_of_it(
    template: Path, heard: Heard, model: bool, channel: str, pick: int, asked: Asked, comes: tuple[str, Kind]
) -> None:
    async with day(template, model=model) as bot:
        company, (who, kind) = bot.platform.company, comes
        thread = await says(bot, channel, somebody(bot, channel, pick), asked)
        await says(bot, channel, somebody(bot, channel, pick + 2), above, thread)  # a summary of an answer is one, too
        company.people[who].kind = kind
        company.channels[channel].add(who)
        company.changed()
        bot.platform.happened(person=who, channel=channel)
        await says(bot, channel, somebody(bot, channel, pick + 1), above, thread)
        await says(bot, channel, who, asked, thread)
        await says(bot, channel, who, above, thread)
        for button, place, message in bot.buttons("again")[:2]:
            pressed = bot.platform.press(button, by=who, channel=place, message=message)
            await bot.happens(pressed, company.readers_in(place))
    heard.check()


@SETTINGS
@given(model=MODEL, channel=st.sampled_from(["C1", "C4", "C6", "C9"]), pick=PICK, asked=TOPIC)
async def test_a_private_answer_is_in_nobody_s_summary(
    template: Path, heard: Heard, model: bool, channel: str, pick: int, asked: Asked
) -> None:
    """Neither after a slash command, nor after a fuller answer, nor after a direct message."""
    async with day(template, model=model) as bot:
        who, colleague = somebody(bot, channel, pick), somebody(bot, channel, pick + 1)
        await says(bot, direct_of(who), who, asked)
        thread = await says(bot, channel, who, asked)
        await bot.happens(bot.platform.command(channel, asked.text, by=who), [who])
        for whisper in bot.platform.whispers:
            if any(button.action == "fuller" for button in whisper.post.buttons):
                check_nobodys("offer", whisper.post)
        for button, _, message in bot.buttons("fuller", to=who)[:1]:
            pressed = bot.platform.press(button, by=who, channel=direct_of(who), message=message)
            await bot.happens(pressed, [who])
        for each in (colleague, who):
            await says(bot, channel, each, above, thread)
            await says(bot, channel, each, asked, thread)
            await says(bot, direct_of(each), each, above)
    heard.check()


@SETTINGS
@given(model=MODEL, channel=st.sampled_from(["C1", "C2", "C6"]), pick=PICK, asked=TOPIC, gone=st.booleans())
async def test_an_answer_that_is_written_again_is_for_who_reads_it_now(
    template: Path, heard: Heard, model: bool, channel: str, pick: int, asked: Asked, gone: bool
) -> None:
    """After its documents were given other readers, or were taken away, or after its readers have lost their groups."""
    async with day(template, model=model) as bot:
        company, who = bot.platform.company, somebody(bot, channel, pick)
        await says(bot, channel, who, asked)
        await says(bot, direct_of(who), who, asked)
        shown = seen(latest(bot, channel) + latest(bot, direct_of(who)))
        for paper in [paper for paper in company.papers.values() if paper.words & shown]:
            if gone:
                await bot.house.delete(paper, indexed=False)
            else:
                await bot.house.relabel(paper, ["group:board"], indexed=False)
        company.people["U03"].kind = "guest"
        company.user_groups["S1"].clear()
        company.changed()
        bot.platform.happened()
        for button, place, message in bot.buttons("again"):
            pressed = bot.platform.press(button, by=who, channel=place, message=message)
            await bot.happens(pressed, company.readers_in(place))
    heard.check()


@SETTINGS
@given(model=MODEL, channel=st.sampled_from(["C1", "C4", "C6"]), pick=PICK, asked=TOPIC, thief=PICK)
async def test_what_is_shared_is_for_all_or_was_disclosed_by_somebody_who_may(
    template: Path, heard: Heard, model: bool, channel: str, pick: int, asked: Asked, thief: int
) -> None:
    async with day(template, model=model) as bot:
        who, other = somebody(bot, channel, pick), somebody(bot, channel, thief)
        there = bot.platform.company.readers_in(channel)
        await bot.happens(bot.platform.command(channel, asked.text, by=who), [who])
        for action in ("share", "disclose"):
            for by in dict.fromkeys((other, who)):
                for button, _, message in bot.buttons(action, to=who)[:1]:
                    await bot.happens(bot.platform.press(button, by=by, channel=direct_of(by), message=message), there)
        acts = [act for act in bot.acts if act.deed in ("shared", "disclosed")]
        assert all(act.by == f"slack:{who}" for act in acts)
        thread = await says(bot, channel, other, asked)
        await says(bot, channel, other, above, thread)
    heard.check()


@settings(SETTINGS, max_examples=5)
@given(model=MODEL, asked=TOPIC)
async def test_a_file_is_read_for_its_own_thread_alone(template: Path, heard: Heard, model: bool, asked: Asked) -> None:
    async with day(template, model=model) as bot:
        company = bot.platform.company
        file = File(id="F1", name="notes.md", media_type="text/markdown", size=60)
        bot.platform.contents["F1"] = f"{asked.text} The notes say that {WORD} has the plan in hand.".encode()
        company.said[WORD] = {"C3"}
        await says(bot, "C3", "U06", asked, files=(file,))
        assert WORD in seen([latest(bot, "C3"), *(prompt.messages for prompt in bot.prompts)])
        for channel in ("C2", "D01"):
            thread = await says(bot, channel, "U01", Asked(text="What do the notes say about the plan?"))
            await says(bot, channel, "U01", above, thread)
    heard.check()
