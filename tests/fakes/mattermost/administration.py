"""What an administrator makes and takes away: people, teams, channels; and how people log in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.fakes.mattermost.company import Company
from tests.fakes.mattermost.hub import Row
from tests.fakes.mattermost.posts import body_of
from tests.fakes.mattermost.refusals import Refused

SHORTEST_PASSWORD = 8
"""`PasswordSettings.MinimumLength`, by default."""


async def create_user(company: Company, request: Request, account: str) -> Response:
    """Open servers let everybody do that; this one is closed (`EnableOpenServer`, off by default)."""
    body = await body_of(request)
    _admin(company, account)
    name, password = str(body.get("username", "")), str(body.get("password", ""))
    if not name or "@" not in str(body.get("email")) or len(password) < SHORTEST_PASSWORD:
        raise Refused(400)
    if any(user["username"] == name for user in company.users.values()):
        raise Refused(400, "app.user.save.username_exists.app_error", "An account with that username already exists.")
    told = {key: str(body[key]) for key in ("email", "nickname", "first_name", "last_name", "locale") if key in body}
    id = company.user(name, **told)
    company.passwords[id] = password
    return JSONResponse(company.users[id], 201)


async def log_in(company: Company, request: Request, account: str) -> Response:
    """The session's token is in a header of the answer."""
    body = await body_of(request)
    for id, user in company.users.items():
        known = body.get("login_id") in (user["username"], user["email"]) and not user["delete_at"]
        if known and company.passwords.get(id) == body.get("password"):
            token = company.id()
            company.tokens[token] = id
            return JSONResponse(user, headers={"Token": token})
    raise Refused(401, "api.user.login.invalid_credentials_email_username", "Enter a valid email or username.")


async def patch_user(company: Company, request: Request, account: str) -> Response:
    """Of oneself; administrators of anybody."""
    user = _user(company, request, account)
    if user["id"] != account:
        _admin(company, account)
    told = await body_of(request)
    user |= {key: told[key] for key in ("locale", "nickname", "first_name", "last_name") if key in told}
    company.publish("user_updated", {"user": user}, to={*company.users})
    return JSONResponse(user)


async def deactivate_user(company: Company, request: Request, account: str) -> Response:
    user = _user(company, request, account)
    if user["id"] != account:
        _admin(company, account)
    company.deactivate(user["id"])
    return JSONResponse({"status": "OK"})


async def demote_user(company: Company, request: Request, account: str) -> Response:
    """Make a guest of somebody, which the licence must allow (v11 source)."""
    user = _user(company, request, account)
    _admin(company, account)
    if not company.guests_allowed:
        raise Refused(501, "api.team.demote_user_to_guest.license.error", "Your license does not support guests.")
    company.demote(user["id"])
    return JSONResponse({"status": "OK"})


async def disable_bot(company: Company, request: Request, account: str) -> Response:
    _admin(company, account)
    bot = _user(company, request, account)
    bot["delete_at"] = company.tick()
    return JSONResponse({"user_id": bot["id"], "username": bot["username"], "delete_at": bot["delete_at"]})


async def create_team(company: Company, request: Request, account: str) -> Response:
    """Whoever makes it is in it."""
    body = await body_of(request)
    if not body.get("name") or not body.get("display_name") or body.get("type") not in ("O", "I"):
        raise Refused(400)
    id = company.team(str(body["name"]), open=body["type"] == "O", display_name=body["display_name"])
    company.members[id] = {account}
    return JSONResponse(company.teams[id], 201)


async def archive_team(company: Company, request: Request, account: str) -> Response:
    _admin(company, account)
    company.teams[request.path_params["team"]]["delete_at"] = company.tick()
    return JSONResponse({"status": "OK"})


async def create_channel(company: Company, request: Request, account: str) -> Response:
    """Whoever makes it is in it."""
    body = await body_of(request)
    team = str(body.get("team_id", ""))
    if account not in company.members.get(team, set()):
        raise Refused(403)
    if not body.get("name") or not body.get("display_name") or body.get("type") not in ("O", "P"):
        raise Refused(400)
    id = company.channel(team, str(body["name"]), body["type"], display_name=body["display_name"], creator_id=account)
    company.members[id] = {account}
    return JSONResponse(company.channels[id], 201)


def _admin(company: Company, account: str) -> None:
    if not account or not company.is_admin(account):
        raise Refused(403)


def _user(company: Company, request: Request, account: str) -> Row:
    id = request.path_params["user"]
    if (found := company.users.get(account if id == "me" else id)) is None:
        raise Refused(404, "app.user.missing_account.const", "Unable to find the user.")
    return found
