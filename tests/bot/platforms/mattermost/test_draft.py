"""An answer as it is written: what is seen, when, and what it notifies of."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.platforms.interface import Button, MessageGone, Post, Source
from bot.platforms.mattermost.draft import Pace
from tests.bot.platforms.mattermost.conftest import CALLBACK, PATIENCE, STOP, Made, Place, actions_of
from tests.fakes.mattermost import busy, refusal

SOON = Pace(change=0.0, typing=3600.0, first=0.0)
UP = Button(action="up", label="Good", value="signed-up")


def _draft(
    platform: Any, place: Place, thread: str, *, over: tuple[str, ...] = (), posted: list[str] | None = None
) -> Any:
    async def noted(message: str) -> None:
        if posted is not None:
            posted.append(message)

    return platform.draft(place.spot(thread), asker=place.ada, language="en", stop=STOP, posted=noted, over=over)


async def test_typing_is_seen_at_once_and_nothing_is_posted(place: Place, make: Made) -> None:
    question = place.say("How many days?")
    async with _draft(make(), place, question) as draft:
        await draft.status("Searching 3 sources…")
        await place.until(lambda: place.server.typing.get((place.channel, question)))

        assert place.by_bot() == []


async def test_the_post_appears_with_its_first_sentence_which_is_what_is_notified(place: Place, make: Made) -> None:
    question = place.say("How many days?")
    posted: list[str] = []
    async with _draft(make(), place, question, posted=posted) as draft:
        await draft.write("Every employee has ")
        await draft.write("thirty days. Leave is ")
        (row,) = await place.until(place.by_bot)
        begun = row["message"]

    assert begun.startswith("Every employee has thirty days.")
    assert row["root_id"] == question
    assert posted == [row["id"]]


async def test_words_without_a_sentence_are_posted_after_a_while(place: Place, make: Made) -> None:
    async with _draft(make(pace=SOON), place, place.say("List them")) as draft:
        await draft.write("one, two, ")
        (row,) = await place.until(place.by_bot)

    assert row["message"] == "one, two,"


async def test_a_word_that_is_still_being_written_is_not_shown(place: Place, make: Made) -> None:
    async with _draft(make(pace=SOON), place, place.say("Who?")) as draft:
        await draft.write("Ask @bo")
        (row,) = await place.until(place.by_bot)
        assert row["message"] == "Ask"
        await draft.write("b about it ")
        await place.until(lambda: "about" in place.by_bot()[0]["message"])

    assert place.by_bot()[0]["message"] == "Ask @\u2060bob about it"


async def test_stop_is_under_the_post_while_it_is_written_and_the_other_buttons_after(place: Place, make: Made) -> None:
    async with _draft(make(), place, place.say("How many days?")) as draft:
        await draft.write("Thirty days. More ")
        (row,) = await place.until(place.by_bot)
        (stop,) = actions_of(row)
        ids = await draft.finish(Post(text="Thirty days. More of it.", language="en", buttons=(UP,)))

    assert stop["integration"] == {"url": f"{CALLBACK}/mattermost/action", "context": {"value": "signed-stop"}}
    (row,) = place.by_bot()
    assert ids == (row["id"],)
    assert row["message"] == "Thirty days. More of it."
    assert [action["id"] for action in actions_of(row)] == ["up"]
    assert row["props"]["unsafe_links"] == "true"
    assert row["props"]["from_bot"] == "true"


async def test_sources_and_notes_are_under_the_text(place: Place, make: Made) -> None:
    source = Source(number=1, title="Annual leave", place=("page 3",), url="https://docs.example.org/leave")
    async with _draft(make(), place, place.say("How many days?")) as draft:
        await draft.finish(
            Post(
                text="Thirty [1].",
                language="en",
                sources=(source,),
                sources_label="Sources",
                notes=("stopped by *Ada* @bob",),
            )
        )

    (row,) = place.by_bot()
    assert row["message"].startswith("Thirty [1].\n\n**Sources**")
    assert "https://docs.example.org/leave" in row["message"]
    assert row["message"].endswith("> stopped by \\*Ada\\* @\u2060bob")


async def test_a_long_answer_is_split_below_the_limit_with_its_code_whole(place: Place, make: Made) -> None:
    code = "```python\n" + "\n".join(f"print({number}, 'a line of the listing')" for number in range(1200)) + "\n```"
    text = f"Here it is.\n\n{code}\n\nThat was all."
    posted: list[str] = []
    async with _draft(make(), place, place.say("Show it"), posted=posted) as draft:
        for start in range(0, len(text), 500):
            await draft.write(text[start : start + 500])
            await asyncio.sleep(0)
        ids = await draft.finish(Post(text=text, language="en", buttons=(UP,)))

    rows = place.by_bot()
    assert [row["id"] for row in rows] == list(ids) == posted
    assert len(rows) > 2
    assert all(len(row["message"]) <= 15_000 and row["message"].count("```") % 2 == 0 for row in rows)
    assert [bool(actions_of(row)) for row in rows] == [False] * (len(rows) - 1) + [True]
    assert not place.server.ill_formed


async def test_changes_are_merged_and_the_last_is_whole(place: Place, make: Made) -> None:
    words = [f"word{number} " for number in range(300)]
    pace = Pace(change=3600.0, typing=3600.0, first=3600.0)
    async with _draft(make(pace=pace), place, place.say("Go")) as draft:
        await draft.write("It begins. ")
        await place.until(place.by_bot)
        for word in words:
            await draft.write(word)
        await draft.finish(Post(text="It begins. " + "".join(words), language="en"))

    assert place.server.asked("PUT /posts") == 1
    assert place.by_bot()[0]["message"] == ("It begins. " + "".join(words)).strip()


async def test_an_earlier_answer_is_replaced_in_place_and_what_is_left_over_goes(place: Place, make: Made) -> None:
    question = place.say("How many days?")
    first, second = (place.say(text, by=place.server.bot, root=question) for text in ("old one", "old two"))
    async with _draft(make(), place, question, over=(first, second)) as draft:
        await draft.status("Searching…")
        await place.until(lambda: place.by_bot()[0]["message"] == "Searching…")
        ids = await draft.finish(Post(text="New.", language="en"))

    assert ids == (first,)
    assert [row["message"] for row in place.by_bot()] == ["New."]


async def test_where_the_earlier_answer_was_deleted_there_is_a_new_one(place: Place, make: Made) -> None:
    question = place.say("How many days?")
    gone = place.say("old", by=place.server.bot, root=question)
    place.server.delete(gone)
    posted: list[str] = []
    async with _draft(make(), place, question, over=(gone,), posted=posted) as draft:
        ids = await draft.finish(Post(text="New.", language="en"))

    assert list(ids) == posted
    assert [row["message"] for row in place.by_bot()] == ["New."]


async def test_in_a_thread_that_was_deleted_nothing_can_be_said(place: Place, make: Made) -> None:
    question = place.say("How many days?")
    place.server.delete(question)
    async with _draft(make(), place, question) as draft:
        with pytest.raises(MessageGone):
            await draft.finish(Post(text="Thirty.", language="en"))


async def test_an_answer_that_is_deleted_while_it_is_written_is_told_of(place: Place, make: Made) -> None:
    async with _draft(make(), place, place.say("How many days?")) as draft:
        await draft.write("Thirty days. More ")
        (row,) = await place.until(place.by_bot)
        place.server.delete(row["id"])
        with pytest.raises(MessageGone):
            await _written_on(draft)


async def test_where_typing_is_refused_the_status_is_posted(place: Place, make: Made) -> None:
    place.server.always.append(("/typing", lambda: refusal(403)))
    async with _draft(make(), place, place.say("How many days?")) as draft:
        await draft.status("Searching 3 sources…")
        (row,) = await place.until(place.by_bot)
        assert row["message"] == "Searching 3 sources…"
        await draft.finish(Post(text="Thirty.", language="en"))

    assert [row["message"] for row in place.by_bot()] == ["Thirty."]


async def test_the_status_is_posted_at_once_where_the_operator_wants_it(place: Place, make: Made) -> None:
    async with _draft(make(status="post"), place, place.say("How many days?")) as draft:
        await draft.status("Searching 3 sources…")
        (row,) = await place.until(place.by_bot)

    assert row["message"] == "Searching 3 sources…"
    assert not place.server.asked("/typing")


async def test_leaving_without_the_end_leaves_what_is_shown(place: Place, make: Made) -> None:
    posted: list[str] = []

    async def fails() -> None:
        async with _draft(make(), place, place.say("How many days?"), posted=posted) as draft:
            await draft.write("Thirty days. More ")
            await place.until(place.by_bot)
            raise ValueError("as it is")

    with pytest.raises(ValueError, match="as it is"):
        await fails()
    assert [row["id"] for row in place.by_bot()] == posted


async def test_a_call_that_is_under_way_at_the_end_is_still_told_of(place: Place, make: Made) -> None:
    """A post that was made, and of which nobody knows, would stay there for ever."""
    posted: list[str] = []
    platform, begun = make(), asyncio.Event()
    question = place.say("How many days?")

    async def writes() -> None:
        async with _draft(platform, place, question, posted=posted) as draft:
            await draft.write("Thirty days. More ")
            begun.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(writes())
        await begun.wait()
        await asyncio.sleep(0)
        task.cancel()

    assert [row["id"] for row in place.by_bot()] == posted


async def test_a_busy_server_is_waited_for_and_the_answer_is_there_once(
    place: Place, make: Made, without_waits: None
) -> None:
    place.server.fault(lambda: busy(0), times=5, of="POST /posts")
    place.server.fault(lambda: refusal(500), times=2, of="POST /posts")
    async with _draft(make(), place, place.say("How many days?")) as draft:
        ids = await draft.finish(Post(text="Thirty.", language="en"))

    assert [row["id"] for row in place.by_bot()] == list(ids)


async def test_an_answer_to_a_post_that_got_lost_does_not_make_a_second_one(
    place: Place, make: Made, without_waits: None
) -> None:
    """The server made it, and what it said of it did not arrive."""

    def lose(request: str) -> None:
        if request == "POST /posts":
            place.server.after = lambda request: None
            raise ConnectionResetError

    place.server.after = lose
    async with _draft(make(), place, place.say("How many days?")) as draft:
        ids = await draft.finish(Post(text="Thirty.", language="en"))

    assert place.server.asked("POST /posts") == 2
    assert [row["id"] for row in place.by_bot()] == list(ids)


async def test_without_an_address_for_callbacks_there_are_no_buttons(place: Place, make: Made) -> None:
    async with _draft(make(callback_url=None), place, place.say("How many days?")) as draft:
        await draft.finish(Post(text="Thirty.", language="en", buttons=(UP,)))

    assert actions_of(place.by_bot()[0]) == []


async def _written_on(draft: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            await draft.write("and more ")
            await asyncio.sleep(0)
