"""The command `bot`: reads the configuration once, puts the assistant together, and turns errors into messages.

Heavy rooms are imported inside the commands that use them: `bot --help` must not load what only `bot ask` needs.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ingest.errors import ConfigurationError, SouffleurError
from ingest.options import CONFIG, DEBUG, ReaderToken

if TYPE_CHECKING:
    from bot.composition import Assistant
    from bot.settings import BotSettings

CONFIGURATION = 2
"""Exit status when a setting is wrong."""

FAILED = 1
"""Exit status when something else went wrong."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@CONFIG
@DEBUG
@click.version_option(package_name="souffleur")
def cli() -> None:
    """Ask the documents that `ingest sync` has indexed."""


AS = click.option(
    "--as",
    "tokens",
    multiple=True,
    type=ReaderToken(),
    metavar="TOKEN",
    help="Ask as a member who holds this reader token too; `public` alone: as an outsider.",
)


@cli.command()
@click.argument("question")
@AS
@click.option("--json", "as_json", is_flag=True, help="Print the answer, its sources and its costs as JSON.")
@CONFIG
@DEBUG
@click.pass_context
def ask(context: click.Context, question: str, tokens: tuple[str, ...], as_json: bool) -> None:
    """Answer one QUESTION.

    Exit status: 0 answered, 1 failed, 2 configuration, 3 nothing found or not a question.
    """
    _run(context, _ask(_settings(context), question, tokens, as_json))


async def _ask(settings: BotSettings, question: str, tokens: tuple[str, ...], as_json: bool) -> int:
    from bot.composition import assistant
    from bot.model import Outcome

    async with assistant(settings) as ready:
        console = _console(ready, tokens)
        answer = await (console.ask_as_json(question) if as_json else console.ask(question))
    return {Outcome.ANSWERED: 0, Outcome.FAILED: FAILED}.get(answer.outcome, 3)


@cli.command()
@AS
@CONFIG
@DEBUG
@click.pass_context
def chat(context: click.Context, tokens: tuple[str, ...]) -> None:
    """A conversation in the terminal; end it with Ctrl-D."""
    _run(context, _chat(_settings(context), tokens))


async def _chat(settings: BotSettings, tokens: tuple[str, ...]) -> int:
    from bot.composition import assistant

    async with assistant(settings) as ready:
        await _console(ready, tokens).chat("› ")
    return 0


@cli.command()
@click.option("--host", help="Address to listen on (default: serve.host).")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (default: serve.port).")
@click.option("--any-port", is_flag=True, help="Take another port when this one is taken.")
@CONFIG
@DEBUG
@click.pass_context
def serve(context: click.Context, host: str | None, port: int | None, any_port: bool) -> None:
    """Answer in Slack and Mattermost, where configured; serve the chat page and the OpenAI-compatible endpoint."""
    settings = _settings(context)
    chosen = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update={"serve": settings.serve.model_copy(update=chosen)})
    _run(context, _serve(settings, any_port=any_port))


async def _serve(settings: BotSettings, *, any_port: bool) -> int:
    from bot.composition import assistant
    from bot.serving import service

    async with assistant(settings) as ready, service(ready, settings, any_port=any_port) as serving:
        await asyncio.to_thread(ready.languages.warm)
        if not serving.address.endswith(f":{settings.serve.port}"):
            click.echo(f"Port {settings.serve.port} is taken by another program.")
        click.echo(f"Souffleur answers at {serving.address} (Ctrl-C ends it)")
        await serving.run(heard=lambda platform: click.echo(f"Connected to {platform.name.title()}"))
    return 0


@cli.command()
@click.argument("name")
@click.option(
    "--reader",
    "readers",
    multiple=True,
    type=ReaderToken(),
    metavar="TOKEN",
    help="A reader token that its holder has beside a member's; `public` alone: an outsider's key.",
)
def key(name: str, readers: tuple[str, ...]) -> None:
    """Make an API key for NAME.

    Prints the key, which is stored nowhere, and the lines for souffleur.yaml that admit it.
    """
    import hashlib
    import secrets

    from ingest.model import held

    made = "sk-" + secrets.token_urlsafe(32)
    digest = hashlib.sha256(made.encode()).hexdigest()
    listed = ", ".join(json.dumps(reader) for reader in sorted(held(readers)))
    click.echo(f"The key of {name} (it is stored nowhere):\n\n  {made}\n\nAdd under `serve:` in souffleur.yaml:\n")
    click.echo(f"  keys:\n    - {{name: {json.dumps(name)}, sha256: {digest}, readers: [{listed}]}}")


