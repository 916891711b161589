"""The dialogue on chat platforms, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

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
from bot.dialogue.offering import Offering
from bot.dialogue.pictures import Pictures
from bot.dialogue.private import Private
from bot.dialogue.question import Questions, ReadsFiles
from bot.dialogue.readership import Readership
from bot.dialogue.reception import Reception
from bot.dialogue.replies import Replies
from bot.dialogue.settings import ChannelSettings, ConversationSettings
from bot.dialogue.sharing import Sharing
from bot.dialogue.withdrawal import Withdrawal
from bot.dialogue.workers import Workers
from bot.dialogue.writing import Writing
from bot.model import Answerer
from bot.phrases import Say
from bot.platforms.events import PlatformName
from bot.platforms.interface import ChatPlatform
from bot.platforms.places import opened_at
from ingest.parsers.interface import ParsingSettings
from ingest.parsers.sandbox import Sandbox

POLL_SECONDS = 1.0
"""How soon a replica sees what another one has put into the inbox: a press of Stop, above all."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """All that the dialogue is given by whoever puts the program together."""

    inbox: Inbox
    replies: Replies
    conversations: Conversations
    readership: Readership
    answerer: Answerer
    classifier: AddressedClassifier | None
    """None where no chat model could tell whether a message is for the bot."""
    pictures: Pictures | None
    """None where no model sees."""
    say: Say
    languages: Sequence[str]
    conversation: ConversationSettings
    tokens: Mapping[PlatformName, SecretStr]
    """Of the bot's account on each platform: its buttons are signed with it."""
    commands: Mapping[PlatformName, str]
    """The slash command of each platform, as people type it."""
    parsing: ParsingSettings
    folder: Path
    """Where files of conversations are while they are read."""
    channels: Mapping[str, ChannelSettings] = field(default_factory=dict)
    owners: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By a source's name."""
    sources: int = 0
    """How many sources are configured; 0 where that is not known."""
    now: Callable[[], datetime] = _utc_now
    poll_seconds: float = POLL_SECONDS


@asynccontextmanager
async def attended(platforms: Sequence[ChatPlatform], among: Surroundings) -> AsyncIterator[Attendance]:
    """The dialogue on `platforms`: see `bot.dialogue` for its parts."""
    async with Sandbox(among.parsing) as sandbox:
        attachments = Attachments(
            among.conversations.engine,
            sandbox=sandbox,
            folder=among.folder,
            languages=tuple(among.languages),
            ocr=bool(among.parsing.ocr),
            pictures=among.pictures,
            say=among.say,
            now=among.now,
        )
        parts = Parts.of(platforms, among, attachments)
        workers = Workers(
            among.inbox,
            parts.exchange.handle,
            parts.exchange.give_up,
            at_once=among.conversation.answers_at_once,
            poll_seconds=among.poll_seconds,
            overtaken=parts.exchange.overtaken,
        )
        reception = Reception(
            parts.chat,
            inbox=among.inbox,
            buttons=parts.buttons,
            addressed=parts.addressed,
            aftermath=parts.aftermath,
            commands=among.commands,
            wake=workers.wake,
        )
        yield Attendance(
            platforms,
            receive=reception.receive,
            workers=workers,
            memory=among.replies,
            finish_seconds=among.conversation.finish_seconds,
        )


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What reception and exchange share."""

    chat: Chat
    buttons: Buttons
    addressed: Addressed
    aftermath: Aftermath
    exchange: Exchange

    @classmethod
    def of(cls, platforms: Sequence[ChatPlatform], among: Surroundings, attachments: ReadsFiles | None) -> Parts:
        """All that decides about events, over `platforms`; `attachments` is None where files are not read."""
        chat = Chat(
            platforms={platform.name: platform for platform in platforms},
            replies=among.replies,
            readership=among.readership,
            say=among.say,
            languages=among.languages,
            sources=among.sources,
            channels=among.channels,
            source_owners=among.owners,
        )
        buttons = Buttons(among.tokens, among.say)
        questions = Questions(chat, attachments)
        addressed = Addressed(chat, questions, among.classifier)
        recall = among.conversations.recall
        aftermath = Aftermath(chat, buttons=buttons, recall=recall)
        writing = Writing(
            chat,
            questions=questions,
            answerer=among.answerer,
            buttons=buttons,
            offering=Offering(chat, buttons=buttons),
            address_of=opened_at,
        )
        exchange = Exchange(
            chat,
            inbox=among.inbox,
            buttons=buttons,
            addressed=addressed,
            writing=writing,
            private=Private(chat, writing=writing),
            sharing=Sharing(chat, writing=writing, buttons=buttons, recall=recall),
            withdrawal=Withdrawal(chat, inbox=among.inbox, aftermath=aftermath),
            aftermath=aftermath,
            max_age=timedelta(minutes=among.conversation.max_age_minutes),
            now=among.now,
        )
        return cls(chat=chat, buttons=buttons, addressed=addressed, aftermath=aftermath, exchange=exchange)
