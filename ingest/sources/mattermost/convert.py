"""What becomes of posts: which belong together, when that changed, and the Markdown that it reads as. Pure.

A thread with replies is a conversation, and so are all posts without a reply of one channel and one day (UTC): many
people answer below a question instead of in its thread, and a message alone is too little to be found or understood.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest.model import EVERYONE, Readers
from ingest.parsers.text import plain, tidy
from ingest.sources.mattermost.client import Channel, FileInfo, Post, Team

RENDERING = 1
"""Part of every version: another number has every conversation read again."""

MACHINE_PROPS = ("from_bot", "from_webhook", "from_plugin", "from_oauth_app")
"""Set to `true` on what nobody typed."""

PEOPLES_TYPES = frozenset(("", "me"))
"""Types of posts that people write (`me` by `/me`); all others come from the server, plugins and integrations."""

UNREAD_TYPES = ("system_", "burn_on_read")
"""Beginnings of types that are never read: joins, renamings and the like; messages that vanish once they were read."""

WITHOUT_TEXT = ("image/", "audio/", "video/")
"""Beginnings of media types that make no documents: most of what is attached in a chat is screenshots."""

TITLE_CHARACTERS = 80

BLOCKS = MarkdownIt("commonmark").disable(["inline", "text_join", "reference", "html_block"])
"""Blocks only, and tags are text: Mattermost shows them as they are written."""

DAY = re.compile(r"\d{4}-\d\d-\d\d")
MENTION = re.compile(r"`[^`\n]*`|(?<![\w@./:`-])@([a-z0-9][a-z0-9._-]*)", re.I)
"""Inline code, which is left alone, or a name after an `@` that is no part of an address or a path."""

MARKS = re.compile(r"[\\`*\[\]<>]")
BYLINE = re.compile(r"^( {0,3})(\*\*[^\n]*\*\* \(\d{4}-\d\d-\d\d \d\d:\d\d)", re.M)
TAG = re.compile(r"^((?:[\s>*+-]|\d+[.)])*)<(?=[A-Za-z/!?])")
"""Where a line, a quotation or a list item begins with one."""

MISREAD = re.compile(r"<(?=[A-Za-z/!])|\{(?=[{%:])|\breaders[\"'*_` \t]{0,4}(?=[:=])", re.I)
"""What the parser of Markdown files takes for a tag, a comment, a template's tag or a field of front matter."""

STARTS_BLOCK = re.compile(r"^(?=[#>+*`~=|<-])")
ESCAPE = r"\\"

WORD_JOINER = "\u2060"
"""Comes after what would be misread. The parser removes it last, so that the text is as it was written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """What becomes one document, and the files that were posted in it."""

    key: str
    """The id of the thread's first post, or the day (`2026-11-23`)."""
    version: str
    first: str
    """The id of the first post that is read: where a person begins to read."""
    files: Sequence[tuple[str, FileInfo]]
    """Each with the id of its post."""


@dataclass(kw_only=True, slots=True)
class _Group:
    version: int
    """A sum, so that posts may come in any order and none has to be kept."""
    rooted: bool = False
    """Whether the first post of the thread has come: a thread of which only the end is read is none."""
    first: tuple[int, str] | None = None
    files: list[tuple[str, FileInfo]] = field(default_factory=list)


class Conversations:
    """Sorts the posts of one channel, in any order, each once, into conversations."""

    def __init__(self, channel: Channel, *, account: str, bots: bool) -> None:
        """`account` is the id of the user whose posts are never read; `bots`: as in `MattermostSettings`."""
        self._seed = _number([RENDERING, channel.display_name])
        self._account = account
        self._bots = bots
        self._groups: dict[str, _Group] = {}

    def add(self, post: Post) -> None:
        alone = not post.root_id and not post.reply_count
        key = day_of(post.create_at) if alone else post.thread
        group = self._groups.setdefault(key, _Group(version=self._seed))
        group.rooted |= not post.root_id
        if self.reads(post):
            group.version += _number(_said(post))
            group.first = min(group.first or (post.create_at, post.id), (post.create_at, post.id))
            group.files += [(post.id, file) for file in post.metadata.files]

    def reads(self, post: Post) -> bool:
        """Whether what is said in the post is read."""
        return is_read(post, account=self._account, bots=self._bots)

    def __iter__(self) -> Iterator[Conversation]:
        """Those in which something is said."""
        for key, group in self._groups.items():
            if group.rooted and group.first is not None:
                version = f"{group.version % (1 << 128):032x}"
                yield Conversation(key=key, version=version, first=group.first[1], files=group.files)


