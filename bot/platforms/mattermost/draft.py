"""An answer that is being written: typing, then a post that is changed until it is whole.

What people see, and why. Mattermost notifies of a post when it is made, with the text that it has then, and never of
its changes. So the post is made when its first sentence is complete (or two seconds after the first words): the answer
is the notification, not a status line. Until then the bot is shown typing, at once and again every four seconds, which
Mattermost shows under the thread and the channel to whoever has them open. A silent post (`?silent=true`, from 11.10)
could carry the status line, but what becomes of it would notify nobody either, and deleting it leaves "(message
deleted)" on every screen. So the status line is posted only where typing is refused or the
operator wants it (`status: post`), and where an answer takes the place of an earlier one, as changes notify nobody.

What is withdrawn (`Post.replaces`) is not changed but deleted, and the new text posted: a change that was sent before
and that the server is slow at would bring the old text back, and a deleted post takes no change. What a post was before
it was changed only the account that wrote it may look up (`getEditHistoryForPost` in the server's source).

Changes go out once a second at most for each message, merged, and are left out while the server asks for patience; the
last ones (`finish`) wait for their turn. The Stop button is under the last message as long as it is being written.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from bot.platforms.interface import Button, MessageGone, PlatformRefused, PlatformUnavailable, Post
from bot.platforms.mattermost.client import Client
from bot.platforms.mattermost.convert import has_sentence, messages_of, props, texts_of
from bot.platforms.mattermost.directory import Directory
from bot.platforms.mattermost.wire import BUCKET
from bot.platforms.rendering import quiet, settled
from ingest.errors import SouffleurError

logger = logging.getLogger(__name__)

ENDING_SECONDS = 20.0
"""How long a call that is under way may take once the context is left: a post that was made is still told of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Seconds."""

    change: float = 1.0
    """Between two changes of what is shown."""
    typing: float = 4.0
    """Clients show typing for five seconds."""
    first: float = 2.0
    """From the first words to the post, if no sentence has ended by then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Where:
    """What posting needs to know."""

    client: Client
    directory: Directory
    channel: str
    root: str
    action_url: str | None


class Messages:
    """The messages that hold one text, in order; made, changed and deleted as the text needs them."""

    def __init__(
        self,
        where: Where,
        *,
        posted: Callable[[str], Awaitable[None]] | None = None,
        over: Sequence[str] = (),
        again: bool = False,
    ) -> None:
        """`over`: those that hold something else now; with `again` one of them that is gone is made again."""
        self._where = where
        self._posted = posted
        self._nonce = uuid.uuid4().hex
        self._made = 0
        self._again = again
        self._replaceable = {*over} if again else set()
        self.ids: list[str] = [*over]
        self._shown: dict[str, tuple[str, dict[str, Any]]] = {}
        """Text and props by message, as far as they are known."""

    async def show(self, texts: Sequence[str], buttons: Sequence[Button], *, urgent: bool, last: bool) -> None:
        """Make them hold `texts`, with the buttons under the last one; `last`: whatever is left over is deleted.

        Raises MessageGone when one of them, or the thread, is not there any more.
        """
        for number, text in enumerate(texts):
            under = buttons if number == len(texts) - 1 else ()
            wanted = (text, props(under, action_url=self._where.action_url))
            while number < len(self.ids) and not await self._changed(self.ids[number], wanted, urgent=urgent):
                self.ids.pop(number)
            if number == len(self.ids):
                await self._make(*wanted)
        while last and len(self.ids) > len(texts):
            await unless_gone(self._where.client.delete(self.ids[-1]))
            self.ids.pop()

    async def clear(self) -> None:
        """Delete them, so that no change that the server is still at brings back what they held.

        Those that begin a thread stay, to be changed: with them the server would delete what people replied.
        Tries all of them before it raises what went wrong with one; MessageGone where none is there any more, unless
        what is gone is made again.
        """
        failure: SouffleurError | None = None
        before, gone = [*self.ids], 0
        for id in before:
            try:
                if (await self._where.client.post(id)).root_id:
                    await self._where.client.delete(id)
                    self.ids.remove(id)
            except MessageGone:
                self.ids.remove(id)
                gone += 1
            except (PlatformRefused, PlatformUnavailable) as error:
                failure = failure or error
        if failure is not None:
            raise failure
        if before and gone == len(before) and not self._again:
            raise MessageGone("mattermost: what is to be replaced is not there any more")

    async def _changed(self, id: str, wanted: tuple[str, dict[str, Any]], *, urgent: bool) -> bool:
        """Whether the message holds what is wanted now; False when it is gone and another may take its place."""
        if self._shown.get(id) == wanted:
            return True
        try:
            await self._where.client.patch(id, message=wanted[0], props=wanted[1], urgent=urgent)
        except MessageGone:
            if id not in self._replaceable:
                raise
            return False
        self._replaceable.discard(id)
        self._shown[id] = wanted
        return True

    async def _make(self, text: str, props: dict[str, Any]) -> None:
        where = self._where
        self._made += 1
        pending = f"{(await where.directory.me()).id}:{self._nonce}{self._made}"
        post = await where.client.create(
            channel=where.channel, root=where.root, message=text, props=props, pending=pending
        )
        self.ids.append(post.id)
        self._shown[post.id] = (text, props)
        if self._posted is not None:
            await self._posted(post.id)


