"""Sitemaps as sitemaps.org describes them: XML, packed or not, or a list of addresses as plain text."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from xml.sax import SAXException, handler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import create_parser

from ingest.sources.website.urls import normal

HEAD = 4096
"""Bytes that tell a sitemap from anything else."""

XML = re.compile(rb"<(?:\w+:)?(?:urlset|sitemapindex)[\s>]")

MOST_BYTES = 50 * 1024 * 1024
"""Of one sitemap, unpacked; sitemaps.org says the same of `MOST_ADDRESSES`."""

MOST_ADDRESSES = 50_000

MOST_DEPTH = 20
"""Elements in elements; a sitemap has three, and its extensions for pictures and news a few more."""

PIECE = 64 * 1024

GZIP = b"\x1f\x8b"


class Unreadable(ValueError):
    """The sitemap is cut off, too large, or no sitemap at all; the text goes on after `it`."""


@dataclass(kw_only=True, slots=True)
class Sitemap:
    """What a sitemap names, in order: pages, or further sitemaps."""

    pages: list[tuple[str, str | None]] = field(default_factory=list)
    """Address, and the last change as it is written there."""
    sitemaps: list[str] = field(default_factory=list)


def is_sitemap(path: Path, url: str) -> bool:
    """Whether the file at `path`, which came from `url`, looks like a sitemap. Raises `OSError`."""
    try:
        head = next(_unpacked(path), b"")[:HEAD]
    except Unreadable:
        return False
    return bool(XML.search(head)) or (url.endswith(".txt") and head.lstrip().startswith((b"http://", b"https://")))


def claims_to_be(url: str) -> bool:
    """Whether an address is one of a sitemap by its looks."""
    return url.endswith((".xml", ".xml.gz"))


def read(path: Path, url: str) -> Sitemap:
    """The sitemap in the file at `path`; its addresses are made normal, relative to `url`.

    Raises `Unreadable` and `OSError`.
    """
    if url.endswith(".txt"):
        named = islice(filter(None, map(bytes.strip, _lines(path))), MOST_ADDRESSES)
        pages = (normal(line.decode("utf-8-sig", "replace"), url) for line in named)
        return Sitemap(pages=[(page, None) for page in pages if page is not None])
    found = _Found(url)
    parser = create_parser(forbid_dtd=True)
    parser.setFeature(handler.feature_namespaces, False)
    parser.setContentHandler(found)
    try:
        for piece in _unpacked(path):
            parser.feed(piece)
        parser.close()
    except (SAXException, DefusedXmlException) as error:
        cause = error.getMessage() if isinstance(error, SAXException) else type(error).__name__
        raise Unreadable(f"is cut off, or is no XML ({cause})") from error
    return found.sitemap


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of the file, one after the other, without those longer than `PIECE`, which are no addresses."""
    rest = b""
    for piece in filter(None, _unpacked(path)):
        *whole, rest = (rest + piece).splitlines(keepends=True)
        yield from (line for line in whole if len(line) <= PIECE)
        if len(rest) > PIECE:
            rest = rest[:PIECE] + rest[-1:]
    if len(rest) <= PIECE:
        yield rest


def _unpacked(path: Path) -> Iterator[bytes]:
    """The bytes of the file, unpacked if they are gzip, in pieces."""
    whole = 0
    with path.open("rb") as file:
        head = file.read(2)
        file.seek(0)
        unpack = zlib.decompressobj(wbits=31) if head == GZIP else None
        while data := file.read(PIECE):
            while data:
                try:
                    piece = unpack.decompress(data, PIECE) if unpack else data
                except zlib.error as error:
                    raise Unreadable(f"is damaged gzip ({error})") from error
                data = unpack.unconsumed_tail if unpack else b""
                whole += len(piece)
                if whole > MOST_BYTES:
                    raise Unreadable(f"has more than {MOST_BYTES >> 20} MiB; split it")
                yield piece
        if unpack and not unpack.eof:
            raise Unreadable("is cut off")


class _Found(handler.ContentHandler):
    """Collects `loc` and `lastmod` of each `url` and `sitemap`, whatever the namespace is called."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.sitemap = Sitemap()
        self._base = url
        self._path: list[str] = []
        self._text: list[str] = []
        self._fields: dict[str, str] = {}

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        self._path.append(name.rpartition(":")[2])
        self._text = []
        if len(self._path) > MOST_DEPTH:
            raise Unreadable("is nested as no sitemap is")
        if len(self._path) == 2:
            self._fields = {}

    def characters(self, content: str) -> None:
        self._text.append(content)

    def endElement(self, name: str) -> None:
        if len(self._path) == 3:
            self._fields.setdefault(self._path[-1], "".join(self._text).strip())
        elif self._path in (["urlset", "url"], ["sitemapindex", "sitemap"]):
            self._take(self._path[-1])
        self._path.pop()

    def _take(self, kind: str) -> None:
        written = self._fields.get("loc")
        address = normal(written, self._base) if written else None
        if address is None or len(self.sitemap.pages) + len(self.sitemap.sitemaps) >= MOST_ADDRESSES:
            return
        if kind == "url":
            self.sitemap.pages.append((address, self._fields.get("lastmod") or None))
        else:
            self.sitemap.sitemaps.append(address)
