"""How often it was looked: a suite that looked too seldom, or under which too little was ever shown, fails."""

from __future__ import annotations

import pytest

from tests.canaries.conftest import WHOLE
from tests.canaries.lookout import CHECKS, FOUND

LEAST = 10_000

SHOWN = (
    "answer",
    "citations",
    "nearest",
    "passages",
    "pieces",
    "prompt",
    "post",
    "whisper",
    "web",
    "page",
    "explained",
)
"""Where words must have been seen: by those who may."""


def test_ten_thousand_checks_and_more_were_made(request: pytest.FixtureRequest) -> None:
    if not request.config.stash.get(WHOLE, False):
        pytest.skip("only part of the canaries was run")
    table = "\n".join(f"{count:>9,} {where}, {FOUND[where]:,} words rightly seen" for where, count in CHECKS.items())
    print(f"{CHECKS.total():,} checks:\n{table}")
    assert CHECKS.total() >= LEAST
    assert not [where for where in SHOWN if not FOUND[where]]
