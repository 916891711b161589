"""Question sets and runs are read as they were written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.evaluation.sets import read_run, write_run, write_set
from ingest.errors import ConfigurationError
from ingest.model import DocumentId
from ingest.questions import Article, Query, QuestionSet, read_set

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
