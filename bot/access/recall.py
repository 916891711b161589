"""A document that nobody is to read any more, and the answers that were given from it: found, and taken back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa

from bot.access.audit import CONSOLE, holds
from bot.access.erasure import emptied_log
from bot.access.interface import Act, Note
from bot.conversations import ANSWERS, RESTS, TRACES, Conversations
from bot.dialogue.inbox import Inbox
from bot.dialogue.replies import Replies, Reply
from bot.dialogue.tables import INBOX, REPLIES
from bot.model import Outcome
from bot.phrases import Say
from bot.platforms.events import Recalled
from ingest.database import DOCUMENTS, transaction, writer
from ingest.errors import Terminal
from ingest.ledger import Ledger
from ingest.model import DocumentId, DocumentKey

SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]*")
"""See `ingest.settings.SourceName`."""


class DocumentUnknown(Terminal):
    """Nothing is known of such a document, or it is not clear which one is meant; the text says how to name it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resting:
    """An answer that rests on a document, as it was shown."""

    trace: str
    """Empty of one that was stopped before it was finished."""
    answered_at: datetime | None
    platform: str
    thread: str
    asker: str
    language: str
    cited: bool
    """Whether it cites the document; else the writer was only given it, or an earlier answer that rests on it. One that
    was stopped counts as citing it."""
    replies: tuple[Reply, ...]
    """In chats, with whatever was shared from it."""


