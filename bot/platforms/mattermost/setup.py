"""`bot setup mattermost`: account, token, slash command and memberships, made from an administrator's token.

What is there already is left as it is, so it can be run again after every change. The administrator's token is used for
that alone and kept nowhere.
"""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.platforms.interface import PlatformRefused
from bot.platforms.mattermost.callbacks import COMMAND
from bot.platforms.mattermost.client import PER_PAGE, Client
from bot.platforms.mattermost.payloads import Channel, Payload, Team
from bot.platforms.mattermost.settings import MattermostSettings
from bot.platforms.mattermost.wire import TOKEN_VARIABLE, Refused

ADMIN_VARIABLE = "SOUFFLEUR_MATTERMOST_ADMIN_TOKEN"
COMMAND_VARIABLE = "SOUFFLEUR_MATTERMOST_COMMAND_TOKEN"
DESCRIPTION = "Answers questions from the company's documents, with sources."


class Bot(Payload):
    user_id: str
    username: str
    delete_at: int = 0


class Token(Payload):
    token: str


class Command(Payload):
    id: str
    token: str = ""
    trigger: str
    url: str = ""


@dataclass(slots=True)
class SetUp:
    """What came of it."""

    done: list[str] = field(default_factory=list)
    """One line for each thing that is there now, made or found."""
    environment: dict[str, str] = field(default_factory=dict)
    """Secrets to be set, by variable: shown once, never logged."""
    hints: list[str] = field(default_factory=list)
    """What an administrator still has to do by hand."""


async def set_up(
    settings: MattermostSettings,
    *,
    admin_token: SecretStr,
    teams: Sequence[str],
    channels: Sequence[str] = (),
    username: str = "souffleur",
) -> SetUp:
    """Make whatever is missing; `teams` by their names in addresses, `channels` as `team/channel`.

    Raises PlatformRefused and PlatformUnavailable.
    """
    async with _client(settings, admin_token, ADMIN_VARIABLE) as admin:
        found = SetUp()
        me = await admin.me()
        if "system_admin" not in me.roles.split():
            raise PlatformRefused(
                f"mattermost: {me.username!r} is no system administrator; make a personal access token as one, and set "
                f"{ADMIN_VARIABLE}"
            )
        # Names are looked up before anything is made, and the token is made last: a mistake leaves nothing behind.
        of_teams = {name: await _the_team(admin, name) for name in _teams(teams, channels)}
        of_channels = {name: await _the_channel(admin, of_teams, name) for name in channels}
        bot = await _account(admin, username, found)
        for team in of_teams.values():
            await _team(admin, settings, bot, team, found)
        for name, channel in of_channels.items():
            await admin.call("POST", f"/channels/{channel.id}/members", json={"user_id": bot.user_id})
            found.done.append(f"@{bot.username} is in channel {name!r} (id {channel.id})")
        await _token(admin, settings, bot, found)
        if not of_teams:
            found.hints.append("it was put into no team; with --team NAME its people can write to it, and have /ask")
        found.hints += await _hints(admin, settings)
        return found


def _teams(teams: Sequence[str], channels: Sequence[str]) -> list[str]:
    """All that are named. Raises PlatformRefused for a channel without its team."""
    for name in channels:
        if not all(name.partition("/")):
            raise PlatformRefused(f"mattermost: {name!r} names no channel; write TEAM/CHANNEL, as in its address")
    return [*dict.fromkeys([*teams, *(name.partition("/")[0] for name in channels)])]


async def _the_team(admin: Client, name: str) -> Team:
    found: Team = await _named(admin, Team, f"/teams/name/{name}", f"team {name!r}")
    return found


async def _the_channel(admin: Client, teams: Mapping[str, Team], name: str) -> Channel:
    team, _, channel = name.partition("/")
    path = f"/teams/{teams[team].id}/channels/name/{channel}"
    found: Channel = await _named(admin, Channel, path, f"channel {name!r}")
    return found


async def _account(admin: Client, username: str, found: SetUp) -> Bot:
    params = {"include_deleted": True, "page": 0, "per_page": PER_PAGE}
    bots = await admin.ask(list[Bot], "GET", "/bots", params=params)
    bot = next((bot for bot in bots if bot.username == username), None)
    if bot is None:
        body = {"username": username, "display_name": "Souffleur", "description": DESCRIPTION}
        try:
            bot = await admin.ask(Bot, "POST", "/bots", json=body)
        except Refused as error:
            if error.error_id == "app.user.save.username_exists.app_error":
                raise PlatformRefused(
                    f"mattermost: a person is called {username!r} already; choose another name with --username"
                ) from error
            raise
        found.done.append(f"bot account @{username} created")
    elif bot.delete_at:
        await admin.call("POST", f"/bots/{bot.user_id}/enable")
        found.done.append(f"bot account @{username} switched on again")
    else:
        found.done.append(f"bot account @{username} is there")
    return bot


async def _token(admin: Client, settings: MattermostSettings, bot: Bot, found: SetUp) -> None:
    """The token that is set is kept as long as it is this bot's."""
    if settings.token is not None:
        async with _client(settings, settings.token, TOKEN_VARIABLE) as own:
            try:
                if (await own.me()).id == bot.user_id:
                    found.done.append(f"{TOKEN_VARIABLE} is this account's")
                    return
            except PlatformRefused:
                found.hints.append(f"the {TOKEN_VARIABLE} that was set is refused by the server; it is replaced")
    made = await admin.ask(Token, "POST", f"/users/{bot.user_id}/tokens", json={"description": "souffleur"})
    found.environment[TOKEN_VARIABLE] = made.token
    found.done.append("access token created; it does not expire")


