"""Answers as they are watched being written, on a fake of Slack that keeps its limits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.events import Spot
from bot.platforms.interface import (
    Button,
    Draft,
    MessageGone,
    PlatformRefused,
    PlatformUnavailable,
    Post,
    Source,
    WritingStopped,
)
from bot.platforms.slack import pages, status
from bot.platforms.slack.blocks import PAGE_BYTES, size
from bot.platforms.slack.platform import SlackPlatform
from tests.bot.platforms.slack.conftest import Bot
from tests.fakes.slack import OWN_USER, Received, Slack, failing, limited, refusing
from tests.fakes.slack import screen as on_screen
from tests.fakes.slack.methods.agents import begin, set_status

STOP = Button(action="stop", label="Stop", value="signed")

UNDER = (
    Button(action="up", label="Good", value="u"),
    Button(action="down", label="Bad", value="d"),
    Button(action="again", label="Again", value="a"),
)

SOURCE = Source(number=1, title="Leave", place=("p. 3",), url="https://docs.example.org/leave")


class Desk:
    """A question of Ada's in #ops, and the answer to it."""

    def __init__(self, bot: Bot, platform: SlackPlatform) -> None:
        self.slack = bot.slack
        self.bot = bot
        self.platform = platform
        self.channel = next(iter(self.slack.rooms))
        self.question = self.slack.say(self.channel, "How much leave?")
        self.spot = Spot(
            platform="slack", workspace=self.slack.team, channel=self.channel, thread=self.question, direct=False
        )
        self.posted: list[str] = []

    def draft(self, *over: str, retry: bool = False) -> Any:
        async def posted(message: str) -> None:
            self.posted.append(message)
            self.slack.touch()

        return self.platform.draft(
            self.spot, asker="UADA", language="en", stop=STOP, posted=posted, over=over, retry=retry
        )

    def answers(self) -> list[dict[str, Any]]:
        shown = on_screen.visible(self.slack, self.channel, by="UADA", thread=self.question)
        return [message for message in shown if message.get("user") == OWN_USER]

    def texts(self) -> list[str]:
        return [on_screen.read(self.slack, message)[0] for message in self.answers()]

    def buttons(self, place: int = -1) -> list[str]:
        return [element["action_id"] for element in on_screen.pressable(self.answers()[place])]

    def status(self) -> str:
        return on_screen.status(self.slack, self.channel, self.question)

    def streaming(self) -> bool:
        return any(stream.running for stream in self.slack.streams.values())

    def session(self) -> str:
        found = self.slack.sessions.get((self.channel, self.question))
        return found.state if found else ""

    async def until(self, seen: Callable[[], Any]) -> None:
        await self.bot.until(seen)


@pytest.fixture
def desk(bot: Bot, platform: SlackPlatform) -> Desk:
    return Desk(bot, platform)


def post(text: str, **more: Any) -> Post:
    return Post(text=text, language="en", **more)


async def test_a_status_is_seen_before_there_is_text_and_can_be_stopped(desk: Desk) -> None:
    async with desk.draft() as draft:
        await draft.status("Searching 3 sources…")
        await desk.until(lambda: desk.status() == "Searching 3 sources…")

        assert desk.session() == "processing"
        assert not desk.answers()
        await draft.finish(post("Thirty days."))

    assert (desk.status(), desk.session()) == ("", "active")
    assert not desk.slack.faults()


async def test_what_stays_of_the_status_in_the_answer_is_in_the_language_of_the_question(desk: Desk) -> None:
    async with desk.draft() as draft:
        await draft.status("Es wird gesucht…")
        await draft.status("Searching…")
        await draft.status("Writing…")
        await draft.write("Thirty days a year. ")
        await desk.until(desk.streaming)
        await draft.finish(post("Thirty days a year. "))

    assert [line for line in desk.texts()[0].splitlines() if line.endswith("…")] == ["Searching…", "Writing…"]


