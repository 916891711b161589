"""What the asker is told when a question cannot be answered; operators find the whole error under the trace id.

The tree itself is `ingest.errors`: `Transient` and `Terminal`. The phrase depends on what the asker can do about it.
"""

from __future__ import annotations

from bot.llm.interface import BudgetSpent
from ingest.errors import SouffleurError, Transient
from ingest.index.interface import IndexMissing


def phrase_for(error: SouffleurError | TimeoutError) -> str:
    """The key of the phrase that tells the asker of `error`: to try again, to wait, or to pass the trace id on."""
    if isinstance(error, IndexMissing):
        return "nothing-indexed"
    if isinstance(error, BudgetSpent):
        return "budget-spent"
    return "try-again" if isinstance(error, Transient | TimeoutError) else "error"
