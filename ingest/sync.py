"""The verb: a source's documents into ledger and index, as a transaction that may be killed at any instant.

What changed is read, parsed and chunked by a few tasks, while one writer takes what they finish, in groups. Removals
come last, after a complete listing, and then the cursor from which the next listing may go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from ingest import change
from ingest.change import Change, Outcome
from ingest.commit import Writer, batches
from ingest.errors import SouffleurError
from ingest.guard import GuardSettings
from ingest.ledger import DatabaseUnavailable, LeaseLost, Ledger
from ingest.model import DocumentId, Entry
from ingest.plan import Plan, compare, retrial
from ingest.reading import Parse, Reader
from ingest.sources.interface import Source, SourceRefused, SourceUnavailable

GROUP_CHUNKS = 500
"""A group is written when it has this many chunks …"""

GROUP_SECONDS = 1.0
"""… or when its first document has waited this long."""

DOWN_AFTER = 5
"""So many documents in a row that the source does not hand out mean that it is down; fewer are their own trouble."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """A source is being listed, which may take its time."""

    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A source has been listed and compared."""

    source: str
    documents: int
    unchanged: int
    to_read: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """One document is done; index and ledger have what there is to have of it."""

    source: str
    document: DocumentId
    outcome: Outcome
    reason: str | None = None
    """Why it was skipped or failed, in one line."""
    repeated: bool = False
    """The failure is that of an earlier run; the document has not changed since and was not read again."""
    answers_from: datetime | None = None
    """Of a failed document: when the version was indexed from which answers still come; None when there is none."""


Progress = Callable[[Begun | Listed | Settled], None]

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Report:
    """What one run over one source did."""

    source: str
    counts: Counter[Outcome] = field(default_factory=Counter)
    problems: list[Settled] = field(default_factory=list)
    """The skipped and the failed ones."""
    parsed: int = 0
    """Documents that a parser was asked to read."""
    embedded: int = 0
    """Texts that the embedding model was asked for."""
    whole: bool = True
    """Whether everything was listed; otherwise what had changed since the last run."""
    interrupted: bool = False
    withheld: int = 0
    """Removals that the guard held back."""
    emptied: bool = False
    """They were held back because the listing was empty."""
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        """Whether everything that was to be done was done."""
        return not (self.counts[Outcome.FAILED] or self.interrupted or self.withheld)


