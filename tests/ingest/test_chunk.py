"""How a document falls into passages."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semantic_text_splitter import TextSplitter

from ingest.chunk import MAX_TOKENS, TAIL_TOKENS, chunk, estimate_tokens
from ingest.model import Chunk, Document, DocumentId

WORD = re.compile(r"[^\W_]+")


def document(text: str, *, title: str = "Handbook", pages: tuple[int, ...] = ()) -> Document:
    return Document(
        source="handbook",
        id=DocumentId("leave.md"),
        title=title,
        text=text,
        pages=pages,
        language="en",
        readers=frozenset({"everyone"}),
        url=None,
        author=None,
        updated_at=None,
    )


def passages(text: str) -> list[tuple[tuple[str, ...], str]]:
    return [(piece.headings, piece.text) for piece in chunk(document(text))]


def paragraph(topic: str, sentences: int = 12) -> str:
    return " ".join(f"Sentence {number} of {topic} says what there is to say." for number in range(sentences))


@pytest.mark.parametrize("fence", ["```" + "long words " * 600, "`" * 5000 + "x"])
def test_a_fence_that_is_all_there_is_of_its_code_is_split_like_text(fence: str) -> None:
    assert "".join("".join(text.split()) for _, text in passages(fence)) == "".join(fence.split())


def test_a_section_is_a_passage_under_its_heading_path() -> None:
    leave, sickness, travel = paragraph("leave"), paragraph("sickness"), paragraph("travel")
    assert passages(f"# Leave\n\n{leave}\n\n## Sick leave\n\n{sickness}\n\n# Travel\n\n{travel}\n") == [
        (("Leave",), leave),
        (("Leave", "Sick leave"), sickness),
        (("Travel",), travel),
    ]


def test_a_heading_that_repeats_the_title_is_not_repeated_in_the_path() -> None:
    assert passages(f"# HANDBOOK\n\n## Leave\n\n{paragraph('leave')}") == [(("Leave",), paragraph("leave"))]


def test_a_heading_is_shown_without_its_markdown() -> None:
    ((headings, _),) = passages(f"## **Sick** leave &nbsp;`now` ##\n\n{paragraph('leave')}")
    assert headings == ("Sick leave now",)


def test_what_a_heading_says_beyond_its_words_stays_in_the_text() -> None:
    ((headings, text),) = passages(f"## [Leave](https://hr.example.org/leave)\n\n{paragraph('leave')}")
    assert headings == ("Leave",)
    assert "https://hr.example.org/leave" in text


def test_underlined_headings_count() -> None:
    assert passages(f"Leave\n=====\n\n{paragraph('leave')}") == [(("Leave",), paragraph("leave"))]


def test_blocks_of_a_section_are_packed_up_to_the_budget() -> None:
    pieces = chunk(document("# Leave\n\n" + "\n\n".join(paragraph(f"part {number}", 4) for number in range(30))))
    sizes = [estimate_tokens(piece.indexed_text) for piece in pieces]
    assert all(400 <= size <= MAX_TOKENS for size in sizes[:-1])
    assert all(piece.headings == ("Leave",) for piece in pieces)
    assert all(piece.text.startswith("Sentence 0 of part") for piece in pieces)


def test_a_long_paragraph_is_split_between_sentences() -> None:
    pieces = chunk(document(paragraph("everything", 200)))
    assert len(pieces) > 4
    assert all(piece.text.startswith("Sentence") and piece.text.endswith("say.") for piece in pieces)
    assert " ".join(piece.text for piece in pieces) == paragraph("everything", 200)


def test_every_piece_of_a_long_table_begins_with_its_header() -> None:
    rows = [f"| city {number} | {number * 10} EUR a night, breakfast included |" for number in range(100)]
    pieces = chunk(document("## Hotels\n\n" + "\n".join(["| place | limit |", "|---|---|", *rows])))
    assert len(pieces) > 3
    assert all(piece.text.startswith("| place | limit |\n|---|---|\n| city ") for piece in pieces)
    assert [row for piece in pieces for row in piece.text.splitlines()[2:]] == rows


def test_a_table_and_a_list_and_code_stay_whole_when_they_fit() -> None:
    blocks = [
        "| place | limit |\n|---|---|\n| Paris | 180 EUR |\n| Rome | 150 EUR |",
        "- one\n\n  with a second paragraph\n- two\n  - nested",
        "```python\ndef leave():\n\n    return 30\n```",
    ]
    filler = paragraph("fill", 24)
    found = "\n\n".join(
        text for _, text in passages("\n\n".join([filler, blocks[0], filler, blocks[1], filler, blocks[2]]))
    )
    assert [block in found for block in blocks] == [True, True, True]


def test_a_long_list_is_split_between_its_items() -> None:
    items = [
        f"- item {number}\n  goes on in a second line with more words\n  - and a nested one" for number in range(80)
    ]
    pieces = chunk(document("\n".join(items)))
    assert len(pieces) > 3
    assert all(piece.text.startswith("- item") and piece.text.endswith("nested one") for piece in pieces)


def test_every_piece_of_long_code_is_fenced() -> None:
    lines = [f"value_{number} = compute({number})" for number in range(200)]
    pieces = chunk(document("~~~~python\n" + "\n".join(lines) + "\n~~~~\n"))
    assert len(pieces) > 3
    assert all(piece.text.startswith("~~~~python\nvalue_") and piece.text.endswith(")\n~~~~") for piece in pieces)
    assert [line for piece in pieces for line in piece.text.splitlines()[1:-1]] == lines


def test_tiny_neighbours_share_a_passage_under_the_heading_they_share() -> None:
    text = "# Leave\n\n## Annual\n\nThirty days.\n\n## Sick\n\nCall in.\n\n# Travel\n\nAsk first.\n"
    assert passages(text) == [
        (("Leave",), "## Annual\n\nThirty days.\n\n## Sick\n\nCall in."),
        (("Travel",), "Ask first."),
    ]


def test_a_large_section_keeps_its_own_path_beside_a_tiny_one() -> None:
    found = passages(f"# Leave\n\n## Annual\n\nThirty days.\n\n## Sick\n\n{paragraph('sickness', 30)}")
    assert found[0] == (("Leave", "Annual"), "Thirty days.")
    assert found[1][0] == ("Leave", "Sick")


def test_a_heading_with_nothing_below_it_is_the_last_line_of_what_is_above() -> None:
    found = passages(f"# Leave\n\n{paragraph('leave')}\n\n## To be written\n\n# Travel\n\n{paragraph('travel')}")
    assert found[0] == (("Leave",), f"{paragraph('leave')}\n\n## To be written")
    assert found[1][0] == ("Travel",)


@pytest.mark.parametrize("text", ["# Leave\n", "# Leave\n\n## Annual\n\n## Sick\n", "Leave\n"])
def test_a_document_of_headings_alone_is_one_passage(text: str) -> None:
    (piece,) = chunk(document(text, title="Leave"))
    assert set(WORD.findall(text)) <= set(WORD.findall(piece.indexed_text))
    assert piece.text


@pytest.mark.parametrize("text", ["", " \n\t\n", "---\n\n***\n", "\n# \n"])
def test_nothing_makes_no_passage(text: str) -> None:
    assert chunk(document(text)) == []


def test_pages_are_those_on_which_passages_begin() -> None:
    parts = [paragraph(f"page {number}", 30) for number in (1, 2, 3)]
    text = "\n\n".join(parts)
    starts = (0, len(parts[0]) + 2, len(parts[0]) + len(parts[1]) + 4)
    pieces = chunk(document(text, pages=starts))
    for piece in pieces:
        first = re.search(r"of page (\d)", piece.text)
        assert first
        assert piece.page == int(first[1])
    assert {piece.page for piece in pieces} == {1, 2, 3}


def test_windows_line_ends_move_no_page() -> None:
    one, two = "\r\n".join(["A line."] * 40), paragraph("two", 40)
    text = f"# A\r\n\r\n{one}\r\n\r\n# B\r\n\r\n{two}\r\n"
    pieces = chunk(document(text, pages=(0, text.index("# B"))))
    assert {(piece.headings, piece.page) for piece in pieces} == {(("A",), 1), (("B",), 2)}
    assert "\r" not in "".join(piece.text for piece in pieces)


def test_without_pages_there_is_no_page() -> None:
    assert chunk(document("Text."))[0].page is None


def ids(text: str) -> list[str]:
    return [piece.id for piece in chunk(document(text))]


def test_an_edit_changes_the_ids_of_its_own_passage_only() -> None:
    sections = [f"# Part {number}\n\n{paragraph(f'part {number}')}" for number in range(8)]
    before = ids("\n\n".join(sections))
    sections[3] += " And one more thing."
    after = ids("\n\n".join(["# New\n\n" + paragraph("new"), *sections]))
    assert set(before) - set(after) == {before[3]}
    assert len(set(after) - set(before)) == 2


def test_an_edit_in_a_long_text_without_headings_reaches_few_passages() -> None:
    parts = [paragraph(f"part {number}", 1 + number * 7 % 5) for number in range(240)]
    before = ids("\n\n".join(parts))
    after = ids("\n\n".join([parts[0], "An inserted paragraph of a few words.", *parts[1:]]))
    assert len(before) > 20
    assert len(set(after) - set(before)) < len(before) / 2


def test_a_text_that_occurs_twice_has_two_ids() -> None:
    found = ids(f"# A\n\n{paragraph('same')}\n\n# A\n\n{paragraph('same')}")
    assert len(found) == len(set(found)) == 2


def test_passages_carry_what_the_document_is() -> None:
    first, *_ = pieces = chunk(document("\n\n".join(paragraph(f"part {number}") for number in range(9))))
    assert [piece.position for piece in pieces] == list(range(len(pieces)))
    assert (first.source, first.document, first.title, first.language) == ("handbook", "leave.md", "Handbook", "en")
    assert first.readers == {"everyone"}


@pytest.mark.parametrize(
    "grapheme",
    ["👩‍👩‍👧‍👦", "🇫🇷", "e\u0301", "क्षि", "กำ", "한"],
    ids=["family", "flag", "accent", "devanagari", "thai", "jamo"],
)
def test_a_grapheme_is_never_split(grapheme: str) -> None:
    for repeats in (1_000, 5_001):
        pieces = chunk(document(grapheme * repeats))
        assert len(pieces) > 1
        assert {piece.text.replace(grapheme, "") for piece in pieces} == {""}
        assert sum(piece.text.count(grapheme) for piece in pieces) == repeats


@pytest.mark.parametrize(
    "unit",
    [
        "line of plain text\n",
        "a paragraph\n\n",
        "word ",
        "x",
        "漢",
        "| a | b |\n",
        "- item\n",
        "# Heading\n\ntext\n\n",
        "> ",
        "    code\n",
    ],
)
def test_work_grows_no_faster_than_the_text(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work: characters that are estimated, and the square of what the splitter is given, as its time grows."""
    work = 0

    def counted(text: str) -> int:
        nonlocal work
        work += len(text)
        return estimate_tokens(text)

    class Counted:
        @staticmethod
        def from_callback(*args: Any, **options: Any) -> Counted:
            return Counted(TextSplitter.from_callback(*args, **options))

        def __init__(self, splitter: TextSplitter) -> None:
            self._splitter = splitter

        def chunks(self, text: str) -> list[str]:
            nonlocal work
            work += len(text) ** 2
            return self._splitter.chunks(text)

    monkeypatch.setattr("ingest.chunk.estimate_tokens", counted)
    monkeypatch.setattr("ingest.chunk.TextSplitter", Counted)
    costs = []
    for repeats in (5_000, 20_000):
        work = 0
        chunk(document(unit * repeats))
        costs.append(work)
    assert costs[1] <= 6 * costs[0]


