from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ingest.change import Outcome
from ingest.commit import Writer
from ingest.index.interface import IndexMismatch
from ingest.model import DocumentId, Entry, Original, Parsed, Readers, Skipped
from ingest.parsers.interface import ParserName
from ingest.sources.interface import DocumentGone, SourceUnavailable
from ingest.sync import Listed, Report, Settled, sync
from tests.ingest.workplace import WAIT, Workplace

TRAVEL = "# Travel\n\nSend the receipts of a journey to the accounting office within thirty days.\n"
PARKING = "# Parking\n\nThe garage under the building opens at six and closes at midnight.\n"
SALARIES = "# Salaries\n\nThe salary bands of engineers are reviewed every spring by the board.\n"
BROKEN = "---\nreaders: [unclosed\n---\n# Broken\n"


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def counts(report: Report) -> dict[str, int]:
    return {outcome.value: count for outcome, count in report.counts.items() if count}


async def test_new_documents_are_found_and_a_second_run_reads_nothing(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)
    workplace.write("house/parking.md", PARKING)
    assert counts(await workplace.sync()) == {"added": 2}
    assert await workplace.found("garage closes") == {"house/parking.md"}

    again = await workplace.sync()

    assert (counts(again), again.parsed) == ({"unchanged": 2}, 0)


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


async def test_a_deleted_document_is_gone_from_ledger_and_index(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)
    workplace.write("parking.md", PARKING)
    await workplace.sync()
    (workplace.docs / "travel.md").unlink()

    assert counts(await workplace.sync()) == {"removed": 1, "unchanged": 1}

    known, indexed = await workplace.held()
    assert {chunk.document for chunk in known.values()} == {"parking.md"}
    assert known == indexed


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
    retried = await workplace.sync(retry=True)
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


async def test_a_new_access_rule_holds_without_reading_the_document_again(workplace: Workplace) -> None:
    workplace.write("salaries.md", SALARIES)
    workplace.write("parking.md", PARKING)
    await workplace.sync()
    assert await workplace.found("salary bands") == {"salaries.md"}

    report = await workplace.sync(workplace.restricted(salaries=["group:finance"]))

    assert (counts(report), report.parsed) == ({"changed": 1, "unchanged": 1}, 0)
    assert await workplace.found("salary bands") == set()
    assert await workplace.found("salary bands", "group:finance") == {"salaries.md"}
    key = ("docs", DocumentId("salaries.md"))
    async with workplace.rooms() as rooms:
        assert await rooms.ledger.readable([key], frozenset({"everyone"})) == set()
        assert await rooms.ledger.readable([key], frozenset({"everyone", "group:finance"})) == {key}


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


class Shelf:
    """A source that lists and hands out what a test puts on it; an exception in place of a text is raised."""

    name = "docs"
    readers: Readers = frozenset({"everyone"})

    def __init__(self, folder: Path, **texts: str | Exception) -> None:
        self.folder = folder
        self.texts: dict[str, str | Exception] = dict(texts)
        self.skipped: list[Skipped] = []
        self.breaks_off: SourceUnavailable | None = None

    async def list(self) -> AsyncIterator[Entry | Skipped]:
        for skipped in self.skipped:
            yield skipped
        for name, text in self.texts.items():
            yield Entry(id=DocumentId(name), version=str(text))
        if self.breaks_off:
            raise self.breaks_off

    @asynccontextmanager
    async def fetch(self, entry: Entry) -> AsyncIterator[Original]:
        text = self.texts[entry.id]
        if isinstance(text, Exception):
            raise text
        path = self.folder / f"{hash(entry.id)}.md"
        path.write_text(text, encoding="utf-8")
        yield Original(path=path, name=f"{entry.id}.md")

    def parser_for(self, entry: Entry) -> ParserName:
        return "kreuzberg"


async def test_a_listing_that_breaks_off_removes_nothing(workplace: Workplace, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, travel=TRAVEL)
    shelf.texts["parking"] = PARKING
    await workplace.sync(shelf)
    del shelf.texts["travel"]
    shelf.breaks_off = SourceUnavailable("the wiki does not answer")

    with pytest.raises(SourceUnavailable, match="the wiki does not answer"):
        await workplace.sync(shelf)

    assert await workplace.found("receipts accounting") == {"travel"}


