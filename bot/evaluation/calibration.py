"""The walk of `bot calibrate`: questions asked of the index, the gate learned from one half, measured on the other."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bot.composition import open_index
from bot.evaluation.rank import QUERY_SECONDS, index_corpus
from bot.language import LanguageDecider
from bot.retrieval.calibrate import (
    FEWEST,
    RATES,
    Curve,
    Example,
    are_enough,
    by_legs,
    curve,
    is_learned_from,
    learn,
    resampled,
    threshold,
)
from bot.retrieval.evidence import witness
from bot.retrieval.gate import FILE_NAME, Calibration, configuration_of, write_calibrations
from bot.retrieval.interface import Wanted
from bot.retrieval.retrieve import rerank
from bot.retrieval.versions import are_versions
from bot.settings import BotSettings
from ingest.index.hybrid import Index
from ingest.index.interface import Hit, IndexSettings, Reranker
from ingest.index.reranker import open_reranker
from ingest.questions import Query, QuestionSet, read_set

SEARCHED = 100
"""Hits asked for each question, as in an answer."""

FEW = 1000
"""Examples up to which random halves are measured too, in a second or two; with more, one half tells enough."""

SEED = 0
"""Of the draw of the documents that are removed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Learned:
    """One calibration with how it does on the half that it was not learned from."""

    calibration: Calibration
    curves: tuple[Curve, ...]
    """Of all the questions, then of each set and kind."""

    @property
    def worth_writing(self) -> bool:
        return self.curves[0].beats_chance


async def calibrate_sets(
    settings: BotSettings, folders: Sequence[Path], *, over_refusal: float, write: bool, as_json: bool
) -> int:
    """Learn the gate for the retrieval that `settings` describe; 1 when there was nothing to learn.

    With `write`, what is better than chance goes to the file `calibration.json` in the folder `home`. Raises
    `ConfigurationError`, and what a search raises.
    """
    languages = LanguageDecider(settings.languages)
    half: list[Example] = []
    rest: list[Example] = []
    for folder in folders:
        asked = _Asked(settings, read_set(folder), lambda text: languages.decide(text).language)
        async with _reranker(settings) as reranker:
            more, others = await asked.examples(reranker)
        half += more
        rest += others
    configuration = configuration_of(settings.models.embedding, settings.models.reranker)
    learned, too_few = _learned(half, rest, configuration, over_refusal)
    worth = [one.calibration for one in learned if one.worth_writing]
    path = settings.home / FILE_NAME
    if write and worth:
        await asyncio.to_thread(write_calibrations, path, worth)
    if as_json:
        click.echo(json.dumps([_data(one) for one in learned], ensure_ascii=False, indent=2))
    else:
        _print(learned, too_few, path if write else None)
    return 0 if worth else 1


@asynccontextmanager
async def _reranker(settings: BotSettings) -> AsyncIterator[Reranker | None]:
    reranker = open_reranker(settings.models.reranker)
    try:
        yield reranker
    finally:
        if reranker is not None:
            await reranker.close()


