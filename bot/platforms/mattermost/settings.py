"""The `mattermost` section: its presence switches the platform on."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

TrustEmails = Literal["auto", "always", "never"]


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
    status: Literal["typing", "post"] = "typing"
    """What is seen until there is text. `typing`: the bot types, and the answer's first words are the notification.
    `post`: what happens is said in a post at once, which the answer takes the place of; that post is notified of."""
    trust_emails: TrustEmails = "auto"
    """Whether people's e-mail addresses say who they are, for documents of `user:EMAIL` and for groups of addresses.
    `auto`: where the server checks addresses, or has them all from LDAP or SAML; `always`: only for servers on which
    nobody can choose their own; `never`."""
    calls_per_second: float = Field(default=50, gt=0)
    """Most calls of the server by this process. A limit that the server itself has (`RateLimitSettings`) is noticed."""
    token: SecretStr | None = Field(default=None, exclude=True)
    """Of the bot account, from the environment (`SOUFFLEUR_MATTERMOST_TOKEN`), never from the file."""
    command_token: SecretStr | None = Field(default=None, exclude=True)
    """That the server sends with the slash command (`SOUFFLEUR_MATTERMOST_COMMAND_TOKEN`); those of several teams with
    commas between them."""
    admin_token: SecretStr | None = Field(default=None, exclude=True)
    """Of an administrator, for `bot setup mattermost` alone (`SOUFFLEUR_MATTERMOST_ADMIN_TOKEN`)."""
