"""`bot eval`, `bot calibrate`, `bot explain`, `bot feedback`: how good the answers are, and how they come about."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bot.command import run, settings_of
from ingest.options import CONFIG, DEBUG, ReaderToken

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
INTO = click.Path(file_okay=False, path_type=Path)
READ = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITTEN = click.Path(dir_okay=False, path_type=Path)

FOLDERS = click.argument("folders", nargs=-1, required=True, type=FOLDER, metavar="FOLDER...")


@click.command("eval")
@FOLDERS
@click.option(
    "--answers/--no-answers",
    "ask_answers",
    default=None,
    help="Have the assistant answer the questions (default: where a set has no corpus of its own).",
)
@click.option("--corpus", type=FOLDER, help="Ask over the documents of this other set, which has the same ids.")
@click.option(
    "--without-gold",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="SHARE",
    help="Take this share of the relevant documents away, so that their questions become unanswerable.",
)
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Ask only so many of the questions.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which documents or questions are taken.")
@click.option("--save", type=WRITTEN, help="Keep every question's measures and answer as JSON.")
@click.option("--against", type=READ, help="Compare with a run that was kept; exit status 1 on a regression.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    default=0.0,
    metavar="POINTS",
    help="Points of percent that a measure may lose.",
)
@click.option("--run", "read", type=READ, help="Measure this TREC run instead of searching.")
@click.option(
    "--write-set",
    "write_sets",
    type=INTO,
    help="Write each set in BEIR layout below this folder; one without a corpus gets the indexed documents.",
)
@click.option("--write-run", "write", type=INTO, help="Write a TREC run a set into this folder.")
@click.option(
    "--write-answers", "write_answered", type=INTO, help="Write the answers as EnterpriseRAG-Bench takes them."
)
@click.option("--json", "as_json", is_flag=True, help="Print the measures as JSON.")
@CONFIG
@DEBUG
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    folders: tuple[Path, ...],
    corpus: Path | None,
    without_gold: float,
    sample: int | None,
    seed: int,
    save: Path | None,
    **how: Any,
) -> None:
    """Measure retrieval and answers on question sets in BEIR layout.

    A set with a corpus of its own is indexed in a temporary folder with the configured models; one without asks the
    index in use, and its answers are judged too. docs/evaluation.md says what is measured.
    """
    if how["tolerance"] and how["against"] is None:
        raise click.UsageError("--tolerance is about a comparison: name the run to compare with, --against FILE")
    from bot.evaluation.command import Variation, evaluate_sets

    variation = Variation(corpus=corpus, without_gold=without_gold, sample=sample, seed=seed)
    run(context, evaluate_sets(settings_of(context), folders, variation=variation, save_to=save, **how))


@click.command()
@FOLDERS
@click.option(
    "--over-refusal",
    type=click.FloatRange(0, 0.5),
    default=0.05,
    show_default=True,
    help="Share of answerable questions that may be refused.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be learned, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the curve as JSON.")
@CONFIG
@DEBUG
@click.pass_context
def calibrate(
    context: click.Context, folders: tuple[Path, ...], over_refusal: float, dry_run: bool, as_json: bool
) -> None:
    """Learn when to refuse, from question sets in BEIR layout.

    For the configuration in use: its models, its weights. A set without a corpus of its own asks the index in use.
    """
    from bot.evaluation.calibration import calibrate_sets

    run(
        context,
        calibrate_sets(settings_of(context), folders, over_refusal=over_refusal, write=not dry_run, as_json=as_json),
    )


LOOK_AS = click.option(
    "--as",
    "tokens",
    multiple=True,
    type=ReaderToken(),
    metavar="TOKEN",
    help="Look as a member who holds this reader token too; `public` alone: as an outsider.",
)


@click.command()
@click.argument("reference")
@LOOK_AS
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@CONFIG
@DEBUG
@click.pass_context
def explain(context: click.Context, reference: str, tokens: tuple[str, ...], as_json: bool) -> None:
    """Show how an answer came about, as far as you may read what it rests on.

    REFERENCE is the trace id under an answer, the first eight of its digits or more, or the link to a message in Slack
    or Mattermost.
    """
    from bot.explain import explain as explained

    run(context, explained(settings_of(context), reference, tokens=tokens, as_json=as_json))


@click.group()
def feedback() -> None:
    """What people thought of the answers."""


@feedback.command()
@click.option(
    "--since",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Only what was answered on this day or later (UTC).",
)
@click.option(
    "--out",
    required=True,
    type=INTO,
    metavar="FOLDER",
    help="Where the question set is written.",
)
@LOOK_AS
@CONFIG
@DEBUG
@click.pass_context
def export(context: click.Context, since: datetime | None, out: Path, tokens: tuple[str, ...]) -> None:
    """Write judged answers and refusals as a question set, for people to review.

    Only those that rest on nothing but what you may read.
    """
    from bot.evaluation.feedback import export_feedback

    since = since and since.replace(tzinfo=UTC)
    run(context, export_feedback(settings_of(context), tokens=tokens, since=since, out=out))
