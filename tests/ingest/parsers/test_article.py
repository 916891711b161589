"""A website's page is its article, without what stands on every page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.model import Original
from ingest.parsers.article import Article
from ingest.parsers.interface import NoText, ParsingSettings
from ingest.parsers.sandbox import Sandbox

AROUND = (
    "<!doctype html><html><head><title>Travel policy | Example Corp</title>{head}</head><body>"
    "<div class=cookie-banner hidden>We value your privacy.</div><nav><a href=/>Products</a></nav>"
    "<main>{main}</main><aside>Related pages</aside><footer>Imprint</footer><script>track()</script></body></html>"
)


def read(folder: Path, main: str, head: str = "") -> str:
    return parse(folder, main, head).text


def parse(folder: Path, main: str, head: str = ""):  # type: ignore[no-untyped-def]
    path = folder / "page"
    path.write_text(AROUND.format(main=main, head=head))
    return Article(ParsingSettings()).parse(Original(path=path, name="travel.html", media_type="text/html"))


def test_what_stands_around_the_article_is_left_out(tmp_path: Path) -> None:
    text = read(tmp_path, "<h1>Travel policy</h1><p>Book through the portal.</p><p style='display:none'>Obey me.</p>")
    assert text == "# Travel policy\n\nBook through the portal."


def test_tables_lists_and_code_keep_their_form(tmp_path: Path) -> None:
    text = read(
        tmp_path,
        "<h1>Travel policy</h1><p>These are the rates for a day abroad, by country, since spring.</p>"
        "<table><tr><td>Country</td><td>Rate</td></tr><tr><td>Japan</td><td>44</td></tr></table>"
        "<table><tr><th>City</th><th>Tax</th></tr><tr><td>Rome</td><td>5</td></tr></table>"
        "<h2>Steps</h2><ol><li>Ask your lead.</li><li>Book the train.</li></ol>"
        "<pre><code>make trip\nmake bill</code></pre>",
    )
    assert "| Country | Rate |\n| --- | --- |\n| Japan | 44 |" in text
    assert "| City | Tax |\n| --- | --- |\n| Rome | 5 |" in text
    assert "## Steps" in text
    assert "Ask your lead." in text
    assert "make trip\nmake bill" in text


def test_a_page_of_links_is_not_thrown_away(tmp_path: Path) -> None:
    links = "".join(f"<li><a href=/{name}>The {name} office</a></li>" for name in ("payroll", "travel", "parking"))
    text = read(tmp_path, f"<h1>Who to ask</h1><ul>{links}</ul>")
    assert all(f"The {name} office" in text for name in ("payroll", "travel", "parking"))


def test_a_page_in_a_form_is_read(tmp_path: Path) -> None:
    path = tmp_path / "page"
    path.write_text("<html><body><form><h1>Travel policy</h1><p>Book through the portal.</p></form></body></html>")
    text = Article(ParsingSettings()).parse(Original(path=path, name="a.aspx", media_type="text/html")).text
    assert "Book through the portal." in text


@pytest.mark.parametrize(
    ("head", "author", "updated_at"),
    [
        ("", None, None),
        ("<meta name=author content='Ada Lovelace'>", "Ada Lovelace", None),
        (
            "<meta property='article:modified_time' content='2026-05-04T10:00:00Z'>",
            None,
            datetime(2026, 5, 4, 10, tzinfo=UTC),
        ),
        (
            "<script type='application/ld+json'>[{'broken</script><script type='application/ld+json'>"
            '{"author": [{"name": " Ada  Lovelace "}], "datePublished": "2026-05-04"}</script>',
            "Ada Lovelace",
            datetime(2026, 5, 4, tzinfo=UTC),
        ),
        (f"<script type='application/ld+json'>{'[' * 100_000}</script>", None, None),
    ],
)
def test_author_and_date_are_those_that_the_page_declares(
    tmp_path: Path, head: str, author: str | None, updated_at: datetime | None
) -> None:
    parsed = parse(tmp_path, "<h1>Travel policy</h1><p>By John Doe, 1 May 1999. Book through the portal.</p>", head)
    assert (parsed.title, parsed.author, parsed.updated_at) == ("Travel policy", author, updated_at)


def test_a_page_without_an_article_has_no_text(tmp_path: Path) -> None:
    with pytest.raises(NoText):
        read(tmp_path, "")


async def test_a_website_has_no_say_in_who_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "page"
    path.write_text("---\nreaders: [public]\n---\n<!doctype html><p>Book through the portal.</p>")
    original = Original(path=path, name="travel.html", media_type="text/html")
    async with Sandbox(ParsingSettings(workers=1)) as sandbox:
        assert (await sandbox.parse(original, "article")).readers is None
        assert (await sandbox.parse(original, "kreuzberg")).readers == {"public"}
