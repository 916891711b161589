"""What everybody who decides about events relies on, from every implementation of `ChatPlatform`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, TypeVar

import pytest

from bot.platforms.events import Event, PlatformName, Said, Spot
from bot.platforms.interface import Button, Change, ChatPlatform, MessageGone, PlatformRefused, Post, Receipt
from tests.contract.mattermost import MattermostWorkplace
from tests.contract.slack import SlackWorkplace
from tests.contract.workplace import Shown, Workplace
from tests.fixtures.chat import Clock, FakePlatform

PATIENCE = 10.0

STOP = Button(action="stop", label="Stop", value="signed-stop")
AGAIN = Button(action="again", label="Answer again", value="signed-again")
ANSWER = Post(text="Thirty days a year.", language="en", buttons=(AGAIN,))
NOBODY = "u" * 26
"""An id that nobody has."""

LONG = "\n\n".join(f"Paragraph {number} says something about leave, and not a little." for number in range(400))

Found = TypeVar("Found")


class Stand(Protocol):
    """A platform, with Ada and Bob in a channel and a guest in another one."""

    platform: ChatPlatform

    async def said(self, text: str, *, thread: Spot | None = None) -> Said:
        """Ada writes in the channel; what the platform reports of it."""
        ...

    async def seen(self, spot: Spot, *, by: str = "ada") -> list[Shown]:
        """The bot's messages in a thread, on somebody's screen; with what they alone see."""
        ...

    async def delete(self, said: Said) -> None: ...

    async def with_guest(self) -> Spot:
        """A channel that a guest is in."""
        ...

    async def id_of(self, person: str) -> str: ...

    async def enter(self, spot: Spot, person: str) -> None: ...

    async def leave(self, spot: Spot, person: str) -> None: ...

    async def changed(self) -> None:
        """Return when anything that people see has changed."""
        ...


@dataclass
class OnFake:
    """The platform of the dialogue's tests."""

    platform: FakePlatform = field(default_factory=lambda: FakePlatform(Clock()))

    def __post_init__(self) -> None:
        for person in ("ada", "bob"):
            self.platform.joins(person, person)
        self.platform.joins("gast", "gast", member=False)
        self.platform.room_for("general", "ada", "bob")
        self.platform.room_for("guests", "ada", "gast")

    async def said(self, text: str, *, thread: Spot | None = None) -> Said:
        return self.platform.say("general", text, by="ada", thread=thread.thread if thread else None, mention=True)

    async def seen(self, spot: Spot, *, by: str = "ada") -> list[Shown]:
        told = [one for one in self.platform.whispers if one.to == by]
        return [
            *(
                Shown(id=kept.id, by="souffleur", text=kept.text, buttons=kept.actions)
                for kept in self.platform.answers(spot.channel, spot.thread)
            ),
            *(Shown(id=str(n), by="souffleur", text=one.post.text, private=True) for n, one in enumerate(told)),
        ]

    async def delete(self, said: Said) -> None:
        self.platform.delete(said.spot.channel, said.message)

    async def with_guest(self) -> Spot:
        return self.platform.spot("guests", "")

    async def id_of(self, person: str) -> str:
        return person

    async def enter(self, spot: Spot, person: str) -> None:
        self.platform.comes(spot.channel, person)

    async def leave(self, spot: Spot, person: str) -> None:
        self.platform.goes(spot.channel, person)

    async def changed(self) -> None:
        pytest.fail("here everything is shown at once, and nothing later")


