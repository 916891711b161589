"""Holds what came out against whoever reads it, counts how often that was done, and listens to logs and metrics."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, generate_latest

from ingest.telemetry import QUIET, STATEMENTS
from tests.canaries.company import Company
from tests.canaries.words import seen

CHECKS: Counter[str] = Counter()
"""By what was looked at, in this run: a check is one thing that came out, held against one reader."""

FOUND: Counter[str] = Counter()
"""Words that were seen, and rightly: a suite under which nothing is ever shown proves nothing."""


def check(company: Company, where: str, thing: object, readers: Iterable[str]) -> None:
    """Fail where `thing` holds a word that one of its readers may not see now."""
    words = seen(thing)
    for reader in readers:
        CHECKS[where] += 1
        wrong = sorted(word for word in words if not company.may_see(reader, word))
        assert not wrong, f"{where} shows {reader} what they may not read: {wrong} in {thing!r}"
    FOUND[where] += len(words)


def check_nobodys(where: str, thing: object) -> None:
    """Fail where `thing`, which anybody may come to read, holds a word of any document."""
    CHECKS[where] += 1
    assert not (words := seen(thing)), f"{where} holds {sorted(words)}: {thing!r}"


def check_metrics(registry: CollectorRegistry) -> None:
    check_nobodys("metrics", generate_latest(registry).decode())


class Heard(logging.Handler):
    """Every log line, as an operator's own settings would let it through at its most talkative."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def check(self) -> None:
        for line in self.lines:
            check_nobodys("log", line)
        self.lines.clear()


@contextmanager
def logs() -> Iterator[Heard]:
    """All log lines at the level `debug`, with the libraries as `start_logging` sets them."""
    heard, root = Heard(), logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in ("", *QUIET, *STATEMENTS)}
    root.addHandler(heard)
    root.setLevel(logging.DEBUG)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.INFO)
    for name in STATEMENTS:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        yield heard
    finally:
        root.removeHandler(heard)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
