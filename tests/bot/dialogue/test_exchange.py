"""A question becomes one answer in its thread, from what was said before it and what its readers may read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.dialogue.attachments import Read
from bot.dialogue.settings import ChannelSettings
from bot.model import Outcome, Turn
from bot.platforms.events import File, Spot
from bot.platforms.interface import ChatPlatform
from ingest.model import MEMBER, PUBLIC
from tests.fixtures.dialogue import LEAVE, Hall, hall
from tests.fixtures.passages import chunk

REPORT = File(id="F1", name="report.pdf", media_type="application/pdf", size=10)
PHOTO = File(id="F2", name="photo.png", media_type="image/png", size=10)


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(tmp_path) as opened:
        yield opened


class Shelf:
    """Reads the report, and declines the photo."""

    def __init__(self) -> None:
        self.read: list[str] = []

    async def of(self, platform: ChatPlatform, spot: Spot, files: Sequence[File], *, language: str, by: str) -> Read:
        self.read += [file.name for file in files]
        notes = tuple(f"{language} declined {file.name}" for file in files if file is PHOTO)
        return Read(
            chunks=tuple(chunk("The report.", title=file.name) for file in files if file is REPORT), notes=notes
        )


async def test_a_direct_message_is_answered_with_sources_and_buttons(bot: Hall) -> None:
    said = bot.platform.say("D1", "leave", by="U1")
    await bot.happens(said)
    (answer,) = bot.platform.answers("D1", said.message)
    assert answer.text == "About leave: thirty days [1]."
    assert answer.post is not None
    assert [(source.title, source.url) for source in answer.post.sources] == [("Annual leave", "https://docs/leave")]
    assert answer.post.sources_label == "en:sources"
    assert answer.actions == ("up", "down", "again")
    assert bot.pen.asked[0].asker.id == "slack:U1"
    assert bot.pen.asked[0].asker.readers == MEMBER
    assert bot.pen.asked[0].place.readers is None


async def test_what_happens_is_shown_before_there_is_any_text_in_the_language_of_the_profile(bot: Hall) -> None:
    async with bot.writing(bot.platform.say("D1", "leave", by="U1")):
        assert bot.platform.statuses == ["de:chat-searching 3", "writing"]
        assert bot.platform.calls.index("status") < bot.platform.calls.index("post")
        bot.pen.release()


async def test_something_is_shown_before_the_thread_is_read(bot: Hall) -> None:
    root = bot.platform.say("C1", "hello", by="U2")
    await bot.happens(bot.platform.say("C1", "leave", by="U1", thread=root.message, mention=True))
    assert bot.platform.calls.index("status") < bot.platform.calls.index("thread")


async def test_the_answer_grows_in_one_place_and_can_be_stopped_there(bot: Hall) -> None:
    async with bot.writing(bot.platform.say("D1", "leave", by="U1")):
        (growing,) = bot.platform.answers("D1")
        assert growing.states == ["About", "About leave:"]
        assert growing.actions == ("stop",)
        bot.pen.release()
    assert growing.states[-1] == "About leave: thirty days [1]."


async def test_a_mention_is_answered_in_its_thread_for_everybody_in_the_channel(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    await bot.happens(said)
    assert len(bot.platform.answers("C1", said.message)) == 1
    assert bot.pen.asked[0].place.readers == MEMBER
    assert bot.pen.asked[0].place.thread == said.spot.lane


@pytest.mark.parametrize(("channel", "by"), [("C9", "U1"), ("C1", "U9")], ids=["outsiders there", "an outsider asks"])
async def test_with_outsiders_only_what_is_public_is_used(bot: Hall, channel: str, by: str) -> None:
    await bot.happens(bot.platform.say(channel, "leave", by=by, mention=True))
    assert bot.pen.asked[0].place.readers == {PUBLIC}


async def test_an_outsider_alone_with_the_bot_reads_what_is_public(bot: Hall) -> None:
    bot.platform.room_for("D9", direct=True)
    await bot.happens(bot.platform.say("D9", "leave", by="U9"))
    assert bot.pen.asked[0].asker.readers == {PUBLIC}


async def test_the_thread_before_the_question_is_known_with_names_and_the_bots_own_answers(bot: Hall) -> None:
    root = bot.platform.say("C1", "who knows about leave?", by="U2")
    bot.platform.say_as_bot("C1", "an alert", thread=root.message)
    await bot.happens(bot.platform.say("C1", "leave", by="U1", thread=root.message, mention=True))
    await bot.happens(bot.platform.say("C1", "and in June", by="U1", thread=root.message, mention=True))
    assert bot.pen.asked[1].text == "and in June"
    assert bot.pen.asked[1].history == (
        Turn(role="user", text="who knows about leave?", name="Bob"),
        Turn(role="user", text="an alert", name="Alerts"),
        Turn(role="user", text="leave", name="Ada"),
        Turn(role="assistant", text="About leave: thirty days [1].", basis=frozenset({LEAVE})),
    )


async def test_two_people_need_no_names(bot: Hall) -> None:
    said = bot.platform.say("D1", "leave", by="U1")
    await bot.happens(said)
    await bot.happens(bot.platform.say("D1", "and in June", by="U1", thread=said.message))
    assert {turn.name for turn in bot.pen.asked[1].history} == {""}


async def test_a_question_asked_while_the_one_before_it_is_answered_knows_that_answer(bot: Hall) -> None:
    first = bot.platform.say("D1", "leave", by="U1")
    second = bot.platform.say("D1", "and in June", by="U1", thread=first.message)
    await bot.receive(first)
    await bot.happens(second)
    assert bot.pen.asked[1].history == (
        Turn(role="user", text="leave"),
        Turn(role="assistant", text="About leave: thirty days [1].", basis=frozenset({LEAVE})),
    )


async def test_an_answer_regenerated_later_does_not_know_what_came_after_its_question(bot: Hall) -> None:
    first = bot.platform.say("D1", "leave", by="U1")
    await bot.happens(first)
    await bot.happens(bot.platform.say("D1", "and in June", by="U1", thread=first.message))
    await bot.press("again", bot.platform.answers("D1")[0], by="U1")
    assert bot.pen.asked[2].text == "leave"
    assert bot.pen.asked[2].history == ()


async def test_a_long_answer_in_several_messages_is_one_turn(bot: Hall) -> None:
    bot.platform.limit = 10
    first = bot.platform.say("D1", "leave", by="U1")
    await bot.happens(first)
    assert len(bot.platform.answers("D1")) > 1
    await bot.happens(bot.platform.say("D1", "and", by="U1", thread=first.message))
    assert [turn.text for turn in bot.pen.asked[1].history] == ["leave", "About leave: thirty days [1]."]


async def test_a_bare_mention_asks_for_an_answer_to_what_was_said_before_it(bot: Hall) -> None:
    root = bot.platform.say("C1", "how long is leave?", by="U2")
    await bot.happens(bot.platform.say("C1", " ", by="U1", thread=root.message, mention=True))
    assert bot.pen.asked[0].text == "how long is leave?"
    assert bot.pen.asked[0].history == ()


async def test_files_of_the_thread_are_read_and_what_is_declined_is_told(bot: Hall) -> None:
    shelf = Shelf()
    bot = bot.with_(attachments=shelf)
    root = bot.platform.say("C1", "this", by="U2", files=(REPORT,))
    await bot.happens(bot.platform.say("C1", "sum it up", by="U1", thread=root.message, mention=True, files=(PHOTO,)))
    assert shelf.read == ["photo.png", "report.pdf"]
    assert [passage.title for passage in bot.pen.asked[0].attached] == ["report.pdf"]
    (answer,) = bot.platform.answers("C1")
    assert answer.post is not None
    assert answer.post.notes == ("de declined photo.png",)
    assert "de:chat-reading-files" in bot.platform.statuses


async def test_notes_of_the_answer_are_shown_under_it(bot: Hall) -> None:
    bot.pen.notes = ("from this conversation",)
    await bot.happens(bot.platform.say("D1", "leave", by="U1"))
    post = bot.platform.answers("D1")[0].post
    assert post is not None
    assert post.notes == ("from this conversation",)


@pytest.mark.parametrize(
    ("outcome", "actions"),
    [
        (Outcome.NOT_FOUND, ("up", "down", "again", "person")),
        (Outcome.FAILED, ("again", "person")),
        (Outcome.INVALID, ()),
    ],
)
async def test_what_can_be_done_about_an_answer_depends_on_how_it_ended(
    bot: Hall, outcome: Outcome, actions: tuple[str, ...]
) -> None:
    bot = bot.with_(channels={"C1": ChannelSettings(owners=("U3",))})
    bot.pen.outcome = lambda question: outcome
    await bot.happens(bot.platform.say("C1", "leave", by="U1", mention=True))
    (answer,) = bot.platform.answers("C1")
    assert answer.actions == actions


async def test_a_person_is_offered_where_there_are_owners_and_nowhere_else(bot: Hall) -> None:
    await bot.happens(bot.platform.say("C1", "leave", by="U1", mention=True))
    assert "person" not in bot.platform.answers("C1")[0].actions
    owned = bot.with_(source_owners={"handbook": ("mattermost:u7", "slack:U3")})
    await owned.happens(bot.platform.say("C2", "leave", by="U1", mention=True))
    assert "person" in bot.platform.answers("C2")[0].actions
    await owned.happens(bot.platform.say("D1", "leave", by="U1"))
    assert "person" not in bot.platform.answers("D1")[0].actions
    foreign = bot.with_(source_owners={"handbook": ("mattermost:u7",), "other": ("slack:U3",)})
    await foreign.happens(bot.platform.say("C9", "leave", by="U1", mention=True))
    assert "person" not in bot.platform.answers("C9")[0].actions


async def test_pointing_at_a_message_answers_it_in_its_thread_in_its_writers_language(bot: Hall) -> None:
    root = bot.platform.say("C1", "hello", by="U3")
    question = bot.platform.say("C1", "how long is leave?", by="U1", thread=root.message)
    async with bot.writing(bot.platform.point("C1", question.message, by="U2")):
        (growing,) = bot.platform.answers("C1", root.message)
        assert bot.platform.statuses[0] == "de:chat-searching 3"
        refused = await bot.receive(bot.pressed("stop", growing, by="U1"))
        assert refused.text == "de:chat-not-yours"
        bot.pen.release()
    asked = bot.pen.asked[0]
    assert (asked.text, asked.asker.locale, asked.asker.id) == ("how long is leave?", "de", "slack:U2")
    assert [turn.text for turn in asked.history] == ["hello"]


async def test_however_many_point_at_a_message_it_is_answered_once(bot: Hall) -> None:
    question = bot.platform.say("C1", "how long is leave?", by="U1")
    await bot.happens(bot.platform.point("C1", question.message, by="U2"))
    await bot.happens(bot.platform.point("C1", question.message, by="U3"))
    assert len(bot.platform.answers("C1")) == 1


async def test_pointing_at_a_question_that_is_answered_already_does_nothing(bot: Hall) -> None:
    question = bot.platform.say("C1", "how long is leave?", by="U1", mention=True)
    await bot.happens(question)
    await bot.happens(bot.platform.point("C1", question.message, by="U2"))
    assert len(bot.platform.answers("C1")) == 1


async def test_pointing_at_what_a_bot_said_does_nothing(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    await bot.happens(said)
    (answer,) = bot.platform.answers("C1")
    await bot.happens(bot.platform.point("C1", answer.id, by="U2"))
    await bot.happens(bot.platform.point("C1", bot.platform.say_as_bot("C1", "an alert"), by="U2"))
    assert bot.platform.answers("C1") == [answer]
    assert len(bot.pen.asked) == 1


async def test_an_old_question_gets_an_apology(bot: Hall) -> None:
    said = bot.platform.say("D1", "leave", by="U1")
    bot.clock.pass_time(minutes=61)
    await bot.happens(said)
    assert [kept.text for kept in bot.platform.answers("D1")] == ["de:chat-late"]
    await bot.happens(said)
    assert len(bot.platform.answers("D1")) == 1
    assert bot.pen.asked == []


async def test_an_old_message_that_named_nobody_gets_nothing(bot: Hall) -> None:
    bot = bot.with_(channels={"C1": ChannelSettings(answer="every")})
    said = bot.platform.say("C1", "leave", by="U1")
    bot.clock.pass_time(minutes=61)
    await bot.happens(said)
    assert bot.platform.answers("C1") == []


async def test_a_question_of_ten_minutes_ago_is_answered(bot: Hall) -> None:
    said = bot.platform.say("D1", "leave", by="U1")
    bot.clock.pass_time(minutes=10)
    await bot.happens(said)
    assert bot.platform.answers("D1")[0].text.startswith("About leave")