@dataclass(kw_only=True)
class Run:
    """One run over one source: `sync` or `retry`, once."""

    source: Source
    ledger: Ledger
    writer: Writer
    parse: Parse
    workers: int
    languages: tuple[str, ...]
    settings: str = ""
    """What the listing depends on besides the source: a cursor kept under other settings is not used."""
    guard: GuardSettings = field(default_factory=GuardSettings)
    progress: Progress = lambda _: None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Once it is set, what has been read is written and the rest is left to the next run."""

    def __post_init__(self) -> None:
        self.report = Report(source=self.source.name)
        self._refused: list[Change] = []
        """What the source did not hand out since the last document that it did."""
        self._down: SourceUnavailable | SourceRefused | None = None
        self._emptied: list[Change] = []
        """Documents of which nothing can be read any more, which go like those that are gone."""

    async def sync(self, *, full: bool = False, allow_removals: bool = False) -> Report:
        """Bring ledger and index to what the source holds now, once what an earlier run left half written is mended.

        One document that fails keeps its last good version and stops nothing. `full` lists everything, whatever cursor
        was kept; `allow_removals` lifts the guard against a listing that lacks much of a source, or all.

        Raises `SourceUnavailable`, `SourceRefused`, and whatever ledger and index raise; what was committed stays.
        """
        async with _Recorded(self):
            self.progress(Begun(source=self.source.name))
            await self.writer.recover()
            since = None if full else await self.ledger.cursor(self.source.name, self.settings)
            plan = await self._unless_stopped(compare(self.source, self.ledger, since=since))
            if plan is None:
                self.report.interrupted = True
                return self.report
            self._tell(plan)
            await self._carry_out(plan, retry=False)
            if not self.report.interrupted:
                await self._let_go(plan, allow_removals=allow_removals)
            if self._down is not None:
                raise self._down
            done = not (self.report.interrupted or self.report.withheld)
            if done and plan.cursor is not None and plan.cursor != since:
                await self.ledger.keep_cursor(self.source.name, self.settings, plan.cursor)
        return self.report

    async def retry(self) -> Report:
        """Read again what the last attempts got nothing from, and nothing else. Raises as `sync` does."""
        async with _Recorded(self, kept=False):
            self.progress(Begun(source=self.source.name))
            await self.writer.recover()
            since = await self.ledger.cursor(self.source.name, self.settings)
            plan = await self._unless_stopped(retrial(self.source, self.ledger, since=since))
            if plan is None:
                self.report.interrupted = True
                return self.report
            self._tell(plan)
            await self._carry_out(plan, retry=True)
            await self._let_go(plan, allow_removals=False)
            if self._down is not None:
                raise self._down
        return self.report

    def _tell(self, plan: Plan) -> None:
        self.report.whole = plan.whole
        self.report.counts[Outcome.UNCHANGED] += plan.unchanged
        self.progress(
            Listed(source=self.source.name, documents=plan.listed, unchanged=plan.unchanged, to_read=len(plan.read))
        )
        for item in plan.skipped:
            self._settled(item.id, Outcome.SKIPPED, item.reason)
        for record in plan.failing:
            self._settle(change.unread(record), repeated=True)

    async def _carry_out(self, plan: Plan, *, retry: bool) -> None:
        for batch in batches(plan.restated):
            await self.writer.write([change.noting(record) for record in batch])
        await self._write_in_batches([change.noting(record) for record in plan.noted])
        await self._write_in_batches([change.relabelling(record) for record in plan.relabel])
        reader = Reader(source=self.source, parse=self.parse, languages=self.languages, known=plan.held, again=retry)
        await self._read_and_write(reader, plan.read)
        self.report.parsed, self.report.embedded = reader.parsed, self.writer.embedded
        self.report.interrupted |= self.stop.is_set()

    async def _let_go(self, plan: Plan, *, allow_removals: bool) -> None:
        """What is gone, and what nothing can be read of any more, unless that is more than the guard lets go."""
        if plan.guarded(self.guard, emptied=len(self._emptied)) and not allow_removals:
            self.report.withheld = len(plan.removed) + len(self._emptied)
            self.report.emptied = plan.emptied
        else:
            await self._write_in_batches(self._emptied)
            await self._remove(plan)

    async def _unless_stopped(self, work: Coroutine[Any, Any, Result]) -> Result | None:
        """What comes of `work`, or None when told to stop before."""
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(work)

            async def cancel_when_stopped() -> None:
                await self.stop.wait()
                task.cancel()

            watch = tasks.create_task(cancel_when_stopped())
            await asyncio.wait([task])
            watch.cancel()
        return None if task.cancelled() else task.result()

    async def _write_in_batches(self, changes: Sequence[Change]) -> None:
        for batch in batches(changes):
            if self.stop.is_set():
                self.report.interrupted = True
                return
            await self._write(batch)

    async def _read_and_write(self, reader: Reader, entries: Sequence[Entry]) -> None:
        changes: asyncio.Queue[Change | None] = asyncio.Queue(maxsize=4 * self.workers)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read_all(reader, entries, changes))
            await self._write_all(changes)

    async def _read_all(self, reader: Reader, entries: Sequence[Entry], changes: asyncio.Queue[Change | None]) -> None:
        """Put what becomes of each entry into `changes`, and None at the end; no further one once told to stop.

        A source that goes away in the middle has what was read before written all the same; one that only some
        documents cannot be had of is not away.
        """
        waiting = iter(entries)

        async def read_on() -> None:
            for entry in waiting:
                if self.stop.is_set() or self._down is not None:
                    return
                await self._read(reader, entry, changes)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(self.workers):
                tasks.create_task(read_on())
        await self._settle_refused(changes)
        await changes.put(None)

    async def _read(self, reader: Reader, entry: Entry, changes: asyncio.Queue[Change | None]) -> None:
        try:
            change = await reader.read(entry)
        except (SourceUnavailable, SourceRefused) as error:
            self._refused.append(reader.refused(entry, error))
            if len(self._refused) >= DOWN_AFTER:
                self._down = error
            return
        if change.empties:
            self._emptied.append(change)
        else:
            await changes.put(change)
        await self._settle_refused(changes)

    async def _settle_refused(self, changes: asyncio.Queue[Change | None]) -> None:
        """As long as the source is not down, what it did not hand out is those documents' own trouble."""
        if self._down is None:
            refused, self._refused = self._refused, []
            for failed in refused:
                await changes.put(failed)

    async def _write_all(self, changes: asyncio.Queue[Change | None]) -> None:
        """Write what comes out of `changes` in groups, until None comes."""
        loop = asyncio.get_running_loop()
        group: list[Change] = []
        weight = 0
        due: float | None = None
        while True:
            try:
                async with asyncio.timeout_at(due):
                    item = await changes.get()
            except TimeoutError:
                pass
            else:
                if item is None:
                    break
                group.append(item)
                weight += item.weight
                due = due or loop.time() + GROUP_SECONDS
                if weight < GROUP_CHUNKS:
                    continue
            await self._write(group)
            group, weight, due = [], 0, None
        await self._write(group)

    async def _write(self, group: Sequence[Change]) -> None:
        if group:
            await self.writer.write(group)
            for item in group:
                self._settle(item)

    async def _remove(self, plan: Plan) -> None:
        await self.writer.remove(plan.removed)
        withdrawn = {item.id for item in plan.skipped}
        for id in plan.removed:
            if id not in withdrawn:
                self._settled(id, Outcome.REMOVED)

    def _settle(self, item: Change, *, repeated: bool = False) -> None:
        record = item.record
        answers_from = record.indexed_at if record.stale else None
        self._settled(record.id, item.outcome, record.error, repeated=repeated, answers_from=answers_from)

    def _settled(
        self,
        id: DocumentId,
        outcome: Outcome,
        reason: str | None = None,
        *,
        repeated: bool = False,
        answers_from: datetime | None = None,
    ) -> None:
        settled = Settled(
            source=self.source.name,
            document=id,
            outcome=outcome,
            reason=reason,
            repeated=repeated,
            answers_from=answers_from,
        )
        self.report.counts[outcome] += 1
        if outcome in (Outcome.SKIPPED, Outcome.FAILED):
            self.report.problems.append(settled)
        self.progress(settled)


