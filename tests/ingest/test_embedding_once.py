from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.model import Chunk
from tests.fixtures.models import HashingEmbedder
from tests.fixtures.shelf import PARKING, SALARIES, TRAVEL, counts
from tests.ingest.workplace import Workplace

WORDS = [
    "garden",
    "invoice",
    "planet",
    "window",
    "teacher",
    "signal",
    "harbour",
    "pencil",
    "carpet",
    "engine",
    "letter",
    "market",
]


class Counting(HashingEmbedder):
    """Notes every text that it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    async def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        self.texts.extend(texts)
        return await super().embed_documents(texts)


@pytest.fixture(params=[False, True], ids=["memory", "edge"])
def workplace(request: pytest.FixtureRequest, tmp_path: Path) -> Workplace:
    workplace = Workplace(tmp_path, embedded=request.param)
    workplace.embedder = Counting()
    return workplace


def embedded(workplace: Workplace) -> list[str]:
    """What has been embedded since this was last asked."""
    assert isinstance(workplace.embedder, Counting)
    texts, workplace.embedder.texts = workplace.embedder.texts, []
    return texts


def book(pages: int, *, changed: int | None = None) -> str:
    """About so many printed pages (of 400 words) in sections of three, in one paragraph of which a word may differ."""
    paragraphs = []
    for page in range(pages):
        if page % 3 == 0:
            paragraphs.append(f"# Section {page // 3}")
        for part in range(4):
            number = page * 4 + part
            words = " ".join(f"{WORDS[(number + n) % len(WORDS)]}{number * 7 % 997}" for n in range(99))
            paragraphs.append(f"{words} {'altered' if number == changed else 'usual'}.")
    return "\n\n".join(paragraphs)


async def test_of_a_long_document_only_the_passages_that_changed_are_embedded(workplace: Workplace) -> None:
    workplace.write("book.md", book(300))
    report = await workplace.sync()
    known, _ = await workplace.held()
    everything = embedded(workplace)
    assert report.embedded == len(everything) == len(known) > 400
    workplace.write("book.md", book(300, changed=600))

    report = await workplace.sync()

    assert report.embedded == len(embedded(workplace)) == 1
    known, indexed = await workplace.held()
    assert known == indexed
    assert sum("altered" in chunk.text for chunk in indexed.values()) == 1


async def test_a_passage_that_only_moved_or_was_dated_anew_is_described_anew_and_not_embedded(
    workplace: Workplace,
) -> None:
    workplace.write("book.md", f"# Rules\n\n{book(9)}")
    await workplace.sync()
    embedded(workplace)
    workplace.write("book.md", f"# Rules\n\n{TRAVEL}\n\n{book(9)}")

    await workplace.sync()

    assert len(embedded(workplace)) == 1
    known, indexed = await workplace.held()
    assert known == indexed
    assert sorted(chunk.position for chunk in indexed.values()) == list(range(len(indexed)))


async def test_a_renamed_document_is_not_embedded_again(workplace: Workplace) -> None:
    text = f"---\ntitle: Travel\n---\n{TRAVEL}"
    workplace.write("travel.md", text)
    await workplace.sync()
    embedded(workplace)
    (workplace.docs / "travel.md").unlink()
    workplace.write("journeys.md", text)

    assert counts(await workplace.sync()) == {"added": 1, "removed": 1}

    assert embedded(workplace) == []
    assert await workplace.found("receipts accounting") == {"journeys.md"}


async def test_a_text_that_stands_in_many_documents_is_embedded_once(workplace: Workplace) -> None:
    for number in range(5):
        workplace.write(f"{number}.md", f"---\ntitle: Notice\n---\n{PARKING}")
    await workplace.sync()
    assert len(embedded(workplace)) == 1


async def test_new_readers_embed_nothing(workplace: Workplace) -> None:
    workplace.write("salaries.md", SALARIES)
    await workplace.sync()
    embedded(workplace)

    await workplace.sync(workplace.restricted(salaries=["group:finance"]))

    assert embedded(workplace) == []
    assert await workplace.found("salary bands") == set()


async def test_vectors_that_are_taken_over_are_those_the_model_makes(workplace: Workplace) -> None:
    workplace.write("travel.md", f"---\ntitle: Travel\n---\n{TRAVEL}")
    await workplace.sync()
    workplace.write("copy.md", f"---\ntitle: Travel\n---\n{TRAVEL}")
    await workplace.sync()

    _, indexed = await workplace.held()
    async with workplace.rooms() as rooms:
        vectors = await rooms.index.vectors(indexed)
        chunks: list[Chunk] = list(indexed.values())
        fresh = await HashingEmbedder().embed_documents([chunk.indexed_text for chunk in chunks])
    assert len(vectors) == 2
    for chunk, vector in zip(chunks, fresh, strict=True):
        assert list(vectors[chunk.id]) == pytest.approx(vector, abs=1e-6)
