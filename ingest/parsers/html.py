"""Web pages: the main content as Markdown, without navigation, scripts and what a reader would not see."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

from ingest.model import Original, Parsed
from ingest.parsers.front_matter import split
from ingest.parsers.interface import NoText, ParsingSettings
from ingest.parsers.text import content, first_heading, tidy
from ingest.parsers.web_page import changed_at, decode_page, markdown, metas, page_title, prune


class Html:
    """The parser of HTML. All of the page's main part is read, where it marks one."""

    name = "html"

    def __init__(self, settings: ParsingSettings) -> None:
        """Nothing of `settings` applies."""

    def parse(self, original: Original) -> Parsed:
        fields, page = split(decode_page(content(original)).replace("\r\n", "\n").replace("\r", "\n"))
        tree = LexborHTMLParser(page)
        said = metas(tree)
        named = tree.css_first("title")
        named_title = named.text() if named else None
        prune(tree)
        text = tidy(markdown(tree))
        if not text:
            raise NoText("there is no text in it, apart from navigation and scripts")
        return Parsed(
            text=text,
            title=fields.title
            or page_title(named_title, first_heading(text, level=1), original.name)
            or first_heading(text),
            author=fields.author or said.get("author") or None,
            updated_at=fields.updated_at or changed_at(said),
            readers=fields.readers,
        )
