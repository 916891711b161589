"""`ingest sync` of many small files, again with nothing changed, and beside it a bare walk over the folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench import formats
from tests.bench.process import Ran, configured, run, synced
from tests.bench.prose import articles
from tests.bench.table import MEGABYTE, Options, Table

SIZES = (10_000, 100_000)

TIMES = 3
"""Runs of what is compared, in turns, of which the median counts."""

WALK = """
import os, sys
waiting, seen = [sys.argv[1]], 0
while waiting:
    for item in os.scandir(waiting.pop()):
        if item.is_dir():
            waiting.append(item.path)
        else:
            item.stat()
            seen += 1
print(seen)
"""
"""The least that finding out takes: every folder read, every file's size and time asked for."""

PER_FOLDER = 500


def measure(options: Options) -> Iterator[Table]:
    sizes = [size // 100 for size in SIZES] if options.quick else list(SIZES)
    rows: list[tuple[object, ...]] = []
    notes: list[str] = []
    for size in sizes:
        documents = options.folder / f"documents-{size}"
        for start in range(0, size, PER_FOLDER):
            found = articles(f"small-{start}", min(PER_FOLDER, size - start), smallest=200, largest=1_000)
            formats.write(list(found), "md", documents / f"{start // PER_FOLDER:03}")
        configuration = configured(options.folder / f"home-{size}", {"documents": documents})
        first, report = synced(configuration)
        rows.append((f"{size:,}", "first sync", first.seconds, 1, report["parsed"], *_memory(first)))
        again, walks = _again(configuration, documents)
        seconds, walk = median(ran.seconds for ran in again), median(walks)
        largest = max(again, key=lambda ran: ran.peak)
        rows.append((f"{size:,}", "nothing changed", seconds, seconds / first.seconds, 0, *_memory(largest)))
        rows.append((f"{size:,}", "bare walk with stat", walk, walk / first.seconds, 0, "", ""))
        notes.append(f"{size:,} files: a sync with nothing to do takes {seconds / walk:.1f} times a bare walk.")
    columns = ("files", "run", "s", "of the first", "parsed", "peak RSS MB", "without mapped files")
    notes.append(f"Second runs and walks are whole processes, the median of {TIMES} taken in turns.")
    yield Table(title="unchanged: many small Markdown files", columns=columns, rows=rows, notes=tuple(notes))


def _again(configuration: Path, documents: Path) -> tuple[list[Ran], list[float]]:
    again, walks = [], []
    for _ in range(TIMES):
        walks.append(run([sys.executable, "-c", WALK, str(documents)]).seconds)
        ran, report = synced(configuration)
        if report["parsed"]:
            raise AssertionError("a document was parsed though nothing had changed")
        again.append(ran)
    return again, walks


def _memory(ran: Ran) -> tuple[float, float]:
    return ran.peak / MEGABYTE, ran.peak_own / MEGABYTE
