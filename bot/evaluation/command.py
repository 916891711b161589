"""The walk of `bot eval`: each set indexed, asked, measured and printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bot.composition import assistant, open_index
from bot.evaluation.measures import Report, measure, table
from bot.evaluation.rank import index_corpus, language_accuracy, outcomes, rank
from bot.evaluation.sets import Run, read_run, write_run, write_set
from bot.language import LanguageDecider
from bot.settings import BotSettings
from ingest.index.interface import IndexSettings
from ingest.index.reranker import open_reranker
from ingest.ledger import Ledger
from ingest.questions import Article, QuestionSet, read_set


async def evaluate_sets(
    settings: BotSettings,
    folders: Sequence[Path],
    *,
    read: Path | None,
    write: Path | None,
    write_sets: Path | None = None,
    as_json: bool,
) -> int:
    """Measure every set and print its table, or all of them as JSON. Raises `ConfigurationError`."""
    languages = LanguageDecider(settings.languages)

    def decide(text: str) -> str:
        return languages.decide(text).language

    reports = []
    for folder in folders:
        questions = read_set(folder)
        run, seconds = (read_run(read), 0.0) if read else await _ranked(settings, questions, decide)
        if write:
            write_run(run, write / f"{questions.name}.trec", tag="souffleur")
        if write_sets:
            write_set(await _with_corpus(settings, questions), write_sets / questions.name)
        report = measure(questions, run, seconds)
        reports.append(report)
        if not as_json:
            await _print(settings, questions, report, decide, answers=read is None)
    if as_json:
        click.echo(json.dumps([asdict(report) for report in reports], ensure_ascii=False, indent=2))
    return 0


async def _ranked(settings: BotSettings, questions: QuestionSet, decide: Callable[[str], str]) -> tuple[Run, float]:
    async with AsyncExitStack() as stack:
        if questions.corpus is not None:
            folder = stack.enter_context(TemporaryDirectory(prefix="souffleur-eval-"))
            settings = settings.model_copy(update={"index": IndexSettings(path=Path(folder) / "index")})
        index = await stack.enter_async_context(open_index(settings))
        if questions.corpus is not None:
            await index_corpus(index, questions.corpus, settings.languages)
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
            Article(id=document, title=chunks[0].title, text="\n\n".join(chunk.text for chunk in chunks))
            for source in await ledger.sources()
            for document, chunks in (
                await ledger.chunks(source.name, list(await ledger.documents(source.name)))
            ).items()
        ]
    finally:
        await ledger.close()
    return replace(questions, corpus=tuple(corpus))


async def _print(
    settings: BotSettings, questions: QuestionSet, report: Report, decide: Callable[[str], str], *, answers: bool
) -> None:
    click.echo(table(report))
    named, wrong = language_accuracy(questions, decide)
    if named:
        click.echo(f"language of the question right: {named - len(wrong)}/{named}")
    for text, language, found in wrong[:10]:
        click.echo(f"  {text!r} is {language}, decided {found}")
    if answers and questions.corpus is None:
        async with assistant(settings) as ready:
            click.echo(str(await outcomes(questions, ready.answering.answer)))
    click.echo()
