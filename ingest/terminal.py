"""What `ingest` shows to people while it works: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import click

from ingest.change import Outcome
from ingest.sync import Begun, Listed, Progress, Settled

PLAIN_SECONDS = 10.0
"""At least this long between two lines of progress where there is no terminal."""

RATE_SECONDS = 1.0
"""A rate is shown after this long: what is unchanged is settled at once, and tells nothing of the rest."""


class Show(Protocol):
    """Takes how much is done, of how much (0 where that cannot be known), and of what."""

    def __call__(self, done: int, total: int, label: str = ...) -> None: ...


@contextmanager
def progress(*, silent: bool) -> Iterator[Progress]:
    """Where `sync` tells its progress: a bar with rate and remaining time on a terminal, plain lines elsewhere."""
    if silent:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _Lines().show


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("listing", total=None, rate="")
        unchanged = 0

        def show(event: Begun | Listed | Settled) -> None:
            nonlocal unchanged
            if isinstance(event, Begun):
                bar.reset(task, description=f"{event.source}: listing", total=None, rate="")
            elif isinstance(event, Listed):
                bar.reset(task, description=event.source, total=event.documents, rate="", completed=event.unchanged)
                unchanged = event.unchanged
            elif event.outcome is not Outcome.REMOVED:
                bar.advance(task)
                bar.update(task, rate=rate(bar.tasks[0].completed - unchanged, bar.tasks[0].elapsed or 0))

        yield show


@contextmanager
def bar(label: str, *, silent: bool) -> Iterator[Show]:
    """Where a command tells how much is done, of how much, and of what; shown on a terminal alone."""
    if silent or not sys.stderr.isatty():
        yield lambda done, total, label=label: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(label, total=None)
        yield lambda done, total, label=label: shown.update(
            task, completed=done, total=total or None, description=label
        )


@contextmanager
def steps(*, silent: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Where a command of several steps tells which one it is at, how much of it is done, and of how much."""
    with bar("", silent=silent) as show:
        yield lambda step, done, total: show(done, total, step)


def rate(settled: float, seconds: float) -> str:
    """How fast documents are settled; empty as long as that says nothing."""
    return f"{settled / seconds:,.1f} documents/s" if seconds >= RATE_SECONDS else ""


class _Lines:
    def __init__(self) -> None:
        self._listed = 0
        self._settled = 0
        self._shown = time.monotonic()

    def show(self, event: Begun | Listed | Settled) -> None:
        if isinstance(event, Begun):
            return
        if isinstance(event, Listed):
            self._listed, self._settled = event.documents, event.unchanged
            click.echo(f"{event.source}: {counted(event.documents, 'document')}, {event.to_read:,} to read", err=True)
        elif event.outcome is not Outcome.REMOVED:
            self._settled += 1
            if time.monotonic() - self._shown >= PLAIN_SECONDS:
                self._shown = time.monotonic()
                click.echo(f"{event.source}: {self._settled:,} of {self._listed:,} done", err=True)


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def printable(text: str) -> str:
    """`text` on one line, with an escape for whatever would steer the terminal or cannot be seen."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
