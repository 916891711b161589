"""The methods of the Web API, by what they are about (docs.slack.dev/reference/methods)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fakes.slack.methods import agents, chat, conversations, directory, streams, views
from tests.fakes.slack.people import People
from tests.fakes.slack.wire import Params

Method = Callable[[People, Params], dict[str, Any]]

METHODS: dict[str, Method] = {
    **conversations.METHODS,
    **directory.METHODS,
    **chat.METHODS,
    **streams.METHODS,
    **agents.METHODS,
    **views.METHODS,
}
"""What the server knows; a test of another part of Slack adds its own."""
