"""The `mattermost` section: its presence switches the platform on."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class MattermostSettings(BaseModel):
    """How the bot is connected to one Mattermost server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern="^https?://")
    """Of the server, as people open it."""
    callback_url: str | None = Field(default=None, pattern="^https?://")
    """Where the server reaches this program, for buttons and the slash command; absent: without them."""
    command: str = Field(default="ask", pattern=r"^[a-z0-9_-]{1,31}$")
    """Without its slash; no other command of the server may have it."""
    ask_reaction: str | None = Field(default="question", pattern=r"^[a-z0-9_+'-]+$")
    """A reaction with this emoji asks the bot to answer the message; None: none does."""
    token: SecretStr | None = Field(default=None, exclude=True)
    """Of the bot account, from the environment (`SOUFFLEUR_MATTERMOST_TOKEN`), never from the file."""
    command_token: SecretStr | None = Field(default=None, exclude=True)
    """That the server sends with the slash command (`SOUFFLEUR_MATTERMOST_COMMAND_TOKEN`)."""
