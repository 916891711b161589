"""Support without a model: every figure and name of a statement stands in its passages, and most of its words do.

What passages say is read generously and what a statement says strictly, so that a true statement is seldom left out.
Where statement and passage are in different languages, figures and codes decide, and names where they can be compared;
words then count only as far as they share their roots.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from bot.model import Passage
from bot.writing.grounding.figures import supported
from bot.writing.grounding.names import Name
from bot.writing.grounding.reading import (
    Claim,
    Read,
    Word,
    claim_of,
    grams_of,
    letters,
    read_passage,
    read_text,
    sentences,
)
from bot.writing.interface import Statement, Supported
from ingest.index.lexical import fold

LEAST_SHARE = 0.5
"""Share of a statement's words, by weight, that its passages or the question must hold in the same language.

Chosen on half of the articles of XQuAD in five languages. On the other half, of sentences held against their own
paragraph 99.2 to 100 in a hundred hold, of the same with words left out and clauses turned round 98 to 99; against
another paragraph of their article 0 to 2.5, with one number changed 0 to 3. At 0.4 twice as many hold that should not.
"""

LEAST_SHARE_ANCHORED = 0.25
"""The same where one sentence, or row of a table, of a passage has every figure of the statement and one of its words.

With two figures or more, any share will do: rows of tables are put into sentences whose other words are the writer's.
"""

LEAST_SHARE_ABROAD = 0.0
"""The same where the languages differ: there words decide nothing, as true statements may share none."""

LEAST_NAMES_ABROAD = 0.4
"""Share of the names that must be found where the languages differ: many are translated.

With this and the next, on the same sentences held against their paragraph in another of the languages, 94 to 98 in a
hundred hold, with one number changed 0 to 3, and against another paragraph of the article 48 to 67."""

LOST_ABROAD = 3
"""Names that must be missing, at least, for that to count."""

KNOWN_GRAMS = 0.5
"""Share of a word's 4-grams that must be known for the word to count as found in another form or a compound."""

CLAIM_WORDS = 2
"""Content words up to which a statement without figures and names claims nothing."""

INTRODUCTION_WORDS = 5
"""The same for a statement that ends in a colon: it introduces what follows."""

ALIKE = 0.8
"""Share of their words, either way, that two sentences have in common of which one may say the other's opposite."""

COVERED_WORDS = 3
"""Words of a clause that negates, at least, all of which stand in a statement that never negates: its opposite."""

OWN_SHARE = 0.75
"""Share of the best passage's merit that another passage needs to be named beside it."""

LITERAL, LONG_LITERAL = 20, 80
"""Letters from which on a sentence of a passage, or any piece of it, says what it says there, and is no chance."""

WHOLE_SHARE, FAR = 0.9, 0.25
"""Share of a statement's words in a passage that it does not cite, and how much more that is than in those it cites,
from which on it is taken from there: measured on citations put behind the wrong one of three sentences."""

THREAD_CHARACTERS = 4000
"""Characters of passages that were not read yet above which they are read on a thread."""


class LexicalSupport:
    """Holds statements against passages; about half a millisecond each once the passages are read."""

    name = "lexical"

    async def check(
        self, statements: Sequence[Statement], passages: Sequence[Passage], *, question: str, language: str
    ) -> list[Supported]:
        if not statements:
            return []
        if sum(len(passage.text) for passage in passages) > THREAD_CHARACTERS:
            return await asyncio.to_thread(supports, statements, passages, question=question, language=language)
        return supports(statements, passages, question=question, language=language)

    async def close(self) -> None:
        """Holds nothing open."""


def supports(
    statements: Sequence[Statement],
    passages: Sequence[Passage],
    *,
    question: str,
    language: str,
    by_words: bool = True,
) -> list[Supported]:
    """One verdict a statement; by figures and names alone where `by_words` is false."""
    asked = read_text("", question, language, None)
    by_number = {passage.number: passage for passage in passages}
    verdicts = []
    for statement in statements:
        numbers = [number for number in statement.cited if number in by_number] or list(by_number)
        if literal := _literally(statement, by_number):
            cited = tuple(number for number in literal if number in numbers)
            why = "" if cited else f"stands word for word in {list(literal)}, which it does not cite"
            verdicts.append(Supported(holds=bool(cited), by=cited, why=why))
            continue
        read = {number: read_passage(by_number[number]) for number in numbers}
        claim = claim_of(statement.text, language)
        verdict = _verdict(claim, read, asked, by_words=by_words)
        if verdict.holds and statement.cited and (better := _better_source(claim, read, by_number, asked)):
            verdict = Supported(holds=True, by=(better,))
        verdicts.append(verdict)
    return verdicts


