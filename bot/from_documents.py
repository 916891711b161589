"""An answer from the documents: searched, judged by evidence, written and checked; or refused, with what is nearest."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from bot.audience import audience
from bot.clearance import Clearance
from bot.language import LanguageDecider
from bot.llm.interface import BudgetSpent, ChatRefused, ChatUnavailable, Prompt, Writer
from bot.llm.writers import Writers
from bot.model import ATTACHED, AnswerEvent, Outcome, Question, Refusal, Status
from bot.phrases import Say
from bot.prompting import NOT_FOUND, Prompts
from bot.retrieval.evidence import is_thin
from bot.retrieval.interface import Evidence, Gate, Retrieved, Wanted
from bot.retrieval.retrieve import Begun, Retriever
from bot.routing import points_at_hand
from bot.spoken_to import language_found
from bot.understand import Understood
from bot.walk import Walk
from bot.writing.citations import Citations
from bot.writing.interface import Ended
from bot.writing.notes import dated_notes
from ingest.masking import masked

if TYPE_CHECKING:
    from bot.writing.draft import Drafts

logger = logging.getLogger(__name__)

RETRIEVAL_SECONDS = 45.0
"""Longest wait for passages; longer than that for an index in use by another process, so that its message is told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """What writes with chat models."""

    writers: Writers
    drafts: Drafts


