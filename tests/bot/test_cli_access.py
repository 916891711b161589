"""The commands of whoever answers for who was told what, as a person types them."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import click
import pytest
from click.testing import CliRunner, Result

from bot.access.audit import Audit
from bot.access.interface import Act, Deed
from bot.cli_access import COMMANDS, DEEDS
from bot.conversations import SCHEMA
from bot.settings import BotSettings
from ingest.cli import cli as ingest_cli
from ingest.database import connect
from ingest.ledger import Ledger
from ingest.model import DocumentId
from tests.bot.access.kept import LEAVE, TRAVEL, Bot, spot
from tests.fixtures.assistant import in_ledger
from tests.fixtures.passages import chunk

NOW = datetime.now(UTC).replace(microsecond=0)


def run(*arguments: str) -> Result:
    group = click.Group(commands={command.name or "": command for command in COMMANDS})
    return CliRunner().invoke(group, arguments, prog_name="bot")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without configuration, and a ledger with two documents."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):  # noqa: TID251 - what the machine has set is no part of these tests
        if name.startswith("SOUFFLEUR_"):
            monkeypatch.delenv(name)

    async def fill() -> None:
        ledger = await Ledger.open(BotSettings().placed(tmp_path).state)
        await in_ledger(ledger, [chunk("Thirty days.", url="https://wiki/leave"), chunk("A.", document="travel.md")])
        await ledger.close()

    asyncio.run(fill())
    return tmp_path


def kept(folder: Path, work: Callable[[Bot], Awaitable[object]], *, now: datetime = NOW) -> None:
    """Have the bot in that folder keep something."""

    async def fill() -> None:
        engine = await connect(BotSettings().placed(folder).state.url, None, SCHEMA)
        await work(Bot(engine=engine, now=now))
        await engine.dispose()

    asyncio.run(fill())


async def answers(bot: Bot) -> None:
    await bot.answered("a" * 32, spot("1.0"), text="CANARY [1].")
    await bot.answered("b" * 32, spot("2.0"), by="U7", cited=False, basis=frozenset({LEAVE, TRAVEL}))


def test_the_audit_log_is_read_by_people_a_line_an_act(folder: Path) -> None:
    kept(folder, answers)
    result = run("audit", "--user", "slack:U042")
    assert result.exit_code == 0, result.output
    assert result.output == (
        f"{NOW:%Y-%m-%dT%H:%M:%SZ}  asked      slack:U042  slack/T1/C1/1.0  answer {'a' * 32}"
        "  tokens: everyone, public  passed: handbook/leave.md\n"
    )


def test_the_audit_log_is_read_by_programs_as_json_lines(folder: Path) -> None:
    kept(folder, answers)
    lines = [
        json.loads(line) for line in run("audit", "--document", "handbook/travel.md", "--json").output.splitlines()
    ]
    assert [(line["by"], line["passed"], line["left_out"]) for line in lines] == [
        ("slack:U7", ["handbook/leave.md", "handbook/travel.md"], {})
    ]


def test_whoever_is_named_in_no_way_that_the_log_knows_is_told_so(folder: Path) -> None:
    result = run("audit", "--user", "U042")
    assert result.exit_code == 1
    assert "write slack:U042" in result.output


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (("--deed", "asked"), 2),
        (("--deed", "shared"), 0),
        (("--since", f"{NOW + timedelta(days=1):%Y-%m-%d}"), 0),
        (("--answer", "b" * 8), 1),
        (("--document", "https://wiki/leave"), 2),
        (("--document", "handbook/never-was.md"), 0),
        (("--limit", "1"), 1),
        ((), 2),
    ],
)
def test_the_audit_log_is_asked_for_some_of_it(folder: Path, query: tuple[str, ...], found: int) -> None:
    kept(folder, answers)
    result = run("audit", *query, "--json")
    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) == found
    if not found:
        assert run("audit", *query).output == "Nothing of that kind is in the audit log.\n"


def test_a_long_line_says_how_much_it_leaves_out_and_does_nothing_to_a_terminal(folder: Path) -> None:
    many = frozenset(f"group:{number:02}" for number in range(14))
    act = Act(deed="asked", by="key:\x1b[2J", tokens=many, passed=frozenset({("handbook", "a\x1b[2J\n.md")}))  # type: ignore[arg-type]
    kept(folder, lambda bot: Audit(bot.engine, keep_days=1).note(act))
    output = run("audit").output
    assert "group:09 and 4 more" in output
    assert "\x1b" not in output
    assert output.count("\n") == 1


def test_no_command_about_a_document_does_anything_to_a_terminal(folder: Path) -> None:
    name = "a\x1b[2J\x9b2J\u202e.md"

    async def fill() -> None:
        ledger = await Ledger.open(BotSettings().placed(folder).state)
        twins = [chunk("B.", document=f"{name}{number}", url="https://wiki/odd") for number in (1, 2)]
        await in_ledger(ledger, [chunk("A.", document=name), *twins])
        await ledger.close()

    asyncio.run(fill())
    for command in (
        ("revoke", f"handbook/{name}"),
        ("answers", "--citing", f"handbook/{name}", "--json"),
        ("restore", f"handbook/{name}"),
        ("revoke", "https://wiki/odd"),
        ("audit", "--json"),
        ("audit",),
    ):
        result = CliRunner().invoke(
            click.Group(commands={one.name or "": one for one in COMMANDS}), command, prog_name="bot", color=True
        )
        for mark in ("\x1b[2J", "\x9b", "\u202e"):
            assert mark not in result.output
    listed = [json.loads(line) for line in run("audit", "--json").output.splitlines()]
    assert [line["passed"] for line in listed] == [[f"handbook/{name}"]] * 2


def test_every_deed_can_be_asked_for() -> None:
    assert get_args(Deed) == DEEDS


def test_a_document_is_revoked_its_answers_are_withdrawn_and_it_is_restored(folder: Path) -> None:
    kept(folder, answers)
    revoked = run("revoke", "https://wiki/leave")
    assert revoked.exit_code == 0, revoked.output
    assert "handbook/leave.md is out of new answers from now on" in revoked.output
    assert "Answers given before that cite it: 1; that only used it: 1." in revoked.output
    assert "bot answers --citing handbook/leave.md --used --withdraw" in revoked.output
    assert run("revoke", "handbook/leave.md").output == revoked.output

    listed = run("answers", "--citing", "handbook/leave.md").output.splitlines()
    assert listed == [
        f"{NOW:%Y-%m-%dT%H:%M:%SZ}  slack/T1/C1/1.0  slack:U042  cited  {'a' * 32}",
        "Further answers that only used it: 1 (`--used` lists them, too).",
    ]
    data = json.loads(run("answers", "--citing", "handbook/leave.md", "--used", "--json").output)
    assert {(one["trace"], one["cited"], *one["messages"]) for one in data} == {
        ("a" * 32, True, f"slack/T1/C1/m{'a' * 32}"),
        ("b" * 32, False, f"slack/T1/C1/m{'b' * 32}"),
    }

    withdrawn = run("answers", "--citing", "handbook/leave.md", "--used", "--withdraw").output
    assert "Withdrawn: 2. Their text is deleted here." in withdrawn
    assert "Messages that `bot serve` replaces at the platform, at once or when it runs next: 2." in withdrawn
    assert run("answers", "--citing", "handbook/leave.md").output == "No answer that is kept cites it.\n"
    assert not [file for file in folder.rglob("state.db*") if b"CANARY" in file.read_bytes()]

    assert "may be read again by whom its source names" in run("restore", "handbook/leave.md").output
    assert run("restore", "handbook/leave.md").output == "handbook/leave.md was not revoked.\n"
    deeds = [
        json.loads(line)["deed"]
        for line in run("audit", "--document", "handbook/leave.md", "--json").output.splitlines()
    ]
    assert deeds == ["asked", "asked", "revoked", "revoked", "recalled", "recalled", "restored"]


def test_a_document_that_is_not_known_is_told_with_the_way_out(folder: Path) -> None:
    for arguments in (("revoke", "leave.md"), ("restore", "leave.md"), ("answers", "--citing", "leave.md")):
        result = run(*arguments)
        assert result.exit_code == 1
        assert result.output.startswith("Error: no document 'leave.md' is known")
        assert "write SOURCE/ID" in result.output


def test_somebody_is_forgotten_after_it_was_tried(folder: Path) -> None:
    kept(folder, answers)
    tried = run("forget", "slack:U042", "--dry-run")
    assert tried.exit_code == 0, tried.output
    assert "slack:U042: would delete 1 replies" in tried.output
    assert "1 answers" in tried.output
    assert "slack:U042" in run("audit").output
    done = run("forget", "slack:U042", "key:nobody")
    assert done.output.splitlines()[0] == tried.output.splitlines()[0].replace("would delete", "deleted")
    assert "key:nobody: nothing is kept." in done.output
    assert "What is not in our hands: messages at Slack and Mattermost" in done.output
    left = run("audit").output
    assert "slack:U042" not in left
    assert "forgotten:" in left
    assert run("forget", "U042").exit_code == 1


def test_what_is_too_old_is_deleted_once(folder: Path) -> None:
    kept(folder, answers, now=NOW - timedelta(days=400))
    assert run("tidy").output.startswith("Deleted as too old: 2 traces, 2 answers, 2 replies, 2 events, 2 audit lines")
    assert run("tidy").output == "Nothing is older than it is kept.\n"


def test_a_document_revoked_here_is_out_of_the_search_of_ingest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "elsewhere" / "policies").mkdir(parents=True)
    monkeypatch.chdir(folder / "elsewhere")
    Path("policies/leave.md").write_text("# Leave\n\nThirty days of leave in Dublin.\n")
    search = ("search", "leave in Dublin")
    assert CliRunner().invoke(ingest_cli, ["sync", "policies"]).exit_code == 0
    assert "policies/leave.md" in CliRunner().invoke(ingest_cli, search).output
    assert run("revoke", "policies/leave.md").exit_code == 0
    assert "policies/leave.md" not in CliRunner().invoke(ingest_cli, search).output


def test_a_document_that_is_gone_cannot_be_revoked_and_its_answers_can_be_withdrawn(folder: Path) -> None:
    kept(
        folder, lambda bot: bot.answered("c" * 32, spot("1.0"), basis=frozenset({("handbook", DocumentId("gone.md"))}))
    )
    result = run("revoke", "handbook/gone.md")
    assert "handbook/gone.md is not there (any more)" in result.output
    assert "bot answers --citing handbook/gone.md" in result.output
    assert "Withdrawn: 1." in run("answers", "--citing", "handbook/gone.md", "--withdraw").output
