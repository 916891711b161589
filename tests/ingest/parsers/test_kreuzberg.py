from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from pathlib import Path

import docx
import openpyxl
import pytest
from PIL import Image
from reportlab.lib import colors
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, Spacer, Table

from ingest.model import Original, Parsed
from ingest.parsers.interface import (
    NeedsOcr,
    NoText,
    ParseError,
    ParserUnavailable,
    ParsingSettings,
    ReadersUnclear,
)
from ingest.parsers.kreuzberg import Kreuzberg
from tests.ingest.parsers import documents

STYLES = getSampleStyleSheet()


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Parsed]:
    def parse(
        content: bytes, name: str, settings: ParsingSettings | None = None, media_type: str | None = None
    ) -> Parsed:
        (tmp_path / "content").write_bytes(content)
        original = Original(path=tmp_path / "content", name=name, media_type=media_type)
        return Kreuzberg(settings or ParsingSettings()).parse(original)

    return parse


def paragraphs(*texts: str) -> list[Paragraph]:
    return [Paragraph(text, STYLES["BodyText"]) for text in texts]


def test_metadata_is_read(read: Callable[..., Parsed]) -> None:
    parsed = read(documents.word(), "x.docx")
    assert (parsed.title, parsed.author) == (documents.TITLE, "Ada Lovelace")
    assert parsed.updated_at is not None
    assert parsed.updated_at.tzinfo is not None


def test_a_word_document_without_a_title_is_called_by_its_first_heading(read: Callable[..., Parsed]) -> None:
    document = docx.Document()
    document.core_properties.title = "Word Document"
    document.add_heading("Leave", 1)
    document.add_paragraph("26 days.")
    file = io.BytesIO()
    document.save(file)
    assert read(file.getvalue(), "leave.docx").title == "Leave"


def sheet(*above: object) -> bytes:
    workbook = openpyxl.Workbook()
    if above:
        workbook.active.append(above)
    for row in documents.ROWS:
        workbook.active.append(row)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def test_a_row_above_the_names_of_the_columns_is_a_caption(read: Callable[..., Parsed]) -> None:
    text = read(sheet("Rates of 2026"), "x.xlsx").text
    assert "Rates of 2026\n\n| Country | Amount | Note |\n| --- | --- | --- |\n| Germany |" in text


def test_a_date_in_a_sheet_has_no_midnight(read: Callable[..., Parsed]) -> None:
    assert "| 2026-05-01 | Labour Day |" in read(sheet(datetime(2026, 5, 1), "Labour Day"), "x.xlsx").text  # noqa: DTZ001


@pytest.mark.parametrize(("make", "name"), [(sheet, "x.xlsx"), (lambda: b"a,b\n1,2\n", "x.csv")])
def test_a_sheet_is_no_title(read: Callable[..., Parsed], make: Callable[[], bytes], name: str) -> None:
    parsed = read(make(), name)
    assert parsed.title is None
    assert "| --- |" in parsed.text


def test_a_table_drawn_in_a_pdf_is_a_table_where_it_stands(read: Callable[..., Parsed]) -> None:
    cell = Paragraph("Alarms are lost or delayed for very many customers at once", STYLES["BodyText"])
    rows = [["Level", "Meaning", "Update"], ["1", cell, "30 minutes"], ["Below that", "", "none"]]
    drawn = Table(
        rows, colWidths=[90, 130, 90], style=[("GRID", (0, 0), (-1, -1), 1, colors.black), ("SPAN", (0, 2), (1, 2))]
    )
    pdf = documents.paginated([*paragraphs("Before the table."), drawn, *paragraphs("After the table.")])
    assert read(pdf, "x.pdf").text == (
        "Before the table.\n\n"
        "| Level | Meaning | Update |\n| --- | --- | --- |\n"
        "| 1 | Alarms are lost or delayed for very many customers at once | 30 minutes |\n"
        "| Below that | | none |\n\n"
        "After the table."
    )


def test_lines_that_draw_no_table_change_nothing(read: Callable[..., Parsed]) -> None:
    boxed = Table([["Note: keep receipts."]], style=[("BOX", (0, 0), (-1, -1), 1, colors.black)])
    empty = Table([["", "", ""]] * 3, style=[("GRID", (0, 0), (-1, -1), 1, colors.black)])
    parsed = read(documents.paginated([*paragraphs("Before."), boxed, empty, *paragraphs("After.")]), "x.pdf")
    assert "|" not in parsed.text
    assert parsed.text.split() == ["Before.", "Note:", "keep", "receipts.", "After."]


