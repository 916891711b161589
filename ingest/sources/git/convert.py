"""What git prints, as values, and the address of a file at its forge. Nothing here reads or waits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

LINK = "120000"
SUBMODULE = "160000"
"""Modes, as a tree gives them; all others are those of files."""

COMMIT_MARK = b"\x01"
"""What begins a commit in the history, as `HISTORY_FORMAT` has it printed."""

HISTORY_FORMAT = "%x01%ct%x00%an"
"""The mark, the time of the commit in seconds since 1970, and its author's name."""

SHORT = re.compile(r"(?:[^@/:\s]+@)?(?P<host>[^/@:\s]+):(?P<path>(?!//).+)")
"""The short form of an ssh address: `git@host:team/handbook.git`."""

FORGES = {
    "github": "{site}/blob/{{branch}}/{{path}}",
    "gitlab": "{site}/-/blob/{{branch}}/{{path}}",
    "gitea": "{site}/src/branch/{{branch}}/{{path}}",
    "forgejo": "{site}/src/branch/{{branch}}/{{path}}",
    "codeberg": "{site}/src/branch/{{branch}}/{{path}}",
    "bitbucket.org": "{site}/src/{{commit}}/{{path}}?at={{branch}}",
}
"""Where each forge shows a file, by a label of its host's name or by the whole name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A path in a tree and what is there."""

    path: bytes
    mode: str
    blob: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Touch:
    """The last commit that touched a path."""

    author: str | None
    at: datetime | None


def refs(printed: bytes) -> tuple[dict[str, str], str | None]:
    """Of `ls-remote --symref`: the commit of each ref, and the branch that HEAD stands for."""
    commits: dict[str, str] = {}
    head: str | None = None
    for line in printed.decode(errors="replace").splitlines():
        value, _, name = line.partition("\t")
        if value.startswith("ref: refs/heads/") and name == "HEAD":
            head = value.removeprefix("ref: refs/heads/")
        elif name:
            commits[name] = value
    return commits, head


def tree(printed: bytes) -> Iterator[File]:
    """Of `ls-tree -r -z`: mode, type and id, a tab, the path."""
    for line in printed.split(b"\0"):
        if line:
            about, _, path = line.partition(b"\t")
            mode, _, blob = about.decode().split(" ")
            yield File(path=path, mode=mode, blob=blob)


def changes(printed: bytes) -> Iterator[File | bytes]:
    """Of `diff-tree -r -z --raw`: what is there now at each changed path, or the path alone where nothing is left."""
    tokens = iter(printed.split(b"\0"))
    for about in tokens:
        if about:
            _, mode, _, blob, status = about.decode().split(" ")
            path = next(tokens)
            yield path if status == "D" else File(path=path, mode=mode, blob=blob)


def sizes(printed: bytes) -> dict[str, int]:
    """Of `cat-file --batch-check`: the size of each blob that is there, in bytes."""
    found: dict[str, int] = {}
    for line in printed.decode().splitlines():
        id, _, rest = line.partition(" ")
        kind, _, size = rest.partition(" ")
        if kind == "blob":
            found[id] = int(size)
    return found


def contents(printed: bytes) -> Iterator[tuple[str, bytes]]:
    """Of `cat-file --batch`: each blob's id and content."""
    position = 0
    while position < len(printed):
        end = printed.index(b"\n", position)
        id, *rest = printed[position:end].decode().split(" ")
        position = end + 1
        if len(rest) == 2:
            size = int(rest[1])
            yield id, printed[position : position + size]
            position += size + 1


class History:
    """Reads `log -z --name-only` in `HISTORY_FORMAT` piece by piece, newest commit first.

    `touched` has, for each of the paths asked for that was met so far, the first commit in which it was.
    """

    def __init__(self, wanted: Set[bytes]) -> None:
        self.touched: dict[bytes, Touch] = {}
        self._wanted = set(wanted)
        self._rest = b""
        self._touch: Touch | None = None
        self._time: datetime | None = None
        self._in_header = False

    @property
    def complete(self) -> bool:
        return not self._wanted

    def read(self, piece: bytes) -> None:
        *tokens, self._rest = (self._rest + piece).split(b"\0")
        for token in tokens:
            if token.startswith(COMMIT_MARK):
                self._time, self._in_header = _moment(token[1:]), True
            elif self._in_header:
                self._touch, self._in_header = Touch(author=_name(token), at=self._time), False
            elif self._touch is not None and (path := token.removeprefix(b"\n")) in self._wanted:
                self._wanted.remove(path)
                self.touched[path] = self._touch


def forge_link(url: str) -> str | None:
    """Template of a file's address at the forge of that repository, with `{branch}` and `{path}`; None if unknown."""
    if "://" in url:
        parts = urlsplit(url)
        scheme = "http" if parts.scheme == "http" else "https"
        port = f":{parts.port}" if parts.port and parts.scheme != "ssh" else ""
        host, path = parts.hostname or "", parts.path
    elif short := SHORT.fullmatch(url):
        scheme, port, host, path = "https", "", short["host"].lower(), short["path"]
    else:
        return None
    host = re.sub(r"^(ssh|altssh)\.(?=(github\.com|gitlab\.com|bitbucket\.org)$)", "", host)
    for name, template in FORGES.items():
        if name == host or name in host.split("."):
            project = path.strip("/").removesuffix(".git")
            return template.format(site=f"{scheme}://{host}{port}/{quote(project, safe='/~')}")
    return None


def linked(template: str, *, path: str, branch: str, commit: str) -> str:
    """The address of a file, each part of it quoted."""
    return template.format(path=quote(path), branch=quote(branch), commit=commit)


def _moment(seconds: bytes) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _name(author: bytes) -> str | None:
    text = "".join(character if character.isprintable() else " " for character in author.decode(errors="replace"))
    return " ".join(text.split()) or None
