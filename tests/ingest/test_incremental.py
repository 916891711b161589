from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest.guard import GuardSettings
from ingest.model import Cursor, DocumentId, Entry, Gone, Listed, Readers, Skipped
from ingest.sources.files import AccessRule
from ingest.sources.interface import DocumentGone, DocumentTooLarge, SourceRefused, SourceUnavailable
from ingest.sync import Settled
from tests.fixtures.faults import Fault, Faulty, Killed
from tests.fixtures.shelf import PARKING, SALARIES, TRAVEL, Diary, Shelf, counts
from tests.ingest.workplace import Workplace


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture
def diary(tmp_path: Path) -> Diary:
    return Diary(tmp_path, travel=TRAVEL, parking=PARKING, salaries=SALARIES)


async def test_a_source_that_can_tell_is_asked_for_what_has_changed_since_the_last_run(
    workplace: Workplace, diary: Diary
) -> None:
    first = await workplace.sync(diary)
    diary.put("travel", TRAVEL.replace("thirty", "sixty"))
    diary.take("parking")

    second = await workplace.sync(diary)

    assert diary.listings == [None, "3"]
    assert (first.whole, second.whole) == (True, False)
    assert counts(second) == {"changed": 1, "removed": 1}
    assert await workplace.found("sixty days") == {"travel"}
    assert await workplace.found("garage closes") == set()
    assert await workplace.found("salary bands") == {"salaries"}


async def test_what_no_listing_of_changes_names_stays(workplace: Workplace, diary: Diary) -> None:
    await workplace.sync(diary)
    assert counts(await workplace.sync(diary)) == {}
    assert await workplace.found("garage closes") == {"parking"}


async def test_a_cursor_that_has_expired_means_a_whole_listing_in_the_same_run(
    workplace: Workplace, diary: Diary
) -> None:
    await workplace.sync(diary)
    diary.take("parking")
    diary.forgets = True

    report = await workplace.sync(diary)

    assert (report.whole, counts(report)) == (True, {"removed": 1, "unchanged": 2})


async def test_a_whole_listing_can_be_asked_for(workplace: Workplace, diary: Diary) -> None:
    await workplace.sync(diary)
    await workplace.sync(diary, full=True)
    assert diary.listings == [None, None]


async def test_other_settings_need_a_whole_listing(workplace: Workplace, diary: Diary) -> None:
    await workplace.sync(diary, settings="one")
    await workplace.sync(diary, settings="other")
    await workplace.sync(diary, settings="other")
    assert diary.listings == [None, None, "3"]


async def test_a_cursor_is_kept_only_when_all_that_came_before_it_is_written(
    workplace: Workplace, diary: Diary
) -> None:
    await workplace.sync(diary)
    pages = [f"page {number}" for number in range(9)]
    for page in pages:
        diary.put(page, SourceUnavailable("the wiki went away"))
    with pytest.raises(SourceUnavailable):
        await workplace.sync(diary)
    diary.texts |= dict.fromkeys(pages, TRAVEL.replace("thirty", "sixty"))

    await workplace.sync(diary)

    assert diary.listings == [None, "3", "3"]
    assert await workplace.found("sixty days") == set(pages)


async def test_a_kill_at_any_write_leaves_the_cursor_before_what_is_not_written(tmp_path: Path) -> None:
    original = Workplace(tmp_path / "original")
    diary = Diary(tmp_path, travel=TRAVEL, parking=PARKING, salaries=SALARIES)
    await original.sync(diary)
    diary.put("travel", TRAVEL.replace("thirty", "sixty"))
    diary.take("parking")
    for after in (False, True):
        for at in range(1, 50):
            workplace = original.copy(tmp_path / f"{at}-{after}")
            fault = Fault(at, after=after)
            try:
                await workplace.sync(diary, wrap=lambda room, fault=fault: Faulty(room, fault))
            except* Killed:
                pass
            if fault.left > 0:
                break
            await workplace.sync(diary)
            known, indexed = await workplace.held()
            assert known == indexed
            assert {chunk.document for chunk in known.values()} == {"travel", "salaries"}
            assert any("sixty" in chunk.text for chunk in known.values())
        assert at > 5


async def test_what_failed_is_read_again_though_no_listing_names_it_any_more(
    workplace: Workplace, diary: Diary
) -> None:
    await workplace.sync(diary)
    diary.put("travel", DocumentGone("away for a moment"))
    assert counts(await workplace.sync(diary)) == {"failed": 1}
    diary.texts["travel"] = TRAVEL.replace("thirty", "sixty")

    assert counts(await workplace.sync(diary)) == {"changed": 1}
    assert await workplace.found("sixty days") == {"travel"}


