"""What the best hits of a search tell of whether they answer the query, as a few numbers.

Only what the hits carry is looked at: their texts, in the terms of `ingest.index.lexical`, and what each leg said. The
measure that tells most is `cover`: the share of the query's terms, weighted by their rarity among the hits, that the
first hit holds. Where a passage that answers has been taken out of the index, the next best one is about the same
thing but lacks the very words that the question adds.

Function words do not count. A passage in another language than the query's is compared with the query's translation;
where there is none, with those of the query's terms that passages know at all: names, numbers, shared word roots.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from bot.retrieval.interface import Evidence, Wanted
from ingest.index.interface import Hit
from ingest.index.lexical import fold, function_words, runs

FOREIGN = "foreign"

LEXICAL_FEATURES = ("cover", "lead", "drop", "weight", "names", FOREIGN)
"""`cover`, 0 to 1, as above; `lead`, by how much the best cover of the first hits surpasses the second best; `drop`,
how far the lexical score falls from the best to the fiftieth (logarithm); `weight`, the best lexical score per term of
the query; `names`, the share of the query's names that the first hit lacks; `foreign`, 1 where the first hit is in
another language than the query, without a translation to compare it with."""

DENSE_FEATURES = ("dense", "dense_drop", "agreement")
"""Best dense score; how far it falls to the tenth; whether both legs put the same passage first."""

RERANKER_FEATURES = ("reranker", "reranker_drop")
"""The reranker's best score, and how far it falls to the tenth."""

FEATURES = (*LEXICAL_FEATURES, *DENSE_FEATURES, *RERANKER_FEATURES)
"""All there are; the evidence of a search has those of the legs that took part in it."""

LOOKED_AT = 20
"""Hits over which the rarity of terms is counted. With 50, one to three points more of the unanswerable are refused;
reading a passage that was not read lately takes a seventh of a millisecond."""

FIRST = 10
"""Hits that may hold the best and the second best cover, and the last of which a model's score falls to."""

COMMON = 50
"""The hit to which the lexical score falls: by then, hits share with the query what much of the index does. To the
tenth, of the demo's unanswerable questions 70 % are refused where 15 % of the others are, to the fiftieth 80, to the
hundredth 73; on XQuAD all do alike."""

SAMPLED = 100
"""Passages among which a term is taken to be looked for: rarity is log(1 + (100 - n + 0.5) / (n + 0.5)) for a term of n
of the hits, the inverse document frequency of BM25."""

CAUTION = 2.0
"""Added to the weight of all terms below the fraction of `cover`: of a query with two terms, little is learned."""

PARTLY = 0.8
"""Most that a word counts for which only shares its 4-grams with the passage: an inflection, a part of a compound."""

THIN_COVER = 0.5
"""Cover under which a search counts as weak without a calibration. It only decides whether to look once more."""

READ = 8192
"""Passages kept as read, about 3 kB each."""

_MORE_FUNCTION_WORDS: Mapping[str, str] = {
    "ar": "ما ماذا من متى أين كيف لماذا كم هل أي في على إلى عن مع هو هي التي الذي التى كان كانت هذا هذه و أن تم ذلك بين"
    " أو لم يكن منذ قبل بعد",
    "hi": "का की के को में से पर और है हैं था थे थी क्या कब कहाँ कौन कैसे क्यों कितना कितने कितनी किस यह वह एक ने लिए",
    "ru": "в во на с со к о об от до по за из и а но не ни или у что кто где когда как какой какая какие каком сколько"
    " почему чем это был была было были есть ли же я мы мой наш",
}  # fmt: skip
"""For languages that `ingest.function_words` lacks: it serves to tell languages of one script apart."""

_FUNCTION_SIGNS = re.compile(r"[\u3041-\u309f的是在了有和个吗呢什么哪谁几怎]")
"""Hiragana, and the signs of Chinese question and structure words: a piece with one of them names nothing."""

