"""What an administrator types, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ingest import composition
from ingest.ledger import Ledger, StateSettings
from ingest.model import Listed
from ingest.sources.interface import Source
from ingest.targets import Target
from tests.fixtures.command_line import SALARIES, TRAVEL, Ingest, data, write
from tests.fixtures.shelf import Shelf

BROKEN = "---\nreaders: [unclosed\n---\n# Broken\n"


def many(folder: Path, number: int) -> None:
    for each in range(number):
        write(folder / "docs" / f"{each}.md", f"# Page {each}\n\nPage {each} of the handbook.\n")


def corrupt(folder: Path, statement: str) -> None:
    """Change the ledger behind everybody's back."""
    with sqlite3.connect(folder / ".souffleur" / "state.db") as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        assert connection.execute(statement).rowcount
    connection.close()


def test_retry_reads_what_failed_and_says_what_became_of_it(ingest: Ingest, folder: Path) -> None:
    write(folder / "docs" / "travel.md", TRAVEL)
    write(folder / "docs" / "broken.md", BROKEN)
    assert ingest("sync", "docs").exit_code == 1
    assert ingest("sync").exit_code == 1

    assert ingest("retry").exit_code == 1
    write(folder / "docs" / "broken.md", SALARIES)
    result = ingest("retry", "docs")

    assert result.exit_code == 0
    assert "docs: 1 added" in result.stdout
    assert data(ingest("retry", "--json"))["sources"][0]["parsed"] == 0


def test_a_stale_document_says_from_when_its_answers_are(ingest: Ingest, folder: Path) -> None:
    write(folder / "docs" / "travel.md", TRAVEL)
    ingest("sync", "docs")
    write(folder / "docs" / "travel.md", BROKEN)

    failed = ingest("sync", "--json")

    [problem] = data(failed)["sources"][0]["problems"]
    assert problem["answers_from"]
    assert "(answers come from the version of 20" in ingest("sync").stdout
    assert "1 failing (1 of them answered from an older version)" in ingest("status").stdout


def test_status_tells_the_age_of_every_source_and_what_its_last_run_did(ingest: Ingest, folder: Path) -> None:
    many(folder, 3)
    ingest("sync", "docs")
    lines = ingest("status").stdout.splitlines()
    assert "synced" in lines[0]
    assert "ago)" in lines[0]
    assert lines[2].endswith("ago): 3 added")
    [source] = data(ingest("status", "--json"))["sources"]
    assert source["counts"]["added"] == 3
    assert source["next_run"] is None


def test_a_run_that_was_announced_is_told_and_one_that_did_not_come_is_asked_about(
    ingest: Ingest, folder: Path
) -> None:
    many(folder, 1)
    ingest("sync", "docs")
    corrupt(folder, "UPDATE sources SET next_run = '2999-01-01 00:00:00.000000'")
    assert "; next in " in ingest("status").stdout
    corrupt(folder, "UPDATE sources SET next_run = '2001-01-01 00:00:00.000000'")
    assert "is `ingest sync --watch` still running?" in ingest("status").stdout


def test_much_of_a_source_gone_at_once_is_refused_with_a_code_of_its_own(ingest: Ingest, folder: Path) -> None:
    many(folder, 60)
    ingest("sync", "docs")
    for each in range(20):
        (folder / "docs" / f"{each}.md").unlink()

    assert "without --allow-removals" in ingest("plan").stdout
    refused = ingest("sync")
    assert refused.exit_code == 3
    assert "20 documents would go" in refused.stdout

    assert "20 removals were held back; to let them go: ingest sync --allow-removals docs" in ingest("status").stdout

    (folder / "docs" / "20.md").unlink()
    write(folder / "souffleur.yaml", "guard: {share: 0.5, documents: 20}\n")
    believed = ingest("sync")
    assert (believed.exit_code, data(ingest("plan", "--json"))["sources"][0]["remove"]) == (0, [])
    assert "21 removed" in believed.stdout


def test_verify_proves_that_all_is_well(ingest: Ingest, folder: Path) -> None:
    many(folder, 3)
    ingest("sync", "docs")
    (folder / "docs" / "0.md").unlink()
    ingest("sync")

    result = ingest("verify")

    assert result.exit_code == 0
    assert "1 removed document: nothing of them can be found." in result.stdout
    assert "Index and ledger hold the same." in result.stdout


def test_verify_names_what_differs_and_repairs_it_when_told_to(ingest: Ingest, folder: Path) -> None:
    many(folder, 3)
    ingest("sync", "docs")
    corrupt(folder, "UPDATE documents SET readers = '[\"group:board\"]' WHERE id = '1.md'")
    corrupt(folder, "DELETE FROM documents WHERE id = '2.md'")

    found = ingest("verify")
    assert found.exit_code == 1
    assert "1 passage for other readers" in found.stdout
    assert "docs/1.md (readers)" in found.stdout
    assert "1 passage not in the ledger" in found.stdout
    assert "ingest verify --repair" in found.stdout

    repaired = data(ingest("verify", "--repair", "--json"))
    assert (repaired["agrees"], repaired["repaired"]) == (True, True)
    assert repaired["counts"] == {"readers": 1, "unknown": 1}
    assert ingest("verify").exit_code == 0
    assert data(ingest("search", "page 1", "--json")) != []


