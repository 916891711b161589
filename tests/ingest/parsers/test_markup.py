from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.model import Original, Parsed
from ingest.parsers import front_matter, markup
from ingest.parsers.interface import NoText, ParseError, ParsingSettings, ReadersUnclear
from ingest.parsers.text import decode, first_heading, moment, tidy, title


def read(folder: Path, content: str | bytes, name: str = "page.md") -> Parsed:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return markup.Markup(ParsingSettings()).parse(Original(path=path, name=name))


def test_front_matter_describes_the_document(tmp_path: Path) -> None:
    parsed = read(
        tmp_path,
        "---\ntitle: Annual  leave\nauthor: Ada\nupdated: 2025-03-02\n"
        "readers: [everyone, 'group:hr']\nlang: fr\n---\n26 days.",
    )
    assert parsed == Parsed(
        text="26 days.",
        title="Annual leave",
        author="Ada",
        updated_at=datetime(2025, 3, 2, tzinfo=UTC),
        readers=frozenset({"everyone", "group:hr"}),
    )


def test_front_matter_may_be_toml(tmp_path: Path) -> None:
    parsed = read(tmp_path, '+++\ntitle = "Leave"\nreaders = ["everyone"]\ndate = 2024-05-01\n+++\n26 days.')
    assert (parsed.title, parsed.readers, parsed.text) == ("Leave", frozenset({"everyone"}), "26 days.")


def test_a_document_that_says_nothing_of_its_readers_leaves_them_open(tmp_path: Path) -> None:
    assert read(tmp_path, "---\ntitle: Leave\n---\n26 days.").readers is None


def test_an_empty_list_of_readers_is_nobody(tmp_path: Path) -> None:
    assert read(tmp_path, "---\nreaders: []\n---\n26 days.").readers == frozenset()


@pytest.mark.parametrize("key", ["Readers", "READERS", "'readers'"])
def test_readers_count_however_they_are_written(tmp_path: Path, key: str) -> None:
    assert read(tmp_path, f"---\n{key}: [group:hr]\n---\n26 days.").readers == {"group:hr"}


@pytest.mark.parametrize(
    "block",
    [
        "readers: everyone",
        "readers:",
        "readers: {group: hr}",
        "readers: [group:hr, 7]",
        "readers: ['']",
        "readers: [finance]",
        "readers: [Group:hr]",
        "readers: ['group:hr and others']",
        "readers: [group:hr",
        "readers: [group:hr]\nreaders: [public]",
        "access:\n  readers: [group:hr]",
        "access: {readers: [group:hr]}",
        "access: [{to: {Readers: group:hr}}]",
        "access: {readers: [group:hr}",
        "readers: [group:hr]\ntitle: 'unclosed",
        "readers: &a [*a]",
        "readers: " + "[" * 900,
        "readers: " + "[" * 30_000,
        "readers: [group:hr]\npadding: " + "x" * 70_000,
    ],
)
def test_a_document_whose_readers_are_unclear_is_refused(tmp_path: Path, block: str) -> None:
    with pytest.raises(ReadersUnclear, match="readers") as caught:
        read(tmp_path, f"---\n{block}\n---\n26 days.")
    assert "\n" not in str(caught.value)


def test_front_matter_without_an_end_is_refused_where_it_names_readers(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="no closing line"):
        read(tmp_path, "---\nreaders: [group:hr]\n\n# Pay\n\nBands.")


def test_front_matter_without_an_end_is_refused_however_far_down_it_names_readers(tmp_path: Path) -> None:
    with pytest.raises(ReadersUnclear, match="no closing line"):
        read(tmp_path, "---\n" + "key: value\n" * 8000 + "readers: [group:hr]\n")


@pytest.mark.parametrize("name", ["pay.md", "pay.txt", "pay"])
@pytest.mark.parametrize(
    "head",
    [
        "\n---\nreaders: [group:hr]\n---",
        " ---\nreaders: [group:hr]\n---",
        "---yaml\nreaders: [group:hr]\n---",
        "----\nreaders: [group:hr]\n----",
        '"---\nreaders: [group:hr]\n---',
        "---readers: [group:hr]\n---",
        "--- readers: [group:hr] ---",
        "--- title: Pay, readers: [group:hr] ---",
        "<!-- pay -->\n---\nreaders: [group:hr]\n---",
        "Draft\n---\n**Readers**: group:hr\n---",
        "---\n# first\n---\n---\nreaders: [group:hr]\n---",
        "---\ntitle: Pay\n---\nreaders: [group:hr]",
        "readers: [group:hr]\n---",
        "readers: [group:hr]",
        ';;;\n{"readers": ["group:hr"]}\n;;;',
        "++++\nreaders = ['group:hr']\n++++",
        '{\n"readers": ["group:hr"]\n}',
        '{"title": "Pay", "readers": ["group:hr"]}',
        "----\n" + "key: value\n" * 1000 + "readers: [group:hr]\n----",
    ],
)
def test_a_head_that_names_readers_where_they_do_not_count_is_refused(tmp_path: Path, name: str, head: str) -> None:
    with pytest.raises(ReadersUnclear, match=r"write `---`, `readers: \[group:finance\]`"):
        read(tmp_path, f"{head}\n# Pay\n\nBands.", name)


