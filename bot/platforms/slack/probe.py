"""What `bot doctor` finds about the Slack app: what is missing, and the way out."""

from __future__ import annotations

from typing import Literal

from bot.platforms.interface import PlatformRefused, PlatformUnavailable
from bot.platforms.slack import manifest
from bot.platforms.slack.client import APP_TOKEN, Client
from bot.platforms.slack.settings import SlackSettings

FINDING_SECONDS = 15.0

CHANNELS_NAMED = 20


Finding = tuple[Literal["ok", "note", "problem"], str]


async def probe(settings: SlackSettings) -> list[Finding]:
    """Look at tokens, scopes, the mode and memberships; nothing is posted. Never raises what Slack answers."""
    if settings.bot_token is None:
        return [("problem", "there is no bot token; set SOUFFLEUR_SLACK_BOT_TOKEN to the app's (`xoxb-…`)")]
    client = Client(settings)
    try:
        answer = await client.call("auth.test", within=FINDING_SECONDS)
        return [
            ("ok", f"signed in to {answer.get('team', '?')} as {answer.get('user', answer['user_id'])}"),
            _of_scopes(settings, client),
            await _of_mode(settings, client),
            await _of_channels(client),
            (
                "note",
                "which events are subscribed to cannot be asked for; `bot manifest slack` prints what is needed, to"
                " compare with the app's page App Manifest",
            ),
        ]
    except (PlatformRefused, PlatformUnavailable) as error:
        return [("problem", _bare(error))]
    finally:
        await client.close()


def _of_scopes(settings: SlackSettings, client: Client) -> Finding:
    if client.scopes is None:
        return ("note", "the server does not tell the token's scopes")
    needed = manifest.scopes(settings)
    if missing := needed - client.scopes:
        return (
            "problem",
            f"the token lacks the scopes {', '.join(sorted(missing))}; save what `bot manifest slack` prints"
            " under App Manifest, and install the app again",
        )
    if further := client.scopes - needed:
        return ("note", f"the token has scopes it does not need: {', '.join(sorted(further))}")
    return ("ok", "the token has the scopes it needs, and no others")


async def _of_mode(settings: SlackSettings, client: Client) -> Finding:
    if settings.mode == "http":
        if settings.signing_secret is None:
            return ("problem", "HTTP mode needs SOUFFLEUR_SLACK_SIGNING_SECRET, from the app's Basic Information")
        return ("note", "HTTP mode; the app's page Event Subscriptions tells whether Slack reaches it")
    if settings.app_token is None:
        return (
            "problem",
            "Socket Mode needs SOUFFLEUR_SLACK_APP_TOKEN, an app-level token (`xapp-…`) with the scope"
            " connections:write, from the app's Basic Information",
        )
    try:
        await client.call("apps.connections.open", token=APP_TOKEN, within=FINDING_SECONDS)
    except (PlatformRefused, PlatformUnavailable) as error:
        return (
            "problem",
            f"{_bare(error)}; it needs the scope connections:write, and the app needs Socket Mode switched on",
        )
    return ("ok", "the app-level token opens connections")


async def _of_channels(client: Client) -> Finding:
    try:
        answer = await client.call(
            "users.conversations",
            within=FINDING_SECONDS,
            types="public_channel,private_channel",
            exclude_archived=True,
            limit=200,
        )
    except (PlatformRefused, PlatformUnavailable) as error:
        return ("problem", _bare(error))
    names = [f"#{channel.get('name', channel['id'])}" for channel in answer.get("channels") or ()]
    if not names:
        return (
            "note",
            "the bot is in no channel; it answers direct messages only until somebody invites it:"
            " `/invite @souffleur` in the channel",
        )
    more = f" and {len(names) - CHANNELS_NAMED} more" if len(names) > CHANNELS_NAMED else ""
    return ("ok", f"the bot is in {', '.join(names[:CHANNELS_NAMED])}{more}")


def _bare(error: PlatformRefused | PlatformUnavailable) -> str:
    """Its text without the platform's name, which stands before each finding."""
    return str(error).removeprefix("slack: ")
