"""Who asks, who will read the answer, and so which documents may be used: reader tokens."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model import Asker, Question
from ingest.model import PUBLIC, Readers, held

OUTSIDER: Readers = frozenset({PUBLIC})
"""What somebody who is no member of the company holds."""


def console_asker(tokens: Iterable[str] = ()) -> Asker:
    """The person at the terminal, who holds what `tokens` say (see `ingest.model.held`)."""
    return Asker(id="console", readers=held(tokens))


def audience(question: Question) -> Readers:
    """Tokens that everyone who will read the answer holds.

    Where the asker alone reads the answer, these are the asker's own.
    """
    shared = question.place.readers
    return (question.asker.readers if shared is None else shared) | OUTSIDER
