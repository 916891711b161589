"""What Slack accepts as blocks, and how they read (docs.slack.dev/reference/block-kit)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt

from tests.fakes.slack.wire import Refused

AT_MOST = 50
"""Blocks of a message (docs.slack.dev/reference/block-kit/blocks)."""

ALL_TEXT = 13_200
"""Characters of all blocks of a message together, found out by others: bolt-js issue 2509 measured between 13,172 and
13,297 before `msg_blocks_too_long`. The documented limit of a markdown block is 12,000."""

MARKDOWN, SECTION, HEADER, PLAIN = 12_000, 3_000, 150, 75
"""Characters of a markdown block, a section's text, a header and a button's text (each block's own page)."""

ELEMENTS = {"actions": 25, "context": 10, "context_actions": 5}
VALUE, IDENTIFIER, ROWS, COLUMNS = 2_000, 255, 100, 20

KINDS = frozenset(
    {
        *("actions", "context", "context_actions", "divider", "header", "image", "input", "markdown", "plan"),
        *("rich_text", "section", "table", "task_card", "alert", "card", "carousel", "container", "file", "video"),
    }
)

MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
BROADCAST = re.compile(r"<!(?:here|channel|everyone|subteam\^[A-Z0-9]+)(?:\|[^<>]*)?>")
_ANGLED = re.compile(r"<([^<>\s|]+)(?:\|([^<>]*))?>")
_BARE = re.compile(r"https?://[^\s<>()\[\]|]+")
_LINKED = re.compile(r"!?\[((?:[^\[\]\\]|\\.)*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_FENCED = re.compile(r"(^[ \t]*(?:```|~~~)[^\n]*\n.*?^[ \t]*(?:```|~~~)[ \t]*$)", re.MULTILINE | re.DOTALL)
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def checked(blocks: Any) -> list[dict[str, Any]]:
    """`blocks` as they are stored, each with an id. Raises `Refused` for what Slack refuses."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise Refused("invalid_blocks_format")
    if len(blocks) > AT_MOST:
        raise Refused("msg_blocks_too_many", response_metadata={"messages": [f"[ERROR] no more than {AT_MOST} items"]})
    for place, block in enumerate(blocks):
        if problem := _problem(block):
            told = f"[ERROR] {problem} [json-pointer:/{place}]"
            raise Refused("invalid_blocks", response_metadata={"messages": [told]})
    named = [block.get("block_id") for block in blocks if block.get("block_id")]
    if len(named) != len(set(named)):
        raise Refused("invalid_blocks", response_metadata={"messages": ["[ERROR] block_id occurs twice"]})
    if sum(len(text) for block in blocks for text in strings(block)) > ALL_TEXT:
        raise Refused("msg_blocks_too_long")
    return [{"block_id": f"b{place}", **block} for place, block in enumerate(blocks)]


def _problem(block: Mapping[str, Any]) -> str:
    kind = block.get("type")
    if kind not in KINDS:
        return f"unsupported type: {kind}"
    if len(str(block.get("block_id", ""))) > IDENTIFIER:
        return "block_id is too long"
    if kind == "markdown":
        return _length(block.get("text"), MARKDOWN)
    if kind == "header":
        return _length((block.get("text") or {}).get("text"), HEADER)
    if kind == "section":
        fields = block.get("fields") or []
        if "text" not in block and not fields:
            return "missing required field: text"
        return _length((block.get("text") or {"text": "-"}).get("text"), SECTION) or _elements([block.get("accessory")])
    if kind == "table":
        rows = block.get("rows") or []
        return "too many cells" if len(rows) > ROWS or any(len(row) > COLUMNS for row in rows) else ""
    elements = block.get("elements") or []
    if kind in ELEMENTS and not 1 <= len(elements) <= ELEMENTS[kind]:
        return f"{kind} takes 1 to {ELEMENTS[kind]} elements"
    return _elements(elements) if kind in ELEMENTS else ""


def _elements(elements: Sequence[Any]) -> str:
    """docs.slack.dev/reference/block-kit/block-elements/button-element and …/feedback-buttons-element."""
    for element in elements:
        if not isinstance(element, dict):
            continue
        if len(str(element.get("action_id", ""))) > IDENTIFIER:
            return "action_id is too long"
        if element.get("type") == "feedback_buttons":
            choices = [element.get("positive_button") or {}, element.get("negative_button") or {}]
            if not all(choice.get("value") for choice in choices):
                return "feedback_buttons need two buttons with values"
        elif element.get("type") in ("button", "icon_button"):
            choices = [element]
        else:
            continue
        for choice in choices:
            if len(str(choice.get("value", ""))) > VALUE:
                return "value is too long"
            if problem := _length((choice.get("text") or {}).get("text"), PLAIN):
                return problem
    return ""


def _length(text: Any, at_most: int) -> str:
    if not isinstance(text, str) or not text:
        return "missing required field: text"
    return f"must be less than {at_most + 1} characters" if len(text) > at_most else ""


def strings(part: Any) -> Iterator[str]:
    """Every text of a block, its own and of all that is in it."""
    if isinstance(part, Mapping):
        if isinstance(part.get("text"), str):
            yield part["text"]
        for value in part.values():
            if isinstance(value, Mapping | list):
                yield from strings(value)
    elif isinstance(part, list):
        for each in part:
            yield from strings(each)


def buttons(blocks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    """Every element that can be pressed, with its block; feedback buttons as the two that they are."""
    for block in blocks:
        for element in [*(block.get("elements") or []), block.get("accessory")]:
            if not isinstance(element, Mapping):
                continue
            if element.get("type") == "feedback_buttons":
                for side in ("positive", "negative"):
                    yield block, {**element, **element[f"{side}_button"], "side": side}
            elif element.get("type") in ("button", "icon_button"):
                yield block, dict(element)


def readable(block: Mapping[str, Any]) -> tuple[str, list[str]]:
    """What is read in one block, without the labels of its buttons; and the addresses that can be clicked in it."""
    match block["type"]:
        case "markdown":
            return from_markdown(block["text"])
        case "task_card" | "plan":
            return "\n".join(strings(block)), []
        case "context_actions" | "actions" | "divider":
            return "", []
        case "rich_text" | "table":
            found = [element["url"] for element in _leaves(block) if element.get("type") == "link"]
            return "".join(strings(block)), found
        case _:
            texts, links = [], []
            for part in [block.get("text"), *(block.get("fields") or []), *(block.get("elements") or [])]:
                if isinstance(part, Mapping) and isinstance(part.get("text"), str):
                    text, found = (part["text"], []) if part.get("type") == "plain_text" else from_mrkdwn(part["text"])
                    texts.append(text)
                    links += found
            return "\n".join(texts), links


def _leaves(part: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(part, Mapping):
        yield part
        for value in part.values():
            yield from _leaves(value)
    elif isinstance(part, list):
        for each in part:
            yield from _leaves(each)


def from_mrkdwn(text: str) -> tuple[str, list[str]]:
    """docs.slack.dev/messaging/formatting-message-text: `<url|label>`, `&lt;`, and bare addresses are links too."""
    links: list[str] = []

    def shown(match: re.Match[str]) -> str:
        target, label = match.group(1), match.group(2)
        if target[0] in "@#!":
            return target[0] + (label or target[1:])
        links.append(target)
        return label or target

    read = _ANGLED.sub(shown, text)
    links += [url for url in _BARE.findall(_ANGLED.sub(" ", text)) if url not in links]
    return read.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), links


def from_markdown(text: str) -> tuple[str, list[str]]:
    """docs.slack.dev/reference/block-kit/blocks/markdown-block: standard Markdown; bare addresses become links.

    The text keeps its marks, so that a fence which is not closed is seen; links are their labels, escapes are gone.
    """
    links: list[str] = []
    for child in (child for token in _MARKDOWN.parse(text) for child in token.children or []):
        if child.type == "text":
            links += [url.rstrip(".,;:!?") for url in _BARE.findall(child.content)]
        elif child.type in ("link_open", "image"):
            links.append(str(child.attrGet("href") or child.attrGet("src")))
    parts = _FENCED.split(text)
    parts[::2] = [_ESCAPED.sub(r"\1", _LINKED.sub(r"\1", part)) for part in parts[::2]]
    return "".join(parts).strip(), list(dict.fromkeys(links))
