"""The application, made of values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from prometheus_client import CollectorRegistry
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from bot.model import Answerer
from bot.phrases import Say
from bot.platforms.web import openai_api, pages, probes
from bot.platforms.web.guard import Guard
from bot.platforms.web.keys import Keys
from bot.platforms.web.readiness import Check, Readiness
from bot.platforms.web.refusal import BadRequest, Refusal, error_body
from bot.platforms.web.site import (
    Allows,
    ReadDocument,
    ReadThread,
    Site,
    Slots,
    accepted_language,
    language_of,
    site_of,
)
from ingest.model import DocumentKey, Readers

BODY_LIMIT = 1_000_000
"""Bytes of a request's body: a long conversation, and far from what could hurt."""


def create_app(
    *,
    answerer: Answerer,
    keys: Keys,
    say: Say,
    languages: Sequence[str],
    documents: ReadDocument,
    registry: CollectorRegistry,
    threads: ReadThread | None = None,
    allows: Allows | None = None,
    checks: Mapping[str, Check] | None = None,
    public_url: str | None = None,
    routes: Sequence[BaseRoute] = (),
    concurrent_answers: int = 16,
    answer_seconds: float = 300,
) -> FastAPI:
    """The web platform as an ASGI application.

    Args:
        answerer: whom every question goes to.
        keys: who may ask from elsewhere than this machine.
        say: a phrase in one of `languages`.
        languages: what `say` speaks, the fallback first.
        documents: the text of a document, for its page.
        registry: what `/metrics` shows.
        threads: stored turns of a thread; without it, the history is what each request brings along.
        allows: which documents somebody may read now; without it, no stored answer that rests on any is shown.
        checks: what `/readyz` awaits, by name.
        public_url: where others reach this server, for links in answers; default: as the request addressed it.
        routes: of other platforms, which see to themselves who may call them.
        concurrent_answers: further questions are refused with 429.
        answer_seconds: longest time for one answer.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.site = Site(
        answerer=answerer,
        keys=keys,
        say=say,
        languages=tuple(languages),
        documents=documents,
        threads=threads,
        allows=allows or _none_allowed,
        readiness=Readiness(checks or {}),
        registry=registry,
        slots=Slots(concurrent_answers),
        answer_seconds=answer_seconds,
        public_url=public_url.rstrip("/") if public_url else None,
    )

    def sentence(headers: Headers, key: str, **values: str | int) -> str:
        language = accepted_language(headers.get("accept-language", ""), tuple(languages)) or languages[0]
        return say(language, key, **values)

    for room in (openai_api, pages, probes):
        app.include_router(room.router)
    app.router.routes.extend(routes)
    app.add_middleware(Guard, body_limit=BODY_LIMIT, sentence=sentence)
    _tell_errors(app)
    return app


async def _none_allowed(documents: Collection[DocumentKey], tokens: Readers) -> set[DocumentKey]:
    return set()


def _tell_errors(app: FastAPI) -> None:
    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> Response:
        message = site_of(request).say(language_of(request), refusal.key, **refusal.values)
        if "text/html" in request.headers.get("accept", ""):
            response: Response = pages.page_response(request, "refusal.html", status=refusal.status, message=message)
        else:
            body = error_body(refusal.status, message, code=refusal.code, param=refusal.param)
            response = JSONResponse(body, refusal.status)
        response.headers.update(refusal.headers)
        return response

    @app.exception_handler(BadRequest)
    async def badly_asked(_: Request, error: BadRequest) -> Response:
        return JSONResponse(error_body(error.status, str(error), code=error.code, param=error.param), error.status)

    @app.exception_handler(HTTPException)
    async def not_routed(request: Request, error: HTTPException) -> Response:
        """No such address, or not with this method."""
        headers = error.headers
        return await refused(request, Refusal(error.status_code, "web-not-found", code="not_found", headers=headers))

    @app.exception_handler(RequestValidationError)
    async def no_such_id(request: Request, _: RequestValidationError) -> Response:
        """Only the id of a thread is validated by its route."""
        return await refused(request, Refusal(404, "web-not-found", code="not_found"))
