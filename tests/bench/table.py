"""What a bench yields, and how it is printed."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path

import psutil

MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What every bench is told."""

    folder: Path
    """Empty and temporary: a bench writes nowhere else."""
    quick: bool = False
    """Small sizes, to see that it works; the figures mean nothing."""
    embedding: Path | None = None
    """Folder of a sentence-transformers model."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """One table of figures, with what a reader must know of them."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """Title, table and notes; the first column to the left, figures to the right."""
        lines = [f"### {self.title}", ""]
        if self.rows:
            rule = (":---", *("---:" for _ in self.columns[1:]))
            lines += [f"| {' | '.join(map(_cell, row))} |" for row in (self.columns, rule, *self.rows)] + [""]
        return "\n".join([*lines, *(f"{note}\n" for note in self.notes)])


def machine() -> str:
    """Date, processors, memory, Python and how busy the machine is, in one line."""
    memory = psutil.virtual_memory().total / 1024**3
    load = psutil.getloadavg()[0]
    today = datetime.now().astimezone().date()
    return (
        f"{today.isoformat()}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()},"
        f" {platform.system()} {platform.machine()}; load average before the first bench {load:.1f}"
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of them do not exceed."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
