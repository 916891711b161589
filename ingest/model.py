"""What flows through both programs: an entry of a listing, a parsed text, a document, its chunks."""

from __future__ import annotations

import re
import string
import unicodedata
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NewType
from urllib.parse import quote

DocumentId = NewType("DocumentId", str)
"""A source's own, stable name for a document: a path relative to the source's root, a page id."""

DocumentKey = tuple[str, DocumentId]
"""Name of the source, id of the document."""

ChunkId = NewType("ChunkId", str)
"""A UUID in text form, see `chunk_id`."""

Readers = frozenset[str]
"""Reader tokens (`public`, `everyone`, `group:finance`, `user:ada@example.org`). An empty set is readable by nobody."""

PUBLIC = "public"
"""Held by every asker."""

EVERYONE = "everyone"
"""Held by every member of the company."""

MEMBER: Readers = frozenset({EVERYONE, PUBLIC})
"""What every member of the company holds."""

READER_TOKEN = re.compile(r"public|everyone|[a-z][a-z0-9_-]*:[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
"""`public`, `everyone`, or a lower-case kind and a name: `group:finance`, `user:ada@example.org`, `slack:C042`."""

UNFIT = re.compile(r"[\s%\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What a reader token may not hold, and the mark that then stands for it."""

ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
"""For `str.translate`; `str.lower` would make ASCII letters of others, such as the Kelvin sign."""

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*")
"""As browsers have it (https://html.spec.whatwg.org/#valid-e-mail-address), in ASCII: no two of them look alike."""

LONGEST_EMAIL = 254
"""Characters of an address (RFC 5321, by its erratum 1690)."""

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What neither UTF-8 nor Postgres can hold: half characters, and the zero character."""

CHUNK_NAMESPACE = uuid.UUID("6f0d6b0e-6d0c-5b3c-9c0e-0f8f0a7d3c51")
"""Namespace of chunk ids; changing it orphans every indexed point."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One document as its source lists it, before its content is read."""

    id: DocumentId
    version: str
    """Opaque; equal to the last seen one means unchanged, with no need to read the content (files: size and mtime)."""
    readers: Readers | None = None
    """Who the source says may read it; None leaves it to its own front matter, then to the source's default."""
    url: str | None = None
    """Where a person opens it; None when there is no such place."""
    media_type: str | None = None
    """As the source knows it; None leaves it to the parser, which looks at the name and at the first bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Skipped:
    """A document that a source listed but will not hand out, with the reason in one line for who runs the sync."""

    id: DocumentId
    reason: str
    unseen: bool = False
    """True when the source could not look: what is known of the document, or of all below an id that ends in a slash,
    stays. Otherwise the source decided, and what is known of the document is withdrawn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """The source says that a document is deleted, or, with an id that ends in a slash, all whose ids begin with it."""

    id: DocumentId


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """Where a later listing may begin: whatever changed before it has been named. Opaque; up to a few megabytes."""

    value: str


Listed = Entry | Skipped | Gone | Cursor
"""What a listing is made of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Original:
    """The content of one entry, as a file on this machine for the parsers to read."""

    path: Path
    name: str
    """File name with its extension, as people see it."""
    media_type: str | None = None
    title: str | None = None
    """As the source knows it, over what the content says; None leaves it to the content, then to `name`."""
    author: str | None = None
    """The same for who wrote it."""
    updated_at: datetime | None = None
    """Last change as the source knows it, with a time zone; the content's own word comes first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """What a parser read: Markdown text, and what the document says of itself."""

    text: str
    """Markdown: headings as `#`, tables as pipe tables. Never empty: a document without text is a `ParseError`."""
    title: str | None = None
    pages: tuple[int, ...] = ()
    """Offset in `text` (in characters) at which each page starts, in order; empty when there are no pages."""
    author: str | None = None
    updated_at: datetime | None = None
    readers: Readers | None = None
    """From front matter; None when it says nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A parsed document with its identity, its language and its readers: what is chunked and indexed."""

    source: str
    id: DocumentId
    title: str
    text: str
    pages: tuple[int, ...]
    language: str
    """ISO 639-1 code of the text, `und` when it cannot be told."""
    readers: Readers
    url: str | None
    author: str | None
    updated_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """A passage of a document, as it is indexed and cited."""

    id: ChunkId
    source: str
    document: DocumentId
    position: int
    """0 for the document's first chunk."""
    title: str
    headings: tuple[str, ...]
    """Path of headings above the passage, outermost first, without the document's title."""
    page: int | None
    """1 for the first page, where the document has pages."""
    text: str
    language: str
    readers: Readers
    url: str | None
    updated_at: datetime | None

    @property
    def heading(self) -> str:
        """Title and heading path in one line."""
        return " › ".join((self.title, *self.headings))

    @property
    def indexed_text(self) -> str:
        """Title and heading path, then the passage: what both vectors are made from."""
        return f"{self.heading}\n{self.text}"


def reader_token(text: str) -> str:
    """`text` in its `canonical` form when it is a reader token.

    Raises `ValueError` otherwise: a token that nobody can hold would hide documents without a word.
    """
    if READER_TOKEN.fullmatch(text):
        return canonical(text)
    kind, colon, name = text.strip().lower().partition(":")
    if kind.strip() == "group":
        name = name.strip().replace(" ", "%20")
    kind, name = "".join(kind.split()), "".join(name.split())
    prefix = "" if kind in (PUBLIC, EVERYONE) else "user:" if "@" in kind else "group:"
    meant = f"{kind}:{name}" if colon else prefix + kind
    if not (READER_TOKEN.fullmatch(meant) and meant.isprintable()):
        meant = "group:finance"
    shown = text if text.isprintable() else repr(text)
    raise ValueError(f"`{shown}` is no reader token; did you mean `{meant}`? (public, everyone, group:…, user:…)")


def email_of(text: str) -> str:
    """An e-mail address as it is compared, in lower case; empty for what is none."""
    plain = text.strip()
    return plain.lower() if len(plain) <= LONGEST_EMAIL and EMAIL.fullmatch(plain) else ""


def group_token(name: str) -> str:
    """`group:` and the name in lower case, where a space is `%20`: two groups never become one."""
    return canonical(f"group:{token_name(name)}")


def token_name(name: str) -> str:
    """`name` as it can stand in a reader token: composed (NFC), and percent-encoded where a token may not hold it."""
    return UNFIT.sub(lambda found: quote(found[0], errors="replace"), unicodedata.normalize("NFC", name))


def canonical(token: str) -> str:
    """A token in the one form in which it is stored, held and searched for: they are compared as they are written.

    E-mail addresses are in lower case, by ASCII letters alone: no other letter becomes one of those, as the Kelvin sign
    would become a `k`. Names of groups are in lower case and NFC. All other names are ids, which stay as they are.
    """
    kind, _, name = token.partition(":")
    if kind == "user":
        return f"user:{name.translate(ASCII_LOWER)}"
    if kind == "group":
        return "group:" + unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).lower())
    return token


def storable(text: str) -> str:
    """`text` with a replacement character for each one that cannot be stored; of the same length."""
    return UNSTORABLE.sub("\ufffd", text)


def held(tokens: Iterable[str]) -> Readers:
    """Who a command asks as: a member of the company who holds `tokens` too; `public` alone is an outsider."""
    named = frozenset(map(canonical, tokens))
    return named if named == {PUBLIC} else MEMBER | named


def chunk_id(source: str, document: DocumentId, key: str) -> ChunkId:
    """The same id for the same source, document and chunk key, on every machine and every run."""
    return ChunkId(str(uuid.uuid5(CHUNK_NAMESPACE, "\x1f".join((source, document, key)))))
