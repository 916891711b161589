"""The file systems that fsspec opens: what each needs installed, how it takes the source's token, what it raises."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

SILENCE_SECONDS = 60.0
"""Longest silence of a server within one answer."""

Options = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Driver:
    """One protocol. Exceptions are named, because only an installed driver has them."""

    extra: str | None = None
    """The extra of this program that installs it; None when it needs nothing, or what this program does not name."""
    flat: bool = False
    """Everything below an address is listed at once, as object stores do, not folder by folder."""
    credentials: Callable[[str], Options] | None = None
    """The source's token as the driver's options. Raises `ValueError` with what the token must be."""
    defaults: Options
    refused: tuple[str, ...] = ()
    """What it raises, besides `PermissionError`, when credentials are wrong or missing."""
    mistaken: tuple[str, ...] = ()
    """What it raises, besides `TypeError` and `ValueError`, for an address or options that cannot be."""
    unavailable: tuple[str, ...] = ()
    """What it raises, besides `OSError`, when the server fails or cannot be reached."""


def _key_pair(token: str) -> Options:
    key, colon, secret = token.partition(":")
    if not (key and colon and secret):
        raise ValueError("ACCESS_KEY_ID:SECRET_ACCESS_KEY")
    return {"key": key, "secret": secret}


def _service_account(token: str) -> Options:
    try:
        account = json.loads(token)
    except ValueError:
        account = None
    if not isinstance(account, dict) or account.get("type") != "service_account":
        raise ValueError("the JSON of a service account's key")
    return {"token": account}


def _azure_key(token: str) -> Options:
    return {"connection_string" if ";" in token else "account_key": token}


UNCACHED: Options = {"use_listings_cache": False}
"""A listing is asked of the server, each time."""

S3 = Driver(
    extra="s3",
    flat=True,
    credentials=_key_pair,
    defaults=UNCACHED,
    refused=(
        "botocore.exceptions.NoCredentialsError",
        "botocore.exceptions.PartialCredentialsError",
    ),
    mistaken=("botocore.exceptions.ParamValidationError", "botocore.exceptions.ProfileNotFound"),
    unavailable=("botocore.exceptions.BotoCoreError", "botocore.exceptions.ClientError"),
)

GOOGLE = Driver(
    extra="gcs",
    flat=True,
    credentials=_service_account,
    defaults=UNCACHED,
    refused=("google.auth.exceptions.GoogleAuthError",),
    unavailable=("gcsfs.retry.HttpError", "requests.exceptions.RequestException", "aiohttp.ClientError"),
)

AZURE = Driver(
    extra="azure",
    flat=True,
    credentials=_azure_key,
    defaults=UNCACHED,
    refused=("azure.core.exceptions.ClientAuthenticationError",),
    unavailable=("azure.core.exceptions.AzureError",),
)

SFTP = Driver(
    extra="sftp",
    credentials=lambda token: {"password": token},
    defaults={"timeout": SILENCE_SECONDS, "banner_timeout": SILENCE_SECONDS, "auth_timeout": SILENCE_SECONDS},
    refused=("paramiko.AuthenticationException", "paramiko.BadHostKeyException"),
    unavailable=("paramiko.SSHException", "EOFError"),
)

OTHER = Driver(defaults={})
"""Any other protocol that fsspec knows, with its driver's own errors as they are."""

DRIVERS = {
    "s3": S3,
    "s3a": S3,
    "gs": GOOGLE,
    "gcs": GOOGLE,
    "abfs": AZURE,
    "abfss": AZURE,
    "az": AZURE,
    "sftp": SFTP,
    "ssh": SFTP,
}


def exceptions(names: tuple[str, ...]) -> tuple[type[Exception], ...]:
    """The exceptions of those names, of what is installed."""
    found: list[type[Exception]] = []
    for name in names:
        module, _, attribute = name.rpartition(".")
        try:
            found.append(getattr(import_module(module or "builtins"), attribute))
        except ImportError:
            continue
    return tuple(found)
