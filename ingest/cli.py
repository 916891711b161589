"""The composition root of `ingest`: settings in, rooms opened, one verb called, its outcome shown.

What a command needs is imported inside it: the database, the index and the parsers together take longer to load than
`ingest --help` may take to answer.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from ingest.command import (
    EXIT_CODES,
    INTERRUPTED,
    OK,
    REFUSED,
    SOME_FAILED,
    WORST_FIRST,
    code_of_error,
    print_json,
    print_lines,
    run,
    stop_on_signals,
)
from ingest.errors import ConfigurationError
from ingest.options import CONFIG, DEBUG, Interval, ReaderToken

if TYPE_CHECKING:
    from ingest.index.hybrid import Index
    from ingest.ledger import Ledger
    from ingest.rounds import Round, Rounds
    from ingest.settings import IngestSettings
    from ingest.targets import Target

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@CONFIG
@DEBUG
@click.version_option(package_name="souffleur")
def cli() -> None:
    """Bring documents into Souffleur, and keep them in step with their sources."""


@cli.command(epilog=EXIT_CODES)
@click.argument("targets", nargs=-1, metavar="[FOLDER|SOURCE]...")
@click.option("--full", is_flag=True, help="List everything, also where a source could tell what has changed.")
@AS_JSON
@CONFIG
@DEBUG
def plan(targets: Sequence[str], full: bool, as_json: bool) -> None:
    """Show what a sync would do, and change nothing."""

    async def work(settings: IngestSettings) -> int:
        from ingest import composition

        async with composition.opened(settings) as (ledger, index):
            chosen = await _chosen(targets, settings, ledger)
            done = await _rounds(chosen, settings, ledger, index, asyncio.Event()).plan(full=full)
        _show(done, settings, as_json=as_json)
        return _code_of(done)

    run(work)


@cli.command(epilog=EXIT_CODES)
@click.argument("targets", nargs=-1, metavar="[FOLDER|SOURCE]...")
@click.option("--watch", "every", type=Interval(), metavar="EVERY", help="Again and again: 90s, 15m, 6h or 1d apart.")
@click.option("--full", is_flag=True, help="List everything, also where a source could tell what has changed.")
@click.option("--allow-removals", is_flag=True, help="Remove what is gone even if that is much of a source, or all.")
@AS_JSON
@CONFIG
@DEBUG
def sync(targets: Sequence[str], every: timedelta | None, full: bool, allow_removals: bool, as_json: bool) -> None:
    """Index what is new, remove what is gone.

    Without arguments: all sources of the configuration, and all folders that were synced by path before.
    """
    if every is not None and allow_removals:
        raise click.UsageError("--allow-removals is for one sync that was looked at, not for --watch")

    async def work(settings: IngestSettings) -> int:
        from ingest import composition, terminal

        stop = stop_on_signals()
        code = OK
        async with composition.opened(settings) as (ledger, index):
            chosen = await _chosen(targets, settings, ledger)
            rounds = _rounds(chosen, settings, ledger, index, stop)

            async def once() -> None:
                nonlocal code
                with terminal.progress(silent=as_json) as progress:
                    done = await rounds.sync(progress, full=full, allow_removals=allow_removals)
                _show(done, settings, as_json=as_json, one_line=every is not None)
                code = _code_of(done)

            if every is None:
                await once()
            else:
                await rounds.watch(every, once)
                return OK  # it was told to end
        return INTERRUPTED if stop.is_set() else code

    run(work)


@cli.command(epilog=EXIT_CODES)
@click.argument("targets", nargs=-1, metavar="[FOLDER|SOURCE]...")
@AS_JSON
@CONFIG
@DEBUG
def retry(targets: Sequence[str], as_json: bool) -> None:
    """Read again what failed, and nothing else.

    And what held nothing that can be read, which another setting (`parsing.ocr`) may change.
    """

    async def work(settings: IngestSettings) -> int:
        from ingest import composition, terminal

        stop = stop_on_signals()
        async with composition.opened(settings) as (ledger, index):
            chosen = await _chosen(targets, settings, ledger)
            rounds = _rounds(chosen, settings, ledger, index, stop)
            with terminal.progress(silent=as_json) as progress:
                done = await rounds.retry(progress)
        _show(done, settings, as_json=as_json)
        return INTERRUPTED if stop.is_set() else _code_of(done)

    run(work)


@cli.command(epilog=EXIT_CODES)
@AS_JSON
@CONFIG
@DEBUG
def status(as_json: bool) -> None:
    """Show how every source stands."""

    async def work(settings: IngestSettings) -> int:
        from datetime import UTC, datetime

        from ingest import composition, summaries

        async with composition.opened(settings) as (ledger, index):
            states = await ledger.states()
            failing = {
                state.source.name: await ledger.failing(state.source.name, summaries.NAMED)
                for state in states
                if state.failing
            }
            indexed = await index.count() if any(state.chunks for state in states) else 0
        if as_json:
            sources = [summaries.state_data(state, failing.get(state.source.name, {})) for state in states]
            print_json({"sources": sources, "indexed_passages": indexed})
        else:
            print_lines(summaries.status(states, failing, indexed, now=datetime.now(UTC)))
        return OK

    run(work)


@cli.command(epilog=EXIT_CODES)
@click.option("--repair", is_flag=True, help="Mend what differs; the ledger is right.")
@AS_JSON
@CONFIG
@DEBUG
def verify(repair: bool, as_json: bool) -> None:
    """Prove that the index holds what it should.

    Every passage is compared with the ledger, both ways, and nothing of a removed document may be found.
    """

    async def work(settings: IngestSettings) -> int:
        from contextlib import nullcontext

        from ingest import composition, summaries, terminal
        from ingest.verify import verify as compare

        async with composition.opened(settings) as (ledger, index):
            with terminal.bar("passages", silent=as_json) as progress:
                async with ledger.alone() if repair else nullcontext():
                    verdict = await compare(ledger, index, repair=repair, progress=progress)
                    if verdict.repaired:
                        await ledger.settle_all()
        if as_json:
            print_json(summaries.verdict_data(verdict))
        else:
            print_lines(summaries.verdict(verdict))
        return OK if verdict.agrees else SOME_FAILED

    run(work)


@cli.command(epilog=EXIT_CODES)
@click.argument("question")
@click.option(
    "--as",
    "tokens",
    type=ReaderToken(),
    multiple=True,
    metavar="TOKEN",
    help="A reader token that you hold too, such as group:finance; may be repeated. `public` alone: an outsider.",
)
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1, 100), help="How many passages.")
@AS_JSON
@CONFIG
@DEBUG
def search(question: str, tokens: Sequence[str], limit: int, as_json: bool) -> None:
    """Show the passages found for a question.

    As a member of the company, who holds everyone and public, and what --as adds.
    """

    async def work(settings: IngestSettings) -> int:
        from ingest import composition, summaries
        from ingest.language import UNKNOWN, language_of
        from ingest.model import held

        language = language_of(question, settings.languages)
        readers = held(tokens)
        async with composition.opened(settings) as (ledger, index):
            known = None if language == UNKNOWN else language
            found = await index.search(question, visible_to=readers, language=known, limit=limit)
            allowed = await ledger.readable((hit.chunk.id for hit in found), readers)
            found = [hit for hit in found if hit.chunk.id in allowed]
        if as_json:
            print_json([summaries.hit_data(hit) for hit in found])
        elif found:
            print_lines(summaries.hits(found))
        else:
            click.echo("Nothing that these reader tokens may see was found.")
        return OK

    run(work)


@cli.command(epilog=EXIT_CODES)
@click.option("--rollback", "back", is_flag=True, help="Go back to the index that was in use before.")
@click.option("--accept-recall", is_flag=True, help="Use the new index even if it finds less than the old one.")
@AS_JSON
@CONFIG
@DEBUG
def reindex(back: bool, accept_recall: bool, as_json: bool) -> None:
    """Build the index anew, without the sources.

    From the texts in the ledger, beside the index in use: after another embedding model was chosen, or when a message
    says so. It is put in use once it finds what the old one found; that one is kept for --rollback.
    """
    if back and accept_recall:
        raise click.UsageError("--accept-recall is about a new index, not for --rollback")

    async def work(settings: IngestSettings) -> int:
        from ingest import composition, rebuild, summaries, terminal

        async with composition.opened(settings) as (ledger, index):
            if not await ledger.sources():
                raise ConfigurationError("nothing is indexed yet: ingest sync FOLDER")
            with terminal.steps(silent=as_json) as progress:
                if back:
                    verdict = await rebuild.rollback(ledger, index, progress=progress)
                    data, lines = summaries.verdict_data(verdict), summaries.gone_back(verdict)
                else:
                    rebuilt = await rebuild.reindex(
                        ledger, index, golden=settings.index.golden, accept_recall=accept_recall, progress=progress
                    )
                    data, lines = summaries.rebuilt_data(rebuilt), summaries.rebuilt(rebuilt)
        if as_json:
            print_json(data)
        else:
            print_lines(lines)
        return OK

    run(work)


@cli.command(epilog=EXIT_CODES)
@click.argument("source")
@AS_JSON
@CONFIG
@DEBUG
def forget(source: str, as_json: bool) -> None:
    """Remove a source with all its documents.

    A source of the configuration comes back with the next sync, unless it has left the file before.
    """

    async def work(settings: IngestSettings) -> int:
        from ingest import composition, terminal
        from ingest.commit import Writer

        async with composition.opened(settings) as (ledger, index), ledger.writing(source):
            names = [record.name for record in await ledger.sources()]
            if source not in names:
                raise ConfigurationError(f"no source is named {source!r} (sources: {', '.join(names) or 'none yet'})")
            writer = Writer(source, ledger, index)
            await writer.recover()
            removed = await writer.forget()
            await asyncio.to_thread(shutil.rmtree, composition.cache(source, settings), ignore_errors=True)
        if as_json:
            print_json({"source": source, "removed": removed})
        elif source in settings.sources:
            click.echo(f"{source}: {terminal.counted(removed, 'document')} removed.")
            click.echo("It is still in the configuration, so the next sync brings them back: take it out there, too.")
        else:
            click.echo(f"{source}: {terminal.counted(removed, 'document')} removed.")
        return OK

    run(work)


async def _chosen(targets: Sequence[str], settings: IngestSettings, ledger: Ledger) -> list[Target]:
    from ingest import targets as command_line

    remembered = await ledger.sources()
    for name in command_line.orphans(settings.sources, remembered):
        click.echo(
            f"{name}: no longer in the configuration, and its documents are still found; to remove them:"
            f" ingest forget {name}",
            err=True,
        )
    return command_line.chosen(targets, configured=settings.sources, remembered=remembered)


def _rounds(
    targets: Sequence[Target], settings: IngestSettings, ledger: Ledger, index: Index, stop: asyncio.Event
) -> Rounds:
    from ingest.rounds import Rounds
    from ingest.settings import programs

    return Rounds(targets=targets, settings=settings, ledger=ledger, index=index, programs=programs(), stop=stop)


def _show(done: Round, settings: IngestSettings, *, as_json: bool, one_line: bool = False) -> None:
    from ingest import summaries, terminal

    if as_json:
        sources = [summaries.report_data(report) for report in done.reports]
        sources += [summaries.plan_data(name, planned, settings.guard) for name, planned in done.plans.items()]
        sources += [
            {"source": name, "error": str(error), "code": code_of_error(error)} for name, error in done.errors.items()
        ]
        print_json({"sources": sources}, one_line=one_line)
        return
    for report in done.reports:
        print_lines(summaries.report(report))
    for name, planned in done.plans.items():
        print_lines(summaries.plan(name, planned, settings.guard))
    for error in done.errors.values():
        click.echo(f"Error: {terminal.printable(str(error))}", err=True)


def _code_of(done: Round) -> int:
    codes = [code_of_error(error) for error in done.errors.values()]
    codes += [REFUSED if report.withheld else OK if report.clean else SOME_FAILED for report in done.reports]
    return min(codes, key=WORST_FIRST.index, default=OK)
