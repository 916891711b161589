"""What the configuration says of a source of kind `website`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from ingest.sources.addresses import Reach
from ingest.sources.interface import SourceSettings
from ingest.sources.patterns import Pattern
from ingest.sources.website.urls import host_of, normal


class WebsiteSettings(SourceSettings):
    """A source of kind `website`. Its `readers` hold for all of it: a page has no say in who may read it."""

    kind: Literal["website"] = "website"
    start: list[str] = Field(min_length=1)
    """Addresses of sitemaps, sitemap indexes, or pages from which links are followed."""
    hosts: list[str] = Field(default=[])
    """Further hosts of the same site, such as `help.example.org`; those of `start` always belong to it."""
    include: list[Pattern] = Field(default=[])
    """Only pages whose path one of these names; empty means all. Pages of `start` are read for links in any case."""
    exclude: list[Pattern] = Field(default=[])
    """Neither these pages, nor what only they link to."""
    max_pages: int = Field(default=10_000, ge=1)
    """When the site has more, the rest is not read, and only what is seen to be gone is removed."""
    max_depth: int = Field(default=10, ge=0)
    """Links from a page of `start` to the farthest one read. Of a sitemap's pages, only links to files are followed."""
    requests_at_once: int = Field(default=2, ge=1, le=16)
    """To one host."""
    user_agent: str = Field(default="Souffleur", pattern=r"^[A-Za-z_-]+(?:[ /][\x20-\x7e]*)?$")
    """As servers and `robots.txt` know us: a name, and what else helps, `Souffleur (it@example.org)`."""
    allow_private: list[str] = Field(default=[])
    """Hosts that need not be on the public internet: names, addresses and networks (`10.0.0.0/8`)."""

    @property
    def location(self) -> str:
        more = f" and {len(self.start) - 1} more" if len(self.start) > 1 else ""
        return self.start[0] + more

    @field_validator("start")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        found = [(text, normal(text)) for text in value]
        if wrong := next((text for text, url in found if url is None), None):
            raise ValueError(f"{wrong!r} is no address of a page or sitemap; write it like https://docs.example.org/")
        return list(dict.fromkeys(url for _, url in found if url is not None))

    @field_validator("hosts")
    @classmethod
    def _hosts(cls, value: list[str]) -> list[str]:
        for text in value:
            if "/" in text or normal(f"https://{text}/") is None:
                raise ValueError(f"{text!r} is no host; write it like help.example.org")
        return [host_of(f"https://{text}/") for text in value]

    @field_validator("allow_private")
    @classmethod
    def _places(cls, value: list[str]) -> list[str]:
        Reach.of(value)
        return value
