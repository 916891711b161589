"""What `bot serve` runs, put together from the settings: the web, the chat platforms, and the one end of all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.access.directory import Directory
from bot.access.groups import GroupBook
from bot.access.retention import Retention
from bot.attending import Surroundings, attended
from bot.composition import Assistant
from bot.dialogue.attendance import Attendance
from bot.dialogue.inbox import Inbox
from bot.dialogue.readership import Readership
from bot.dialogue.replies import Replies
from bot.documents import Documents
from bot.phrases import Say
from bot.platforms.events import PlatformName
from bot.platforms.interface import ChatPlatform, PlatformUnavailable
from bot.settings import ApiKey, BotSettings
from ingest.errors import ConfigurationError
from ingest.index.interface import IndexMissing, IndexUnavailable

if TYPE_CHECKING:
    from bot.platforms.web import WebPlatform

KeysAgain = tuple[Path, Callable[[], Sequence[ApiKey]]]
"""The configuration file, and what reads the API keys in it once more; see `bot.platforms.web.rotation`."""

OTHER_PORTS = 20
"""Ports above the configured one that are tried when any port will do, before one is left to the system."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """Everything that `bot serve` runs."""

    web: WebPlatform
    address: str
    """Where the chat page is."""
    attendance: Attendance | None
    """None without a chat platform."""
    retention: Retention

    async def run(self, *, heard: Callable[[ChatPlatform], None] = lambda platform: None) -> None:
        """Until SIGINT or SIGTERM; what is being written then is finished, within the bounds of each part.

        `heard` is called once for each platform, when it is connected for the first time. Raises what a platform
        refuses at the start: a setting that must be mended.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                waiting = [tasks.create_task(self.retention.run())]
                if self.attendance is not None:
                    tasks.create_task(self.attendance.run())
                    tasks.create_task(self._end_together(self.attendance))
                    waiting += [tasks.create_task(_told(heard, each)) for each in self.attendance.platforms]
                await self.web.run()
                for task in waiting:
                    task.cancel()
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _end_together(self, attendance: Attendance) -> None:
        await self.web.ending.wait()
        attendance.stop()


async def _told(heard: Callable[[ChatPlatform], None], platform: ChatPlatform) -> None:
    await platform.connected.wait()
    heard(platform)


@asynccontextmanager
async def service(
    ready: Assistant, settings: BotSettings, *, any_port: bool, keys_again: KeysAgain | None = None
) -> AsyncIterator[Service]:
    """What `settings` describe, its port taken. Raises `ConfigurationError` when that cannot be."""
    platforms = chat_platforms(settings, ready.phrases.say)
    if not platforms:
        web = web_platform(ready, settings, any_port=any_port, keys_again=keys_again)
        yield Service(web=web, address=web.bind(), attendance=None, retention=ready.retention)
        return
    among = Surroundings(
        inbox=Inbox(ready.conversations.engine, person_at_once=settings.quotas.person_at_once),
        replies=Replies(ready.conversations.engine),
        conversations=ready.conversations,
        readership=_readership(ready, settings, platforms),
        answerer=ready.answering.answer,
        classifier=ready.classifier,
        pictures=ready.pictures,
        say=ready.phrases.say,
        languages=settings.languages,
        conversation=settings.conversation,
        tokens=_tokens(settings),
        commands=_commands(settings),
        parsing=settings.parsing,
        folder=settings.home / "attachments",
        channels=settings.channels,
        owners={name: source.owners for name, source in settings.sources.items() if source.owners},
        sources=len(settings.sources),
    )
    async with attended(platforms, among) as attendance:
        web = web_platform(ready, settings, any_port=any_port, attendance=attendance, keys_again=keys_again)
        yield Service(web=web, address=web.bind(), attendance=attendance, retention=ready.retention)


def _readership(ready: Assistant, settings: BotSettings, platforms: Sequence[ChatPlatform]) -> Readership:
    """Who reads what on `platforms`, which tell it of changes."""
    directory = Directory(
        platforms,
        GroupBook(settings.access),
        named=ready.ledger.reader_tokens,
        max_age=settings.access.max_age_minutes * 60,
    )
    return Readership(
        access=directory,
        allows=ready.ledger.allows,
        more=ready.offers.more,
        note=ready.audit.note,
        offer=settings.access.offer,
        disclose=settings.access.disclose,
    )


