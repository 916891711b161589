"""Whom a text mentions, word for word as the server finds it (its `StandardMentionParser`), and what can be clicked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.fakes.mattermost.attachments import attachments

EVERYBODY = frozenset({"@here", "@channel", "@all"})

_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>()\[\]]+", re.IGNORECASE)


def mentioned(texts: Iterable[str], names: Mapping[str, str]) -> set[str]:
    """Ids of those whose `@username` is in the texts, outside code; all of `names` for `@channel` and its like.

    `names` is of the members of the channel: others are never notified.
    """
    found: set[str] = set()
    for text in texts:
        for prose in _prose(text):
            for word in _words(prose):
                if word in EVERYBODY:
                    found |= set(names.values())
                elif word[:1] == "@" and word[1:] in names:
                    found.add(names[word[1:]])
    return found


def texts_with_mentions(row: Mapping[str, Any]) -> list[str]:
    """What of a post is searched for mentions: the message, and of attachments the pretext and the text alone."""
    return [row["message"], *(part for a in attachments(row) for part in (a.get("pretext"), a.get("text")) if part)]


def links(text: str) -> list[str]:
    """Addresses that can be clicked in a text, or are loaded by it: Markdown links, images, bare addresses."""
    found: list[str] = []
    for token in _inline(text):
        if token.type in ("link_open", "image"):
            found.append(str(token.attrs.get("href") or token.attrs.get("src")))
        elif token.type == "text":
            found += [address.rstrip(".,;:!?'\"") for address in _ADDRESS.findall(token.content)]
    return [*dict.fromkeys(found)]


def _prose(text: str) -> Iterator[str]:
    """Text outside code, as the server's Markdown parser hands it on."""
    return (token.content for token in _inline(text) if token.type == "text")


def _inline(text: str) -> Iterator[Token]:
    for block in _MARKDOWN.parse(text):
        yield from block.children or ()


def _words(text: str) -> Iterator[str]:
    """Candidates for a mention: words, then what is left without punctuation at the end, then their parts."""
    for field in re.findall(r"(?:[^\W_]|[:.\-_@])+", text):
        if field[0] == field[-1] == ":":
            continue  # an emoji
        word = field.lstrip(":.-_").lower()
        yield word
        while word.endswith((".", "-", ":", "_")):
            word = word[:-1]
            yield word
        if not word.startswith("@"):
            yield from re.split(r"[.\-:]", word)
