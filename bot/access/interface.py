"""What the dialogue, the web and the walk are told of access, and what access asks of others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bot.model import Answer, Basis, Question
from bot.platforms.events import Spot
from ingest.model import DocumentKey, Readers


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """Reader tokens of a person, or of all who can read a channel."""

    tokens: Readers
    missing: str = ""
    """Why they may be fewer than they should be, one English line for operators; empty where they are whole."""


class Access(Protocol):
    """Who holds what. Nothing in it is older than `access.max_age_minutes`."""

    async def asker(self, spot: Spot, person: str) -> Held:
        """What somebody holds. Raises `PlatformUnavailable`, `PlatformRefused` where not even that they are a member
        can be learned.
        """
        ...

    async def readers(self, spot: Spot) -> Held:
        """What everybody holds who can read the channel of `spot`; `public` alone where somebody is no member, or not
        everybody is known. Raises as `asker`.
        """
        ...


Allows = Callable[[Collection[DocumentKey], Readers], Awaitable[set[DocumentKey]]]
"""Which of these documents the ledger has and lets a holder of these tokens read now."""

More = Callable[[Question, Answer], Awaitable[bool]]
"""Whether the asker alone would be answered from documents that the other readers of the answer may not read."""


class Over(Protocol):
    """A quota that is used up."""

    @property
    def phrase(self) -> str:
        """Key of the phrase that says so; it takes `minutes`."""
        ...

    @property
    def minutes(self) -> int:
        """Until there is room again."""
        ...


class Quota(Protocol):
    """Counts what is asked. Both calls may raise what a database raises."""

    async def admit(self, asker: str, workspace: str) -> Over | None:
        """Count one question; or, where a quota is used up, count nothing and say which."""
        ...

    async def charge(self, asker: str, tokens: int) -> None:
        """Count what a question cost at the chat models."""
        ...


Deed = Literal[
    "asked",
    "limited",
    "offered",
    "fuller",
    "shared",
    "disclosed",
    "explained",
    "exported",
    "revoked",
    "restored",
    "recalled",
    "forgotten",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One line of the audit log: who did what, where, with which tokens, and on which documents it bore.

    It holds no text of a question, an answer or a document, and no title.
    """

    deed: Deed
    by: str
    """As `Asker.id`: `slack:U042`, `key:intranet`; `console` for whoever works at the machine."""
    platform: str = ""
    place: str = ""
    """The thread or channel; empty for none."""
    tokens: Readers = frozenset()
    """For `asked` those that the answer was made for."""
    passed: Basis = frozenset()
    """Documents that were given to the writer, or that the deed is about."""
    withheld: Basis = frozenset()
    answer: str = ""
    """Trace id."""
    at: datetime | None = None
    """Filled in by the log."""


Note = Callable[[Act], Awaitable[None]]
"""Writes a line of the audit log. Raises what a database raises."""
