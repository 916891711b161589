"""Exactly one answer, wherever the process dies, whatever the platform refuses; and nobody waits in vain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.dialogue import writing
from bot.dialogue.replies import Replies, Reply, State
from bot.dialogue.workers import Claim
from bot.model import Basis
from bot.platforms.events import Event
from bot.platforms.interface import MessageGone, PlatformRefused, PlatformUnavailable, Post
from tests.fixtures.chat import OWN, FakePlatform, Killed
from tests.fixtures.dialogue import Hall, hall

AWAY = PlatformUnavailable("the platform is away")
REFUSED = PlatformRefused("the bot is not in this channel; invite it")


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(tmp_path) as opened:
        yield opened


class Life:
    """Ends at the step whose number it is given."""

    def __init__(self, steps: int) -> None:
        self.left = steps
        self.taken: list[str] = []

    def step(self, name: str) -> None:
        self.taken.append(name)
        self.left -= 1
        if self.left == 0:
            raise Killed(name)


class MortalReplies(Replies):
    """A step before and after everything that is written down."""

    life: Life

    async def begin(self, reply: Reply) -> Reply:
        self.life.step("before begin")
        begun = await super().begin(reply)
        self.life.step("after begin")
        return begun

    async def posted(self, key: str, message: str) -> None:
        self.life.step("before posted")
        await super().posted(key, message)
        self.life.step("after posted")

    async def written(self, key: str, post: Post, trace: str | None, basis: Basis | None) -> None:
        self.life.step("before written")
        await super().written(key, post, trace, basis)
        self.life.step("after written")

    async def offered(self, reply: Reply) -> bool:
        self.life.step("before offered")
        offered = await super().offered(reply)
        self.life.step("after offered")
        return offered

    async def settled(self, key: str, *, messages: Sequence[str], state: State) -> None:
        self.life.step("before settled")
        await super().settled(key, messages=messages, state=state)
        self.life.step("after settled")

    async def told(self, key: str, spot: object, messages: Sequence[str]) -> None:
        self.life.step("before told")
        await super().told(key, spot, messages)  # type: ignore[arg-type]
        self.life.step("after told")


class MortalPlatform(FakePlatform):
    """A step at every call."""

    life: Life | None = None

    def called(self, name: str) -> None:
        if self.life:
            self.life.step(name)
        super().called(name)


async def died_at(bot: Hall, event: Event, step: int) -> str:
    """Receive `event` and die at that step of dealing with it; its name, or '' when it was done before that."""
    life = Life(step)
    mortal = MortalPlatform(bot.clock)
    mortal.__dict__.update(bot.platform.__dict__)
    mortal.life = life
    replies = MortalReplies(bot.conversations.engine, bot.clock.now)
    replies.life = life
    doomed = bot.with_(platform=mortal, written_to=replies)
    await bot.receive(event)
    try:
        await doomed.work()
    except* Killed:
        name = life.taken[-1]
    else:
        name = ""
    bot.platform.__dict__.update(mortal.__dict__)
    return name


async def lives_on(bot: Hall) -> None:
    """The next process takes over what the lease has ended of."""
    bot.clock.pass_time(seconds=31)
    await bot.with_().work()


STEPS = range(1, 60)
"""More than there are: the last one that is tried is the first that is not reached."""


@pytest.mark.parametrize("limit", [4000, 12], ids=["one message", "several messages"])
async def test_wherever_the_process_dies_there_is_one_whole_answer(bot: Hall, limit: int) -> None:
    bot.platform.limit = limit
    steps: list[str] = []
    for step in STEPS:
        said = bot.platform.say("C1", "leave", by="U1", mention=True)
        steps.append(await died_at(bot, said, step))
        asked = len(bot.pen.asked)
        await lives_on(bot)
        answers = bot.platform.answers("C1", said.message)
        assert "".join(kept.text for kept in answers) == "About leave: thirty days [1].", steps[-1]
        assert answers[-1].actions == ("up", "down", "again"), steps[-1]
        assert all(kept.post is not None and "stop" not in kept.actions for kept in answers), steps[-1]
        if steps[-1] == "":
            break
        if steps[-1] in {"after written", "finish", "finished", "before settled", "after settled"}:
            assert len(bot.pen.asked) == asked, f"the model was asked again after {steps[-1]}"
    assert {"posted", "before posted", "after written", "before settled", "after settled", ""} <= set(steps)


async def test_wherever_the_process_dies_an_edited_question_has_one_answer_to_what_it_is_now(bot: Hall) -> None:
    steps: list[str] = []
    for step in STEPS:
        said = bot.platform.say("C1", "leave", by="U1", mention=True)
        await bot.happens(said)
        steps.append(await died_at(bot, bot.platform.edit("C1", said.message, "parental leave"), step))
        await lives_on(bot)
        answers = bot.platform.answers("C1", said.message)
        assert [kept.text for kept in answers] == ["About parental leave: thirty days [1]."], steps[-1]
        if steps[-1] == "":
            break
    assert "" in steps


async def test_wherever_the_process_dies_the_owners_are_called_once(bot: Hall) -> None:
    bot = bot.with_(source_owners={"handbook": ("slack:U3",)})
    steps: list[str] = []
    for step in STEPS:
        said = bot.platform.say("C1", "leave", by="U1", mention=True)
        await bot.happens(said)
        (answer,) = bot.platform.answers("C1", said.message)
        steps.append(await died_at(bot, bot.pressed("person", answer, by="U1"), step))
        await lives_on(bot)
        calls = [kept for kept in bot.platform.answers("C1", said.message) if kept.post and kept.post.mention]
        assert len(calls) == 1, steps[-1]
        if steps[-1] == "":
            break
    assert {"shown", ""} <= set(steps)


async def test_wherever_the_process_dies_nothing_is_left_of_a_question_that_is_deleted_meanwhile(bot: Hall) -> None:
    steps: list[str] = []
    for step in STEPS:
        root = bot.platform.say("C1", "hello", by="U2")
        said = bot.platform.say("C1", "leave", by="U1", thread=root.message, mention=True)
        steps.append(await died_at(bot, said, step))
        await bot.receive(bot.platform.delete("C1", said.message))
        await lives_on(bot)
        assert bot.platform.answers("C1", root.message) == [], steps[-1]
        if steps[-1] == "":
            break
    assert {"posted", ""} <= set(steps)


async def test_what_an_attempt_still_posts_after_its_lease_was_lost_is_taken_away(bot: Hall) -> None:
    said = bot.platform.say("C1", "How many days of leave?", by="U1", mention=True)
    await bot.receive(said)
    await bot.inbox.claim("the one that is too slow", free=1)
    bot.clock.pass_time(seconds=31)
    (claimed,) = await bot.inbox.claim("worker", free=1)
    bot.pen.hold()

    async with bot.held(claimed):
        bot.platform._keep("C1", "Thir", OWN, said.message)
        bot.pen.release()

    (answer,) = bot.platform.answers("C1", said.message)
    assert "up" in answer.actions


async def test_what_is_sent_after_the_last_word_of_whoever_took_over_does_not_stand(bot: Hall) -> None:
    said = bot.platform.say("C1", "How many days of leave?", by="U1", mention=True)
    await bot.happens(said)
    (answer,) = bot.platform.answers("C1", said.message)
    whole, post = answer.text, answer.post
    bot.platform._put(answer, "Thir", Post(text="Thir", language="en"))
    bot.platform._keep("C1", "Thir", OWN, said.message)

    await bot.exchange.overtaken(Claim(said))

    (answer,) = bot.platform.answers("C1", said.message)
    assert (answer.text, answer.post) == (whole, post)


async def test_what_is_sent_after_the_answer_was_taken_back_does_not_stand(bot: Hall) -> None:
    said = bot.platform.say("C1", "How many days of leave?", by="U1", mention=True)
    await bot.happens(said)
    await bot.happens(bot.platform.delete("C1", said.message))
    late = bot.platform._keep("C1", "Thir", OWN, said.message)
    await bot.replies.posted(said.key, late.id)

    await bot.exchange.overtaken(Claim(said))

    assert bot.platform.answers("C1", said.message) == []


async def test_what_is_delivered_again_is_answered_once(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    await bot.happens(said)
    await bot.happens(said)
    assert len(bot.platform.answers("C1")) == 1


@pytest.mark.parametrize("call", ["person", "draft", "status", "post", "write", "finish"])
async def test_what_the_platform_could_not_do_is_tried_again(bot: Hall, call: str) -> None:
    bot.platform.faults[call] = [AWAY]
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    await bot.receive(said)
    with pytest.raises(PlatformUnavailable):
        await bot.work()
    await lives_on(bot)
    assert [kept.text for kept in bot.platform.answers("C1")] == ["About leave: thirty days [1]."]


async def test_an_event_of_a_platform_that_is_not_attended_here_is_left_to_another_replica(bot: Hall) -> None:
    elsewhere = FakePlatform(bot.clock, name="mattermost")
    elsewhere.room_for("C1")
    elsewhere.joins("U1", "Ada")
    said = elsewhere.say("C1", "leave", by="U1", mention=True)
    await bot.receive(said)
    with pytest.raises(PlatformUnavailable, match="mattermost is not attended here"):
        await bot.work()
    await gives_up(bot, said)
    bot.clock.pass_time(seconds=31)
    await bot.with_(platform=elsewhere).work()
    assert len(elsewhere.answers("C1")) == 1


async def test_where_the_bot_may_not_write_the_asker_is_told_alone(bot: Hall) -> None:
    bot.platform.faults["post"] = [REFUSED]
    await bot.happens(bot.platform.say("C1", "leave", by="U1", mention=True))
    (whisper,) = bot.platform.whispers
    assert whisper.to == "U1"
    assert whisper.post.text.startswith("de:chat-gave-up ")
    assert len(whisper.post.text.split()[1]) == 32


async def test_where_not_even_that_is_allowed_it_is_logged(bot: Hall, caplog: pytest.LogCaptureFixture) -> None:
    bot.platform.faults |= {"post": [REFUSED], "whisper": [REFUSED]}
    await bot.happens(bot.platform.say("C1", "leave", by="U1", mention=True))
    assert bot.platform.whispers == []
    assert "the asker could not be told: the bot is not in this channel; invite it" in caplog.text


async def test_a_refusal_about_what_nobody_asked_for_is_told_to_nobody(bot: Hall) -> None:
    await bot.happens(bot.platform.say("C1", "leave", by="U1", mention=True))
    (answer,) = bot.platform.answers("C1")
    bot.platform.faults["thread"] = [REFUSED]
    await bot.happens(bot.platform.say("C1", "thanks", by="U2", thread=answer.thread))
    assert bot.platform.whispers == []


async def gives_up(bot: Hall, event: Event) -> None:
    await bot.exchange.give_up(Claim(event, 5), AWAY)


async def test_what_is_given_up_is_told_over_the_half_written_answer(bot: Hall) -> None:
    bot.platform.faults["write"] = [None, None, AWAY]
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    await bot.receive(said)
    with pytest.raises(PlatformUnavailable):
        await bot.work()
    await gives_up(bot, said)
    await bot.inbox.give_up("worker", said.key, "the platform is away")
    (answer,) = bot.platform.answers("C1")
    assert answer.states[:2] == ["About", "About leave:"]
    assert answer.text.startswith("de:chat-gave-up ")
    assert answer.actions == ("again",)
    await bot.press("again", answer, by="U1")
    assert answer.text == "About leave: thirty days [1]."


async def test_what_is_given_up_before_anything_was_shown_is_told_in_the_thread(bot: Hall) -> None:
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    await gives_up(bot, said)
    assert [kept.text.split()[0] for kept in bot.platform.answers("C1", said.message)] == ["de:chat-gave-up"]


async def test_nothing_is_told_about_a_message_that_named_nobody(bot: Hall) -> None:
    await bot.happens(bot.platform.say("C1", "leave", by="U1", mention=True))
    (answer,) = bot.platform.answers("C1")
    await gives_up(bot, bot.platform.say("C1", "thanks", by="U2", thread=answer.thread))
    assert bot.platform.answers("C1") == [answer]
    assert bot.platform.whispers == []


async def test_a_button_or_a_command_that_is_given_up_is_told_alone(bot: Hall) -> None:
    await bot.happens(bot.platform.say("C1", "leave", by="U1", mention=True))
    (answer,) = bot.platform.answers("C1")
    await gives_up(bot, bot.pressed("again", answer, by="U1"))
    await gives_up(bot, bot.platform.command("C1", "leave", by="U2"))
    told = [(whisper.to, whisper.post.text.split()[0]) for whisper in bot.platform.whispers]
    assert told == [("U1", "de:chat-gave-up"), ("U2", "en:chat-gave-up")]
    assert answer.text == "About leave: thirty days [1]."


async def test_giving_up_while_the_platform_is_away_raises_nothing_and_is_logged(
    bot: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    bot.platform.faults |= {"show": [AWAY], "person": [AWAY]}
    await gives_up(bot, bot.platform.say("C1", "leave", by="U1", mention=True))
    assert bot.platform.answers("C1") == []
    assert "nobody could be told: the platform is away" in caplog.text


async def test_an_answer_whose_message_is_deleted_under_the_pen_is_let_go(bot: Hall) -> None:
    bot.platform.faults["finish"] = [MessageGone("it is gone")]
    said = bot.platform.say("C1", "leave", by="U1", mention=True)
    await bot.happens(said)
    reply = await bot.replies.get(said.key)
    assert reply is not None
    assert reply.state == "withdrawn"


async def test_an_answer_that_never_ends_is_tried_again(bot: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    bot.pen.hold()
    monkeypatch.setattr(writing, "ANSWER_SECONDS", 0)
    await bot.receive(bot.platform.say("C1", "leave", by="U1", mention=True))
    with pytest.raises(writing.AnswerCutShort, match="no answer within 0 s"):
        await bot.work()
    monkeypatch.undo()
    bot.pen.release()
    await lives_on(bot)
    assert [kept.text for kept in bot.platform.answers("C1")] == ["About leave: thirty days [1]."]


@pytest.mark.parametrize("channel", ["C1", "D1"])
async def test_an_answer_that_ends_without_saying_so_is_tried_again(bot: Hall, channel: str) -> None:
    bot.pen.finishes = False
    asks = bot.platform.say if channel == "D1" else bot.platform.command
    await bot.receive(asks(channel, "leave", by="U1"))
    with pytest.raises(writing.AnswerCutShort, match="without `Finished`"):
        await bot.work()
    bot.pen.finishes = True
    await lives_on(bot)
    assert len(bot.platform.answers(channel)) + len(bot.platform.whispers) == 1


async def test_the_answerer_is_closed_when_the_work_is_cancelled(bot: Hall) -> None:
    with pytest.raises(ExceptionGroup):
        async with bot.writing(bot.platform.say("C1", "leave", by="U1", mention=True)):
            raise RuntimeError("the lease is lost")
    assert bot.pen.closed == 1
