"""A document that is taken away while an answer is being written from it, and after that."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.access.recall import Recall
from tests.canaries.asking import Asked, above
from tests.canaries.bot import Bot
from tests.canaries.day import day, says, somebody
from tests.canaries.library import Paper
from tests.canaries.lookout import CHECKS, Heard, check
from tests.canaries.test_shapes import PICK, TOPIC
from tests.canaries.words import seen
from tests.fixtures.assistant import SAY

SETTINGS = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])

Deed = Literal["revoked", "deleted", "relabelled"]
DEEDS: st.SearchStrategy[Deed] = st.sampled_from(["revoked", "deleted", "relabelled"])


async def taken_away(bot: Bot, paper: Paper, how: Deed) -> None:
    """As the ledger knows at once; the index, of what a sync does, not yet."""
    if how == "revoked":
        await bot.house.revoke(paper)
    elif how == "deleted":
        await bot.house.delete(paper, indexed=False)
    else:
        await bot.house.relabel(paper, ["group:ghosts"], indexed=False)


def given_to_the_writer(bot: Bot) -> list[Paper]:
    """Papers of which the last prompt holds something."""
    words = seen([message.content for message in bot.prompts[-1].messages])
    return [paper for paper in bot.platform.company.papers.values() if paper.words & words]


@SETTINGS
@given(channel=st.sampled_from(["C1", "C2", "C7", "D03"]), pick=PICK, asked=TOPIC, how=DEEDS, after=st.integers(0, 9))
async def test_nothing_of_a_document_is_shown_once_it_is_taken_away_while_its_answer_is_written(
    template: Path, heard: Heard, channel: str, pick: int, asked: Asked, how: Deed, after: int
) -> None:
    async with day(template, model=True) as bot:
        company, there = bot.platform.company, bot.platform.company.readers_in(channel)
        who = somebody(bot, channel, pick)
        said = bot.platform.say(channel, asked.text, by=who, mention=True)
        async with bot.writing(said, sorted(there), after=after):
            papers = given_to_the_writer(bot)
            lost = papers[pick % len(papers)]
            before, held = len(bot.platform.shown), bot.writer is not None and bot.writer.holding.is_set()
            await taken_away(bot, lost, how)
        if held:
            CHECKS["revoked while written"] += 1
            assert not lost.words & seen([shown.text for shown in bot.platform.shown[before:]])
            for kept in bot.platform.answers(channel):
                check(company, "standing", (kept.text, kept.post), there)
        await says(bot, channel, who, above, said.spot.thread)
    heard.check()


@SETTINGS
@given(channel=st.sampled_from(["C1", "C2", "D03"]), pick=PICK, asked=TOPIC, how=DEEDS)
async def test_nothing_of_a_document_is_left_where_its_answers_were_withdrawn(
    template: Path, heard: Heard, channel: str, pick: int, asked: Asked, how: Deed
) -> None:
    async with day(template, model=True) as bot:
        company, there = bot.platform.company, bot.platform.company.readers_in(channel)
        who = somebody(bot, channel, pick)
        thread = await says(bot, channel, who, asked)
        await says(bot, channel, who, above, thread)
        words = seen([(kept.text, kept.post) for kept in bot.platform.answers(channel)])
        lost = next(paper for paper in company.papers.values() if paper.words & words)
        await taken_away(bot, lost, how)
        recall = Recall(bot.conversations, bot.house.ledger, note=bot.note, say=SAY, now=bot.platform.clock.now)
        await recall.withdraw(lost.document, await recall.resting(lost.document))
        await bot.dealt_with(there)
        for kept in bot.platform.answers(channel):
            check(company, "withdrawn", (kept.text, kept.post), there)
        assert await recall.resting(lost.document) == []
    heard.check()
