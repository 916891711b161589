"""Messages to Markdown. Pure: names come in, nothing is looked up.

Slack's own markup (https://docs.slack.dev/messaging/formatting-message-text): `*bold*`, `~struck~`, `<url|words>`,
`<@U…>`, `<#C…>`, `<!here>`, code in backticks, and `&`, `<`, `>` written as entities.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ingest.sources.slack.model import Message

SAID = frozenset({"", "file_share", "me_message", "thread_broadcast"})
"""Subtypes of what people write; the others tell of joins, topics, pins and deletions."""

BOT_MESSAGE = "bot_message"

RENDERING = 1
"""Counted up when this module makes another text of the same messages, so that they are read again."""

MARKDOWN = "text/markdown"

TITLE_CHARACTERS = 80

BLOCK = re.compile(r"```(.*?)```", re.S)

PIECE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<(?P<reference>[^<>\n]+)>"
    r"|(?<![\w*])\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w~])~(?P<struck>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])"
)

ADDRESS = re.compile(r"(?:https?|ftps?|slack)://\S.*|tel:\S+", re.I)
"""What becomes a link; of anything else, only its words stay."""

TAG = re.compile(r"(?<=<)(?=[A-Za-z/!?])|(?<=\{)(?=[{%:])")
"""Where a space keeps text from being taken for a tag, of HTML or of a template, and dropped."""

LINE_MARK = re.compile(r"^( {0,3})(#{1,6}(?=[ \t]|$)|[-=](?=[-= \t]*$)|~~~)", re.M)
"""What would make a heading, or a block of code without an end, of a line."""

BULLET = re.compile(r"^([ \t]*)[•◦▪‣]\ufe0e?[ \t]+", re.M)

BEGINS_BLOCK = re.compile(r"```|[-+*>|] |\d+[.)] |\|")

ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """What ids are called; an id that is not here is shown as it is."""

    users: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """Whose messages are read: never this app's own, for an answer is no source."""

    bots: bool
    """Those of other apps, too."""
    own_user: str
    own_bot: str

    def of_day(self, messages: Iterable[Message]) -> list[Message]:
        """What is read of messages outside threads: not what people ask this app."""
        return [message for message in messages if self._keeps(message) and not self._asks_us(message)]

    def of_thread(self, messages: Sequence[Message]) -> list[Message]:
        """What is read of a thread: nothing where people only talk to this app, or apps among themselves."""
        first, replies = messages[:1], messages[1:]
        kept = [*filter(self._keeps, replies)]
        if kept or (first and self._keeps(first[0])):
            kept = [*filter(self._says, first), *kept]  # whoever wrote it: the replies mean little without
        return [] if all(map(self._asks_us, kept)) else kept

    def may_be_read(self, first: Message) -> bool:
        """Whether there may be something to read in a thread of which only the first message was seen."""
        return bool(self.of_thread([first])) or not set(first.reply_users) <= {self.own_user}

    def _keeps(self, message: Message) -> bool:
        return self._says(message) and (self.bots or not message.bot_id)

    def _says(self, message: Message) -> bool:
        """Whether somebody else than this app says something."""
        if (self.own_user and message.user == self.own_user) or (self.own_bot and message.bot_id == self.own_bot):
            return False
        if message.bot_id:
            return message.subtype in SAID or message.subtype == BOT_MESSAGE
        return message.subtype in SAID and (bool(message.text.strip()) or any(file.is_there for file in message.files))

    def _asks_us(self, message: Message) -> bool:
        return bool(self.own_user) and f"<@{self.own_user}" in message.text


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """A thread, or a day of a channel, as a document."""

    title: str
    text: str
    """Markdown."""
    author: str | None
    """Who began the thread, or wrote all of the day."""
    updated_at: datetime | None


def thread(messages: Sequence[Message], channel: str, names: Names) -> Conversation:
    """A thread's messages, in order, as one document."""
    first = messages[0] if messages else None
    words = opening(first, names) if first else ""
    return Conversation(
        title=f"#{channel}: {words}" if words else f"#{channel}",
        text="\n\n".join(_paragraphs(messages, names, dated=True)),
        author=author(first, names) if first else None,
        updated_at=_last_change(messages),
    )


def day(messages: Sequence[Message], channel: str, date: str, names: Names) -> Conversation:
    """What was said on one day of a channel outside threads, in order, as one document."""
    authors = {author(message, names) for message in messages}
    return Conversation(
        title=f"#{channel}, {date}",
        text="\n\n".join(_paragraphs(messages, names, dated=False)),
        author=authors.pop() if len(authors) == 1 else None,
        updated_at=_last_change(messages),
    )


