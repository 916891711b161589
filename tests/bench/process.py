"""One command run and watched from outside, as a person would run it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

ROOT = Path(__file__).resolve().parents[2]
"""Where `python -m ingest` and `python -m bot` run; what they write is placed by the configuration."""

SAMPLE_SECONDS = 0.02
"""How often memory is looked at."""

LONGEST_SECONDS = 3_600


class CommandFailed(Exception):
    """A command under measurement ended badly; the text is its command line and its last lines."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """How a command ran."""

    seconds: float
    peak: int
    """Largest resident memory of the process itself, in bytes, by samples."""
    peak_own: int
    """The same without pages of mapped files (an index's, a library's), which the system takes back at need."""
    peak_of_all: int
    """As `peak`, of the process and its children together."""
    output: str


def command(program: str, *arguments: object) -> list[str]:
    """`ingest` or `bot`, under this interpreter."""
    return [sys.executable, "-m", program, *map(str, arguments)]


def run(arguments: list[str]) -> Ran:
    """Run to the end, watching memory. Raises `CommandFailed`."""
    started = time.perf_counter()
    with subprocess.Popen(
        arguments, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        watch = _Watch(process.pid)
        try:
            output, errors = process.communicate(timeout=LONGEST_SECONDS)
        except BaseException:
            process.kill()
            raise
        finally:
            watch.end()
    seconds = time.perf_counter() - started
    if process.returncode:
        raise CommandFailed(f"{' '.join(arguments)} ended with {process.returncode}: {(errors or output)[-2000:]}")
    return Ran(seconds=seconds, peak=watch.peak, peak_own=watch.peak_own, peak_of_all=watch.peak_of_all, output=output)


def seconds(arguments: list[str], times: int) -> list[float]:
    """Wall time of each of several fresh processes, nothing watched; exit status 3 (nothing found) is an answer too."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        ended = subprocess.run(
            arguments, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        taken.append(time.perf_counter() - started)
        if ended.returncode not in (0, 3):
            raise CommandFailed(f"{' '.join(arguments)} ended with {ended.returncode}: {ended.stderr[-2000:]}")
    return taken


def synced(configuration: Path, *arguments: object) -> tuple[Ran, dict[str, Any]]:
    """`ingest sync --json` and the first source of its report."""
    ran = run(command("ingest", "--config", configuration, "sync", "--json", *arguments))
    return ran, json.loads(ran.output)["sources"][0]


def configured(folder: Path, sources: Mapping[str, Path] = {}, **sections: object) -> Path:
    """A `souffleur.yaml` in `folder`, which then holds index and state too."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "souffleur.yaml"
    listed = {name: {"kind": "files", "root": str(root)} for name, root in sources.items()}
    path.write_text(yaml.safe_dump({"sources": listed, **sections}), encoding="utf-8")
    return path


class _Watch:
    """Samples the memory of a process and its children in a thread."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self.peak_own = 0
        self.peak_of_all = 0
        self._process = psutil.Process(pid)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            try:
                memory = self._process.memory_info()
                children = self._process.children(recursive=True)
            except psutil.NoSuchProcess:
                return
            self.peak = max(self.peak, memory.rss)
            self.peak_own = max(self.peak_own, memory.rss - getattr(memory, "shared", 0))
            self.peak_of_all = max(self.peak_of_all, memory.rss + sum(map(_resident, children)))


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
