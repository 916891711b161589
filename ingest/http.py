"""What an HTTP server's refusal means: try again and when, or give up; and its own words, fit for a message."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz

WORDS = 300
"""Characters of a server's own words that go into a message."""


def is_busy(status: int) -> bool:
    """Whether the same request may succeed later: request timeout, too early, too many requests, server errors."""
    return status in (408, 425, 429) or status >= 500


def pause(status: int, headers: Mapping[str, str], *, limit: float) -> bool | float:
    """What `stamina` is to do after a refusal: give up (False), back off (True), or wait so many seconds.

    It gives up at once where the server asks for more than `limit` seconds.
    """
    if not is_busy(status):
        return False
    seconds = retry_after(headers)
    if seconds is None:
        return True
    return seconds if seconds <= limit else False


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait: a number or a date (RFC 9110, 10.2.3); None when it says nothing usable."""
    value = headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        date = parsedate_tz(value)
        if date is None:
            return None
        seconds = mktime_tz(date) - time.time()
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def asked_to_wait(headers: Mapping[str, str]) -> str:
    """How a message goes on after "answered 429" where the server says how long to wait; empty where it does not."""
    seconds = retry_after(headers)
    return f" and asks to wait {seconds:,.0f} s" if seconds else ""


def words(text: str) -> str:
    """A server's own words on one line of bounded length; of a JSON error (OpenAI, TEI, FastAPI) only the message."""
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    for name in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(name):
            found = found[name]
    line = " ".join((found if isinstance(found, str) else text).split())
    return line if len(line) <= WORDS else f"{line[:WORDS]}…"
