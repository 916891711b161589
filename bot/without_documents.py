"""What a chat model does without the documents: work on the conversation, or on what the message itself holds."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from bot.errors import phrase_for
from bot.language import LanguageDecider
from bot.llm.interface import ChatRefused, ChatUnavailable, Prompt
from bot.llm.writers import Writers
from bot.model import AnswerEvent, Outcome, Route, Status
from bot.phrases import Say
from bot.prompting import Prompts
from bot.understand import Understood
from bot.walk import Walk
from bot.writing.interface import Ended
from ingest.errors import SouffleurError

if TYPE_CHECKING:
    from bot.writing.draft import Drafts

logger = logging.getLogger(__name__)


class WithoutDocuments:
    """Summaries, translations, drafts, explanations: nothing is searched for, nothing cited, and a note says so."""

    def __init__(
        self, *, writers: Writers, prompts: Prompts, drafts: Drafts, languages: LanguageDecider, say: Say
    ) -> None:
        self._writers = writers
        self._prompts = prompts
        self._drafts = drafts
        self._languages = languages
        self._say = say

    async def answer(self, walk: Walk, text: str, understood: Understood) -> AsyncGenerator[AnswerEvent, None]:
        """Ends in `Finished`."""
        yield Status(text=self._say(walk.language, "status-writing"))
        prompt, spoken = self._prompt(walk, text, understood)
        writer = self._writers.of(understood.skill)
        walk.written_by = writer.name
        failure: SouffleurError | None = None
        try:
            pieces = self._drafts.write(
                writer,
                prompt,
                calls=walk.calls,
                shown=walk.shown,
                checks=walk.trace.checks,
                notices=walk.notices,
                grounded=False,
                spoken=spoken,
                task=understood.route.value,
            )
            async with aclosing(pieces):
                async for piece in pieces:
                    if isinstance(piece, str):
                        yield walk.delta(piece)
                    elif piece.how != "written":
                        failure = _unusable(piece, writer.name)
        except (ChatUnavailable, ChatRefused) as error:
            logger.error("chat model failed: %s", error, extra={"trace_id": walk.trace_id})
            failure = error
        if failure is not None:
            key, gap = ("interrupted", "\n\n") if walk.pieces else (phrase_for(failure), "")
            walk.notices.append(f"the request was not worked on to the end: {failure}")
            yield walk.delta(gap + self._say(walk.language, key, trace=walk.trace_id))
            yield walk.finished(Outcome.FAILED)
            return
        of_conversation = understood.route is Route.CONVERSATION
        walk.notes.append(self._say(walk.language, "chat-from-conversation" if of_conversation else "note-general"))
        yield walk.finished(Outcome.ANSWERED)

    def _prompt(self, walk: Walk, text: str, understood: Understood) -> tuple[Prompt, bool]:
        """The prompt, and whether its language can be checked: a translation may be asked for into any."""
        question, wanted = walk.question, understood.language or walk.language
        checkable = wanted in self._languages.candidates
        language = wanted if checkable else walk.language
        if understood.route is Route.CONVERSATION:
            return self._prompts.conversation(text, question.history, question.attached, language), checkable
        return self._prompts.general(text, question.history, language), checkable


def _unusable(ended: Ended, model: str) -> ChatUnavailable:
    if ended.how == "wrong_language":
        return ChatUnavailable(f"{model!r} did not write in the language that was asked for")
    return ChatUnavailable(f"{model!r} wrote nothing")
