"""Pages of websites: the article alone, without what a site puts around and between it on every page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from configparser import ConfigParser
from copy import deepcopy

import trafilatura
from selectolax.lexbor import LexborHTMLParser
from trafilatura.settings import DEFAULT_CONFIG

from ingest.model import Original, Parsed
from ingest.parsers.interface import NoText, ParsingSettings
from ingest.parsers.text import content, first_heading, moment, tidy
from ingest.parsers.web_page import changed_at, decode_page, markdown, metas, page_title, prune

DATES = ("dateModified", "datePublished")

LEAST_SHARE = 0.3
"""Of the words of a page's main part. Where the article is less, it was not recognised: a list of links, a table."""

ROW = re.compile(r"\|.*\|")
RULE_ROW = re.compile(r"\|[-:| ]+\|")
WORD = re.compile(r"\w+")


def _config() -> ConfigParser:
    """A short page is as much an article as a long one: the library would take all the text of the page instead."""
    config = deepcopy(DEFAULT_CONFIG)
    config["DEFAULT"]["MIN_EXTRACTED_SIZE"] = "1"
    config["DEFAULT"]["MIN_OUTPUT_SIZE"] = "1"
    return config


class Article:
    """The parser of a website's pages. It looks for no front matter: only the source says who may read a page."""

    name = "article"

    def __init__(self, settings: ParsingSettings) -> None:
        """Nothing of `settings` applies."""
        self._config = _config()

    def parse(self, original: Original) -> Parsed:
        tree = LexborHTMLParser(decode_page(content(original)).replace("\r\n", "\n").replace("\r", "\n"))
        said, linked, named = metas(tree), _linked_data(tree), tree.css_first("title")
        page_name = named.text() if named else None
        for form in tree.css("body > form"):
            form.unwrap()
        prune(tree)
        text = self._article(tree)
        if not text:
            raise NoText("there is no text in it, apart from navigation and scripts")
        return Parsed(
            text=text,
            title=page_title(page_name, first_heading(text, level=1), original.name) or first_heading(text),
            author=said.get("author") or linked.get("author"),
            updated_at=changed_at(said) or moment(linked.get("dateModified")) or moment(linked.get("datePublished")),
        )

    def _article(self, tree: LexborHTMLParser) -> str:
        recognised = trafilatura.extract(
            tree.html or "",
            output_format="markdown",
            include_comments=False,
            include_tables=True,
            favor_recall=True,
            config=self._config,
        )
        article, whole = tidy(_ruled(recognised or "")), tidy(markdown(tree))
        words = len(WORD.findall(article))
        return article if words and words >= LEAST_SHARE * len(WORD.findall(whole)) else whole


def _linked_data(tree: LexborHTMLParser) -> dict[str, str]:
    """Author and dates of the first thing in the page's JSON-LD (schema.org) that has them."""
    found: dict[str, str] = {}
    for script in tree.css("script[type='application/ld+json']"):
        try:
            things = list(_things(json.loads(script.text())))
        except (ValueError, RecursionError):
            continue
        for thing in things:
            author = thing.get("author")
            author = author[0] if isinstance(author, list) and author else author
            author = author.get("name") if isinstance(author, dict) else author
            for key, value in (("author", author), *((key, thing.get(key)) for key in DATES)):
                if isinstance(value, str) and value.strip():
                    found.setdefault(key, " ".join(value.split()))
    return found


def _things(data: object) -> Iterator[dict[str, object]]:
    """The thing itself, those of a list, and those of a `@graph`."""
    if isinstance(data, list):
        for item in data:
            yield from _things(item)
    elif isinstance(data, dict):
        yield data
        yield from _things(data.get("@graph"))


def _ruled(text: str) -> str:
    """With the line below a table's first row that makes it a table in Markdown."""
    lines: list[str] = []
    inside = False
    for line in text.split("\n"):
        row = line.strip()
        if ROW.fullmatch(row):
            if inside and len(lines) and not RULE_ROW.fullmatch(row) and lines[-1] == "":
                lines.pop()
            lines.append(row)
            if not inside:
                lines.append("|" + " --- |" * (row.count("|") - row.count(r"\|") - 1))
            elif RULE_ROW.fullmatch(row):
                lines.pop()
            inside = True
        else:
            lines.append(line)
            inside = False
    return "\n".join(lines)
