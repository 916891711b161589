"""What every part of a dialogue has at hand: the platforms, what was replied, and the words for it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from bot.dialogue.readership import Readership
from bot.dialogue.replies import Replies, Reply
from bot.dialogue.settings import ChannelSettings
from bot.phrases import Say
from bot.platforms.events import PlatformName, Spot
from bot.platforms.interface import ChatPlatform, MessageGone, Person, PlatformRefused, PlatformUnavailable, Post
from bot.platforms.rendering import words

logger = logging.getLogger(__name__)

LONGEST_NAME = 80
"""Characters; people choose their names themselves."""


@dataclass(frozen=True, kw_only=True)
class Chat:
    """The surroundings of every event."""

    platforms: Mapping[PlatformName, ChatPlatform]
    replies: Replies
    readership: Readership
    say: Say
    languages: Sequence[str]
    """The operator's, the preferred one first."""
    sources: int = 0
    """How many sources are configured; 0 where that is not known."""
    channels: Mapping[str, ChannelSettings] = field(default_factory=dict)
    """By id; those that are not named are as `ChannelSettings` begins."""
    source_owners: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By a source's name: `slack:U042`, `mattermost:` and a user's id."""

    def platform(self, spot: Spot) -> ChatPlatform:
        """Raises `PlatformUnavailable` for one that is not configured here; another replica may have it."""
        if spot.platform not in self.platforms:
            raise PlatformUnavailable(f"{spot.platform} is not attended here; add its section, or let its events go")
        return self.platforms[spot.platform]

    def channel(self, spot: Spot) -> ChannelSettings:
        return self.channels.get(spot.channel) or ChannelSettings()

    def owners(self, spot: Spot, sources: Sequence[str]) -> tuple[str, ...]:
        """Whom a question in `spot` is handed to, by id: the channel's owners, else those of the cited `sources`."""
        if spot.direct:
            return ()
        if owners := self.channel(spot).owners:
            return owners
        named = (owner.split(":", 1) for source in sources for owner in self.source_owners.get(source, ()))
        return tuple(dict.fromkeys(user for platform, user in named if platform == spot.platform))

    async def name(self, spot: Spot, user: str) -> str:
        """What somebody is called, on one line; whatever they have made of it, it is no Markdown."""
        return words((await self.platform(spot).person(user)).name, limit=LONGEST_NAME)

    def language_of(self, person: Person) -> str:
        """What somebody is spoken to in before they have said anything."""
        return person.locale or self.languages[0]

    def language_in(self, reply: Reply) -> str:
        """What is said about `reply` is in its language, which is its question's once it is written."""
        return reply.post.language if reply.post else reply.language

    def searching(self, language: str) -> str:
        """What is shown from the first moment on, until the answerer knows better."""
        if not self.sources:
            return self.say(language, "status-searching")
        return self.say(language, "chat-searching", count=self.sources)

    async def strays(self, spot: Spot, *, after: str) -> tuple[str, ...]:
        """Messages of ours behind the message `after` that an attempt posted and did not live to record."""
        known = await self.replies.known_messages(spot)
        thread = await self.platform(spot).thread(spot)
        position = next((index for index, message in enumerate(thread) if message.id == after), -1)
        return tuple(message.id for message in thread[position + 1 :] if message.own and message.id not in known)

    async def put_out(self, spot: Spot, messages: Sequence[str], post: Post) -> tuple[str, ...]:
        """Put `post` in place of what may not be read any more, or remove that: ids of what holds it now."""
        platform = self.platform(spot)
        try:
            return await platform.change(spot, messages, post)
        except (MessageGone, PlatformRefused) as error:
            logger.warning("an answer cannot be changed any more, and is removed: %s", error)
            await platform.remove(spot, messages)
            return ()

    async def tell(
        self, spot: Spot, to: str, key: str, /, *, language: str, respond_to: str = "", **values: str | int | date
    ) -> None:
        """Say one phrase to one person alone."""
        post = Post(text=self.say(language, key, **values), language=language)
        await self.platform(spot).whisper(spot, to, post, respond_to=respond_to)
