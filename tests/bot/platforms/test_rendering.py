from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.platforms import rendering
from bot.platforms.interface import Post, Source
from bot.platforms.rendering import (
    first_sentence,
    literal,
    plain,
    quiet,
    settled,
    sources_markdown,
    tables_as_lists,
)
from bot.platforms.splitting import JOINER

SLACK = re.compile(r"<[@!#][^\s>]")
MATTERMOST = re.compile(r"(?<![A-Za-z0-9])[@＠﹫]\w|[@＠﹫]\w+(?![\w.-]*\.\w)")
"""What a server takes for a mention; generously, as for Mattermost any `@` that is not within an e-mail address."""

PAGE = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])

mention = st.sampled_from(
    [
        *(
            "<@U1>",
            "<@U1|ada>",
            "<!here>",
            "<!subteam^S1>",
            "<#C1>",
            "<#C1|general>",
            "@here",
            "@all",
            "@channel",
            "@ada",
        ),
        *(
            "@ada.lovelace",
            "＠all",
            "﹫here",
            "(@all)",
            "x.@all.com",
            "x-@here.org",
            "_@all_",
            "**@channel**",
            "a@b",
            "@@all",
        ),
    ]
)
entity = st.sampled_from(["&#64;all", "&#x40;here", "&commat;ada", "&lt;!here>", "&#60;@U1>"])
filler = st.sampled_from(
    ["word", "ada@example.org", "`", "``", "```", "`x`", "\n", "\n\n", "> ", "- ", "|", "\\", "<", "/"]
)
text = st.lists(mention | entity | filler | st.text(max_size=5), max_size=25).map(" ".join) | st.lists(
    mention | entity | filler, max_size=25
).map("".join)


def words(tokens: list[Token]) -> str:
    """The text of a page outside of its code, as a server reads it, with a space for each piece of code."""
    return "\n".join(
        "".join(child.content if child.type == "text" else " " for child in token.children or [])
        for token in tokens
        if token.type == "inline"
    )


@given(text)
@example("`@all` ` x\n`@here` @channel")
@example("| ` | `@all` |\n|---|---|")
@example("<a`b> `@all`")
@example("# a `\nb ` c\n`@all`")
@example("\\`@all`")
def test_quiet_text_mentions_nobody_outside_of_code(markdown: str) -> None:
    said = quiet(markdown)
    for page in (PAGE, MarkdownIt("commonmark", {"html": False}), MarkdownIt("commonmark")):
        shown = words(page.parse(said))
        assert not MATTERMOST.search(shown)
        assert not SLACK.search(shown)


@given(text)
def test_quiet_text_stays_as_it_is(markdown: str) -> None:
    assert quiet(quiet(markdown)) == quiet(markdown)


@given(text)
def test_quiet_adds_joiners_and_nothing_else(markdown: str) -> None:
    assert quiet(markdown).replace(JOINER, "") == markdown.replace(JOINER, "")


@given(text, text)
@example("` <@U1> `", "")
def test_what_is_settled_stays_quiet_as_it_is_however_the_text_goes_on(begun: str, more: str) -> None:
    cut = settled(begun)
    assert cut <= len(begun)
    assert quiet(begun + more).startswith(quiet(begun[:cut]))


@given(text, text)
def test_quiet_up_to_a_white_space_does_not_change_where_no_code_span_is_open(begun: str, more: str) -> None:
    begun = begun.replace("`", "'") + " "
    assert settled(begun) == len(begun)
    assert quiet(begun + more).startswith(quiet(begun))


@pytest.mark.parametrize(
    "untouched",
    [
        "Write to ada@example.org, or to ada.lovelace@mail.example.org.",
        "(ada@example.org) <ada@example.org> “ada@example.org”",
        "Run `npm install @angular/core` and `echo <!DOCTYPE html>`, `#include <@x>`, `<!-- here -->`.",
        "``a ` @all``",
        "```\n@all <@U1>\n```",
        "- one\n\n  ```sh\n  mail @all\n  ```",
        "> ```\n> @all\n> ```",
        "Not finished:\n```\n@all",
        "4 @ 5 €, @",
        "a < b, <3",
    ],
)
def test_addresses_and_code_stay_as_they_are(untouched: str) -> None:
    assert quiet(untouched) == untouched


@pytest.mark.parametrize(
    ("loud", "silent"),
    [
        ("Hello @all", "Hello @⁠all"),
        ("(@Ada.Lovelace)", "(@⁠Ada.Lovelace)"),
        ("对@all", "对@⁠all"),
        ("＠here", "＠⁠here"),
        ("<!subteam^S1|team>", "<⁠!subteam^S1|team>"),
        ("<@U1>", "<⁠@⁠U1>"),
        ("end.@all.com", "end.@⁠all.com"),
        ("~~~\n@all\n~~~", "~~~\n@⁠all\n~~~"),
        ("    @all", "    @⁠all"),
        ("`open @all", "`open @⁠all"),
        ("&#64;all", "&#64;⁠all"),
    ],
)
def test_a_joiner_follows_the_sign_of_a_mention(loud: str, silent: str) -> None:
    assert quiet(loud) == silent


