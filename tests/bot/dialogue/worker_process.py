"""A process that takes an event, says so on standard output, and never ends its work.

Arguments: the database's address, the lease in seconds.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from bot.conversations import SCHEMA
from bot.dialogue.inbox import LEASE, Inbox
from bot.dialogue.workers import Claim, Workers
from ingest.database import connect


async def never_ending(claim: Claim) -> None:
    print(claim.event.key, flush=True)
    await asyncio.Event().wait()


async def nothing(claim: Claim, error: BaseException) -> None:
    pass


async def main(address: str, lease: timedelta) -> None:
    engine = await connect(address, None, SCHEMA)
    in_time = lease / LEASE
    workers = Workers(
        Inbox(engine, lease=lease),
        never_ending,
        nothing,
        at_once=4,
        poll_seconds=1,
        sleep=lambda seconds: asyncio.sleep(seconds * in_time),
    )
    await workers.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], timedelta(seconds=float(sys.argv[2]))))
