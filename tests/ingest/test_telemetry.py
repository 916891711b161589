"""Log lines, trace ids and the numbers behind `/metrics`."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field

import pytest
from prometheus_client import generate_latest

from ingest.telemetry import QUIET, STATEMENTS, Metrics, new_trace_id, start_logging

log = logging.getLogger("ingest.example")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logging.captureWarnings(capture=False)  # a test of a command may have left it on, and then it is not begun again
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    for name in QUIET + STATEMENTS:
        logging.getLogger(name).setLevel(logging.NOTSET)


def test_a_plain_line_says_when_how_bad_where_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("info", "plain")
    copy_context().run(log.info, "read %d files", 3)
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"\d\d:\d\d:\d\d INFO ingest\.example: read 3 files\n", err)


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("warning", "plain")
    log.info("quiet")
    assert capsys.readouterr().err == ""


def test_a_json_line_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("warning", "json")
    try:
        raise ValueError("broken\nin two")
    except ValueError:
        log.exception("Größe of %r", "a\nb", extra={"trace_id": "0" * 31 + "1"})
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", told.pop("time"))
    assert "ValueError: broken" in told.pop("error")
    assert told == {
        "level": "error",
        "logger": "ingest.example",
        "message": "Größe of 'a\\nb'",
        "trace_id": "0" * 31 + "1",
    }


def test_starting_again_replaces_the_format_and_does_not_double_lines(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("warning", "plain")
    start_logging("warning", "json")
    log.warning("once")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "once"


def test_libraries_that_log_every_request_are_quieter(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("info", "plain")
    logging.getLogger("httpx").info("HTTP Request: POST …")
    logging.getLogger("httpx").warning("odd")
    assert "odd" in (told := capsys.readouterr().err)
    assert "HTTP Request" not in told


@pytest.mark.parametrize(
    ("library", "level"),
    [
        ("aiosqlite", "debug"),
        ("filelock", "debug"),
        ("sqlalchemy.engine.Engine", "info"),
        ("slack_sdk.web.async_client", "debug"),
        ("aiohttp.client", "debug"),
    ],
)
def test_debugging_is_not_flooded_by_libraries(capsys: pytest.CaptureFixture[str], library: str, level: str) -> None:
    start_logging("debug", "plain")
    getattr(logging.getLogger(library), level)("executing a statement")
    log.debug("ours")
    logging.getLogger(library).warning("the disk is full")
    told = capsys.readouterr().err
    assert ("executing" in told, "ours" in told, "the disk is full" in told) == (False, True, True)


def test_warnings_of_libraries_become_log_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        start_logging("warning", "json")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert "old" in json.loads(capsys.readouterr().err.splitlines()[0])["message"]


def test_a_trace_id_is_a_new_one_as_w3c_defines_it() -> None:
    first, second = copy_context().run(new_trace_id), copy_context().run(new_trace_id)
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != second


async def test_the_lines_of_two_questions_at_once_carry_their_own_trace_ids(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("info", "json")
    ready = asyncio.Barrier(2)

    async def question(name: str) -> tuple[str, str]:
        trace_id = new_trace_id()
        async with asyncio.timeout(5):
            await ready.wait()
        await asyncio.to_thread(log.info, "%s in a thread", name)
        log.info("%s", name)
        return name, trace_id

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(question(name)) for name in ("first", "second")]
    log.info("outside")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    for name, trace_id in (task.result() for task in tasks):
        assert [line["trace_id"] for line in lines if line["message"].startswith(name)] == [trace_id, trace_id]
    assert "trace_id" not in lines[-1]


def test_a_plain_line_ends_with_the_trace_id(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("warning", "plain")

    def question() -> str:
        trace_id = new_trace_id()
        log.warning("slow")
        return trace_id

    trace_id = copy_context().run(question)
    assert capsys.readouterr().err.endswith(f"slow [{trace_id}]\n")


@dataclass(frozen=True, kw_only=True)
class Cost:
    calls: int = 0
    prompt_tokens: int = 0
    reply_tokens: int = 0


@dataclass(frozen=True, kw_only=True)
class Checked:
    check: str
    verdict: str


@dataclass(frozen=True, kw_only=True)
class Walk:
    checks: Sequence[Checked] = ()


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What is counted of an answer."""

    outcome: str = "answered"
    language: str = "de"
    timings: Mapping[str, float] = field(default_factory=dict)
    spent: Cost = Cost()
    refusal: str | None = None
    removed: int = 0
    trace: Walk | None = None


def counted(*answers: Counted) -> list[str]:
    metrics = Metrics()
    for answer in answers:
        metrics.observe(answer)
    return generate_latest(metrics.registry).decode().splitlines()


def test_a_finished_question_is_counted_by_outcome_and_language_with_its_times() -> None:
    lines = counted(
        Counted(timings={"retrieve": 0.02, "first_token": 0.3, "total": 3}, spent=Cost(calls=2)),
        Counted(timings={"retrieve": 0.04, "first_token": 0.4, "total": 5}, spent=Cost(calls=1)),
        Counted(outcome="invalid", language="en", timings={"total": 0.001}),
    )
    for line in (
        'souffleur_questions_total{language="de",outcome="answered"} 2.0',
        'souffleur_questions_total{language="en",outcome="invalid"} 1.0',
        "souffleur_model_calls_total 3.0",
        "souffleur_answer_seconds_count 3.0",
        "souffleur_first_token_seconds_count 2.0",
        'souffleur_retrieve_seconds_bucket{le="0.025"} 1.0',
        "souffleur_retrieve_seconds_count 2.0",
    ):
        assert line in lines


def test_tokens_are_counted_of_questions_that_asked_a_model() -> None:
    spent = Cost(calls=2, prompt_tokens=3000, reply_tokens=200)
    lines = counted(Counted(spent=spent, timings={"models": 1.5}), Counted(spent=spent), Counted())
    for line in (
        'souffleur_model_tokens_total{kind="prompt"} 6000.0',
        'souffleur_model_tokens_total{kind="reply"} 400.0',
        'souffleur_question_tokens_bucket{le="4000.0"} 2.0',
        "souffleur_question_tokens_count 2.0",
        "souffleur_model_seconds_sum 1.5",
    ):
        assert line in lines


def test_refusals_removals_and_wrong_languages_are_counted_by_their_reason() -> None:
    again = Checked(check="language", verdict="retried")
    other = (Checked(check="language", verdict="removed"), Checked(check="grounding", verdict="removed"))
    lines = counted(
        Counted(outcome="not_found", refusal="evidence"),
        Counted(outcome="not_found", refusal="evidence"),
        Counted(outcome="not_found", refusal="unsupported", removed=3),
        Counted(removed=1, trace=Walk(checks=(again, Checked(check="language", verdict="translated"), *other))),
        Counted(trace=Walk(checks=(again,))),
    )
    for line in (
        'souffleur_refusals_total{reason="evidence"} 2.0',
        'souffleur_refusals_total{reason="unsupported"} 1.0',
        "souffleur_statements_removed_total 4.0",
        'souffleur_language_retries_total{how="retried"} 2.0',
        'souffleur_language_retries_total{how="translated"} 1.0',
    ):
        assert line in lines


def test_two_assistants_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.observe(Counted(spent=Cost(calls=1)))
    assert "souffleur_model_calls_total 0.0" in generate_latest(other.registry).decode()
