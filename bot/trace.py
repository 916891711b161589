"""How one answer came about, stage by stage, as `bot explain` shows it and the database keeps it.

Everything here is plain data that goes to JSON and back. It holds texts that only the readers of the answer may see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ingest.model import ChunkId

SHOWN_HITS = 20
"""Best hits that are kept of each ranking."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LanguageDecided:
    """See `bot.language.Decision`."""

    language: str
    confidence: float
    how: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TracedHit:
    """One chunk in one ranking."""

    chunk: ChunkId
    source: str
    document: str
    title: str
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TracedRanking:
    """The best hits of one leg or stage, best first."""

    stage: str
    """`lexical`, `dense`, with the language of a translated query behind a colon (`lexical:de`); then `fused`,
    `reranked`, `readable` (after access), `passages` (what the writer was given)."""
    query: str
    hits: tuple[TracedHit, ...]
    found: int
    """How many there were in all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TracedCall:
    """One call of a chat model."""

    task: str
    """`understand`, `answer`, `retry`, `translate`, `conversation`, `general`."""
    model: str
    messages: tuple[tuple[str, str], ...]
    """Role and content."""
    reply: str
    """As it came, before any check."""
    seconds: float
    prompt_tokens: int
    reply_tokens: int
    estimated: bool
    error: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TracedCheck:
    """What a check did to a piece of the text that a model wrote."""

    check: Literal["citations", "leaks", "masking", "language", "grounding"]
    text: str
    """The piece, as it came to the check."""
    verdict: Literal["changed", "removed", "marked", "retried", "translated"]
    why: str


@dataclass(slots=True)
class Trace:
    """Filled in along the walk."""

    decided: LanguageDecided | None = None
    route: str = ""
    query: str = ""
    """What was searched for: the stand-alone form of the question."""
    translations: dict[str, str] = field(default_factory=dict)
    variants: tuple[str, ...] = ()
    widened: str = ""
    """Why a second, wider search was made; empty when none was."""
    rankings: list[TracedRanking] = field(default_factory=list)
    withheld: int = 0
    """Hits that the index had let through and the ledger did not."""
    evidence: Mapping[str, float] = field(default_factory=dict)
    probability: float | None = None
    """That the passages answer the question, by the calibrated gate; None where there is none."""
    threshold: float | None = None
    calls: list[TracedCall] = field(default_factory=list)
    checks: list[TracedCheck] = field(default_factory=list)
