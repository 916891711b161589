"""Markdown and plain text: read without native code.

Tags of site generators are replaced by what they show; comments and raw HTML tags go.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Literal

from ingest.model import Original, Parsed
from ingest.parsers.front_matter import split
from ingest.parsers.interface import NoText, ParsingSettings
from ingest.parsers.text import content, decode, first_heading, is_text, tidy

MARKDOWN_SUFFIXES = frozenset((".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd"))
MARKDOWN_TYPES = frozenset(("text/markdown", "text/x-markdown"))
TEXT_SUFFIXES = frozenset((".txt", ".text", ".log", ""))
TEXT_TYPES = frozenset(("text/plain",))
HTML_SUFFIXES = frozenset((".html", ".htm", ".xhtml"))
HTML_TYPES = frozenset(("text/html", "application/xhtml+xml"))

SNIFFED = 4096
"""Bytes that tell text from anything else."""

NOT_TEXT = re.compile(rb"\s*(?:%PDF-|\{\\rtf)")
HTML_START = re.compile(rb"\s*(?:<!doctype html|<html[\s>])", re.I)

CODE = r"^ {0,3}(?P<fence>```+|~~~+).*?(?:^ {0,3}(?P=fence)|\Z)|(?P<tick>`{1,3})[^\n]{0,500}?(?P=tick)"
CLEANED = re.compile(
    rf"{CODE}"
    r"|<!--.*?(?:-->|\Z)|\{%-?\s*comment\s*-?%\}.*?(?:\{%-?\s*endcomment\s*-?%\}|\Z)"
    r"|(?P<liquid>\{%[^{%]*%\})|(?<!\$)\{\{[^{}]*\}\}|^\{:[^{}\n]*\}[ \t]*$"
    r"|(?P<tag></?(?:a|abbr|article|b|br|button|center|details|div|em|figcaption|figure|font|hr|i|img|kbd|p|section|small"
    r"|span|strong|sub|summary|sup|u)(?:\s[^<>]*)?/?>)",
    re.S | re.M | re.I,
)
"""Code, which stays as it is, and what a page shows in part or not at all.

Every alternative is linear in the text: this runs outside the limits of a worker."""
UNSEEN_TAGS = (
    "include",
    "image",
    "render",
    "raw",
    "layout",
    "import",
    "set",
    "assign",
    "if",
    "for",
    "unless",
    "case",
    "capture",
)
QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")


def kind(original: Original) -> Literal["text", "html"] | None:
    """What the first bytes allow, and name or media type say; None for everything else. Raises OSError.

    Text is what this module reads. HTML that a text's name hides is HTML.
    """
    suffix = PurePath(original.name).suffix.lower()
    as_text = suffix in TEXT_SUFFIXES or original.media_type in TEXT_TYPES or _is_markdown(original)
    as_html = suffix in HTML_SUFFIXES or original.media_type in HTML_TYPES
    if not (as_text or as_html):
        return None
    with original.path.open("rb") as file:
        head = file.read(SNIFFED)
    if NOT_TEXT.match(head) or not is_text(head):
        return None
    return "html" if HTML_START.match(head) or (as_html and not as_text) else "text"


def _is_markdown(original: Original) -> bool:
    return PurePath(original.name).suffix.lower() in MARKDOWN_SUFFIXES or original.media_type in MARKDOWN_TYPES


class Markup:
    """The parser of Markdown and plain text."""

    name = "markup"

    def __init__(self, settings: ParsingSettings) -> None:
        """Nothing of `settings` applies."""

    def parse(self, original: Original) -> Parsed:
        text = decode(content(original)).replace("\r\n", "\n").replace("\r", "\n")
        parsed = _markdown(text) if _is_markdown(original) else _plain(text)
        if not parsed.text:
            raise NoText("there is no text in it")
        return parsed


def _markdown(text: str) -> Parsed:
    fields, body = split(text)
    body = tidy(CLEANED.sub(_shown, body))
    return Parsed(
        text=body,
        title=fields.title or first_heading(body, level=1),
        author=fields.author,
        updated_at=fields.updated_at,
        readers=fields.readers,
    )


def _plain(text: str) -> Parsed:
    """Of front matter, plain text has its readers only; all else stays as it is written."""
    return Parsed(text=tidy(text), readers=split(text)[0].readers)


def _shown(found: re.Match[str]) -> str:
    if found["fence"] or found["tick"]:
        return found[0]
    if found["liquid"]:
        words = found[0].strip("{}%- \t\n")
        if words.startswith(UNSEEN_TAGS):
            return ""
        quoted = QUOTED.search(words)
        return (quoted[1] or quoted[2] or "") if quoted else ""
    if found["tag"]:
        return "\n" if found["tag"].lower().startswith(("<br", "</p", "</div", "<hr", "</summary")) else ""
    return ""
