from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.platforms.rendering import pieces
from bot.platforms.splitting import JOINER, prefix_of


def in_bytes(text: str) -> int:
    return len(text.encode())


MEASURES = [len, in_bytes]

word = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1, max_size=20)
mark = st.sampled_from(
    [
        *("`", "``", "```", "````", "~~~", "*", "**", "_", "#", ">", "-", "+", "1.", "2)", "|", "[", "]", "(", ")"),
        *("<", "\\", "\\`", "!", "@all", "<!here>", "e\u0301\u0327", "👩‍👩‍👧", "🇩🇪🇫🇷", "👍🏽", "日本語の文章。", "।"),
    ]
)
prose = st.lists(word | mark, max_size=12).map(" ".join)
endless = st.builds(lambda text, times: text * times, word | mark, st.integers(1, 400))
indentation = st.sampled_from(["", " ", "  ", "    ", "      ", "\t", "> ", "- ", "1. ", "  - ", "> - ", "- > "])
line = st.builds("{}{}".format, indentation, prose | endless)


@st.composite
def code_block(draw: st.DrawFn) -> str:
    before = draw(indentation)
    within = prefix_of(before)[1]
    marker = draw(st.sampled_from(["```", "~~~", "````", "`" * 12]))
    inside = draw(st.lists(prose | endless | st.sampled_from(["```", "    ```", "~~~~"]), max_size=25))
    end = draw(st.sampled_from([within + marker, within + marker + "``", ""]))
    return "\n".join(
        [before + marker + draw(st.sampled_from(["", "python", " c++ title=x"])), *map(within.__add__, inside), end]
    )


@st.composite
def table(draw: st.DrawFn) -> str:
    columns = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(prose, min_size=columns, max_size=columns), min_size=1, max_size=30))
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    lines.insert(1, "|" + "---|" * columns)
    before = draw(indentation)
    return "\n".join([before + lines[0], *map(prefix_of(before)[1].__add__, lines[1:])])


document = st.lists(line | code_block() | table() | st.just(""), max_size=8).map("\n".join)


def unclosed(markdown: str) -> list[str]:
    """The code blocks whose last line does not close them."""
    lines = markdown.split("\n")
    return [
        lines[token.map[0]]
        for token in MarkdownIt("commonmark").enable("table").parse(markdown)
        if token.type == "fence" and token.map is not None
        if token.map[1] - token.map[0] < 2
        or not re.search(rf"(?:^|[\s>]){re.escape(token.markup)}{token.markup[0]}*[ \t]*$", lines[token.map[1] - 1])
    ]


@pytest.mark.parametrize("measure", MEASURES)
@example(text=f"```\n\n\t{'0' * 995}", limit=1000)
@example(text=f" ```\n    ```\n    {'0' * 980}\n    `````\n0", limit=1000)
@given(text=document, limit=st.integers(1000, 2000))
def test_no_piece_is_longer_than_allowed_and_every_fence_in_it_is_closed(
    measure: Callable[[str], int], text: str, limit: int
) -> None:
    for piece in pieces(text, limit=limit, measure=measure):
        assert measure(piece) <= limit
        assert unclosed(piece) == []
        assert piece.strip()


@given(text=st.lists(line, max_size=20).map("\n".join) | st.text(max_size=2000), limit=st.integers(100, 150))
def test_a_small_limit_holds_for_text_without_code(text: str, limit: int) -> None:
    for piece in pieces(text.replace("```", "").replace("~~~", ""), limit=limit, measure=in_bytes):
        assert in_bytes(piece) <= limit


ADDED = re.compile(rf"[\s>{JOINER}]|`|~")
"""Signs that pieces lose or gain: white space, quotations, joiners, fences."""


@given(text=st.lists(line | st.just(""), max_size=30).map("\n".join), limit=st.integers(300, 2000))
def test_the_pieces_of_prose_hold_every_word_of_it_once_and_in_order(text: str, limit: int) -> None:
    # A line that begins a code block is none of prose: what follows its marks is not shown, and may be cut.
    text = text.replace("|", "/").replace("```", "").replace("~~~", "")
    said = "".join(pieces(text, limit=limit, measure=len))
    assert ADDED.sub("", said) == ADDED.sub("", text)


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="`\r\n\0"), max_size=100), min_size=1, max_size=200
    ),
    st.sampled_from(["", "- ", "  - ", "1. "]),
)
def test_a_code_block_over_several_pieces_keeps_every_character_of_its_lines(lines: list[str], before: str) -> None:
    lines = [line.lstrip("\t") for line in lines]
    within = " " * len(before)
    text = "\n".join([f"{before}```python", *(within + line for line in lines), f"{within}```"])
    found = []
    for piece in pieces(text, limit=1000, measure=len):
        (block,) = [token for token in MarkdownIt("commonmark").parse(piece) if token.type == "fence"]
        assert block.info == "python"
        found += block.content.removesuffix("\n").split("\n") if block.content else []
    assert found == lines


