"""Question sets written in BEIR layout (`ingest.questions` reads them), rankings as TREC runs, and answers."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, unquote

from bot.evaluation.results import Result
from ingest.errors import ConfigurationError
from ingest.model import EVERYONE
from ingest.questions import Article, Query, QuestionSet

Run = dict[str, list[tuple[str, float]]]
"""Query id -> documents with scores, best first."""


def write_set(questions: QuestionSet, folder: Path) -> None:
    """The set in BEIR layout, for other tools; `read_set` reads back the same."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / "queries.jsonl", (_query_row(query) for query in questions.queries))
    if questions.corpus is not None:
        write_rows(
            folder / "corpus.jsonl",
            map(_article_row, questions.corpus),
        )
    write_judgements(folder, questions.relevant)


def write_judgements(folder: Path, relevant: Mapping[str, Mapping[str, int]]) -> None:
    """`qrels/test.tsv` of a set: query id -> document id -> grade."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    with (folder / "qrels" / "test.tsv").open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines, delimiter="\t", lineterminator="\n")
        table.writerow(("query-id", "corpus-id", "score"))
        table.writerows((query, *row) for query, grades in relevant.items() for row in grades.items())


def write_rows(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """One JSON object a line."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _query_row(query: Query) -> dict[str, object]:
    said: dict[str, object] = {
        "language": query.language,
        "class": query.kind,
        "answers": list(query.answers),
        "history": [{"role": turn.role, "text": turn.text} for turn in query.history],
    }
    always = {"readers": sorted(query.readers), "answerable": query.answerable}
    metadata = {name: value for name, value in said.items() if value} | always
    return {"_id": query.id, "text": query.text, "metadata": metadata}


def _article_row(article: Article) -> dict[str, object]:
    row: dict[str, object] = {"_id": article.id, "title": article.title, "text": article.text}
    return row if article.readers == {EVERYONE} else row | {"metadata": {"readers": sorted(article.readers)}}


def write_answers(results: Iterable[Result], path: Path) -> None:
    """Answers as EnterpriseRAG-Bench takes them (arXiv 2605.05253): the documents are those that an answer cites."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_rows(
        path,
        (
            {
                "question_id": result.id,
                "answer": result.answer.text,
                "document_ids": list(dict.fromkeys(shown.document for shown in result.answer.cited)),
            }
            for result in results
            if result.answer is not None
        ),
    )


def write_run(run: Run, path: Path, tag: str) -> None:
    """A TREC run: `query Q0 document rank score tag` a line. White space in an id is percent-encoded, as in a URL."""
    lines = [
        f"{_word(query)} Q0 {_word(document)} {rank} {score:.6f} {_word(tag)}\n"
        for query, ranking in run.items()
        for rank, (document, score) in enumerate(ranking, start=1)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8")


def read_run(path: Path) -> Run:
    """A TREC run, ordered by rank. Raises `ConfigurationError` on a line that is none."""
    ranked: dict[str, list[tuple[int, str, float]]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            query, _, document, rank, score, _ = line.split()
            ranked.setdefault(unquote(query), []).append((int(rank), unquote(document), float(score)))
        except ValueError as error:
            raise ConfigurationError(
                f"{path}, line {number}: a TREC run line is `query Q0 document rank score tag`"
            ) from error
    return {query: [(document, score) for _, document, score in sorted(rows)] for query, rows in ranked.items()}


def _word(text: str) -> str:
    return re.sub(r"[\s%]", lambda found: quote(found[0], safe=""), text)
