"""The languages that most of the documents are written in: those in which a question is searched for, too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bot.counted import Counted

MAIN_SHARE = 0.1
"""Share of the documents from which on their language is a main one."""

MOST_LANGUAGES = 4
"""Main languages; each one costs a question about twenty tokens and a search."""

UNKNOWN = "und"
"""Language of a document whose text does not tell it (ISO 639-2)."""


class MainLanguages:
    """Tells them, from a count that is a minute old at most. `count` tells how many documents there are by language."""

    def __init__(self, count: Callable[[], Awaitable[Mapping[str, int]]]) -> None:
        self._documents: Counted[Mapping[str, int]] = Counted(count, before={}, what="languages of documents")

    async def __call__(self) -> tuple[str, ...]:
        """ISO 639-1 codes, that of most documents first; as counted before, where they cannot be counted now."""
        return main(await self._documents())


def main(documents: Mapping[str, int]) -> tuple[str, ...]:
    """The main ones of the languages that so many documents are written in, that of most documents first."""
    least = MAIN_SHARE * sum(documents.values())
    found = [language for language, count in documents.items() if language != UNKNOWN and count >= max(least, 1)]
    return tuple(sorted(found, key=lambda language: (-documents[language], language))[:MOST_LANGUAGES])
