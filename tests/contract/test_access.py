"""Who reads what, on every platform."""

from __future__ import annotations

import pytest

from bot.dialogue.inbox import Inbox
from bot.platforms.events import Recalled
from ingest.model import DocumentId
from tests.contract.office import Office
from tests.contract.workplace import Shown
from tests.fixtures.assistant import in_ledger
from tests.fixtures.passages import chunk

LEAVE = "How many days of paid leave do we have?"
BONUS = "How high is the bonus of the board this year?"


async def knows_the_bonus(at: Office) -> None:
    """There is a document for Ada alone, and she is offered what rests on it."""
    token = f"{at.workplace.name}:{await at.id_of('ada')}"
    secret = chunk(
        "The bonus of the board is nine millions this year.",
        document="bonus.md",
        title="Bonus",
        readers=frozenset({token}),
        position=9,
    )
    await at.knowledge.index.write([secret])
    await at.knowledge.index.flush()
    await in_ledger(at.knowledge.ledger, [secret])
    at.more = lambda question: question.text == BONUS


async def private(at: Office, channel: str, message: str, action: str) -> Shown | None:
    """The latest that Ada alone sees with that button."""
    threaded = [one for one in await at.workplace.seen(channel, by="ada", thread=message) if one.private]
    shown = [*threaded, *await at.private_answers(channel, by="ada")]
    return next((one for one in reversed(shown) if action in one.buttons), None)


async def press(at: Office, channel: str, message: str, action: str) -> None:
    found = await at.until(lambda: private(at, channel, message, action))
    await at.workplace.press(at.where(found, channel), found.id, action, by="ada")


@pytest.mark.case("a guest joins a thread")
async def test_a_guest_who_joins_a_thread_gets_nothing_of_what_was_answered_before(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    await at.answered(channel, message)

    await at.workplace.enter(channel, "gast")
    await at.workplace.say(channel, "summarise this thread", by="gast", thread=message, mention=True)
    await at.answered(channel, message, count=2)

    assert not any("thirty days" in part.content for part in at.pen.asked[-1].messages)


@pytest.mark.case("more for the asker alone")
async def test_an_asker_who_may_read_more_is_offered_it_alone_and_discloses_it_on_second_thought(at: Office) -> None:
    await knows_the_bonus(at)
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, BONUS, by="ada", mention=True)
    await at.answered(channel, message)

    offer = await at.until(lambda: private(at, channel, message, "fuller"))
    assert offer.text == at.said("en", "access-offer")
    await press(at, channel, message, "fuller")
    assert "nine millions" in (await at.until(lambda: private(at, channel, message, "share"))).text
    await press(at, channel, message, "share")
    await at.until(lambda: private(at, channel, message, "disclose"))
    assert "millions" not in await at.screen(channel, by="bob")
    assert at.said("en", "access-offer") not in await at.screen(channel, by="bob")
    await press(at, channel, message, "disclose")

    async def disclosed() -> bool:
        return "nine millions" in await at.screen(channel, by="bob")

    await at.until(disclosed)
    assert [act.deed for act in at.acts] == ["offered", "fuller", "disclosed"]


@pytest.mark.case("revoked while the answer is written")
async def test_what_is_revoked_while_it_is_written_leaves_a_sentence(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.direct("ada")
    at.pen.hold(after=3)
    message = await at.workplace.say(channel, LEAVE, by="ada")
    async with at.patience():
        await at.pen.holding.wait()
    await at.knowledge.ledger.revoke("handbook", DocumentId("leave.md"))
    at.pen.release()

    answer = await at.until(lambda: at.whole(channel, message, at.said("en", "answer-withdrawn")))

    assert answer.links == ()
    assert "thirty" not in await at.screen(channel, by="ada")
    assert "Annual leave" not in await at.screen(channel, by="ada")


@pytest.mark.case("answer recalled")
async def test_a_recalled_answer_is_replaced_by_a_sentence(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    answer = await at.answered(channel, message)
    await at.settled()
    (reply,) = await at.replies.linked(at.workplace.name, answer.id)

    inbox = Inbox(at.conversations.engine, at.now)
    await inbox.put(Recalled(spot=reply.spot, reply=reply.key, message=reply.question, at=at.now()))

    shown = await at.until(lambda: at.whole(channel, message, at.said("en", "answer-withdrawn")))
    assert (shown.links, shown.buttons) == ((), ())
    assert "thirty days" not in await at.screen(channel, by="bob")


@pytest.mark.case("private answer recalled")
async def test_a_recalled_private_answer_is_gone_from_direct_messages(at: Office) -> None:
    """Where what is for one person alone is a direct message, that is taken back, too."""
    await knows_the_bonus(at)
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, BONUS, by="ada", mention=True)
    public = await at.answered(channel, message)
    await press(at, channel, message, "fuller")
    await at.until(lambda: private(at, channel, message, "share"))
    await at.settled()
    (said,) = await at.replies.linked(at.workplace.name, public.id)
    reply = await at.replies.get(f"fuller/{said.spot.key_of(said.question)}")
    assert reply is not None

    inbox = Inbox(at.conversations.engine, at.now)
    await inbox.put(Recalled(spot=reply.spot, reply=reply.key, message=reply.question, at=at.now()))
    await at.settled()

    assert "nine millions" not in await at.screen(await at.workplace.direct("ada"), by="ada")
    assert at.said("en", "answer-withdrawn") not in await at.screen(channel, by="bob")