def is_read(post: Post, *, account: str, bots: bool) -> bool:
    if post.user_id == account or post.type.startswith(UNREAD_TYPES):
        return False
    machine = post.type not in PEOPLES_TYPES or any(str(post.props.get(key)).lower() == "true" for key in MACHINE_PROPS)
    return (bots or not machine) and bool(_said_in(post) or post.metadata.files)


def readers_of(channel: Channel, team: Team, *, company_teams: Sequence[str]) -> Readers:
    """Who can open the channel. A private channel's members hold its token, a closed team's members the team's."""
    if channel.type != "O" or channel.group_constrained:
        return frozenset({f"mattermost:{channel.id}"})
    anybody = team.allow_open_invite and not team.group_constrained and not team.allowed_domains.strip()
    if anybody or team.name in company_teams:
        return frozenset({EVERYONE})
    return frozenset({f"mattermost:team:{team.id}"})


def day_of(moment: int) -> str:
    """The day, in UTC, of a time in milliseconds."""
    return _time(moment).date().isoformat()


def bounds(day: str) -> tuple[int, int]:
    """The first millisecond of a day, in UTC, and that of the day after."""
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return _milliseconds(start), _milliseconds(start + timedelta(days=1))


def first_moment(now: datetime, history_days: int | None) -> int:
    """Where reading begins: at the beginning of a day (UTC), so that no day is read in part. 0 for everything."""
    if history_days is None:
        return 0
    return bounds((now.astimezone(UTC) - timedelta(days=history_days)).date().isoformat())[0]


def last_change(posts: Sequence[Post]) -> datetime:
    """When something was last said or edited."""
    return _time(max(max(post.create_at, post.edit_at) for post in posts))


