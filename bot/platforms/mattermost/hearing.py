"""From a post, a reaction or a websocket frame to what somebody did; what it does not tell is looked up.

Whoever is no person is not heard: bots and this one first of all, webhooks, plugins, and the platform itself. The
server also posts what an account named as a bot wrote without saying so in the post, hence `user.is_bot`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.platforms.events import Deleted, Edited, Event, Pointed, Said, Spot
from bot.platforms.interface import Message, MessageGone, PlatformRefused
from bot.platforms.mattermost.client import Client
from bot.platforms.mattermost.convert import addressed, file_of, moment
from bot.platforms.mattermost.directory import Directory
from bot.platforms.mattermost.payloads import FileInfo, Frame, Post, PostEvent, ReactionEvent


class Hearing:
    """None is what is not to be reported; PlatformRefused and MessageGone what cannot be, now or later."""

    def __init__(
        self, client: Client, directory: Directory, *, ask_reaction: str | None, now: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._directory = directory
        self._ask_reaction = ask_reaction
        self._now = now

    async def frame(self, frame: Frame) -> Event | None:
        """What a frame reports. Raises pydantic's ValidationError for one that is not as Mattermost's are."""
        match frame.event:
            case "posted":
                event = PostEvent.model_validate(frame.data)
                if event.channel_type:
                    self._directory.learn(event.post.channel_id, event.channel_type)
                return await self.said(event.post)
            case "post_edited":
                return await self.edited(PostEvent.model_validate(frame.data).post)
            case "post_deleted":
                event = PostEvent.model_validate(frame.data)
                return await self.deleted(event.post, by=event.delete_by)
            case "reaction_added":
                return await self._pointed(ReactionEvent.model_validate(frame.data))
        return None

    async def said(self, post: Post) -> Said | None:
        if not await self._is_heard(post) or post.delete_at:
            return None
        whom = addressed(post.message, bot=(await self._directory.me()).username)
        return Said(
            spot=await self.spot(post),
            message=post.id,
            by=post.user_id,
            at=moment(post.create_at),
            text=whom.text,
            mentions_bot=whom.bot,
            mentions_others=whom.everybody or await self._directory.any_named(whom.names),
            files=tuple(file_of(info) for info in await self._files(post)),
        )

    async def edited(self, post: Post) -> Edited | None:
        """None when the text was not changed: reactions, pins and previews "edit" a post too."""
        said = await self.said(post) if post.edit_at else None
        return Edited(said=said, revision=str(post.edit_at)) if said else None

    async def deleted(self, post: Post, *, by: str = "") -> Deleted | None:
        if not await self._is_heard(post):
            return None
        at = moment(post.delete_at) if post.delete_at else self._now()
        return Deleted(spot=await self.spot(post), message=post.id, by=by, at=at)

    async def _pointed(self, event: ReactionEvent) -> Pointed | None:
        reaction = event.reaction
        if reaction.emoji_name != self._ask_reaction or await self._is_bot(reaction.user_id):
            return None
        try:
            post = await self._client.post(reaction.post_id)
        except (MessageGone, PlatformRefused):
            return None
        at = moment(reaction.create_at) if reaction.create_at else self._now()
        return Pointed(spot=await self.spot(post), message=post.id, by=reaction.user_id, at=at)

    async def spot(self, post: Post) -> Spot:
        """Where a post is."""
        return self.place(post.channel_id, thread=post.thread, direct=await self._directory.is_direct(post.channel_id))

    def place(self, channel: str, *, thread: str, direct: bool) -> Spot:
        return Spot(platform="mattermost", workspace=self._client.host, channel=channel, thread=thread, direct=direct)

    async def message(self, post: Post) -> Message:
        """A post of a thread, whoever wrote it."""
        me = await self._directory.me()
        users = await self._directory.users([post.user_id])
        author = users.get(post.user_id)
        whom = addressed(post.message, bot=me.username)
        return Message(
            id=post.id,
            by=post.user_id,
            name=author.display_name if author else "",
            at=moment(post.create_at),
            text=whom.text,
            own=post.user_id == me.id,
            bot=not post.by_person or (author is not None and author.is_bot),
            mentions_bot=whom.bot,
            files=tuple(file_of(info) for info in await self._files(post)),
        )

    async def _is_heard(self, post: Post) -> bool:
        return post.by_person and not post.original_id and not await self._is_bot(post.user_id)

    async def _is_bot(self, user: str) -> bool:
        if user == (await self._directory.me()).id:
            return True
        try:
            return (await self._directory.user(user)).is_bot
        except PlatformRefused:
            # An account that cannot be seen is not known to be a person's.
            return True

    async def _files(self, post: Post) -> tuple[FileInfo, ...]:
        if not post.file_ids or post.metadata.files:
            return post.metadata.files
        try:
            return tuple(await self._client.files(post.id))
        except (MessageGone, PlatformRefused):
            return ()
