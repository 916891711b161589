"""The `slack` section: its presence switches the platform on."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class SlackSettings(BaseModel):
    """How the bot is connected to one Slack workspace."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["socket", "http"] = "socket"
    """`socket`: the bot connects to Slack, nothing need be reachable. `http`: Slack posts to `/slack/events` here."""
    connections: int = Field(default=2, ge=1, le=10)
    """Socket Mode connections at once; Slack allows ten an app, all replicas together."""
    command: str = Field(default="/ask", pattern=r"^/[a-z0-9_-]{1,31}$")
    ask_reaction: str | None = Field(default="question", pattern=r"^[a-z0-9_+'-]+$")
    """A reaction with this emoji asks the bot to answer the message; None: none does."""
    follow_threads: bool = True
    """Whether the bot hears what is said without a mention: follow-ups, edits, deletions, channels in which every
    question is answered. Without, it needs fewer permissions, and each question in a channel needs a mention."""
    base_url: str = "https://slack.com/api/"
    bot_token: SecretStr | None = Field(default=None, exclude=True)
    """`xoxb-…`, from the environment (`SOUFFLEUR_SLACK_BOT_TOKEN`), never from the file."""
    app_token: SecretStr | None = Field(default=None, exclude=True)
    """`xapp-…`, for Socket Mode (`SOUFFLEUR_SLACK_APP_TOKEN`)."""
    signing_secret: SecretStr | None = Field(default=None, exclude=True)
    """For HTTP mode (`SOUFFLEUR_SLACK_SIGNING_SECRET`)."""