@cli.command("eval")
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER...",
)
@click.option(
    "--run",
    "read",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Measure this TREC run instead of searching.",
)
@click.option(
    "--write-set",
    "write_sets",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write each set in BEIR layout below this folder; one without a corpus gets the indexed documents.",
)
@click.option(
    "--write-run",
    "write",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a TREC run a set into this folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the measures as JSON.")
@CONFIG
@DEBUG
@click.pass_context
def evaluate(
    context: click.Context,
    folders: tuple[Path, ...],
    read: Path | None,
    write: Path | None,
    write_sets: Path | None,
    as_json: bool,
) -> None:
    """Measure retrieval on question sets in BEIR layout.

    A set with a corpus of its own is indexed in a temporary folder with the configured models; one without asks the
    index in use, and its answers are judged too.
    """
    from bot.evaluation.command import evaluate_sets

    _run(
        context,
        evaluate_sets(_settings(context), folders, read=read, write=write, write_sets=write_sets, as_json=as_json),
    )


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@CONFIG
@DEBUG
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Check every setting and every endpoint, and say what to do."""
    _run(context, _doctor(_settings(context), as_json=as_json))


async def _doctor(settings: BotSettings, *, as_json: bool) -> int:
    from bot.doctor import examine

    problems = 0
    findings = []
    async for finding in examine(settings):
        problems += finding.state == "problem"
        findings.append({"what": finding.what, "state": finding.state, "says": finding.says})
        if not as_json:
            mark = {
                "ok": click.style("✓", fg="green"),
                "note": click.style("•", fg="yellow"),
                "problem": click.style("✗", fg="red"),
            }
            click.echo(f"{mark[finding.state]} {finding.what}: {finding.says}")
    if as_json:
        click.echo(json.dumps(findings, ensure_ascii=False, indent=2))
    return FAILED if problems else 0


@cli.group()
def manifest() -> None:
    """Print what a chat platform's administrator creates the app from."""


@manifest.command("slack")
@click.option("--name", default="Souffleur", show_default=True, help="What the app and its bot are called.")
@CONFIG
@DEBUG
@click.pass_context
def manifest_slack(context: click.Context, name: str) -> None:
    """The manifest of the Slack app, as JSON, for what the `slack` section switches on: see docs/slack.md."""
    _run(context, _manifest_slack(_settings(context), name))


async def _manifest_slack(settings: BotSettings, name: str) -> int:
    from bot.phrases import Phrases
    from bot.serving import extra

    with extra("slack"):
        from bot.platforms.slack.manifest import manifest
    from bot.platforms.slack.settings import SlackSettings

    made = manifest(
        settings.slack or SlackSettings(),
        public_url=settings.serve.public_url,
        language=settings.languages[0],
        say=Phrases().say,
        name=name,
    )
    click.echo(json.dumps(made, ensure_ascii=False, indent=2))
    return 0


@cli.group()
def setup() -> None:
    """Create what the bot needs on a chat platform."""


@setup.command("mattermost")
@click.option("--team", "teams", multiple=True, metavar="TEAM", help="A team to join, by its name in addresses.")
@click.option("--channel", "channels", multiple=True, metavar="TEAM/CHANNEL", help="A channel to join, by the same.")
@click.option("--username", default="souffleur", show_default=True, help="Of the bot's account.")
@CONFIG
@DEBUG
@click.pass_context
def setup_mattermost(context: click.Context, teams: tuple[str, ...], channels: tuple[str, ...], username: str) -> None:
    """Create the bot's account, token, slash command and memberships; with SOUFFLEUR_MATTERMOST_ADMIN_TOKEN set.

    Without that token: print the steps to do it by hand.
    """
    settings = _settings(context)
    if settings.mattermost is None:
        _fail(
            "the `mattermost` section is missing; add `mattermost: {url: https://…}` to souffleur.yaml", CONFIGURATION
        )
    _run(context, _set_up_mattermost(settings, teams, channels, username))


async def _set_up_mattermost(
    settings: BotSettings, teams: tuple[str, ...], channels: tuple[str, ...], username: str
) -> int:
    from bot.platforms.mattermost.setup import set_up, steps

    mattermost = settings.mattermost
    if mattermost is None or mattermost.admin_token is None:
        click.echo(steps(mattermost, username=username) if mattermost else "")
        return 0
    made = await set_up(
        mattermost, admin_token=mattermost.admin_token, teams=teams, channels=channels, username=username
    )
    for line in made.done:
        click.echo(f"{click.style('✓', fg='green')} {line}")
    for hint in made.hints:
        click.echo(f"{click.style('•', fg='yellow')} {hint}")
    if made.environment:
        click.echo("\nSet these, in the environment or in .env (they are stored nowhere):\n")
        for variable, value in made.environment.items():
            click.echo(f"{variable}={value}")
    return 0


def _console(ready: Assistant, tokens: tuple[str, ...]) -> Any:
    from rich.console import Console as Terminal

    from bot.audience import console_asker
    from bot.platforms.console import Console

    return Console(
        answerer=ready.answering.answer,
        asker=console_asker(tokens),
        say=ready.phrases.say,
        terminal=Terminal(highlight=False),
    )


def _settings(context: click.Context) -> BotSettings:
    from bot.settings import BotSettings, read, secrets
    from ingest.telemetry import start_logging

    try:
        settings = read(context.ensure_object(dict).get("config"), BotSettings, secrets())
    except ConfigurationError as error:
        _fail(str(error), CONFIGURATION)
    start_logging("debug" if context.obj.get("debug") else settings.log.level, settings.log.format)
    return settings


def _run(context: click.Context, work: Coroutine[Any, Any, int]) -> NoReturn:
    """Run a command to its exit status. The broad `except` of this program: nobody is shown a traceback unasked."""
    os.umask(0o077)  # what is kept holds questions and answers that not everybody on this machine may read
    try:
        status = asyncio.run(work)
    except KeyboardInterrupt:
        status = 130
    except ConfigurationError as error:
        _fail(str(error), CONFIGURATION)
    except SouffleurError as error:
        _fail(str(error), FAILED)
    except BrokenPipeError:
        raise  # click ends quietly: whoever read the output has seen enough
    except Exception as error:
        if context.obj.get("debug"):
            raise
        logging.getLogger(__name__).debug("unexpected", exc_info=True)
        _fail(
            f"unexpected {type(error).__name__}: {error}; `bot --debug …` shows the whole of it",
            FAILED,
        )
    sys.exit(status)


def _fail(message: str, status: int) -> NoReturn:
    click.echo(click.style("Error: ", fg="red", bold=True, reset=True) + message, err=True)
    sys.exit(status)


def main() -> None:
    """Entry point of `bot`."""
    cli(prog_name="bot")
