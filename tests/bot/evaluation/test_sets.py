"""Question sets and runs are read as they were written, and what is wrong with one is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.evaluation.sets import Article, Query, QuestionSet, read_run, read_set, write_run, write_set
from ingest.errors import ConfigurationError
from ingest.model import DocumentId


def make_set(folder: Path, *, queries: str = '{"_id": "q", "text": "Leave?"}\n', corpus: str | None = None) -> Path:
    (folder / "qrels").mkdir(parents=True)
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\ta\t1\nq\tb\t0\n")
    (folder / "queries.jsonl").write_text(queries)
    if corpus is not None:
        (folder / "corpus.jsonl").write_text(corpus)
    return folder


def test_a_set_is_read_with_its_corpus(tmp_path: Path) -> None:
    questions = read_set(
        make_set(tmp_path / "leave", corpus='{"_id": "a", "title": "Leave", "text": "Thirty days."}\n')
    )
    assert questions.name == "leave"
    assert questions.relevant == {"q": {"a": 1}}
    assert questions.corpus is not None
    assert questions.corpus[0].title == "Leave"


def test_a_query_asks_with_its_readers_and_public(tmp_path: Path) -> None:
    row = (
        '{"_id": "q", "text": "Forecast?", "metadata": {"readers": ["everyone", "group:finance"], "language": "en"}}\n'
    )
    query = read_set(make_set(tmp_path, queries=row)).queries[0]
    assert query.readers == {"everyone", "group:finance", "public"}
    assert query.language == "en"
    assert query.answerable


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        ("{broken\n", "line 1: not JSON"),
        ('{"_id": "q"}\n["q"]\n', "line 2: needs an object"),
        ('{"id": 1}\n', "line 1: needs"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, queries: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_set(make_set(tmp_path, queries=queries))


def test_a_folder_that_is_no_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"queries\.jsonl is missing"):
        read_set(tmp_path)


@pytest.mark.parametrize(
    "table", ["q\ta\t1\n", "query-id\tcorpus-id\tscore\nq\ta\tyes\n", "query-id\tcorpus-id\tscore\nq\n"]
)
def test_a_table_of_relevant_documents_that_is_none_is_named(tmp_path: Path, table: str) -> None:
    folder = make_set(tmp_path)
    (folder / "qrels" / "test.tsv").write_text(table + "q\tb\t1\n")
    with pytest.raises(ConfigurationError, match=r"test\.tsv, line 2: needs the columns"):
        read_set(folder)


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


@given(
    st.dictionaries(ids, st.tuples(texts, st.sampled_from(["en", "fr", None]), st.booleans()), max_size=4),
    st.none() | st.dictionaries(ids, texts, max_size=4),
    st.dictionaries(ids, st.dictionaries(ids, st.integers(1, 3), min_size=1, max_size=3), max_size=3),
)
def test_a_set_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    queries: dict[str, tuple[str, str | None, bool]],
    corpus: dict[str, str] | None,
    relevant: dict[str, dict[str, int]],
) -> None:
    folder = tmp_path_factory.mktemp("set")
    questions = QuestionSet(
        name=folder.name,
        queries=tuple(
            Query(id=id, text=text, language=language, answerable=answerable)
            for id, (text, language, answerable) in queries.items()
        ),
        relevant=relevant,
        corpus=None
        if corpus is None
        else tuple(Article(id=DocumentId(id), title=text, text=text) for id, text in corpus.items()),
    )
    write_set(questions, folder)
    assert read_set(folder) == questions
