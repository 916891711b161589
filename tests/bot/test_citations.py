"""What a model writes reaches the reader without invented citations, links or images, however the stream was cut."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.citations import CheckedText
from tests.fixtures.passages import passage

PASSAGES = (passage(1, "Ask at https://intranet.example.org/leave for leave."), passage(2, "Thirty days a year."))


def checked(*pieces: str) -> tuple[str, set[int]]:
    text = CheckedText(PASSAGES)
    return "".join([*(text.feed(piece) for piece in pieces), text.close()]), text.cited


@pytest.mark.parametrize(
    ("written", "read", "cited"),
    [
        ("Thirty days [2].", "Thirty days [2].", {2}),
        ("Thirty days [1, 2].", "Thirty days [1][2].", {1, 2}),
        ("Thirty days[2][2][7].", "Thirty days[2][2].", {2}),
        ("Thirty days [7].", "Thirty days.", set()),
        ("Thirty days [7, 2].", "Thirty days [2].", {2}),
        ("三十天【2】。", "三十天[2]。", {2}),
        ("See [the page](https://evil.example/?q=secret) [1].", "See the page [1].", {1}),
        ("See [the page][1].", "See the page[1].", {1}),
        ("![logo](https://evil.example/x.png)Done.", "Done.", set()),
        ("Go to https://evil.example/a?b=c.", "Go to ….", set()),
        ("Go to <https://evil.example>.", "Go to ….", set()),
        ("Go to https://intranet.example.org/leave.", "Go to `https://intranet.example.org/leave`.", set()),
        ("Go to `https://intranet.example.org/leave`.", "Go to `https://intranet.example.org/leave`.", set()),
        ("A list: [ ] open, [x] done.", "A list: [ ] open, [x] done.", set()),
        ("An open [bracket and no end", "An open [bracket and no end", set()),
        ("[2](https://evil.example)", "2", set()),
    ],
)
def test_text_is_cleaned(written: str, read: str, cited: set[int]) -> None:
    assert checked(written) == (read, cited)


@given(
    st.lists(
        st.sampled_from(
            [
                "[",
                "]",
                "(",
                ")",
                "1",
                "2",
                "9",
                " ",
                "\n",
                "word",
                "a b",
                "https://e.example/",
                "![",
                "](",
                "【",
                "】",
                ",",
            ]
        )
        | st.text(max_size=5),
        max_size=40,
    )
)
@example(["[a b", "][c ", "d]"])
@example(["[a b]x", " y"])
@example(["[", "x " * 200, "]"])
def test_the_result_does_not_depend_on_where_the_stream_was_cut(pieces: list[str]) -> None:
    whole = "".join(pieces)
    assert checked(*pieces) == checked(whole) == checked(*whole)


@given(st.text())
def test_no_number_survives_that_was_not_given(text: str) -> None:
    read, cited = checked(text + " [3] [44]")
    assert "[3]" not in read
    assert "[44]" not in read
    assert cited <= {1, 2}


def test_settled_text_is_handed_on_while_the_stream_runs() -> None:
    text = CheckedText(PASSAGES)
    assert text.feed("Thirty days a ye") == "Thirty days a"
