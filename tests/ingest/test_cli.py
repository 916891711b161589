from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result

from ingest import terminal
from ingest.ledger import Ledger, StateSettings
from ingest.model import DocumentId
from tests.fixtures.command_line import SALARIES, TRAVEL, Ingest, data, write


def test_a_folder_is_synced_and_searched_without_any_configuration(ingest: Ingest, folder: Path) -> None:
    write(folder / "Our Handbook" / "travel.md", TRAVEL)
    write(folder / "Our Handbook" / "salaries.md", SALARIES)

    synced = ingest("sync", "Our Handbook")
    assert (synced.exit_code, synced.stderr) == (0, "our-handbook: 2 documents, 2 to read\n")
    assert synced.stdout.startswith("our-handbook: 2 added, 0 changed, 0 unchanged, 0 removed, 0 skipped, 0 failed (")

    assert "our-handbook/travel.md" in ingest("search", "where do receipts go").stdout
    assert "Nothing that these reader tokens may see" in ingest("search", "salary bands", "--as", "public").stdout
    [hit] = data(ingest("search", "salary bands", "--as", "group:finance", "--json"))
    assert (hit["document"], hit["readers"]) == ("salaries.md", ["group:finance"])
    assert set(hit["legs"]) == {"lexical"}


def test_each_folder_is_a_source_that_later_syncs_find_again(ingest: Ingest, folder: Path) -> None:
    write(folder / "a" / "docs" / "travel.md", TRAVEL)
    write(folder / "b" / "docs" / "other.md", TRAVEL)
    write(folder / "b" / "docs" / "stays.md", TRAVEL)
    for target in ("a/docs", "b/docs", str(folder / "a" / "docs")):
        assert ingest("sync", target).exit_code == 0
    (folder / "b" / "docs" / "other.md").unlink()

    report = data(ingest("sync", "--json"))

    assert [
        (source["source"], source["counts"]["unchanged"], source["counts"]["removed"]) for source in report["sources"]
    ] == [
        ("docs", 1, 0),
        ("docs-2", 1, 1),
    ]
    assert data(ingest("sync", "docs", "--json"))["sources"][0]["counts"]["unchanged"] == 1


def test_what_was_skipped_or_failed_is_named_on_one_line_each(ingest: Ingest, folder: Path) -> None:
    write(folder / "docs" / "travel.md", TRAVEL)
    write(folder / "docs" / "empty.md", "")
    write(folder / "docs" / "two\nlines\x1b[31m.pdf", "%PDF-1.7 of no kind that opens")

    first, second = ingest("sync", "docs"), ingest("sync", "docs")

    assert (first.exit_code, second.exit_code) == (1, 1)
    counts, skipped, failed = first.stdout.splitlines()
    assert "1 added, 0 changed, 0 unchanged, 0 removed, 1 skipped, 1 failed" in counts
    assert skipped == "  skipped  empty.md: the file is empty"
    assert failed.startswith("  failed   two\\nlines\\x1b[31m.pdf: ")
    assert "still failing" in second.stdout
    assert "ingest retry docs" in second.stdout


def test_plan_tells_what_a_sync_would_do_and_does_nothing(ingest: Ingest, folder: Path) -> None:
    write(folder / "docs" / "travel.md", TRAVEL)
    write(folder / "docs" / "old.md", TRAVEL)
    assert ingest("sync", "docs").exit_code == 0
    (folder / "docs" / "old.md").unlink()
    write(folder / "docs" / "new.md", TRAVEL)

    [planned] = data(ingest("plan", "docs", "--json"))["sources"]

    assert (planned["read"], planned["remove"], planned["unchanged"]) == (
        ["new.md"],
        ["old.md"],
        1,
    )
    write(folder / "docs" / "none.md", "")
    assert "  read     new.md\n  remove   old.md\n" in ingest("plan", "docs").stdout
    assert "  skip     none.md: the file is empty\n" in ingest("plan", "docs").stdout
    assert data(ingest("status", "--json"))["sources"][0]["documents"] == 2


def test_status_tells_how_sources_stand(ingest: Ingest, folder: Path) -> None:
    assert "Nothing is indexed yet: ingest sync FOLDER" in ingest("status").stdout
    write(folder / "docs" / "travel.md", TRAVEL)
    ingest("sync", "docs")

    status = ingest("status").stdout
    assert "docs: 1 document, 1 passage; synced " in status
    assert "The index holds all of it: 1 passage." in status


