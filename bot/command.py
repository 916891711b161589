"""How every command of `bot` runs: settings in, one verb called, its exit status out; every error becomes a message."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ingest.errors import ConfigurationError, SouffleurError

if TYPE_CHECKING:
    from bot.serving import KeysAgain
    from bot.settings import BotSettings

CONFIGURATION = 2
"""Exit status when a setting is wrong."""

FAILED = 1
"""Exit status when something else went wrong."""


def settings_of(context: click.Context) -> BotSettings:
    from bot.settings import BotSettings, read, secrets
    from ingest.telemetry import start_logging

    try:
        settings = read(context.ensure_object(dict).get("config"), BotSettings, secrets())
    except ConfigurationError as error:
        fail(str(error), CONFIGURATION)
    start_logging("debug" if context.obj.get("debug") else settings.log.level, settings.log.format)
    return settings


def keys_again(context: click.Context) -> KeysAgain | None:
    """What reads the API keys of the configuration file once more; None without a file."""
    from bot.settings import BotSettings, locate, read, secrets

    held = secrets()
    file = locate(context.ensure_object(dict).get("config"), held)
    return None if file is None else (file, lambda: read(file, BotSettings, held).serve.keys)


def run(context: click.Context, work: Coroutine[Any, Any, int]) -> NoReturn:
    """Run a command to its exit status. The broad `except` of this program: nobody is shown a traceback unasked."""
    os.umask(0o077)  # what is kept holds questions and answers that not everybody on this machine may read
    try:
        status = asyncio.run(work)
    except KeyboardInterrupt:
        status = 130
    except ConfigurationError as error:
        fail(str(error), CONFIGURATION)
    except SouffleurError as error:
        fail(str(error), FAILED)
    except BrokenPipeError:
        raise  # click ends quietly: whoever read the output has seen enough
    except Exception as error:
        if context.obj.get("debug"):
            raise
        logging.getLogger(__name__).debug("unexpected", exc_info=True)
        fail(
            f"unexpected {type(error).__name__}: {error}; `bot --debug …` shows the whole of it",
            FAILED,
        )
    sys.exit(status)


def fail(message: str, status: int) -> NoReturn:
    from bot.platforms.console import printable

    # Names in it may be those of documents, which may hold what a terminal obeys.
    click.echo(click.style("Error: ", fg="red", bold=True, reset=True) + printable(message), err=True)
    sys.exit(status)