class OnWorkplace:
    """A real adapter, on the fake server of its platform."""

    def __init__(self, workplace: Workplace, channel: str) -> None:
        self.platform = workplace.platform()
        self._workplace = workplace
        self._channel = channel
        self._heard: list[Said] = []
        self._news = asyncio.Event()

    async def receive(self, event: Event) -> Receipt:
        if isinstance(event, Said):
            self._heard.append(event)
            self._news.set()
        return Receipt()

    async def said(self, text: str, *, thread: Spot | None = None) -> Said:
        inside = thread.thread if thread else None
        message = await self._workplace.say(self._channel, text, by="ada", thread=inside, mention=True)
        async with asyncio.timeout(PATIENCE):
            while not (found := [said for said in self._heard if said.message == message]):
                self._news.clear()
                await self._news.wait()
        return found[0]

    async def seen(self, spot: Spot, *, by: str = "ada") -> list[Shown]:
        shown = await self._workplace.seen(spot.channel, by=by, thread=spot.thread)
        direct = await self._workplace.direct(by)
        alone = await self._workplace.seen(direct, by=by) if spot.channel != direct else ()
        return [one for one in shown if one.by == "souffleur"] + [replace(one, private=True) for one in alone]

    async def delete(self, said: Said) -> None:
        await self._workplace.delete(self._channel, said.message)

    async def with_guest(self) -> Spot:
        said = await self.said("Where are we?")
        return replace(said.spot, channel=await self._workplace.channel("ada", "gast"), thread="")

    async def id_of(self, person: str) -> str:
        return await self._workplace.id_of(person)

    async def enter(self, spot: Spot, person: str) -> None:
        await self._workplace.enter(spot.channel, person)

    async def leave(self, spot: Spot, person: str) -> None:
        await self._workplace.leave(spot.channel, person)

    async def changed(self) -> None:
        await self._workplace.changed()


class Nothing:
    """A `Memory` that has none."""

    async def recall(self, name: str) -> str | None:
        return None

    async def keep(self, name: str, value: str) -> None:
        """Forgotten."""

    async def threads(self, platform: PlatformName, since: datetime) -> Sequence[Spot]:
        return ()


@asynccontextmanager
async def at_work(workplace: Workplace) -> AsyncIterator[Stand]:
    async with workplace.opened():
        stand = OnWorkplace(workplace, await workplace.channel("ada", "bob"))
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(stand.platform.run(stand.receive, Nothing()))
            async with asyncio.timeout(PATIENCE):
                await stand.platform.connected.wait()
            yield stand
            running.cancel()
        await stand.platform.close()


@pytest.fixture(params=["fake", "slack", "mattermost"])
async def stand(request: pytest.FixtureRequest) -> AsyncIterator[Stand]:
    if request.param == "fake":
        yield OnFake()
        return
    workplace = SlackWorkplace() if request.param == "slack" else MattermostWorkplace()
    async with at_work(workplace) as opened:
        yield opened
        assert not await workplace.refused()


async def until(stand: Stand, look: Callable[[], Awaitable[Found | None]]) -> Found:
    async with asyncio.timeout(PATIENCE):
        while not (found := await look()):
            await stand.changed()
    return found


@dataclass
class Posted:
    """The ids that a draft has told."""

    ids: list[str] = field(default_factory=list)

    async def __call__(self, message: str) -> None:
        self.ids.append(message)


async def written(stand: Stand, spot: Spot, post: Post, *, over: Sequence[str] = ()) -> tuple[tuple[str, ...], Posted]:
    """A draft that is finished at once: the ids of its messages, and those that were told."""
    posted = Posted()
    asker = await stand.id_of("ada")
    async with stand.platform.draft(spot, asker=asker, language="en", stop=STOP, posted=posted, over=over) as draft:
        await draft.write(post.text[:200])
        return await draft.finish(post), posted


async def test_a_draft_grows_in_one_message_and_ends_as_the_post(stand: Stand) -> None:
    spot, posted = (await stand.said("How many days?")).spot, Posted()
    asker = await stand.id_of("ada")

    async with stand.platform.draft(spot, asker=asker, language="en", stop=STOP, posted=posted) as draft:
        await draft.status("Searching 3 sources…")
        await draft.write("Thirty days, as far as I have read until now. " * 8)

        async def growing() -> list[Shown]:
            return [one for one in await stand.seen(spot) if "as far as I have read" in one.text]

        (first,) = await until(stand, growing)
        messages = await draft.finish(ANSWER)

    (shown,) = await stand.seen(spot)
    assert (shown.id, *messages, *posted.ids) == (first.id,) * 3
    assert "Thirty days a year." in shown.text
    assert "as far as" not in shown.text
    assert set(shown.buttons) == {"again"}


async def test_a_long_draft_takes_several_messages_each_of_which_is_told(stand: Stand) -> None:
    spot = (await stand.said("Everything, please.")).spot

    messages, posted = await written(stand, spot, Post(text=LONG, language="en", buttons=(AGAIN,)))

    shown = await stand.seen(spot)
    assert len(messages) > 1
    assert [one.id for one in shown] == [*messages] == posted.ids
    together = "\n".join(one.text for one in shown)
    assert all(f"Paragraph {number} " in together for number in (0, 199, 399))
    assert [one.buttons for one in shown] == [()] * (len(messages) - 1) + [("again",)]


