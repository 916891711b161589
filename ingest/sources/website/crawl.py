"""One listing of a website: which addresses are asked for, in which order, and what each is to the source.

The order is that of the links, breadth first, whatever answers first: the same site gives the same listing. A listing
that could not see everything, or was cut off at `max_pages`, says so, asks for what it knows from earlier ones and did
not reach, and removes only what it saw to be gone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from ingest.model import DocumentId, Entry, Gone, Listed, Readers, Skipped
from ingest.sources.guarded import AddressRefused
from ingest.sources.interface import SourceRefused, SourceUnavailable
from ingest.sources.website.cache import Cache, Record
from ingest.sources.website.client import Unanswered
from ingest.sources.website.reader import Missing, Moved, Reader, Refused, Seen, Unseen
from ingest.sources.website.robots import Robots
from ingest.sources.website.settings import WebsiteSettings
from ingest.sources.website.sitemap import claims_to_be
from ingest.sources.website.urls import FILES, NO_DOCUMENTS, Scope, Site, document_id, host_of
from ingest.sources.website.visit import Target, Visit

BATCH = 32
"""Addresses asked for before their answers are looked at, in order."""

REDIRECTS = 10

SITEMAPS = 1_000
"""Of one start address; they name fifty million pages."""

ASKED_FOR_EACH_PAGE = 20
"""Addresses, most of which lead to nothing, for each page of `max_pages`: it bounds a site that invents links."""

GIVE_UP_AFTER = 10
"""Addresses in a row that a server does not answer for: it is down, and the rest need not be tried."""


class Crawl:
    """One listing."""

    def __init__(
        self, source: str, settings: WebsiteSettings, *, reader: Reader, robots: Robots, cache: Cache, readers: Readers
    ) -> None:
        """`source` is the source's name, for messages; `readers` may read every document."""
        self._source = source
        self._settings = settings
        self._reader = reader
        self._robots = robots
        self._cache = cache
        self._readers = readers
        self._scope = Scope(settings.include, settings.exclude)
        self._site = Site([*map(host_of, settings.start), *settings.hosts])
        self._queue: deque[Target] = deque()
        self._later: list[Target] = []
        """Pages of sitemaps: what is also linked is crawled from first."""
        self._begun: list[Visit] = []
        self._asked: set[str] = set()
        self._named: set[DocumentId] = set()
        self._absent: dict[DocumentId, None] = {}
        """Where there is no document by what was seen, which only a listing that is not complete has to say."""
        self._waiting: set[str] = set()
        """Addresses left for the next time."""
        self._elsewhere: list[Record] = []
        """Pages that say that they are really another one."""
        self._pages = 0
        self._unanswered = 0
        self._full = False
        """Whether there are more addresses than are asked for."""
        self._unseen: list[str] = []
        """Why there may be more than was seen."""

    async def listed(self) -> AsyncIterator[Listed]:
        """The documents. Raises `SourceUnavailable` and `SourceRefused`."""
        for start in self._settings.start:
            await self._start(start)
        for visit in self._begun:
            for item in self._taken(visit):
                yield item
        while batch := self._batch():
            for visit in await self._visits(batch):
                self._count(visit.seen)
                for item in self._taken(visit):
                    yield item
        if self._queue or self._full:
            self._unseen.append(f"the site has more than {self._settings.max_pages:,} pages; raise `max_pages`")
        if self._unseen:
            async for item in self._remembered():
                yield item
        for item in self._rest():
            yield item
        await self._tidy()

    async def _remembered(self) -> AsyncIterator[Listed]:
        """What became of the pages that are known from earlier listings and were not reached: their links do not count.

        At most `max_pages` are asked for, the others the next time; as are all when nobody answers any more.
        """
        self._waiting.update(target.url for target in self._queue)
        self._asked -= self._waiting
        try:
            known = await asyncio.to_thread(self._cache.pages)
        except OSError as error:
            raise self._unusable(error) from error
        left = [url for url in known if url not in self._asked]
        wanted = [url for url in left if self._site.covers(url) and self._scope.wants(url)]
        self._waiting.update(wanted)
        self._asked.update(wanted)
        self._absent.update((document_id(url), None) for url in left if url not in self._waiting)
        self._pages, self._later = 0, []
        depth, limit = self._settings.max_depth, self._settings.max_pages
        self._queue = deque(Target(url=url, depth=depth) for url in wanted[:limit])
        while batch := self._batch():
            visits = await self._visits(batch)
            if all(isinstance(visit.seen, Unseen) and visit.seen.away for visit in visits):
                return
            for visit in visits:
                self._waiting.discard(visit.target.url)
                for item in self._taken(visit):
                    yield item

    async def _start(self, start: str) -> None:
        """Read a start address: a sitemap with all it names, or a page to crawl from."""
        visit = await self._arrived(Target(url=start, named=True))
        url, seen = visit.target.url, visit.seen
        if not isinstance(seen, Record):
            raise self._refused(url, seen)
        if seen.kind == "sitemap":
            await self._sitemaps(start, seen)
        elif claims_to_be(url):
            raise self._refused(url, Refused(f"it is no sitemap, but {seen.refusal or 'a page'}"))
        elif seen.refusal and (seen.login or not seen.links):
            raise self._refused(url, Refused(seen.refusal))
        else:
            self._begun.append(visit)

    async def _sitemaps(self, start: str, first: Record) -> None:
        """Note the pages that the sitemap `first` names, and those that it names through others."""
        waiting, read = deque([first]), {start, first.url}
        others: list[str] = []
        while waiting:
            current = waiting.popleft()
            for url, lastmod in current.pages:
                if self._site.covers(url):
                    self._later.append(Target(url=url, named=True, files_only=True, lastmod=lastmod))
                else:
                    others.append(host_of(url))
            for url in current.sitemaps:
                if url in read:
                    continue
                if len(read) >= SITEMAPS or len(self._later) > self._settings.max_pages:
                    self._unseen.append(f"{start!r} names more than is read; raise `max_pages`, or name fewer sitemaps")
                    return
                read.add(url)
                if (below := await self._sitemap(url)) is not None:
                    waiting.append(below)
        if others and not self._later:
            raise SourceRefused(
                f"source {self._source!r}: the pages that {start!r} names are on {others[0]!r}; if that is the site,"
                " add it to `hosts`"
            )

    async def _sitemap(self, url: str) -> Record | None:
        """A sitemap that another one names; None, and nothing is removed, where there is none."""
        if not self._site.covers(url):
            self._unseen.append(f"the sitemap {url!r} is on another site; if that is meant, add it to `hosts`")
            return None
        visit = await self._arrived(Target(url=url, named=True))
        match visit.seen:
            case Record(kind="sitemap") as seen:
                return seen
            case Missing():
                self._unseen.append(f"the sitemap {url!r}, which another one names, is not there: correct that one")
                return None
            case Record():
                raise self._refused(url, Unseen("its server sent a page where a sitemap should be"))
            case seen:
                raise self._refused(visit.target.url, seen)

    async def _arrived(self, target: Target) -> Visit:
        """What is at the address, or where redirects from it lead, on the same site."""
        self._asked.add(target.url)
        visit = await self._visit(target, forced=True)
        while isinstance(visit.seen, Moved) and target.redirects < REDIRECTS:
            to = visit.seen.to
            if to is None or not self._site.covers(to):
                other = Refused(
                    f"it leads to {to!r}, on another site; put that in `start` if it is not there to sign in"
                )
                raise self._refused(target.url, other)
            target = replace(target, url=to, redirects=target.redirects + 1)
            self._asked.add(to)
            visit = await self._visit(target, forced=True)
        return visit

    async def _visits(self, targets: Sequence[Target]) -> list[Visit]:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._visit(target)) for target in targets]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        return [task.result() for task in tasks]

    async def _visit(self, target: Target, *, forced: bool = False) -> Visit:
        """Ask for the address. `forced`: it is a start address, and that we may not connect to it is raised."""
        known: Record | None = None
        seen: Seen | None = None
        try:
            known = await asyncio.to_thread(self._cache.recall, target.url)
            await asyncio.to_thread(self._cache.looked_at, target.url)
            if await self._robots.allow(target.url):
                seen = await self._reader.read(target.url, known=known, lastmod=target.lastmod)
        except AddressRefused as error:
            if forced:
                raise AddressRefused(f"source {self._source!r}: {error}") from error
            seen = Refused(str(error))
        except Unanswered as error:
            seen = Unseen(str(error), away=error.away)
        except OSError as error:
            raise self._unusable(error) from error
        return Visit(target=target, seen=seen, known=known)

    def _batch(self) -> list[Target]:
        """The next addresses to ask for; none when all were, or no more may be."""
        if not self._queue:
            later, self._later = self._later, []
            for target in later:
                self._enqueue(target)
        room = max(0, min(BATCH, self._settings.max_pages - self._pages))
        return [self._queue.popleft() for _ in range(min(room, len(self._queue)))]

    def _enqueue(self, target: Target, *, first: bool = False) -> None:
        url = target.url
        if url in self._asked or not self._site.covers(url) or not self._scope.wants(url):
            return
        if len(self._asked) >= ASKED_FOR_EACH_PAGE * self._settings.max_pages:
            self._full = True
            return
        self._asked.add(url)
        if first:
            self._queue.appendleft(target)
        else:
            self._queue.append(target)

    def _taken(self, visit: Visit) -> Iterator[Listed]:
        """What the listing says of an address, and what is to be asked for because of it."""
        target, seen = visit.target, visit.seen
        match seen:
            case None:
                name = self._robots.name
                yield from self._no(target, f"robots.txt does not let {name!r} read it")
            case Moved(to=to):
                self._absent[document_id(target.url)] = None
                if to is not None and target.redirects < REDIRECTS:
                    moved = replace(target, url=to, redirects=target.redirects + 1)
                    self._enqueue(moved, first=True)
            case Missing():
                self._absent[document_id(target.url)] = None
            case Refused(reason=reason):
                yield from self._skip(target.url, reason)
            case Unseen(reason=reason):
                yield from self._skip(target.url, reason, unseen=True)
                if visit.known is not None:
                    self._follow(target, visit.known)
                else:
                    self._unseen.append(f"{target.url!r} could not be read, so what it links to is not known")
            case Record():
                self._pages += 1
                self._follow(target, seen)
                yield from self._document(target, seen)

    def _count(self, seen: Seen | None) -> None:
        """Raises `SourceUnavailable` when the server seems to be down."""
        self._unanswered = self._unanswered + 1 if isinstance(seen, Unseen) and seen.away else 0
        if isinstance(seen, Unseen) and self._unanswered >= GIVE_UP_AFTER:
            raise SourceUnavailable(
                f"source {self._source!r}: {seen.reason}, {GIVE_UP_AFTER} times in a row; nothing is removed, try again"
                " later"
            )

    def _follow(self, target: Target, record: Record) -> None:
        """Ask for what the page links to, and for the page that it says it really is."""
        if record.canonical is not None:
            self._enqueue(replace(target, url=record.canonical), first=True)
        for url in record.links:
            is_file = FILES.search(urlsplit(url).path) is not None
            if target.files_only and not is_file:
                continue
            if target.depth < self._settings.max_depth and not NO_DOCUMENTS.search(urlsplit(url).path):
                self._enqueue(Target(url=url, depth=target.depth + 1, files_only=target.files_only))

    def _document(self, target: Target, record: Record) -> Iterator[Listed]:
        if record.kind == "sitemap" or not self._scope.wants(record.url):
            self._absent[document_id(record.url)] = None
        elif record.noindex:
            yield from self._no(target, "it asks not to be found (noindex)")
        elif record.refusal is not None:
            yield from self._skip(record.url, record.refusal)
        elif record.canonical is not None:
            self._elsewhere.append(record)
        else:
            yield from self._entry(record)

    def _entry(self, record: Record) -> Iterator[Listed]:
        id = document_id(record.url)
        if id not in self._named:
            self._named.add(id)
            yield Entry(
                id=id, version=record.version, readers=self._readers, url=record.url, media_type=record.media_type
            )

    def _no(self, target: Target, reason: str) -> Iterator[Listed]:
        """There is no document for us, which is worth telling if somebody named it."""
        if target.named:
            yield from self._skip(target.url, reason)
        else:
            self._absent[document_id(target.url)] = None

    def _skip(self, url: str, reason: str, *, unseen: bool = False) -> Iterator[Listed]:
        id = document_id(url)
        if id not in self._named:
            self._named.add(id)
            yield Skipped(id=id, reason=reason, unseen=unseen)

    def _rest(self) -> Iterator[Listed]:
        """Pages whose real one is not there; if not all was seen, what is gone, and why the rest stays."""
        for record in sorted(self._elsewhere, key=lambda record: record.url):
            if document_id(record.canonical or record.url) not in self._named:
                yield from self._entry(record)
            else:
                self._absent[document_id(record.url)] = None
        if not self._unseen:
            return
        kept = self._named.union(map(document_id, self._waiting))
        for id in self._absent:
            if id not in kept:
                yield Gone(id=id)
        more = f" (and {len(self._unseen) - 1} more like it)" if len(self._unseen) > 1 else ""
        for scheme in sorted({urlsplit(url).scheme for url in self._asked}):
            yield Skipped(
                id=DocumentId(f"{scheme}://"),
                reason=f"{self._unseen[0]}{more}; until then only what is seen to be gone is removed",
                unseen=True,
            )

    async def _tidy(self) -> None:
        """Give up what the cache need not keep."""
        try:
            for record in self._elsewhere:
                if document_id(record.url) not in self._named:
                    await asyncio.to_thread(self._cache.drop, record)
            if not self._unseen:
                await asyncio.to_thread(self._cache.sweep, self._asked)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> SourceUnavailable:
        where = str(self._cache.folder)
        return SourceUnavailable(
            f"source {self._source!r}: its folder {where!r} cannot be used ({error.strerror}); make room there"
        )

    def _refused(self, url: str, seen: Seen | None) -> SourceRefused | SourceUnavailable:
        """Why a listing cannot begin."""
        what = f"source {self._source!r}: {url!r} cannot be listed: "
        match seen:
            case Unseen(reason=reason):
                return SourceUnavailable(f"{what}{reason}; nothing is removed, try again later")
            case Refused(reason=reason):
                return SourceRefused(f"{what}{reason}")
            case Missing():
                return SourceRefused(f"{what}there is nothing at that address; correct `start`")
            case Moved():
                return SourceRefused(f"{what}it leads in a circle; open it in a browser, and name where that ends")
            case _:
                name = self._robots.name
                return SourceRefused(
                    f"{what}its robots.txt does not let {name!r} read it; if the site is yours, let it (`User-agent:"
                    f" {name}`, `Allow: /`)"
                )
