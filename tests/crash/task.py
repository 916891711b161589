"""What a child process is told, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.crash.documents import SOURCE, Papers


class Blow(StrEnum):
    """What befalls a child at a chosen write."""

    BEFORE = "killed before"
    AFTER = "killed after"
    DURING = "killed during"
    """By the parent, which is told of the write and waits up to a few milliseconds."""
    SERVER = "server gone at"
    """The parent makes the database or the index go away and come back, while the child waits."""
    DISK = "disk full at"
    NONE = "nothing"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A write: of this name, or any; and which of them, 1 for the first."""

    write: str | None
    number: int = 1


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where ledger and index are."""

    state: str
    """As `StateSettings.url` has it."""
    folder: Path | None = None
    """Of the embedded index; or …"""
    url: str | None = None
    """… the address of a server."""
    dense: bool = False
    """With an embedding model."""
    compact_points: int = 5000


@dataclass(frozen=True, kw_only=True)
class Task:
    place: Place
    papers: Papers
    what: str = "sync"
    """A verb of `child`."""
    source: str = SOURCE
    blow: Blow = Blow.NONE
    target: Target = Target(write=None)
    breaks: int | None = None
    """After so many answers the source is no longer reached."""
    group: int = 500
    """Chunks of a commit group."""
    batch: int = 500
    readable: dict[str, str] = field(default_factory=dict)
    """Papers that must be found, and by whom."""
    unreachable: tuple[str, ...] = ()
    """Words that must not be found."""


@dataclass(frozen=True, kw_only=True)
class Reached:
    """The child is at its target, and waits for a word when `waits`."""

    write: str
    waits: bool


@dataclass(kw_only=True)
class Done:
    """How the child ended by itself."""

    error: str | None = None
    """Of the verb, in its own words."""
    raw: str | None = None
    """Traceback of an error that is none of the product's."""
    writes: dict[str, int] = field(default_factory=dict)
    """How often each was made."""
    wrong: list[str] = field(default_factory=list)
    """What was not as it must be."""
    held: list[object] = field(default_factory=list)
    """The chunks of the ledger."""
