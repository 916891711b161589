"""The options that every command of both programs takes, before its name or after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep the value where every command finds it; the one given last counts."""
    if value:
        context.ensure_object(dict)[parameter.name] = value


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
