"""The program that reads documents inside the limits: one request at a time from standard input, until it ends.

Started by `ingest.parsers.sandbox` alone. A message is its length (four bytes, big endian) and JSON in UTF-8. An
unexpected exception ends the process: its last line on standard error is the reason that the other side reports, and
the next document gets a fresh worker.
"""

from __future__ import annotations

import ctypes
import importlib
import math
import os
import resource
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

from pydantic import BaseModel, ConfigDict

from ingest.model import Original, Parsed
from ingest.parsers import seccomp
from ingest.parsers.interface import (
    FileUnreadable,
    LimitExceeded,
    NeedsOcr,
    NoText,
    ParseError,
    Parser,
    ParserUnavailable,
    ParsingSettings,
    ReadersUnclear,
    UnknownFormat,
)

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of one answer; a novel has one million."""

READY = b"{}"
"""The first message of a worker: the limits stand and its parser is loaded."""

OPEN_FILES = 256

FILE_BYTES = 64 * 1024 * 1024
"""Of any one file that a worker writes: temporary copies, and what libraries say on standard error."""

PR_SET_PDEATHSIG = 1

FAILURES: dict[str, type[ParseError]] = {
    "unreadable": ParseError,
    "no_text": NoText,
    "needs_ocr": NeedsOcr,
    "unknown_format": UnknownFormat,
    "limit": LimitExceeded,
    "unavailable": ParserUnavailable,
    "readers_unclear": ReadersUnclear,
    "file_unreadable": FileUnreadable,
}


class Start(BaseModel):
    """How a worker is started: the one argument of the program, as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parsers: dict[str, str]
    """Name to `module:class`."""
    warm: str
    """The parser to load before the first request."""
    settings: ParsingSettings
    isolate: bool
    """Whether the kernel can keep this process off the network."""


class Request(BaseModel):
    """One document to read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parser: str
    path: Path
    name: str
    media_type: str | None
    updated_at: datetime | None


class Answer(BaseModel):
    """What became of it: the fields of `Parsed`, or a `failure` and its `reason`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = ""
    title: str | None = None
    pages: tuple[int, ...] = ()
    author: str | None = None
    updated_at: datetime | None = None
    readers: frozenset[str] | None = None
    failure: str | None = None
    reason: str = ""


def main() -> None:
    start = Start.model_validate_json(sys.argv[1])
    # What a library prints must not reach the pipe that answers go through.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _confine(start)
    parsers: dict[str, Parser] = {}
    _load(start.warm, start, parsers)
    write_message(answers, READY)
    while (message := read_message(sys.stdin.buffer)) is not None:
        _renew_cpu(start.settings.cpu_seconds)
        request = Request.model_validate_json(message)
        answer = _load(request.parser, start, parsers) or _answer(parsers[request.parser], request)
        payload = answer.model_dump_json(exclude_defaults=True).encode("utf-8", "replace")
        if len(payload) > MAX_ANSWER:
            too_long = Answer(failure="limit", reason=f"its text is longer than {MAX_ANSWER >> 20} MiB")
            payload = too_long.model_dump_json(exclude_defaults=True).encode()
        write_message(answers, payload)


def _answer(parser: Parser, request: Request) -> Answer:
    original = Original(
        path=request.path, name=request.name, media_type=request.media_type, updated_at=request.updated_at
    )
    try:
        parsed = parser.parse(original)
    except ParseError as error:
        kind = next(kind for kind, type_ in reversed(FAILURES.items()) if isinstance(error, type_))
        return Answer(failure=kind, reason=str(error))
    return to_answer(parsed)


def to_answer(parsed: Parsed) -> Answer:
    return Answer(
        text=parsed.text,
        title=parsed.title,
        pages=parsed.pages,
        author=parsed.author,
        updated_at=parsed.updated_at,
        readers=parsed.readers,
    )


def _load(name: str, start: Start, parsers: dict[str, Parser]) -> Answer | None:
    """Import the parser `name` once; an answer that says what is missing where that cannot be done."""
    if name in parsers:
        return None
    module, _, attribute = start.parsers[name].partition(":")
    try:
        parsers[name] = cast(Parser, getattr(importlib.import_module(module), attribute)(start.settings))
    except ModuleNotFoundError as error:
        missing = f"the parser {name!r} needs {error.name!r}, which is not installed"
        return Answer(failure="unavailable", reason=f"{missing}: .venv/bin/pip install -e '.[{name}]'")
    except ParserUnavailable as error:
        return Answer(failure="unavailable", reason=str(error))
    return None


def _confine(start: Start) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    for kind, value in (
        (resource.RLIMIT_AS, start.settings.memory_mb * 1024 * 1024),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))
    if start.isolate:
        seccomp.install()


def _renew_cpu(seconds: int) -> None:
    """Give the next document its own processor time: the kernel counts the whole life of the process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = math.ceil(usage.ru_utime + usage.ru_stime)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, hard))


def read_message(stream: BinaryIO) -> bytes | None:
    """The next message, or None when the other side has closed the pipe."""
    if len(head := stream.read(4)) < 4:
        return None
    return stream.read(int.from_bytes(head, "big"))


def write_message(stream: BinaryIO, message: bytes) -> None:
    stream.write(len(message).to_bytes(4, "big") + message)
    stream.flush()


if __name__ == "__main__":
    main()
