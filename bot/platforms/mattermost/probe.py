"""What `bot doctor` says of Mattermost: what works, and what is missing."""

from __future__ import annotations

import asyncio
from typing import Literal
from urllib.parse import urlsplit

import aiohttp

from bot.platforms.interface import PlatformRefused, PlatformUnavailable
from bot.platforms.mattermost.client import Client
from bot.platforms.mattermost.convert import version_of
from bot.platforms.mattermost.emails import WAY_OUT, vouches
from bot.platforms.mattermost.payloads import Frame
from bot.platforms.mattermost.settings import MattermostSettings
from bot.platforms.mattermost.setup import is_internal
from bot.platforms.mattermost.wire import authorities

Finding = tuple[Literal["ok", "note", "problem"], str]

OLDEST = (6, 1)
"""From here on everything works; before it, what is missing is worked around as far as that goes."""

HELLO_SECONDS = 10.0
LISTED = 10
"""Channels that are named; the others are counted."""


async def probe(settings: MattermostSettings) -> list[Finding]:
    """Every finding, in the order of a message's way."""
    client = Client(settings.url, settings.token)
    try:
        return await _examined(settings, client)
    except (PlatformRefused, PlatformUnavailable) as error:
        return [("problem", str(error).removeprefix("mattermost: "))]
    finally:
        await client.close()


async def _examined(settings: MattermostSettings, client: Client) -> list[Finding]:
    me = await client.me()
    found: list[Finding] = [
        ("ok", f"{client.server}: the token works, as @{me.username}")
        if me.is_bot
        else ("note", f"@{me.username} is a person's account: its token may expire; `bot setup mattermost` makes a bot")
    ]
    if urlsplit(client.url).scheme == "http" and not is_internal(client.host):
        found.append(("problem", "mattermost.url begins with http: the token travels unprotected; use https"))
    found.append(await _websocket(client))
    found += await _places(client)
    found.append(await _emails(settings, client))
    found += await _callbacks(settings, client)
    return found


async def _websocket(client: Client) -> Finding:
    scheme, rest = client.url.split("://", 1)
    address = f"{'wss' if scheme == 'https' else 'ws'}://{rest}/api/v4/websocket"
    try:
        async with (
            asyncio.timeout(HELLO_SECONDS),
            aiohttp.ClientSession(trust_env=True) as session,
            session.ws_connect(address, headers=client.authorization, ssl=authorities()) as socket,
        ):
            hello = Frame.model_validate_json(await socket.receive_str())
    except (aiohttp.ClientError, OSError, TimeoutError, TypeError, ValueError) as error:
        return (
            "problem",
            f"no websocket at {address} ({type(error).__name__}); a proxy in front of the server must pass it on",
        )
    text = str(hello.data.get("server_version", ""))
    version = version_of(text)
    name = ".".join(map(str, version)) or "of unknown version"
    if version and version < OLDEST:
        return "note", f"websocket open; server {name} is older than 6.1 and no longer supported by its makers"
    return "ok", f"websocket open, server {name}"


async def _places(client: Client) -> list[Finding]:
    teams = await client.teams()
    channels = [channel for channel in await client.channels() if channel.type in ("O", "P")]
    if not teams:
        return [("problem", "the bot is in no team: invite it (`bot setup mattermost`), else nobody can write to it")]
    names = ", ".join(sorted(channel.display_name or channel.name for channel in channels)[:LISTED])
    more = f" and {len(channels) - LISTED} more" if len(channels) > LISTED else ""
    where = f"in {len(teams)} team(s): {', '.join(sorted(team.name for team in teams))}"
    if not channels:
        return [("note", f"{where}; in no channel: it answers direct messages only, until it is added to some")]
    return [("ok", f"{where}; channels: {names}{more}")]


async def _emails(settings: MattermostSettings, client: Client) -> Finding:
    """Whether people are known by their addresses, for documents of `user:EMAIL` and for groups of addresses."""
    if settings.trust_emails == "never":
        return "ok", "e-mail addresses are not used (mattermost.trust_emails: never)"
    try:
        config = await client.config()
    except PlatformRefused:
        config = {}
    if config.get("ShowEmailAddress") == "false":
        return "note", (
            "e-mail addresses are hidden from the bot, so what is for certain addresses nobody here reads: turn on "
            "System Console > Site Configuration > Users and Teams > Show Email Address"
        )
    if vouches(config):
        return "ok", "e-mail addresses are trusted: the server checks them, or has them from a directory"
    if settings.trust_emails == "always":
        return "note", (
            "e-mail addresses are trusted, by mattermost.trust_emails: always, though the server does not check them: "
            "whoever can choose their own reads what is for that address"
        )
    return "note", (f"e-mail addresses are not trusted, so what is for certain addresses nobody here reads: {WAY_OUT}")


async def _callbacks(settings: MattermostSettings, client: Client) -> list[Finding]:
    if settings.callback_url is None:
        return [("note", "mattermost.callback_url is not set: no buttons under answers, no slash command")]
    found: list[Finding] = []
    host = urlsplit(settings.callback_url).hostname or ""
    if is_internal(host):
        found.append(("note", f"buttons: the server calls {host} only if AllowedUntrustedInternalConnections names it"))
    if settings.command_token is None:
        found.append(("problem", "SOUFFLEUR_MATTERMOST_COMMAND_TOKEN is not set: the slash command is refused"))
    lacking = [team.name for team in await client.teams() if not await _has_command(settings, client, team.id)]
    if lacking:
        found.append(
            ("problem", f"/{settings.command} is missing in {', '.join(lacking)}; `bot setup mattermost` makes it")
        )
    else:
        found.append(("ok", f"/{settings.command} is there"))
    return found


async def _has_command(settings: MattermostSettings, client: Client, team: str) -> bool:
    try:
        commands = await client.call("GET", f"/teams/{team}/commands/autocomplete")
    except PlatformRefused:
        commands = await client.call("GET", "/commands", params={"team_id": team})
    rows = commands if isinstance(commands, list) else []
    return any(isinstance(row, dict) and row.get("trigger") == settings.command for row in rows)
