"""An office to try the bot in: people on a chat platform, documents, a chat model that writes what it is told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import SecretStr

from bot.access.directory import Directory
from bot.access.groups import GroupBook
from bot.access.interface import Act
from bot.access.settings import AccessSettings
from bot.attending import Surroundings, attended
from bot.conversations import Conversations
from bot.dialogue.attendance import Attendance
from bot.dialogue.classifier import AddressedClassifier
from bot.dialogue.inbox import Inbox
from bot.dialogue.readership import Readership
from bot.dialogue.replies import Replies
from bot.dialogue.settings import ChannelSettings, ConversationSettings
from bot.dialogue.tables import FEEDBACK, INBOX, WAITING
from bot.llm.interface import ChatUnavailable, Prompt
from bot.model import Answer, Question
from bot.platforms.events import Spot
from bot.platforms.interface import ChatPlatform, Draft, Post
from ingest.ledger import StateSettings
from ingest.model import EVERYONE, PUBLIC
from ingest.parsers.interface import ParsingSettings
from tests.contract.workplace import Shown, Workplace
from tests.fixtures.assistant import DECIDER, SAY, Stage, plan, prompts, stage
from tests.fixtures.passages import chunk

SENTINEL = "What else is there on guests in the canteen?"
"""Asked by the suite itself, to know that everything before it was heard."""

PATIENCE = 20.0
"""Seconds after which something that should have been seen will never be."""

Found = TypeVar("Found")

DOCUMENTS = (
    chunk(
        "Every employee has thirty days of paid leave a year. Leave is requested in the portal two weeks before.",
        document="leave.md",
        title="Annual leave",
        url="https://docs.example.org/leave",
        readers=frozenset({EVERYONE}),
    ),
    chunk(
        "The canteen opens at half past eleven and closes at two. Guests pay in cash.",
        document="canteen.md",
        title="Canteen",
        url="https://docs.example.org/canteen",
        readers=frozenset({PUBLIC}),
        position=1,
    ),
    chunk(
        "Alle Beschäftigten haben dreißig Tage bezahlten Urlaub im Jahr. Der Antrag ist zwei Wochen vorher zu stellen.",
        document="urlaub.md",
        title="Erholungsurlaub",
        language="de",
        url="https://docs.example.org/urlaub",
        readers=frozenset({EVERYONE}),
        position=2,
    ),
)


class Pen:
    """A chat model that is told what to write, and where to wait."""

    name = "pen"

    def __init__(self) -> None:
        self.asked: list[Prompt] = []
        """Prompts for answers, oldest first; those that only sort a message are not among them."""
        self.answer: Callable[[Prompt], str] = quoting
        self.addressed = True
        """What the model says about a reply without a mention."""
        self.broken = False
        self.hold_after: int | None = None
        """So many words are written before `go` is waited for."""
        self.holding = asyncio.Event()
        self.go = asyncio.Event()

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        if self.broken and prompt.question != SENTINEL:
            raise ChatUnavailable("the pen is broken; mend it")
        kind = task_of(prompt)
        if kind == "addressed":
            yield "YES" if self.addressed else "NO"
            return
        if kind == "understand":
            yield understood(prompt)
            return
        if prompt.question == SENTINEL:
            yield quoting(prompt)
            return
        self.asked.append(prompt)
        words = re.findall(r"\s*\S+\s*", self.answer(prompt))
        for number, word in enumerate(words):
            if number == self.hold_after:
                self.holding.set()
                await self.go.wait()
            yield word

    async def close(self) -> None:
        """Holds nothing open."""

    def hold(self, after: int = 3) -> None:
        self.hold_after = after
        self.holding.clear()
        self.go.clear()

    def release(self) -> None:
        self.hold_after = None
        self.go.set()


def quoting(prompt: Prompt) -> str:
    """The first sentence of the best passage, cited; the request itself where there is none."""
    if not prompt.passages:
        return f"In short: {prompt.question}."
    first = prompt.passages[0]
    return f"{first.chunk.text.partition('. ')[0].rstrip('.')} [{first.number}]."


def task_of(prompt: Prompt) -> str:
    system = prompt.messages[0].content
    if "YES" in system and "NO" in system and prompt.max_tokens < 50:
        return "addressed"
    return "understand" if prompt.schema else "answer"


class DiesAtTheEnd:
    """A platform whose drafts never get to their last edit."""

    def __init__(self, platform: ChatPlatform) -> None:
        self._platform = platform
        self.reached = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._platform, name)

    @asynccontextmanager
    async def draft(self, spot: Spot, **arguments: Any) -> AsyncIterator[Any]:
        async with self._platform.draft(spot, **arguments) as draft:
            yield _Unfinished(draft, self.reached)


@dataclass(frozen=True)
class _Unfinished:
    _draft: Draft
    _reached: asyncio.Event

    def __getattr__(self, name: str) -> Any:
        return getattr(self._draft, name)

    async def finish(self, post: Post) -> tuple[str, ...]:
        self._reached.set()
        await asyncio.Event().wait()
        raise AssertionError("never")


def understood(prompt: Prompt) -> str:
    """A question that stands alone, work on the conversation itself, or on what the message holds."""
    asked = prompt.question.lower()
    route = "conversation" if "summarise" in asked else "general" if "rewrite" in asked else "documents"
    return plan(prompt.question, route=route)


@dataclass(kw_only=True)
class Bot:
    """One running process of the bot, as far as a test can tell."""

    attendance: Attendance
    task: asyncio.Task[None]

    async def stop(self) -> None:
        """Told to end, as by SIGTERM."""
        self.attendance.stop()
        await self.task

    async def kill(self) -> None:
        """Gone from one moment to the next, as by SIGKILL: nothing is handed over, nothing finished."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


