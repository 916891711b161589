"""Posts as Block Kit. Pure.

Limits (https://docs.slack.dev/reference/block-kit/blocks): 50 blocks a message, 12,000 characters in all its Markdown
blocks together, 3,000 in a section, 10 elements in a context.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.platforms import rendering
from bot.platforms.interface import Button, Form, Post
from bot.platforms.slack.convert import ACTION, REMARK
from bot.platforms.slack.markup import escaped

Block = dict[str, Any]

PAGE_BYTES = 9_000
"""UTF-8 bytes of text in one message. A streamed message ends with `msg_too_long` at some 10,600 to 12,000, by reports
from the field; below that, so that its sources fit too."""

MARKDOWN_CHARACTERS = 10_500
"""In the Markdown blocks of one message, of Slack's 12,000; all blocks together are held to some 13,000, by reports."""

NOTE_CHARACTERS = 200

NOTES = 10
"""In one context block."""

PREVIEW_CHARACTERS = 250
"""Of the text of a notification."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One message."""

    markdown: str
    """Mentions in it notify nobody."""
    under: tuple[Block, ...] = ()
    over: tuple[Block, ...] = ()

    @property
    def blocks(self) -> list[Block]:
        text = [{"type": "markdown", "text": self.markdown}] if self.markdown.strip() else []
        return [*self.over, *text, *self.under]

    @property
    def preview(self) -> str:
        """The text of its notification, in Slack's markup: the beginning of what it says."""
        plain = escaped(rendering.first_sentence(self.markdown, limit=PREVIEW_CHARACTERS))
        mentioned = " ".join(block["text"]["text"] for block in self.over)
        return f"{mentioned} {plain}".strip() or "…"


def size(text: str) -> int:
    """What `PAGE_BYTES` counts."""
    return len(text.encode())


def pages(post: Post) -> list[Page]:
    """The messages that a post takes; what belongs under it is under the last."""
    return _paged(post, rendering.quiet(post.text), over=_mentions(post.mention))


def continued(post: Post, text: str) -> list[Page]:
    """The same where only `text`, the end of it, is still to be shown."""
    return _paged(post, text, over=())


def ending(post: Post, above: str) -> tuple[list[Block], list[Page]]:
    """What belongs under the text of a post: blocks for the message that ends with `above`, and further messages
    where it does not fit.
    """
    sources = rendering.sources_markdown(post) if post.sources else ""
    rest = _under(post)
    if len(above) + len(sources) <= MARKDOWN_CHARACTERS:
        return [*_markdown(sources), *rest], []
    texts = rendering.pieces(sources, limit=PAGE_BYTES, measure=size)
    last = Page(markdown=texts[-1], under=tuple(rest))
    return [], [*(Page(markdown=text) for text in texts[:-1]), last]


def writing(text: str, stop: Button | None) -> list[Block]:
    """An unfinished message."""
    return [*_markdown(text), *(_actions([stop]) if stop else [])]


def form(asked: Form, metadata: str) -> dict[str, Any]:
    """The modal of a form."""
    field = {"type": "plain_text_input", "action_id": REMARK, "multiline": True, "max_length": 3000}
    return {
        "type": "modal",
        "callback_id": ACTION,
        "private_metadata": metadata,
        "title": _plain(asked.title, 24),
        "submit": _plain(asked.submit, 24),
        "blocks": [
            {
                "type": "input",
                "block_id": REMARK,
                "optional": True,
                "label": _plain(asked.label, 2000),
                "element": field,
            }
        ],
    }


def _paged(post: Post, text: str, *, over: tuple[Block, ...]) -> list[Page]:
    texts = rendering.pieces(text, limit=PAGE_BYTES, measure=size) or [""]
    found = [Page(markdown=piece, over=() if place else over) for place, piece in enumerate(texts)]
    under, further = ending(post, texts[-1])
    return [*found[:-1], replace(found[-1], under=tuple(under)), *further]


def _mentions(people: Sequence[str]) -> tuple[Block, ...]:
    if not people:
        return ()
    text = " ".join(f"<@{id}>" for id in people)
    return ({"type": "section", "text": {"type": "mrkdwn", "text": text}},)


def _markdown(text: str) -> list[Block]:
    return [{"type": "markdown", "text": text}] if text.strip() else []


def _under(post: Post) -> list[Block]:
    notes = [_plain(note, NOTE_CHARACTERS) for note in post.notes if note.strip()][:NOTES]
    context: list[Block] = [{"type": "context", "elements": notes}] if notes else []
    up = next((button for button in post.buttons if button.action == "up"), None)
    down = next((button for button in post.buttons if button.action == "down"), None)
    if up is None or down is None:
        return [*context, *_actions(post.buttons)]
    rest = [button for button in post.buttons if button not in (up, down)]
    feedback = {
        "type": "feedback_buttons",
        "action_id": f"{ACTION}_feedback",
        "positive_button": _choice(up),
        "negative_button": _choice(down),
    }
    return [*context, *_actions(rest), {"type": "context_actions", "elements": [feedback]}]


def _actions(buttons: Sequence[Button]) -> list[Block]:
    elements = [
        {
            "type": "button",
            "action_id": f"{ACTION}_{button.action}",
            "text": _plain(button.label, 75),
            "value": button.value,
        }
        for button in buttons
    ]
    return [{"type": "actions", "elements": elements}] if elements else []


def _choice(button: Button) -> Block:
    label = _plain(button.label, 75)
    return {"text": label, "accessibility_label": label["text"], "value": button.value}


def _plain(text: str, limit: int) -> Block:
    shortened = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return {"type": "plain_text", "text": shortened, "emoji": True}
