"""What struck the runs, and how many of them were mended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.crash.chain import Row


def lines(backend: str, rows: Sequence[Row], seconds: float) -> Iterator[str]:
    """A table in Markdown: a line for each kind of strike, and the sum."""
    missed = sum(row.missed for row in rows)
    yield f"{backend}: {len(rows)} runs struck ({missed} more ended before the blow) in {seconds:.0f} s"
    yield "| what | struck | differences afterwards |"
    yield "|---|---:|---:|"
    for strike in sorted({row.strike for row in rows}):
        these = [row for row in rows if row.strike == strike]
        yield f"| {strike} | {len(these)} | {sum(bool(row.wrong) for row in these)} |"
    yield f"| all | {len(rows)} | {sum(bool(row.wrong) for row in rows)} |"
