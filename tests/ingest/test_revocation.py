from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.ledger import Ledger, LedgerBusy, SourceRecord
from ingest.model import ChunkId, DocumentId, Readers
from ingest.verify import verify
from tests.fixtures.ledgers import chunk, record
from tests.fixtures.shelf import PARKING, SALARIES, Shelf, counts
from tests.ingest.workplace import Workplace

ANYBODY: Readers = frozenset({"everyone", "public", "group:finance"})

A = DocumentId("a")
SALARIES_MD = DocumentId("salaries.md")


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@asynccontextmanager
async def ledger_of(workplace: Workplace) -> AsyncIterator[Ledger]:
    """As another process has it."""
    async with workplace.rooms() as rooms:
        yield rooms.ledger


async def revoke(workplace: Workplace, document: str = SALARIES_MD) -> None:
    async with ledger_of(workplace) as ledger:
        assert await ledger.revoke("docs", DocumentId(document), by="ada")


async def restore(workplace: Workplace) -> None:
    async with ledger_of(workplace) as ledger:
        assert await ledger.restore("docs", SALARIES_MD)


async def open_to(workplace: Workplace, *tokens: str) -> bool:
    """Whether the ledger lets a holder of `tokens` read it; chunk by chunk and as a document, which must agree."""
    readers = frozenset(tokens or ANYBODY)
    async with ledger_of(workplace) as ledger:
        chunks = (await ledger.chunks("docs", [SALARIES_MD])).get(SALARIES_MD, ())
        by_chunk = bool(await ledger.readable([each.id for each in chunks], readers))
        by_document = bool(await ledger.allows([("docs", SALARIES_MD)], readers))
    assert by_chunk == (by_document and bool(chunks))
    return by_document


async def agrees(workplace: Workplace) -> bool:
    async with workplace.rooms() as rooms:
        return (await verify(rooms.ledger, rooms.index)).agrees


async def test_only_known_documents_that_share_a_token_are_allowed(ledger: Ledger) -> None:
    finance = record("finance", readers=frozenset({"group:finance", "user:ada@example.org"}))
    elsewhere = replace(record("all", readers=frozenset({"group:elsewhere"})), source="wiki")
    await ledger.commit("docs", records=[record("all"), finance, record("none", readers=frozenset())])
    await ledger.commit("wiki", records=[elsewhere])
    keys = [("docs", DocumentId(id)) for id in ("all", "finance", "none", "unknown")] + [("wiki", elsewhere.id)]

    assert await ledger.allows(keys, frozenset({"everyone", "public"})) == {("docs", "all")}
    assert await ledger.allows(keys, frozenset({"user:ada@example.org"})) == {("docs", "finance")}
    assert await ledger.allows(keys, frozenset({"group:elsewhere"})) == {("wiki", "all")}
    assert await ledger.allows(keys, frozenset()) == set()
    assert await ledger.allows([], ANYBODY) == set()


async def test_more_documents_than_one_statement_takes_are_allowed(ledger: Ledger) -> None:
    records = [record(str(number)) for number in range(1001)]
    await ledger.commit("docs", records=records)
    assert len(await ledger.allows({("docs", each.id) for each in records}, ANYBODY)) == 1001


async def test_every_token_that_a_document_names_is_known(ledger: Ledger) -> None:
    assert await ledger.reader_tokens() == frozenset()
    named = [frozenset({"everyone"}), frozenset({"group:bücher", "slack:C042"}), frozenset({"slack:C042"}), frozenset()]
    await ledger.commit("docs", records=[record(str(at), readers=each) for at, each in enumerate([*named, *named])])
    assert await ledger.reader_tokens() == {"everyone", "group:bücher", "slack:C042"}


async def test_nobody_reads_a_revoked_document_from_that_moment_on(ledger: Ledger, other: Ledger) -> None:
    records = [record("a", readers=ANYBODY), record("b")]
    await ledger.commit("docs", records=records, chunks={each.id: [chunk(each, 0)] for each in records})
    places = [("docs", each.id, range(0, 1)) for each in records]
    keys = [("docs", each.id) for each in records]

    assert await other.revoke("docs", A, by="ada")

    assert await ledger.readable([ChunkId("a-0"), ChunkId("b-0")], ANYBODY) == {"b-0"}
    assert await ledger.allows(keys, ANYBODY) == {("docs", "b")}
    assert [each.id for each in await ledger.neighbours(places, ANYBODY)] == ["b-0"]

    assert await other.restore("docs", A)
    assert await ledger.allows(keys, ANYBODY) == set(keys)
    assert len(await ledger.neighbours(places, ANYBODY)) == 2


async def test_who_revoked_a_document_first_is_kept_and_newest_come_first(ledger: Ledger) -> None:
    await ledger.commit("docs", records=[record("a"), record("b")])
    before = datetime.now(UTC)
    for id, by in (("a", "ada"), ("b", "bob"), ("a", "eve")):
        assert await ledger.revoke("docs", DocumentId(id), by=by)

    newest, oldest = await ledger.revoked()

    assert (newest.document, newest.by) == ("b", "bob")
    assert (oldest.source, oldest.document, oldest.by) == ("docs", "a", "ada")
    assert before <= oldest.at <= newest.at


async def test_what_is_not_known_cannot_be_revoked_and_what_is_not_revoked_cannot_be_restored(ledger: Ledger) -> None:
    await ledger.commit("docs", records=[record("a")])
    assert not await ledger.revoke("docs", DocumentId("unknown"))
    assert not await ledger.revoke("wiki", A)
    assert not await ledger.restore("docs", A)
    assert await ledger.revoked() == []


