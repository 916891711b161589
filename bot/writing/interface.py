"""What the checks of a written text are, and how a piece of writing ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.model import Passage

UnitKind = Literal["prose", "heading", "row", "code", "quote", "blank"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """The smallest piece of a text that is shown or left out as a whole.

    The units of a text, joined, are the text: a unit keeps the white space and line ends behind it.
    """

    text: str
    kind: UnitKind
    """`prose`: a sentence, or a list item's; `row`: a line of a table, its rule too; `code`: a whole fenced block;
    `quote`: a line of a block quotation; `blank`: white space alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Supported:
    """What a checker says of one statement."""

    holds: bool
    by: tuple[int, ...] = ()
    """Numbers of the passages that support it, best first; of a statement that needs no support, none."""
    why: str = ""
    """In a few English words, for `bot explain`: `the number 18 is in no cited passage`."""


class SupportChecker(Protocol):
    """Says whether statements are supported by passages; a lexical one, or a model."""

    name: str

    async def check(
        self, statements: Sequence[Statement], passages: Sequence[Passage], *, question: str, language: str
    ) -> list[Supported]:
        """One verdict a statement, in order. Raises `ModelUnavailable`, `ModelMisconfigured`."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """A sentence of an answer."""

    text: str
    """Without its citations."""
    cited: tuple[int, ...]
    """Numbers of the passages that it cites, as the writer was given them; empty: it is held against all of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """The last thing that comes of a piece of writing, after its text."""

    how: Literal["written", "not_found", "unsupported", "wrong_language"]
    """`not_found`: the model said so, or wrote nothing; `unsupported`: nothing that it wrote was supported;
    `wrong_language`: neither a second attempt nor a translation was in the asked language. In the last three nothing
    was shown, but for `wrong_language` what had been shown before stays."""
    removed: int = 0
    """Statements left out because no passage supports them."""
    missing: tuple[str, ...] = ()
    """What the model says the passages do not tell (its lines that begin with `MISSING:`), for a note."""
