"""What the readers of web pages share: how a page is decoded, what it says of itself, what a reader would not see."""

from __future__ import annotations

import re
from datetime import datetime

import kreuzberg
from selectolax.lexbor import LexborHTMLParser

from ingest.parsers.interface import ParseError
from ingest.parsers.text import decode, moment, title

CHARSET = re.compile(rb"<meta[^>]{1,200}charset\s*=\s*[\"']?([\w-]{2,40})", re.I)

UNREAD = (
    "script, style, noscript, template, svg, iframe, object, form, button, input, select, textarea, dialog, nav, "
    "aside, body > header, body > footer, [role=navigation], [role=banner], [role=contentinfo], [role=search], "
    "[hidden], [aria-hidden=true], .sr-only, .visually-hidden, .skip-link, .sidebar, .breadcrumb, .breadcrumbs"
)
HIDING_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])", re.I
)
MAIN = ("main", "[role=main]", "article")

DATE_METAS = (
    "article:modified_time",
    "og:updated_time",
    "last-modified",
    "dcterms.modified",
    "article:published_time",
    "date",
)

TITLE_SEPARATOR = re.compile(r"\s+[|·—–]\s+")


CONFIG = kreuzberg.ExtractionConfig(
    use_cache=False,
    output_format="markdown",
    html_options={"extract_metadata": False, "escape_misc": False},
)


def decode_page(data: bytes) -> str:
    """As browsers do: a byte order mark, then what the page says of itself, then a guess."""
    declared = CHARSET.search(data, 0, 4096)
    if declared and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode(declared[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            return decode(data)
    return decode(data)


def metas(tree: LexborHTMLParser) -> dict[str, str]:
    """The content of each `meta` by its name or property, in lower case; the first counts."""
    found: dict[str, str] = {}
    for meta in tree.css("meta[content]"):
        key = meta.attributes.get("name") or meta.attributes.get("property") or ""
        found.setdefault(key.lower(), " ".join((meta.attributes.get("content") or "").split()))
    return found


def changed_at(metas: dict[str, str]) -> datetime | None:
    """When the page was last changed, by its own word."""
    return next((found for name in DATE_METAS if (found := moment(metas.get(name)))), None)


def prune(tree: LexborHTMLParser) -> None:
    """Take out navigation, scripts, and what is hidden."""
    for node in tree.css(UNREAD):
        node.decompose()
    for node in tree.css("img[src^='data:']"):
        node.attrs["src"] = "embedded"
    for node in tree.css("[style]"):
        if HIDING_STYLE.search(node.attributes.get("style") or ""):
            node.decompose()


def markdown(tree: LexborHTMLParser) -> str:
    """The page's main part, where it marks one, as Markdown. Raises `ParseError`.

    The conversion is kreuzberg's, which keeps tables, lists and code blocks best.
    """
    main = next((nodes[0] for selector in MAIN if len(nodes := tree.css(selector)) == 1), tree.body)
    markup = f"<html><body>{main.html if main else ''}</body></html>".encode("utf-8", "replace")
    try:
        return kreuzberg.extract_bytes_sync(markup, "text/html", CONFIG).content
    except kreuzberg.KreuzbergError as error:
        raise ParseError(f"the page cannot be read: {error.message}") from error


def page_title(page: str | None, heading: str | None, name: str) -> str | None:
    """The page's title without the site's name, which is the part that the first heading does not repeat."""
    if (whole := title(page, name)) is None:
        return title(heading, name)
    if heading and heading in (TITLE_SEPARATOR.split(whole)[0], whole.partition(" - ")[0]):
        return heading
    return whole
