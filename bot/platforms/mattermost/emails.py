"""Whose e-mail address is theirs: a Mattermost server lets people write any, unless it is set to check them.

What a bot is told of somebody does not say whether their address was checked (`User.ClearNonProfileFields` in the
server's source), nor by what they log in. The client configuration says what the server does with all of them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from bot.platforms.interface import PlatformRefused
from bot.platforms.mattermost.client import Client
from bot.platforms.mattermost.kept import Changes, Kept
from bot.platforms.mattermost.payloads import User
from bot.platforms.mattermost.settings import TrustEmails
from ingest.model import email_of

logger = logging.getLogger(__name__)

UNCHECKED = (
    "EnableSignUpWithEmail",
    "EnableSignInWithEmail",
    "EnableSignInWithUsername",
    "EnableSignUpWithGitLab",
    "EnableSignUpWithGoogle",
    "EnableSignUpWithOffice365",
    "EnableSignUpWithOpenId",
)
"""Ways in by which an address comes that the company's directory does not know. Whoever once signed up by e-mail can go
on changing it as long as they can log in so; that LDAP asks for a name too is apart from `EnableSignInWithUsername`."""

DIRECTORIES = ("EnableLdap", "EnableSaml")

WAY_OUT = (
    "turn on System Console > Authentication > Email > Require Email Verification; or, where only administrators make "
    "accounts and nobody can change their own address, set mattermost.trust_emails: always"
)


def vouches(config: Mapping[str, str]) -> bool:
    """Whether a server of this client configuration has checked its people's addresses, or has them from a directory.

    What the configuration does not say counts as what is worse.
    """
    if config.get("RequireEmailVerification") == "true":
        return True
    return all(config.get(way) == "false" for way in UNCHECKED) and any(
        config.get(directory) == "true" for directory in DIRECTORIES
    )


class Emails:
    """The addresses that are trusted, by the `mattermost.trust_emails` setting."""

    def __init__(self, client: Client, changes: Changes, *, trust: TrustEmails, kept_seconds: float) -> None:
        self._client = client
        self._trust = trust
        self._vouches: Kept[bool] = Kept(changes, kept_seconds)
        self._told = False

    async def of(self, user: User) -> str:
        """Lower case; empty where nobody vouches for it. Raises PlatformUnavailable."""
        found = email_of(user.email) if self._trust != "never" else ""
        return found if found and (self._trust == "always" or await self._vouches.ask("", self._vouched)) else ""

    async def _vouched(self) -> bool:
        try:
            config = await self._client.config()
        except PlatformRefused as error:
            config = {}
            logger.warning("mattermost: whether e-mail addresses are checked is not told: %s", error)
        found = vouches(config)
        if not found and not self._told:
            logger.warning("mattermost: the server does not check e-mail addresses, so none is trusted: %s", WAY_OUT)
        self._told = not found
        return found
