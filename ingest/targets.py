"""Which sources a command line means: configured ones by name, folders by path, and those that were synced before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ingest.errors import ConfigurationError
from ingest.ledger import SourceRecord
from ingest.parsers.interface import ParsingSettings
from ingest.sources.files import Files, FilesSettings

NOT_IN_NAMES = re.compile(r"[^a-z0-9_.-]+")


def sources(
    targets: Sequence[str],
    *,
    configured: Mapping[str, FilesSettings],
    remembered: Sequence[SourceRecord],
    parsing: ParsingSettings,
) -> list[tuple[SourceRecord, Files]]:
    """The sources to work on, each once; without `targets`, all that are configured or were synced as a folder before.

    A folder that is no configured source's root becomes a source of its own, named after it, readable by everyone. It
    keeps that name, so that the next sync of the same folder is one of the same source. Raises `ConfigurationError`.
    """
    known = {record.name: record for record in remembered}
    chosen: dict[str, FilesSettings] = {}
    if not targets:
        chosen.update(configured)
        for record in remembered:
            if not record.configured and record.name not in configured:
                chosen[record.name] = FilesSettings(root=Path(record.location))
        if not chosen:
            raise ConfigurationError("there is no source yet: name a folder, or list `sources` in souffleur.yaml")
    for target in targets:
        name, settings = _source(target, configured, known)
        chosen[name] = settings
        known.setdefault(name, _record(name, settings, configured=False))
    return [
        (_record(name, settings, configured=name in configured), Files(name, settings, max_file_mb=parsing.max_file_mb))
        for name, settings in chosen.items()
    ]


def orphans(configured: Mapping[str, FilesSettings], remembered: Sequence[SourceRecord]) -> list[str]:
    """Sources that the configuration no longer has, while their documents are still found."""
    return [record.name for record in remembered if record.configured and record.name not in configured]


def _source(
    target: str, configured: Mapping[str, FilesSettings], known: Mapping[str, SourceRecord]
) -> tuple[str, FilesSettings]:
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
        if settings.root.resolve() == root:
            return name, settings
    taken = {**dict.fromkeys(configured), **known}
    for name, record in known.items():
        if name not in configured and Path(record.location) == root:
            _refuse_orphan(record)
            return name, FilesSettings(root=root)
    return _free_name(root, taken), FilesSettings(root=root)


def _refuse_orphan(record: SourceRecord) -> None:
    """A folder named on the command line is readable by everyone, which this source's documents may never have been."""
    if record.configured:
        raise ConfigurationError(
            f"the source {record.name!r} has left the configuration, and who may read it with it; put it back, or run"
            f" `ingest forget {record.name}` first"
        )


def _record(name: str, settings: FilesSettings, *, configured: bool) -> SourceRecord:
    return SourceRecord(name=name, location=str(settings.root), configured=configured)


def _free_name(root: Path, taken: Mapping[str, object]) -> str:
    """The folder's name as a source name, with a number when another folder has it already."""
    name = NOT_IN_NAMES.sub("-", root.name.lower()).strip("-._") or "folder"
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(candidate for candidate in (name, *numbered) if candidate not in taken)
