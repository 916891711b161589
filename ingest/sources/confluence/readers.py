"""Permissions and restrictions as reader tokens, never for more people than Confluence lets read.

Reader tokens are a union. A page is for those who are in the audience of its space, in its own and in those of all that
stands above it. Two audiences have in common what both name. Beyond that, a group and a person, or two groups, can have
people in common: these are named one by one. A group whose members cannot be told adds nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping

from ingest.model import EVERYONE, PUBLIC, UNFIT, Readers, canonical, group_token, token_name
from ingest.sources.confluence.client import Client, Group, Named, Node, Parent, Person

MOST_PEOPLE = 1000
"""Named one by one for one page; an overlap of more adds nobody, or every page there would carry them all."""

NOBODY: Readers = frozenset()


class Directory:
    """Who is who, as asked once in the course of a listing."""

    def __init__(self, client: Client, *, everyone_groups: Collection[str], email_domain: str | None) -> None:
        self._client = client
        self._everyone = frozenset(name.lower() for name in everyone_groups)
        self._email_domain = email_domain
        self._people: dict[str, Person] = {}
        self._unknown: set[str] = set()
        self._groups: dict[str, Group] = {}
        self._members: dict[str, Readers] = {}

    async def tokens(self, named: Named) -> Readers:
        """The reader tokens of whom a permission or restriction names; whom nobody knows gets none."""
        groups = {self._group(group) for group in named.groups}
        classes = {self._class(name) for name in named.classes}
        return frozenset(groups | classes | await self._users(named.people))

    async def members(self, token: str) -> Readers:
        """The people behind a group's token; nobody where that cannot be told, and for all other tokens."""
        group = self._groups.get(token)
        if group is None:
            return NOBODY
        if token not in self._members:
            self._members[token] = frozenset(await self._users(await self._client.members(group) or ()))
        return self._members[token]

    async def names(self, keys: Collection[str]) -> dict[str, str]:
        """How people are called, by their keys."""
        await self._look_up(keys)
        return {key: self._people[key].name for key in keys if key in self._people}

    async def _users(self, keys: Collection[str]) -> set[str]:
        await self._look_up(keys)
        return {user_token(self._people[key], self._email_domain) for key in keys if key in self._people}

    async def _look_up(self, keys: Collection[str]) -> None:
        missing = {key for key in keys if key} - self._people.keys() - self._unknown
        if missing:
            self._people |= await self._client.people(missing)
            self._unknown |= missing - self._people.keys()

    def _group(self, group: Group) -> str:
        if group.name.lower() in self._everyone:
            return EVERYONE
        token = group_token(group.name)
        self._groups.setdefault(token, group)
        return token

    def _class(self, name: str) -> str:
        return EVERYONE if name.lower() in self._everyone else f"confluence:{token_name(name)}"


class Overlap:
    """What audiences have in common; it remembers what it has found, for most pages ask the same."""

    def __init__(self, members: Callable[[str], Awaitable[Readers]]) -> None:
        self._members = members
        self._found: dict[tuple[Readers, Readers], Readers] = {}

    async def of(self, one: Readers, other: Readers) -> Readers:
        """Who is in both."""
        if (one, other) not in self._found:
            self._found[one, other] = await self._of(one, other)
        return self._found[one, other]

    async def _of(self, one: Readers, other: Readers) -> Readers:
        # Everybody holds `public`; whoever holds any other token is a member of the company and holds `everyone`.
        for token in (PUBLIC, EVERYONE):
            for wide, narrow in ((one, other), (other, one)):
                if token in wide:
                    return narrow
        common = one & other
        people = await self._people(one - common)
        if people:
            people &= await self._people(other - common)
        return common | people if len(people) <= MOST_PEOPLE else common

    async def _people(self, tokens: Readers) -> Readers:
        people = {token for token in tokens if not token.startswith("group:")}
        for token in tokens - people:
            people |= await self._members(token)
        return frozenset(people)


class Access:
    """Who may read what in one space."""

    def __init__(
        self,
        space: Readers,
        nodes: Mapping[str, Node],
        *,
        above: Callable[[Parent], Awaitable[Node | None]],
        directory: Directory,
        overlap: Overlap,
    ) -> None:
        """`nodes` are the listed pages; `above` looks at a parent that is not among them."""
        self._space = space
        self._nodes = nodes
        self._above = above
        self._directory = directory
        self._overlap = overlap
        self._found: dict[str, Readers | None] = {}

    async def of(self, id: str) -> Readers | None:
        """The readers of a listed page; None where they cannot be told, which means nobody."""
        way: dict[str, Node | None] = {}
        at: Parent | None = Parent(id=id, kind="page")
        readers: Readers | None = self._space
        while at is not None and at.id not in self._found:
            if at.id in way:
                return None
            way[at.id] = self._nodes.get(at.id) or await self._above(at)
            at = node.parent if (node := way[at.id]) else None
        if at is not None:
            readers = self._found[at.id]
        for below, node in reversed(way.items()):
            if readers is not None:
                readers = await self._within(readers, node)
            self._found[below] = readers
        return readers

    async def _within(self, readers: Readers, node: Node | None) -> Readers | None:
        if node is None or node.restriction is None:
            return None
        if not node.restriction:
            return readers
        return await self._overlap.of(readers, await self._directory.tokens(node.restriction))


def user_token(person: Person, email_domain: str | None) -> str:
    """`user:` and the e-mail address; `confluence:` and the account where the address is not told."""
    username = person.username or ""
    email = person.email or (username if "@" in username else "")
    if not email and username and email_domain:
        email = f"{username}@{email_domain}"
    if email and not UNFIT.search(email):
        return canonical(f"user:{email}")
    return f"confluence:{token_name(username or person.key)}"
