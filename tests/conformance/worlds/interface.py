"""What a world does, so that one suite can try every source in every situation."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from ingest.model import DocumentId, Readers
from ingest.sources.interface import Source

CASES = {
    "first sync": "everything is found, with its readers, link, author and date",
    "nothing changed": "nothing is read again",
    "one changed": "the new text is found, the old is not",
    "one renamed": "it is found once, under the new name",
    "one deleted": "it is unreachable after the next sync",
    "access changed": "new readers hold without reading the document again",
    "killed in the middle": "the next run finishes the work, nothing twice, nothing lost",
    "page 2 fails": "nothing is removed, and the next run is whole",
    "listing empty": "nothing is removed without being told to",
    "429 with Retry-After": "waited for, and all is found",
    "credentials revoked": "said once, with the way out; the documents stay",
    "item too large": "skipped with its reason, the others are found",
    "unknown type": "skipped with its reason, the others are found",
    "one item always fails": "it alone is told, in every run; the others are found, and deletions happen",
}
"""The cases of the suite, and what each one promises."""


class World(Protocol):
    """One source's far side. Documents are called by keys (`alpha`, `beta`), each a short text under a title.

    A fake server pages so that three documents are more than one page, and answers as its vendor's documentation says.
    """

    kind: str
    not_applicable: Mapping[str, str]
    """Cases that cannot arise here, each with the reason, for the table in the docs."""

    def opened(self) -> AbstractAsyncContextManager[None]:
        """Run whatever has to run (a server on loopback), empty of documents."""
        ...

    def source(self) -> Source:
        """The source as a newly started program makes it; what it keeps between runs is kept."""
        ...

    async def put(self, key: str, text: str) -> None:
        """Make the document, or change its text (a sentence of plain words)."""
        ...

    async def rename(self, key: str) -> None:
        """Give the document another title, or path where that is its name; `id` tells its id from then on."""
        ...

    async def delete(self, key: str) -> None: ...

    async def restrict(self, key: str) -> Readers:
        """Restrict the document, or what holds it, without changing its text; who may read it from then on."""
        ...

    def id(self, key: str) -> DocumentId:
        """Its id now."""
        ...

    def readers(self, key: str) -> Readers:
        """Who may read it now."""
        ...

    def fetched(self) -> int:
        """How often the content of any document was handed out, by `fetch` or by the server behind it."""
        ...

    async def break_second_page(self, broken: bool = True) -> None:
        """The listing breaks off after its first part with a server error or its like; whole again with False."""
        ...

    async def empty(self) -> None:
        """The listing succeeds and names nothing, as where a mount or a permission is missing."""
        ...

    async def busy(self, times: int) -> None:
        """The next `times` requests are answered 429 with `Retry-After: 0`."""
        ...

    def waited(self) -> int:
        """How many of those answers were given."""
        ...

    async def revoke(self) -> None:
        """The token is refused from now on, in the vendor's own way."""
        ...

    async def put_large(self, key: str) -> None:
        """A document, or an attachment, of more than 1 MiB; sources here are made with `max_file_mb=1`."""
        ...

    async def put_unknown(self, key: str) -> None:
        """A document of a type that is no text, such as `application/x-tape`."""
        ...

    async def put_failing(self, key: str) -> None:
        """A document, or an attachment, that is listed, and whose content fails (status 500 or its like) for ever."""
        ...
