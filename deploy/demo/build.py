"""Build the binary documents of the demo handbook from the Markdown texts in ``build/``.

Usage: ``python deploy/demo/build.py [output folder]`` (default: ``handbook/`` beside this script).

Each text begins with a small header (``output``, ``title``, ``author``, ``date``, ``language``) and uses a subset of
Markdown: headings, paragraphs, flat lists, tables, ``**bold**`` and ``*italic*``. The ending of ``output`` chooses the
format. Running the script twice gives the same bytes, so that a rebuild without a change of text leaves no difference.
"""

from __future__ import annotations

import io
import os
import re
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from markup import Block, Grid, Heading, Items, Source, Text, plain, read_source, spans
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from pptx import Presentation
from pptx.util import Inches, Pt
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import cm
from reportlab.platypus import ListFlowable, ListItem, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

HERE = Path(__file__).resolve().parent
BRAND = "12436D"
ZIP_DATE = (1980, 1, 1, 0, 0, 0)


# PDF


def pdf_markup(text: str) -> str:
    """The line in the mark-up of reportlab's paragraphs."""
    parts = []
    for span in spans(text):
        part = escape(span.text)
        part = f"<b>{part}</b>" if span.bold else part
        parts.append(f"<i>{part}</i>" if span.italic else part)
    return "".join(parts)


def pdf_styles() -> dict[str, ParagraphStyle]:
    """The styles of the PDF documents."""
    base = getSampleStyleSheet()
    brand = colors.HexColor(f"#{BRAND}")
    body = ParagraphStyle("body", parent=base["BodyText"], fontSize=11, leading=15.5, spaceAfter=7)
    sizes = {"h1": 22, "h2": 15, "h3": 12.5}
    styles = {
        name: ParagraphStyle(
            name,
            parent=base["Heading1"],
            fontSize=size,
            leading=size * 1.25,
            textColor=brand,
            spaceBefore=size * 0.9,
            spaceAfter=size * 0.4,
        )
        for name, size in sizes.items()
    }
    cell = ParagraphStyle("cell", parent=body, fontSize=9.5, leading=12.5, spaceAfter=0)
    return styles | {"body": body, "cell": cell, "head": ParagraphStyle("head", parent=cell, textColor=colors.white)}


def pdf_table(grid: Grid, styles: dict[str, ParagraphStyle], width: float) -> Table:
    """A table as wide as the page, its columns sized by their longest cell."""
    weights = [max(10, min(34, max(len(cell) for cell in column))) for column in zip(*grid.rows, strict=True)]
    data = [
        [Paragraph(pdf_markup(cell), styles["cell" if number else "head"]) for cell in row]
        for number, row in enumerate(grid.rows)
    ]
    table = Table(data, colWidths=[width * weight / sum(weights) for weight in weights], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor(f"#{BRAND}")),
                ("GRID", (0, 0), (-1, -1), 0.4, colors.HexColor("#9AA7B2")),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    return table


def pdf_flowables(source: Source, width: float) -> Iterator[Any]:
    """The blocks as reportlab's flowables."""
    styles = pdf_styles()
    for block in source.blocks:
        match block:
            case Heading(level, text):
                yield Paragraph(pdf_markup(text), styles[f"h{min(level, 3)}"])
            case Text(text):
                yield Paragraph(pdf_markup(text), styles["body"])
            case Items(ordered, items):
                entries = [ListItem(Paragraph(pdf_markup(item), styles["body"])) for item in items]
                kind: dict[str, Any] = {"bulletType": "1", "bulletFormat": "%s."} if ordered else {"start": "•"}
                yield ListFlowable(entries, **({"bulletType": "bullet"} | kind), leftIndent=18)
            case Grid():
                yield pdf_table(block, styles, width)
                yield Spacer(1, 10)


def build_pdf(source: Source) -> bytes:
    """The text as a PDF file with a running foot and an outline."""

    def outline(flowable: Any) -> None:
        style = getattr(getattr(flowable, "style", None), "name", "")
        if style in ("h1", "h2", "h3"):
            key = f"h{template.canv.getPageNumber()}-{flowable.getPlainText()}"
            template.canv.bookmarkPage(key)
            template.canv.addOutlineEntry(flowable.getPlainText(), key, level=int(style[1]) - 1)

    def foot(canvas: Any, template: Any) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.setFillColor(colors.HexColor("#4A5560"))
        canvas.drawString(template.leftMargin, 1.2 * cm, f"Corvandel · {source.title}")
        canvas.drawRightString(A4[0] - template.rightMargin, 1.2 * cm, str(canvas.getPageNumber()))

    # The one way to give reportlab the date that readers are shown (reproducible-builds.org/docs/source-date-epoch).
    os.environ["SOURCE_DATE_EPOCH"] = str(int(source.moment.replace(tzinfo=UTC).timestamp()))  # noqa: TID251
    buffer = io.BytesIO()
    template = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=2.4 * cm,
        rightMargin=2.4 * cm,
        title=source.title,
        author=f"Corvandel, {source.author}",
        lang=source.language,
        invariant=1,
    )
    template.afterFlowable = outline
    template.build(list(pdf_flowables(source, template.width)), onFirstPage=foot, onLaterPages=foot)
    return buffer.getvalue()