async def test_a_document_is_revoked_and_restored_while_a_sync_holds_the_lease(ledger: Ledger, other: Ledger) -> None:
    await ledger.commit("docs", records=[record("a")])
    async with ledger.writing("docs"):
        with pytest.raises(LedgerBusy):
            async with other.writing("docs"):
                pass
        assert await other.revoke("docs", A)
        await ledger.commit("docs", records=[record("a", readers=ANYBODY)])
        assert await ledger.allows([("docs", A)], ANYBODY) == set()
        assert await other.restore("docs", A)
    async with ledger.alone():
        assert await other.revoke("docs", A)


async def test_how_many_are_revoked_is_told_for_each_source(ledger: Ledger) -> None:
    for name in ("docs", "wiki"):
        await ledger.remember_source(SourceRecord(name=name, location="", configured=True))
    await ledger.commit("docs", records=[record("a"), record("b"), record("c")])
    await ledger.revoke("docs", A)
    await ledger.revoke("docs", DocumentId("b"))
    await ledger.commit("docs", removed=[A])
    assert [(state.source.name, state.revoked) for state in await ledger.states()] == [("docs", 2), ("wiki", 0)]


async def test_the_next_sync_takes_the_readers_out_of_the_index_and_a_later_one_gives_them_back(
    workplace: Workplace,
) -> None:
    workplace.write("salaries.md", SALARIES)
    workplace.write("parking.md", PARKING)
    await workplace.sync()

    await revoke(workplace)
    assert await workplace.found("salary bands") == {SALARIES_MD}  # the index has not heard of it
    assert not await open_to(workplace)
    assert await agrees(workplace)

    report = await workplace.sync()
    assert (counts(report), report.parsed) == ({"unchanged": 2}, 0)
    assert await workplace.found("salary bands", *ANYBODY) == set()
    assert not await open_to(workplace)
    assert await agrees(workplace)

    await restore(workplace)
    assert await open_to(workplace)
    assert await agrees(workplace)
    await workplace.sync()
    assert await workplace.found("salary bands") == {SALARIES_MD}
    assert await agrees(workplace)


async def test_it_stays_revoked_whatever_happens_to_the_document(workplace: Workplace) -> None:
    workplace.write("salaries.md", SALARIES)
    workplace.write("parking.md", PARKING)
    await workplace.sync()
    await revoke(workplace)

    async def nobody_reads() -> bool:
        hidden = await workplace.found("salary bands", *ANYBODY) == set()
        return hidden and not await open_to(workplace) and await agrees(workplace)

    await workplace.sync(workplace.restricted(salaries=["group:finance"]))
    assert await nobody_reads()
    workplace.write("salaries.md", SALARIES + "\nThe board reads them, too.\n")
    await workplace.sync(workplace.restricted(salaries=["public"]))
    assert await nobody_reads()
    (workplace.docs / "salaries.md").unlink()
    await workplace.sync(full=True)
    assert await nobody_reads()
    workplace.write("salaries.md", SALARIES)
    await workplace.sync()
    assert await nobody_reads()
    await workplace.sync(full=True)
    assert await nobody_reads()

    await restore(workplace)
    await workplace.sync()
    assert await workplace.found("salary bands") == {SALARIES_MD}


async def test_it_leaves_the_index_though_the_source_is_away(workplace: Workplace, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, **{"salaries.md": SALARIES})
    await workplace.sync(shelf)
    await revoke(workplace)
    shelf.breaks_off = ConnectionError("away")  # type: ignore[assignment]
    with pytest.raises(ConnectionError):
        await workplace.sync(shelf)
    assert await workplace.found("salary bands", *ANYBODY) == set()
    assert await agrees(workplace)


async def test_revoked_in_the_middle_of_a_sync_it_is_out_of_the_index_after_the_next_one(workplace: Workplace) -> None:
    workplace.write("salaries.md", SALARIES)
    await workplace.sync()
    workplace.write("salaries.md", SALARIES + "\nThe board reads them, too.\n")

    async with workplace.run() as run:
        parse = run.parse

        async def parse_slowly(*arguments: object, **named: object) -> object:
            parsed = await parse(*arguments, **named)  # type: ignore[arg-type]
            await revoke(workplace)
            return parsed

        run.parse = parse_slowly  # type: ignore[assignment]
        await run.sync()
    assert not await open_to(workplace)
    assert await agrees(workplace)

    await workplace.sync()
    assert await workplace.found("salary bands", *ANYBODY) == set()


async def test_restored_in_the_middle_of_a_sync_it_is_back_after_the_next_one(workplace: Workplace) -> None:
    workplace.write("salaries.md", SALARIES)
    await workplace.sync()
    await revoke(workplace)

    class Late:
        """A ledger whose document is restored just before each commit."""

        def __init__(self, room: object) -> None:
            self._room = room

        def __getattr__(self, name: str) -> object:
            return getattr(self._room, name)

        async def commit(self, *arguments: object, **named: object) -> None:
            await self._room.restore("docs", SALARIES_MD)  # type: ignore[attr-defined]
            await self._room.commit(*arguments, **named)  # type: ignore[attr-defined]

    async with workplace.run(wrap=lambda room: Late(room) if isinstance(room, Ledger) else room) as run:
        await run.sync()
    assert await open_to(workplace)
    assert await workplace.found("salary bands") == set()
    assert await agrees(workplace)

    await workplace.sync()
    assert await workplace.found("salary bands") == {SALARIES_MD}
    assert await agrees(workplace)
