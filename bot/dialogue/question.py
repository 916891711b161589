"""A message becomes a question: with the thread before it, its files, who asks, and who will read the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bot.dialogue.chat import Chat
from bot.dialogue.readership import Audience
from bot.dialogue.tables import storable
from bot.model import Asker, Place, Question, Turn
from bot.platforms.events import File, Spot
from bot.platforms.interface import ChatPlatform, Message
from ingest.model import Chunk, Readers


class Read(Protocol):
    """What was read from files."""

    @property
    def chunks(self) -> tuple[Chunk, ...]: ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What was declined, a localised line each."""
        ...


class ReadsFiles(Protocol):
    """`Attachments`, for those who are handed it."""

    async def of(
        self, platform: ChatPlatform, spot: Spot, files: Sequence[File], *, language: str, by: str
    ) -> Read: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """A message that is to be answered, whatever made it so."""

    key: str
    """Of the reply."""
    spot: Spot
    message: str
    """Id of the message; of a slash command its own."""
    asker: str
    """Who wants the answer, and may stop it."""
    writer: str
    """Who wrote the message, in whose language they are spoken to."""
    text: str
    files: tuple[File, ...] = ()
    thread: tuple[Message, ...] | None = ()
    """The thread as it is now; empty when there is nothing before the message, None when it is still to be read."""
    private: bool = False
    """Whether the asker alone reads the answer."""


def ask_about(
    key: str, spot: Spot, asker: str, message: Message, thread: tuple[Message, ...], *, private: bool = False
) -> Ask:
    """A message that is answered because somebody else, or its writer once more, wants it."""
    return Ask(
        key=key,
        spot=spot,
        message=message.id,
        asker=asker,
        writer=message.by,
        text=message.text,
        files=message.files,
        thread=thread,
        private=private,
    )


class Questions:
    """Makes questions. `attachments` is None where files are not read."""

    def __init__(self, chat: Chat, attachments: ReadsFiles | None) -> None:
        self._chat = chat
        self._attachments = attachments

    async def of(
        self, ask: Ask, *, language: str, reading: Callable[[], Awaitable[None]]
    ) -> tuple[Question, tuple[str, ...]]:
        """The question that `ask` is, and what its readers are told about its files, and about what they may read.

        Args:
            ask: what is to be answered.
            language: of what they are told.
            reading: awaited before files are read, which takes a while.

        Raises `MessageGone` when the thread is not there any more.
        """
        thread = await self._chat.platform(ask.spot).thread(ask.spot) if ask.thread is None else ask.thread
        ask = _as_it_is_now(ask, thread)
        history = await self.history(ask.spot, thread, ask.message, of=ask.key)
        text = storable(ask.text)
        if not text.strip() and not ask.files and history and history[-1].role == "user":
            # A bare mention below somebody's question asks for an answer to that.
            history, text = history[:-1], history[-1].text
        audience = await self._chat.readership.of(ask.spot, ask.asker, alone=ask.private)
        place = Place(
            platform=ask.spot.platform, thread=ask.spot.lane, readers=audience.shared, workspace=ask.spot.workspace
        )
        earlier = (message for message in thread[: position_of(ask.message, thread)] if not message.bot)
        files = (*ask.files, *(file for message in earlier for file in message.files))
        chunks, notes = await self._read(ask, files, language, reading)
        if audience.unsure:
            notes = (*notes, self._chat.say(language, "note-groups-unknown"))
        asker = await self._asker(ask, audience)
        return Question(text=text, asker=asker, place=place, history=history, attached=chunks), notes

    async def history(self, spot: Spot, thread: Sequence[Message], message: str, *, of: str = "") -> tuple[Turn, ...]:
        """What was said in `thread` before `message`; of the bot's own, the answers to what was asked before it.

        Answers are taken from what was written, not from what a platform makes of it, with their sources and buttons;
        apologies and calls for a person are none, and what one person alone was answered is none for anybody. `of` is
        the reply to `message`, of which nothing is history.
        """
        replies = self._chat.replies
        spoken = any(other.own for other in thread)
        known = await replies.known_messages(spot) if spoken else set()
        held = await replies.holding_all(spot) if spoken else {}
        position = position_of(message, thread)
        several = len({other.by for other in thread[: position + 1] if not other.own}) > 1
        places = {other.id: index for index, other in enumerate(thread)}
        turns: list[Turn] = []
        told = {of}
        for index, other in enumerate(thread):
            if not other.own:
                if index < position and other.text.strip():
                    turns.append(Turn(role="user", text=other.text, name=other.name if several else ""))
                continue
            reply = held.get(other.id)
            if reply is None:
                # Older than what is kept about replies; after the question it can only be a remnant of its answer.
                if index < position and other.id not in known and other.text.strip():
                    turns.append(Turn(role="assistant", text=other.text, basis=None))
            elif reply.private or reply.post is None or reply.key in told:
                continue
            elif places.get(reply.question, index) < position:
                told.add(reply.key)
                turns.append(Turn(role="assistant", text=reply.post.text, basis=reply.basis))
        return tuple(turns)

    async def readable(self, turns: Sequence[Turn], tokens: Readers) -> tuple[Turn, ...]:
        """Without those turns that not every holder of `tokens` may be told."""
        readership = self._chat.readership
        return tuple([turn for turn in turns if await readership.may_read(turn.basis, tokens)])

    async def _asker(self, ask: Ask, audience: Audience) -> Asker:
        writer = await self._chat.platform(ask.spot).person(ask.writer)
        return Asker(id=ask.spot.asker(ask.asker), readers=audience.own, locale=writer.locale)

    async def _read(
        self, ask: Ask, files: Sequence[File], language: str, reading: Callable[[], Awaitable[None]]
    ) -> tuple[tuple[Chunk, ...], tuple[str, ...]]:
        if self._attachments is None or not files:
            return (), ()
        await reading()
        platform = self._chat.platform(ask.spot)
        read = await self._attachments.of(platform, ask.spot, files, language=language, by=ask.spot.asker(ask.asker))
        return read.chunks, read.notes


def position_of(message: str, thread: Sequence[Message]) -> int:
    """Where it stands in its thread; behind the end when it is not there."""
    return next((index for index, other in enumerate(thread) if other.id == message), len(thread))


def _as_it_is_now(ask: Ask, thread: Sequence[Message]) -> Ask:
    """What was said may have been changed since it was reported."""
    now = next((message for message in thread if message.id == ask.message and not message.own), None)
    return ask if now is None else replace(ask, text=now.text, files=now.files)
