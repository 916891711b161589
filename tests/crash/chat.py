"""`python -m tests.crash.chat`: two replicas of `bot serve` are killed while they answer; every answer is given once.

    python -m tests.crash.chat [--runs 100] [--platform slack|mattermost] [--state sqlite|postgres] [--seed N]

A run: a few people ask, change and delete; one thing strikes the replicas, others trouble the platform. Who was killed
is started again. Once nothing is left to be done each question must have one answer, whole, and nothing else be there.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.crash import chain, places, table
from tests.crash.chain import Row
from tests.crash.company import Companies
from tests.crash.strikes import Strike
from tests.fixtures import postgres

PLATFORMS, STATES = ("slack", "mattermost"), ("sqlite", "postgres")

NAMED = 6
"""Differences of one run that are printed."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.chat", description=__doc__)
    parser.add_argument("--runs", type=int, default=100, help="runs on each platform with each database")
    parser.add_argument("--platform", choices=PLATFORMS, action="append", help="default: both")
    parser.add_argument("--state", choices=STATES, action="append", help="default: both")
    parser.add_argument("--seed", default=None, help="as an earlier run printed it")
    parser.add_argument("--logs", type=Path, default=None, help="a folder for what the replicas log")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and folders are cleared away
    seed = arguments.seed or str(random.randrange(10**6))
    print(f"seed {seed}", flush=True)
    chain.start_forking()
    wrong = 0
    for platform, state in itertools.product(arguments.platform or PLATFORMS, arguments.state or STATES):
        started = time.monotonic()
        try:
            rows = struck_on(platform, state, arguments.runs, seed, logs=arguments.logs)
        except postgres.Unavailable as reason:
            print(f"{platform} with {state}: skipped, {reason}")
            continue
        print("\n".join(table.lines(f"{platform} with {state}", rows, time.monotonic() - started)), flush=True)
        wrong += sum(bool(row.wrong) for row in rows)
    return int(bool(wrong))


def struck_on(platform: str, state: str, runs: int, seed: str, *, logs: Path | None) -> list[Row]:
    """So many runs with companies of their own. Raises `postgres.Unavailable`."""
    with ExitStack() as stack:
        memory = places.MEMORY if places.MEMORY.is_dir() else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="souffleur-chat-", dir=memory)))
        server = stack.enter_context(postgres.running()) if state == "postgres" else None
        return asyncio.run(_struck_in(folder, platform, runs, f"{seed}/{platform}/{state}", logs or folder, server))


async def _struck_in(
    folder: Path, platform: str, runs: int, seed: str, logs: Path, server: postgres.Postgres | None
) -> list[Row]:
    return await struck(await Companies.made(folder, logs=logs, server=server), platform, runs, seed)


async def struck(companies: Companies, platform: str, runs: int, seed: str) -> list[Row]:
    """So many runs, one company after the other."""
    rows: list[Row] = []
    tried: Counter[Strike] = Counter()
    for number in itertools.count(1):
        async with companies.opened(platform, f"{seed}/{number}", tried) as company:
            async for row in company.rows(runs - len(rows)):
                rows.append(row)
                for line in row.wrong[:NAMED]:
                    print(f"{row.seed}: {row.strike}: {line}", file=sys.stderr, flush=True)
                if companies.logs != companies.folder:
                    print(f"{time.strftime('%X')} {row.seed}: {row.strike}", file=sys.stderr, flush=True)
        if len(rows) >= runs:
            return rows
    raise AssertionError("unreachable")


if __name__ == "__main__":
    sys.exit(main())
