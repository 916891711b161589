"""The walk of `bot eval`: each set put in place, asked, measured, printed, kept and compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click

from bot.composition import assistant, chat_writer, open_index
from bot.evaluation.answers import ask, costs_of, kept, measures_of
from bot.evaluation.compare import Comparison, compare
from bot.evaluation.compare import table as compared
from bot.evaluation.derived import over, sample, without_gold
from bot.evaluation.judge import Judge, grades
from bot.evaluation.measures import of_ranking
from bot.evaluation.rank import at_hand, languages_of_documents, rank
from bot.evaluation.report import answers, rankings, summed_up
from bot.evaluation.results import Result, SetResults, load, save
from bot.evaluation.sets import Run, read_run, write_answers, write_run, write_set
from bot.language import LanguageDecider
from bot.model import Answerer, Outcome
from bot.settings import BotSettings
from bot.writing.spoken import Spoken
from ingest.errors import ConfigurationError
from ingest.index.reranker import open_reranker
from ingest.ledger import Ledger
from ingest.model import PUBLIC
from ingest.questions import Article, Query, QuestionSet, read_set

LEAST_SHARE = 0.9
"""Of the questions of a set that names no languages: so many must be in one for it to be the language of all."""

NAMED = 10
"""Questions named of each kind that went wrong; `--save` keeps them all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Variation:
    """What is made of each set before it is asked."""

    corpus: Path | None = None
    """Another set whose corpus the questions are asked over."""
    without_gold: float = 0.0
    """Share of the relevant documents that is taken out of the corpus."""
    sample: int | None = None
    """How many of the questions are asked; None for all."""
    seed: int = 0

    def of(self, questions: QuestionSet) -> QuestionSet:
        """Raises `ConfigurationError` for what cannot be made of this set."""
        if self.corpus is not None:
            questions = over(questions, self.corpus)
        if self.sample is not None:
            questions = sample(questions, self.sample, self.seed)
        return without_gold(questions, self.without_gold, self.seed) if self.without_gold else questions


async def evaluate_sets(
    settings: BotSettings,
    folders: Sequence[Path],
    *,
    read: Path | None = None,
    write: Path | None = None,
    write_sets: Path | None = None,
    write_answered: Path | None = None,
    ask_answers: bool | None = None,
    variation: Variation | None = None,
    save_to: Path | None = None,
    against: Path | None = None,
    tolerance: float = 0.0,
    as_json: bool,
) -> int:
    """Measure every set and print its tables, or all of them as JSON; 1 when a measure regressed, else 0.

    `read` is a TREC run to measure instead of searching. `ask_answers`: None asks the assistant where a set has no
    corpus of its own, unless a run is read, and wherever the answers are to be written. `against` is a run that
    `save_to` kept. Raises `ConfigurationError`.
    """
    if write_answered and ask_answers is False:
        raise ConfigurationError("--write-answers has nothing to write with --no-answers; leave one of them out")
    ask_answers = True if write_answered else ask_answers
    before = load(against) if against else None
    evaluation = _Evaluation(settings, read=read, ask_answers=ask_answers, quiet=as_json)
    measured = []
    for folder in folders:
        questions = (variation or Variation()).of(read_set(folder))
        results, run = await evaluation.of(questions)
        measured.append(results)
        if write:
            write_run(run, write / f"{questions.name}.trec", tag="souffleur")
        if write_sets:
            write_set(await _with_corpus(settings, questions), write_sets / questions.name)
        if write_answered:
            write_answers(results.results, write_answered / f"{questions.name}.answers.jsonl")
    if save_to:
        save(measured, save_to)
    comparisons = compare(before, measured, tolerance=tolerance) if before is not None else []
    if as_json:
        click.echo(json.dumps(_as_json(measured, comparisons), ensure_ascii=False, indent=2))
    for comparison in comparisons if not as_json else ():
        click.echo(compared(comparison) + "\n")
    return int(any(comparison.regressed for comparison in comparisons))