class MattermostDraft:
    """A `Draft`; shows what it was told from a task of its own, which ends with the context."""

    def __init__(self, where: Where, messages: Messages, *, stop: Button | None, pace: Pace, typing: bool) -> None:
        """`typing`: shown until there is text; without it the status is posted."""
        self._where = where
        self._messages = messages
        self._buttons = (stop,) if stop is not None else ()
        self._pace = pace
        self._typing = typing and not messages.ids
        self._typed = float("-inf")
        """When typing was shown last, by the loop's clock."""
        self._status = ""
        self._text = ""
        self._since: float | None = None
        """When there were words first, likewise."""
        self._ended = False
        self._failure: SouffleurError | None = None
        self._told = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._task = self._tasks.create_task(self._showing(), name="mattermost draft")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._end()
        finally:
            if self._task is not None:
                self._task.cancel()
            # Without the error, which goes on as it is: the group would wrap it.
            await self._tasks.__aexit__(None, None, None)

    async def status(self, text: str) -> None:
        self._status = text
        self._told.set()

    async def write(self, text: str) -> None:
        if self._failure is not None:
            raise self._failure
        self._text += text
        self._told.set()

    async def finish(self, post: Post) -> tuple[str, ...]:
        await self._end()
        if post.replaces:
            await self._messages.clear()
        await self._messages.show(messages_of(post), post.buttons, urgent=True, last=True)
        return tuple(self._messages.ids)

    async def _end(self) -> None:
        """Let the call that is under way end, and make no other."""
        self._ended = True
        self._told.set()
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=ENDING_SECONDS)
            self._task.cancel()

    async def _showing(self) -> None:
        try:
            while not self._ended:
                self._told.clear()
                await self._wait(await self._next())
        except SouffleurError as error:
            self._failure = error

    async def _next(self) -> float | None:
        """Show what is to be shown now; seconds after which there is something to do even if nothing is told."""
        now = asyncio.get_running_loop().time()
        if self._text.strip() and self._since is None:
            self._since = now
        text = quiet(self._text[: settled(self._text)])
        until_post = None if self._since is None else self._since + self._pace.first - now
        if text.strip() and (has_sentence(text) or (until_post is not None and until_post <= 0)):
            await self._show(texts_of(text))
            await self._rest(self._pace.change)
            return None
        if self._typing and now - self._typed >= self._pace.typing:
            await self._type()
            self._typed = now
        if not self._typing and self._status and self._since is None:
            await self._show([quiet(self._status)])
        waits = [until_post] if until_post is not None and until_post > 0 else []
        waits += [self._typed + self._pace.typing - now] if self._typing else []
        return min(waits, default=None)

    async def _type(self) -> None:
        try:
            await self._where.client.typing(self._where.channel, self._where.root)
        except PlatformUnavailable as error:
            logger.info("mattermost: typing was not shown: %s", error)
        except (PlatformRefused, MessageGone) as error:
            logger.warning("mattermost: typing is refused, the status is posted instead: %s", error)
            self._typing = False

    async def _show(self, texts: Sequence[str]) -> None:
        """Show what there is, unless the server is asked for too much already: the next time shows it as well."""
        if len(texts) <= len(self._messages.ids) and not self._where.client.buckets.free(BUCKET):
            return
        try:
            await self._messages.show(texts, self._buttons, urgent=False, last=False)
        except PlatformUnavailable as error:
            logger.info("mattermost: a change was left out: %s", error)

    async def _wait(self, seconds: float | None) -> None:
        """Until something is told, or the time is over."""
        try:
            async with asyncio.timeout(seconds):
                await self._told.wait()
        except TimeoutError:
            return

    async def _rest(self, seconds: float) -> None:
        """So long, whatever is told but the end; what was told meanwhile is not forgotten."""
        loop, told = asyncio.get_running_loop(), False
        until = loop.time() + seconds
        while not self._ended and (left := until - loop.time()) > 0:
            await self._wait(left)
            told = told or self._told.is_set()
            if not self._ended:
                self._told.clear()
        if told:
            self._told.set()


async def unless_gone(call: Awaitable[None]) -> None:
    """Await it; what is gone already is no error."""
    try:
        await call
    except MessageGone as error:
        logger.debug("mattermost: nothing to delete: %s", error)
