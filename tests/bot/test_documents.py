from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.documents import Documents
from ingest.ledger import Ledger
from ingest.model import MEMBER, DocumentId
from tests.fixtures.ledgers import chunk, in_folder, record

FINANCE = frozenset({"group:finance"})


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    ledger = await Ledger.open(in_folder(tmp_path))
    records = [record("all"), record("finance", readers=FINANCE), record("empty")]
    chunks = {each.id: [chunk(each, 0), chunk(each, 1)] for each in records[:2]}
    await ledger.commit("docs", records=records, chunks=chunks)
    yield ledger
    await ledger.close()


async def test_a_document_is_read_by_who_may_and_for_others_it_is_not_there(ledger: Ledger) -> None:
    documents = Documents(ledger)
    title, passages = await documents.read("docs", "finance", FINANCE) or ("", ())
    assert (title, len(passages)) == ("Title of finance", 2)
    assert passages[0] == "## House\n\n### Garage › Doors\n\nPassage 0\nof finance"
    assert await documents.read("docs", "finance", MEMBER) is None
    assert await documents.read("docs", "empty", MEMBER) is None
    assert await documents.read("docs", "unknown", MEMBER) is None


async def test_a_revoked_document_is_not_there_for_anybody_until_it_is_restored(ledger: Ledger) -> None:
    documents = Documents(ledger)
    await ledger.revoke("docs", DocumentId("all"))
    assert await documents.read("docs", "all", MEMBER | FINANCE) is None
    await ledger.restore("docs", DocumentId("all"))
    assert await documents.read("docs", "all", MEMBER) is not None


async def test_what_is_revoked_while_it_is_read_is_not_handed_out(ledger: Ledger) -> None:
    class Slow:
        """The ledger, where the document is revoked as soon as its passages were read."""

        allows = ledger.allows

        async def chunks(self, source: str, documents: list[DocumentId]) -> object:
            found = await ledger.chunks(source, documents)
            await ledger.revoke(source, documents[0])
            return found

    assert await Documents(Slow()).read("docs", "all", MEMBER) is None  # type: ignore[arg-type]


async def test_the_text_of_a_document_is_not_even_read_for_who_may_not_read_it(ledger: Ledger) -> None:
    class Counting:
        """The ledger, which counts what is read."""

        allows = ledger.allows
        read = 0

        async def chunks(self, source: str, documents: list[DocumentId]) -> object:
            self.read += 1
            return await ledger.chunks(source, documents)

    counting = Counting()
    for document in ("finance", "unknown"):
        assert await Documents(counting).read("docs", document, MEMBER) is None  # type: ignore[arg-type]
    assert counting.read == 0
