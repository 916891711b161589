"""Whatever people do one after the other, nobody is shown a word of a document that they may not open.

But what somebody who may read it has disclosed to them, which is in the audit log.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.model import Basis, Question
from bot.platforms.interface import Post
from ingest.model import EVERYONE, PUBLIC, DocumentId, DocumentKey, Readers
from tests.fixtures.chat import Kept, Killed, Whisper
from tests.fixtures.dialogue import Hall, hall
from tests.fixtures.passages import passage

FINANCE, BOARD = "slack:SFINANCE", "slack:SBOARD"
CANARIES: dict[str, Readers] = {
    "wren": frozenset({PUBLIC}),
    "robin": frozenset({EVERYONE}),
    "heron": frozenset({FINANCE}),
    "osprey": frozenset({BOARD, "slack:U2"}),
}
"""The one word of each document, and its readers."""

PEOPLE = ("U1", "U2", "U3", "U9")

Step = Callable[["Stage"], Awaitable[None]]


def key(canary: str) -> DocumentKey:
    return ("handbook", DocumentId(canary))


def audience(question: Question) -> Readers:
    shared = question.place.readers
    return (question.asker.readers if shared is None else shared) | {PUBLIC}


class Stage:
    """A channel, its people, and an answerer that tells all that it is given and lets nothing else in."""

    def __init__(self, bot: Hall) -> None:
        self.bot = bot
        bot.pen.text = lambda question: " ".join(sorted(("All:", *self._known(question))))
        bot.pen.basis = self._basis
        bot.more = lambda question, answer: self._known(question) < self._open(question.asker.readers)
        for canary, readers in CANARIES.items():
            bot.shelf.keep(canary, *readers)
        bot.platform.group(FINANCE, "U1")
        bot.platform.group(BOARD, "U1", "U3")

    def _open(self, tokens: Readers) -> set[str]:
        return {canary for canary in CANARIES if self.bot.shelf.readers[key(canary)] & tokens}

    def _known(self, question: Question) -> set[str]:
        told = {word for turn in question.history for word in turn.text.split() if self._heard(turn.basis, question)}
        known = self._open(audience(question)) | (told & set(CANARIES))
        self.bot.pen.cites = tuple(
            passage(number, canary, document=canary, title=canary) for number, canary in enumerate(sorted(known), 1)
        )
        return known

    def _heard(self, basis: Basis | None, question: Question) -> bool:
        """As the walk does: an earlier answer counts where its whole basis may be read."""
        return basis is not None and all(self.bot.shelf.readers.get(one, set()) & audience(question) for one in basis)

    def _basis(self, question: Question) -> Basis:
        return frozenset(map(key, self._known(question)))

    async def readable(self, people: set[str]) -> set[str]:
        """Canaries that all of these may read now."""
        spot = self.bot.platform.spot("C1", "")
        held = [(await self.bot.doors.asker(spot, person)).tokens for person in sorted(people)]
        return set.intersection(*map(self._open, held)) if held else self._open(frozenset({PUBLIC}))

    async def play(self, step: Step) -> None:
        """Do it, and look at all that was shown meanwhile."""
        platform, bot = self.bot.platform, self.bot
        seen = {id(kept): len(kept.states) for kept in platform.messages}
        whispers, acts = len(platform.whispers), len(bot.acts)
        try:
            await step(self)
        except* Killed:
            pass
        platform.faults.clear()
        allowed = await self.readable(platform.inside["C1"])
        for act in bot.acts[acts:]:
            if act.deed == "disclosed":
                allowed |= {document for _, document in act.passed}
        for kept in platform.messages:
            for state in kept.states[seen.get(id(kept), 0) :]:
                assert canaries(state) <= allowed, (state, allowed)
            if len(kept.states) > seen.get(id(kept), 0) and kept.post:
                assert listed(kept.post) <= allowed
        for whisper in platform.whispers[whispers:]:
            assert canaries(whisper.post.text) | listed(whisper.post) <= await self.readable({whisper.to})

    def answers(self) -> list[Kept]:
        return [kept for kept in self.bot.platform.answers("C1") if kept.post is not None]

    def whisper(self, action: str) -> Whisper | None:
        """The latest that has such a button."""
        found = [one for one in self.bot.platform.whispers if any(b.action == action for b in one.post.buttons)]
        return found[-1] if found else None


def canaries(text: str) -> set[str]:
    return set(text.split()) & set(CANARIES)


def listed(post: Post) -> set[str]:
    return {source.title for source in post.sources}


def asks(by: str) -> Step:
    async def step(stage: Stage) -> None:
        await stage.bot.happens(stage.bot.platform.say("C1", "all?", by=by, mention=True))

    return step


def summarises(by: str) -> Step:
    """In the thread of the latest answer."""

    async def step(stage: Stage) -> None:
        if answers := stage.answers():
            said = stage.bot.platform.say("C1", "summarise above", by=by, thread=answers[-1].thread, mention=True)
            await stage.bot.happens(said)

    return step


def commands(by: str) -> Step:
    async def step(stage: Stage) -> None:
        await stage.bot.happens(stage.bot.platform.command("C1", "all?", by=by))

    return step


def presses(action: str) -> Step:
    """Under what was whispered, by whom it was whispered to."""

    async def step(stage: Stage) -> None:
        if whisper := stage.whisper(action):
            await stage.bot.presses(action, whisper, by=whisper.to)

    return step


def again(by: str) -> Step:
    async def step(stage: Stage) -> None:
        for kept in reversed(stage.answers()):
            if "again" in kept.actions:
                await stage.bot.press("again", kept, by=by)
                return

    return step


def comes(person: str) -> Step:
    async def step(stage: Stage) -> None:
        stage.bot.platform.comes("C1", person)

    return step


def goes(person: str) -> Step:
    async def step(stage: Stage) -> None:
        stage.bot.platform.goes("C1", person)

    return step


def group(token: str, *people: str) -> Step:
    async def step(stage: Stage) -> None:
        stage.bot.platform.group(token, *people)

    return step


def revoked(canary: str) -> Step:
    async def step(stage: Stage) -> None:
        stage.bot.shelf.keep(canary)

    return step


def dies(call: str, asked: Step) -> Step:
    """The process ends at that call; whoever comes then goes on with what is left."""

    async def step(stage: Stage) -> None:
        stage.bot.platform.faults[call] = [Killed()]
        await asked(stage)

    return step


async def takes_over(stage: Stage) -> None:
    stage.bot.clock.pass_time(seconds=31)
    await stage.bot.work()


DONE = [
    *(asks(person) for person in ("U1", "U2")),
    *(summarises(person) for person in ("U1", "U2", "U9")),
    *(commands(person) for person in ("U1", "U2")),
    *(presses(action) for action in ("fuller", "share", "share", "disclose", "disclose")),
    *(again(person) for person in ("U1", "U2")),
    *(comes(person) for person in PEOPLE),
    *(goes(person) for person in PEOPLE),
    group(FINANCE),
    group(FINANCE, "U1", "U2", "U3"),
    group(BOARD, "U1"),
    revoked("heron"),
    revoked("robin"),
    dies("finish", asks("U1")),
    dies("whisper", commands("U1")),
    dies("whisper", presses("fuller")),
    dies("show", presses("share")),
    *[takes_over] * 3,
]


@example([dies("finish", asks("U1")), comes("U9"), takes_over])
@example(
    [asks("U1"), presses("fuller"), presses("share"), presses("disclose"), summarises("U2"), comes("U9"), again("U1")]
)
@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(DONE), min_size=4, max_size=14))
def test_nobody_is_shown_what_they_may_not_read(steps: list[Step]) -> None:
    asyncio.run(_played(steps))


async def _played(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with hall(Path(folder)) as bot:
            stage = Stage(bot)
            for step in steps:
                await stage.play(step)


def test_the_stage_sees_what_is_disclosed_and_what_leaks() -> None:
    """The steps that lead to something restricted in the channel do lead there."""

    async def played() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with hall(Path(folder)) as bot:
                stage = Stage(bot)
                for step in (asks("U1"), presses("fuller"), presses("share"), presses("disclose")):
                    await stage.play(step)
                assert [act.deed for act in bot.acts] == ["offered", "fuller", "disclosed"]
                first, disclosed = stage.answers()
                assert (canaries(first.text), "heron" in canaries(disclosed.text)) == ({"wren", "robin"}, True)
                await stage.play(summarises("U2"))
                assert canaries(stage.answers()[-1].text) == {"wren", "robin"}

    asyncio.run(played())
