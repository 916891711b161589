"""What `ingest` shows to people: a progress bar or plain lines while it works, then what became of every document."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ingest.change import Outcome
from ingest.sync import Listed, Progress, Settled

if TYPE_CHECKING:
    from ingest.index.interface import Hit
    from ingest.ledger import SourceState
    from ingest.model import DocumentId
    from ingest.plan import Plan
    from ingest.sync import Report

PLAIN_SECONDS = 10.0
"""At least this long between two lines of progress where there is no terminal."""

NAMED = 20
"""Documents that a plan names of each kind (`--json` has all), and a status of each source."""

RATE_SECONDS = 1.0
"""A rate is shown after this long: what is unchanged is settled at once, and tells nothing of the rest."""

EXCERPT = 300
"""Characters of a passage that a search shows."""

ORDER = (Outcome.SKIPPED, Outcome.FAILED)


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

        def show(event: Listed | Settled) -> None:
            if isinstance(event, Listed):
                bar.reset(task, description=event.source, total=event.documents, rate="")
            elif event.outcome is not Outcome.REMOVED:
                bar.advance(task)
                bar.update(task, rate=rate(bar.tasks[0].completed, bar.tasks[0].elapsed or 0))

        yield show


def rate(settled: float, seconds: float) -> str:
    """How fast documents are settled; empty as long as that says nothing."""
    return f"{settled / seconds:,.1f} documents/s" if seconds >= RATE_SECONDS else ""


class _Lines:
    def __init__(self) -> None:
        self._listed = 0
        self._settled = 0
        self._shown = time.monotonic()

    def show(self, event: Listed | Settled) -> None:
        if isinstance(event, Listed):
            self._listed, self._settled = event.documents, 0
            click.echo(f"{event.source}: {counted(event.documents, 'document')}, {event.to_read:,} to read", err=True)
        elif event.outcome is not Outcome.REMOVED:
            self._settled += 1
            if time.monotonic() - self._shown >= PLAIN_SECONDS:
                self._shown = time.monotonic()
                click.echo(f"{event.source}: {self._settled:,} of {self._listed:,} done", err=True)


def report(done: Report) -> Iterator[str]:
    """The counts of one source, each skipped and failed document with its reason, and what is left to do."""
    counts = ", ".join(f"{done.counts[outcome]:,} {outcome}" for outcome in Outcome)
    yield f"{done.source}: {counts} ({done.seconds:.1f} s)"
    for problem in sorted(done.problems, key=lambda item: (ORDER.index(item.outcome), item.document)):
        still = "still failing, unchanged since: " if problem.repeated else ""
        yield f"  {problem.outcome:<8} {printable(problem.document)}: {still}{printable(problem.reason or '')}"
    if any(problem.repeated for problem in done.problems):
        yield f"  Mend those that still fail, or read them again as they are: ingest sync --retry {done.source}"
    if done.interrupted:
        yield "  Interrupted; what was read is kept, and the next sync goes on from here."
    if done.withheld:
        why = "for nothing is listed any more" if done.emptied else "more than is believed untold"
        yield (
            f"  {counted(done.withheld, 'document')} would go, {why}: is everything mounted?"
            f" Nothing was removed. If they are meant to go: ingest sync --allow-removals {done.source}"
        )


def plan(source: str, planned: Plan) -> Iterator[str]:
    """What a sync would do."""
    kinds = (
        ("read", [(entry.id, None) for entry in planned.read]),
        ("relabel", [(record.id, None) for record in planned.relabel]),
        ("remove", [(id, None) for id in planned.removed]),
        ("skip", [(item.id, item.reason) for item in planned.skipped]),
        ("failing", [(record.id, record.error) for record in planned.failing]),
    )
    counts = ", ".join(f"{len(items):,} to {name}" for name, items in kinds[:4])
    yield f"{source}: {counts}, {len(planned.failing):,} still failing, {len(planned.unchanged):,} unchanged"
    for name, items in kinds:
        yield from _named(name, sorted(items)[:NAMED], len(items))
    if planned.emptied:
        yield "  Nothing is listed any more; a sync would not remove all of it without --allow-removals."
    elif planned.guarded:
        yield "  A sync would not remove that many without --allow-removals."


def _named(what: str, items: Sequence[tuple[DocumentId, str | None]], count: int) -> Iterator[str]:
    """One line for each of the documents, with its reason if there is one; `count` is how many there are in all."""
    for id, reason in items:
        yield f"  {what:<8} {printable(id)}" + (f": {printable(reason)}" if reason else "")
    if count > len(items):
        yield f"  {what:<8} … and {count - len(items):,} more"


def status(
    states: Iterable[SourceState], failing: Mapping[str, Mapping[DocumentId, str]], indexed: int | None
) -> Iterator[str]:
    """How every source stands. `failing`: the documents to name, with their reasons, by source."""
    total = 0
    for state in states:
        total += state.chunks
        when = f"synced {state.synced_at:%Y-%m-%d %H:%M} UTC" if state.synced_at else "not completely synced yet"
        failed = f", {state.failing:,} failing" if state.failing else ""
        held = f"{counted(state.documents, 'document')}, {counted(state.chunks, 'passage')}"
        yield f"{state.source.name}: {held}{failed}; {when}"
        yield f"  {printable(state.source.location)}"
        if state.error:
            yield f"  The last sync ended early: {printable(state.error)}"
        yield from _named("failing", list(failing.get(state.source.name, {}).items()), state.failing)
    if not total and not indexed:
        yield "Nothing is indexed yet: ingest sync FOLDER"
    elif indexed == total:
        yield f"The index holds all of it: {counted(total, 'passage')}."
    else:
        yield f"The index holds {indexed or 0:,} of {counted(total, 'passage')}; to make them agree: ingest reindex"


def hits(found: Iterable[Hit]) -> Iterator[str]:
    """Passages as a search ranks them, with the score of each leg."""
    for number, hit in enumerate(found, 1):
        chunk = hit.chunk
        place = " › ".join((chunk.title, *chunk.headings)) + (f", page {chunk.page}" if chunk.page else "")
        legs = " ".join(f"{leg} {score:.3f}" for leg, score in hit.legs.items())
        yield f"{number:>2}. {printable(place)}"
        yield f"    {printable(f'{chunk.source}/{chunk.document}')}  score {hit.score:.4f}  {legs}"
        yield f"    {printable(' '.join(chunk.text.split())[:EXCERPT])}"


def report_data(done: Report) -> dict[str, Any]:
    return {
        "source": done.source,
        "counts": {outcome.value: done.counts[outcome] for outcome in Outcome},
        "problems": [
            {
                "document": problem.document,
                "outcome": problem.outcome.value,
                "reason": problem.reason,
                "repeated": problem.repeated,
            }
            for problem in done.problems
        ],
        "parsed": done.parsed,
        "interrupted": done.interrupted,
        "withheld": done.withheld,
        "emptied": done.emptied,
        "seconds": round(done.seconds, 3),
    }


def plan_data(planned: Plan) -> dict[str, Any]:
    return {
        "read": [entry.id for entry in planned.read],
        "relabel": [record.id for record in planned.relabel],
        "remove": planned.removed,
        "skip": [{"document": item.id, "reason": item.reason} for item in planned.skipped],
        "failing": [{"document": record.id, "reason": record.error} for record in planned.failing],
        "unchanged": len(planned.unchanged),
        "guarded": planned.guarded,
        "emptied": planned.emptied,
    }


def state_data(state: SourceState, failing: Mapping[DocumentId, str]) -> dict[str, Any]:
    return {
        "source": state.source.name,
        "location": state.source.location,
        "configured": state.source.configured,
        "documents": state.documents,
        "failing": state.failing,
        "failures": [{"document": id, "reason": reason} for id, reason in failing.items()],
        "passages": state.chunks,
        "synced_at": state.synced_at.isoformat() if state.synced_at else None,
        "error": state.error,
    }


def hit_data(hit: Hit) -> dict[str, Any]:
    chunk = hit.chunk
    return {
        "source": chunk.source,
        "document": chunk.document,
        "title": chunk.title,
        "headings": list(chunk.headings),
        "page": chunk.page,
        "language": chunk.language,
        "readers": sorted(chunk.readers),
        "score": hit.score,
        "legs": dict(hit.legs),
        "text": chunk.text,
    }


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def printable(text: str) -> str:
    """`text` on one line, with an escape for whatever would steer the terminal or cannot be seen."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
