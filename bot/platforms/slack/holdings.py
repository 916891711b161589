"""Which of the workspace's own reader tokens a person holds: `slack:` and the id of a user, user group or channel."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from bot.platforms.interface import PlatformRefused
from bot.platforms.slack.client import Client
from bot.platforms.slack.convert import Identity
from bot.platforms.slack.directory import KEPT_SECONDS, Directory
from bot.platforms.slack.kept import Kept

KIND = "slack:"

MOST_LISTED = 10
"""Channels whose members are asked for one after the other; where more are named, it is asked which ones the person is
in: one call for a thousand of them, but for this person alone."""

MOST_PAGES = 5
"""Of the channels that one person is in."""

MOST_PEOPLE = 1_000
"""Whose channels are kept."""

GROUPS = ""
"""Key of the one table."""

Groups = Mapping[str, frozenset[str] | None]
"""Ids of people by user group; None where the table does not tell all of them."""


class Holdings:
    """One table of user groups for everybody, and members of channels from where `Directory` keeps them."""

    def __init__(
        self,
        client: Client,
        directory: Directory,
        *,
        kept_seconds: float = KEPT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._directory = directory
        self._groups: Kept[str, Groups] = Kept(clock, kept_seconds)
        self._of_group: Kept[str, frozenset[str]] = Kept(clock, kept_seconds)
        self._of_person: Kept[str, frozenset[str]] = Kept(clock, kept_seconds, most=MOST_PEOPLE)
        self._turn = asyncio.Lock()
        """User groups are asked for one at a time: Slack grants twenty such calls a minute."""
        self._turn_of_channels = asyncio.Lock()

    async def held(self, person: str, tokens: Collection[str], me: Identity) -> frozenset[str]:
        """Those that a person holds; who is no member of the company holds none."""
        ids = {token.removeprefix(KIND) for token in tokens if token.startswith(KIND)}
        if not ids or not (await self._directory.person(person, me)).member:
            return frozenset()
        held = ids & {person}
        for group in sorted(id for id in ids if id.startswith("S")):
            if person in await self._in_group(group):
                held.add(group)
        held |= await self._channels(person, {id for id in ids if id.startswith(("C", "D", "G"))})
        return frozenset(f"{KIND}{id}" for id in held)

    def forget_groups(self) -> None:
        self._groups.clear()
        self._of_group.clear()

    def forget_channels_of(self, person: str) -> None:
        self._of_person.drop(person)

    def forget_channels(self) -> None:
        self._of_person.clear()

    def forget(self) -> None:
        """Everything."""
        self.forget_groups()
        self.forget_channels()

    async def _in_group(self, id: str) -> frozenset[str]:
        async with self._turn:
            groups = await self._table()
            if id not in groups:
                self._directory.tell_once(f"slack: there is no user group {id}, or it is disabled; nobody is in it")
                return frozenset()
            users = groups[id]
            return users if users is not None else await self._all_in_group(id)

    async def _table(self) -> Groups:
        if (kept := self._groups.get(GROUPS)) is not None:
            return kept
        asked = self._groups.asked()
        try:
            answer = await self._client.call("usergroups.list", include_users=True, include_count=True)
        except PlatformRefused as error:
            self._directory.tell_once(f"who is in which user group is not known, so nobody is in any: {error}")
            return self._groups.put(GROUPS, {}, asked)
        told = {str(group["id"]): _users(group) for group in answer.get("usergroups") or () if _is_ours(group)}
        return self._groups.put(GROUPS, told, asked)

    async def _all_in_group(self, id: str) -> frozenset[str]:
        if (kept := self._of_group.get(id)) is not None:
            return kept
        asked = self._of_group.asked()
        try:
            answer = await self._client.call("usergroups.users.list", usergroup=id)
        except PlatformRefused as error:
            self._directory.tell_once(f"who is in user group {id} is not known, so nobody is: {error}")
            return self._of_group.put(id, frozenset(), asked)
        return self._of_group.put(id, frozenset(map(str, answer.get("users") or ())), asked)

    async def _channels(self, person: str, ids: set[str]) -> set[str]:
        """Those of the channels that a person is in."""
        unknown = {id for id in ids if self._directory.has_listed(id) is None and not id.startswith("D")}
        if len(unknown) <= MOST_LISTED:
            unknown = set()
        held = unknown & await self._channels_of(person) if unknown else set()
        for id in sorted(ids - unknown):
            if person in (await self._directory.listed(id) or ()):
                held.add(id)
        return held

    async def _channels_of(self, person: str) -> frozenset[str]:
        """The channels that somebody is in, as far as the bot can see."""
        async with self._turn_of_channels:
            if (kept := self._of_person.get(person)) is not None:
                return kept
            asked = self._of_person.asked()
            found: set[str] = set()
            number = 0
            types = "public_channel,private_channel,mpim"
            try:
                async for page in self._directory.pages("users.conversations", "channels", user=person, types=types):
                    found.update(str(channel["id"]) for channel in page)
                    number += 1
                    if number >= MOST_PAGES:
                        break
            except PlatformRefused as error:
                self._directory.tell_once(f"which channels people are in is not known, so they are in none: {error}")
                found = set()
            return self._of_person.put(person, frozenset(found), asked)


def _is_ours(group: Mapping[str, Any]) -> bool:
    """https://docs.slack.dev/reference/methods/usergroups.list: one that is disabled has a date of deletion."""
    return not group.get("date_delete") and not group.get("is_external")


def _users(group: Mapping[str, Any]) -> frozenset[str] | None:
    users = frozenset(map(str, group.get("users") or ()))
    try:
        return users if len(users) >= int(group.get("user_count") or 0) else None
    except ValueError:  # it is told as text
        return None
