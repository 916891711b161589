"""What a question may use, held against the ledger: earlier answers, passages, and the answer while it is written.

The search filters by reader tokens as the index knows them. These checks come after it, ask the system of record, and
are what a document is safe by that was withdrawn a second ago.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.access.interface import Allows
from bot.audience import audience
from bot.model import ATTACHED, Basis, Passage, Question
from ingest.errors import Terminal


class AccessLost(Terminal):
    """Not everybody who reads the answer may still read all that it rests on."""


class Clearance:
    """Asks on behalf of whoever will read an answer. Every call may raise what the ledger does."""

    def __init__(self, allows: Allows) -> None:
        self._allows = allows

    async def heard(self, question: Question) -> Question:
        """The question without those earlier answers that its audience may not be told.

        An answer that nobody knows the basis of any more may rest on anything.
        """
        known: Basis = frozenset().union(*(turn.basis for turn in question.history if turn.basis))
        allowed = await self._allows(known, audience(question)) if known else set()
        told = tuple(turn for turn in question.history if turn.basis is not None and turn.basis <= allowed)
        return question if len(told) == len(question.history) else replace(question, history=told)

    async def read(self, passages: Sequence[Passage], question: Question) -> tuple[Passage, ...]:
        """Those of the passages that the audience may read now, numbered from 1."""
        documents = documents_of(passages)
        allowed = await self._allows(documents, audience(question)) if documents else set()
        if documents <= allowed:
            return tuple(passages)
        kept = [passage for passage in passages if passage.chunk.source == ATTACHED or passage.key in allowed]
        chunks = {passage.chunk.id for passage in kept}
        return tuple(
            replace(passage, number=number, newer=passage.newer if passage.newer in chunks else None)
            for number, passage in enumerate(kept, start=1)
        )

    async def still(self, basis: Basis, question: Question) -> None:
        """Return where the audience may read all of `basis` now. Raises `AccessLost` otherwise."""
        if basis and not basis <= await self._allows(basis, audience(question)):
            raise AccessLost("a document that the answer rests on was withdrawn, or has other readers now; ask again")


def documents_of(passages: Iterable[Passage]) -> Basis:
    """The documents that the passages are from, without files of the conversation."""
    return frozenset(passage.key for passage in passages if passage.chunk.source != ATTACHED)


def told_before(question: Question) -> Basis:
    """What the earlier answers rest on that the question brings along."""
    return frozenset().union(*(turn.basis for turn in question.history if turn.basis))
