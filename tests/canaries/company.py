"""The people, groups and channels of a company, as anybody can read them off a page; and who holds what by them.

Nothing here is taken from the product: `Company.may_read` is the oracle that every output is held against. It may be
changed while a test goes on, as a company is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from tests.canaries.library import Paper, library, owners

Kind = Literal["member", "guest", "external", "deactivated", "unknown"]

MANY_GROUPS = 10_000


@dataclass(kw_only=True)
class Somebody:
    """A person on the chat platform."""

    id: str
    name: str
    kind: Kind = "member"
    email: str = ""

    @property
    def token(self) -> str:
        return f"user:{self.email}"


@dataclass(kw_only=True)
class Company:
    """Who is who, who is where, and who belongs to what. Whoever changes it calls `changed`."""

    people: dict[str, Somebody]
    groups: dict[str, set[str]]
    """The company's own groups, by name: tokens `user:EMAIL`, `group:NAME` of other groups, tokens of the platform."""
    user_groups: dict[str, set[str]]
    """Of the platform (`S…`): ids of people."""
    channels: dict[str, set[str]]
    """Ids of people by channel."""
    keys: dict[str, frozenset[str]]
    """API keys of the web surface and what they are given."""
    platform: str = "slack"
    papers: dict[tuple[str, str], Paper] = field(default_factory=lambda: {paper.key: paper for paper in library()})
    """By source and id, those that there are."""
    revoked: set[tuple[str, str]] = field(default_factory=set)
    said: dict[str, set[str]] = field(default_factory=dict)
    """Word -> the channels in which people have said it themselves, or put a file that holds it."""
    _known: dict[str, frozenset[str]] = field(default_factory=dict)
    _held: dict[str, frozenset[str]] = field(default_factory=dict)
    _groups_of: dict[str, list[str]] = field(default_factory=dict)

    def changed(self) -> None:
        self._held.clear()
        self._groups_of.clear()

    def may_read(self, who: str, key: tuple[str, str]) -> bool:
        """Whether `who` may read that document now: the id of a person, `key:NAME`, or `console`."""
        paper = self.papers.get(key)
        return paper is not None and key not in self.revoked and bool(paper.readers & self.holds(who))

    def may_see(self, who: str, word: str) -> bool:
        """Whether `who` may come across the word."""
        if word in self._known.get(who, ()) or any(self.may_read(who, key) for key in owners().get(word, ())):
            return True
        return any(who in self.readers_in(channel) for channel in self.said.get(word, ()))

    @contextmanager
    def knowing(self, words: Iterable[str], *people: str) -> Iterator[None]:
        """While it is going on, these people know these words: they have typed them, or read them in a question."""
        before = self._known
        self._known = {who: before.get(who, frozenset()) | frozenset(words) for who in {*before, *people}}
        try:
            yield
        finally:
            self._known = before

    def holds(self, who: str) -> frozenset[str]:
        """Every token that `who` has a right to."""
        if who not in self._held:
            self._held[who] = self._all_of(who)
        return self._held[who]

    def readers_in(self, channel: str) -> frozenset[str]:
        """Everybody who reads what is posted there."""
        if channel not in self.channels:
            return frozenset({person_of(channel)})
        return frozenset(who for who in self.channels[channel] if self.people[who].kind != "deactivated")

    def _all_of(self, who: str) -> frozenset[str]:
        if who == "console":
            return frozenset({"public", "everyone"})
        if who.startswith("key:"):
            return frozenset({"public"}) | self.keys[who.removeprefix("key:")]
        person = self.people.get(who)
        if person is None or person.kind != "member":
            return frozenset({"public"})
        held = {"public", "everyone", f"{self.platform}:{who}"}
        if person.email:
            held.add(person.token)
        held |= {f"{self.platform}:{group}" for group, members in self.user_groups.items() if who in members}
        held |= {f"{self.platform}:{channel}" for channel, members in self.channels.items() if who in members}
        return self._with_groups(held)

    def _with_groups(self, held: set[str]) -> frozenset[str]:
        if not self._groups_of:
            for name, members in self.groups.items():
                for token in members:
                    self._groups_of.setdefault(token, []).append(group_token(name))
        to_do = list(held)
        while to_do:
            for group in self._groups_of.get(to_do.pop(), ()):
                if group not in held:
                    held.add(group)
                    to_do.append(group)
        return frozenset(held)


