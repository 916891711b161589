"""One question on its way through `bot.answer`, and the answer that it becomes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from bot.audience import audience
from bot.clearance import documents_of, told_before
from bot.llm.calls import Calls
from bot.model import Answer, Basis, Delta, Finished, Outcome, Passage, Question, Refusal, Route
from bot.trace import Trace

NEAREST = 3
"""Documents that are named under "not found"; more would be a search page."""


@dataclass(slots=True)
class Walk:
    """What is known so far."""

    question: Question
    trace_id: str
    started: float
    calls: Calls
    language: str = "en"
    searched_in: str = "en"
    """Best guess of the question's language, for its stems."""
    unsure: bool = False
    """Whether the question was too short to tell its language by; the best passage's is taken instead."""
    route: Route = Route.DOCUMENTS
    passages: tuple[Passage, ...] = ()
    nearest: tuple[Passage, ...] = ()
    withheld: Basis = frozenset()
    lost: Basis = frozenset()
    """What an answer rested on that was withdrawn."""
    shown: dict[int, int] = field(default_factory=dict)
    """Number of a passage, as the writer was given it, to its number in the answer: the order of citation."""
    pieces: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    """As in `Answer`, so far; so are the notes."""
    notes: list[str] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    searching: float = 0.0
    """Seconds that were waited for the search alone."""
    written_by: str = "extractive"
    refusal: Refusal | None = None
    removed: int = 0
    """Statements that were left out."""
    trace: Trace = field(default_factory=Trace)
    _told: int = 0
    """How many of the pieces somebody was shown."""
    _cited_in_told: dict[int, int] = field(default_factory=dict)

    @property
    def basis(self) -> Basis:
        """All that may have found its way into the answer so far."""
        return documents_of(self.passages) | told_before(self.question)

    def delta(self, text: str) -> Delta:
        if not self.pieces:
            self.lap("first_token")
        self.pieces.append(text)
        return Delta(text=text, cited=self._cited(), basis=self.basis)

    def lap(self, stage: str) -> None:
        self.timings[stage] = time.perf_counter() - self.started

    def told(self) -> None:
        """All that is written so far is about to be shown."""
        self._told, self._cited_in_told = len(self.pieces), dict(self.shown)

    def without_untold(self) -> None:
        """Drop what was written and could not be cleared to be shown."""
        del self.pieces[self._told :]
        self.shown = self._cited_in_told

    def offer_nearest(self) -> None:
        """Name the best passage of each of the first documents, for readers to look at themselves."""
        best: dict[tuple[str, str], Passage] = {}
        for passage in self.passages:
            best.setdefault((passage.chunk.source, passage.chunk.document), passage)
        self.nearest = tuple(
            replace(passage, number=number) for number, passage in enumerate(list(best.values())[:NEAREST], start=1)
        )

    def withdrawn(self, sentence: str) -> Finished:
        """An end in which nothing is left of what was found and written but a sentence in its place."""
        self.lost = self.basis
        self.passages, self.nearest, self.notes, self.refusal, self.removed = (), (), [], None, 0
        self.shown, self.pieces = {}, [sentence]
        self.question = replace(self.question, history=())
        self.trace = Trace(decided=self.trace.decided)
        return self.finished(Outcome.WITHDRAWN)

    def finished(self, outcome: Outcome) -> Finished:
        self.lap("total")
        numbers = dict(self.shown)
        for passage in self.passages:
            numbers.setdefault(passage.number, len(numbers) + 1)
        self.trace.route = self.route.value
        self.trace.calls = list(self.calls.made) if outcome is not Outcome.WITHDRAWN else []
        return Finished(
            answer=Answer(
                text="".join(self.pieces),
                language=self.language,
                outcome=outcome,
                citations=self._cited(),
                passages=tuple(replace(passage, number=numbers[passage.number]) for passage in self.passages),
                trace_id=self.trace_id,
                written_by=self.written_by,
                notices=tuple(self.notices),
                notes=tuple(self.notes),
                nearest=self.nearest if outcome is Outcome.NOT_FOUND else (),
                refusal=self.refusal,
                removed=self.removed,
                route=self.route,
                basis=self.basis,
                withheld=self.withheld,
                audience=audience(self.question),
                spent=self.calls.spent,
                timings={**self.timings, "models": self.calls.seconds, "search": self.searching},
                trace=self.trace,
            )
        )

    def cites(self, source: str) -> bool:
        """Whether the text cites a passage of that source."""
        return any(passage.number in self.shown and passage.chunk.source == source for passage in self.passages)

    def _cited(self) -> tuple[Passage, ...]:
        """The passages that the text cites, in the order of the numbers it shows."""
        by_number = {passage.number: passage for passage in self.passages}
        return tuple(replace(by_number[number], number=shown) for number, shown in self.shown.items())
