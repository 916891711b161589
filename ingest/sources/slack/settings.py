"""The settings of a source of kind `slack`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ingest.sources.interface import ServerSettings


class SlackSettings(ServerSettings):
    """A source of kind `slack`. `readers` is who may read public channels; private ones are for their members."""

    kind: Literal["slack"] = "slack"
    channels: list[str] = Field(default=[])
    """Names (`general`, `#general`) or ids (`C0123456789`) of the channels to read; empty means every public channel
    that the app was invited to."""
    private: bool = False
    """Private channels that the app was invited to, too, each for its members alone."""
    history_days: int | None = Field(default=365, ge=1)
    """How far back messages are read, by the day of a thread's first message; null means from the beginning."""
    follow_days: int = Field(default=30, ge=1)
    """How far back every sync looks for new replies, deletions, and edits of messages that open a thread or have none;
    a request for each thousand messages. What is older is looked at by a whole listing."""
    recheck_days: int = Field(default=2, ge=0)
    """How many days after the last reply a thread's replies are read again, for edits; a request for each thread."""
    full_days: int = Field(default=7, ge=1)
    """A sync lists everything, whatever its age, when the last one to do so is this many days ago."""
    bots: bool = False
    """Messages of apps and integrations too, with the text of their blocks and attachments."""
    files: bool = False
    """Shared files as documents of their own."""
    base_url: str = Field(default="https://slack.com/api/", pattern="^https?://")
    """Slack's Web API; for GovSlack `https://slack-gov.com/api/`."""
