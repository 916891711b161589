"""`python -m tests.bench [NAME…]`: run benches and print their tables as Markdown."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from tests.bench.process import CommandFailed
from tests.bench.table import Options, machine

BENCHES = ("start", "serve", "sync", "unchanged", "ask", "access", "chat", "embed")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Speed and memory of ingest and bot.",
        epilog="The readers are compared by `python -m tests.bench.parsers PATH`.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it work? The figures mean nothing.")
    parser.add_argument("--embedding", type=Path, metavar="PATH", help="folder of a sentence-transformers model")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHES):
        parser.error(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    print(f"{machine()}\n", flush=True)
    failed = False
    for name in arguments.names or BENCHES:
        started = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="souffleur-bench-") as folder:
            options = Options(folder=Path(folder), quick=arguments.quick, embedding=arguments.embedding)
            try:
                for table in import_module(f"tests.bench.{name}").measure(options):
                    print(table.markdown(), flush=True)
            except CommandFailed as error:
                print(f"{name} could not be measured: {error}\n", flush=True)
                failed = True
        print(f"({name}: {time.perf_counter() - started:.0f} s in all)\n", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
