"""An address on the way through a site, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.sources.website.cache import Record
from ingest.sources.website.reader import Seen


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """An address to ask for."""

    url: str
    depth: int = 0
    """Links from a start page."""
    named: bool = False
    """Whether a sitemap or the configuration names it: then it is said why it is no document."""
    files_only: bool = False
    """Whether only links to files are followed from it."""
    lastmod: str | None = None
    redirects: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """An address, and what became of it."""

    target: Target
    seen: Seen | None
    """None where `robots.txt` forbids to look."""
    known: Record | None = None
    """What it was before."""
