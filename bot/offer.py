"""Whether somebody who asked among others could be told more alone."""

from __future__ import annotations

from bot.access.interface import Allows
from bot.audience import OUTSIDER, audience
from bot.clearance import documents_of
from bot.model import Answer, Outcome, Question, Route
from bot.retrieval.evidence import is_thin
from bot.retrieval.interface import Evidence, Gate, Wanted
from bot.retrieval.retrieve import Retriever

LEADING = 3
"""Passages of the asker's own search that are looked at where the others were told nothing; where they were told
something only the first one counts: what comes further down seldom changes an answer, and an offer under every answer
would be noise."""


class Offers:
    """Searches once more with what the asker alone holds. Nothing is written, and nothing of it leaves here but a yes
    or a no, for the asker.
    """

    def __init__(self, retriever: Retriever, gate: Gate | None, allows: Allows) -> None:
        self._retriever = retriever
        self._gate = gate
        self._allows = allows

    async def more(self, question: Question, answer: Answer) -> bool:
        """Whether the asker alone would be answered from documents that the place may not read.

        Raises `IndexUnavailable`, `IndexMismatch` and what the ledger does.
        """
        shared, own = audience(question), question.asker.readers | OUTSIDER
        if question.place.readers is None or own <= shared or answer.route is not Route.DOCUMENTS:
            return False
        if answer.outcome not in (Outcome.ANSWERED, Outcome.NOT_FOUND):
            return False
        query = answer.trace.query if answer.trace and answer.trace.query else question.text
        wanted = Wanted(query=query, language=answer.language, asked=question.text if question.text != query else "")
        found = await self._retriever.retrieve(wanted, visible_to=own)
        leading = documents_of(found.passages[: LEADING if answer.outcome is Outcome.NOT_FOUND else 1])
        if not leading or not self._enough(found.evidence):
            return False
        return not leading <= await self._allows(leading, shared)

    def _enough(self, evidence: Evidence) -> bool:
        return not is_thin(evidence) if self._gate is None else self._gate.judge(evidence).enough
