"""Slack's markup as Markdown, and whose messages are read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ingest.model import Original
from ingest.parsers.interface import NoText, ParsingSettings
from ingest.parsers.markup import Markup
from ingest.sources.slack.convert import Names, Rules, body, day, markdown, opening, thread
from ingest.sources.slack.model import Message

NAMES = Names(users={"U1": "Ada Lovelace", "U2": "Bob"}, channels={"C1": "ops"})
RULES = Rules(bots=False, own_user="U0", own_bot="B0")


def message(text: str = "", *, ts: str = "1780000000.000100", user: str = "U1", **more: Any) -> Message:
    return Message.model_validate({"ts": ts, "user": user, "text": text, **more})


@pytest.mark.parametrize(
    ("slack", "expected"),
    [
        ("*bold* and _slanted_ and ~gone~", "**bold** and _slanted_ and ~~gone~~"),
        ("*not bold and 2*3*4", "*not bold and 2*3*4"),
        ("*see <https://x.org|this>*", "**see [this](https://x.org)**"),
        ("hi <@U1>, <@U9|zoe> and <@U8>", "hi @Ada Lovelace, @zoe and @U8"),
        ("in <#C1> and <#C9|old-name> and <#C8|>", "in #ops and #old-name and #C8"),
        ("<!here> <!subteam^S1|@oncall> <!channel|channel>", "@here @oncall channel"),
        ("<!date^1392734382^{date}|18 Feb 2014>", "18 Feb 2014"),
        ("<https://x.org/a_b?c=1&amp;d=2>", "https://x.org/a_b?c=1&d=2"),
        ("<https://x.org/a (b)|the [page]>", "[the (page)](https://x.org/a%20%28b%29)"),
        ("<mailto:ada@x.org|ada@x.org>", "ada@x.org"),
        ("<javascript:alert(1)|click>", "click"),
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("&amp;lt; stays an entity", "&lt; stays an entity"),
        ("use `a &lt; b *c*` here", "use `a < b *c*` here"),
        ("run:\n```curl <http://x.org|x.org> &amp;&amp; *ls*```\ndone", "run:\n\n```\ncurl x.org && *ls*\n```\n\ndone"),
        ("&gt; quoted\nanswer", "> quoted\nanswer"),
        ("• one\n    ◦ two", "- one\n    - two"),
        ("it`s a *test*, ok", "it's a **test**, ok"),
        ("# of users", r"\# of users"),
        ("Total\n=====", "Total\n\\====="),
        ("the &lt;b&gt; tag, &lt;!-- and {{ name }}", "the < b> tag, < !-- and { { name }}"),
    ],
)
def test_markup_becomes_markdown(slack: str, expected: str) -> None:
    assert markdown(slack, NAMES) == expected


def test_a_title_is_the_first_words_in_plain_text() -> None:
    assert opening(message("\n*How* do I get <https://x.org|a badge>, <@U2>?\nThanks"), NAMES) == (
        "How do I get a badge, @Bob?"
    )
    assert opening(message("word " * 40), NAMES) == f"{('word ' * 16).strip()}…"
    assert opening(message("x" * 200), NAMES) == f"{'x' * 80}…"
    assert opening(message(files=[{"id": "F1", "name": "plan.pdf"}]), NAMES) == "plan.pdf"


def test_a_thread_names_each_author_once_in_a_row_and_each_new_day() -> None:
    said = thread(
        [
            message("Is it up?", thread_ts="1780000000.000100", reply_count=4),
            message("I mean the printer.", ts="1780000001.000100"),
            message("```no```", ts="1780000002.000100", user="U2"),
            message("Now it is.", ts="1780086400.000100", user="U2", edited={"user": "U2", "ts": "1780090000.000000"}),
        ],
        "ops",
        NAMES,
    )
    assert said.title == "#ops: Is it up?"
    assert said.author == "Ada Lovelace"
    assert said.text == (
        "**Ada Lovelace, 2026-05-28:** Is it up?\n\nI mean the printer.\n\n"
        "**Bob:**\n\n```\nno\n```\n\n**Bob, 2026-05-29:** Now it is."
    )
    assert said.updated_at is not None
    assert said.updated_at.isoformat() == "2026-05-29T21:26:40+00:00"


def test_a_day_has_an_author_where_one_person_wrote_all_of_it() -> None:
    alone = day([message("a"), message("b", ts="1780000001.000100")], "ops", "2026-05-28", NAMES)
    both = day([message("a"), message("b", ts="1780000001.000100", user="U2")], "ops", "2026-05-28", NAMES)
    assert (alone.title, alone.author, alone.text) == ("#ops, 2026-05-28", "Ada Lovelace", "**Ada Lovelace:** a\n\nb")
    assert (both.author, both.text) == (None, "**Ada Lovelace:** a\n\n**Bob:** b")


def test_names_of_files_are_read_and_deleted_files_are_not() -> None:
    files = [{"id": "F1", "name": "plan.pdf"}, {"id": "F2", "mode": "tombstone", "name": "secret.pdf"}]
    assert body(message("Here", files=files), NAMES) == "Here\n\n📎 plan.pdf"


def test_the_blocks_of_an_app_come_before_its_text_and_those_of_people_are_not_read() -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Disk full"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "on *db1*"}, "fields": [{"text": "97 %"}]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "by"}, {"type": "image"}, {"text": "monitor"}]},
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [{"type": "text", "text": "a < b "}, {"type": "user", "user_id": "U2"}],
                },
                {
                    "type": "rich_text_list",
                    "elements": [{"type": "rich_text_section", "elements": [{"type": "link", "url": "https://x.org"}]}],
                },
            ],
        },
        {"type": "divider"},
        {"type": "unheard_of", "text": 3},
    ]
    attachments = [
        {"title": "Runbook", "text": "Free *space*", "fields": [{"title": "Host", "value": "db1"}]},
        {"fallback": "only this"},
    ]
    told = body(message("summary", bot_id="B1", blocks=blocks, attachments=attachments), NAMES)
    for part in ("Disk full", "on **db1**", "97 %", "by", "monitor", "a < b @Bob", "- https://x.org", "Runbook"):
        assert part in told
    assert "Host: db1" in told
    assert "only this" in told
    assert "summary" not in told
    assert body(message("said", blocks=blocks, attachments=attachments), NAMES) == "said"


def test_system_messages_and_what_this_app_wrote_are_not_read() -> None:
    joined = message("<@U1> has joined the channel", subtype="channel_join")
    answer = message("You have thirty days.", user="U0", bot_id="B0")
    said, shared = message("Hello"), message(subtype="file_share", files=[{"id": "F1", "name": "a.pdf"}])
    empty = message("  ")
    assert RULES.of_day([joined, said, answer, shared, empty]) == [said, shared]
    assert RULES.of_thread([said, answer, joined, shared]) == [said, shared]


def test_what_people_only_ask_this_app_is_not_read() -> None:
    question, answer = message("<@U0> how many days?"), message("Thirty.", user="U0", bot_id="B0")
    again, objection = message("<@U0> sure?"), message("It is 25 in France.", user="U2")
    assert RULES.of_day([question, objection]) == [objection]
    assert RULES.of_thread([question, answer, again]) == []
    assert RULES.of_thread([question, answer, objection]) == [question, objection]


def test_apps_are_read_where_people_answer_them_or_the_settings_say_so() -> None:
    alert = message("Disk full", user="", bot_id="B1", subtype="bot_message")
    resolved, fixed = message("Resolved", user="", bot_id="B1", subtype="bot_message"), message("I moved the logs")
    assert RULES.of_day([alert, fixed]) == [fixed]
    assert RULES.of_thread([alert, resolved]) == []
    assert RULES.of_thread([alert, resolved, fixed]) == [alert, fixed]
    everything = Rules(bots=True, own_user="U0", own_bot="B0")
    assert everything.of_thread([alert, resolved]) == [alert, resolved]
    assert everything.of_day([alert, fixed]) == [alert, fixed]


SLACK_TEXT = st.text(
    st.sampled_from("ab \n*_~`<>|@#!&;-=•{}%") | st.characters(exclude_categories=["Cs"]), max_size=60
) | st.lists(st.sampled_from(["*", "~", "```", "`", "<@U1>", "<", ">", "|", "&lt;", "# ", "\n", "word", " "])).map(
    "".join
)


@given(SLACK_TEXT)
def test_no_text_fails_or_becomes_a_heading(text: str) -> None:
    said = thread([message(text)], "ops", NAMES).text
    kinds = {token.type for token in MarkdownIt("commonmark").parse(said) if not token.level}
    assert "heading_open" not in kinds


@given(
    st.lists(
        st.sampled_from(
            ["plain", "<b>", "<!--", "-->", "{{ x }}", "{% include %}", "`", "```", "~~~", "<https://x.org/`|`>", "\n"]
        ),
        min_size=1,
    )
)
def test_a_parser_of_markdown_drops_nothing_that_people_wrote(
    tmp_path_factory: pytest.TempPathFactory, words: list[str]
) -> None:
    said = [word if "|" in word else word.replace("<", "&lt;").replace(">", "&gt;") for word in words]
    text = " ".join((*said, "needle"))
    path = tmp_path_factory.mktemp("slack") / "thread.md"
    path.write_text(thread([message(text)], "ops", NAMES).text)
    parsed = Markup(ParsingSettings()).parse(Original(path=path, name="thread.md", media_type="text/markdown"))
    assert "needle" in parsed.text
    assert parsed.text.count("plain") == words.count("plain")


def test_a_thread_without_words_is_empty(tmp_path: Any) -> None:
    path = tmp_path / "thread.md"
    path.write_text(thread([], "ops", NAMES).text)
    with pytest.raises(NoText):
        Markup(ParsingSettings()).parse(Original(path=path, name="thread.md", media_type="text/markdown"))