# Office formats


def set_properties(properties: Any, source: Source) -> None:
    """Write the properties that python-docx and python-pptx share."""
    properties.title = source.title
    properties.author = properties.last_modified_by = f"Corvandel, {source.author}"
    properties.created = properties.modified = source.moment
    properties.language = source.language
    properties.comments = ""


def docx_restart(document: Any) -> str:
    """A new numbering that counts from one; without it each list would continue the one before."""
    numbering = document.part.numbering_part.element
    style = document.styles["List Number"].element
    old = numbering.num_having_numId(style.pPr.numPr.numId.val)
    number = numbering.add_num(old.abstractNumId.val)
    number.add_lvlOverride(ilvl=0).add_startOverride(1)
    return str(number.numId)


def docx_items(document: Any, block: Items) -> None:
    """Add a list."""
    number = docx_restart(document) if block.ordered else None
    for item in block.items:
        paragraph = document.add_paragraph(style="List Number" if block.ordered else "List Bullet")
        docx_runs(paragraph, item)
        if number:
            properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
            for tag, value in (("w:ilvl", "0"), ("w:numId", number)):
                element = OxmlElement(tag)
                element.set(qn("w:val"), value)
                properties.append(element)


def docx_runs(paragraph: Any, text: str) -> None:
    """Add the runs of a line to a paragraph."""
    for span in spans(text):
        run = paragraph.add_run(span.text)
        run.bold, run.italic = span.bold or None, span.italic or None


def build_docx(source: Source) -> bytes:
    """The text as a Word document."""
    document = Document()
    set_properties(document.core_properties, source)
    for block in source.blocks:
        match block:
            case Heading(level, text):
                document.add_heading(plain(text), level=level - 1)
            case Text(text):
                docx_runs(document.add_paragraph(), text)
            case Items():
                docx_items(document, block)
            case Grid(rows):
                table = document.add_table(rows=len(rows), cols=len(rows[0]), style="Light Grid Accent 1")
                for row, cells in zip(table.rows, rows, strict=True):
                    for cell, value in zip(row.cells, cells, strict=True):
                        docx_runs(cell.paragraphs[0], value)
                document.add_paragraph()
    return fixed_zip(document.save)


def pptx_slides(source: Source) -> Iterator[tuple[Heading, list[Block]]]:
    """Group the blocks into slides; each heading opens one."""
    heading, blocks = None, list[Block]()
    for block in source.blocks:
        if isinstance(block, Heading):
            if heading:
                yield heading, blocks
            heading, blocks = block, []
        else:
            blocks.append(block)
    if heading:
        yield heading, blocks


def pptx_lines(frame: Any, blocks: Sequence[Block]) -> None:
    """Fill a text frame with the paragraphs and lists of a slide."""
    frame.word_wrap = True
    paragraph = frame.paragraphs[0]
    lines = [(block, line) for block in blocks for line in getattr(block, "items", (getattr(block, "text", ""),))]
    for number, (block, line) in enumerate(lines):
        paragraph = frame.add_paragraph() if number else paragraph
        for span in spans(line):
            run = paragraph.add_run()
            run.text, run.font.size = span.text, Pt(20)
            run.font.bold, run.font.italic = span.bold or None, span.italic or None
        ordered = isinstance(block, Items) and block.ordered
        bullet = OxmlElement("a:buAutoNum" if ordered else "a:buChar" if isinstance(block, Items) else "a:buNone")
        if ordered:
            bullet.set("type", "arabicPeriod")
        elif isinstance(block, Items):
            bullet.set("char", "•")
        properties = paragraph._p.get_or_add_pPr()
        properties.set("marL", "342900")
        properties.set("indent", "-342900" if isinstance(block, Items) else "0")
        properties.append(bullet)


