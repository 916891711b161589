"""For whoever runs the server: is the process up, can it answer, what has it done."""

from __future__ import annotations

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from bot.platforms.web.keys import identify, is_known
from bot.platforms.web.site import site_of

router = APIRouter()


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is up; says nothing of what it needs (see `/readyz`)."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """200 when every check passes; 503 otherwise. Why one does not is told to who might ask, and for all in the log."""
    site = site_of(request)
    failures = await site.readiness.failures()
    if not is_known(request, site.keys):
        failures = dict.fromkeys(failures, "failed")
    checks = {name: failures.get(name, "ok") for name in site.readiness.checks}
    return JSONResponse({"ready": not failures, "checks": checks}, 503 if failures else 200)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """For who might ask: what is asked, how much, and in which languages is nobody else's to know."""
    site = site_of(request)
    identify(request, site.keys)
    return Response(generate_latest(site.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
