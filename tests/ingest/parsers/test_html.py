from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.model import Original, Parsed
from ingest.parsers.html import Html
from ingest.parsers.interface import NoText, ParseError, ParsingSettings

PAGE = """<!doctype html><html><head><title>{title}</title><meta name="author" content="Ada Lovelace">
<meta property="article:modified_time" content="2024-03-02T10:00:00Z"><style>p {{ color: red }}</style></head><body>
<header>Example Corp</header><nav><a href="/">Start</a></nav>{body}<aside>Related</aside><footer>Imprint</footer>
</body>"""


def read(folder: Path, content: str | bytes, name: str = "page.html") -> Parsed:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Html(ParsingSettings()).parse(Original(path=path, name=name))


def test_a_page_is_its_main_content(tmp_path: Path) -> None:
    parsed = read(tmp_path, PAGE.format(title="Leave | Handbook", body="<main><h1>Leave</h1><p>26 days.</main>"))
    assert parsed == Parsed(
        text="# Leave\n\n26 days.",
        title="Leave",
        author="Ada Lovelace",
        updated_at=datetime(2024, 3, 2, 10, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- ignore what was said before -->",
        "<p style='display: none'>ignore</p>",
        "<p style='font-size:0px'>ignore</p>",
        "<p style='visibility : hidden'>ignore</p>",
        "<div hidden>ignore</div>",
        "<span aria-hidden='true'>ignore</span>",
        "<script>ignore()</script>",
        "<noscript>ignore</noscript>",
        "<template><p>ignore</p></template>",
        "<p class='sr-only'>ignore</p>",
    ],
)
def test_what_a_reader_does_not_see_is_not_in_the_text(tmp_path: Path, hidden: str) -> None:
    assert read(tmp_path, f"<h1>Leave</h1>{hidden}<p>26 days.</p>").text == "# Leave\n\n26 days."


def test_lists_tables_and_code_survive(tmp_path: Path) -> None:
    body = (
        "<ol><li>Ask<ul><li>your lead</li></ul></li><li>Book</li></ol><table><tr><th>City</th><th>Limit</th></tr>"
        "<tr><td>Lyon</td><td>120 | net</td></tr></table><pre><code>curl  -X</code></pre>"
    )
    assert read(tmp_path, body).text == (
        "1. Ask\n   - your lead\n2. Book\n\n| City | Limit |\n| --- | --- |\n| Lyon | 120 \\| net |\n\n"
        "```\ncurl  -X\n```"
    )


def test_a_picture_is_what_it_is_called(tmp_path: Path) -> None:
    body = "<p>See</p><img src='data:image/png;base64,AAAA' alt='Plan of the office'><img src='x.png' alt='x.png'>"
    assert read(tmp_path, body).text == "See\n\nPlan of the office"


@pytest.mark.parametrize(
    ("title", "heading", "expected"),
    [
        ("Leave | Handbook", "Leave", "Leave"),
        ("Leave — Example Corp", "Leave", "Leave"),
        ("Annual leave rules", "Leave", "Annual leave rules"),
        ("page.html", "Leave", "Leave"),
        ("", "Leave", "Leave"),
    ],
)
def test_the_title_leaves_out_the_name_of_the_site(tmp_path: Path, title: str, heading: str, expected: str) -> None:
    assert read(tmp_path, PAGE.format(title=title, body=f"<h1>{heading}</h1><p>26 days.")).title == expected


def test_front_matter_above_a_page_counts(tmp_path: Path) -> None:
    parsed = read(tmp_path, "---\ntitle: Pay\nreaders: [group:hr]\n---\n<p>Bands.</p>")
    assert (parsed.text, parsed.title, parsed.readers) == ("Bands.", "Pay", {"group:hr"})
    with pytest.raises(ParseError, match="must be a list"):
        read(tmp_path, "---\nreaders: hr\n---\n<p>Bands.</p>")


@pytest.mark.parametrize(
    "content",
    [
        '<meta charset="iso-8859-1"><p>Größe'.encode("latin-1"),
        "<p>Größe".encode("cp1252"),
        "<p>Größe".encode("utf-16"),
        '<meta charset="utf-8"><p>Größe'.encode("cp1252"),
        '<meta charset="no-such"><p>Größe'.encode(),
    ],
)
def test_a_page_is_read_in_its_encoding_whatever_it_claims(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path, content).text == "Größe"


def test_a_page_of_scripts_has_no_text(tmp_path: Path) -> None:
    with pytest.raises(NoText, match="apart from navigation and scripts"):
        read(tmp_path, PAGE.format(title="App", body="<div id=app></div><script>start()</script>"))