class MortalInbox(Inbox):
    """An inbox whose workers die without a word."""

    async def release(self, worker: str) -> None:
        """The dead hand nothing over; whoever ends well has nothing left to."""


@dataclass(kw_only=True)
class Office:
    workplace: Workplace
    knowledge: Stage
    conversations: Conversations
    folder: Path
    pen: Pen = field(default_factory=Pen)
    channels: dict[str, ChannelSettings] = field(default_factory=dict)
    conversation: ConversationSettings = field(default_factory=lambda: ConversationSettings(finish_seconds=10))
    more: Callable[[Question], bool] = lambda question: False
    """Whether the asker alone could be told more."""
    acts: list[Act] = field(default_factory=list)
    """What the dialogue wrote into the audit log."""
    clock: timedelta = timedelta()
    """How far the bot's clock is ahead."""
    _stack: AsyncExitStack
    _tasks: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)
    _bots: list[Bot] = field(default_factory=list)
    _places: dict[str, str] = field(default_factory=dict)

    @property
    def replies(self) -> Replies:
        return Replies(self.conversations.engine, self.now)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.clock

    def pass_time(self, seconds: float) -> None:
        """For the platform and for the bot."""
        self.clock += timedelta(seconds=seconds)
        self.workplace.pass_time(seconds)

    async def bot(self, platform: Any = None) -> Bot:
        """A process of the bot, listening."""
        platforms = [platform or self.workplace.platform()]
        answering = self.knowledge.answering(self.pen, understanding=self.pen, remember=self.conversations.remember)
        among = Surroundings(
            inbox=MortalInbox(self.conversations.engine, self.now),
            replies=self.replies,
            conversations=self.conversations,
            readership=self._readership(platforms),
            answerer=answering.answer,
            classifier=AddressedClassifier(self.pen, prompts()),
            pictures=None,
            say=SAY,
            languages=DECIDER.candidates,
            channels=self.channels,
            conversation=self.conversation,
            tokens={"slack": SecretStr("xoxb-1"), "mattermost": SecretStr("bot-token")},
            commands={"slack": "/ask", "mattermost": "/ask"},
            parsing=ParsingSettings(workers=1),
            folder=self.folder / "attachments",
            now=self.now,
            poll_seconds=0.05,
        )
        attendance = await self._stack.enter_async_context(attended(platforms, among))
        bot = Bot(attendance=attendance, task=self._tasks.create_task(attendance.run()))
        self._bots.append(bot)
        async with self.patience():
            await attendance.connected()
        return bot

    def _readership(self, platforms: Sequence[ChatPlatform]) -> Readership:
        """As `bot serve` makes it, with no groups but those of the platform."""
        ledger = self.knowledge.ledger
        book = GroupBook(AccessSettings(), now=self.now)
        directory = Directory(platforms, book, named=ledger.reader_tokens, max_age=300)
        return Readership(access=directory, allows=ledger.allows, more=self._more, note=self._note)

    async def _more(self, question: Question, answer: Answer) -> bool:
        return self.more(question)

    async def _note(self, act: Act) -> None:
        self.acts.append(act)

    async def ends(self) -> None:
        self.pen.release()
        for bot in self._bots:
            if not bot.task.done():
                await bot.kill()

    # What people see

    async def until(self, look: Callable[[], Awaitable[Found | None]]) -> Found:
        """The first true thing that `look` finds. Fails when nothing happens any more that could make it true."""
        async with asyncio.timeout(PATIENCE):
            while not (found := await look()):
                await self.workplace.changed()
        return found

    async def answers(self, channel: str, thread: str | None, *, by: str = "ada") -> list[Shown]:
        """The bot's messages in a thread, as somebody sees them; what they alone see is not among them."""
        seen = await self.workplace.seen(channel, by=by, thread=thread)
        return [shown for shown in seen if shown.by == "souffleur" and not shown.private]

    async def answered(self, channel: str, thread: str, *, by: str = "ada", count: int = 1) -> Shown:
        """The last of so many finished answers in the thread."""

        async def finished() -> Shown | None:
            answers = await self.answers(channel, thread, by=by)
            whole = len(answers) >= count and not any(shown.streaming for shown in answers)
            return answers[-1] if whole and {"up", "again"} & set(answers[-1].buttons) else None

        return await self.until(finished)

    async def screen(self, channel: str, *, by: str) -> str:
        """All that somebody can read in a channel, its threads included."""
        shown = await self.workplace.seen(channel, by=by)
        threads = [await self.workplace.seen(channel, by=by, thread=one.id) for one in shown if not one.private]
        return "\n".join(one.text for one in (*shown, *(one for thread in threads for one in thread)))

    async def private_answers(self, channel: str, *, by: str) -> list[Shown]:
        """What only they see: in the channel, or in their direct messages with the bot."""
        here = [one for one in await self.workplace.seen(channel, by=by) if one.private]
        direct = await self.workplace.direct(by)
        self._places |= dict.fromkeys((one.id for one in here), channel)
        there = [one for one in await self.workplace.seen(direct, by=by) if one.by == "souffleur"]
        self._places |= dict.fromkeys((one.id for one in there), direct)
        return here + there

    def where(self, answer: Shown, channel: str) -> str:
        """The channel of what `private_answers` found."""
        return self._places.get(answer.id, channel)

    async def showing(self, channel: str, thread: str, text: str) -> Shown | None:
        """The bot's message in the thread that holds `text`."""
        return next((one for one in await self.answers(channel, thread) if text in one.text), None)

    async def whole(self, channel: str, thread: str, text: str) -> Shown | None:
        """The same, once nothing in the thread is being written any more."""
        answers = await self.answers(channel, thread)
        if any(one.streaming or "stop" in one.buttons for one in answers):
            return None
        return next((one for one in answers if text in one.text), None)

    async def status_in(self, channel: str, thread: str, language: str) -> bool:
        """Whether the thread's status is a phrase of that language, or the platform's own sign that has no words."""
        status = await self.workplace.status(channel, thread)
        return status == self.workplace.wordless or status in {
            SAY(language, "chat-searching", count=count) for count in (1, 2)
        } | {
            SAY(language, "status-searching"),
            SAY(language, "status-writing"),
        }

    def said(self, language: str, key: str, **values: str | int) -> str:
        return SAY(language, key, **values)

    def patience(self) -> asyncio.Timeout:
        return asyncio.timeout(PATIENCE)

    async def id_of(self, person: str) -> str:
        return await self.workplace.id_of(person)

    async def settled(self) -> None:
        """Return when all that was reported so far has been dealt with.

        A platform reports in order: once a later question is answered, what came before has been received.
        """
        if all(bot.task.done() for bot in self._bots):
            return
        channel = await self.workplace.direct("cleo")
        message = await self.workplace.say(channel, SENTINEL, by="cleo")
        await self.answered(channel, message, by="cleo")
        async with self.patience():
            while await self.conversations_waiting():
                pass

    async def conversations_waiting(self) -> int:
        """How many events are in the inbox that nobody has dealt with yet."""
        async with self.conversations.engine.connect() as connection:
            return await connection.scalar(sa.select(sa.func.count()).select_from(INBOX).where(WAITING)) or 0

    async def kept(self, words: str) -> bool:
        """Whether anything with those words was ever kept of an event."""
        async with self.conversations.engine.connect() as connection:
            return any(words in row.event for row in await connection.execute(sa.select(INBOX.c.event)) if row.event)

    async def feedback(self) -> list[tuple[str | None, str | None]]:
        """Everybody's opinions: value and remark."""
        async with self.conversations.engine.connect() as connection:
            rows = await connection.execute(sa.select(FEEDBACK.c.value, FEEDBACK.c.remark))
            return sorted((row.value, row.remark) for row in rows)


@asynccontextmanager
async def office(workplace: Workplace, folder: Path, **settings: Any) -> AsyncIterator[Office]:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(workplace.opened())
        knowledge = await stack.enter_async_context(stage(folder, DOCUMENTS))
        conversations = await Conversations.open(StateSettings(url=f"sqlite+aiosqlite:///{folder / 'state.db'}"))
        stack.push_async_callback(conversations.close)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        opened = Office(
            _stack=stack,
            workplace=workplace,
            knowledge=knowledge,
            conversations=conversations,
            folder=folder,
            _tasks=tasks,
            **settings,
        )
        stack.push_async_callback(opened.ends)
        yield opened
