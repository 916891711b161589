"""Who asks, who will read the answer, and so which documents may be used: reader tokens."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model import Asker, Question
from ingest.model import EVERYONE, PUBLIC, Readers

MEMBER: Readers = frozenset({EVERYONE, PUBLIC})
"""What each member of the company holds, the person at the console among them."""

OUTSIDER: Readers = frozenset({PUBLIC})
"""What anybody else holds."""


def console_asker(tokens: Iterable[str] = ()) -> Asker:
    """The person at the terminal: a member, with the further tokens they ask to be tried with."""
    return Asker(id="console", readers=MEMBER | frozenset(tokens))


def audience(question: Question) -> Readers:
    """Tokens that everyone who will read the answer holds.

    The console, the web page and the API answer the asker alone, so these are the asker's own.
    """
    return question.asker.readers | OUTSIDER
