"""`ingest` on the command line."""

from __future__ import annotations

from ingest.cli import cli


def main() -> None:
    cli(prog_name="ingest")


if __name__ == "__main__":
    main()