class FailsDuringAWrite(Shelf):
    """Hands out `travel`, and goes away as soon as `held` is in the middle of writing it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, travel=TRAVEL, parking=PARKING)
        self.writing = asyncio.Event()

    @asynccontextmanager
    async def fetch(self, entry: Entry) -> AsyncIterator[Original]:
        if entry.id == "parking":
            await self.writing.wait()
            raise SourceUnavailable("the wiki went away")
        async with super().fetch(entry) as original:
            yield original

    def held(self, room: Any) -> Any:
        """The store: its first flush never returns."""
        shelf = self

        class Held:
            def __getattr__(self, name: str) -> Any:
                if name != "flush" or shelf.writing.is_set():
                    return getattr(room, name)

                async def flush() -> None:
                    shelf.writing.set()
                    await asyncio.Event().wait()

                return flush

        return Held() if hasattr(room, "upsert") else room


async def test_what_a_source_that_failed_during_a_write_left_behind_is_mended_before_the_next_source(
    workplace: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.sync.GROUP_CHUNKS", 1)
    fails, other = FailsDuringAWrite(tmp_path), Shelf(tmp_path, salaries=SALARIES)
    other.name = "other"

    async with asyncio.timeout(WAIT), workplace.rooms(fails.held) as rooms, rooms.ledger.writing():
        writer = Writer(rooms.ledger, rooms.index)
        one_run = partial(
            sync, ledger=rooms.ledger, writer=writer, parse=rooms.sandbox.parse, workers=2, languages=("en",)
        )
        with pytest.raises(SourceUnavailable):
            await one_run(fails)
        assert await rooms.ledger.unsettled()
        await one_run(other)

        assert await rooms.ledger.unsettled() == []
        assert await rooms.index.count() == await rooms.ledger.count_chunks() == 1


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


async def test_a_run_that_is_told_to_stop_keeps_what_it_read_and_the_next_goes_on(workplace: Workplace) -> None:
    for number in range(40):
        workplace.write(f"{number}.md", f"# Page {number}\n\nPage {number} of the handbook.\n")
    workplace.write("gone.md", TRAVEL)
    await workplace.sync(workplace.source(include=["gone.md"]))
    (workplace.docs / "gone.md").unlink()
    stop = asyncio.Event()

    def stop_once_listed(event: Listed | Settled) -> None:
        if isinstance(event, Listed):
            stop.set()

    stopped = await workplace.sync(progress=stop_once_listed, stop=stop)
    assert stopped.interrupted
    assert counts(stopped).get("added", 0) < 40
    assert stopped.counts[Outcome.REMOVED] == 0

    resumed = await workplace.sync()
    assert stopped.counts[Outcome.ADDED] + resumed.counts[Outcome.ADDED] == 40
    assert resumed.counts[Outcome.REMOVED] == 1


async def test_another_parser_reads_the_document_again(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)
    await workplace.sync()

    report = await workplace.sync(workplace.source(parser="unstructured"))

    assert report.parsed == 1


async def test_an_index_can_be_rebuilt_without_the_source_even_in_two_attempts(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)
    workplace.write("parking.md", PARKING)
    await workplace.sync()
    known, _ = await workplace.held()

    fault = Fault(3)
    with pytest.raises(Killed):
        async with workplace.rooms(lambda room: Faulty(room, fault)) as rooms, rooms.ledger.writing():
            await Writer(rooms.ledger, rooms.index).reindex()
    assert (await workplace.held())[1] != known

    report = await workplace.sync()
    assert report.parsed == 0
    assert await workplace.held() == (known, known)


async def test_an_index_that_was_lost_is_not_taken_for_an_empty_one(workplace: Workplace) -> None:
    workplace.write("travel.md", TRAVEL)
    await workplace.sync()
    workplace.kept.clear()

    with pytest.raises(IndexMismatch, match="ingest reindex"):
        await workplace.sync()


class Killed(BaseException):
    """The process was killed: nobody may catch this and go on."""


class Fault:
    """Counts writing calls, and kills the process at the `at`-th: before it has any effect, or right after."""

    def __init__(self, at: int, *, after: bool = False) -> None:
        self.left = at
        self.after = after

    async def around(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Killed
        result = await call(*args, **kwargs)
        if self.left == 0:
            raise Killed
        return result


class Faulty:
    """A ledger or a store, with a fault at its writing calls."""

    STORE = frozenset({"create", "upsert", "delete", "set_readers", "flush"})
    LEDGER = frozenset({"unsettle", "unsettle_all", "settle", "commit", "record_run"})

    def __init__(self, room: Any, fault: Fault) -> None:
        self._room = room
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._room, name)
        if name not in self.STORE | self.LEDGER:
            return call

        async def at_risk(*args: Any, **kwargs: Any) -> Any:
            return await self._fault.around(call, *args, **kwargs)

        return at_risk


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
