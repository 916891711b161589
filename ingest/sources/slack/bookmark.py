"""What one listing leaves to the next, inside a `Cursor`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ingest.sources.interface import CursorExpired

DAY = 86_400.0
"""Seconds."""


class ChannelMark(BaseModel):
    """One channel as it was listed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    readers: list[str]
    documents: dict[str, float]
    """Those young enough to be looked for again, by their id within the channel; when they were begun, in seconds since
    1970: what is there no more by the next listing is gone."""


class Bookmark(BaseModel):
    """A finished listing. Times are Slack's, in seconds since 1970."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: Literal[1] = 1
    workspace: str
    settings: str
    """Digest of the settings that decide which documents there are."""
    whole: float
    """When everything was last listed."""
    listed: float
    channels: dict[str, ChannelMark]

    def check(self, *, workspace: str, settings: str, now: float, full_days: int) -> None:
        """Raises `CursorExpired` where a listing that goes on from here would not be of the same things."""
        if (workspace, settings) != (self.workspace, self.settings):
            raise CursorExpired("the workspace or the settings are others than at the last listing")
        if abs(now - self.whole) >= full_days * DAY:
            raise CursorExpired(f"it is {full_days} days since everything was listed (`full_days`)")


def parse(value: str) -> Bookmark:
    """What `value` says. Raises `CursorExpired`."""
    try:
        return Bookmark.model_validate_json(value)
    except ValidationError as error:
        raise CursorExpired("what the last listing left is not readable") from error
