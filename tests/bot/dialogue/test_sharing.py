"""What one person was answered is posted as it is only where all may read it, or where somebody who may decides so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.dialogue.tables import REPLIES
from bot.model import Outcome
from ingest.database import transaction, writer
from ingest.model import PUBLIC
from tests.fixtures.chat import Killed, Whisper
from tests.fixtures.dialogue import Hall, hall

FINANCE = "slack:SFINANCE"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Hall]:
    """Ada alone is in finance; what she is told alone is from a document for finance, what all are told is not."""
    async with hall(tmp_path) as opened:
        opened.platform.group(FINANCE, "U1")
        payroll = opened.shelf.keep("payroll.md", FINANCE)
        canteen = opened.shelf.keep("canteen.md", PUBLIC)
        opened.pen.text = lambda question: f"for {'one' if question.place.readers is None else 'all'}"
        opened.pen.basis = lambda question: frozenset({payroll if question.place.readers is None else canteen})
        yield opened


async def whispered(bot: Hall, channel: str = "C1") -> Whisper:
    await bot.happens(bot.platform.command(channel, "leave", by="U1"))
    return bot.platform.whispers[-1]


def posted(bot: Hall, channel: str = "C1") -> list[str]:
    return [answer.text for answer in bot.platform.answers(channel)]


async def test_what_all_may_read_is_posted_as_it_is_with_the_question(bot: Hall) -> None:
    bot.platform.group(FINANCE, "U1", "U2", "U3")
    whisper = await whispered(bot)
    assert (await bot.presses("share", whisper, by="U1")).text == ""
    (shared,) = bot.platform.answers("C1")
    assert shared.post is not None
    assert shared.text == "> leave\n\nfor one"
    assert shared.thread == shared.id
    assert shared.post.notes == ("en:chat-shared-by Ada",)
    assert shared.actions == ("up", "down")
    assert [source.title for source in shared.post.sources] == ["Annual leave"]
    assert len(bot.pen.asked) == 1
    assert [(act.deed, act.by, act.answer) for act in bot.acts] == [("shared", "slack:U1", "trace1")]


async def test_what_not_all_may_read_is_posted_after_a_second_thought_of_somebody_who_may(bot: Hall) -> None:
    await bot.presses("share", await whispered(bot), by="U1")
    asking = bot.platform.whispers[-1]
    assert (asking.to, asking.post.text, posted(bot)) == ("U1", "en:access-disclose", [])
    assert [button.action for button in asking.post.buttons] == ["disclose"]
    assert (await bot.presses("disclose", asking, by="U1")).text == "en:chat-shared"
    await bot.presses("disclose", asking, by="U1")
    assert posted(bot) == ["> leave\n\nfor one"]
    assert [act.deed for act in bot.acts] == ["disclosed"]
    assert {document for _, document in bot.acts[0].passed} == {"payroll.md"}


async def test_nobody_else_discloses_it(bot: Hall) -> None:
    bot.platform.group(FINANCE, "U1", "U2")
    await bot.presses("share", await whispered(bot), by="U1")
    assert (await bot.presses("disclose", bot.platform.whispers[-1], by="U2")).text == "en:access-may-not"
    assert posted(bot) == []


async def test_whoever_may_not_read_it_any_more_does_not_share_it(bot: Hall) -> None:
    whisper = await whispered(bot)
    bot.platform.group(FINANCE)
    await bot.presses("share", whisper, by="U1")
    assert bot.platform.whispers[-1].post.text == "en:access-may-not"
    assert posted(bot) == []


async def test_whoever_may_not_read_it_any_more_does_not_disclose_it(bot: Hall) -> None:
    await bot.presses("share", await whispered(bot), by="U1")
    asking = bot.platform.whispers[-1]
    bot.shelf.keep("payroll.md")
    await bot.presses("disclose", asking, by="U1")
    assert bot.platform.whispers[-1].post.text == "en:access-may-not"
    assert posted(bot) == []
    assert bot.acts == []


async def test_what_all_may_read_by_then_is_not_disclosed_but_shared(bot: Hall) -> None:
    await bot.presses("share", await whispered(bot), by="U1")
    bot.platform.group(FINANCE, "U1", "U2", "U3")
    await bot.presses("disclose", bot.platform.whispers[-1], by="U1")
    assert posted(bot) == ["> leave\n\nfor one"]
    assert [act.deed for act in bot.acts] == ["shared"]


async def test_where_nothing_is_to_be_disclosed_the_question_is_answered_once_more_for_all(bot: Hall) -> None:
    bot = bot.with_(disclose=False)
    await bot.presses("share", await whispered(bot, "C9"), by="U1")
    assert posted(bot, "C9") == ["> leave\n\nfor all"]
    assert bot.pen.asked[1].place.readers == {PUBLIC}
    assert [(act.deed, act.answer) for act in bot.acts] == [("shared", "trace2")]


async def test_a_button_from_before_disclosing_was_switched_off_discloses_nothing(bot: Hall) -> None:
    await bot.presses("share", await whispered(bot), by="U1")
    asking = bot.platform.whispers[-1]
    bot = bot.with_(disclose=False)
    await bot.presses("disclose", asking, by="U1")
    assert bot.platform.whispers[-1].post.text == "en:access-may-not"
    assert posted(bot) == []


@pytest.mark.parametrize("lost", ["basis", "post"])
async def test_what_cannot_be_copied_is_answered_once_more_for_all(bot: Hall, lost: str) -> None:
    whisper = await whispered(bot)
    async with transaction(writer(bot.conversations.engine)) as connection:
        await connection.execute(sa.update(REPLIES).values({lost: sa.null()}))
    await bot.presses("share", whisper, by="U1")
    assert posted(bot) == ["> leave\n\nfor all"]


async def test_what_the_channel_may_not_know_is_not_shared_and_the_asker_is_told(bot: Hall) -> None:
    bot = bot.with_(disclose=False)
    bot.pen.outcome = lambda question: Outcome.ANSWERED if question.place.readers is None else Outcome.NOT_FOUND
    await bot.presses("share", await whispered(bot), by="U1")
    assert posted(bot) == []
    assert [whisper.to for whisper in bot.platform.whispers] == ["U1", "U1"]
    assert bot.platform.whispers[1].post.buttons == ()


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.LIMITED, Outcome.WITHDRAWN])
async def test_what_could_not_be_answered_for_all_may_be_shared_again(bot: Hall, outcome: Outcome) -> None:
    bot = bot.with_(disclose=False)
    whisper = await whispered(bot)
    bot.pen.outcome = lambda question: outcome
    await bot.presses("share", whisper, by="U1")
    assert posted(bot) == []
    bot.pen.outcome = lambda question: Outcome.ANSWERED
    await bot.presses("share", whisper, by="U1")
    await bot.presses("share", whisper, by="U1")
    assert posted(bot) == ["> leave\n\nfor all"]


@pytest.mark.parametrize("disclose", [True, False])
async def test_what_a_crashed_process_has_shared_in_a_thread_is_not_shared_twice(bot: Hall, disclose: bool) -> None:
    bot = bot.with_(disclose=disclose, more=lambda question, answer: True)
    if disclose:
        bot.platform.group(FINANCE, "U1", "U2", "U3")
        bot.shelf.keep("secret.md", "slack:U1")
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    await bot.happens(said)
    await bot.presses("fuller", bot.platform.whispers[-1], by="U1")
    bot.platform.faults["shown"] = [Killed()]
    with pytest.raises(Killed):
        await bot.presses("share", bot.platform.whispers[-1], by="U1")
    bot.clock.pass_time(seconds=31)
    await bot.with_().work()
    shared = f"> leave\n\nfor {'one' if disclose else 'all'}"
    assert [answer.text for answer in bot.platform.answers("C1", said.message)][1:] == [shared]


async def test_a_guest_who_came_meanwhile_is_not_shown_what_was_shareable_before(bot: Hall) -> None:
    bot.platform.group(FINANCE, "U1", "U2", "U3")
    whisper = await whispered(bot)
    bot.platform.comes("C1", "U9")
    await bot.presses("share", whisper, by="U1")
    assert posted(bot) == []
    assert bot.platform.whispers[-1].post.text == "en:access-disclose"


async def test_what_was_shared_is_history_for_those_who_may_read_it(bot: Hall) -> None:
    await bot.presses("share", await whispered(bot), by="U1")
    await bot.presses("disclose", bot.platform.whispers[-1], by="U1")
    (shared,) = bot.platform.answers("C1")
    await bot.happens(bot.platform.say("C1", "and in June?", by="U2", thread=shared.id, mention=True))
    (turn,) = bot.pen.asked[-1].history
    assert turn.basis is not None
    assert {document for _, document in turn.basis} == {"payroll.md"}


async def test_a_person_called_below_it_is_not_shown_its_sources(bot: Hall) -> None:
    bot = bot.with_(source_owners={"handbook": ("slack:U3",)})
    await bot.presses("share", await whispered(bot), by="U1")
    await bot.presses("disclose", bot.platform.whispers[-1], by="U1")
    (shared,) = bot.platform.answers("C1")
    await bot.press("person", shared, by="U2")
    call = bot.platform.answers("C1")[1]
    assert call.post is not None
    assert (call.post.sources, call.post.sources_label) == ((), "")