def test_headings_of_a_pdf_stand_out_and_sentences_do_not(read: Callable[..., Parsed]) -> None:
    story = [
        Paragraph(documents.TITLE, STYLES["Title"]),
        Paragraph("1. Scope", STYLES["Heading2"]),
        *paragraphs("This policy is for everybody who travels on business. " * 4),
        Paragraph(
            "A heading that is so long that it does not fit on a single line of this page at all", STYLES["Heading2"]
        ),
        *paragraphs("<b>Always</b> keep receipts, whatever they are for, and hand them in. " * 4),
        Paragraph("Exceptions", STYLES["Heading3"]),
        *paragraphs("There are none. " * 8),
    ]
    parsed = read(documents.paginated(story), "x.pdf")
    assert [line for line in parsed.text.splitlines() if line.startswith("#")] == [
        "# Travel policy",
        "## 1. Scope",
        "## A heading that is so long that it does not fit on a single line of this page at all",
        "### Exceptions",
    ]


def test_running_headers_and_page_numbers_are_left_out_and_the_last_lines_of_pages_are_not(
    read: Callable[..., Parsed],
) -> None:
    file = io.BytesIO()
    canvas = Canvas(file)
    for page in (1, 2, 3):
        canvas.drawString(72, 815, f"Example Corp - Travel policy {page}")
        canvas.drawString(72, 700, f"The first sentence of page {page} stands here.")
        canvas.drawString(72, 90, f"The last sentence of page {page} stands here.")
        canvas.drawString(290, 25, f"{page} / 3")
        canvas.showPage()
    canvas.save()
    parsed = read(file.getvalue(), "x.pdf")
    assert parsed.text.replace("\n\n", "\n").split("\n") == [
        f"The {which} sentence of page {page} stands here." for page in (1, 2, 3) for which in ("first", "last")
    ]
    assert [parsed.text[start:].split("page ")[1][0] for start in parsed.pages] == ["1", "2", "3"]


def test_an_empty_page_starts_where_the_next_one_does(read: Callable[..., Parsed]) -> None:
    story = [*paragraphs("First."), PageBreak(), Spacer(1, 1), PageBreak(), *paragraphs("Third.")]
    parsed = read(documents.paginated(story), "x.pdf")
    assert parsed.text == "First.\n\nThird."
    assert parsed.pages == (0, 8, 8)


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("name", ["scan.png", "scan.docx"])
def test_a_picture_needs_text_recognition(read: Callable[..., Parsed], name: str) -> None:
    with pytest.raises(NeedsOcr, match="needs OCR: install the extra `ocr`") as caught:
        read(picture(), name)
    assert "parsing.ocr" in str(caught.value)


def test_a_language_that_recognition_lacks_is_named(read: Callable[..., Parsed]) -> None:
    with pytest.raises(ParserUnavailable, match="tesseract-ocr-xyz"):
        read(picture(), "scan.png", ParsingSettings(ocr=("xyz",)))


