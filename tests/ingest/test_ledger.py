from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url

from ingest import database, migrations
from ingest.ledger import (
    DatabaseUnavailable,
    DatabaseUnreadable,
    LeaseLost,
    Ledger,
    LedgerBusy,
    SourceRecord,
    StateSettings,
)
from ingest.model import ChunkId, DocumentId
from tests.fixtures.ledgers import NOON, chunk, in_folder, record
from tests.fixtures.postgres import Postgres


async def test_what_is_committed_comes_back_equal(ledger: Ledger) -> None:
    known = record("a\nb.md", readers=frozenset({"group:x", "user:ada@example.org"}))
    chunks = [chunk(known, position) for position in range(3)]
    await ledger.commit("docs", records=[known], chunks={known.id: chunks})

    assert await ledger.documents("docs") == {known.id: known}
    assert await ledger.document("docs", known.id) == known
    assert await ledger.chunks("docs", [known.id, DocumentId("unknown")]) == {known.id: tuple(chunks)}
    assert await ledger.count_chunks() == 3


async def test_documents_of_the_index_are_counted_by_language(ledger: Ledger) -> None:
    german, never = replace(record("a"), language="de"), replace(record("d"), language="fr", indexed_at=None)
    await ledger.commit("docs", records=[german, record("b"), record("c"), never])
    assert await ledger.languages() == {"de": 1, "en": 2}


async def test_a_record_that_fails_later_keeps_its_chunks_and_a_removed_one_loses_them(ledger: Ledger) -> None:
    first, second = record("first"), record("second")
    await ledger.commit("docs", records=[first, second], chunks={r.id: [chunk(r, 0)] for r in (first, second)})

    await ledger.commit("docs", records=[record("first", error="broken")], removed=[second.id])

    assert set(await ledger.chunks("docs", [first.id, second.id])) == {first.id}
    assert (await ledger.documents("docs"))[first.id].error == "broken"
    assert await ledger.chunks_by_id([ChunkId("second-0")]) == []


async def test_more_keys_than_one_statement_takes(ledger: Ledger) -> None:
    records = [record(str(number)) for number in range(1001)]
    await ledger.commit("docs", records=records, chunks={r.id: [chunk(r, 0)] for r in records})
    ids = [r.id for r in records]

    assert len(await ledger.chunks("docs", ids)) == 1001
    assert len(await ledger.readable([ChunkId(f"{id}-0") for id in ids], frozenset({"everyone"}))) == 1001
    await ledger.commit("docs", removed=ids)
    assert await ledger.count_chunks() == 0


async def test_only_what_shares_a_token_is_readable_and_what_is_unknown_is_not(ledger: Ledger) -> None:
    records = [
        record("all"),
        record("finance", readers=frozenset({"group:finance"})),
        record("none", readers=frozenset()),
    ]
    await ledger.commit("docs", records=records, chunks={r.id: [chunk(r, 0)] for r in records})
    ids = [ChunkId(f"{name}-0") for name in ("all", "finance", "none", "unknown")]

    assert await ledger.readable(ids, frozenset({"everyone", "public"})) == {"all-0"}
    assert await ledger.readable(ids, frozenset({"everyone", "group:finance"})) == {"all-0", "finance-0"}
    assert await ledger.readable(ids, frozenset()) == set()
    assert await ledger.readable([], frozenset({"everyone"})) == set()


async def test_neighbours_are_those_at_the_places_asked_for_and_only_for_who_may_read_them(ledger: Ledger) -> None:
    records = [record("long"), record("short"), record("finance", readers=frozenset({"group:finance"}))]
    chunks = {r.id: [chunk(r, position) for position in range(6)] for r in records}
    await ledger.commit("docs", records=records, chunks=chunks)
    places = [
        ("docs", DocumentId("long"), range(2, 4)),
        ("docs", DocumentId("long"), range(3, 5)),
        ("docs", DocumentId("short"), range(5, 9)),
        ("docs", DocumentId("finance"), range(0, 6)),
        ("other", DocumentId("long"), range(0, 6)),
    ]

    async def ids(*tokens: str) -> list[str]:
        return sorted(found.id for found in await ledger.neighbours(places, frozenset(tokens)))

    member = ["long-2", "long-3", "long-4", "short-5"]
    assert await ids("everyone") == member
    assert await ids("everyone", "group:finance") == sorted([*member, *(f"finance-{at}" for at in range(6))])
    assert await ids() == []
    assert await ledger.neighbours([], frozenset({"everyone"})) == []


async def test_chunks_stay_unsettled_until_a_commit_that_does_not_name_them(ledger: Ledger) -> None:
    await ledger.unsettle("docs", [ChunkId("a"), ChunkId("b"), ChunkId("a")])
    await ledger.unsettle("docs", [ChunkId("b")])
    await ledger.unsettle("wiki", [ChunkId("w")])
    assert sorted(await ledger.unsettled("docs")) == ["a", "b"]
    assert sorted(await ledger.unsettled()) == ["a", "b", "w"]

    await ledger.commit("docs", gone=[ChunkId("b")])
    assert sorted(await ledger.unsettled()) == ["b", "w"]

    await ledger.settle("docs")
    assert await ledger.unsettled() == ["w"]
    await ledger.settle_all()
    assert await ledger.unsettled() == []


