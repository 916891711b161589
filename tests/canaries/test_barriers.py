"""Each barrier by itself: an index that has not heard is behind the search, and one of the two checks after it open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.answer import Answering
from ingest.ledger import Ledger, StateSettings
from ingest.model import Chunk, ChunkId, DocumentId, DocumentKey, Readers
from ingest.telemetry import Metrics
from tests.canaries.asking import Asked, question, questions, told
from tests.canaries.company import small
from tests.canaries.house import House, house, url_of
from tests.canaries.lookout import Heard
from tests.canaries.writer import Copying

Desk = tuple[House, Answering, Copying]


class Open(Ledger):
    """A ledger whose search results and surroundings nobody checks."""

    async def readable(self, chunks: Iterable[ChunkId], tokens: Readers) -> set[ChunkId]:
        return set(chunks)

    async def neighbours(self, places: Sequence[tuple[str, DocumentId, range]], tokens: Readers) -> list[Chunk]:
        found = await self.chunks("handbook", [document for _, document, _ in places])
        return [chunk for chunks in found.values() for chunk in chunks]


async def everything(documents: Collection[DocumentKey], tokens: Readers) -> set[DocumentKey]:
    return set(documents)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desks(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Desk]]:
    """One whose passages nobody checks again before the prompt, and one whose hits nobody checks after the search."""
    folder = tmp_path_factory.mktemp("barriers")
    async with house(folder, small()) as on:
        for number, paper in enumerate(list(on.company.papers.values())):
            if number % 3 == 0:
                await on.relabel(paper, ["group:ghosts"], indexed=False)
            elif number % 3 == 1:
                await on.revoke(paper)
        loose = await Open.open(StateSettings(url=url_of(folder)))
        unchecked = House(ledger=loose, index=on.index, metrics=Metrics())
        unchecked.company = on.company
        first, second = Copying(), Copying()
        yield [
            (on, on.answering(first, understanding=first, allows=everything), first),
            (unchecked, unchecked.answering(second, understanding=second), second),
        ]
        await loose.close()


@pytest.mark.asyncio(loop_scope="module")
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 1), who=st.sampled_from(["U01", "U03", "U06", "U15", "U20", "U34"]), asked=questions)
async def test_either_check_alone_keeps_back_what_the_index_has_not_heard_of(
    desks: list[Desk], heard: Heard, at: int, who: str, asked: Asked
) -> None:
    on, answering, writer = desks[at]
    of = question(asked, who=who, own=on.company.holds(who))
    with on.company.knowing(asked.known, who):
        await told(on, answering, of, company=on.company, readers=[who], writer=writer)
    heard.check()
