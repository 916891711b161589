"""Answers without a model: the sentences of the passages that say most of what was asked, quoted and cited.

A term of the question (a word, a 4-gram) is worth its inverse document frequency over the passages given. A passage is
worth what it holds of the question, its headings included, what its best sentence holds, and its place in the ranking;
a sentence what it holds itself. An older version is quoted behind the newer one. When no passage has a word of the
question, and the best one little of its 4-grams, nothing is quoted.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass

from bot.llm.interface import Prompt
from bot.model import Passage
from bot.prompting import NOT_FOUND
from ingest.function_words import FUNCTION_WORDS
from ingest.index.lexical import GRAM_WEIGHT, encode_query
from ingest.model import Chunk

LEAST_COVERAGE = 0.27
"""Share of the question's worth that the best passage must hold when no passage has any of its words.

Where one has, it is quoted: words cannot tell whether it answers. Asking more of the words refused, on the demo's
questions, four of 63 answerable ones for every one of 15 unanswerable ones.
"""

COMMON_WORTH = 0.5
"""What a term is worth that every passage holds, beside 3 for one that none holds: they may all be about it."""

PLACE_WORTH = 1.0
"""What the first place in the ranking is worth, the second half of it, the third a third, beside at most 2 for all of
the question in one sentence. Without it, the first quotation is of a document that answers for 28 % of the questions to
a French help desk (with it 55), 79 % of the demo's (86), 91 to 94 % of XQuAD's in five languages (93 to 95)."""

SHARE_OF_BEST = 0.55
"""A further passage is quoted when it is worth at least this much of the best one."""

QUOTED_PASSAGES = 3
"""A reader skims three quotations; the search page of a fourth is no answer."""

QUOTED_CHARACTERS = 420
"""Length of one quotation, about four lines."""

SENTENCE = re.compile(r"(?<=[.!?…])(?<!\b[^\W\d_]\.)(?<!\b[A-Z][a-z]\.)\s+(?=[^\s\d)])|(?<=[。！？])")
"""Between sentences; an initial and a title of two letters ("Dr.", "St.", "Nr.") end none."""
WORD = re.compile(r"[^\s'’?!.,;:()\"«»„“”]+['’]?")
HEADING = re.compile(r"^#{1,6}\s")
TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sentence:
    """A sentence, list item or table row."""

    text: str
    terms: frozenset[int]
    """Those of the question that it holds; a table row has those of the table's header too."""
    block: int
    """Number of the line it stands on: sentences of one line are quoted together."""
    header: str | None
    """For a table row: the table's header and rule, quoted above it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Read:
    """A passage and what it holds of the question."""

    number: int
    sentences: tuple[_Sentence, ...]
    terms: frozenset[int]
    """Of the sentences and of the headings above them."""


class ExtractiveWriter:
    """Quotes instead of writing. `introduction` is the line before the quotations, in a language."""

    name = "extractive"

    def __init__(self, *, introduction: Callable[[str], str]) -> None:
        self._introduction = introduction

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """The introduction, then one quotation a piece; `NOT_FOUND` when no passage says enough."""
        quotations = quote(prompt.question, prompt.passages, prompt.language)
        if not quotations:
            yield NOT_FOUND
            return
        yield self._introduction(prompt.language)
        for number, lines in quotations:
            yield "\n\n" + "\n".join(f"> {line}" for line in lines) + f"\n>\n> [{number}]"

    async def close(self) -> None:
        """Nothing is held."""


def quote(question: str, passages: Sequence[Passage], language: str) -> list[tuple[int, list[str]]]:
    """Number and quoted lines of the passages that answer best, best first; empty when none says enough."""
    weights = dict(zip(*_vector(_content(question, language), language), strict=True))
    read = [_read(passage, frozenset(weights)) for passage in passages]
    worth = _worth_of_terms(weights, read)
    whole = sum(worth.values())
    shares = {passage.number: _worth(passage.terms, worth) / whole for passage in read if passage.sentences}
    words = {term for term, weight in weights.items() if weight > GRAM_WEIGHT}
    named = any(passage.terms & words for passage in read)
    if not shares or (max(shares.values()) < LEAST_COVERAGE and not named):
        return []
    merits = {
        passage.number: PLACE_WORTH / place
        + shares[passage.number]
        + max(_worth(s.terms, worth) for s in passage.sentences) / whole
        for place, passage in enumerate(read, start=1)
        if passage.number in shares
    }
    _put_behind_newer(merits, passages)
    best = max(merits.values())
    quoted = sorted(merits, key=lambda number: (-merits[number], number))[:QUOTED_PASSAGES]
    sentences = {passage.number: passage.sentences for passage in read}
    return [(number, _window(sentences[number], worth)) for number in quoted if merits[number] >= best * SHARE_OF_BEST]


def _put_behind_newer(merits: dict[int, float], passages: Sequence[Passage]) -> None:
    """No older version is worth more than what replaces it; of equals the first of the ranking goes first."""
    newer = {passage.chunk.id: merits[passage.number] for passage in passages if passage.number in merits}
    for passage in passages:
        if passage.number in merits and passage.newer in newer:
            merits[passage.number] = min(merits[passage.number], newer[passage.newer])


def _read(passage: Passage, terms: frozenset[int]) -> _Read:
    chunk = passage.chunk
    above = _terms(" ".join((chunk.title, *chunk.headings)), chunk.language) & terms
    sentences = tuple(_sentences(chunk, terms))
    return _Read(
        number=passage.number, sentences=sentences, terms=above.union(*(sentence.terms for sentence in sentences))
    )


def _sentences(chunk: Chunk, terms: frozenset[int]) -> Iterator[_Sentence]:
    lines = chunk.text.splitlines()
    header: str | None = None
    for block, line in enumerate(lines):
        if not line.strip() or TABLE_RULE.match(line):
            continue
        in_table = line.lstrip().startswith("|")
        if in_table and block + 1 < len(lines) and TABLE_RULE.match(lines[block + 1]):
            header = f"{line}\n{lines[block + 1]}"
            continue
        if not in_table:
            header = None
        whole = in_table or HEADING.match(line)
        for piece in [line.strip()] if whole else SENTENCE.split(line.strip()):
            held = _terms(f"{header or ''} {piece}", chunk.language) & terms
            yield _Sentence(text=piece, terms=held, block=block, header=header)


def _content(question: str, language: str) -> str:
    """The words of the question that name something: "how many" is in no answer."""
    words = [word for word in WORD.findall(question) if word.lower() not in FUNCTION_WORDS.get(language, ())]
    return " ".join(words) or question


def _vector(text: str, language: str) -> tuple[tuple[int, ...], tuple[float, ...]]:
    vector = encode_query(text, language)
    return vector.indices, vector.values


def _terms(text: str, language: str) -> frozenset[int]:
    return frozenset(encode_query(text, language).indices)


def _worth_of_terms(weights: dict[int, float], read: Sequence[_Read]) -> dict[int, float]:
    """BM25's inverse document frequency over the passages and `COMMON_WORTH`, times the weight in the question."""
    counts = Counter(term for passage in read for term in passage.terms)
    return {
        term: weight * (COMMON_WORTH + math.log(1 + (len(read) - counts[term] + 0.5) / (counts[term] + 0.5)))
        for term, weight in weights.items()
    }


