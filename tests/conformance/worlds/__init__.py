"""The far side of each source: folders, repositories and fake servers that can be told to change and to misbehave."""

from __future__ import annotations

import importlib
from pathlib import Path

from tests.conformance.worlds.interface import World

KINDS = ("files", "remote_files", "website", "git", "confluence", "slack", "mattermost")
"""Each a module here with a function `world(folder)`."""


def world(kind: str, folder: Path) -> World:
    made: World = importlib.import_module(f"tests.conformance.worlds.{kind}").world(folder)
    return made
