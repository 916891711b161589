"""Question sets and runs are read as they were written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.evaluation.results import AnswerResult, Result, Shown
from bot.evaluation.sets import read_run, write_answers, write_run, write_set
from ingest.errors import ConfigurationError
from ingest.model import DocumentId
from ingest.questions import Article, Query, QuestionSet, Said, read_set

ids = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Zs", "Zl", "Zp", "Cs")) | st.just(" "), min_size=1
)
ids_of_any_kind = st.text(st.characters(codec="utf-8"), min_size=1)


@given(
    st.dictionaries(
        ids_of_any_kind,
        st.lists(
            st.tuples(ids_of_any_kind, st.floats(0, 9).map(lambda score: round(score, 6))), min_size=1, max_size=5
        ),
        max_size=5,
    )
)
def test_a_run_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, run: dict[str, list[tuple[str, float]]]
) -> None:
    path = tmp_path_factory.mktemp("runs") / "run.trec"
    write_run(run, path, tag="a tag")
    assert read_run(path) == run


def test_a_line_that_is_no_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("q Q0 a 1 0.5 tag\nnonsense\n")
    with pytest.raises(ConfigurationError, match="line 2: a TREC run line"):
        read_run(tmp_path / "run")


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=20)


queries = st.builds(
    Query,
    id=ids,
    text=texts,
    language=st.sampled_from(["en", "fr", None]),
    readers=st.sampled_from([frozenset({"everyone", "public"}), frozenset({"everyone", "group:finance", "public"})]),
    answerable=st.booleans(),
    answers=st.lists(texts, max_size=2).map(tuple),
    kind=st.sampled_from(["basic", "semantic", None]),
    history=st.lists(st.builds(Said, role=st.sampled_from(["user", "assistant"]), text=texts), max_size=2).map(tuple),
)
articles = st.builds(
    Article,
    id=ids.map(DocumentId),
    title=texts,
    text=texts,
    readers=st.sampled_from([frozenset({"everyone"}), frozenset({"group:finance"}), frozenset[str]()]),
)


@given(
    st.lists(queries, max_size=4).map(tuple),
    st.none() | st.lists(articles, max_size=4).map(tuple),
    st.dictionaries(ids, st.dictionaries(ids, st.integers(1, 3), min_size=1, max_size=3), max_size=3),
)
def test_a_set_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    queries: tuple[Query, ...],
    corpus: tuple[Article, ...] | None,
    relevant: dict[str, dict[str, int]],
) -> None:
    folder = tmp_path_factory.mktemp("set")
    questions = QuestionSet(name=folder.name, queries=queries, relevant=relevant, corpus=corpus)
    write_set(questions, folder)
    assert read_set(folder) == questions


def test_answers_are_written_with_the_documents_that_they_cite(tmp_path: Path) -> None:
    answer = AnswerResult(
        outcome="answered",
        language="en",
        text="Thirty days [1][2][3].",
        written_by="m",
        cited=tuple(
            Shown(number=number, document=document, language="en")
            for number, document in ((1, "b"), (2, "a"), (3, "b"))
        ),
        retrieved=("c",),
    )
    write_answers([Result(id="q1", text="?", answer=answer), Result(id="q2", text="?")], tmp_path / "set.jsonl")
    assert [json.loads(line) for line in (tmp_path / "set.jsonl").read_text().splitlines()] == [
        {"question_id": "q1", "answer": "Thirty days [1][2][3].", "document_ids": ["b", "a"]}
    ]
