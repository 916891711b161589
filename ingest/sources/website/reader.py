"""One address: asked for, unless it has not changed, and understood."""

from __future__ import annotations

import asyncio
import codecs
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import Message
from pathlib import Path

import httpx

from ingest.model import Original, Parsed
from ingest.parsers import markup
from ingest.parsers.interface import NoText, ParseError
from ingest.parsers.text import moment
from ingest.sources.interface import DocumentTooLarge
from ingest.sources.website import sitemap
from ingest.sources.website.cache import Cache, Record
from ingest.sources.website.client import Answer, Client, Unanswered
from ingest.sources.website.page import PageFacts
from ingest.sources.website.sitemap import Unreadable
from ingest.sources.website.urls import document_id, file_name, normal

LARGEST_PAGE = 20 * 1024 * 1024
"""Bytes of HTML; the longest pages that people read have a tenth."""

MADE_JUST_NOW = timedelta(minutes=1)
"""A server that makes a page when it is asked for it calls that its last change."""

NO_DOCUMENTS = re.compile(r"(?:image|audio|video|font)/.*|text/(?:css|javascript)|application/(?:javascript|wasm)")
FEEDS = re.compile(r"application/(?:rss|atom|json|ld|feed|manifest)\b.*|(?:application|text)/(?:xml|json)")
"""Media types of what programs read; what is in feeds stands on pages."""

CANONICAL = re.compile(r"<([^<>]{1,2000})>\s*;[^,]{0,300}?\brel\s*=\s*\"?canonical\b", re.I)

ROBOTS_WORDS = frozenset({"all", "none", "index", "noindex", "follow", "nofollow"})

Parse = Callable[[Original, str], Awaitable[Parsed]]
"""`Sandbox.parse`."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was asked for is at another address; `to` is None where that is none that can be followed."""

    to: str | None


