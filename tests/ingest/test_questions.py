"""A question set is read with its corpus, and what is wrong with one is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.errors import ConfigurationError
from ingest.questions import Said, read_set


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


def test_a_question_may_have_a_class_gold_answers_and_a_conversation_before_it(tmp_path: Path) -> None:
    metadata = (
        '{"class": "semantic", "answers": ["30 days"], "superseded": "old.md",'
        ' "history": [{"role": "user", "text": "How much leave?"}, {"role": "assistant", "text": "30 days."}]}'
    )
    row = f'{{"_id": "q", "text": "And in Lyon?", "metadata": {metadata}}}\n'
    query = read_set(make_set(tmp_path, queries=row)).queries[0]
    assert (query.kind, query.answers) == ("semantic", ("30 days",))
    assert query.history == (Said(role="user", text="How much leave?"), Said(role="assistant", text="30 days."))


def test_a_document_may_have_readers_of_its_own(tmp_path: Path) -> None:
    corpus = '{"_id": "a", "text": "x", "metadata": {"readers": ["group:finance"]}}\n{"_id": "b", "text": "y"}\n'
    questions = read_set(make_set(tmp_path, corpus=corpus))
    assert questions.corpus is not None
    assert [article.readers for article in questions.corpus] == [{"group:finance"}, {"everyone"}]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ('{"answers": "30 days"}', r"line 1: `metadata\.answers`: "),
        ('{"history": [{"role": "system", "text": "x"}]}', r"line 1: `metadata\.history\.0\.role`: "),
        ('{"readers": ["Finance"]}', r"line 1: `metadata\.readers\.0`: .*did you mean `group:finance`"),
        ('{"answerable": "no"}', r"line 1: `metadata\.answerable`: "),
    ],
)
def test_metadata_that_is_not_understood_is_named(tmp_path: Path, metadata: str, message: str) -> None:
    row = f'{{"_id": "q", "text": "?", "metadata": {metadata}}}\n'
    with pytest.raises(ConfigurationError, match=message):
        read_set(make_set(tmp_path, queries=row))


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
