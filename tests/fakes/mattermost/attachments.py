"""What hangs below a post's text, in `props.attachments`: further texts, fields, buttons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Attachment = dict[str, Any]


def attachments(row: Mapping[str, Any]) -> list[Attachment]:
    """Of a post."""
    return row["props"].get("attachments") or []


def actions(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Its buttons."""
    return [action for attachment in attachments(row) for action in attachment.get("actions") or ()]


def without_integrations(row: Mapping[str, Any]) -> dict[str, Any]:
    """A post's props as clients get them: what its buttons call is no business of theirs (measured on a server)."""
    if not attachments(row):
        return dict(row["props"])
    return {**row["props"], "attachments": [_stripped(attachment) for attachment in attachments(row)]}


def with_cookies(props: Mapping[str, Any], new: Callable[[], str]) -> dict[str, Any]:
    """Props of a post that nobody keeps: a `cookie` on each of its buttons (v11 source)."""
    shown = [
        {**one, "actions": [{**action, "cookie": new()} for action in one["actions"]]} if one.get("actions") else one
        for one in props.get("attachments") or ()
    ]
    return {**props, **({"attachments": shown} if shown else {})}


def _stripped(attachment: Attachment) -> Attachment:
    if not attachment.get("actions"):
        return attachment
    kept = [{key: value for key, value in one.items() if key != "integration"} for one in attachment["actions"]]
    return {**attachment, "actions": kept}
