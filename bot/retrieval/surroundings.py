"""What stands around the best passages in their documents, as far as the budget lets the writer read it.

Each passage, unless a newer version of it is there, may bring the chunk behind it, the one before it and, where it
stands below a heading of a heading, the introduction of the section that it belongs to. The best passages choose first,
and nothing is taken twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.model import Passage
from bot.retrieval.versions import words
from ingest.chunk import estimate_tokens
from ingest.model import Chunk, DocumentId, Readers

Place = tuple[str, DocumentId, int]
"""Source, document, position."""

Neighbours = Callable[[Sequence[tuple[str, DocumentId, range]], Readers], Awaitable[list[Chunk]]]
"""The chunks at these positions that the holder of these tokens may read now, in no set order, by the ledger."""

LOOK_BACK = 8
"""Chunks before a passage among which the introduction of its section is looked for; a section that is longer than that
is hardly introduced by its beginning."""

DEEP = 2
"""Headings above a passage from which on it is below a section that may have an introduction."""

LEAST_TOKENS = 40
"""Room below which nothing is read: less than the shortest chunk takes."""


def within(passages: Sequence[Passage], tokens: int) -> tuple[Passage, ...]:
    """The first `passages`, as many as take at most `tokens` with their headings; the first one in any case."""
    kept: list[Passage] = []
    for passage in passages:
        tokens -= estimate_tokens(passage.chunk.indexed_text)
        if tokens < 0 and kept:
            break
        kept.append(passage)
    return tuple(kept)


async def surrounded(
    passages: Sequence[Passage], *, neighbours: Neighbours, own: Sequence[Chunk], visible_to: Readers, tokens: int
) -> tuple[Passage, ...]:
    """`passages` with what stands around them, all together within `tokens`.

    `own` are the chunks of the conversation's files, which `neighbours` does not know.
    """
    room = tokens - sum(estimate_tokens(passage.chunk.indexed_text) for passage in passages)
    if room < LEAST_TOKENS:
        return tuple(passages)
    owned = {(chunk.source, chunk.document) for chunk in own}
    current = [passage.chunk for passage in passages if passage.newer is None]
    asked = [_stretch(chunk) for chunk in current if (chunk.source, chunk.document) not in owned]
    around = await neighbours(asked, visible_to) if asked else []
    return _placed(passages, {_place(chunk): chunk for chunk in (*own, *around)}, room)


@dataclass(slots=True)
class _Room:
    """What is left of the budget, and what has been taken."""

    tokens: int
    taken: set[Place]
    said: set[str]

    def take(self, chunk: Chunk | None, beside: Chunk) -> str:
        """What the writer reads of `chunk` next to `beside`; empty where there is none, no room, or nothing new."""
        if chunk is None or _place(chunk) in self.taken or words(chunk) in self.said:
            return ""
        place = " › ".join(chunk.headings) or chunk.title
        text = chunk.text if chunk.headings == beside.headings else f"{place}\n{chunk.text}"
        needed = estimate_tokens(text)
        if needed > self.tokens:
            return ""
        self.tokens -= needed
        self.taken.add(_place(chunk))
        self.said.add(words(chunk))
        return text


def _placed(passages: Sequence[Passage], known: Mapping[Place, Chunk], tokens: int) -> tuple[Passage, ...]:
    room = _Room(
        tokens=tokens,
        taken={_place(passage.chunk) for passage in passages},
        said={words(passage.chunk) for passage in passages},
    )
    surrounded: list[Passage] = []
    for passage in passages:
        if passage.newer is not None:
            surrounded.append(passage)
            continue
        chunk = passage.chunk
        source, document, position = _place(chunk)
        after = room.take(known.get((source, document, position + 1)), chunk)
        previous = room.take(known.get((source, document, position - 1)), chunk)
        introduction = room.take(_introduction(chunk, known), chunk)
        before = "\n\n".join(part for part in (introduction, previous) if part)
        surrounded.append(replace(passage, before=before, after=after))
    return tuple(surrounded)


def _introduction(chunk: Chunk, known: Mapping[Place, Chunk]) -> Chunk | None:
    """The first chunk of the section that `chunk` is in a part of, where it stands before all parts."""
    if len(chunk.headings) < DEEP:
        return None
    path = chunk.headings[:-1]
    first: Chunk | None = None
    for position in range(chunk.position - 1, chunk.position - 1 - LOOK_BACK, -1):
        earlier = known.get((chunk.source, chunk.document, position))
        if earlier is None or earlier.headings[: len(path)] != path:
            break
        first = earlier
    return first if first is not None and first.headings == path else None


def _stretch(chunk: Chunk) -> tuple[str, DocumentId, range]:
    back = LOOK_BACK if len(chunk.headings) >= DEEP else 1
    return chunk.source, chunk.document, range(max(0, chunk.position - back), chunk.position + 2)


def _place(chunk: Chunk) -> Place:
    return chunk.source, chunk.document, chunk.position
