"""What a source is: a listing that can be compared, and a way to one document's content."""

from __future__ import annotations

import asyncio
import math
import tempfile
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator

from ingest.errors import ConfigurationError, Terminal, Transient
from ingest.model import EVERYONE, Entry, Listed, Original, Readers, reader_token
from ingest.parsers.interface import SourceParserName

MEBIBYTE = 1024 * 1024

Owner = Annotated[str, StringConstraints(pattern=r"^(slack:[UW][A-Z0-9]+|mattermost:[a-z0-9]{26})$")]
"""A platform, and a user's id there."""


class SourceUnavailable(Transient):
    """The source could not be reached or listed now; nothing is removed on its account."""


class SourceRefused(ConfigurationError):
    """The source answers, but not to us: a wrong or revoked key, a missing permission, a wrong address."""


class CursorExpired(Transient):
    """The source no longer knows what has changed since; only a listing from the beginning tells."""


class DocumentGone(Terminal):
    """The document was listed and is no longer there, or may no longer be read."""


class DocumentUnavailable(Transient):
    """This one document cannot be had now; others may."""


class DocumentTooLarge(Terminal):
    """The document is larger than what is read (`parsing.max_file_mb`)."""

    @classmethod
    def over(cls, max_bytes: int, size: int | None = None) -> Self:
        """More than `max_bytes`, and `size` in bytes where that is known."""
        return cls(too_large(max_bytes, size))


def too_large(max_bytes: int, size: int | None = None) -> str:
    """Why a document is not read that has more than `max_bytes`, and `size` where that is known."""
    limit = f"larger than {max_bytes / MEBIBYTE:,.0f} MiB (`parsing.max_file_mb`)"
    return limit if size is None else f"{math.ceil(size / MEBIBYTE * 10) / 10:,.1f} MiB, {limit}"


class SourceSettings(BaseModel, ABC):
    """What every entry of the `sources` section has; each kind adds its own keys and its `kind`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    readers: list[str] = Field(default=[EVERYONE])
    """Who may read a document of which neither the source nor the document itself says it. Empty: nobody."""
    owners: tuple[Owner, ...] = ()
    """Whom the bot hands a question about these documents to: `slack:U042`, `mattermost:` and a user's id."""
    token: SecretStr | None = Field(default=None, exclude=True)
    """Key, password or token, from the environment (`SOUFFLEUR_SOURCE_<NAME>_TOKEN`), never from the file."""

    _tokens = field_validator("readers")(lambda cls, value: list(map(reader_token, value)))

    @property
    def needs_token(self) -> bool:
        """Whether nothing can be read without a token."""
        return False

    @property
    @abstractmethod
    def location(self) -> str:
        """Where the documents come from, for people: a folder or an address."""


class ServerSettings(SourceSettings):
    """What sources behind one address have, where nothing is read without a token."""

    base_url: str

    @property
    def needs_token(self) -> bool:
        return True

    @property
    def location(self) -> str:
        return self.base_url


def token_variable(source: str) -> str:
    """The environment variable that holds the token of the source of that name."""
    return f"SOUFFLEUR_SOURCE_{''.join(letter if letter.isalnum() else '_' for letter in source).upper()}_TOKEN"


class Source(Protocol):
    """One configured source. Subclass it for what has a body here; constructors touch neither disk nor network.

    Every call may raise `SourceUnavailable` and `SourceRefused`.
    """

    name: str
    readers: Readers
    """Who may read a document of which neither the source nor the document itself says it."""

    def list(self, since: str | None) -> AsyncIterator[Listed]:
        """The documents, in any order, each id at most once, without reading their content if that can be avoided.

        Without `since` all of them: what a listing that ends without an error did not name is gone. With `since`, the
        value of the last `Cursor` that was kept, whatever may have changed since then, at least: what is gone is named
        as `Gone`, and what is not named stays. A source that yields no `Cursor` is always listed whole. A cursor is
        kept once everything the listing named is written. Raises `CursorExpired`.
        """
        ...

    def fetch(self, entry: Entry) -> AbstractAsyncContextManager[Original]:
        """The content of `entry`, a file until the context ends.

        Raises `DocumentGone`, `DocumentTooLarge` or `DocumentUnavailable` where the trouble is this document's own.
        Of `entry`, id, version, readers, url and media type are as listed, now or in an earlier run.
        """
        ...

    def parser_for(self, entry: Entry) -> SourceParserName:
        """The parser for this document: the one that the configuration chose, where it does."""
        return "kreuzberg"

    async def close(self) -> None:
        """End what the source holds open."""
        return  # most hold nothing; a body, so that this is no abstract method


@asynccontextmanager
async def as_file(
    content: bytes,
    *,
    name: str,
    media_type: str | None = None,
    title: str | None = None,
    author: str | None = None,
    updated_at: datetime | None = None,
) -> AsyncIterator[Original]:
    """What a source holds in memory as the file that `fetch` promises, until the context ends."""
    async with original_file() as path:
        await asyncio.to_thread(path.write_bytes, content)
        yield Original(path=path, name=name, media_type=media_type, title=title, author=author, updated_at=updated_at)


@asynccontextmanager
async def original_file() -> AsyncIterator[Path]:
    """Where a source may write the file that `fetch` promises; it is removed when the context ends."""
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="souffleur-")
    try:
        yield Path(folder.name) / "original"
    finally:
        await asyncio.to_thread(folder.cleanup)


@asynccontextmanager
async def of_one_document(still_answers: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Tell trouble with one document from trouble with its source, by a question about something else.

    `SourceUnavailable` and `SourceRefused` become `DocumentUnavailable`, unless `still_answers` raises one itself.
    """
    try:
        yield
    except (SourceUnavailable, SourceRefused) as error:
        await still_answers()
        raise DocumentUnavailable(str(error)) from error
