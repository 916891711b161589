"""For whoever runs the server: is the process up, can it answer, what has it done."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from bot.platforms.web.site import Check, site_of
from ingest.errors import SouffleurError

router = APIRouter()

CHECK_SECONDS = 2.0
"""Longest wait for one check; they run side by side."""


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is up; says nothing of what it needs (see `/readyz`)."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """200 when every check passes; 503 otherwise, with the reason of each that does not."""
    checks = site_of(request).checks
    async with asyncio.TaskGroup() as group:
        running = {name: group.create_task(_failure(check)) for name, check in checks.items()}
    failures = {name: reason for name, task in running.items() if (reason := task.result()) is not None}
    body = {"ready": not failures, "checks": {name: failures.get(name, "ok") for name in checks}}
    return JSONResponse(body, 503 if failures else 200, headers={"Cache-Control": "no-store"})


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    return Response(generate_latest(site_of(request).registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _failure(check: Check) -> str | None:
    """Why the check did not pass, in one line; None when it did."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} s"
    except (SouffleurError, OSError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return None
