"""From where tokens are written to what the index is asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import create_engine

from ingest import database, migrations
from ingest.ledger import Ledger, StateSettings
from ingest.model import DocumentId
from tests.fixtures.shelf import SALARIES
from tests.ingest.workplace import Workplace

ADA = "user:ada@example.org"
SALARIES_MD = DocumentId("salaries.md")


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


async def test_tokens_of_front_matter_and_of_the_configuration_find_people_however_they_are_written(
    workplace: Workplace,
) -> None:
    workplace.write("own.md", f"---\nreaders: ['user:Ada@Example.org', 'group:Finance']\n---\n{SALARIES}")
    workplace.write("ruled.md", SALARIES)
    await workplace.sync(workplace.restricted(ruled=["user:ADA@example.org"]))

    assert await workplace.found("salary bands", ADA) == {"own.md", "ruled.md"}
    assert await workplace.found("salary bands", "group:finance") == {"own.md"}
    assert await workplace.found("salary bands", "user:Ada@Example.org") == set()
    assert await workplace.found("salary bands") == set()


async def test_tokens_stored_in_another_form_are_mended_without_reading_the_documents_again(
    workplace: Workplace,
) -> None:
    """As a ledger of the second revision has them."""
    workplace.write("salaries.md", f"---\nreaders: ['{ADA}']\n---\n{SALARIES}")
    workplace.write("parking.md", SALARIES)
    await workplace.sync()
    as_written = json.dumps(["user:Ada@Example.org"])
    engine = create_engine(f"sqlite:///{workplace.home / 'state.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE revocations")
        connection.exec_driver_sql("ALTER TABLE documents DROP COLUMN withheld")
        connection.exec_driver_sql(f"UPDATE {database.LEDGER.version_table} SET version_num = '0002'")
        connection.exec_driver_sql(
            "UPDATE documents SET readers = ?, own_readers = ? WHERE id = 'salaries.md'", (as_written, as_written)
        )
        connection.exec_driver_sql("UPDATE sources SET cursor = '42'")
    engine.dispose()
    points = workplace.kept["points"]
    for id in [id for id, point in points.items() if point.chunk.document == SALARIES_MD]:
        points[id] = replace(points[id], chunk=replace(points[id].chunk, readers=frozenset(json.loads(as_written))))
    assert await workplace.found("salary bands", ADA) == set()

    async with workplace.rooms() as rooms:
        assert await rooms.ledger.allows([("docs", SALARIES_MD)], frozenset({ADA})) == set()
        assert await rooms.ledger.cursor("docs", "") is None
    report = await workplace.sync()

    assert report.parsed == 0
    assert await workplace.found("salary bands", ADA) == {SALARIES_MD}
    known, indexed = await workplace.held()
    assert known == indexed


async def test_a_ledger_of_the_second_revision_has_its_tokens_mended_on_either_database(state: StateSettings) -> None:
    engine = create_engine(str(state.url).replace("+aiosqlite", ""))
    tokens = ["user:\u212aarl@Example.org", "group:Bu\u0308CHER", "slack:C042"]
    with engine.begin() as connection:
        migrations.upgrade(connection, database.LEDGER.versions, "0002", database.LEDGER.version_table)
        for name in ("docs", "wiki"):
            connection.execute(
                sa.text("INSERT INTO sources VALUES (:name, '/', true, '42', 'one', NULL)"), {"name": name}
            )
        for source, own, listed in (("docs", tokens, None), ("docs/", None, tokens), ("wiki", ["group:a"], None)):
            connection.execute(
                sa.text(
                    "INSERT INTO documents VALUES (:source, 'a', '1', 'ab', 'k', NULL, false, 'A', NULL, NULL, NULL,"
                    " 'en', '[\"group:A\"]', :own, NULL, 'digest', :listed, NULL, false)"
                ).bindparams(
                    sa.bindparam("own", type_=sa.JSON(none_as_null=True)),
                    sa.bindparam("listed", type_=sa.JSON(none_as_null=True)),
                ),
                {"source": source, "own": own, "listed": listed},
            )
    engine.dispose()

    ledger = await Ledger.open(state)
    try:
        mended = frozenset({"user:\u212aarl@example.org", "group:b\u00fccher", "slack:C042"})
        (docs,) = (await ledger.documents("docs")).values()
        (other,) = (await ledger.documents("docs/")).values()
        (wiki,) = (await ledger.documents("wiki")).values()
        assert (docs.own_readers, docs.listed_readers, docs.listed) == (mended, None, "")
        assert (other.own_readers, other.listed_readers, other.listed) == (None, mended, "")
        assert (wiki.own_readers, wiki.listed) == (frozenset({"group:a"}), "digest")
        assert docs.readers == {"group:A"}
        assert await ledger.cursor("docs", "one") is None
        assert await ledger.cursor("wiki", "one") == "42"
    finally:
        await ledger.close()
