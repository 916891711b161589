"""The verb: a question in, the events of one answer out.

    answer → _answered → _worked → _searched → _written → _told
                                 ↘ _from_conversation

Every question ends in one `Finished`: an answer with sources, an honest "not in the documents", or a short localised
sentence with a trace id. What was streamed is never taken back: the answer's text is the concatenation of its deltas.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

from bot.audience import audience
from bot.citations import CheckedText
from bot.conversation_work import asks_for_work
from bot.errors import phrase_for
from bot.followup import Followup, Standalone
from bot.language import LanguageDecider
from bot.llm.interface import ChatRefused, ChatUnavailable, Prompt, Writer
from bot.model import ATTACHED, Answer, AnswerEvent, Finished, Outcome, Question, Status, Turn
from bot.phrases import Say
from bot.prompting import NOT_FOUND, Prompts
from bot.retrieve import Retriever
from bot.walk import Walk
from ingest.errors import SouffleurError
from ingest.telemetry import Metrics, new_trace_id

logger = logging.getLogger(__name__)

RETRIEVAL_SECONDS = 45.0
"""Longest wait for passages; longer than that for an index in use by another process, so that its message is told."""

COUNT_SECONDS = 60.0
"""How long the number of sources stays as it was counted."""

COUNTING_SECONDS = 0.5
"""Longest wait for it: the first status is to be seen within a second."""

PEOPLE_TURNS = 5
"""Latest turns of a conversation among several people that tell its language."""

UNSURE_BELOW = 0.7
"""Confidence under which a guessed language is no better than the language of what was found: "vpn" is any."""

TELLING_CHARACTERS = 60
"""A shorter passage does not tell its language either."""

DRESSING = ' \t\r\n`*".'
"""What models put around the sentinel."""

EXPLAINED = re.compile(rf'[\s`*"]*{NOT_FOUND}[`*"]*[.\n]')
"""The sentinel with more below it. In a sentence of its own ("NOT_FOUND means …") it is a word like any other."""

Remember = Callable[[Question, Answer], Awaitable[None]]
"""Stores a finished answer before anybody is told that it is finished."""


class Answering:
    """Answers questions. `writer` is None without a chat model; `extractive` writes then, and when `writer` fails.

    `sources` tells how many sources hold documents.
    """

    def __init__(
        self,
        *,
        languages: LanguageDecider,
        say: Say,
        retriever: Retriever,
        prompts: Prompts,
        extractive: Writer,
        writer: Writer | None,
        followup: Followup | None,
        sources: Callable[[], Awaitable[int]],
        remember: Remember,
        metrics: Metrics,
        max_question_characters: int,
    ) -> None:
        self._languages = languages
        self._say = say
        self._retriever = retriever
        self._prompts = prompts
        self._extractive = extractive
        self._writer = writer
        self._followup = followup
        self._sources = sources
        self._counted = 0
        self._counted_at = -math.inf
        self._remember = remember
        self._metrics = metrics
        self._longest = max_question_characters

    async def answer(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        """Status and deltas as they come, then one `Finished`, stored before it is told.

        Closing it ends what the writer is writing before `aclose` returns.
        """
        walk = Walk(question=question, trace_id=new_trace_id(), started=time.perf_counter())
        async with aclosing(self._answered(walk)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    await self._remembered(walk, event)
                    self._metrics.observe(
                        event.answer.outcome, event.answer.language, event.answer.timings, walk.model_calls
                    )
                yield event

    async def _answered(self, walk: Walk) -> AsyncGenerator[AnswerEvent, None]:
        text = walk.question.text.strip()
        self._decide_language(walk, text)
        walk.lap("language")
        if not text:
            yield walk.delta(self._say(walk.language, "empty-question"))
            yield walk.finished(Outcome.INVALID)
            return
        if len(text) > self._longest:
            yield walk.delta(self._say(walk.language, "question-too-long", limit=self._longest))
            yield walk.finished(Outcome.INVALID)
            return
        if self._writer is None and asks_for_work(text):
            yield walk.delta(self._say(walk.language, "chat-needs-model"))
            yield walk.finished(Outcome.INVALID)
            return
        try:
            async with aclosing(self._worked(walk, text)) as events:
                async for event in events:
                    yield event
        except (SouffleurError, TimeoutError) as error:
            logger.error("question failed: %s", str(error) or type(error).__name__, extra={"trace_id": walk.trace_id})
            yield walk.delta(self._say(walk.language, phrase_for(error), trace=walk.trace_id))
            yield walk.finished(Outcome.FAILED)

    async def _worked(self, walk: Walk, text: str) -> AsyncGenerator[AnswerEvent, None]:
        yield Status(text=await self._searching(walk.language))
        asked = await self._standalone(walk, text)
        if asked.on_conversation and self._writer is not None:
            work = self._from_conversation(walk, self._writer, text)
        else:
            work = self._searched(walk, asked.query)
        async with aclosing(work) as events:
            async for event in events:
                yield event

    async def _standalone(self, walk: Walk, text: str) -> Standalone:
        question = walk.question
        if self._followup is None or not (question.history or question.attached):
            return Standalone(query=text)
        files = tuple(dict.fromkeys(chunk.title for chunk in question.attached))
        asked = await self._followup.standalone(text, question.history, walk.language, files=files)
        walk.model_calls += 1
        walk.notices += [asked.notice] if asked.notice else []
        walk.lap("followup")
        return asked

    async def _from_conversation(self, walk: Walk, writer: Writer, text: str) -> AsyncGenerator[AnswerEvent, None]:
        """What `writer` makes of the conversation itself: nothing is searched for and nothing cited."""
        yield Status(text=self._say(walk.language, "status-writing"))
        prompt = self._prompts.conversation(text, walk.question.history, walk.question.attached, walk.language)
        checked = CheckedText(())
        walk.model_calls += 1
        walk.written_by = writer.name
        begun = False
        failure: SouffleurError | None = None
        try:
            async with aclosing(writer.write(prompt)) as pieces:
                async for piece in pieces:
                    begun = begun or bool(piece.strip())
                    if told := checked.feed(piece) if begun else "":
                        yield walk.delta(told)
        except (ChatUnavailable, ChatRefused) as error:
            logger.error("chat model failed: %s", error, extra={"trace_id": walk.trace_id})
            failure = error
        if rest := checked.close():
            yield walk.delta(rest)
        if failure is None and not "".join(walk.pieces).strip():
            failure = ChatUnavailable("the chat model wrote nothing")
        if failure is not None:
            key, gap = ("interrupted", "\n\n") if walk.pieces else (phrase_for(failure), "")
            walk.notices.append(f"the conversation was not worked on to the end: {failure}")
            yield walk.delta(gap + self._say(walk.language, key, trace=walk.trace_id))
            yield walk.finished(Outcome.FAILED)
            return
        walk.notes.append(self._say(walk.language, "chat-from-conversation"))
        yield walk.finished(Outcome.ANSWERED)

    async def _searched(self, walk: Walk, query: str) -> AsyncGenerator[AnswerEvent, None]:
        walk.query = query
        async with asyncio.timeout(RETRIEVAL_SECONDS):
            found = await self._retriever.retrieve(
                query,
                visible_to=audience(walk.question),
                language=walk.searched_in,
                attached=walk.question.attached,
            )
        walk.passages = found.passages
        walk.notices += found.notices
        walk.lap("retrieve")
        if walk.unsure:
            walk.language = self._language_found(walk)
        if not walk.passages:
            yield walk.delta(self._not_found(walk))
            yield walk.finished(Outcome.NOT_FOUND)
            return
        async with aclosing(self._written(walk)) as events:
            async for event in events:
                yield event

    async def _written(self, walk: Walk) -> AsyncGenerator[AnswerEvent, None]:
        failure = ""
        if self._writer is not None:
            yield Status(text=self._say(walk.language, "status-writing"))
            walk.model_calls += 1
            walk.written_by = self._writer.name
            try:
                async with aclosing(self._told(walk, self._writer)) as events:
                    async for event in events:
                        yield event
                return
            except (ChatUnavailable, ChatRefused) as error:
                logger.error("chat model failed: %s", error, extra={"trace_id": walk.trace_id})
                walk.notices.append(f"passages quoted instead of an answer written: {error}")
                key, gap = ("interrupted", "\n\n") if walk.pieces else ("model-unavailable", "")
                failure = gap + self._say(walk.language, key, trace=walk.trace_id)
            walk.written_by = self._extractive.name
        async with aclosing(self._told(walk, self._extractive, failure=failure)) as events:
            async for event in events:
                yield event

    async def _told(self, walk: Walk, writer: Writer, *, failure: str = "") -> AsyncGenerator[AnswerEvent, None]:
        """Stream what `writer` writes, checked; the sentinel for "not in the passages" becomes a phrase.

        `failure` is told first, and instead of that phrase: quotations answer less than the model that failed would.
        """
        prompt = self._prompts.answer(walk.query, walk.passages, walk.question.history, walk.language)
        checked = CheckedText(prompt.passages, walk.shown)
        found = False
        if failure:
            yield walk.delta(failure)
        async with aclosing(_unless_not_found(writer, prompt)) as pieces:
            async for piece in pieces:
                if failure and not found:
                    yield walk.delta("\n\n")
                found = True
                if text := checked.feed(piece):
                    yield walk.delta(text)
        if rest := checked.close():
            yield walk.delta(rest)
        if failure and not found:
            yield walk.finished(Outcome.FAILED)
            return
        if not found:
            yield walk.delta(self._not_found(walk))
            yield walk.finished(Outcome.NOT_FOUND)
            return
        if not walk.shown:
            walk.notices.append("the answer cites none of its passages")
            yield walk.delta("\n\n" + self._say(walk.language, "uncited"))
        if any(passage.number in walk.shown and passage.chunk.source == ATTACHED for passage in walk.passages):
            walk.notes.append(self._say(walk.language, "chat-from-files"))
        yield walk.finished(Outcome.ANSWERED)

    def _not_found(self, walk: Walk) -> str:
        """The phrase; without a chat model, a task on the conversation ends here too, and a note tells of it."""
        if self._writer is None and walk.question.history:
            walk.notes.append(self._say(walk.language, "chat-needs-model"))
        return self._say(walk.language, "not-found")

    async def _searching(self, language: str) -> str:
        """What is searched, with the number of sources that was counted last."""
        now = time.monotonic()
        if now - self._counted_at >= COUNT_SECONDS:
            self._counted_at = now
            try:
                async with asyncio.timeout(COUNTING_SECONDS):
                    self._counted = await self._sources()
            except (SouffleurError, TimeoutError) as error:
                logger.warning("sources not counted: %s", str(error) or "the ledger took too long")
        if not self._counted:
            return self._say(language, "status-searching")
        return self._say(language, "chat-searching", count=self._counted)

    def _decide_language(self, walk: Walk, text: str) -> None:
        locale = walk.question.asker.locale
        thread = self._language_of_thread(walk.question.history, locale)
        decision = self._languages.decide(text, thread=thread, locale=locale)
        walk.searched_in = decision.language
        walk.unsure = decision.how == "guess" and decision.confidence < UNSURE_BELOW
        walk.language = self._languages.candidates[0] if walk.unsure else decision.language

    def _language_of_thread(self, history: Sequence[Turn], locale: str | None) -> str | None:
        """That of the person's latest turn. Among several people: the one that all of them write, if there is one.

        Where they write several, the profile knows the asker better than what others wrote; without one, most decide.
        """
        people = [turn for turn in reversed(history) if turn.role == "user"]
        if not any(turn.name for turn in people):
            return self._languages.decide(people[0].text, locale=locale).language if people else None
        decisions = [self._languages.decide(turn.text) for turn in people[:PEOPLE_TURNS]]
        written = Counter(decision.language for decision in decisions if decision.how != "guess")
        if not written or (len(written) > 1 and locale):
            return None
        return written.most_common(1)[0][0]

    def _language_found(self, walk: Walk) -> str:
        """The language of the best passage that is long enough to have one; else the one that is preferred."""
        for passage in walk.passages:
            if len(passage.chunk.text) >= TELLING_CHARACTERS and passage.chunk.language in self._languages.candidates:
                return passage.chunk.language
        return walk.language

    async def _remembered(self, walk: Walk, event: Finished) -> None:
        try:
            await self._remember(walk.question, event.answer)
        except SouffleurError as error:
            # An answer that could not be stored is still an answer.
            logger.error("answer not stored: %s", error, extra={"trace_id": walk.trace_id})


async def _unless_not_found(writer: Writer, prompt: Prompt) -> AsyncGenerator[str, None]:
    """What `writer` writes; nothing at all when it writes the sentinel, whatever it explains below, or nothing."""
    held = ""
    settled = False
    async with aclosing(writer.write(prompt)) as pieces:
        async for piece in pieces:
            if settled:
                yield piece
                continue
            held += piece
            if NOT_FOUND.startswith(held.strip(DRESSING)):
                continue
            if EXPLAINED.match(held):
                return
            settled = True
            yield held.lstrip()
    if not settled and held.strip() and held.strip(DRESSING) != NOT_FOUND:
        yield held.strip()
