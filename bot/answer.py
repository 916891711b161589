"""The verb: a question in, the events of one answer out.

    answer → _answered → _searched → _written → _told

Every question ends in one `Finished`: an answer with sources, an honest "not in the documents", or a short localised
sentence with a trace id. What was streamed is never taken back: the answer's text is the concatenation of its deltas.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from bot.audience import audience
from bot.citations import CheckedText
from bot.errors import phrase_for
from bot.followup import Followup
from bot.language import LanguageDecider
from bot.llm.interface import ChatRefused, ChatUnavailable, Prompt, Writer
from bot.model import Answer, AnswerEvent, Delta, Finished, Outcome, Passage, Question, Status
from bot.phrases import Say
from bot.prompting import NOT_FOUND, Prompts
from bot.retrieve import Retriever
from ingest.errors import SouffleurError
from ingest.telemetry import Metrics, new_trace_id

logger = logging.getLogger(__name__)

RETRIEVAL_SECONDS = 45.0
"""Longest wait for passages; longer than that for an index in use by another process, so that its message is told."""

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


@dataclass(slots=True)
class _Walk:
    """One question on its way: what is known so far."""

    question: Question
    trace_id: str
    started: float
    language: str = "en"
    searched_in: str = "en"
    """Best guess of the question's language, for its stems."""
    unsure: bool = False
    """Whether the question was too short to tell its language by; the best passage's is taken instead."""
    query: str = ""
    passages: tuple[Passage, ...] = ()
    shown: dict[int, int] = field(default_factory=dict)
    """Number of a passage, as the writer was given it, to its number in the answer: the order of citation."""
    pieces: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    model_calls: int = 0
    written_by: str = "extractive"

    def delta(self, text: str) -> Delta:
        if not self.pieces:
            self.lap("first_token")
        self.pieces.append(text)
        return Delta(text=text)

    def lap(self, stage: str) -> None:
        self.timings[stage] = time.perf_counter() - self.started

    def finished(self, outcome: Outcome) -> Finished:
        self.lap("total")
        numbers = dict(self.shown)
        for passage in self.passages:
            numbers.setdefault(passage.number, len(numbers) + 1)
        passages = tuple(replace(passage, number=numbers[passage.number]) for passage in self.passages)
        cited = sorted(passages, key=lambda passage: passage.number)[: len(self.shown)]
        return Finished(
            answer=Answer(
                text="".join(self.pieces),
                language=self.language,
                outcome=outcome,
                citations=tuple(cited),
                passages=passages,
                trace_id=self.trace_id,
                written_by=self.written_by,
                notices=tuple(self.notices),
                model_calls=self.model_calls,
                timings=dict(self.timings),
            )
        )


class Answering:
    """Answers questions. `writer` is None without a chat model; `extractive` writes then, and when `writer` fails."""

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
        self._remember = remember
        self._metrics = metrics
        self._longest = max_question_characters

    async def answer(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        """Status and deltas as they come, then one `Finished`, stored before it is told.

        Closing it ends what the writer is writing before `aclose` returns.
        """
        walk = _Walk(question=question, trace_id=new_trace_id(), started=time.perf_counter())
        async with aclosing(self._answered(walk)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    await self._remembered(walk, event)
                    self._metrics.observe(
                        event.answer.outcome, event.answer.language, event.answer.timings, walk.model_calls
                    )
                yield event

    async def _answered(self, walk: _Walk) -> AsyncGenerator[AnswerEvent, None]:
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
        try:
            async with aclosing(self._searched(walk, text)) as events:
                async for event in events:
                    yield event
        except (SouffleurError, TimeoutError) as error:
            logger.error("question failed: %s", str(error) or type(error).__name__, extra={"trace_id": walk.trace_id})
            yield walk.delta(self._say(walk.language, phrase_for(error), trace=walk.trace_id))
            yield walk.finished(Outcome.FAILED)

    async def _searched(self, walk: _Walk, text: str) -> AsyncGenerator[AnswerEvent, None]:
        yield Status(text=self._say(walk.language, "status-searching"))
        walk.query = text
        if self._followup and walk.question.history:
            walk.query, notice = await self._followup.standalone(text, walk.question.history, walk.language)
            walk.model_calls += 1
            walk.notices += [notice] if notice else []
            walk.lap("followup")
        async with asyncio.timeout(RETRIEVAL_SECONDS):
            found = await self._retriever.retrieve(
                walk.query, visible_to=audience(walk.question), language=walk.searched_in
            )
        walk.passages = found.passages
        walk.notices += found.notices
        walk.lap("retrieve")
        if walk.unsure:
            walk.language = self._language_found(walk)
        if not walk.passages:
            yield walk.delta(self._say(walk.language, "not-found"))
            yield walk.finished(Outcome.NOT_FOUND)
            return
        async with aclosing(self._written(walk)) as events:
            async for event in events:
                yield event

    async def _written(self, walk: _Walk) -> AsyncGenerator[AnswerEvent, None]:
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

    async def _told(self, walk: _Walk, writer: Writer, *, failure: str = "") -> AsyncGenerator[AnswerEvent, None]:
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
            yield walk.delta(self._say(walk.language, "not-found"))
            yield walk.finished(Outcome.NOT_FOUND)
            return
        if not walk.shown:
            walk.notices.append("the answer cites none of its passages")
            yield walk.delta("\n\n" + self._say(walk.language, "uncited"))
        yield walk.finished(Outcome.ANSWERED)

    def _decide_language(self, walk: _Walk, text: str) -> None:
        locale = walk.question.asker.locale
        earlier = next((turn.text for turn in reversed(walk.question.history) if turn.role == "user"), None)
        thread = self._languages.decide(earlier, locale=locale).language if earlier else None
        decision = self._languages.decide(text, thread=thread, locale=locale)
        walk.searched_in = decision.language
        walk.unsure = decision.how == "guess" and decision.confidence < UNSURE_BELOW
        walk.language = self._languages.candidates[0] if walk.unsure else decision.language

    def _language_found(self, walk: _Walk) -> str:
        """The language of the best passage that is long enough to have one; else the one that is preferred."""
        for passage in walk.passages:
            if len(passage.chunk.text) >= TELLING_CHARACTERS and passage.chunk.language in self._languages.candidates:
                return passage.chunk.language
        return walk.language

    async def _remembered(self, walk: _Walk, event: Finished) -> None:
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
