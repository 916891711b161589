"""What is taken back, and what one person alone was told, is nowhere else, on every platform."""

from __future__ import annotations

import pytest

from bot.access.recall import Recall
from bot.dialogue.replies import Reply
from ingest.model import DocumentId
from tests.contract.office import Office
from tests.contract.test_access import BONUS, LEAVE, knows_the_bonus, press, private
from tests.contract.workplace import Shown, Upload
from tests.fixtures.assistant import SAY

DOCUMENT = ("handbook", DocumentId("leave.md"))


def last_prompt(at: Office) -> str:
    return "\n".join(part.content for part in at.pen.asked[-1].messages)


def file(name: str, text: str) -> Upload:
    return Upload(name=name, content=text.encode(), media_type="text/plain")


async def recalled(at: Office) -> dict[str, Reply]:
    """The document revoked, and every answer from it withdrawn, as by an operator: those by kind, as they were."""
    recall = Recall(at.conversations, at.knowledge.ledger, note=at._note, say=SAY, now=at.now)
    assert await recall.revoke(DOCUMENT)
    answers = await recall.resting(DOCUMENT)
    await recall.withdraw(DOCUMENT, answers)
    return {reply.key.partition("/")[0]: reply for answer in answers for reply in answer.replies}


@pytest.mark.case("document taken back")
async def test_a_document_that_is_taken_back_takes_along_every_answer_from_it(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, LEAVE, by="bob", mention=True)
    answer = await at.answered(channel, message)
    await at.workplace.command(LEAVE, by="ada", channel=channel)
    await press(at, channel, message, "share")

    async def copy() -> Shown | None:
        posts = await at.workplace.seen(channel, by="bob")
        return next((one for one in posts if one.by == "souffleur" and "thirty days" in one.text), None)

    shared = await at.until(copy)
    await at.settled()

    replies = await recalled(at)
    sentence = await at.until(lambda: at.whole(channel, message, at.said("en", "answer-withdrawn")))
    await at.settled()

    assert set(replies) == {"said", "commanded", "shared"}
    assert (sentence.links, sentence.buttons) == ((), ())
    assert (sentence.id != answer.id) == at.workplace.keeps_history
    assert "thirty days" not in await at.screen(channel, by="bob")
    assert at.said("en", "answer-withdrawn") in {one.text for one in await at.workplace.seen(channel, by="bob")}
    left = [await at.replies.get(reply.key) for reply in replies.values()]
    assert [(reply.state, reply.post, reply.basis) for reply in left if reply] == [("withdrawn", None, None)] * 3
    for thread in (message, shared.id):
        before = len(await at.answers(channel, thread))
        await at.workplace.say(channel, "summarise this thread", by="bob", thread=thread, mention=True)
        await at.answered(channel, thread, count=before + 1)
        assert "thirty days" not in last_prompt(at)


@pytest.mark.case("answered again after a document is revoked")
async def test_of_an_answer_from_a_revoked_document_nothing_is_left_when_it_is_given_again(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    first = await at.answered(channel, message)
    await at.settled()
    await at.knowledge.ledger.revoke(*DOCUMENT)

    await at.workplace.press(channel, first.id, "again", by="ada")

    async def anew() -> Shown | None:
        answers = await at.answers(channel, message)
        done = [one for one in answers if "again" in one.buttons and not one.streaming and "thirty" not in one.text]
        return done[0] if done and len(answers) == 1 else None

    second = await at.until(anew)
    assert (second.id != first.id) == at.workplace.keeps_history
    assert "thirty" not in await at.screen(channel, by="bob")


@pytest.mark.case("file of another thread")
async def test_a_fuller_answer_is_written_with_the_files_of_its_own_thread_alone(at: Office) -> None:
    await knows_the_bonus(at)
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    theirs = file("theirs.txt", "The bonus of the board is paid in September, says Bob.")
    other = await at.workplace.say(channel, BONUS, by="bob", mention=True, files=(theirs,))
    await at.answered(channel, other)
    ours = file("ours.txt", "The bonus of the board is paid in May, says Ada.")
    message = await at.workplace.say(channel, BONUS, by="ada", mention=True, files=(ours,))
    await at.answered(channel, message)
    before = len(at.pen.asked)

    await press(at, channel, message, "fuller")
    await at.until(lambda: private(at, channel, message, "share"))

    assert len(at.pen.asked) == before + 1
    assert "nine millions" in last_prompt(at)
    assert "paid in May" in last_prompt(at)
    assert "September" not in last_prompt(at)


@pytest.mark.case("private answer")
async def test_a_private_answer_is_in_no_prompt_of_others_even_below_a_copy_of_it(at: Office) -> None:
    await knows_the_bonus(at)
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, BONUS, by="ada", mention=True)
    await at.answered(channel, message)
    await press(at, channel, message, "fuller")
    await at.until(lambda: private(at, channel, message, "share"))
    await at.settled()

    async def summarised(by: str) -> str:
        before = len(await at.answers(channel, message))
        await at.workplace.say(channel, "summarise this thread", by=by, thread=message, mention=True)
        await at.answered(channel, message, count=before + 1)
        return last_prompt(at)

    assert "nine millions" not in await summarised("ada")
    await press(at, channel, message, "share")
    await press(at, channel, message, "disclose")

    async def disclosed() -> bool:
        return "nine millions" in await at.screen(channel, by="bob")

    await at.until(disclosed)
    await at.settled()
    for person in ("bob", "ada"):
        assert "nine millions" not in await summarised(person)
