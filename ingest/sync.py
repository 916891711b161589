"""The verb: a source's documents into ledger and index, as a transaction that may be killed at any instant.

What changed is read, parsed and chunked by a few tasks, while one writer takes what they finish, in groups. Removals
come last, after a complete listing.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ingest import change
from ingest.change import Change, Outcome
from ingest.commit import BATCH, Writer
from ingest.errors import SouffleurError, Transient
from ingest.ledger import Ledger, Record
from ingest.model import DocumentId, Entry, Original, Parsed
from ingest.parsers.interface import FileUnreadable, NeedsOcr, NoText, ParserUnavailable, ReadersUnclear, UnknownFormat
from ingest.plan import Plan, compare
from ingest.sources.interface import DocumentGone, Source, SourceUnavailable

GROUP_CHUNKS = 500
"""A group is written when it has this many chunks …"""

GROUP_SECONDS = 1.0
"""… or when its first document has waited this long."""

HASH_SECONDS = 300
"""Clock time for reading one file once, from a slow share."""

REASON_CHARACTERS = 500
"""Of a reason that is kept and shown; some repeat what the document says."""

_log = logging.getLogger(__name__)

Parse = Callable[[Original, str], Awaitable[Parsed]]
"""`Sandbox.parse`: an original and the name of a parser."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A source has been listed and compared."""

    source: str
    documents: int
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


Progress = Callable[[Listed | Settled], None]


@dataclass(kw_only=True, slots=True)
class Report:
    """What one run over one source did."""

    source: str
    counts: Counter[Outcome] = field(default_factory=Counter)
    problems: list[Settled] = field(default_factory=list)
    """The skipped and the failed ones."""
    parsed: int = 0
    """Documents that a parser was asked to read."""
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


async def sync(
    source: Source,
    *,
    ledger: Ledger,
    writer: Writer,
    parse: Parse,
    workers: int,
    languages: tuple[str, ...],
    progress: Progress = lambda _: None,
    stop: asyncio.Event | None = None,
    retry: bool = False,
    allow_removals: bool = False,
) -> Report:
    """Bring ledger and index to what `source` holds now, once what an earlier run left half written is mended.

    One document that fails keeps its last good version and stops nothing. `retry` reads those again that failed and
    have not changed since; `allow_removals` lifts the guard against a listing that lacks most documents, or all. Once
    `stop` is set, what has been read is written and the rest is left to the next run.

    Raises `SourceUnavailable`, and whatever ledger and index raise; what was committed before stays.
    """
    run = _Run(
        source=source,
        ledger=ledger,
        writer=writer,
        parse=parse,
        workers=workers,
        languages=languages,
        progress=progress,
        stop=stop or asyncio.Event(),
        retry=retry,
        report=Report(source=source.name),
    )
    started = datetime.now(UTC)
    error: str | None = "interrupted"
    try:
        await run.all(allow_removals=allow_removals)
        error = "interrupted" if run.report.interrupted else None
    except (SouffleurError, BaseExceptionGroup) as raised:
        cause = _cause(raised)
        error = str(cause)
        raise cause from cause.__cause__
    finally:
        ended = datetime.now(UTC)
        run.report.seconds = (ended - started).total_seconds()
        counts = {outcome.value: count for outcome, count in run.report.counts.items()}
        await ledger.record_run(source.name, started=started, ended=ended, counts=counts, error=error)
    return run.report


