"""People, bots, teams and channels as the REST API knows them, and what an administrator sets up."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.fakes.mattermost.company import Company
from tests.fakes.mattermost.hub import Row
from tests.fakes.mattermost.posts import body_of
from tests.fakes.mattermost.refusals import Refused

VERSION = "11.11.1"

WITH_TOKEN = frozenset({"RequireEmailVerification", "ShowEmailAddress"})
"""Of the configuration that `client_config` tells (`GenerateClientConfig` and its limited sister, v11 source)."""

Endpoint = Callable[[Company, Request, str], Awaitable[Response]]


def _admin(company: Company, account: str) -> None:
    if not company.is_admin(account):
        raise Refused(403)


def _page(request: Request, rows: list[Any]) -> Response:
    """60 on a page, unless asked otherwise; 200 at most."""
    per_page, page = min(int(request.query_params.get("per_page", 60)), 200), int(request.query_params.get("page", 0))
    return JSONResponse(rows[page * per_page : (page + 1) * per_page])


# Users


async def me(company: Company, request: Request, account: str) -> Response:
    return JSONResponse(company.users[account])


async def user(company: Company, request: Request, account: str) -> Response:
    found = company.users.get(request.path_params["user"])
    if found is None:
        raise Refused(404, "app.user.missing_account.const", "Unable to find the user.")
    return JSONResponse(_shown(company, found, account))


async def users(company: Company, request: Request, account: str) -> Response:
    """Of a channel, by their names, bots and the deactivated among them."""
    channel = request.query_params["in_channel"]
    if channel not in company.channels:
        raise Refused(404)
    if not company.may_read(channel, account) and not company.is_admin(account):
        raise Refused(403)
    rows = [company.users[id] for id in company.members[channel] if id in company.users]
    rows.sort(key=lambda row: row["username"])
    return _page(request, [_shown(company, row, account) for row in rows])


async def user_named(company: Company, request: Request, account: str) -> Response:
    name = request.path_params["name"]
    for found in company.users.values():
        if found["username"] == name:
            return JSONResponse(found)
    raise Refused(404, "app.user.missing_account.const", "Unable to find the user.")


def users_by(key: str) -> Endpoint:
    async def endpoint(company: Company, request: Request, account: str) -> Response:
        wanted = json.loads(await request.body())
        rows = [user for user in company.users.values() if user[key] in wanted]
        return JSONResponse([_shown(company, user, account) for user in rows])

    return endpoint


# Teams and channels


async def my_teams(company: Company, request: Request, account: str) -> Response:
    return JSONResponse([team for team in company.teams.values() if account in company.members[team["id"]]])


async def teams(company: Company, request: Request, account: str) -> Response:
    """All of them to an administrator, to others the open ones and their own."""
    shown = [
        team
        for team in company.teams.values()
        if company.is_admin(account) or team["allow_open_invite"] or account in company.members[team["id"]]
    ]
    return _page(request, shown)


async def team_named(company: Company, request: Request, account: str) -> Response:
    for team in company.teams.values():
        if team["name"] == request.path_params["name"]:
            return JSONResponse(team)
    raise Refused(404, "app.team.get_by_name.missing.app_error", "Unable to find the existing team.")


async def team_channels(company: Company, request: Request, account: str) -> Response:
    """The open ones."""
    team = request.path_params["team"]
    rows = [row for row in company.channels.values() if row["team_id"] == team and row["type"] == "O"]
    return _page(request, [row for row in rows if not row["delete_at"]])


async def channel_named(company: Company, request: Request, account: str) -> Response:
    path = request.path_params
    for row in company.channels.values():
        if (row["team_id"], row["name"]) == (path["team"], path["name"]):
            if not company.may_read(row["id"], account) and not company.is_admin(account):
                raise Refused(404)
            return JSONResponse(row)
    raise Refused(404)


async def my_channels(company: Company, request: Request, account: str) -> Response:
    """Of all teams, with direct ones (from 6.1); of one team, with direct ones, for its members."""
    team = request.path_params.get("team")
    if team is not None and account not in company.members.get(team, ()):
        raise Refused(403)
    mine = [row for row in company.channels.values() if account in company.members[row["id"]] and not row["delete_at"]]
    return JSONResponse([row for row in mine if team is None or row["team_id"] in (team, "")])


async def channel(company: Company, request: Request, account: str) -> Response:
    return JSONResponse(_channel(company, request, account))


async def stats(company: Company, request: Request, account: str) -> Response:
    id = _channel(company, request, account)["id"]
    members = {user for user in company.members[id] if not company.users.get(user, {"delete_at": 0})["delete_at"]}
    guests = sum(company.is_guest(user) for user in members)
    counts = {"member_count": len(members), "guest_count": guests, "pinnedpost_count": 0, "files_count": 0}
    return JSONResponse({"channel_id": id, **counts})


async def channel_members(company: Company, request: Request, account: str) -> Response:
    id = _channel(company, request, account)["id"]
    rows = [
        {"channel_id": id, "user_id": user, "roles": "channel_user", "scheme_guest": company.is_guest(user)}
        for user in sorted(company.members[id])
    ]
    return _page(request, rows)


def member(of: str) -> Endpoint:
    """Of a channel: 403 to whoever is not in it (measured on a server). Who left a team stays, with `delete_at`."""

    async def endpoint(company: Company, request: Request, account: str) -> Response:
        id, user = request.path_params[of], request.path_params["user"]
        user = account if user == "me" else user
        members = company.members.get(id, set())
        if id not in (company.channels if of == "channel" else company.teams):
            raise Refused(404)
        if account not in members and not company.is_admin(account):
            raise Refused(403)
        left = company.left.get((id, user), 0)
        if user not in members and not left:
            raise Refused(404, f"app.{of}.get_member.missing.app_error", f"No {of} member found.")
        return JSONResponse({f"{of}_id": id, "user_id": user, "delete_at": 0 if user in members else left})

    return endpoint


async def team_members(company: Company, request: Request, account: str) -> Response:
    team = request.path_params["team"]
    if account not in company.members.get(team, set()) and not company.is_admin(account):
        raise Refused(403)
    rows = [{"team_id": team, "user_id": user, "delete_at": 0} for user in sorted(company.members[team])]
    return _page(request, rows)


def join(of: str) -> Endpoint:
    """Members add to open channels, administrators anywhere; to a channel only members of its team."""

    async def endpoint(company: Company, request: Request, account: str) -> Response:
        id, user = request.path_params[of], str((await body_of(request)).get("user_id", ""))
        if id not in company.members or user not in company.users:
            raise Refused(404)
        if not company.is_admin(account) and (of == "team" or account not in company.members[id]):
            raise Refused(403)
        if of == "channel" and user not in company.members.get(company.channels[id]["team_id"], set()):
            raise Refused(404, "app.team.get_member.missing.app_error", "Unable to get the team member.")
        company.join(id, user)
        return JSONResponse({f"{of}_id": id, "user_id": user}, 201)

    return endpoint


async def direct(company: Company, request: Request, account: str) -> Response:
    """With oneself in it, unless one is an administrator."""
    users = json.loads(await request.body())
    if not isinstance(users, list) or len(users) != 2 or not {*users} <= {*company.users}:
        raise Refused(400)
    if account not in users and not company.is_admin(account):
        raise Refused(403)
    return JSONResponse(company.channels[company.direct(*users)], 201)


async def forbidden(company: Company, request: Request, account: str) -> Response:
    """Not for ordinary bots: teams, groups and channels of others (measured on a server)."""
    if request.path_params["user"] not in ("me", account):
        _admin(company, account)
    return JSONResponse([])


async def groups(company: Company, request: Request, account: str) -> Response:
    """A server without a licence has none; to whoever is no administrator those that may be mentioned (v11 source)."""
    _licensed(company)
    shown = [row for row in company.groups.values() if row["allow_reference"] or company.is_admin(account)]
    return _page(request, shown)


async def group_members(company: Company, request: Request, account: str) -> Response:
    """Of LDAP groups that may not be mentioned only to administrators (`hasPermissionToReadGroupMembers`, v11)."""
    _licensed(company)
    group = company.groups.get(request.path_params["group"])
    if group is None:
        raise Refused(404, "app.group.no_rows", "No matching group found.")
    if group["source"] == "ldap" and not group["allow_reference"]:
        _admin(company, account)
    query, members = request.query_params, sorted(company.members[group["id"]])
    per_page, page = min(int(query.get("per_page", 60)), 200), int(query.get("page", 0))
    rows = [_shown(company, company.users[user], account) for user in members[page * per_page : (page + 1) * per_page]]
    return JSONResponse({"members": rows, "total_member_count": len(members)})


# Set-up


async def create_bot(company: Company, request: Request, account: str) -> Response:
    """Needs the permission `create_bot`, which administrators alone have by default."""
    body = await body_of(request)
    _admin(company, account)
    if any(user["username"] == body.get("username") for user in company.users.values()):
        raise Refused(400, "app.user.save.username_exists.app_error", "An account with that username already exists.")
    name = str(body["username"])
    id = company.user(name, body.get("display_name", ""), is_bot=True, owner_id=account)
    return JSONResponse(_bot(company.users[id]), 201)


async def bots(company: Company, request: Request, account: str) -> Response:
    _admin(company, account)
    return _page(request, [_bot(user) for user in company.users.values() if user.get("is_bot")])


async def create_token(company: Company, request: Request, account: str) -> Response:
    """The token is told this once."""
    body, user = await body_of(request), request.path_params["user"]
    if user != account:
        _admin(company, account)
    if not body.get("description"):
        raise Refused(400)
    token = company.id()
    company.tokens[token] = user
    return JSONResponse({"id": company.id(), "token": token, "user_id": user, "is_active": True, **body})


async def client_config(company: Company, request: Request, account: str) -> Response:
    """Everybody may read some of it, whoever has a token more (`getClientConfig`, v11 source)."""
    if request.query_params.get("format") != "old":
        raise Refused(501, "api.config.client.old_format.app_error", "New format for the client configuration.")
    limited = {"Version": VERSION, "BuildNumber": "1", "BuildEnterpriseReady": "true"}
    known = {key: value for key, value in company.config.items() if account or key not in WITH_TOKEN}
    return JSONResponse(limited | known)


async def ping(company: Company, request: Request, account: str) -> Response:
    return JSONResponse({"status": "OK", "AndroidLatestVersion": "", "IosLatestVersion": ""})


def _licensed(company: Company) -> None:
    if not company.groups_licensed:
        raise Refused(501, "api.ldap_groups.license_error", "Your license does not support groups.")


def _shown(company: Company, user: Row, account: str) -> Row:
    """Addresses are shown unless the server hides them; to others nobody is told whether one was checked."""
    if user["id"] == account or company.is_admin(account):
        return user
    hidden = {} if company.config["ShowEmailAddress"] == "true" else {"email": ""}
    return {key: value for key, value in (user | hidden).items() if key != "email_verified"}


def _channel(company: Company, request: Request, account: str) -> Row:
    id = request.path_params["channel"]
    if id not in company.channels:
        raise Refused(404)
    if not company.may_read(id, account) and not company.is_admin(account):
        raise Refused(403)
    return company.channels[id]


def _bot(user: Row) -> Row:
    display_name = f"{user['first_name']} {user['last_name']}".strip()
    names = {"username": user["username"], "display_name": display_name}
    return {"user_id": user["id"], **names, "owner_id": user.get("owner_id", ""), "delete_at": user["delete_at"]}
