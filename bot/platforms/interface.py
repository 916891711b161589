"""What every platform shows the same way: the sources under an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

from bot.model import Passage
from bot.phrases import Say

AddressOf = Callable[[Passage], str]
"""Where a reader of this platform opens a passage's document, empty if nowhere; never an address that a model wrote."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One line under an answer."""

    number: int
    title: str
    place: tuple[str, ...]
    """Heading path, page and date, whichever there are; apart, as they may be of different scripts."""
    url: str
    """Empty when the document cannot be opened from here."""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def sources(passages: Iterable[Passage], *, language: str, say: Say, address_of: AddressOf) -> tuple[Source, ...]:
    """What cited passages show of themselves in `language`, in the order given."""
    return tuple(
        Source(
            number=passage.number,
            title=passage.chunk.title,
            place=tuple(_place(passage, language, say)),
            url=address_of(passage),
        )
        for passage in passages
    )


def _place(passage: Passage, language: str, say: Say) -> Iterator[str]:
    chunk = passage.chunk
    if chunk.headings:
        yield " › ".join(chunk.headings)
    if chunk.page is not None:
        yield say(language, "page", page=chunk.page)
    if chunk.updated_at is not None:
        yield say(language, "updated", date=chunk.updated_at.date())
