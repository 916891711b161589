from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest.model import DocumentId, Gone, Listed, Skipped
from ingest.sources.interface import SourceUnavailable
from tests.fixtures.shelf import PARKING, SALARIES, TRAVEL, Shelf, counts
from tests.ingest.workplace import Workplace


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


async def test_a_deleted_document_is_gone_from_ledger_and_index(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)
    workplace.write("parking.md", PARKING)
    await workplace.sync()
    (workplace.docs / "travel.md").unlink()

    assert counts(await workplace.sync()) == {"removed": 1, "unchanged": 1}

    known, indexed = await workplace.held()
    assert {chunk.document for chunk in known.values()} == {"parking.md"}
    assert known == indexed


async def test_a_listing_that_breaks_off_removes_nothing(workplace: Workplace, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, travel=TRAVEL)
    shelf.texts["parking"] = PARKING
    await workplace.sync(shelf)
    del shelf.texts["travel"]
    shelf.breaks_off = SourceUnavailable("the wiki does not answer")

    with pytest.raises(SourceUnavailable, match="the wiki does not answer"):
        await workplace.sync(shelf)

    assert await workplace.found("receipts accounting") == {"travel"}


async def test_what_a_source_could_not_look_at_stays_and_what_it_withdraws_goes(
    workplace: Workplace, tmp_path: Path
) -> None:
    shelf = Shelf(tmp_path)
    shelf.texts = {"unread/travel": TRAVEL, "parking": PARKING, "salaries": SALARIES}
    await workplace.sync(shelf)
    shelf.texts = {}
    shelf.skipped = [
        Skipped(id=DocumentId("unread/"), reason="the folder cannot be read", unseen=True),
        Skipped(id=DocumentId("parking"), reason="the page cannot be read", unseen=True),
        Skipped(id=DocumentId("salaries"), reason="the page is empty"),
    ]

    assert counts(await workplace.sync(shelf)) == {"skipped": 3}

    known, indexed = await workplace.held()
    assert {chunk.document for chunk in known.values()} == {"unread/travel", "parking"}
    assert known == indexed


async def test_removing_most_of_a_source_needs_to_be_allowed(workplace: Workplace) -> None:
    for number in range(30):
        workplace.write(f"{number}.md", f"# Page {number}\n\nPage {number} of the handbook.\n")
    await workplace.sync()
    for number in range(29):
        (workplace.docs / f"{number}.md").unlink()

    held_back = await workplace.sync()
    known, _ = await workplace.held()
    assert (held_back.withheld, held_back.clean, len(known)) == (29, False, 30)

    allowed = await workplace.sync(allow_removals=True)
    known, indexed = await workplace.held()
    assert counts(allowed) == {"removed": 29, "unchanged": 1}
    assert len(known) == 1
    assert known == indexed


async def test_removing_all_of_a_source_needs_to_be_allowed_however_little_it_is(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)
    await workplace.sync()
    (workplace.docs / "travel.md").unlink()

    held_back = await workplace.sync()

    assert (held_back.withheld, held_back.emptied, held_back.clean) == (1, True, False)
    assert await workplace.found("receipts accounting") == {"travel.md"}
    assert counts(await workplace.sync(allow_removals=True)) == {"removed": 1}
    assert (await workplace.sync()).clean
    assert await workplace.held() == ({}, {})


async def test_what_is_said_to_be_gone_goes_though_nothing_else_could_be_looked_at(
    workplace: Workplace, tmp_path: Path
) -> None:
    class Incomplete(Shelf):
        async def list(self, since: str | None) -> AsyncIterator[Listed]:
            async for item in super().list(since):
                yield item
            if "site/gone" not in self.texts:
                yield Skipped(id=DocumentId("site/"), reason="the crawl was cut short", unseen=True)
                yield Gone(id=DocumentId("site/gone"))

    shelf = Incomplete(tmp_path, **{"site/gone": TRAVEL, "site/unseen": PARKING, "site/seen": SALARIES})
    await workplace.sync(shelf)
    del shelf.texts["site/gone"], shelf.texts["site/unseen"]

    await workplace.sync(shelf)

    known, _ = await workplace.held()
    assert {chunk.document for chunk in known.values()} == {"site/unseen", "site/seen"}


async def test_emptying_much_of_a_source_needs_to_be_allowed_as_removing_it_does(workplace: Workplace) -> None:
    for number in range(30):
        workplace.write(f"{number}.md", f"# Page {number}\n\nPage {number} of the handbook.\n")
    await workplace.sync()
    for number in range(25):
        workplace.write(f"{number}.md", "\n---\n")

    held_back, again = await workplace.sync(), await workplace.sync()

    assert (held_back.withheld, again.withheld, held_back.clean) == (25, 25, False)
    assert await workplace.found("page 3 handbook") >= {"3.md"}
    assert counts(await workplace.sync(allow_removals=True)) == {"skipped": 25, "unchanged": 5}
    assert await workplace.found("page 3 handbook") & {"3.md"} == set()


async def test_what_is_gone_goes_though_the_source_went_away_while_it_was_read(
    workplace: Workplace, tmp_path: Path
) -> None:
    shelf = Shelf(tmp_path, travel=TRAVEL, parking=PARKING)
    await workplace.sync(shelf)
    del shelf.texts["parking"]
    shelf.texts |= {f"page {number}": SourceUnavailable("the wiki went away") for number in range(9)}

    with pytest.raises(SourceUnavailable):
        await workplace.sync(shelf)

    assert await workplace.found("garage closes") == set()
    assert await workplace.found("receipts accounting") == {"travel"}
