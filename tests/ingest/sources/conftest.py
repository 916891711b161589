"""Fixtures of the far sides that several test modules share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.mattermost import Mattermost as Server
from tests.fakes.slack import Slack
from tests.fixtures.mattermost_shelf import Chat, Shelf
from tests.fixtures.slack_run import Run, Runs, made
from tests.fixtures.website import Site
from tests.fixtures.website_visitor import Visitor


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    slack = Slack(page_size=2)
    async with slack.served():
        yield slack


@pytest.fixture
def run(slack: Slack, tmp_path: Path) -> Runs:
    """A listing by a new program: `async with run(since, setting=…) as listed`."""

    @asynccontextmanager
    async def opened(since: str | None = None, *, cache: str = "cache", **settings: Any) -> AsyncIterator[Run]:
        source = made(slack, tmp_path / cache, **settings)
        try:
            yield await Run(source).list(since)
        finally:
            await source.close()

    return opened


@pytest.fixture
def chat() -> Chat:
    return Chat(Server())


@pytest.fixture
def shelf(chat: Chat) -> Shelf:
    return Shelf(chat.server)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    async with made.served():
        yield made


@pytest.fixture
def visitor(site: Site, tmp_path: Path) -> Visitor:
    return Visitor(site, tmp_path)
