"""Memory of `bot serve` on the demo's index: once it is ready, and after ten questions."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from tests.bench import demo
from tests.bench.process import ROOT, CommandFailed, command
from tests.bench.table import MEGABYTE, Options, Table

QUESTIONS = 10
START_SECONDS = 60
AIM = 250
"""Megabytes, without models."""


def measure(options: Options) -> Iterator[Table]:
    configuration = demo.indexed(options.folder)
    yield memory(configuration, demo.questions(QUESTIONS), "the demo's index")


def memory(configuration: Path, questions: Sequence[str], index: str) -> Table:
    """What `bot serve` takes on an index, before and after some questions."""
    rows = []
    with _serving(configuration, configuration.with_name("serve.log")) as (process, client):
        rows.append(("ready", *_memory(process)))
        for question in questions:
            body = {"model": "souffleur", "messages": [{"role": "user", "content": question}]}
            client.post("/v1/chat/completions", json=body).raise_for_status()
        rows.append((f"after {len(questions)} questions", *_memory(process)))
    return Table(
        title=f"serve: memory of `bot serve` on {index}, without models",
        columns=("when", "RSS MB", "USS MB", "threads", "aim MB"),
        rows=[(*row, AIM) for row in rows],
        notes=("RSS is what is resident, USS the part that no other process shares.",),
    )


@contextmanager
def _serving(configuration: Path, log: Path) -> Iterator[tuple[psutil.Process, httpx.Client]]:
    """`bot serve`, ready, and a client for it; ended afterwards."""
    port = _free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command("bot", "--config", configuration, "serve", "--port", port),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            if not _ready(client, process):
                raise CommandFailed(f"bot serve is not ready after {START_SECONDS} s: {log.read_text()[-2000:]}")
            yield psutil.Process(process.pid), client
    finally:
        process.terminate()
        process.wait(timeout=30)


def _ready(client: httpx.Client, process: subprocess.Popen[bytes]) -> bool:
    pause = threading.Event()
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if client.get("/readyz").status_code == httpx.codes.OK:
                return True
        except httpx.TransportError:
            pass
        pause.wait(0.05)
    return False


def _memory(process: psutil.Process) -> tuple[float, float, int]:
    memory = process.memory_full_info()
    return memory.rss / MEGABYTE, memory.uss / MEGABYTE, process.num_threads()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
