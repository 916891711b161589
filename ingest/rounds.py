"""A round over several sources, each on its own: one that is away, refuses us or is being written stops no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ingest import composition
from ingest.commit import Writer
from ingest.errors import SouffleurError, Terminal
from ingest.index.hybrid import Index
from ingest.index.interface import (
    IndexDamaged,
    IndexMismatch,
    IndexUnavailable,
    ModelMisconfigured,
    ModelUnavailable,
)
from ingest.ledger import DatabaseUnavailable, Ledger
from ingest.parsers.sandbox import Sandbox
from ingest.plan import Plan, compare
from ingest.settings import IngestSettings
from ingest.sources.interface import SourceUnavailable
from ingest.sync import Progress, Report, Run
from ingest.targets import Target

SHARED = (
    DatabaseUnavailable,
    IndexUnavailable,
    IndexMismatch,
    IndexDamaged,
    ModelUnavailable,
    ModelMisconfigured,
)
"""Errors about what all sources have in common; after one the others need not be tried."""

_log = logging.getLogger(__name__)


class SourceFailed(Terminal):
    """A source did what it should not; the text names the source."""


@dataclass(kw_only=True, slots=True)
class Round:
    """What one round did."""

    reports: list[Report] = field(default_factory=list)
    plans: dict[str, Plan] = field(default_factory=dict)
    """By source, of a round that only looked."""
    errors: dict[str, SouffleurError] = field(default_factory=dict)
    """By source: why it could not be completed."""
    over: bool = False
    """The last error was about what all sources have in common: index, ledger or a model."""

    @contextmanager
    def isolated(self, target: Target) -> Iterator[None]:
        """Keep an error of this source from the others."""
        try:
            yield
        except SouffleurError as error:
            self.errors[target.name] = error
            self.over = isinstance(error, SHARED)
            if isinstance(error, SourceUnavailable) and not target.configured:
                self.errors[target.name] = SourceUnavailable(
                    f"{error}; if it is gone for good: ingest forget {target.name}"
                )
        except Exception as error:  # noqa: BLE001 - what nobody foresaw in one source is no trouble of the others
            _log.debug("source %r", target.name, exc_info=error)
            said = " ".join(str(error).split())
            self.errors[target.name] = SourceFailed(
                f"source {target.name!r}: unexpected {type(error).__name__}: {said}; see --debug"
            )


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """Goes over `targets`, one after the other."""

    targets: Sequence[Target]
    settings: IngestSettings
    ledger: Ledger
    index: Index
    programs: Mapping[str, str]
    """Environment of the programs that sources run."""
    stop: asyncio.Event
    """Once it is set, what has been read is written and the rest is left to the next run."""

    async def plan(self, *, full: bool) -> Round:
        """See what there is to do, and do nothing."""
        done = Round()
        for target in self.targets:
            if done.over:
                break
            with done.isolated(target):
                async with composition.source(target, self.settings, self.programs) as source:
                    since = None if full else await self.ledger.cursor(target.name, target.digest)
                    done.plans[target.name] = await compare(source, self.ledger, since=since)
        return done

    async def sync(self, progress: Progress, *, full: bool, allow_removals: bool) -> Round:
        """Bring every source up to date."""
        return await self._round(progress, lambda run: run.sync(full=full, allow_removals=allow_removals))

    async def retry(self, progress: Progress) -> Round:
        """Read again what failed."""
        return await self._round(progress, lambda run: run.retry())

    async def watch(self, every: timedelta, once: Callable[[], Awaitable[None]]) -> None:
        """Call `once` now and after each `every`, counted from the end of the last, until told to stop."""
        names = [target.name for target in self.targets]
        try:
            while not self.stop.is_set():
                await once()
                if not self.stop.is_set():
                    await self._announce(names, datetime.now(UTC) + every)
                    await self._pause(every)
        finally:
            await self._announce(names, None)

    async def _announce(self, names: Sequence[str], next_run: datetime | None) -> None:
        """Tell `status`; a database that is away now is the next round's trouble."""
        try:
            await self.ledger.announce(names, next_run)
        except DatabaseUnavailable as error:
            _log.warning("when the next run begins could not be kept: %s", error)

    async def _pause(self, length: timedelta) -> None:
        try:
            async with asyncio.timeout(length.total_seconds()):
                await self.stop.wait()
        except TimeoutError:
            pass

    async def _round(self, progress: Progress, work: Callable[[Run], Awaitable[Report]]) -> Round:
        done = Round()
        async with Sandbox(self.settings.parsing) as sandbox:
            for target in self.targets:
                if self.stop.is_set() or done.over:
                    break
                with done.isolated(target):
                    done.reports.append(await self._one(target, sandbox, progress, work))
        return done

    async def _one(
        self, target: Target, sandbox: Sandbox, progress: Progress, work: Callable[[Run], Awaitable[Report]]
    ) -> Report:
        async with self.ledger.writing(target.name), composition.source(target, self.settings, self.programs) as source:
            await self.ledger.remember_source(target.record)
            run = Run(
                source=source,
                ledger=self.ledger,
                writer=Writer(target.name, self.ledger, self.index),
                parse=sandbox.parse,
                workers=self.settings.parsing.workers,
                languages=self.settings.languages,
                settings=target.digest,
                guard=self.settings.guard,
                progress=progress,
                stop=self.stop,
            )
            return await work(run)
