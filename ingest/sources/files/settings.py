"""The settings of a source of kind `files`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, field_validator, model_validator

from ingest.sources.patterns import AccessRule, PathSettings

__all__ = ["AccessRule", "FilesSettings"]

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
"""How an address begins, which no path does."""

ELSEWHERE = {
    "file": "write the folder's path",
    "local": "write the folder's path",
    "http": "pages are read by a source of `kind: website`",
    "https": "pages are read by a source of `kind: website`",
}
"""Addresses that fsspec knows and that mean another setting here."""

SECRET = re.compile(r"secret|token|passw|passphrase|credential|connection_string|sas_|(^|_)key$", re.IGNORECASE)
"""Names of a driver's options that hold secrets; `key_filename` and `account_name` do not."""


def _root(value: object) -> Path | str:
    """A folder as a path, an address as it is."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError("a folder, or an address such as s3://bucket/folder")
    if "::" in value and "://" in value:
        raise ValueError(f"{value!r} chains two addresses with `::`, which is not followed; name one")
    if not ADDRESS.match(value):
        return Path(value)
    protocol, _, rest = value.partition("://")
    if instead := ELSEWHERE.get(protocol.lower()):
        raise ValueError(f"{protocol}:// is no place to list; {instead}")
    if ":" in rest.partition("/")[0].rpartition("@")[0]:
        raise ValueError("holds a password; take it out of the address, and set the source's token in the environment")
    return value


class FilesSettings(PathSettings):
    """A source of kind `files`. Patterns are those of `.gitignore`, relative to `root`."""

    kind: Literal["files"] = "files"
    root: Annotated[Path | str, PlainValidator(_root)]
    """A folder, or an address that fsspec opens: s3://bucket/folder, gs://…, abfs://…, sftp://user@host/folder."""
    url: str | None = Field(default=None, pattern="^https?://")
    """Where people open the same folder in a browser; a document's path is added to it."""
    storage: dict[str, Any] = Field(default={})
    """Options of the address's driver, by its own names (`endpoint_url`); none of them a secret."""

    @property
    def location(self) -> str:
        return str(self.root)

    @property
    def address(self) -> str | None:
        """`root` where it is an address."""
        return self.root if isinstance(self.root, str) else None

    @field_validator("storage")
    @classmethod
    def without_secrets(cls, storage: dict[str, Any]) -> dict[str, Any]:
        for name in _names(storage):
            if SECRET.search(name):
                raise ValueError(
                    f"{name!r} is a secret; set the source's token in the environment, or the driver's own"
                )
        return storage

    @model_validator(mode="after")
    def storage_of_an_address(self) -> Self:
        if self.storage and self.address is None:
            raise ValueError("`storage` is for a `root` that is an address; take it out for a folder")
        return self


def _names(options: Mapping[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        yield name
        if isinstance(value, Mapping):
            yield from _names(value)
