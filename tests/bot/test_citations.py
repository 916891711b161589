"""What a model writes reaches the reader without invented citations, links or images, however the stream was cut."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.citations import CheckedText
from tests.fixtures.passages import passage

PASSAGES = (passage(1, "Ask at https://intranet.example.org/leave for leave."), passage(2, "Thirty days a year."))


def checked(*pieces: str) -> tuple[str, set[int]]:
    text = CheckedText(PASSAGES)
    return "".join([*(text.feed(piece) for piece in pieces), text.close()]), set(text.shown)


@pytest.mark.parametrize(
    ("written", "read", "cited"),
    [
        ("Thirty days [2].", "Thirty days [1].", {2}),
        ("Thirty days [1, 2].", "Thirty days [1][2].", {1, 2}),
        ("Thirty days[2][2][7].", "Thirty days[1][1].", {2}),
        ("Thirty days [7].", "Thirty days.", set()),
        ("Thirty days [7, 2].", "Thirty days [1].", {2}),
        ("三十天【2】。", "三十天[1]。", {2}),
        ("In Lyon [2], thirty [1], as said [2].", "In Lyon [1], thirty [2], as said [1].", {1, 2}),
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
        ("Laut [1]: dreißig Tage.", "Laut [1] : dreißig Tage.", {1}),
        ("请见https://evil.example/?q=secret [1]", "请见… [1]", {1}),
        (
            "请见https://intranet.example.org/leave。然后休假。",
            "请见`https://intranet.example.org/leave`。然后休假。",
            set(),
        ),
        ("_https://evil.example/x_", "_…", set()),
        ("[a]【9】(//evil.example/q)", "[a] (…)", set()),
        ("[a] 【9】(//evil.example/q)", "[a] (…)", set()),
        ("//load.config() reads a file.", "//load.config() reads a file.", set()),
    ],
)
def test_text_is_cleaned(written: str, read: str, cited: set[int]) -> None:
    assert checked(written) == (read, cited)


LINKS = (
    "![x](//evil.example/(a)?q=secret)",
    "![a[b]](//evil.example/x)",
    "![a\nb](//evil.example/x)",
    "![x](\n//evil.example/x\n)",
    "[[a](x)](//evil.example)",
    "[a] [9][8](//evil.example/q)",
    "![x](https&#58;//evil.example/(a))",
    "![x](https\\://evil.example/(a))",
    "See [1].\n\n[1]: //evil.example/x",
    "See [a b].\n\n[a\nb]: <//evil.example/x>",
    "![x](/\\evil.example/(a))",
)
"""Each is a link or an image to a reader of Markdown, as it was written."""

FRAGMENTS = (
    *("[", "]", "(", ")", "1", "9", " ", "\n", "\n\n", "!", ":", "<", ">", "\\", "【", "】", "a"),
    *("。", "？", "//e.example/x", "https://e.example/", "/e", "&#58;", "![", "](", "]:", "]["),
)


def links(markdown: str) -> list[str]:
    tokens = MarkdownIt("commonmark", {"html": False}).parse(markdown)
    inline = [part for token in tokens for part in token.children or ()]
    return [
        str(part.attrs.get("href", part.attrs.get("src"))) for part in inline if part.type in ("link_open", "image")
    ]


@pytest.mark.parametrize("written", LINKS)
def test_no_link_or_image_is_left_of_what_a_model_wrote(written: str) -> None:
    assert links(written)
    assert links(checked(written)[0]) == links(checked(*written)[0]) == []


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=20), st.booleans())
@settings(max_examples=300)
def test_markdown_finds_no_link_in_any_text_that_was_checked(fragments: list[str], whole: bool) -> None:
    text, _ = checked("".join(fragments)) if whole else checked(*fragments)
    assert links(text) == []


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
    assert CheckedText(PASSAGES).feed("每年三十天。可以") == "每年三十天。"