async def test_an_answer_grows_in_one_message_and_ends_with_what_belongs_under_it(desk: Desk) -> None:
    async with desk.draft() as draft:
        await draft.status("Searching…")
        await draft.write("Thirty ")
        await desk.until(lambda: desk.texts() == ["Searching…\nThirty"])
        assert desk.streaming()
        await draft.write("days **a year** [1]. ")
        await desk.until(lambda: desk.texts() == ["Searching…\nThirty days **a year** [1]."])
        whole = post(
            "Thirty days **a year** [1]. Ask early.",
            sources=(SOURCE,),
            sources_label="Sources",
            notes=("From the files.",),
            buttons=UNDER,
        )
        messages = await draft.finish(whole)

    assert list(messages) == desk.posted == [desk.answers()[0]["ts"]]
    text = desk.texts()[0]
    assert text.startswith("Searching…\nThirty days **a year** [1]. Ask early.")
    assert "Leave" in text
    assert text.endswith("From the files.")
    assert desk.buttons() == ["souffleur_again", "souffleur_feedback", "souffleur_feedback"]
    assert not desk.streaming()
    assert not desk.slack.faults()
    assert not desk.slack.called("chat.update")


async def test_the_recipient_of_a_stream_is_named(desk: Desk) -> None:
    async with desk.draft() as draft:
        await draft.write("Thirty days. ")
        await desk.until(desk.answers)
        await draft.finish(post("Thirty days. "))

    (begun,) = desk.slack.called("chat.startStream")
    assert (begun["recipient_user_id"], begun["recipient_team_id"]) == ("UADA", desk.slack.team)


async def test_no_mention_in_an_answer_notifies_anybody(desk: Desk) -> None:
    text = "Ask <@UBOB>, <!here> or @channel today. "
    async with desk.draft() as draft:
        await draft.write(text)
        await desk.until(desk.answers)
        await draft.finish(post(text))

    assert not any(desk.slack.notified.values())
    assert not desk.slack.called("chat.update")


async def test_an_answer_that_was_written_at_once_is_one_message(desk: Desk) -> None:
    async with desk.draft() as draft:
        messages = await draft.finish(post("Thirty days.", buttons=UNDER))

    assert desk.texts() == ["Thirty days."]
    assert list(messages) == desk.posted
    assert len(desk.slack.called("chat.postMessage")) == 1


async def test_a_text_that_differs_from_what_was_streamed_takes_its_place(desk: Desk) -> None:
    async with desk.draft() as draft:
        await draft.write("Forty days, I think. ")
        await desk.until(desk.answers)
        messages = await draft.finish(post("Thirty days.", buttons=UNDER))

    assert desk.texts() == ["Thirty days."]
    assert list(messages) == desk.posted
    assert not desk.slack.faults()


async def test_words_of_a_script_without_spaces_are_shown_before_the_sentence_ends(desk: Desk) -> None:
    text = "有給休暇は毎年三十日まで取得することができます" * 3
    async with desk.draft() as draft:
        await draft.write(text)
        await desk.until(lambda: desk.texts() == [text])
        await draft.finish(post(text))


async def written_for_ever(draft: Draft, words: str) -> None:
    """Until it is refused."""
    async with asyncio.timeout(10):
        while True:
            await draft.write(words)
            await asyncio.sleep(0.01)


def paragraphs(count: int) -> str:
    return "".join(f"Paragraph {number} about the leave of absence. " * 8 + "\n\n" for number in range(count))


async def test_a_long_answer_goes_on_in_the_next_message_while_it_is_written(desk: Desk) -> None:
    text = paragraphs(60)
    async with desk.draft() as draft:
        for start in range(0, len(text), 3000):
            await draft.write(text[start : start + 3000])
            await desk.until(lambda: desk.answers() and desk.texts()[-1])
        messages = await draft.finish(post(text, buttons=UNDER))

    assert len(messages) == len(desk.answers()) > 2
    assert list(messages) == desk.posted
    shown = "\n\n".join(desk.texts())
    assert [shown.count(f"Paragraph {number} ") for number in range(60)] == [8] * 60
    assert all(len(message.encode()) <= PAGE_BYTES for message in desk.texts())
    assert desk.buttons()[0] == "souffleur_again"
    assert not desk.slack.faults()