def author(message: Message, names: Names) -> str:
    """Who wrote it, as people see the name; an app may write under one of its own."""
    named = message.username or message.bot_profile.name
    return named or names.users.get(message.user, message.user) or message.bot_id or "?"


def opening(message: Message, names: Names) -> str:
    """The first words of a message in plain text, for a title; of one without words its first file."""
    said = _marked("\n".join(_texts(message)).replace("```", ""), names, marks=False)
    line = next((" ".join(line.split()) for line in said.splitlines() if line.strip()), "")
    if not line:
        return next((file.shown for file in message.files if file.is_there), "")
    if len(line) <= TITLE_CHARACTERS:
        return line
    words = line[:TITLE_CHARACTERS].rpartition(" ")[0] or line[:TITLE_CHARACTERS]
    return f"{words.rstrip(' ,;:.-')}…"


def markdown(text: str, names: Names) -> str:
    """Slack's markup as Markdown."""
    parts: list[str] = []
    for place, part in enumerate(BLOCK.split(text)):
        if place % 2:  # what stood between two fences
            code = _in_code(part, names).strip("\n")
            parts.append(f"\n```\n{code}\n```\n" if code else "")
        else:
            inline = _marked(part, names, marks=True)
            parts.append(BULLET.sub(r"\1- ", LINE_MARK.sub(r"\1\\\2", inline)))
    return "".join(parts).strip()


def mentioned(messages: Iterable[Message]) -> tuple[set[str], set[str]]:
    """Ids of the users and of the channels that rendering `messages` needs the names of."""
    users: set[str] = set()
    channels: set[str] = set()
    for message in messages:
        if message.user:
            users.add(message.user)
        for text in _texts(message):
            for found in re.finditer(r"<([@#])([A-Z0-9]+)(?:\|[^<>]*)?>", text):
                (users if found[1] == "@" else channels).add(found[2])
    return users, channels


def body(message: Message, names: Names) -> str:
    """What one message says, in Markdown, with the names of its files."""
    said = [markdown(text, names) for text in _texts(message)]
    files = [f"📎 {_plain(file.shown, marks=True)}" for file in message.files if file.is_there]
    return "\n\n".join(part for part in (*said, "\n".join(files)) if part)


def _paragraphs(messages: Sequence[Message], names: Names, *, dated: bool) -> Iterator[str]:
    """One for each message: its author, where that is another than before, and the date where that is."""
    before = ("", "")
    for message in messages:
        text = body(message, names)
        if not text:
            continue
        who, when = author(message, names), message.posted.date().isoformat() if dated else ""
        if (who, when) == before:
            yield text
            continue
        label = f"**{_plain(who, marks=True)}{f', {when}' if when and when != before[1] else ''}:**"
        yield f"{label}\n\n{text}" if BEGINS_BLOCK.match(text) else f"{label} {text}"
        before = (who, when)


def _last_change(messages: Iterable[Message]) -> datetime | None:
    return max((message.changed for message in messages), default=None)


def _texts(message: Message) -> list[str]:
    """What a message says, in Slack's markup. Of an app's message the blocks come before the text, a mere summary."""
    if not message.bot_id:
        return [message.text] if message.text.strip() else []
    said = [*_block_texts(message.blocks)] or [message.text]
    said += (text for attachment in message.attachments for text in _attachment_texts(attachment))
    return [text for text in said if text.strip()]


