"""What a later listing has to know: how far each channel has been followed, and as what it was listed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from hashlib import blake2b

from pydantic import BaseModel, ConfigDict, ValidationError

from ingest.model import Readers
from ingest.sources.interface import CursorExpired
from ingest.sources.mattermost.client import Channel, Post, Team
from ingest.sources.mattermost.settings import MattermostSettings

LOOKBACK = 300_000
"""Milliseconds before the last known change from which changes are asked for: the nodes of a cluster do not agree on
the time, and a replica of the database lags behind."""


class Mark(BaseModel):
    """How far a channel has been followed, by the server's own clock."""

    model_config = ConfigDict(frozen=True)

    label: str
    """What all documents of the channel have in common; another one means to list them again."""
    since: int
    """The last change that is known, in milliseconds."""
    seen: frozenset[str]
    """Digests of the rows that are known of the `LOOKBACK` before it."""

    def unseen(self, rows: Iterable[Post]) -> list[Post]:
        """Those that changed since."""
        return [row for row in rows if _digest(row) not in self.seen]


class Position(BaseModel):
    """Where the whole source was left."""

    model_config = ConfigDict(frozen=True)

    settings: str
    listed: datetime
    """When all was last listed."""
    marks: dict[str, Mark]
    """By channel."""


def mark(label: str, rows: Sequence[Post], *, since: int = 0) -> Mark:
    """`rows` are known as they are; no change before `since` is unknown."""
    last = max((row.update_at for row in rows), default=since)
    last = max(last, since)
    return Mark(
        label=label, since=last, seen=frozenset(_digest(row) for row in rows if row.update_at > last - LOOKBACK)
    )


def label(channel: Channel, team: Team, readers: Readers) -> str:
    return _short([team.name, channel.name, channel.display_name, sorted(readers)])


def fingerprint(settings: MattermostSettings) -> str:
    """Of all settings that bear on what is listed."""
    return _short(sorted(settings.model_dump(exclude={"full_days", "readers"}).items()))


def position(value: str, settings: MattermostSettings, now: datetime) -> Position:
    """The position that a cursor holds. Raises `CursorExpired` where only a whole listing will do."""
    try:
        found = Position.model_validate_json(value)
    except ValidationError as error:
        raise CursorExpired("the cursor is not one of this source; all is listed again") from error
    if found.settings != fingerprint(settings):
        raise CursorExpired("the settings have changed; all is listed again")
    age = now - found.listed
    if not 0 <= age.total_seconds() < settings.full_days * 86_400:
        raise CursorExpired(f"all was last listed {age.days} days ago (`full_days`); all is listed again")
    return found


def _digest(row: Post) -> str:
    return _short((row.id, row.update_at, row.delete_at))


def _short(value: Collection[object]) -> str:
    return blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