async def test_code_that_is_longer_than_a_message_is_whole_in_each(desk: Desk) -> None:
    listing = [f"print({number}, 'a line of the listing')" for number in range(700)]
    text = "Here it is.\n\n```python\n" + "\n".join(listing) + "\n```\n\nThat was all."
    async with desk.draft() as draft:
        for start in range(0, len(text), 2000):
            await draft.write(text[start : start + 2000])
            await asyncio.sleep(0.02)
        await draft.finish(post(text, buttons=UNDER))

    lines = [line for shown in desk.texts() for line in shown.splitlines()]
    assert [line for line in lines if line.startswith("print")] == listing
    assert [line for line in lines if "`" in line] == ["```python", "```"] * 3
    assert lines[-1] == "That was all."


async def test_a_stream_is_changed_for_another_before_slack_ends_it(desk: Desk) -> None:
    async with desk.draft() as draft:
        await draft.write("```python\nfirst = 1\n")
        await desk.until(desk.answers)
        desk.bot.clock.ahead += pages.STREAM_SECONDS
        await draft.write("second = 2\n")
        await desk.until(lambda: len(desk.answers()) == 2)
        messages = await draft.finish(post("```python\nfirst = 1\nsecond = 2\n```\nDone."))

    assert desk.texts() == ["```python\nfirst = 1\n```", "```python\nsecond = 2\n```\nDone."]
    assert list(messages) == desk.posted
    assert not desk.slack.faults()


async def test_a_stream_that_slack_has_ended_is_completed_by_an_edit(desk: Desk) -> None:
    async with desk.draft() as draft:
        await draft.write("Thirty ")
        await desk.until(desk.answers)
        desk.slack.expire_streams()
        await draft.write("days a year. ")
        await desk.until(lambda: desk.texts() == ["Thirty days a year."])
        messages = await draft.finish(post("Thirty days a year. Ask early.", buttons=UNDER))

    assert desk.texts() == ["Thirty days a year. Ask early."]
    assert list(messages) == desk.posted
    assert not desk.slack.faults()


async def test_a_stream_that_ended_just_before_the_end_is_completed_by_an_edit(desk: Desk) -> None:
    async with desk.draft() as draft:
        await draft.write("Thirty ")
        await desk.until(desk.answers)
        desk.slack.expire_streams()
        await draft.finish(post("Thirty days."))

    assert desk.texts() == ["Thirty days."]


async def test_what_a_reader_stopped_stays_and_is_marked(desk: Desk) -> None:
    async with desk.draft() as draft:
        await draft.write("Thirty ")
        await desk.until(desk.answers)
        desk.slack.stop(desk.channel, desk.question, by="UADA")
        with pytest.raises(WritingStopped):
            await written_for_ever(draft, "days ")
        messages = await draft.finish(post("Thirty days", notes=("Stopped by Ada.",)))

    assert desk.texts() == ["Thirty days\nStopped by Ada."]
    assert list(messages) == desk.posted
    assert desk.session() == "active"


async def test_a_session_that_a_killed_process_began_ends_with_its_answer(desk: Desk) -> None:
    begin(desk.slack, desk.channel, desk.question)
    async with desk.draft() as draft:
        await draft.finish(Post(text="Thirty days.", language="en"))

    assert desk.session() == "active"


async def test_the_stop_button_of_a_killed_process_goes_though_no_session_may_be_begun(desk: Desk) -> None:
    for _ in range(30):
        async with desk.draft() as draft:
            await draft.status("Searching…")
            await desk.until(lambda: desk.status() == "Searching…")
            await draft.finish(post("Thirty days."))
        desk.bot.clock.ahead += 1.1
    begun = len(desk.slack.called("agents.sessions.setStatus"))
    begin(desk.slack, desk.channel, desk.question)

    async with desk.draft(retry=True) as draft:
        await draft.status("Searching…")
        await desk.until(lambda: desk.status() == "Searching…")
        assert len(desk.slack.called("agents.sessions.setStatus")) == begun
        await draft.finish(post("Thirty days."))
        desk.bot.clock.ahead += 60

    assert desk.session() == "active"


async def test_a_status_that_a_killed_process_left_goes_with_its_answer(desk: Desk) -> None:
    (earlier,) = await desk.platform.show(desk.spot, post("Thir"))
    set_status(desk.slack, {"channel_id": desk.channel, "thread_ts": desk.question, "status": "Searching…"})
    async with desk.draft(earlier) as draft:
        await draft.finish(post("Thirty days."))

    assert (desk.texts(), desk.status()) == (["Thirty days."], "")


