"""Whether a message is for the bot at all; silence is the default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.dialogue.chat import Chat
from bot.dialogue.courtesy import only_polite
from bot.dialogue.question import Questions, position_of
from bot.model import Turn
from bot.platforms.events import Said
from bot.platforms.interface import Message


class Classifies(Protocol):
    """`AddressedClassifier`, for those who are handed it."""

    async def addressed(self, text: str, turns: Sequence[Turn], *, by: str) -> bool: ...


class Addressed:
    """Decides by rules, and by a classifier where rules cannot know. Without one only what is plain counts."""

    def __init__(self, chat: Chat, questions: Questions, classifier: Classifies | None) -> None:
        self._chat = chat
        self._questions = questions
        self._classifier = classifier

    def plainly(self, said: Said) -> bool:
        """Whether it asks the bot and nobody else: in a direct message, or by a mention where that is answered."""
        named = said.spot.direct or (said.mentions_bot and self._chat.channel(said.spot).answer != "never")
        return named and not _only_polite(said)

    def outright(self, said: Said) -> bool:
        """Whether it is to be answered whatever else is in its thread."""
        every = self._chat.channel(said.spot).answer == "every"
        return self.plainly(said) or (every and not said.in_thread and not _only_polite(said))

    def perhaps(self, said: Said) -> bool:
        """Whether its thread may make it one for the bot; False settles that it is not."""
        never = self._chat.channel(said.spot).answer == "never"
        may_follow_up = said.in_thread and not said.mentions_others and not never
        return self.outright(said) or (may_follow_up and not _only_polite(said))

    async def taking_part(self, said: Said) -> bool:
        """Whether the bot has a part in the thread: an answer there, or the message it hangs on."""
        replies = self._chat.replies
        return await replies.takes_part(said.spot) or await replies.holding(said.spot, said.spot.thread) is not None

    async def follows_up(self, said: Said, thread: Sequence[Message]) -> bool:
        """Whether a reply that mentions nobody, in a thread that the bot takes part in, is meant for it."""
        before = thread[: position_of(said.message, thread)]
        if any(other.id == said.message and other.bot for other in thread) or await self._handed_over(said, before):
            return False
        if self._classifier is not None:
            audience = await self._chat.readership.of(said.spot, said.by, alone=False)
            turns = await self._questions.history(said.spot, thread, said.message)
            turns = await self._questions.readable(turns, audience.tokens)
            return await self._classifier.addressed(said.text, turns, by=said.spot.asker(said.by))
        people = {other.by for other in before if not other.bot}
        return bool(before) and (before[-1].own or people <= {said.by})

    async def _handed_over(self, said: Said, before: Sequence[Message]) -> bool:
        """Whether a person was called into the thread; from then on people talk, and the bot waits to be named."""
        replies = self._chat.replies
        own = {other.id for other in before if other.own}
        held = await replies.holding_all(said.spot) if own else {}
        return await replies.handed_over({reply.key for message, reply in held.items() if message in own})


def _only_polite(said: Said) -> bool:
    """Whether it thanks or agrees: an answer to that would be none, and a search for it finds whatever thanks."""
    return not said.files and only_polite(said.text)