class Recall:
    """Takes documents and answers back, `bot serve` running or not. Calls may raise what `ingest.database` raises."""

    def __init__(
        self,
        conversations: Conversations,
        ledger: Ledger,
        *,
        note: Note,
        say: Say,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._conversations = conversations
        self._engine = conversations.engine
        self._ledger = ledger
        self._inbox = Inbox(self._engine, now)
        self._replies = Replies(self._engine, now)
        self._note = note
        self._say = say
        self._now = now

    async def named(self, reference: str, *, known: bool = True) -> DocumentKey:
        """The document that is meant by `SOURCE/ID`, or by its address.

        Raises `DocumentUnknown`; without `known` any `SOURCE/ID` will do, as of a document of which nothing is left.
        """
        source, _, id = reference.partition("/")
        if id and SOURCE.fullmatch(source) and (not known or await self._is_known((source, DocumentId(id)))):
            return source, DocumentId(id)
        query = sa.select(DOCUMENTS.c.source, DOCUMENTS.c.id).where(DOCUMENTS.c.url == reference).limit(10)
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(query.order_by(DOCUMENTS.c.source, DOCUMENTS.c.id))).all()
        if len(rows) == 1:
            return rows[0].source, rows[0].id
        if rows:
            several = ", ".join(f"{row.source}/{row.id}" for row in rows)
            raise DocumentUnknown(f"several documents have the address {reference}: {several}; name one of them")
        raise DocumentUnknown(
            f"no document {reference!r} is known, and no answer that rests on it; write SOURCE/ID as `bot explain` and"
            " `ingest search` do, or the address that its citations open"
        )

    async def revoke(self, document: DocumentKey) -> bool:
        """Let nobody read it from now on. False where the ledger does not have it."""
        source, id = document
        done = await self._ledger.revoke(source, id, by=CONSOLE)
        if done:
            await self._note(Act(deed="revoked", by=CONSOLE, passed=frozenset({document})))
        return done

    async def restore(self, document: DocumentKey) -> bool:
        """Give it back to whom its source names. False where it was not revoked."""
        source, id = document
        done = await self._ledger.restore(source, id)
        if done:
            await self._note(Act(deed="restored", by=CONSOLE, passed=frozenset({document})))
        return done

    async def resting(self, document: DocumentKey) -> list[Resting]:
        """The answers that rest on it and have not been withdrawn, the latest first, then those that were stopped."""
        source, id = document
        replies = await self._of(document)
        found = [
            Resting(
                trace=kept.trace,
                answered_at=kept.answered_at,
                platform=kept.platform,
                thread=kept.thread or "",
                asker=kept.asker,
                language=kept.language,
                cited=document in kept.cited,
                replies=tuple(reply for reply in replies if reply.trace == kept.trace),
            )
            for kept in await self._conversations.citing(source, id)
        ]
        told = {reply.key for answer in found for reply in answer.replies}
        return found + [_stopped(reply) for reply in replies if reply.key not in told]

    async def withdraw(self, document: DocumentKey, answers: Iterable[Resting]) -> int:
        """Take `answers` back: how many messages that is. Done again, it does what an earlier attempt left.

        In chats whichever replica serves puts a sentence in place of each; here their text is deleted at once.
        """
        count = 0
        for answer in answers:
            for reply in answer.replies:
                await self._recall(reply)
                count += len(reply.messages)
            if answer.trace:
                await self._blank(answer)
            place = answer.replies[0].spot.lane if answer.replies else answer.thread
            act = Act(deed="recalled", by=CONSOLE, platform=answer.platform, place=place, answer=answer.trace)
            await self._note(replace(act, passed=frozenset({document})))
        await emptied_log(self._engine)
        return count

    async def _is_known(self, document: DocumentKey) -> bool:
        source, id = document
        if await self._ledger.document(source, id) is not None:
            return True
        if any((gone.source, gone.document) == document for gone in await self._ledger.revoked()):
            return True
        query = sa.select(RESTS.c.trace).where(RESTS.c.source == source, RESTS.c.document == id).limit(1)
        async with transaction(self._engine) as connection:
            return await connection.scalar(query) is not None

    async def _of(self, document: DocumentKey) -> list[Reply]:
        """The replies that show an answer that rests on it, or the beginning of one."""
        source, id = document
        traces = sa.select(RESTS.c.trace).where(RESTS.c.source == source, RESTS.c.document == id)
        basis = holds(self._engine, sa.cast(REPLIES.c.basis, sa.Text), json.dumps([source, id]))
        query = sa.select(REPLIES.c.key).where(
            sa.or_(REPLIES.c.trace.in_(traces), basis), REPLIES.c.state.not_in(("offered", "withdrawn"))
        )
        async with transaction(self._engine) as connection:
            keys = (await connection.scalars(query.order_by(REPLIES.c.changed.desc(), REPLIES.c.key))).all()
        found = [await self._replies.get(key) for key in keys]
        return [reply for reply in found if reply is not None]

    async def _recall(self, reply: Reply) -> None:
        event = Recalled(spot=reply.spot, reply=reply.key, message=reply.question, at=self._now(), by="")
        async with transaction(writer(self._engine)) as connection:
            # One that was recalled before, and has been written anew since.
            await connection.execute(sa.delete(INBOX).where(INBOX.c.key == event.key, INBOX.c.ended.is_not(None)))
        await self._inbox.put(event)
        if reply.state != "writing":  # whoever works on one that is must find what is shown of it
            language = reply.post.language if reply.post is not None else reply.language
            await self._replies.withdrawn(reply.key, language=language)

    async def _blank(self, answer: Resting) -> None:
        """Delete what was answered; that something was asked and answered stays."""
        said = self._say(answer.language, "answer-withdrawn")
        values = {"answer": said, "outcome": Outcome.WITHDRAWN.value, "basis": frozenset()}
        values |= {"passages": [], "nearest": [], "notices": []}
        async with transaction(writer(self._engine)) as connection:
            if self._engine.dialect.name == "sqlite":
                await connection.execute(sa.text("PRAGMA secure_delete = ON"))
            await connection.execute(sa.update(ANSWERS).where(ANSWERS.c.trace == answer.trace).values(values))
            for table in (TRACES, RESTS):
                await connection.execute(sa.delete(table).where(table.c.trace == answer.trace))


def _stopped(reply: Reply) -> Resting:
    return Resting(
        trace="",
        answered_at=None,
        platform=reply.spot.platform,
        thread=reply.spot.lane,
        asker=reply.spot.asker(reply.asker),
        language=reply.language,
        cited=True,
        replies=(reply,),
    )
