"""How long a fresh process takes: to show its help, and to answer one question from the demo's index."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from statistics import median

from tests.bench import demo
from tests.bench.process import command, seconds
from tests.bench.table import Options, Table

RUNS = 9


def measure(options: Options) -> Iterator[Table]:
    configuration = demo.indexed(options.folder)
    question = demo.questions(1)[0]
    runs = 2 if options.quick else RUNS
    commands: dict[str, tuple[list[str], float | None]] = {
        "python -c pass": ([sys.executable, "-c", "pass"], None),
        "ingest --help": (command("ingest", "--help"), 0.25),
        "bot --help": (command("bot", "--help"), 0.25),
        "bot ask": (command("bot", "--config", configuration, "ask", question), 1.0),
        "ingest sync, unchanged": (command("ingest", "--config", configuration, "sync"), None),
    }
    taken = {name: seconds(arguments, runs) for name, (arguments, _) in commands.items()}
    floor = median(taken["python -c pass"])
    rows: list[tuple[object, ...]] = [
        (name, median(times), min(times), aim or "", f"{median(times) / floor:.0f}")
        for (name, times), (_, aim) in zip(taken.items(), commands.values(), strict=True)
    ]
    yield Table(
        title=f"start: {runs} fresh processes each",
        columns=("command", "median s", "fastest s", "aim s", "times a bare interpreter"),
        rows=rows,
    )
