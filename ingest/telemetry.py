"""What both programs tell the people who run them: log lines on standard error, and the numbers behind `/metrics`.

A trace id names one question. It is shown to the person who waits, and every log line written on the way carries it.
"""

from __future__ import annotations

import json
import logging
import secrets
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

ANSWER_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 180)
"""Seconds, from a quoted passage to the longest answer that a chat model is given time for."""

RETRIEVE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
"""Seconds, from an embedded index to one that waits for another process to let go of it."""

QUIET = (
    "aiohttp",
    "aiosqlite",
    "alembic",
    "filelock",
    "httpcore",
    "kreuzberg",
    "openai",
    "sentence_transformers",
    "slack_sdk",
    "stamina",
    "uvicorn.access",
)
"""Libraries that write a line a request or a model, or an answer's headers; theirs begin one level later than ours."""

STATEMENTS = ("sqlalchemy", "httpx")
"""Those that help nobody below a warning: several lines a statement; addresses of requests, with the keys in them."""

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_trace_id: ContextVar[str | None] = ContextVar("trace_id", default=None)


def new_trace_id() -> str:
    """A W3C trace id, 32 hexadecimal digits. From now on each log line of this task and of those it starts has it."""
    trace_id = secrets.token_hex(16)
    _trace_id.set(trace_id)
    return trace_id


class Metrics:
    """The numbers of one process, in a registry of their own; see the names for what each one counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.questions = Counter(
            "souffleur_questions",
            "Questions, by how they ended and the language of the answer.",
            ("outcome", "language"),
            registry=self.registry,
        )
        self.answer_seconds = Histogram(
            "souffleur_answer_seconds",
            "From the question to the end of its answer.",
            buckets=ANSWER_BUCKETS,
            registry=self.registry,
        )
        self.first_token_seconds = Histogram(
            "souffleur_first_token_seconds",
            "From the question to the first piece of its answer.",
            buckets=ANSWER_BUCKETS,
            registry=self.registry,
        )
        self.retrieve_seconds = Histogram(
            "souffleur_retrieve_seconds",
            "From the question to its passages.",
            buckets=RETRIEVE_BUCKETS,
            registry=self.registry,
        )
        self.model_calls = Counter("souffleur_model_calls", "Calls of the chat model.", registry=self.registry)
        ProcessCollector(registry=self.registry)

    def observe(self, outcome: str, language: str, timings: Mapping[str, float], model_calls: int) -> None:
        """Count one finished question. `timings` are seconds since the question by stage, as `Answer.timings`."""
        self.questions.labels(outcome=str(outcome), language=language).inc()
        self.model_calls.inc(model_calls)
        for stage, histogram in (
            ("total", self.answer_seconds),
            ("first_token", self.first_token_seconds),
            ("retrieve", self.retrieve_seconds),
        ):
            if stage in timings:
                histogram.observe(timings[stage])


class _Plain(logging.Formatter):
    """`12:00:01 WARNING ingest.sync: what happened [trace id]`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        trace_id = _traced(record)
        return super().formatMessage(record) + (f" [{trace_id}]" if trace_id else "")


class _Json(logging.Formatter):
    """One JSON object a line: `time` (RFC 3339, UTC), `level`, `logger`, `message`; `trace_id` and `error` if any."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace_id := _traced(record):
            line["trace_id"] = trace_id
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _traced(record: logging.LogRecord) -> str | None:
    """What the call gave as `extra={"trace_id": …}`, else that of its task."""
    return getattr(record, "trace_id", None) or _trace_id.get()


def start_logging(level: Literal["debug", "info", "warning", "error"], format: Literal["plain", "json"]) -> None:
    """Log to standard error from now on, and nowhere else. May be called again."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if format == "json" else _Plain())
    logging.basicConfig(level=LEVELS[level], handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(min(LEVELS[level] + 10, logging.ERROR))
    for name in STATEMENTS:
        logging.getLogger(name).setLevel(max(LEVELS[level], logging.WARNING))
