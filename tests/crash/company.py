"""A company with two replicas of the bot: runs of questions, changes, troubles and a strike, and what came of them."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
import yaml

from bot.conversations import Conversations
from bot.dialogue.tables import INBOX, WAITING
from ingest.ledger import StateSettings
from tests.bench.process import command, configured, run
from tests.contract.mattermost import MattermostWorkplace
from tests.contract.slack import SlackWorkplace
from tests.contract.workplace import Shown
from tests.crash import talk
from tests.crash.chain import Row
from tests.crash.replica import Blow, Task
from tests.crash.replicas import Call, Replica, Wire
from tests.crash.strikes import Strike, moment_of, strikes
from tests.crash.talk import Asked, Place
from tests.fixtures.gateway import Gateway
from tests.fixtures.postgres import Postgres
from tests.fixtures.serving import free_port

LENGTH = 8
"""Runs of one company."""

PEOPLE = ("ada", "bob", "cleo")

QUIET_SECONDS = 0.6
"""After the last call."""

PATIENCE = 75
"""Seconds until what is not as it must be is wrong."""

TWICE_SECONDS = 10.0
"""So long two answers may be seen at once: a lease, and the time to take away the half-written one."""

NEVER = "nothing in time"


@dataclass(kw_only=True)
class Companies:
    """Makes companies that have the same documents."""

    folder: Path
    logs: Path
    server: Postgres | None
    database: str
    """The one that others are copied from; empty for SQLite, whose file is copied with its folder."""

    @classmethod
    async def made(cls, folder: Path, *, logs: Path, server: Postgres | None) -> Companies:
        """With the documents indexed in `folder`, and all tables."""
        documents = folder / "base" / "documents"
        documents.mkdir(parents=True)
        for name, text in talk.DOCUMENTS.items():
            (documents / f"{name}.md").write_text(text)
        database = "" if server is None else server.database()
        sections = {"state": {"url": database}} if database else {}
        configuration = configured(folder / "base", {"pages": Path("documents")}, **sections)
        await asyncio.to_thread(run, command("ingest", "--config", configuration, "sync", "--json"))
        conversations = await Conversations.open(StateSettings(url=database or _sqlite(folder / "base")))
        await conversations.close()
        return cls(folder=folder, logs=logs, server=server, database=database)

    @asynccontextmanager
    async def opened(self, platform: str, seed: str, tried: Counter[Strike]) -> AsyncIterator[Company]:
        """A company whose replicas both listen."""
        place: Place = SlackWorkplace() if platform == "slack" else MattermostWorkplace()
        wire, gateway = Wire(), Gateway()
        place.server.around = wire.around
        gateway.always(talk.writes)
        home = self.folder / seed.replace("/", "-")
        async with place.opened(), gateway.served() as base_url:
            section, environment = place.configuration()
            await asyncio.to_thread(shutil.copytree, self.folder / "base", home)
            state = await asyncio.to_thread(self._state, home)
            finish = random.Random(seed).choice((0, 1, 5))
            tasks = []
            for number in range(2):
                path = home / f"replica{number}.yaml"
                sections = {
                    **yaml.safe_load((home / "souffleur.yaml").read_text()),
                    **section,
                    "state": {"url": state},
                    "models": {"chat": {"base_url": base_url, "model": "assistant"}},
                    "serve": {"port": free_port()},
                    "conversation": {"finish_seconds": finish},
                }
                path.write_text(yaml.safe_dump(sections))
                log = self.logs / f"{home.name}-{number}.log"
                tasks.append(Task(configuration=path, environment=environment, log=log))
            conversations = await Conversations.open(StateSettings(url=state))
            company = Company(
                place=place, wire=wire, tasks=tasks, conversations=conversations, seed=seed, tried=tried, finish=finish
            )
            try:
                await company.begin()
                yield company
            finally:
                for replica in company.replicas:
                    replica.strike(signal.SIGKILL)
                    await replica.ended()
                await conversations.close()

    def _state(self, home: Path) -> str:
        if self.server is None:
            return _sqlite(home)
        return self.server.copy(self.database)


def _sqlite(home: Path) -> str:
    return f"sqlite+aiosqlite:///{home / '.souffleur' / 'state.db'}"


@dataclass(kw_only=True)
class Company:
    place: Place
    wire: Wire
    tasks: list[Task]
    conversations: Conversations
    seed: str
    tried: Counter[Strike]
    finish: int
    replicas: list[Replica] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    twice: dict[int, float] = field(default_factory=dict)
    """For how many seconds two answers to a question were seen at once."""
    finished: set[int] = field(default_factory=set)
    """Questions that nobody has changed, whose answers have been seen whole."""
    rewritten: set[int] = field(default_factory=set)
    """Those of them whose answers were seen being written after that."""

    async def begin(self) -> None:
        self.replicas = [Replica(str(number), task) for number, task in enumerate(self.tasks)]
        self.channels = [await self.place.channel(*PEOPLE) for _ in range(2)]
        for replica in self.replicas:
            await replica.connected()

    async def rows(self, runs: int) -> AsyncIterator[Row]:
        """Up to so many runs; the last one where something was wrong."""
        for number in range(1, min(runs, LENGTH) + 1):
            row = await Run(self, number).run()
            yield row
            if row.wrong:
                return

    async def wrong(self) -> list[str]:
        return await talk.wrong(self.place, self.asked)

    async def waiting(self) -> int:
        """Events that nobody has dealt with yet, on the platform's side too."""
        async with self.conversations.engine.connect() as connection:
            kept = await connection.scalar(sa.select(sa.func.count()).select_from(INBOX).where(WAITING)) or 0
        if isinstance(self.place, SlackWorkplace):
            outbox = self.place.server.outbox
            for delivery in outbox.waiting:  # the retries of five minutes, at once
                delivery.due = min(delivery.due, self.place.server.clock)
            outbox.look()
            kept += len(outbox.waiting) + len(outbox.under_way)
        return kept


