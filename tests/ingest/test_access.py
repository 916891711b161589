from __future__ import annotations

from pathlib import Path

import pytest

from ingest.model import DocumentId
from tests.fixtures.shelf import BROKEN, PARKING, SALARIES, counts
from tests.ingest.workplace import Workplace


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


async def test_a_new_access_rule_holds_without_reading_the_document_again(workplace: Workplace) -> None:
    workplace.write("salaries.md", SALARIES)
    workplace.write("parking.md", PARKING)
    await workplace.sync()
    assert await workplace.found("salary bands") == {"salaries.md"}

    report = await workplace.sync(workplace.restricted(salaries=["group:finance"]))

    assert (counts(report), report.parsed) == ({"changed": 1, "unchanged": 1}, 0)
    assert await workplace.found("salary bands") == set()
    assert await workplace.found("salary bands", "group:finance") == {"salaries.md"}
    known, _ = await workplace.held()
    held = [chunk.id for chunk in known.values() if chunk.document == "salaries.md"]
    async with workplace.rooms() as rooms:
        assert await rooms.ledger.readable(held, frozenset({"everyone"})) == set()
        assert await rooms.ledger.readable(held, frozenset({"everyone", "group:finance"})) == set(held)


async def test_an_access_rule_also_holds_for_the_last_good_version_of_a_failed_document(workplace: Workplace) -> None:
    workplace.write("salaries.md", SALARIES)
    await workplace.sync()
    workplace.write("salaries.md", BROKEN)
    await workplace.sync(workplace.restricted(salaries=["group:board"]))
    assert await workplace.found("salary bands") == set()

    report = await workplace.sync(workplace.restricted(salaries=["group:finance"]))

    assert (counts(report), report.parsed) == ({"failed": 1}, 0)
    assert await workplace.found("salary bands", "group:board") == set()
    assert await workplace.found("salary bands", "group:finance") == {"salaries.md"}


async def test_a_document_whose_readers_become_unclear_is_for_nobody_until_it_is_mended(workplace: Workplace) -> None:
    workplace.write("salaries.md", SALARIES)
    await workplace.sync()
    assert await workplace.found("salary bands") == {"salaries.md"}
    workplace.write("salaries.md", f"---\nreaders: oops\n---\n{SALARIES}")

    broken = await workplace.sync()
    workplace.touch("salaries.md")
    unchanged = await workplace.sync()

    assert counts(broken) == counts(unchanged) == {"failed": 1}
    assert await workplace.found("salary bands", "public", "everyone", "group:finance") == set()
    async with workplace.rooms() as rooms:
        record = await rooms.ledger.document("docs", DocumentId("salaries.md"))
    assert record is not None
    assert (record.readers, record.indexed_at is None) == (frozenset(), False)
    workplace.write("salaries.md", SALARIES)
    assert counts(await workplace.sync()) == {"changed": 1}
    assert await workplace.found("salary bands") == {"salaries.md"}


async def test_an_access_rule_decides_for_a_document_whose_readers_are_unclear_while_it_stands(
    workplace: Workplace,
) -> None:
    workplace.write("salaries.md", SALARIES)
    await workplace.sync()
    workplace.write("salaries.md", BROKEN)

    await workplace.sync(workplace.restricted(salaries=["group:finance"]))
    assert await workplace.found("salary bands", "group:finance") == {"salaries.md"}

    await workplace.sync()
    assert await workplace.found("salary bands", "public", "everyone", "group:finance") == set()


async def test_a_rule_decides_over_front_matter_and_front_matter_over_the_source(workplace: Workplace) -> None:
    for name in ("ruled", "own", "plain"):
        front_matter = "" if name == "plain" else "---\nreaders: [group:own]\n---\n"
        workplace.write(f"{name}.md", f"{front_matter}{SALARIES}")
    await workplace.sync(workplace.restricted(ruled=["group:ruled"]))

    assert await workplace.found("salary bands", "group:ruled") == {"ruled.md"}
    assert await workplace.found("salary bands", "group:own") == {"own.md"}
    assert await workplace.found("salary bands") == {"plain.md"}

    without_rule = await workplace.sync()
    assert without_rule.parsed == 0
    assert await workplace.found("salary bands", "group:own") == {"own.md", "ruled.md"}
