"""What a question costs: model calls, tokens, and the time that is the assistant's own.

The model answers at once, so that what is left of the time is search and everything else.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import ParamSpec, TypeVar

from bot.llm.interface import Prompt
from ingest.index.hybrid import Index
from ingest.ledger import Ledger
from tests.bench.table import Table, percentile
from tests.eval.asking import Chosen, answer, of_its_language, ready_for

P = ParamSpec("P")
T = TypeVar("T")

WARM_UP = 3
QUOTED = 3
"""Passages of which the model repeats a sentence each."""


SEARCHES = ((Index, "rank"), (Index, "hits"), (Ledger, "readable"), (Ledger, "neighbours"))
"""What a search asks of the index, and of the ledger: who may read what was found, and what stands around it."""


@dataclass
class Searched:
    """Seconds in index and ledger, which answer one search after the other here."""

    seconds: float = 0.0


@contextmanager
def searches_timed() -> Iterator[Searched]:
    """Every search of an assistant that is put together within."""
    searched = Searched()

    def timed(search: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        async def call(*args: P.args, **kwargs: P.kwargs) -> T:
            started = time.perf_counter()
            try:
                return await search(*args, **kwargs)
            finally:
                searched.seconds += time.perf_counter() - started

        return call

    originals = [(owner, name, getattr(owner, name)) for owner, name in SEARCHES]
    try:
        for owner, name, search in originals:
            setattr(owner, name, timed(search))
        yield searched
    finally:
        for owner, name, search in originals:
            setattr(owner, name, search)


def says(prompt: Prompt) -> str:
    told = of_its_language(prompt, QUOTED)
    return " ".join(f"{text[:-1]} [{number}]{text[-1]}" for number, text in told) or "NOT_FOUND"


async def measure(chosen: Chosen) -> list[Table]:
    rows = []
    for questions in chosen.sets():
        calls, tokens, own, searching = [], [], [], []
        with searches_timed() as searched:
            async with ready_for(questions.corpus, says) as (ready, _):
                for query in questions.queries[:WARM_UP]:
                    await answer(ready, query)
                for query in questions.queries:
                    searched.seconds = 0.0
                    told = await answer(ready, query)
                    calls.append(float(told.spent.calls))
                    tokens.append(float(told.spent.tokens))
                    searching.append(searched.seconds * 1000)
                    own.append((told.timings["total"] - told.timings["models"] - searched.seconds) * 1000)
        spreads = (f"{median(values):,.1f} / {percentile(values, 0.95):,.1f}" for values in (tokens, searching, own))
        rows.append(
            (questions.name, len(calls), f"{median(calls):g} / {percentile(calls, 0.95):g}", *spreads),
        )
    return [
        Table(
            title="cost of a question: median / p95",
            columns=("set", "questions", "model calls", "tokens", "search ms", "own ms"),
            rows=rows,
            notes=(
                "Tokens are estimated, of prompts and replies together. `own` is the whole time less that of the model"
                " and of the reads of index and ledger: language, ranking, prompt and every check of what is written.",
            ),
        )
    ]
