"""Forms and the Home tab."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack.people import People
from tests.fakes.slack.wire import Params, Refused, needed


def views_open(slack: People, params: Params) -> dict[str, Any]:
    (trigger,) = needed(params, "trigger_id")
    return {"view": slack.interactivity.opened(trigger, params.get("view") or {})}


def views_update(slack: People, params: Params) -> dict[str, Any]:
    (id,) = needed(params, "view_id")
    if id not in slack.interactivity.views:
        raise Refused("not_found")
    user = slack.interactivity.views[id][0]
    return {"view": slack.interactivity.kept(user, params.get("view") or {}, id)}


def views_publish(slack: People, params: Params) -> dict[str, Any]:
    """docs.slack.dev/reference/methods/views.publish."""
    (user,) = needed(params, "user_id")
    view = params.get("view") or {}
    if view.get("type") != "home":
        raise Refused("invalid_arguments")
    slack.interactivity.homes[user] = view
    slack.touch()
    return {"view": view}


METHODS = {"views.open": views_open, "views.update": views_update, "views.publish": views_publish}
