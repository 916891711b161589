from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.model import Original, Parsed
from ingest.sources.interface import DocumentGone
from tests.fixtures.shelf import BROKEN, PARKING, TRAVEL, Shelf, counts
from tests.ingest.workplace import Workplace


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


async def test_new_documents_are_found_and_a_second_run_reads_nothing(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)
    workplace.write("house/parking.md", PARKING)
    assert counts(await workplace.sync()) == {"added": 2}
    assert await workplace.found("garage closes") == {"house/parking.md"}

    again = await workplace.sync()

    assert (counts(again), again.parsed) == ({"unchanged": 2}, 0)


async def test_a_changed_document_is_found_by_its_new_text_only(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)
    await workplace.sync()
    workplace.write("travel.md", "# Travel\n\nBook trains through the portal.\n")

    assert counts(await workplace.sync()) == {"changed": 1}

    assert await workplace.found("receipts accounting") == set()
    assert await workplace.found("portal trains") == {"travel.md"}


async def test_a_document_that_was_only_saved_again_is_not_read(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)
    await workplace.sync()
    workplace.touch("travel.md")

    saved_again = await workplace.sync()
    assert (counts(saved_again), saved_again.parsed) == ({"unchanged": 1}, 0)


async def test_a_document_that_fails_keeps_its_last_good_version(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)
    workplace.write("parking.md", PARKING)
    await workplace.sync()
    workplace.write("travel.md", "%PDF-1.4 without an end")
    workplace.write("parking.md", PARKING + "\nBicycles stand in the yard.\n")

    report = await workplace.sync()

    assert counts(report) == {"failed": 1, "changed": 1}
    assert [(problem.document, problem.repeated) for problem in report.problems] == [("travel.md", False)]
    assert await workplace.found("receipts accounting") == {"travel.md"}
    assert await workplace.found("bicycles") == {"parking.md"}


async def test_a_failed_document_is_reported_again_but_read_again_only_on_request(workplace: Workplace) -> None:
    workplace.write("travel.md", BROKEN)
    first = await workplace.sync()
    second = await workplace.sync()
    workplace.touch("travel.md")
    saved_again = await workplace.sync()
    retried = await workplace.retry()
    workplace.write("travel.md", TRAVEL)
    mended = await workplace.sync()

    assert [report.parsed for report in (first, second, saved_again, retried, mended)] == [1, 0, 0, 1, 1]
    assert counts(first) == counts(second) == counts(saved_again) == counts(retried) == {"failed": 1}
    assert [problem.repeated for problem in second.problems] == [True]
    assert {problem.reason for report in (first, second, saved_again) for problem in report.problems} == {
        first.problems[0].reason
    }
    assert counts(mended) == {"added": 1}


async def test_a_document_that_was_emptied_is_skipped_and_nothing_of_it_stays(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)
    await workplace.sync()
    workplace.write("travel.md", "---\ntitle: Nothing follows\n---\n")

    first, second = await workplace.sync(), await workplace.sync()

    assert counts(first) == counts(second) == {"skipped": 1}
    assert (first.parsed, second.parsed, first.clean) == (1, 0, True)
    assert {problem.reason for report in (first, second) for problem in report.problems} == {first.problems[0].reason}
    assert await workplace.held() == ({}, {})
    workplace.write("travel.md", TRAVEL)
    assert counts(await workplace.sync()) == {"added": 1}


async def test_only_passages_that_changed_are_written(workplace: Workplace) -> None:
    sections = [f"# Part {number}\n\n" + f"Sentence {number} about the house rules. " * 60 for number in range(5)]
    path = workplace.write("rules.md", "\n\n".join(sections))
    await workplace.sync()
    before, _ = await workplace.held()
    upserts: list[int] = []
    modified = path.stat().st_mtime_ns
    sections[4] += "And one more thing."
    path.write_text("\n\n".join(sections))
    os.utime(path, ns=(modified, modified))
    await workplace.sync(wrap=lambda room: Counting(room, upserts))

    assert len(before) >= 5
    assert sum(upserts) == 1


class Counting:
    """A store that notes how many points each upsert has."""

    def __init__(self, room: Any, upserts: list[int]) -> None:
        self._room = room
        self._upserts = upserts

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._room, name)
        if name != "upsert":
            return call

        async def upsert(points: Any) -> None:
            self._upserts.append(len(points))
            await call(points)

        return upsert