class Run:
    def __init__(self, company: Company, number: int) -> None:
        self.company = company
        self.seed = f"{company.seed}/{number}"
        self.chance = random.Random(self.seed)
        rarest = min(company.tried[strike] for strike in strikes())
        self.strike = self.chance.choice([one for one in strikes() if company.tried[one] == rarest])
        self.nth = self.chance.choice((1, 1, 1, 2, 3))
        self.struck = False
        self.over = False
        self.mine: list[Asked] = []
        self.changes = True
        self.troubles: list[str] = []

    async def run(self) -> Row:
        company, place = self.company, self.company.place
        async with asyncio.TaskGroup() as tasks:
            reviving = tasks.create_task(self._revive())
            watching = tasks.create_task(self._watch_answers())
            await self._happen()
            found = await self._quiet()
            self.over = True
            await reviving
            watching.cancel()
        if self.struck:
            company.tried[self.strike] += 1
        found += [f"refused: {one}" for one in await place.refused()]
        found += [
            f"QA{number} was answered twice for {seconds:.1f} s"
            for number, seconds in company.twice.items()
            if seconds > TWICE_SECONDS
        ]
        found += [f"QA{number} was finished, and written again" for number in company.rewritten]
        what = str(self.strike) if self.struck else NEVER
        return Row(seed=f"{self.seed} ({' '.join(self.troubles)})", strike=what, wrong=tuple(found))

    # What people do, and what befalls them

    async def _happen(self) -> None:
        chance = self.chance
        troubles = [name for name in ("again", "turned", "cut", "lost", "busy") if chance.random() < 0.3]
        self.troubles = troubles
        async with asyncio.TaskGroup() as tasks:
            self._await_strike(tasks)
            for _ in range(chance.randint(2, 4)):
                tasks.create_task(self._asks(random.Random(chance.random())))
            for name in troubles:
                tasks.create_task(self._trouble(name, chance.uniform(0.1, 3.5), chance.uniform(0.2, 1.5)))
        self.company.wire.watch = lambda call: None
        for replica in self.company.replicas:
            replica.doom(None)

    async def _asks(self, chance: random.Random) -> None:
        """A question, what becomes of it, and perhaps a further one below it."""
        company, place = self.company, self.company.place
        by = chance.choice(PEOPLE)
        direct = chance.random() < 0.4
        channel = await place.direct(by) if direct else chance.choice(company.channels)
        await asyncio.sleep(chance.uniform(0, 1.2))
        first = await self._say(channel, by, mention=not direct, thread=None)
        followed = chance.random() < 0.35
        if followed:
            await asyncio.sleep(chance.uniform(0, 3))
            second = await self._say(channel, by, mention=not direct and chance.random() < 0.7, thread=first.thread)
            # Slack has no way to ask which replies are gone.
            lost = "lost" in self.troubles and place.name == "slack"
            await self._changes(second, chance, may_delete=not lost)
        await self._changes(first, chance, may_delete=not followed)

    async def _say(self, channel: str, by: str, *, mention: bool, thread: str | None) -> Asked:
        asked = self.company.asked
        one = Asked(number=len(asked) + 1, channel=channel, by=by, mention=mention)
        asked.append(one)
        self.mine.append(one)
        one.message = await self.company.place.say(channel, one.text, by=by, mention=mention, thread=thread)
        one.thread = thread or one.message
        return one

    async def _changes(self, one: Asked, chance: random.Random, *, may_delete: bool) -> None:
        place = self.company.place
        while chance.random() < 0.35:
            await asyncio.sleep(chance.uniform(0, 2.5))
            if may_delete and chance.random() < 0.4:
                one.deleted = True
                await place.delete(one.channel, one.message)
                return
            one.version += 1
            await place.edit(one.channel, one.message, one.text, mention=one.mention)

    async def _trouble(self, name: str, after: float, seconds: float) -> None:
        place = self.company.place
        await asyncio.sleep(after)
        match name:
            case "again":
                await place.redeliver()
            case "turned" if isinstance(place, SlackWorkplace):
                place.server.outbox.hold()
                await asyncio.sleep(seconds)
                place.server.outbox.release(reverse=True)
            case "cut":
                await place.disconnect()
            case "lost":
                await place.disconnect(resumable=False)
            case "busy":
                await place.busy(self.chance.randint(2, 8))

    # What strikes the replicas

    def _await_strike(self, tasks: asyncio.TaskGroup) -> None:
        strike, company = self.strike, self.company
        if strike.call:
            company.wire.watch = self._watched
        elif strike.write:
            for replica in company.replicas:
                replica.doom(Blow(write=strike.write, after=strike.after, number=self.nth))
        else:
            tasks.create_task(self._strike_at_random())

    def _watched(self, call: Call) -> None:
        if self.struck or call.after != self.strike.after or moment_of(call) != self.strike.call:
            return
        self.nth -= 1
        if self.nth == 0:
            self.struck = True
            self._hit([one for one in self.company.replicas if self.strike.both or one.holds(call.port)])

    async def _strike_at_random(self) -> None:
        await asyncio.sleep(self.chance.uniform(0.1, 4))
        self.struck = True
        replicas = self.company.replicas
        self._hit(replicas if self.strike.both else [self.chance.choice(replicas)])

    def _hit(self, replicas: list[Replica]) -> None:
        for replica in replicas:
            replica.strike(self.strike.number)

    async def _revive(self) -> None:
        """Whoever is gone is started again, after a while."""
        replicas = self.company.replicas
        while True:
            for number, replica in enumerate(replicas):
                if not replica.lives:
                    self.struck = True
                    for other in replicas:
                        other.doom(None)
                    await asyncio.sleep(self.chance.uniform(0, 1.5))
                    await replica.ended()
                    replicas[number] = Replica(replica.name, replica.task)
            if self.over:
                return
            await asyncio.sleep(0.05)

    # What came of it

    async def _quiet(self) -> list[str]:
        """Wait until nothing is left to be done: what is wrong then, or after a long while."""
        company, loop = self.company, asyncio.get_running_loop()
        until, calls, since = loop.time() + PATIENCE, -1, loop.time()
        while True:
            alive = all(replica.lives for replica in company.replicas)
            if calls != company.wire.calls or not alive or await company.waiting():
                calls, since = company.wire.calls, loop.time()
            found = await company.wrong()
            if loop.time() - since > QUIET_SECONDS and not found:
                return []
            if loop.time() > until:
                return [*found, f"{await company.waiting()} events wait"]
            await asyncio.sleep(0.1)

    async def _watch_answers(self) -> None:
        loop, since = asyncio.get_running_loop(), dict[int, float]()
        while True:
            for one in [one for one in self.mine if one.thread]:
                seen = await self.company.place.seen(one.channel, by=one.by, thread=one.thread)
                shown = [message for message in seen if message.by == "souffleur"]
                self._watch_for_writing(one, shown)
                if not talk.twice(one, shown):
                    since.pop(one.number, None)
                    continue
                lasted = loop.time() - since.setdefault(one.number, loop.time())
                self.company.twice[one.number] = max(lasted, self.company.twice.get(one.number, 0))
            await asyncio.sleep(0.1)

    def _watch_for_writing(self, one: Asked, shown: list[Shown]) -> None:
        """A change may be dealt with late, and then again: what was changed is left out."""
        mine = [message for message in shown if one.mark in message.text]
        if one.version > 1 or not mine:
            return
        if any(message.streaming or "stop" in message.buttons for message in mine):
            self.company.rewritten |= {one.number} & self.company.finished
        elif "again" in mine[-1].buttons:
            self.company.finished.add(one.number)
