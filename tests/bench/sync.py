"""`ingest sync` of a folder of each format: files and megabytes a second, the start of the program included."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import formats
from tests.bench.process import configured, synced
from tests.bench.prose import articles
from tests.bench.table import MEGABYTE, Options, Table

FILES = 200
MARKDOWN_FILES = 2000


def measure(options: Options) -> Iterator[Table]:
    rows: list[tuple[object, ...]] = []
    baseline = 0.0
    for extension in formats.WRITERS:
        count = MARKDOWN_FILES if extension == "md" else FILES
        smallest, largest = (1_000, 20_000) if extension == "md" else (5_000, 50_000)
        wanted = list(articles(extension, count // 20 if options.quick else count, smallest=smallest, largest=largest))
        documents = options.folder / "documents" / extension
        size = formats.write(wanted, extension, documents)
        configuration = configured(options.folder / "homes" / extension, {"documents": documents})
        ran, report = synced(configuration)
        text = sum(article.size for article in wanted) / ran.seconds
        baseline = baseline or text
        rows.append(
            (
                extension,
                report["counts"].get("added", 0),
                report["counts"].get("failed", 0),
                size / MEGABYTE,
                ran.seconds,
                len(wanted) / ran.seconds,
                size / MEGABYTE / ran.seconds,
                text / MEGABYTE,
                f"{text / baseline:.2f}",
                ran.peak / MEGABYTE,
                ran.peak_own / MEGABYTE,
                ran.peak_of_all / MEGABYTE,
            )
        )
    yield Table(
        title="sync: a new folder of one format",
        columns=(
            "format",
            "added",
            "failed",
            "MB",
            "s",
            "files/s",
            "MB/s",
            "MB of text/s",
            "text rate, Markdown = 1",
            "peak RSS MB",
            "without mapped files",
            "peak RSS with workers",
        ),
        rows=rows,
        notes=(
            "Articles of 1 to 20 kB of text as Markdown, of 5 to 50 kB in the other formats. `MB` counts the files,"
            " `MB of text` what was put into them: its rate compares formats.",
        ),
    )
