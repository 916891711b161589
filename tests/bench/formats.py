"""One article as a file of each format that `sync` is timed on."""

from __future__ import annotations

import csv
from collections.abc import Callable
from email.message import EmailMessage
from html import escape
from pathlib import Path

from tests.bench.prose import Article

HEADER = ("name", "description", "amount", "date")


def markdown(article: Article, path: Path) -> None:
    lines = [f"# {article.title}", ""]
    for section in article.sections:
        lines += [f"## {section.heading}", ""]
        for paragraph in section.paragraphs:
            lines += [paragraph, ""]
        if section.items:
            lines += [*(f"- {item}" for item in section.items), ""]
        if section.rows:
            table = (HEADER, ("---",) * len(HEADER), *section.rows)
            lines += [*(f"| {' | '.join(row)} |" for row in table), ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def html(article: Article, path: Path) -> None:
    parts = [f"<!doctype html><html><head><meta charset='utf-8'><title>{escape(article.title)}</title></head><body>"]
    parts.append(f"<nav><a href='/'>start</a></nav><main><h1>{escape(article.title)}</h1>")
    for section in article.sections:
        parts.append(f"<h2>{escape(section.heading)}</h2>")
        parts += [f"<p>{escape(paragraph)}</p>" for paragraph in section.paragraphs]
        if section.items:
            parts.append("<ul>" + "".join(f"<li>{escape(item)}</li>" for item in section.items) + "</ul>")
        if section.rows:
            rows = (
                "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row)
                for tag, row in (("th", HEADER), *(("td", row) for row in section.rows))
            )
            parts.append("<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>")
    parts.append("</main></body></html>")
    path.write_text("\n".join(parts), encoding="utf-8")


def pdf(article: Article, path: Path) -> None:
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table

    styles = getSampleStyleSheet()
    flow: list[Flowable] = [Paragraph(escape(article.title), styles["Title"])]
    for section in article.sections:
        flow.append(Paragraph(escape(section.heading), styles["Heading2"]))
        flow += [Paragraph(escape(paragraph), styles["BodyText"]) for paragraph in section.paragraphs]
        flow += [Paragraph(escape(item), styles["BodyText"], bulletText="•") for item in section.items]
        if section.rows:
            cells = [[Paragraph(escape(cell), styles["BodyText"]) for cell in row] for row in (HEADER, *section.rows)]
            flow.append(Table(cells, colWidths=(120, 190, 60, 70)))
    SimpleDocTemplate(str(path), title=article.title).build(flow)


def docx(article: Article, path: Path) -> None:
    from docx import Document

    document = Document()
    document.core_properties.title = article.title
    document.add_heading(article.title, 0)
    for section in article.sections:
        document.add_heading(section.heading, 1)
        for paragraph in section.paragraphs:
            document.add_paragraph(paragraph)
        for item in section.items:
            document.add_paragraph(item, style="List Bullet")
        if section.rows:
            table = document.add_table(rows=0, cols=len(HEADER))
            for row in (HEADER, *section.rows):
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = text
    document.save(str(path))


def pptx(article: Article, path: Path) -> None:
    """A slide a paragraph, with the items of the section below the first one."""
    from pptx import Presentation

    presentation = Presentation()
    opening = presentation.slides.add_slide(presentation.slide_layouts[0])
    opening.shapes.title.text = article.title
    for section in article.sections:
        for number, paragraph in enumerate(section.paragraphs):
            slide = presentation.slides.add_slide(presentation.slide_layouts[1])
            slide.shapes.title.text = section.heading
            body = slide.placeholders[1].text_frame
            body.text = paragraph
            if number == 0:
                for item in (*section.items, *(", ".join(row) for row in section.rows)):
                    body.add_paragraph().text = item
    presentation.save(str(path))


def xlsx(article: Article, path: Path) -> None:
    """A sheet a section; every paragraph and item is the description of a row."""
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    for number, section in enumerate(article.sections, start=1):
        sheet = workbook.create_sheet(f"{number} {section.heading}"[:31])
        for row in _rows(section.paragraphs + section.items, section.rows):
            sheet.append(row)
    workbook.save(path)


def comma_separated(article: Article, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        texts = tuple(text for section in article.sections for text in section.paragraphs + section.items)
        writer.writerows(_rows(texts, tuple(row for section in article.sections for row in section.rows)))


def eml(article: Article, path: Path) -> None:
    message = EmailMessage()
    message["From"] = "Ada Example <ada@example.org>"
    message["To"] = "everyone@example.org"
    message["Date"] = "Mon, 02 Nov 2026 09:00:00 +0000"
    message["Subject"] = article.title
    text = "\n\n".join(
        "\n\n".join((section.heading, *section.paragraphs, *section.items, *(", ".join(row) for row in section.rows)))
        for section in article.sections
    )
    message.set_content(text)
    path.write_bytes(message.as_bytes())


def _rows(texts: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> list[tuple[str | float, ...]]:
    filled = [(" ".join(text.split()[:3]), text, float(len(text)), "2026-01-31") for text in texts]
    return [HEADER, *filled, *((name, text, float(amount), day) for name, text, amount, day in rows)]


WRITERS: dict[str, Callable[[Article, Path], None]] = {
    "md": markdown,
    "html": html,
    "pdf": pdf,
    "docx": docx,
    "pptx": pptx,
    "xlsx": xlsx,
    "csv": comma_separated,
    "eml": eml,
}
"""By file name extension."""


def write(articles: list[Article], extension: str, folder: Path) -> int:
    """Each article as a file in `folder`, which is made; the bytes written."""
    folder.mkdir(parents=True)
    for number, article in enumerate(articles):
        WRITERS[extension](article, folder / f"{number:05}.{extension}")
    return sum(path.stat().st_size for path in folder.iterdir())
