"""Who asks: the holder of an API key, or, without a key, a person or program on this very machine.

A wrong key is refused always; it never falls back to what a caller without a key may do. Without a key, four things
must hold, each against a known way in from outside:

- it is wanted (`Keys.keyless_here`): behind a reverse proxy that adds no header, everybody seems to be on this machine;
- the connection comes from a loopback address;
- no header says that it was forwarded: behind a reverse proxy on this machine, everybody comes from loopback;
- the Host header is a loopback name: a page of `evil.example` whose name was made to resolve to 127.0.0.1 (DNS
  rebinding) sends its own name.

With or without a key, a browser's request from another site is refused: it would be asked in its user's name.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable
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


class Keys:
    """API keys by the SHA-256 of their UTF-8 bytes: (name, digest in hexadecimal, reader tokens of who holds it)."""

    def __init__(self, entries: Iterable[tuple[str, str, Readers]] = (), *, keyless_here: bool = True) -> None:
        """`keyless_here`: whether somebody on this machine may ask without a key."""
        self.keyless_here = keyless_here
        self._entries = [(name, digest.lower().encode(), readers) for name, digest, readers in entries]
        for name, digest, _ in self._entries:
            if not re.fullmatch(rb"[0-9a-f]{64}", digest):
                raise ConfigurationError(
                    f"API key {name!r}: `sha256` must be 64 hexadecimal digits, as made by: printf %s KEY | sha256sum"
                )

    def __len__(self) -> int:
        return len(self._entries)

    def holder(self, key: str) -> Asker | None:
        """Whose key it is. Compares with every digest in constant time, so that the time taken tells nothing."""
        presented = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest().encode()
        found = None
        for name, digest, readers in self._entries:
            if hmac.compare_digest(presented, digest):
                found = Asker(id=f"key:{name}", readers=readers | OUTSIDER)
        return found


def identify(request: Request, keys: Keys, *, key: str | None = None) -> Asker:
    """Who sent the request. `key` is one that came another way than in the Authorization header.

    Raises:
        Refusal: 401 for a wrong key or a missing one, 403 for a request that another site made the browser send.
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
        asker = keys.holder(key)
        if asker is None:
            raise _unauthorised("web-wrong-key", "invalid_api_key")
        return asker
    if keys.keyless_here and _on_this_machine(request):
        return Asker(id="loopback", readers=MEMBER)
    raise _unauthorised("web-key-needed", "missing_api_key")


def _unauthorised(phrase: str, code: str) -> Refusal:
    return Refusal(401, phrase, code=code, headers={"WWW-Authenticate": "Bearer"})


def _on_this_machine(request: Request) -> bool:
    if request.client is None or not _is_loopback(request.client.host):
        return False
    if any(FORWARDED.fullmatch(name.lower()) for name in request.headers):
        return False
    host = _host_name(request.headers.get("host", ""))
    return host == "localhost" or _is_loopback(host)


def _host_name(header: str) -> str:
    """The name or address in a Host header, without its port; empty when it cannot be read."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
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
