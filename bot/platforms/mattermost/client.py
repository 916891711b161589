"""Mattermost's REST API (v4), as the bot uses it: what is asked, and what comes back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from bot.platforms.interface import MessageGone, PlatformRefused
from bot.platforms.mattermost.payloads import (
    Channel,
    FileInfo,
    GroupMembers,
    Membership,
    Post,
    PostList,
    Stats,
    Team,
    User,
)
from bot.platforms.mattermost.wire import Refused, Wire

PER_PAGE = 200
"""The most posts, or people, that the server puts on a page; users that it takes at once are half of it."""

THREAD_GONE = frozenset({"api.post.create_post.root_id.app_error", "api.post.create_post.parent_id.app_error"})
"""What the server says (400) to a reply in a thread whose first post was deleted."""

RESPONSE_PATH = re.compile(r"/hooks/commands/([A-Za-z0-9]+)/?$")


def _page(number: int) -> dict[str, int]:
    return {"page": number, "per_page": PER_PAGE}


class Client(Wire):
    """The API, as the account that the token belongs to. Every call raises what `Wire.call` does."""

    # Who and where

    async def me(self) -> User:
        return await self.ask(User, "GET", "/users/me")

    async def user(self, id: str) -> User:
        return await self.ask(User, "GET", f"/users/{id}")

    async def users(self, ids: Collection[str]) -> list[User]:
        return await self._users("/users/ids", sorted(ids))

    async def users_named(self, names: Collection[str]) -> list[User]:
        """Those that there are."""
        return await self._users("/users/usernames", sorted(names))

    async def group_names(self) -> frozenset[str]:
        """Of groups that may be mentioned; none where the server has no groups, or does not tell."""
        try:
            found = await self.call(
                "GET", "/groups", params={"filter_allow_reference": True, "page": 0, "per_page": PER_PAGE}
            )
        except PlatformRefused:
            return frozenset()
        groups = found if isinstance(found, list) else []
        return frozenset(
            str(group["name"]).lower() for group in groups if isinstance(group, dict) and group.get("name")
        )

    async def teams(self) -> list[Team]:
        """Those that the bot is in."""
        return await self.ask(list[Team], "GET", "/users/me/teams")

    async def channels(self) -> list[Channel]:
        """Those that the bot is in, direct messages among them, archived ones not."""
        try:
            return await self.ask(list[Channel], "GET", "/users/me/channels")
        except Refused as error:
            if error.status != httpx.codes.NOT_FOUND:
                raise
        # Servers before 6.1 list them by team.
        found: dict[str, Channel] = {}
        for team in await self.teams():
            channels = await self.ask(list[Channel], "GET", f"/users/me/teams/{team.id}/channels")
            found |= {channel.id: channel for channel in channels}
        return [*found.values()]

    async def channel(self, id: str) -> Channel:
        return await self.ask(Channel, "GET", f"/channels/{id}")

    async def stats(self, channel: str) -> Stats:
        return await self.ask(Stats, "GET", f"/channels/{channel}/stats")

    async def is_member(self, channel: str, user: str) -> bool:
        """Whether the user is in the channel, as far as the bot, being in it, can see."""
        try:
            await self.call("GET", f"/channels/{channel}/members/{user}")
        except Refused as error:
            if error.status in (httpx.codes.NOT_FOUND, httpx.codes.FORBIDDEN):
                return False
            raise
        return True

    async def direct(self, one: str, other: str) -> Channel:
        """The channel of two users' direct messages, made where there is none."""
        return await self.ask(Channel, "POST", "/channels/direct", json=[one, other], again=True)

    async def config(self) -> dict[str, str]:
        """The configuration as clients are told it; with a token more of it than without (`getClientConfig`)."""
        found = await self.call("GET", "/config/client", params={"format": "old"})
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}

    # Who is in what, a page at a time

    async def membership(self, of: Literal["channels", "teams"], id: str, user: str) -> Membership:
        return await self.ask(Membership, "GET", f"/{of}/{id}/members/{user}")

    async def in_channel(self, channel: str, page: int) -> list[User]:
        """Everybody there by their names, the deactivated and bots among them."""
        return await self.ask(list[User], "GET", "/users", params={"in_channel": channel, **_page(page)})

    async def in_team(self, team: str, page: int) -> list[Membership]:
        """Those who have left may be among them."""
        return await self.ask(list[Membership], "GET", f"/teams/{team}/members", params=_page(page))

    async def in_group(self, group: str, page: int) -> list[User]:
        found = await self.ask(GroupMembers, "GET", f"/groups/{group}/members", params=_page(page))
        return [*found.members]

    # Posts

    async def post(self, id: str) -> Post:
        """Raises MessageGone."""
        return await self.ask(Post, "GET", f"/posts/{id}", gone=(404,))

    async def thread(self, root: str, *, limit: int) -> list[Post]:
        """Its latest posts and its first, oldest first. Raises MessageGone."""
        params = {"perPage": min(limit, PER_PAGE), "direction": "up"}
        found = await self.ask(PostList, "GET", f"/posts/{root}/thread", params=params, gone=(404,))
        posts = sorted(found.posts.values(), key=lambda post: (post.id != root, post.create_at, post.id))
        replies = [post for post in posts if post.id != root and not post.delete_at and not post.original_id]
        return posts[:1] + replies[-max(0, limit - 1) :]

    async def page(self, channel: str, page: int) -> list[Post]:
        """Posts of the channel, newest first, `PER_PAGE` a page, replies among them."""
        params = {"page": page, "per_page": PER_PAGE, "skipFetchThreads": True}
        found = await self.ask(PostList, "GET", f"/channels/{channel}/posts", params=params)
        return found.newest_first

    async def changed(self, channel: str, since: int) -> list[Post]:
        """At most 1,000 rows changed after `since`: the deleted and what posts were before an edit among them."""
        params = {"since": max(1, since), "skipFetchThreads": True}
        found = await self.ask(PostList, "GET", f"/channels/{channel}/posts", params=params)
        return [*found.posts.values()]

    async def create(self, *, channel: str, root: str, message: str, props: Mapping[str, Any], pending: str) -> Post:
        """Post. `pending` is of this post alone: asked for twice, the server makes it once. Raises MessageGone."""
        body = {
            "channel_id": channel, "root_id": root, "message": message, "props": props, "pending_post_id": pending
        }  # fmt: skip
        try:
            return await self.ask(Post, "POST", "/posts", json=body, again=True, urgent=True)
        except Refused as error:
            if error.error_id in THREAD_GONE:
                raise MessageGone("mattermost: the thread was deleted meanwhile; nothing can be said in it") from error
            raise

    async def patch(self, id: str, *, message: str, props: Mapping[str, Any], urgent: bool = True) -> None:
        """Change a post of the bot. Raises MessageGone."""
        with_body = {"message": message, "props": props}
        async with self._perhaps_gone(id):
            await self.call("PUT", f"/posts/{id}/patch", json=with_body, urgent=urgent, gone=(404,))

    async def delete(self, id: str) -> None:
        """Delete a post of the bot. Raises MessageGone."""
        async with self._perhaps_gone(id):
            await self.call("DELETE", f"/posts/{id}", urgent=True, gone=(404,))

    async def typing(self, channel: str, parent: str) -> None:
        await self.call("POST", "/users/me/typing", json={"channel_id": channel, "parent_id": parent}, within=5)

    async def open_form(self, trigger: str, url: str, dialog: Mapping[str, Any]) -> None:
        body = {"trigger_id": trigger, "url": url, "dialog": dialog}
        await self.call("POST", "/actions/dialogs/open", json=body, urgent=True)

    async def respond(self, url: str, answer: Mapping[str, Any]) -> None:
        """Answer a slash command once more. Raises MessageGone when that is over: five times, within 30 minutes.

        Only the last part of `url` is used: what the server calls itself need not be how it is reached from here, and
        nothing is ever sent to a host that a request names.
        """
        hook = RESPONSE_PATH.search(urlsplit(url).path)
        if hook is None:
            raise MessageGone("mattermost: the slash command came without an address to answer to")
        address = f"{self.url}/hooks/commands/{hook[1]}"
        await self.call("POST", address, json=answer, urgent=True, gone=(400, 403, 404, 410), plain=True)

    # Files

    async def files(self, post: str) -> list[FileInfo]:
        return await self.ask(list[FileInfo], "GET", f"/posts/{post}/files/info", gone=(404,))

    async def save_file(self, id: str, to: Path, *, max_bytes: int) -> None:
        """Raises MessageGone, and PlatformRefused for a file that is larger."""
        await self.save(f"/files/{id}", to, max_bytes=max_bytes)

    @asynccontextmanager
    async def _perhaps_gone(self, post: str) -> AsyncIterator[None]:
        try:
            yield
        except Refused as error:
            # The server says "forbidden" of a post that was deleted, when it is to be changed or deleted again.
            if error.status == httpx.codes.FORBIDDEN:
                await self.post(post)
            raise

    async def _users(self, path: str, keys: Sequence[str]) -> list[User]:
        at_once = PER_PAGE // 2
        found: list[User] = []
        for start in range(0, len(keys), at_once):
            found += await self.ask(list[User], "POST", path, json=keys[start : start + at_once], again=True)
        return found
