"""Whether shown citations are right: of a model that invents citations, and of one that cites rightly.

A sentence is taken word for word from a passage, so that it is known which passages support it: those that hold it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from bot.evaluation.answers import CITED
from bot.llm.interface import Prompt
from bot.model import Answer
from bot.writing.units import Units
from tests.bench.table import Table
from tests.eval.asking import Chosen, answer, letters, of_its_language, ready_for

QUOTED = 3
"""Passages of which the model repeats a sentence each."""


@dataclass(kw_only=True)
class Counts:
    sentences: int = 0
    """That the model wrote."""
    rightly_cited: int = 0
    """Sentences shown that cite a passage that holds them."""
    citations: int = 0
    right: int = 0
    """Citations shown whose passage holds the sentence."""


def invented(turn: int, number: int, numbers: tuple[int, ...]) -> str:
    """A wrong citation of passage `number`, another kind at each turn."""
    others = [other for other in numbers if other != number] or [number + 40]
    wrong = others[turn % len(others)]
    kinds = (f"[{wrong}]", "[42]", f"[{number}][{wrong}]", "[Source: the handbook]", f"[{max(numbers) + 1}]", "", "[9]")
    return kinds[turn % len(kinds)]


def rightly(turn: int, number: int, numbers: tuple[int, ...]) -> str:
    return f"[{number}]"


Cite = Callable[[int, int, tuple[int, ...]], str]

MODELS: dict[str, Cite] = {
    "invents its citations": invented,
    "cites rightly": rightly,
}


async def measure(chosen: Chosen) -> list[Table]:
    rows = []
    for questions in chosen.sets():
        for name, cite in MODELS.items():
            turns, told = count(), list[str]()

            def says(prompt: Prompt, cite: Cite = cite, told: list[str] = told, turns: Iterator[int] = turns) -> str:
                numbers = tuple(passage.number for passage in prompt.passages)
                found = of_its_language(prompt, QUOTED)
                told[:] = dict.fromkeys(text for _, text in found)
                cited = {text: cite(next(turns), number, numbers) for number, text in reversed(found)}
                return " ".join(f"{text[:-1]} {sign}{text[-1]}" for text, sign in cited.items()) or "NOT_FOUND"

            counts = Counts()
            async with ready_for(questions.corpus, says) as (ready, _):
                for query in questions.queries:
                    told.clear()
                    _count(counts, await answer(ready, query), told)
            rows.append(
                (
                    questions.name,
                    name,
                    counts.citations,
                    _share(counts.right, counts.citations),
                    counts.sentences,
                    _share(counts.rightly_cited, counts.sentences),
                )
            )
    return [
        Table(
            title="citations that are shown",
            columns=("set", "the model", "citations", "precision", "sentences written", "recall"),
            rows=rows,
            notes=(
                "Precision: of the citations shown, those whose passage holds the sentence. Recall: of the sentences"
                " written, those that are shown and cite a passage that holds them.",
            ),
        )
    ]


def _count(counts: Counts, given: Answer, told: list[str]) -> None:
    counts.sentences += len(told)
    held = {passage.number: letters(passage.text) for passage in given.citations}
    units = Units()
    for unit in (*units.feed(given.text), *units.close()):
        # Two sentences are one unit where a quotation spans both.
        said = [text for text in told if letters(text) in letters(unit.text)] or [unit.text]
        numbers = [int(number) for number in CITED.findall(unit.text)]
        counts.citations += len(numbers)
        counts.right += sum(any(_held(text, held[number]) for text in said) for number in numbers)
        counts.rightly_cited += sum(text in told and any(_held(text, held[n]) for n in numbers) for text in said)


def _held(sentence: str, passage: str) -> bool:
    return letters(re.sub(r"\s+", " ", sentence)) in passage


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%} of {whole}" if whole else "none"
