"""`python -m tests.eval [NAME…]`: run measurements and print their tables as Markdown."""

from __future__ import annotations

import argparse
import asyncio
from importlib import import_module
from pathlib import Path

from tests.bench.table import machine
from tests.eval.asking import Chosen

NAMES = ("language", "citations", "written", "cost", "filtered")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.eval",
        description="What the checks of answers are worth, with chat models that are scripted to misbehave.",
        epilog="How often questions are refused, and rightly, is measured by `bot calibrate --dry-run FOLDER…`.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)} (default: all)")
    parser.add_argument(
        "--data",
        nargs="+",
        type=Path,
        default=[],
        metavar="FOLDER",
        help="question sets in BEIR layout; for `language`, sets with the same paragraphs in several languages, named"
        " `…-LANGUAGE`, the first of which is what is searched (default: the demo)",
    )
    parser.add_argument("--sample", type=int, default=100, metavar="N", help="questions of each set (default: 100)")
    parser.add_argument(
        "--points", type=int, default=50_000, metavar="N", help="passages made for `filtered` (default: 50,000)"
    )
    parser.add_argument(
        "--qdrant-url",
        metavar="URL",
        help="a Qdrant server for `filtered`; its collections `souffleur-filtered…` are replaced",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    print(f"{machine()}\n", flush=True)
    chosen = Chosen(
        folders=tuple(arguments.data),
        sample=arguments.sample,
        points=arguments.points,
        qdrant_url=arguments.qdrant_url,
    )
    for name in arguments.names or NAMES:
        for table in asyncio.run(import_module(f"tests.eval.{name}").measure(chosen)):
            print(table.markdown(), flush=True)


if __name__ == "__main__":
    main()