@given(st.integers(5, 60), st.sampled_from(["", "  "]))
def test_a_table_over_several_pieces_has_its_header_in_each(rows: int, before: str) -> None:
    header = [f"{before}| name | days |", f"{before}|---|---|"]
    body = [f"{before}| person {number} | {number} |" for number in range(rows)]
    found = []
    for piece in pieces("\n".join(["- item" if before else "", *header, *body]), limit=300, measure=len):
        tokens = MarkdownIt("commonmark").enable("table").parse(piece)
        cells = [token.content for token in tokens if token.type == "inline" and token.content != "item"]
        assert cells[:2] == ["name", "days"]
        found += cells[2::2]
    assert found == [f"person {number}" for number in range(rows)]


def test_a_piece_ends_where_a_reader_would_pause() -> None:
    first = "A first paragraph. It has two sentences."
    second = "The second one is longer, and it is told without any full stop at all until the very end of it."
    whole = f"{first}\n\n{second}\n{second}"
    assert pieces(whole, limit=80, measure=len)[0] == first
    assert pieces(whole, limit=145, measure=len) == [f"{first}\n\n{second}", second]
    assert pieces(f"{first} {second}", limit=60, measure=len)[0] == first
    assert pieces(second, limit=40, measure=len)[0] == "The second one is longer, and it is told"
    assert pieces("一二三四五。" * 10, limit=14, measure=len)[0] == "一二三四五。一二三四五。"


def test_a_heading_goes_with_what_it_heads() -> None:
    text = f"{'word ' * 14}\n\n## Heading\n\n{'more ' * 10}"
    assert pieces(text, limit=100, measure=len)[1].startswith("## Heading\n\nmore")


def test_what_goes_on_in_a_list_is_no_code_because_of_its_indentation() -> None:
    text = (
        "1. One\n   - two\n\n     "
        + "word " * 30
        + "\n\n     Three\n\n     ```sh\n     ls\n     ```\n   - four\n2. Five"
    )
    last = pieces(text, limit=160, measure=len)[-1]
    assert [token.type for token in MarkdownIt("commonmark").parse(last) if token.type == "code_block"] == []
    assert "```sh\nls\n```" in last
    assert last.endswith("- four\n2. Five")


def test_accents_emoji_and_flags_are_not_torn_apart() -> None:
    for sign in ("e\u0301\u0327", "👩‍👩‍👧", "🇩🇪", "👍🏽", "क्षि"):
        found = pieces(sign * 100, limit=100, measure=in_bytes)
        assert "".join(found) == sign * 100
        assert all(len(piece) % len(sign) == 0 for piece in found), sign


def test_a_code_span_is_not_broken_and_where_it_must_be_it_stays_code() -> None:
    assert pieces("Please run `git commit --amend` now", limit=24, measure=len) == [
        "Please run",
        "`git commit --amend` now",
    ]
    for piece in pieces("Run `" + "x @all" * 100 + "`", limit=100, measure=len):
        assert "@all" not in re.sub("`[^`]*`", "", piece)


def test_a_rest_that_looks_like_a_block_is_none() -> None:
    for start in ("```", "# ", "> ", "- ", "1. ", "~~~", "---"):
        rest = pieces(f"{'x' * 95} {start} {'y' * 50}", limit=100, measure=len)[1]
        assert next(token.type for token in MarkdownIt("commonmark").parse(rest)) == "paragraph_open"


def test_a_block_that_its_writer_did_not_close_is_closed() -> None:
    assert pieces("Like this:\n```py\nx = 1", limit=100, measure=len) == ["Like this:\n```py\nx = 1\n```"]


def test_nothing_to_see_is_no_piece() -> None:
    assert pieces(" \n\n", limit=100, measure=len) == []


def test_a_limit_in_which_a_block_cannot_be_shown_is_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"limit .* is too small"):
        pieces("- " * 5 + "```python\nprint()\n", limit=20, measure=len)


@pytest.mark.parametrize("sign", [".", "!?", ". ", ".)", "`", 'x."'])
def test_a_hundred_thousand_signs_on_one_line_are_cut_in_linear_time(sign: str) -> None:
    """What grows with the square of the length is stopped by the time limit of every test."""
    found = pieces(sign * (100_000 // len(sign)), limit=9_000, measure=len)
    assert all(len(piece) <= 9_000 for piece in found)
