"""Two replicas as their parent sees them, and the wire between them and the platform, on which they can be struck."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import urllib.parse
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import psutil
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.crash import replica
from tests.crash.replica import CONNECTED, Blow, Task

PATIENCE = 60
"""Seconds until a replica that does not connect, or does not end, is given up."""

LOOK_SECONDS = 0.02


class Stuck(Exception):
    """A replica did not do what it was asked to; the text says which and where its log is."""


class Replica:
    """A process of `bot serve` that can be started again and again."""

    def __init__(self, name: str, task: Task) -> None:
        self.name = name
        self.task = task
        context = multiprocessing.get_context("forkserver")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=replica.serve, args=(task, theirs), name=f"replica {name}")
        self.process.start()
        theirs.close()

    @property
    def lives(self) -> bool:
        return self.process.is_alive()

    async def connected(self) -> None:
        """Return once it hears the platform. Raises `Stuck`; a process that is gone is none."""
        async with _patience(self):
            while self.lives:
                with suppress(EOFError, ConnectionResetError):
                    if self.pipe.poll() and self.pipe.recv() == CONNECTED:
                        return
                await asyncio.sleep(LOOK_SECONDS)

    def doom(self, blow: Blow | None) -> None:
        """Have it kill itself at a write."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.pipe.send(blow)

    def strike(self, number: signal.Signals) -> None:
        if self.lives and self.process.pid is not None:
            os.kill(self.process.pid, number)

    async def ended(self) -> None:
        """Return once it is gone. Raises `Stuck`."""
        async with _patience(self):
            while self.lives:  # noqa: ASYNC110 - a process sets no event
                await asyncio.sleep(LOOK_SECONDS)
        self.pipe.close()

    def holds(self, port: int) -> bool:
        """Whether that local port is one end of a connection of its."""
        try:
            connections = psutil.Process(self.process.pid).net_connections("tcp4")
        except psutil.NoSuchProcess:
            return False
        return any(connection.laddr and connection.laddr.port == port for connection in connections)


@asynccontextmanager
async def _patience(replica: Replica) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    except TimeoutError as error:
        raise Stuck(f"replica {replica.name} neither connects nor ends; see {replica.task.log}") from error


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of the platform's API."""

    said: str
    """Method, path and body, decoded."""
    port: int
    """Of the caller's end."""
    after: bool
    """Whether it took effect, and only the answer is on its way."""

    @property
    def path(self) -> str:
        return self.said.partition("\n")[0]


class Wire:
    """Stands between the replicas and the platform: tells of each call when it comes and when it is done."""

    def __init__(self) -> None:
        self.watch: Callable[[Call], None] = lambda call: None
        self.calls = 0

    def around(self, app: ASGIApp) -> ASGIApp:
        async def wired(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["client"] is None:
                await app(scope, receive, send)
                return
            self.calls += 1
            body, more = b"", True
            while more:
                message = await receive()
                body, more = body + message.get("body", b""), message.get("more_body", False)
            said = f"{scope['method']} {scope['path']}\n{urllib.parse.unquote_plus(body.decode(errors='replace'))}"
            port = scope["client"][1]
            answer: list[Message] = []
            whole: Iterator[Message] = iter([{"type": "http.request", "body": body, "more_body": False}])

            async def again() -> Message:
                return next(whole, None) or await receive()

            async def keep(message: Message) -> None:
                answer.append(message)

            self.watch(Call(said=said, port=port, after=False))
            await app(scope, again, keep)
            self.watch(Call(said=said, port=port, after=True))
            for message in answer:
                await send(message)

        return wired
