"""The loop that writes: what a model writes, checked unit by unit, until it is shown or given up.

    Drafts.write (the answer, then one retry) → _translated
    each unit, in bot.writing.checks: citations → masking → leaks → language → support → shown

What was shown is never taken back. A text in the wrong language is tried once more while nothing of it was shown; then
what is left of it is translated; then it is given up.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Final

from bot.llm.calls import Calls, TooCostly
from bot.llm.interface import ChatRefused, ChatUnavailable, Prompt, Writer
from bot.prompting import NOT_FOUND, Prompts
from bot.trace import TracedCheck
from bot.writing.checks import DRESSING, Checks, Text
from bot.writing.citations import Citations
from bot.writing.interface import Ended, SupportChecker
from bot.writing.spoken import Spoken
from bot.writing.standing import Standing

TRANSLATION_SECONDS: Final = 60.0
"""Longest wait for a translation; nothing of it is shown before it is whole."""

MOST_HELD: Final = 1000
"""Characters around the sentinel, if it is one, that are waited for."""

EXPLAINED: Final = re.compile(rf'[\s`*"]*{NOT_FOUND}[`*"]*[.\n]')
"""The sentinel with more below it. In a sentence of its own ("NOT_FOUND means …") it is a word like any other."""


class Drafts:
    """Writes answers. One for all questions; keeps nothing of any of them.

    `support` is None where statements are not held against passages. `mark` gives what is put behind an unsupported
    statement in a language; None: it is left out.
    """

    def __init__(
        self, *, prompts: Prompts, spoken: Spoken, support: SupportChecker | None, mark: Callable[[str], str] | None
    ) -> None:
        self._prompts = prompts
        self._spoken = spoken
        self._support = support
        self._mark = mark

    async def write(
        self,
        writer: Writer,
        prompt: Prompt,
        *,
        calls: Calls,
        shown: dict[int, int],
        checks: list[TracedCheck],
        notices: list[str],
        grounded: bool = True,
        spoken: bool = True,
        task: str = "answer",
    ) -> AsyncGenerator[str | Ended, None]:
        """Pieces of text as they are settled, then one `Ended`.

        Closing it ends what the writer is writing before `aclose` returns.

        Args:
            writer: whoever writes.
            prompt: what is to be written, with the passages that may be cited.
            calls: the calls of the question, which these join.
            shown: the number that readers see of each passage by the writer's; grows as passages are cited.
            checks: what the checks did is added here.
            notices: what was done otherwise than configured is added here.
            grounded: whether statements are held against the passages.
            spoken: whether the text must be in the prompt's language.
            task: what the first call is called in the trace.

        Raises:
            ChatUnavailable, ChatRefused: the writer failed; what was shown stays.
        """
        citations = Citations(prompt.passages, shown)
        standing = Standing(
            prompt,
            citations=citations,
            support=self._support if grounded else None,
            mark=self._mark(prompt.language) if self._mark else "",
            checks=checks,
            notices=notices,
        )
        draft = Checks(
            prompt, citations=citations, standing=standing, checks=checks, spoken=self._spoken if spoken else None
        )
        asked, text = prompt, Text()
        for attempt in (task, "retry"):
            text = Text()
            again = attempt == "retry"
            try:
                async with (
                    aclosing(calls.stream(writer, asked, task=attempt)) as stream,
                    aclosing(_unless_not_found(stream)) as pieces,
                    aclosing(draft.told(pieces, text, to_the_end=again)) as told,
                ):
                    async for piece in told:
                        yield piece
            except TooCostly as error:
                if not again:
                    raise
                notices.append(f"the answer was not tried again in its language: {error}")
                yield Ended(how="wrong_language")
                return
            if not text.foreign or again or standing.page.begun:
                break
            draft.traced("language", text.rest, "retried", text.foreign)
            asked = self._prompts.again(prompt, text.foreign)
            draft.restart()
        if text.foreign:
            async with aclosing(self._translated(writer, draft, text, calls, notices)) as translated:
                async for part in translated:
                    yield part
            return
        yield draft.ended(wrote=bool(text.raw.strip()))

    async def _translated(
        self, writer: Writer, draft: Checks, text: Text, calls: Calls, notices: list[str]
    ) -> AsyncGenerator[str | Ended, None]:
        """The rest of a text, put into its language in one call; `wrong_language` when that fails too."""
        draft.traced("language", text.rest, "translated", text.foreign)
        prompt = self._prompts.translation(text.rest, draft.language)
        try:
            translation = await calls.text(writer, prompt, task="translate", seconds=TRANSLATION_SECONDS)
        except (ChatUnavailable, ChatRefused) as error:
            notices.append(f"the answer was not translated: {error}")
            yield Ended(how="wrong_language", removed=draft.standing.removed, missing=draft.missing)
            return
        if why := draft.foreign_in(translation):
            draft.traced("language", translation, "removed", why)
            yield Ended(how="wrong_language", removed=draft.standing.removed, missing=draft.missing)
            return
        draft.spoken = None
        async with aclosing(draft.told(_one(translation), Text(), to_the_end=True)) as told:
            async for piece in told:
                yield piece
        yield draft.ended(wrote=True)


async def _one(text: str) -> AsyncIterator[str]:
    yield text


async def _unless_not_found(pieces: AsyncIterator[str]) -> AsyncGenerator[str, None]:
    """The pieces; nothing at all when they are the sentinel, whatever it explains below, or white space."""
    held = ""
    settled = False
    async for piece in pieces:
        if settled:
            yield piece
            continue
        held += piece
        if len(held) < MOST_HELD and NOT_FOUND.startswith(held.strip(DRESSING)):
            continue
        if EXPLAINED.match(held):
            return
        settled = True
        yield held.lstrip()
    if not settled and held.strip() and held.strip(DRESSING) != NOT_FOUND:
        yield held.strip()
