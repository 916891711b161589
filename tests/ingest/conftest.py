"""Fixtures of everything that is typed at `ingest`; and a ledger on each of the databases that it can be in."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingest.cli import cli
from ingest.ledger import Ledger, StateSettings
from tests.fixtures.command_line import Ingest
from tests.fixtures.ledgers import in_folder


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


@pytest.fixture(params=["sqlite", "postgres"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> StateSettings:
    if request.param == "postgres":
        return StateSettings(url=request.getfixturevalue("postgres_url"))
    return in_folder(tmp_path)


@pytest.fixture
async def ledger(state: StateSettings) -> AsyncIterator[Ledger]:
    ledger = await Ledger.open(state)
    yield ledger
    await ledger.close()


@pytest.fixture
async def other(ledger: Ledger, state: StateSettings) -> AsyncIterator[Ledger]:
    """The same database, as another process has it open."""
    other = await Ledger.open(state)
    yield other
    await other.close()
