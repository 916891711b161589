"""One request's question, and its answer as events, each waited for no longer than is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from bot.model import AnswerEvent, Asker, Finished, Place, Question, Turn
from bot.platforms.web.site import Site
from ingest.errors import Transient
from ingest.model import DocumentKey

THREAD_SECONDS = 10.0
"""Longest wait for the stored turns of a thread."""


WORKSPACE = "web"
"""What a quota for a whole workspace counts together."""


class AnswerCutShort(Transient):
    """The answer ended without saying so, or did not end in time."""


async def question_in_thread(
    site: Site, asker: Asker, turns: Sequence[Turn], *, thread: str | None, on_page: bool, trace_id: str
) -> Question:
    """The last of `turns` as a question. Its history is the stored thread's, else the turns before.

    Those are the asker's own words, whoever they say said them: only the asker reads what becomes of them.
    """
    history = await stored_turns(site, thread, asker) if thread else ()
    return Question(
        text=turns[-1].text,
        asker=asker,
        place=Place(platform="web" if on_page else "api", thread=thread, workspace=WORKSPACE),
        history=history or tuple(turns[:-1]),
        trace_id=trace_id,
    )


async def stored_turns(site: Site, thread: str, asker: Asker) -> tuple[Turn, ...]:
    if site.threads is None:
        return ()
    async with asyncio.timeout(THREAD_SECONDS):
        return await site.threads(thread, asker.id)


async def readable_turns(site: Site, turns: Sequence[Turn], asker: Asker, *, withdrawn: str) -> list[Turn]:
    """The turns, `withdrawn` in place of each that the asker may not wholly read now, or of which that is not known."""
    basis = {key for turn in turns for key in turn.basis or ()}
    async with asyncio.timeout(THREAD_SECONDS):
        allowed = await site.allows(basis, asker.readers) if basis else set[DocumentKey]()
    return [
        turn if turn.basis is not None and turn.basis <= allowed else replace(turn, text=withdrawn) for turn in turns
    ]


async def events_of(site: Site, question: Question) -> AsyncGenerator[AnswerEvent, None]:
    """Everything up to and including `Finished`. The answerer is closed whatever happens to who listens.

    Raises:
        AnswerCutShort: no `Finished` came, or not within `site.answer_seconds`.
    """
    events = site.answerer(question)
    deadline = asyncio.get_running_loop().time() + site.answer_seconds
    try:
        while True:
            # The deadline must not be open across a yield: it would interrupt whoever holds the event.
            async with asyncio.timeout_at(deadline):
                event = await anext(events)
            yield event
            if isinstance(event, Finished):
                return
    except StopAsyncIteration:
        raise AnswerCutShort("the answerer stopped without `Finished`; look above in the log for what failed") from None
    except TimeoutError as error:
        raise AnswerCutShort(f"no answer within {site.answer_seconds:g} s; ask again") from error
    finally:
        if close := getattr(events, "aclose", None):
            await close()
