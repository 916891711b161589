"""A branch of a git repository: listed by what changed between two commits, dated by its history."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from ingest.model import Cursor, DocumentId, Entry, Gone, Listed, Original, Readers, Skipped
from ingest.parsers.interface import ParserName
from ingest.sources.git.client import Head, Repository
from ingest.sources.git.convert import LINK, SUBMODULE, File, Touch, forge_link, linked
from ingest.sources.git.failures import Damaged
from ingest.sources.git.settings import GitSettings
from ingest.sources.interface import CursorExpired, DocumentUnavailable, Source, original_file, too_large
from ingest.sources.patterns import Paths, is_litter

POINTER = b"version https://git-lfs.github.com/spec/"
"""How the file begins that Git LFS keeps in place of a large one (git-lfs, docs/spec.md)."""

POINTER_BYTES = 1024
"""A pointer is smaller than this (the same document)."""

NOTHING: Mapping[str, str] = MappingProxyType({})


class Git(Source):
    """One branch. Ids are paths in the repository; a version is the id of the file's content."""

    def __init__(
        self,
        name: str,
        settings: GitSettings,
        *,
        cache: Path,
        max_file_mb: int = 200,
        environment: Mapping[str, str] = NOTHING,
    ) -> None:
        """`environment` is the program's; `process.INHERITED` names what git gets of it."""
        self.name = name
        self.readers: Readers = frozenset(settings.readers)
        self._repository = Repository(name, settings, cache=cache, environment=environment)
        self._paths = Paths(settings)
        self._link = settings.link or forge_link(settings.url)
        self._max_file_mb = max_file_mb
        self._settings = settings
        self._history = _LastTouches(self._repository)
        self._mended = False

    async def list(self, since: str | None) -> AsyncIterator[Listed]:
        self._mended = False
        try:
            listing = await self._listing(since)
        except Damaged as error:
            await self._mend(error)
            listing = await self._listing(since)
        for item in listing:
            yield item

    @asynccontextmanager
    async def fetch(self, entry: Entry) -> AsyncIterator[Original]:
        async with original_file() as path:
            try:
                await self._save(entry, path)
            except Damaged as error:
                await self._save_mended(entry, path, error)
            touch = await self._history.of(entry.id)
            yield Original(
                path=path,
                name=PurePosixPath(entry.id).name,
                media_type=entry.media_type,
                author=touch.author if touch else None,
                updated_at=touch.at if touch else None,
            )

    def parser_for(self, entry: Entry) -> ParserName:
        return self._paths.parser(entry.id, entry.media_type)

    async def _mend(self, error: Damaged) -> None:
        """Discard the copy, once after each listing: damage that comes back is not the copy's own."""
        if self._mended:
            raise error
        self._mended = True
        await self._repository.discard(error)

    async def _save_mended(self, entry: Entry, path: Path, error: Damaged) -> None:
        """Save from a copy that is made anew; where damage comes back, it is this one content's."""
        try:
            await self._mend(error)
            await self._repository.update()
            await self._save(entry, path)
        except Damaged as again:
            raise DocumentUnavailable(str(again)) from again

    async def _save(self, entry: Entry, path: Path) -> None:
        await self._repository.save(entry.version, path, max_bytes=self._max_file_mb << 20)

    async def _listing(self, since: str | None) -> Sequence[Listed]:
        head = await self._repository.update()
        if head is None:
            if since is not None:
                raise CursorExpired(f"source {self.name!r}: the repository has no commit any more")
            return []
        depends = self._depends(head)
        files: list[File] = []
        listing: list[Listed] = []
        if since is None:
            files.extend(await self._repository.tree(head.commit))
        else:
            known = await self._known(since, depends)
            for change in await self._repository.changes(known, head.commit):
                if isinstance(change, File):
                    files.append(change)
                elif (path := _text(change)) is not None and self._is_document(path):
                    listing.append(Gone(id=DocumentId(path)))
        listing += await self._described(files, head)
        entries = {item.id for item in listing if isinstance(item, Entry)}
        self._history.expect(head.commit, entries)
        return [*listing, Cursor(value=f"{head.commit} {depends}")]

    async def _known(self, since: str, depends: str) -> str:
        """The commit that the last listing ended at."""
        commit, _, before = since.partition(" ")
        if before != depends:
            raise CursorExpired(f"source {self.name!r}: its settings have changed since the last listing")
        if not await self._repository.knows(commit):
            raise CursorExpired(f"source {self.name!r}: the repository has no commit {commit!r} any more")
        return commit

    def _depends(self, head: Head) -> str:
        """A digest of all that a listing depends on beside the commit."""
        settings = self._settings.model_dump(mode="json", include={"url", "include", "exclude", "access"})
        told = [settings, self._link, head.branch, self._max_file_mb]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    def _is_document(self, path: str) -> bool:
        return self._paths.wanted(path) and not any(map(is_litter, path.split("/")))

    async def _described(self, files: Iterable[File], head: Head) -> Sequence[Listed]:
        """What each path is, once; nothing for what is no document by its name or by the configuration."""
        found: dict[str, Listed] = {}
        candidates: dict[str, str] = {}
        for file in files:
            path = _text(file.path)
            shown = path if path is not None else _printable(file.path)
            if not self._is_document(shown):
                continue
            reason = (
                _no_file(file) if path is not None else "its name is not UTF-8 or has control characters; rename it"
            )
            if reason:
                found[shown] = Skipped(id=DocumentId(shown), reason=reason)
            else:
                candidates[shown] = file.blob
        sizes = await self._repository.sizes(list(dict.fromkeys(candidates.values())))
        pointers = await self._pointers(sizes)
        for path, blob in candidates.items():
            found[path] = self._entry(path, blob, sizes.get(blob), blob in pointers, head)
        return list(found.values())

    def _entry(self, path: str, blob: str, size: int | None, is_pointer: bool, head: Head) -> Entry | Skipped:
        """`size` is None for a content that the repository lacks; reading it tells, until it is there."""
        id = DocumentId(path)
        if size == 0:
            return Skipped(id=id, reason="the file is empty")
        if size is not None and size > self._max_file_mb << 20:
            return Skipped(id=id, reason=too_large(self._max_file_mb << 20, size))
        if is_pointer:
            return Skipped(
                id=id, reason="its content is in Git LFS, which is not read; the repository has a pointer to it"
            )
        branch = head.branch or head.commit
        url = linked(self._link, path=path, branch=branch, commit=head.commit) if self._link else None
        return Entry(id=id, version=blob, readers=self._paths.readers([path]), url=url)

    async def _pointers(self, sizes: Mapping[str, int]) -> set[str]:
        """Those of the contents that stand for a file in Git LFS."""
        small = [blob for blob, size in sizes.items() if len(POINTER) < size < POINTER_BYTES]
        return {blob async for blob, content in self._repository.contents(small) if content.startswith(POINTER)}