def _worth(terms: frozenset[int], worth: dict[int, float]) -> float:
    return sum(worth[term] for term in terms)


def _window(sentences: Sequence[_Sentence], worth: dict[int, float]) -> list[str]:
    """The best sentence and its neighbours, the better one first, up to the length of a quotation; as lines."""
    best = max(range(len(sentences)), key=lambda index: (_worth(sentences[index].terms, worth), -index))
    first = last = best
    length = len(sentences[best].text)
    while True:
        beside = [index for index in (first - 1, last + 1) if 0 <= index < len(sentences)]
        beside = [
            index
            for index in beside
            if length + len(sentences[index].text) <= QUOTED_CHARACTERS and not HEADING.match(sentences[index].text)
        ]
        if not beside:
            break
        # What follows explains more often than what goes before.
        taken = max(beside, key=lambda index: (_worth(sentences[index].terms, worth), index))
        first, last = min(first, taken), max(last, taken)
        length += len(sentences[taken].text)
    return _lines(sentences[first : last + 1])


def _lines(sentences: Sequence[_Sentence]) -> list[str]:
    lines: list[str] = []
    previous: _Sentence | None = None
    for sentence in sentences:
        if previous is not None and previous.header != sentence.header:
            lines.append("")
        if sentence.header and (previous is None or previous.header != sentence.header):
            lines += sentence.header.splitlines()
        if previous is not None and previous.block == sentence.block and not sentence.header:
            lines[-1] += " " + sentence.text
        else:
            lines.append(HEADING.sub("", sentence.text))
        previous = sentence
    return lines
