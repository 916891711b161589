"""Our copy of one branch, in the cache, and the git commands that fetch it and read it.

The copy is bare and, where the server can leave them out, without the contents of files: history and trees are small,
and of the contents only those are fetched that are wanted. Only fetching knows the address, so that no command that
reads can reach for the network.
"""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence, Set
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock
import stamina

from ingest.http import pause
from ingest.sources.api import ATTEMPTS, PATIENCE_SECONDS
from ingest.sources.git import convert
from ingest.sources.git.failures import Busy, Damaged, NotOffered, damage, failure, not_git
from ingest.sources.git.process import Configuration, Executable, Finished, Running
from ingest.sources.git.remote import Remote
from ingest.sources.git.settings import GitSettings
from ingest.sources.interface import DocumentGone, DocumentTooLarge, SourceRefused, SourceUnavailable

ASK_SECONDS = 120.0
"""Longest time to learn where a branch stands."""

FETCH_SECONDS = 3600.0
"""Longest time to fetch: a first copy of a large repository over a slow line."""

READ_SECONDS = 600.0
"""Longest time of a command that reads our own copy."""

HISTORY_SECONDS = 300.0
"""Longest time to look for the last commit of every path."""

MOST_COMMITS = 200_000
"""How far back that look goes."""

AT_ONCE = 10_000
"""Small contents read by one process: at a kilobyte each, ten megabytes."""

LACKING = 10
"""Contents that a repository may lack and be listed all the same: git names one of them in each answer."""

OLDEST = (2, 32)
"""The first git that can be told to read no configuration but ours (`GIT_CONFIG_GLOBAL`)."""

PIECE = 1 << 18
"""Bytes read at once."""

REF = "refs/souffleur/head"
"""Where the copy keeps the branch."""

ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""The id of a commit or of a content: SHA-1 or SHA-256."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """Where the branch stands."""

    branch: str | None
    """None where the repository's HEAD is no branch."""
    commit: str


