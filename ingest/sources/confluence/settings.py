"""What the configuration says of a source of kind `confluence`."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from ingest.model import reader_token
from ingest.sources.interface import ServerSettings

SPACE_KEY = re.compile(r"~?[A-Za-z0-9:._-]+")
DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


class ConfluenceSettings(ServerSettings):
    """A source of kind `confluence`. Who may read a page is always Confluence's word: `readers` is not used."""

    kind: Literal["confluence"] = "confluence"
    base_url: str
    """`https://example.atlassian.net`, or where people open Data Center, with its path if it has one. For a token with
    scopes: `https://api.atlassian.com/ex/confluence/<cloud id>`."""
    user: str | None = None
    """Cloud: the e-mail address of the account whose API token is used. Absent: Data Center, personal access token."""
    spaces: list[str] = Field(default=[])
    """Keys of the spaces to read; empty means all that the account sees."""
    personal_spaces: bool = False
    """Whether empty `spaces` include the personal ones; one that `spaces` names is always read."""
    labels: list[str] = Field(default=[])
    """Only pages with one of these labels; empty means all."""
    exclude_labels: list[str] = Field(default=[])
    """Pages with one of these labels are left out."""
    attachments: bool = True
    """Whether the files attached to pages are documents too."""
    images: bool = False
    """Whether attached pictures are documents too; only `parsing.ocr` finds text in them."""
    everyone_groups: list[str] = Field(default=[])
    """Groups that all of the company is in, such as `confluence-users`; `all-licensed-users` is Cloud's own name for
    all who have a licence. What they may read is readable by `everyone`."""
    space_readers: dict[str, list[str]] = Field(default={})
    """Who may read a space, by its key, in place of its permissions; restrictions of pages hold nevertheless."""
    email_domain: str | None = None
    """Data Center, which hides e-mail addresses: `example.org` where the user `ada` is `ada@example.org`."""

    _labels = field_validator("labels", "exclude_labels")(lambda cls, value: [label.strip().lower() for label in value])

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{value!r} is no address; write it like https://example.atlassian.net")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("write the address alone: no user, no password, nothing after `?` or `#`")
        return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"

    @field_validator("spaces")
    @classmethod
    def _keys(cls, value: list[str]) -> list[str]:
        for key in value:
            if not SPACE_KEY.fullmatch(key):
                raise ValueError(f"{key!r} is no space key; it stands in a space's address, after `/spaces/`")
        return list(dict.fromkeys(value))

    @field_validator("space_readers")
    @classmethod
    def _tokens_of_spaces(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        return {key: list(map(reader_token, tokens)) for key, tokens in value.items()}

    @field_validator("email_domain")
    @classmethod
    def _domain(cls, value: str | None) -> str | None:
        if value is None:
            return None
        domain = value.strip().removeprefix("@").lower()
        if not DOMAIN.fullmatch(domain):
            raise ValueError(f"{value!r} is no domain; write it like example.org")
        return domain

    @model_validator(mode="after")
    def _edition(self) -> ConfluenceSettings:
        if self.user is None and (urlsplit(self.base_url).hostname or "").endswith(
            (".atlassian.net", ".atlassian.com")
        ):
            raise ValueError("Confluence Cloud needs `user`, the e-mail address of the account whose API token is used")
        if self.user is not None and self.email_domain is not None:
            raise ValueError("`email_domain` is for Data Center, which `user` says this is not; leave out one of them")
        return self
