"""From one random state to the next: the source changes, a run is struck, a look, a plain sync, a comparison."""

from __future__ import annotations

import multiprocessing
import random
import select
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from tests.crash import child
from tests.crash.documents import Expected, Papers
from tests.crash.places import Backend
from tests.crash.task import Blow, Done, Reached, Target, Task

PRELOADED = ["tests.crash.warm", "tests.crash.warm_bot", "tests.crash.table"]
"""Loaded once, in the single-threaded process that every child is forked from."""

PATIENCE = 300
"""Seconds until a child that neither ends nor tells anything is given up."""

LENGTH = 12
"""Runs from one empty beginning."""

WRITES = (
    "index create",
    "index upsert",
    "index delete",
    "index set_readers",
    "index describe",
    "index flush",
    "ledger remember_source",
    "ledger unsettle",
    "ledger commit",
    "ledger settle",
    "ledger keep_cursor",
    "ledger record_run",
    "statement",
    "sql commit",
)


@dataclass(frozen=True, kw_only=True)
class Strike:
    """What befalls one run."""

    blow: Blow | str
    """Or `at a random time`, `source gone`, `server trouble`."""
    write: str | None = None
    """At which write; None for any, or where no write is meant."""
    verb: str = "sync"

    def __str__(self) -> str:
        return f"{self.verb} {self.blow} {self.write or ''}".strip()


RANDOM_TIME = "killed at a random time"
ANY_WRITE = "any write"
SOURCE_GONE = "source gone"
TROUBLE = "server troubled"


def strikes(backend: str) -> list[Strike]:
    """All that is tried on a backend; the rarest so far is tried next."""
    found = [
        Strike(blow=blow, write=write)
        for blow in (Blow.BEFORE, Blow.AFTER, Blow.DURING)
        for write in (*WRITES, ANY_WRITE)
        if (blow, write) != (Blow.AFTER, "sql commit")
    ]
    found += [
        Strike(blow=blow, write=write, verb=verb)
        for verb in ("reindex", "rollback")
        for blow in (Blow.BEFORE, Blow.AFTER, Blow.DURING)
        for write in ("index publish", "ledger settle_all", ANY_WRITE)
    ]
    found += [Strike(blow=blow, write="index create", verb="reindex") for blow in (Blow.BEFORE, Blow.AFTER)]
    found += [Strike(blow=Blow.DISK, write=write) for write in ("statement", "sql commit")]
    found += [Strike(blow=RANDOM_TIME)] * 3 + [Strike(blow=SOURCE_GONE)]
    found += [Strike(blow=RANDOM_TIME, verb=verb) for verb in ("reindex", "rollback")]
    if backend != "server":
        found += [Strike(blow=Blow.DISK, write="room"), Strike(blow=Blow.DURING, write="compact")]
    if backend == "server":
        found += [Strike(blow=TROUBLE)] * 4
    if backend != "edge-sqlite":
        found += [Strike(blow=Blow.SERVER, write=write) for write in ("index upsert", "ledger commit", ANY_WRITE)]
    return found


@dataclass(frozen=True, kw_only=True)
class Row:
    """One run and what came after it."""

    seed: str
    strike: str
    missed: int = 0
    """Runs before it that ended before they came to the chosen write."""
    wrong: tuple[str, ...] = ()


