"""The groups of a company, from `access.groups` and exports of its directory, read again whenever a file changes."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.access.exports import Export, ExportUnusable, Group, table
from bot.access.membership import Groups, Told, groups_of, some
from bot.access.scim import directory
from bot.access.settings import AccessSettings, GroupFile

logger = logging.getLogger(__name__)

LOOKED_EVERY = 5.0
"""Seconds between two looks at whether a file has changed; fewer where `access.max_age_minutes` is short."""

MOST_BYTES = 256 * 2**20
"""A larger file is no export of groups: 100,000 memberships take about 10 MB of JSON."""

AHEAD = timedelta(minutes=5)
"""A file dated further in the future would seem new for ever."""

Stamp = tuple[int, int, int, int]
"""Inode, size, and the two times in nanoseconds that differ once a file was written or replaced."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _File:
    """What is known of one export."""

    settings: GroupFile
    stamp: Stamp | None = None
    digest: bytes = b""
    read: float = 0.0
    """By the clock of the book, when reading began."""
    export: Export | None = None
    """As last read whole; None: never since the start."""
    unusable: str = ""
    """What is wrong with the content under `digest`."""
    why_not: str = ""
    """Why nobody is in its groups now; empty: they count."""


class GroupBook:
    """Who is in which group. Nothing in it is older than half of `access.max_age_minutes`."""

    def __init__(
        self,
        settings: AccessSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        self._now = now
        self._half = settings.max_age_minutes * 60 / 2
        self._listed = Told(by="access.groups", export=_listed(settings))
        self._files = tuple(_File(settings=file) for file in settings.group_files)
        self._looked: float | None = None
        self._groups = Groups()
        self._lock = asyncio.Lock()

    async def current(self) -> Groups:
        """The groups as they are; the same object until something about them has changed."""
        if not self._due():
            return self._groups
        async with self._lock:
            if self._due():
                began = self._clock()
                before = self._files
                # What a thread finds is taken over here alone, so that one that nobody waits for any more does nothing.
                files = await asyncio.to_thread(self._look, before, began)
                if self._looked is None or _said(files) != _said(before):
                    self._groups = await asyncio.to_thread(self._closed, files)
                    _tell(before, files, self._groups)
                self._files, self._looked = files, began
        return self._groups

    def _due(self) -> bool:
        return self._looked is None or (
            bool(self._files) and self._clock() - self._looked >= min(LOOKED_EVERY, self._half)
        )

    def _look(self, files: Sequence[_File], began: float) -> tuple[_File, ...]:
        return tuple(self._seen(file, began) for file in files)

    def _seen(self, file: _File, began: float) -> _File:
        """The file as it is now; read again where it has changed, and now and then in any case."""
        path = file.settings.path
        try:
            stamp = _stamp(path)
            if stamp != file.stamp or began - file.read >= self._half:
                file = replace(_read(file, _content(path)), stamp=stamp, read=began)
                if _stamp(path) != stamp:
                    raise ExportUnusable("changed while it was read; write it elsewhere, then move it here")
        except ExportUnusable as error:
            return replace(file, stamp=None, why_not=f"{path} {error}")
        why_not = f"{path} {file.unusable}" if file.unusable else self._too_old(file.settings, stamp[2])
        return replace(file, why_not=why_not)

    def _too_old(self, settings: GroupFile, written_ns: int) -> str:
        if settings.max_age_hours is None:
            return ""
        age = self._now() - datetime.fromtimestamp(written_ns / 1e9, UTC)
        if age < -AHEAD:
            return f"{settings.path} is dated in the future; set this machine's clock, or export it again"
        if age > timedelta(hours=settings.max_age_hours):
            return f"{settings.path} is older than {settings.max_age_hours:g} hours (`max_age_hours`); export it again"
        return ""

    def _closed(self, files: Sequence[_File]) -> Groups:
        told = [
            Told(by=str(file.settings.path), export=file.export, counts=not file.why_not)
            for file in files
            if file.export is not None
        ]
        never = [file for file in files if file.export is None]
        return groups_of(
            [self._listed, *told],
            missing="; ".join(file.why_not for file in files if file.why_not),
            unread=bool(never),
            anybody_may_have_left=any(not file.settings.is_table for file in never),
        )


def _listed(settings: AccessSettings) -> Export:
    groups = (Group(name=name, tokens=frozenset(members)) for name, members in settings.groups.items())
    return Export(groups=tuple(groups))


def _read(file: _File, content: bytes) -> _File:
    """The file with what `content` says; an export that cannot be used leaves the one before in place."""
    digest = hashlib.sha256(content).digest()
    if digest == file.digest:
        return file
    try:
        export = table(content) if file.settings.is_table else directory(content)
    except ExportUnusable as error:
        return replace(file, digest=digest, unusable=str(error))
    return replace(file, digest=digest, unusable="", export=export)


def _stamp(path: Path) -> Stamp:
    """Raises `ExportUnusable`."""
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise ExportUnusable("is not there; export it, or take it out of `access.group_files`") from error
    except OSError as error:
        raise _unreadable(error) from error
    if not stat.S_ISREG(found.st_mode):
        raise ExportUnusable("is no file; name the export itself in `access.group_files`")
    if found.st_size > MOST_BYTES:
        raise ExportUnusable(f"is larger than {MOST_BYTES >> 20} MB; export groups and people alone")
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _content(path: Path) -> bytes:
    """Raises `ExportUnusable`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> ExportUnusable:
    return ExportUnusable(f"cannot be read ({error.strerror}); see to its permissions, and to those of its folder")


def _said(files: Sequence[_File]) -> list[tuple[int, str]]:
    """Differs once what files say differs, or whether it counts."""
    return [(id(file.export), file.why_not) for file in files]


def _tell(before: Sequence[_File], files: Sequence[_File], groups: Groups) -> None:
    """A line for what is new: a file lost, a file back, contradictions."""
    for old, new in zip(before, files, strict=True):
        if new.why_not and new.why_not != old.why_not:
            logger.warning("nobody is in the groups of an export: %s", new.why_not)
        elif old.why_not and not new.why_not:
            logger.warning("the groups of %s count again", new.settings.path)
    if groups.flaws.twice:
        logger.warning("nobody is in groups that are defined twice: %s", some(groups.flaws.twice))
    if groups.flaws.cyclic:
        edges = [f"{inner} in {outer}" for outer, inner in groups.flaws.cyclic]
        logger.warning("groups in groups do not count where they make a circle: %s", some(edges))
