"""Text to sparse vectors without a model: BM25 over stemmed words and character 4-grams.

Words are compared folded (case, accents, letter variants), because people omit accents, and then stemmed by the
Snowball stemmer of the text's language, where there is one. The 4-grams inside `_word_` need no language: they carry
compounds, misspellings, and questions in another language through shared roots. Scripts without spaces between words
are cut into overlapping pieces instead: Han, Kana and Hangul by two characters, Thai, Lao, Khmer and Burmese by three.

Title and headings count twice, within the text and as a short field of their own: questions tend to be put in their
words.

A document's weights are BM25's term frequency part (Robertson and Zaragoza, "The Probabilistic Relevance Framework",
2009); the engine multiplies them by the inverse document frequency (Qdrant's IDF modifier) at query time.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import local

import Stemmer  # type: ignore[import-not-found]  # carries no types

from ingest.function_words import FUNCTION_WORDS
from ingest.index.interface import SparseVector

K1 = 1.2
"""BM25's saturation of term frequency."""
B = 0.75
"""BM25's share of length normalisation."""
GRAM = 4
"""Characters in a piece of a word, its two boundary marks included."""
LONGEST = 64
"""Characters of a word that count: what is longer is an encoded blob."""
GRAM_WEIGHT = 0.4
"""Weight of a 4-gram in a query, where a word weighs 1; recall@5 is within a point anywhere from 0.25 to 1."""
FUNCTION_WEIGHT = 0.5
"""Weight in a query of a function word and its 4-grams, as a share of another word's. In an index of several languages
they are rare, and their inverse document frequency says nothing of their worth: with documents in four languages,
nDCG@10 rises by 0.5 for German questions and by 0.3 for Spanish ones; the French help desk's recall@5 rises from 80.5
to 84.3, its recall@1 falls from 57.2 to 54.7, which may be chance. In an index of one language hardly anything changes;
at a weight of 0, the help desk's recall@1 falls from 55.3 to 50.9 there."""
HEADING_WEIGHT = 0.5
"""Weight in a query of what is found in a heading, beside what is found in the text. On 159 questions to a French help
desk recall@5 rises from 75 to 83, on 60 to a handbook from 73 to 82; anything from 0.25 to 0.75 does as well."""

STEMMERS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali",
    "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "cs": "czech",
}  # fmt: skip
"""Snowball algorithm by ISO 639-1 code; any other language is indexed by whole words and 4-grams."""

_MARKS = re.compile(r"(?<![иі])[\u0300-\u036f]|[\u0640\u064b-\u0652\u0670]|(?<=ا)[\u0653-\u0655]")
"""What folding takes off after decomposition: accents, the dots of ё, Arabic vowel signs and tatweel, alef's hamza.

Not the breve of й nor the dots of ї, which nobody leaves out, nor any mark of a Thai or Indic script.
"""

_LETTERS = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe"})
"""Letters that are typed without their stroke or dot but do not decompose."""

_PAIRED = "\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff々〇"
_TRIPLED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
UNSPACED = _PAIRED + _TRIPLED
"""Letters of scripts that put no space between words, or whose words are too long to be compared whole (Hangul), as
ranges within a class of a regular expression."""

_SIGNS = "\u0591-\u05c7\u0900-\u0963\u0966-\u0dff"
_LETTER = rf"[^\W_{UNSPACED}]"
_RUNS = re.compile(rf"([{_PAIRED}]+)|([{_TRIPLED}]+)|({_LETTER}+(?:[{_SIGNS}]+{_LETTER}*)*)")
"""Runs of Han and its like, of Thai and its like, and words. Vowel signs are no `\\w` but belong to their word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Averages:
    """Average length of the indexed texts, in words and in 4-grams: BM25's avgdl, one for each kind."""

    words: float
    grams: float


HEADING = Averages(words=8, grams=40)
"""Assumed average length of title and headings; half or twice as much makes no measurable difference."""


def encode_document(text: str, language: str, averages: Averages, *, heading: str = "") -> SparseVector:
    """BM25 weights of the words and 4-grams of `text`, and of its `heading` as a field of its own.

    `text` includes the heading; `language` is an ISO 639-1 code or `und`; `averages` are those of whole texts.
    """
    weights = _weights(text, language, averages)
    weights.update((_in_heading(term), weight) for term, weight in _weights(heading, language, HEADING).items())
    return SparseVector(indices=tuple(weights), values=tuple(weights.values()))


