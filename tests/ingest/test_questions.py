"""A question set is read with its corpus, and what is wrong with one is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.errors import ConfigurationError
from ingest.questions import read_set


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