def title(channel: Channel, key: str, markdown: str) -> str:
    """Of a conversation that begins with `markdown`."""
    if DAY.fullmatch(key):
        return f"~{channel.display_name or channel.name}: {key}"
    lines = (plain(re.sub(r"^[\s>#*+-]+", "", line)) for line in markdown.split("\n"))
    words = next(filter(None, lines), key)
    if len(words) > TITLE_CHARACTERS:
        words = words[:TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"
    return f"~{channel.display_name or channel.name}: {words}"


def names_mentioned(posts: Sequence[Post]) -> frozenset[str]:
    """User names that may be meant by an `@` in what is said."""
    texts = (said for post in posts for said in _said_in(post))
    named = (found[1].lower() for text in texts for found in MENTION.finditer(text) if found[1])
    return frozenset(name for written in named for name in _meant(written))


def author(post: Post, people: Mapping[str, str]) -> str:
    """Who says it, by the names in `people` (by id); a webhook's post, by the name that it gives itself."""
    given = post.props.get("override_username")
    if isinstance(given, str) and given.strip() and str(post.props.get("from_webhook")).lower() == "true":
        return given.strip()
    return people.get(post.user_id, post.user_id)


def rendered(posts: Sequence[Post], people: Mapping[str, str], named: Mapping[str, str]) -> str:
    """The conversation as Markdown, in the order in which it was said. `named`: names to show, by user name."""
    parts: list[str] = []
    for post in in_order(posts):
        parts.append(f"**{_escaped(author(post, people))}** ({_time(post.create_at):%Y-%m-%d %H:%M} UTC):")
        parts += [neutral(said, named) for said in _said_in(post)]
        if post.metadata.files:
            parts.append("Attached: " + ", ".join(_escaped(file.name or file.id) for file in post.metadata.files))
    return MISREAD.sub(lambda found: found[0] + WORD_JOINER, "\n\n".join(parts)) + "\n"


def in_order(posts: Sequence[Post]) -> list[Post]:
    return sorted(posts, key=lambda post: (post.create_at, post.id))


def opening(posts: Sequence[Post], named: Mapping[str, str]) -> str:
    """What is said first; the name of the first file where nothing is."""
    first = in_order(posts)[0]
    files = [_escaped(file.name) for file in first.metadata.files if file.name]
    return next((neutral(said, named) for said in (*_said_in(first), *files)), "")


def neutral(message: str, named: Mapping[str, str]) -> str:
    """A message as Markdown that leaves what stands around it alone: no headings, no code without an end, no tags."""
    text = tidy(message)  # or the parser takes something away later, and what follows it begins a block
    lines = text.split("\n")
    code: set[int] = set()
    closing = ""
    for token, following in pairwise([*BLOCKS.parse(text), Token("end", "", 0)]):
        start, end = token.map or (0, 0)
        if token.type in ("fence", "code_block"):
            code.update(range(start, end))
        if token.type == "fence" and token.level == 0 and not _closed(lines[start:end], token.markup):
            closing = f"\n{token.markup}"
        if token.type == "heading_open" and token.level == 0:
            underlined = not token.markup.startswith("#")
            lines[start] = _without_heading(following.content, lines[start] if underlined else None)
            if underlined:
                lines[end - 1] = ""
    shown = (
        line if number in code else TAG.sub(r"\1\\<", BYLINE.sub(r"\1\\\2", _with_names(line, named)))
        for number, line in enumerate(lines)
    )
    return "\n".join(shown) + closing


def _closed(lines: Sequence[str], fence: str) -> bool:
    return len(lines) > 1 and bool(re.fullmatch(rf" {{0,3}}{fence}{fence[0]}*\s*", lines[-1]))


def _without_heading(words: str, first_line: str | None) -> str:
    """The heading `words` as a bold paragraph; of one that is underlined and cannot be bold, its first line."""
    if words and not ("\n" in words or "**" in words or "__" in words):
        return f"\n**{words}**\n"
    if first_line is not None:
        return f"\n{first_line}"
    return f"\n{words}\n" if words.startswith(("**", "__")) else f"\n{STARTS_BLOCK.sub(ESCAPE, words)}\n"


def _with_names(line: str, named: Mapping[str, str]) -> str:
    def shown(found: re.Match[str]) -> str:
        written = found[1]
        for name in _meant(written.lower()) if written else ():
            if name in named:
                return f"@{_escaped(named[name])}{written[len(name) :]}"
        return found[0]

    return MENTION.sub(shown, line)


def _meant(written: str) -> Iterator[str]:
    """The names that may be meant, longest first: a full stop may end a name, or the sentence."""
    while written:
        yield written
        if written[-1] not in "._-":
            return
        written = written[:-1]


def _said_in(post: Post) -> list[str]:
    """The message, and of an integration's post the texts of its attachments."""
    attachments = post.props.get("attachments")
    found = [post.message]
    for attachment in attachments if isinstance(attachments, list) else ():
        if isinstance(attachment, dict):
            found += _attachment(attachment)
    return [text for text in found if text.strip()]


def _attachment(attachment: Mapping[str, Any]) -> list[str]:
    fields = attachment.get("fields")
    named = [
        f"{field.get('title') or ''}: {field.get('value') or ''}".strip(": ")
        for field in (fields if isinstance(fields, list) else ())
        if isinstance(field, dict)
    ]
    texts = [attachment.get("pretext"), attachment.get("title"), attachment.get("text"), *named]
    found = [text for text in texts if isinstance(text, str) and text.strip()]
    fallback = attachment.get("fallback")
    return found or ([fallback] if isinstance(fallback, str) else [])


def _said(post: Post) -> list[Any]:
    """Of a post, all that is shown of it."""
    files = [(file.id, file.name) for file in post.metadata.files]
    return [post.id, post.create_at, post.user_id, post.props.get("override_username"), _said_in(post), files]


def _number(value: object) -> int:
    said = json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(said, digest_size=16).digest())


def _escaped(words: str) -> str:
    return MARKS.sub(r"\\\g<0>", " ".join(words.split()))


def _time(moment: int) -> datetime:
    return datetime.fromtimestamp(moment / 1000, UTC)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
