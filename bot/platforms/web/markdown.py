"""Markdown of models and documents to HTML that can do nothing: no raw HTML, no images, no links of its own.

Attributes that markdown-it writes itself are kept, but for inline styles, which the Content-Security-Policy forbids.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

Link = tuple[str, str]
"""Address and label of the source that a number stands for."""

DEFINITIONS = MarkdownIt("commonmark", {"html": False}).disable(["inline", "text_join"])
"""Finds what a text's links stand for, which may be told in another passage than the link's."""

NUMBER = re.compile(r"\[(\d{1,3})\]")


def answer_html(text: str, links: Mapping[int, Link] | None) -> str:
    """HTML of an answer. `[n]` becomes a link where `links` knows `n`; any other link or image stays as written.

    `links` is None while the answer is being written, when its sources are not known yet. Headings start at the third
    level: the question above the answer is the second.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.disable(["link", "image", "autolink", "reference", "html_block", "html_inline", "entity"])
    tokens = reader.parse(text)
    _without_styles(tokens)
    _headings_from(tokens, 3)
    for token in tokens:
        if token.children:
            token.children = [part for child in token.children for part in _with_links(child, links)]
    html: str = reader.renderer.render(tokens, reader.options, {})
    return html


def document_html(passages: Sequence[str], title: str) -> str:
    """HTML of a document: links keep their words, images their description.

    Each passage is a section with its `passage_id`. Headings start at the second level, and one that repeats the title
    is left out: the page shows it above.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.add_render_rule("link_open", _nothing)
    reader.add_render_rule("link_close", _nothing)
    reader.add_render_rule("image", _description)
    env: EnvType = {}
    DEFINITIONS.parse("\n\n".join(passages), env)
    sections = [reader.parse(passage, env) for passage in passages]
    first = sections[0] if sections else []
    if len(first) > 2 and first[0].type == "heading_open" and first[1].content.strip() == title.strip():
        del first[:3]
    tokens: list[Token] = []
    for position, section in enumerate(sections):
        tokens.append(_raw(f'<section id="{passage_id(position)}">\n'))
        tokens += section
        tokens.append(_raw("</section>\n"))
    _without_styles(tokens)
    _headings_from(tokens, 2)
    html: str = reader.renderer.render(tokens, reader.options, env)
    return html


def passage_id(position: int) -> str:
    """The id of a passage on its document's page, by its position there, from 0."""
    return f"passage-{position + 1}"


def _raw(html: str) -> Token:
    return Token("html_block", "", 0, content=html)


def escaped(text: str) -> str:
    """Plain text as Markdown that shows exactly it, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&])", r"\\\1", " ".join(text.split()))


def _without_styles(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if style := token.attrs.pop("style", None):
            token.attrJoin("class", str(style).replace("text-align:", "align-"))


def _headings_from(tokens: Sequence[Token], level: int) -> None:
    headings = [token for token in tokens if token.type in {"heading_open", "heading_close"}]
    highest = min((int(token.tag[1]) for token in headings), default=1)
    for token in headings:
        token.tag = f"h{min(6, int(token.tag[1]) + level - highest)}"


def _with_links(token: Token, links: Mapping[int, Link] | None) -> list[Token]:
    """A text token cut at the numbers that are links; any other token as it is."""
    if token.type != "text":
        return [token]
    parts: list[Token] = []
    end = 0
    for match in NUMBER.finditer(token.content):
        if links is None:
            html = f'<span class="cite">{match[1]}</span>'
        elif link := links.get(int(match[1])):
            html = _citation_html(match[1], link)
        else:
            continue
        parts.append(Token("text", "", 0, content=token.content[end : match.start()]))
        parts.append(Token("html_inline", "", 0, content=html))
        end = match.end()
    return [*parts, Token("text", "", 0, content=token.content[end:])]


def _citation_html(number: str, link: Link) -> str:
    address, label = link
    return (
        f'<a class="cite" href="{escape(address)}" target="_blank" rel="noopener noreferrer" '
        f'title="{escape(label)}" aria-label="{escape(label)}">{number}</a>'
    )


def _nothing(_self: RendererHTML, _tokens: Sequence[Token], _index: int, _options: OptionsDict, _env: EnvType) -> str:
    return ""


def _description(_self: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType) -> str:
    return escape(tokens[index].content)