def encode_query(text: str, language: str | None) -> SparseVector:
    """The words and 4-grams of a question, each once.

    Without a language, words are not stemmed and none is known for a function word.
    """
    language = language or "und"
    functional = function_words(language)
    weights: dict[int, float] = {}
    for run, words, grams in runs(text, language):
        share = FUNCTION_WEIGHT if run in functional else 1.0
        for terms, weight in ((words, share), (grams, share * GRAM_WEIGHT)):
            weights.update((term, max(weight, weights.get(term, 0.0))) for term in terms)
    weights.update([(_in_heading(term), weight * HEADING_WEIGHT) for term, weight in weights.items()])
    return SparseVector(indices=tuple(weights), values=tuple(weights.values()))


def lengths(text: str, language: str) -> tuple[int, int]:
    """Length of a text in words and in 4-grams."""
    words, grams = _counts(text, language)
    return words.total(), grams.total()


def fold(text: str) -> str:
    """The form in which texts are compared: lower case, without accents, letter variants made one."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFC", _MARKS.sub("", decomposed)).translate(_LETTERS)


def _weights(text: str, language: str, averages: Averages) -> dict[int, float]:
    words, grams = _counts(text, language)
    return _saturated(words, averages.words) | _saturated(grams, averages.grams)


def _saturated(counts: Counter[int], average: float) -> dict[int, float]:
    """Term frequency part of BM25, tf·(k1+1) / (tf + k1·(1 - b + b·length/average))."""
    norm = K1 * (1 - B + B * counts.total() / max(average, 1.0))
    return {term: tf * (K1 + 1) / (tf + norm) for term, tf in counts.items()}


def _counts(text: str, language: str) -> tuple[Counter[int], Counter[int]]:
    """How often each word and each 4-gram occurs, by term id."""
    words: list[int] = []
    grams: list[int] = []
    for _, of_words, of_grams in runs(text, language):
        words += of_words
        grams += of_grams
    return Counter(words), Counter(grams)


def runs(text: str, language: str) -> Iterator[tuple[str, Sequence[int], Sequence[int]]]:
    """Every word, or run of a script without spaces, folded, with the term ids of its words and of its 4-grams."""
    for pairs, triples, word in _RUNS.findall(fold(text)):
        if word:
            stem, pieces = _terms(word[:LONGEST], language)
            yield word, (stem,), pieces
        else:
            cut = _pieces(pairs, 2) if pairs else _pieces(triples, 3)
            yield pairs or triples, [_term("w", piece) for piece in cut], ()


@cache
def function_words(language: str) -> frozenset[str]:
    """Those of a language as `runs` has them: folded, and cut at apostrophes."""
    return frozenset(fold(word).rstrip("'") for word in FUNCTION_WORDS.get(language, ()))


@lru_cache(maxsize=1 << 15)
def _terms(word: str, language: str) -> tuple[int, tuple[int, ...]]:
    """Term ids of a folded word's stem and of its 4-grams."""
    return _term("w", _stem(word, language)), tuple(_term("g", piece) for piece in _pieces(f"_{word}_", GRAM))


def _pieces(run: str, size: int) -> list[str]:
    """Overlapping pieces of `run`, `size` characters long; a shorter run is one piece."""
    return [run[at : at + size] for at in range(max(1, len(run) - size + 1))]


_stemmers = local()
"""A Snowball stemmer is not safe to share between threads."""


def _stem(word: str, language: str) -> str:
    algorithm = STEMMERS.get(language)
    if algorithm is None:
        return word
    stemmer = getattr(_stemmers, algorithm, None)
    if stemmer is None:
        stemmer = Stemmer.Stemmer(algorithm, 0)
        setattr(_stemmers, algorithm, stemmer)
    # Some stemmers bring accents back (German ue becomes ü).
    return fold(stemmer.stemWord(word))


def _term(kind: str, token: str) -> int:
    """Stable 32-bit id of a token; `kind` keeps words and 4-grams apart."""
    return zlib.crc32(f"{kind}{token}".encode())


def _in_heading(term: int) -> int:
    """Id of a term as one of the heading: any fixed mapping of ids onto themselves does."""
    return term ^ 0x9E3779B9