def _literally(statement: Statement, by_number: dict[int, Passage]) -> tuple[int, ...]:
    """The passages that hold a statement word for word, as a whole sentence or as a long piece of their text."""
    said = letters(statement.text)
    if len(said) < LITERAL:
        return ()
    return tuple(
        number
        for number, passage in sorted(by_number.items())
        if said in letters(passage.text) and (len(said) >= LONG_LITERAL or said in sentences(passage.text))
    )


def _better_source(claim: Claim, cited: dict[int, Read], by_number: dict[int, Passage], asked: Read) -> int:
    """The passage that holds all but every word of a statement, where those that it cites hold far fewer; 0: none."""
    if not claim.words or not cited:
        return 0
    least = max(WHOLE_SHARE, _share(claim, list(cited.values())) + FAR)
    if least > 1:
        return 0
    others = {number: read_passage(passage) for number, passage in by_number.items() if number not in cited}
    shares = {n: _share(claim, [read]) for n, read in others.items() if _same(claim, read)}
    best = max(shares, key=lambda number: (shares[number], -number), default=0)
    return best if best and shares[best] >= least and not _lacking(claim, [others[best], asked]) else 0


def _verdict(claim: Claim, read: dict[int, Read], asked: Read, *, by_words: bool) -> Supported:
    if not _claims(claim):
        return Supported(holds=True)
    if not read:
        return Supported(holds=False, why="there is no passage to support it")
    everything = [*read.values(), asked]
    if why := _missing_figure(claim, everything) or _missing_name(claim, everything):
        return Supported(holds=False, why=why)
    merits = {number: _merit(claim, held) for number, held in read.items()}
    ranked = sorted(merits, key=lambda number: (-merits[number], number))
    used = _used(claim, ranked, read, asked)
    share = _share(claim, [*(read[number] for number in used), asked])
    abroad = not any(_same(claim, read[number]) for number in used)
    if by_words and share < _least(claim, [read[number] for number in used], abroad=abroad):
        return Supported(holds=False, why=f"the passages hold {share:.0%} of its words")
    if by_words and any(_contradicts(claim, read[number]) for number in used):
        return Supported(holds=False, why="a passage says the opposite")
    best = merits[ranked[0]]
    beside = [n for n in ranked if n not in used and merits[n] >= OWN_SHARE * best and _alone(claim, read[n], asked)]
    return Supported(holds=True, by=(*used, *beside))


def _claims(claim: Claim) -> bool:
    """Whether there is anything to support; a run of a script without spaces counts as a word for two pieces."""
    words = sum(max(1.0, len(word.terms) / 2) for word in claim.words)
    return bool(claim.figures or claim.names) or words > (INTRODUCTION_WORDS if claim.introduces else CLAIM_WORDS)


def _used(claim: Claim, ranked: Sequence[int], read: dict[int, Read], asked: Read) -> list[int]:
    """The best passage, and those without which a figure, a name or too many words would be missing."""
    used = [ranked[0]]
    for number in ranked[1:]:
        held = [*(read[n] for n in used), asked]
        more = [*held, read[number]]
        if not _lacking(claim, held):
            break
        if _found_count(claim, more) > _found_count(claim, held) or _share(claim, more) > _share(claim, held) + 0.1:
            used.append(number)
    return used


def _lacking(claim: Claim, held: Sequence[Read]) -> bool:
    abroad = not any(_same(claim, read) for read in held[:-1])
    if _missing_figure(claim, held) or _missing_name(claim, held):
        return True
    return _share(claim, held) < _least(claim, held[:-1], abroad=abroad)


def _least(claim: Claim, held: Sequence[Read], *, abroad: bool) -> float:
    """Share of the statement's words that must be known."""
    if abroad:
        return LEAST_SHARE_ABROAD
    if not claim.figures:
        return LEAST_SHARE
    mine = frozenset[int]().union(*(word.terms for word in claim.words))
    least = LEAST_SHARE
    for terms, said in (anchor for read in held for anchor in read.anchors):
        if not all(supported(figure, said) for figure in claim.figures):
            continue
        if len(claim.figures) > 1:
            return 0.0
        if mine & terms:
            least = LEAST_SHARE_ANCHORED
    return least


def _alone(claim: Claim, read: Read, asked: Read) -> bool:
    return not _lacking(claim, [read, asked]) and not _contradicts(claim, read)


def _found_count(claim: Claim, held: Sequence[Read]) -> int:
    said = frozenset[str]().union(*(read.atoms for read in held))
    return sum(supported(figure, said) for figure in claim.figures) + sum(_named(n, held) for n in claim.names)


