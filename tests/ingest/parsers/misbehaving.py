"""Parsers that do what documents make native code do; a worker loads them by name."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from ingest.model import Original, Parsed
from ingest.parsers.html import Html
from ingest.parsers.interface import ParsingSettings
from ingest.parsers.kreuzberg import Kreuzberg
from ingest.parsers.markup import Markup

REGISTRY = {
    name: f"tests.ingest.parsers.misbehaving:{name}"
    for name in (
        "Behaved",
        "Hungry",
        "Endless",
        "Asleep",
        "Crashing",
        "Calling",
        "Chatty",
        "Widening",
        "Lying",
        "Curious",
        "LateKreuzberg",
        "LateHtml",
        "LateMarkup",
    )
}


class Behaved:
    """Answers with its process id."""

    name = "behaved"

    def __init__(self, settings: ParsingSettings) -> None:
        self.settings = settings

    def parse(self, original: Original) -> Parsed:
        return Parsed(text=self.read(original))

    def read(self, original: Original) -> str:
        return str(os.getpid())


class Hungry(Behaved):
    def read(self, original: Original) -> str:
        return str(len(bytearray(8 * 1024**3)))


class Endless(Behaved):
    """Uses as many tenths of a second of processor time as the document says."""

    def read(self, original: Original) -> str:
        end = time.process_time() + int(original.path.read_text()) / 10
        while time.process_time() < end:
            pass
        return super().read(original)


class Asleep(Behaved):
    def read(self, original: Original) -> str:
        written = original.path.with_suffix(".writing")
        written.write_text(super().read(original))
        written.rename(original.path.with_suffix(".pid"))
        time.sleep(3600)  # noqa: TID251 - the worker is killed
        return ""


class Crashing(Behaved):
    def read(self, original: Original) -> str:
        if "raise" in original.path.read_text():
            raise LookupError("no such object 7")
        os.abort()


class Calling(Behaved):
    """Says how each way out ended."""

    def read(self, original: Original) -> str:
        ways = {
            "internet": lambda: socket.socket(socket.AF_INET),
            "local": lambda: socket.socket(socket.AF_UNIX),
            "program": lambda: subprocess.run(["/bin/true"], check=False),
        }
        return " ".join(f"{name}:{self.attempt(way)}" for name, way in ways.items())

    def attempt(self, way: object) -> str:
        try:
            way()  # type: ignore[operator]
        except OSError as error:
            return type(error).__name__
        return "open"


class Chatty(Behaved):
    def read(self, original: Original) -> str:
        print("a library talks", flush=True)
        os.write(1, b"\x00\x00\x00\x05hello" * 20_000)
        print("and complains" * 20_000, file=sys.stderr)
        return super().read(original)


class Widening(Behaved):
    def parse(self, original: Original) -> Parsed:
        return Parsed(text="secret", readers=frozenset({"public"}))


class Lying(Behaved):
    def parse(self, original: Original) -> Parsed:
        return Parsed(text="short", pages=(0, 900))


class Curious(Behaved):
    def read(self, original: Original) -> str:
        return " ".join(sorted(os.environ)) + f" stdin:{sys.stdin.isatty()} cwd:{Path.cwd()}"  # noqa: TID251


class LateKreuzberg(Kreuzberg):
    """Begins when the document has just gone."""

    def parse(self, original: Original) -> Parsed:
        original.path.unlink()
        return super().parse(original)


class LateHtml(Html):
    def parse(self, original: Original) -> Parsed:
        original.path.unlink()
        return super().parse(original)


class LateMarkup(Markup):
    def parse(self, original: Original) -> Parsed:
        original.path.unlink()
        return super().parse(original)
