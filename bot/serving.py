"""What `bot serve` runs, put together from the settings: the web, the chat platforms, and the one end of all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.composition import Assistant
from bot.conversations import Conversations
from bot.dialogue.addressed import Addressed
from bot.dialogue.aftermath import Aftermath
from bot.dialogue.attachments import Attachments
from bot.dialogue.attendance import Attendance
from bot.dialogue.buttons import Buttons
from bot.dialogue.chat import Chat
from bot.dialogue.classifier import AddressedClassifier
from bot.dialogue.exchange import Exchange
from bot.dialogue.inbox import Inbox
from bot.dialogue.pictures import Pictures
from bot.dialogue.private import Private
from bot.dialogue.question import Questions
from bot.dialogue.reception import Reception
from bot.dialogue.replies import Replies
from bot.dialogue.settings import ChannelSettings, ConversationSettings
from bot.dialogue.workers import Workers
from bot.dialogue.writing import Writing
from bot.documents import Documents
from bot.model import Answerer
from bot.phrases import Say
from bot.platforms.events import PlatformName
from bot.platforms.interface import ChatPlatform, PlatformUnavailable
from bot.platforms.places import opened_at
from bot.settings import BotSettings
from ingest.errors import ConfigurationError
from ingest.index.interface import IndexMissing, IndexUnavailable
from ingest.parsers.interface import ParsingSettings
from ingest.parsers.sandbox import Sandbox

if TYPE_CHECKING:
    from bot.platforms.web import WebPlatform

OTHER_PORTS = 20
"""Ports above the configured one that are tried when any port will do, before one is left to the system."""

FILES_KEPT = timedelta(days=30)
"""How long the text of a file in a conversation is kept; asked about later, the file is read again."""

POLL_SECONDS = 1.0
"""How soon a replica sees what another one has put into the inbox: a press of Stop, above all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """Everything that `bot serve` runs."""

    web: WebPlatform
    address: str
    """Where the chat page is."""
    attendance: Attendance | None
    """None without a chat platform."""

    async def run(self, *, heard: Callable[[ChatPlatform], None] = lambda platform: None) -> None:
        """Until SIGINT or SIGTERM; what is being written then is finished, within the bounds of each part.

        `heard` is called once for each platform, when it is connected for the first time. Raises what a platform
        refuses at the start: a setting that must be mended.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                waiting: list[asyncio.Task[None]] = []
                if self.attendance is not None:
                    tasks.create_task(self.attendance.run())
                    tasks.create_task(self._end_together(self.attendance))
                    waiting = [tasks.create_task(_told(heard, each)) for each in self.attendance.platforms]
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
async def service(ready: Assistant, settings: BotSettings, *, any_port: bool) -> AsyncIterator[Service]:
    """What `settings` describe, its port taken. Raises `ConfigurationError` when that cannot be."""
    platforms = chat_platforms(settings, ready.phrases.say)
    if not platforms:
        web = web_platform(ready, settings, any_port=any_port)
        yield Service(web=web, address=web.bind(), attendance=None)
        return
    async with attended(
        platforms,
        inbox=Inbox(ready.conversations.engine),
        replies=Replies(ready.conversations.engine),
        conversations=ready.conversations,
        answerer=ready.answering.answer,
        classifier=ready.classifier,
        pictures=ready.pictures,
        say=ready.phrases.say,
        languages=settings.languages,
        channels=settings.channels,
        conversation=settings.conversation,
        owners={name: source.owners for name, source in settings.sources.items() if source.owners},
        sources=len(settings.sources),
        tokens=_tokens(settings),
        commands=_commands(settings),
        parsing=settings.parsing,
        folder=settings.home / "attachments",
    ) as attendance:
        web = web_platform(ready, settings, any_port=any_port, attendance=attendance)
        yield Service(web=web, address=web.bind(), attendance=attendance)


def chat_platforms(settings: BotSettings, say: Say) -> tuple[ChatPlatform, ...]:
    """The chat platforms that `settings` switch on, not connected. Raises `ConfigurationError`."""
    platforms: list[ChatPlatform] = []
    if settings.slack is not None:
        with extra("slack"):
            from bot.platforms.slack.platform import SlackPlatform
        platforms.append(SlackPlatform(settings.slack, say=say, languages=settings.languages))
    if settings.mattermost is not None:
        with extra("mattermost"):
            from bot.platforms.mattermost.platform import MattermostPlatform
        platforms.append(MattermostPlatform(settings.mattermost, say=say, languages=settings.languages))
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


@asynccontextmanager
async def attended(
    platforms: Sequence[ChatPlatform],
    *,
    inbox: Inbox,
    replies: Replies,
    conversations: Conversations,
    answerer: Answerer,
    classifier: AddressedClassifier | None,
    pictures: Pictures | None,
    say: Say,
    languages: Sequence[str],
    channels: Mapping[str, ChannelSettings],
    conversation: ConversationSettings,
    owners: Mapping[str, Sequence[str]],
    tokens: Mapping[PlatformName, SecretStr],
    commands: Mapping[PlatformName, str],
    parsing: ParsingSettings,
    folder: Path,
    sources: int = 0,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    poll_seconds: float = POLL_SECONDS,
) -> AsyncIterator[Attendance]:
    """The dialogue on `platforms`, put together: see `bot.dialogue` for its parts."""
    async with Sandbox(parsing) as sandbox:
        chat = Chat(
            platforms={platform.name: platform for platform in platforms},
            replies=replies,
            say=say,
            languages=languages,
            sources=sources,
            channels=channels,
            source_owners=owners,
        )
        attachments = Attachments(
            conversations.engine,
            sandbox=sandbox,
            folder=folder,
            languages=tuple(languages),
            ocr=bool(parsing.ocr),
            pictures=pictures,
            say=say,
            now=now,
        )
        buttons = Buttons(tokens, say)
        questions = Questions(chat, attachments)
        addressed = Addressed(chat, questions, classifier)
        writing = Writing(chat, questions=questions, answerer=answerer, buttons=buttons, address_of=opened_at)
        aftermath = Aftermath(chat, buttons=buttons, recall=conversations.recall)
        exchange = Exchange(
            chat,
            inbox=inbox,
            buttons=buttons,
            addressed=addressed,
            writing=writing,
            private=Private(chat, writing=writing, recall=conversations.recall),
            aftermath=aftermath,
            max_age=timedelta(minutes=conversation.max_age_minutes),
            now=now,
        )
        workers = Workers(
            inbox,
            exchange.handle,
            exchange.give_up,
            at_once=conversation.answers_at_once,
            poll_seconds=poll_seconds,
            overtaken=exchange.overtaken,
            tidy=lambda: attachments.forget_before(now() - FILES_KEPT),
        )
        reception = Reception(
            chat,
            inbox=inbox,
            buttons=buttons,
            addressed=addressed,
            aftermath=aftermath,
            commands=commands,
            wake=workers.wake,
        )
        yield Attendance(
            platforms,
            receive=reception.receive,
            workers=workers,
            memory=replies,
            finish_seconds=conversation.finish_seconds,
        )


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
    ready: Assistant, settings: BotSettings, *, any_port: bool, attendance: Attendance | None = None
) -> WebPlatform:
    """The web platform over an open assistant, its port taken. Raises `ConfigurationError` when it cannot be."""
    from bot.platforms.web import Keys, PortTaken, WebPlatform, create_app

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
    app = create_app(
        answerer=ready.answering.answer,
        keys=Keys(
            ((key.name, key.sha256, key.readers) for key in settings.serve.keys), keyless_here=not settings.serve.keys
        ),
        say=ready.phrases.say,
        languages=ready.phrases.languages,
        documents=Documents(ready.ledger).read,
        registry=ready.metrics.registry,
        threads=ready.conversations.history,
        checks=checks,
        public_url=settings.serve.public_url,
        routes=[route for platform in platforms for route in platform.routes],
    )
    host, port = settings.serve.host, settings.serve.port
    for candidate in (port, *range(port + 1, min(port + OTHER_PORTS, 65535) + 1), 0):
        platform = WebPlatform(app, host=host, port=candidate)
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
