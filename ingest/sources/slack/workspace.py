"""What the token opens: the workspace, and the channels in it that are to be read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import time

from ingest.model import DocumentId, Skipped
from ingest.sources.api import plain_token
from ingest.sources.interface import SourceRefused, token_variable
from ingest.sources.slack.client import Client
from ingest.sources.slack.convert import Rules
from ingest.sources.slack.model import Channel
from ingest.sources.slack.settings import SlackSettings

CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{2,}")

FILES_SCOPE = "files:read"


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """The workspace as it was when the run began."""

    id: str
    url: str
    """Of its pages, with a slash at the end."""
    now: float
    """By Slack's clock, in seconds since 1970."""
    rules: Rules
    files: bool
    """Whether files are documents."""
    channels: Mapping[str, Channel]
    """Those to read, by id."""
    missing: Sequence[Skipped]
    """Those that the settings name and that are not to be had."""


async def enter(name: str, settings: SlackSettings, client: Client) -> Workspace:
    """Ask Slack who we are and where. `name` is the source's, for messages. Raises what `Source` may raise."""
    plain_token(name, settings.token)
    us = await client.call("auth.test")
    if settings.files and client.scopes is not None and FILES_SCOPE not in client.scopes:
        raise SourceRefused(
            f"source {name!r}: `files` takes the scope {FILES_SCOPE!r}, which the app lacks; add it under OAuth &"
            f" Permissions, install the app again, and set {token_variable(name)} to its bot token"
        )
    joined = await _joined(client, private=settings.private)
    chosen, missing = _choose(joined, settings)
    return Workspace(
        id=str(us.get("team_id") or ""),
        url=f"{str(us.get('url') or '').rstrip('/')}/",
        now=client.time if client.time is not None else time(),
        rules=Rules(bots=settings.bots, own_user=str(us.get("user_id") or ""), own_bot=str(us.get("bot_id") or "")),
        files=settings.files,
        channels={channel.id: channel for channel in chosen},
        missing=missing,
    )


async def _joined(client: Client, *, private: bool) -> list[Channel]:
    """The channels that the app is a member of: much fewer, and much sooner told, than all of a workspace's."""
    types = "public_channel,private_channel" if private else "public_channel"
    found: list[Channel] = []
    async for page in client.pages("users.conversations", "channels", Channel, types=types, exclude_archived=True):
        found += page
    return [
        channel
        for channel in found
        if not (channel.is_archived or channel.is_im or channel.is_mpim or (channel.is_private and not private))
    ]


def _choose(joined: Sequence[Channel], settings: SlackSettings) -> tuple[Sequence[Channel], Sequence[Skipped]]:
    if not settings.channels:
        return joined, ()
    chosen: dict[str, Channel] = {}
    missing: list[Skipped] = []
    for wanted in dict.fromkeys(settings.channels):
        name = wanted.removeprefix("#")
        found = next((channel for channel in joined if name in (channel.id, channel.name)), None)
        if found is not None:
            chosen[found.id] = found
            continue
        id = f"{name}/" if CHANNEL_ID.fullmatch(name) else f"#{name}"
        private = "" if settings.private else ", and private ones take `private: true`"
        reason = f"the app is in no such channel: check the name, invite it there with /invite{private}"
        missing.append(Skipped(id=DocumentId(id), reason=reason))
    return list(chosen.values()), missing
