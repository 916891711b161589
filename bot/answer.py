"""The verb: a question in, the events of one answer out.

    answer → _answered → _worked → from_documents
                       ↘ _refused ↘ without_documents

Every question ends in one `Finished`: an answer with sources, an honest "not in the documents", or a short localised
sentence with a trace id. What was streamed is never taken back: the answer's text is the concatenation of its deltas;
but where a document that it rests on is withdrawn meanwhile, and a sentence says so in place of all.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field

from bot.access.interface import Act, Note, Quota
from bot.audience import audience
from bot.clearance import AccessLost, Clearance
from bot.conversation_work import asks_for_work
from bot.errors import phrase_for
from bot.from_documents import RETRIEVAL_SECONDS, FromDocuments
from bot.language import LanguageDecider
from bot.language_wish import without_wish
from bot.llm.calls import Calls, Caps
from bot.model import Answer, AnswerEvent, Delta, Finished, Outcome, Question, Route, Status
from bot.phrases import Say
from bot.retrieval.retrieve import Begun, Retriever
from bot.routing import points_at_hand
from bot.sources_counted import SourcesCounted
from bot.spoken_to import decide_language
from bot.understand import Understanding, Understood
from bot.walk import Walk
from bot.without_documents import WithoutDocuments
from ingest.errors import SouffleurError
from ingest.telemetry import Metrics, new_trace_id

logger = logging.getLogger(__name__)

Remember = Callable[[Question, Answer], Awaitable[None]]
"""Stores a finished answer before anybody is told that it is finished."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one question may take."""

    question_characters: int = 4000
    caps: Caps = field(default_factory=Caps)