@pytest.mark.parametrize("name", ["guide.md", "guide.txt"])
@pytest.mark.parametrize(
    "text",
    [
        "# Guide\n\nReaders: everyone who writes.\n",
        "# Guide\n\n---\n\n" + "A line.\n" * 40 + "Readers: everyone who writes.\n\n---\n",
        "---\n\nA line.\n\n---\n" + "A line.\n" * 40 + "Readers: everyone who writes.\n",
        "---\ntitle: Guide\n---\n# Guide\n\nReaders: everyone who writes.\n",
        "# Guide\n\n---\n\n## Readers: who they are\n\nReaders are few.\n",
        "| Who | How many |\n| --- | --- |\n| Readers: | 40 |\n",
        "---\ntitle: 'Writers, readers: a guide'\n# readers: [group:hr]\n---\nText.\n",
    ],
)
def test_a_line_about_readers_is_no_front_matter(tmp_path: Path, name: str, text: str) -> None:
    assert read(tmp_path, text, name).readers is None


def test_front_matter_that_cannot_be_read_is_dropped_where_it_names_no_readers(tmp_path: Path) -> None:
    parsed = read(tmp_path, "---\ntitle: [unclosed\n---\n# Leave\n\n26 days.")
    assert (parsed.title, parsed.text) == ("Leave", "# Leave\n\n26 days.")


def test_the_title_is_the_first_heading_of_the_first_level_outside_code(tmp_path: Path) -> None:
    assert read(tmp_path, "```\n# a comment\n```\n## Small\n\n# The **big** [one](x.md) {#id}\n").title == "The big one"
    assert read(tmp_path, "Leave\n=====\n\n26 days.").title == "Leave"
    assert read(tmp_path, "## Only small\n\ntext").title is None


def test_tags_of_site_generators_are_replaced_by_what_they_show(tmp_path: Path) -> None:
    page = """See [travel]({% page "/travel/" %}) {{< note >}} {{ site.name }}<!-- old: 12 days -->
{% comment %}nobody reads this{% endcomment %}
{: .no_toc }
<div class="box"><b>26 days</b><br>a year</div>
Use `{% raw %}` and `{{ x }}`:

```yaml
key: ${{ secrets.KEY }} <br> <!-- kept -->
```
"""
    assert read(tmp_path, page).text == (
        "See [travel](/travel/)\n\n26 days\na year\n\nUse `{% raw %}` and `{{ x }}`:\n\n"
        "```yaml\nkey: ${{ secrets.KEY }} <br> <!-- kept -->\n```"
    )


def test_what_no_reader_sees_is_not_in_the_text(tmp_path: Path) -> None:
    page = (
        "Pay\u200b ba\u202ends\U000e0041 ![diagram of bands](x.png) ![x](data:image/png;base64,AAAA==) ![](y.png)\x00\n"
    )
    assert read(tmp_path, page).text == "Pay bands diagram of bands x"


def test_plain_text_stays_plain(tmp_path: Path) -> None:
    parsed = read(tmp_path, "---\ntitle: x\n---\r\n# no heading <b>\r\n", "notes.txt")
    assert (parsed.text, parsed.title, parsed.readers) == ("---\ntitle: x\n---\n# no heading <b>", None, None)


@pytest.mark.parametrize("name", ["notes.txt", "notes"])
def test_plain_text_may_name_its_readers_too(tmp_path: Path, name: str) -> None:
    parsed = read(tmp_path, "---\nreaders: [group:hr]\n---\nBands.", name)
    assert (parsed.text, parsed.readers) == ("---\nreaders: [group:hr]\n---\nBands.", {"group:hr"})


