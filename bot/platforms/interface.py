"""The contract of a place where people ask, and what every one of them shows the same way.

`ChatPlatform` is what Slack and Mattermost both are: adapters report what people do as `events`, and show what they are
told to. What is done about an event is decided once, in `bot.dialogue`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

from babel import Locale, UnknownLocaleError
from starlette.routing import BaseRoute

from bot.model import ATTACHED, Passage
from bot.phrases import Say
from bot.platforms.events import Event, File, PlatformName, Spot
from ingest.errors import Terminal, Transient
from ingest.masking import masked
from ingest.model import MEMBER

AddressOf = Callable[[Passage], str]
"""Where a reader of this platform opens a passage's document, empty if nowhere; never an address that a model wrote."""


class PlatformUnavailable(Transient):
    """The platform was away, busy or asked for patience longer than is had; the same call may succeed later."""


class PlatformRefused(Terminal):
    """The platform refuses: a token, a scope, a channel that the bot is not in. The text says what to do about it."""


class MessageGone(Terminal):
    """The message, or the thread it belongs to, is not there any more."""


class WritingStopped(Terminal):
    """A reader stopped the stream by the platform's own button; what is written stays."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One line under an answer."""

    number: int
    title: str
    place: tuple[str, ...]
    """Heading path, page, date and language, whichever there are; apart, as they may be of different scripts."""
    url: str
    """Where the passage opens; empty when its document cannot be opened from here."""
    restricted: str = ""
    """Label of a document that not every member of the company may open, for a lock beside it; empty for all others."""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Button:
    """What can be done about an answer."""

    action: Literal["stop", "again", "up", "down", "share", "person", "resolved", "fuller", "disclose"]
    label: str
    value: str
    """Signed, at most 500 characters; comes back as `Pressed.value`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """A text with what belongs under it, for the platform to render as its surface allows."""

    text: str
    """Markdown. No link, image or mention in it does anything: the platform sees to that."""
    language: str
    """ISO 639-1: labels are in it, and its direction is kept."""
    sources: tuple[Source, ...] = ()
    sources_label: str = ""
    """Heading of the sources, in that language; of a text that found no answer it says that these come closest."""
    notes: tuple[str, ...] = ()
    """Short lines under the text, set apart from it: "stopped by Ada", "written from this conversation"."""
    buttons: tuple[Button, ...] = ()
    replaces: bool = False
    """Whether nothing of what was shown in its place may come back or be looked up: an answer that was withdrawn. Where
    messages can be looked up as they were, or an earlier change may still overtake this one, they are made anew."""
    mention: tuple[str, ...] = ()
    """People who are to be notified, by id: the owners of a question that is handed over, nobody else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """One question to whoever pressed a button; the answer comes back as a `Pressed` with that value and a remark."""

    title: str
    """At most 24 characters (both platforms)."""
    label: str
    submit: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What the platform shows whoever did something, at once and to them alone."""

    text: str = ""
    form: Form | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody as the platform knows them."""

    id: str
    name: str
    locale: str | None
    """Language of their profile, ISO 639-1."""
    member: bool
    """Of the company: no guest, nobody of a connected workspace, no bot, not deactivated."""
    email: str = ""
    """Address that the platform vouches for, in lower case and ASCII; empty where it vouches for none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """A channel, or a direct message."""

    id: str
    name: str
    outsiders: bool
    """Whether anybody there is no member of the company: shared with another one, or with guests. True when unknown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Something about who may read what is different from now on."""

    person: str = ""
    """Whose account, groups or membership it is; empty: it may be anybody's."""
    channel: str = ""
    """Where somebody came or went; empty: it is about no channel in particular."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message of a thread, as it is now."""

    id: str
    by: str
    name: str
    """Of whoever wrote it."""
    at: datetime
    text: str
    """As `Said.text`."""
    own: bool
    """Whether this bot wrote it."""
    bot: bool
    """Whether any bot, or the platform itself, did."""
    mentions_bot: bool = False
    files: tuple[File, ...] = ()


Receive = Callable[[Event], Awaitable[Receipt]]
"""Keeps an event for good; only when it returns is the event acknowledged. Raises what a database may raise."""


class Memory(Protocol):
    """What an adapter must still know after a restart."""

    async def recall(self, name: str) -> str | None: ...

    async def keep(self, name: str, value: str) -> None: ...

    async def threads(self, platform: PlatformName, since: datetime) -> Sequence[Spot]:
        """Where the bot has written since then: what was said there while it was away is asked for."""
        ...


class Draft(Protocol):
    """An answer that its readers watch being written."""

    async def status(self, text: str) -> None:
        """What happens now, in a line that the text takes the place of."""
        ...

    async def write(self, text: str) -> None:
        """The next piece of the answer, Markdown; returns at once, what is shown follows at the rate that is allowed.

        Raises `WritingStopped`; and `PlatformUnavailable`, `PlatformRefused`, `MessageGone` for what went wrong since.
        """
        ...

    async def finish(self, post: Post) -> tuple[str, ...]:
        """Everything as it is to stay, in place of what was shown so far: ids of the messages that hold it.

        Waits for its turn as long as that takes, within a bound. Raises what `write` does but `WritingStopped`.
        """
        ...


