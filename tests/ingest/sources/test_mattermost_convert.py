"""What a conversation reads as, as the parser of Markdown and the chunker take it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.chunk import chunk
from ingest.model import Chunk, Document, DocumentId, Original, Parsed
from ingest.parsers.interface import ParsingSettings
from ingest.parsers.markup import Markup
from ingest.sources.mattermost import convert
from ingest.sources.mattermost.client import Channel, Post

PEOPLE = {"u1": "Ada Lovelace", "u2": "Bob *Happy* Ross"}
NAMED = {"ada": "Ada Lovelace", "j.doe": "Jo Doe"}
CHANNEL = Channel(id="c1", type="O", name="town-square", display_name="Town Square")


def post(message: str, number: int = 1, user: str = "u1", **fields: object) -> Post:
    at = 1_795_435_200_000 + number
    row = {"id": f"p{number}", "create_at": at, "update_at": at, "user_id": user, "channel_id": "c1"}
    return Post.model_validate({**row, "message": message, **fields})


def read(folder: Path, *messages: str) -> Parsed:
    """The messages, and a last one, through the parser."""
    posts = [post(message, number) for number, message in enumerate((*messages, "the last words"))]
    path = folder / "original"
    path.write_text(convert.rendered(posts, PEOPLE, NAMED), "utf-8")
    original = Original(path=path, name="thread.md", media_type="text/markdown", title="~Town Square: words")
    return Markup(ParsingSettings()).parse(original)


def chunks(parsed: Parsed) -> list[Chunk]:
    return chunk(
        Document(
            source="chat",
            id=DocumentId("c1/p1"),
            title="~Town Square: words",
            text=parsed.text,
            pages=(),
            language="en",
            readers=frozenset({"everyone"}),
            url=None,
            author=None,
            updated_at=None,
        )
    )


HOSTILE = [
    "# Release notes\nAll is new.",
    "Release notes\n=====\nAll is new.",
    "Release notes\n---\nAll is new.",
    "> # quoted\n\n- # in a list\n1. ## numbered",
    "```python\n# no heading\nprint('<b>')",
    "~~~\nnever closed",
    "````\n```\nclosed by too little",
    "<!-- a comment that never ends",
    "<details>\n\n# hidden",
    "<script>\nalert(1)",
    "{% comment %} for the template",
    "{{ moustache }} and {: .class }",
    "---\nreaders: [group:finance]\n---",
    "readers: nobody",
    "[label]: https://example.org",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "    indented code",
    "- a list\n  - nested",
    "\\",
    "Title\n-",
    "**Bob Ross** (2026-11-23 12:00 UTC):\n\nI agree to everything.",
]


@pytest.mark.parametrize("message", HOSTILE)
def test_a_message_leaves_the_messages_around_it_as_they_are(tmp_path: Path, message: str) -> None:
    parsed = read(tmp_path, "the first words", message)
    assert parsed.readers is None
    assert all(passage.headings == () for passage in chunks(parsed))
    assert parsed.text.startswith("**Ada Lovelace** (2026-11-23 12:00 UTC):\n\nthe first words\n\n**Ada Lovelace** (")
    assert parsed.text.endswith("\n\n**Ada Lovelace** (2026-11-23 12:00 UTC):\n\nthe last words")
    assert sum(bool(re.match(r"\*\*.*\*\* \(\d{4}-", line)) for line in parsed.text.split("\n")) == 3


PIECES = """# | = | --- | ``` | ~~~ | <!-- | --> | <div> | <script> | <pre> | {% | %} | comment | {{ | }} | a | b c
** | ` | - | 1. | > | readers: | ![ | ]( | ) | [a]: b | \\ | & | @ada | | | |---|""".replace("\n", " | ").split(" | ")


@given(
    message=st.lists(st.sampled_from([*PIECES, " ", "\n", "\n\n", "    ", "\t", "\x1c", "\x0c", "\u2028"])).map("".join)
)
def test_no_message_makes_headings_or_swallows_what_follows(
    message: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    parsed = read(tmp_path_factory.getbasetemp(), "the first words", message)
    passages = chunks(parsed)
    assert all(passage.headings == () for passage in passages)
    assert parsed.text.endswith("\n\n**Ada Lovelace** (2026-11-23 12:00 UTC):\n\nthe last words")
    last = convert.BLOCKS.parse(parsed.text)[-2]
    assert (last.type, last.content) == ("inline", "the last words")


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("# Release notes", "**Release notes**"),
        ("## **Bold** already ##", "**Bold** already"),
        ("Release notes\n=====", "**Release notes**"),
        ("see Map<String, Int> and <b>this</b>", "see Map<String, Int> and <b>this</b>"),
        ("the field readers: [everyone]", "the field readers: [everyone]"),
        ("use {{ value }} here", "use {{ value }} here"),
        ("```\n# kept\n```", "```\n# kept\n```"),
        ("@ada: have you seen @j.doe.", "@Ada Lovelace: have you seen @Jo Doe."),
        ("@channel, mail ada@ada or see `@ada` at /@ada", "@channel, mail ada@ada or see `@ada` at /@ada"),
        ("```\n@ada\n```", "```\n@ada\n```"),
        ("@Ada and @nobody", "@Ada Lovelace and @nobody"),
        ("two\r\nlines", "two\nlines"),
    ],
)
def test_what_is_written_is_what_is_read(tmp_path: Path, message: str, shown: str) -> None:
    text = read(tmp_path, message).text
    assert text.split("\n\n**Ada Lovelace**")[0].removeprefix("**Ada Lovelace** (2026-11-23 12:00 UTC):\n\n") == shown


def test_names_cannot_write_markdown(tmp_path: Path) -> None:
    text = convert.rendered([post("hello", user="u2")], PEOPLE, {})
    assert text.startswith("**Bob \\*Happy\\* Ross** (2026-11-23 12:00 UTC):\n\nhello")


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("The lift is out of order.", "~Town Square: The lift is out of order."),
        ("# Release\nnotes", "~Town Square: Release"),
        ("> quoted **loudly**", "~Town Square: quoted loudly"),
        ("@ada please look", "~Town Square: @Ada Lovelace please look"),
        ("word " * 40, "~Town Square: " + "word " * 15 + "word…"),
        ("x" * 100, "~Town Square: " + "x" * 80 + "…"),
        ("", "~Town Square: plan.pdf"),
    ],
)
def test_a_thread_is_called_by_its_first_words(message: str, title: str) -> None:
    posts = [post(message, metadata={"files": [{"id": "f1", "name": "plan.pdf"}]}), post("later", 2)]
    assert convert.title(CHANNEL, "p1", convert.opening(posts, NAMED)) == title


def test_the_order_in_which_posts_come_makes_no_version() -> None:
    posts = [post("one", 1, reply_count=2), post("two", 2, root_id="p1"), post("three", 3, root_id="p1")]

    def version(posts: list[Post], channel: Channel = CHANNEL) -> str:
        conversations = convert.Conversations(channel, account="me", bots=False)
        for each in posts:
            conversations.add(each)
        (found,) = conversations
        return found.version

    assert version(posts) == version(posts[::-1])
    assert version(posts) != version([posts[0], posts[1], post("four", 3, root_id="p1")])
    assert version(posts) != version(posts, CHANNEL.model_copy(update={"display_name": "Lobby"}))
