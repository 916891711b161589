"""The visible life of an answer, on every platform."""

from __future__ import annotations

import pytest

from tests.contract.office import Office

LEAVE = "How many days of paid leave do we have?"
CANTEEN = "When does the canteen open?"
REWRITE = "Please rewrite this as a listing: the numbers from one to seven hundred, each on a line of its own"
"""Done without the documents: what is written then is not held against them."""


@pytest.mark.case("status")
async def test_what_happens_is_shown_before_there_is_text(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    at.pen.hold(after=0)

    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)

    assert await at.until(lambda: at.status_in(channel, message, "en"))
    at.pen.release()
    await at.answered(channel, message)
    assert not await at.workplace.status(channel, message)


@pytest.mark.case("streaming")
async def test_the_answer_grows_in_one_place(at: Office) -> None:
    at.pen.answer = lambda prompt: "Every employee has thirty days. " + "There is more to say about it. " * 12 + "[1]"
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    at.pen.hold(after=40)

    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)

    async def begun() -> object:
        answers = await at.answers(channel, message, by="ada")
        return answers[0] if answers and "thirty days" in answers[0].text else None

    first = await at.until(begun)
    at.pen.release()
    answer = await at.answered(channel, message)

    assert answer.id == first.id
    assert len(answer.text) > len(first.text)
    assert len(await at.answers(channel, message)) == 1


@pytest.mark.case("long answer")
async def test_a_long_answer_is_split_with_its_code_whole(at: Office) -> None:
    code = "```python\n" + "\n".join(f"print({number}, 'a line of the listing')" for number in range(700)) + "\n```"
    at.pen.answer = lambda prompt: f"Here it is:\n\n{code}\n\nThat was all."
    await at.bot()
    channel = await at.workplace.direct("ada")

    message = await at.workplace.say(channel, REWRITE, by="ada")
    await at.until(lambda: at.whole(channel, message, "That was all."))
    await at.settled()
    answers = await at.answers(channel, message)

    assert len(answers) > 1
    for answer in answers:
        assert answer.text.count("```") % 2 == 0
    listed = [line for answer in answers for line in answer.text.splitlines() if line.startswith("print(")]
    assert listed == [f"print({number}, 'a line of the listing')" for number in range(700)]


@pytest.mark.case("mentions in an answer")
async def test_no_mention_in_an_answer_notifies_anybody(at: Office) -> None:
    everybody = "@bob @channel @here @all <!channel> <!here> <@UBOB>"
    at.pen.answer = lambda prompt: f"Thirty days, says {everybody}."
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")

    message = await at.workplace.say(channel, REWRITE, by="ada", mention=True)
    answer = await at.answered(channel, message)

    assert answer.notified == ()
    assert "Thirty days" in answer.text


@pytest.mark.case("stopped")
async def test_what_is_written_when_it_is_stopped_stays(at: Office) -> None:
    at.pen.answer = lambda prompt: "Every employee has thirty days [1]. " + "There is more to say about it. " * 40
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    at.pen.hold(after=60)
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    await at.until(lambda: at.showing(channel, message, "thirty days"))
    async with at.patience():
        await at.pen.holding.wait()

    await at.workplace.stop(channel, message, by="ada")

    async def marked() -> object:
        answers = await at.answers(channel, message)
        return answers[-1] if answers and at.said("en", "chat-stopped-by", name="ada") in answers[-1].text else None

    answer = await at.until(marked)
    assert "thirty days" in answer.text
    assert answer.links == ("https://docs.example.org/leave#:~:text=Entitlement",)
    assert not answer.streaming
    assert "stop" not in answer.buttons


@pytest.mark.case("regenerated")
async def test_another_answer_takes_the_place_of_the_first(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    first = await at.answered(channel, message)
    at.pen.answer = lambda prompt: "Thirty days of paid leave a year is what everybody has [1]."

    await at.workplace.press(channel, first.id, "again", by="ada")
    await at.until(lambda: at.showing(channel, message, "is what everybody has"))
    await at.settled()

    answers = await at.answers(channel, message)
    assert [answer.id for answer in answers] == [first.id]
    assert "Every employee" not in answers[0].text


@pytest.mark.case("question edited")
async def test_an_edited_question_is_answered_anew_in_place(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    first = await at.answered(channel, message)

    await at.workplace.edit(channel, message, CANTEEN, mention=True)
    await at.until(lambda: at.showing(channel, message, "half past eleven"))
    await at.settled()

    answers = await at.answers(channel, message)
    assert [answer.id for answer in answers] == [first.id]
    assert "thirty days" not in answers[0].text
    assert answers[0].links == ("https://docs.example.org/canteen#:~:text=Entitlement",)


@pytest.mark.case("question edited while the answer is written")
async def test_a_question_edited_in_the_middle_gets_one_answer_to_what_it_says_now(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    at.pen.hold(after=3)
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    async with at.patience():
        await at.pen.holding.wait()

    await at.workplace.edit(channel, message, CANTEEN, mention=True)
    at.pen.release()
    await at.until(lambda: at.whole(channel, message, "half past eleven"))
    await at.settled()

    answers = await at.answers(channel, message)
    assert len(answers) == 1
    assert "thirty" not in answers[0].text


@pytest.mark.case("question deleted")
async def test_the_answer_goes_with_its_question(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    await at.answered(channel, message)

    await at.workplace.delete(channel, message)

    async def gone() -> bool:
        return not await at.answers(channel, message)

    await at.until(gone)


@pytest.mark.case("question deleted while the answer is written")
async def test_nothing_is_left_of_an_answer_to_a_question_deleted_in_the_middle(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    at.pen.hold(after=3)
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    async with at.patience():
        await at.pen.holding.wait()

    await at.workplace.delete(channel, message)
    at.pen.release()
    await at.settled()

    assert await at.answers(channel, message) == []


@pytest.mark.case("someone else's button")
async def test_only_the_asker_may_stop_and_regenerate(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    first = await at.answered(channel, message)

    told = await at.workplace.press(channel, first.id, "again", by="bob")
    await at.settled()

    assert told == at.said("en", "chat-not-yours")
    assert len(at.pen.asked) == 1
