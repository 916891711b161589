"""What both programs tell the people who run them: log lines on standard error, and the numbers behind `/metrics`.

A trace id names one question. It is shown to the person who waits, and every log line written on the way carries it.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

from ingest.masking import masked

ANSWER_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 180)
"""Seconds, from a quoted passage to the longest answer that a chat model is given time for."""

RETRIEVE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
"""Seconds, from an embedded index to one that waits for another process to let go of it."""

TOKEN_BUCKETS = (250, 500, 1000, 2000, 4000, 6000, 8000, 12_000, 20_000, 30_000)
"""Tokens of one question's prompts and replies, up to the usual cap."""

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


class Spent(Protocol):
    """What a question cost at the chat models."""

    @property
    def calls(self) -> int: ...

    @property
    def prompt_tokens(self) -> int: ...

    @property
    def reply_tokens(self) -> int: ...


class Check(Protocol):
    """What a check of the answer did."""

    @property
    def check(self) -> str: ...

    @property
    def verdict(self) -> str: ...


class Walked(Protocol):
    """How an answer came about."""

    @property
    def checks(self) -> Sequence[Check]: ...


class Answered(Protocol):
    """What is counted of a finished answer."""

    @property
    def outcome(self) -> str: ...

    @property
    def language(self) -> str: ...

    @property
    def timings(self) -> Mapping[str, float]:
        """Seconds, by stage."""
        ...

    @property
    def spent(self) -> Spent: ...

    @property
    def refusal(self) -> str | None: ...

    @property
    def removed(self) -> int: ...

    @property
    def trace(self) -> Walked | None: ...


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
        self.model_tokens = Counter(
            "souffleur_model_tokens",
            "Tokens of the chat models, as the gateway counts them, else estimated: `prompt` or `reply`.",
            ("kind",),
            registry=self.registry,
        )
        self.question_tokens = Histogram(
            "souffleur_question_tokens",
            "Tokens of all prompts and replies of a question that asked a chat model.",
            buckets=TOKEN_BUCKETS,
            registry=self.registry,
        )
        self.model_seconds = Histogram(
            "souffleur_model_seconds",
            "Waited for chat models in a question that asked one.",
            buckets=ANSWER_BUCKETS,
            registry=self.registry,
        )
        self.refusals = Counter(
            "souffleur_refusals",
            "Questions that found no answer: by the evidence, the model, or for lack of support.",
            ("reason",),
            registry=self.registry,
        )
        self.statements_removed = Counter(
            "souffleur_statements_removed",
            "Statements left out because no passage supports them.",
            registry=self.registry,
        )
        self.language_retries = Counter(
            "souffleur_language_retries",
            "Answers in another language than the question's: written again (`retried`) or `translated`.",
            ("how",),
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)

    def observe(self, answer: Answered) -> None:
        """Count one finished question."""
        self.questions.labels(outcome=str(answer.outcome), language=answer.language).inc()
        for stage, histogram in (
            ("total", self.answer_seconds),
            ("first_token", self.first_token_seconds),
            ("retrieve", self.retrieve_seconds),
        ):
            if stage in answer.timings:
                histogram.observe(answer.timings[stage])
        if answer.refusal is not None:
            self.refusals.labels(reason=answer.refusal).inc()
        self.statements_removed.inc(answer.removed)
        self._count_models(answer)

    def _count_models(self, answer: Answered) -> None:
        spent = answer.spent
        if spent.calls:
            self.model_calls.inc(spent.calls)
            self.model_tokens.labels(kind="prompt").inc(spent.prompt_tokens)
            self.model_tokens.labels(kind="reply").inc(spent.reply_tokens)
            self.question_tokens.observe(spent.prompt_tokens + spent.reply_tokens)
            self.model_seconds.observe(answer.timings.get("models", 0.0))
        for check in answer.trace.checks if answer.trace is not None else ():
            if check.check == "language" and check.verdict in {"retried", "translated"}:
                self.language_retries.labels(how=check.verdict).inc()


CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What moves a terminal's cursor or turns the direction of what follows; names of files may hold any of it."""


class _Plain(logging.Formatter):
    """`12:00:01 WARNING ingest.sync: what happened [trace id]`, without secrets.

    What a message has of further lines is indented: none of it can pass for a line of its own.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        record.message = masked(_shown(record.getMessage())).replace("\n", "\n    ")
        record.asctime = self.formatTime(record, self.datefmt)
        trace_id = _traced(record)
        lines = [self.formatMessage(record) + (f" [{trace_id}]" if trace_id else ""), *_errors(self, record)]
        return "\n".join(lines)


class _Json(logging.Formatter):
    """One JSON object a line, without secrets.

    `time` (RFC 3339, UTC), `level`, `logger`, `message`; `trace_id` and `error` if any.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked(record.getMessage()),
        }
        if trace_id := _traced(record):
            line["trace_id"] = trace_id
        if errors := _errors(self, record):
            line["error"] = "\n".join(errors)
        return json.dumps(line, ensure_ascii=False)


def _errors(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    """The traceback and the stack of a record, where it has them, without secrets.

    Not `record.exc_text`: what another handler has left there is not masked.
    """
    traceback = formatter.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""
    stack = formatter.formatStack(record.stack_info) if record.stack_info else ""
    return [masked(_shown(part)) for part in (traceback, stack) if part]


def _shown(text: str) -> str:
    return CONTROL.sub("\ufffd", text)


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
