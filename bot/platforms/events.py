"""What people do on a chat platform, as every adapter reports it; kept in the inbox as JSON.

Ids are the platform's own. An event's `key` is the same however often, by whichever connection and under whichever
envelope the platform delivers it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Discriminator, TypeAdapter

from ingest.model import UNSTORABLE

PlatformName = Literal["slack", "mattermost"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """Where something happened, and where what is said about it belongs."""

    platform: PlatformName
    workspace: str
    """Slack: the team's id. Mattermost: the server's host name."""
    channel: str
    thread: str
    """Id of the message that the thread hangs on; for a message outside any thread its own."""
    direct: bool
    """Whether nobody but the person and the bot is there."""

    @property
    def lane(self) -> str:
        """What happens in one thread happens one after the other."""
        return "/".join((self.platform, self.workspace, self.channel, self.thread))

    def asker(self, person: str) -> str:
        """Whose question it is that somebody here asks, as `Asker.id`."""
        return f"{self.platform}:{person}"

    def key_of(self, message: str) -> str:
        """The name of a message of this channel among all messages everywhere."""
        return "/".join((self.platform, self.workspace, self.channel, message))


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file in a message, not yet read."""

    id: str
    name: str
    media_type: str
    size: int
    """Bytes, as the platform says."""
    url: str = ""
    """Where it is downloaded from, when the id does not tell; never with a key in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """Somebody, who is neither a bot nor the platform, wrote a message."""

    spot: Spot
    message: str
    by: str
    at: datetime
    text: str
    """Markdown, with people as `@Name` and without the mention of the bot itself."""
    mentions_bot: bool
    mentions_others: bool
    """Whether it addresses another person, a group or everybody here."""
    files: tuple[File, ...] = ()
    kind: Literal["said"] = "said"

    @property
    def in_thread(self) -> bool:
        """Whether it replies to a message."""
        return self.message != self.spot.thread

    @property
    def key(self) -> str:
        return f"said/{self.spot.key_of(self.message)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Edited:
    """Somebody changed their message; `said` is it now."""

    said: Said
    revision: str
    """Differs from edit to edit."""
    kind: Literal["edited"] = "edited"

    @property
    def spot(self) -> Spot:
        return self.said.spot

    @property
    def by(self) -> str:
        return self.said.by

    @property
    def at(self) -> datetime:
        return self.said.at

    @property
    def message(self) -> str:
        return self.said.message

    @property
    def key(self) -> str:
        return f"edited/{self.spot.key_of(self.message)}/{self.revision}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Deleted:
    """A message is gone; who deleted it is not always known (`by` empty)."""

    spot: Spot
    message: str
    by: str
    at: datetime
    kind: Literal["deleted"] = "deleted"

    @property
    def key(self) -> str:
        return f"deleted/{self.spot.key_of(self.message)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Commanded:
    """Somebody asked by slash command; the answer is for them alone."""

    spot: Spot
    """`thread` is the id of the thread it was typed in, or empty."""
    id: str
    """One invocation's own (Slack's and Mattermost's `trigger_id`)."""
    by: str
    at: datetime
    text: str
    respond_to: str
    """The platform's `response_url`: five answers within 30 minutes, on both. It holds a secret: never logged."""
    kind: Literal["commanded"] = "commanded"

    @property
    def message(self) -> str:
        return self.id

    @property
    def key(self) -> str:
        return f"commanded/{self.spot.key_of(self.id)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pointed:
    """Somebody wants an existing message answered, by a shortcut or by a reaction on it."""

    spot: Spot
    message: str
    by: str
    at: datetime
    kind: Literal["pointed"] = "pointed"

    @property
    def key(self) -> str:
        """One answer a message, however many point at it."""
        return f"pointed/{self.spot.key_of(self.message)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pressed:
    """Somebody pressed a button under a message of the bot, or sent the form that it opened."""

    spot: Spot
    """`thread` may be the message's own id where the platform does not tell the thread."""
    message: str
    """The message that carries the button; empty when it was a private one that has no id."""
    id: str
    """One press's own."""
    by: str
    at: datetime
    value: str
    """What the button carries, as `Button.value` was; nothing in it is trusted before its signature is checked."""
    remark: str | None = None
    """What was written into the form; None when it is the press itself."""
    respond_to: str = ""
    """As in `Commanded`; empty where there is none."""
    kind: Literal["pressed"] = "pressed"

    @property
    def key(self) -> str:
        return f"pressed/{self.spot.key_of(self.id)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stopped:
    """Somebody pressed the platform's own stop button for what is being written in a thread."""

    spot: Spot
    id: str
    by: str
    at: datetime
    kind: Literal["stopped"] = "stopped"

    @property
    def message(self) -> str:
        return ""

    @property
    def key(self) -> str:
        return f"stopped/{self.spot.key_of(self.id)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recalled:
    """An operator has an answer withdrawn, since a document that it rests on is not to be read any more."""

    spot: Spot
    reply: str
    """Key of the reply."""
    message: str
    """The question's id, as in the reply."""
    at: datetime
    by: str = ""
    kind: Literal["recalled"] = "recalled"

    @property
    def key(self) -> str:
        return f"recalled/{self.spot.key_of(self.message)}/{self.reply.partition('/')[0]}"


Event = Said | Edited | Deleted | Commanded | Pointed | Pressed | Stopped | Recalled

_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Discriminator("kind")])


def as_json(event: Event) -> str:
    """The event as the inbox keeps it; half characters, which no database holds, are replaced."""
    return UNSTORABLE.sub("\ufffd", json.dumps(_EVENT.dump_python(event, mode="json"), ensure_ascii=False))


def from_json(text: str) -> Event:
    """What `as_json` wrote. Raises pydantic's ValidationError for anything else."""
    return _EVENT.validate_json(text)
