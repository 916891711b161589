"""What goes into a retrieval and what comes out of it, for the rooms on either side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.model import Basis, Passage
from bot.trace import TracedRanking
from ingest.index.interface import Hit


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is searched for."""

    query: str
    """Stand-alone form of the question."""
    language: str | None
    """Of the query; None when it cannot be told."""
    asked: str = ""
    """The question as it was typed, where that differs from `query`: it stays one leg."""
    translations: Mapping[str, str] = field(default_factory=dict)
    """The query in other main languages of the documents, by ISO 639-1 code."""
    variants: Sequence[str] = ()
    """Other ways to put the query; searched only when the first search is weak."""
    broad: bool = False
    """Whether the question asks to list, compare or sum up, so that more documents than one answer it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What a search tells of whether its best passages answer the query. Comparable within one configuration only."""

    features: Mapping[str, float]
    """By name, as `bot.retrieval.evidence.FEATURES` lists them; finite numbers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What the gate makes of the evidence."""

    probability: float
    """That the passages answer the question, 0 to 1."""
    threshold: float

    @property
    def enough(self) -> bool:
        return self.probability >= self.threshold


class Gate(Protocol):
    """Decides by evidence whether there is anything to answer from."""

    def judge(self, evidence: Evidence) -> Judgement: ...


class Witness(Protocol):
    """Makes evidence of the best hits for a query; called on a thread, as passages take time to read."""

    def __call__(self, wanted: Wanted, hits: Sequence[Hit]) -> Evidence:
        """`hits` are what may be read, best first, at most a hundred; none is evidence too."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Retrieved:
    """Passages, best first, with how they were found."""

    passages: tuple[Passage, ...]
    evidence: Evidence
    notices: tuple[str, ...] = ()
    """What was done otherwise than configured, in English."""
    rankings: tuple[TracedRanking, ...] = ()
    withheld: Basis = frozenset()
    """Documents that the index found and the ledger does not let the audience read."""
    widened: str = ""
