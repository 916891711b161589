"""`ingest sync` of many small files, and again with nothing changed."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import formats
from tests.bench.process import configured, synced
from tests.bench.prose import articles
from tests.bench.table import MEGABYTE, Options, Table

FILES = 10_000


def measure(options: Options) -> Iterator[Table]:
    count = FILES // 100 if options.quick else FILES
    documents = options.folder / "documents"
    formats.write(list(articles("small", count, smallest=200, largest=1_000)), "md", documents)
    configuration = configured(options.folder / "home", {"documents": documents})
    rows: list[tuple[object, ...]] = []
    seconds: list[float] = []
    for run in ("first", "second", "third"):
        ran, report = synced(configuration)
        unchanged = report["counts"].get("unchanged", 0)
        seconds.append(ran.seconds)
        rows.append(
            (
                run,
                ran.seconds,
                count / ran.seconds,
                report["parsed"],
                unchanged,
                ran.peak / MEGABYTE,
                ran.peak_own / MEGABYTE,
            )
        )
    first, *again = seconds
    yield Table(
        title=f"unchanged: {count:,} small Markdown files",
        columns=("run", "s", "files/s", "parsed", "unchanged", "peak RSS MB", "without mapped files"),
        rows=rows,
        notes=(f"A sync with nothing to do takes {min(again) / first:.3f} of the first. Nothing may be parsed by it.",),
    )
