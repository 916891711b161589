"""The real ledger, a real index and a real assistant over the two hundred papers, and what is done to the papers."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from hypothesis.vendor.pretty import RepresentationPrinter

from bot.retrieval.evidence import witness
from bot.retrieval.retrieve import Retriever
from ingest.index.edge import EdgeStore
from ingest.index.hybrid import Index
from ingest.index.interface import Store
from ingest.index.server import MEMORY, ServerStore
from ingest.ledger import Ledger, Record, StateSettings
from ingest.model import Chunk, DocumentId
from ingest.telemetry import Metrics
from tests.canaries.company import Company
from tests.canaries.library import Paper, pieces
from tests.fixtures.assistant import Stage

Backend = Literal["edge", "server"]


class House(Stage):
    """`Stage` with the company whose papers it holds."""

    company: Company

    def __repr__(self) -> str:
        return f"<house of {len(self.company.papers)} papers>"

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        """What hypothesis shows of it, which would be all of its fields else."""
        printer.text(repr(self))

    async def revoke(self, paper: Paper) -> None:
        """From this moment on nobody may read it, whatever the index still says."""
        await self.ledger.revoke(paper.source, DocumentId(paper.id))
        self.company.revoked.add(paper.key)

    async def restore(self, paper: Paper) -> None:
        await self.ledger.restore(paper.source, DocumentId(paper.id))
        self.company.revoked.discard(paper.key)

    async def relabel(self, paper: Paper, readers: Iterable[str], *, indexed: bool = True) -> Paper:
        """As a sync does that finds other readers; without `indexed` it was killed before it told the index."""
        changed = self.company.papers[paper.key].to(*readers)
        await committed(self.ledger, [changed])
        if indexed:
            await self.index.set_readers([chunk.id for chunk in paper.chunks], changed.readers)
        self.company.papers[paper.key] = changed
        return changed

    async def delete(self, paper: Paper, *, indexed: bool = True) -> None:
        """As a sync does that misses it; without `indexed` it was killed before it told the index."""
        gone = [chunk.id for chunk in paper.chunks]
        await self.ledger.commit(
            paper.source, removed=[DocumentId(paper.id)], chunks={DocumentId(paper.id): []}, gone=gone
        )
        if indexed:
            await self.index.delete(gone)
        del self.company.papers[paper.key]

    async def put(self, paper: Paper) -> None:
        """As a sync does that finds it, new or after it was away."""
        await self.index.write(paper.chunks)
        await committed(self.ledger, [paper])
        self.company.papers[paper.key] = paper


def retriever(on: Stage) -> Retriever:
    """As `Stage.answering` makes its own."""
    return Retriever(
        on.index,
        readable=on.ledger.readable,
        neighbours=on.ledger.neighbours,
        reranker=None,
        candidates=20,
        passages=8,
        per_document=3,
        passage_tokens=2500,
        witness=witness,
    )


def url_of(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'state.db'}"


@asynccontextmanager
async def house(folder: Path, company: Company, *, backend: Backend = "edge") -> AsyncIterator[House]:
    """A house with the company's papers, of which `folder` may hold ledger and index already."""
    there = (folder / "state.db").exists()
    ledger = await Ledger.open(StateSettings(url=url_of(folder)))
    try:
        if not there:
            await committed(ledger, list(company.papers.values()))
        async with Index(store(folder, backend)) as index:
            if await index.prepare(pieces(company.papers.values())):
                await index.write(pieces(company.papers.values()))
                await index.flush()
            made = House(ledger=ledger, index=index, metrics=Metrics())
            made.company = company
            yield made
    finally:
        await ledger.close()


def store(folder: Path, backend: Backend) -> Store:
    if backend == "edge":
        return EdgeStore(folder / "index")
    return ServerStore(MEMORY, collection=f"canaries-{uuid.uuid4()}")


def copied(template: Path, folder: Path) -> Path:
    """A house of one's own, as it was when it was built."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    return folder


async def committed(ledger: Ledger, papers: Sequence[Paper]) -> None:
    """Make the ledger know them, as a sync does."""
    for source in sorted({paper.source for paper in papers}):
        own = [paper for paper in papers if paper.source == source]
        chunks: dict[DocumentId, Sequence[Chunk]] = {DocumentId(paper.id): paper.chunks for paper in own}
        await ledger.commit(source, records=[record(paper) for paper in own], chunks=chunks)


def record(paper: Paper) -> Record:
    return Record(
        source=paper.source,
        id=DocumentId(paper.id),
        version="1",
        content_hash="0",
        parser="markup",
        error=None,
        title=paper.title,
        url=paper.url,
        author=None,
        updated_at=paper.updated_at,
        language="en",
        readers=paper.readers,
        own_readers=None,
        indexed_at=paper.updated_at,
    )
