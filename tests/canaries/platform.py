"""The chat platform of the company: who is on it and in which room is read off the company, at the moment of asking."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.platforms.events import PlatformName, Spot
from bot.platforms.interface import Change, Person, PlatformRefused, Post, Room
from tests.canaries.company import Company, direct_of, person_of
from tests.fixtures.chat import OWN, Clock, FakePlatform, Kept


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Something that was to be seen, and whoever could see it at that moment."""

    where: str
    readers: frozenset[str]
    text: str


class Workplace(FakePlatform):
    """`FakePlatform` with the people and the rooms of a `Company`. It keeps nothing: what keeps things is above it."""

    def __init__(self, company: Company, clock: Clock, *, name: PlatformName = "slack") -> None:
        super().__init__(clock, name=name)
        self.company = company
        self.untellable: set[str] = set()
        """Channels whose members cannot all be told."""
        self.shown: list[Shown] = []
        """Everything that somebody could see, in order."""
        for somebody in company.people.values():
            self.joins(somebody.id, somebody.name, member=somebody.kind == "member")
            self.room_for(direct_of(somebody.id), direct=True)
        for channel in company.channels:
            self.room_for(channel)

    def happened(self, *, person: str = "", channel: str = "") -> None:
        """Tell whoever watches that something about them is different now."""
        self._tell(Change(person=person, channel=channel))

    async def person(self, id: str) -> Person:
        self.called("person")
        somebody = self.company.people.get(id)
        if id != OWN and (somebody is None or somebody.kind == "unknown"):
            raise PlatformRefused(f"there is nobody called {id!r}")
        return self._person(id)

    async def people(self, ids: Collection[str]) -> Mapping[str, Person]:
        self.called("people")
        return {id: self._person(id) for id in ids}

    async def room(self, spot: Spot) -> Room:
        self.called("room")
        readers = self.company.channels.get(spot.channel, set())
        outsiders = any(self.company.people[who].kind in ("guest", "external", "unknown") for who in readers)
        return Room(id=spot.channel, name=f"#{spot.channel}", outsiders=outsiders)

    async def members(self, spot: Spot) -> frozenset[str] | None:
        self.called("members")
        if spot.channel in self.untellable:
            return None
        if spot.channel in self.direct:
            return frozenset({person_of(spot.channel)})
        return self.company.readers_in(spot.channel)

    async def held(self, person: str, tokens: Collection[str]) -> frozenset[str]:
        self.called("held")
        held = set()
        for token in tokens:
            platform, _, name = token.partition(":")
            among = self.company.user_groups.get(name) or self.company.channels.get(name) or {name}
            if platform == self.name and person in among:
                held.add(token)
        return frozenset(held)

    async def whisper(self, spot: Spot, to: str, post: Post, *, respond_to: str = "") -> tuple[str, ...]:
        messages = await super().whisper(spot, to, post, respond_to=respond_to)
        self.shown.append(Shown(where="whisper", readers=frozenset({to}), text=repr(post)))
        return messages

    def _put(self, kept: Kept, text: str, post: Post | None) -> None:
        super()._put(kept, text, post)
        readers = self.company.readers_in(kept.channel)
        self.shown.append(Shown(where="post", readers=readers, text=f"{text} {post!r}"))

    def _person(self, id: str) -> Person:
        somebody = self.company.people.get(id)
        if somebody is None or somebody.kind == "unknown":
            return Person(id=id, name=id, locale=None, member=False)
        member = somebody.kind == "member"
        return Person(id=id, name=somebody.name, locale="en", member=member, email=somebody.email)
