"""Pure: from what Mattermost sends to what `bot.dialogue` hears, and from a `Post` to what Mattermost shows.

Text is Markdown on both sides. Who is meant by an `@name` is not in the posts, so mentions are read from their text as
the server reads them: outside code, and without the punctuation that ends a sentence.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from bot.platforms.events import File
from bot.platforms.interface import Button, Form, Post
from bot.platforms.mattermost.payloads import FileInfo
from bot.platforms.rendering import literal, pieces, quiet, sources_markdown

MESSAGE_RUNES = 15_000
"""Of one message; the server refuses more than 16,383, and a fence that is closed and opened again needs some."""

EVERYBODY = frozenset({"here", "channel", "all"})
"""`@here` and the others address whoever is in the channel."""

DIALOG_RUNES = 24
"""Of a form's title and of its button (Mattermost's and Slack's limit)."""

REMARK_RUNES = 3_000
"""Of what is written into a form: the most of a `textarea`."""

_CODE = re.compile(r"(?ms)^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)|(`+)[^`].*?(?<!`)\2(?!`)")
_MENTION = re.compile(r"(?<![\w.@/-])@([a-z0-9][a-z0-9._-]*)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…؟।]{1,9}[\"'”’»)\]*_]{0,9}(?=\s)|[。！？]|\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class Addressed:
    """Whom a text addresses."""

    text: str
    """Without the mentions of the bot."""
    bot: bool
    everybody: bool
    names: frozenset[str]
    """Every other name after an `@`, lower case, with and without its last punctuation: users, groups or nobody."""


def addressed(text: str, *, bot: str) -> Addressed:
    """Whom `text` addresses, where `bot` is the bot's username."""
    text = text.replace("\x00", "")
    code = [match.span() for match in _CODE.finditer(text)]
    kept: list[str] = []
    names: set[str] = set()
    done, found = 0, False
    for match in _MENTION.finditer(text):
        if any(start <= match.start() < end for start, end in code):
            continue
        readings = _readings(match[1].lower())
        if bot.lower() in readings:
            found = True
            kept.append(text[done : match.start()])
            done = match.start() + 1 + len(bot)
        else:
            names.update(readings)
    kept.append(text[done:])
    return Addressed(
        text=_joined(kept) if found else text.strip(),
        bot=found,
        everybody=bool(names & EVERYBODY),
        names=frozenset(names - EVERYBODY),
    )


def _readings(name: str) -> list[str]:
    """A name as written, and without each of the marks that may end a sentence after it."""
    found = [name]
    while len(name) > 1 and name[-1] in ".-_":
        name = name[:-1]
        found.append(name)
    return found


def _joined(parts: Sequence[str]) -> str:
    """What stood around the mentions, without the gap and the comma or colon that they leave."""
    text = parts[0]
    for part in parts[1:]:
        if not text.strip() or text.endswith("\n"):
            text += part.lstrip(" \t,:")
        elif part[:1] in (" ", "\t", ""):
            text = text.rstrip(" \t") + part
        else:
            text = text.rstrip(" \t") + part if part[0] in ",.:;!?" else text + part
    return text.strip()


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def language_of(locale: str) -> str | None:
    """`zh-CN` is `zh`; the server's own default is empty."""
    return locale.replace("_", "-").partition("-")[0].lower() or None


def file_of(info: FileInfo) -> File:
    return File(id=info.id, name=info.name, media_type=info.mime_type, size=info.size)


def digest(*parts: str) -> str:
    """A short name for something whose own id is long, or opens something and is not to be kept."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:26]


def addressed_to(person: str, url: str) -> str:
    """The address to answer a slash command at, with whom the server shows what is sent there: it does not say."""
    return f"{url.partition('#')[0]}#{person}" if url else ""


def is_addressed_to(person: str, respond_to: str) -> bool:
    return bool(person) and urlsplit(respond_to).fragment == person


def version_of(text: str) -> tuple[int, ...]:
    """`11.10.0.12345.abc.ee` is (11, 10, 0); what is no version is ()."""
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in found.groups(default="0")) if found else ()


def messages_of(post: Post, *, mention: Iterable[str] = ()) -> list[str]:
    """The texts of the messages that show `post`; `mention` are usernames, the only ones that it notifies."""
    parts = [" ".join(f"@{name}" for name in mention), quiet(post.text).strip()]
    parts.append(sources_markdown(post))
    # Set apart as a quotation, and without effect whatever names are in it.
    parts += ["\n".join(f"> {literal(line)}" for line in note.splitlines()) for note in post.notes]
    return texts_of("\n\n".join(part for part in parts if part))


def texts_of(markdown: str) -> list[str]:
    """At least one text, none longer than a message may be."""
    return pieces(markdown, limit=MESSAGE_RUNES, measure=len) or [""]


def props(buttons: Sequence[Button] = (), *, action_url: str | None = None) -> dict[str, Any]:
    """Everything beside a message's text; it takes the place of whatever was there.

    Without `action_url` there is nowhere that a press could be told, and so no button.
    """
    found: dict[str, Any] = {
        # The server sets it when a bot posts, and forgets it when the bot changes the post.
        "from_bot": "true",
        # No preview of a page, nor of an image (`Post.HasUnsafeLinks`; a string, by the server's own reading).
        "unsafe_links": "true",
        "mentionHighlightDisabled": True,
        "disable_group_highlight": True,
        "attachments": [],
    }
    if buttons and action_url:
        found["attachments"] = [{"actions": [_action(button, action_url) for button in buttons]}]
    return found


def _action(button: Button, url: str) -> dict[str, Any]:
    return {
        "id": button.action,
        "type": "button",
        "name": button.label,
        "integration": {"url": url, "context": {"value": button.value}},
    }


def dialog(form: Form, *, message: str) -> dict[str, Any]:
    """The form as the server takes it; `message` carries the button that opened it, and comes back with the answer."""
    return {
        "callback_id": message,
        "title": form.title[:DIALOG_RUNES],
        "submit_label": form.submit[:DIALOG_RUNES],
        "state": form.value,
        "elements": [
            {
                "display_name": form.label[:DIALOG_RUNES],
                "name": "remark",
                "type": "textarea",
                "optional": True,
                "max_length": REMARK_RUNES,
            }
        ],
    }


def has_sentence(text: str) -> bool:
    """Whether the first sentence of a text that is being written is complete."""
    return _SENTENCE_END.search(text.lstrip()) is not None
