"""One request's question, and its answer as events, each waited for no longer than is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from bot.model import AnswerEvent, Asker, Finished, Place, Question, Turn
from bot.platforms.web.site import Site
from ingest.errors import Transient

THREAD_SECONDS = 10.0
"""Longest wait for the stored turns of a thread."""


class AnswerCutShort(Transient):
    """The answer ended without saying so, or did not end in time."""


async def question_in_thread(
    site: Site, asker: Asker, turns: Sequence[Turn], *, thread: str | None, on_page: bool
) -> Question:
    """The last of `turns` as a question. Its history is the stored thread's, else the turns before."""
    history = await stored_turns(site, thread, asker) if thread else ()
    return Question(
        text=turns[-1].text,
        asker=asker,
        place=Place(platform="web" if on_page else "api", thread=thread),
        history=history or tuple(turns[:-1]),
    )


async def stored_turns(site: Site, thread: str, asker: Asker) -> tuple[Turn, ...]:
    if site.threads is None:
        return ()
    async with asyncio.timeout(THREAD_SECONDS):
        return await site.threads(thread, asker.id)


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