class ChatPlatform(Protocol):
    """One platform, connected. Every call may raise `PlatformUnavailable` and `PlatformRefused`."""

    @property
    def name(self) -> PlatformName: ...

    @property
    def connected(self) -> asyncio.Event:
        """Set while events are heard and whatever was missed before has been reported; else clear."""
        ...

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """What of it is mounted in the web application: callbacks, commands, events by HTTP."""
        ...

    async def run(self, receive: Receive, memory: Memory) -> None:
        """Hear what happens until cancelled, and first what happened while nobody listened.

        Bots, this one included, and the platform's own messages are not reported.
        """
        ...

    def draft(
        self,
        spot: Spot,
        *,
        asker: str,
        language: str,
        stop: Button | None,
        posted: Callable[[str], Awaitable[None]],
        over: Sequence[str] = (),
        retry: bool = False,
    ) -> AbstractAsyncContextManager[Draft]:
        """An answer to be written in the thread of `spot`, for `asker`.

        Args:
            spot: the thread.
            asker: whom a stream must name as its recipient.
            language: of the question, for what the adapter itself must say.
            stop: pressed to stop the writing, where the platform has no button of its own for that.
            posted: told the id of each message right after it exists, before anything more is sent to it.
            over: messages of an earlier answer, half-written or whole, which this one replaces in place.
            retry: whether an earlier attempt may have left something behind that is no message: a status.

        Leaving the context without `finish` leaves what is shown.
        """
        ...

    async def show(self, spot: Spot, post: Post) -> tuple[str, ...]:
        """Post in the thread; the ids of the messages."""
        ...

    async def whisper(self, spot: Spot, to: str, post: Post, *, respond_to: str = "") -> tuple[str, ...]:
        """Tell `to` alone: an ephemeral message where they are, or else a direct message.

        Ids of the messages that `change` and `remove` can take back with that `spot`; of ephemeral ones there are none.
        """
        ...

    async def change(self, spot: Spot, messages: Sequence[str], post: Post) -> tuple[str, ...]:
        """Put `post` in place of the bot's own messages; ids of those that hold it now. Raises `MessageGone`."""
        ...

    async def remove(self, spot: Spot, messages: Sequence[str]) -> None:
        """Delete messages of the bot; what is gone already is no error."""
        ...

    async def thread(self, spot: Spot, *, limit: int = 200) -> tuple[Message, ...]:
        """The latest messages of the thread, oldest first, its root always among them. Raises `MessageGone`."""
        ...

    async def message(self, spot: Spot, id: str) -> tuple[Spot, Message]:
        """One message of the channel, and the thread it is in. Raises `MessageGone`."""
        ...

    async def person(self, id: str) -> Person:
        """Kept for as long as the platform was told when it was made, counted from before it was asked for."""
        ...

    async def people(self, ids: Collection[str]) -> Mapping[str, Person]:
        """Many at once, kept as one is. Whoever is not known is no member, and is in it all the same."""
        ...

    async def room(self, spot: Spot) -> Room:
        """Kept as people are."""
        ...

    async def members(self, spot: Spot) -> frozenset[str] | None:
        """Ids of all people who can read the channel, without bots and the deactivated; kept as people are.

        None where they cannot all be told: too many, shared with another company, or the bot is not let look.
        """
        ...

    async def held(self, person: str, tokens: Collection[str]) -> frozenset[str]:
        """Those of `tokens` that the person holds; kept as people are.

        They are this platform's own, as sources of documents write them: `slack:` and the id of a user, a user group
        or a channel; `mattermost:` and the id of a user or a channel, `mattermost:team:`, `mattermost:group:` and an
        id. One that cannot be looked up (it is gone, the bot is not let look) is not held, and logged once.
        """
        ...

    def watch(self, changed: Callable[[Change], None]) -> None:
        """Have `changed` called, on the event loop, at every change that is heard of, once the platform itself has
        dropped what it kept about it, and before anything that happened later is reported.
        """
        ...

    async def download(self, file: File, to: Path, *, max_bytes: int) -> None:
        """Write a message's file to `to`. Raises `MessageGone`, and `PlatformRefused` for one that is larger."""
        ...

    async def close(self) -> None:
        """Close connections; `run` has ended before."""
        ...


def sources(passages: Iterable[Passage], *, language: str, say: Say, address_of: AddressOf) -> tuple[Source, ...]:
    """What passages show of themselves in `language`, in the order given; no keys and passwords that titles hold."""
    return tuple(
        Source(
            number=passage.number,
            title=masked(passage.chunk.title),
            place=tuple(_place(passage, language, say)),
            url=address_of(passage),
            restricted=say(language, "restricted") if is_restricted(passage) else "",
        )
        for passage in passages
    )


def _place(passage: Passage, language: str, say: Say) -> Iterator[str]:
    chunk = passage.chunk
    if chunk.headings:
        yield masked(" › ".join(chunk.headings))
    if chunk.page is not None:
        yield say(language, "page", page=chunk.page)
    if chunk.updated_at is not None:
        yield say(language, "updated", date=chunk.updated_at.date())
    if name := language_name(chunk.language, language):
        yield name


@cache
def language_name(code: str, language: str) -> str:
    """What the language `code` (ISO 639-1) is called in `language`, by Unicode's CLDR; empty when it has no name."""
    try:
        names = Locale.parse(language, sep="-").languages
    except (ValueError, UnknownLocaleError):
        return ""
    return names.get(code, "") if code != "und" else ""


def is_restricted(passage: Passage) -> bool:
    """Whether some members may not open the document. Files of a conversation open for everybody who reads it."""
    return passage.chunk.source != ATTACHED and not passage.chunk.readers & MEMBER
