"""What a workplace is: a chat platform as its people see it, so that one suite can try every adapter in each situation.

People are called by names (`ada`, `bob`), channels by what `channel` returned, messages by the platform's ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from bot.platforms.events import PlatformName
from bot.platforms.interface import ChatPlatform


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One message as somebody sees it on their screen."""

    id: str
    by: str
    """Name of a person; `souffleur` for the bot."""
    text: str
    """All that is readable in it: text, sources, notes."""
    links: tuple[str, ...] = ()
    """Addresses that can be clicked."""
    buttons: tuple[str, ...] = ()
    """Actions of its buttons (`Button.action`)."""
    private: bool = False
    """Whether only whoever looks can see it."""
    streaming: bool = False
    """Whether it is still being written."""
    notified: tuple[str, ...] = ()
    """Names of those whom it notified."""


class Workplace(Protocol):
    """A fake (or real) platform with its people. Nothing here waits for the bot: `seen` shows what is there now."""

    name: PlatformName
    wordless: str
    """What `status` returns for a sign without words ("… is typing"); empty where there is none."""
    keeps_history: bool
    """Whether what a message was before a change is kept, or may come back: what replaces it for good is a new one."""

    def opened(self) -> AbstractAsyncContextManager[None]:
        """Run the server, with `ada`, `bob` and `cleo` as members of the company, `gast` as a guest."""
        ...

    def platform(self) -> ChatPlatform:
        """The adapter as a newly started program makes it, for the bot's account."""
        ...

    async def id_of(self, person: str) -> str:
        """Their id on the platform."""
        ...

    async def locale(self, person: str, language: str) -> None: ...

    async def direct(self, person: str) -> str:
        """The channel of their direct messages with the bot."""
        ...

    async def channel(self, *people: str, bot: bool = True, shared: bool = False) -> str:
        """A new channel with these people in it; `shared`: with another company."""
        ...

    async def enter(self, channel: str, person: str) -> None:
        """Somebody comes into a channel."""
        ...

    async def leave(self, channel: str, person: str) -> None: ...

    async def say(
        self,
        channel: str,
        text: str,
        *,
        by: str,
        thread: str | None = None,
        mention: bool = False,
        to: str | None = None,
        files: Sequence[Upload] = (),
    ) -> str:
        """Write a message, with a mention of the bot (`mention`) or of somebody (`to`) before the text; its id."""
        ...

    async def edit(self, channel: str, message: str, text: str, *, mention: bool = False) -> None: ...

    async def delete(self, channel: str, message: str) -> None: ...

    async def command(self, text: str, *, by: str, channel: str) -> str:
        """`/ask text`; what was shown at once, to them alone."""
        ...

    async def point(self, channel: str, message: str, *, by: str) -> None:
        """Ask the bot to answer that message: by shortcut, or by reaction where there are none."""
        ...

    async def press(self, channel: str, message: str, action: str, *, by: str) -> str:
        """Press the button of that action; the title of the form that opens, else what is told at once, else ''."""
        ...

    async def submit(self, remark: str, *, by: str) -> None:
        """Fill in and send the form that was opened last."""
        ...

    async def stop(self, channel: str, thread: str, *, by: str) -> None:
        """Press Stop on what is being written in the thread, wherever this platform has it."""
        ...

    async def seen(self, channel: str, *, by: str, thread: str | None = None) -> tuple[Shown, ...]:
        """What is on that person's screen: a thread (with its root), or the channel's top level; oldest first."""
        ...

    async def status(self, channel: str, thread: str) -> str:
        """The status line that is shown in the thread now, empty when there is none."""
        ...

    async def changed(self) -> None:
        """Return when anything that people see has changed since the last call; tests wait with this, never by time."""
        ...

    # Misbehaviour

    async def say_as_bot(self, channel: str, text: str, *, mention: bool = True) -> str:
        """A message of another bot."""
        ...

    async def redeliver(self) -> None:
        """Deliver every event of the last minute again."""
        ...

    async def disconnect(self, *, resumable: bool = True) -> None:
        """Cut the event connections; `resumable` false: what happens until the bot is back is not replayed."""
        ...

    async def busy(self, calls: int, *, seconds: int = 1) -> None:
        """Answer the next so many calls that write with 429 and Retry-After."""
        ...

    async def expire_streams(self) -> None:
        """End whatever is being streamed, as the platform does after some minutes; nothing where there is no end."""
        ...

    def pass_time(self, seconds: float) -> None:
        """Put the platform's clock on: for ages of messages."""
        ...

    async def refused(self) -> Sequence[str]:
        """Calls of the bot that the platform refused for their form, such as a text that is too long; must be none."""
        ...
