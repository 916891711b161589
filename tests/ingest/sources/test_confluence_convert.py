"""The storage format of Confluence as HTML, and what the HTML parser makes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.model import Original
from ingest.parsers.html import Html
from ingest.parsers.interface import ParseError, ParsingSettings
from ingest.sources.confluence.convert import DEPTH, mentioned, to_html

PAGE = """<h2>How to travel&nbsp;&mdash; in short</h2>
<ac:layout><ac:layout-section ac:type="two_equal"><ac:layout-cell><p>Left <strong>bold</strong></p></ac:layout-cell>
<ac:layout-cell><p>Right</p></ac:layout-cell></ac:layout-section></ac:layout>
<ac:structured-macro ac:name="info" ac:schema-version="1"><ac:parameter ac:name="title">Mind</ac:parameter>
<ac:parameter ac:name="icon">false</ac:parameter>
<ac:rich-text-body><p>Book early.</p></ac:rich-text-body></ac:structured-macro>
<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">bash</ac:parameter>
<ac:plain-text-body><![CDATA[if [ 1 < 2 ]; then echo "&nbsp; <b>"; fi]]></ac:plain-text-body></ac:structured-macro>
<ac:task-list><ac:task><ac:task-id>7</ac:task-id><ac:task-status>complete</ac:task-status>
<ac:task-body>Ask the <em>lead</em></ac:task-body></ac:task><ac:task><ac:task-id>8</ac:task-id>
<ac:task-status>incomplete</ac:task-status><ac:task-body>Book</ac:task-body></ac:task></ac:task-list>
<table><tbody><tr><th>City</th><th>Open</th></tr><tr><td>Lyon</td>
<td><ac:emoticon ac:name="tick" /></td></tr><tr><td>Kiel</td><td><ac:emoticon ac:name="blue-star"
ac:emoji-fallback="\U0001f6a7" /></td></tr></tbody></table>
<p>By <time datetime="2026-05-01" />, see <ac:link><ri:page ri:content-title="Travel policy" /></ac:link> or
<ac:link><ri:page ri:content-title="Rates" /><ac:plain-text-link-body><![CDATA[the <rates>]]></ac:plain-text-link-body>
</ac:link> and <ac:link><ri:attachment ri:filename="form.pdf" /></ac:link>; ask
<ac:link><ri:user ri:account-id="557058:ada" /></ac:link>.
<ac:structured-macro ac:name="status"><ac:parameter ac:name="colour">Green</ac:parameter>
<ac:parameter ac:name="title">IN FORCE</ac:parameter></ac:structured-macro></p>
<p><ac:image ac:width="200"><ri:attachment ri:filename="map.png" /></ac:image></p>
<ac:structured-macro ac:name="children" /><ac:structured-macro ac:name="include"><ac:parameter ac:name="">
<ac:link><ri:page ri:content-title="Secret" /></ac:link></ac:parameter></ac:structured-macro>
<ac:structured-macro ac:name="somebodys-own"><ac:parameter ac:name="query">dropped</ac:parameter>
<ac:rich-text-body><p>Kept body.</p></ac:rich-text-body></ac:structured-macro>"""


def html(storage: str, *, title: str = "A page") -> str:
    """What is in the body."""
    found = re.search(r"<body>(.*)</body></html>\Z", to_html(storage, title=title), re.S)
    assert found
    return found[1]


def read(storage: str, tmp_path: Path) -> str:
    """The Markdown that is indexed."""
    path = tmp_path / "original"
    path.write_text(to_html(storage, title="Travel", names={"557058:ada": "Ada Lovelace"}), "utf-8")
    return Html(ParsingSettings()).parse(Original(path=path, name="Travel.html", media_type="text/html")).text


def test_a_page_is_read_as_a_person_sees_it(tmp_path: Path) -> None:
    text = read(PAGE, tmp_path)
    assert "## How to travel" in text
    assert "Left **bold**" in text
    assert "**Mind**" in text
    assert "Book early." in text
    assert 'if [ 1 < 2 ]; then echo "&nbsp; <b>"; fi' in text
    assert re.search(r"\[x\] *Ask the \*lead\*", text)
    assert re.search(r"\[ \] *Book", text)
    assert "| Lyon | ✅ |" in text
    assert "| Kiel | 🚧 |" in text
    assert "By 2026-05-01, see Travel policy or the <rates> and form.pdf; ask @Ada Lovelace." in " ".join(text.split())
    assert "IN FORCE" in text
    assert "map.png" in text
    assert "Kept body." in text
    for dropped in ("Green", "dropped", "Secret", "false", "557058"):
        assert dropped not in text


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        ("<p>&ldquo;Fine&rdquo; &amp; &lt;good&gt; &euro;5</p>", "<p>“Fine” &amp; &lt;good&gt; €5</p>"),
        (
            '<p class="x" onclick="evil()"><a href="https://a.example" title="t">go</a></p>',
            '<p><a href="https://a.example">go</a></p>',
        ),
        ('<a href="javascript:evil()">go</a>', "<a>go</a>"),
        ('<td colspan="2">x</td>', '<td colspan="2">x</td>'),
        ("<p>One<br/>two</p>", "<p>One<br>two</p>"),
        ("<script>evil()</script><style>p {}</style><p>x</p>", "<p>x</p>"),
        ("<p>a<!-- secret -->b</p>", "<p>ab</p>"),
        ("<ac:placeholder>Type here</ac:placeholder><p>x</p>", "<p>x</p>"),
        ("<p><ac:inline-comment-marker ac:ref='1'>kept</ac:inline-comment-marker></p>", "<p>kept</p>"),
        ("<p><unheard-of>kept</unheard-of></p>", "<p>kept</p>"),
        ('<ac:macro ac:name="tip"><ac:rich-text-body>old</ac:rich-text-body></ac:macro>', "<div>old</div>"),
        (
            '<ac:structured-macro ac:name="excerpt"><ac:parameter ac:name="hidden">true</ac:parameter>'
            "<ac:rich-text-body>unseen</ac:rich-text-body></ac:structured-macro><p>x</p>",
            "<p>x</p>",
        ),
        (
            '<ac:structured-macro ac:name="html"><ac:plain-text-body><![CDATA[<b>x</b>]]></ac:plain-text-body>'
            "</ac:structured-macro><p>x</p>",
            "<p>x</p>",
        ),
        (
            '<ac:structured-macro ac:name="jira"><ac:parameter ac:name="server">S</ac:parameter>'
            '<ac:parameter ac:name="key">OPS-7</ac:parameter></ac:structured-macro>',
            "OPS-7",
        ),
        (
            '<ac:structured-macro ac:name="view-file"><ac:parameter ac:name="name">'
            '<ri:attachment ri:filename="plan.pdf" /></ac:parameter></ac:structured-macro>',
            "plan.pdf",
        ),
        (
            "<ac:adf-extension><ac:adf-node type='panel'><ac:adf-attribute key='panel-type'>note</ac:adf-attribute>"
            "<ac:adf-content><p>Once</p></ac:adf-content></ac:adf-node>"
            "<ac:adf-fallback><p>Once</p></ac:adf-fallback></ac:adf-extension>",
            "<div><p>Once</p></div>",
        ),
        ('<ac:image ac:alt="A map"><ri:attachment ri:filename="1.png" /></ac:image>', "A map"),
        ('<ac:link ac:anchor="rates" />', "rates"),
        ('<ac:link><ri:user ri:userkey="k" /></ac:link>', "@…"),
        ('<ac:link><ri:space ri:space-key="HB" /></ac:link>', "HB"),
        (
            '<ac:link><ri:page ri:content-title="A" /><ac:link-body>to <em>A</em></ac:link-body></ac:link>',
            "to <em>A</em>",
        ),
        ('<p><ac:emoticon ac:name="smile" /> <ac:emoticon ac:name="unheard-of" /></p>', "<p>🙂 </p>"),
    ],
)
def test_each_element_becomes_what_it_shows(storage: str, expected: str) -> None:
    assert html(storage) == expected


@pytest.mark.parametrize("storage", ["", "  ", "<p />", '<ac:structured-macro ac:name="children" />'])
def test_a_page_without_text_is_its_title(storage: str) -> None:
    assert html(storage, title="Plans & dates") == "<h1>Plans &amp; dates</h1>"


def test_whom_a_page_names_is_found() -> None:
    assert mentioned(PAGE) == {"557058:ada"}


@pytest.mark.parametrize("storage", ["<p>", "<p></b>", '<!DOCTYPE x [<!ENTITY a "b">]><p>&a;</p>', "</page><page>"])
def test_what_is_no_storage_format_is_a_parse_error(storage: str) -> None:
    with pytest.raises(ParseError, match="not well-formed"):
        to_html(storage, title="A page")


def test_what_xml_does_not_know_is_no_obstacle() -> None:
    assert html("<p>a\x00\x0bb &nosuch; &nbsp;</p>") == "<p>ab &amp;nosuch; \xa0</p>"


def test_elements_nested_beyond_measure_are_read_as_text() -> None:
    deep = DEPTH * 200
    assert "the bottom" in html("<div>" * deep + "the bottom" + "</div>" * deep)


def test_marks_that_never_end_take_no_longer_than_they_are_long() -> None:
    with pytest.raises(ParseError):
        to_html("<![CDATA[" * 200_000, title="A page")


@given(st.text())
def test_any_text_comes_through_as_it_is(text: str) -> None:
    sent = "".join(character for character in text if character.isprintable())
    escaped = sent.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert html(f"<p>x{escaped}</p>") == f"<p>x{escaped}</p>"


@given(st.text(alphabet="<>/&;![]CDATApac:link =\"'", max_size=200))
def test_anything_is_either_read_or_refused(storage: str) -> None:
    try:
        found = to_html(storage, title="A page")
    except ParseError:
        return
    assert "<ac:" not in found