async def test_retry_reads_what_failed_as_it_is_listed_now_and_nothing_else(
    workplace: Workplace, tmp_path: Path
) -> None:
    shelf = Diary(tmp_path, travel=TRAVEL, broken="---\nreaders: [unclosed\n---\n# Broken\n")
    await workplace.sync(shelf)
    shelf.fetched.clear()
    shelf.texts["broken"] = PARKING

    report = await workplace.retry(shelf)

    assert (counts(report), shelf.fetched, shelf.listings) == ({"added": 1}, ["broken"], [None, "2"])
    assert await workplace.found("garage closes") == {"broken"}


async def test_a_tombstone_that_ends_in_a_slash_takes_all_below_it(workplace: Workplace, tmp_path: Path) -> None:
    class Rooms(Shelf):
        async def list(self, since: str | None) -> AsyncIterator[Listed]:
            if since is None:
                async for item in super().list(since):
                    yield item
            else:
                yield Gone(id=DocumentId("c1/"))
                yield self.entry("c1/new", self.texts["c1/new"])
            yield Cursor(value="1")

    rooms = Rooms(tmp_path, **{"c1/a": TRAVEL, "c1/b": PARKING, "c2/a": SALARIES, "c1/new": PARKING})
    await workplace.sync(rooms)

    assert counts(await workplace.sync(rooms)) == {"removed": 2, "unchanged": 1}

    known, indexed = await workplace.held()
    assert {chunk.document for chunk in known.values()} == {"c2/a", "c1/new"}
    assert known == indexed


async def test_removals_that_are_held_back_are_named_again_by_the_next_listing(
    workplace: Workplace, diary: Diary
) -> None:
    await workplace.sync(diary)
    for name in ("travel", "parking"):
        diary.take(name)
    strict = GuardSettings(share=0.2, documents=2)

    held_back = await workplace.sync(diary, guard=strict)
    again = await workplace.sync(diary, guard=strict)
    allowed = await workplace.sync(diary, guard=strict, allow_removals=True)

    assert [report.withheld for report in (held_back, again, allowed)] == [2, 2, 0]
    assert counts(allowed) == {"removed": 2}


async def test_a_source_that_refuses_us_is_told_once_and_its_documents_stay(workplace: Workplace, diary: Diary) -> None:
    await workplace.sync(diary)
    diary.breaks_off = SourceRefused("the token was revoked")  # type: ignore[assignment]
    with pytest.raises(SourceRefused, match="revoked"):
        await workplace.sync(diary)
    assert await workplace.found("garage closes") == {"parking"}


async def test_a_document_that_turns_out_too_large_is_skipped_and_not_fetched_again(
    workplace: Workplace, tmp_path: Path
) -> None:
    shelf = Shelf(tmp_path, travel=TRAVEL, film=DocumentTooLarge("larger than 200 MiB"))
    first, second = await workplace.sync(shelf), await workplace.sync(shelf)
    assert counts(first) == {"added": 1, "skipped": 1}
    assert counts(second) == {"unchanged": 1, "skipped": 1}
    assert shelf.fetched.count("film") == 1


async def test_what_could_not_be_looked_at_stays_also_in_a_listing_of_changes(
    workplace: Workplace, diary: Diary
) -> None:
    class Blind(Diary):
        async def list(self, since: str | None) -> AsyncIterator[Listed]:
            async for item in super().list(since):
                yield Skipped(id=item.id, reason="forbidden", unseen=True) if isinstance(item, Gone) else item

    blind = Blind(diary.folder, travel=TRAVEL, parking=PARKING)
    await workplace.sync(blind)
    blind.take("parking")
    assert counts(await workplace.sync(blind)) == {"skipped": 1}
    assert await workplace.found("garage closes") == {"parking"}


async def test_a_source_that_names_other_readers_by_default_relabels_without_reading(
    workplace: Workplace, diary: Diary
) -> None:
    await workplace.sync(diary)
    diary.readers = frozenset({"group:finance"})
    diary.fetched.clear()

    report = await workplace.sync(diary, full=True)

    assert (counts(report), diary.fetched) == ({"changed": 3}, [])
    assert await workplace.found("garage closes") == set()
    assert await workplace.found("garage closes", "group:finance") == {"parking"}