class Repository:
    """One repository. Calls may raise `SourceUnavailable` (`Damaged` when the copy is at fault) and `SourceRefused`."""

    def __init__(self, name: str, settings: GitSettings, *, cache: Path, environment: Mapping[str, str]) -> None:
        """`name` is the source's, for messages."""
        self._name = name
        self._branch = settings.branch
        self._remote = Remote(settings)
        self._cache = cache
        self._copy = cache / "repository.git"
        self._git = Executable(name, environment)
        self._alone = asyncio.Lock()

    async def update(self) -> Head | None:
        """Bring the copy up to date; None for a repository without any commit."""
        await self._check_version()
        async with self._locked():
            head = await self._asked()
            if head is None:
                return None
            await self._prepare(head.commit)
            if await self.current() != head.commit:
                wanted = f"refs/heads/{head.branch}" if head.branch else "HEAD"
                await self._fetch("--update-shallow", "origin", f"+{wanted}:{REF}")
            commit = await self.current()
        if commit is None:
            raise damage(self._name, "fatal: the branch was fetched and is not there")
        return Head(branch=head.branch, commit=commit)

    async def knows(self, commit: str) -> bool:
        """Whether the copy has that commit."""
        return ID.fullmatch(commit) is not None and await self._commit(commit) == commit

    async def current(self) -> str | None:
        """The commit that the last update brought; None when there is no copy."""
        return await self._commit(REF)

    async def tree(self, commit: str) -> Iterator[convert.File]:
        """Every path of a commit."""
        return convert.tree(await self._read("ls-tree", "-r", "-z", commit))

    async def changes(self, old: str, new: str) -> Iterator[convert.File | bytes]:
        """What differs between two commits: what is there now, or the path alone where nothing is."""
        options = ("-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-ext-diff")
        return convert.changes(await self._read("diff-tree", *options, old, new))

    async def sizes(self, blobs: Sequence[str]) -> dict[str, int]:
        """The size of each content, in bytes, except of a few that the repository lacks.

        Those that the copy lacks are fetched first.
        """
        found = await self._sizes(blobs)
        missing = [blob for blob in blobs if blob not in found]
        lacking: set[str] = set()
        while wanted := [blob for blob in missing if blob not in lacking]:
            try:
                await self._fetch_blobs(wanted)
            except NotOffered as error:
                if error.lacking not in wanted or len(lacking) == LACKING:
                    raise
                lacking.add(error.lacking)
            else:
                found |= await self._sizes(wanted)
                if lost := [blob for blob in wanted if blob not in found]:
                    raise damage(self._name, f"fatal: missing blob {lost[0]}, {len(lost)} in all")
                break
        return found

    async def contents(self, blobs: Sequence[str]) -> AsyncIterator[tuple[str, bytes]]:
        """Small contents that the copy has, with their ids."""
        for start in range(0, len(blobs), AT_ONCE):
            printed = await self._read("cat-file", "--batch", "--buffer", input=_lines(blobs[start : start + AT_ONCE]))
            for found in convert.contents(printed):
                yield found

    async def save(self, blob: str, to: Path, *, max_bytes: int) -> None:
        """Write one content to the file `to`. Raises `DocumentGone`, `DocumentTooLarge`."""
        if ID.fullmatch(blob) is None:
            raise DocumentGone(f"{blob!r} is no version of a file in a git repository")
        if await self._saved(blob, to, max_bytes):
            return
        try:
            await self._fetch_blobs([blob])
        except NotOffered as error:
            raise DocumentGone("this version of the file is no longer in the repository") from error
        if not await self._saved(blob, to, max_bytes):
            raise damage(self._name, f"fatal: missing blob {blob}, though it was fetched")

    async def history(self, commit: str, paths: Set[bytes]) -> dict[bytes, convert.Touch]:
        """The last commit that touched each path, as far as `MOST_COMMITS` and `HISTORY_SECONDS` reach."""
        history = convert.History(paths)
        options = (
            "-z",
            "--name-only",
            "--no-renames",
            "--diff-merges=combined",
            "--no-ext-diff",
            "--no-show-signature",
        )
        bounded = (f"--max-count={MOST_COMMITS}", f"--format={convert.HISTORY_FORMAT}")
        cause = None
        try:
            async with (
                asyncio.timeout(HISTORY_SECONDS),
                self._started("log", *options, *bounded, commit, "--", quiet=True) as log,
            ):
                while not history.complete and (piece := await log.output.read(PIECE)):
                    history.read(piece)
                if not history.complete and await log.code():
                    cause = "it cannot be read"
        except TimeoutError:
            cause = f"it takes longer than {HISTORY_SECONDS:g} s to read"
        if cause:
            left = len(paths) - len(history.touched)
            _logger.warning("source %r: %d files have no date from the history: %s", self._name, left, cause)
        return history.touched

    async def discard(self, why: Damaged) -> None:
        """Remove the copy, because it is damaged."""
        _logger.warning("%s; the copy is made anew", why)
        async with self._locked():
            await asyncio.to_thread(shutil.rmtree, self._copy, ignore_errors=True)

    async def _check_version(self) -> None:
        said = (await self._read("version")).decode(errors="replace").strip()
        found = re.search(r"(\d+)\.(\d+)", said)
        if found is None or (int(found[1]), int(found[2])) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise SourceRefused(f"source {self._name!r}: {said!r} is too old; install git {oldest} or newer")

    async def _asked(self) -> Head | None:
        """Where the branch stands, by the far side's word."""
        name = "HEAD" if self._branch is None else f"refs/heads/{self._branch}"
        commits, head = convert.refs(await self._ask("--symref", "origin", name))
        commit = commits.get(name)
        if commit is not None and ID.fullmatch(commit):
            return Head(branch=self._branch or head, commit=commit)
        others, _ = convert.refs(await self._ask("--heads", "origin"))
        if not others:
            return None
        shown = ", ".join(sorted(other.removeprefix("refs/heads/") for other in others)[:5])
        lacking = f"no branch {self._branch!r}; correct" if self._branch else "no default branch; set"
        raise SourceRefused(f"source {self._name!r}: {self._remote.url!r} has {lacking} `branch` (there are: {shown})")

    async def _ask(self, *arguments: str) -> bytes:
        return await self._patiently("ls-remote", *arguments, seconds=ASK_SECONDS)

    async def _prepare(self, commit: str) -> None:
        """An empty copy where there is none, for ids of the kind of `commit`."""
        if await asyncio.to_thread((self._copy / "HEAD").is_file):
            return
        await asyncio.to_thread(shutil.rmtree, self._copy, ignore_errors=True)
        kind = "sha1" if len(commit) == 40 else "sha256"
        await self._read("init", "--bare", "--quiet", "--template=", f"--object-format={kind}")

    async def _fetch_blobs(self, blobs: Sequence[str]) -> None:
        async with self._locked():
            # Nothing is gained by naming what we have: git's own way of fetching what a promisor left out.
            noop = ("fetch.negotiationAlgorithm", "noop")
            await self._fetch("--no-auto-maintenance", "origin", "--stdin", input=_lines(blobs), configuration=(noop,))

    async def _fetch(self, *arguments: str, input: bytes = b"", configuration: Configuration = ()) -> None:
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none")
        await self._patiently(
            "fetch", *options, *arguments, seconds=FETCH_SECONDS, input=input, configuration=configuration
        )

    async def _sizes(self, blobs: Sequence[str]) -> dict[str, int]:
        return convert.sizes(await self._read("cat-file", "--batch-check", "--buffer", input=_lines(blobs)))

    async def _saved(self, blob: str, to: Path, max_bytes: int) -> bool:
        """Whether the copy has that content, which is then written to the file `to`."""
        try:
            async with asyncio.timeout(READ_SECONDS), self._started("cat-file", "--batch") as process:
                await process.give(_lines([blob]))
                about = (await process.output.readline()).decode().split()
                if about[1:] == ["missing"]:
                    return False
                size = int(about[2]) if len(about) == 3 else -1
                if size > max_bytes:
                    raise DocumentTooLarge.over(max_bytes, size)
                if size < 0 or not await _copied(process, size, to):
                    raise damage(self._name, (await process.words.read()).decode(errors="replace"))
        except TimeoutError as error:
            raise self._slow("`git cat-file`", READ_SECONDS) from error
        return True

    async def _commit(self, name: str) -> str | None:
        """The full id of a commit; None when the copy has none of that name, or there is no copy."""
        done = await self._run("rev-parse", "--quiet", "--verify", f"{name}^{{commit}}")
        return done.output.decode().strip() if done.code == 0 else None

    async def _read(self, *arguments: str, input: bytes = b"") -> bytes:
        """What a command prints that reads the copy."""
        done = await self._run(*arguments, input=input)
        if done.code != 0 and not done.endless:
            raise damage(self._name, done.said)
        return self._bounded(done)

    async def _run(self, *arguments: str, input: bytes = b"") -> Finished:
        try:
            return await self._git.run(*arguments, variables=self._place, seconds=READ_SECONDS, input=input)
        except TimeoutError as error:
            raise self._slow(f"`git {arguments[0]}`", READ_SECONDS) from error

    async def _patiently(
        self, *arguments: str, seconds: float, input: bytes = b"", configuration: Configuration = ()
    ) -> bytes:
        """What a command prints that speaks with the far side, which may ask to wait."""
        remote = self._remote
        attempts = stamina.retry_context(on=_wait, attempts=ATTEMPTS, timeout=PATIENCE_SECONDS, wait_max=30.0)
        async for attempt in attempts:
            with attempt:
                try:
                    done = await self._git.run(
                        *arguments,
                        configuration=(*remote.configuration, *configuration),
                        variables=self._place | remote.variables,
                        seconds=seconds,
                        input=input,
                    )
                except TimeoutError as error:
                    raise self._slow(repr(remote.url), seconds) from error
                if done.code != 0 and not done.endless:
                    raise failure(self._name, remote.url, self._branch, done.said)
                if remote.is_http and (page := not_git(self._name, remote.url, done.said)):
                    raise page
        return self._bounded(done)

    def _started(self, *arguments: str, quiet: bool = False) -> AbstractAsyncContextManager[Running]:
        return self._git.started(*arguments, variables=self._place, quiet=quiet)

    @property
    def _place(self) -> dict[str, str]:
        return {"GIT_DIR": str(self._copy)}

    def _bounded(self, done: Finished) -> bytes:
        if done.endless:
            raise SourceRefused(
                f"source {self._name!r}: {self._remote.url!r} has millions of files or branches; is it the right one?"
            )
        return done.output

    def _slow(self, what: str, seconds: float) -> SourceUnavailable:
        return SourceUnavailable(f"source {self._name!r}: {what} did not end in {seconds:g} s; try again later")

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        """Alone with the copy: no other task, and no other program, changes it."""
        lock = filelock.AsyncFileLock(self._cache / "lock", timeout=FETCH_SECONDS)
        async with self._alone:
            try:
                await asyncio.to_thread(self._cache.mkdir, parents=True, exist_ok=True)
                await lock.acquire()
            except filelock.Timeout as error:
                raise self._slow("another program that fetches it", FETCH_SECONDS) from error
            except OSError as error:
                cause = f"{str(self._cache)!r} cannot be written: {error.strerror}"
                raise SourceUnavailable(f"source {self._name!r}: its cache {cause}; mend or remove it") from error
            try:
                yield
            finally:
                await lock.release()


async def _copied(process: Running, size: int, to: Path) -> bool:
    """Whether that many bytes of output were there to be written to the file `to`."""
    with await asyncio.to_thread(to.open, "wb") as file:
        while size > 0 and (piece := await process.output.read(min(size, PIECE))):
            size -= len(piece)
            await asyncio.to_thread(file.write, piece)
    return size == 0


def _wait(error: Exception) -> bool | float:
    return pause(error.status, error.headers, limit=PATIENCE_SECONDS) if isinstance(error, Busy) else False


def _lines(ids: Sequence[str]) -> bytes:
    return "".join(f"{id}\n" for id in ids).encode()