def start_forking() -> None:
    """Make the process that children are forked from."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)


@dataclass
class Struck:
    """How a child ended."""

    done: Done | None
    """None when it was killed."""
    reached: Reached | None
    seconds: float


class Child:
    """A process that does `task`."""

    def __init__(self, task: Task) -> None:
        self.task = task
        context = multiprocessing.get_context("forkserver")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=child.work, args=(task, theirs), daemon=True)
        self.started = time.monotonic()
        self.process.start()
        theirs.close()

    def stop(self) -> Done | None:
        """Let it end by itself; None if it was not to be asked any more."""
        try:
            self.pipe.send("stop")
            return self.pipe.recv() if self.pipe.poll(PATIENCE) else Done(raw=f"it goes on after {PATIENCE} s")
        except (EOFError, BrokenPipeError):
            return None
        finally:
            self.end()

    def end(self) -> None:
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.pipe.close()


def run(task: Task, *, chance: random.Random, restart: Callable[[], None], after: float | None = None) -> Struck:
    """A child that does `task`; killed where the task says so, or `after` so many seconds."""
    child = Child(task)
    try:
        done, reached = _followed(child.process, child.pipe, task, chance, restart, after)
    finally:
        child.end()
    return Struck(done=done, reached=reached, seconds=time.monotonic() - child.started)


def _followed(
    process: BaseProcess,
    ours: Connection,
    task: Task,
    chance: random.Random,
    restart: Callable[[], None],
    after: float | None,
) -> tuple[Done | None, Reached | None]:
    reached: Reached | None = None
    if after is not None and not ours.poll(after):
        process.kill()
    while True:
        if not ours.poll(PATIENCE):
            return Done(raw=f"the child has not ended after {PATIENCE} s"), reached
        try:
            said = ours.recv()
        except EOFError:
            process.join()
            if process.exitcode == -9:
                return None, reached
            return Done(raw=f"the child ended with {process.exitcode} and without a word"), reached
        if isinstance(said, Done):
            return said, reached
        reached = said
        if said.waits:
            restart()
            ours.send("go on")
        elif task.blow is Blow.DURING:
            select.select([], [], [], chance.uniform(0, chance.choice((0, 0.003, 0.02))))
            process.kill()


@dataclass
class Chain:
    """Runs from one empty beginning, all of them told by `seed`."""

    backend: Backend
    number: int
    """Of this chain; by turns, chains have cursors, an embedding model, small groups, frequent compaction."""
    seed: str
    tried: Counter[Strike]
    """How often each strike has been tried, in this chain and before it."""
    long: bool = True
    """Whether there is a paper of 3,000 chunks now and then, which the next change cuts small."""
    papers: Papers = field(default_factory=Papers)
    expected: Expected = field(default_factory=Expected)
    usual: float = 0.3
    """Seconds that an undisturbed run took."""

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.seed}/{self.number}")
        self.papers.incremental = self.number % 2 == 1
        self.group = (5, 30, 500)[self.number % 3]
        self.batch = (4, 500)[self.number // 2 % 2]
        self.place = self.backend.place(
            dense=self.number // 2 % 2 == 1, compact_points=(40, 5000)[self.number // 3 % 2]
        )

    def rows(self) -> Iterator[Row]:
        for number in range(LENGTH):
            yield self._row(number)

    def _row(self, number: int) -> Row:
        words, wrong, missed = self.expected.words(), list[str](), 0
        while True:
            self.papers.change(self.chance, long=self.long and self.chance.random() < self.backend.long)
            strike = self._next_strike(number)
            if self._struck(strike, wrong) or wrong:
                break
            missed += 1
        if self.chance.random() < 0.25:
            self._struck(Strike(blow=RANDOM_TIME), wrong)
        words |= self.expected.words()
        if self.chance.random() < 0.5:
            self.papers.change(self.chance)
        self._mended(words, wrong)
        return Row(seed=f"{self.seed}/{self.number}/{number}", strike=str(strike), missed=missed, wrong=tuple(wrong))

    def _next_strike(self, number: int) -> Strike:
        """One of the rarest of those that can strike now."""
        found = [strike for strike in strikes(self.backend.name) if self._can_strike(strike, number)]
        self.chance.shuffle(found)
        strike = min(found, key=lambda strike: self.tried[strike] / found.count(strike))
        self.tried[strike] += 1
        return strike

    def _can_strike(self, strike: Strike, number: int) -> bool:
        if strike.verb != "sync":
            return number > 1
        match strike.write:
            case "index create":
                return number == 0
            case "compact":
                return self.place.compact_points < 100
            case "ledger keep_cursor":
                return self.papers.incremental
        return True

    def _struck(self, strike: Strike, wrong: list[str]) -> bool:
        """One run with a strike; whether it was struck: a run may end before it comes to the chosen write."""
        if strike.verb == "rollback":
            run(self._task(what="reindex"), chance=self.chance, restart=self.backend.restart)
        blow = strike.blow if isinstance(strike.blow, Blow) else Blow.NONE
        many = 30 if strike.write in (ANY_WRITE, "statement", "sql commit") else 3
        number = self.chance.choice((1, self.chance.randint(1, many)))
        task = self._task(
            what=strike.verb,
            blow=blow,
            target=Target(write=None if strike.write == ANY_WRITE else strike.write, number=number),
            breaks=self.chance.randint(0, 30) if strike.blow == SOURCE_GONE else None,
        )
        if strike.blow == TROUBLE:
            self.backend.trouble(self.chance)
        after = self.chance.uniform(0, self.usual) if strike.blow == RANDOM_TIME else None
        companion = self._companion(strike)
        struck = run(task, chance=self.chance, restart=self.backend.restart, after=after)
        self._parted(companion, wrong)
        self.backend.calm()
        done = struck.done
        if done is not None and done.raw is not None:
            wrong.append(f"an error that is none of ours: {done.raw}")
        if done is None or struck.reached is not None:
            return True
        if done.error is None and strike.verb == "sync":
            self.usual = struck.seconds
        return done.error is not None and strike.blow in (SOURCE_GONE, TROUBLE)

    def _companion(self, strike: Strike) -> Child | None:
        """Somebody who reads all the while, or a sync during a rebuild."""
        if strike.verb == "sync":
            self.expected.attempted(self.papers)
        elif self.chance.random() < 0.5:
            self.expected.attempted(self.papers)
            return Child(self._task())
        if self.chance.random() < 0.15 and strike.blow not in (TROUBLE, Blow.SERVER):
            return Child(self._task(what="read", readable=self.expected.readable(self.papers)))
        return None

    def _parted(self, companion: Child | None, wrong: list[str]) -> None:
        done = None if companion is None else companion.stop()
        if done is not None:
            wrong.extend(done.wrong)
            if done.raw is not None:
                wrong.append(f"beside it, an error that is none of ours: {done.raw}")
            if done.error is not None and companion is not None and companion.task.what == "read":
                wrong.append(f"a reader beside it failed: {done.error}")

    def _mended(self, words: set[str], wrong: list[str]) -> None:
        """A look, a plain run, and a comparison of everything."""
        readable = self.expected.readable(self.papers)
        self.expected.completed(self.papers)
        gone = sorted(words - self.expected.words())
        task = self._task(
            what="mend", readable=readable, unreachable=tuple(self.chance.sample(gone, min(len(gone), 8)))
        )
        struck = run(task, chance=self.chance, restart=self.backend.restart)
        if struck.done is None:
            wrong.append("the run that mends was killed")
            return
        wrong.extend(struck.done.wrong)
        if struck.done.raw or struck.done.error:
            wrong.append(f"the run that mends failed: {struck.done.raw or struck.done.error}")
        wrong.extend(self.expected.wrong(self.papers, struck.done.held))

    def _task(self, **what: Any) -> Task:
        return Task(place=self.place, papers=self.papers, group=self.group, batch=self.batch, **what)
