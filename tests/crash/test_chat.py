"""The short form of `python -m tests.crash.chat`."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

from tests.crash import chain, chat
from tests.crash.company import Companies

SEED = "short"

RUNS = 2
"""On each platform; they take some eight seconds each."""


async def test_every_question_is_answered_once_whatever_strikes_two_replicas(tmp_path: Path) -> None:
    chain.start_forking()
    companies = await Companies.made(tmp_path, logs=tmp_path, server=None)
    rows = await asyncio.gather(
        *(chat.struck(companies, platform, RUNS, f"{SEED}/{platform}/sqlite") for platform in chat.PLATFORMS)
    )

    for row in itertools.chain.from_iterable(rows):
        assert not row.wrong, f"{row.seed}: {row.strike}"
