"""The command `bot`, as a person types it: over documents that `ingest sync` indexed in the same folder."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from bot.cli import cli
from bot.settings import ServeSettings
from ingest.cli import cli as ingest_cli

LEAVE = (
    "---\nupdated: 2025-03-01\n---\n# Annual leave\n\n## Dublin\n\nEmployees in Dublin have 25 days of leave a year.\n"
)
FORECAST = "---\nreaders: [group:finance]\n---\n# Forecast\n\nThe hiring freeze starts on 1 September.\n"

Bot = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a handbook of two pages, indexed, and without configuration."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):  # noqa: TID251 - what the machine has set is no part of these tests
        if name.startswith("SOUFFLEUR_"):
            monkeypatch.delenv(name)
    (tmp_path / "handbook").mkdir()
    (tmp_path / "handbook" / "leave.md").write_text(LEAVE)
    (tmp_path / "handbook" / "forecast.md").write_text(FORECAST)
    return tmp_path


@pytest.fixture
def indexed(folder: Path) -> Path:
    assert CliRunner().invoke(ingest_cli, ["sync", "handbook"]).exit_code == 0
    return folder


def bot(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=input, prog_name="bot")


def test_an_answer_is_printed_with_its_sources(indexed: Path) -> None:
    result = bot("ask", "How many days of leave in Dublin?")
    assert result.exit_code == 0, result.output
    assert "Employees in Dublin have 25 days of leave a year." in result.stdout
    assert "[1] Annual leave — Dublin, updated March 1, 2025" in result.stdout


def test_an_answer_is_printed_as_json(indexed: Path) -> None:
    result = bot("ask", "--json", "Wie viele Tage leave in Dublin?")
    answer: dict[str, Any] = json.loads(result.stdout)
    assert answer["outcome"] == "answered"
    assert answer["language"] == "de"
    assert answer["sources"][0]["document"] == "leave.md"
    assert answer["sources"][0]["headings"] == ["Dublin"]
    assert answer["spent"]["calls"] == 0
    assert len(answer["trace_id"]) == 32


def test_nothing_found_and_no_question_are_told_and_end_with_3(indexed: Path) -> None:
    nothing = bot("ask", "Which football team does the receptionist support?")
    assert (nothing.exit_code, nothing.stdout.startswith("Nothing in the documents")) == (3, True)
    assert bot("ask", "  ").exit_code == 3


def test_a_question_with_bytes_that_are_no_utf_8_is_answered(indexed: Path) -> None:
    result = bot("ask", "How many days of leave in Dublin, caf\udce9?")
    assert result.exit_code == 0, result.output
    assert "25 days" in result.stdout


def test_a_restricted_page_is_quoted_for_its_group_alone(indexed: Path) -> None:
    question = "When does the hiring freeze start?"
    assert "September" not in bot("ask", question).stdout
    assert "September" in bot("ask", question, "--as", "group:finance").stdout


def test_a_conversation_ends_with_the_input(indexed: Path) -> None:
    result = bot("chat", input="How many days of leave in Dublin?\n\nQuel est le gel des embauches ?\n")
    assert result.exit_code == 0, result.output
    assert "25 days" in result.stdout


def test_one_interrupt_ends_a_conversation_that_waits_for_a_question(indexed: Path) -> None:
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "bot", "chat"]
    with subprocess.Popen(command, stdin=its, stdout=its, stderr=its, start_new_session=True) as process:
        os.close(its)
        shown = b""
        while "›".encode() not in shown:
            shown += os.read(ours, 100)
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(timeout=30) == 130
        finally:
            process.kill()
            os.close(ours)


def test_asking_before_anything_is_indexed_says_what_to_run(folder: Path) -> None:
    result = bot("ask", "How many days of leave?")
    assert result.exit_code == 1
    assert "ingest sync" in result.output


def test_a_wrong_setting_is_named_with_its_line(folder: Path) -> None:
    (folder / "souffleur.yaml").write_text("answer:\n  pasages: 3\n")
    result = bot("ask", "How many days of leave?")
    assert result.exit_code == 2
    assert "souffleur.yaml:2" in result.stderr
    assert "passages" in result.stderr


def test_options_are_taken_before_and_after_the_command(indexed: Path) -> None:
    (indexed / "other.yaml").write_text("answer:\n  passages: 1\n")
    before = bot("--config", "other.yaml", "ask", "--json", "How many days of leave in Dublin?")
    after = bot("ask", "--json", "How many days of leave in Dublin?", "--config", "other.yaml")
    assert len(json.loads(before.stdout)["passages"]) == len(json.loads(after.stdout)["passages"]) == 1


def test_a_new_key_fits_the_configuration_and_only_its_digest_goes_there() -> None:
    result = bot("key", "Open WebUI", "--reader", "everyone", "--reader", "group:finance")
    key = next(line.strip() for line in result.stdout.splitlines() if line.strip().startswith("sk-"))
    lines = result.stdout.partition("souffleur.yaml:\n\n")[2]
    settings = ServeSettings(**yaml.safe_load(lines))
    assert settings.keys[0].sha256 == hashlib.sha256(key.encode()).hexdigest()
    assert settings.keys[0].readers == {"everyone", "public", "group:finance"}
    assert key not in lines


def test_whoever_is_asked_as_is_in_the_groups_that_their_address_leads_to(indexed: Path) -> None:
    left = {"id": "u2", "userName": "bob@example.org", "active": False, "schemas": ["User"]}
    (indexed / "people.json").write_text(json.dumps([left]))
    (indexed / "souffleur.yaml").write_text(
        'access:\n  groups: {board: ["user:ada@example.org"], finance: ["group:board", "user:bob@example.org"]}\n'
        "  group_files: [{path: people.json}]\n"
    )
    question = "What is the forecast?"
    assert bot("ask", question).exit_code == 3
    assert bot("ask", question, "--as", "user:Ada@example.org").exit_code == 0
    assert bot("ask", question, "--as", "user:bob@example.org").exit_code == 3


@pytest.mark.parametrize("name", ["", "  "])
def test_a_key_has_a_name(name: str) -> None:
    refused = bot("key", name)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "give it a name" in refused.stderr


def test_a_key_for_some_days_has_its_end_in_the_configuration() -> None:
    lines = bot("key", "intranet", "--days", "90").stdout.partition("souffleur.yaml:\n\n")[2]
    expires = ServeSettings(**yaml.safe_load(lines)).keys[0].expires
    assert expires is not None
    assert timedelta(days=89) < expires - datetime.now(UTC) <= timedelta(days=90)
    assert bot("key", "intranet", "--days", "0").exit_code == 2


def test_a_server_that_others_can_reach_does_not_start_without_keys(indexed: Path) -> None:
    result = bot("serve", "--host", "0.0.0.0", "--port", "18099")
    assert result.exit_code == 2
    assert "`bot key NAME`" in result.output


def test_the_doctor_finds_nothing_wrong_with_the_defaults(indexed: Path) -> None:
    result = bot("doctor")
    assert result.exit_code == 0, result.output
    assert "✓ index: 2 passages, searchable" in result.stdout


def test_the_doctor_names_each_problem_and_goes_on(folder: Path) -> None:
    (folder / "souffleur.yaml").write_text(
        "models: {chat: {base_url: 'http://127.0.0.1:9/v1', model: assistant}}\n"
        "serve: {host: 0.0.0.0}\n"
        "sources: {wiki: {kind: files, root: nowhere}}\n"
    )
    findings = {row["what"]: row for row in json.loads(bot("doctor", "--json").stdout)}
    assert {what for what, row in findings.items() if row["state"] == "problem"} == {
        "sources",
        "index",
        "chat model",
        "serve",
    }
    assert "nowhere" in findings["sources"]["says"]
    assert "127.0.0.1:9" in findings["chat model"]["says"]
    assert "bot key" in findings["serve"]["says"]


def test_the_doctor_tries_the_model_that_finds_what_passages_do_not_support(folder: Path) -> None:
    (folder / "souffleur.yaml").write_text("models: {grounding: {local: /nowhere}}\n")
    (finding,) = [row for row in json.loads(bot("doctor", "--json").stdout) if row["what"] == "grounding model"]
    assert finding["state"] == "problem"
    assert "models.grounding" in finding["says"]


def test_the_doctor_says_that_a_model_for_a_task_is_not_used_without_a_chat_model(folder: Path) -> None:
    (folder / "souffleur.yaml").write_text("models: {code: {base_url: 'http://127.0.0.1:9/v1', model: coder}}\n")
    findings = {row["what"]: row for row in json.loads(bot("doctor", "--json").stdout)}
    assert (findings["code model"]["state"], findings["reasoning model"]["state"]) == ("note", "ok")
    assert "`models.chat`" in findings["code model"]["says"]


def test_the_doctor_goes_on_after_a_place_that_the_system_refuses(folder: Path) -> None:
    (folder / "souffleur.yaml").write_text(f"home: {'x' * 300}\nstate: {{url: 'sqlite:///state.db'}}\n")
    findings = {row["what"]: row for row in json.loads(bot("doctor", "--json").stdout)}
    assert (findings["home"]["state"], findings["extras"]["what"]) == ("problem", "extras")
    assert "xxx" in findings["home"]["says"]


def test_a_question_set_with_its_own_corpus_is_measured(folder: Path) -> None:
    (folder / "set" / "qrels").mkdir(parents=True)
    (folder / "set" / "corpus.jsonl").write_text(
        '{"_id": "a", "title": "Leave", "text": "Thirty days of leave a year."}\n'
        '{"_id": "b", "title": "Printer", "text": "The printer on the second floor is called Gutenberg."}\n'
    )
    (folder / "set" / "queries.jsonl").write_text(
        '{"_id": "1", "text": "How many days of leave?", "metadata": {"language": "en"}}\n'
        '{"_id": "2", "text": "What is the printer called?", "metadata": {"language": "en"}}\n'
    )
    (folder / "set" / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\ta\t1\n2\tb\t1\n")
    result = bot("eval", "set", "--write-run", "runs")
    assert result.exit_code == 0, result.output
    assert "recall@5 100.00" in result.stdout.splitlines()
    assert "language of the question right: 2/2" in result.stdout
    again = bot("eval", "set", "--run", "runs/set.trec", "--json")
    assert json.loads(again.stdout)[0]["measures"]["recall@1"]["mean"] == 100.0
    assert not (folder / ".souffleur").exists()


def test_a_set_about_the_indexed_documents_is_judged_by_its_answers_and_written_whole(indexed: Path) -> None:
    (indexed / "set" / "qrels").mkdir(parents=True)
    (indexed / "set" / "queries.jsonl").write_text(
        '{"_id": "1", "text": "How many days of leave in Dublin?"}\n'
        '{"_id": "2", "text": "Which football team won?", "metadata": {"answerable": false}}\n'
    )
    (indexed / "set" / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\tleave.md\t1\n")
    result = bot("eval", "set", "--write-set", "written")
    assert result.exit_code == 0, result.output
    assert "answered 1/1 answerable questions (1 citing a relevant document), refused 1/1" in result.stdout
    corpus = [json.loads(line) for line in (indexed / "written" / "set" / "corpus.jsonl").read_text().splitlines()]
    assert {row["_id"]: row["title"] for row in corpus} == {"leave.md": "Annual leave", "forecast.md": "Forecast"}
    assert "recall@5 100.00" in bot("eval", "written/set").stdout.splitlines()
