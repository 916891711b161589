"""Who there is: the app itself, its team, people, files."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack.people import People
from tests.fakes.slack.wire import Params, Refused, flag, needed, page
from tests.fakes.slack.workspace import APP, OWN_BOT, OWN_USER


def auth_test(slack: People, params: Params) -> dict[str, Any]:
    return {
        "url": slack.url,
        "team": "Acme",
        "user": "souffleur",
        "team_id": slack.team,
        "user_id": OWN_USER,
        "bot_id": OWN_BOT,
        "is_enterprise_install": False,
        **({"enterprise_id": slack.enterprise} if slack.enterprise else {}),
    }


def bots_info(slack: People, params: Params) -> dict[str, Any]:
    slack.needs("users:read")
    return {"bot": {"id": OWN_BOT, "app_id": APP, "user_id": OWN_USER, "name": "souffleur", "deleted": False}}


def team_info(slack: People, params: Params) -> dict[str, Any]:
    slack.needs("team:read")
    return {"team": {"id": slack.team, "name": "Acme", "domain": "acme", "url": slack.url}}


def users_list(slack: People, params: Params) -> dict[str, Any]:
    slack.needs("users:read")
    shown = [_shown(slack, id, params) for id in slack.users if id not in slack.strangers]
    return page(shown, "members", params, slack.page_size)


def users_info(slack: People, params: Params) -> dict[str, Any]:
    """docs.slack.dev/reference/methods/users.info: the locale only where it is asked for."""
    slack.needs("users:read")
    if params.get("user") not in slack.users:
        raise Refused("user_not_found")
    return {"user": _shown(slack, params["user"], params)}


def _shown(slack: People, id: str, params: Params) -> dict[str, Any]:
    return slack.told(id, locale=flag(params, "include_locale"))


def usergroups_list(slack: People, params: Params) -> dict[str, Any]:
    """docs.slack.dev/reference/methods/usergroups.list: all at once, members and disabled ones where asked for."""
    slack.needs("usergroups:read")
    told = []
    for group in slack.groups.values():
        if group["date_delete"] and not flag(params, "include_disabled"):
            continue
        shown = {name: value for name, value in group.items() if name != "users"}
        shown |= {"users": group["users"][: slack.group_page]} if flag(params, "include_users") else {}
        shown |= {"user_count": str(len(group["users"]))} if flag(params, "include_count") else {}
        told.append(shown)
    return {"usergroups": told}


def usergroups_users_list(slack: People, params: Params) -> dict[str, Any]:
    """docs.slack.dev/reference/methods/usergroups.users.list."""
    slack.needs("usergroups:read")
    (id,) = needed(params, "usergroup")
    group = slack.groups.get(id)
    if group is None or (group["date_delete"] and not flag(params, "include_disabled")):
        raise Refused("no_such_subteam")
    return {"users": list(group["users"])}


def files_list(slack: People, params: Params) -> dict[str, Any]:
    """Numbered pages, newest first."""
    slack.needs("files:read")
    since = int(params.get("ts_from") or 0)
    found = [
        file
        for file in reversed(slack.files.values())
        if file["mode"] != "tombstone"
        and params.get("channel") in (None, *file["channels"])
        and file["created"] >= since
    ]
    count, number = min(int(params.get("count") or 100), slack.page_size), int(params.get("page") or 1)
    paging = {"count": count, "total": len(found), "page": number, "pages": -(-len(found) // count)}
    return {"files": found[(number - 1) * count : number * count], "paging": paging}


def files_info(slack: People, params: Params) -> dict[str, Any]:
    slack.needs("files:read")
    file = slack.files.get(str(params.get("file", "")))
    if file is None or file["mode"] == "tombstone":
        raise Refused("file_deleted" if file else "file_not_found")
    return {"file": {key: value for key, value in file.items() if key != "file_access"}}


METHODS = {
    "auth.test": auth_test,
    "bots.info": bots_info,
    "team.info": team_info,
    "users.list": users_list,
    "users.info": users_info,
    "usergroups.list": usergroups_list,
    "usergroups.users.list": usergroups_users_list,
    "files.list": files_list,
    "files.info": files_info,
}
