"""As `warm`, for replicas of the bot: what is slow the first time."""

from __future__ import annotations

import importlib
from contextlib import suppress

from bot.language import LanguageDecider
from bot.phrases import Phrases
from tests.crash import replica  # noqa: F401

LanguageDecider(("en", "de")).warm()
Phrases().say("en", "sources")
for name in (
    *("bot.platforms.slack.platform", "bot.platforms.mattermost.platform", "bot.platforms.web"),
    *("bot.llm.openai_compatible", "bot.platforms.web.server", "aiosqlite", "psycopg", "uvicorn.loops.auto"),
    *("uvicorn.protocols.http.auto", "slack_bolt.async_app", "py3langid"),
):
    with suppress(ImportError):
        importlib.import_module(name)
