"""Options of the test run, and the fixtures of everything that talks to a gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import hypothesis
import pytest
import stamina

from ingest import database
from tests.fixtures.gateway import Gateway

pytest_plugins = ["tests.fixtures.postgres"]


hypothesis.settings.register_profile("no clock", deadline=None)
hypothesis.settings.load_profile("no clock")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--litellm", metavar="PATH", help="a `litellm` executable (of an environment of its own) to test against"
    )
    parser.addoption(
        "--mattermost-url",
        metavar="URL",
        help="a Mattermost server for tests/contract, in place of the fake: see tests/contract/mattermost_server.py",
    )
    parser.addoption(
        "--slack-url",
        metavar="URL",
        help="a Slack Web API (https://slack.com/api/) for tests/contract, in place of the fake: see "
        "tests/contract/slack_server.py",
    )


@pytest.fixture(scope="session", autouse=True)
def no_wait_for_the_disk() -> Iterator[None]:
    """SQLite leaves it to the system when the disk has what was written: a process may die, the power may not fail."""
    prepare = database._prepare_sqlite

    def prepared(connection: Any, record: Any) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA synchronous = OFF").close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_prepare_sqlite", prepared)
        yield


@pytest.fixture
def without_waits() -> Iterator[None]:
    """Retries happen, the waits between them do not."""
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
async def base_url(gateway: Gateway) -> AsyncIterator[str]:
    async with gateway.served() as base_url:
        yield base_url
