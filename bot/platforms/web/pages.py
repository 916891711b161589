"""What a browser opens: the chat page, a document's text, the turns of a thread, and the session for documents."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from urllib.parse import quote, unquote
from uuid import UUID

import jinja2
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from bot.phrases import direction
from bot.platforms.web.conversation import readable_turns, stored_turns
from bot.platforms.web.keys import COOKIE, identify
from bot.platforms.web.markdown import answer_html, document_html
from bot.platforms.web.refusal import Refusal
from bot.platforms.web.site import language_of, site_of

router = APIRouter()

FOLDER = Path(__file__).parent / "page"
MEDIA_TYPES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
ASSETS = {name: (FOLDER / name).read_bytes() for name in MEDIA_TYPES}
VERSION = hashlib.sha256(b"".join(ASSETS.values())).hexdigest()[:12]
"""Part of the assets' addresses, so that browsers may keep them for ever."""

DOCUMENT_SECONDS = 10.0
"""Longest wait for a document's text."""

SCRIPT_PHRASES = (
    "nearest",
    "web-answer-ready",
    "web-copied",
    "web-copy",
    "web-no-connection",
    "web-sources",
    "web-stopped",
)
"""What `page.js` says itself; the rest stands in `index.html`."""

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
)


@router.get("/")
async def chat_page(request: Request) -> Response:
    say, language = site_of(request).say, language_of(request)
    phrases = {key.removeprefix("web-"): say(language, key) for key in SCRIPT_PHRASES}
    return page_response(request, "index.html", phrases=phrases)


@router.get("/page/{name}")
async def asset(name: str) -> Response:
    if name not in ASSETS:
        raise Refusal(404, "web-not-found", code="not_found")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(ASSETS[name], media_type=MEDIA_TYPES[name], headers=headers)


@router.post("/session")
async def session(request: Request) -> Response:
    """Checks the key of the Authorization header, and lets the browser open documents with it until it is closed."""
    identify(request, site_of(request).keys)
    response = Response(status_code=204)
    if key := request.headers.get("authorization", "").partition(" ")[2].strip():
        value, secure = quote(key, safe=""), _over_tls(request)
        response.set_cookie(COOKIE, value, path="/documents", httponly=True, samesite="lax", secure=secure)
    return response


@router.get("/documents/{source}/{document:path}")
async def document(request: Request, source: str, document: str) -> Response:
    """The indexed text of a document. One that the asker may not read is told exactly as one that is not there."""
    site = site_of(request)
    try:
        asker = identify(request, site.keys, key=unquote(request.cookies.get(COOKIE, "")))
    except Refusal as refusal:
        # A stale cookie must not keep the browser out once no key is needed, or another one was entered.
        refusal.headers["Set-Cookie"] = f"{COOKIE}=; Path=/documents; Max-Age=0"
        raise
    async with asyncio.timeout(DOCUMENT_SECONDS):
        found = await site.documents(source, document, asker.readers)
    if found is None:
        raise Refusal(404, "web-no-document", code="not_found")
    title, passages = found
    html = await asyncio.to_thread(document_html, passages, title)
    return page_response(request, "document.html", title=title, html=html, place=f"{source} / {document}")


@router.get("/threads/{thread}")
async def thread(request: Request, thread: UUID) -> Response:
    """The turns of a thread of the asker, citations unlinked; somebody else's is as one that is not there.

    In place of an answer that rests on what the asker may not read any more, that it was withdrawn.
    """
    site = site_of(request)
    asker = identify(request, site.keys)
    stored = await stored_turns(site, str(thread), asker)
    if not stored:
        raise Refusal(404, "web-not-found", code="not_found")
    withdrawn = site.say(language_of(request), "answer-withdrawn")
    turns = [
        {"role": turn.role, "text": turn.text, "html": answer_html(turn.text, {})}
        for turn in await readable_turns(site, stored, asker, withdrawn=withdrawn)
    ]
    return JSONResponse({"turns": turns})


def page_response(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    say, language = site_of(request).say, language_of(request)
    html = _templates.get_template(template).render(
        say=lambda key: say(language, key),
        language=language,
        direction=direction(language),
        version=VERSION,
        **values,
    )
    return HTMLResponse(html, status, headers={"Vary": "Accept-Language"})


def _over_tls(request: Request) -> bool:
    public_url = site_of(request).public_url or ""
    forwarded = request.headers.get("x-forwarded-proto", "")
    return "https" in {request.url.scheme, forwarded} or public_url.startswith("https:")