async def test_every_chunk_comes_in_pages_in_the_order_of_ids(ledger: Ledger) -> None:
    records = [record(f"d{number:02}") for number in range(7)]
    await ledger.commit("docs", records=records, chunks={r.id: [chunk(r, 0), chunk(r, 1)] for r in records})

    pages = [page async for page in ledger.pages(5)]

    assert [len(page) for page in pages] == [5, 5, 4]
    assert [each.id for page in pages for each in page] == sorted(f"d{n:02}-{p}" for n in range(7) for p in range(2))
    assert pages[0][0] == chunk(records[0], 0)


async def test_a_text_is_found_again_under_any_name_unless_its_chunk_is_unsettled(ledger: Ledger) -> None:
    first, second = record("first"), record("second")
    await ledger.commit("docs", records=[first, second], chunks={r.id: [chunk(r, 0)] for r in (first, second)})
    moved = replace(chunk(first, 0), id=ChunkId("moved"), document=DocumentId("elsewhere"), position=4)
    retitled = replace(moved, id=ChunkId("retitled"), title="Another title, which is part of the indexed text")
    await ledger.unsettle("docs", [ChunkId("second-0")])

    found = await ledger.same_texts([moved, retitled, replace(chunk(second, 0), id=ChunkId("new"))])

    assert found == {"moved": "first-0"}


async def test_what_was_removed_is_remembered_until_it_comes_back(ledger: Ledger) -> None:
    await ledger.commit("docs", records=[record("a"), record("b"), record("c")])
    await ledger.commit("docs", removed=[DocumentId("a"), DocumentId("b")])
    assert {(each.source, each.document) for each in await ledger.removed()} == {("docs", "a"), ("docs", "b")}

    await ledger.commit("docs", records=[record("a")])
    assert [each.document for each in await ledger.removed()] == ["b"]


async def test_a_cursor_holds_for_the_settings_it_was_kept_under(ledger: Ledger) -> None:
    await ledger.remember_source(SourceRecord(name="wiki", location="/wiki", configured=True))
    assert await ledger.cursor("wiki", "one") is None
    await ledger.keep_cursor("wiki", "one", "42")
    await ledger.remember_source(SourceRecord(name="wiki", location="/moved", configured=True))

    assert await ledger.cursor("wiki", "one") == "42"
    assert await ledger.cursor("wiki", "other") is None


async def test_documents_in_trouble_are_known_whole_and_the_others_by_what_was_listed(ledger: Ledger) -> None:
    fine, failed, due = record("fine"), record("failed", error="broken"), replace(record("due"), due=True)
    await ledger.commit("docs", records=[replace(fine, listed="digest"), failed, due])

    known = await ledger.known("docs")

    assert known.digests == {"fine": "digest"}
    assert known.troubled == {"failed": failed, "due": due}
    assert (len(known), "due" in known, "unknown" in known) == (3, True, False)
    assert await ledger.records("docs", [fine.id, DocumentId("unknown")]) == {"fine": replace(fine, listed="digest")}


async def test_how_sources_stand_is_told_by_their_runs_and_documents(ledger: Ledger) -> None:
    for name in ("docs", "empty"):
        await ledger.remember_source(SourceRecord(name=name, location=f"/{name}", configured=True))
    good, bad = record("good"), record("bad", error="broken")
    await ledger.commit("docs", records=[good, bad], chunks={good.id: [chunk(good, 0), chunk(good, 1)]})
    later = NOON + timedelta(hours=1)
    await ledger.record_run("docs", started=NOON, ended=NOON, counts={"added": 1}, error=None)
    await ledger.record_run("docs", started=later, ended=later, counts={}, error="interrupted")

    docs, empty = await ledger.states()

    assert (docs.documents, docs.failing, docs.chunks, docs.synced_at, docs.error) == (2, 1, 2, NOON, "interrupted")
    assert (empty.documents, empty.chunks, empty.synced_at, empty.error) == (0, 0, None, None)


async def test_failing_documents_are_named_with_their_reasons_up_to_a_limit(ledger: Ledger) -> None:
    empty = replace(record("empty", error="there is no text in it"), empty=True)
    failed = [record(id, error=f"{id} is damaged") for id in "cab"]
    await ledger.commit("docs", records=[record("good"), empty, *failed])

    assert await ledger.failing("docs", 2) == {"a": "a is damaged", "b": "b is damaged"}
    assert await ledger.failing("other", 2) == {}


async def test_a_source_has_one_writer_at_a_time_and_two_sources_have_two(ledger: Ledger, other: Ledger) -> None:
    async with ledger.writing("docs"):
        with pytest.raises(LedgerBusy, match="writing 'docs'; wait until it has ended"):
            async with other.writing("docs"):
                pass
        async with other.writing("wiki"):
            await other.commit("wiki", records=[replace(record("a"), source="wiki")])
            await ledger.commit("docs", records=[record("a")])
    async with other.writing("docs"):
        await other.settle("docs")


