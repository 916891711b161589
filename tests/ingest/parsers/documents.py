"""One travel policy in every format: a title, two headings, a table of three columns, a sentence at the end."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import Any

import docx
import openpyxl
import pptx
from reportlab.lib import colors
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Table
from reportlab.platypus.flowables import Flowable

TITLE = "Travel policy"
HEADINGS = ("Per diem", "Hotels")
ROWS = (("Country", "Amount", "Note"), ("Germany", "28", "full day"), ("Japan", "44", "with city tax"))
SENTENCE = "Book through the portal and keep every receipt."

HTML = f"""<!doctype html><html><head><title>{TITLE} | Example Corp</title><script>track()</script></head><body>
<nav><a href="/">Start</a></nav><main><h1>{TITLE}</h1><h2>{HEADINGS[0]}</h2><table>
{"".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in ROWS)}
</table><h2>{HEADINGS[1]}</h2><p>{SENTENCE}</p></main><footer>Imprint</footer></body></html>"""

MARKDOWN = f"# {TITLE}\n\n## {HEADINGS[0]}\n\n| Country | Amount | Note |\n|---|---|---|\n" + "".join(
    f"| {' | '.join(row)} |\n" for row in ROWS[1:]
)
MARKDOWN += f"\n## {HEADINGS[1]}\n\n{SENTENCE}\n"


def word() -> bytes:
    document = docx.Document()
    document.core_properties.title = TITLE
    document.core_properties.author = "Ada Lovelace"
    document.add_heading(HEADINGS[0], 1)
    table = document.add_table(len(ROWS), len(ROWS[0]))
    for row, cells in zip(table.rows, ROWS, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    document.add_heading(HEADINGS[1], 1)
    document.add_paragraph(SENTENCE)
    return _saved(document.save)


def slides() -> bytes:
    presentation = pptx.Presentation()
    presentation.core_properties.title = TITLE
    layout = presentation.slide_layouts[5]
    for heading in HEADINGS:
        slide = presentation.slides.add_slide(layout)
        slide.shapes.title.text = heading
        if heading == HEADINGS[0]:
            table = slide.shapes.add_table(len(ROWS), len(ROWS[0]), 0, 2_000_000, 5_000_000, 1_000_000).table
            for number, row in enumerate(ROWS):
                for column, text in enumerate(row):
                    table.cell(number, column).text = text
        else:
            slide.shapes.add_textbox(0, 2_000_000, 5_000_000, 1_000_000).text_frame.text = SENTENCE
    return _saved(presentation.save)


def sheets() -> bytes:
    workbook = openpyxl.Workbook()
    workbook.properties.title = TITLE
    first = workbook.active
    first.title = HEADINGS[0]
    for row in ROWS:
        first.append(row)
    second = workbook.create_sheet(HEADINGS[1])
    second.append(("Rule", "Text"))
    second.append(("Booking", SENTENCE))
    return _saved(workbook.save)


def message() -> bytes:
    made = EmailMessage()
    made["Subject"] = TITLE
    made["From"] = "Ada Lovelace <ada@example.org>"
    made["To"] = "everyone@example.org"
    made["Date"] = "Fri, 01 Mar 2024 09:30:00 +0100"
    made.set_content(f"Hello,\n\n{SENTENCE}\n")
    made.add_attachment(_table_csv().encode(), maintype="text", subtype="csv", filename="rates.csv")
    return made.as_bytes()


def pdf(*, encrypt: str | None = None, scanned: bool = False) -> bytes:
    """Two pages, the table drawn with lines; `scanned` draws shapes only."""
    if scanned:
        return paginated([Table([[""]], style=[("BACKGROUND", (0, 0), (-1, -1), colors.grey)])])
    styles = getSampleStyleSheet()
    return paginated(
        [
            Paragraph(TITLE, styles["Title"]),
            Paragraph(HEADINGS[0], styles["Heading2"]),
            Paragraph("These are the amounts for meals, in euro, for each day of a journey.", styles["BodyText"]),
            Table(ROWS, style=[("GRID", (0, 0), (-1, -1), 1, colors.black)]),
            Paragraph("Above them, nothing is refunded.", styles["BodyText"]),
            PageBreak(),
            Paragraph(HEADINGS[1], styles["Heading2"]),
            Paragraph(SENTENCE, styles["BodyText"]),
        ],
        encrypt=encrypt,
    )


def paginated(story: Sequence[Flowable], *, encrypt: str | None = None) -> bytes:
    def save(file: io.BytesIO) -> None:
        SimpleDocTemplate(file, title=TITLE, author="Ada Lovelace", encrypt=encrypt).build(list(story))

    return _saved(save)


def archive(members: dict[str, bytes]) -> bytes:
    def save(file: io.BytesIO) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
            for name, content in members.items():
                made.writestr(name, content)

    return _saved(save)


def _table_csv() -> str:
    return "".join(",".join(row) + "\n" for row in ROWS)


def _saved(save: Callable[[Any], object]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()


FORMATS: dict[str, Callable[[], bytes]] = {
    "policy.docx": word,
    "policy.pptx": slides,
    "policy.xlsx": sheets,
    "policy.eml": message,
    "policy.pdf": pdf,
    "policy.html": HTML.encode,
    "policy.md": MARKDOWN.encode,
    "policy.csv": lambda: _table_csv().encode(),
}
