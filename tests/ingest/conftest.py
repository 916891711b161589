"""Fixtures of everything that is typed at `ingest`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingest.cli import cli
from tests.fixtures.command_line import Ingest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory without configuration."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):  # noqa: TID251 - what the machine has set is no part of these tests
        if name.startswith("SOUFFLEUR_"):
            monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def ingest(folder: Path) -> Ingest:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments, prog_name="ingest")

    return run