def _as_json(measured: Sequence[SetResults], comparisons: Sequence[Comparison]) -> list[dict[str, object]]:
    """One object a set; with the comparison under `against`, where there is one."""
    found = {comparison.name: comparison for comparison in comparisons}
    return [
        asdict(summed_up(results)) | ({"against": asdict(found[results.name])} if results.name in found else {})
        for results in measured
    ]


class _Evaluation:
    """Measures sets one after the other, and prints what it finds as soon as it has it, unless it is to be quiet."""

    def __init__(self, settings: BotSettings, *, read: Path | None, ask_answers: bool | None, quiet: bool) -> None:
        self._settings = settings
        self._read = read
        self._ask = ask_answers
        self._quiet = quiet
        self._languages = LanguageDecider(settings.languages)
        self._spoken = Spoken(self._languages)

    async def of(self, questions: QuestionSet) -> tuple[SetResults, Run]:
        asks = self._ask if self._ask is not None else questions.corpus is None and self._read is None
        corpus = questions.corpus if asks or self._read is None else None
        async with at_hand(self._settings, corpus) as settings:
            run, seconds = (
                (read_run(self._read), 0.0) if self._read else await _ranked(settings, questions, self._decide)
            )
            known = questions.corpus is None or corpus is not None
            documents = await languages_of_documents(settings) if known else {}
            slices = _slices(questions, documents, self._decide)
            results = tuple(
                Result(
                    id=query.id,
                    text=query.text,
                    slices=slices[query.id],
                    measures=of_ranking(
                        [document for document, _ in run.get(query.id, ())], questions.relevant.get(query.id, {})
                    ),
                )
                for query in questions.queries
            )
            found = SetResults(name=questions.name, seconds=seconds, results=results)
            if not asks:
                summed_up(found)  # a set that cannot be measured is refused before anything is written
            self._say_rankings(questions, found)
            if asks:
                async with assistant(settings) as ready, _judge(settings) as judge:
                    found = await self._answered(questions, found, ready.answering.answer, judge)
                self._say_answers(questions, found)
        return found, run

    async def _answered(
        self, questions: QuestionSet, found: SetResults, answerer: Answerer, judge: Judge | None
    ) -> SetResults:
        results = []
        for query, result in zip(questions.queries, found.results, strict=True):
            answer = await ask(answerer, query)
            row = kept(answer, query, self._spoken)
            measures = result.measures | measures_of(
                answer, query, questions.relevant.get(query.id, {}), row.wrong_language
            )
            if judge is not None:
                answered = answer.outcome is Outcome.ANSWERED
                verdict = await judge.verdict(query, answer) if answered else None
                measures |= grades(query, answered=answered, verdict=verdict)
                row = row.model_copy(update={"judged": verdict.why if verdict else None})
            results.append(result.model_copy(update={"measures": measures, "costs": costs_of(answer), "answer": row}))
        return found.model_copy(update={"results": tuple(results), "judge": judge.name if judge else None})

    def _say_rankings(self, questions: QuestionSet, found: SetResults) -> None:
        if self._quiet:
            return
        if any(result.measures for result in found.results):
            click.echo(rankings(summed_up(found)))
        named, wrong = language_accuracy(questions, self._decide)
        if named:
            click.echo(f"language of the question right: {named - len(wrong)}/{named}")
        for text, language, decided in wrong[:NAMED]:
            click.echo(f"  {text!r} is {language}, decided {decided}")
        click.echo()

    def _say_answers(self, questions: QuestionSet, found: SetResults) -> None:
        if self._quiet:
            return
        click.echo(answers(summed_up(found)) + "\n")
        answered = [
            result for result in found.results if result.answer and result.answer.outcome == Outcome.ANSWERED.value
        ]
        if found.judge and (graded := sum("judged invented" in result.measures for result in answered)) < len(answered):
            click.echo(f"{found.judge} graded {graded} of {len(answered)} answers; the log says why not the others\n")
        wrong = [result for result in found.results if result.answer and result.answer.wrong_language]
        for result in wrong[:NAMED]:
            click.echo(f"  {result.text!r}: {result.answer.wrong_language if result.answer else ''}")
        click.echo(_outcomes(found) + "\n")

    def _decide(self, text: str) -> str:
        return self._languages.decide(text).language