@dataclass(frozen=True, slots=True)
class Missing:
    """There is nothing at the address."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What is at the address is no document, or not for us."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """It could not be seen what is at the address."""

    reason: str
    away: bool = False
    """The same is to be expected of other addresses."""


Seen = Record | Moved | Missing | Refused | Unseen


class Reader:
    """Asks for addresses, and keeps in the cache what it learns."""

    def __init__(self, client: Client, cache: Cache, parse: Parse, *, name: str, max_bytes: int) -> None:
        """`name`: ours, as pages and servers may address us by."""
        self._client = client
        self._cache = cache
        self._parse = parse
        self._name = name.lower()
        self._max_bytes = max_bytes

    async def read(self, url: str, *, known: Record | None = None, lastmod: str | None = None) -> Seen:
        """What is at `url`; `known` itself when the server says that nothing has changed since.

        `lastmod` is the last change as a sitemap has it. Raises `AddressRefused`, `OSError`.
        """
        if known is not None and known.too_large is not None and known.too_large < self._max_bytes:
            known = None
        headers = httpx.Headers()

        def wanted(received: httpx.Headers) -> None:
            headers.update(received)
            if NO_DOCUMENTS.fullmatch(media_type := _media_type(received) or ""):
                raise _Unwanted(f"{media_type} holds no text")

        part = await asyncio.to_thread(self._cache.part)
        try:
            answer = await self._client.get(
                url, part, max_bytes=self._max_bytes, headers=_conditions(known), wanted=wanted
            )
            if answer.status == httpx.codes.OK:
                return await self._understood(url, answer, part, lastmod)
            return _without_content(url, answer, known)
        except (_Unwanted, DocumentTooLarge) as error:
            refused = _described(url, headers).model_copy(
                update={
                    "refusal": str(error),
                    "too_large": self._max_bytes if isinstance(error, DocumentTooLarge) else None,
                }
            )
            await asyncio.to_thread(self._cache.keep, refused)
            return refused
        except Unanswered as error:
            return Unseen(str(error), away=error.away)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)

    async def _understood(self, url: str, answer: Answer, part: Path, lastmod: str | None) -> Seen:
        headers = answer.headers
        directives = _directives(headers.get_list("x-robots-tag"), self._name)
        found = _described(url, headers).model_copy(
            update={
                "version": answer.digest,
                "size": answer.size,
                "changed": moment(lastmod) or _changed(headers),
                "noindex": bool(directives & {"noindex", "none"}),
            }
        )
        if answer.size == 0:
            seen: Seen = found.model_copy(update={"version": "", "refusal": "there is nothing in it"})
        elif await asyncio.to_thread(sitemap.is_sitemap, part, url):
            seen = await self._sitemap(found, part)
        elif await asyncio.to_thread(_is_page, part, found):
            seen = await self._page(found, part, directives, headers)
        elif FEEDS.fullmatch(found.media_type or ""):
            seen = found.model_copy(update={"version": "", "refusal": f"{found.media_type} is for programs"})
        else:
            seen = found
        if isinstance(seen, Record):
            kept = seen.version and not (seen.noindex or seen.refusal)
            await asyncio.to_thread(self._cache.keep, seen, part if kept else None)
        return seen

    async def _sitemap(self, found: Record, part: Path) -> Seen:
        try:
            read = await asyncio.to_thread(sitemap.read, part, found.url)
        except Unreadable as error:
            return Unseen(f"it {error}")
        return found.model_copy(
            update={"kind": "sitemap", "version": "", "pages": tuple(read.pages), "sitemaps": tuple(read.sitemaps)}
        )

    async def _page(self, found: Record, part: Path, directives: frozenset[str], headers: httpx.Headers) -> Seen:
        if found.size > LARGEST_PAGE:
            return Refused(f"a page of more than {LARGEST_PAGE >> 20} MiB")
        await asyncio.to_thread(_mark_encoding, part, _charset(headers))
        original = Original(path=part, name=page_name(found.url), media_type="text/html")
        try:
            facts = PageFacts.model_validate_json((await self._parse(original, "page")).text)
        except NoText:
            return Refused("there is no text on it")
        except ParseError as error:
            return Unseen(str(error))
        url, base = found.url, _base(facts.base, found.url)
        if facts.refresh is not None and (to := normal(facts.refresh, base)) not in (None, url):
            return Moved(to)
        directives |= frozenset(_words(facts.robots))
        links = dict.fromkeys(link for address in facts.links if (link := normal(address, base)) not in (None, url))
        return found.model_copy(
            update={
                "kind": "page",
                "media_type": "text/html",
                "version": facts.digest or "",
                "size": (await asyncio.to_thread(part.stat)).st_size,
                "noindex": bool(directives & {"noindex", "none"}),
                "login": facts.login,
                "refusal": _refusal(facts),
                "canonical": _elsewhere(url, facts.canonical, base) or found.canonical,
                "links": () if directives & {"nofollow", "none"} else tuple(links),
            }
        )


def page_name(url: str) -> str:
    """A file name for the page, by which parsers know it for one."""
    name = file_name(url)
    return name if name.lower().endswith((".html", ".htm", ".xhtml")) else f"{name}.html"


class _Unwanted(Exception):
    """The headers say that there is no document; the text says what there is."""


def _described(url: str, headers: httpx.Headers) -> Record:
    """What the headers tell."""
    return Record(
        url=url,
        kind="file",
        etag=headers.get("etag"),
        last_modified=headers.get("last-modified"),
        media_type=_media_type(headers),
        canonical=_elsewhere(url, next(iter(CANONICAL.findall(headers.get("link", ""))), None), url),
    )


def _conditions(known: Record | None) -> dict[str, str]:
    """Headers that let the server say that nothing has changed."""
    conditions = {}
    if known is not None and known.etag:
        conditions["If-None-Match"] = known.etag
    if known is not None and known.last_modified:
        conditions["If-Modified-Since"] = known.last_modified
    return conditions


def _without_content(url: str, answer: Answer, known: Record | None) -> Seen:
    status = answer.status
    if status == httpx.codes.NOT_MODIFIED and known is not None and _conditions(known):
        return known
    if status in (404, 410):
        return Missing()
    if status in (401, 403, 407):
        return Refused(f"its server answers {status}: nobody may read it without signing in")
    if status in (301, 302, 303, 307, 308):
        return Moved(normal(answer.headers.get("location", ""), url))
    if status >= 400:
        return Refused(f"its server answers {status}")
    return Unseen(f"its server answers {status}, which was not asked for")


def _refusal(facts: PageFacts) -> str | None:
    if facts.login:
        return "a page to sign in, which is all that is shown without"
    return None if facts.digest else "there is no text on it until its scripts have run"


def _elsewhere(url: str, canonical: str | None, base: str) -> str | None:
    """Where a page says that it really is, if that is another document."""
    to = normal(canonical, base) if canonical else None
    return None if to is None or document_id(to) == document_id(url) else to


def _base(declared: str | None, url: str) -> str:
    return (normal(declared, url) if declared else None) or url


def _media_type(headers: httpx.Headers) -> str | None:
    said = Message()
    said["content-type"] = headers.get("content-type", "")
    known = said.get_content_type() if headers.get("content-type") else None
    return None if known in (None, "application/octet-stream", "binary/octet-stream") else known


def _charset(headers: httpx.Headers) -> str | None:
    said = Message()
    said["content-type"] = headers.get("content-type", "")
    charset = said.get_param("charset")
    try:
        return codecs.lookup(charset).name if isinstance(charset, str) else None
    except LookupError:
        return None


def _is_page(part: Path, found: Record) -> bool:
    """Whether what was sent is HTML: the server calls it that, or nothing, and it begins like it."""
    if found.media_type not in (*markup.HTML_TYPES, None):
        return False
    original = Original(path=part, name=page_name(found.url), media_type="text/html")
    with part.open("rb") as file:
        begins = markup.HTML_START.match(file.read(markup.SNIFFED))
    return markup.kind(original) == "html" and bool(begins or found.media_type)


def _mark_encoding(part: Path, charset: str | None) -> None:
    """Make the encoding that the server declared, which nothing in the page overrides, plain to all who read it."""
    data = part.read_bytes()
    if charset is not None and not data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            text = data.decode(charset, "replace")
        except (LookupError, UnicodeError):
            return
        part.write_bytes(codecs.BOM_UTF8 + text.encode("utf-8", "replace"))


def _changed(headers: httpx.Headers) -> datetime | None:
    changed, now = moment(headers.get("last-modified")), moment(headers.get("date"))
    return None if changed and now and now - changed < MADE_JUST_NOW else changed


def _directives(tags: Iterable[str], name: str) -> frozenset[str]:
    """What `X-Robots-Tag` asks of us: `noindex`, or `otherbot: noindex` for somebody else."""
    asked: set[str] = set()
    for tag in tags:
        addressee = ""
        for item in tag.lower().split(","):
            before, colon, after = item.partition(":")
            if colon and before.strip() not in ROBOTS_WORDS:
                addressee, item = before.strip(), after
            if addressee in ("", name):
                asked.update(_words(item))
    return frozenset(asked)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]
