"""What access costs a question: the filter of the search, the checks against the ledger, and who holds what."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from statistics import median

from bot.access.directory import Directory
from bot.access.groups import GroupBook
from bot.access.settings import AccessSettings
from bot.composition import Assistant, assistant
from bot.model import Question
from bot.platforms.events import PlatformName, Spot
from bot.platforms.interface import Change, Person, Room
from bot.settings import BotSettings
from ingest.model import MEMBER, Readers
from tests.bench import ask
from tests.bench.process import configured
from tests.bench.table import Options, Table, percentile

PASSAGES = 10_000
QUESTIONS = 100
GROUPS = 10_000
MEMBERS = 5_000
HITS = 100
"""Hits of a search, each looked up in the ledger."""
GIVEN = 8
"""Documents of the passages that a writer is given."""
SPOT = Spot(platform="slack", workspace="T1", channel="C1", thread="1", direct=False)


def measure(options: Options) -> Iterator[Table]:
    configured(options.folder)
    settings = BotSettings().placed(options.folder)
    size = 1_000 if options.quick else PASSAGES
    asyncio.run(ask.build(settings, 0, size, readers=_readers))
    yield asyncio.run(_of_a_question(settings, size, 10 if options.quick else QUESTIONS))
    yield asyncio.run(_of_who_reads(MEMBERS // 10 if options.quick else MEMBERS))


def _readers(document: int) -> Readers:
    """A fifth of the documents may be read by everyone, of the others each by one group."""
    return frozenset({"everyone"}) if document % 5 == 0 else frozenset({f"group:{document % GROUPS}"})


async def _of_a_question(settings: BotSettings, size: int, count: int) -> Table:
    asked = list(islice(ask.questions_about(size), count))
    async with assistant(settings) as ready:
        await ready.answering.answer(asked[0]).__anext__()
        rows = [
            (f"search, the asker holds {len(tokens):,} tokens", *await _timed(asked, _search(ready, tokens)))
            for tokens in (MEMBER, _groups(20), _groups(1_000), _groups(GROUPS))
        ]
        hits = [chunk.id for chunk in await ready.ledger.some_chunks(HITS)]
        keys = [(chunk.source, chunk.document) for chunk in await ready.ledger.some_chunks(GIVEN)]

        async def second(question: Question) -> None:
            await ready.ledger.readable(hits, MEMBER)

        async def third(question: Question) -> None:
            await ready.ledger.allows(keys, MEMBER)

        async def named(question: Question) -> None:
            await ready.ledger.reader_tokens()

        rows += [
            (f"the ledger's word on {HITS} hits", *await _timed(asked, second)),
            (f"the ledger's word on {GIVEN} documents, before the prompt and before each sentence shown",
             *await _timed(asked, third)),
            ("the tokens that documents name, once a minute", *await _timed(asked[:10], named)),
        ]  # fmt: skip
    return Table(
        title=f"access: what it costs a question, {size:,} passages by words, embedded index and SQLite",
        columns=("what", "p50 ms", "p95 ms"),
        rows=rows,
        notes=("A fifth of the documents may be read by everyone, of the others each by one of 10,000 groups.",),
    )


def _groups(count: int) -> Readers:
    return MEMBER | {f"group:{number}" for number in range(count - len(MEMBER))}


def _search(ready: Assistant, tokens: Readers) -> Callable[[Question], Awaitable[None]]:
    async def search(question: Question) -> None:
        legs = await ready.index.rank(question.text, visible_to=tokens, language="en")
        await ready.index.hits(legs, visible_to=tokens, limit=HITS)

    return search


async def _timed(questions: Collection[Question], work: Callable[[Question], Awaitable[None]]) -> tuple[float, float]:
    took = []
    for question in questions:
        started = time.perf_counter()
        await work(question)
        took.append((time.perf_counter() - started) * 1000)
    return median(took), percentile(took, 0.95)


@dataclass(kw_only=True)
class _Crowd:
    """A platform with one channel, whose members are all there are."""

    members_of_it: int
    name: PlatformName = "slack"

    async def person(self, id: str) -> Person:
        return Person(id=id, name=id, locale=None, member=True, email=f"{id.lower()}@example.org")

    async def people(self, ids: Collection[str]) -> Mapping[str, Person]:
        return {id: await self.person(id) for id in ids}

    async def room(self, spot: Spot) -> Room:
        return Room(id=spot.channel, name="all", outsiders=False)

    async def members(self, spot: Spot) -> frozenset[str] | None:
        return frozenset(f"U{number}" for number in range(self.members_of_it))

    async def held(self, person: str, tokens: Collection[str]) -> frozenset[str]:
        return frozenset({f"slack:{person}", "slack:S1"} & set(tokens))

    def watch(self, changed: Callable[[Change], None]) -> None:
        """Nothing changes."""


async def _of_who_reads(members: int) -> Table:
    """One in ten of 10,000 groups is of the whole company, the others of a handful."""
    lists = {
        f"g{number}": tuple(f"user:u{(number * 7 + step) % members}@example.org" for step in range(5))
        for number in range(GROUPS)
    } | {"all": ("slack:S1",)}
    crowd = _Crowd(members_of_it=members)

    async def named() -> frozenset[str]:
        return frozenset(f"group:g{number}" for number in range(GROUPS)) | {"group:all", "slack:S1"}

    def directory() -> Directory:
        return Directory([crowd], GroupBook(AccessSettings(groups=lists)), named=named, max_age=300)

    started = time.perf_counter()
    here = directory()
    await here.asker(SPOT, "U1")
    first = (time.perf_counter() - started) * 1000
    started = time.perf_counter()
    held = await here.readers(SPOT)
    channel = (time.perf_counter() - started) * 1000
    started = time.perf_counter()
    await here.readers(SPOT)
    again = (time.perf_counter() - started) * 1000
    started = time.perf_counter()
    await here.asker(SPOT, "U2")
    asker = (time.perf_counter() - started) * 1000
    assert held.tokens >= {"group:all", "everyone"}
    return Table(
        title=f"access: who holds what, {GROUPS:,} groups, a channel of {members:,}, without the platform's time",
        columns=("what", "ms"),
        rows=[
            ("the first asker, with all groups read", first),
            ("another asker", asker),
            ("what everybody in the channel holds, the first time", channel),
            ("the same again", again),
        ],
    )