async def test_a_draft_over_earlier_messages_takes_their_place_and_removes_the_rest(stand: Stand) -> None:
    spot = (await stand.said("Everything, please.")).spot
    earlier, _ = await written(stand, spot, Post(text=LONG, language="en"))

    messages, posted = await written(stand, spot, ANSWER, over=earlier)

    (shown,) = await stand.seen(spot)
    assert messages == (shown.id,) == earlier[:1]
    assert "Thirty days" in shown.text
    assert "Paragraph" not in shown.text
    assert posted.ids == []


async def test_a_draft_that_is_left_unfinished_leaves_what_is_shown(stand: Stand) -> None:
    spot, asker = (await stand.said("How many days?")).spot, await stand.id_of("ada")

    async def begun() -> list[Shown]:
        return [one for one in await stand.seen(spot) if "Thirty days" in one.text]

    async with stand.platform.draft(spot, asker=asker, language="en", stop=STOP, posted=Posted()) as draft:
        await draft.write("Thirty days, and then the process is gone. " * 8)
        (before,) = await until(stand, begun)

    (after,) = await begun()
    assert after.id == before.id


async def test_what_is_shown_stands_in_the_thread_with_its_buttons(stand: Stand) -> None:
    spot = (await stand.said("How many days?")).spot

    messages = await stand.platform.show(spot, ANSWER)

    (shown,) = await stand.seen(spot, by="bob")
    assert messages == (shown.id,)
    assert "Thirty days a year." in shown.text
    assert shown.buttons == ("again",)


async def test_a_change_takes_the_place_of_messages(stand: Stand) -> None:
    spot = (await stand.said("Everything, please.")).spot
    before, _ = await written(stand, spot, Post(text=LONG, language="en"))

    after = await stand.platform.change(spot, before, ANSWER)

    (shown,) = await stand.seen(spot)
    assert after == (shown.id,) == before[:1]
    assert "Thirty days a year." in shown.text
    assert shown.buttons == ("again",)


async def test_of_an_answer_that_is_withdrawn_nothing_is_left_anywhere(stand: Stand) -> None:
    spot = (await stand.said("Everything, please.")).spot
    withdrawn = Post(text="This answer was withdrawn.", language="en", replaces=True)
    once, _ = await written(stand, spot, Post(text=LONG, language="en", buttons=(AGAIN,)))

    twice, _ = await written(stand, spot, withdrawn, over=once)
    (shown,) = await stand.seen(spot)
    last = await stand.platform.change(spot, twice, withdrawn)

    (again,) = await stand.seen(spot)
    assert (shown.id, again.id) == (*twice, *last)
    assert {shown.text, again.text} == {"This answer was withdrawn."}
    assert (shown.buttons, again.buttons) == ((), ())


async def test_what_is_gone_cannot_be_changed(stand: Stand) -> None:
    spot = (await stand.said("How many days?")).spot
    messages = await stand.platform.show(spot, ANSWER)
    await stand.platform.remove(spot, messages)

    with pytest.raises(MessageGone):
        await stand.platform.change(spot, messages, replace(ANSWER, text="Thirty-one."))


async def test_what_is_removed_is_gone_and_may_be_removed_again(stand: Stand) -> None:
    spot = (await stand.said("How many days?")).spot
    messages = await stand.platform.show(spot, ANSWER)

    await stand.platform.remove(spot, messages)
    await stand.platform.remove(spot, messages)

    assert await stand.seen(spot) == []


async def test_a_thread_is_its_root_and_its_latest_messages_in_order(stand: Stand) -> None:
    root = await stand.said("How many days?")
    await stand.platform.show(root.spot, ANSWER)
    replies = [await stand.said(f"Reply {number}", thread=root.spot) for number in range(4)]

    whole = await stand.platform.thread(root.spot)
    cut = await stand.platform.thread(root.spot, limit=3)

    assert [message.own for message in whole] == [False, True, False, False, False, False]
    assert [message.id for message in whole if not message.own] == [root.message, *(said.message for said in replies)]
    assert "Thirty days a year." in whole[1].text
    assert (whole[0].by, whole[0].name, whole[0].text) == (await stand.id_of("ada"), "ada", "How many days?")
    assert [message.id for message in cut] == [root.message, replies[2].message, replies[3].message]