def test_a_code_span_that_is_still_open_is_waited_for_but_not_for_ever() -> None:
    assert settled("Run `npm install @angular/core ") == 4
    assert settled("Run `npm install @angular/core` no") == len("Run `npm install @angular/core` ")
    assert settled("Run `npm\nthen wo") == len("Run `npm\nthen ")
    assert settled("`" + "word " * 200) == 1001


def test_tables_become_lists() -> None:
    table = "Before\n\n| Name | **Days** | |\n|---|:-:|---|\n| Ada | 28 | a \\| b |\n| `x` | | <br>y |\n\nAfter"
    assert tables_as_lists(table) == ("Before\n\n- **Name**: Ada; **Days**: 28; a | b\n- **Name**: `x`; , y\n\nAfter")


def test_a_table_in_a_list_becomes_a_list_in_it() -> None:
    assert tables_as_lists("- | A |\n  |---|\n  | 1 |\n  | 2 |\n- b") == "- - **A**: 1\n  - **A**: 2\n- b"
    assert tables_as_lists("> | A |\n> |---|\n> | 1 |") == "> - **A**: 1"
    assert tables_as_lists("| A | B |\n|---|---|") == "- **A**; **B**"


@given(text)
def test_a_text_without_tables_stays_as_it_is(markdown: str) -> None:
    assume("|" not in markdown)
    assert tables_as_lists(markdown) == markdown


@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=8), min_size=1, max_size=4
        )
    )
)
def test_no_table_is_left(rows: list[list[str]]) -> None:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0] if rows else ""))
    tokens = PAGE.parse(tables_as_lists("\n".join(lines)))
    assert "table_open" not in {token.type for token in tokens}


def test_plain_text_is_the_words_alone() -> None:
    prose = "# Title\n\nSome *bold* [words](http://x.org) and `code`,\nsofter."
    markdown = f"{prose}\n\n- one\n- two\n\n```sh\nls\n```\n\n|a|\n|-|\n|1|"
    assert plain(markdown) == "Title\nSome bold words and code, softer.\none\ntwo\nls\na: 1"


@given(text)
def test_not_even_code_mentions_anybody_once_it_is_plain(markdown: str) -> None:
    for said in (plain(markdown), first_sentence(markdown, limit=80)):
        assert not MATTERMOST.search(said)
        assert not SLACK.search(said)


@pytest.mark.parametrize(
    ("markdown", "said"),
    [
        ("# Leave\n\nYou have **28 days** [1][2]. Ask your manager.", "You have 28 days."),
        ("Das gilt z. B. für Urlaub. Danach mehr.", "Das gilt z. B. für Urlaub."),
        ("Version 2.5 is out, e.g. for you", "Version 2.5 is out, e.g. for you"),
        ("您有二十八天假期。请咨询经理。", "您有二十八天假期。"),
        ("- first\n- second", "first"),
        ("# Only a heading", "Only a heading"),
        ("", ""),
        ("One very long sentence that does not end", "One very long sentence that…"),
    ],
)
def test_a_notification_is_the_first_sentence(markdown: str, said: str) -> None:
    assert first_sentence(markdown, limit=30 if "very long" in markdown else 200) == said


@given(text, st.integers(5, 100))
def test_a_notification_is_as_short_as_asked(markdown: str, limit: int) -> None:
    assert len(first_sentence(markdown, limit=limit)) <= limit


def post(*sources: Source, language: str = "en") -> Post:
    return Post(text="", language=language, sources=sources, sources_label="Sources")


def source(number: int, title: str, *place: str, url: str = "https://docs.example.org/a") -> Source:
    return Source(number=number, title=title, place=place, url=url)


def test_sources_are_a_numbered_list_under_their_label() -> None:
    listed = sources_markdown(
        post(source(1, "Leave policy", "Holidays › Carry-over", "page 3"), source(2, "FAQ", url=""))
    )
    assert listed == (
        "**Sources**\n\n1. [Leave policy](https://docs.example.org/a) · *Holidays › Carry-over* · *page 3*\n2. FAQ"
    )
    assert sources_markdown(Post(text="", language="en")) == ""


def test_a_lock_stands_behind_a_source_that_not_everybody_may_open() -> None:
    locked = replace(source(1, "Salaries", "page 3", url=""), restricted="not open to @all")
    assert sources_markdown(post(locked)).endswith("1. Salaries · *page 3* · 🔒 *not open to @\u2060all*")


