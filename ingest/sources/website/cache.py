"""What is remembered of each address between runs, one file each, so that a run that is killed leaves no half of one.

The folder may be lost at any time: what is not remembered is asked for again.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

OLD_SECONDS = 24 * 3600
"""After which nobody writes a file any more that somebody began to write."""


class Record(BaseModel):
    """What an address held when its server last sent it. Addresses are in their normal form."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    """Of this record: another one is not read."""
    url: str
    kind: Literal["page", "file", "sitemap"]
    etag: str | None = None
    last_modified: str | None = None
    """Both as the server wrote them, for it to say next time that nothing has changed."""
    media_type: str | None = None
    version: str = ""
    """Of the content; empty when there is none to be read."""
    size: int = 0
    """Bytes of the content as it is kept."""
    changed: datetime | None = None
    """When it was last changed, by the word of sitemap or server."""
    noindex: bool = False
    """Whether it asks not to be found."""
    refusal: str | None = None
    """Why it is no document."""
    too_large: int | None = None
    """That it had more than so many bytes, if that is why."""
    login: bool = False
    """Whether it is a page to sign in."""
    canonical: str | None = None
    """Where it says that the document is, when that is elsewhere."""
    links: tuple[str, ...] = ()
    """That may be followed."""
    pages: tuple[tuple[str, str | None], ...] = ()
    """Of a sitemap: addresses and their last changes."""
    sitemaps: tuple[str, ...] = ()


class Cache:
    """The records, and contents that were listed and not fetched yet. Every call may raise `OSError`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def recall(self, url: str) -> Record | None:
        """What is remembered of `url`, if that can be read."""
        try:
            record = Record.model_validate_json(self._record(url).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        return record if record.url == url else None

    def keep(self, record: Record, content: Path | None = None) -> None:
        """Remember `record`, and move the file `content` here as what `Website.fetch` hands out."""
        if content is not None:
            content.replace(self.content(record.url, record.version))
        written = self.part()
        written.write_text(record.model_dump_json(exclude_defaults=True), "utf-8")
        written.replace(self._record(record.url))

    def pages(self) -> list[str]:
        """All addresses remembered, but of sitemaps; first those that were not looked at for longest."""
        found: list[tuple[int, str]] = []
        for file in self.folder.glob("*.json"):
            try:
                record, looked_at = Record.model_validate_json(file.read_bytes()), file.stat().st_mtime_ns
            except (FileNotFoundError, ValidationError):
                continue
            if record.kind != "sitemap":
                found.append((looked_at, record.url))
        return [url for _, url in sorted(found)]

    def looked_at(self, url: str) -> None:
        """Put `url`, if it is remembered, last in `pages`."""
        with suppress(FileNotFoundError):
            os.utime(self._record(url))

    def content(self, url: str, version: str) -> Path:
        """Where the content of that version is, if it is here."""
        return self.folder / f"{_key(url)}.{_key(version)}"

    def holds(self, record: Record) -> bool:
        """Whether the content is here, and whole."""
        try:
            return self.content(record.url, record.version).stat().st_size == record.size
        except FileNotFoundError:
            return False

    def drop(self, record: Record) -> None:
        """Give up the content, which nobody will ask for."""
        self.content(record.url, record.version).unlink(missing_ok=True)

    def part(self) -> Path:
        """A new file to write to."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=self.folder)
        os.close(handle)
        return Path(name)

    def sweep(self, urls: Iterable[str]) -> None:
        """Forget everything but `urls`."""
        kept = {_key(url) for url in urls}
        try:
            found = list(self.folder.iterdir())
        except FileNotFoundError:
            return
        for file in found:
            if file.suffix == ".part":
                forget = file.stat().st_mtime < time.time() - OLD_SECONDS
            else:
                forget = file.name.partition(".")[0] not in kept
            if forget:
                file.unlink(missing_ok=True)

    def _record(self, url: str) -> Path:
        return self.folder / f"{_key(url)}.json"


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
