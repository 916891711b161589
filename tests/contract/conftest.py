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
    if platform == "slack":
        from tests.contract.slack import SlackWorkplace

        return SlackWorkplace()
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
