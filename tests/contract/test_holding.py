"""Exactly one answer, whatever happens, on every platform."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.office import DiesAtTheEnd, Office

LEAVE = "How many days of paid leave do we have?"
CANTEEN = "When does the canteen open?"


@pytest.mark.case("delivered again")
async def test_an_event_delivered_again_is_answered_once(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    await at.answered(channel, message)

    await at.workplace.redeliver()
    await at.settled()

    assert len(await at.answers(channel, message)) == 1
    assert len(at.pen.asked) == 1


@pytest.mark.case("two replicas")
async def test_two_replicas_give_one_answer(at: Office) -> None:
    await at.bot()
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")

    messages = [await at.workplace.say(channel, LEAVE, by="ada", mention=True) for _ in range(5)]
    for message in messages:
        await at.answered(channel, message)
    await at.workplace.redeliver()
    await at.settled()

    for message in messages:
        assert len(await at.answers(channel, message)) == 1
    assert len(at.pen.asked) == 5


@pytest.mark.case("killed while writing")
async def test_the_next_process_completes_what_a_killed_one_was_writing(at: Office) -> None:
    at.pen.answer = lambda prompt: "Every employee has thirty days [1]. " + "There is more to say about it. " * 40
    first = await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    at.pen.hold(after=60)
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    await at.until(lambda: at.showing(channel, message, "thirty days"))
    async with at.patience():
        await at.pen.holding.wait()

    await first.kill()
    at.pen.release()
    at.pen.answer = lambda prompt: "Thirty days, and this is the end [1]."
    at.pass_time(60)
    await at.bot()
    answer = await at.answered(channel, message)
    await at.settled()

    assert "this is the end" in answer.text
    assert len(await at.answers(channel, message)) == 1


@pytest.mark.case("killed before the last edit")
async def test_a_stored_answer_is_shown_without_asking_the_model_again(at: Office) -> None:
    platform = DiesAtTheEnd(at.workplace.platform())
    first = await at.bot(platform)
    channel = await at.workplace.channel("ada", "bob")
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    async with at.patience():
        await platform.reached.wait()
    await first.kill()
    at.pass_time(60)

    await at.bot()
    answer = await at.answered(channel, message)
    await at.settled()

    assert "thirty days" in answer.text
    assert len(at.pen.asked) == 1
    assert len(await at.answers(channel, message)) == 1


@pytest.mark.case("connection lost")
async def test_what_was_asked_while_the_connection_was_cut_is_answered(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    await at.workplace.disconnect()

    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    await at.answered(channel, message)
    await at.settled()

    assert len(await at.answers(channel, message)) == 1


@pytest.mark.case("connection lost for good")
async def test_what_no_connection_will_replay_is_found_by_looking(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    direct = await at.workplace.direct("ada")
    before = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    await at.answered(channel, before)
    await at.workplace.disconnect(resumable=False)

    in_thread = await at.workplace.say(channel, CANTEEN, by="ada", thread=before)
    message = await at.workplace.say(direct, LEAVE, by="ada")
    await at.answered(direct, message)
    assert "half past eleven" in (await at.answered(channel, before, count=2)).text
    await at.settled()

    assert in_thread
    assert len(await at.answers(channel, before)) == 2


@pytest.mark.case("down for ten minutes")
async def test_a_question_asked_while_the_bot_was_down_is_answered_when_it_is_back(at: Office) -> None:
    first = await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    earlier = await at.workplace.say(channel, CANTEEN, by="ada", mention=True)
    await at.answered(channel, earlier)
    await first.stop()

    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    at.pass_time(600)
    await at.bot()
    answer = await at.answered(channel, message)

    assert "thirty days" in answer.text
    assert len(await at.answers(channel, earlier)) == 1


@pytest.mark.case("down for hours")
async def test_a_question_of_hours_ago_gets_an_apology(at: Office) -> None:
    first = await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    earlier = await at.workplace.say(channel, CANTEEN, by="ada", mention=True)
    await at.answered(channel, earlier)
    await first.stop()

    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    at.pass_time(3 * 3600)
    await at.bot()
    await at.until(lambda: at.showing(channel, message, at.said("en", "chat-late")))
    await at.settled()

    assert len(await at.answers(channel, message)) == 1
    assert len(at.pen.asked) == 1


@pytest.mark.case("429")
async def test_a_busy_platform_is_waited_for(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    await at.workplace.busy(3)

    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    answer = await at.answered(channel, message)
    await at.settled()

    assert "thirty days" in answer.text
    assert len(await at.answers(channel, message)) == 1


@pytest.mark.case("stream expired")
async def test_an_answer_whose_stream_has_expired_is_completed(at: Office) -> None:
    at.pen.answer = lambda prompt: "Every employee has thirty days. " + "There is more. " * 60 + "The end [1]."
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    at.pen.hold(after=60)
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    await at.until(lambda: at.showing(channel, message, "thirty days"))

    await at.workplace.expire_streams()
    at.pen.release()
    answer = await at.answered(channel, message)

    assert "The end" in answer.text
    assert answer.text.count("Every employee has thirty days") == 1
    assert len(await at.answers(channel, message)) == 1


@pytest.mark.case("another bot")
async def test_another_bot_is_never_answered(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")

    said = await at.workplace.say_as_bot(channel, LEAVE)
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    await at.answered(channel, message)
    await at.settled()

    assert await at.answers(channel, said) == []
    assert len(at.pen.asked) == 1


@pytest.mark.case("shared with another company")
async def test_a_shared_channel_is_answered_from_public_documents_alone(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob", shared=True)

    await _public_alone(at, channel, by="ada")


@pytest.mark.case("a guest in the channel")
async def test_a_channel_with_a_guest_is_answered_from_public_documents_alone(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "gast")

    await _public_alone(at, channel, by="ada")


@pytest.mark.case("a guest asks")
async def test_a_guest_is_answered_from_public_documents_alone(at: Office) -> None:
    await at.bot()

    await _public_alone(at, await at.workplace.direct("gast"), by="gast")


async def _public_alone(at: Office, channel: str, *, by: str) -> None:
    for question in (LEAVE, CANTEEN):
        message = await at.workplace.say(channel, question, by=by, mention=True)
        await at.answered(channel, message, by=by)
    documents = {passage.chunk.document for prompt in at.pen.asked for passage in prompt.passages}
    assert documents == {"canteen.md"}
    assert not any("thirty days" in part.content for prompt in at.pen.asked for part in prompt.messages)


@pytest.mark.case("model away")
async def test_a_model_that_is_away_is_told_in_a_sentence_with_passages_below(at: Office) -> None:
    at.pen.broken = True
    await at.bot()
    channel = await at.workplace.direct("ada")

    message = await at.workplace.say(channel, LEAVE, by="ada")
    answer = await at.answered(channel, message)

    assert "thirty days" in answer.text
    assert at.said("en", "model-unavailable", trace="").split("(")[0].strip() in answer.text
    assert "Traceback" not in answer.text
    assert "the pen is broken" not in answer.text


@pytest.mark.case("thirty at once")
async def test_thirty_people_at_once_each_get_an_answer(at: Office) -> None:
    await at.bot()
    channel = await at.workplace.channel("ada", "bob")

    messages = [await at.workplace.say(channel, LEAVE, by="ada", mention=True) for _ in range(30)]
    for message in messages:
        await at.answered(channel, message)
    await at.settled()

    for message in messages:
        assert len(await at.answers(channel, message)) == 1


@pytest.mark.case("shut down while writing")
async def test_a_running_answer_is_finished_before_the_end(at: Office) -> None:
    bot = await at.bot()
    channel = await at.workplace.channel("ada", "bob")
    at.pen.hold(after=3)
    message = await at.workplace.say(channel, LEAVE, by="ada", mention=True)
    async with at.patience():
        await at.pen.holding.wait()

    async with asyncio.TaskGroup() as tasks:
        stopping = tasks.create_task(bot.stop())
        await asyncio.sleep(0)
        at.pen.release()
        await stopping

    answer = await at.answered(channel, message)
    assert "thirty days" in answer.text