async def test_who_writes_alone_lets_nobody_else_write_and_waits_for_nobody(ledger: Ledger, other: Ledger) -> None:
    async with ledger.writing("docs"):
        with pytest.raises(LedgerBusy):
            async with other.alone():
                pass
    async with ledger.alone():
        for lease in (other.writing("docs"), other.alone()):
            with pytest.raises(LedgerBusy):
                async with lease:
                    pass
        await ledger.settle_all()
    async with other.alone():
        pass


async def test_a_writer_whose_lease_broke_commits_nothing_more(postgres: Postgres, postgres_url: str) -> None:
    ledger = await Ledger.open(StateSettings(url=postgres_url))
    try:
        async with ledger.writing("docs"):
            await ledger.commit("docs", records=[record("before")])
            postgres.run(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database ="
                f" (SELECT oid FROM pg_database WHERE datname = '{make_url(postgres_url).database}')"
            )
            with pytest.raises(LeaseLost, match="run the sync again"):
                await ledger.commit("docs", records=[record("after")])
        assert set(await ledger.documents("docs")) == {"before"}
    finally:
        await ledger.close()


async def test_a_lock_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    ledger = await Ledger.open(in_folder(tmp_path))
    try:
        (tmp_path / "state.db.locks").write_text("")
        with pytest.raises(DatabaseUnavailable, match=r"state\.db\.locks"):
            async with ledger.writing("docs"):
                pass
    finally:
        await ledger.close()


async def test_a_ledger_of_the_first_revision_is_brought_up_to_date_with_all_it_holds(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'state.db'}")
    with engine.begin() as connection:
        migrations.upgrade(connection, database.LEDGER.versions, "0001", database.LEDGER.version_table)
        connection.exec_driver_sql("INSERT INTO sources VALUES ('docs', '/docs', 1)")
        connection.exec_driver_sql(
            "INSERT INTO documents VALUES ('docs', 'a', '1:2', 'ab', 'kreuzberg', NULL, 0, 'A', NULL, NULL, NULL, 'en',"
            " '[\"everyone\"]', NULL, '2026-03-02 10:30:00')"
        )
        connection.exec_driver_sql("INSERT INTO chunks VALUES ('a-0', 'docs', 'a', 0, '[]', NULL, 'Text.')")
        connection.exec_driver_sql("INSERT INTO unsettled VALUES ('a-0'), ('gone')")
    engine.dispose()

    ledger = await Ledger.open(in_folder(tmp_path))
    try:
        assert [each.text async for page in ledger.pages() for each in page] == ["Text."]
        assert (await ledger.documents("docs"))[DocumentId("a")].due is False
        assert sorted(await ledger.unsettled("docs")) == ["a-0", "gone"]
    finally:
        await ledger.close()


async def test_the_tables_are_those_that_the_migrations_make(tmp_path: Path) -> None:
    await (await Ledger.open(in_folder(tmp_path))).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'state.db'}")
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"version_table": database.LEDGER.version_table})
            assert compare_metadata(context, database.TABLES) == []
    finally:
        engine.dispose()


def test_the_revision_in_the_code_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == database.LEDGER.revision


async def test_tables_of_others_in_the_same_database_are_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state.db") as connection:
        connection.execute("CREATE TABLE threads (id TEXT)")
        connection.execute("CREATE TABLE bot_version (version_num TEXT)")
    connection.close()
    ledger = await Ledger.open(in_folder(tmp_path))
    await ledger.close()
    with sqlite3.connect(tmp_path / "state.db") as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert {"threads", "bot_version", "documents", database.LEDGER.version_table} <= names


async def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    await (await Ledger.open(in_folder(tmp_path))).close()
    with sqlite3.connect(tmp_path / "state.db") as connection:
        connection.execute(f"UPDATE {database.LEDGER.version_table} SET version_num = '9999'")
    connection.close()
    with pytest.raises(DatabaseUnreadable, match="newer souffleur \\(9999\\)"):
        await Ledger.open(in_folder(tmp_path))


async def test_a_file_that_is_no_database_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"not a database, " * 100)
    with pytest.raises(DatabaseUnreadable, match=r"state\.db.*move it away"):
        await Ledger.open(in_folder(tmp_path))
    assert (tmp_path / "state.db").read_bytes() == b"not a database, " * 100


async def test_a_place_where_no_folder_can_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailable, match="cannot make the folder"):
        await Ledger.open(in_folder(tmp_path / "file" / "home"))


async def test_moments_come_back_with_a_time_zone(ledger: Ledger) -> None:
    await ledger.commit("docs", records=[record("a")])
    known = (await ledger.documents("docs"))[DocumentId("a")]
    assert known.updated_at == NOON
    assert known.updated_at is not None
    assert known.updated_at.tzinfo is UTC