def test_status_and_search_know_what_is_revoked(ingest: Ingest, folder: Path) -> None:
    write(folder / "docs" / "travel.md", TRAVEL)
    write(folder / "docs" / "salaries.md", SALARIES)
    ingest("sync", "docs")
    ask = ("search", "salary bands", "--as", "group:finance")
    assert "salaries.md" in ingest(*ask).stdout

    async def revoke() -> None:
        ledger = await Ledger.open(StateSettings(url=f"sqlite+aiosqlite:///{folder / '.souffleur' / 'state.db'}"))
        assert await ledger.revoke("docs", DocumentId("salaries.md"), by="ada")
        await ledger.close()

    asyncio.run(revoke())
    assert "salaries.md" not in ingest(*ask).stdout
    for command in ("verify", "sync", "verify", "reindex", "verify"):
        assert ingest(command).exit_code == 0
    assert "docs: 2 documents, 2 passages, 1 revoked; synced " in ingest("status").stdout
    assert data(ingest("status", "--json"))["sources"][0]["revoked"] == 1
    assert "salaries.md" not in ingest(*ask).stdout


def test_status_names_the_failing_with_their_reasons_and_says_how_many_more_there_are(
    ingest: Ingest, folder: Path
) -> None:
    for number in range(21):
        write(folder / "docs" / f"{number:02}.md", "---\nreaders: [finance]\n---\nBands.\n")
    ingest("sync", "docs")

    told = [line for line in ingest("status").stdout.splitlines() if line.startswith("  failing")]
    assert told[0].startswith("  failing  00.md: `readers` in its front matter: `finance` is no reader token; did you")
    assert (len(told), told[-1]) == (21, "  failing  … and 1 more")
    [source] = data(ingest("status", "--json"))["sources"]
    assert (source["failing"], len(source["failures"])) == (21, 20)
    assert source["failures"][0]["reason"] in told[0]


def test_a_source_that_no_sync_has_completed_is_told_so(ingest: Ingest, folder: Path) -> None:
    write(folder / "souffleur.yaml", "sources: {away: {kind: files, root: nowhere}}\n")
    assert ingest("sync").exit_code == 4
    assert "away: 0 documents, 0 passages; not completely synced yet" in ingest("status").stdout


def test_a_search_is_that_of_a_member_who_holds_the_given_tokens_too(ingest: Ingest, folder: Path) -> None:
    write(folder / "docs" / "travel.md", TRAVEL)
    write(folder / "docs" / "salaries.md", SALARIES)
    ingest("sync", "docs")

    def found(*options: str) -> set[str]:
        return {hit["document"] for hit in data(ingest("search", "salary receipts", "--json", *options))}

    assert found() == {"travel.md"}
    assert found("--as", "group:finance") == {"travel.md", "salaries.md"}
    assert found("--as", "public") == set()
    refused = ingest("search", "receipts", "--as", "finance")
    assert refused.exit_code == 2
    assert "`finance` is no reader token; did you mean `group:finance`?" in refused.stderr


def test_a_folder_that_is_empty_all_at_once_is_held_back_and_told(ingest: Ingest, folder: Path) -> None:
    write(folder / "docs" / "travel.md", TRAVEL)
    ingest("sync", "docs")
    (folder / "docs" / "travel.md").unlink()

    assert "Nothing is listed any more" in ingest("plan", "docs").stdout
    held_back = ingest("sync", "docs")
    assert held_back.exit_code == 3
    assert (
        "1 document would go, for nothing is listed any more: is everything mounted, and may it still be read?"
        in held_back.stdout
    )
    assert "docs/travel.md" in ingest("search", "receipts").stdout
    assert ingest("sync", "docs", "--allow-removals").exit_code == 0


def test_postgres_without_its_driver_names_the_extra(
    ingest: Ingest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    write(folder / "souffleur.yaml", "state: {url: postgresql://souffleur@db/souffleur}\n")
    result = ingest("status")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: state.url names Postgres, which needs the extra `postgres`: .venv/bin/pip install -e '.[postgres]'\n"
    )


def test_a_reader_who_leaves_early_ends_the_program_quietly(folder: Path) -> None:
    read, written = os.pipe()
    os.close(read)
    try:
        result = subprocess.run(
            [sys.executable, "-m", "ingest", "status"],
            cwd=folder,
            env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath},
            stdout=written,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(written)
    assert result.stderr == b""


def test_the_list_of_commands_is_not_cut_short(ingest: Ingest) -> None:
    _, _, commands = ingest("--help").stdout.partition("Commands:")
    assert "Remove a source with all its documents." in commands
    assert "..." not in commands


@pytest.mark.parametrize(("seconds", "shown"), [(0.001, ""), (2.0, "15.0 documents/s")])
def test_a_rate_is_shown_when_it_says_something(seconds: float, shown: str) -> None:
    assert terminal.rate(30, seconds) == shown


def test_reindex_before_any_sync_builds_nothing(ingest: Ingest, folder: Path) -> None:
    result = ingest("reindex")
    assert (result.exit_code, result.stderr) == (2, "Error: nothing is indexed yet: ingest sync FOLDER\n")
    assert not (folder / ".souffleur" / "index").exists()