def _missing_figure(claim: Claim, held: Sequence[Read]) -> str:
    said = frozenset[str]().union(*(read.atoms for read in held))
    missing = next((figure.written for figure in claim.figures if not supported(figure, said)), "")
    return f"the number {missing} is in no cited passage" if missing else ""


def _missing_name(claim: Claim, held: Sequence[Read]) -> str:
    missing = [name for name in claim.names if not _named(name, held)]
    if not missing:
        return ""
    if not any(_same(claim, read) for read in held[:-1]):
        missing = _missing_abroad(claim, missing, held)
    return f"`{missing[0].text}` is in no cited passage" if missing else ""


def _missing_abroad(claim: Claim, missing: Sequence[Name], held: Sequence[Read]) -> list[Name]:
    """Of the missing names those that a text in another language should have: codes; others where most are missing."""
    foreign = claim.language == "en"  # in whose words there are no other letters: such a name is nobody's translation
    strict = [
        name
        for name in missing
        if name.kind in ("email", "command")
        or (name.kind == "code" and _has_digit(name.text))
        or (foreign and name.kind == "name" and not name.text.isascii() and all(read.latin for read in held[:-1]))
    ]
    if strict or not all(read.latin for read in held[:-1]):
        return strict
    loose = [name for name in claim.names if name.kind in ("name", "code")]
    lost = [name for name in missing if name in loose]
    few = len(loose) - len(lost) < LEAST_NAMES_ABROAD * len(loose)
    return lost if few and len(lost) >= LOST_ABROAD else []


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _named(name: Name, held: Sequence[Read]) -> bool:
    """Whether a name stands in one of the texts, whatever its ending there."""
    wanted = fold(name.text)
    if any(wanted in read.folded for read in held if name.kind != "name" or len(wanted) > 4):
        return True
    if name.kind == "email":
        return False
    if name.kind == "code" and any(name.text in read.acronyms for read in held):
        return True
    parts = [part for part in re.findall(r"\w+", wanted) if len(part) > 1 or name.kind != "quoted"]
    known = [any(_word_in(part, read) for read in held) for part in parts]
    if name.kind == "quoted":
        return sum(known) >= 0.8 * len(known)
    return all(known)


def _word_in(word: str, read: Read) -> bool:
    if word in read.words:
        return True
    if len(word) < 4 or word.isdigit():
        return False
    shortest = max(4, len(word) - 3)
    return any(other[:shortest] == word[:shortest] and abs(len(other) - len(word)) <= 3 for other in read.words) or (
        len(word) >= 6 and _overlap(grams_of(word), read.grams) >= 0.7
    )


def _share(claim: Claim, held: Sequence[Read]) -> float:
    """Share of the weight of a statement's words that the texts hold."""
    whole = sum(word.weight for word in claim.words)
    if not whole:
        return 1.0
    found = sum(word.weight * max(_holds(word, read, same=_same(claim, read)) for read in held) for word in claim.words)
    return found / whole


def _holds(word: Word, read: Read, *, same: bool) -> float:
    """How far a text holds a word: whole, or as the share of its pieces where that is large enough."""
    whole = _overlap(word.terms, read.terms) if same else 0.0
    pieces = _overlap(word.grams, read.grams) if word.grams else 0.0
    return max(whole, pieces if pieces >= KNOWN_GRAMS else 0.0)


def _merit(claim: Claim, read: Read) -> float:
    """What a passage does for a statement by itself."""
    parts = len(claim.figures) + len(claim.names)
    found = _found_count(claim, [read])
    return _share(claim, [read]) + (found / parts if parts else 0.0)


def _contradicts(claim: Claim, read: Read) -> bool:
    """Whether the passage's sentence that is all but the statement negates where that does not, or the reverse."""
    mine = frozenset[int]().union(*(word.terms for word in claim.words))
    if not _same(claim, read) or len(mine) < CLAIM_WORDS:
        return False
    best, score = None, 0.0
    for terms, count in read.clauses:
        common = len(mine & terms)
        if not claim.negations and count % 2 and common == len(terms) >= COVERED_WORDS:
            return True
        likeness = min(common / len(mine), common / max(len(terms), 1))
        if likeness > score:
            best, score = count, likeness
    return best is not None and score >= ALIKE and best % 2 != claim.negations % 2


def _same(claim: Claim, read: Read) -> bool:
    return read.language in (claim.language, "und")


def _overlap(wanted: frozenset[int], held: frozenset[int]) -> float:
    return len(wanted & held) / len(wanted) if wanted else 0.0