async def _team(admin: Client, settings: MattermostSettings, bot: Bot, team: Team, found: SetUp) -> None:
    await admin.call("POST", f"/teams/{team.id}/members", json={"team_id": team.id, "user_id": bot.user_id})
    found.done.append(f"@{bot.username} is in team {team.name!r}")
    if settings.callback_url is None:
        return
    token = await _command(admin, settings, team, found)
    known = settings.command_token.get_secret_value().split(",") if settings.command_token else []
    if token not in (one.strip() for one in known):
        tokens = [*known, *found.environment.get(COMMAND_VARIABLE, "").split(","), token]
        found.environment[COMMAND_VARIABLE] = ",".join(dict.fromkeys(one.strip() for one in tokens if one.strip()))


async def _command(admin: Client, settings: MattermostSettings, team: Team, found: SetUp) -> str:
    """The team's slash command, pointing here; its token."""
    url = (settings.callback_url or "").rstrip("/") + COMMAND
    trigger = settings.command
    rows = await admin.ask(list[dict[str, Any]], "GET", "/commands", params={"team_id": team.id, "custom_only": True})
    commands = [Command.model_validate(row) for row in rows]
    known = next((command for command in commands if command.trigger == trigger), None)
    if known is None:
        body = {
            "team_id": team.id,
            "trigger": trigger,
            "method": "P",
            "url": url,
            "display_name": "Souffleur",
            "description": DESCRIPTION,
            "auto_complete": True,
            "auto_complete_hint": "[question]",
            "auto_complete_desc": DESCRIPTION,
        }
        known = await admin.ask(Command, "POST", "/commands", json=body)
        found.done.append(f"/{trigger} created in team {team.name!r}")
    elif not urlsplit(known.url).path.endswith(COMMAND):
        raise PlatformRefused(
            f"mattermost: /{trigger} in team {team.name!r} belongs to another integration ({urlsplit(known.url).netloc}"
            "); choose another word with `mattermost.command`"
        )
    elif known.url != url:
        row = next(row for row in rows if row["id"] == known.id)
        known = await admin.ask(Command, "PUT", f"/commands/{known.id}", json={**row, "url": url})
        found.done.append(f"/{trigger} in team {team.name!r} points here again")
    else:
        found.done.append(f"/{trigger} is there in team {team.name!r}")
    return known.token


async def _named(admin: Client, kind: Any, path: str, what: str) -> Any:
    try:
        return await admin.ask(kind, "GET", path)
    except Refused as error:
        if error.status == 404:
            raise PlatformRefused(f"mattermost: there is no {what}; take the name from its address") from error
        raise


async def _hints(admin: Client, settings: MattermostSettings) -> list[str]:
    if settings.callback_url is None:
        return ["`mattermost.callback_url` is not set: there is no slash command, and answers have no buttons"]
    host = urlsplit(settings.callback_url).hostname or ""
    if not is_internal(host):
        return []
    try:
        config = await admin.call("GET", "/config")
        allowed = str(config.get("ServiceSettings", {}).get("AllowedUntrustedInternalConnections") or "").split()
    except PlatformRefused:
        allowed = []
    if any(_covers(entry, host) for entry in allowed):
        return []
    return [
        f"the server does not call addresses of its own network: add {host} to System Console > Environment > "
        "Developer > Allow untrusted internal connections"
    ]


def _covers(entry: str, host: str) -> bool:
    """Whether what is allowed, a host or a network (`10.0.0.0/8`), is or holds `host`."""
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry)
    except ValueError:
        return entry == host


def is_internal(host: str) -> bool:
    """Whether a server calls this host only where it is allowed to, as far as the name tells."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan"))


@asynccontextmanager
async def _client(settings: MattermostSettings, token: SecretStr, variable: str) -> AsyncIterator[Client]:
    client = Client(settings.url, token, variable=variable)
    try:
        yield client
    finally:
        await client.close()


def steps(settings: MattermostSettings, *, username: str = "souffleur") -> str:
    """The same by hand, for an administrator with a browser."""
    url = settings.url.rstrip("/")
    lines = [
        f"{ADMIN_VARIABLE} is not set, so nothing was done. By hand, as a system administrator:\n",
        f"1. {url}/admin_console/integrations/bot_accounts: Enable Bot Account Creation.",
        f"2. {url}, a team's menu > Integrations > Bot Accounts > Add Bot Account: username {username}, role Member."
        f"\n   Copy the token into {TOKEN_VARIABLE}.",
        f"3. Invite {username} to the team (Invite People), then to each channel that is to have it (Add Members).",
    ]
    if settings.callback_url is None:
        lines.append("4. For the slash command and buttons set `mattermost.callback_url` and run this again.")
        return "\n".join(lines)
    callback = settings.callback_url.rstrip("/")
    lines.append(
        "4. Integrations > Slash Commands > Add Slash Command, in each team:\n"
        f"   Command Trigger Word {settings.command}, Request URL {callback}{COMMAND}, Request Method POST,\n"
        f"   Autocomplete on. Copy its token into {COMMAND_VARIABLE} (those of several teams with commas between)."
    )
    host = urlsplit(callback).hostname or ""
    if is_internal(host):
        lines.append(
            f"5. {url}/admin_console/environment/developer: add {host} to Allow untrusted internal connections to."
        )
    return "\n".join(lines)
