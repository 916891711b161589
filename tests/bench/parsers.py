"""Both readers over a folder: `python -m tests.bench.parsers PATH` prints a Markdown table, a row for each format.

Seconds are processor time, of the worker and of this process; MiB is the most that the worker ever held. Markdown,
plain text and HTML have one reader, whichever is chosen. With `--failures`, also why each file was not read.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ingest.model import Original
from ingest.parsers.interface import ParseError, ParsingSettings
from ingest.parsers.sandbox import Sandbox

HEADING = re.compile(r"^#{1,6} ", re.M)
TABLE = re.compile(r"^\|(?: ?:?-+:? ?\|)+$", re.M)


@dataclass(kw_only=True, slots=True)
class Row:
    files: int = 0
    read: int = 0
    characters: int = 0
    headings: int = 0
    tables: int = 0
    seconds: float = 0.0
    mebibytes: float = 0.0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.read} of {self.files} | {self.characters:,} | {self.headings:,} | {self.tables:,} "
            f"| {self.seconds:.2f} | {self.mebibytes:.0f}"
        )


async def measure(files: list[Path], parser: str) -> Row:
    row = Row(files=len(files))
    ours = psutil.Process()
    others = set(ours.children())
    async with Sandbox(ParsingSettings(workers=1)) as sandbox:
        begun = time.process_time()
        for path in files:
            try:
                parsed = await sandbox.parse(Original(path=path, name=path.name), parser)
            except ParseError as error:
                row.failures.append(f"{path.name}: {type(error).__name__}: {error}")
            else:
                row.read += 1
                row.characters += len(parsed.text)
                row.headings += len(HEADING.findall(parsed.text))
                row.tables += len(TABLE.findall(parsed.text))
            for worker in set(ours.children()) - others:
                row.mebibytes = max(row.mebibytes, _peak(worker.pid))
        row.seconds = time.process_time() - begun
        for worker in set(ours.children()) - others:
            spent = worker.cpu_times()
            row.seconds += spent.user + spent.system
    return row


def _peak(pid: int) -> float:
    """Resident MiB at the most, as Linux remembers them."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("path", type=Path)
    arguments.add_argument("--failures", action="store_true")
    chosen = arguments.parse_args()
    formats: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(chosen.path.rglob("*")):
        if path.is_file():
            formats[path.suffix.lower() or "(none)"].append(path)
    parsers = ["kreuzberg", *(["unstructured"] if importlib.util.find_spec("unstructured") else [])]
    names = ("read", "characters", "headings", "tables", "s", "MiB")
    print(f"| format | {' | '.join(f'{parser}: {name}' for parser in parsers for name in names)} |")
    print("|---|" + "---|" * len(parsers) * len(names))
    totals = {parser: Row() for parser in parsers}
    for suffix, files in sorted(formats.items()):
        rows = {parser: await measure(files, parser) for parser in parsers}
        print(f"| {suffix} | {' | '.join(str(row) for row in rows.values())} |", flush=True)
        for parser, row in rows.items():
            total = totals[parser]
            for name in ("files", "read", "characters", "headings", "tables", "seconds"):
                setattr(total, name, getattr(total, name) + getattr(row, name))
            total.mebibytes = max(total.mebibytes, row.mebibytes)
            total.failures += row.failures
    print(f"| all | {' | '.join(str(total) for total in totals.values())} |")
    for parser, total in totals.items() if chosen.failures else ():
        print(f"\n{parser}:\n" + "\n".join(f"- {failure}" for failure in total.failures))


if __name__ == "__main__":
    asyncio.run(main())