@pytest.mark.parametrize("page", ["---\ntitle: Redirect\n---\n", "<!-- nothing -->", " \n\t\n"])
def test_a_page_without_text_says_so(tmp_path: Path, page: str) -> None:
    with pytest.raises(NoText, match="no text"):
        read(tmp_path, page)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_text_is_read_in_its_encoding(encoding: str) -> None:
    text = "Größe, été, niño: 26 Tage im Jahr für alle Beschäftigten."
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Отпуск оформляется через портал, за две недели.", "cp1251"),
        ("休暇の申請はポータルで行います。二週間前までに。", "cp932"),
        ("Żółta łódź płynie do Łodzi przez rzekę, źle i wolno.", "cp1250"),
    ],
)
def test_other_code_pages_are_guessed(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_a_broken_byte_costs_one_character() -> None:
    assert decode("Größe und Länge und Höhe und Güte und Wärme und Kälte".encode() * 9 + b"\xff.") == (
        "Größe und Länge und Höhe und Güte und Wärme und Kälte" * 9 + "\ufffd."
    )


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.md", b"# Leave", "text"),
        ("README", b"Leave", "text"),
        ("a.txt", "Urlaub für alle".encode("utf-16"), "text"),
        ("a.txt", b"<!DOCTYPE html><p>Leave", "html"),
        ("a.html", b"<p>Leave", "html"),
        ("a.md", b"%PDF-1.7 ", None),
        ("a.txt", b"PK\x03\x04", None),
        ("a.html", b"\x89PNG\r\n\x1a\n", None),
        ("a.docx", b"# Leave", None),
    ],
)
def test_a_name_is_believed_where_the_bytes_allow_it(tmp_path: Path, name: str, head: bytes, kind: str | None) -> None:
    (tmp_path / name).write_bytes(head)
    assert markup.kind(Original(path=tmp_path / name, name=name)) == kind


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        ("Travel policy", "Travel policy"),
        ("Microsoft Word - Travel policy", "Travel policy"),
        ("  Travel\n policy ", "Travel policy"),
        *(
            (junk, None)
            for junk in ("", "Untitled", "untitled 2", "PowerPoint Presentation", "Slide 1", "Tabelle1", "2.5")
        ),
        *((junk, None) for junk in ("Policy_v2_FINAL.docx", "travel-2024", "Document1", "(anonymous)", 7, None)),
    ],
)
def test_a_title_that_a_program_wrote_is_none(candidate: object, expected: str | None) -> None:
    assert title(candidate, "travel-2024.pdf") == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2024-03-02", datetime(2024, 3, 2, tzinfo=UTC)),
        ("2024-03-02T10:00:00+01:00", datetime(2024, 3, 2, 10, tzinfo=timezone(timedelta(hours=1)))),
        ("Fri, 01 Mar 2024 09:30:00 +0000", datetime(2024, 3, 1, 9, 30, tzinfo=UTC)),
        ("Fri, 01 Mar 99999999999999999999 09:30:00 +0000", None),
        ("next Tuesday", None),
        ("", None),
        (7, None),
    ],
)
def test_a_date_has_a_time_zone_or_is_none(written: object, expected: datetime | None) -> None:
    assert moment(written) == expected


HOSTILE = [
    "{%",
    "{{",
    "![",
    "](",
    "<a ",
    "<!--",
    "`",
    "``",
    "data:",
    "---\n",
    "# ",
    " ",
    "\t",
    "|",
    "| --- |\n",
    "\n",
    "{:",
]


@pytest.fixture
def little_processor_time() -> Iterator[None]:
    """A hundred times what the document needs, and a thousandth of what a pattern that backtracks would take."""

    def give_up(*_: object) -> None:
        raise AssertionError("reading is not linear in the text")

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, 20)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.parametrize("last", ["readers: [*a8]", "<<: *a8"])
@pytest.mark.usefixtures("little_processor_time")
def test_aliases_of_aliases_are_not_unfolded(last: str) -> None:
    opening, closing = ("{<<: [", "]}") if "<<" in last else ("[", "]")
    lines = ["a0: &a0 {x: 1}", *(f"a{n}: &a{n} {opening}{f'*a{n - 1},' * 9}{closing}" for n in range(1, 9)), last]
    front = "---\n" + "\n".join(lines) + "\n---\n"
    if "readers" in last:
        with pytest.raises(ParseError, match=r"readers.*alias"):
            front_matter.split(front + "26 days.")
    else:
        assert front_matter.split(front + "26 days.") == (front_matter.FrontMatter(), "26 days.")


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.usefixtures("little_processor_time")
def test_no_repetition_makes_reading_slow(tmp_path: Path, piece: str) -> None:
    assert read(tmp_path, "x" + piece * (1024 * 1024 // len(piece)) + "x").text


@given(st.text(max_size=400))
@example("---\nreaders:\n---")
@settings(max_examples=60, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        _, body = front_matter.split(text)
    except ParseError as error:
        assert "readers" in str(error)  # noqa: PT017 - both outcomes are right
        return
    cleaned = tidy(body)
    assert first_heading(cleaned) is None or cleaned
    assert tidy(cleaned) == cleaned
