"""The citations of an answer for readers: a Markdown list, OpenAI's annotations, links; all from metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from bot.model import Passage
from bot.phrases import Say
from bot.platforms.interface import Source, sources
from bot.platforms.places import opened_at
from bot.platforms.rendering import LOCK
from bot.platforms.web.markdown import NUMBER, Link, answer_html, escaped, passage_id


def sources_of(passages: Iterable[Passage], *, language: str, say: Say, base_url: str = "") -> tuple[Source, ...]:
    """What `passages` show of themselves in `language`.

    A document without an address of its own is linked to its page on this server, at `base_url` (empty: relative).
    """
    return sources(passages, language=language, say=say, address_of=lambda passage: _address(passage, base_url))


def _address(passage: Passage, base_url: str) -> str:
    return opened_at(passage) or base_url + document_path(passage)


def document_path(passage: Passage) -> str:
    chunk = passage.chunk
    return f"/documents/{quote(chunk.source, safe='')}/{quote(chunk.document)}#{passage_id(chunk.position)}"


def markdown_list(listed: Sequence[Source], *, label: str, numbered: bool = True) -> str:
    """The list that follows the answer's text for readers who see nothing but the text; empty without sources."""
    if not listed:
        return ""
    lines = [(f"- [{source.number}] " if numbered else "- ") + _line(source) for source in listed]
    return f"\n\n**{escaped(label)}**\n\n" + "\n".join(lines)


def _line(source: Source) -> str:
    lock = (f"{LOCK} {source.restricted}",) if source.restricted else ()
    places = ", ".join((*source.place, *lock))
    return f"[{escaped(source.title)}]({_in_parentheses(source.url)})" + (f" — {escaped(places)}" if places else "")


def markdown_notes(notes: Iterable[str]) -> str:
    """What an answer's readers should know, below its text."""
    return "".join(f"\n\n*{escaped(note)}*" for note in notes)


def _in_parentheses(url: str) -> str:
    return re.sub(r"[\s()<>\\]", lambda match: quote(match[0], safe=""), url)


def url_citations(text: str, listed: Sequence[Source]) -> list[dict[str, object]]:
    """OpenAI's `url_citation` for every `[n]` in `text` that stands for a source; indexes count characters."""
    by_number = {source.number: source for source in listed}
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": match.start(),
                "end_index": match.end(),
                "url": source.url,
                "title": source.title,
            },
        }
        for match in NUMBER.finditer(text)
        if (source := by_number.get(int(match[1]))) is not None
    ]


def html_with_sources(text: str, listed: Sequence[Source], *, language: str, say: Say) -> str:
    """The answer's HTML, each number linked to its source."""
    links: dict[int, Link] = {
        source.number: (source.url, say(language, "web-source", number=source.number, title=source.title))
        for source in listed
    }
    return answer_html(text, links)
