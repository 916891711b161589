"""The offices of the contract suite: one a platform, on its fake, or on a real server that an option names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.cases import NOT_APPLICABLE
from tests.contract.office import Office, office
from tests.contract.workplace import Workplace

PLATFORMS = ("slack", "mattermost")


def workplace_of(platform: str, config: pytest.Config) -> Workplace:
    """The fake, or the server of `--mattermost-url` and `--slack-url`, with tokens from the environment."""
    if platform == "slack":
        if url := config.getoption("--slack-url"):
            from tests.contract.slack_server import Access as SlackAccess
            from tests.contract.slack_server import SlackServerWorkplace

            return SlackServerWorkplace(url, SlackAccess())
        from tests.contract.slack import SlackWorkplace

        return SlackWorkplace()
    if url := config.getoption("--mattermost-url"):
        from tests.contract.mattermost_server import Access, MattermostServerWorkplace

        return MattermostServerWorkplace(url, Access().admin_token)
    from tests.contract.mattermost import MattermostWorkplace

    return MattermostWorkplace()


@pytest.fixture(params=PLATFORMS)
async def at(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    """An office, with nobody attending yet."""
    case = request.node.get_closest_marker("case").args[0]
    if reason := NOT_APPLICABLE[request.param].get(case):
        pytest.skip(reason)
    async with office(workplace_of(request.param, request.config), tmp_path) as opened:
        yield opened
        assert not await opened.workplace.refused()
