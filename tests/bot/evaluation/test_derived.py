"""Sets are derived of sets so that what is asked of them stays true."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.evaluation.derived import over, sample, without_gold
from ingest.errors import ConfigurationError
from ingest.model import DocumentId
from ingest.questions import Article, Query, QuestionSet
from tests.ingest.test_questions import make_set


def a_set(questions: int = 20) -> QuestionSet:
    return QuestionSet(
        name="set",
        queries=tuple(Query(id=f"q{n}", text="", answers=("x",)) for n in range(questions)),
        relevant={f"q{n}": {f"d{n}": 1, "both": 1} if n == 0 else {f"d{n}": 1} for n in range(questions)},
        corpus=tuple(
            Article(id=DocumentId(id), title="", text="")
            for id in ("both", "other", *(f"d{n}" for n in range(questions)))
        ),
    )


def test_a_question_is_unanswerable_once_all_its_gold_documents_are_gone() -> None:
    whole = a_set()
    halved = without_gold(whole, 0.5)
    assert halved.corpus is not None
    left = {article.id for article in halved.corpus}
    assert "other" in left
    assert len(left) == 22 - round(0.5 * 21)
    for query in halved.queries:
        found = {document for document in whole.relevant[query.id] if document in left}
        assert query.answerable == bool(found)
        assert set(halved.relevant.get(query.id, {})) == found
        assert bool(query.answers) == query.answerable
    assert any(query.answerable for query in halved.queries)
    assert not all(query.answerable for query in halved.queries)


def test_the_same_seed_takes_the_same_documents_and_another_one_takes_others() -> None:
    assert without_gold(a_set(), 0.5, 3) == without_gold(a_set(), 0.5, 3)
    assert without_gold(a_set(), 0.5, 3).corpus != without_gold(a_set(), 0.5, 4).corpus


def test_documents_of_the_index_in_use_are_not_taken_out() -> None:
    questions = QuestionSet(name="set", queries=(), relevant={}, corpus=None)
    with pytest.raises(ConfigurationError, match="no corpus of its own to take documents from; `bot eval --write-set"):
        without_gold(questions, 0.5)


def test_questions_are_asked_over_the_corpus_of_another_set(tmp_path: Path) -> None:
    corpus = '{"_id": "a", "title": "Urlaub", "text": "Dreißig Tage."}\n'
    folder = make_set(tmp_path / "german", corpus=corpus)
    english = QuestionSet(name="english", queries=(Query(id="q", text="Leave?"),), relevant={"q": {"a": 1}}, corpus=())
    crossed = over(english, folder)
    assert crossed.name == "english-over-german"
    assert crossed.corpus is not None
    assert [article.title for article in crossed.corpus] == ["Urlaub"]
    assert (crossed.queries, crossed.relevant) == (english.queries, english.relevant)


def test_a_corpus_without_the_relevant_documents_is_refused(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "other", corpus='{"_id": "z", "text": "z"}\n')
    with pytest.raises(ConfigurationError, match=r"lacks 21 relevant documents of set, 'both' for one"):
        over(a_set(), folder)


def test_a_sample_keeps_questions_with_their_documents_in_their_order() -> None:
    taken = sample(a_set(), 5)
    assert len(taken.queries) == 5
    assert set(taken.relevant) == {query.id for query in taken.queries}
    numbers = [int(query.id[1:]) for query in taken.queries]
    assert numbers == sorted(numbers)
    assert sample(a_set(), 100) == a_set()
