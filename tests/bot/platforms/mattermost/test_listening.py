"""What is heard, and that nothing is missed: live, after a lost connection, after a time away."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from bot.platforms.events import Deleted, Edited, Pointed, Said
from bot.platforms.interface import PlatformRefused
from tests.bot.platforms.mattermost.conftest import PATIENCE, Ears, Made, Notebook, Place, listening
from tests.fakes.mattermost import login_page

CHECKPOINT = "mattermost/127.0.0.1/checkpoint"


async def test_a_message_is_heard_with_whom_it_addresses(place: Place, make: Made, ears: Ears) -> None:
    async with listening(make(), ears):
        message = place.say("@souffleur, what does @bob say?")
        (said,) = await ears.until(1)

    assert isinstance(said, Said)
    assert (said.message, said.by, said.text) == (message, place.ada, "what does @bob say?")
    assert said.mentions_bot
    assert said.mentions_others
    assert said.spot == place.spot(message)
    assert not said.in_thread


@pytest.mark.parametrize(
    ("text", "bot", "others"),
    [
        ("@souffleur hello", True, False),
        ("hello @Souffleur.", True, False),
        ("hello @souffleur-2", False, False),  # nobody is called so
        ("@nobody hello", False, False),
        ("@here @souffleur", True, True),
        ("write to ada@bob", False, False),
        ("`@souffleur` and\n```\n@bob\n```", False, False),
        ("@bob: hello", False, True),
    ],
)
async def test_mentions_are_read_as_the_server_reads_them(
    place: Place, make: Made, ears: Ears, text: str, bot: bool, others: bool
) -> None:
    async with listening(make(), ears):
        place.say(text)
        (said,) = await ears.until(1)

    assert isinstance(said, Said)
    assert (said.mentions_bot, said.mentions_others) == (bot, others)


async def test_a_direct_message_and_a_reply_are_placed(place: Place, make: Made, ears: Ears) -> None:
    direct = place.server.direct(place.ada, place.server.bot)
    async with listening(make(), ears):
        first = place.server.post(direct, place.ada, "Hello")
        reply = place.server.post(direct, place.ada, "Are you there?", root=first)
        said, answer = await ears.until(2)

    assert said.spot == place.spot(first, channel=direct, direct=True)
    assert answer.spot == said.spot
    assert isinstance(answer, Said)
    assert answer.message == reply
    assert answer.in_thread


async def test_nobody_but_people_is_heard(place: Place, make: Made, ears: Ears) -> None:
    server = place.server
    unmarked = server.user("helper", is_bot=True)
    async with listening(make(), ears):
        place.say("I am the bot", by=server.bot)
        place.say("joined", type="system_join_channel")
        place.say("from a hook", props={"from_webhook": "true"})
        place.say("from a marked bot", props={"from_bot": "true"})
        place.say("from an unmarked bot", by=unmarked)
        place.say("from a plugin", type="custom_poll")
        server.edit(place.say("the bot again", by=server.bot), "and again")
        place.say("a person")
        (said,) = await ears.until(1)

    assert isinstance(said, Said)
    assert said.text == "a person"


async def test_an_edit_is_heard_only_when_the_text_changed(place: Place, make: Made, ears: Ears) -> None:
    async with listening(make(), ears):
        message = place.say("first")
        place.server.edit(message, None, props={"pinned": True})
        place.server.edit(message, "second")
        place.server.delete(message, by=place.bob)
        _, edited, deleted = await ears.until(3)

    assert isinstance(edited, Edited)
    assert (edited.said.text, edited.message) == ("second", message)
    assert isinstance(deleted, Deleted)
    assert (deleted.message, deleted.by) == (message, place.bob)


async def test_the_chosen_reaction_points_at_a_message_and_no_other_does(place: Place, make: Made, ears: Ears) -> None:
    message = place.say("How many days?")
    reply = place.say("Thirty?", root=message)
    async with listening(make(), ears):
        place.server.react(reply, place.bob, "thumbsup")
        place.server.react(reply, place.server.bot, "question")
        place.server.react(reply, place.bob, "question")
        (pointed,) = await ears.until(1)

    assert isinstance(pointed, Pointed)
    assert (pointed.message, pointed.by) == (reply, place.bob)
    assert pointed.spot == place.spot(message)


async def test_files_come_with_their_message(place: Place, make: Made, ears: Ears) -> None:
    file = place.server.file("plan.pdf", b"%PDF", "application/pdf", by=place.ada, channel=place.channel)
    async with listening(make(), ears):
        place.say("see", files=[file])
        (said,) = await ears.until(1)

    assert isinstance(said, Said)
    assert [(one.id, one.name, one.media_type, one.size) for one in said.files] == [
        (file, "plan.pdf", "application/pdf", 4)
    ]


async def test_a_lost_connection_is_resumed_and_nothing_is_read_back(place: Place, make: Made, ears: Ears) -> None:
    async with listening(make(), ears):
        place.say("one")
        await ears.until(1)
        listed = place.server.asked("/users/me/channels")
        place.server.disconnect()
        place.say("two")
        place.say("three")
        heard = await ears.until(3)

    assert [event.text for event in heard if isinstance(event, Said)] == ["one", "two", "three"]
    assert place.server.asked("/users/me/channels") == listed


async def test_what_a_connection_that_cannot_be_resumed_missed_is_read_back(
    place: Place, make: Made, ears: Ears
) -> None:
    async with listening(make(), ears):
        first = place.say("one")
        await ears.until(1)
        place.server.disconnect(resumable=False)
        place.say("two")
        place.say("three", root=first)
        await ears.until(3)
        place.say("four")
        await _told(ears, "four")

    texts = [event.text for event in ears.heard if isinstance(event, Said)]
    assert [*dict.fromkeys(texts)] == ["one", "two", "three", "four"]


async def test_what_was_said_edited_and_deleted_while_the_bot_was_down_is_heard(
    place: Place, make: Made, ears: Ears
) -> None:
    memory = Notebook()
    async with listening(make(), ears, memory):
        edited, deleted = place.say("to be edited"), place.say("to be deleted")
        await ears.until(2)
        place.server.now += 600_000
        place.say("the last word")
        await ears.until(3)
    place.server.now += 600_000
    place.server.edit(edited, "was edited")
    place.server.delete(deleted)
    place.server.react(edited)
    asked = place.say("asked meanwhile")
    place.say("a reply", root=edited, by=place.server.bot)

    later = Ears()
    async with listening(make(), later, memory):
        place.say("live again")
        await _told(later, "live again")

    assert {type(event).__name__: event.message for event in later.heard if event.message in (edited, deleted)} == {
        "Edited": edited,
        "Deleted": deleted,
    }
    assert asked in [event.message for event in later.heard if isinstance(event, Said)]
    assert not [event for event in later.heard if isinstance(event, Said) and event.message == edited]


async def test_edits_in_threads_with_an_answer_are_looked_for_where_nobody_has_posted(
    place: Place, make: Made, ears: Ears
) -> None:
    memory = Notebook()
    async with listening(make(), ears, memory):
        message = place.say("How many days?")
        await ears.until(1)
    memory.spots.append(place.spot(message))
    place.server.now += 600_000
    place.server.edit(message, "How many hours?")

    later = Ears()
    async with listening(make(), later, memory):
        events = await later.until(1)

    assert "Edited" in [type(event).__name__ for event in events]


async def test_more_than_the_server_tells_of_at_once_is_paged_back(place: Place, make: Made, ears: Ears) -> None:
    memory = Notebook()
    async with listening(make(), ears, memory):
        place.say("before")
        await ears.until(1)
    place.server.now += 600_000
    place.server.since_limit = 950
    messages = [place.say(f"message {number}") for number in range(1100)]

    later = Ears()
    async with listening(make(), later, memory):
        await later.until(1100)

    assert [event.message for event in later.heard if event.message in {*messages}] == messages


async def test_the_first_start_reads_nothing_back(place: Place, make: Made, ears: Ears) -> None:
    place.say("long ago")
    memory = Notebook()
    async with listening(make(), ears, memory):
        place.say("now")
        (said,) = await ears.until(1)

    assert isinstance(said, Said)
    assert said.text == "now"
    assert CHECKPOINT in memory.notes


async def test_what_could_not_be_kept_is_delivered_until_it_is(place: Place, make: Made, ears: Ears) -> None:
    memory = Notebook()
    async with listening(make(), ears, memory):
        place.say("kept")
        await ears.until(1)
        before = memory.notes[CHECKPOINT]
        ears.failing = 3
        first = place.say("not at once")
        second = place.say("after it")
        await ears.until(3)

    assert [event.message for event in ears.heard[1:]] == [first, second]
    assert ears.tried >= 6
    assert int(memory.notes[CHECKPOINT]) >= int(before)


async def test_the_checkpoint_stays_before_what_is_not_kept(place: Place, make: Made, ears: Ears) -> None:
    memory = Notebook()
    tried = asyncio.Event()

    async def never_again(seconds: float) -> None:
        tried.set()
        await asyncio.Event().wait()

    async with listening(make(pause=never_again), ears, memory):
        memory.kept.clear()
        place.say("kept")
        async with asyncio.timeout(PATIENCE):
            await memory.kept.wait()
        kept = memory.notes[CHECKPOINT]
        ears.failing = 1
        lost = place.say("lost for now")
        async with asyncio.timeout(PATIENCE):
            await tried.wait()
        assert memory.notes[CHECKPOINT] == kept

    later = Ears()
    async with listening(make(), later, memory):
        await _told(later, "lost for now")

    assert lost in [event.message for event in later.heard]


async def test_a_gap_in_the_numbers_makes_the_connection_anew(place: Place, make: Made, ears: Ears) -> None:
    async with listening(make(), ears):
        place.say("one")
        await ears.until(1)
        (connection,) = place.server.hub.connections
        place.say("lost on the way")
        assert connection.next()  # is sent to nobody
        place.say("two")
        await _told(ears, "two")

    assert [event.text for event in ears.heard if isinstance(event, Said)] == ["one", "lost on the way", "two"]


async def test_what_is_malformed_is_passed_over(
    place: Place, make: Made, ears: Ears, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(make(), ears):
        place.server.hub.publish("posted", {"post": "{"}, {place.server.bot}, channel=place.channel, own={})
        place.server.hub.publish("posted", {"post": json.dumps({"id": "x"})}, {place.server.bot}, channel="", own={})
        place.server.hub.publish("reaction_added", {}, {place.server.bot}, channel="", own={})
        place.say("all is well")
        (said,) = await ears.until(1)

    assert isinstance(said, Said)
    assert said.text == "all is well"
    assert "malformed" in caplog.text


async def test_a_token_that_is_refused_ends_it_at_once(place: Place, make: Made, ears: Ears) -> None:
    from pydantic import SecretStr

    with pytest.raises(PlatformRefused, match="SOUFFLEUR_MATTERMOST_TOKEN"):
        await make(token=SecretStr("wrong-token")).run(ears, Notebook())


async def test_a_login_page_in_front_is_named(place: Place, make: Made, ears: Ears) -> None:
    place.server.fault(login_page, of="/users/me")

    with pytest.raises(PlatformRefused, match="login page"):
        await make().run(ears, Notebook())


async def test_a_server_that_is_away_is_tried_until_it_is_back_and_both_are_told_once(
    place: Place, make: Made, ears: Ears, without_waits: None, caplog: pytest.LogCaptureFixture
) -> None:
    from tests.fakes.mattermost import broken

    caplog.set_level(logging.INFO)
    place.server.fault(broken, times=25, of="/users/me")
    async with listening(make(), ears):
        place.say("back")
        await ears.until(1)

    told = [record for record in caplog.records if record.name == "bot.platforms.mattermost.listening"]
    away, back = [record.getMessage() for record in told if record.levelno >= logging.WARNING]
    assert away.startswith("mattermost: not connected: '127.0.0.1:")
    assert "answered 500" in away
    assert back.startswith("mattermost: connected to 127.0.0.1:")
    assert "bot-token" not in caplog.text


async def test_presence_is_never_told_so_that_reactions_keep_coming(place: Place, make: Made, ears: Ears) -> None:
    async with listening(make(), ears):
        (connection,) = place.server.hub.connections

    assert connection.present is None


async def _told(ears: Ears, text: str) -> None:
    count = 1
    while not any(isinstance(event, Said) and event.text == text for event in ears.heard):
        await ears.until(count)
        count = len(ears.heard) + 1


@pytest.mark.parametrize("created", [10**16, 10**30, -(10**16)])
async def test_a_message_of_an_impossible_time_is_passed_over_once(
    place: Place, make: Made, ears: Ears, created: int
) -> None:
    connections = 0

    async def counted(seconds: float) -> None:
        nonlocal connections
        connections += 1

    async with listening(make(pause=counted), ears):
        place.server.post(place.channel, place.ada, "from elsewhen", at=created)
        place.say("all is well")
        (said,) = await ears.until(1)

    assert isinstance(said, Said)
    assert said.text == "all is well"
    assert connections == 0


async def test_a_message_full_of_names_holds_up_nobody(place: Place, make: Made, ears: Ears) -> None:
    async with listening(make(), ears):
        place.say(" ".join(f"@nobody{number}" for number in range(1_500)))
        (said,) = await ears.until(1)

    assert isinstance(said, Said)
    assert said.mentions_others