async def test_a_thread_without_its_root_is_gone(stand: Stand) -> None:
    root = await stand.said("How many days?")
    await stand.delete(root)

    with pytest.raises(MessageGone):
        await stand.platform.thread(root.spot)


async def test_a_message_comes_with_its_thread(stand: Stand) -> None:
    root = await stand.said("How many days?")
    reply = await stand.said("And half days?", thread=root.spot)

    spot, message = await stand.platform.message(replace(root.spot, thread=reply.message), reply.message)

    assert spot == root.spot
    assert (message.id, message.text, message.own, message.bot) == (reply.message, "And half days?", False, False)
    await stand.delete(reply)
    with pytest.raises(MessageGone):
        await stand.platform.message(root.spot, reply.message)


async def test_people_are_known_by_their_ids(stand: Stand) -> None:
    ada = await stand.platform.person(await stand.id_of("ada"))

    assert (ada.name, ada.locale, ada.member) == ("ada", "en", True)
    with suppress(PlatformRefused, MessageGone):
        assert not (await stand.platform.person("nobody")).member


async def test_a_guest_makes_outsiders_of_a_room(stand: Stand) -> None:
    spot = (await stand.said("How many days?")).spot

    assert not (await stand.platform.room(spot)).outsiders
    assert (await stand.platform.room(await stand.with_guest())).outsiders


async def test_the_members_of_a_channel_are_its_people_guests_among_them_and_no_bots(stand: Stand) -> None:
    spot = (await stand.said("How many days?")).spot
    ada, bob, gast = [await stand.id_of(person) for person in ("ada", "bob", "gast")]

    assert await stand.platform.members(spot) == {ada, bob}
    assert await stand.platform.members(await stand.with_guest()) == {ada, gast}


async def test_many_people_are_known_at_once_and_whoever_is_unknown_is_no_member(stand: Stand) -> None:
    ada, gast = [await stand.id_of(person) for person in ("ada", "gast")]

    people = await stand.platform.people({ada, gast, NOBODY})

    assert {id: person.member for id, person in people.items()} == {ada: True, gast: False, NOBODY: False}
    assert all(person.id == id for id, person in people.items())


async def test_a_person_holds_themselves_and_the_channels_they_are_in(stand: Stand) -> None:
    spot = (await stand.said("How many days?")).spot
    guests = await stand.with_guest()
    ada, bob = [await stand.id_of(person) for person in ("ada", "bob")]
    kind = stand.platform.name
    tokens = {f"{kind}:{id}" for id in (ada, bob, spot.channel, guests.channel, NOBODY)} | {"everyone", f"group:{ada}"}

    held = await stand.platform.held(bob, tokens)

    assert held == {f"{kind}:{bob}", f"{kind}:{spot.channel}"}
    assert await stand.platform.held(ada, held) == {f"{kind}:{spot.channel}"}
    assert await stand.platform.held(NOBODY, tokens - {f"{kind}:{NOBODY}"}) == frozenset()


async def test_who_comes_and_who_goes_is_told_once_it_is_known(stand: Stand) -> None:
    spot = (await stand.said("How many days?")).spot
    ada, bob, gast = [await stand.id_of(person) for person in ("ada", "bob", "gast")]
    assert await stand.platform.members(spot) == {ada, bob}
    news: asyncio.Queue[Change] = asyncio.Queue()
    stand.platform.watch(news.put_nowait)

    for move, person, members in ((stand.enter, "gast", {ada, bob, gast}), (stand.leave, "bob", {ada, gast})):
        await move(spot, person)
        async with asyncio.timeout(PATIENCE):
            while (await news.get()).channel not in {"", spot.channel}:
                pass
        assert await stand.platform.members(spot) == members
        assert (await stand.platform.room(spot)).outsiders


async def test_a_whisper_is_for_one_person_alone(stand: Stand) -> None:
    spot = (await stand.said("How many days?")).spot
    await stand.platform.show(spot, ANSWER)

    await stand.platform.whisper(spot, await stand.id_of("ada"), Post(text="Only you see this.", language="en"))

    assert [one.private for one in await stand.seen(spot, by="ada") if "Only you" in one.text] == [True]
    assert not [one for one in await stand.seen(spot, by="bob") if "Only you" in one.text]