_WORD = re.compile(r"\w(?:[\w.-]*\w)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Terms:
    """The content terms of a query; a row of `grams` has a 1 for each of its 4-grams, columns as in `gram_ids`."""

    ids: NDArray[np.uint32]
    gram_ids: NDArray[np.uint32]
    grams: NDArray[np.float64]

    def held(self, read: NDArray[np.uint32]) -> NDArray[np.float64]:
        """How far a passage holds each term, 0 to 1: whole, or by 4-grams once more than a third of them are there."""
        whole = _among(self.ids, read)
        shared = self.grams @ _among(self.gram_ids, read)
        return np.asarray(np.maximum(whole, PARTLY * np.maximum(0.0, 1.5 * shared - 0.5)))


def is_thin(evidence: Evidence) -> bool:
    """Whether the best passage holds less than half of what is rare in the query: weak, where nothing is calibrated."""
    return evidence.features.get("cover", 1.0) < THIN_COVER


def witness(wanted: Wanted, hits: Sequence[Hit]) -> Evidence:
    """The evidence of `hits`, which may be read and come best first.

    Blocks for ten milliseconds where no passage was read lately, for half a one where all were.
    """
    texts = {**wanted.translations, wanted.language or "und": wanted.query}
    first = _language(hits[0], wanted, texts) if hits else wanted.language or "und"
    covers = _covers(wanted, texts, hits)
    ahead = sorted(covers, reverse=True)
    lexical = _scores(hits, "lexical")
    features = {
        "cover": covers[0] if covers else 0.0,
        "lead": ahead[0] - (ahead[1] if len(ahead) > 1 else 0.0) if ahead else 0.0,
        "drop": math.log1p(_drop(lexical, COMMON)),
        "weight": lexical[0] / max(1, len(_terms(texts[first], first).ids)) if lexical else 0.0,
        "names": _names_missing(texts[first], hits),
        FOREIGN: float(bool(hits) and _is_foreign(hits[0], wanted, texts)),
    }
    dense, reranker = _scores(hits, "dense"), _scores(hits, "reranker")
    if dense:
        features |= {"dense": dense[0], "dense_drop": _drop(dense), "agreement": _agreement(hits)}
    if reranker:
        features |= {"reranker": reranker[0], "reranker_drop": _drop(reranker)}
    return Evidence(features=features)


def _covers(wanted: Wanted, texts: Mapping[str, str], hits: Sequence[Hit]) -> list[float]:
    """The cover of each of the first hits by the query's text in their language, where there is one."""
    read = [_read(hit.chunk.indexed_text, hit.chunk.language) for hit in hits[:LOOKED_AT]]
    heard: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    covers = []
    for place, hit in enumerate(hits[:FIRST]):
        language = _language(hit, wanted, texts)
        if language not in heard:
            terms = _terms(texts[language], language)
            held = np.array([terms.held(ids) for ids in read])
            found = held.sum(axis=0)
            heard[language] = held, np.log(1 + (SAMPLED - found + 0.5) / (found + 0.5))
        held, rarity = heard[language]
        if _is_foreign(hit, wanted, texts):
            rarity = np.where(held.max(axis=0) > 0, rarity, 0.0)
        covers.append(float(held[place] @ rarity) / (float(rarity.sum()) + CAUTION))
    return covers


def _language(hit: Hit, wanted: Wanted, texts: Mapping[str, str]) -> str:
    """Of the text that the hit is compared with."""
    return hit.chunk.language if hit.chunk.language in texts else wanted.language or "und"


def _is_foreign(hit: Hit, wanted: Wanted, texts: Mapping[str, str]) -> bool:
    return wanted.language is not None and hit.chunk.language not in (*texts, "und")


@lru_cache(maxsize=64)
def _terms(text: str, language: str) -> _Terms:
    """The terms of `text` that name something; all of them where none does."""
    content: dict[int, Sequence[int]] = {}
    rest: dict[int, Sequence[int]] = {}
    for run, words, grams in runs(text, language):
        for at, word in enumerate(words):
            piece = run[at : at + 2] if len(words) > 1 else run
            names = not _FUNCTION_SIGNS.search(piece) and run not in _function_words(language)
            (content if names else rest)[word] = grams
    chosen = content or rest
    gram_ids = sorted({gram for grams in chosen.values() for gram in grams})
    places = {gram: place for place, gram in enumerate(gram_ids)}
    shares = np.zeros((len(chosen), len(gram_ids)))
    for row, grams in enumerate(chosen.values()):
        for gram in set(grams):
            shares[row, places[gram]] = 1 / len(set(grams))
    return _Terms(
        ids=np.array(list(chosen), dtype=np.uint32), gram_ids=np.array(gram_ids, dtype=np.uint32), grams=shares
    )


@lru_cache(maxsize=READ)
def _read(text: str, language: str) -> NDArray[np.uint32]:
    """Ids of the words and 4-grams of a passage, ascending."""
    ids: set[int] = set()
    for _, words, grams in runs(text, language):
        ids.update(words)
        ids.update(grams)
    return np.array(sorted(ids), dtype=np.uint32)


def _among(ids: NDArray[np.uint32], read: NDArray[np.uint32]) -> NDArray[np.float64]:
    """1 for each of `ids` that is in `read`, which is ascending, else 0."""
    if not read.size:
        return np.zeros(len(ids))
    places = np.searchsorted(read, ids)
    return np.asarray(read[np.minimum(places, read.size - 1)] == ids, dtype=np.float64)


@cache
def _function_words(language: str) -> frozenset[str]:
    return function_words(language) | frozenset(map(fold, _MORE_FUNCTION_WORDS.get(language, "").split()))


def _names_missing(query: str, hits: Sequence[Hit]) -> float:
    """Share of the query's capitalised words that are not in the first hit; 0 where it has none.

    The first word of the query is no name. In German, nouns are names too, which does no harm: they name things.
    """
    words = _WORD.findall(query)[1:]
    names = [fold(word) for word in words if word[0].isupper()]
    if not names:
        return 0.0
    text = fold(hits[0].chunk.indexed_text) if hits else ""
    return sum(name not in text for name in names) / len(names)


def _scores(hits: Sequence[Hit], leg: str) -> list[float]:
    """What the leg said of the hits, best first; the leg of a translated query counts as the same one."""
    return sorted(
        (max(said) for hit in hits if (said := [score for name, score in hit.legs.items() if _is_of(name, leg)])),
        reverse=True,
    )


def _is_of(name: str, leg: str) -> bool:
    return name == leg or name.startswith(f"{leg}:")


def _drop(scores: Sequence[float], place: int = FIRST) -> float:
    """From the best score to the one at `place`, or to 0 where there are fewer."""
    return max(0.0, scores[0] - (scores[place - 1] if len(scores) >= place else 0.0)) if scores else 0.0


def _agreement(hits: Sequence[Hit]) -> float:
    def best(leg: str) -> Hit:
        return max(hits, key=lambda hit: max((s for n, s in hit.legs.items() if _is_of(n, leg)), default=-math.inf))

    return float(best("lexical").chunk.id == best("dense").chunk.id)