async def test_a_status_that_comes_after_the_answer_goes_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(received: Received) -> Any:
        desk.slack.touch()
        return failing(503)(received)

    monkeypatch.setattr(status, "STATUS_SECONDS", 0.2)
    desk.slack.always(away, on="assistant.threads.setStatus")
    async with desk.draft() as draft:
        await draft.status("Searching…")
        await desk.until(lambda: desk.slack.called("assistant.threads.setStatus"))
        await draft.finish(post("Thirty days."))
        desk.slack.always(None, on="assistant.threads.setStatus")
        set_status(desk.slack, {"channel_id": desk.channel, "thread_ts": desk.question, "status": "Searching…"})

    assert (desk.texts(), desk.status()) == (["Thirty days."], "")


async def test_a_session_is_ended_however_busy_slack_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "STATUS_SECONDS", 0.5)
    async with desk.draft() as draft:
        await draft.status("Searching…")
        await desk.until(lambda: desk.session() == "processing")
        await draft.finish(post("Thirty days."))
        desk.slack.script(limited(1), on="agents.sessions.setStatus")

    assert desk.session() == "active"


@pytest.mark.parametrize("error", ["feature_disabled", "not_allowed_token_type", "channel_type_not_supported"])
async def test_where_streams_are_refused_a_message_is_posted_and_edited(desk: Desk, error: str) -> None:
    desk.slack.always(refusing(error), on="chat.startStream")
    desk.slack.always(refusing("feature_disabled"), on="agents.sessions.setStatus")
    async with desk.draft() as draft:
        await draft.status("Searching…")
        await draft.write("Thirty ")
        await desk.until(lambda: desk.texts() == ["Thirty"])
        assert desk.buttons() == ["souffleur_stop"]
        await draft.write("days. ")
        await desk.until(lambda: desk.texts() == ["Thirty days."])
        messages = await draft.finish(post("Thirty days. Ask early.", buttons=UNDER))

    assert desk.texts() == ["Thirty days. Ask early."]
    assert "souffleur_stop" not in desk.buttons()
    assert list(messages) == desk.posted
    (begun, *_) = desk.slack.called("chat.postMessage")
    assert begun["unfurl_links"] is False
    assert begun["unfurl_media"] is False
    assert begun["text"] == "Thirty"


