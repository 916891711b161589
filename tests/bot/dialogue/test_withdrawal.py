"""An answer that is recalled is replaced by a sentence, wherever it stands, and is never shown or built on again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.dialogue.replies import Reply
from bot.dialogue.workers import Claim
from bot.platforms.events import Recalled, from_json
from bot.platforms.events import as_json as kept_as
from bot.platforms.interface import MessageGone, PlatformRefused, PlatformUnavailable
from tests.fixtures.chat import Kept
from tests.fixtures.dialogue import LEAVE, Hall, hall

FINANCE = "slack:SFINANCE"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(tmp_path) as opened:
        yield opened


async def asks(bot: Hall, channel: str = "C1", thread: str | None = None) -> Kept:
    said = bot.platform.say(channel, "leave", by="U1", mention=True, thread=thread)
    await bot.happens(said)
    return bot.platform.answers(channel)[-1]


async def reply_of(bot: Hall, trace: str = "trace1") -> Reply:
    return (await bot.replies.of_trace(trace))[0]


def recalled(bot: Hall, reply: Reply) -> Recalled:
    return Recalled(spot=reply.spot, reply=reply.key, message=reply.question, at=bot.clock.now())


async def recall(bot: Hall, reply: Reply) -> None:
    await bot.inbox.put(recalled(bot, reply))
    await bot.work()


@pytest.mark.parametrize("limit", [4000, 12], ids=["one message", "several messages"])
@pytest.mark.parametrize("channel", ["C1", "D1"])
async def test_a_sentence_takes_its_place(bot: Hall, channel: str, limit: int) -> None:
    bot.platform.limit = limit
    await asks(bot, channel)
    await recall(bot, await reply_of(bot))
    (answer,) = bot.platform.answers(channel)
    assert answer.post is not None
    assert (answer.text, answer.post.sources, answer.post.buttons) == ("en:answer-withdrawn", (), ())
    assert (answer.post.notes, answer.post.replaces) == ((), True)


async def test_it_is_forgotten_and_no_history(bot: Hall) -> None:
    answer = await asks(bot)
    await recall(bot, await reply_of(bot))
    reply = await reply_of(bot)
    (sentence,) = bot.platform.answers("C1")
    assert (reply.state, reply.post, reply.messages) == ("withdrawn", None, (sentence.id,))
    await asks(bot, thread=answer.thread)
    assert [turn.role for turn in bot.pen.asked[1].history] == ["user"]


async def test_its_buttons_do_nothing_any_more(bot: Hall) -> None:
    answer = await asks(bot)
    presses = [bot.pressed(action, answer, by="U1") for action in ("again", "up")]
    await recall(bot, await reply_of(bot))
    for pressed in presses:
        assert (await bot.happens(pressed)).text == "de:chat-expired"
    assert len(bot.pen.asked) == 1


@pytest.mark.parametrize("error", [MessageGone("gone"), PlatformRefused("too old to be edited")], ids=type)
async def test_what_cannot_be_changed_is_removed(bot: Hall, error: Exception) -> None:
    await asks(bot)
    bot.platform.faults["change"] = [error]
    await recall(bot, await reply_of(bot))
    assert bot.platform.answers("C1") == []
    assert (await reply_of(bot)).state == "withdrawn"


async def test_a_platform_that_is_away_is_asked_again_and_the_answer_is_forgotten_at_once(bot: Hall) -> None:
    await asks(bot)
    bot.platform.faults["change"] = [PlatformUnavailable("away")]
    with pytest.raises(PlatformUnavailable):
        await recall(bot, await reply_of(bot))
    assert (await reply_of(bot)).post is None
    bot.clock.pass_time(seconds=31)
    await bot.work()
    assert [answer.text for answer in bot.platform.answers("C1")] == ["en:answer-withdrawn"]


async def test_recalled_twice_it_is_recalled_once(bot: Hall) -> None:
    await asks(bot)
    event = recalled(bot, await reply_of(bot))
    for _ in range(2):
        await bot.exchange.handle(Claim(event))
    assert [answer.text for answer in bot.platform.answers("C1")] == ["en:answer-withdrawn"]
    assert from_json(kept_as(event)) == event


async def test_a_platform_that_refuses_everything_is_told_to_nobody(bot: Hall) -> None:
    await asks(bot)
    bot.platform.faults["change"] = [PlatformRefused("out")]
    bot.platform.faults["remove"] = [PlatformRefused("out")]
    await recall(bot, await reply_of(bot))
    assert bot.platform.whispers == []
    assert (await reply_of(bot)).post is None


async def test_a_private_answer_loses_what_was_stored_and_what_was_shared_of_it(bot: Hall) -> None:
    await bot.happens(bot.platform.command("C1", "leave", by="U1"))
    await bot.presses("share", bot.platform.whispers[0], by="U1")
    private, shared = await bot.replies.of_trace("trace1")
    assert (private.private, shared.private) == (True, False)
    await recall(bot, private)
    assert [answer.text for answer in bot.platform.answers("C1")] == ["en:answer-withdrawn"]
    assert [one.post for one in await bot.replies.of_trace("trace1")] == [None, None]
    assert (await bot.presses("share", bot.platform.whispers[0], by="U1")).text == "de:chat-expired"


async def test_what_all_were_answered_instead_of_a_private_answer_stays(bot: Hall) -> None:
    """It rests on something else; if it rests on the same document too, it is recalled by itself."""
    bot = bot.with_(disclose=False)
    bot.platform.group(FINANCE, "U1")
    payroll = bot.shelf.keep("payroll.md", FINANCE)
    bot.pen.basis = lambda question: frozenset({payroll if question.place.readers is None else LEAVE})
    await bot.happens(bot.platform.command("C1", "leave", by="U1"))
    await bot.presses("share", bot.platform.whispers[0], by="U1")
    (before,) = bot.platform.answers("C1")
    await recall(bot, await reply_of(bot))
    assert bot.platform.answers("C1") == [before]
    assert "thirty days" in before.text


async def test_an_answer_and_its_copy_that_are_both_recalled_are_replaced_once_each(bot: Hall) -> None:
    await bot.happens(bot.platform.command("C1", "leave", by="U1"))
    await bot.presses("share", bot.platform.whispers[0], by="U1")
    for reply in await bot.replies.of_trace("trace1"):
        await bot.inbox.put(recalled(bot, reply))
    await bot.work()
    assert bot.platform.calls.count("change") == 1
    assert [answer.text for answer in bot.platform.answers("C1")] == ["en:answer-withdrawn"]


@pytest.mark.parametrize("resolved", [False, True])
async def test_those_who_were_called_see_its_sources_no_more(bot: Hall, resolved: bool) -> None:
    bot = bot.with_(source_owners={"handbook": ("slack:U3",)})
    answer = await asks(bot)
    await bot.press("person", answer, by="U1")
    call = bot.platform.answers("C1")[1]
    assert call.post is not None
    assert call.post.sources
    if resolved:
        await bot.press("resolved", call, by="U3")
    await recall(bot, await reply_of(bot))
    sentence, call = bot.platform.answers("C1")
    assert sentence.text == "en:answer-withdrawn"
    assert call.text.startswith("en:chat-asks-person Ada")
    assert call.post is not None
    assert (call.post.sources, call.post.buttons, call.post.mention) == ((), (), ())
    assert call.post.notes == (("en:chat-resolved-by Cleo",) if resolved else ())


async def test_what_was_shared_is_recalled_by_itself(bot: Hall) -> None:
    await bot.happens(bot.platform.command("C1", "leave", by="U1"))
    await bot.presses("share", bot.platform.whispers[0], by="U1")
    await recall(bot, (await bot.replies.of_trace("trace1"))[1])
    assert [answer.text for answer in bot.platform.answers("C1")] == ["en:answer-withdrawn"]


async def test_an_answer_is_recalled_while_it_is_written_once_more(bot: Hall) -> None:
    answer = await asks(bot)
    await bot.receive(bot.pressed("again", answer, by="U1"))
    event = recalled(bot, await reply_of(bot))
    bot.pen.hold()
    (claimed,) = await bot.inbox.claim("worker", free=1)
    async with bot.held(claimed) as claim:
        await bot.inbox.put(event)
        claim.interrupt(event)
    bot.pen.release()
    await bot.work()
    assert [answer.text for answer in bot.platform.answers("C1")] == ["de:answer-withdrawn"]
    (reply,) = [await bot.replies.get(event.reply)]
    assert reply is not None
    assert (reply.state, reply.post) == ("withdrawn", None)


async def test_a_question_that_is_deleted_takes_along_what_was_shared_of_its_fuller_answer(bot: Hall) -> None:
    bot.platform.group(FINANCE, "U1")
    bot.shelf.keep("payroll.md", FINANCE)
    bot.more = lambda question, answer: True
    answer = await asks(bot)
    await bot.presses("fuller", bot.platform.whispers[0], by="U1")
    await bot.presses("share", bot.platform.whispers[1], by="U1")
    assert len(bot.platform.answers("C1")) == 2
    await bot.happens(bot.platform.delete("C1", answer.thread))
    assert bot.platform.answers("C1") == []
