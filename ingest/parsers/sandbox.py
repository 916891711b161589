"""Where documents are read: worker processes with limits, so that a bomb costs one document and reaches nothing.

Each worker is a process of its own session without terminal, environment or network (see `seccomp`), limited in address
space, in processor and clock time for each document, and in the files it writes. It reads many documents, and is
replaced after `DOCUMENTS_PER_WORKER` of them, or as soon as one has failed it. Markdown and plain text, which no native
code touches, are read in this process when they are small.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import IO, Self, cast, get_args

from pydantic import ValidationError

from ingest.model import Original, Parsed
from ingest.parsers import markup, seccomp
from ingest.parsers.interface import FileUnreadable, LimitExceeded, NoText, ParseError, ParserName, ParsingSettings
from ingest.parsers.worker import FAILURES, MAX_ANSWER, READY, Answer, Request, Start

PARSERS = {
    "kreuzberg": "ingest.parsers.kreuzberg:Kreuzberg",
    "unstructured": "ingest.parsers.unstructured:Unstructured",
    "html": "ingest.parsers.html:Html",
    "article": "ingest.parsers.article:Article",
    "markup": "ingest.parsers.markup:Markup",
}
"""What a worker may load: name to `module:class`."""

READS_FRONT_MATTER = ("markup", "html")
"""Only these may say who the readers are: native code that was taken over must not widen them."""

DOCUMENTS_PER_WORKER = 200
"""Bounds what native libraries leak; a start costs about half a second of processor time."""

IN_PROCESS_BYTES = 1024 * 1024
"""A larger Markdown or text file is read by a worker, like everything else."""

START_SECONDS = 60
"""Clock time for a worker to load its parser, on a machine that is busy."""

REASON_CHARACTERS = 300

REASON_BYTES = 4096
"""The end of a worker's standard error that is looked at for the cause of its death."""

OUT_OF_MEMORY = ("MemoryError", "memory allocation of", "bad_alloc", "Cannot allocate memory", "out of memory")
"""What Python, Rust, C++ and libc say as they die of it."""

ENVIRONMENT = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    # One thread and two heaps a worker: each further one reserves address space, and the limit counts reservations.
    "MALLOC_ARENA_MAX": "2",
    "RAYON_NUM_THREADS": "1",
    "TOKIO_WORKER_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_THREAD_LIMIT": "1",
}


class Sandbox:
    """Reads documents in limited workers; use it as an async context manager.

    `parse` may be called by many tasks at once: `settings.workers` documents are read at a time, the others wait.
    """

    def __init__(self, settings: ParsingSettings, *, parsers: Mapping[str, str] = PARSERS) -> None:
        self._settings = settings
        self._parsers = dict(parsers)
        self._slots = asyncio.Semaphore(settings.workers)
        self._idle: list[_Worker] = []
        self._stack = AsyncExitStack()
        self._folder = Path()

    @property
    def network_isolated(self) -> bool:
        """Whether this machine's kernel keeps the workers off the network."""
        return seccomp.supported()

    async def __aenter__(self) -> Self:
        folder = tempfile.TemporaryDirectory(prefix="souffleur-", ignore_cleanup_errors=True)
        self._folder = Path(self._stack.enter_context(folder))
        return self

    async def __aexit__(self, *_: object) -> None:
        while self._idle:
            await self._idle.pop().end()
        await self._stack.aclose()

    async def parse(self, original: Original, parser: str) -> Parsed:
        """Read `original` with the parser of that name.

        What may carry front matter (Markdown, plain text, HTML) has readers of its own in place of those that a
        configuration chooses from: they alone keep its `readers`. Raises `ParseError` or a subclass.
        """
        here = await asyncio.to_thread(self._read_here, original, parser)
        if isinstance(here, Parsed):
            return here
        async with self._slots:
            return await self._read_there(original, here)

    def _read_here(self, original: Original, parser: str) -> Parsed | str:
        """The document, if it is small and plain text; otherwise the name of the parser that a worker is to use."""
        try:
            size = original.path.stat().st_size
            kind = markup.kind(original)
        except OSError as error:
            raise FileUnreadable(f"the file cannot be read: {error.strerror}") from error
        if size == 0:
            raise NoText("the file is empty")
        if size > self._settings.max_file_mb * 1024 * 1024:
            raise LimitExceeded(
                f"it has {size / 1024 / 1024:.0f} MiB, and at most {self._settings.max_file_mb} are read "
                "(`parsing.max_file_mb`)"
            )
        if kind == "text":
            return "markup" if size > IN_PROCESS_BYTES else markup.Markup(self._settings).parse(original)
        return "html" if kind == "html" and parser in get_args(ParserName) else parser

    async def _read_there(self, original: Original, parser: str) -> Parsed:
        worker = self._idle.pop() if self._idle else await self._start(parser)
        try:
            answer = await worker.read(original, parser)
        finally:
            if worker.usable:
                self._idle.append(worker)
            else:
                await worker.end()
        if answer.failure is not None:
            raise FAILURES.get(answer.failure, ParseError)(_one_line(answer.reason))
        return _parsed(answer, parser)

    async def _start(self, parser: str) -> _Worker:
        start = Start(parsers=self._parsers, warm=parser, settings=self._settings, isolate=self.network_isolated)
        here = {
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            "PYTHONPATH": os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path),
        }
        # A file, not a pipe: nobody has to read it while the worker runs, and its size has a limit.
        errors = tempfile.TemporaryFile("a+b", dir=self._folder)  # noqa: SIM115 - closed with the worker
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "ingest.parsers.worker", start.model_dump_json()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            cwd=self._folder,
            env=ENVIRONMENT | here,
            start_new_session=True,
        )
        return _Worker(process, errors, self._settings)


