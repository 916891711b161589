"""What follows an answer, and files, on every platform."""

from __future__ import annotations

import pytest

from bot.dialogue.settings import ChannelSettings
from tests.contract.office import Office
from tests.contract.workplace import Upload

LEAVE = "How many days of paid leave do we have?"


@pytest.mark.case("feedback with a reason")
async def test_feedback_is_kept_with_its_reason(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    answer = await at.answered(channel, message)

    assert await at.workplace.press(channel, answer.id, "up", by="bob") == at.said("en", "chat-thanks")
    title = await at.workplace.press(channel, answer.id, "down", by="ada")
    assert title == at.said("en", "chat-reason-title")
    await at.workplace.submit("It is 31 days in Bavaria.", by="ada")
    await at.settled()

    assert await at.feedback() == [("down", "It is 31 days in Bavaria."), ("up", None)]


@pytest.mark.case("ask a person")
async def test_a_question_is_handed_to_its_owners_and_resolved(at: Office) -> None:
    channel = await at.workplace.channel("ada", "bob", "cleo")
    at.channels[channel] = ChannelSettings(owners=(await at.id_of("cleo"),))
    await at.bot()
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    answer = await at.answered(channel, message)
    assert "person" in answer.buttons

    await at.workplace.press(channel, answer.id, "person", by="ada")

    async def handed_over() -> object:
        posts = [post for post in await at.answers(channel, message) if "resolved" in post.buttons]
        return posts[0] if posts else None

    post = await at.until(handed_over)
    assert post.notified == ("cleo",)
    await at.workplace.press(channel, answer.id, "person", by="bob")
    await at.workplace.press(channel, post.id, "resolved", by="cleo")
    await at.until(lambda: at.showing(channel, message, at.said("en", "chat-resolved-by", name="cleo")))
    await at.settled()

    posts = await at.answers(channel, message)
    assert len(posts) == 2
    assert not any("resolved" in one.buttons for one in posts)


@pytest.mark.case("file with the question")
async def test_a_file_is_read_and_cited(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.direct("ada")
    offer = Upload(
        name="offer.txt",
        content=b"The new lease costs 4,200 euros a month, heating included.\n",
        media_type="text/plain",
    )

    message = await at.workplace.say(channel, "What does the new lease cost a month?", by="ada", files=(offer,))
    answer = await at.answered(channel, message)

    assert "4,200 euros" in answer.text
    assert "offer.txt" in answer.text

    other = await at.workplace.say(channel, "What does the new lease cost a month?", by="ada")
    assert "4,200" not in (await at.answered(channel, other)).text


@pytest.mark.case("image with the question")
async def test_an_image_is_declined_and_the_question_answered(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.direct("ada")
    picture = Upload(name="plan.png", content=b"\x89PNG\r\n\x1a\n" + bytes(64), media_type="image/png")

    message = await at.workplace.say(channel, LEAVE, by="ada", files=(picture,))
    answer = await at.answered(channel, message)

    assert "thirty days" in answer.text
    assert at.said("en", "chat-image-declined", name="plan.png") in answer.text
