"""What a bot has kept of two people: Ada (`slack:U042`), and Bob (`slack:U7`), who talks in one of her threads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.access.audit import Audit
from bot.access.interface import Act
from bot.conversations import Conversations
from bot.dialogue.inbox import Inbox
from bot.dialogue.replies import Replies, Reply
from bot.dialogue.tables import ATTACHMENTS
from bot.model import Answer, Asker, Basis, Outcome, Place, Question
from bot.platforms.events import Said, Spot
from bot.platforms.interface import Post
from bot.trace import Trace, TracedCall
from ingest.database import transaction, writer
from ingest.model import DocumentId, DocumentKey, Readers
from tests.fixtures.passages import passage

on_both = pytest.mark.parametrize("address", ["sqlite", "postgres"], indirect=True)
"""For what the two databases might do differently."""

LEAVE: DocumentKey = ("handbook", DocumentId("leave.md"))
TRAVEL: DocumentKey = ("handbook", DocumentId("travel.md"))
MEMBER = frozenset({"everyone", "public"})


def spot(thread: str, *, channel: str = "C1", direct: bool = False) -> Spot:
    return Spot(platform="slack", workspace="T1", channel=channel, thread=thread, direct=direct)


@dataclass(kw_only=True)
class Bot:
    """What it keeps, at a time that a test sets."""

    engine: AsyncEngine
    now: datetime

    def __post_init__(self) -> None:
        self.conversations = Conversations(self.engine, lambda: self.now)
        self.replies = Replies(self.engine, lambda: self.now)
        self.inbox = Inbox(self.engine, lambda: self.now)
        self.audit = Audit(self.engine, lambda: self.now, keep_days=365)

    def ago(self, **length: float) -> datetime:
        return self.now - timedelta(**length)

    async def heard(self, at: Spot, message: str, by: str = "U042") -> Said:
        """An event that waits in the inbox."""
        said = Said(
            spot=at, message=message, by=by, at=self.now, text="How many?", mentions_bot=True, mentions_others=False
        )
        await self.inbox.put(said)
        return said

    async def answered(
        self,
        trace: str,
        at: Spot,
        *,
        by: str = "U042",
        text: str = "Thirty days [1].",
        question: str = "How many days?",
        cited: bool = True,
        basis: Basis = frozenset({LEAVE}),
        readers: Readers = MEMBER,
        messages: tuple[str, ...] | None = None,
        state: Any = "shown",
        private: bool = False,
    ) -> Reply:
        """A finished answer, with everything that is kept of one; its event is done with."""
        given = tuple(passage(n, "Thirty days.", document=id) for n, (_, id) in enumerate(sorted(basis), start=1))
        asked = Question(
            text=question,
            asker=Asker(id=f"slack:{by}", readers=readers),
            place=Place(platform="slack", thread=at.lane),
        )
        call = TracedCall(
            task="answer", model="m", messages=(("user", f"Ada: {question}"),), reply=text, seconds=1,
            prompt_tokens=1, reply_tokens=1, estimated=False,
        )  # fmt: skip
        answer = Answer(
            text=text, language="en", outcome=Outcome.ANSWERED, citations=given[:1] if cited else (), passages=given,
            trace_id=trace, written_by="m", basis=basis, audience=readers, trace=Trace(calls=[call]),
        )  # fmt: skip
        await self.conversations.remember(asked, answer)
        message = f"q{trace}"
        said = await self.heard(at, message, by)
        if state != "writing":
            await self.inbox.claim("w", free=9)
            await self.inbox.done("w", said.key)
        reply = Reply(key=said.key, spot=at, asker=by, question=message, language="en", private=private)
        await self.replies.begin(reply)
        await self.replies.written(reply.key, Post(text=text, language="en"), trace, basis)
        if state != "writing":
            held = (f"m{trace}",) if messages is None else messages
            await self.replies.settled(reply.key, messages=held, state=state)
        act = Act(deed="asked", by=f"slack:{by}", platform="slack", place=at.lane, tokens=readers, answer=trace)
        await self.audit.note(replace(act, passed=basis))
        return await self.replies.get(reply.key) or reply

    async def file_read(self, at: Spot, file: str, text: str = "An offer.") -> None:
        row = {"platform": "slack", "workspace": "T1", "file": file, "lane": at.lane, "name": file, "text": [text]}
        async with transaction(writer(self.engine)) as connection:
            await connection.execute(sa.insert(ATTACHMENTS), [row | {"read_at": self.now}])

    async def rows(self, table: str) -> list[Any]:
        async with transaction(self.engine) as connection:
            return list((await connection.execute(sa.text(f"SELECT * FROM {table}"))).all())

    async def count(self, *tables: str) -> dict[str, int]:
        return {table: len(await self.rows(table)) for table in tables}