class _Worker:
    """One worker process, from this side of its pipes."""

    def __init__(self, process: asyncio.subprocess.Process, errors: IO[bytes], settings: ParsingSettings) -> None:
        self.usable = False
        """Whether it may be given a further document."""
        self._process = process
        self._requests = cast(asyncio.StreamWriter, process.stdin)
        self._answers = cast(asyncio.StreamReader, process.stdout)
        self._errors = errors
        self._settings = settings
        self._documents = 0

    async def read(self, original: Original, parser: str) -> Answer:
        """Ask for one document. Raises `ParseError`, and leaves the worker unusable, when it died or must die."""
        self.usable = False
        self._errors.truncate(0)
        request = Request(
            parser=parser,
            path=original.path.absolute(),
            name=original.name,
            media_type=original.media_type,
            updated_at=original.updated_at,
        )
        try:
            if self._documents == 0:
                await self._wait_until_ready()
            async with asyncio.timeout(self._settings.wall_seconds):
                answer = Answer.model_validate_json(await self._exchange(request.model_dump_json().encode()))
        except TimeoutError:
            seconds = self._settings.wall_seconds
            raise LimitExceeded(f"reading it took more than {seconds} s (`parsing.wall_seconds`)") from None
        except ValidationError as error:
            raise ParseError("its parser answered with something that is not an answer") from error
        except (asyncio.IncompleteReadError, ConnectionError):
            raise await self._cause_of_death() from None
        self._documents += 1
        self.usable = self._documents < DOCUMENTS_PER_WORKER
        return answer

    async def end(self) -> None:
        """Kill the process and what it started, and wait for it."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._requests.close()
        await self._process.wait()
        self._errors.close()

    async def _wait_until_ready(self) -> None:
        try:
            async with asyncio.timeout(START_SECONDS):
                ready = await self._message()
        except TimeoutError:
            raise ParseError(f"its parser was not loaded within {START_SECONDS} s") from None
        if ready != READY:
            raise ParseError("its parser did not start as it should")

    async def _exchange(self, request: bytes) -> bytes:
        self._requests.write(len(request).to_bytes(4, "big") + request)
        await self._requests.drain()
        return await self._message()

    async def _message(self) -> bytes:
        length = int.from_bytes(await self._answers.readexactly(4), "big")
        if length > MAX_ANSWER:
            raise ParseError("its parser answered with more than an answer may have")
        return await self._answers.readexactly(length)

    async def _cause_of_death(self) -> ParseError:
        """One line that says what happened. The pipe is closed: the process has ended or is about to."""
        try:
            async with asyncio.timeout(START_SECONDS):
                code = await self._process.wait()
        except TimeoutError:
            return ParseError("its parser stopped answering")
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - REASON_BYTES))
        said = self._errors.read().decode("utf-8", "replace").strip()
        if code == -signal.SIGXCPU:
            seconds = self._settings.cpu_seconds
            return LimitExceeded(f"reading it took more than {seconds} s of processor time (`parsing.cpu_seconds`)")
        if any(sign in said for sign in OUT_OF_MEMORY):
            limit = self._settings.memory_mb
            return LimitExceeded(f"reading it needed more than {limit} MiB of memory (`parsing.memory_mb`)")
        if code == -signal.SIGKILL:
            return LimitExceeded("the system ended its parser, most likely because memory ran out")
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return ParseError(_one_line(f"its parser crashed ({how}) {said.rpartition(chr(10))[2]}"))


def _parsed(answer: Answer, parser: str) -> Parsed:
    """The document as answered, once it keeps the promises of `Parsed`."""
    if not answer.text.strip():
        raise NoText("there is no text in it")
    if any(start > end for start, end in zip((0, *answer.pages), (*answer.pages, len(answer.text)), strict=True)):
        raise ParseError("its parser answered with pages that are not in its text")
    return Parsed(
        text=answer.text,
        title=answer.title,
        pages=answer.pages,
        author=answer.author,
        updated_at=answer.updated_at,
        readers=answer.readers if parser in READS_FRONT_MATTER else None,
    )


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= REASON_CHARACTERS else line[: REASON_CHARACTERS - 1] + "…"
