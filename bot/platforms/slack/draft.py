"""An answer that its readers watch being written, message after message.

What is written is shown by a task of its own, as fast as Slack lets it: nobody waits for an intermediate edit, and none
is queued. Where neither a stream nor an early post is to be had, the status is what is seen until the answer is whole.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

from bot.platforms import rendering
from bot.platforms.events import Spot
from bot.platforms.interface import (
    Button,
    MessageGone,
    PlatformRefused,
    PlatformUnavailable,
    Post,
    WritingStopped,
)
from bot.platforms.slack import blocks, pages
from bot.platforms.slack.client import Client, Refusal
from bot.platforms.slack.pages import Posted, Streamed
from bot.platforms.slack.posting import NOT_STREAMING, STILL_STREAMING, Posting
from bot.platforms.slack.status import Status

logger = logging.getLogger(__name__)

LEAVING_SECONDS = 20.0
"""For a call under way when a draft is left: longer than one takes."""

LONG_WORD = 40
"""Characters without a space after which text is shown in the middle of a word: not every script has spaces."""

MAY_MENTION = re.compile("[@＠﹫&<`]")
"""Where a mention, or code, could begin."""

STOPPED = "stopped_by_user"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How often more of an answer is shown; seconds."""

    stream: float = 1.0
    """A reader sees no difference, and Slack counts a hundred a minute for all answers."""
    edit: float = 3.0
    """The same where the whole message is edited, of which Slack counts fifty."""
    trouble: float = 5.0
    """After Slack was away."""


