"""The options that every command of both programs takes, before its name or after it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from ingest.model import reader_token

UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

INTERVAL = re.compile(r"([0-9]{1,6})([smhd])")


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep the value where every command finds it; the one given last counts."""
    if value:
        context.ensure_object(dict)[parameter.name] = value


class ReaderToken(click.ParamType[str]):
    """A reader token, see `ingest.model.READER_TOKEN`."""

    name = "token"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> str:
        try:
            return reader_token(value)
        except ValueError as error:
            self.fail(str(error), parameter, context)


class Interval(click.ParamType[timedelta]):
    """A length of time as people write it: `90s`, `15m`, `6h`, `1d`."""

    name = "interval"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> timedelta:
        found = INTERVAL.fullmatch(str(value).strip().lower())
        length = timedelta(seconds=int(found[1]) * UNIT_SECONDS[found[2]]) if found else timedelta()
        if not length:
            self.fail(f"{value!r} is no length of time; write 90s, 15m, 6h or 1d", parameter, context)
        return length


CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    expose_value=False,
    callback=_remember,
    help="The configuration file; else SOUFFLEUR_CONFIG, else ./souffleur.yaml, else the defaults.",
)
DEBUG = click.option(
    "--debug", is_flag=True, expose_value=False, callback=_remember, help="Show every step, and where errors come from."
)
