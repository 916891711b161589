"""`python -m tests.crash`: many runs on the real backends, and a table of what struck them and what came of it."""

from __future__ import annotations

import argparse
import itertools
import random
import signal
import sys
import time
from collections import Counter

from tests.crash import chain, places, table
from tests.crash.chain import Chain, Row, Strike
from tests.fixtures.postgres import Unavailable

NAMED = 5
"""Differences of one run that are printed."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="struck runs on each backend")
    parser.add_argument("--backend", choices=places.BACKENDS, action="append", help="default: all of them")
    parser.add_argument("--seed", type=int, default=None, help="as an earlier run printed it")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and folders are cleared away
    seed = random.randrange(10**6) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    chain.start_forking()
    wrong = 0
    for backend in arguments.backend or places.BACKENDS:
        started = time.monotonic()
        try:
            rows = struck(backend, arguments.runs, seed)
        except Unavailable as reason:
            print(f"{backend}: skipped, {reason}")
            continue
        print("\n".join(table.lines(backend, rows, time.monotonic() - started)), flush=True)
        wrong += sum(bool(row.wrong) for row in rows)
    return int(bool(wrong))


def struck(backend: str, runs: int, seed: int) -> list[Row]:
    """So many struck runs, in chains."""
    rows: list[Row] = []
    tried: Counter[Strike] = Counter()
    with places.opened(backend) as place:
        for number in itertools.count(1):
            for row in Chain(place, number, f"{seed}/{backend}", tried).rows():
                rows.append(row)
                for line in row.wrong[:NAMED]:
                    print(f"{row.seed}: {row.strike}: {line}", file=sys.stderr, flush=True)
                if len(rows) == runs:
                    return rows
                if row.wrong:
                    break  # what follows would stand on a state that is not as it must be
    return rows


if __name__ == "__main__":
    sys.exit(main())
