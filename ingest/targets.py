"""Which sources a command line means: configured ones by name, folders by path, and those that were synced before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from ingest.errors import ConfigurationError
from ingest.records import SourceRecord
from ingest.sources.files.settings import FilesSettings
from ingest.sources.interface import SourceSettings

NOT_IN_NAMES = re.compile(r"[^a-z0-9_.-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A source to work on."""

    name: str
    settings: SourceSettings
    configured: bool
    """False for a folder that was named on the command line."""

    @property
    def record(self) -> SourceRecord:
        return SourceRecord(name=self.name, location=self.settings.location, configured=self.configured)

    @property
    def digest(self) -> str:
        """Of the settings, without secrets: a cursor kept under others does not hold."""
        return blake2b(self.settings.model_dump_json().encode(), digest_size=16).hexdigest()


def chosen(
    targets: Sequence[str], *, configured: Mapping[str, SourceSettings], remembered: Sequence[SourceRecord]
) -> list[Target]:
    """The sources to work on, each once; without `targets`, all that are configured or were synced as a folder before.

    A folder that is no configured source's root becomes a source of its own, named after it, readable by everyone. It
    keeps that name, so that the next sync of the same folder is one of the same source. Raises `ConfigurationError`.
    """
    known = {record.name: record for record in remembered}
    found: dict[str, SourceSettings] = {}
    if not targets:
        found.update(configured)
        for record in remembered:
            if not record.configured and record.name not in configured:
                found[record.name] = FilesSettings(root=Path(record.location))
        if not found:
            raise ConfigurationError("there is no source yet: name a folder, or list `sources` in souffleur.yaml")
    for target in targets:
        name, settings = _source(target, configured, known)
        found[name] = settings
        known.setdefault(name, SourceRecord(name=name, location=settings.location, configured=False))
    return [Target(name=name, settings=settings, configured=name in configured) for name, settings in found.items()]


def orphans(configured: Iterable[str], remembered: Sequence[SourceRecord]) -> list[str]:
    """Sources that the configuration no longer has, while their documents are still found."""
    names = set(configured)
    return [record.name for record in remembered if record.configured and record.name not in names]


def _source(
    target: str, configured: Mapping[str, SourceSettings], known: Mapping[str, SourceRecord]
) -> tuple[str, SourceSettings]:
    if not target:
        raise ConfigurationError("a source's name is empty: is a variable not set? Name a source or a folder")
    if target in configured:
        return target, configured[target]
    folder = Path(target).expanduser()
    if target in known and not folder.is_dir():
        _refuse_orphan(known[target])
        return target, FilesSettings(root=Path(known[target].location))
    if not folder.is_dir():
        what = "is a file; name the folder it is in" if folder.exists() else "is no folder"
        names = ", ".join(sorted({*configured, *known})) or "none yet"
        raise ConfigurationError(f"{target!r} {what}, and no source has that name (sources: {names})")
    root = folder.resolve()
    for name, settings in configured.items():
        if isinstance(settings, FilesSettings) and isinstance(settings.root, Path) and settings.root.resolve() == root:
            return name, settings
    for name, record in known.items():
        if name not in configured and Path(record.location) == root:
            _refuse_orphan(record)
            return name, FilesSettings(root=root)
    return _free_name(root, {*configured, *known}), FilesSettings(root=root)


def _refuse_orphan(record: SourceRecord) -> None:
    """A folder named on the command line is readable by everyone, which this source's documents may never have been."""
    if record.configured:
        raise ConfigurationError(
            f"the source {record.name!r} has left the configuration, and who may read it with it; put it back, or run"
            f" `ingest forget {record.name}` first"
        )


def _free_name(root: Path, taken: set[str]) -> str:
    """The folder's name as a source name, with a number when another folder has it already."""
    name = NOT_IN_NAMES.sub("-", root.name.lower()).strip("-._") or "folder"
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(candidate for candidate in (name, *numbered) if candidate not in taken)
