"""The app's manifest, with the least it needs for what is switched on (https://docs.slack.dev/reference/app-manifest)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.phrases import Say
from bot.platforms.slack import changes
from bot.platforms.slack.convert import SHORTCUT
from bot.platforms.slack.platform import EVENTS_PATH
from bot.platforms.slack.settings import SlackSettings
from ingest.errors import ConfigurationError

NAME = "Souffleur"

DESCRIPTION = "Answers questions from the company's own documents, with sources."

SHORTCUT_NAME = "Answer this"

CALLS: dict[str, tuple[str, ...]] = {
    "auth.test": (),
    "apps.connections.open": (),
    "views.open": (),
    "assistant.threads.setStatus": ("chat:write",),
    "assistant.threads.setSuggestedPrompts": ("assistant:write",),
    "agents.sessions.setStatus": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.delete": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.startStream": ("chat:write",),
    "chat.appendStream": ("chat:write",),
    "chat.stopStream": ("chat:write",),
    "conversations.open": ("im:write",),
    "conversations.info": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "conversations.members": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "conversations.history": ("channels:history", "groups:history", "im:history", "mpim:history"),
    "conversations.replies": ("channels:history", "groups:history", "im:history", "mpim:history"),
    "users.conversations": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "users.info": ("users:read", "users:read.email"),
    "users.list": ("users:read", "users:read.email"),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "files.info": ("files:read",),
}
"""Scopes of each method that is called, by its page in https://docs.slack.dev/reference/methods."""

DOWNLOADING = ("files:read",)

EVENTS: dict[str, tuple[str, ...]] = {
    "app_mention": ("app_mentions:read",),
    "app_home_opened": (),
    "agent_session_stopped": ("chat:write",),
    "message.im": ("im:history",),
    "message.mpim": ("mpim:history",),
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "reaction_added": ("reactions:read",),
    **dict.fromkeys(changes.MEMBERSHIPS, ("channels:read", "groups:read")),
    **dict.fromkeys(changes.ACCOUNTS, ("users:read",)),
    **dict.fromkeys(changes.GROUPS, ("usergroups:read",)),
    **{event: ("groups:read" if event.startswith("group_") else "channels:read",) for event in changes.CHANNELS},
    changes.MOVED: ("channels:read",),
    changes.TOKENS: (),
}
"""Scopes of each event, by its page in https://docs.slack.dev/reference/events."""

FOLLOWING = frozenset({"message.channels", "message.groups", "message.mpim"})
"""What is said without a mention, to hear follow-ups in threads, edits and deletions. Slack delivers every message of
every channel that the bot is in then; it counts against 30,000 events an hour."""


def manifest(
    settings: SlackSettings,
    *,
    public_url: str | None,
    language: str,
    say: Say,
    name: str = NAME,
) -> dict[str, Any]:
    """The manifest, for Slack's "From a manifest".

    Args:
        settings: what is switched on, and the mode.
        public_url: where Slack reaches this program; for HTTP mode.
        language: of the suggested prompts, which are the same for everybody until somebody opens the messages.
        say: the phrases.
        name: what the app and its bot are called.

    Raises `ConfigurationError` for HTTP mode without an address.
    """
    http = settings.mode == "http"
    if http and not public_url:
        raise ConfigurationError(
            "slack.mode http: set `serve.public_url` to the address where Slack reaches this program"
        )
    url = f"{(public_url or '').rstrip('/')}{EVENTS_PATH}"
    address = {"request_url": url} if http else {}
    return {
        "display_information": {"name": name, "description": DESCRIPTION},
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name.lower(), "always_online": True},
            "agent_view": {"agent_description": DESCRIPTION, "suggested_prompts": list(_prompts(language, say))},
            "shortcuts": [
                {
                    "name": SHORTCUT_NAME,
                    "type": "message",
                    "callback_id": SHORTCUT,
                    "description": "Answer this message in its thread",
                }
            ],
            "slash_commands": [
                {
                    "command": settings.command,
                    "description": "Ask; only you see the answer",
                    "usage_hint": "[question]",
                    "should_escape": True,
                    **({"url": url} if http else {}),
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": sorted(scopes(settings))}},
        "settings": {
            "event_subscriptions": {**address, "bot_events": sorted(events(settings))},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not http,
            "token_rotation_enabled": False,
        },
    }


def events(settings: SlackSettings) -> set[str]:
    """What is subscribed to."""
    left_out = set() if settings.follow_threads else set(FOLLOWING)
    return set(EVENTS) - left_out - (set() if settings.ask_reaction else {"reaction_added"})


def scopes(settings: SlackSettings) -> set[str]:
    """What the bot's token must be allowed: for what it is told, and for what it calls."""
    told = (scope for event in events(settings) for scope in EVENTS[event])
    called = (scope for needed in CALLS.values() for scope in needed)
    return {"commands", *DOWNLOADING, *told, *called}


def _prompts(language: str, say: Say) -> Iterator[dict[str, str]]:
    for number in (1, 2, 3):
        key = f"chat-prompt-{number}"
        yield {"title": say(language, f"{key}-title"), "message": say(language, key)}