def test_repairing_waits_for_no_writer(ingest: Ingest, folder: Path) -> None:
    many(folder, 1)
    ingest("sync", "docs")

    async def while_another_writes() -> int:
        ledger = await Ledger.open(StateSettings(url=f"sqlite+aiosqlite:///{folder / '.souffleur' / 'state.db'}"))
        try:
            async with ledger.writing("docs"):
                assert (await asyncio.to_thread(ingest, "verify")).exit_code == 0
                return (await asyncio.to_thread(ingest, "verify", "--repair")).exit_code
        finally:
            await ledger.close()

    assert asyncio.run(while_another_writes()) == 4


@pytest.mark.parametrize("every", ["soon", "0m", "5", "-1m", "1.5h", "10w"])
def test_a_length_of_time_that_is_none_is_refused(ingest: Ingest, folder: Path, every: str) -> None:
    result = ingest("sync", "--watch", every)
    assert result.exit_code == 2
    assert "is no length of time; write 90s, 15m, 6h or 1d" in result.stderr


def test_watching_and_allowing_removals_do_not_go_together(ingest: Ingest, folder: Path) -> None:
    result = ingest("sync", "--watch", "1h", "--allow-removals")
    assert result.exit_code == 2
    assert "not for --watch" in result.stderr


def test_watching_syncs_again_and_again_until_told_to_stop(folder: Path) -> None:
    many(folder, 2)
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath}
    with subprocess.Popen(
        [sys.executable, "-m", "ingest", "sync", "docs", "--json", "--watch", "1s"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        write(folder / "docs" / "late.md", TRAVEL)
        counts = {}
        while not counts.get("added"):
            counts = json.loads(process.stdout.readline())["sources"][0]["counts"]
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)

    assert first["sources"][0]["counts"]["added"] == 2
    assert counts["added"] == 1
    assert process.returncode == 0
    assert "Traceback" not in errors
    with sqlite3.connect(folder / ".souffleur" / "state.db") as connection:
        assert connection.execute("SELECT next_run FROM sources").fetchall() == [(None,)]
    connection.close()


def test_forgetting_a_source_is_told_to_machines_too(ingest: Ingest, folder: Path) -> None:
    many(folder, 2)
    ingest("sync", "docs")
    assert data(ingest("forget", "docs", "--json")) == {"source": "docs", "removed": 2}
    assert data(ingest("verify", "--json"))["removed_documents"] == 2


def test_a_source_that_does_what_it_should_not_stops_no_other(
    ingest: Ingest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Shelf):
        name = "faq"

        async def list(self, since: str | None) -> AsyncIterator[Listed]:
            raise KeyError("no such column")
            yield self.entry("never", "")

    made = composition._source

    def source(target: Target, *rooms: Any) -> Source:
        return Broken(folder) if target.name == "faq" else made(target, *rooms)

    monkeypatch.setattr(composition, "_source", source)
    write(folder / "docs" / "travel.md", TRAVEL)
    write(folder / "souffleur.yaml", "sources:\n  faq: {root: faq}\n  handbook: {root: docs}\n")

    result = ingest("sync")

    assert result.exit_code == 2
    assert "Error: source 'faq': unexpected KeyError: 'no such column'" in result.stderr
    assert "handbook: 1 added" in result.stdout
    assert "unexpected KeyError" in ingest("status").stdout


def test_an_empty_name_is_no_source(ingest: Ingest, folder: Path) -> None:
    write(folder / "travel.md", TRAVEL)
    result = ingest("sync", "")
    assert result.exit_code == 2
    assert "is a variable not set?" in result.stderr


def test_a_folder_that_was_synced_by_path_and_is_gone_can_be_forgotten(ingest: Ingest, folder: Path) -> None:
    many(folder, 1)
    ingest("sync", "docs")
    (folder / "docs").rename(folder / "away")
    result = ingest("sync")
    assert result.exit_code == 4
    assert "if it is gone for good: ingest forget docs" in result.stderr


def test_forgetting_a_source_that_is_still_configured_says_that_it_comes_back(ingest: Ingest, folder: Path) -> None:
    many(folder, 1)
    write(folder / "souffleur.yaml", "sources:\n  docs: {root: docs}\n")
    ingest("sync")
    (folder / ".souffleur" / "sources" / "docs").mkdir(parents=True)
    assert "still in the configuration" in ingest("forget", "docs").stdout
    assert not (folder / ".souffleur" / "sources" / "docs").exists()


def test_what_the_ledger_does_not_have_is_not_found_whatever_the_index_holds(ingest: Ingest, folder: Path) -> None:
    many(folder, 2)
    ingest("sync", "docs")
    corrupt(folder, "DELETE FROM documents WHERE id = '1.md'")
    assert {hit["document"] for hit in data(ingest("search", "page handbook", "--json"))} == {"0.md"}


def test_an_error_before_any_source_is_told_to_machines_too(ingest: Ingest, folder: Path) -> None:
    result = ingest("sync", "nowhere", "--json")
    assert result.exit_code == 2
    assert data(result)["code"] == 2
    assert "'nowhere' is no folder" in data(result)["error"]
