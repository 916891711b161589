"""Asking, on every platform."""

from __future__ import annotations

import pytest

from bot.dialogue.settings import ChannelSettings
from bot.prompting import NOT_FOUND
from tests.contract.office import Office

LEAVE = "How many days of paid leave do we have?"


@pytest.mark.case("direct message")
async def test_a_direct_message_is_answered_with_sources_and_buttons(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.direct("ada")

    message = await at.workplace.say(channel, LEAVE, by="ada")
    answer = await at.answered(channel, message)

    assert "thirty days of paid leave" in answer.text
    assert "Annual leave" in answer.text
    assert answer.links == ("https://docs.example.org/leave#:~:text=Entitlement",)
    assert {"up", "down", "again"} <= set(answer.buttons)
    assert not answer.private
    assert len(await at.answers(channel, message)) == 1


@pytest.mark.case("mention in a channel")
async def test_a_mention_is_answered_in_its_thread(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")

    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    answer = await at.answered(channel, message, by="bob")

    assert "thirty days" in answer.text
    assert await at.answers(channel, None) == []
    assert "souffleur" not in at.pen.asked[0].question.lower()


@pytest.mark.case("chatter in a channel")
async def test_chatter_is_neither_answered_nor_kept(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")

    await at.workplace.say(channel, "Who comes to lunch?", by="ada")
    asked = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    await at.answered(channel, asked)
    await at.settled()

    assert await at.answers(channel, None) == []
    assert len(at.pen.asked) == 1
    assert not await at.kept("lunch")


@pytest.mark.case("nothing found")
async def test_where_nothing_is_found_the_documents_that_come_closest_are_listed(at: Office) -> None:
    at.pen.answer = lambda prompt: NOT_FOUND
    await at.bot()
    channel = await at.workplace.direct("ada")

    message = await at.workplace.say(channel, LEAVE, by="ada")
    answer = await at.answered(channel, message)

    assert at.said("en", "not-found") in answer.text
    assert at.said("en", "nearest") in answer.text
    assert at.said("en", "sources") not in answer.text
    assert any(link.startswith("https://docs.example.org/leave") for link in answer.links)


@pytest.mark.case("follow-up without a mention")
async def test_a_follow_up_in_the_bots_thread_needs_no_mention(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    await at.answered(channel, message)

    await at.workplace.say(channel, "And when does the canteen open?", by="ada", thread=message)
    answer = await at.answered(channel, message, count=2)

    assert "half past eleven" in answer.text
    assert any("thirty days" in part.content for part in at.pen.asked[-1].messages)


@pytest.mark.case("people talking to each other")
async def test_people_who_talk_to_each_other_are_left_alone(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    await at.answered(channel, message)

    await at.workplace.say(channel, "did you know that?", by="ada", thread=message, to="bob")
    at.pen.addressed = False
    await at.workplace.say(channel, "No, thanks, good to know", by="bob", thread=message)
    await at.settled()

    assert len(await at.answers(channel, message)) == 1
    assert len(at.pen.asked) == 1


@pytest.mark.case("slash command")
async def test_a_slash_command_is_answered_to_the_asker_alone_and_shared_on_demand(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")

    receipt = await at.workplace.command("when does the canteen open?", by="ada", channel=channel)
    assert receipt

    async def private() -> object:
        shown = [one for one in await at.private_answers(channel, by="ada") if "share" in one.buttons]
        return shown[0] if shown else None

    answer = await at.until(private)
    assert "half past eleven" in answer.text
    assert "half past eleven" not in await at.screen(channel, by="bob")

    await at.workplace.press(at.where(answer, channel), answer.id, "share", by="ada")

    async def shared() -> bool:
        return "half past eleven" in await at.screen(channel, by="bob")

    await at.until(shared)


@pytest.mark.case("pointing at a message")
async def test_somebodys_message_is_answered_when_pointed_at(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, LEAVE, by="bob")

    await at.workplace.point(channel, message, by="ada")
    await at.answered(channel, message)
    await at.workplace.point(channel, message, by="bob")
    await at.settled()

    assert len(await at.answers(channel, message)) == 1


@pytest.mark.case("channel that answers everything")
async def test_a_channel_may_have_each_new_question_answered(at: Office) -> None:
    channel = await at.workplace.channel("ada", "bob")
    at.channels[channel] = ChannelSettings(answer="every")
    await at.bot()

    message = await at.workplace.say(channel, LEAVE, by="ada")
    await at.answered(channel, message)
    at.pen.addressed = False
    await at.workplace.say(channel, "I had no idea", by="bob", thread=message)
    await at.settled()

    assert len(await at.answers(channel, message)) == 1


@pytest.mark.case("channel that is never answered")
async def test_a_channel_may_be_left_alone_altogether(at: Office) -> None:
    channel = await at.workplace.channel("ada", "bob")
    at.channels[channel] = ChannelSettings(answer="never")
    await at.bot()

    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    direct = await at.workplace.direct("ada")
    other = await at.workplace.say(direct, LEAVE, by="ada")
    await at.answered(direct, other)
    await at.settled()

    assert await at.answers(channel, message) == []


@pytest.mark.case("before the bot came")
async def test_what_people_wrote_before_the_bot_came_is_known(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, "The printer on floor three blinks red.", by="bob")
    await at.workplace.say(channel, "Is that the Heidelberg?", by="ada", thread=message)

    await at.workplace.say(channel, LEAVE, by="ada", thread=message, mention=True)
    await at.answered(channel, message)

    prompt = "\n".join(part.content for part in at.pen.asked[-1].messages)
    assert "The printer on floor three blinks red." in prompt
    assert "Heidelberg" in prompt


@pytest.mark.case("summarise this thread")
async def test_a_thread_is_summarised_from_itself(at: Office) -> None:
    at.pen.answer = lambda prompt: "The printer blinks red, and Bob looks after it."
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, "The printer on floor three blinks red.", by="bob")

    await at.workplace.say(channel, "summarise this thread", by="ada", thread=message, mention=True)
    answer = await at.answered(channel, message)

    assert "Bob looks after it" in answer.text
    assert at.said("en", "chat-from-conversation") in answer.text
    assert answer.links == ()
    assert "blinks red" in at.pen.asked[-1].messages[-1].content


@pytest.mark.case("language of the asker")
async def test_everything_said_is_in_the_language_of_the_asker(at: Office) -> None:
    await at.bot()
    await at.workplace.locale("ada", "de")
    channel = await at.workplace.direct("ada")
    at.pen.hold(after=0)

    message = await at.workplace.say(channel, "Wie viele Tage bezahlten Urlaub haben wir im Jahr?", by="ada")
    async with at.patience():
        await at.pen.holding.wait()
    assert await at.until(lambda: at.status_in(channel, message, "de"))
    at.pen.release()
    answer = await at.answered(channel, message)

    assert at.pen.asked[0].language == "de"
    assert at.said("de", "sources") in answer.text
