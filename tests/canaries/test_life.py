"""A company as it goes on: people come, go and become guests, documents are revoked and come back, and questions are
asked all the while. Whatever is shown after each step, nobody reads a word that is not for them at that moment."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from bot.platforms.events import File
from tests.canaries.asking import Asked, above, probe, questions
from tests.canaries.bot import opened
from tests.canaries.company import Kind, company, direct_of, small
from tests.canaries.doors import export
from tests.canaries.house import copied
from tests.canaries.library import SHAPES, Paper, library
from tests.canaries.lookout import Heard, logs
from tests.canaries.words import canaries, seen

PEOPLE = st.sampled_from(sorted(company().people))
CHANNELS = st.sampled_from(["C1", "C2", "C3", "C4", "C6", "C8"])
PAPERS = st.integers(0, len(library()) - 1).map(lambda number: library()[number])
GROUPS = st.sampled_from(["finance", "accounting", "board", "leads", "loop a", "Größe Süd", "Deep 2"])
THEN = st.tuples(CHANNELS, st.integers(0, 49), questions | st.just(above), st.integers(0, 9))
"""What is asked next, by whom, where and below what: nobody sees a change before somebody asks."""

INDEXED = st.sampled_from([True, True, False])
"""Whether the index has heard; the ledger always has."""

Then = tuple[str, int, Asked, int]

Result = TypeVar("Result")


class Life(RuleBasedStateMachine):
    """One bot; `template` is set by the test."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = Path(tempfile.mkdtemp())
        self.new = canaries(7)
        self.threads: list[tuple[str, str]] = []

    @initialize(model=st.booleans())
    def opens(self, model: bool) -> None:
        self.company = small()
        self.heard: Heard = self.stack.enter_context(logs())
        copied(self.template, self.folder)
        self.bot = self.run(self.stack.enter_async_context(opened(self.folder, self.company, model=model)))
        self.platform = self.bot.platform

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)

    # People ask

    @rule(then=THEN)
    def asks(self, then: Then) -> None:
        self.asks_next(then)

    @precondition(lambda self: self.threads)
    @rule(pick=st.integers(0, 49), at=st.integers(0, 9))
    def asks_about_what_is_above(self, pick: int, at: int) -> None:
        channel, thread = self.threads[at % len(self.threads)]
        self._say(channel, self._somebody(channel, pick), above, thread)

    @rule(who=PEOPLE, asked=questions)
    def asks_directly(self, who: str, asked: Asked) -> None:
        self._say(direct_of(who), who, asked, None)

    @rule(channel=CHANNELS, pick=st.integers(0, 49), asked=questions)
    def commands(self, channel: str, pick: int, asked: Asked) -> None:
        who = self._somebody(channel, pick)
        with self.company.knowing(asked.known, who):
            self._happens(self.platform.command(channel, asked.text, by=who), [who])

    @rule(channel=CHANNELS, pick=st.integers(0, 49), asked=questions)
    def asks_with_a_file(self, channel: str, pick: int, asked: Asked) -> None:
        """Which is for those who can read the channel, and nobody else."""
        who, word = self._somebody(channel, pick), next(self.new)
        file = File(id=word[1:-1], name="notes.md", media_type="text/markdown", size=100)
        self.platform.contents[file.id] = f"{asked.text} The notes say that {word} has the plan in hand.".encode()
        self.company.said.setdefault(word, set()).add(channel)
        self._say(channel, who, asked, None, files=(file,))

    # Buttons are pressed

    @rule(action=st.sampled_from(["fuller", "share", "disclose"]), who=PEOPLE, at=st.integers(0, 3))
    def presses_what_they_were_told_alone(self, action: str, who: str, at: int) -> None:
        found = self.bot.buttons(action, to=who)
        if found:
            button, channel, message = found[at % len(found)]
            self._press(button, who, channel, message)

    @rule(action=st.sampled_from(["fuller", "share", "disclose"]), who=PEOPLE, thief=PEOPLE)
    def presses_what_somebody_else_was_told(self, action: str, who: str, thief: str) -> None:
        for button, channel, message in self.bot.buttons(action, to=who)[:1]:
            self._press(button, thief, channel, message)

    @rule(at=st.integers(0, 5), pick=st.integers(0, 49))
    def presses_again(self, at: int, pick: int) -> None:
        found = self.bot.buttons("again")
        if found:
            button, channel, message = found[at % len(found)]
            self._press(button, self._somebody(channel, pick), channel, message)

    # The company changes

    @rule(channel=CHANNELS, who=PEOPLE, then=THEN)
    def joins(self, channel: str, who: str, then: Then) -> None:
        self.company.channels[channel].add(who)
        self._changed(person=who, channel=channel)
        self.asks_next(then, channel=channel)

    @rule(channel=CHANNELS, pick=st.integers(0, 49), then=THEN)
    def leaves(self, channel: str, pick: int, then: Then) -> None:
        if len(self.company.channels[channel]) > 2:
            who = self._somebody(channel, pick)
            self.company.channels[channel].discard(who)
            self._changed(person=who, channel=channel)
        self.asks_next(then, channel=channel)

    @rule(who=PEOPLE, kind=st.sampled_from(["member", "guest", "external", "deactivated"]), then=THEN)
    def becomes(self, who: str, kind: Kind, then: Then) -> None:
        self.company.people[who].kind = kind
        self._changed(person=who)
        self.asks_next(then)

    @rule(group=st.sampled_from(["S1", "S2", "S3"]), who=PEOPLE, then=THEN)
    def user_group_changes(self, group: str, who: str, then: Then) -> None:
        self.company.user_groups[group] ^= {who}
        self._changed()
        self.asks_next(then)

    @rule(group=GROUPS, who=PEOPLE, then=THEN)
    def group_changes(self, group: str, who: str, then: Then) -> None:
        """Which no event tells: the export is looked at every few seconds."""
        self.company.groups[group] ^= {f"user:{self.company.people[who].email}"}
        export(self.company, self.folder)
        self.platform.clock.pass_time(seconds=6)
        self.company.changed()
        self.asks_next(then)

    @rule(paper=PAPERS, then=THEN)
    def is_revoked(self, paper: Paper, then: Then) -> None:
        if paper.key in self.company.papers:
            self.run(self.bot.house.revoke(paper))
        self.asks_next(then, paper=paper)

    @rule(at=st.integers(0, 9), then=THEN)
    def is_restored(self, at: int, then: Then) -> None:
        if self.company.revoked:
            key = sorted(self.company.revoked)[at % len(self.company.revoked)]
            self.run(self.bot.house.restore(next(paper for paper in library() if paper.key == key)))
        self.asks_next(then)

    @rule(paper=PAPERS, readers=st.sampled_from(SHAPES), indexed=INDEXED, then=THEN)
    def is_relabelled(self, paper: Paper, readers: frozenset[str], indexed: bool, then: Then) -> None:
        if paper.key in self.company.papers:
            self.run(self.bot.house.relabel(paper, readers, indexed=indexed))
        self.asks_next(then, paper=paper)

    @rule(paper=PAPERS, indexed=INDEXED, then=THEN)
    def is_deleted(self, paper: Paper, indexed: bool, then: Then) -> None:
        if paper.key in self.company.papers:
            self.run(self.bot.house.delete(paper, indexed=indexed))
        else:
            self.run(self.bot.house.put(paper))
        self.asks_next(then, paper=paper)

    # How it is done

    def asks_next(self, then: Then, channel: str = "", paper: Paper | None = None) -> None:
        """Mostly where, or about what, something has changed."""
        drawn, pick, asked, below = then
        channel = channel if channel and pick % 4 else drawn
        asked = probe(paper) if paper is not None and pick % 4 else asked
        self._say(channel, self._somebody(channel, pick), asked, self._thread(channel, below))

    def _say(self, channel: str, who: str, asked: Asked, thread: str | None, files: tuple[File, ...] = ()) -> None:
        for word in asked.known:
            self.company.said.setdefault(word, set()).add(channel)
        said = self.platform.say(channel, asked.text, by=who, thread=thread, mention=True, files=files)
        if (channel, said.spot.thread) not in self.threads:
            self.threads.append((channel, said.spot.thread))
        self._happens(said, self.company.readers_in(channel) | {who})

    def _press(self, button: Any, who: str, channel: str, message: str) -> None:
        """A press may put into the channel what was asked in private."""
        signed = self.bot.parts.buttons.opened(
            pressed := self.platform.press(button, by=who, channel=channel or direct_of(who), message=message)
        )
        assert signed is not None
        place = signed.spot.channel
        alone = button.action == "fuller"
        reply = self.run(self.bot.parts.chat.replies.get(signed.key))
        if button.action in ("share", "disclose") and reply is not None and reply.trace:
            asked = self.run(self.bot.conversations.recall(reply.trace))
            for word in seen(asked.question if asked else ""):
                self.company.said.setdefault(word, set()).add(place)
        self._happens(pressed, [who] if alone else self.company.readers_in(place))

    def _happens(self, event: Any, readers: Any) -> None:
        self.run(self.bot.happens(event, readers))
        self.heard.check()

    def _changed(self, *, person: str = "", channel: str = "") -> None:
        self.company.changed()
        self.platform.happened(person=person, channel=channel)

    def _somebody(self, channel: str, pick: int) -> str:
        there = sorted(self.company.readers_in(channel))
        return there[pick % len(there)] if there else "U01"

    def _thread(self, channel: str, below: int) -> str | None:
        here = [thread for where, thread in self.threads if where == channel]
        return here[below % len(here)] if here and below else None


def test_nobody_reads_a_word_that_is_not_for_them_whatever_happens(template: Path) -> None:
    machine = type("Life", (Life,), {"template": template})
    steps = settings(
        max_examples=10,
        stateful_step_count=14,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(machine, settings=steps)
