"""Work for as long as somebody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

Result = TypeVar("Result")


async def while_connected(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result | None:
    """What `work` returns; None when the client went away first, and `work` was cancelled.

    The request's body must have been read: afterwards `receive` has nothing to say but that the client is gone.
    `work` is cancelled once, so that its own clean-up may still wait for something.
    """
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work)
            watcher = group.create_task(_cancel_when_gone(receive, task))
            task.add_done_callback(lambda _: watcher.cancel())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return None if task.cancelled() else task.result()


async def _cancel_when_gone(receive: Receive, task: asyncio.Task[Result]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    task.cancel()
