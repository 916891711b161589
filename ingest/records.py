"""What the ledger holds, row by row: documents, sources, how those stand, and what was removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ingest.model import DocumentId, Entry, Readers


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What the ledger holds of one document: of the last attempt, and what is named here of the last success."""

    source: str
    id: DocumentId
    version: str
    """As the source listed it."""
    content_hash: str
    """SHA-256 of the original, hexadecimal; empty when it could not be read."""
    parser: str
    error: str | None
    """Why the last attempt failed, in one line; None after a success."""
    empty: bool = False
    """The last attempt found nothing that can be read, which `error` says and which is nobody's fault."""
    due: bool = False
    """The last attempt failed for a reason that may pass: the next sync reads the document again."""
    title: str
    """Of the last success, like all to `own_readers`, but for the readers and the address, which are in force now."""
    url: str | None
    author: str | None
    updated_at: datetime | None
    language: str
    readers: Readers
    own_readers: Readers | None
    """What the document's front matter says; None when it says nothing."""
    indexed_at: datetime | None
    """When its chunks were last written; None when no attempt has succeeded."""
    listed: str = ""
    """Digest of all that the listing said of it (`plan.digest`): equal means that nothing is to be done."""
    listed_readers: Readers | None = None
    """What the source said of it, as in `Entry`."""
    media_type: str | None = None
    """As the source listed it."""
    withheld: bool = False
    """Whether its passages have no readers in the index, whatever `readers` says, since it is revoked."""

    @property
    def entry(self) -> Entry:
        """What the source listed, for a document to read again that no listing has named since."""
        return Entry(
            id=self.id,
            version=self.version,
            readers=self.listed_readers,
            url=self.url,
            media_type=self.media_type,
        )

    @property
    def stale(self) -> bool:
        """Whether answers come from an older version, since the newest could not be read."""
        return self.error is not None and self.indexed_at is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceRecord:
    """A source that a sync was begun for."""

    name: str
    location: str
    """The folder or address that its documents come from."""
    configured: bool
    """False for a folder that was named on the command line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceState:
    """How one source stands."""

    source: SourceRecord
    documents: int
    """With an indexed version."""
    failing: int
    stale: int
    """Those of the failing that have an older version, from which answers come."""
    chunks: int
    synced_at: datetime | None
    """When the last complete run ended."""
    ran_at: datetime | None
    """When the last run ended, complete or not."""
    counts: dict[str, int] = field(default_factory=dict)
    """What the last run did, by outcome."""
    error: str | None
    """Why the last run ended early; None when it was complete."""
    next_run: datetime | None
    """When a watching process will begin the next one; None when none watches."""
    revoked: int = 0
    """Documents that nobody may read until they are restored, there or not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Removal:
    """A document that left the ledger and has not come back."""

    source: str
    document: DocumentId
    removed_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Revocation:
    """That nobody may read a document, whatever its source says, until it is restored."""

    source: str
    document: DocumentId
    by: str
    """Who revoked it, as the command was told."""
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What a listing is compared with: every document of one source, those without trouble by their digest alone."""

    digests: dict[DocumentId, str]
    troubled: dict[DocumentId, Record]
    """Those whose last attempt failed, or found nothing to read."""

    def __len__(self) -> int:
        return len(self.digests) + len(self.troubled)

    def __contains__(self, id: DocumentId) -> bool:
        return id in self.digests or id in self.troubled

    def ids(self) -> Sequence[DocumentId]:
        return [*self.digests, *self.troubled]