def test_an_address_of_a_place_in_a_page_stays_as_it_is() -> None:
    url = "https://x.org/a#:~:text=Carry%2Dover%2C%20R%26D"
    assert f"]({url})" in sources_markdown(post(source(1, "T", url=url)))


def test_numbers_with_gaps_are_told_as_they_are() -> None:
    listed = sources_markdown(post(source(2, "B"), source(5, "E")))
    assert "- (2) [B]" in listed
    assert "- (5) [E]" in listed


def test_words_of_another_direction_keep_to_themselves() -> None:
    assert "[\u2068سياسة الإجازات\u2069](" in sources_markdown(post(source(1, "سياسة الإجازات")))
    assert "[\u2068Leave\u2069](" in sources_markdown(post(source(1, "Leave"), language="ar"))
    assert "\u202e" not in sources_markdown(post(source(1, "exe\u202efdp")))


hostile = st.lists(
    mention
    | st.text(max_size=6)
    | st.sampled_from(
        [
            *(
                "](http://evil.example)",
                "[x](http://evil.example)",
                "`",
                "```\n",
                "\n\n# h",
                "\n- ",
                "**",
                "__",
                "~~",
                "|",
            ),
            *("http://evil.example", "www.evil.example", "evil.example", "mailto:a@b.co", "![](", "\\", "&lt;", "1. "),
            *("<b>", "\u202e"),
        ]
    ),
    max_size=8,
).map("".join)


@given(hostile, hostile, st.sampled_from(["", "https://docs.example.org/a"]))
@example("1. http://evil.example", "- www.evil.example", "")
def test_a_title_is_words_whatever_it_says(title: str, place: str, url: str) -> None:
    listed = sources_markdown(post(source(1, title, place, url=url)))
    tokens = MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(listed)
    assert [token.type for token in tokens if token.nesting == 1] == [
        *("paragraph_open", "ordered_list_open", "list_item_open", "paragraph_open")
    ]
    parts = [child for token in tokens for child in token.children or []]
    assert [child.attrs["href"] for child in parts if child.type == "link_open"] == ([url] if url else [])
    assert {child.type for child in parts} <= {
        *("text", "link_open", "link_close", "em_open", "em_close", "strong_open", "strong_close", "text_special")
    }
    shown = "".join(child.content for child in parts)
    assert not MATTERMOST.search(shown)
    assert not SLACK.search(shown)
    assert not re.search(r"//|www\.|evil\.example|mailto:[^\u2060]", shown)
    assert quiet(listed) == listed


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://x.org/a b(c)", "https://x.org/a%20b%28c%29"),
        ("https://x.org/@ada?q=[1]&b=<2>", "https://x.org/%40ada?q=%5B1%5D&b=%3C2%3E"),
        ("https://x.org:8080/été%20x#s-1", "https://x.org:8080/%C3%A9t%C3%A9%20x#s-1"),
        ("javascript:alert(1)", None),
        ("https://user:pass@x.org/", None),
        ("https://x.org\n)/", None),
        ("//x.org/a", None),
        ("https://[::1/", None),
    ],
)
def test_an_address_cannot_leave_its_link(url: str, shown: str | None) -> None:
    assert sources_markdown(post(source(1, "T", url=url))).endswith(f"1. [T]({shown})" if shown else "1. T")


@pytest.mark.parametrize(
    "mention", ["<!here>", "<!channel|x>", "<!subteam^S1|@g>", "<@U042ABC>", "<@W042|ada>", "<#C042>"]
)
@pytest.mark.parametrize(
    "code", ["`{}`", "```\n{}\n```", "```\nnot finished {}", "``` info {}\n{}", "~~~\n{}", "- ```\n  {}"]
)
def test_a_mention_that_slack_knows_is_none_even_in_code(mention: str, code: str) -> None:
    said = quiet(code.format(mention, mention))
    assert mention not in said
    assert quiet(said) == said
    assert said.replace(JOINER, "") == code.format(mention, mention)


@pytest.mark.parametrize(
    "line", ["[a](https://evil.example)", "www.evil.example", "<!here> @all", "**x** _y_ `z` | a |"]
)
def test_a_literal_line_shows_its_signs_and_does_nothing(line: str) -> None:
    shown = PAGE.renderInline(literal(line)).replace(JOINER, "")
    assert html.unescape(shown) == line.replace("`", "'")


def test_words_are_one_short_line_without_what_cannot_be_seen() -> None:
    assert rendering.words("Ada\u202e\n\tLovelace\x00\u200b", limit=80) == "Ada Lovelace"
    assert len(rendering.words("x" * 10_000, limit=80)) == 80
