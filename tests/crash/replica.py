"""One replica of `bot serve`, in a process of its own: with short leases, and a hook at every write of the dialogue."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bot import serving
from bot.composition import assistant
from bot.dialogue import workers
from bot.dialogue.attendance import Attendance
from bot.dialogue.inbox import Inbox
from bot.dialogue.replies import Replies
from bot.serving import service
from bot.settings import BotSettings, read, secrets
from ingest.telemetry import start_logging

LEASE = timedelta(seconds=5)
"""Instead of half a minute, which every kill would take."""

RENEW_SECONDS = LEASE.total_seconds() / 4

WRITES = {"inbox": ("put", "claim", "done"), "replies": ("begin", "posted", "written", "settled")}

CONNECTED = "connected"


@dataclass(frozen=True, kw_only=True)
class Task:
    configuration: Path
    environment: dict[str, str]
    log: Path


@dataclass(frozen=True, kw_only=True)
class Blow:
    """The process kills itself there."""

    write: str
    """Of `WRITES`, as `replies posted`."""
    after: bool
    """Once it is done; else right before."""
    number: int = 1
    """Which one from now on."""


@dataclass(kw_only=True)
class Doom:
    blow: Blow | None = None
    passed: int = field(default=0)

    def await_(self, blow: Blow | None) -> None:
        self.blow, self.passed = blow, 0

    def at(self, write: str, *, after: bool) -> None:
        if self.blow is None or (self.blow.write, self.blow.after) != (write, after):
            return
        self.passed += 1
        if self.passed == self.blow.number:
            os.kill(os.getpid(), signal.SIGKILL)


class Doomed:
    """Inbox or replies, whose writes may be the last thing that is done."""

    def __init__(self, room: Any, name: str, doom: Doom) -> None:
        self._room = room
        self._name = name
        self._doom = doom

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._room, name)
        if name not in WRITES[self._name]:
            return call
        write = f"{self._name} {name}"

        async def doomed(*args: Any, **kwargs: Any) -> Any:
            self._doom.at(write, after=False)
            result = await call(*args, **kwargs)
            if name != "claim" or result:  # an empty one writes nothing
                self._doom.at(write, after=True)
            return result

        return doomed


def serve(task: Task, parent: Connection) -> None:
    """The replica's whole life: it ends by a signal, or with its parent."""
    with task.log.open("a") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    os.environ |= task.environment  # noqa: TID251 - of a program that a person would start so
    workers.RENEW_SECONDS = RENEW_SECONDS
    doom = Doom()
    replaced: Any = serving
    replaced.Inbox = lambda engine, **how: Doomed(Inbox(engine, lease=LEASE, **how), "inbox", doom)
    replaced.Replies = lambda engine: Doomed(Replies(engine), "replies", doom)
    settings = read(task.configuration, BotSettings, secrets())
    start_logging("info", "plain")
    asyncio.run(_serve(settings, doom, parent))


async def _serve(settings: BotSettings, doom: Doom, parent: Connection) -> None:
    asyncio.get_running_loop().add_reader(parent.fileno(), partial(_told, doom, parent))
    async with assistant(settings) as ready, service(ready, settings, any_port=True) as serving:
        await asyncio.to_thread(ready.languages.warm)
        async with asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(_tell(serving.attendance, parent))
            await serving.run()
            telling.cancel()


async def _tell(attendance: Attendance | None, parent: Connection) -> None:
    if attendance is not None:
        await attendance.connected()
        parent.send(CONNECTED)


def _told(doom: Doom, parent: Connection) -> None:
    try:
        doom.await_(parent.recv())
    except (EOFError, ConnectionResetError):
        os._exit(0)
