"""The generations of an index in a folder: numbered folders, and one file that says which of them is in use.

    INDEX/generations.json      {"current": 3, "previous": 2}
    INDEX/3/                    the engine's `shard`, `identity.json`, and the files by which processes share it

A generation is whole once it has its `identity.json`, which is written last and deleted first. Numbers only grow. A
generation that the file does not name is a draft when its number is higher, else left over; nobody reads either.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from ingest.index.interface import Identity, IndexDamaged, IndexUnavailable
from ingest.index.sharing import POLL_SECONDS, locks, unusable

logger = logging.getLogger(__name__)

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True, slots=True)
class InUse:
    """Numbers of the generation that is read and written, and of the one before it."""

    current: int | None = None
    previous: int | None = None

    def __contains__(self, number: object) -> bool:
        return number is not None and number in (self.current, self.previous)


_IN_USE = TypeAdapter(InUse)
_IDENTITY = TypeAdapter(Identity)


class Generations:
    """The generations in one folder. Any call may raise `IndexDamaged`, `IndexUnavailable`, `ConfigurationError`."""

    def __init__(self, folder: Path, *, wait_seconds: float) -> None:
        """`wait_seconds` is the longest that a change waits for another process."""
        self._folder = folder
        self._wait_seconds = wait_seconds
        self._file = folder / "generations.json"

    def folder(self, number: int) -> Path:
        return self._folder / str(number)

    def in_use(self) -> InUse:
        return _read(self._file, _IN_USE) or InUse()

    def draft(self) -> int | None:
        """The newest whole generation that is not in use yet."""
        in_use = self.in_use()
        oldest = max(in_use.current or 0, in_use.previous or 0)
        return max((number for number in self._numbers() if number > oldest and self.whole(number)), default=None)

    def identity(self, number: int) -> Identity | None:
        """What that generation was built with; None while it is not whole."""
        return _read(_identity_file(self.folder(number)), _IDENTITY)

    def whole(self, number: int) -> bool:
        return _identity_file(self.folder(number)).exists()

    def complete(self, number: int, identity: Identity) -> None:
        """Make a generation whole."""
        _write(_identity_file(self.folder(number)), _IDENTITY.dump_json(identity))

    @contextmanager
    def changing(self) -> Iterator[InUse]:
        """Be the one process that makes, names and drops generations, until the context ends."""
        lock = FileLock(self._folder / "generations.lock", thread_local=False)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(self._wait_seconds, POLL_SECONDS)
        except Timeout as error:
            raise IndexUnavailable(
                f"another process has been changing the index in {str(self._folder)!r} for {self._wait_seconds:g} s;"
                " try again when it has finished"
            ) from error
        except OSError as error:
            raise unusable(self._folder, error) from error
        try:
            yield self._in_use_or_nothing()
        finally:
            lock.release()

    def name(self, in_use: InUse) -> None:
        """Say which generations are in use, all at once for every process."""
        _write(self._file, _IN_USE.dump_json(in_use))

    def new(self, in_use: InUse) -> int:
        """The number of an empty folder, higher than any there is."""
        number = max(in_use.current or 0, in_use.previous or 0, *self._numbers(), 0) + 1
        try:
            self.folder(number).mkdir()
        except OSError as error:
            raise unusable(self._folder, error) from error
        return number

    def sweep(self, in_use: InUse, new: int, *, drafts: bool) -> None:
        """Drop what a killed process left, and with `drafts` every generation that is neither in use nor `new`."""
        for number in self._numbers():
            if number not in in_use and number != new and (drafts or not self.whole(number)):
                self.drop(number)

    def drop(self, number: int) -> None:
        """Delete a generation that is not in use; one that a process keeps open stays, for the next sweep."""
        folder = self.folder(number)
        lock, waiting = locks(folder)
        try:
            with waiting.acquire(self._wait_seconds, POLL_SECONDS), lock.acquire(self._wait_seconds, POLL_SECONDS):
                _identity_file(folder).unlink(missing_ok=True)
                shutil.rmtree(folder)
        except Timeout:
            logger.warning("the old index in %r stays until the next `ingest reindex`: it is in use", str(folder))
        except OSError as error:
            raise unusable(folder, error) from error

    def _in_use_or_nothing(self) -> InUse:
        try:
            return self.in_use()
        except IndexDamaged:
            return InUse()  # what is made next takes the place of whatever was in use

    def _numbers(self) -> list[int]:
        try:
            names = [entry.name for entry in self._folder.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise unusable(self._folder, error) from error
        return sorted(int(name) for name in names if name.isdecimal())


def _identity_file(folder: Path) -> Path:
    return folder / "identity.json"


def _read(file: Path, shape: TypeAdapter[Value]) -> Value | None:
    """What the file says; None when it is not there."""
    try:
        return shape.validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(file.parent, error) from error
    except ValidationError as error:
        raise IndexDamaged(f"{str(file)!r} cannot be read; run `ingest reindex`") from error


def _write(file: Path, content: bytes) -> None:
    """Replace the file, whole or not at all, and return when it is durable."""
    draft = file.with_suffix(".draft")
    try:
        with draft.open("wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        draft.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise unusable(file.parent, error) from error
