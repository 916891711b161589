"""What `ingest` says when it has done its work: lines for people, data for machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ingest.change import Outcome
from ingest.guard import GuardSettings
from ingest.index.interface import Hit
from ingest.model import DocumentId
from ingest.plan import Plan
from ingest.rebuild import Rebuilt
from ingest.records import SourceState
from ingest.sync import Report
from ingest.terminal import counted, printable
from ingest.verify import Difference, Verdict

NAMED = 20
"""Documents that a plan names of each kind (`--json` has all), and a status of each source."""

EXCERPT = 300
"""Characters of a passage that a search shows."""

OVERDUE_SECONDS = 60
"""A run that was announced and is this late will not come by itself."""

ORDER = (Outcome.SKIPPED, Outcome.FAILED)


def report(done: Report) -> Iterator[str]:
    """The counts of one source, each skipped and failed document with its reason, and what is left to do."""
    counts = ", ".join(f"{done.counts[outcome]:,} {outcome}" for outcome in Outcome)
    since = "" if done.whole else "of what has changed since the last sync; "
    yield f"{done.source}: {counts} ({since}{done.seconds:.1f} s)"
    for problem in sorted(done.problems, key=lambda item: (ORDER.index(item.outcome), item.document)):
        still = "still failing, unchanged since: " if problem.repeated else ""
        kept = f" (answers come from the version of {problem.answers_from:%Y-%m-%d})" if problem.answers_from else ""
        yield f"  {problem.outcome:<8} {printable(problem.document)}: {still}{printable(problem.reason or '')}{kept}"
    if any(problem.repeated for problem in done.problems):
        yield f"  Mend those that still fail, or read them again as they are: ingest retry {done.source}"
    if done.interrupted:
        yield "  Interrupted; what was read is kept, and the next sync goes on from here."
    if done.withheld:
        why = "for nothing is listed any more" if done.emptied else "more than `guard` lets go at once"
        yield (
            f"  {counted(done.withheld, 'document')} would go, {why}: is everything mounted, and may it still be read?"
            f" Nothing was removed. If they are meant to go: ingest sync --allow-removals {done.source}"
        )


def plan(source: str, planned: Plan, guard: GuardSettings) -> Iterator[str]:
    """What a sync would do."""
    kinds = (
        ("read", [(entry.id, None) for entry in planned.read]),
        ("relabel", [(record.id, None) for record in planned.relabel]),
        ("remove", [(id, None) for id in planned.removed]),
        ("skip", [(item.id, item.reason) for item in planned.skipped]),
        ("failing", [(record.id, record.error) for record in planned.failing]),
    )
    counts = ", ".join(f"{len(items):,} to {name}" for name, items in kinds[:4])
    unchanged = planned.unchanged + len(planned.noted)
    since = "" if planned.whole else " (of what has changed since the last sync)"
    yield f"{source}: {counts}, {len(planned.failing):,} still failing, {unchanged:,} unchanged{since}"
    for name, items in kinds:
        yield from _named(name, sorted(items)[:NAMED], len(items))
    if planned.emptied:
        yield "  Nothing is listed any more; a sync would not remove all of it without --allow-removals."
    elif planned.guarded(guard):
        yield "  A sync would not remove that many without --allow-removals."


def _named(what: str, items: Sequence[tuple[DocumentId, str | None]], count: int) -> Iterator[str]:
    """One line for each of the documents, with its reason if there is one; `count` is how many there are in all."""
    for id, reason in items:
        yield f"  {what:<8} {printable(id)}" + (f": {printable(reason)}" if reason else "")
    if count > len(items):
        yield f"  {what:<8} … and {count - len(items):,} more"


def status(
    states: Iterable[SourceState],
    failing: Mapping[str, Mapping[DocumentId, str]],
    indexed: int | None,
    *,
    now: datetime,
) -> Iterator[str]:
    """How every source stands. `failing`: the documents to name, with their reasons, by source."""
    total = 0
    for state in states:
        total += state.chunks
        when = f"synced {_ago(state.synced_at, now)}" if state.synced_at else "not completely synced yet"
        held = f"{counted(state.documents, 'document')}, {counted(state.chunks, 'passage')}"
        failed = f", {state.failing:,} failing" if state.failing else ""
        stale = f" ({state.stale:,} of them answered from an older version)" if state.stale else ""
        revoked = f", {state.revoked:,} revoked" if state.revoked else ""
        yield f"{state.source.name}: {held}{failed}{stale}{revoked}; {when}{_next(state.next_run, now)}"
        yield f"  {printable(state.source.location)}"
        if state.ran_at:
            done = ", ".join(f"{number:,} {what}" for what, number in state.counts.items() if number)
            yield f"  Last run {_ago(state.ran_at, now)}: {done or 'nothing had changed'}"
        if state.error:
            yield f"  The last sync ended early: {printable(state.error)}"
        yield from _named("failing", list(failing.get(state.source.name, {}).items()), state.failing)
        if state.failing:
            yield f"  To read them again as they are: ingest retry {state.source.name}"
    if not total and not indexed:
        yield "Nothing is indexed yet: ingest sync FOLDER"
    elif indexed == total:
        yield f"The index holds all of it: {counted(total, 'passage')}."
    else:
        yield f"The index holds {indexed or 0:,} of {counted(total, 'passage')}; to see what differs: ingest verify"


def _ago(moment: datetime, now: datetime) -> str:
    """A moment, and how long ago it was, in the largest unit that tells."""
    return f"{moment:%Y-%m-%d %H:%M} UTC ({_length((now - moment).total_seconds())} ago)"


def _next(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return ""
    seconds = (moment - now).total_seconds()
    if seconds < -OVERDUE_SECONDS:
        return f"; the next was due at {moment:%Y-%m-%d %H:%M} UTC: is `ingest sync --watch` still running?"
    return f"; next in {_length(max(seconds, 0))}"


def _length(seconds: float) -> str:
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return counted(int(seconds // length), unit)
    return counted(max(int(seconds), 0), "second")


def verdict(found: Verdict) -> Iterator[str]:
    """How index and ledger compare, and what was done about it."""
    read = f"{found.indexed:,}, of which {found.scrolled:,} were read and compared"
    yield f"Ledger: {counted(found.known, 'passage')}. Index: {read}."
    for kind, count in found.counts.items():
        yield from _differences(kind, [item for item in found.differences if item.kind is kind], count)
    if found.removed:
        reached = f"{found.reachable:,} can still be found" if found.reachable else "nothing of them can be found"
        yield f"{counted(found.removed, 'removed document')}: {reached}."
    if found.in_writing:
        yield f"{counted(found.in_writing, 'passage')} being written by a sync were left to it."
    elif found.unsettled and not found.repaired:
        yield f"{counted(found.unsettled, 'passage')} of a sync that was cut short; the next one settles them."
    if found.uncounted:
        yield f"The index counts {found.uncounted:,} more or fewer than it shows; to build it anew: ingest reindex"
    elif found.agrees and found.differing:
        yield "Repaired: index and ledger hold the same."
    elif found.agrees:
        yield "Index and ledger hold the same."
    else:
        yield "Index and ledger differ; the ledger is right. To mend the index: ingest verify --repair"


def _differences(kind: str, named: Sequence[Difference], count: int) -> Iterator[str]:
    yield f"  {counted(count, 'passage')} {kind}:"
    for item in named:
        fields = f" ({', '.join(item.fields)})" if item.fields else ""
        yield f"    {printable(f'{item.source}/{item.document}')}{fields}"
    if count > len(named):
        yield f"    … and {count - len(named):,} more"


def rebuilt(done: Rebuilt) -> Iterator[str]:
    """How the new index came about, and what it finds."""
    parts = [f"{done.embedded:,} texts embedded"] if done.embedded else []
    if done.resumed:
        parts.append(f"{counted(done.resumed, 'passage')} of an earlier attempt")
    if done.replayed:
        parts.append(f"{counted(done.replayed, 'passage')} changed meanwhile")
    details = f" ({', '.join(parts)})" if parts else ""
    yield f"The index has been built anew: {counted(done.passages, 'passage')}{details}."
    if done.recall.questions:
        yield f"It was asked before it was put in use: {done.recall}."
    if done.recall.old is not None:
        yield "The old one is kept; to go back to it: ingest reindex --rollback"


def gone_back(found: Verdict) -> Iterator[str]:
    """What going back to the index before took."""
    late = f"; {counted(found.differing, 'passage')} had changed since and are up to date" if found.differing else ""
    yield f"The index that was in use before is in use again: {counted(found.known, 'passage')}{late}."
    yield "The other one is kept; to change again: ingest reindex --rollback"


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
                "answers_from": _iso(problem.answers_from),
            }
            for problem in done.problems
        ],
        "parsed": done.parsed,
        "embedded": done.embedded,
        "whole": done.whole,
        "interrupted": done.interrupted,
        "withheld": done.withheld,
        "emptied": done.emptied,
        "seconds": round(done.seconds, 3),
    }


def plan_data(source: str, planned: Plan, guard: GuardSettings) -> dict[str, Any]:
    return {
        "source": source,
        "read": [entry.id for entry in planned.read],
        "relabel": [record.id for record in planned.relabel],
        "remove": planned.removed,
        "skip": [{"document": item.id, "reason": item.reason} for item in planned.skipped],
        "failing": [{"document": record.id, "reason": record.error} for record in planned.failing],
        "unchanged": planned.unchanged + len(planned.noted),
        "whole": planned.whole,
        "guarded": planned.guarded(guard),
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
        "stale": state.stale,
        "revoked": state.revoked,
        "synced_at": _iso(state.synced_at),
        "ran_at": _iso(state.ran_at),
        "counts": state.counts,
        "next_run": _iso(state.next_run),
        "error": state.error,
    }


def verdict_data(found: Verdict) -> dict[str, Any]:
    return {
        "agrees": found.agrees,
        "repaired": found.repaired,
        "ledger": found.known,
        "index": found.indexed,
        "compared": found.scrolled,
        "uncounted": found.uncounted,
        "unsettled": found.unsettled,
        "in_writing": found.in_writing,
        "removed_documents": found.removed,
        "removed_but_reachable": found.reachable,
        "counts": {kind.name.lower(): count for kind, count in found.counts.items()},
        "differences": [
            {
                "kind": item.kind.name.lower(),
                "passage": item.chunk,
                "source": item.source,
                "document": item.document,
                "fields": list(item.fields),
            }
            for item in found.differences
        ],
    }


def rebuilt_data(done: Rebuilt) -> dict[str, Any]:
    return {
        "passages": done.passages,
        "embedded": done.embedded,
        "resumed": done.resumed,
        "replayed": done.replayed,
        "recall": {
            "questions": done.recall.questions,
            "golden": done.recall.golden,
            "new": done.recall.new,
            "old": done.recall.old,
            "words_alone": done.recall.words_alone,
        },
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


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
