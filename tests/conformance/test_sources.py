"""Every source in every situation: each case is a promise of `CASES`, tried by whole syncs of the source's world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ingest.change import Outcome
from ingest.ledger import Record
from ingest.model import DocumentId
from ingest.parsers.interface import ParsingSettings
from ingest.parsers.sandbox import Sandbox
from ingest.sources.interface import SourceRefused, SourceUnavailable
from ingest.sync import Report
from tests.conformance.table import PAGE, page
from tests.conformance.worlds import KINDS, world
from tests.conformance.worlds.interface import CASES, World
from tests.fixtures.faults import Fault, Faulty, Killed
from tests.ingest.workplace import Workplace

TEXTS = {
    "alpha": (
        "Receipts of every journey go to the accounting office within thirty days of coming home.",
        "receipts accounting",
    ),
    "beta": (
        "The garage under the building opens at six in the morning and closes at midnight on weekdays.",
        "garage midnight",
    ),
    "gamma": (
        "Fresh bread for the canteen is delivered by the bakery before breakfast on all working days.",
        "bread bakery",
    ),
}
"""Documents, each with words that are in no other."""

WITHOUT_AUTHOR = frozenset({"files", "remote_files", "website"})
"""Kinds whose documents have the author that their own text names."""

KILLS = ((1, False), (4, True), (7, False))
"""At which writing call of a run the process is killed, and whether right after it instead of before."""

pytestmark = pytest.mark.usefixtures("without_waits")

tested: set[str] = set()
"""The cases of `CASES` that have a test here."""


class Stage:
    """A world, and the rooms that its source is synced into: each run with a source newly made."""

    def __init__(self, world: World, folder: Path, sandbox: Sandbox) -> None:
        self.world = world
        self.workplace = Workplace(folder)
        self._sandbox = sandbox
        self.words: dict[str, str] = {}
        """What each document is found by."""

    async def put(self, key: str, text: str, words: str) -> None:
        await self.world.put(key, text)
        self.words[key] = words

    async def put_all(self) -> None:
        for key, (text, words) in TEXTS.items():
            await self.put(key, text, words)

    async def sync(self, **how: Any) -> Report:
        source = self.world.source()
        try:
            return await self.workplace.sync(source, parse=self._sandbox.parse, **how)
        finally:
            await source.close()

    async def find(self, words: str, key: str) -> set[DocumentId]:
        """Where somebody who may read the document finds all `words`."""
        return await self.workplace.found(words, *self.world.readers(key))

    async def check(self, *keys: str) -> None:
        """Ledger and index hold these documents, with their readers, and nothing else; they are found."""
        known, indexed = await self.workplace.held()
        assert known == indexed
        held = {chunk.document: chunk.readers for chunk in indexed.values()}
        assert held == {self.world.id(key): self.world.readers(key) for key in keys}
        await self.check_found(*keys)

    async def check_found(self, *keys: str) -> None:
        """Ledger and index hold the same, and these documents are found."""
        known, indexed = await self.workplace.held()
        assert known == indexed
        for key in keys:
            assert await self.find(self.words[key], key) == {self.world.id(key)}

    async def record(self, key: str) -> Record:
        async with self.workplace.rooms() as rooms:
            found = await rooms.ledger.document(self.world.source().name, self.world.id(key))
        assert found is not None
        return found


Case = Callable[[Stage], Awaitable[None]]


def case(name: str) -> Callable[[Case], Callable[..., Awaitable[None]]]:
    """A test for each kind of source that the case can arise in; its argument is set up."""
    assert name in CASES

    def made(body: Case) -> Callable[..., Awaitable[None]]:
        @pytest.mark.parametrize("kind", KINDS)
        async def test(kind: str, tmp_path: Path) -> None:
            far = world(kind, tmp_path / "world")
            if name in far.not_applicable:
                pytest.skip(far.not_applicable[name])
            async with far.opened(), Sandbox(ParsingSettings()) as sandbox:
                await body(Stage(far, tmp_path / "near", sandbox))

        tested.add(name)
        test.__name__, test.__doc__ = body.__name__, CASES[name]
        return test

    return made


def skipped(report: Report) -> dict[DocumentId, str]:
    return {item.document: item.reason or "" for item in report.problems if item.outcome is Outcome.SKIPPED}


@case("first sync")
async def test_first_sync(stage: Stage) -> None:
    await stage.put_all()

    report = await stage.sync()

    assert (report.clean, report.counts[Outcome.ADDED], report.problems) == (True, 3, [])
    await stage.check(*TEXTS)
    for key in TEXTS:
        record = await stage.record(key)
        assert record.url is not None
        assert record.url.startswith("http")
        assert record.updated_at is not None
        assert record.author or stage.world.kind in WITHOUT_AUTHOR


@case("nothing changed")
async def test_nothing_changed(stage: Stage) -> None:
    await stage.put_all()
    await stage.sync()
    fetched = stage.world.fetched()

    for full in (False, True):
        report = await stage.sync(full=full)

        assert (report.clean, report.parsed, report.problems) == (True, 0, [])
        assert set(report.counts) <= {Outcome.UNCHANGED}
    assert stage.world.fetched() == fetched
    await stage.check(*TEXTS)


@case("one changed")
async def test_one_changed(stage: Stage) -> None:
    await stage.put_all()
    await stage.sync()
    await stage.put("alpha", "Trains are booked through the portal of the travel agency since spring.", "trains portal")

    report = await stage.sync()

    assert (report.clean, report.counts[Outcome.CHANGED], report.parsed) == (True, 1, 1)
    assert await stage.find("receipts", "alpha") == set()
    await stage.check(*TEXTS)


@case("one renamed")
async def test_one_renamed(stage: Stage) -> None:
    await stage.put_all()
    await stage.sync()
    await stage.world.rename("alpha")

    assert (await stage.sync()).clean

    await stage.check(*TEXTS)


@case("one deleted")
async def test_one_deleted(stage: Stage) -> None:
    await stage.put_all()
    await stage.sync()
    readers = stage.world.readers("alpha")
    await stage.world.delete("alpha")

    report = await stage.sync()

    assert (report.clean, report.counts[Outcome.REMOVED], report.parsed) == (True, 1, 0)
    assert await stage.workplace.found(stage.words["alpha"], *readers) == set()
    await stage.check("beta", "gamma")


@case("access changed")
async def test_access_changed(stage: Stage) -> None:
    await stage.put_all()
    await stage.sync()
    before, fetched = stage.world.readers("alpha"), stage.world.fetched()
    now = await stage.world.restrict("alpha")

    report = await stage.sync()

    assert (report.clean, report.parsed, stage.world.fetched()) == (True, 0, fetched)
    assert not before & now
    assert await stage.workplace.found(stage.words["alpha"], *before) == set()
    await stage.check(*TEXTS)


@case("killed in the middle")
async def test_killed_in_the_middle(stage: Stage) -> None:
    await stage.put_all()
    await stage.sync()
    for number, (at, after) in enumerate(KILLS):
        lost = f"delta{number}"
        await stage.put("alpha", f"Trains are booked through portal {number} of the agency.", f"portal {number} trains")
        await stage.put(lost, f"The lost property office keeps umbrella {number} for a year.", f"umbrella {number}")
        if number:
            await stage.world.delete(f"delta{number - 1}")
        fault = Fault(at, after=after)
        with pytest.RaisesGroup(Killed, allow_unwrapped=True, flatten_subgroups=True):
            await stage.sync(wrap=lambda room, fault=fault: Faulty(room, fault))
        await stage.put("beta", f"The garage is closed, bicycles stand in yard {number}.", f"yard {number}.")

        assert (await stage.sync()).clean

        await stage.check("alpha", "beta", "gamma", lost)


@case("page 2 fails")
async def test_page_2_fails(stage: Stage) -> None:
    await stage.put_all()
    await stage.world.break_second_page()
    await broken_off(stage)
    await stage.world.break_second_page(False)
    assert (await stage.sync()).clean
    await stage.check(*TEXTS)

    held = await stage.workplace.held()
    await stage.world.break_second_page()
    await stage.put("delta", "The lost property office keeps umbrellas for a year.", "umbrellas")
    await stage.world.delete("gamma")
    await broken_off(stage)
    assert await stage.workplace.held() == held

    await stage.world.break_second_page(False)
    assert (await stage.sync()).clean
    await stage.check("alpha", "beta", "delta")


async def broken_off(stage: Stage) -> None:
    """A sync of everything that says that it could not see all, and removes nothing."""
    with suppress(SourceUnavailable):
        report = await stage.sync(full=True)
        assert skipped(report)
        assert report.counts[Outcome.REMOVED] == 0


@case("listing empty")
async def test_listing_empty(stage: Stage) -> None:
    await stage.put_all()
    await stage.sync()
    held = await stage.workplace.held()
    await stage.world.empty()

    await stage.sync()
    report = await stage.sync(full=True)

    assert (report.withheld, report.emptied, report.clean) == (3, True, False)
    assert await stage.workplace.held() == held
    assert (await stage.sync(full=True, allow_removals=True)).counts[Outcome.REMOVED] == 3
    assert await stage.workplace.held() == ({}, {})


@case("429 with Retry-After")
async def test_429_with_retry_after(stage: Stage) -> None:
    await stage.put_all()
    await stage.world.busy(2)

    assert (await stage.sync()).clean

    assert stage.world.waited() == 2
    await stage.check(*TEXTS)


@case("credentials revoked")
async def test_credentials_revoked(stage: Stage) -> None:
    await stage.put_all()
    await stage.sync()
    await stage.world.revoke()

    for full in (False, True):
        with pytest.raises(SourceRefused) as refused:
            await stage.sync(full=full)
        assert repr(stage.world.source().name) in str(refused.value)
        assert "\n" not in str(refused.value)

    await stage.check(*TEXTS)


@case("item too large")
async def test_item_too_large(stage: Stage) -> None:
    await stage.put_all()
    await stage.world.put_large("large")
    await passed_over(stage, "large", "parsing.max_file_mb")


@case("unknown type")
async def test_unknown_type(stage: Stage) -> None:
    await stage.put_all()
    await stage.world.put_unknown("unknown")
    await passed_over(stage, "unknown", "")


async def passed_over(stage: Stage, key: str, reason: str) -> None:
    """The document is named with that reason in every run, and read in the first at most; the others are found."""
    first = await stage.sync()
    fetched = stage.world.fetched()
    second = await stage.sync(full=True)

    for report in (first, second):
        assert report.clean
        assert skipped(report).keys() == {stage.world.id(key)}
        assert reason in skipped(report)[stage.world.id(key)]
    assert (second.parsed, stage.world.fetched()) == (0, fetched)
    await stage.check_found(*stage.words)


@case("one item always fails")
async def test_one_item_always_fails(stage: Stage) -> None:
    await stage.put_all()
    await stage.world.put_failing("failing")

    report = await stage.sync()

    assert {item.document for item in report.problems} == {stage.world.id("failing")}
    assert (report.counts[Outcome.ADDED], report.withheld) == (3, 0)
    await stage.check(*TEXTS)
    await stage.world.delete("alpha")
    for full in (False, True):
        report = await stage.sync(full=full)

        assert {item.document for item in report.problems} == {stage.world.id("failing")}
        assert report.counts[Outcome.REMOVED] == (0 if full else 1)
        await stage.check("beta", "gamma")


def test_every_case_has_a_test() -> None:
    assert tested == set(CASES)


def test_the_table_in_the_docs_is_that_of_the_suite() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.conformance.table`"
