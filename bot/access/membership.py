"""Groups from lists and exports closed over each other: from what somebody holds to the groups that they are in.

Nothing that contradicts itself gives anybody anything. A name that stands for two groups, an id for two groups or two
people, an address for two people: nobody is in a group by it. A group in a group counts unless the edge between them
lies on a cycle. What an export said that cannot be read any more gives nothing, and goes on contradicting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.access.exports import Account, Export, Group, Reference
from ingest.model import PUBLIC, Readers, email_of, group_token

Edge = tuple[str, str]
"""A group's token, and that of a group whose members are its members too."""

SHOWN = 5
"""How many names one line for operators holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One list or file, as far as it is known."""

    by: str
    """For messages: `access.groups`, or the file."""
    export: Export
    counts: bool = True
    """Whether it is known now. An earlier reading adds nobody to a group, and still contradicts others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Flaws:
    """What is contradictory or unknown, each item a reader token or an address, in order."""

    twice: tuple[str, ...] = ()
    """Groups that are defined twice, or share an id with another one."""
    cyclic: tuple[Edge, ...] = ()
    undefined: tuple[str, ...] = ()
    """Groups that are members of others and that nothing defines."""
    shared: tuple[str, ...] = ()
    """Addresses of two people."""
    unclear: tuple[tuple[str, int], ...] = ()
    """Groups, and how many of their members no person or group could be found by."""


def some(names: Sequence[str]) -> str:
    """The first few, and how many more there are: for one line."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


class Groups:
    """Who is in which group, at one moment. Immutable; as large as the company."""

    def __init__(
        self,
        *,
        by_member: Mapping[str, Sequence[str]] | None = None,
        defined: Collection[str] = (),
        left: Collection[str] = (),
        unread: bool = False,
        anybody_may_have_left: bool = False,
        missing: str = "",
        flaws: Flaws | None = None,
    ) -> None:
        """`by_member`: member token -> tokens of the groups that whoever holds it is in."""
        self._by_member = by_member or {}
        self.defined: Readers = frozenset(defined)
        """Tokens of all groups, those too that nobody is in."""
        self.left: Readers = frozenset(left)
        """Addresses of people who an export says are not active."""
        self.unread = unread
        """Whether a file has never been read. It could contradict all others, so nobody is in any group."""
        self.anybody_may_have_left = anybody_may_have_left
        """Whether an export that could tell has never been read."""
        self.missing = missing
        """Which files cannot be used, and why; empty: all can."""
        self.flaws = flaws or Flaws()
        self.wanted = lru_cache(maxsize=64)(self._wanted)

    def closed(self, own: Readers) -> Readers:
        """The groups that a holder of `own` is in, and `own`. Outsiders are in none, whatever names them."""
        if own <= {PUBLIC}:
            return own
        found = set(own)
        ahead = list(own)
        while ahead:
            for group in self._by_member.get(ahead.pop(), ()):
                if group not in found:
                    found.add(group)
                    ahead.append(group)
        return frozenset(found)

    def is_active(self, email: str) -> bool:
        """False where an export says that the person left, or where one that might say so has never been read."""
        return not email or not (self.anybody_may_have_left or email in self.left)

    def shared(self, owners: Iterable[Readers], candidates: Readers) -> Readers:
        """Those of `candidates` that the holders of each of `owners` have."""
        for own in owners:
            if not candidates:
                break
            candidates &= self.closed(own)
        return candidates

    def _wanted(self, named: Readers, kind: str) -> Readers:
        """Tokens beginning with `kind` that are among `named`, or that make their holder a member of one of them."""
        leading = {
            member
            for member in self._by_member
            if member.startswith(kind) and not named.isdisjoint(self.closed(frozenset({member})))
        }
        return frozenset(leading | {token for token in named if token.startswith(kind)})


def groups_of(
    told: Sequence[Told], *, missing: str = "", unread: bool = False, anybody_may_have_left: bool = False
) -> Groups:
    """All groups closed over each other; what is no list and no file is as in `Groups`."""
    graph = _Graph(told)
    cyclic = frozenset(_on_cycles(graph.nested))
    by_member: dict[str, list[str]] = defaultdict(list)
    for member, token in sorted(graph.memberships):
        if not unread and (token, member) not in cyclic:
            by_member[member].append(token)
    return Groups(
        by_member=dict(by_member),
        defined=graph.definitions.keys(),
        left=graph.people.left,
        unread=unread,
        anybody_may_have_left=anybody_may_have_left,
        missing=missing,
        flaws=Flaws(
            twice=tuple(sorted(graph.twice)),
            cyclic=tuple(sorted(cyclic)),
            undefined=tuple(sorted({member for _, member in graph.nested} - graph.definitions.keys())),
            shared=tuple(sorted(graph.people.shared)),
            unclear=tuple(sorted(graph.unclear.items())),
        ),
    )


