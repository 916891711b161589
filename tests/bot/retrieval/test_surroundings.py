"""What stands around a passage: within the budget, best passages first, nothing twice."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model import ATTACHED, Passage
from bot.retrieval.surroundings import surrounded, within
from ingest.chunk import estimate_tokens
from ingest.model import Chunk, DocumentId, Readers
from tests.fixtures.passages import chunk

READERS = frozenset({"everyone"})
PLENTY = 10_000

MANUAL = [
    chunk("Leave is for everyone.", position=0, headings=("Leave",)),
    chunk("In Dublin you have 25 days.", position=1, headings=("Leave", "Dublin")),
    chunk("In Hamburg you have 30 days.", position=2, headings=("Leave", "Hamburg")),
    chunk("In Lyon you have 27 days.", position=3, headings=("Leave", "Lyon")),
    chunk("Carry over until March.", position=4, headings=("Leave", "Lyon")),
    chunk("Sick notes go to the office.", position=5, headings=("Sickness",)),
]


class Documents:
    """Neighbours of a document, with what was asked for."""

    def __init__(self, chunks: Sequence[Chunk] = MANUAL) -> None:
        self._chunks = chunks
        self.asked: list[tuple[str, DocumentId, range]] = []

    async def neighbours(self, places: Sequence[tuple[str, DocumentId, range]], tokens: Readers) -> list[Chunk]:
        self.asked += places
        return [
            chunk
            for chunk in reversed(self._chunks)
            if chunk.readers & tokens
            and any((chunk.source, chunk.document) == place[:2] and chunk.position in place[2] for place in places)
        ]


async def around(
    *chunks: Chunk, tokens: int = PLENTY, documents: Documents | None = None, own: Sequence[Chunk] = ()
) -> list[Passage]:
    passages = [Passage(number=at, chunk=each, score=1.0) for at, each in enumerate(chunks, start=1)]
    known = documents or Documents()
    return list(await surrounded(passages, neighbours=known.neighbours, own=own, visible_to=READERS, tokens=tokens))


async def test_a_passage_is_read_with_its_neighbours_and_their_headings_where_those_differ() -> None:
    (passage,) = await around(MANUAL[3])
    assert passage.after == "Carry over until March."
    assert passage.before == "Leave\nLeave is for everyone.\n\nLeave › Hamburg\nIn Hamburg you have 30 days."
    assert passage.text.index("Hamburg") < passage.text.index("27 days") < passage.text.index("March")


async def test_no_text_stands_under_two_passages() -> None:
    passages = await around(MANUAL[3], MANUAL[1], MANUAL[4])
    text = "\n".join(passage.text for passage in passages)
    assert all(text.count(each.text) == 1 for each in MANUAL)
    assert passages[0].after == ""
    assert "Hamburg" in passages[0].before
    assert "Hamburg" not in passages[1].text


async def test_the_best_passage_chooses_first_and_all_stays_within_the_budget() -> None:
    long = [chunk(f"Rule {at}: " + "words and more words " * 20, position=at, headings=("Rules",)) for at in range(9)]
    own, each = (sum(estimate_tokens(long[at].indexed_text) for at in (7, 2)), estimate_tokens(long[0].text))
    for room, read in [
        (0, 0),
        (each - 1, 0),
        (each, 1),
        (2 * each, 2),
        (3 * each, 3),
        (4 * each - 1, 3),
        (4 * each, 4),
    ]:
        passages = await around(long[7], long[2], tokens=own + room, documents=Documents(long))
        parts = [passages[0].after, passages[0].before, passages[1].after, passages[1].before]
        assert [bool(part) for part in parts] == [at < read for at in range(4)]


async def test_words_that_are_a_passage_already_are_not_read_again_beside_another() -> None:
    copy = chunk(MANUAL[4].text, document="copy.md", position=0)
    passage, _ = await around(MANUAL[3], copy)
    assert passage.after == ""


async def test_without_room_nothing_is_read() -> None:
    documents = Documents()
    (passage,) = await around(MANUAL[1], tokens=20, documents=documents)
    assert passage.text == MANUAL[1].text
    assert documents.asked == []


async def test_a_section_that_does_not_begin_with_its_own_words_has_no_introduction() -> None:
    (passage,) = await around(MANUAL[3], documents=Documents(MANUAL[1:]))
    assert passage.before == "Leave › Hamburg\nIn Hamburg you have 30 days."


async def test_what_around_a_passage_may_not_be_read_is_left_out() -> None:
    secret = chunk("The bonus pool is 2 million.", position=6, readers=frozenset({"group:finance"}))
    (passage,) = await around(MANUAL[5], documents=Documents([*MANUAL, secret]))
    assert passage.after == ""


async def test_an_older_version_brings_nothing_along() -> None:
    old = Passage(number=1, chunk=MANUAL[3], score=1.0, newer=MANUAL[1].id)
    documents = Documents()
    found = await surrounded([old], neighbours=documents.neighbours, own=(), visible_to=READERS, tokens=PLENTY)
    assert found == (old,)
    assert documents.asked == []


async def test_passages_of_a_file_in_the_conversation_have_its_chunks_around_them() -> None:
    pages = [chunk(f"Page {at}.", document="offer.pdf", source=ATTACHED, position=at, headings=()) for at in range(3)]
    documents = Documents()
    (passage,) = await around(pages[1], documents=documents, own=pages)
    assert (passage.before, passage.after) == ("Page 0.", "Page 2.")
    assert documents.asked == []


def test_passages_that_do_not_fit_go_from_the_end_and_the_first_stays() -> None:
    passages = [Passage(number=at, chunk=each, score=1.0) for at, each in enumerate(MANUAL, start=1)]
    sizes = [estimate_tokens(each.indexed_text) for each in MANUAL]
    assert within(passages, sum(sizes[:3])) == tuple(passages[:3])
    assert within(passages, sum(sizes[:3]) - 1) == tuple(passages[:2])
    assert within(passages, 1) == tuple(passages[:1])
    assert within([], 100) == ()
