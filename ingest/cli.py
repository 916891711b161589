"""The composition root of `ingest`: settings in, rooms opened, one verb called, its outcome shown.

What a command needs is imported inside it: the database, the index and the parsers together take longer to load than
`ingest --help` may take to answer.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ingest.errors import SouffleurError, Transient
from ingest.options import CONFIG, DEBUG, ReaderToken

if TYPE_CHECKING:
    from ingest.index.hybrid import Index
    from ingest.ledger import Ledger, SourceRecord
    from ingest.settings import IngestSettings
    from ingest.sources.files import Files
    from ingest.sync import Report

OK = 0
SOME_FAILED = 1
MISCONFIGURED = 2
UNREACHABLE = 4
INTERRUPTED = 130

EXIT_CODES = """\b
Exit codes:
  0    everything that was to be done was done
  1    some documents failed, or removals were held back; the rest is done
  2    the configuration or the command line is wrong
  4    a source, the index, the database or a model cannot be reached
  130  interrupted
"""


AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@CONFIG
@DEBUG
@click.version_option(package_name="souffleur")
def cli() -> None:
    """Bring documents into Souffleur, and keep them in step with their sources."""


@cli.command(epilog=EXIT_CODES)
@click.argument("targets", nargs=-1, metavar="[FOLDER|SOURCE]...")
@AS_JSON
@click.option("--retry", is_flag=True, help="Read documents again that failed and have not changed since.")
@click.option("--allow-removals", is_flag=True, help="Remove what is gone even if that is most of a source, or all.")
@CONFIG
@DEBUG
def sync(targets: Sequence[str], as_json: bool, retry: bool, allow_removals: bool) -> None:
    """Index what is new, remove what is gone.

    Without arguments: all sources of the configuration, and all folders that were synced by path before.
    """

    async def work(settings: IngestSettings) -> int:
        from ingest import terminal
        from ingest.commit import Writer
        from ingest.parsers.sandbox import Sandbox
        from ingest.sources.interface import SourceUnavailable
        from ingest.sync import sync as sync_source

        stop = _stop_on_signals()
        reports: list[Report] = []
        errors: dict[str, SouffleurError] = {}
        async with _opened(settings) as (ledger, index), ledger.writing(), Sandbox(settings.parsing) as sandbox:
            writer = Writer(ledger, index)
            chosen = await _chosen(targets, settings, ledger)
            with terminal.progress(silent=as_json) as progress:
                for record, source in chosen:
                    if stop.is_set():
                        break
                    await ledger.remember_source(record)
                    try:
                        report = await sync_source(
                            source,
                            ledger=ledger,
                            writer=writer,
                            parse=sandbox.parse,
                            workers=settings.parsing.workers,
                            languages=settings.languages,
                            progress=progress,
                            stop=stop,
                            retry=retry,
                            allow_removals=allow_removals,
                        )
                        reports.append(report)
                    except SouffleurError as error:
                        errors[source.name] = error
                        if not isinstance(error, SourceUnavailable):
                            break  # index, ledger and models are the same for all sources
        _show_reports(reports, errors, as_json=as_json)
        if stop.is_set():
            return INTERRUPTED
        if errors:
            return max(map(_code, errors.values()), key=(UNREACHABLE, MISCONFIGURED).index)
        return OK if all(report.clean for report in reports) else SOME_FAILED

    _run(work)


@cli.command(epilog=EXIT_CODES)
@click.argument("targets", nargs=-1, metavar="[FOLDER|SOURCE]...")
@AS_JSON
@CONFIG
@DEBUG
def plan(targets: Sequence[str], as_json: bool) -> None:
    """Show what a sync would do, and change nothing."""

    async def work(settings: IngestSettings) -> int:
        from ingest import plan, terminal

        plans = {}
        async with _opened(settings) as (ledger, _):
            for _, source in await _chosen(targets, settings, ledger):
                plans[source.name] = await plan.compare(source, await ledger.documents(source.name))
        if as_json:
            _print_json({name: terminal.plan_data(planned) for name, planned in plans.items()})
        else:
            for name, planned in plans.items():
                _print_lines(terminal.plan(name, planned))
        return OK

    _run(work)


@cli.command(epilog=EXIT_CODES)
@AS_JSON
@CONFIG
@DEBUG
def status(as_json: bool) -> None:
    """Show how every source stands."""

    async def work(settings: IngestSettings) -> int:
        from ingest import terminal

        async with _opened(settings) as (ledger, index):
            states = await ledger.states()
            failing = {
                state.source.name: await ledger.failing(state.source.name, terminal.NAMED)
                for state in states
                if state.failing
            }
            indexed = await index.count() if any(state.chunks for state in states) else 0
        if as_json:
            sources = [terminal.state_data(state, failing.get(state.source.name, {})) for state in states]
            _print_json({"sources": sources, "indexed_passages": indexed})
        else:
            _print_lines(terminal.status(states, failing, indexed))
        return OK

    _run(work)


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
        from ingest import terminal
        from ingest.language import UNKNOWN, language_of
        from ingest.model import held

        language = language_of(question, settings.languages)
        async with _opened(settings) as (_, index):
            known = None if language == UNKNOWN else language
            found = await index.search(question, visible_to=held(tokens), language=known, limit=limit)
        if as_json:
            _print_json([terminal.hit_data(hit) for hit in found])
        elif found:
            _print_lines(terminal.hits(found))
        else:
            click.echo("Nothing that these reader tokens may see was found.")
        return OK

    _run(work)


@cli.command(epilog=EXIT_CODES)
@CONFIG
@DEBUG
def reindex() -> None:
    """Build the index anew, without the sources.

    From the texts in the ledger: after another embedding model was chosen, or when a message says so.
    """

    async def work(settings: IngestSettings) -> int:
        from ingest import terminal
        from ingest.commit import Writer

        async with _opened(settings) as (ledger, index), ledger.writing():
            if not await ledger.sources():
                click.echo("Nothing is indexed yet: ingest sync FOLDER")
                return OK
            expected = await ledger.count_chunks()
            with click.progressbar(length=expected, label="passages", file=sys.stderr) as bar:
                await Writer(ledger, index).reindex(lambda count: bar.update(count - bar.pos))
        click.echo(f"The index has been built anew: {terminal.counted(expected, 'passage')}.")
        return OK

    _run(work)


@cli.command(epilog=EXIT_CODES)
@click.argument("source")
@CONFIG
@DEBUG
def forget(source: str) -> None:
    """Remove a source with all its documents.

    A source of the configuration comes back with the next sync, unless it has left the file before.
    """

    async def work(settings: IngestSettings) -> int:
        from ingest import terminal
        from ingest.commit import Writer
        from ingest.errors import ConfigurationError

        async with _opened(settings) as (ledger, index), ledger.writing():
            names = [record.name for record in await ledger.sources()]
            if source not in names:
                raise ConfigurationError(f"no source is named {source!r} (sources: {', '.join(names) or 'none yet'})")
            writer = Writer(ledger, index)
            await writer.recover()
            removed = await writer.forget(source)
        click.echo(f"{source}: {terminal.counted(removed, 'document')} removed.")
        return OK

    _run(work)


@asynccontextmanager
async def _opened(settings: IngestSettings) -> AsyncIterator[tuple[Ledger, Index]]:
    from ingest.index.hybrid import Index, open_store
    from ingest.ledger import Ledger

    ledger = await Ledger.open(settings.state)
    try:
        store = open_store(settings.index, settings.home / "index")
        embedder = None
        if (embedding := settings.models.embedding) is not None:
            from ingest.index.embedder import open_embedder

            embedder = open_embedder(embedding)
        async with Index.of(store, embedder, embedding) as index:
            yield ledger, index
    finally:
        await ledger.close()


async def _chosen(targets: Sequence[str], settings: IngestSettings, ledger: Ledger) -> list[tuple[SourceRecord, Files]]:
    from ingest import targets as command_line

    remembered = await ledger.sources()
    for name in command_line.orphans(settings.sources, remembered):
        click.echo(
            f"{name}: no longer in the configuration, and its documents are still found; to remove them:"
            f" ingest forget {name}",
            err=True,
        )
    return command_line.sources(targets, configured=settings.sources, remembered=remembered, parsing=settings.parsing)


def _stop_on_signals() -> asyncio.Event:
    """An event that SIGINT or SIGTERM sets; a second signal ends the process, which the next sync mends."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        stop.set()
        click.echo("Stopping after what has been read is written; once more to stop at once.", err=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    return stop


def _show_reports(reports: Sequence[Report], errors: dict[str, SouffleurError], *, as_json: bool) -> None:
    from ingest import terminal

    if as_json:
        failures = [{"source": name, "error": str(error)} for name, error in errors.items()]
        _print_json({"sources": [terminal.report_data(report) for report in reports] + failures})
        return
    for report in reports:
        _print_lines(terminal.report(report))
    for error in errors.values():
        click.echo(f"Error: {terminal.printable(str(error))}", err=True)


def _print_json(data: Any) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _run(work: Callable[[IngestSettings], Awaitable[int]]) -> NoReturn:
    """Read the settings, do `work`, and end with its exit code; every error becomes one line on standard error."""
    context = click.get_current_context()
    options: dict[str, Any] = context.ensure_object(dict)
    debug = options.get("debug", False)
    try:
        context.exit(asyncio.run(_work(work, options)))
    except KeyboardInterrupt:
        click.echo("Interrupted; the next sync mends what is half done.", err=True)
        context.exit(INTERRUPTED)
    except SouffleurError as error:
        if debug:
            raise
        click.echo(f"Error: {error}", err=True)
        context.exit(_code(error))
    except (click.exceptions.Exit, BrokenPipeError):
        raise
    except Exception as error:
        if debug:
            raise
        click.echo(f"Error: unexpected {type(error).__name__}; the details are in {_kept(error)}", err=True)
        context.exit(SOME_FAILED)


def _code(error: SouffleurError) -> int:
    return UNREACHABLE if isinstance(error, Transient) else MISCONFIGURED


async def _work(work: Callable[[IngestSettings], Awaitable[int]], options: Mapping[str, Any]) -> int:
    from ingest import settings, telemetry

    read = settings.read(options.get("config"), settings.IngestSettings, settings.secrets())
    telemetry.start_logging("debug" if options.get("debug") else read.log.level, read.log.format)
    return await work(read)


def _kept(error: Exception) -> str:
    """The file that the traceback of `error` was written to."""
    with tempfile.NamedTemporaryFile("w", prefix="souffleur-", suffix=".log", encoding="utf-8", delete=False) as file:
        file.writelines(traceback.format_exception(error))
    return file.name
