"""One process of the bot on the company's platform, worked by hand, and the eyes of everybody who reads there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from bot.access.interface import Access, Act
from bot.attending import Parts, Surroundings
from bot.conversations import Conversations
from bot.dialogue.attachments import Attachments
from bot.dialogue.inbox import Inbox
from bot.dialogue.readership import Readership
from bot.dialogue.reception import Reception
from bot.dialogue.replies import Replies
from bot.dialogue.settings import ConversationSettings
from bot.dialogue.workers import Claim
from bot.llm.interface import Prompt
from bot.offer import Offers
from bot.platforms.events import Event
from bot.platforms.interface import Button, Receipt
from ingest.ledger import StateSettings
from ingest.model import Original, Parsed
from ingest.parsers.interface import ParsingSettings
from tests.canaries.company import Company
from tests.canaries.doors import directory
from tests.canaries.house import House, house, retriever, url_of
from tests.canaries.library import library
from tests.canaries.lookout import check, check_metrics
from tests.canaries.platform import Workplace
from tests.canaries.writer import Copying
from tests.fixtures.assistant import LANGUAGES, SAY
from tests.fixtures.chat import PATIENCE, Clock

TOKEN = SecretStr("xoxb-token-of-a-test")


class Reading:
    """A parser for plain text, in this process."""

    async def parse(self, original: Original, parser: str) -> Parsed:
        return Parsed(text=await asyncio.to_thread(original.path.read_text, encoding="utf-8"))


@dataclass(kw_only=True)
class Bot:
    """Everything that decides about events, as `bot serve` puts it together."""

    house: House
    platform: Workplace
    access: Access
    conversations: Conversations
    folder: Path
    writer: Copying | None
    acts: list[Act] = field(default_factory=list)
    """The audit log."""
    _disclosed: dict[str, set[str]] = field(default_factory=dict, init=False)
    _looked: int = field(default=0, init=False)
    _prompts: int = field(default=0, init=False)
    _statuses: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        engine, clock = self.conversations.engine, self.platform.clock
        ledger = self.house.ledger
        self.answering = self.house.answering(
            self.writer, understanding=self.writer, remember=self.conversations.remember
        )
        self.inbox = Inbox(engine, clock.now)
        among = Surroundings(
            inbox=self.inbox,
            replies=Replies(engine, clock.now),
            conversations=self.conversations,
            readership=Readership(
                access=self.access,
                allows=ledger.allows,
                more=Offers(retriever(self.house), None, ledger.allows).more,
                note=self.note,
            ),
            answerer=self.answering.answer,
            classifier=None,
            pictures=None,
            say=SAY,
            languages=LANGUAGES,
            conversation=ConversationSettings(),
            tokens={"slack": TOKEN, "mattermost": TOKEN},
            commands={"slack": "/ask", "mattermost": "/ask"},
            parsing=ParsingSettings(),
            folder=self.folder / "files",
            sources=3,
            now=clock.now,
        )
        attachments = Attachments(
            engine,
            sandbox=Reading(),
            folder=among.folder,
            languages=LANGUAGES,
            ocr=False,
            pictures=None,
            say=SAY,
            now=clock.now,
        )
        self.parts = Parts.of([self.platform], among, attachments)
        self.reception = Reception(
            self.parts.chat,
            inbox=self.inbox,
            buttons=self.parts.buttons,
            addressed=self.parts.addressed,
            aftermath=self.parts.aftermath,
            commands=among.commands,
            wake=lambda: None,
        )

    async def note(self, act: Act) -> None:
        """What somebody discloses who may read it is for everybody there, this once; nobody else discloses anything."""
        self.acts.append(act)
        if act.deed not in ("disclosed", "shared"):
            return
        company, there = self.platform.company, self.platform.company.readers_in(act.place.split("/")[2])
        passed = [paper for paper in library() if paper.key in act.passed]
        if act.deed == "disclosed":
            assert all(company.may_read(act.by.removeprefix("slack:"), paper.key) for paper in passed)
            for who in there:
                self._disclosed.setdefault(who, set()).update(word for paper in passed for word in paper.words)
        if act.deed == "shared":
            assert all(company.may_read(who, paper.key) for paper in passed for who in there)

    async def happens(self, event: Event, readers: Iterable[str]) -> Receipt:
        """Received and dealt with; `readers` are those for whom something is written because of it."""
        receipt = await self.reception.receive(event)
        await self.dealt_with(readers)
        return receipt

    async def dealt_with(self, readers: Iterable[str]) -> None:
        """Do whatever is in the inbox."""
        while claimed := await self.inbox.claim("worker", free=100):
            for one in claimed:
                await self.parts.exchange.handle(Claim(one.event, one.attempt))
                await self.inbox.done("worker", one.event.key)
        self.look(readers)

    @asynccontextmanager
    async def writing(self, event: Event, readers: Sequence[str], *, after: int) -> AsyncIterator[None]:
        """While the answer to `event` is held after so many pieces; it is over when the context ends."""
        assert self.writer is not None
        self.writer.hold(after)
        await self.reception.receive(event)
        (claimed,) = await self.inbox.claim("worker", free=1)
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            handled = group.create_task(self.parts.exchange.handle(Claim(claimed.event, claimed.attempt)))
            holding = group.create_task(self.writer.holding.wait())
            await asyncio.wait({handled, holding}, return_when=asyncio.FIRST_COMPLETED)
            holding.cancel()
            self.look(readers)
            yield
            self.writer.hold_after = None
            self.writer.go.set()
        await self.inbox.done("worker", claimed.event.key)
        self.look(readers)

    @property
    def prompts(self) -> list[Prompt]:
        """All that a model was given."""
        return self.writer.prompts if self.writer is not None else []

    def look(self, readers: Iterable[str]) -> None:
        """Hold everything since the last look against whoever saw it, as the company is now."""
        company, platform = self.platform.company, self.platform
        readers = tuple(readers)
        with ExitStack() as told:
            for who, words in self._disclosed.items():
                told.enter_context(company.knowing(words, who))
            for shown in platform.shown[self._looked :]:
                check(company, shown.where, shown.text, shown.readers)
        self._disclosed.clear()
        self._looked = len(platform.shown)
        for status in platform.statuses[self._statuses :]:
            check(company, "status", status, readers)
        self._statuses = len(platform.statuses)
        for prompt in self.prompts[self._prompts :]:
            check(company, "prompt", [message.content for message in prompt.messages], readers)
        self._prompts = len(self.prompts)
        check_metrics(self.house.metrics.registry)

    def caught_up(self) -> None:
        """Leave what was shown until now to the look of another."""
        self._looked, self._statuses = len(self.platform.shown), len(self.platform.statuses)
        self._prompts = len(self.prompts)

    def buttons(self, action: str, to: str = "") -> list[tuple[Button, str, str]]:
        """Those that are to be seen, the latest first: with channel and message, both empty for a whisper to `to`."""
        if to:
            whispers = [whisper for whisper in self.platform.whispers if whisper.to == to]
            found = [(button, "", "") for whisper in whispers for button in whisper.post.buttons]
        else:
            posts = [kept for kept in self.platform.messages if kept.post is not None and not kept.gone]
            found = [(button, kept.channel, kept.id) for kept in posts for button in kept.post.buttons]  # type: ignore[union-attr]
        return [one for one in reversed(found) if one[0].action == action]


@asynccontextmanager
async def opened(folder: Path, company: Company, *, model: bool) -> AsyncIterator[Bot]:
    """A bot over the house in `folder`, that writes with a model that copies everything, or quotes."""
    platform = Workplace(company, Clock())
    async with house(folder, company) as on, conversations(folder) as kept:
        yield Bot(
            house=on,
            platform=platform,
            access=directory(platform, folder, on.ledger, platform.clock),
            conversations=kept,
            folder=folder,
            writer=Copying() if model else None,
        )


@asynccontextmanager
async def conversations(folder: Path) -> AsyncIterator[Conversations]:
    opened = await Conversations.open(StateSettings(url=url_of(folder)))
    try:
        yield opened
    finally:
        await opened.close()
