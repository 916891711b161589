"""The `git` executable: started without a shell, in a bare environment, ended with all it started.

The repository may be hostile and the token must not be seen: no hooks, no configuration but ours, no other protocol
than the address's own, no prompt; the address and the token go in through the environment, so that they stand neither
in a list of processes nor on disk.
"""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import cast

from ingest.sources.interface import SourceRefused

Configuration = Sequence[tuple[str, str]]
"""Keys of git's configuration and their values."""

INHERITED = (
    "PATH",
    "HOME",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
)
"""What git takes over from the environment of the program, where it is set: all that git, ssh and curl need of it."""

FIXED = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=15 -o ServerAliveCountMax=8",
    "GIT_HTTP_LOW_SPEED_LIMIT": "1",  # bytes a second, over
    "GIT_HTTP_LOW_SPEED_TIME": "300",  # seconds
}

CONFIGURATION: Configuration = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.askPass", ""),
    ("credential.helper", ""),
    ("gc.autoDetach", "false"),
    ("maintenance.autoDetach", "false"),
)
"""Of every command. Nothing goes on in the background: what git starts ends with it."""

ENDING_SECONDS = 5.0
"""How long a git that was told to end may take to remove its temporary files."""

KILLED_SECONDS = 60.0
"""How long the system may take to end what was killed, on a machine that is out of breath."""

MOST_BYTES = 256 * 1024 * 1024
"""Longest answer that is read whole: the tree of some two million files. A hostile tree of trees has no end."""

LAST_BYTES = 64 * 1024
"""Of what git says on standard error, the end is kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """How a command ended."""

    code: int
    output: bytes
    said: str
    """The end of what it wrote on standard error."""
    endless: bool = False
    """Whether it was ended because its output passed `MOST_BYTES`."""


class Running:
    """A command under way."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._input = cast(StreamWriter, process.stdin)
        self.output = cast(StreamReader, process.stdout)
        self.words = cast(StreamReader, process.stderr)
        """What it writes on standard error; not there when it was started `quiet`."""

    async def give(self, content: bytes) -> None:
        """All of its input."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self._input.write(content)
            await self._input.drain()
        self._input.close()

    async def code(self) -> int:
        return await self._process.wait()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def end(self) -> None:
        """End the command and everything it started; first in a way that lets git tidy up."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
        self._input.close()
        try:
            await self._emptied(ENDING_SECONDS)
        except TimeoutError:
            self.kill()
            await self._emptied(KILLED_SECONDS)

    async def _emptied(self, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            await self._process.communicate()  # not `wait`: what nobody reads keeps the pipes open


class Executable:
    """`git`, for the source of that name (in messages), with the environment of the program as `environment`."""

    def __init__(self, source: str, environment: Mapping[str, str]) -> None:
        self._source = source
        self._inherited = {name: environment[name] for name in INHERITED if name in environment}

    async def run(
        self,
        *arguments: str,
        variables: Mapping[str, str],
        configuration: Configuration = (),
        seconds: float,
        input: bytes = b"",
    ) -> Finished:
        """Run a command to its end. Raises `TimeoutError`, and `SourceRefused` when git is not installed."""
        async with (
            asyncio.timeout(seconds),
            self.started(*arguments, variables=variables, configuration=configuration) as process,
        ):
            async with asyncio.TaskGroup() as group:
                group.create_task(process.give(input))
                output = group.create_task(_whole(process))
                said = group.create_task(_end_of(process.words))
            code = await process.code()
        content, words = output.result(), said.result().decode(errors="replace")
        return Finished(code=code, output=content or b"", said=words, endless=content is None)

    @asynccontextmanager
    async def started(
        self,
        *arguments: str,
        variables: Mapping[str, str],
        configuration: Configuration = (),
        quiet: bool = False,
    ) -> AsyncIterator[Running]:
        """The running command, in a group of its own that is gone when the context ends; `quiet` drops its words."""
        settings = (*CONFIGURATION, *configuration)
        numbered = {"GIT_CONFIG_COUNT": str(len(settings))}
        for index, (key, value) in enumerate(settings):
            numbered |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                "git",
                *arguments,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL if quiet else PIPE,
                cwd=os.sep,
                env={**self._inherited, **FIXED, **variables, **numbered},
                start_new_session=True,
            )
        )
        try:
            # Cancelled while it connects the pipes, asyncio (3.11) waits for ever and leaves what git has started.
            process = await asyncio.shield(starting)
        except asyncio.CancelledError:
            with suppress(OSError):
                await Running(await starting).end()
            raise
        except OSError as error:
            raise SourceRefused(
                f"source {self._source!r}: `git` cannot be run ({error.strerror}); install git 2.32 or newer"
            ) from error
        running = Running(process)
        try:
            yield running
        finally:
            await running.end()


async def _whole(process: Running) -> bytes | None:
    """All of the output; None, and an end to the command, when there is too much of it."""
    pieces: list[bytes] = []
    left = MOST_BYTES
    while piece := await process.output.read(1 << 18):
        pieces.append(piece)
        left -= len(piece)
        if left < 0:
            process.kill()
            return None
    return b"".join(pieces)


async def _end_of(stream: StreamReader) -> bytes:
    end = b""
    while piece := await stream.read(1 << 14):
        end = (end + piece)[-LAST_BYTES:]
    return end