@pytest.mark.parametrize(
    ("content", "name", "kind", "words"),
    [
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "x.docx",
            ParseError,
            "password",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "x.doc", ParseError, "cannot be read as"),
        (bytes(range(256)), "x.txt", ParseError, "of no format that is known"),
        (
            b"RIFF\x24\x08\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00",
            "x.wav",
            ParseError,
            "of no format that is known",
        ),
        (b"%PDF-1.7\ngarbage", "x.pdf", ParseError, "cannot be read as a PDF"),
        (b"  \n", "x.csv", NoText, "no text"),
        (documents.archive({}), "x.zip", ParseError, "archive"),
        (documents.archive({"a.bin": bytes(40)}), "x.zip", NoText, "nothing in the archive"),
    ],
)
def test_what_cannot_be_read_says_why(
    read: Callable[..., Parsed], content: bytes, name: str, kind: type[ParseError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        read(content, name)


def test_an_archive_is_the_documents_within_it(read: Callable[..., Parsed]) -> None:
    inner = documents.archive({"deep/leave.md": b"# Leave\n\n26 days."})
    content = documents.archive({"b.csv": b"City,Limit\nLyon,120\n", "inner.zip": inner, "noise.bin": bytes(99)})
    parsed = read(content, "x.zip")
    assert parsed.text == (
        "## b.csv\n\n| City | Limit |\n| --- | --- |\n| Lyon | 120 |\n\n"
        "## inner.zip\n\n## deep/leave.md\n\n# Leave\n\n26 days."
    )
    assert parsed.title is None


def test_an_archive_of_an_office_document_is_no_office_document(read: Callable[..., Parsed]) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as made:
        made.writestr("policy.docx", documents.word())
    text = read(file.getvalue(), "x.zip").text
    assert text.startswith("## policy.docx\n")
    assert documents.SENTENCE in text


def test_a_page_within_an_archive_that_names_its_own_readers_is_not_read(read: Callable[..., Parsed]) -> None:
    secret = b"---\nreaders: [group:hr]\n---\nBands."
    content = documents.archive(
        {"pay.md": secret, "pay.html": secret, "broken.md": b"---\nreaders: x\n", "leave.md": b"26 days."}
    )
    assert read(content, "x.zip").text == "## leave.md\n\n26 days."


@pytest.mark.parametrize("name", ["pay.rst", "pay.org", "pay.adoc"])
@pytest.mark.parametrize("start", ["", "\n"])
def test_a_text_in_which_readers_do_not_count_is_refused_where_it_names_them(
    read: Callable[..., Parsed], name: str, start: str
) -> None:
    with pytest.raises(ReadersUnclear, match="`readers`"):
        read(f"{start}---\nreaders: [group:hr]\n---\nBands.\n".encode(), name)
    assert "Readers: all" in read(b"Pay\n\nBands.\n\nReaders: all.\n", name).text


def test_archives_within_archives_end(read: Callable[..., Parsed]) -> None:
    content = b"the innermost text"
    for _ in range(6):
        content = documents.archive({"x.zip": content, "note.txt": b"a note"})
    assert read(content, "x.zip").text.count("a note") == 2


def test_a_message_is_its_head_its_body_and_what_hangs_on_it(read: Callable[..., Parsed]) -> None:
    parsed = read(documents.message(), "x.eml")
    assert parsed.text == (
        "# Travel policy\n\n**From:** Ada Lovelace <ada@example.org>\n**To:** everyone@example.org\n"
        "**Date:** 2024-03-01 09:30 +0100\n**Attachments:** rates.csv\n\n"
        f"Hello,\n\n{documents.SENTENCE}\n\n## rates.csv\n\n"
        "| Country | Amount | Note |\n| --- | --- | --- |\n| Germany | 28 | full day |\n| Japan | 44 | with city tax |"
    )
    assert (parsed.title, parsed.author) == ("Travel policy", "Ada Lovelace")
    assert parsed.updated_at == datetime(2024, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=1)))


def test_a_message_in_html_keeps_its_table_and_not_what_is_hidden(read: Callable[..., Parsed]) -> None:
    message = EmailMessage()
    message["Subject"] = "Größe der Räume"
    message.set_content("City Seats Lyon 8")
    message.add_alternative(
        "<div style='display:none'>preheader</div><table><tr><th>City</th><th>Seats</th></tr>"
        "<tr><td>Lyon</td><td>8</td></tr></table>",
        subtype="html",
    )
    parsed = read(message.as_bytes(), "x.eml")
    assert parsed.text == "# Größe der Räume\n\n| City | Seats |\n| --- | --- |\n| Lyon | 8 |"


def test_an_encrypted_message_says_so(read: Callable[..., Parsed]) -> None:
    content = b"Subject: x\nContent-Type: multipart/encrypted; boundary=foo\n\n--foo\n\nVersion: 1\n--foo--\n"
    with pytest.raises(ParseError, match="the message is encrypted"):
        read(content, "x.eml")


@pytest.mark.parametrize("count", [500, 3000])
def test_messages_nested_without_end_are_refused(read: Callable[..., Parsed], count: int) -> None:
    content = b"Subject: x\n" + b"Content-Type: message/rfc822\n\n" * count + b"Subject: y\n\nHello.\n"
    with pytest.raises(ParseError, match="nested too deeply"):
        read(content, "x.eml")


def test_a_media_type_counts_where_name_and_bytes_say_nothing(read: Callable[..., Parsed]) -> None:
    content = b"City,Limit\nLyon,120\n"
    assert "| Lyon | 120 |" in read(content, "export", media_type="text/csv").text
    assert "|" not in read(content, "export", media_type="application/pdf").text


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_a_table_of_text_is_read_in_its_encoding(read: Callable[..., Parsed], encoding: str) -> None:
    assert "| Größe | 7 |" in read("Was,Wie viel\nGröße,7\n".encode(encoding), "x.csv").text


def test_the_same_bytes_give_the_same_document(read: Callable[..., Parsed]) -> None:
    content = documents.archive({f"{number}.csv": f"a,{number}\n1,2\n".encode() for number in range(12)})
    assert read(content, "x.zip") == read(content, "x.zip")
