"""How every command runs: settings in, one verb called, its exit code out; every error one line on standard error."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ingest.errors import Guarded, SouffleurError, Transient

if TYPE_CHECKING:
    from ingest.settings import IngestSettings

OK = 0
SOME_FAILED = 1
MISCONFIGURED = 2
REFUSED = 3
UNREACHABLE = 4
INTERRUPTED = 130

WORST_FIRST = (MISCONFIGURED, UNREACHABLE, REFUSED, SOME_FAILED, OK)
"""Which code a command ends with when several fit."""

EXIT_CODES = """\b
Exit codes:
  0    everything that was to be done was done
  1    some documents failed, or index and ledger differ; the rest is done
  2    the configuration or the command line is wrong, or a source refuses us
  3    a guard refused to remove so much, or to switch to a worse index
  4    a source, the index, the database or a model cannot be reached
  130  interrupted
"""


def stop_on_signals() -> asyncio.Event:
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


def print_json(data: Any, *, one_line: bool = False) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=None if one_line else 2))


def print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def run(work: Callable[[IngestSettings], Awaitable[int]]) -> NoReturn:
    """Read the settings, do `work`, and end with its exit code; every error becomes one line on standard error."""
    os.umask(0o077)  # what is kept holds documents that not everybody on this machine may read
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
        if context.params.get("as_json"):
            print_json({"error": str(error), "code": code_of_error(error)})
        click.echo(f"Error: {error}", err=True)
        context.exit(code_of_error(error))
    except (click.exceptions.Exit, BrokenPipeError):
        raise
    except Exception as error:
        if debug:
            raise
        click.echo(f"Error: unexpected {type(error).__name__}; the details are in {_kept(error)}", err=True)
        context.exit(SOME_FAILED)


def code_of_error(error: SouffleurError) -> int:
    if isinstance(error, Guarded):
        return REFUSED
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