@dataclass(frozen=True, slots=True)
class _Asked:
    """One set, asked of its own corpus or of the index in use."""

    settings: BotSettings
    questions: QuestionSet
    decide: Callable[[str], str]

    async def examples(self, reranker: Reranker | None) -> tuple[list[Example], list[Example]]:
        """Those to learn from, and those to measure with.

        A set with a corpus is measured on an index that lacks half of the documents that answer.
        """
        half = [query for query in self.questions.queries if is_learned_from(self._key(query))]
        rest = [query for query in self.questions.queries if not is_learned_from(self._key(query))]
        if self.questions.corpus is None:
            async with open_index(self.settings) as index:
                return await self._left_out(index, half, reranker), await self._left_out(index, rest, reranker)
        async with self._indexed(without=()) as index:
            learning = await self._left_out(index, half, reranker)
        answering = sorted({document for graded in self.questions.relevant.values() for document in graded})
        removed = set(random.Random(SEED).sample(answering, len(answering) // 2))  # noqa: S311
        async with self._indexed(without=removed) as index:
            return learning, [
                self._example(query, hits, answerable=not self._gold(query) <= removed)
                for query, hits in await self._searched(index, rest, reranker)
            ]

    async def _left_out(self, index: Index, queries: Sequence[Query], reranker: Reranker | None) -> list[Example]:
        """Every question as it is and, where it has an answer, without the documents that answer it.

        Their other versions go with them: what an older one says is an answer too.
        """
        examples = []
        for query, hits in await self._searched(index, queries, reranker):
            examples.append(self._example(query, hits, answerable=query.answerable))
            if query.answerable:
                others = _without(hits, self._gold(query))
                examples.append(self._example(query, others, answerable=False))
        return examples

    async def _searched(
        self, index: Index, queries: Sequence[Query], reranker: Reranker | None
    ) -> list[tuple[Query, list[Hit]]]:
        """What an answer would find; questions of which nobody said where the answer is are left out."""
        found = []
        for query in queries:
            if query.answerable and not self._gold(query):
                continue
            async with asyncio.timeout(QUERY_SECONDS):
                language = self.decide(query.text)
                hits = await index.search(query.text, visible_to=query.readers, language=language, limit=SEARCHED)
                configured = self.settings.models.reranker
                if reranker is not None and configured is not None:
                    hits = await rerank(reranker, query.text, hits[: configured.candidates])
            found.append((query, hits))
        return found

    def _example(self, query: Query, hits: Sequence[Hit], *, answerable: bool) -> Example:
        language = self.decide(query.text)
        wanted = Wanted(query=query.text, language=language)
        return Example(
            set=self.questions.name,
            language=query.language or "",
            answerable=answerable and query.answerable,
            annotated=not query.answerable,
            key=self._key(query),
            evidence=witness(wanted, hits),
        )

    def _gold(self, query: Query) -> set[str]:
        return set(self.questions.relevant.get(query.id, ()))

    def _key(self, query: Query) -> str:
        return min(self._gold(query), default=query.id)

    @asynccontextmanager
    async def _indexed(self, *, without: Collection[str]) -> AsyncIterator[Index]:
        """An index of the set's corpus in a folder of its own."""
        corpus = [article for article in self.questions.corpus or () if article.id not in without]
        with TemporaryDirectory(prefix="souffleur-calibrate-") as folder:
            place = IndexSettings(path=Path(folder) / "index")
            async with open_index(self.settings.model_copy(update={"index": place})) as index:
                await index_corpus(index, corpus, self.settings.languages)
                yield index


def _without(hits: Sequence[Hit], gold: set[str]) -> list[Hit]:
    """The hits that are neither of a document of `gold` nor of another version of one."""
    answering = {hit.chunk.document: hit.chunk for hit in hits if hit.chunk.document in gold}
    return [
        hit
        for hit in hits
        if hit.chunk.document not in gold and not any(are_versions(hit.chunk, chunk) for chunk in answering.values())
    ]


def _learned(
    half: Sequence[Example], rest: Sequence[Example], configuration: str, over_refusal: float
) -> tuple[list[Learned], list[str]]:
    """A calibration for each group of legs with enough questions, and the legs of which there are too few."""
    held = by_legs(rest)
    learned, too_few = [], []
    for features, examples in by_legs(half).items():
        others = held.get(features, [])
        if not are_enough(examples) or not are_enough(others):
            too_few.append(_legs(features))
            continue
        calibration = learn(examples, configuration=configuration, over_refusal=over_refusal)
        thresholds = {rate: threshold(calibration, examples, rate) for rate in sorted({*RATES, over_refusal})}
        curves = [curve("all questions", calibration, others, thresholds)]
        if len(examples) + len(others) <= FEW and (mean := resampled([*examples, *others], list(thresholds))):
            curves.append(mean)
        for name, own in _rows(others).items():
            curves.append(curve(name, calibration, own, thresholds))
        learned.append(Learned(calibration=calibration, curves=tuple(curves)))
    return learned, too_few


def _rows(examples: Sequence[Example]) -> dict[str, list[Example]]:
    """Examples by set and, where there are several, by language; those marked unanswerable once more by themselves."""
    languages = {name: {each.language for each in examples if each.set == name} for name in {e.set for e in examples}}
    rows: dict[str, list[Example]] = {}
    for example in examples:
        marked = f"{example.set}, marked unanswerable"
        rows.setdefault(example.set, []).append(example)
        if len(languages[example.set]) > 1:
            rows.setdefault(f"{example.set} in {example.language}", []).append(example)
        if example.answerable or example.annotated:
            rows.setdefault(marked, []).append(example)
    marks = {f"{example.set}, marked unanswerable" for example in examples if example.annotated}
    return {name: rows[name] for name in sorted(rows) if name in marks or not name.endswith(", marked unanswerable")}


def _data(learned: Learned) -> dict[str, object]:
    return {
        "calibration": learned.calibration.model_dump(),
        "curves": [asdict(one) for one in learned.curves],
        "better_than_chance": learned.worth_writing,
    }


def _legs(features: Collection[str]) -> str:
    """What took part in a search, by the features that it left."""
    legs = {"dense": "words and embedding", "reranker": "reranker"}
    return ", ".join(said for name, said in legs.items() if name in features) or "words alone"


def _print(learned: Sequence[Learned], too_few: Sequence[str], path: Path | None) -> None:
    for one in learned:
        known = one.calibration
        click.echo(
            f"{_legs(known.features)} ({known.configuration}): learned from {known.questions} answerable questions,"
            " measured on the others"
        )
        click.echo("Unanswerable questions refused, % (answerable ones refused, %), by over-refusal asked for:")
        width = max(len(each.name) for each in one.curves)
        rates = "".join(f"{f'{point.wanted:.0%}':>14}" for point in one.curves[0].points)
        click.echo(f"{'':{width}} {'answerable':>10} {'unanswerable':>12} {'area':>6}{rates}")
        for each in one.curves:
            cells = "".join(f"{f'{100 * p.refused:.0f} ({100 * p.over_refused:.1f})':>14}" for p in each.points)
            click.echo(f"{each.name:{width}} {each.answerable:>10} {each.unanswerable:>12} {each.area:>6.3f}{cells}")
        if one.worth_writing:
            click.echo(f"chosen: refuse below {known.threshold:.3f}, for an over-refusal of {known.over_refusal:.0%}")
        else:
            click.echo(
                "no better than chance: nothing is written. Questions in the words of those who ask, each with the"
                " documents that answer it, teach most; see docs/calibration.md"
            )
        click.echo()
    for legs in too_few:
        click.echo(
            f"{legs}: too few questions, fewer than {FEWEST} with or {FEWEST} without an answer in one of the halves;"
            " nothing is learned, what was in use stays"
        )
    if any(one.worth_writing for one in learned):
        click.echo(
            f"written to {path}; a running bot reads it when it starts" if path else "measured only: nothing is written"
        )
