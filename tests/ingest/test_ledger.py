from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from ingest import database, migrations
from ingest.ledger import (
    DatabaseUnavailable,
    DatabaseUnreadable,
    Ledger,
    LedgerBusy,
    Record,
    SourceRecord,
    StateSettings,
)
from ingest.model import Chunk, ChunkId, DocumentId, Readers

NOON = datetime(2026, 3, 2, 12, 30, tzinfo=timezone(timedelta(hours=2)))


def settings(folder: Path) -> StateSettings:
    return StateSettings(url=f"sqlite+aiosqlite:///{folder / 'state.db'}")


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    ledger = await Ledger.open(settings(tmp_path))
    yield ledger
    await ledger.close()


def record(id: str, *, readers: Readers = frozenset({"everyone"}), error: str | None = None) -> Record:
    return Record(
        source="docs",
        id=DocumentId(id),
        version="12:34",
        content_hash="ab" * 32,
        parser="kreuzberg",
        error=error,
        title=f"Title of {id}",
        url=None,
        author="Ada",
        updated_at=NOON,
        language="en",
        readers=readers,
        own_readers=None,
        indexed_at=NOON,
    )


def chunk(of: Record, position: int) -> Chunk:
    return Chunk(
        id=ChunkId(f"{of.id}-{position}"),
        source=of.source,
        document=of.id,
        position=position,
        title=of.title,
        headings=("House", "Garage › Doors"),
        page=3,
        text=f"Passage {position}\nof {of.id}",
        language=of.language,
        readers=of.readers,
        url=of.url,
        updated_at=of.updated_at,
    )


async def test_what_is_committed_comes_back_equal(ledger: Ledger) -> None:
    known = record("a\nb.md", readers=frozenset({"group:x", "user:ada@example.org"}))
    chunks = [chunk(known, position) for position in range(3)]
    await ledger.commit("docs", records=[known], chunks={known.id: chunks})

    assert await ledger.documents("docs") == {known.id: known}
    assert await ledger.document("docs", known.id) == known
    assert await ledger.chunks("docs", [known.id, DocumentId("unknown")]) == {known.id: tuple(chunks)}
    assert await ledger.count_chunks() == 3


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
    assert len(await ledger.readable([("docs", id) for id in ids], frozenset({"everyone"}))) == 1001
    await ledger.commit("docs", removed=ids)
    assert await ledger.count_chunks() == 0


async def test_only_what_shares_a_token_is_readable_and_what_is_unknown_is_not(ledger: Ledger) -> None:
    records = [
        record("all"),
        record("finance", readers=frozenset({"group:finance"})),
        record("none", readers=frozenset()),
    ]
    await ledger.commit("docs", records=records)
    keys = [("docs", DocumentId(id)) for id in ("all", "finance", "none", "unknown")] + [("other", DocumentId("all"))]

    assert await ledger.readable(keys, frozenset({"everyone", "public"})) == {keys[0]}
    assert await ledger.readable(keys, frozenset({"everyone", "group:finance"})) == set(keys[:2])
    assert await ledger.readable(keys, frozenset()) == set()
    assert await ledger.readable([], frozenset({"everyone"})) == set()


async def test_chunks_stay_unsettled_until_a_commit_that_does_not_name_them(ledger: Ledger) -> None:
    await ledger.unsettle([ChunkId("a"), ChunkId("b"), ChunkId("a")])
    await ledger.unsettle([ChunkId("b")])
    assert sorted(await ledger.unsettled()) == ["a", "b"]

    await ledger.commit("docs", gone=[ChunkId("b")])
    assert await ledger.unsettled() == ["b"]

    await ledger.settle()
    assert await ledger.unsettled() == []


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
    async with ledger.writing():
        await ledger.commit("docs", records=[record("good"), empty, *failed])

    assert await ledger.failing("docs", 2) == {"a": "a is damaged", "b": "b is damaged"}
    assert await ledger.failing("other", 2) == {}


async def test_there_is_one_writer_at_a_time(ledger: Ledger, tmp_path: Path) -> None:
    other = await Ledger.open(settings(tmp_path))
    try:
        async with ledger.writing():
            with pytest.raises(LedgerBusy, match="wait until it has ended"):
                async with other.writing():
                    pass
        async with other.writing():
            await other.settle()
    finally:
        await other.close()


async def test_the_tables_are_those_that_the_migrations_make(ledger: Ledger, tmp_path: Path) -> None:
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
    ledger = await Ledger.open(settings(tmp_path))
    await ledger.close()
    with sqlite3.connect(tmp_path / "state.db") as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert {"threads", "bot_version", "documents", database.LEDGER.version_table} <= names


async def test_a_database_of_a_newer_version_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state.db") as connection:
        connection.execute(f"UPDATE {database.LEDGER.version_table} SET version_num = '9999'")
    connection.close()
    with pytest.raises(DatabaseUnreadable, match="newer souffleur \\(9999\\)"):
        await Ledger.open(settings(tmp_path))


async def test_a_file_that_is_no_database_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"not a database, " * 100)
    with pytest.raises(DatabaseUnreadable, match=r"state\.db.*move it away"):
        await Ledger.open(settings(tmp_path))
    assert (tmp_path / "state.db").read_bytes() == b"not a database, " * 100


async def test_a_place_where_no_folder_can_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailable, match="cannot make the folder"):
        await Ledger.open(settings(tmp_path / "file" / "home"))


async def test_moments_come_back_with_a_time_zone(ledger: Ledger) -> None:
    await ledger.commit("docs", records=[record("a")])
    known = (await ledger.documents("docs"))[DocumentId("a")]
    assert known.updated_at == NOON
    assert known.updated_at is not None
    assert known.updated_at.tzinfo is UTC