def test_a_section_leaves_no_tiny_rest() -> None:
    sizes = [
        estimate_tokens(piece.text)
        for blocks in range(15, 45)
        for piece in chunk(document("# Leave\n\n" + "\n\n".join(["word " * 20] * blocks)))
    ]
    assert min(sizes) > TAIL_TOKENS
    assert max(sizes) <= MAX_TOKENS + TAIL_TOKENS


def test_a_paragraph_split_and_joined_again_reads_as_before() -> None:
    for words in range(340, 420, 3):
        text = "sentence " * words
        assert " ".join(piece.text for piece in chunk(document(text))) == text.strip()


markdown = st.lists(
    st.one_of(
        st.text(max_size=80),
        st.text(alphabet="ab #*-_`~|>[]()\n\t\\!1.:<&é漢", max_size=60),
        st.sampled_from(
            ["# A", "## B c", "### D", "| a | b |\n|---|---|\n| c | d |", "```\nx = 1\n", "- i\n  - j", "1. k", "> q"]
        ),
        st.integers(1, 400).map(lambda count: "long words here. " * count),
        st.integers(1, 60).map(lambda count: "| a | b |\n|---|---|\n" + "| some cell | another cell |\n" * count),
        st.integers(1, 60).map(lambda count: "- an item of a list\n" * count),
        st.integers(1, 80).map(lambda count: "```\n" + "a line of code\n" * count + "```"),
    ),
    max_size=12,
).flatmap(lambda parts: st.sampled_from(["\n", "\n\n", "\r\n"]).map(lambda between: between.join(parts)))


