"""An answer written where everybody sees it: once, whatever interrupts it, whoever has to finish it.

    answer → _anew → _watched → _told

An answer is begun in the database before anything is shown, each message of it noted as soon as it exists, and the
whole kept before the last edit: whoever comes after a crash finds what to finish, and asks no model twice; unless its
readers may not read it any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from bot.dialogue.buttons import Buttons
from bot.dialogue.chat import Chat
from bot.dialogue.offering import Offering
from bot.dialogue.question import Ask, Questions
from bot.dialogue.replies import Reply
from bot.dialogue.workers import Claim
from bot.model import Answer, Answerer, AnswerEvent, Basis, Delta, Finished, Outcome, Passage, Question, Status
from bot.platforms.events import Deleted, Edited, Event, Recalled
from bot.platforms.interface import AddressOf, Draft, MessageGone, Post, WritingStopped, sources
from bot.platforms.rendering import literal
from ingest.errors import Transient

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 300.0
"""Longest time for one answer: what a chat model and an index are given, each with its own bound, is less."""


class AnswerCutShort(Transient):
    """The answer ended without saying so, or did not end in time."""


@dataclass(slots=True)
class _Told:
    """What readers have been told so far."""

    pieces: list[str] = field(default_factory=list)
    cited: tuple[Passage, ...] = ()
    basis: Basis = frozenset()
    question: Question | None = None
    answer: Answer | None = None
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return "".join(self.pieces).strip()


class Writing:
    """Writes answers. What platform and database raise is raised; whoever tries again finishes what is there."""

    def __init__(
        self,
        chat: Chat,
        *,
        questions: Questions,
        answerer: Answerer,
        buttons: Buttons,
        offering: Offering,
        address_of: AddressOf,
    ) -> None:
        self._chat = chat
        self._questions = questions
        self._answerer = answerer
        self._buttons = buttons
        self._offering = offering
        self._address_of = address_of

    async def answer(self, claim: Claim, ask: Ask, *, again: bool = False) -> None:
        """Answer `ask` in its thread, or do what is left of that; with `again` in place of what it was answered."""
        earlier = await self._chat.replies.get(ask.key)
        cause = claim.event.key if again else earlier.cause if earlier else ""
        if earlier is not None and earlier.state != "writing" and earlier.cause == cause:
            if claim.attempt > 1:
                await self._without_late(ask.key)
            return
        writer = await self._chat.platform(ask.spot).person(ask.writer)
        reply = await self.begun(ask, self._chat.language_of(writer), cause=cause)
        left = claim.attempt > 1 or (earlier is not None and earlier.state == "writing")
        told = None
        try:
            strays = await self._chat.strays(ask.spot, after=ask.message) if left else ()
            over = (*reply.messages, *strays)
            if reply.post is not None and await self.may_show(reply):
                await self._finished(ask, reply, reply.post, over)
            else:
                told = await self._anew(claim, ask, reply, over, earlier, retry=left)
            if left:
                await self._without_late(ask.key)
            if told is not None and told.question is not None and told.answer is not None:
                await self._offering.made(ask, told.question, told.answer, cause=cause)
        except MessageGone:
            # Of the question, its thread or the answer: there is nobody left to answer, and nowhere.
            await self._chat.replies.settled(ask.key, messages=(), state="withdrawn")

    async def begun(self, ask: Ask, language: str, *, cause: str = "") -> Reply:
        """The reply to `ask`, as it is known: a new one, or what an earlier attempt left."""
        return await self._chat.replies.begin(
            Reply(
                key=ask.key,
                spot=ask.spot,
                asker=ask.asker,
                question=ask.message,
                language=language,
                private=ask.private,
                cause=cause,
            )
        )

    async def may_show(self, reply: Reply) -> bool:
        """Whether everybody who reads it where it is may read all that it rests on."""
        readership = self._chat.readership
        audience = await readership.of(reply.spot, reply.asker, alone=reply.private)
        return await readership.may_read(reply.basis, audience.tokens)

    async def quietly(self, ask: Ask, *, language: str) -> tuple[Answer, tuple[str, ...]]:
        """The answer to `ask`, and notes about its files, without anybody watching."""

        async def nobody_waits() -> None:
            pass

        question, notes = await self._questions.of(ask, language=language, reading=nobody_waits)
        async with self._events(question) as events:
            async for event in events:
                if isinstance(event, Finished):
                    return event.answer, notes
        raise AnswerCutShort("the answerer stopped without `Finished`; look above in the log for what failed")

    def post(self, ask: Ask, answer: Answer, notes: Sequence[str] = ()) -> Post:
        """What `answer` looks like; of one that is withdrawn, or was not worked on, a sentence is all there is."""
        bare = answer.outcome in (Outcome.LIMITED, Outcome.WITHDRAWN)
        owners = self._chat.owners(ask.spot, [passage.chunk.source for passage in answer.citations])
        return Post(
            text=answer.text,
            language=answer.language,
            **({} if bare else self._listed(answer)),
            notes=() if bare else (*answer.notes, *notes),
            buttons=self._buttons.under(
                ask.key,
                ask.spot,
                outcome=answer.outcome,
                language=answer.language,
                owners=bool(owners),
                only=ask.asker if ask.private else "",
            ),
            replaces=answer.outcome is Outcome.WITHDRAWN,
        )

    def _listed(self, answer: Answer) -> dict[str, Any]:
        if answer.citations or not answer.nearest:
            return self._sources(answer.citations, answer.language)
        return self._sources(answer.nearest, answer.language, found=False)

    def _sources(self, passages: Sequence[Passage], language: str, *, found: bool = True) -> dict[str, Any]:
        """What a post shows of the passages that its text cites; of those that come closest, where it `found` none."""
        listed = sources(passages, language=language, say=self._chat.say, address_of=self._address_of)
        label = self._chat.say(language, "sources" if found else "nearest") if listed else ""
        return {"sources": listed, "sources_label": label}

    async def _finished(self, ask: Ask, reply: Reply, post: Post, over: Sequence[str]) -> None:
        """Show what was stored; the model is not asked again."""
        async with self._draft(ask, reply, over, retry=True) as draft:
            messages = await draft.finish(post)
        await self._chat.replies.settled(ask.key, messages=messages, state="shown" if reply.trace else "stopped")

    async def _anew(
        self, claim: Claim, ask: Ask, reply: Reply, over: Sequence[str], earlier: Reply | None, *, retry: bool
    ) -> _Told | None:
        """What its readers were told; None where that ended before the end of the answer."""
        told = _Told()
        async with self._draft(ask, reply, over, retry=retry) as draft:
            stopped_by = ""
            try:
                interrupting = await _watched(claim, self._told(draft, ask, reply.language, told))
            except WritingStopped:
                stopped_by = ask.asker
            else:
                if isinstance(interrupting, Edited | Deleted | Recalled):
                    # What is shown is replaced or removed by that event, which is next.
                    return None
                stopped_by = interrupting.by if interrupting else ""
            barred = earlier is not None and earlier.post is not None and not await self.may_show(earlier)
            if stopped_by or told.answer is None:
                left = None if barred else earlier
                (post, basis), trace = await self._stopped(ask, reply, told, stopped_by, left), None
            else:
                post, trace, basis = self.post(ask, told.answer, told.notes), told.answer.trace_id, shown(told.answer)
                if basis and not await self.may_show(replace(reply, basis=basis)):
                    # Since it was begun somebody came who may not read it, or the asker lost what it rests on.
                    post, basis = self._withdrawn(replace(reply, post=post)), frozenset()
            post = replace(post, replaces=post.replaces or barred)
            await self._chat.replies.written(ask.key, post, trace, basis)
            messages = await draft.finish(post)
        # Not before the draft is left: a status or a session that is left open is ended by the next attempt.
        await self._chat.replies.settled(ask.key, messages=messages, state="stopped" if stopped_by else "shown")
        return None if stopped_by else told

    async def restored(self, reply: Reply) -> None:
        """Have people see it as it was settled; whoever is still writing it has the last word anyway.

        What its readers may not read any more is taken back.
        """
        for step in (partial(self._put_back, reply), partial(self._without_late, reply.key)):
            try:
                await step()
            except MessageGone as error:
                logger.info("%s: nothing is left to be restored: %s", reply.key, error)

    async def _put_back(self, reply: Reply) -> None:
        platform, replies = self._chat.platform(reply.spot), self._chat.replies
        if reply.state == "withdrawn":
            await platform.remove(reply.spot, reply.messages)
            await replies.settled(reply.key, messages=(), state=reply.state)
        elif reply.state != "writing" and reply.post is not None and reply.messages:
            if await self.may_show(reply):
                messages = await platform.change(reply.spot, reply.messages, reply.post)
            else:
                post = self._withdrawn(reply)
                await replies.written(reply.key, post, reply.trace, frozenset())
                messages = await self._chat.put_out(reply.spot, reply.messages, post)
            await replies.settled(reply.key, messages=messages, state=reply.state)

    async def _without_late(self, key: str) -> None:
        """Take away what an attempt that had lost its lease still posted while another one was on."""
        reply = await self._chat.replies.get(key)
        if reply is not None and reply.state != "writing":
            late = await self._chat.strays(reply.spot, after=reply.question)
            await self._chat.platform(reply.spot).remove(reply.spot, late)

    def _draft(self, ask: Ask, reply: Reply, over: Sequence[str], *, retry: bool) -> AbstractAsyncContextManager[Draft]:
        stop = self._buttons.button("stop", ask.key, ask.spot, language=reply.language)
        return self._chat.platform(ask.spot).draft(
            ask.spot,
            asker=ask.asker,
            language=reply.language,
            stop=stop,
            posted=partial(self._chat.replies.posted, ask.key),
            over=over,
            retry=retry,
        )

    async def _told(self, draft: Draft, ask: Ask, language: str, told: _Told) -> None:
        say = self._chat.say
        # At once, and in the language of the profile: the answerer says it again in the question's.
        await draft.status(self._chat.searching(language))
        told.question, told.notes = await self._questions.of(
            ask, language=language, reading=partial(draft.status, say(language, "chat-reading-files"))
        )
        async with self._events(told.question) as events:
            async for event in events:
                match event:
                    case Status():
                        await draft.status(event.text)
                    case Delta():
                        told.pieces.append(event.text)
                        told.cited, told.basis = event.cited, event.basis
                        await draft.write(event.text)
                    case Finished():
                        told.answer = event.answer
        if told.answer is None:
            raise AnswerCutShort("the answerer stopped without `Finished`; look above in the log for what failed")

    @asynccontextmanager
    async def _events(self, question: Question) -> AsyncIterator[AsyncIterator[AnswerEvent]]:
        """The answer as it comes, in bounded time; closed whatever happens to who listens."""
        events = self._answerer(question)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                yield events
        except TimeoutError as error:
            raise AnswerCutShort(f"no answer within {ANSWER_SECONDS:g} s; ask again") from error
        finally:
            if close := getattr(events, "aclose", None):
                await close()

    async def _stopped(
        self, ask: Ask, reply: Reply, told: _Told, by: str, earlier: Reply | None
    ) -> tuple[Post, Basis | None]:
        """What was written, marked, and what it rests on; the earlier answer, when nothing was written in its place."""
        name = await self._chat.name(ask.spot, by)
        said = self._chat.say(reply.language, "chat-stopped-by", name=name)
        again = (self._buttons.button("again", ask.key, ask.spot, language=reply.language),)
        if told.text:
            if not await self.may_show(replace(reply, basis=told.basis)):
                return self._withdrawn(reply), frozenset()
            listed = self._sources(told.cited, reply.language)
            return Post(text=told.text, language=reply.language, **listed, notes=(said,), buttons=again), told.basis
        if earlier is not None and earlier.post is not None:
            return earlier.post, earlier.basis
        said = self._chat.say(reply.language, "chat-stopped-by", name=literal(name))
        return Post(text=said, language=reply.language, buttons=again), frozenset()

    def _withdrawn(self, reply: Reply) -> Post:
        """What takes the place of an answer that not all of its readers may read any more."""
        language = self._chat.language_in(reply)
        again = self._buttons.button("again", reply.key, reply.spot, language=language)
        said = self._chat.say(language, "answer-withdrawn")
        return Post(text=said, language=language, buttons=(again,), replaces=True)


def shown(answer: Answer) -> Basis:
    """What the text rests on that people see: the sentence in place of a withdrawn answer on nothing."""
    return frozenset() if answer.outcome is Outcome.WITHDRAWN else answer.basis


async def _watched(claim: Claim, work: Coroutine[Any, Any, None]) -> Event | None:
    """Do `work` unless an event interrupts it: that event, or None when it was done."""

    async def interrupt() -> Event:
        event = await claim.interruption()
        task.cancel()
        return event

    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work)
            watcher = group.create_task(interrupt())
            task.add_done_callback(lambda _: watcher.cancel())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return watcher.result() if task.cancelled() else None
