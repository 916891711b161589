"""One question on its way through `bot.answer`, and the answer that it becomes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from bot.model import Answer, Delta, Finished, Outcome, Passage, Question


@dataclass(slots=True)
class Walk:
    """What is known so far."""

    question: Question
    trace_id: str
    started: float
    language: str = "en"
    searched_in: str = "en"
    """Best guess of the question's language, for its stems."""
    unsure: bool = False
    """Whether the question was too short to tell its language by; the best passage's is taken instead."""
    query: str = ""
    passages: tuple[Passage, ...] = ()
    shown: dict[int, int] = field(default_factory=dict)
    """Number of a passage, as the writer was given it, to its number in the answer: the order of citation."""
    pieces: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    """As in `Answer`, so far; so are the notes."""
    notes: list[str] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    model_calls: int = 0
    written_by: str = "extractive"

    def delta(self, text: str) -> Delta:
        if not self.pieces:
            self.lap("first_token")
        self.pieces.append(text)
        return Delta(text=text, cited=self._cited())

    def lap(self, stage: str) -> None:
        self.timings[stage] = time.perf_counter() - self.started

    def finished(self, outcome: Outcome) -> Finished:
        self.lap("total")
        numbers = dict(self.shown)
        for passage in self.passages:
            numbers.setdefault(passage.number, len(numbers) + 1)
        passages = tuple(replace(passage, number=numbers[passage.number]) for passage in self.passages)
        return Finished(
            answer=Answer(
                text="".join(self.pieces),
                language=self.language,
                outcome=outcome,
                citations=self._cited(),
                passages=passages,
                trace_id=self.trace_id,
                written_by=self.written_by,
                notices=tuple(self.notices),
                notes=tuple(self.notes),
                model_calls=self.model_calls,
                timings=dict(self.timings),
            )
        )

    def _cited(self) -> tuple[Passage, ...]:
        """The passages that the text cites, in the order of the numbers it shows."""
        by_number = {passage.number: passage for passage in self.passages}
        return tuple(replace(by_number[number], number=shown) for number, shown in self.shown.items())