@given(markdown)
def test_every_word_is_in_some_passage_and_no_passage_is_empty_or_too_long(text: str) -> None:
    pieces = chunk(document(text, title="T"))
    said = set(WORD.findall("\n".join(piece.indexed_text for piece in pieces)))
    assert set(WORD.findall(text)) <= said
    for piece in pieces:
        assert piece.text.strip()
        assert estimate_tokens(piece.indexed_text) <= MAX_TOKENS + TAIL_TOKENS + 8
    assert len({piece.id for piece in pieces}) == len(pieces)
    assert chunk(document(text, title="T")) == pieces


@given(markdown, st.lists(st.integers(0, 5000), max_size=5))
def test_pages_never_run_backwards(text: str, breaks: list[int]) -> None:
    pages = (0, *sorted(place for place in breaks if place < len(text)))
    found: list[Chunk] = chunk(document(text, pages=pages))
    numbers = [piece.page for piece in found]
    assert all(number is not None and 1 <= number <= len(pages) for number in numbers)
    assert all((one or 0) <= (two or 0) for one, two in pairwise(numbers))


@given(st.text(), st.text())
def test_an_estimate_never_shrinks_when_text_is_added(one: str, two: str) -> None:
    assert estimate_tokens(one + two) >= max(estimate_tokens(one), estimate_tokens(two))
    assert (estimate_tokens(one) > 0) == bool(one)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        (
            "The employee handbook describes how many days of annual leave a person may take in each calendar year.",
            18,
            30,
        ),
        ("Das Mitarbeiterhandbuch beschreibt, wie viele Urlaubstage jemand in einem Kalenderjahr nehmen darf.", 22, 34),
        ("Справочник сотрудника описывает, сколько дней отпуска можно взять в календарном году.", 20, 40),
        ("يصف دليل الموظف عدد أيام الإجازة السنوية التي يمكن أخذها في كل سنة.", 18, 36),
        ("员工手册说明了每个日历年可以休多少天年假。", 14, 22),
        ("従業員ハンドブックには、年次有給休暇の日数が記載されています。", 17, 32),
        ("+49 40 1234567890", 14, 18),
    ],
    ids=["English", "German", "Russian", "Arabic", "Chinese", "Japanese", "digits"],
)
def test_an_estimate_is_what_a_multilingual_model_would_need_or_a_little_more(text: str, low: int, high: int) -> None:
    assert low <= estimate_tokens(text) <= high
