"""`bot manifest` and `bot setup`: what the bot needs on a chat platform before it can be heard there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from bot.command import CONFIGURATION, fail, run, settings_of
from ingest.options import CONFIG, DEBUG

if TYPE_CHECKING:
    from bot.settings import BotSettings


@click.group()
def manifest() -> None:
    """Print what a chat platform's administrator creates the app from."""


@manifest.command("slack")
@click.option("--name", default="Souffleur", show_default=True, help="What the app and its bot are called.")
@CONFIG
@DEBUG
@click.pass_context
def manifest_slack(context: click.Context, name: str) -> None:
    """The manifest of the Slack app, as JSON, for what the `slack` section switches on: see docs/slack.md."""
    run(context, _manifest_slack(settings_of(context), name))


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


@click.group()
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
    settings = settings_of(context)
    if settings.mattermost is None:
        fail("the `mattermost` section is missing; add `mattermost: {url: https://…}` to souffleur.yaml", CONFIGURATION)
    run(context, _set_up_mattermost(settings, teams, channels, username))


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