def _block_texts(blocks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for block in blocks:
        match block:
            case {"type": "rich_text", "elements": [*elements]}:
                yield "".join(_rich_texts(elements))
            case {"type": "context", "elements": [*elements]}:
                yield " ".join(_text_of(element) for element in elements)
            case {"type": "markdown", "text": str(text)}:
                yield text
            case {"type": "section" | "header"}:
                yield _text_of(block.get("text"))
                yield from map(_text_of, block.get("fields") or ())
            case _:
                pass


def _rich_texts(elements: Iterable[Any]) -> Iterator[str]:
    """Rich text back in the markup that `text` has of it."""
    for element in elements:
        match element:
            case {"type": "text", "text": str(text)}:
                yield _escaped(text)
            case {"type": "link", "url": str(url)}:
                words = element.get("text")
                yield f"<{url}|{_escaped(words)}>" if isinstance(words, str) and words else f"<{url}>"
            case {"type": "user", "user_id": str(id)}:
                yield f"<@{id}>"
            case {"type": "channel", "channel_id": str(id)}:
                yield f"<#{id}>"
            case {"type": "emoji", "name": str(name)}:
                yield f":{name}:"
            case {"type": "rich_text_preformatted", "elements": [*within]}:
                yield f"```{''.join(_rich_texts(within))}```\n"
            case {"type": "rich_text_list", "elements": [*items]}:
                yield from (f"• {''.join(_rich_texts([item]))}\n" for item in items)
            case {"elements": [*within]}:
                yield from _rich_texts(within)
                yield "\n"
            case _:
                pass


def _attachment_texts(attachment: Mapping[str, Any]) -> Iterator[str]:
    said = [attachment.get(key) for key in ("pretext", "title", "text")]
    for item in attachment.get("fields") or ():
        said += [": ".join(str(item[key]) for key in ("title", "value") if item.get(key))]
    said += _block_texts(block for block in attachment.get("blocks") or () if isinstance(block, dict))
    told = [text for text in said if isinstance(text, str) and text.strip()]
    fallback = attachment.get("fallback")
    yield from told or ([fallback] if isinstance(fallback, str) else [])


def _text_of(element: Any) -> str:
    """The text of a text object, or of an element that holds one."""
    text = element.get("text") if isinstance(element, dict) else None
    return text if isinstance(text, str) else _text_of(text) if isinstance(text, dict) else ""


def _marked(text: str, names: Names, *, marks: bool) -> str:
    """`text` with its references resolved; as Markdown, or without any marks."""
    parts: list[str] = []
    end = 0
    for found in PIECE.finditer(text):
        parts += (_plain(text[end : found.start()], marks=marks), _piece(found, names, marks=marks))
        end = found.end()
    return "".join((*parts, _plain(text[end:], marks=marks)))


def _piece(found: re.Match[str], names: Names, *, marks: bool) -> str:
    match found.lastgroup:
        case "code":
            code = _in_code(found["code"], names)
            return f"`{code}`" if marks else code
        case "bold":
            inner = _marked(found["bold"], names, marks=marks)
            return f"**{inner}**" if marks else inner
        case "struck":
            inner = _marked(found["struck"], names, marks=marks)
            return f"~~{inner}~~" if marks else inner
        case _:
            return _reference(found["reference"], names, marks=marks)


def _reference(reference: str, names: Names, *, marks: bool) -> str:
    target, _, label = reference.partition("|")
    label = _unescaped(label)
    match target[:1]:
        case "@":
            shown = f"@{names.users.get(target[1:]) or label.removeprefix('@') or target[1:]}"
        case "#":
            shown = f"#{names.channels.get(target[1:]) or label.removeprefix('#') or target[1:]}"
        case "!":
            shown = label or f"@{target[1:].partition('^')[0]}"
        case _:
            return _link(_unescaped(target), label, marks=marks)
    return _plain(shown, marks=marks, escaped=False)


def _link(target: str, label: str, *, marks: bool) -> str:
    if target.lower().startswith("mailto:"):
        target = target[len("mailto:") :]
    if not marks or not ADDRESS.fullmatch(target):
        return _plain(label or target, marks=marks, escaped=False)
    if label in ("", target):
        return _plain(target, marks=True, escaped=False)
    safe = target.replace("(", "%28").replace(")", "%29").replace(" ", "%20").replace("`", "%60")
    shown = _plain(label, marks=True, escaped=False).replace("[", "(").replace("]", ")")
    return f"[{shown}]({safe})"


def _in_code(code: str, names: Names) -> str:
    """Code as it was typed: Slack makes links of addresses even there."""
    resolved = re.sub(r"<([^<>\n]+)>", lambda found: _reference(found[1], names, marks=False), code)
    return _unescaped(resolved)


def _plain(text: str, *, marks: bool, escaped: bool = True) -> str:
    """Text between the marks; a backtick that has no partner here shall find none in Markdown either."""
    if escaped:
        text = _unescaped(text)
    return TAG.sub(" ", text.replace("`", "'")) if marks else text


def _unescaped(text: str) -> str:
    for entity, character in ENTITIES:
        text = text.replace(entity, character)
    return text


def _escaped(text: str) -> str:
    for entity, character in reversed(ENTITIES):
        text = text.replace(character, entity)
    return text


def fingerprint(message: Message) -> list[Any]:
    """All of a message that its rendering depends on, but for names of people; compared, never shown."""
    said: list[Any] = [message.ts, message.user, message.bot_id, message.username, message.subtype, message.text]
    said.append([(file.id, file.shown, file.is_there) for file in message.files])
    if message.bot_id:
        said += [message.blocks, message.attachments]
    return said
