"""What a person sees of a channel, and in it."""

from __future__ import annotations

import re

from tests.fakes.mattermost.attachments import attachments
from tests.fakes.mattermost.company import Company
from tests.fakes.mattermost.hub import Row
from tests.fakes.mattermost.mentions import links

TYPING_MILLISECONDS = 5_000
"""For so long clients show that somebody is typing (`TimeBetweenUserTypingUpdatesMilliseconds`)."""

WORD_JOINER = "\u2060"

READABLE = ("pretext", "author_name", "title", "text", "footer")
"""Of an attachment, from top to bottom."""

_FENCE = re.compile(r"(^```.*?^```|^~~~.*?^~~~|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def visible(company: Company, channel: str, *, viewer: str, thread: str | None = None) -> list[Row]:
    """Posts of a thread with its root, or of the channel's top level, oldest first; with what they alone are shown."""
    if not company.may_read(channel, viewer):
        return []
    shown = company.live(channel)
    shown += [row for row in company.ephemerals.values() if (row["viewer"], row["channel_id"]) == (viewer, channel)]
    roots = ("",) if thread is None else (thread,)
    rows = [row for row in shown if row["root_id"] in roots or row["id"] == thread]
    return sorted(rows, key=lambda row: (row["create_at"], row["id"]))


def text_of(row: Row) -> str:
    """All that is readable in a post but its buttons: Markdown, without backslashes and joiners, which nobody sees."""
    parts = [row["message"]]
    for attachment in attachments(row):
        parts += [attachment[key] for key in READABLE if attachment.get(key)]
        for field in attachment.get("fields") or ():
            parts += [str(field[key]) for key in ("title", "value") if field.get(key)]
    return "\n".join(_unescaped(part) for part in parts if part).replace(WORD_JOINER, "")


def links_of(row: Row) -> tuple[str, ...]:
    """Addresses that can be clicked in it; titles of attachments may carry one of their own."""
    found = links(row["message"])
    for attachment in attachments(row):
        found += [attachment[key] for key in ("title_link", "author_link", "image_url") if attachment.get(key)]
        for key in ("pretext", "text", "footer"):
            found += links(attachment.get(key) or "")
    return tuple(dict.fromkeys(found))


def typing(company: Company, channel: str, thread: str = "") -> list[str]:
    """Usernames of those who are typing there now."""
    since = company.time() - TYPING_MILLISECONDS
    return [company.users[id]["username"] for id, at in company.typing.get((channel, thread), {}).items() if at > since]


def _unescaped(markdown: str) -> str:
    parts = _FENCE.split(markdown)
    return "".join(part if number % 2 else _ESCAPED.sub(r"\1", part) for number, part in enumerate(parts))
