"""What a source of kind `git` is told in the configuration file."""

from __future__ import annotations

import re
from string import Formatter
from typing import Literal

from pydantic import Field, field_validator

from ingest.sources.patterns import PathSettings

URL = re.compile(
    r"(?P<scheme>https?|ssh)://(?:(?P<user>[^/@\s]+)@)?(?:\w[\w.-]*|\[[0-9a-fA-F:.]+\])(?::\d{1,4}|:[1-5]\d{4})?/[^\s?#]+"
    r"|file:///\S.*"
    r"|(?:\w[\w.-]*@)?\w[\w.-]*:(?!//|:)[^-\s]\S*"
    r"|/\S.*"
)
"""An address over HTTP or ssh, ssh's short form `git@host:team/handbook.git`, a folder by `file://` or its path."""

NOT_A_BRANCH = re.compile(r"^[-/.]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|[/.]$|^@$")
"""What no branch may be called: the rules of `git check-ref-format`."""

PLACES = frozenset({"path", "branch", "commit"})
"""What a `link` may have in braces."""


class GitSettings(PathSettings):
    """A source of kind `git`. Patterns are those of `.gitignore`, relative to the repository's root."""

    kind: Literal["git"] = "git"
    url: str
    """Of the repository: `https://…`, `ssh://…`, `git@host:path`, `file:///…`, or an absolute path."""
    branch: str | None = None
    """Without it, the repository's own default branch."""
    link: str | None = Field(default=None)
    """Where a person opens a file: an address with `{path}`, and `{branch}` or `{commit}` (the commit that was listed).
    Not needed for GitHub, GitLab, Gitea, Forgejo and Bitbucket Cloud where the host's name says which it is."""
    user: str = Field(default="x-access-token", pattern=r"^[^:\x00-\x1f\x7f]+$")
    """The user to whom the token belongs, over HTTP: GitHub, GitLab and Gitea take any, Bitbucket `x-token-auth`."""

    @property
    def location(self) -> str:
        return self.url if self.branch is None else f"{self.url} ({self.branch})"

    @field_validator("url")
    @classmethod
    def usable_url(cls, value: str) -> str:
        """The address itself is not repeated in the message: it may hold a password."""
        match = URL.fullmatch(value)
        if match is None or not value.isprintable():
            raise ValueError(
                "is no address of a repository; write https://host/team/handbook.git, git@host:team/handbook.git,"
                " ssh://git@host/team/handbook.git or an absolute path"
            )
        if match["user"] and (match["scheme"] != "ssh" or ":" in match["user"]):
            raise ValueError("names a user or a password; leave them out and set `user` and the source's token")
        return value

    @field_validator("branch")
    @classmethod
    def usable_branch(cls, value: str | None) -> str | None:
        if value is not None and (not value or NOT_A_BRANCH.search(value)):
            raise ValueError(f"{value!r} is no name of a branch")
        return value

    @field_validator("link")
    @classmethod
    def usable_link(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            named = [
                (name, spec, conversion) for _, name, spec, conversion in Formatter().parse(value) if name is not None
            ]
        except ValueError as error:
            raise ValueError(f"{value!r} has a brace too many or too few") from error
        if any(name not in PLACES or spec or conversion for name, spec, conversion in named):
            raise ValueError(f"{value!r} may have {{path}}, {{branch}} and {{commit}} in braces, nothing else")
        if "path" not in {name for name, _, _ in named} or not re.match("https?://", value):
            raise ValueError(f"{value!r} is no address with {{path}} in it")
        return value