class _People:
    """Accounts by their ids, and by their addresses."""

    def __init__(self, told: Sequence[Told]) -> None:
        self.by_id: dict[str, set[Account]] = defaultdict(set)
        self._earlier: set[str] = set()
        owners: dict[str, set[str]] = defaultdict(set)
        for source in told:
            for account in source.export.accounts:
                self.by_id[account.id].add(account)
                for email in account.emails:
                    owners[email].add(account.id)
                if not source.counts:
                    self._earlier.add(account.id)
        accounts = [account for same in self.by_id.values() for account in same]
        self.left = {email for account in accounts if not account.active for email in account.emails}
        self.shared = {email for email, ids in owners.items() if len(ids) > 1}

    def is_of_two(self, token: str) -> bool:
        """Whether it is that of an address that stands for two people."""
        kind, _, email = token.partition(":")
        return kind == "user" and email in self.shared

    def tokens(self, id: str) -> Readers:
        """By which the person with that id is known elsewhere; none where that is not certain."""
        if id in self._earlier or len(self.by_id[id]) != 1:
            return frozenset()
        (account,) = self.by_id[id]
        return frozenset(f"user:{email}" for email in account.emails - self.shared) if account.active else frozenset()


class _Graph:
    """Who is named as a member of what, before cycles are looked for."""

    def __init__(self, told: Sequence[Told]) -> None:
        self.people = _People(told)
        self.definitions: dict[str, list[Group]] = defaultdict(list)
        self._by_id: dict[str, list[str]] = defaultdict(list)
        self.memberships: set[tuple[str, str]] = set()
        """Member, and the group that it is in."""
        self.nested: set[Edge] = set()
        """Every group that is named as a member of another, those too that make nobody a member."""
        self.unclear: dict[str, int] = defaultdict(int)
        for source in told:
            for group in source.export.groups:
                token = group_token(group.name)
                self.definitions[token].append(group)
                if group.id:
                    self._by_id[group.id].append(token)
        self.twice = {token for token, groups in self.definitions.items() if len(groups) > 1}
        self.twice |= {token for tokens in self._by_id.values() if len(tokens) > 1 for token in tokens}
        for source in told:
            for group in source.export.groups:
                self._add(group, counts=source.counts)

    def _add(self, group: Group, *, counts: bool) -> None:
        token = group_token(group.name)
        members: set[str] = set()
        for named in group.tokens:
            member = _normal(named)
            if member and not self.people.is_of_two(member):
                members.add(member)
            else:
                self.unclear[token] += 1
        for reference in group.references:
            members |= self._found(reference, token)
        if group.unclear:
            self.unclear[token] += group.unclear
        self.nested |= {(token, member) for member in members if member.startswith("group:")}
        if counts and token not in self.twice:
            self.memberships |= {(member, token) for member in members}

    def _found(self, reference: Reference, within: str) -> Readers:
        """The tokens of a member that is named by its id."""
        groups, person = self._by_id.get(reference.id), reference.id in self.people.by_id
        if groups and (person or len(groups) > 1 or reference.kind == "user"):
            self.nested |= {(within, token) for token in groups}
        elif groups:
            return frozenset(groups)
        elif person and reference.kind != "group":
            return self.people.tokens(reference.id)
        elif reference.kind != "group" and (email := email_of(reference.id)) and email not in self.people.shared:
            return frozenset({f"user:{email}"})
        self.unclear[within] += 1
        return frozenset()


def _normal(token: str) -> str:
    """A member's token as holders have it, addresses in lower case; empty where nobody can have it."""
    kind, _, name = token.partition(":")
    if kind != "user":
        return token
    email = email_of(name)
    return f"user:{email}" if email else ""


def _on_cycles(edges: Collection[Edge]) -> Iterator[Edge]:
    """Edges within a strongly connected component, by Tarjan's algorithm (SIAM Journal on Computing 1, 1972)."""
    after: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        after[source].append(target)
    found: dict[str, int] = {}
    lowest: dict[str, int] = {}
    component: dict[str, str] = {}
    open_nodes: list[str] = []
    for start in list(after):
        way = [] if start in found else [(start, iter(after[start]))]
        while way:
            node, targets = way[-1]
            if node not in found:
                found[node] = lowest[node] = len(found)
                open_nodes.append(node)
            for target in targets:
                if target not in found:
                    way.append((target, iter(after.get(target, ()))))
                    break
                if target not in component:
                    lowest[node] = min(lowest[node], lowest[target])
            else:
                way.pop()
                if way:
                    lowest[way[-1][0]] = min(lowest[way[-1][0]], lowest[node])
                while lowest[node] == found[node] and node not in component:
                    component[open_nodes.pop()] = node
    return (edge for edge in edges if component[edge[0]] == component[edge[1]])