def chat_platforms(settings: BotSettings, say: Say) -> tuple[ChatPlatform, ...]:
    """The chat platforms that `settings` switch on, not connected. Raises `ConfigurationError`."""
    platforms: list[ChatPlatform] = []
    half = settings.access.max_age_minutes * 60 / 2  # the other half is access's own
    if settings.slack is not None:
        with extra("slack"):
            from bot.platforms.slack.platform import SlackPlatform
        platforms.append(SlackPlatform(settings.slack, say=say, languages=settings.languages, kept_seconds=half))
    if settings.mattermost is not None:
        with extra("mattermost"):
            from bot.platforms.mattermost.platform import MattermostPlatform
        platforms.append(
            MattermostPlatform(settings.mattermost, say=say, languages=settings.languages, kept_seconds=half)
        )
    return tuple(platforms)


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Imports what is installed with the extra of that name. Raises `ConfigurationError` where it is not."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{name}: {error.name} is not installed; it comes with the extra: .venv/bin/pip install -e '.[{name}]'"
        ) from error


def _tokens(settings: BotSettings) -> dict[PlatformName, SecretStr]:
    tokens: dict[PlatformName, SecretStr] = {}
    if settings.slack is not None:
        tokens["slack"] = _needed(settings.slack.bot_token, "SOUFFLEUR_SLACK_BOT_TOKEN", "slack")
    if settings.mattermost is not None:
        tokens["mattermost"] = _needed(settings.mattermost.token, "SOUFFLEUR_MATTERMOST_TOKEN", "mattermost")
    return tokens


def _needed(token: SecretStr | None, variable: str, section: str) -> SecretStr:
    if token is None:
        raise ConfigurationError(f"{section}: set {variable} in the environment or in .env; see docs/{section}.md")
    return token


def _commands(settings: BotSettings) -> dict[PlatformName, str]:
    """The slash command of each platform, as people type it."""
    commands: dict[PlatformName, str] = {}
    if settings.slack is not None:
        commands["slack"] = settings.slack.command
    if settings.mattermost is not None:
        commands["mattermost"] = f"/{settings.mattermost.command}"
    return commands


def web_platform(
    ready: Assistant,
    settings: BotSettings,
    *,
    any_port: bool,
    attendance: Attendance | None = None,
    keys_again: KeysAgain | None = None,
) -> WebPlatform:
    """The web platform over an open assistant, its port taken. Raises `ConfigurationError` when it cannot be."""
    from bot.platforms.web import Keys, PortTaken, Rotation, WebPlatform, create_app

    async def index_answers() -> None:
        known = await ready.ledger.count_chunks()
        try:
            indexed = await ready.index.count()
        except IndexMissing:
            if not known:
                raise
            indexed = 0
        if known and not indexed:
            raise IndexUnavailable(f"the index has lost its {known:,} passages; run `ingest reindex`")

    async def ledger_answers() -> None:
        await ready.ledger.sources()

    checks: dict[str, Callable[[], Awaitable[None]]] = {"index": index_answers, "state": ledger_answers}
    platforms = attendance.platforms if attendance is not None else ()
    if attendance is not None:
        checks |= {platform.name: partial(_is_heard, attendance, platform) for platform in platforms}
    keys = Keys(settings.serve.keys, keyless_here=not settings.serve.keys)
    app = create_app(
        answerer=ready.answering.answer,
        keys=keys,
        say=ready.phrases.say,
        languages=ready.phrases.languages,
        documents=Documents(ready.ledger).read,
        registry=ready.metrics.registry,
        threads=ready.conversations.history,
        allows=ready.ledger.allows,
        checks=checks,
        public_url=settings.serve.public_url,
        routes=[route for platform in platforms for route in platform.routes],
    )
    host, port = settings.serve.host, settings.serve.port
    for candidate in (port, *range(port + 1, min(port + OTHER_PORTS, 65535) + 1), 0):
        platform = WebPlatform(
            app, host=host, port=candidate, rotation=None if keys_again is None else Rotation(keys, *keys_again)
        )
        try:
            platform.bind()
            break
        except PortTaken:
            if not any_port:
                raise
    return platform


async def _is_heard(attendance: Attendance, platform: ChatPlatform) -> None:
    if trouble := attendance.trouble(platform):
        raise PlatformUnavailable(trouble)