class _LastTouches:
    """The last commit of each path: one walk through the history for all that a listing named, when first asked."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._commit: str | None = None
        self._expected: frozenset[bytes] = frozenset()
        self._touched: dict[bytes, Touch | None] = {}
        self._alone = asyncio.Lock()

    def expect(self, commit: str, paths: Iterable[str]) -> None:
        """A listing at `commit` named these paths."""
        self._commit = commit
        self._expected = frozenset(path.encode() for path in paths)
        self._touched = {}

    async def of(self, path: str) -> Touch | None:
        wanted = path.encode()
        async with self._alone:
            if wanted not in self._touched:
                self._touched[wanted] = None
                commit = self._commit or await self._repository.current()
                if commit is not None:
                    paths = self._expected
                    if wanted not in paths:  # of an earlier listing, of which more may follow
                        paths = frozenset(file.path for file in await self._repository.tree(commit))
                    self._touched |= dict.fromkeys(paths)
                    self._touched |= await self._repository.history(commit, paths)
            return self._touched[wanted]


def _no_file(file: File) -> str | None:
    """Why that is no file to read."""
    if file.mode == SUBMODULE:
        return "a submodule: another repository, which can be a source of its own"
    if file.mode == LINK:
        return "a symbolic link; what it leads to is listed where it is"
    return None


def _text(path: bytes) -> str | None:
    """A path as text, unless it has no name that can be shown."""
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return None
    return None if any(character < " " or "\x7f" <= character <= "\x9f" for character in text) else text


def _printable(path: bytes) -> str:
    text = path.decode(errors="backslashreplace")
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
