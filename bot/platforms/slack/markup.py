"""Slack's own markup to Markdown, and plain text to that markup. Pure: names come in, nothing is looked up.

The markup (https://docs.slack.dev/messaging/formatting-message-text): `*bold*`, `~struck~`, `<url|words>`, `<@U…>`,
`<#C…|name>`, `<!here>`, `<!subteam^S…|@group>`, code in backticks, and `&`, `<`, `>` written as entities.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

FENCED = re.compile(r"(```.*?```)", re.S)

PIECE = re.compile(
    r"(?P<code>`[^`\n]+`)"
    r"|<(?P<reference>[^<>\n]+)>"
    r"|(?<![\w*])\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w~])~(?P<struck>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])"
)

REFERENCE = re.compile(r"<([^<>\n]+)>")

USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")

EVERYBODY = ("!here", "!channel", "!everyone", "!subteam^")
"""References that address more people than one."""

ADDRESS = re.compile(r"(?:https?|ftps?)://\S+|mailto:\S+|tel:\S+", re.I)

BULLET = re.compile(r"^([ \t]*)[•◦▪‣]\ufe0e?[ \t]+", re.M)


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """Who we are, and what others are called; an id that is not here is shown as it is."""

    own_user: str
    users: Mapping[str, str] = field(default_factory=dict)


def markdown(text: str, names: Names) -> str:
    """Markdown with people as `@Name`, without the mention of the bot itself."""
    parts = [
        _unescaped(part) if place % 2 else BULLET.sub(r"\1- ", _inline(part, names))
        for place, part in enumerate(FENCED.split(text))
    ]
    return "".join(parts).strip()


def users(texts: Iterable[str]) -> set[str]:
    """Ids of the people that the texts mention."""
    return {found[1] for text in texts for found in USER.finditer(text)}


def mentions(text: str, user: str) -> bool:
    return user in users([text])


def addresses_others(text: str, names: Names) -> bool:
    """Whether somebody else than the bot, a group, or everybody is mentioned."""
    if users([text]) - {names.own_user}:
        return True
    return any(found[1].startswith(EVERYBODY) for found in REFERENCE.finditer(text))


def escaped(text: str) -> str:
    """Plain text as Slack's markup: nothing in it is a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _inline(text: str, names: Names) -> str:
    def replaced(found: re.Match[str]) -> str:
        if (reference := found["reference"]) is not None:
            return _reference(reference, names)
        if (code := found["code"]) is not None:
            return _unescaped(code)
        if (bold := found["bold"]) is not None:
            return f"**{_inline(bold, names)}**"
        return f"~~{_inline(found['struck'], names)}~~"

    parts: list[str] = []
    end = 0
    for found in PIECE.finditer(text):
        parts += (_unescaped(text[end : found.start()]), replaced(found))
        end = found.end()
        if not parts[-1] and parts[-2].endswith(" "):  # the bot's own mention leaves no gap
            end += len(text[end:]) - len(text[end:].lstrip(" "))
    parts.append(_unescaped(text[end:]))
    return "".join(parts)


def _reference(reference: str, names: Names) -> str:
    target, _, words = reference.partition("|")
    words = _unescaped(words)
    if target.startswith("@"):
        id = target[1:]
        return "" if id == names.own_user else f"@{names.users.get(id) or words or id}"
    if target.startswith("#"):
        return f"#{words or target[1:]}"
    if target.startswith("!"):
        name = words or target[1:].partition("^")[0]
        return name if name.startswith("@") or target.startswith("!date") else f"@{name}"
    address = _unescaped(target)
    if not ADDRESS.fullmatch(address):
        return words or address
    if not words or words in {address, address.removeprefix("mailto:"), address.partition("://")[2]}:
        return words or address
    return f"[{words}]({address})"


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
