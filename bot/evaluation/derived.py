"""Sets made of other sets: over another corpus, without some of the gold documents, of some of the questions."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from ingest.errors import ConfigurationError
from ingest.questions import QuestionSet, read_corpus


def over(questions: QuestionSet, folder: Path) -> QuestionSet:
    """The questions over the corpus of another set with the same document ids, for instance in another language.

    Raises `ConfigurationError` when that corpus lacks a relevant document.
    """
    corpus = read_corpus(folder)
    missing = {document for grades in questions.relevant.values() for document in grades} - {a.id for a in corpus}
    if missing:
        raise ConfigurationError(
            f"{folder}: its corpus lacks {len(missing)} relevant documents of {questions.name},"
            f" {min(missing)!r} for one; `--corpus` needs a set with the same document ids"
        )
    return replace(questions, name=f"{questions.name}-over-{folder.resolve().name}", corpus=corpus)


def without_gold(questions: QuestionSet, share: float, seed: int = 0) -> QuestionSet:
    """The set with that share (0 to 1) of its relevant documents gone from its corpus.

    A question that has none left is unanswerable from then on. Raises `ConfigurationError` for a set without a corpus.
    """
    if questions.corpus is None:
        raise ConfigurationError(
            f"{questions.name}: has no corpus of its own to take documents from; `bot eval --write-set FOLDER` makes a"
            " set with the indexed documents as its corpus"
        )
    gold = sorted({document for grades in questions.relevant.values() for document in grades})
    taken = frozenset(random.Random(seed).sample(gold, round(share * len(gold))))  # noqa: S311
    relevant = {
        query: left
        for query, grades in questions.relevant.items()
        if (left := {document: grade for document, grade in grades.items() if document not in taken})
    }
    return replace(
        questions,
        name=f"{questions.name}-without-gold-{share:g}",
        queries=tuple(
            replace(query, answerable=False, answers=())
            if query.id in questions.relevant and query.id not in relevant
            else query
            for query in questions.queries
        ),
        relevant=relevant,
        corpus=tuple(article for article in questions.corpus if article.id not in taken),
    )


def sample(questions: QuestionSet, size: int, seed: int = 0) -> QuestionSet:
    """The set with `size` of its questions, in their order; with all of them when it has no more."""
    if size >= len(questions.queries):
        return questions
    kept = set(random.Random(seed).sample(range(len(questions.queries)), size))  # noqa: S311
    queries = tuple(query for place, query in enumerate(questions.queries) if place in kept)
    ids = {query.id for query in queries}
    return replace(
        questions,
        queries=queries,
        relevant={query: grades for query, grades in questions.relevant.items() if query in ids},
    )
