from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest.change import Outcome
from ingest.index.interface import IndexMismatch
from ingest.model import Listed
from ingest.sources.interface import SourceUnavailable
from ingest.sync import Listed as SourceListed
from ingest.sync import Settled
from tests.fixtures.faults import Fault, Faulty, Killed
from tests.fixtures.shelf import PARKING, SALARIES, TRAVEL, Shelf, counts
from tests.ingest.workplace import Workplace


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


async def test_all_of_it_holds_with_the_embedded_engine_too(tmp_path: Path) -> None:
    workplace = Workplace(tmp_path, embedded=True)
    await before_the_kill(workplace)
    fault = Fault(5)
    with pytest.raises(Killed):
        await workplace.sync(wrap=lambda room: Faulty(room, fault))
    await after_the_kill(workplace)

    await workplace.sync(workplace.restricted(restricted=["group:finance"]))

    known, indexed = await workplace.held()
    assert known == indexed
    assert await workplace.found("sixty days") == {"removed.md"}
    assert await workplace.found("salary bands") == set()
    assert await workplace.found("salary bands", "group:finance") == {"restricted.md"}


async def test_what_was_read_before_the_source_went_away_is_kept_and_the_next_run_goes_on(
    workplace: Workplace, tmp_path: Path
) -> None:
    away = {f"page {number}": SourceUnavailable("the wiki went away") for number in range(9)}
    shelf = Shelf(tmp_path, travel=TRAVEL, **away)

    with pytest.raises(SourceUnavailable, match="went away"):
        await workplace.sync(shelf)

    assert await workplace.found("receipts accounting") == {"travel"}
    assert len(shelf.fetched) < 9
    shelf.texts["page 0"] = PARKING
    shelf.fetched.clear()
    with pytest.raises(SourceUnavailable):
        await workplace.sync(shelf)
    assert "travel" not in shelf.fetched
    assert await workplace.found("garage closes") == {"page 0"}


async def test_a_document_that_the_source_never_hands_out_is_its_own_trouble(
    workplace: Workplace, tmp_path: Path
) -> None:
    shelf = Shelf(tmp_path, **{f"page {number}": f"# Page {number}\n\nPage number {number}.\n" for number in range(9)})
    shelf.texts |= {"parking": PARKING}
    await workplace.sync(shelf)
    shelf.texts |= {"page 3": SourceUnavailable("the wiki answered 500"), "travel": TRAVEL}
    del shelf.texts["parking"]

    first, second = await workplace.sync(shelf), await workplace.sync(shelf)

    assert counts(first) == {"added": 1, "failed": 1, "removed": 1, "unchanged": 7 + 1}
    assert counts(second) == {"failed": 1, "unchanged": 9}
    assert await workplace.found("garage closes") == set()
    assert await workplace.found("page number 3") == {"page 3"}


async def test_a_listing_is_given_up_when_told_to_stop(workplace: Workplace, tmp_path: Path) -> None:
    stop, listing, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    class Endless(Shelf):
        async def list(self, since: str | None) -> AsyncIterator[Listed]:
            listing.set()
            try:
                await asyncio.Event().wait()
                yield self.entry("never", "")
            finally:
                ended.set()

    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(workplace.sync(Endless(tmp_path), stop=stop))
        await listing.wait()
        stop.set()
        report = await run

    assert (report.interrupted, ended.is_set()) == (True, True)


async def test_a_run_that_is_told_to_stop_keeps_what_it_read_and_the_next_goes_on(workplace: Workplace) -> None:
    for number in range(40):
        workplace.write(f"{number}.md", f"# Page {number}\n\nPage {number} of the handbook.\n")
    workplace.write("gone.md", TRAVEL)
    await workplace.sync(workplace.source(include=["gone.md"]))
    (workplace.docs / "gone.md").unlink()
    stop = asyncio.Event()

    def stop_once_listed(event: SourceListed | Settled) -> None:
        if isinstance(event, SourceListed):
            stop.set()

    stopped = await workplace.sync(progress=stop_once_listed, stop=stop)
    assert stopped.interrupted
    assert counts(stopped).get("added", 0) < 40
    assert stopped.counts[Outcome.REMOVED] == 0

    resumed = await workplace.sync()
    assert stopped.counts[Outcome.ADDED] + resumed.counts[Outcome.ADDED] == 40
    assert resumed.counts[Outcome.REMOVED] == 1


async def test_an_index_that_was_lost_is_not_taken_for_an_empty_one(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)
    await workplace.sync()
    workplace.kept.clear()

    for _ in range(2):
        with pytest.raises(IndexMismatch, match="ingest reindex"):
            await workplace.sync()


async def before_the_kill(workplace: Workplace) -> None:
    paragraphs = "\n\n".join(f"# Rule {number}\n\n" + f"Rule {number} is about the house. " * 60 for number in range(2))
    workplace.write("shrinks.md", paragraphs)
    workplace.write("removed.md", TRAVEL)
    workplace.write("restricted.md", SALARIES)
    workplace.write("stays.md", PARKING)
    await workplace.sync()
    workplace.write("shrinks.md", paragraphs[: len(paragraphs) // 2])
    workplace.write("new.md", "# New\n\nThe new canteen serves soup at noon.\n")
    (workplace.docs / "removed.md").unlink()


async def after_the_kill(workplace: Workplace) -> None:
    """The source moves on before the next run, so that nothing the killed run wrote is simply written again."""
    (workplace.docs / "new.md").unlink(missing_ok=True)
    workplace.write("shrinks.md", "# Rule 9\n\nOnly one rule is left.\n")
    workplace.write("removed.md", TRAVEL.replace("thirty", "sixty"))


async def test_source_ledger_and_index_agree_after_a_kill_at_any_write(tmp_path: Path) -> None:
    kills = 0
    original = Workplace(tmp_path / "original")
    await before_the_kill(original)
    for after in (False, True):
        for at in range(1, 100):
            workplace = original.copy(tmp_path / f"{at}-{after}")
            restricted = workplace.restricted(restricted=["group:finance"])
            fault = Fault(at, after=after)
            try:
                await workplace.sync(restricted, wrap=lambda room, fault=fault: Faulty(room, fault))
            except* Killed:
                kills += 1
            if fault.left > 0:
                break
            await after_the_kill(workplace)

            await workplace.sync(restricted)

            known, indexed = await workplace.held()
            assert known == indexed
            assert {chunk.document for chunk in known.values()} == {
                "shrinks.md",
                "removed.md",
                "restricted.md",
                "stays.md",
            }
            assert {chunk.readers for chunk in known.values() if chunk.document == "restricted.md"} == {
                frozenset({"group:finance"})
            }
            assert any("sixty" in chunk.text for chunk in known.values())
            assert not any("canteen" in chunk.text for chunk in known.values())
            async with workplace.rooms() as rooms:
                assert await rooms.ledger.unsettled() == []
    assert kills > 20