class Draft:
    """The messages of one answer; `bot.platforms.interface.Draft`, and the context that it is written in."""

    def __init__(
        self,
        client: Client,
        spot: Spot,
        *,
        asker: str,
        team: str,
        stop: Button | None,
        posted: Callable[[str], Awaitable[None]],
        over: Sequence[str],
        status: Status,
        pace: Pace,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._spot = spot
        self._asker = asker
        self._team = team
        self._stop = stop
        self._posted = posted
        self._over = list(over)
        self._status = status
        self._pace = pace
        self._clock = clock
        self._posting = Posting(client)
        self._written = ""
        """Everything, as it was written."""
        self._handled = ""
        """What of it is shown, or waits in `_waiting`; quiet."""
        self._waiting = ""
        self._page: Streamed | Posted | None = None
        self._messages: list[str] = []
        self._steps: list[str] = []
        self._may_stream = not over
        self._failure: PlatformRefused | MessageGone | WritingStopped | None = None
        self._news = asyncio.Event()
        self._ending = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._showing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Draft:
        await self._tasks.__aenter__()
        self._showing = self._tasks.create_task(self._keep_showing())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A call that creates a message is waited for: its id would be lost. What failed outside is raised as it is.
        try:
            async with asyncio.timeout(LEAVING_SECONDS):
                await self._shown()
        except TimeoutError:
            logger.warning("slack: a draft is left before its last call was answered")
        finally:
            if self._showing is not None:
                self._showing.cancel()
            await self._tasks.__aexit__(None, None, None)
        await self._status.clear()

    async def status(self, text: str) -> None:
        self._steps.append(text)
        self._news.set()

    async def write(self, text: str) -> None:
        if self._failure is not None:
            raise self._failure
        self._written += text
        self._news.set()

    async def finish(self, post: Post) -> tuple[str, ...]:
        await self._shown()
        return await self._finished(post)

    async def _shown(self) -> None:
        """Let the task that shows what is written come to its end."""
        self._ending.set()
        self._news.set()
        if self._showing is not None:
            await asyncio.wait({self._showing})

    async def _finished(self, post: Post) -> tuple[str, ...]:
        whole = rendering.quiet(post.text)
        page = self._page
        goes_on = isinstance(page, Streamed) and page.whole and self._failure is None and not post.mention
        if goes_on and isinstance(page, Streamed) and whole.startswith(self._handled):
            try:
                return await self._stream_ended(page, self._waiting + whole[len(self._handled) :], post)
            except Refusal as error:
                logger.info("%s; the message is edited instead", error)
        elif isinstance(page, Streamed) and await self._posting.end_stream(self._spot, page.id, paid=True):
            self._status.ended()
        return await self._posting.put(
            self._spot,
            [*self._messages, *self._over],
            blocks.pages(post),
            posted=self._posted,
            paid=isinstance(page, Posted) and len(self._messages) == 1,
            may_be_gone=True,
        )

    async def _stream_ended(self, page: Streamed, more: str, post: Post) -> tuple[str, ...]:
        """Complete the stream with the rest of the text and what belongs under it."""
        more, rest = pages.cut(page.text, more)
        if not rest:
            under, further = blocks.ending(post, page.text + more)
        else:
            under, further = [], blocks.continued(post, rest)
        await page.end(more, under, session="active")
        self._status.ended()
        for each in further:
            await self._exists(await self._posting.post(self._spot, each))
        return tuple(self._messages)

    async def _keep_showing(self) -> None:
        while not self._ending.is_set() and self._failure is None:
            await self._news.wait()
            self._news.clear()
            pause = await self._show()
            if pause:
                self._news.set()
                await self._until_ending(pause)

    async def _show(self) -> float:
        """Show what is new; seconds after which it is tried again, 0 when there is nothing left."""
        try:
            self._settle()
            if self._waiting:
                await self._show_text()
            if self._steps and not self._messages:
                await self._status.show(self._steps[-1])
            if not self._waiting:
                return 0.0
            return self._pace.edit if isinstance(self._page, Posted) else self._pace.stream
        except PlatformUnavailable as error:
            logger.warning("%s", error)
            return self._pace.trouble
        except (PlatformRefused, MessageGone) as error:
            self._failed(error)
            return 0.0

    def _failed(self, error: PlatformRefused | MessageGone) -> None:
        code = error.code if isinstance(error, Refusal) else ""
        if code == STOPPED:
            self._failure = WritingStopped("slack: a reader stopped the answer; ask again for another")
        elif code in {NOT_STREAMING, "msg_too_long"} and isinstance(self._page, Streamed):
            logger.info("slack: a stream ended before its answer; the message is edited from now on")
            self._page.whole = False
            self._news.set()
        else:
            self._failure = error

    def _settle(self) -> None:
        """Take what can be shown for good out of what was written."""
        cut = rendering.settled(self._written)
        word = self._written[cut:]
        if len(word) >= LONG_WORD:
            mention = MAY_MENTION.search(word)
            cut += mention.start() if mention else len(word)
        quiet = rendering.quiet(self._written[:cut])
        if quiet.startswith(self._handled):
            self._waiting += quiet[len(self._handled) :]
            self._handled = quiet

    async def _show_text(self) -> None:
        page = self._page
        if isinstance(page, Streamed) and not page.whole:
            await self._edit_from_now_on(page)
            return
        if page is None:
            await self._begin()
            return
        if isinstance(page, Streamed) and self._clock() - page.started >= pages.STREAM_SECONDS:
            await self._turn_over(page, *pages.parted(page.text, self._waiting))
            return
        more, rest = pages.cut(page.text, self._waiting)
        if rest:
            await self._turn_over(page, more, rest)
            return
        more = pages.whole_lines(page.text, more)
        if more and page.may_grow():
            await page.grow(more)
            self._waiting = self._waiting[len(more) :]

    async def _begin(self) -> None:
        """Open the next message, if there is a turn for one."""
        text, rest = pages.cut("", self._waiting)
        if not text.strip():
            return
        page = await self._opened(text)
        if page is None:
            return
        self._page = page
        self._waiting = rest
        if page.id in self._over:
            self._over.remove(page.id)
            self._messages.append(page.id)
        else:
            await self._exists(page.id)

    async def _opened(self, text: str) -> Streamed | Posted | None:
        now = self._clock()
        if self._over:
            return await self._taken_over(text, now)
        if self._may_stream and self._status.streams:
            # The first was said before the question's language was known, and what stays should be in that.
            steps = () if self._messages else tuple(self._steps[1:] or self._steps)
            try:
                streamed = await pages.stream(
                    self._client, self._spot, text, asker=self._asker, team=self._team, steps=steps, now=now
                )
            except Refusal as error:
                self._status.no_streams(error)
                self._may_stream = False
            else:
                if streamed is not None:
                    return streamed
        return await pages.post(self._client, self._spot, text, stop=self._button, now=now)

    async def _taken_over(self, text: str, now: float) -> Posted | None:
        try:
            return await pages.take_over(self._client, self._spot, self._over[0], text, stop=self._button, now=now)
        except MessageGone:
            del self._over[0]
        except Refusal as error:
            if error.code != STILL_STREAMING:
                raise
            await self._posting.end_stream(self._spot, self._over[0])
        return None

    @property
    def _button(self) -> Button | None:
        """Our own stop button, where Slack shows none."""
        return None if self._status.stoppable else self._stop

    async def _turn_over(self, page: Streamed | Posted, more: str, rest: str) -> None:
        """Complete a message with `more`; the next one begins with `rest`."""
        if isinstance(page, Streamed):
            await page.end(more, session="processing")
        else:
            await self._posting.update(self._spot, page.id, blocks.Page(markdown=page.text + more), paid=True)
        self._page = None
        self._waiting = rest

    async def _edit_from_now_on(self, page: Streamed) -> None:
        """Go on by edits where the stream is closed, or does not show what it should."""
        if not await self._client.reserve("chat.update"):
            return
        await self._posting.end_stream(self._spot, page.id, paid=True)
        self._may_stream = False
        self._page = Posted(
            client=self._client,
            spot=self._spot,
            id=page.id,
            text=page.text,
            started=page.started,
            stop=self._button,
        )

    async def _exists(self, message: str) -> None:
        self._messages.append(message)
        await self._posted(message)

    async def _until_ending(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            return
