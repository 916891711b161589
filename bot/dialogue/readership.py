"""Who asks and who reads, as reader tokens of this moment; and whether they may still be told what was written."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from bot.access.interface import Access, Act, Allows, Deed, More, Note
from bot.audience import OUTSIDER
from bot.model import Basis
from bot.platforms.events import Spot
from ingest.model import Readers

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """Who asks, and who will read the answer."""

    own: Readers
    """What the asker holds."""
    shared: Readers | None
    """What everybody holds who can read the answer; None where the asker alone does."""
    unsure: bool = False
    """Whether the asker alone reads the answer, and may hold more than could be learned."""

    @property
    def tokens(self) -> Readers:
        """What every reader of the answer holds."""
        return self.own if self.shared is None else self.shared


@dataclass(frozen=True, kw_only=True)
class Readership:
    """What the dialogue asks about access, and where it notes what people did about it."""

    access: Access
    allows: Allows
    more: More
    note: Note
    offer: bool = True
    """As `AccessSettings.offer`."""
    disclose: bool = True
    """As `AccessSettings.disclose`."""

    async def of(self, spot: Spot, asker: str, *, alone: bool) -> Audience:
        """Who reads what `asker` is answered in `spot`; `alone`: nobody else does. Raises as `Access` does."""
        held = await self.access.asker(spot, asker)
        own = held.tokens | OUTSIDER
        if held.missing:
            logger.warning("somebody in %s may hold more than is known: %s", spot.lane, held.missing)
        if alone or spot.direct:
            return Audience(own=own, shared=None, unsure=bool(held.missing))
        here = await self.access.readers(spot)
        if here.missing:
            logger.warning("those in %s may hold more than is known: %s", spot.lane, here.missing)
        return Audience(own=own, shared=(here.tokens & own) | OUTSIDER)

    async def may_read(self, basis: Basis | None, tokens: Readers) -> bool:
        """Whether a holder of `tokens` may read all of `basis` now. What rests on nobody knows what, nobody may."""
        return basis is not None and (not basis or basis <= await self.allows(basis, tokens))

    async def noted(self, deed: Deed, spot: Spot, by: str, *, answer: str, passed: Basis = frozenset()) -> None:
        """Write down what `by` did about the answer of a trace id. Raises what a database raises."""
        who = spot.asker(by)
        await self.note(Act(deed=deed, by=who, platform=spot.platform, place=spot.lane, passed=passed, answer=answer))