class Answering:
    """Answers questions. `understanding` and `without_documents` are None without a chat model."""

    def __init__(
        self,
        *,
        languages: LanguageDecider,
        say: Say,
        retriever: Retriever,
        clearance: Clearance,
        understanding: Understanding | None,
        from_documents: FromDocuments,
        without_documents: WithoutDocuments | None,
        sources: SourcesCounted,
        remember: Remember,
        note: Note,
        quotas: Quota | None,
        metrics: Metrics,
        limits: Limits,
    ) -> None:
        """`note` writes the audit log. `quotas` is None where anything may be asked any number of times."""
        self._languages = languages
        self._say = say
        self._retriever = retriever
        self._clearance = clearance
        self._understanding = understanding
        self._from_documents = from_documents
        self._without_documents = without_documents
        self._sources = sources
        self._remember = remember
        self._note = note
        self._quotas = quotas
        self._metrics = metrics
        self._limits = limits

    async def answer(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        """Status and deltas as they come, then one `Finished`, stored before it is told.

        Closing it ends what the writer is writing before `aclose` returns; it is in the audit log, and charged to its
        asker, all the same.
        """
        walk = Walk(
            question=question,
            trace_id=question.trace_id or new_trace_id(),
            started=time.perf_counter(),
            calls=Calls(self._limits.caps, user=question.asker.id),
        )
        accounted = False
        try:
            async with aclosing(self._answered(walk)) as events:
                async for event in events:
                    if isinstance(event, Finished):
                        await self._accounted(walk, event.answer.outcome)
                        accounted = True
                        with self._regardless(walk, "not stored"):
                            await self._remember(walk.question, event.answer)
                        self._metrics.observe(event.answer)
                    yield event
        finally:
            if not accounted:
                await self._accounted(walk, None)

    async def _answered(self, walk: Walk) -> AsyncGenerator[AnswerEvent, None]:
        text = walk.question.text.strip()
        decide_language(walk, text, self._languages)
        walk.lap("language")
        if refusal := self._refusal(walk.language, text):
            yield walk.delta(refusal)
            yield walk.finished(Outcome.INVALID)
            return
        try:
            if sentence := await self._over_quota(walk):
                yield walk.delta(sentence)
                yield walk.finished(Outcome.LIMITED)
                return
            async with aclosing(self._worked(walk, text)) as events:
                async for event in events:
                    if isinstance(event, Delta | Finished):
                        await self._clearance.still(walk.basis, walk.question)
                        walk.told()
                    yield event
        except AccessLost as error:
            logger.warning("answer withdrawn: %s", error, extra={"trace_id": walk.trace_id})
            yield walk.withdrawn(self._say(walk.language, "answer-withdrawn"))
        except (SouffleurError, TimeoutError) as error:
            logger.error("question failed: %s", str(error) or type(error).__name__, extra={"trace_id": walk.trace_id})
            walk.without_untold()
            yield walk.delta(self._say(walk.language, phrase_for(error), trace=walk.trace_id))
            yield walk.finished(Outcome.FAILED)

    def _refusal(self, language: str, text: str) -> str:
        """Why `text` is not asked at all; empty when it is."""
        if not text:
            return self._say(language, "empty-question")
        if len(text) > self._limits.question_characters:
            return self._say(language, "question-too-long", limit=self._limits.question_characters)
        if self._understanding is None and asks_for_work(text):
            return self._say(language, "chat-needs-model")
        return ""

    async def _over_quota(self, walk: Walk) -> str:
        """Why the question has to wait, in the asker's language; empty where it need not. Nothing holds up an operator
        at the machine.
        """
        place = walk.question.place
        if self._quotas is None or place.platform == "console":
            return ""
        over = await self._quotas.admit(walk.question.asker.id, place.workspace)
        return "" if over is None else self._say(walk.language, over.phrase, minutes=over.minutes)

    async def _worked(self, walk: Walk, text: str) -> AsyncGenerator[AnswerEvent, None]:
        yield Status(text=await self._sources.searching(walk.language, audience(walk.question)))
        sought, turns = without_wish(text), len(walk.question.history)
        walk.question = await self._clearance.heard(walk.question)
        understood, begun = await self._understood(walk, text, sought)
        walk.route = understood.route
        if turns > len(walk.question.history) and (walk.route is Route.CONVERSATION or points_at_hand(text)):
            walk.notes.append(self._say(walk.language, "note-history-left-out"))
        if self._without_documents is None or understood.route is Route.DOCUMENTS:
            work = self._from_documents.answer(walk, sought, understood, begun)
        else:
            work = self._without_documents.answer(walk, text, understood)
        async with aclosing(work) as events:
            async for event in events:
                yield event

    async def _understood(self, walk: Walk, text: str, sought: str) -> tuple[Understood, Begun | None]:
        """What is asked for; what is `sought` in the question as typed is searched while a model thinks about that."""
        if self._understanding is None:
            return Understood(query=sought), None
        started, models = time.perf_counter(), walk.calls.seconds
        files = tuple(dict.fromkeys(chunk.title for chunk in walk.question.attached))
        async with asyncio.TaskGroup() as group:
            search = group.create_task(self._begun(walk, sought))
            understood = await self._understanding.understand(
                text, walk.question.history, language=walk.language, files=files, calls=walk.calls
            )
            if understood.route is not Route.DOCUMENTS:
                search.cancel()
        # Both are waited for at once: what the model took is counted once, and the rest of the wait as the search's.
        walk.searching += max(0.0, time.perf_counter() - started - (walk.calls.seconds - models))
        walk.notices += [understood.notice] if understood.notice else []
        walk.lap("understood")
        return understood, None if search.cancelled() else search.result()

    async def _begun(self, walk: Walk, text: str) -> Begun | None:
        try:
            async with asyncio.timeout(RETRIEVAL_SECONDS):
                return await self._retriever.begin(text, walk.searched_in, visible_to=audience(walk.question))
        except (SouffleurError, TimeoutError):
            return None  # not every message needs the documents; one that does asks again, and hears of it

    async def _accounted(self, walk: Walk, outcome: Outcome | None) -> None:
        """Note who asked and on what documents it bore, and charge what it cost; `outcome` is None where whoever asked
        left before the end, who may have been told most of it.
        """
        asker, place, spent = walk.question.asker, walk.question.place, walk.calls.spent
        act = Act(
            deed="limited" if outcome is Outcome.LIMITED else "asked",
            by=asker.id,
            platform=place.platform,
            place=place.thread or "",
            tokens=audience(walk.question),
            passed=walk.basis | walk.lost,
            withheld=walk.withheld,
            answer=walk.trace_id,
        )
        with self._regardless(walk, "not in the audit log"):
            await self._note(act)
        if self._quotas is not None and spent.tokens:
            with self._regardless(walk, "not charged to its asker"):
                await self._quotas.charge(asker.id, spent.tokens)

    @contextmanager
    def _regardless(self, walk: Walk, what: str) -> Iterator[None]:
        """An answer of which something could not be kept is still an answer."""
        try:
            yield
        except SouffleurError as error:
            logger.error("answer %s: %s", what, error, extra={"trace_id": walk.trace_id})
