"""Where a passage opens in a browser: the address of its document, with the page or the heading that it stands at.

Everything is made from what was stored with the passage; nothing here sees what a model wrote. A heading that occurs
twice in a document is opened where it stands first: passages do not know how often theirs was used before.

    a file of pages           `#page=3` (RFC 8118, 3)
    Markdown at a forge       `#carrying-over`, the heading's id by the forge's own rule
    any other web page        `#:~:text=Carrying%20over` (https://wicg.github.io/scroll-to-text-fragment/)

Left as they are: addresses that name a place already, messages of Slack and Mattermost, and other files at a forge.
Confluence's ids of headings hold the page's title in one product and not in the other, and change with the editor; so
its pages are opened by the text of the heading, which browsers find wherever it stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from urllib.parse import SplitResult, quote, urlsplit

from bot.model import Passage
from ingest.masking import masked
from ingest.model import Chunk

MARKDOWN = (".md", ".markdown", ".mdown", ".mkd")

MATTERMOST_MESSAGE = re.compile(r"/(?:[^/]+/)+pl/[a-z0-9]{26}/?")
"""Path of a message's link."""

UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+")
"""White space, and what cannot be seen."""


def opened_at(passage: Passage) -> str:
    """Where a reader opens the passage; empty where its document has no address of its own that a browser opens."""
    return place_of(passage.chunk)


def place_of(chunk: Chunk) -> str:
    """The same, of a chunk."""
    url = chunk.url or ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return ""
    if "#" in url or _is_message(parts):
        return url
    fragment = _fragment(chunk, parts)
    return f"{url}#{fragment}" if fragment else url


def github_slug(heading: str) -> str:
    """A heading's id at GitHub: `TableOfContentsFilter` of https://github.com/gjtorikian/html-pipeline, v2."""
    return _words(heading.lower()).replace(" ", "-")


def gitlab_slug(heading: str) -> str:
    """A heading's id at GitLab: `Gitlab::Utils::Markdown#string_to_anchor`."""
    slug = re.sub(r"-+", "-", _words(heading.strip().lower()).replace(" ", "-"))
    return f"anchor-{slug}" if re.fullmatch(r"[0-9]+", slug) else slug


def gitea_slug(heading: str) -> str:
    """A heading's id at Gitea and Forgejo: `CleanValue` in `modules/markup/common/footnote.go`."""
    kept = (
        sign if unicodedata.category(sign)[0] in "LN" or sign in "_-" else "-" if sign.isspace() else ""
        for sign in heading.strip()
    )
    return "".join(kept).lower()


def text_fragment(heading: str) -> str:
    """A text directive for a heading; empty for one without words. `-`, `,` and `&`, its syntax, are quoted too."""
    shown = UNSEEN.sub(" ", heading).strip()
    if not any(sign.isalnum() for sign in shown):
        return ""
    return ":~:text=" + quote(shown.encode("utf-8", "replace"), safe="").replace("-", "%2D")


def _fragment(chunk: Chunk, parts: SplitResult) -> str:
    path = parts.path.lower()
    heading = " ".join(chunk.headings[-1].split()) if chunk.headings else ""
    if masked(heading) != heading:
        return ""  # what is out of sight in the heading must not be told by its link
    if slug := _forge(parts):
        return quote(slug(heading).encode("utf-8", "replace"), safe="") if path.endswith(MARKDOWN) else ""
    if path.endswith(".pdf"):
        return f"page={chunk.page}" if chunk.page is not None else ""
    return text_fragment(heading)


def _forge(parts: SplitResult) -> Callable[[str], str] | None:
    """How the forge that shows a file names its headings; None for any other address."""
    if "/-/blob/" in parts.path:
        return gitlab_slug
    if re.search(r"/src/(?:branch|commit|tag)/", parts.path):
        return gitea_slug
    if "github" in (parts.hostname or "").split(".") and "/blob/" in parts.path:
        return github_slug
    return None


def _is_message(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if host == "slack.com" or host.endswith(".slack.com"):
        return True
    return MATTERMOST_MESSAGE.fullmatch(parts.path) is not None


def _words(heading: str) -> str:
    """Letters, marks, decimal digits, connectors (Ruby's class `Word`), hyphens and spaces of a heading."""
    return "".join(
        sign
        for sign in heading
        if unicodedata.category(sign) in {"Nd", "Pc"} or unicodedata.category(sign)[0] in "LM" or sign in "- "
    )
