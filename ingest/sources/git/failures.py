"""What git says when it cannot, in English and in no other form, turned into the errors of a source: here alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ingest.http import asked_to_wait, is_busy, words
from ingest.sources.interface import SourceRefused, SourceUnavailable, token_variable

TRACE = re.compile(r"^\d\d:\d\d:\d\d\.\d+ http\.c:\d+ +(.*)$")
"""A line of git's log of its HTTP requests (`GIT_TRACE_CURL`): the only place where it tells a server's headers."""

HEADER = re.compile(r"<= Recv header: ([\w-]+): *(.*?)\s*$", re.IGNORECASE)

STATUS = re.compile(r"returned error: (\d{3})|RPC failed; HTTP (\d{3})")

NOT_OFFERED = re.compile("unadvertised object|not our ref")

LACKING = re.compile(r"not our ref ([0-9a-f]{40,64})")

FULL = re.compile("No space left on device|Disk quota exceeded", re.IGNORECASE)

DAMAGE = re.compile(
    r"not a git repository|bad (?:object|tree|commit|ref|config)|cannot (?:lock|update) ref|\.lock': File exists"
    r"|unable to (?:create|write|open|read|append|parse|resolve reference)|is corrupt|corrupt loose object|is empty$"
    r"|cannot be (?:accessed|mapped)|did not send all necessary objects|mismatched algorithms|inflate|packfile "
    r"|unknown repository extension|missing (?:blob|tree|commit)|shallow file has changed",
    re.MULTILINE,
)
"""Our own copy of the repository cannot be read or written as it is."""

REFUSALS = (
    (r"couldn't find remote ref", "has no branch {branch!r}; correct `branch`"),
    (
        r"returned error: 40[13]|[Aa]uthentication failed|could not read (?:Username|Password)|[Aa]ccess denied",
        "wants a token, or refuses the one it is given; set {variable} to one that may read the repository, and `user`"
        " to its owner where the forge asks for that",
    ),
    (
        r"Host key verification failed|REMOTE HOST IDENTIFICATION",
        "shows an ssh key that is not known; once you know that it is the right one, add it to `~/.ssh/known_hosts`",
    ),
    (
        r"Permission denied \(|Too many authentication failures|sign_and_send_pubkey",
        "refuses our ssh key; let one that is in `~/.ssh` or in the ssh agent here read the repository",
    ),
    (r"cannot run ssh|ssh: not found", "is reached by ssh, which is not installed; install it"),
    (r"dubious ownership", "belongs to another user of this machine; run as its owner, or name it by https or ssh"),
    (
        r"returned error: 30\d|unable to update url base",
        "redirects, and a token is not sent on; name the address it leads to in `url` (at GitLab it ends in `.git`)",
    ),
    (
        r"not valid: is this a git repository|bad line length character",
        "does not answer as a git server; is the address right, and does a login page stand in front of it?",
    ),
    (
        r"certificate",
        "does not prove who it is; correct `url`, or name your own authority's certificate in GIT_SSL_CAINFO",
    ),
    (
        r"(?:[Rr]epository|[Pp]roject).*not (?:be )?found|returned error: 4(?:04|10)|does not appear to be a git repo",
        "is not there{or_closed}; correct `url`{or_token}",
    ),
    (r"transport '.*' not allowed|strange (?:pathname|hostname)|remote helper", "is refused; correct `url`"),
)
"""The first whose pattern is in git's words says what is wrong, and the way out."""


class Damaged(SourceUnavailable):
    """Our copy of the repository, not the repository, is at fault: made anew it will be right."""


class NotOffered(SourceRefused):
    """The server has not, or does not hand out, the single content that was asked for."""

    def __init__(self, text: str, *, lacking: str | None) -> None:
        """`lacking` is the one content of several that it has not, where it says so."""
        super().__init__(text)
        self.lacking = lacking


class Busy(SourceUnavailable):
    """The server asks to come back later: a rate limit, or a failure of its own."""

    def __init__(self, text: str, *, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers


def failure(source: str, url: str, branch: str | None, said: str) -> SourceRefused | SourceUnavailable:
    """The error of a command that spoke with the far side; `said` is what git wrote on standard error."""
    headers, rest = _parted(said)
    cause = f"({_cause(rest)})"
    if FULL.search(rest):
        return SourceUnavailable(f"source {source!r}: the cache has no room for {url!r} {cause}; free some space")
    status = STATUS.search(rest)
    if status and is_busy(code := int(status[1] or status[2])):
        text = f"source {source!r}: {url!r} answers {code}{asked_to_wait(headers)}; try again later"
        return Busy(text, status=code, headers=headers)
    variable = token_variable(source)
    local, http = url.startswith(("/", "file:")), url.startswith("http")
    closed = "" if local else ", or may not be read by us"
    token = f", or set {variable} to a token that may read it" if http else ""
    if NOT_OFFERED.search(rest):
        lacking = LACKING.search(rest)
        return NotOffered(
            f"source {source!r}: {url!r} does not hand out single files of its history {cause}; on its side, set"
            " `uploadpack.allowAnySHA1InWant`, or unset `uploadpack.allowFilter`",
            lacking=lacking[1] if lacking else None,
        )
    for pattern, meaning in REFUSALS:
        if re.search(pattern, rest):
            told = meaning.format(branch=branch, variable=variable, or_closed=closed, or_token=token)
            return SourceRefused(f"source {source!r}: {url!r} {told} {cause}")
    if DAMAGE.search(rest):
        return damage(source, rest)
    return SourceUnavailable(f"source {source!r}: {url!r} cannot be reached {cause}; is it up?")


def not_git(source: str, url: str, said: str) -> SourceRefused | None:
    """The error of a command that took something else for git's protocol over HTTP: to it, a page is an empty list."""
    headers, _ = _parted(said)
    kind = headers.get("content-type")
    if kind is None or kind.startswith("application/x-git-"):
        return None
    return SourceRefused(
        f"source {source!r}: {url!r} answers with {kind!r}, not as a git server; is the address right, and does a login"
        " page stand in front of it?"
    )


def damage(source: str, said: str) -> SourceUnavailable:
    """The error of a command that only reads our own copy."""
    if FULL.search(said):
        return SourceUnavailable(f"source {source!r}: the cache has no room ({_cause(said)}); free some space")
    return Damaged(
        f"source {source!r}: the copy of its repository cannot be read ({_cause(said)}); try again, and if it stays so,"
        " try `git fsck` on the repository itself"
    )


def _parted(said: str) -> tuple[dict[str, str], str]:
    """The headers of the last answers, in lower case, and what git said beside its log."""
    headers: dict[str, str] = {}
    rest: list[str] = []
    for line in said.splitlines():
        traced = TRACE.match(line)
        if traced is None:
            rest.append(line)
        elif header := HEADER.match(traced[1]):
            headers[header[1].lower()] = header[2]
        elif traced[1].startswith("<= Recv header: HTTP/"):
            headers = {}
    return headers, "\n".join(rest)


def _cause(said: str) -> str:
    """Git's reason and the server's own words, on one line."""
    lines = [line.strip() for line in said.splitlines()]
    telling = [
        line for line in lines if line.startswith(("fatal: ", "error: ", "remote: ", "ssh: ", "warning: redirect"))
    ]
    found = words("; ".join(line.partition(": ")[2] for line in (telling or lines[-1:]) if line)) or "no word of why"
    return "".join(character if character.isprintable() else "�" for character in found)
