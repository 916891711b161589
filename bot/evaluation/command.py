"""The walk of `bot eval`: each set indexed, asked, measured and printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bot.composition import assistant, open_index
from bot.evaluation.measures import Report, measure, table
from bot.evaluation.rank import index_corpus, language_accuracy, outcomes, rank
from bot.evaluation.sets import QuestionSet, Run, read_run, read_set, write_run
from bot.language import LanguageDecider
from bot.settings import BotSettings
from ingest.index.interface import IndexSettings


async def evaluate_sets(
    settings: BotSettings, folders: Sequence[Path], *, read: Path | None, write: Path | None, as_json: bool
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
        report = measure(questions, run, seconds)
        reports.append(report)
        if not as_json:
            await _print(settings, questions, report, decide, answers=read is None)
    if as_json:
        click.echo(json.dumps([asdict(report) for report in reports], ensure_ascii=False, indent=2))
    return 0


async def _ranked(settings: BotSettings, questions: QuestionSet, decide: Callable[[str], str]) -> tuple[Run, float]:
    if questions.corpus is None:
        async with open_index(settings) as index:
            return await rank(index, questions, decide)
    with TemporaryDirectory(prefix="souffleur-eval-") as folder:
        apart = settings.model_copy(update={"index": IndexSettings(path=Path(folder) / "index")})
        async with open_index(apart) as index:
            await index_corpus(index, questions.corpus, settings.languages)
            return await rank(index, questions, decide)


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
