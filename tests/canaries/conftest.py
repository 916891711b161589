"""The house that tests begin with, and the order of the last test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.canaries.bot import conversations
from tests.canaries.company import small
from tests.canaries.house import house
from tests.canaries.lookout import Heard, logs

WHOLE = pytest.StashKey[bool]()
"""Whether all modules of canaries are run."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The count comes last, whatever the order of the others."""
    own = [item for item in items if item.path.parent == Path(__file__).parent]
    counting = [item for item in own if item.path.name == "test_counted.py"]
    config.stash[WHOLE] = {item.path for item in own} == set(Path(__file__).parent.glob("test_*.py"))
    items[:] = [*(item for item in items if item not in counting), *counting]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ledger, index and conversations on the first day, to be copied."""
    folder = tmp_path_factory.mktemp("canaries")

    async def build() -> None:
        async with house(folder, small()), conversations(folder):
            pass

    asyncio.run(build())
    return folder


@pytest.fixture
def heard() -> Iterator[Heard]:
    with logs() as lines:
        yield lines