async def test_a_restriction_that_was_listed_while_a_document_could_not_be_read_holds_when_it_can(
    workplace: Workplace, tmp_path: Path
) -> None:
    class Restricted(Diary):
        who: Readers | None = None

        def entry(self, name: str, text: object) -> Entry:
            return Entry(id=DocumentId(name), version="1", readers=self.who)

    shelf = Restricted(tmp_path, travel="---\nreaders: [unclosed\n---\n# Broken\n")
    await workplace.sync(shelf)
    shelf.who = frozenset({"group:finance"})
    await workplace.sync(shelf, full=True)
    shelf.texts["travel"] = TRAVEL

    await workplace.retry(shelf)

    assert await workplace.found("receipts accounting") == set()
    assert await workplace.found("receipts accounting", "group:finance") == {"travel"}


async def test_retry_follows_what_the_settings_and_the_source_say_now(workplace: Workplace) -> None:
    workplace.write("hr/pay.md", "---\nreaders: [unclosed\n---\n# Broken\n")
    workplace.write("hr/old.md", "---\nreaders: [unclosed\n---\n# Broken\n")
    await workplace.sync()
    workplace.write("hr/pay.md", SALARIES)
    workplace.write("hr/old.md", SALARIES)

    report = await workplace.retry(
        workplace.source(exclude=["old.md"], access=[AccessRule(paths="hr/", readers=["group:hr"])])
    )

    assert counts(report) == {"added": 1}
    assert await workplace.found("salary bands") == set()
    assert await workplace.found("salary bands", "group:hr") == {"hr/pay.md"}


async def test_of_what_a_listing_says_of_one_document_the_last_holds(workplace: Workplace, tmp_path: Path) -> None:
    class Feed(Shelf):
        async def list(self, since: str | None) -> AsyncIterator[Listed]:
            if since is None:
                async for item in super().list(since):
                    yield item
            else:
                yield self.entry("edited, then deleted", "2")
                yield self.entry("unchanged, then deleted", self.texts["unchanged, then deleted"])
                yield Gone(id=DocumentId("edited, then deleted"))
                yield Gone(id=DocumentId("unchanged, then deleted"))
                yield Gone(id=DocumentId("deleted, then made again"))
                yield self.entry("deleted, then made again", self.texts["deleted, then made again"])
            yield Cursor(value="1")

    names = ("edited, then deleted", "unchanged, then deleted", "deleted, then made again")
    feed = Feed(tmp_path, **dict(zip(names, (TRAVEL, PARKING, SALARIES), strict=True)))
    await workplace.sync(feed)

    assert counts(await workplace.sync(feed)) == {"removed": 2, "unchanged": 1}
    known, _ = await workplace.held()
    assert {chunk.document for chunk in known.values()} == {"deleted, then made again"}


@pytest.mark.parametrize("id", ["a\x00b", "a\ud800b", "x" * 3_000], ids=["zero", "half a character", "long"])
async def test_a_document_whose_name_cannot_be_kept_is_told_and_stops_no_other(
    workplace: Workplace, tmp_path: Path, id: str
) -> None:
    shelf = Shelf(tmp_path, **{id: TRAVEL, "parking": PARKING})
    report = await workplace.sync(shelf)
    assert counts(report) == {"added": 1, "skipped": 1}
    assert await workplace.found("garage closes") == {"parking"}


async def test_what_the_source_says_besides_is_kept_as_far_as_it_can_be(workplace: Workplace, tmp_path: Path) -> None:
    class Odd(Shelf):
        def entry(self, name: str, text: object) -> Entry:
            return Entry(
                id=DocumentId(name), version="1\x00", url="https://x.example/\ud800", media_type="text/\x00plain"
            )

    odd = Odd(tmp_path, travel=TRAVEL)
    assert counts(await workplace.sync(odd)) == {"added": 1}
    assert counts(await workplace.sync(odd)) == {"unchanged": 1}


async def test_a_run_that_is_stopped_while_emptied_documents_go_keeps_the_cursor_back(
    workplace: Workplace, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.commit.BATCH", 1)
    await workplace.sync(diary)
    for name in ("travel", "parking"):
        diary.put(name, "\n---\n")
    stop = asyncio.Event()

    def stop_at_the_first(event: object) -> None:
        if isinstance(event, Settled):
            stop.set()

    report = await workplace.sync(diary, stop=stop, progress=stop_at_the_first)
    assert (report.interrupted, counts(report)) == (True, {"skipped": 1})

    await workplace.sync(diary)

    assert diary.listings == [None, "3", "3"]
    known, indexed = await workplace.held()
    assert {chunk.document for chunk in known.values()} == {"salaries"}
    assert known == indexed