class FromDocuments:
    """Answers from what an audience may read.

    `gate` is None where nothing is calibrated: then whatever was found is written from. `writing` is None without a
    chat model; `extractive` quotes then, and when a model fails. Sources that were last changed more than `stale_days`
    ago are said to be old; None: never.
    """

    def __init__(
        self,
        *,
        retriever: Retriever,
        clearance: Clearance,
        gate: Gate | None,
        prompts: Prompts,
        writing: Writing | None,
        extractive: Writer,
        languages: LanguageDecider,
        say: Say,
        today: Callable[[], date],
        stale_days: int | None,
    ) -> None:
        self._retriever = retriever
        self._clearance = clearance
        self._gate = gate
        self._prompts = prompts
        self._writing = writing
        self._extractive = extractive
        self._languages = languages
        self._say = say
        self._today = today
        self._stale_days = stale_days

    async def answer(
        self, walk: Walk, text: str, understood: Understood, begun: Begun | None
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Ends in `Finished`. `begun` is the search of `text` as typed, where one was begun."""
        wanted = Wanted(
            query=understood.query,
            language=walk.searched_in,
            asked=text if text != understood.query else "",
            translations=understood.translations,
            variants=understood.variants,
            broad=understood.broad,
        )
        found = await self._found(walk, wanted, begun)
        walk.passages = await self._clearance.read(found.passages, walk.question)
        if walk.unsure:
            walk.language = language_found(walk.passages, self._languages.candidates) or walk.language
        if not walk.passages or not self._enough(walk, found.evidence):
            for event in self._refused(walk, "evidence"):
                yield event
            return
        async with aclosing(self._written(walk, understood)) as events:
            async for event in events:
                yield event

    async def _found(self, walk: Walk, wanted: Wanted, begun: Begun | None) -> Retrieved:
        started = time.perf_counter()
        async with asyncio.timeout(RETRIEVAL_SECONDS):
            found = await self._retriever.retrieve(
                wanted,
                visible_to=audience(walk.question),
                attached=walk.question.attached,
                begun=begun,
                weak=self._weak,
            )
        walk.searching += time.perf_counter() - started
        walk.withheld = found.withheld
        walk.notices += found.notices
        trace = walk.trace
        trace.query, trace.translations, trace.variants = (
            wanted.query,
            dict(wanted.translations),
            tuple(wanted.variants),
        )
        trace.rankings, trace.withheld, trace.widened = list(found.rankings), len(found.withheld), found.widened
        trace.evidence = found.evidence.features
        walk.lap("retrieve")
        return found

    def _weak(self, evidence: Evidence) -> bool:
        return is_thin(evidence) if self._gate is None else not self._gate.judge(evidence).enough

    def _enough(self, walk: Walk, evidence: Evidence) -> bool:
        """Whether there is anything to answer from; the files of the conversation are not the gate's to judge."""
        if self._gate is None:
            return True
        judgement = self._gate.judge(evidence)
        walk.trace.probability, walk.trace.threshold = judgement.probability, judgement.threshold
        return judgement.enough or any(passage.chunk.source == ATTACHED for passage in walk.passages)

    def _refused(self, walk: Walk, reason: Refusal) -> list[AnswerEvent]:
        """Not in the documents: the phrase, and the nearest documents beside it."""
        if self._writing is None and walk.question.history:
            key = "chat-needs-model" if points_at_hand(walk.question.text) else "note-alone"
            walk.notes.append(self._say(walk.language, key))
        walk.refusal = reason
        walk.offer_nearest()
        return [walk.delta(self._say(walk.language, "not-found")), walk.finished(Outcome.NOT_FOUND)]

    async def _written(self, walk: Walk, understood: Understood) -> AsyncGenerator[AnswerEvent, None]:
        question = walk.question
        prompt = self._prompts.answer(
            understood.query, walk.passages, question.history, walk.language, asked=own_words(question)
        )
        told = ""
        if self._writing is not None:
            yield Status(text=self._say(walk.language, "status-writing"))
            writer = self._writing.writers.of(understood.skill)
            walk.written_by = writer.name
            try:
                async with aclosing(self._drafted(walk, self._writing, writer, prompt)) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, str):
                            yield walk.delta(piece)
                            continue
                        if piece.how in ("not_found", "unsupported"):
                            for event in self._refused(walk, "model" if piece.how == "not_found" else "unsupported"):
                                yield event
                            return
                        if piece.how == "written":
                            yield self._finished(walk, piece)
                            return
                walk.notices.append(f"passages quoted: {writer.name!r} did not write in {walk.language!r}")
                told = self._say(walk.language, "wrong-language")
            except (ChatUnavailable, ChatRefused) as error:
                logger.error("chat model failed: %s", error, extra={"trace_id": walk.trace_id})
                walk.notices.append(f"passages quoted instead of an answer written: {error}")
                key = "budget-spent" if isinstance(error, BudgetSpent) else "model-unavailable"
                told = self._say(walk.language, "interrupted" if walk.pieces else key, trace=walk.trace_id)
            walk.written_by = self._extractive.name
        async with aclosing(self._quoted(walk, prompt, told)) as events:
            async for event in events:
                yield event

    def _drafted(
        self, walk: Walk, writing: Writing, writer: Writer, prompt: Prompt
    ) -> AsyncGenerator[str | Ended, None]:
        return writing.drafts.write(
            writer,
            prompt,
            calls=walk.calls,
            shown=walk.shown,
            checks=walk.trace.checks,
            notices=walk.notices,
        )

    def _finished(self, walk: Walk, ended: Ended) -> AnswerEvent:
        if ended.removed:
            walk.removed = ended.removed
            walk.notes.append(self._say(walk.language, "note-removed"))
        walk.notes += [self._say(walk.language, "answer-missing", what=what) for what in ended.missing]
        return self._noted(walk)

    def _noted(self, walk: Walk) -> AnswerEvent:
        """The answer, with what its readers should know of its sources."""
        cited = tuple(passage for passage in walk.passages if passage.number in walk.shown)
        walk.notes += dated_notes(
            cited,
            walk.passages,
            language=walk.language,
            say=self._say,
            today=self._today(),
            stale_days=self._stale_days,
        )
        if walk.cites(ATTACHED):
            walk.notes.append(self._say(walk.language, "chat-from-files"))
        return walk.finished(Outcome.ANSWERED)

    async def _quoted(self, walk: Walk, prompt: Prompt, told: str) -> AsyncGenerator[AnswerEvent, None]:
        """The passages themselves. `told` goes first, and is all when there is nothing to quote."""
        citations = Citations(prompt.passages, walk.shown)
        if told:
            yield walk.delta(("\n\n" if walk.pieces else "") + told)
        found = False
        async with aclosing(self._extractive.write(prompt)) as quotations:
            async for quotation in quotations:
                if quotation == NOT_FOUND:
                    break
                gap = "\n\n" if told and not found else ""
                found = True
                yield walk.delta(gap + citations.show(citations.read(masked(quotation))))
        if found:
            yield self._noted(walk)
        elif told:
            yield walk.finished(Outcome.FAILED)
        else:
            for event in self._refused(walk, "evidence"):
                yield event


def own_words(question: Question) -> str:
    """What the asker wrote, in this message and, where nobody else talks, before it: an answer may repeat it."""
    alone = not any(turn.name for turn in question.history)
    earlier = [turn.text for turn in question.history if turn.role == "user"] if alone else []
    return "\n".join((*earlier, question.text))
