"""What becomes of Markdown: Slack hands it out as the blocks that it made of it.

docs.slack.dev/reference/block-kit/blocks/markdown-block: one block may become several, and its `block_id` is not kept.
Which ones is not said there; here it is rich text (docs.slack.dev/reference/block-kit/blocks/rich-text-block).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])

_STYLES = {"strong": "bold", "em": "italic", "s": "strike", "code_inline": "code"}


def handed_out(blocks: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Blocks as messages are read back with them."""
    found: list[dict[str, Any]] = []
    for place, block in enumerate(blocks):
        if block["type"] == "markdown":
            elements = [*_elements(SyntaxTreeNode(_tokens(block["text"])).children)]
            found.append({"type": "rich_text", "block_id": f"rt{place}", "elements": elements})
        else:
            found.append(dict(block))
    return found


def _tokens(markdown: str) -> Sequence[Token]:
    return _MARKDOWN.parse(markdown)


def _elements(nodes: Iterable[SyntaxTreeNode]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        match node.type:
            case "fence" | "code_block":
                text = {"type": "text", "text": node.content.removesuffix("\n")}
                yield {"type": "rich_text_preformatted", "elements": [text], "border": 0}
            case "bullet_list" | "ordered_list":
                yield from _list(node, indent=0)
            case "blockquote":
                yield {"type": "rich_text_quote", "elements": _inside(node)}
            case "hr":
                continue
            case _:
                yield _section([*_inside(node), {"type": "text", "text": "\n"}])


def _list(node: SyntaxTreeNode, *, indent: int) -> Iterator[dict[str, Any]]:
    style = "ordered" if node.type == "ordered_list" else "bullet"
    for item in node.children:
        own = [child for child in item.children if not child.type.endswith("_list")]
        elements = [_section([part for child in own for part in _inside(child)])]
        yield {"type": "rich_text_list", "style": style, "indent": indent, "elements": elements}
        for child in item.children:
            if child.type.endswith("_list"):
                yield from _list(child, indent=indent + 1)


def _section(elements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": elements}


def _inside(node: SyntaxTreeNode) -> list[dict[str, Any]]:
    """Texts and links of everything within, with their styles; cells of tables with bars between them."""
    found: list[dict[str, Any]] = []
    for part in node.walk():
        if part.type in ("text", "code_inline"):
            around = {_STYLES[type]: True for type in (part.type, *_above(part)) if type in _STYLES}
            link = next((up for up in _ancestors(part) if up.type == "link"), None)
            kind = {"type": "link", "url": str(link.attrs["href"])} if link else {"type": "text"}
            found.append({**kind, "text": part.content, **({"style": around} if around else {})})
        elif part.type in ("softbreak", "hardbreak", "tr"):
            found.append({"type": "text", "text": "\n"})
        elif part.type in ("td", "th"):
            found.append({"type": "text", "text": " | "})
    return found


def _ancestors(node: SyntaxTreeNode) -> Iterator[SyntaxTreeNode]:
    while (up := node.parent) is not None and not up.is_root:
        yield up
        node = up


def _above(node: SyntaxTreeNode) -> list[str]:
    return [up.type for up in _ancestors(node)]
