"""What the configuration says of a source of kind `mattermost`."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from ingest.sources.interface import ServerSettings

ADDRESS = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?")
NAME = r"[a-z0-9_][a-z0-9._-]*"
"""Of a team or a channel, as it stands in the address of its page."""


class MattermostSettings(ServerSettings):
    """A source of kind `mattermost`. Each channel says itself who may read it: `readers` is never needed."""

    kind: Literal["mattermost"]
    base_url: str
    """Where people open Mattermost, as in `https://chat.example.org`; also where the API is, below `/api/v4`."""
    teams: list[str] = Field(default=[])
    """Only these teams, by the names in their addresses; empty: all that the bot's account is a member of."""
    channels: list[str] = Field(default=[])
    """Only these channels, as `team/channel`; empty: all of those teams that the bot's account is a member of."""
    private: bool = False
    """Whether private channels that the account was invited to are read too, for their members."""
    company_teams: list[str] = Field(default=[])
    """Teams that the whole company is in although one joins them by invitation: their public channels are for
    `everyone`, as those of teams that anybody may join are."""
    history_days: int | None = Field(default=None, ge=1)
    """Only threads and messages begun within so many days; absent: all there are."""
    bots: bool = False
    """Whether posts of other bots, webhooks and plugins are read too. The account's own posts never are."""
    files: bool = False
    """Whether files attached to posts become documents of their own; pictures, sound and video never do."""
    full_days: int = Field(default=7, ge=1)
    """After so many days all is listed again, not only what has changed."""

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        address = value.rstrip("/").removesuffix("/api/v4")
        if not ADDRESS.fullmatch(address):
            raise ValueError(f"{value!r} is no address; write it as https://chat.example.org")
        return address

    @field_validator("teams", "company_teams")
    @classmethod
    def _teams(cls, value: list[str]) -> list[str]:
        return [_named(name, NAME, "engineering") for name in value]

    @field_validator("channels")
    @classmethod
    def _channels(cls, value: list[str]) -> list[str]:
        return [_named(name, f"{NAME}/{NAME}", "engineering/town-square") for name in value]


def _named(name: str, pattern: str, example: str) -> str:
    if not re.fullmatch(pattern, name):
        raise ValueError(f"{name!r} is not as in the address of its page; write it as {example}")
    return name