def test_reindex_builds_the_index_without_the_source(ingest: Ingest, folder: Path) -> None:
    write(folder / "docs" / "travel.md", TRAVEL)
    ingest("sync", "docs")
    (folder / "docs").rename(folder / "away")

    assert "built anew: 1 passage" in ingest("reindex").stdout
    assert "docs/travel.md" in ingest("search", "receipts").stdout
    assert data(ingest("reindex", "--json"))["recall"]["new"] == 1.0
    assert "in use again: 1 passage" in ingest("reindex", "--rollback").stdout
    assert "docs/travel.md" in ingest("search", "receipts").stdout
    assert ingest("verify").exit_code == 0


def test_sources_come_from_the_configuration_and_those_that_left_it_are_told(ingest: Ingest, folder: Path) -> None:
    write(folder / "docs" / "travel.md", TRAVEL)
    write(folder / "more" / "travel.md", TRAVEL)
    both = "sources:\n  handbook: {kind: files, root: docs}\n  more: {kind: files, root: more, readers: [public]}\n"
    write(folder / "souffleur.yaml", both)
    assert ingest("sync").exit_code == 0
    assert data(ingest("sync", "docs", "--json"))["sources"][0]["source"] == "handbook"
    write(folder / "souffleur.yaml", both.rsplit("\n", 2)[0] + "\n")

    assert "ingest forget more" in ingest("sync").stderr
    assert ingest("forget", "more").stdout == "more: 1 document removed.\n"
    assert [source["source"] for source in data(ingest("status", "--json"))["sources"]] == ["handbook"]
    assert ingest("sync").stderr.count("forget") == 0


@pytest.mark.parametrize("target", ["finance", "pay"])
def test_a_source_that_left_the_configuration_is_not_opened_to_everyone_by_naming_it(
    ingest: Ingest, folder: Path, target: str
) -> None:
    write(folder / "pay" / "bands.md", "# Salaries\n\nThe salary bands are reviewed every spring.\n")
    write(folder / "souffleur.yaml", "sources: {finance: {kind: files, root: pay, readers: [group:finance]}}\n")
    assert ingest("sync").exit_code == 0
    (folder / "souffleur.yaml").unlink()

    refused = ingest("sync", target)

    assert (refused.exit_code, "ingest forget finance" in refused.stderr) == (2, True)
    assert "Nothing" in ingest("search", "salary bands").stdout
    assert ingest("forget", "finance").exit_code == 0
    assert ingest("sync", "pay").exit_code == 0


def test_one_source_that_is_away_does_not_stop_the_others(ingest: Ingest, folder: Path) -> None:
    write(folder / "docs" / "travel.md", TRAVEL)
    write(
        folder / "souffleur.yaml",
        "sources:\n  away: {kind: files, root: nowhere}\n  handbook: {kind: files, root: docs}\n",
    )

    planned = ingest("plan")
    result = ingest("sync")

    assert result.exit_code == planned.exit_code == 4
    assert "handbook: 1 to read" in planned.stdout
    assert "handbook: 1 added" in result.stdout
    [line] = [line for line in result.stderr.splitlines() if line.startswith("Error")]
    assert "source 'away' cannot be listed: it is not there" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sync"], "there is no source yet: name a folder"),
        (["sync", "nowhere"], "'nowhere' is no folder"),
        (["sync", "file.md"], "'file.md' is a file; name the folder it is in"),
        (["forget", "nothing"], "no source is named 'nothing'"),
        (["--config", "missing.yaml", "status"], "missing.yaml"),
        (["status", "--config", "missing.yaml"], "missing.yaml"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_one_line_that_says_what_is_wrong(
    ingest: Ingest, folder: Path, arguments: list[str], message: str
) -> None:
    write(folder / "file.md", TRAVEL)
    result = ingest(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_second_writer_is_told_to_wait(ingest: Ingest, folder: Path) -> None:
    write(folder / "docs" / "travel.md", TRAVEL)

    async def while_another_writes() -> Result:
        ledger = await Ledger.open(StateSettings(url=f"sqlite+aiosqlite:///{folder / '.souffleur' / 'state.db'}"))
        try:
            async with ledger.writing("docs"):
                return await asyncio.to_thread(ingest, "forget", "docs")
        finally:
            await ledger.close()

    result = asyncio.run(while_another_writes())
    assert result.exit_code == 4
    assert "wait until it has ended" in result.stderr


def test_an_interrupted_sync_keeps_what_it_has_and_says_so(folder: Path) -> None:
    for number in range(300):
        write(folder / "docs" / f"{number}.md", f"# Page {number}\n\nPage {number} of the handbook.\n")
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath}
    with subprocess.Popen(
        [sys.executable, "-m", "ingest", "sync", "docs"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert "300 to read" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Stopping" in errors
    assert "Traceback" not in errors
    assert "the next sync goes on from here" in output
