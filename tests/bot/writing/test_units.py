from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.writing.interface import Unit
from bot.writing.units import LONGEST_CODE, LONGEST_PENDING, Units


def cut(*pieces: str) -> list[Unit]:
    units = Units()
    return [*(unit for piece in pieces for unit in units.feed(piece)), *units.close()]


def texts(text: str) -> list[str]:
    return [unit.text for unit in cut(text)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["You may go. ", "Ask first! ", "May you? ", "Yes."],
        ["It takes e.g. 3.5 GB on drive C. of the server. ", "Then wait."],
        ["Das sind z. B. 3,5 GB bzw. Nr. 5 nach § 3 Abs. 2 HGB. ", "Am 3. Mai ist frei. ", "Danach nicht."],
        ["Ask Dr. J. R. Smith of the U.S. Office. ", "He knows."],
        ["Cela vaut p. ex. pour M. Dupont. ", "C'est tout."],
        ["That holds [1]. ", "This too.[2] ", "And that. [1][3] ", "So does this [1, 2]. ", "End."],
        ["Ok.[1], [2] ", "Next. 【3】 ", "After."],
        ["It holds.[1], Then it goes on. ", "Next."],
        ['He said "Go home. Now." ', "Then (see section 3. Or 4) he went. ", "`a. B` is code."],
        ["See [the guide. Here](https://example.org/a.b?c=d. e) or https://example.org/a.html. ", "Then go."],
        ["您可以在家工作三天[1]。", "请提前申请。[2]", "可以吗？", "“可以。当然。”", "好"],
        ["三日まで可能です。", "「はい。どうぞ。」と言います。", "以上"],
        ["هل يمكنك ذلك؟ ", "نعم يمكنك. ", "شكرا"],
        ["आप घर से काम कर सकते हैं [1]। ", "पहले पूछें।[2] ", "ठीक"],
        ["Wait… ", "No! ", "Really?! ", "Yes."],
        ["Go to step 2... then on. ", "Done."],
    ],
)
def test_a_line_is_cut_between_its_sentences(sentences: list[str]) -> None:
    assert texts("".join(sentences)) == sentences
    assert {unit.kind for unit in cut("".join(sentences))} == {"prose"}


def test_every_kind_of_line_is_a_unit_with_the_empty_lines_behind_it() -> None:
    parts: list[tuple[str, str]] = [
        ("blank", "\n \n"),
        ("heading", "## Leave. And more\n\n"),
        ("prose", "1. Open the portal. "),
        ("prose", "Ask there.\n"),
        ("prose", "   - An item\n"),
        ("prose", "* Another one\n\n"),
        ("row", "| a. b | c |\n"),
        ("row", "|---|---|\n\n"),
        ("quote", "> It is so. Really.\n"),
        ("code", "```sh\nls. \n\n## no heading\n```\n\n"),
        ("code", "  ~~~~\n~~~\n```\n~~~~\n"),
        ("prose", "```inline``` is no block.\n"),
        ("code", "```\nunclosed\n"),
    ]
    assert [(unit.kind, unit.text) for unit in cut("".join(text for _, text in parts))] == parts


def test_a_unit_is_given_out_as_soon_as_it_is_settled() -> None:
    units = Units()
    assert units.feed("You may go") == []
    assert units.feed(". ") == []
    assert units.feed("[1") == []
    assert units.feed("] A") == [Unit(text="You may go. [1] ", kind="prose")]
    assert units.feed("sk first\n") == []
    assert [unit.text for unit in units.feed("-")] == ["Ask first\n"]


MARKDOWN = st.lists(
    st.sampled_from(
        [
            "a",
            "B",
            " ",
            "\n",
            ".",
            "。",
            "!",
            "[",
            "]",
            "1",
            "(",
            ")",
            '"',
            "`",
            "```",
            "~~~",
            "- ",
            "# ",
            "> ",
            "| ",
            "e.g",
            "z. B",
        ]
    ),
    max_size=60,
).map("".join)


@given(text=MARKDOWN | st.text(max_size=200), data=st.data())
@example(text="Ok.[1], [2] A", data=None)
@example(text="A.\n \n  b", data=None)
@example(text='"a. B" C. ("d.") E', data=None)
def test_units_do_not_depend_on_where_the_pieces_were_cut(text: str, data: st.DataObject | None) -> None:
    whole = cut(text)
    assert "".join(unit.text for unit in whole) == text
    assert all(unit.text for unit in whole)
    assert cut(*text) == whole
    if data is not None:
        places = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
        assert cut(*parts(text, places)) == whole


def parts(text: str, places: Sequence[int]) -> list[str]:
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


@given(size=st.integers(1, 700), filler=st.sampled_from(["word ", "[", "字", "a. b ", "| x ", " ", "\n"]))
def test_never_more_than_a_bounded_text_is_held_back(size: int, filler: str) -> None:
    text = filler * (3 * LONGEST_PENDING // len(filler))
    units = Units()
    given_out = 0
    for start in range(0, len(text), size):
        given_out += sum(len(unit.text) for unit in units.feed(text[start : start + size]))
        assert min(start + size, len(text)) - given_out <= LONGEST_PENDING
    assert given_out + sum(len(unit.text) for unit in units.close()) == len(text)


class Counted(Units):
    """Counts the characters that are read to find where units end."""

    read = 0

    def _next(self, *, final: bool) -> Unit | None:
        self.read += min(len(self._pending), LONGEST_CODE)
        return super()._next(final=final)


@pytest.mark.parametrize("filler", ["A. ", "a.", "<!--", "www.a.", "```\n", "(", '"', "e.g. ", "1.", "["])
def test_reading_a_long_text_piece_by_piece_takes_time_in_proportion_to_its_length(filler: str) -> None:
    text = filler * (30_000 // len(filler))
    units = Counted()
    for sign in text:
        units.feed(sign)
    units.close()
    assert units.read < 60 * len(text)


def test_a_code_block_that_is_too_long_is_parted_between_its_lines() -> None:
    text = "```\n" + "x = 1\n" * (LONGEST_CODE // 3) + "```\nAfter it."
    units = cut(*(text[start : start + 100] for start in range(0, len(text), 100)))
    assert [unit.kind for unit in units] == ["code", "code", "code", "prose"]
    assert all(unit.text.endswith("\n") for unit in units[:-1])
    assert units == cut(text)
    assert "".join(unit.text for unit in units) == text