@pytest.mark.parametrize(
    "error",
    [DocumentGone("it went away"), OSError(5, "Input/output error"), RuntimeError("a\nbug"), DocumentGone("x" * 9999)],
    ids=["gone", "not read", "a bug", "long-winded"],
)
async def test_whatever_goes_wrong_with_one_document_stops_no_other(
    workplace: Workplace, tmp_path: Path, error: Exception
) -> None:
    shelf = Shelf(tmp_path, travel=error, parking=PARKING)

    report = await workplace.sync(shelf)

    assert counts(report) == {"failed": 1, "added": 1}
    [problem] = report.problems
    assert problem.document == "travel"
    assert problem.reason
    assert "\n" not in problem.reason
    assert len(problem.reason) <= 500


async def test_a_document_that_could_not_be_fetched_is_fetched_again(workplace: Workplace, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, travel=OSError(5, "Input/output error"))
    await workplace.sync(shelf)
    asked: list[str] = []
    shelf.parser_for = lambda entry: asked.append(entry.id) or "kreuzberg"  # type: ignore[func-returns-value,method-assign]

    report = await workplace.sync(shelf)

    assert [problem.repeated for problem in report.problems] == [False]


async def test_a_file_that_could_not_be_opened_is_read_again_though_it_has_not_changed(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)

    async with workplace.rooms() as rooms:

        async def replaced_meanwhile(original: Original, parser: str) -> Parsed:
            return await rooms.sandbox.parse(replace(original, path=original.path.with_name("gone")), parser)

        failed = await workplace.sync(parse=replaced_meanwhile)

    assert counts(failed) == {"failed": 1}
    assert "cannot be read" in str(failed.problems[0].reason)
    assert counts(await workplace.sync()) == {"added": 1}


@pytest.mark.parametrize("name", ["rules.md", "rules.txt"])
async def test_a_text_that_no_passage_comes_of_is_skipped(workplace: Workplace, name: str) -> None:
    workplace.write(name, "*" * 100_000)

    report = await workplace.sync()

    assert counts(report) == {"skipped": 1}
    assert "no words" in str(report.problems[0].reason)


async def test_text_that_cannot_be_stored_is_stored_with_replacements(workplace: Workplace) -> None:
    workplace.write("odd.md", TRAVEL)

    async def parse(original: Original, parser: str) -> Parsed:
        return Parsed(text="A zero \x00 and half \ud83d a character.", title="Odd\x00\nthings", author="\udcff")

    assert counts(await workplace.sync(parse=parse)) == {"added": 1}

    known, indexed = await workplace.held()
    assert known == indexed
    [chunk] = known.values()
    assert (chunk.title, chunk.text) == ("Odd\ufffd things", "A zero \ufffd and half \ufffd a character.")


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
async def test_a_date_that_cannot_be_stored_is_left_out_and_stops_no_other(workplace: Workplace, date: str) -> None:
    workplace.write("odd.md", f"---\ndate: {date}\n---\n{TRAVEL}")
    workplace.write("parking.md", PARKING)

    assert counts(await workplace.sync()) == {"added": 2}


@pytest.mark.parametrize("name", ["travel.wav", "travel.png", "travel"])
async def test_what_is_of_a_format_that_is_not_read_is_skipped_and_nothing_of_it_stays(
    workplace: Workplace, name: str
) -> None:
    picture = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00"
    workplace.write(name, TRAVEL)
    await workplace.sync()
    assert await workplace.found("receipts accounting") == {name}
    (workplace.docs / name).write_bytes(picture if name.endswith("png") else bytes(range(256)))

    first, second = await workplace.sync(), await workplace.sync()

    assert counts(first) == counts(second) == {"skipped": 1}
    assert (first.clean, first.parsed, second.parsed) == (True, 1, 0)
    assert "OCR" in str(first.problems[0].reason) or "no format" in str(first.problems[0].reason)
    assert await workplace.held() == ({}, {})


async def test_a_document_that_is_damaged_fails_and_keeps_its_last_good_version(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)
    await workplace.sync()
    (workplace.docs / "travel.md").write_bytes(bytes(range(256)))

    report = await workplace.sync()

    assert (counts(report), "damaged" in str(report.problems[0].reason)) == ({"failed": 1}, True)
    assert await workplace.found("receipts accounting") == {"travel.md"}


async def test_another_parser_reads_the_document_again(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)
    await workplace.sync()

    report = await workplace.sync(workplace.source(parser="unstructured"))

    assert report.parsed == 1