def direct_of(person: str) -> str:
    """The channel in which the person is alone with the bot."""
    return person.replace("U", "D", 1)


def person_of(direct: str) -> str:
    return direct.replace("D", "U", 1)


def group_token(name: str) -> str:
    """As documents name a group."""
    return "group:" + unicodedata.normalize("NFC", name).lower().replace(" ", "%20")


def company() -> Company:
    """45 people, four keys and whoever works at the machine: fifty principals."""
    people = {f"U{number:02}": Somebody(id=f"U{number:02}", name=f"Person {number}") for number in range(1, 46)}
    for number, person in enumerate(people.values(), start=1):
        person.email = f"p{number:02}@example.org"
    for number in (34, 35, 36, 37, 38):
        people[f"U{number}"].kind = "guest"
    for number in (39, 40, 41):
        people[f"U{number}"].kind = "external"
    for number in (42, 43):
        people[f"U{number}"].kind = "deactivated"
    for number in (44, 45):
        people[f"U{number}"].kind = "unknown"
    people["U33"].email = ""  # a member whose address the platform does not vouch for
    return Company(
        people=people,
        groups=_groups(people),
        user_groups={
            "S1": {f"U{number:02}" for number in range(3, 9)} | {"U36"},
            "S2": {"U01", "U10", "U34", "U42"},
            "S3": set(),
        },
        channels=_channels(people),
        keys={
            "intranet": frozenset({"everyone"}),
            "finance": frozenset({"everyone", "group:finance"}),
            "kiosk": frozenset({"public"}),
            "board": frozenset({"everyone", "group:board", "group:finance"}),
        },
    )


def small() -> Company:
    """The company without its ten thousand groups, for tests in which groups change and are read anew each time."""
    made = company()
    made.groups = {name: members for name, members in made.groups.items() if not name.startswith("g0")}
    return made


def _groups(people: dict[str, Somebody]) -> dict[str, set[str]]:
    def users(*numbers: int) -> set[str]:
        return {f"user:p{number:02}@example.org" for number in numbers}

    groups = {
        # Guests, strangers and the deactivated are named too: it gives them nothing.
        "finance": {"group:accounting", *users(1, 2, 34, 39, 42)},
        "accounting": users(3, 4, 5, 35, 44),
        "board": users(1, 6),
        "leads": {"slack:S1", *users(9)},
        "loop a": {"group:loop%20b", *users(10)},
        "loop b": {"group:loop%20a", *users(11, 36)},
        "Größe Süd": users(12, 13),
        "Ghosts": {"user:nobody@example.org", "group:never-heard-of"},
        "Empty": set(),
        "Deep 3": {"group:deep%202"},
        "Deep 2": {"group:deep%201"},
        "Deep 1": users(14),
    }
    groups |= {f"g{number:05}": users(15) for number in range(MANY_GROUPS)}
    return groups


def _channels(people: dict[str, Somebody]) -> dict[str, set[str]]:
    """From a room of two to one that everybody is in, strangers among them."""

    def those(*numbers: int) -> set[str]:
        return {f"U{number:02}" for number in numbers}

    return {
        "C1": those(*range(1, 34)),  # all members
        "C2": those(1, 2, 3, 4, 5),  # finance alone
        "C3": those(1, 6),  # the board
        "C4": those(1, 2, 34),  # a guest among finance
        "C5": those(1, 3, 39, 42),  # a stranger, and somebody who left
        "C6": those(3, 4, 5, 6, 7, 8),  # a user group, and so its leads
        "C7": set(people),  # everybody
        "C8": those(10, 11),  # groups that hold each other
        "C9": those(15, 16, 33),  # ten thousand groups beside none
    }
