"""Addresses of pages: one spelling for one address, and which of them belong to the source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from ingest.model import DocumentId
from ingest.sources.patterns import spec

LONGEST = 2000
"""Characters of an address that is followed."""

PORTS = {"http": 80, "https": 443}

TRACKING = re.compile(
    r"utm_\w+|(?:g|fb|y|ms|dc|tw)clid|gclsrc|wbraid|gbraid|mc_[ce]id|_ga|_gl|_hs(?:enc|mi)|igshid|mkt_tok|oly_\w+_id"
    r"|vero_id|phpsessid|jsessionid|sessionid|sid|aspsessionid\w*",
    re.I,
)
"""Query parameters that say who came from where, and change nothing of the page."""

SESSION = re.compile(r";jsessionid=[^/?;]*", re.I)

UNSEEN = str.maketrans("", "", "\t\r\n")
"""What browsers take out of an address."""

UNRESERVED = "-._~"
KEPT_IN_PATH = "!$&'()*+,;=:@/%" + UNRESERVED
KEPT_IN_QUERY = KEPT_IN_PATH + "?[]|"
ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")

HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")

FILES = re.compile(
    r"\.(?:pdf|docx?|docm|pptx?|pptm|xlsx?|xlsm|od[tps]|rtf|epub|md|markdown|txt|csv|tsv|eml|msg)$", re.I
)
"""Paths of files that are documents, as far as a path tells."""

NO_DOCUMENTS = re.compile(
    r"\.(?:jpe?g|png|gif|webp|avif|svg|ico|bmp|tiff?|heic|mp[34]|m4[av]|webm|mov|avi|mkv|og[gv]|wav|flac|css|js|mjs|map"
    r"|json|xml|rss|atom|woff2?|ttf|otf|eot|zip|t?gz|bz2|xz|7z|rar|tar|iso|dmg|exe|msi|apk|deb|rpm|jar|whl|bin|ics)$",
    re.I,
)
"""Paths that links lead to and that are not asked for: what is there is seen, heard or unpacked."""


def normal(url: str, base: str | None = None) -> str | None:
    """The one spelling of `url`, relative to `base`: no fragment, tracking parameter, default port, needless escape.

    None for what is no page: another scheme, a user in the address, no host, more than `LONGEST` characters.
    """
    text = url.translate(UNSEEN).strip()
    if len(text) > LONGEST:
        return None
    try:
        parts = urlsplit(urljoin(base, text) if base else text)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    host = _host(parts)
    if scheme not in PORTS or host is None or "@" in parts.netloc or "\\" in parts.netloc:
        return None
    place = host if port in (None, PORTS[scheme]) else f"{host}:{port}"
    escaped = _escaped(SESSION.sub("", parts.path), KEPT_IN_PATH).lstrip("/")
    path = urlsplit(urljoin(f"{scheme}://{place}/", f"/{escaped}")).path
    query = "&".join(item for item in parts.query.split("&") if item and not TRACKING.fullmatch(item.partition("=")[0]))
    made = f"{scheme}://{place}/{path.lstrip('/')}" + (f"?{_escaped(query, KEPT_IN_QUERY)}" if query else "")
    return made if len(made) <= LONGEST else None


def document_id(url: str) -> DocumentId:
    """The id of the document at the address `url`, which is in its normal form: without a slash at the end."""
    return DocumentId(url.rstrip("/"))


def host_of(url: str) -> str:
    """Host and, unless it is the scheme's own, port."""
    return urlsplit(url).netloc


def path_of(url: str) -> str:
    """The path as people read it, without its first slash."""
    return unquote(urlsplit(url).path).lstrip("/")


def file_name(url: str) -> str:
    """What the last part of the path calls the file; the host's name where there is no path."""
    return path_of(url).rstrip("/").rpartition("/")[2] or host_of(url)


class Site:
    """The hosts that belong together; `www.` makes no difference."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = {host.removeprefix("www.") for host in hosts}

    def covers(self, url: str) -> bool:
        return host_of(url).removeprefix("www.") in self._hosts


class Scope:
    """What of a site is wanted: the patterns, tried on the path with and without the query."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include = spec(include) if include else None
        self._exclude = spec(exclude)

    def wants(self, url: str) -> bool:
        path, query = path_of(url), unquote(urlsplit(url).query)
        names = {path, f"{path}?{query}"} if query else {path}
        if any(self._exclude.match_file(name) for name in names):
            return False
        return self._include is None or any(self._include.match_file(name) for name in names)


def _host(parts: SplitResult) -> str | None:
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        host = f"[{host}]"
    try:
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return host if HOST.fullmatch(host) else None


def _escaped(text: str, kept: str) -> str:
    """`text` with the one escape for each character: none where none is needed, capitals where one is."""

    def spelled(found: re.Match[str]) -> str:
        character = chr(int(found[1], 16))
        plain = character.isascii() and (character.isalnum() or character in UNRESERVED)
        return character if plain else found[0].upper()

    return quote(ESCAPE.sub(spelled, BARE_PERCENT.sub("%25", text)), safe=kept, errors="replace")
