"""What a page says to those who crawl it, read where hostile HTML can do no harm.

`Page` is a parser for the sandbox: its text is not the page's but `PageFacts` as JSON.
"""

from __future__ import annotations

import hashlib
import re

from pydantic import BaseModel, ConfigDict
from selectolax.lexbor import LexborHTMLParser

from ingest.model import Original, Parsed
from ingest.parsers.article import Article
from ingest.parsers.interface import NoText, ParsingSettings
from ingest.parsers.text import content
from ingest.parsers.web_page import decode_page, prune

MOST_LINKS = 5_000
"""Of one page; the largest index pages have hundreds."""

LONGEST_LINK = 2_000

LOGIN_WORDS = 100
"""A page that asks for a password and says less than this besides its forms is there to sign in."""

REFRESH = re.compile(r"\s*(\d{1,3})(?:\.\d*)?\s*[;,]\s*(?:url\s*=)?\s*[\"']?\s*([^\"'\s]+)", re.I)

SOON = 10
"""Seconds after which a page that leads elsewhere by itself is a redirect; a slide show waits longer."""

WORD = re.compile(r"\w+")


class PageFacts(BaseModel):
    """Addresses are as they are written in the page, relative to `base`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str | None
    links: tuple[str, ...]
    canonical: str | None
    refresh: str | None
    """Where the page leads by itself."""
    robots: str
    """What it asks of those who crawl it: `noindex, nofollow`."""
    login: bool
    digest: str | None
    """Of all that a reader would find: the same as long as that is. None when there is nothing."""


class Page:
    """The parser of a page's facts."""

    name = "page"

    def __init__(self, settings: ParsingSettings) -> None:
        self._article = Article(settings)

    def parse(self, original: Original) -> Parsed:
        tree = LexborHTMLParser(decode_page(content(original)))
        canonical = tree.css_first("link[rel~=canonical i][href]")
        base = tree.css_first("base[href]")
        refresh = tree.css_first("meta[http-equiv=refresh i][content]")
        facts = PageFacts(
            base=(base.attributes.get("href") if base else None) or None,
            links=_links(tree),
            canonical=(canonical.attributes.get("href") if canonical else None) or None,
            refresh=_refresh((refresh.attributes.get("content") if refresh else None) or ""),
            robots=", ".join(node.attributes.get("content") or "" for node in tree.css("meta[name=robots i]")).lower(),
            login=_is_login(tree),
            digest=self._digest(original),
        )
        return Parsed(text=facts.model_dump_json())

    def _digest(self, original: Original) -> str | None:
        try:
            parsed = self._article.parse(original)
        except NoText:
            return None
        said = (parsed.text, parsed.title, parsed.author, parsed.updated_at and parsed.updated_at.isoformat())
        return hashlib.sha256(repr(said).encode("utf-8", "surrogatepass")).hexdigest()


def _links(tree: LexborHTMLParser) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for node in tree.css("a[href], area[href]"):
        address = (node.attributes.get("href") or "").strip()
        if address and not address.startswith("#") and len(address) <= LONGEST_LINK:
            found[address] = None
        if len(found) == MOST_LINKS:
            break
    return tuple(found)


def _refresh(content: str) -> str | None:
    found = REFRESH.match(content)
    return found[2] if found and int(found[1]) <= SOON else None


def _is_login(tree: LexborHTMLParser) -> bool:
    """Prunes the tree."""
    if tree.css_first("input[type=password i]") is None:
        return False
    prune(tree)
    return tree.body is None or len(WORD.findall(tree.body.text(separator=" "))) < LOGIN_WORDS