def _outcomes(found: SetResults) -> str:
    """The two errors of abstention in one line, in counts."""

    def count(measure: str) -> int:
        return sum(result.measures.get(measure, 0) > 0 for result in found.results)

    def asked(measure: str) -> int:
        return sum(measure in result.measures for result in found.results)

    citing = sum(result.measures.get("relevant cited", 0) > 0 for result in found.results)
    return (
        f"answered {count('answered')}/{asked('answered')} answerable questions"
        f" ({citing} citing a relevant document), refused {count('refused')}/{asked('refused')} unanswerable ones"
    )


def language_accuracy(questions: QuestionSet, decide: Callable[[str], str]) -> tuple[int, list[tuple[str, str, str]]]:
    """Queries whose language the set names, and those decided otherwise: text, named, decided."""
    named = [(query.text, query.language) for query in questions.queries if query.language]
    wrong = [(text, language, found) for text, language in named if (found := decide(text)) != language]
    return len(named), wrong


def _slices(
    questions: QuestionSet, documents: Mapping[str, str], decide: Callable[[str], str]
) -> dict[str, dict[str, str]]:
    """Query -> kind of slice -> slice (`bot.evaluation.results.Result`)."""
    common = _common_language(questions, decide)
    return {
        query.id: {
            kind: name
            for kind, name in (
                ("language", query.language),
                ("pair", _pair(query, questions.relevant.get(query.id, {}), documents, query.language or common)),
                ("class", query.kind),
                ("readers", " ".join(sorted(query.readers - {PUBLIC})) or PUBLIC),
            )
            if name
        }
        for query in questions.queries
    }


def _pair(query: Query, relevant: Mapping[str, int], documents: Mapping[str, str], language: str | None) -> str | None:
    """Language of the question → languages of its relevant documents."""
    languages = sorted({documents[document] for document in relevant if document in documents})
    return f"{language}→{'+'.join(languages)}" if languages and language else None


def _common_language(questions: QuestionSet, decide: Callable[[str], str]) -> str | None:
    """The one that nearly all questions of a set that names none are decided to be in."""
    unnamed = [query.text for query in questions.queries if not query.language]
    if not unnamed:
        return None
    language, count = Counter(map(decide, unnamed)).most_common(1)[0]
    return language if count >= LEAST_SHARE * len(unnamed) else None


@asynccontextmanager
async def _judge(settings: BotSettings) -> AsyncIterator[Judge | None]:
    """The model that grades, where one is configured: at temperature 0, so that it grades alike each time."""
    configured = settings.models.judge
    writer = chat_writer(configured.model_copy(update={"temperature": 0.0}) if configured else None, "models.judge")
    try:
        yield Judge(writer) if writer is not None else None
    finally:
        if writer is not None:
            await writer.close()


async def _ranked(settings: BotSettings, questions: QuestionSet, decide: Callable[[str], str]) -> tuple[Run, float]:
    async with AsyncExitStack() as stack:
        index = await stack.enter_async_context(open_index(settings))
        configured = settings.models.reranker
        reranker = open_reranker(configured)
        if configured is None or reranker is None:
            return await rank(index, questions, decide)
        stack.push_async_callback(reranker.close)
        candidates = max(configured.candidates, settings.answer.passages)
        return await rank(index, questions, decide, reranker=reranker, candidates=candidates)


async def _with_corpus(settings: BotSettings, questions: QuestionSet) -> QuestionSet:
    """`questions` with the indexed documents as their corpus, where they have none of their own."""
    if questions.corpus is not None:
        return questions
    ledger = await Ledger.open(settings.state)
    try:
        corpus = [
            Article(
                id=document,
                title=chunks[0].title,
                text="\n\n".join(chunk.text for chunk in chunks),
                readers=chunks[0].readers,
            )
            for source in await ledger.sources()
            for document, chunks in (
                await ledger.chunks(source.name, list(await ledger.documents(source.name)))
            ).items()
        ]
    finally:
        await ledger.close()
    return replace(questions, corpus=tuple(corpus))