class _Recorded:
    """Measures a run, has the ledger keep how it ended, and raises the one error to tell."""

    def __init__(self, run: Run, *, kept: bool = True) -> None:
        self._run = run
        self._kept = kept

    async def __aenter__(self) -> None:
        self._started = datetime.now(UTC)

    async def __aexit__(self, kind: type[BaseException] | None, raised: BaseException | None, _: object) -> None:
        report, ended = self._run.report, datetime.now(UTC)
        report.seconds = (ended - self._started).total_seconds()
        cause = None if raised is None else _cause(raised)
        if self._kept:
            try:
                await self._run.ledger.record_run(
                    report.source,
                    started=self._started,
                    ended=ended,
                    counts={outcome.value: count for outcome, count in report.counts.items()},
                    error=_ended(cause, report),
                )
            except (DatabaseUnavailable, LeaseLost) as error:
                if cause is None:
                    raise
                _log.warning("how the run over %r ended could not be kept: %s", report.source, error)
        if cause is not None and cause is not raised:
            raise cause from cause.__cause__


def _ended(cause: BaseException | None, report: Report) -> str | None:
    """Why a run ended early, for the ledger; None when it did not."""
    if isinstance(cause, SouffleurError):
        return str(cause)
    if isinstance(cause, Exception):
        return f"unexpected {type(cause).__name__}: {' '.join(str(cause).split())}"
    if report.withheld:
        return (
            f"{report.withheld:,} removals were held back; to let them go: ingest sync --allow-removals {report.source}"
        )
    return "interrupted" if cause is not None or report.interrupted else None


def _cause(error: BaseException) -> BaseException:
    """The one error to tell: tasks that run together raise in groups, and the first has made the others stop."""
    return _cause(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
