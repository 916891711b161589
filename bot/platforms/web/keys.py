"""Who asks: the holder of an API key, or, without a key, a person or program on this very machine.

A wrong key is refused always; it never falls back to what a caller without a key may do. Without a key, four things
must hold, each against a known way in from outside:

- it is wanted (`Keys.keyless_here`): behind a reverse proxy that adds no header, everybody seems to be on this machine;
- the connection comes from a loopback address;
- no header says that it was forwarded: behind a reverse proxy on this machine, everybody comes from loopback;
- the Host header is a loopback name: a page of `evil.example` whose name was made to resolve to 127.0.0.1 (DNS
  rebinding) sends its own name.

With or without a key, a browser's request from another site is refused: it would be asked in its user's name.

Keys are 256 random bits (`bot key NAME`), and known by their SHA-256 alone. A slow, salted hash is for passwords, which
can be guessed: of such a key nothing can, so that a fast hash gives away no more, and costs no question a tenth of a
second.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import math
import re
import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlsplit

from fastapi import Request

from bot.audience import OUTSIDER
from bot.model import Asker
from bot.platforms.web.refusal import Refusal
from ingest.errors import ConfigurationError
from ingest.model import MEMBER, Readers

FORWARDED = re.compile(
    r"forwarded|x-(original-)?forwarded-.*|x-real-ip|x-client-ip|via|(cf-connecting|true-client|fly-client)-ip"
)
"""Headers by which reverse proxies say that the connection is not the caller's own."""

COOKIE = "souffleur-key"
"""Carries the key to `/documents/` alone: a link that opens in a new tab cannot send an Authorization header."""


MINUTE = 60.0


class Entry(Protocol):
    """A key that may ask. Several of one name are one asker's: an old key and the new one, while both are in use."""

    @property
    def name(self) -> str: ...

    @property
    def sha256(self) -> str:
        """Of the key's UTF-8 bytes, in hexadecimal."""
        ...

    @property
    def readers(self) -> Readers:
        """Reader tokens of whoever holds the key."""
        ...

    @property
    def expires(self) -> datetime | None: ...

    @property
    def per_minute(self) -> int:
        """Requests within any minute, by all keys of that name, to this process."""
        ...


class Keys:
    """The API keys that may ask. `now` is for their ends, `clock` (seconds) for what is asked within a minute."""

    def __init__(
        self,
        entries: Iterable[Entry] = (),
        *,
        keyless_here: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keyless_here`: whether somebody on this machine may ask without a key. Raises as `replace`."""
        self.keyless_here = keyless_here
        self._now = now
        self._clock = clock
        self._asked: dict[str, deque[float]] = {}
        self._entries = _checked(entries)

    def __len__(self) -> int:
        return len(self._entries)

    def replace(self, entries: Iterable[Entry]) -> bool:
        """From now on these, and no others: whether they are others than before.

        Once there were any, nobody asks without, even when none is left. Raises `ConfigurationError`, and changes
        nothing, when a digest is none, or stands there twice.
        """
        before, self._entries = self._entries, _checked(entries)
        self.keyless_here = self.keyless_here and not self._entries
        return self._entries != before

    def holder(self, key: str) -> Asker:
        """Whose key it is. Compares with every digest in constant time, so that the time taken tells nothing.

        Raises:
            Refusal: 401 for a key that is unknown or expired, 429 for one that has asked enough within the minute.
        """
        presented = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest().encode()
        found = None
        for digest, entry in self._entries.items():
            if hmac.compare_digest(presented, digest):
                found = entry
        if found is None:
            raise _unauthorised("web-wrong-key", "invalid_api_key")
        if found.expires is not None and found.expires <= self._now():
            raise _unauthorised("web-key-expired", "expired_api_key")
        self._count(found)
        return Asker(id=f"key:{found.name}", readers=found.readers | OUTSIDER)

    def _count(self, entry: Entry) -> None:
        asked, now = self._asked.setdefault(entry.name, deque()), self._clock()
        while asked and asked[0] <= now - MINUTE:
            asked.popleft()
        if len(asked) >= entry.per_minute:
            seconds = max(1, math.ceil(asked[-entry.per_minute] + MINUTE - now))
            headers = {"Retry-After": str(seconds)}
            raise Refusal(429, "web-too-fast", code="rate_limit_exceeded", headers=headers)
        asked.append(now)


def _checked(entries: Iterable[Entry]) -> dict[bytes, Entry]:
    found: dict[bytes, Entry] = {}
    for entry in entries:
        digest = entry.sha256.lower().encode()
        if not re.fullmatch(rb"[0-9a-f]{64}", digest):
            raise ConfigurationError(
                f"API key {entry.name!r}: `sha256` must be 64 hexadecimal digits, as made by: printf %s KEY | sha256sum"
            )
        if other := found.get(digest):
            raise ConfigurationError(
                f"API keys {other.name!r} and {entry.name!r} have the same `sha256`; keep one of them"
            )
        found[digest] = entry
    return found


def identify(request: Request, keys: Keys, *, key: str | None = None) -> Asker:
    """Who sent the request. `key` is one that came another way than in the Authorization header.

    Raises:
        Refusal: 401 for a wrong key or a missing one, 403 for a request that another site made the browser send, 429
            for too many requests.
    """
    _refuse_other_sites(request)
    authorization = request.headers.get("authorization", "").strip()
    if authorization:
        scheme, _, presented = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthorised("web-wrong-key", "invalid_api_key")
        # OpenAI clients with an empty key send "Bearer " and no more: no key was given.
        key = presented.strip() or key
    if key:
        return keys.holder(key)
    if keys.keyless_here and _on_this_machine(request):
        return Asker(id="loopback", readers=MEMBER)
    raise _unauthorised("web-key-needed", "missing_api_key")


def is_known(request: Request, keys: Keys) -> bool:
    """Whether whoever sent the request might ask."""
    try:
        identify(request, keys)
    except Refusal:
        return False
    return True


def _unauthorised(phrase: str, code: str) -> Refusal:
    return Refusal(401, phrase, code=code, headers={"WWW-Authenticate": "Bearer"})


def _on_this_machine(request: Request) -> bool:
    if request.client is None or not is_loopback(request.client.host):
        return False
    if any(FORWARDED.fullmatch(name.lower()) for name in request.headers):
        return False
    host = _host_name(request.headers.get("host", ""))
    return host == "localhost" or is_loopback(host)


def _host_name(header: str) -> str:
    """The name or address in a Host header, without its port; empty when it cannot be read."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether an IP address is one that only this machine reaches."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _refuse_other_sites(request: Request) -> None:
    """Browsers say where a request comes from (Fetch Metadata, Origin); programs send neither header.

    Following a link from another site is harmless and allowed: the other site cannot read what it opens.
    """
    site = request.headers.get("sec-fetch-site", "none")
    follows_link = request.method == "GET" and request.headers.get("sec-fetch-mode") == "navigate"
    origin = request.headers.get("origin")
    same_origin = origin is None or origin.lower().partition("://")[2] == request.headers.get("host", "").lower()
    if not same_origin or (site not in {"none", "same-origin"} and not follows_link):
        raise Refusal(403, "web-other-site", code="cross_site_request")
