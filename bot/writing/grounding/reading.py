"""What a statement says, and what passages hold, taken apart so that the one can be held against the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

from bot.model import Passage
from bot.writing.grounding.figures import Figure, atoms, counted, figures, plain
from bot.writing.grounding.names import Name, acronyms, names
from bot.writing.grounding.negation import negations
from bot.writing.grounding.numerals import COUNTED
from ingest.index.lexical import fold, function_words, runs

LONGEST_WEIGHED = 8
"""Characters beyond which a word weighs no more: long words say more than short ones."""

NO_LETTERS = re.compile(r"[\W_]+")
SENTENCE = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+")
CLAUSE = re.compile(r"(?<=[:;])\s+|(?<=[：；])")


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A content word, or a run of a script without spaces: what it is compared by."""

    terms: frozenset[int]
    grams: frozenset[int]
    weight: float


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a passage, or the question, holds."""

    text: str
    language: str
    folded: str
    latin: bool
    """Whether most of its letters are Latin ones: then names of other languages can be looked for in it."""
    words: frozenset[str]
    terms: frozenset[int]
    grams: frozenset[int]
    atoms: frozenset[str]
    about: frozenset[str]
    """Figures of the heading, and of the date."""
    acronyms: frozenset[str]

    @cached_property
    def clauses(self) -> tuple[tuple[frozenset[int], int], ...]:
        """Terms of the content words of each clause, and how often it negates."""
        said = (clause for sentence in SENTENCE.split(self.text) for clause in CLAUSE.split(sentence))
        found = ((_terms(clause, self.language), clause) for clause in said)
        return tuple((terms, negations(clause, self.language)) for terms, clause in found if terms)

    @cached_property
    def anchors(self) -> tuple[tuple[frozenset[int], frozenset[str]], ...]:
        """Terms and figures of each sentence, and row of a table, that has figures; those of the heading with them."""
        found = ((sentence, atoms(sentence)) for sentence in SENTENCE.split(self.text))
        return tuple((_terms(sentence, self.language), said | self.about) for sentence, said in found if said)


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """What a statement says that can be held against a text."""

    language: str
    figures: tuple[Figure, ...]
    names: tuple[Name, ...]
    words: tuple[Word, ...]
    negations: int
    introduces: bool
    """Whether it ends in a colon."""


@lru_cache(maxsize=1024)
def claim_of(text: str, language: str) -> Claim:
    bare = plain(text)
    return Claim(
        language=language,
        figures=(*figures(text), *counted(bare, language)),
        names=tuple(names(bare, language)),
        words=tuple(_words(bare, language)),
        negations=negations(bare, language),
        introduces=bare.rstrip("*_ \n").endswith((":", "：")),
    )


def _words(text: str, language: str) -> Iterator[Word]:
    """The content words; numbers are compared as figures."""
    functional, numbers = function_words(language), COUNTED.get(language, {})
    for run, words, grams in runs(text, language):
        if run in functional or run in numbers or run.isdigit() or (len(run) == 1 and run.isascii()):
            continue
        weight = float(min(len(run), LONGEST_WEIGHED)) if grams else 2.0 * len(words)
        yield Word(terms=frozenset(words), grams=frozenset(grams or words), weight=weight)


def read_passage(passage: Passage) -> Read:
    return read_text(passage.chunk.heading, passage.text, passage.chunk.language, passage.chunk.updated_at)


@lru_cache(maxsize=512)
def read_text(heading: str, text: str, language: str, updated_at: datetime | None) -> Read:
    whole = f"{heading}\n{text}"
    found = list(runs(whole, language))
    folded = fold(whole)
    return Read(
        text=text,
        language=language,
        folded=folded,
        latin=sum(c.isascii() and c.isalpha() for c in folded) * 2 > sum(c.isalpha() for c in folded),
        words=frozenset(re.findall(r"\w+", folded)),
        terms=frozenset(term for _, words, _ in found for term in words),
        grams=frozenset(gram for _, words, grams in found for gram in (grams or words)),
        atoms=atoms(whole, updated_at),
        about=atoms(heading, updated_at),
        acronyms=acronyms(whole),
    )


@lru_cache(maxsize=1024)
def letters(text: str) -> str:
    """Letters and digits alone, folded: what is the same in both says the same word for word."""
    return NO_LETTERS.sub("", fold(text))


@lru_cache(maxsize=1024)
def sentences(text: str) -> frozenset[str]:
    """The letters of each sentence of a text."""
    return frozenset(map(letters, SENTENCE.split(text)))


def _terms(text: str, language: str) -> frozenset[int]:
    return frozenset[int]().union(*(word.terms for word in _words(text, language)))


@lru_cache(maxsize=4096)
def grams_of(word: str) -> frozenset[int]:
    return frozenset(gram for _, words, grams in runs(word, "und") for gram in (grams or words))
