"""Options of the test run."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--litellm", metavar="PATH", help="a `litellm` executable (of an environment of its own) to test against"
    )