def pptx_table(slide: Any, grid: Grid) -> float:
    """Add a table below the title and return where it ends, in inches from the top."""
    height = 0.5 * len(grid.rows)
    frame = slide.shapes.add_table(
        len(grid.rows), len(grid.rows[0]), Inches(0.7), Inches(1.6), Inches(11.9), Inches(height)
    )
    for row, cells in zip(frame.table.rows, grid.rows, strict=True):
        for cell, value in zip(row.cells, cells, strict=True):
            cell.text = plain(value)
            cell.text_frame.paragraphs[0].runs[0].font.size = Pt(16)
    return 1.8 + height


def build_pptx(source: Source) -> bytes:
    """The text as a presentation: one slide for each heading."""
    show = Presentation()
    show.slide_width, show.slide_height = Inches(13.333), Inches(7.5)
    set_properties(show.core_properties, source)
    for heading, blocks in pptx_slides(source):
        grid = next((block for block in blocks if isinstance(block, Grid)), None)
        lines = [block for block in blocks if not isinstance(block, Grid)]
        slide = show.slides.add_slide(show.slide_layouts[0 if heading.level == 1 else 5 if grid else 1])
        title = slide.shapes.title
        title.text = plain(heading.text)
        top = 2.2 if heading.level == 1 else 0.3
        title.left, title.top, title.width, title.height = Inches(0.7), Inches(top), Inches(11.9), Inches(1.1)
        below = pptx_table(slide, grid) if grid else 4.0 if heading.level == 1 else 1.6
        if not lines:
            continue
        place = (Inches(0.7), Inches(below), Inches(11.9), Inches(7.1 - below))
        body = slide.shapes.add_textbox(*place) if grid else slide.placeholders[1]
        body.left, body.top, body.width, body.height = place
        pptx_lines(body.text_frame, lines)
    return fixed_zip(show.save)


def xlsx_value(text: str) -> str | int | float | date:
    """A cell's value: a number or a date where the text is one."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return date.fromisoformat(text)
    if re.fullmatch(r"\d{1,3}(,\d{3})+|\d+", text):
        return int(text.replace(",", ""))
    return plain(text)


def xlsx_rows(sheet: Any, rows: tuple[tuple[str, ...], ...], top: int) -> None:
    """Write a table; its first row is styled as a header."""
    for row, cells in enumerate(rows, start=top):
        for column, value in enumerate(cells, start=1):
            cell = sheet.cell(row, column, plain(value) if row == top else xlsx_value(value))
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if isinstance(cell.value, int):
                cell.number_format = "#,##0"
            if row == top:
                cell.font, cell.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor=BRAND)
    for column, values in enumerate(zip(*rows, strict=True), start=1):
        sheet.column_dimensions[get_column_letter(column)].width = min(60, max(len(value) for value in values) + 3)


def build_xlsx(source: Source) -> bytes:
    """The text as a workbook: one sheet for each heading."""
    book = Workbook()
    book.remove(book.active)
    book.properties.title, book.properties.language = source.title, source.language
    book.properties.creator = book.properties.lastModifiedBy = f"Corvandel, {source.author}"
    book.properties.created = book.properties.modified = source.moment
    sheet: Any = None
    for block in source.blocks:
        match block:
            case Heading(_, text):
                sheet = book.create_sheet(text)
            case Text(text):
                sheet.append([plain(text)])
            case Items(_, items):
                for item in items:
                    sheet.append([plain(item)])
            case Grid(rows):
                xlsx_rows(sheet, rows, sheet.max_row + 2 if sheet.max_row > 1 or sheet["A1"].value else 1)
    return fixed_zip(book.save, source.moment)


def fixed_zip(save: Callable[[Any], Any], modified: datetime | None = None) -> bytes:
    """Save an office document with fixed times; openpyxl stamps the current time unless ``modified`` replaces it."""
    first, second = io.BytesIO(), io.BytesIO()
    save(first)
    with zipfile.ZipFile(first) as old, zipfile.ZipFile(second, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if modified and name == "docProps/core.xml":
                stamp = rf"\g<1>{modified:%Y-%m-%dT%H:%M:%SZ}\g<2>".encode()
                data = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)", stamp, data)
            entry = zipfile.ZipInfo(name, ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            new.writestr(entry, data)
    return second.getvalue()


BUILDERS: dict[str, Callable[[Source], bytes]] = {
    ".pdf": build_pdf,
    ".docx": build_docx,
    ".pptx": build_pptx,
    ".xlsx": build_xlsx,
}


def main() -> None:
    """Build every document whose text lies in ``build/``."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "handbook"
    for path in sorted((HERE / "build").glob("*.md")):
        source = read_source(path)
        output = target / source.output
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(BUILDERS[output.suffix](source))
        print(source.output)


if __name__ == "__main__":
    main()
