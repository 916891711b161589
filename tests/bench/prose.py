"""Random text that behaves like text: Zipf's law, a long tail of rare words, sections, lists, tables.

The same seed gives the same text.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

QUESTIONS = {
    "en": ("What is the", "How do I", "Who decides about the", "When is the", "Where do I find the"),
    "de": ("Was ist die", "Wie kann ich", "Wer entscheidet über", "Wann ist der", "Wo finde ich die"),
    "fr": ("Quel est le", "Comment puis-je", "Qui décide de la", "Quand est-ce que le", "Où se trouve la"),
}
"""How questions begin."""

LANGUAGES = tuple(QUESTIONS)

LISTS = Path(__file__).with_name("vocabulary")
"""A file of words a language, the most frequent first."""

VOCABULARY = 20_000
"""Words of a language: the listed ones, then compounds of two of them. A vocabulary of a few hundred words would make
every term of a question match every passage."""

SHIFT = 2.7
"""Mandelbrot's correction: the word of rank r appears with a frequency of 1 / (r + 2.7)."""


@lru_cache
def _vocabulary(language: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The words of a language and their cumulated weights."""
    chance = random.Random(language)
    words = dict.fromkeys((LISTS / f"{language}.txt").read_text(encoding="utf-8").split())
    parts = [word.lower() for word in words if len(word) > 3]
    while len(words) < VOCABULARY:
        compound = "".join(chance.sample(parts, 2))
        words[compound.capitalize() if language == "de" else compound] = None
    return tuple(words), tuple(accumulate(1 / (rank + SHIFT) for rank in range(1, VOCABULARY + 1)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A heading and what stands below it; `items` and `rows` may be empty."""

    heading: str
    paragraphs: tuple[str, ...]
    items: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """A table, its header first."""

    @property
    def size(self) -> int:
        """Characters of text."""
        cells = sum(len(cell) for row in self.rows for cell in row)
        return len(self.heading) + sum(map(len, self.paragraphs)) + sum(map(len, self.items)) + cells


@dataclass(frozen=True, kw_only=True, slots=True)
class Article:
    """What every format is written from."""

    title: str
    sections: tuple[Section, ...]

    @property
    def size(self) -> int:
        """Characters of text."""
        return len(self.title) + sum(section.size for section in self.sections)


class Prose:
    """An endless supply of text in one language."""

    def __init__(self, seed: str, language: str) -> None:
        self._chance = random.Random(seed)
        self._words, self._weights = _vocabulary(language)
        self._questions = QUESTIONS[language]

    def words(self, count: int) -> list[str]:
        return self._chance.choices(self._words, cum_weights=self._weights, k=count)

    def heading(self) -> str:
        """A few of the rarer words."""
        picked = self._chance.sample(range(60, 3000), self._chance.randint(2, 4))
        return " ".join(self._words[rank] for rank in picked).capitalize()

    def sentence(self) -> str:
        words = self.words(self._chance.randint(6, 22))
        if self._chance.random() < 0.15:
            words[-1] = str(self._chance.randint(1, 3000))
        return " ".join(words).capitalize() + "."

    def paragraph(self) -> str:
        return " ".join(self.sentence() for _ in range(self._chance.randint(2, 7)))

    def passage(self, characters: int) -> str:
        """Paragraphs of together at least so many characters."""
        paragraphs = [self.paragraph()]
        while sum(map(len, paragraphs)) < characters:
            paragraphs.append(self.paragraph())
        return "\n\n".join(paragraphs)

    def question(self, passage: str) -> str:
        """A question in words of `passage`: a few that stand together, as a person would remember them."""
        words = passage.replace(".", "").split()
        length = self._chance.randint(4, 8)
        start = self._chance.randrange(max(1, len(words) - length))
        return f"{self._chance.choice(self._questions)} {' '.join(words[start : start + length])}?"

    def row(self) -> tuple[str, ...]:
        """Name, description, amount, date: a line of a spreadsheet."""
        chance = self._chance
        amount = f"{chance.uniform(1, 9000):.2f}"
        day = f"{chance.randint(2019, 2026)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        return self.heading(), " ".join(self.words(chance.randint(4, 12))), amount, day

    def section(self) -> Section:
        chance = self._chance
        return Section(
            heading=self.heading(),
            paragraphs=tuple(self.paragraph() for _ in range(chance.randint(1, 4))),
            items=tuple(self.sentence() for _ in range(chance.choice((0, 0, 4, 6)))),
            rows=tuple(self.row() for _ in range(chance.choice((0, 0, 0, 6)))),
        )

    def article(self, characters: int) -> Article:
        """At least so many characters of text."""
        sections = [self.section()]
        while sum(section.size for section in sections) < characters:
            sections.append(self.section())
        return Article(title=self.heading(), sections=tuple(sections))


def articles(seed: str, count: int, *, smallest: int, largest: int) -> Iterator[Article]:
    """`count` different articles, in turn in each language; sizes in characters, small ones more frequent."""
    chance = random.Random(seed)
    for number in range(count):
        prose = Prose(f"{seed} {number}", LANGUAGES[number % len(LANGUAGES)])
        yield prose.article(int(smallest * (largest / smallest) ** chance.random()))