async def test_a_feature_that_a_workspace_lacks_is_asked_for_once(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.slack.always(refusing("feature_disabled"), on="chat.startStream")
    for _ in range(3):
        async with desk.draft() as draft:
            await draft.write("Thirty days. ")
            await desk.until(lambda: desk.texts() and desk.texts()[-1] == "Thirty days.")
            await draft.finish(post("Thirty days. Ask."))

    assert len(desk.slack.called("chat.startStream")) == 1
    assert len([record for record in caplog.records if "done without from now on" in record.message]) == 1


async def test_when_the_starts_of_streams_are_spent_everybody_is_answered_all_the_same(desk: Desk) -> None:
    for _ in range(30):
        async with desk.draft() as draft:
            await draft.write("Thirty days. ")
            await draft.finish(post("Thirty days. Ask.", buttons=UNDER))
        desk.bot.clock.ahead += 1.1

    assert desk.texts() == ["Thirty days. Ask."] * 30
    assert len(desk.slack.called("chat.startStream")) <= 20


async def test_an_earlier_answer_is_replaced_in_place(desk: Desk) -> None:
    async with desk.draft() as draft:
        first = await draft.finish(post(paragraphs(60), buttons=UNDER))
    assert len(first) > 2

    async with desk.draft(*first) as draft:
        await draft.status("Searching…")
        await draft.write("Thirty ")
        await desk.until(lambda: desk.texts()[0] == "Thirty")
        second = await draft.finish(post("Thirty days.", buttons=UNDER))

    assert desk.texts() == ["Thirty days."]
    assert second == first[:1]
    assert desk.status() == ""
    assert not desk.slack.faults()


async def test_a_half_written_stream_of_a_process_that_died_is_completed(desk: Desk, bot: Bot) -> None:
    crashed = desk.draft()
    draft = await crashed.__aenter__()
    await draft.write("Thir")
    await draft.write("ty ")
    await desk.until(lambda: desk.posted)
    (half,) = desk.posted
    await crashed.__aexit__(None, None, None)  # leaves the stream open, as a kill does
    assert desk.streaming()

    async with desk.draft(half) as draft:
        await draft.write("Thirty ")
        await draft.write("days. ")
        messages = await draft.finish(post("Thirty days. Ask.", buttons=UNDER))

    assert desk.texts() == ["Thirty days. Ask."]
    assert messages == (half,)
    assert not desk.streaming()


def nothing_happens(slack: Slack) -> None:
    pass


def no_streams(slack: Slack) -> None:
    slack.always(refusing("feature_disabled"), on="chat.startStream")


@pytest.mark.parametrize(
    ("before", "meanwhile", "begun_over"),
    [
        (nothing_happens, nothing_happens, False),
        (nothing_happens, Slack.expire_streams, False),
        (no_streams, nothing_happens, False),
        (nothing_happens, nothing_happens, True),
    ],
    ids=["streamed", "by a stream that ended", "edited", "over an earlier answer"],
)
async def test_of_an_answer_that_is_withdrawn_while_it_is_written_nothing_stays_in_any_message(
    desk: Desk, before: Callable[[Slack], None], meanwhile: Callable[[Slack], None], begun_over: bool
) -> None:
    """Neither on a screen, nor in what a notification, an export or a search would find."""
    before(desk.slack)
    earlier: tuple[str, ...] = ()
    if begun_over:
        async with desk.draft() as draft:
            earlier = await draft.finish(post(paragraphs(40)))
    async with desk.draft(*earlier) as draft:
        await draft.status("Searching for Paragraph 7…")
        for start in range(0, 24_000, 3000):
            await draft.write(paragraphs(60)[start : start + 3000])
            await desk.until(lambda: desk.answers() and desk.texts()[-1])
        await desk.until(lambda: len(desk.answers()) > 2)
        meanwhile(desk.slack)
        messages = await draft.finish(post("This answer was withdrawn."))

    assert desk.texts() == ["This answer was withdrawn."]
    assert list(messages) == [desk.answers()[0]["ts"]] == [*earlier, *desk.posted][:1]
    assert "Paragraph" not in json.dumps([*desk.slack.rooms[desk.channel].messages.values()])
    assert not any("Paragraph" in stream.text for stream in desk.slack.streams.values())
    assert (desk.status(), desk.session()) == ("", "active")
    assert not desk.streaming()
    assert not desk.slack.faults()


async def test_an_answer_that_a_reader_stopped_can_be_withdrawn(desk: Desk) -> None:
    async with desk.draft() as draft:
        await draft.write("Thirty ")
        await desk.until(desk.answers)
        desk.slack.stop(desk.channel, desk.question, by="UADA")
        with pytest.raises(WritingStopped):
            await written_for_ever(draft, "days ")
        await draft.finish(post("This answer was withdrawn."))

    assert desk.texts() == ["This answer was withdrawn."]


async def test_what_was_deleted_meanwhile_is_posted_anew(desk: Desk) -> None:
    async with desk.draft() as draft:
        (first,) = await draft.finish(post("Forty days."))
    desk.slack.delete(desk.channel, first)

    async with desk.draft(first) as draft:
        await draft.write("Thirty ")
        messages = await draft.finish(post("Thirty days."))

    assert desk.texts() == ["Thirty days."]
    assert messages != (first,)


async def test_a_429_is_waited_for_and_nothing_is_shown_twice(desk: Desk) -> None:
    desk.slack.busy(2, seconds=0)
    async with desk.draft() as draft:
        await draft.status("Searching…")
        await draft.write("Thirty ")
        await draft.write("days. ")
        await draft.finish(post("Thirty days. Ask."))

    assert desk.texts() == ["Thirty days. Ask."] or desk.texts() == ["Searching…\nThirty days. Ask."]
    assert desk.slack.too_many == 2


async def test_a_call_that_may_have_been_carried_out_is_not_made_again(desk: Desk) -> None:
    desk.slack.always(refusing("internal_error"), on="chat.postMessage")
    with pytest.raises(PlatformUnavailable):
        await desk.platform.show(desk.spot, post("Thirty days."))
    assert len(desk.slack.called("chat.postMessage")) == 1


async def test_trouble_on_the_way_is_made_up_for_at_the_end(desk: Desk) -> None:
    async with desk.draft() as draft:
        await draft.write("Thirty ")
        await desk.until(desk.answers)
        desk.slack.always(failing(503), on="chat.appendStream")
        await draft.write("days ")
        await desk.until(lambda: desk.texts() == ["Thirty days"])
        await draft.finish(post("Thirty days a year."))

    assert desk.texts() == ["Thirty days a year."]


async def test_a_refusal_is_raised_to_whoever_writes(desk: Desk) -> None:
    desk.slack.always(refusing("not_in_channel"), on="chat.startStream")
    desk.slack.always(refusing("not_in_channel"), on="chat.postMessage")
    async with desk.draft() as draft:
        with pytest.raises(PlatformRefused, match="invite the app"):
            await written_for_ever(draft, "Thirty days ")
        with pytest.raises(PlatformRefused, match="invite the app"):
            await draft.finish(post("Thirty days."))


async def test_leaving_without_the_end_leaves_what_is_shown(desk: Desk) -> None:
    async def interrupted() -> None:
        async with desk.draft() as draft:
            await draft.write("Thirty ")
            await desk.until(desk.answers)
            raise MessageGone("the question")

    with pytest.raises(MessageGone):
        await interrupted()

    assert desk.texts() == ["Thirty"]


async def test_a_retry_after_pauses_that_method_alone(desk: Desk, slack: Slack) -> None:
    slack.script(limited(30), on="chat.startStream")
    async with desk.draft() as draft:
        await draft.write("Thirty ")
        await desk.until(lambda: desk.texts() == ["Thirty"])
        await draft.finish(post("Thirty days."))

    assert desk.texts() == ["Thirty days."]
    assert len(slack.called("chat.startStream")) == 1


@pytest.mark.parametrize(
    ("shown", "more", "rest"),
    [
        ("a\n", "b", ("", "b")),
        ("```py\nx = 1\n", "y = 2\n```", ("```", "```py\ny = 2\n```")),
        ("- item\n  ```\n  x\n", "  y\n", ("  ```", "  ```\n  y\n")),
        ("~~~~\n```\n", "more", ("~~~~", "~~~~\nmore")),
        ("```\nx\n```\n", "after", ("", "after")),
    ],
)
def test_a_code_block_is_closed_and_opened_again(shown: str, more: str, rest: tuple[str, str]) -> None:
    assert pages.parted(shown, more) == rest


def test_what_fits_is_not_cut() -> None:
    assert pages.cut("a " * 100, "b " * 100) == ("b " * 100, "")


def test_a_table_gets_its_header_again() -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert pages.parted(table, "| 3 | 4 |\n") == ("", "| a | b |\n|---|---|\n| 3 | 4 |\n")


def test_what_does_not_fit_goes_on_at_a_paragraph() -> None:
    head, rest = pages.cut("word " * 1000 + "\n", "first\n\n" + "second " * 800)

    assert head == "first\n\n"
    assert rest == "second " * 800


WORD = st.sampled_from(
    ["word ", "ü" * 300, "\n", "\n\n", "```\n", "```py\n", "~~~\n", "- item\n", "| a | b |\n", "有給休暇"]
)


@given(st.lists(WORD, max_size=60), st.lists(WORD, max_size=60))
def test_a_message_never_outgrows_its_limit_and_nothing_is_lost(before: list[str], after: list[str]) -> None:
    limit = 2_000
    shown, rest = "", "".join(before)
    while rest:
        more, further = pages.cut(shown, rest, limit=limit)
        assert size(shown + more) <= limit
        assert more or further != rest or shown
        shown, rest = ("", further) if further else (shown + more, "")
    more, rest = pages.cut(shown, "".join(after), limit=limit)

    assert size(shown + more) <= limit
    assert (more + rest).count("word ") == "".join(after).count("word ")
    assert (more + rest).count("有給休暇") == "".join(after).count("有給休暇")
