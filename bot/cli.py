"""The command `bot`: reads the configuration once, puts the assistant together, and turns errors into messages.

Heavy rooms are imported inside the commands that use them: `bot --help` must not load what only `bot ask` needs.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import click

from bot.cli_access import COMMANDS as ACCESS
from bot.cli_platforms import manifest, setup
from bot.cli_quality import calibrate, evaluate, explain, feedback
from bot.command import FAILED, keys_again, run, settings_of
from ingest.options import CONFIG, DEBUG, ReaderToken

if TYPE_CHECKING:
    from bot.composition import Assistant
    from bot.serving import KeysAgain
    from bot.settings import BotSettings


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
    help="Ask as a member who holds this reader token too, and is in the groups that it leads to: "
    "user:ada@example.org. `public` alone: as an outsider.",
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
    run(context, _ask(settings_of(context), question, tokens, as_json))


async def _ask(settings: BotSettings, question: str, tokens: tuple[str, ...], as_json: bool) -> int:
    from bot.composition import assistant
    from bot.model import Outcome

    async with assistant(settings) as ready:
        console = _console(ready, await _with_groups(settings, tokens))
        answer = await (console.ask_as_json(question) if as_json else console.ask(question))
    return {Outcome.ANSWERED: 0, Outcome.FAILED: FAILED}.get(answer.outcome, 3)


@cli.command()
@AS
@CONFIG
@DEBUG
@click.pass_context
def chat(context: click.Context, tokens: tuple[str, ...]) -> None:
    """A conversation in the terminal; end it with Ctrl-D."""
    run(context, _chat(settings_of(context), tokens))


async def _chat(settings: BotSettings, tokens: tuple[str, ...]) -> int:
    from bot.composition import assistant

    async with assistant(settings) as ready:
        await _console(ready, await _with_groups(settings, tokens)).chat("› ")
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
    settings = settings_of(context)
    chosen = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update={"serve": settings.serve.model_copy(update=chosen)})
    run(context, _serve(settings, any_port=any_port, again=keys_again(context)))


async def _serve(settings: BotSettings, *, any_port: bool, again: KeysAgain | None) -> int:
    from bot.composition import assistant
    from bot.serving import service

    async with (
        assistant(settings) as ready,
        service(ready, settings, any_port=any_port, keys_again=again) as serving,
    ):
        await asyncio.to_thread(ready.warm)
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
@click.option(
    "--days", type=click.IntRange(1, 36_500), help="How long it may be used (default: until its line is taken out)."
)
def key(name: str, readers: tuple[str, ...], days: int | None) -> None:
    """Make an API key for NAME.

    Prints the key, which is stored nowhere, and the lines for souffleur.yaml that admit it. Keys of the same NAME are
    the same asker's: to exchange one, add the new key, hand it out, then take the old one's line out. A running server
    reads them again within seconds.
    """
    import hashlib
    import secrets
    from datetime import UTC, datetime, timedelta

    from ingest.model import held

    if not name.strip():
        raise click.BadParameter("give it a name, which stands in the audit log: intranet", param_hint="NAME")
    made = "sk-" + secrets.token_urlsafe(32)
    digest = hashlib.sha256(made.encode()).hexdigest()
    listed = ", ".join(json.dumps(reader) for reader in sorted(held(readers)))
    end = "" if days is None else f", expires: {datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
    click.echo(f"The key of {name} (it is stored nowhere):\n\n  {made}\n")
    click.echo("Add under `serve:`, with `keys:` but once, in souffleur.yaml:\n")
    click.echo(f"  keys:\n    - {{name: {json.dumps(name)}, sha256: {digest}, readers: [{listed}]{end}}}")


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@CONFIG
@DEBUG
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Check every setting and every endpoint, and say what to do."""
    run(context, _doctor(settings_of(context), as_json=as_json))


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


async def _with_groups(settings: BotSettings, tokens: tuple[str, ...]) -> Collection[str]:
    """The tokens, and those of the groups that they lead to; what is left of them to somebody who left."""
    if not tokens:
        return tokens
    from bot.access.groups import GroupBook
    from bot.audience import OUTSIDER
    from ingest.model import held

    groups = await GroupBook(settings.access).current()
    addresses = [token.removeprefix("user:") for token in tokens if token.startswith("user:")]
    return groups.closed(held(tokens)) if all(map(groups.is_active, addresses)) else OUTSIDER


def _console(ready: Assistant, tokens: Collection[str]) -> Any:
    from rich.console import Console as Terminal

    from bot.audience import console_asker
    from bot.platforms.console import Console

    return Console(
        answerer=ready.answering.answer,
        asker=console_asker(tokens),
        say=ready.phrases.say,
        terminal=Terminal(highlight=False),
    )


for command in (*ACCESS, calibrate, evaluate, explain, feedback, manifest, setup):
    cli.add_command(command)


def main() -> None:
    """Entry point of `bot`."""
    cli(prog_name="bot")