@dataclass(kw_only=True)
class _Run:
    """One run over one source."""

    source: Source
    ledger: Ledger
    writer: Writer
    parse: Parse
    workers: int
    languages: tuple[str, ...]
    progress: Progress
    stop: asyncio.Event
    retry: bool
    report: Report
    known: Mapping[DocumentId, Record] = field(default_factory=dict)
    chunking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Telling languages and cutting are pure Python: two threads at it would only take turns."""

    async def all(self, *, allow_removals: bool) -> None:
        await self.writer.recover()
        self.known = await self.ledger.documents(self.source.name)
        plan = await compare(self.source, self.known, retry=self.retry)
        self.progress(Listed(source=self.source.name, documents=plan.listed, to_read=len(plan.read)))
        self._settle_unread(plan)
        await self._relabel(plan.relabel)
        await self._read_and_write(plan.read)
        if self.stop.is_set():
            self.report.interrupted = True
        elif plan.guarded and not allow_removals:
            self.report.withheld, self.report.emptied = len(plan.removed), plan.emptied
        else:
            await self._remove(plan)

    def _settle_unread(self, plan: Plan) -> None:
        for id in plan.unchanged:
            self._settled(id, Outcome.UNCHANGED)
        for item in plan.skipped:
            self._settled(item.id, Outcome.SKIPPED, item.reason)
        for record in plan.failing:
            self._settled(record.id, Outcome.FAILED, record.error, repeated=True)

    async def _relabel(self, records: Sequence[Record]) -> None:
        for start in range(0, len(records), BATCH):
            if not self.stop.is_set():
                await self._write([change.relabelling(record) for record in records[start : start + BATCH]])

    async def _read_and_write(self, entries: Sequence[Entry]) -> None:
        changes: asyncio.Queue[Change | None] = asyncio.Queue(maxsize=4 * self.workers)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read_all(entries, changes))
            await self._write_all(changes)

    async def _read_all(self, entries: Sequence[Entry], changes: asyncio.Queue[Change | None]) -> None:
        """Put what becomes of each entry into `changes`, and None at the end; give up early when told to stop."""
        waiting = iter(entries)

        async def read_on() -> None:
            for entry in waiting:
                await changes.put(await self._read(entry))

        async def cancel_when_stopped() -> None:
            await self.stop.wait()
            for reader in readers:
                reader.cancel()

        async with asyncio.TaskGroup() as tasks:
            readers = [tasks.create_task(read_on()) for _ in range(self.workers)]
            watch = tasks.create_task(cancel_when_stopped())
            await asyncio.wait(readers)
            watch.cancel()
        await changes.put(None)

    async def _read(self, entry: Entry) -> Change:
        """One document, isolated: whatever goes wrong with it is its own outcome."""
        old = self.known.get(entry.id)
        parser = self.source.parser_for(entry)
        digest, version, unclear = "", entry.version, False
        try:
            async with self.source.fetch(entry) as original:
                digest = await _digest(original.path)
                if old is not None and (old.content_hash, old.parser) == (digest, parser) and not self._due_again(old):
                    return change.touched(self.source, entry, old)
                self.report.parsed += 1
                parsed = await self.parse(original, parser)
            async with self.chunking:
                return await asyncio.to_thread(self._understood, entry, original, parsed, digest)
        except SourceUnavailable:
            raise
        except (Transient, DocumentGone, ParserUnavailable, FileUnreadable, OSError) as error:
            reason, version = _one_line(error), ""  # may go well another time, though the document stays the same
        except (NoText, NeedsOcr, UnknownFormat) as error:
            return change.empty(*(self.source, entry, old), content_hash=digest, parser=parser, error=_one_line(error))
        except SouffleurError as error:
            reason, unclear = _one_line(error), isinstance(error, ReadersUnclear)
        except Exception as error:  # noqa: BLE001 - what nobody foresaw is one document's failure, too
            _log.debug("document %r of source %r", entry.id, self.source.name, exc_info=error)
            reason = f"unexpected {type(error).__name__}: {_one_line(error)}"
        return change.failed(
            *(self.source, entry, old),
            version=version,
            content_hash=digest,
            parser=parser,
            error=reason,
            readers_unclear=unclear,
        )

    def _understood(self, entry: Entry, original: Original, parsed: Parsed, digest: str) -> Change:
        old = self.known.get(entry.id)
        return change.understood(self.source, entry, old, original, parsed, self.languages, content_hash=digest)

    def _due_again(self, old: Record) -> bool:
        return old.error is not None and (self.retry or not old.version)

    async def _write_all(self, changes: asyncio.Queue[Change | None]) -> None:
        """Write what comes out of `changes` in groups, until None comes."""
        loop = asyncio.get_running_loop()
        group: list[Change] = []
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
                due = due or loop.time() + GROUP_SECONDS
                if sum(change.weight for change in group) < GROUP_CHUNKS:
                    continue
            await self._write(group)
            group, due = [], None
        await self._write(group)

    async def _write(self, group: Sequence[Change]) -> None:
        if not group:
            return
        await self.writer.write(self.source.name, group)
        for item in group:
            self._settled(item.record.id, item.outcome, item.record.error)

    async def _remove(self, plan: Plan) -> None:
        await self.writer.remove(self.source.name, plan.removed)
        withdrawn = {item.id for item in plan.skipped}
        for id in plan.removed:
            if id not in withdrawn:
                self._settled(id, Outcome.REMOVED)

    def _settled(self, id: DocumentId, outcome: Outcome, reason: str | None = None, *, repeated: bool = False) -> None:
        settled = Settled(source=self.source.name, document=id, outcome=outcome, reason=reason, repeated=repeated)
        self.report.counts[outcome] += 1
        if outcome in (Outcome.SKIPPED, Outcome.FAILED):
            self.report.problems.append(settled)
        self.progress(settled)


async def _digest(path: Path) -> str:
    def read() -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    async with asyncio.timeout(HASH_SECONDS):
        return await asyncio.to_thread(read)


def _one_line(error: BaseException) -> str:
    line = " ".join(change.storable(str(error)).split()) or type(error).__name__
    return line if len(line) <= REASON_CHARACTERS else line[: REASON_CHARACTERS - 1] + "…"


def _cause(error: BaseException) -> BaseException:
    """The one error to tell: tasks that run together raise in groups, and the first has made the others stop."""
    return _cause(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
