"""The manifest asks for what the adapter uses, and for nothing else."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest

from bot.phrases import Phrases
from bot.platforms import slack
from bot.platforms.slack import changes, convert, manifest
from bot.platforms.slack.client import RATES
from bot.platforms.slack.settings import SlackSettings
from ingest.errors import ConfigurationError
from tests.fakes.slack.events import SCOPE_OF, SCOPES_BY_ROOM

MODULES = sorted(Path(inspect.getfile(slack)).parent.glob("*.py"))


def made(*, public_url: str | None = None, **settings: Any) -> dict[str, Any]:
    return manifest.manifest(
        SlackSettings(**settings),
        public_url=public_url,
        language="en",
        say=Phrases().say,
    )


def methods_used() -> set[str]:
    """Every method of the Web API that stands in the adapter's code as a string of its own."""
    families = (
        *("chat.", "conversations.", "users.", "usergroups.", "views.", "assistant.", "agents.", "files.", "auth."),
        "apps.",
    )
    return {
        node.value
        for module in MODULES
        if module.name not in {"manifest.py", "client.py"}
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(families)
        and node.value.replace(".", "").isalpha()
    }


def test_the_scopes_are_those_of_the_methods_that_are_called() -> None:
    assert set(manifest.CALLS) == methods_used()


def test_every_method_has_a_rate() -> None:
    assert methods_used() - {"views.open"} <= set(RATES)


def test_the_events_are_those_that_are_heard() -> None:
    told = {event.partition(".")[0] for event in manifest.EVENTS}
    assert told == {*convert.EVENTS, *changes.EVENTS}


def test_the_scopes_of_events_are_those_that_slack_asks_for() -> None:
    for event, scopes in manifest.EVENTS.items():
        expected = {"channels:read", "groups:read"} if event in SCOPES_BY_ROOM else {SCOPE_OF.get(event, "")} - {""}
        assert set(scopes) == expected, event


def test_nothing_is_asked_for_that_is_switched_off() -> None:
    least = made(follow_threads=False, ask_reaction=None)

    assert set(least["settings"]["event_subscriptions"]["bot_events"]) - {*changes.EVENTS} == {
        "agent_session_stopped",
        "app_home_opened",
        "app_mention",
        "message.im",
    }
    assert "reactions:read" not in least["oauth_config"]["scopes"]["bot"]
    assert "reactions:read" in made()["oauth_config"]["scopes"]["bot"]
    assert {"message.channels", "message.groups"} <= set(made()["settings"]["event_subscriptions"]["bot_events"])


def test_no_scope_lets_the_bot_write_or_read_more_than_it_does() -> None:
    scopes = set(made()["oauth_config"]["scopes"]["bot"])
    assert not scopes & {
        "chat:write.public",
        "chat:write.customize",
        "usergroups:write",
        "files:write",
        "channels:join",
    }


@pytest.mark.parametrize("settings", [{}, {"follow_threads": False, "ask_reaction": None}])
def test_every_change_of_who_may_read_what_is_subscribed_to_whatever_is_switched_off(settings: dict[str, Any]) -> None:
    found = made(**settings)

    assert {*changes.EVENTS} <= set(found["settings"]["event_subscriptions"]["bot_events"])
    assert {"usergroups:read", "users:read.email"} <= set(found["oauth_config"]["scopes"]["bot"])


def test_socket_mode_has_no_addresses() -> None:
    found = made()

    assert found["settings"]["socket_mode_enabled"] is True
    assert "url" not in found["features"]["slash_commands"][0]
    assert "request_url" not in found["settings"]["interactivity"]


def test_http_mode_names_the_one_address_that_takes_everything() -> None:
    found = made(mode="http", public_url="https://bot.example.org/")
    url = "https://bot.example.org/slack/events"

    assert found["settings"]["socket_mode_enabled"] is False
    assert found["features"]["slash_commands"][0]["url"] == url
    assert found["settings"]["interactivity"]["request_url"] == url
    assert found["settings"]["event_subscriptions"]["request_url"] == url


def test_http_mode_without_an_address_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="address"):
        made(mode="http")


def test_what_slack_limits_is_within_its_limits() -> None:
    for language in Phrases().languages:
        view = manifest.manifest(SlackSettings(), public_url=None, language=language, say=Phrases().say)["features"][
            "agent_view"
        ]
        assert len(view["agent_description"]) <= 300
        assert 1 <= len(view["suggested_prompts"]) <= 4


def test_the_shortcut_and_the_command_are_those_that_are_heard() -> None:
    features = made(command="/frag")["features"]

    assert features["shortcuts"][0]["callback_id"] == convert.SHORTCUT
    assert features["slash_commands"][0]["command"] == "/frag"
